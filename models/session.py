"""Transactions in the caller's name: row security reads the caller from the session's settings.

The settings are plain `SET LOCAL`, which a sharded PostgreSQL passes on, where `set_config()` is
not. They hold nothing but UUIDs, written by `uuid.UUID`.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor


def settings_sql(platform_id: uuid.UUID | None, account_id: uuid.UUID | None) -> str:
    """The statements that tell row security who is asking; for inside a transaction."""
    statements = []
    if platform_id is not None:
        statements.append(f"SET LOCAL recourse.platform_id = '{uuid.UUID(str(platform_id))}'")
    if account_id is not None:
        statements.append(f"SET LOCAL recourse.account_id = '{uuid.UUID(str(account_id))}'")
    return "; ".join(statements)


@asynccontextmanager
async def transaction(session: AsyncSession, actor: Actor) -> AsyncIterator[None]:
    """One READ COMMITTED transaction in the actor's name; commits at the end, or not at all."""
    async with session.begin():
        for statement in settings_sql(actor.platform_id, actor.account_id).split("; "):
            await session.execute(text(statement))
        yield
