"""Many rows at once: one INSERT per table, from arrays of the columns' values.

COPY is refused on tables under row security, and a statement per row costs a round trip each.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]
Encode = Callable[[Any], Any]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Insert:
    """One table's statement, the columns in the order of its parameters, and what encodes them."""

    sql: str
    columns: tuple[tuple[str, Encode | None], ...]


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows (mappings from column to value) in the transaction that has begun."""
    insert = _insert(table)
    await (await _driver(connection)).execute(insert.sql, *_arrays(insert, rows))


async def insert_new_rows(
    connection: AsyncConnection, table: Table, rows: Sequence[Row]
) -> list[Any]:
    """The same without the rows whose key is taken; the first column of the others."""
    insert = _insert(table)
    first = insert.columns[0][0]
    sql = f"{insert.sql} ON CONFLICT DO NOTHING RETURNING {first}"
    return [
        record[0] for record in await (await _driver(connection)).fetch(sql, *_arrays(insert, rows))
    ]


async def _driver(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection


def _arrays(insert: Insert, rows: Sequence[Row]) -> list[list[Any]]:
    return [_column(rows, name, encode) for name, encode in insert.columns]


def _column(rows: Sequence[Row], name: str, encode: Encode | None) -> list[Any]:
    if encode is None:
        return [row.get(name) for row in rows]
    return [None if (value := row.get(name)) is None else encode(value) for row in rows]


@lru_cache(maxsize=64)
def _insert(table: Table) -> Insert:
    columns = [column for column in table.columns if column.computed is None]
    names = ", ".join(column.name for column in columns)
    kinds = [column.type.compile(_DIALECT) for column in columns]
    encoders = [_encoder(column.type) for column in columns]
    # What is encoded travels as text: an array of arrays would have to be rectangular.
    arrays = (
        f"${n}::{'text' if encode else kind}[]"
        for n, (kind, encode) in enumerate(zip(kinds, encoders, strict=True), 1)
    )
    chosen = (
        f"{column.name}::{kind}" if encode else column.name
        for column, kind, encode in zip(columns, kinds, encoders, strict=True)
    )
    # Names are the tables' own, values are parameters.
    sql = (
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(chosen)} "  # noqa: S608
        f"FROM unnest({', '.join(arrays)}) AS given ({names})"
    )
    return Insert(sql, tuple(zip((c.name for c in columns), encoders, strict=True)))


def _encoder(kind: Any) -> Encode | None:
    if isinstance(kind, JSONB):
        return _json_text
    return _array_text if isinstance(kind, ARRAY) else None


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _array_text(items: Sequence[object]) -> str:
    escaped = (str(item).replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in escaped) + "}"
