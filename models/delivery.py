"""How a contact goes on: changed, scheduled, sent, reported on, canceled.

What is due is sent by `sending.py`, by the pieces of this file.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.aggregate import AccountCommand, Unit, operate
from models.clock import Clock
from models.errors import AlreadySent, InvalidInput
from models.events import EventType, SubjectType
from models.evidence import check_documents
from models.interaction import (
    LIFECYCLE,
    MAX_BODY_LENGTH,
    Interaction,
    InteractionAction,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionRequirement,
    InteractionState,
    check_subject,
    require_writer,
    was_shown,
)
from models.lifecycle import expect_version
from models.outcome import Outcome
from models.text import check_text
from models.unanswered import note_answer

MAX_FAILURE_CODE_LENGTH = 100
MAX_FAILURE_MESSAGE_LENGTH = 1_000


class Report(StrEnum):
    """What somebody outside has seen happen to a contact."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    VIEWED = "VIEWED"
    RESPONDED = "RESPONDED"
    FAILED = "FAILED"


_A, _E = InteractionAction, EventType
ACTION_OF_REPORT = {
    Report.SENT: _A.SEND,
    Report.DELIVERED: _A.REPORT_DELIVERED,
    Report.VIEWED: _A.REPORT_VIEWED,
    Report.RESPONDED: _A.REPORT_RESPONDED,
    Report.FAILED: _A.REPORT_FAILED,
}
EVENT_OF_ACTION = {
    _A.UPDATE: _E.INTERACTION_UPDATED,
    _A.SCHEDULE: _E.INTERACTION_SCHEDULED,
    _A.SEND: _E.INTERACTION_SENT,
    _A.REPORT_DELIVERED: _E.INTERACTION_DELIVERED,
    _A.REPORT_VIEWED: _E.INTERACTION_VIEWED,
    _A.REPORT_RESPONDED: _E.INTERACTION_RESPONDED,
    _A.REPORT_FAILED: _E.INTERACTION_FAILED,
    _A.CANCEL: _E.INTERACTION_CANCELED,
}
# What a report leaves behind; where it is there already, the report is a repetition.
MARK_OF_REPORT = {
    Report.SENT: "sent_at",
    Report.DELIVERED: "delivered_at",
    Report.VIEWED: "viewed_at",
    Report.RESPONDED: "responded_at",
    Report.FAILED: "failure",
}


# What the account's user reads, whatever it was that the code stands for.
NOT_DELIVERED = "It could not be delivered this way."
_FAILURE_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")


@dataclass(frozen=True)
class Failure:
    """Why a contact could not be sent: the provider's or channel's code, and its words.

    The code is for both sides, the words are for staff: they may name machines and people.
    """

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class InteractionCommand(AccountCommand):
    """What every operation on one interaction takes. `expected_version` is the interaction's."""

    named = ("interaction", "id")

    interaction_id: uuid.UUID

    def objects(self) -> Mapping[str, Any]:
        """The interaction, with what it is about and what it answers."""
        return {"interaction": self.interaction_id}


@dataclass(frozen=True, kw_only=True)
class UpdateInteraction(InteractionCommand):
    """What `update` takes: only the fields in `changes` change.

    `changes` maps purpose, channel, subject, body, attachments (document references) or
    scheduled_for to new values.
    """

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ScheduleInteraction(InteractionCommand):
    """What `schedule` takes: when it goes out, now if left out."""

    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SendInteraction(InteractionCommand):
    """What `send` takes."""


@dataclass(frozen=True, kw_only=True)
class CancelInteraction(InteractionCommand):
    """What `cancel` takes."""


@dataclass(frozen=True, kw_only=True)
class ReportInteraction(InteractionCommand):
    """What `report` takes: the failure with FAILED, and only with it."""

    report: str
    failure: Failure | None = None


async def update(
    session: AsyncSession, actor: Actor, clock: Clock, command: UpdateInteraction
) -> Outcome[Interaction]:
    """Change what is still to go out. Raises `AlreadySent` for the content of what once has."""
    require_writer(actor, InteractionAction.UPDATE)

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        LIFECYCLE.target(row.state, InteractionAction.UPDATE)
        _change(unit, row, command.changes)
        return row

    return await operate(session, actor, clock, "interactionUpdate", command, Interaction, step)


async def schedule(
    session: AsyncSession, actor: Actor, clock: Clock, command: ScheduleInteraction
) -> Outcome[Interaction]:
    """Let it go out at an instant; what failed, again."""
    require_writer(actor, InteractionAction.SCHEDULE)

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        LIFECYCLE.target(row.state, InteractionAction.SCHEDULE)
        at = unit.now if command.at is None else command.at
        _check_to_come(at, unit.now, "at")
        schedule_at(unit, row, at)
        row.attempts = 0
        return row

    return await operate(session, actor, clock, "interactionSchedule", command, Interaction, step)


