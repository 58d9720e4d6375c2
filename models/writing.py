"""An account's rows in two round trips: one statement reads them, one writes what has changed.

The mapper would send a statement per table and kind of change. Here rows travel as JSON, so that
several tables fit into one answer, and any number of rows into one parameter.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

import asyncpg
import orjson
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Table,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    insert,
    inspect,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, make_transient_to_detached
from sqlalchemy.orm.exc import StaleDataError

from models.base import STAFF_ONLY, Base
from models.reading import Query, compile_query
from models.session import driver_of

Values = Mapping[str, Any]
Decode = Callable[[Any], Any]
# The version that a row had when it was read, beside the columns of its table.
READ_VERSION = "read_version"
_ONE: ColumnElement[int] = literal_column("1")


class Change(NamedTuple):
    """One part of a write: which columns of which table, and by what kind of statement."""

    table: str
    kind: str
    columns: tuple[str, ...]


class Loaded(NamedTuple):
    """How rows of one table come: what they become, their columns and what decodes them."""

    mapper: Mapper[Any]
    columns: tuple[str, ...]
    decoders: tuple[Decode | None, ...]


def part(table: Table, staff: bool, *where: ColumnElement[bool]) -> Select[Any]:
    """One part of what `read_rows` reads: rows with the columns that the role may read."""
    columns = [table.c[name] for name in _loaded(table.name, staff).columns]
    name: ColumnElement[str] = literal_column(f"'{table.name}'")
    return select(name, func.json_build_array(*columns)).where(*where)


async def read_rows(
    session: AsyncSession, query: Query, values: Values, staff: bool
) -> dict[str, list[Any]]:
    """The objects that a UNION ALL of parts finds, by their tables; the session knows them."""
    # What the session has read before was not under this lock.
    session.expunge_all()
    driver = driver_of(session)
    found: dict[str, list[Any]] = {}
    for name, row in await driver.fetch(query.sql, *(values[p] for p in query.parameters)):
        found.setdefault(name, []).append(_object(_loaded(name, staff), row))
    for made in found.values():
        session.add_all(made)
    return found


def as_read(session: AsyncSession, kind: type[Base], **columns: Any) -> Base:
    """A row that need not be read to be changed: its key, and what the columns to change hold.

    Where the store holds no such row, the write fails.
    """
    made: Base = cast(Mapper[Any], inspect(kind)).class_manager.new_instance()
    vars(made).update(columns)
    make_transient_to_detached(made)
    session.add(made)
    return made


async def write_rows(
    session: AsyncSession,
    account_id: uuid.UUID,
    added: Iterable[Base],
    new: Mapping[str, Sequence[Values]],
) -> None:
    """Write what is added, the columns in `new` by table, and what the session's rows became.

    An update is conditional on the version that was read. The session lets go of its rows.
    """
    rows = {**_updates(session), **_deletes(session), **_inserts(added, new)}
    session.expunge_all()
    if not rows:
        return
    changes = tuple(sorted(rows))
    query = _statement(changes)
    values: dict[str, Any] = {"account": account_id}
    values |= {_given(n): _json(rows[change]) for n, change in enumerate(changes)}
    try:
        done = await driver_of(session).fetchrow(query.sql, *(values[p] for p in query.parameters))
    except asyncpg.IntegrityConstraintViolationError as error:
        # By the names that SQLAlchemy has for them, and without the values.
        raise IntegrityError(query.sql, None, error) from error
    except asyncpg.DataError as error:
        raise DataError(query.sql, None, error) from error
    if list(done[1:]) != [len(rows[c]) for c in changes if c.kind != "insert"]:
        raise StaleDataError("A row is not as it was read, though its account was locked.")


def _inserts(
    added: Iterable[Base], new: Mapping[str, Sequence[Values]]
) -> dict[Change, Sequence[Values]]:
    found: dict[str, list[Values]] = {name: list(rows) for name, rows in new.items() if rows}
    for row in added:
        found.setdefault(row.__tablename__, []).append(_columns_of(row))
    return {Change(name, "insert", _stored(name)): rows for name, rows in found.items()}


def _updates(session: AsyncSession) -> dict[Change, Sequence[Values]]:
    changed: dict[str, dict[Base, dict[str, Any]]] = {}
    for row in session.dirty:
        before = inspect(row).committed_state
        if real := {name: was for name, was in before.items() if vars(row)[name] != was}:
            changed.setdefault(row.__tablename__, {})[row] = real
    return dict(_update(name, rows) for name, rows in changed.items())


def _update(name: str, rows: Mapping[Base, Mapping[str, Any]]) -> tuple[Change, Sequence[Values]]:
    columns = sorted({column for changed in rows.values() for column in changed})
    sent = [*_own_key(name), *columns]
    values = [
        {
            **{column: vars(row)[column] for column in sent},
            READ_VERSION: changed.get("version", vars(row).get("version")),
        }
        for row, changed in rows.items()
    ]
    return Change(name, "update", tuple(columns)), values


def _deletes(session: AsyncSession) -> dict[Change, Sequence[Values]]:
    found: dict[str, list[Values]] = {}
    for row in session.deleted:
        found.setdefault(row.__tablename__, []).append(_columns_of(row))
    return {Change(name, "delete", ()): rows for name, rows in found.items()}


def _columns_of(row: Base) -> Values:
    return {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}


def _json(rows: Sequence[Values]) -> str:
    return orjson.dumps(rows, default=_plain).decode()


def _plain(value: object) -> str:
    """The driver's ids are of a class of its own."""
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"No JSON for {type(value)}")


