"""The doctor: what is well, what is not, and what to do about it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database
from app.doctor import examine
from app.embedded import EmbeddedPostgres
from app.store import Store


@pytest.fixture
async def store(database_url: str, database: Database) -> Store:
    """The store of this module, migrated."""
    return Store(database_url, database)


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[Store]:
    """A store that no migration has touched."""
    url = postgres.create_database("doctor_empty")
    database = Database.connect(url)
    yield Store(url, database)
    await database.close()
    postgres.drop_database("doctor_empty")


async def test_a_good_store_is_well(store: Store) -> None:
    found = await examine(store)
    assert all(one.well for one in found)
    words = "\n".join(one.what for one in found)
    assert "PostgreSQL 18" in words
    assert "all migrations have run" in words
    for role in ("recourse_staff", "recourse_account_user", "recourse_worker"):
        assert f"the role {role} logs in" in words


async def test_missing_migrations_are_named_with_their_mend(empty: Store) -> None:
    [_, missing] = await examine(empty)
    assert not missing.well
    assert "0001, 0002" in missing.what
    assert "recourse migrate" in missing.what
    await empty.migrate()
    assert all(one.well for one in await examine(empty))


async def test_a_role_that_can_not_log_in_is_named(
    database_url: str, owner_engine: AsyncEngine
) -> None:
    # In a database of one's own the right to connect is what can be taken away.
    name = text("SELECT current_database()")
    async with owner_engine.begin() as connection:
        database_name = await connection.scalar(name)
        await connection.execute(text(f'REVOKE CONNECT ON DATABASE "{database_name}" FROM PUBLIC'))
    try:
        database = Database.connect(database_url)
        found = await examine(Store(database_url, database))
        await database.close()
    finally:
        async with owner_engine.begin() as connection:
            await connection.execute(text(f'GRANT CONNECT ON DATABASE "{database_name}" TO PUBLIC'))
    wrong = [one.what for one in found if not one.well]
    assert len(wrong) == 3
    assert all("can't log in" in what for what in wrong)
