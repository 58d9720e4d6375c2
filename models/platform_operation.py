"""What operations on no account share: the platform's lock, and idempotency under it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.errors import NotFound
from models.idempotency import PlatformIdempotencyKey, check_same_request
from models.idempotency import request_hash as hash_of
from models.platform import Platform

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


async def lock_platform(
    session: AsyncSession, actor: Actor, operation: str, command: "DataclassInstance"
) -> Mapping[str, Any] | None:
    """Lock the platform, so that its operations come one after another.

    Gives what `remember` kept where the command's idempotency key was used before, for the same.
    """
    locked = await session.scalar(
        select(Platform.id).where(Platform.id == actor.platform_id).with_for_update()
    )
    if locked is None:
        raise NotFound("platform", ())
    key = _key_of(command)
    if key is None:
        return None
    known = await session.get(PlatformIdempotencyKey, (actor.platform_id, actor.caller, key))
    if known is None:
        return None
    check_same_request(known, hash_of(operation, command))
    return known.result


def remember(
    session: AsyncSession,
    actor: Actor,
    operation: str,
    command: "DataclassInstance",
    result: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keep `result` for those who send the command once more, if it has an idempotency key."""
    key = _key_of(command)
    if key is None:
        return
    session.add(
        PlatformIdempotencyKey(
            platform_id=actor.platform_id,
            caller=actor.caller,
            key=key,
            request_hash=hash_of(operation, command),
            result=dict(result),
            created_at=now,
        )
    )


def _key_of(command: "DataclassInstance") -> str | None:
    key: str | None = vars(command)["idempotency_key"]
    return key
