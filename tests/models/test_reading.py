"""Readers: one snapshot on one connection, which comes back clean whatever happens meanwhile."""

import asyncio
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database
from models.actor import Actor, Role
from models.aggregate import Account
from models.ids import hex_id, id_array
from models.reading import CUT_OFF, Query, Reader, Record, compile_query

ACTOR = Actor(role=Role.REVIEWER, id="amara", platform_id=uuid.uuid4(), scopes=frozenset())
IDLE = text(
    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
    "AND usename = 'recourse_staff' AND datname = current_database()"
)


def accounts() -> Query:
    wanted = Account.country == bindparam("country")
    return compile_query(select(Account.account_id).where(wanted))


async def read(reader: Reader) -> None:
    try:
        await reader.fetch(accounts(), {"country": "DE"}, Record)
    finally:
        await reader.close()


@pytest.mark.parametrize("turns", range(8))
async def test_a_read_that_is_cancelled_leaves_no_transaction_behind(
    database: Database, owner_engine: AsyncEngine, turns: int
) -> None:
    for _ in range(5):
        reading = asyncio.create_task(read(Reader(database.read_pool_for(ACTOR), ACTOR)))
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    async with owner_engine.connect() as connection:
        assert await connection.scalar(IDLE) == 0
    async with database.staff.begin() as connection:
        assert await connection.scalar(text("SHOW transaction_read_only")) == "off"


async def test_statements_wait_for_their_turn(database: Database) -> None:
    reader = Reader(database.read_pool_for(ACTOR), ACTOR)
    try:
        given = {"country": "DE"}
        rows = await asyncio.gather(*(reader.fetch(accounts(), given, Record) for _ in range(3)))
        assert rows == [[], [], []]
        assert reader.statements == 3
    finally:
        await reader.close()


async def test_ids_are_read_as_hex_digits_and_asked_for_in_either_form(database: Database) -> None:
    pool, own = database.read_pool_for(ACTOR), uuid.uuid4()
    connection = await pool.acquire()
    try:
        for given in (own, hex_id(own)):
            assert await connection.fetchval("SELECT $1::uuid", given) == own.hex
            assert await connection.fetchval("SELECT $1::uuid[]", [given, given]) == [own.hex] * 2
        asked = id_array([hex_id(own), hex_id(own)])
        assert await connection.fetchval("SELECT $1::text::uuid[]", asked) == [own.hex]
    finally:
        await pool.release(connection)


@pytest.mark.parametrize("sql", ["json", "jsonb"])
async def test_json_is_read_as_what_it_says(database: Database, sql: str) -> None:
    pool, value = database.read_pool_for(ACTOR), {"a": [1, None, "ü"]}
    connection = await pool.acquire()
    try:
        assert await connection.fetchval(f"SELECT $1::{sql}", value) == value
        assert await connection.fetchval(f"SELECT null::{sql}") is None
    finally:
        await pool.release(connection)


async def test_who_finds_no_connection_free_waits_so_long_and_no_longer(database_url: str) -> None:
    database = Database.connect(database_url, pool_size=1, lock_timeout_seconds=1)
    first, second = (Reader(database.read_pool_for(ACTOR), ACTOR) for _ in range(2))
    try:
        await first.fetch(accounts(), {"country": "DE"}, Record)
        with pytest.raises(TimeoutError):
            await second.fetch(accounts(), {"country": "DE"}, Record)
        await first.close()
        await second.refresh()
        assert await second.fetch(accounts(), {"country": "DE"}, Record) == []
    finally:
        await second.close()
        await database.close()


async def reached(errors: tuple[type[Exception], ...], read: Coroutine[Any, Any, Any]) -> bool:
    """Whether the store has answered, rather than raised one of the errors."""
    try:
        await read
    except errors:
        return False
    return True


async def test_a_connection_that_was_cut_off_is_replaced(
    database_url: str, owner_engine: AsyncEngine
) -> None:
    database = Database.connect(database_url, pool_size=1)
    pool = database.read_pool_for(ACTOR)
    try:
        reader = Reader(pool, ACTOR)
        await reader.fetch(accounts(), {"country": "DE"}, Record)
        backend = await reader._connection.fetchval("SELECT pg_backend_pid()")
        async with owner_engine.connect() as owner:
            await owner.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        # Until the driver hears of it, a statement may yet be answered.
        gone = (asyncpg.PostgresError, *CUT_OFF)
        while await reached(gone, reader.fetch(accounts(), {"country": "DE"}, Record)):
            pass
        await reader.close()
        await read(Reader(pool, ACTOR))
    finally:
        await database.close()


async def test_a_pool_that_closes_ends_what_does_not_come_back(database_url: str) -> None:
    database = Database.connect(database_url, pool_size=1, lock_timeout_seconds=1)
    reader = Reader(database.read_pool_for(ACTOR), ACTOR)
    await reader.fetch(accounts(), {"country": "DE"}, Record)
    await database.close()
    with pytest.raises(CUT_OFF):
        await reader.fetch(accounts(), {"country": "DE"}, Record)
    await reader.close()


async def test_a_statement_that_fails_ends_its_snapshot_and_the_next_has_another(
    database: Database,
) -> None:
    reader = Reader(database.read_pool_for(ACTOR), ACTOR)
    wrong = Query("SELECT 1 / $1::int AS one", ("divisor",))
    try:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await reader.fetch(wrong, {"divisor": 0}, Record)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await reader.fetch(accounts(), {"country": "DE"}, Record)
        await reader.refresh()
        assert await reader.fetch(accounts(), {"country": "DE"}, Record) == []
    finally:
        await reader.close()


async def test_a_reader_that_is_closed_takes_no_connection_any_more(database_url: str) -> None:
    database = Database.connect(database_url, pool_size=1, lock_timeout_seconds=1)
    pool = database.read_pool_for(ACTOR)
    try:
        late = Reader(pool, ACTOR)
        await read(late)
        with pytest.raises(RuntimeError, match="answered"):
            await late.fetch(accounts(), {"country": "DE"}, Record)
        await read(Reader(pool, ACTOR))
    finally:
        await database.close()


async def test_what_has_been_read_stays_read_where_the_connection_goes_at_the_end(
    database_url: str, owner_engine: AsyncEngine
) -> None:
    database = Database.connect(database_url, pool_size=1)
    try:
        for _ in range(20):
            reader = Reader(database.read_pool_for(ACTOR), ACTOR)
            assert await reader.fetch(accounts(), {"country": "DE"}, Record) == []
            backend = await reader._connection.fetchval("SELECT pg_backend_pid()")
            async with owner_engine.connect() as owner:
                await owner.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
            await reader.close()
    finally:
        await database.close()
