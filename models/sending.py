"""What becomes of contacts that are due: they go out, and e-mails go to the mail server.

What only has to be seen is out once its transaction has committed: exactly once, however many look.
An e-mail takes three steps: `take` notes the attempt, somebody mails the letter outside of any
transaction, `settle` notes what came of it. Whoever is killed in between leaves an attempt that
another takes up once its lease is over: so an e-mail goes out at least once, and a second copy has
the Message-ID of the first. A notice that comes twice does less harm than one that never came.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.actor import system
from models.aggregate import Unit, operate
from models.clock import Clock
from models.delivery import (
    Failure,
    InteractionCommand,
    Report,
    go_out,
    load,
    note_report,
    schedule_at,
)
from models.events import EventType, SubjectType
from models.interaction import DashboardOnly, Interaction, InteractionChannel, InteractionState
from models.lifecycle import touch
from models.listing import word
from models.text import is_address

# How long whoever takes a letter has to mail it, far longer than any mail server is waited for.
LEASE = timedelta(minutes=5)
# How long after each failure that may pass it is tried again; then somebody has to look.
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
MAX_ATTEMPTS = len(RETRIES) + 1
GAVE_UP = Failure(
    "gave_up", f"It was tried {MAX_ATTEMPTS} times, and nobody knows what came of it."
)
SENDER = "sending"
_IS_SCHEDULED = Interaction.state == word(InteractionState.SCHEDULED)
_IS_MAIL = Interaction.channel == word(InteractionChannel.EMAIL)


@dataclass(frozen=True)
class DueInteraction:
    """A contact that is to go out, or to be mailed."""

    account_id: uuid.UUID
    platform_id: uuid.UUID
    interaction_id: uuid.UUID


@dataclass(frozen=True)
class Letter:
    """An e-mail to be given to a mail server before `until`, when another may take it."""

    due: DueInteraction
    until: datetime
    to: str
    subject: str
    body: str
    # What is enclosed, by name and URI.
    enclosed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Mailed:
    """The mail server has taken it."""


@dataclass(frozen=True)
class Shown:
    """It was not mailed: the dashboard shows it, which is all there is to do."""

    why: DashboardOnly


@dataclass(frozen=True)
class NotMailed:
    """The mail server has not taken it; it may another time where the failure is `passing`."""

    failure: Failure
    passing: bool


Result = Mailed | Shown | NotMailed


async def due_interactions(
    connection: AsyncConnection, now: datetime, limit: int, mail: bool
) -> list[DueInteraction]:
    """What is due of e-mails, or of all else, at most `limit` of a kind; nothing is locked."""
    found = dict.fromkeys(await _fetch(connection, _scheduled(now, mail).limit(limit)))
    if mail:
        found |= dict.fromkeys(await _fetch(connection, _attempts(now).limit(limit)))
    return list(found)


async def take(session: AsyncSession, clock: Clock, due: DueInteraction) -> Letter | None:
    """Let it go out if it is due still; the letter, where there is one to mail now."""
    letters: list[Letter] = []

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        if _may_go_out(unit, row) and (letter := _attempt(unit, row, due)) is not None:
            letters.append(letter)
        return row

    command = InteractionCommand(account_id=due.account_id, interaction_id=due.interaction_id)
    actor = system(due.platform_id, SENDER)
    await operate(session, actor, clock, "interactionTake", command, Interaction, step)
    return letters[0] if letters else None


async def settle(session: AsyncSession, clock: Clock, letter: Letter, result: Result) -> None:
    """Note what came of an attempt, unless it is no longer the present one."""

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        if row.attempt_at == letter.until:
            _note(unit, row, result)
        return row

    due = letter.due
    command = InteractionCommand(account_id=due.account_id, interaction_id=due.interaction_id)
    actor = system(due.platform_id, SENDER)
    await operate(session, actor, clock, "interactionSettle", command, Interaction, step)


def _scheduled(now: datetime, mail: bool) -> Select[uuid.UUID, uuid.UUID, uuid.UUID]:
    kind: ColumnElement[bool] = _IS_MAIL if mail else ~_IS_MAIL
    found = _keys().where(_IS_SCHEDULED, Interaction.scheduled_for <= now, kind)
    return found.order_by(Interaction.scheduled_for)


def _attempts(now: datetime) -> Select[uuid.UUID, uuid.UUID, uuid.UUID]:
    return _keys().where(Interaction.attempt_at <= now).order_by(Interaction.attempt_at)


def _keys() -> Select[uuid.UUID, uuid.UUID, uuid.UUID]:
    return select(Interaction.account_id, Interaction.platform_id, Interaction.id)


async def _fetch(
    connection: AsyncConnection, statement: Select[uuid.UUID, uuid.UUID, uuid.UUID]
) -> Sequence[DueInteraction]:
    return [DueInteraction(*row) for row in await connection.execute(statement)]


def _may_go_out(unit: Unit, row: Interaction) -> bool:
    """Bring what is due to SENT; whether it is a letter to be mailed now."""
    if row.state == InteractionState.SCHEDULED:
        if row.scheduled_for is None or row.scheduled_for > unit.now:
            return False
        go_out(unit, row)
        return row.channel == InteractionChannel.EMAIL
    if row.attempt_at is None or row.attempt_at > unit.now:
        return False
    if row.state == InteractionState.FAILED:
        schedule_at(unit, row, unit.now)
        go_out(unit, row)
    # Whoever has answered or read it in the dashboard needs no e-mail any more.
    if row.state != InteractionState.SENT:
        row.attempt_at = None
    return row.state == InteractionState.SENT


def _attempt(unit: Unit, row: Interaction, due: DueInteraction) -> Letter | None:
    """Note an attempt; the letter, unless it can't be mailed or was tried too often."""
    to = unit.account.email
    if to is None or not is_address(to):
        row.attempt_at = unit.now
        _note(unit, row, Shown(DashboardOnly.NO_ADDRESS))
        return None
    if row.attempts >= MAX_ATTEMPTS:
        note_report(unit, row, Report.FAILED, GAVE_UP)
        return None
    row.attempts += 1
    row.attempt_at = unit.now + LEASE
    enclosed = tuple((one["name"], one["uri"]) for one in row.attachments)
    # What was written before e-mails had to have a subject may have none.
    return Letter(due, row.attempt_at, to, row.subject or "", row.body, enclosed)


def _note(unit: Unit, row: Interaction, result: Result) -> None:
    row.attempt_at = None
    if isinstance(result, NotMailed):
        _note_failure(unit, row, result)
        return
    why = result.why if isinstance(result, Shown) else None
    if why is None:
        row.mailed_at = unit.now
    row.dashboard_only = why
    touch(row, unit.now)
    changes = {"attempt": row.attempts, "dashboardOnly": why}
    unit.record(EventType.INTERACTION_MAILED, (SubjectType.INTERACTION, row.id), changes)


def _note_failure(unit: Unit, row: Interaction, result: NotMailed) -> None:
    if row.state != InteractionState.SENT:
        return
    note_report(unit, row, Report.FAILED, result.failure)
    if result.passing and row.attempts < MAX_ATTEMPTS:
        row.attempt_at = unit.now + RETRIES[row.attempts - 1]
