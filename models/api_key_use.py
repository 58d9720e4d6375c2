"""The use of API keys: what is known of one when a request comes with it.

All of it needs the worker's role: staff's may not read hashes, and the caller is not known yet.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.actor import Actor, Role
from models.api_key import SERVICE, ApiKey, ApiKeyState

# The last use is written once in so long.
USE_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class KnownKey:
    """A key as the store has it."""

    platform_id: uuid.UUID
    id: uuid.UUID
    hash: str
    actor: Actor
    expires_at: datetime | None
    is_revoked: bool

    def is_good_at(self, now: datetime) -> bool:
        """Whether it may be used. What is revoked is so whatever a lagging clock says."""
        return not self.is_revoked and (self.expires_at is None or now < self.expires_at)


async def find_key(
    connection: AsyncConnection, platform_id: uuid.UUID, own: uuid.UUID
) -> KnownKey | None:
    """The key with this id, whatever its state; None where there is none."""
    query = select(
        *(ApiKey.hash, ApiKey.service_id, ApiKey.name, ApiKey.role, ApiKey.scopes),
        *(ApiKey.state, ApiKey.expires_at),
    ).where(ApiKey.platform_id == platform_id, ApiKey.id == own)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    actor = Actor(
        role=Role(row.role),
        id=f"{SERVICE}{row.service_id}",
        platform_id=platform_id,
        name=row.name,
        scopes=frozenset(row.scopes),
    )
    is_revoked = row.state == ApiKeyState.REVOKED
    return KnownKey(platform_id, own, row.hash, actor, row.expires_at, is_revoked)


async def note_use(connection: AsyncConnection, key: KnownKey, now: datetime) -> None:
    """Write that the key was used, unless that is known to the minute; in a transaction begun."""
    await connection.execute(
        update(ApiKey)
        .where(
            ApiKey.platform_id == key.platform_id,
            ApiKey.id == key.id,
            or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - USE_RESOLUTION),
        )
        .values(last_used_at=now)
    )