async def send(
    session: AsyncSession, actor: Actor, clock: Clock, command: SendInteraction
) -> Outcome[Interaction]:
    """Let it go out at once: its user sees it, and an e-mail waits for the mail server."""
    require_writer(actor, InteractionAction.SEND)

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        let_go(unit, row)
        return row

    return await operate(session, actor, clock, "interactionSend", command, Interaction, step)


async def report(
    session: AsyncSession, actor: Actor, clock: Clock, command: ReportInteraction
) -> Outcome[Interaction]:
    """Note what somebody outside has seen happen to it. The same report again changes nothing.

    Raises `IllegalTransition` for a step back, `InvalidInput` for FAILED without a failure.
    """
    seen = Report(command.report)
    require_writer(actor, ACTION_OF_REPORT[seen])
    _check_failure(seen, command.failure)

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        if not _is_known(row, seen):
            note_report(unit, row, seen, command.failure)
        return row

    return await operate(session, actor, clock, "interactionReport", command, Interaction, step)


async def cancel(
    session: AsyncSession, actor: Actor, clock: Clock, command: CancelInteraction
) -> Outcome[Interaction]:
    """Don't let it go out, or not again: what went out before, its user goes on to see."""
    require_writer(actor, InteractionAction.CANCEL)

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        move(unit, row, InteractionAction.CANCEL)
        return row

    return await operate(session, actor, clock, "interactionCancel", command, Interaction, step)


async def load(unit: Unit, command: InteractionCommand) -> Interaction:
    """The command's interaction; raises `NotFound`, `StaleVersion`."""
    row = await unit.load(Interaction, command.interaction_id, "interaction")
    expect_version(row, command.expected_version)
    return row


def move(unit: Unit, row: Interaction, action: InteractionAction, **changes: Any) -> None:
    """Take one arrow of the lifecycle and record it, within an open unit."""
    before, after = LIFECYCLE.advance(row, action, unit.now)
    if before != after:
        changes = {"state": {"from": before, "to": after}, **changes}
    unit.record(EVENT_OF_ACTION[action], (SubjectType.INTERACTION, row.id), changes)


def schedule_at(unit: Unit, row: Interaction, at: datetime) -> None:
    """Let it go out at an instant, within an open unit; how it failed before is in the events."""
    row.scheduled_for = at
    row.failure = row.failure_said = row.sent_at = row.mailed_at = row.dashboard_only = (
        row.attempt_at
    ) = None
    move(unit, row, InteractionAction.SCHEDULE, scheduledFor=at)


def go_out(unit: Unit, row: Interaction) -> None:
    """Send it, within an open unit: its user sees it, and what it answers is RESPONDED.

    What it is about waits for no answer any more, where a person of the platform wrote it.
    """
    note_answer(unit, row, _about(unit, row))
    row.sent_at = unit.now
    row.first_sent_at = row.first_sent_at or unit.now
    move(unit, row, InteractionAction.SEND, purpose=row.purpose, channel=row.channel)
    answered = read_interaction(unit, row.in_reply_to_id)
    if answered is not None:
        take_reply(unit, answered, row)


def let_go(unit: Unit, row: Interaction) -> None:
    """Send it, within an open unit; an e-mail waits for the mail server from then on."""
    go_out(unit, row)
    if row.channel == InteractionChannel.EMAIL:
        row.attempts, row.attempt_at = 0, unit.now


def note_report(unit: Unit, row: Interaction, seen: Report, failure: Failure | None = None) -> None:
    """Take the report's arrow and leave its mark, within an open unit."""
    if seen is Report.SENT:
        go_out(unit, row)
    elif seen is Report.FAILED:
        assert failure is not None
        row.failure = {"code": failure.code, "message": NOT_DELIVERED}
        row.failure_said = failure.message
        row.attempt_at = None
        move(unit, row, InteractionAction.REPORT_FAILED, failure=row.failure)
    else:
        setattr(row, MARK_OF_REPORT[seen], unit.now)
        move(unit, row, ACTION_OF_REPORT[seen])


def take_reply(unit: Unit, answered: Interaction, reply: Interaction) -> None:
    """Note that a contact answers another, within an open unit.

    Only the other side answers: whoever adds to what they wrote themselves is not answered by that.
    """
    if answered.direction != reply.direction:
        respond(unit, answered, answer=reply.id)


def respond(unit: Unit, answered: Interaction, **by: uuid.UUID) -> None:
    """Note that it was answered, within an open unit; once is enough, and what failed stays so.

    `by` is the answer, for the event: a contact's id or an evidence's.
    """
    action = InteractionAction.REPORT_RESPONDED
    if action in LIFECYCLE.actions_from(answered.state):
        answered.responded_at = unit.now
        move(unit, answered, action, **by)


