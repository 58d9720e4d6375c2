"""Reads: statements that SQLAlchemy compiles once and the driver fetches on one snapshot.

SQLAlchemy's execution layer costs about 80 microseconds a statement and 0.3 a row, so reads go past
it: `compile_query` makes SQL and the order of its parameters, a `Reader` runs it on the driver's
connection and gives records, tuples in C with the columns as attributes.
"""

import asyncio
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Select, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.actor import Actor
from models.session import settings_sql

_DIALECT = asyncpg_dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
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

    def __init__(self, engine: AsyncEngine, actor: Actor) -> None:
        self._engine = engine
        self.actor = actor
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._turn = asyncio.Lock()
        self._under_way = 0
        self.statements = 0

    async def fetch(self, query: Query, values: Mapping[str, Any], record: type[R]) -> list[R]:
        """The rows of the query, as records; `values` holds every parameter by name."""
        arguments = [values[name] for name in query.parameters]
        self._under_way += 1
        try:
            async with self._turn:
                driver = self._driver or await self._begin()
                self.statements += 1
                if query.varied:
                    await driver.execute(PLAN_ANEW)
                rows: list[R] = await driver.fetch(query.sql, *arguments, record_class=record)
        finally:
            self._under_way -= 1
        if self._under_way:
            # The next statement goes out before anyone works on these rows: PostgreSQL works too.
            await asyncio.sleep(0)
        return rows

    async def refresh(self) -> None:
        """End the snapshot; the next read sees what has been committed until then."""
        async with self._turn:
            await self._end()

    async def close(self) -> None:
        """End the snapshot and give the connection back."""
        await self.refresh()

    async def _begin(self) -> Any:
        self._connection = await self._engine.connect()
        pooled = await self._connection.get_raw_connection()
        driver = pooled.driver_connection
        assert driver is not None
        settings = settings_sql(self.actor.platform_id, self.actor.account_id)
        try:
            # One round trip: the simple protocol takes several statements at once.
            await driver.execute(f"{SNAPSHOT}; {settings}")
        except BaseException:
            # Nobody knows whether a transaction has begun.
            connection, self._connection = self._connection, None
            await connection.invalidate()
            await connection.close()
            raise
        self._driver = driver
        return driver

    async def _end(self) -> None:
        connection, driver = self._connection, self._driver
        self._connection = self._driver = None
        if connection is None:
            return
        try:
            if driver is not None and not driver.is_closed():
                await driver.execute("ROLLBACK")
        except BaseException:
            # A connection in an unknown state must not go back to the pool.
            await connection.invalidate()
            raise
        finally:
            await connection.close()
