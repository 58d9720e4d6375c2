"""How programs are listed and looked up."""

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from sqlalchemy import Integer, Table, bindparam, literal_column, select

from models.ids import HexId, id_array
from models.listing import ListSpec, is_any, is_any_id, record_class
from models.program import Program, ProgramState
from models.reading import Query, Reader, Record, compile_query

_ONE = literal_column("1", Integer)
PROGRAMS = ListSpec(
    name="programs",
    table=cast(Table, Program.__table__),
    orders={"CODE": "code"},
    dimensions={"code": "code", "category": "category"},
    states=tuple(ProgramState),
    tie=("code", "version"),
)


async def programs_by_version(
    reader: Reader, versions: Sequence[tuple[str, int]], columns: Sequence[str]
) -> list[Record | None]:
    """The programs with these (code, version) pairs, in their order; None where there is none."""
    query = _by_version(tuple(dict.fromkeys(["code", "version", *columns])))
    values = {
        "codes": list({code for code, _ in versions}),
        "versions": list({version for _, version in versions}),
    }
    rows = await reader.fetch(query, values, record_class(PROGRAMS.table))
    found = {(row["code"], row["version"]): row for row in rows}
    return [found.get(version) for version in versions]


async def programs_by_id(
    reader: Reader, ids: Sequence[HexId], columns: Sequence[str]
) -> list[Record | None]:
    """The program versions with these ids, in their order; None where there is none."""
    query = _by_id(tuple(dict.fromkeys(["id", *columns])))
    rows = await reader.fetch(query, {"ids": id_array(ids)}, record_class(PROGRAMS.table))
    found = {row["id"]: row for row in rows}
    return [found.get(own) for own in ids]


async def latest_program(reader: Reader, code: str, columns: Sequence[str]) -> Record | None:
    """The latest version of a program, whatever its state."""
    rows = await reader.fetch(
        _latest_of_code(tuple(columns)), {"code": code}, record_class(PROGRAMS.table)
    )
    return rows[0] if rows else None


@lru_cache(maxsize=256)
def _by_version(columns: tuple[str, ...]) -> Query:
    table = PROGRAMS.table
    where = [is_any(table.c.code, "codes"), is_any(table.c.version, "versions")]
    return compile_query(select(*(table.c[name] for name in columns)).where(*where))


@lru_cache(maxsize=256)
def _by_id(columns: tuple[str, ...]) -> Query:
    table = PROGRAMS.table
    return compile_query(
        select(*(table.c[name] for name in columns)).where(is_any_id(table.c.id, "ids"))
    )


@lru_cache(maxsize=256)
def _latest_of_code(columns: tuple[str, ...]) -> Query:
    table = PROGRAMS.table
    statement = select(*(table.c[name] for name in dict.fromkeys(["code", "version", *columns])))
    statement = statement.where(table.c.code == bindparam("code"))
    return compile_query(statement.order_by(table.c.version.desc()).limit(_ONE))
