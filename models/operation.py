"""The way of every operation on an account, and of the clock.

`operate` is that way: one transaction that locks the account, plays back a known idempotency key,
lets the clock catch up, runs the operation's step, derives the status and writes events, outbox and
key with it.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.actor import Actor
from models.aggregate import Account, AccountCommand, Row, Unit
from models.authorisation import authorise
from models.catching_up import (
    begun,
    catch_up,
    pass_time,
    restrictions,
    tell_holds,
    tell_restrictions,
)
from models.clock import Clock
from models.errors import NotFound
from models.events import outbox_columns
from models.facts import facts_query
from models.idempotency import MAX_KEY_LENGTH, IdempotencyKey, check_same_request, request_hash
from models.outcome import Outcome
from models.session import LOCKED, driver_of, lock_sql, transaction
from models.status import LIVE_STATES
from models.text import check_optional_text
from models.writing import read_rows, write_rows

NOTHING_NAMED: Mapping[str, Any] = {}
Step = Callable[[Unit], Awaitable[Row]]


async def operate(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    operation: str,
    command: AccountCommand,
    kind: type[Row],
    step: Step[Row],
) -> Outcome[Row]:
    """Run one operation on one account as one transaction under the account's lock.

    `step` changes rows of `kind` through the unit and returns the changed one. A known idempotency
    key gives the row that it had changed, as it is now, and `replayed`. Raises `Forbidden` where
    the table of authorisation has no line for the actor, `NotFound` where the account is not the
    actor's, `IdempotencyKeyReused`, and whatever the step raises.
    """
    authorise(actor, operation)
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    first = lock_sql(actor.platform_id, command.account_id)
    async with transaction(session, actor, first) as locked:
        if locked != LOCKED:
            noun, field = command.named
            raise NotFound(noun, (field,))
        return await run_locked(session, actor, clock, operation, command, kind, step)


async def run_locked(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    operation: str,
    command: Any,
    kind: type[Row],
    step: Step[Row],
) -> Outcome[Row]:
    """`operate` within a transaction that has locked the account already."""
    named = dict(command.objects())
    if command.idempotency_key is not None:
        named |= {"caller": actor.caller, "key": command.idempotency_key}
    unit = await read_locked(session, actor, clock, command.account_id, named)
    unit.idempotency_key = command.idempotency_key
    replay = await _replay(unit, operation, command, kind)
    if replay is not None:
        return replay
    await catch_up(unit)
    before = restrictions(unit, unit.now)
    value = await step(unit)
    unit.derive()
    new = begun(unit, before)
    await tell_restrictions(unit, new)
    tell_holds(unit, new)
    _remember(unit, operation, command, value)
    await write(unit)
    return Outcome(value)


async def rederive(
    session: AsyncSession, actor: Actor, clock: Clock, account_id: uuid.UUID
) -> bool:
    """Let time pass for one account; whether its instant had come. Safe to run twice."""
    async with transaction(session, actor, lock_sql(actor.platform_id, account_id)) as locked:
        if locked != LOCKED:
            raise NotFound("account", ("accountId",))
        unit = await read_locked(session, actor, clock, account_id)
        was_due = unit.is_due
        await pass_time(unit)
        await write(unit)
        return was_due


async def lock(session: AsyncSession, actor: Actor, account_id: uuid.UUID) -> None:
    """Lock an account that is there, in a transaction that has done something else before."""
    locked = await driver_of(session).execute(lock_sql(actor.platform_id, account_id))
    if locked != LOCKED:
        raise NotFound("account", ("externalId",))


async def read_locked(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    account_id: uuid.UUID,
    named: Mapping[str, Any] = NOTHING_NAMED,
) -> Unit:
    """Read a locked account, what its status depends on and what is `named`, by one statement.

    Not by the one that locks: that sees what was before it had to wait.
    """
    # Between an operation's reads its rows may contradict each other; they are written at its end.
    session.autoflush = False
    values = {"account": account_id, "platform": actor.platform_id, **named}
    query = facts_query(frozenset(named), actor.is_staff)
    found = await read_rows(session, query, values, actor.is_staff)
    (account,) = found["accounts"]
    return Unit(
        account=account,
        actor=actor,
        # A clock that lags behind the one that derived last must not undo what time has done.
        now=max(clock.now(), account.derived_at),
        session=session,
        capabilities=sorted(found.get("capabilities", ()), key=attrgetter("kind")),
        requirements=sorted(
            (row for row in found.get("requirements", ()) if row.state in LIVE_STATES),
            key=attrgetter("id"),
        ),
        holds=sorted(
            (row for row in found.get("holds", ()) if row.released_at is None), key=attrgetter("id")
        ),
        read=[row for rows in found.values() for row in rows],
    )


async def write(unit: Unit) -> None:
    """Write what has become of the unit's rows, what is new and its events, by one statement."""
    outbox = [outbox_columns(event) for event in unit.events]
    new: dict[str, Sequence[Mapping[str, Any]]] = {"events": unit.events, "outbox": outbox}
    await write_rows(unit.store, unit.account.account_id, unit.added, new)


async def _replay(unit: Unit, operation: str, command: Any, kind: type[Row]) -> Outcome[Row] | None:
    if unit.idempotency_key is None:
        return None
    known = unit.find(IdempotencyKey)
    if known is None:
        return None
    check_same_request(known, request_hash(operation, command))
    row_key = [uuid.UUID(part) for part in known.result["key"]]
    value = await unit.store.get(kind, tuple(row_key) if len(row_key) > 1 else row_key[0])
    assert value is not None
    return Outcome(value, replayed=True)


def _remember(unit: Unit, operation: str, command: Any, value: Any) -> None:
    if unit.idempotency_key is None:
        return
    account = unit.account
    key = [account.account_id] if value is account else [account.account_id, value.id]
    unit.add(
        IdempotencyKey(
            account_id=account.account_id,
            platform_id=account.platform_id,
            caller=unit.actor.caller,
            key=unit.idempotency_key,
            request_hash=request_hash(operation, command),
            result={"key": [str(part) for part in key]},
            created_at=unit.now,
        )
    )


@dataclass(frozen=True)
class DueAccount:
    """An account whose next change has come."""

    account_id: uuid.UUID
    platform_id: uuid.UUID


async def due_accounts(connection: AsyncConnection, now: datetime, limit: int) -> list[DueAccount]:
    """The accounts whose next change is due, the longest due first; nothing is locked."""
    rows = await connection.execute(
        select(Account.account_id, Account.platform_id)
        .where(Account.next_change_at <= now)
        .order_by(Account.next_change_at)
        .limit(limit)
    )
    return [DueAccount(*row) for row in rows]
