"""Transactions in the caller's name: row security reads the caller from the session's settings.

The settings are plain `SET LOCAL`, which a sharded PostgreSQL passes on, where `set_config()` is
not. They hold nothing but UUIDs, written by `uuid.UUID`.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.actor import Actor
from models.authorisation import READERS

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
# Of roles that change nothing: PostgreSQL itself refuses what would, whatever the operation.
BEGIN_TO_READ = f"{BEGIN} READ ONLY"
# What PostgreSQL says of the lock's statement where it has found the account.
LOCKED = "SELECT 1"
# SQLAlchemy sends neither BEGIN nor COMMIT: `transaction` does, with more in the same message.
_BY_HAND = {"isolation_level": "AUTOCOMMIT"}
_DRIVER = "driver"


def settings_sql(platform_id: uuid.UUID | None, account_id: uuid.UUID | None) -> str:
    """The statements that tell row security who is asking; for inside a transaction."""
    statements = []
    if platform_id is not None:
        statements.append(f"SET LOCAL recourse.platform_id = '{uuid.UUID(str(platform_id))}'")
    if account_id is not None:
        statements.append(f"SET LOCAL recourse.account_id = '{uuid.UUID(str(account_id))}'")
    return "; ".join(statements)


def lock_sql(platform_id: uuid.UUID, account_id: uuid.UUID) -> str:
    """The statement that locks an account's row, and reads nothing of it."""
    # UUIDs, written by `uuid.UUID`.
    return (
        f"SELECT FROM accounts WHERE account_id = '{uuid.UUID(str(account_id))}' "
        f"AND platform_id = '{uuid.UUID(str(platform_id))}' FOR UPDATE"
    )


def driver_of(session: AsyncSession) -> Any:
    """The driver's connection under the session's `transaction`."""
    return session.info[_DRIVER]


@asynccontextmanager
async def transaction(session: AsyncSession, actor: Actor, first: str = "") -> AsyncIterator[str]:
    """One READ COMMITTED transaction in the actor's name; commits at the end, or not at all.

    Of a role that changes nothing it is read only. `first` is its first statement, if that takes no
    parameters: it goes out with BEGIN and the settings, in one message of the simple protocol.
    Gives what PostgreSQL said of it.
    """
    opening = [
        BEGIN_TO_READ if actor.role in READERS else BEGIN,
        settings_sql(actor.platform_id, actor.account_id),
        *([first] if first else []),
    ]
    async with session.begin():
        connection = await session.connection(execution_options=_BY_HAND)
        driver: Any = (await connection.get_raw_connection()).driver_connection
        session.info[_DRIVER] = driver
        try:
            yield await driver.execute("; ".join(filter(None, opening)))
            if session.new or session.dirty or session.deleted:
                await session.flush()
            await driver.execute("COMMIT")
        except BaseException:
            await _roll_back(connection, driver)
            raise


async def _roll_back(connection: AsyncConnection, driver: Any) -> None:
    if driver.is_closed():
        return
    try:
        await driver.execute("ROLLBACK")
    except BaseException:
        # A connection in an unknown state must not go back to the pool.
        await connection.invalidate()
        raise
