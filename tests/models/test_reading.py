"""Readers: one snapshot on one connection, which comes back clean whatever happens meanwhile."""

import asyncio
import uuid
from contextlib import suppress

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database
from models.actor import Actor, Role
from models.aggregate import Account
from models.reading import Query, Reader, Record, compile_query

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
        reading = asyncio.create_task(read(Reader(database.staff, ACTOR)))
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
    reader = Reader(database.staff, ACTOR)
    try:
        given = {"country": "DE"}
        rows = await asyncio.gather(*(reader.fetch(accounts(), given, Record) for _ in range(3)))
        assert rows == [[], [], []]
        assert reader.statements == 3
    finally:
        await reader.close()
