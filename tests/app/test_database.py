"""The store's URL and its pools: which PostgreSQL is meant, and what is said where it is not."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database, DatabaseUrlInvalid, owner_url, reason, role_password


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"]
)
def test_every_name_of_postgresql_will_do(scheme: str) -> None:
    url = owner_url(f"{scheme}://ada:p%40ss@db.example:6432/shop")
    assert url.drivername == "postgresql+asyncpg"
    assert (url.username, url.password, url.host, url.port) == ("ada", "p@ss", "db.example", 6432)


def test_libpqs_word_for_encryption_is_understood() -> None:
    url = owner_url("postgresql://ada@db.example/shop?sslmode=require")
    assert dict(url.query) == {"ssl": "require"}


@pytest.mark.parametrize("option", ["user", "password", "application_name", "options", "timeout"])
def test_an_option_that_would_take_the_place_of_our_own_is_refused(option: str) -> None:
    """With a `user` behind the `?`, every pool would log in as the owner, past row security."""
    with pytest.raises(DatabaseUrlInvalid, match=f"does not take: {option}"):
        owner_url(f"postgresql://ada@db.example/shop?{option}=swordfish")


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://ada:swordfish@host/x", "sqlite:///x", "postgresql://[::1"]
)
def test_what_is_no_postgresql_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid) as refused:
        owner_url(url)
    assert "RECOURSE_DATABASE_URL" in str(refused.value)
    assert "swordfish" not in str(refused.value)


def test_the_roles_password_follows_from_the_owners() -> None:
    first = role_password(owner_url("postgresql://ada:one@host/x"))
    assert first is not None
    assert len(first) == 64
    assert first == role_password(owner_url("postgresql://eve:one@elsewhere/y"))
    assert first != role_password(owner_url("postgresql://ada:two@host/x"))
    assert role_password(owner_url("postgresql://ada@host/x")) is None


async def test_a_reason_is_one_line_without_the_statement(owner_engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with owner_engine.connect() as connection:
            await connection.execute(text("SELECT secret\nFROM nowhere"))
    assert reason(refused.value) == 'relation "nowhere" does not exist'
    assert reason(TimeoutError()) == "TimeoutError"


async def test_a_connection_that_postgresql_has_closed_is_not_handed_out(
    database_url: str, owner_engine: AsyncEngine
) -> None:
    database = Database.connect(database_url, pool_size=1)
    try:
        async with database.staff.connect() as connection:
            before = await connection.scalar(text("SELECT pg_backend_pid()"))
        async with owner_engine.connect() as connection:
            statement = text("SELECT pg_terminate_backend(:pid, 5000)")
            assert await connection.scalar(statement, {"pid": before})
        for _ in range(2):
            async with database.staff.connect() as connection:
                assert await connection.scalar(text("SELECT pg_backend_pid()")) != before
    finally:
        await database.close()