def _object(loaded: Loaded, row: Sequence[Any]) -> Base:
    made: Base = loaded.mapper.class_manager.new_instance()
    vars(made).update(
        (name, value if value is None or decode is None else decode(value))
        for name, decode, value in zip(loaded.columns, loaded.decoders, row, strict=True)
    )
    make_transient_to_detached(made)
    return made


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _ids(texts: Iterable[str]) -> list[uuid.UUID]:
    return [uuid.UUID(text) for text in texts]


def _decoder(kind: Any) -> Decode | None:
    if isinstance(kind, Uuid):
        return uuid.UUID
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, Uuid):
        return _ids
    return _instant if isinstance(kind, DateTime) else None


@lru_cache(maxsize=64)
def _loaded(name: str, staff: bool) -> Loaded:
    mapper = _mapper(name)
    columns = [
        attribute.columns[0]
        for attribute in mapper.column_attrs
        if attribute.columns[0].name in _stored(name) and (staff or attribute.group != STAFF_ONLY)
    ]
    names = tuple(column.name for column in columns)
    return Loaded(mapper, names, tuple(_decoder(column.type) for column in columns))


@lru_cache(maxsize=64)
def _mapper(name: str) -> Mapper[Any]:
    return next(m for m in Base.registry.mappers if cast(Table, m.local_table).name == name)


@lru_cache(maxsize=64)
def _stored(name: str) -> tuple[str, ...]:
    """The table's columns, but for those that PostgreSQL computes."""
    return tuple(c.name for c in Base.metadata.tables[name].columns if c.computed is None)


@lru_cache(maxsize=64)
def _own_key(name: str) -> tuple[str, ...]:
    """The columns of the key beside the account."""
    key = Base.metadata.tables[name].primary_key.columns
    return tuple(column.name for column in key if column.name != "account_id")


def _given(number: int) -> str:
    return f"rows_{number}"


@lru_cache(maxsize=1_000)
def _statement(changes: tuple[Change, ...]) -> Query:
    """All changes at once; gives 1, then how many rows each update and deletion has found.

    Since these are counted, PostgreSQL makes them before it inserts: a key that one row gives up
    is free for another.
    """
    statement: Select[Any] = select(_ONE)
    for number, change in enumerate(changes):
        made = _part(change, _given(number)).cte(f"change_{number}")
        if change.kind == "insert":
            statement = statement.add_cte(made)
        else:
            counted = select(func.count()).select_from(made)
            statement = statement.add_columns(counted.scalar_subquery())
    return compile_query(statement)


def _part(change: Change, name: str) -> Any:
    table = Base.metadata.tables[change.table]
    if change.kind == "insert":
        given = _recordset(table, change.columns, name)
        rows = select(*(given.c[column] for column in change.columns))
        return insert(table).from_select(change.columns, rows)
    own_key = _own_key(change.table)
    given = _recordset(table, (*own_key, *change.columns), name)
    same = [table.c[column] == given.c[column] for column in own_key]
    mine = table.c.account_id == bindparam("account")
    if change.kind == "delete":
        return delete(table).where(mine, *same).returning(_ONE)
    if "version" in table.c:
        same.append(table.c.version == given.c[READ_VERSION])
    values = {column: given.c[column] for column in change.columns}
    return update(table).values(values).where(mine, *same).returning(_ONE)


def _recordset(table: Table, columns: Iterable[str], name: str) -> Any:
    """The rows of the parameter `name`, with the types of the table's columns."""
    typed = [column(each, table.c[each].type) for each in columns]
    if "version" in table.c:
        typed.append(column(READ_VERSION, table.c.version.type))
    rows = func.json_to_recordset(bindparam(name, type_=JSON))
    return rows.table_valued(*typed, name=f"given_{name}").render_derived(with_types=True)
