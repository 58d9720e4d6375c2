"""Batched look-ups: one statement for many keys, the answers in the order of the keys."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Table, select

from models.ids import HexId, Key, id_array
from models.listing import is_any, is_any_id, record_class
from models.reading import Query, Reader, Record, compile_query


async def rows_by_key(
    reader: Reader, table: Table, keys: Sequence[Key], columns: Sequence[str]
) -> list[Record | None]:
    """The rows with these (account id, own id), in the order of `keys`; None where none is."""
    query = _by_key(table, tuple(dict.fromkeys(["account_id", "id", *columns])))
    values = {
        "accounts": list({account_id for account_id, _ in keys}),
        "ids": id_array(row_id for _, row_id in keys),
    }
    rows = await reader.fetch(query, values, record_class(table))
    found = {(row["account_id"], row["id"]): row for row in rows}
    return [found.get(key) for key in keys]


async def accounts_by_id(
    reader: Reader, table: Table, account_ids: Sequence[HexId], columns: Sequence[str]
) -> list[Record | None]:
    """The accounts with these ids, in their order; None where there is none."""
    query = _by_account(table, tuple(dict.fromkeys(["account_id", *columns])), ())
    values = {"accounts": list(set(account_ids))}
    rows = await reader.fetch(query, values, record_class(table))
    found = {row["account_id"]: row for row in rows}
    return [found.get(account_id) for account_id in account_ids]


async def rows_by_account(
    reader: Reader,
    table: Table,
    account_ids: Sequence[HexId],
    columns: Sequence[str],
    order: Sequence[str],
) -> list[list[Record]]:
    """Each account's rows, sorted by `order`. For what an account has few of."""
    query = _by_account(table, tuple(dict.fromkeys(["account_id", *columns])), tuple(order))
    values = {"accounts": list(set(account_ids))}
    found: dict[HexId, list[Record]] = {account_id: [] for account_id in account_ids}
    for row in await reader.fetch(query, values, record_class(table)):
        found[row["account_id"]].append(row)
    return [found[account_id] for account_id in account_ids]


@lru_cache(maxsize=1_000)
def _by_key(table: Table, columns: tuple[str, ...]) -> Query:
    where = [is_any(table.c.account_id, "accounts"), is_any_id(table.c.id, "ids")]
    return compile_query(select(*(table.c[name] for name in columns)).where(*where))


@lru_cache(maxsize=1_000)
def _by_account(table: Table, columns: tuple[str, ...], order: tuple[str, ...]) -> Query:
    statement = select(*(table.c[name] for name in columns))
    statement = statement.where(is_any(table.c.account_id, "accounts"))
    return compile_query(statement.order_by(*(table.c[name] for name in order)))