def new_interaction(unit: Unit, about: Sequence[uuid.UUID], **columns: Any) -> Interaction:
    """A contact and what it is about, within an open unit: a draft of a message unless told."""
    row = Interaction(
        **unit.new_row(),
        **{
            "purpose": InteractionPurpose.MESSAGE.value,
            "direction": InteractionDirection.OUTBOUND.value,
            "state": InteractionState.DRAFT.value,
            "attachments": [],
            "attempts": 0,
            "attempt_number": 0,
            **columns,
        },
    )
    unit.add(row, *(_link(row, requirement_id) for requirement_id in about))
    return row


def record_new(unit: Unit, row: Interaction, event: EventType, about: Sequence[uuid.UUID]) -> None:
    """Record that a contact was written, within an open unit."""
    changes = {
        "state": {"from": None, "to": row.state},
        "purpose": row.purpose,
        "channel": row.channel,
        "requirementIds": list(about),
        "inReplyTo": row.in_reply_to_id,
    }
    unit.record(event, (SubjectType.INTERACTION, row.id), changes)


def _link(row: Interaction, requirement_id: uuid.UUID) -> InteractionRequirement:
    return InteractionRequirement(
        account_id=row.account_id,
        platform_id=row.platform_id,
        interaction_id=row.id,
        requirement_id=requirement_id,
        interaction_created_at=row.created_at,
    )


def read_interaction(unit: Unit, interaction_id: uuid.UUID | None) -> Interaction | None:
    """The interaction of this id among those that were read with the unit."""
    rows = (row for row in unit.read if isinstance(row, Interaction) and row.id == interaction_id)
    return next(rows, None)


def _about(unit: Unit, row: Interaction) -> set[uuid.UUID]:
    """What the interaction is about, of the links that were read with the unit."""
    links = (link for link in unit.read if isinstance(link, InteractionRequirement))
    return {link.requirement_id for link in links if link.interaction_id == row.id}


def _change(unit: Unit, row: Interaction, changes: Mapping[str, Any]) -> None:
    given = dict(changes)
    if "attachments" in given:
        check_documents(given["attachments"], "attachments")
        given["attachments"] = [asdict(document) for document in given["attachments"]]
    if "scheduled_for" in given:
        if row.state != InteractionState.SCHEDULED:
            raise InvalidInput("Only what is SCHEDULED has an instant.", ("scheduledFor",))
        _check_to_come(given["scheduled_for"], unit.now, "scheduledFor")
    changed = {name: value for name, value in given.items() if getattr(row, name) != value}
    _check_still_ours(row, changed)
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    if not changed:
        return
    # What stays is not held against what people may write: a notice may be longer.
    if "body" in changed:
        check_text(row.body, MAX_BODY_LENGTH, "body")
    if "subject" in changed or "channel" in changed:
        check_subject(row.channel, row.subject)
    # What was written stays out of the events: they are for good.
    shown = {
        name: {"from": before[key], "to": changed[key]}
        for key, name in _SHOWN_CHANGES.items()
        if key in changed
    }
    move(unit, row, InteractionAction.UPDATE, fields=sorted(changed), **shown)


def _check_still_ours(row: Interaction, changed: Mapping[str, Any]) -> None:
    """Raise `AlreadySent` where the content would change of what somebody may have read."""
    content = [name for name in changed if name != "scheduled_for"]
    if content and was_shown(row):
        raise AlreadySent(content[0])


_SHOWN_CHANGES = {"purpose": "purpose", "channel": "channel", "scheduled_for": "scheduledFor"}


def _is_known(row: Interaction, seen: Report) -> bool:
    """Whether the report only repeats what is known: it is no arrow, and its mark is there."""
    if ACTION_OF_REPORT[seen] in LIFECYCLE.actions_from(row.state):
        return False
    return getattr(row, MARK_OF_REPORT[seen]) is not None


def _check_to_come(at: datetime, now: datetime, field: str) -> None:
    if at < now:
        raise InvalidInput("That has passed. Choose an instant to come.", (field,))


def _check_failure(seen: Report, failure: Failure | None) -> None:
    if (seen is Report.FAILED) != (failure is not None):
        raise InvalidInput("A failure must come with FAILED, and only with it.", ("failure",))
    if failure is not None:
        check_text(failure.code, MAX_FAILURE_CODE_LENGTH, "failure", "code")
        if not _FAILURE_CODE.fullmatch(failure.code):
            message = "A code must be made of A-Z, a-z, 0-9 and _ . : -"
            raise InvalidInput(message, ("failure", "code"))
        check_text(failure.message, MAX_FAILURE_MESSAGE_LENGTH, "failure", "message")
