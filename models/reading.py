"""Reads: statements that SQLAlchemy compiles once and the driver fetches on one snapshot.

SQLAlchemy's execution layer costs about 80 microseconds a statement and 0.3 a row, so reads go past
it: `compile_query` makes SQL and the order of its parameters, a `Reader` runs it on the driver's
connection and gives records, tuples in C with the columns as attributes. UUIDs in them are `HexId`.
"""

import asyncio
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Select, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from models.actor import Actor
from models.read_pool import ReadPool
from models.session import settings_sql

_DIALECT = asyncpg_dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# The first query takes the snapshot: this one does, at once.
SNAPSHOT = "SELECT 1"
# What the driver says of a connection that has gone, and of one that is just going.
CUT_OFF = (asyncpg.InterfaceError, asyncpg.InternalClientError)
PLAN_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan"


class Record(asyncpg.Record):
    """A row as the driver makes it; subclasses give its columns as attributes."""

    __slots__ = ()


R = TypeVar("R", bound=Record)


class Query:
    """A compiled statement: its SQL, and its parameters' names in the order of `$1`, `$2`...

    The best plan of a `varied` one differs from value to value: it is planned anew each time.
    """

    __slots__ = ("parameters", "sql", "varied")

    def __init__(self, sql: str, parameters: tuple[str, ...], varied: bool = False) -> None:
        self.sql = sql
        self.parameters = parameters
        self.varied = varied


def record_of(table: Table, *more: str) -> type[Record]:
    """The record class of a table: one attribute per column, and per name in `more`."""
    names = [*(column.name for column in table.columns), *more]
    attributes = {name: property(itemgetter(name)) for name in names}
    return type(f"{table.name.title()}Record", (Record,), {"__slots__": (), **attributes})


def compile_query(statement: Select[Any], varied: bool = False) -> Query:
    """The SQL of a statement whose every parameter is a `bindparam`, and their order."""
    compiled = statement.compile(dialect=_DIALECT)
    names = tuple(compiled.positiontup or ())
    if any(compiled.binds[name].value is not None for name in names):
        raise ValueError("Bind every value by name: a constant would be lost.")
    return Query(str(compiled), names, varied)


class Reader:
    """One snapshot of the store as one actor sees it, on one connection taken when first used.

    Statements of one reader run one after another. `refresh` ends the snapshot; the next read
    begins a new one, so that what a mutation wrote is seen.
    """

    def __init__(self, pool: ReadPool, actor: Actor) -> None:
        self._pool = pool
        self.actor = actor
        self._connection: Any = None
        self._turn = asyncio.Lock()
        self._under_way = 0
        self._failed: Exception | None = None
        self._closed = False
        self.statements = 0

    async def fetch(self, query: Query, values: Mapping[str, Any], record: type[R]) -> list[R]:
        """The rows of the query, as records; `values` holds every parameter by name.

        A statement that fails ends the snapshot: what is asked of it afterwards fails likewise.
        """
        arguments = [values[name] for name in query.parameters]
        self._under_way += 1
        try:
            async with self._turn:
                rows = await self._answer(query, arguments, record)
        finally:
            self._under_way -= 1
        if self._under_way:
            # The next statement goes out before anyone works on these rows: PostgreSQL works too.
            await asyncio.sleep(0)
        return rows

    async def _answer(self, query: Query, arguments: list[Any], record: type[R]) -> list[R]:
        if self._closed:
            raise RuntimeError("The request that this reader reads for has been answered.")
        if self._failed is not None:
            raise self._failed
        try:
            connection = self._connection or await self._begin()
            self.statements += 1
            if query.varied:
                await connection.execute(PLAN_ANEW)
            rows: list[R] = await connection.fetch(query.sql, *arguments, record_class=record)
        except Exception as error:
            self._failed = error
            raise
        return rows

    async def begin(self) -> None:
        """Take the snapshot now; where that fails, whatever is read fails likewise."""
        async with self._turn:
            if self._connection is None and self._failed is None:
                try:
                    await self._begin()
                except Exception as error:
                    self._failed = error

    async def refresh(self) -> None:
        """End the snapshot; the next read sees what has been committed until then."""
        async with self._turn:
            await self._end()

    async def close(self) -> None:
        """End the snapshot and give the connection back; nothing can be read any more."""
        self._closed = True
        await self.refresh()

    async def _begin(self) -> Any:
        connection = await self._pool.acquire()
        settings = settings_sql(self.actor.platform_id, self.actor.account_id)
        try:
            # One round trip: the simple protocol takes several statements at once.
            await connection.execute(f"{BEGIN}; {settings}; {SNAPSHOT}")
        except BaseException:
            # Nobody knows whether a transaction has begun.
            self._pool.discard(connection)
            raise
        self._connection = connection
        return connection

    async def _end(self) -> None:
        connection, self._connection = self._connection, None
        self._failed = None
        if connection is None:
            return
        try:
            await connection.execute("ROLLBACK")
        except Exception:
            # Whatever it was, what has been read has been read, and this connection ends here.
            self._pool.discard(connection)
        except BaseException:
            # A connection in an unknown state must not go back to the pool.
            self._pool.discard(connection)
            raise
        else:
            await self._pool.release(connection)
