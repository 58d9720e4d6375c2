"""What becomes of contacts that are due: they go out, and e-mails go to the mail server.

`let_out` shows them: once its transaction has committed, a contact is out, exactly once, however
many look. An e-mail waits for the mail server from then on, and that takes three steps more: `take`
notes the attempt, somebody mails the letter outside of any transaction, `settle` notes what came of
it. Whoever is killed in between leaves an attempt that another takes up once its lease is over: so
an e-mail goes out at least once, and a second copy has the Message-ID of the first. A notice that
comes twice does less harm than one that never came.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.actor import ActorKind, system
from models.aggregate import Unit
from models.clock import Clock
from models.events import EventType, SubjectType
from models.interaction import (
    ASKING,
    UNSENT_STATES,
    DashboardOnly,
    Interaction,
    InteractionAction,
    InteractionCommand,
    InteractionPurpose,
    InteractionState,
)
from models.interaction_steps import (
    Failure,
    Report,
    go_out,
    let_go,
    links_of,
    load,
    move,
    note_report,
    read_interaction,
    schedule_at,
)
from models.lifecycle import touch
from models.listing import word
from models.operation import operate
from models.reminders import is_needless
from models.status import AWAITING_ACCOUNT
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
# Why what asks the account for something does not go out: it is not awaited from it any more.
NOT_AWAITED = "not_awaited"
_IS_SCHEDULED = Interaction.state == word(InteractionState.SCHEDULED)


@dataclass(frozen=True)
class DueInteraction:
    """A contact that is to go out, or to be mailed."""

    account_id: uuid.UUID
    platform_id: uuid.UUID
    interaction_id: uuid.UUID


@dataclass(frozen=True)
class Letter:
    """An e-mail to be given to a mail server before `until`, when another may take it.

    `number` is that of the attempt: no other of the same contact has it, whatever the clock says.
    """

    due: DueInteraction
    number: int
    until: datetime
    to: str
    subject: str
    body: str
    # What is enclosed, by name and URI.
    enclosed: tuple[tuple[str, str], ...] = ()
    # The interactions of its thread, as far as they are known: the latest, which it answers, last.
    answers: tuple[uuid.UUID, ...] = ()
    # Whether no person wrote it.
    automatic: bool = False


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
    connection: AsyncConnection, now: datetime, limit: int
) -> list[DueInteraction]:
    """What is to go out by now, the longest due first, at most `limit`; nothing is locked."""
    waiting = _keys().where(_IS_SCHEDULED, Interaction.scheduled_for <= now)
    return await _fetch(connection, waiting.order_by(Interaction.scheduled_for).limit(limit))


async def due_letters(
    connection: AsyncConnection, now: datetime, limit: int
) -> list[DueInteraction]:
    """What is out and to be mailed by now, likewise."""
    waiting = _keys().where(Interaction.attempt_at <= now)
    return await _fetch(connection, waiting.order_by(Interaction.attempt_at).limit(limit))


async def let_out(session: AsyncSession, clock: Clock, due: DueInteraction) -> None:
    """Let it go out if it is due still: its user sees it, an e-mail waits for the mail server.

    What asks for something that nobody asks for any more is CANCELED instead.
    """

    def change(unit: Unit, row: Interaction) -> None:
        if not _is_due(unit, row):
            return
        if _is_pointless(unit, row):
            move(unit, row, InteractionAction.CANCEL, reason=NOT_AWAITED)
        else:
            let_go(unit, row)

    await _operate(session, clock, due, "interactionLetOut", change)


async def take(session: AsyncSession, clock: Clock, due: DueInteraction) -> Letter | None:
    """Note an attempt to mail it, if it is to be mailed still; the letter."""
    letters: list[Letter] = []

    def change(unit: Unit, row: Interaction) -> None:
        if _is_to_be_mailed(unit, row) and (letter := _attempt(unit, row, due)) is not None:
            letters.append(letter)

    await _operate(session, clock, due, "interactionTake", change)
    return letters[0] if letters else None


async def settle(session: AsyncSession, clock: Clock, letter: Letter, result: Result) -> None:
    """Note what came of an attempt; of one that is over, only that the mail server has taken it.

    What was mailed was mailed, though it was scheduled anew or reported on meanwhile.
    """

    def change(unit: Unit, row: Interaction) -> None:
        if _is_present(row, letter):
            _note(unit, row, result)
        elif isinstance(result, Mailed):
            _note_late(unit, row)

    await _operate(session, clock, letter.due, "interactionSettle", change)


async def _operate(
    session: AsyncSession,
    clock: Clock,
    due: DueInteraction,
    operation: str,
    change: Callable[[Unit, Interaction], None],
) -> None:
    """Run one change of one contact, in the name of what sends."""

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        change(unit, row)
        return row

    command = InteractionCommand(account_id=due.account_id, interaction_id=due.interaction_id)
    actor = system(due.platform_id, SENDER)
    await operate(session, actor, clock, operation, command, Interaction, step)


def _keys() -> Select[uuid.UUID, uuid.UUID, uuid.UUID]:
    return select(Interaction.account_id, Interaction.platform_id, Interaction.id)


async def _fetch(
    connection: AsyncConnection, statement: Select[uuid.UUID, uuid.UUID, uuid.UUID]
) -> list[DueInteraction]:
    return [DueInteraction(*row) for row in await connection.execute(statement)]


def _is_due(unit: Unit, row: Interaction) -> bool:
    at = row.scheduled_for
    return row.state == InteractionState.SCHEDULED and at is not None and at <= unit.now


def _is_pointless(unit: Unit, row: Interaction) -> bool:
    """Whether it asks for something, and nothing that it is about awaits the account.

    A reminder of Recourse's own also where it would not be written any more.
    """
    about = {link.requirement_id for link in links_of(unit, row.id)}
    awaited = [one for one in unit.requirements if one.state in AWAITING_ACCOUNT]
    if row.purpose == InteractionPurpose.REMINDER and row.author_kind == ActorKind.SYSTEM:
        awaited = [one for one in awaited if not is_needless(unit, one)]
    return row.purpose in ASKING and bool(about) and not about & {one.id for one in awaited}


def _is_to_be_mailed(unit: Unit, row: Interaction) -> bool:
    """Whether its letter is to be mailed now; what failed is SENT again for that."""
    if row.attempt_at is None or row.attempt_at > unit.now:
        return False
    if row.state == InteractionState.FAILED and not _is_pointless(unit, row):
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
    row.attempt_number += 1
    row.attempt_at = unit.now + LEASE
    enclosed = tuple((one["name"], one["uri"]) for one in row.attachments)
    return Letter(
        due,
        row.attempt_number,
        row.attempt_at,
        to,
        row.subject or "",
        row.body,
        enclosed,
        _thread(unit, row),
        row.author_kind in (ActorKind.SYSTEM, ActorKind.SERVICE),
    )


def _thread(unit: Unit, row: Interaction) -> tuple[uuid.UUID, ...]:
    answered = read_interaction(unit, row.in_reply_to_id)
    if answered is None:
        return ()
    before = answered.in_reply_to_id
    return (answered.id,) if before is None else (before, answered.id)


def _is_present(row: Interaction, letter: Letter) -> bool:
    """Whether the letter's attempt is the one that the row waits for: none has begun since."""
    waits = row.attempt_at is not None and row.attempts > 0
    return waits and row.attempt_number == letter.number


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
    _record_mailed(unit, row, why)


def _note_late(unit: Unit, row: Interaction) -> None:
    """Note that the letter of an attempt that is over went out; where it is out, it is mailed."""
    if row.state not in (*UNSENT_STATES, InteractionState.CANCELED):
        row.attempt_at = row.dashboard_only = None
        row.mailed_at = row.mailed_at or unit.now
        touch(row, unit.now)
    _record_mailed(unit, row, None)


def _record_mailed(unit: Unit, row: Interaction, why: DashboardOnly | None) -> None:
    # How often it was tried is for staff, whom this event is not for alone.
    changes = {"dashboardOnly": why}
    unit.record(EventType.INTERACTION_MAILED, (SubjectType.INTERACTION, row.id), changes)


def _note_failure(unit: Unit, row: Interaction, result: NotMailed) -> None:
    if row.state != InteractionState.SENT:
        return
    note_report(unit, row, Report.FAILED, result.failure)
    if result.passing and row.attempts < MAX_ATTEMPTS:
        row.attempt_at = unit.now + RETRIES[row.attempts - 1]
