"""What happens to a contact within an open unit: the pieces that operations are made of."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.aggregate import Unit
from models.errors import InvalidInput, NotFound
from models.events import EventType, SubjectType
from models.interaction import (
    LIFECYCLE,
    Interaction,
    InteractionAction,
    InteractionChannel,
    InteractionCommand,
    InteractionDirection,
    InteractionPurpose,
    InteractionRequirement,
    InteractionState,
)
from models.lifecycle import expect_version
from models.requirement import Requirement
from models.unanswered import note_answer

MAX_REQUIREMENTS = 20


class Report(StrEnum):
    """What somebody outside has seen happen to a contact."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    VIEWED = "VIEWED"
    RESPONDED = "RESPONDED"
    FAILED = "FAILED"


_A, _E = InteractionAction, EventType
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
ACTION_OF_REPORT = {
    Report.SENT: _A.SEND,
    Report.DELIVERED: _A.REPORT_DELIVERED,
    Report.VIEWED: _A.REPORT_VIEWED,
    Report.RESPONDED: _A.REPORT_RESPONDED,
    Report.FAILED: _A.REPORT_FAILED,
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


@dataclass(frozen=True)
class Failure:
    """Why a contact could not be sent: the provider's or channel's code, and its words.

    The code is for both sides, the words are for staff: they may name machines and people.
    """

    code: str
    message: str


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
    row.failure = row.failure_said = row.sent_at = None
    row.mailed_at = row.dashboard_only = row.attempt_at = None
    move(unit, row, InteractionAction.SCHEDULE, scheduledFor=at)


def go_out(unit: Unit, row: Interaction) -> None:
    """Send it, within an open unit: its user sees it, and what it answers is RESPONDED.

    What it is about waits for no answer any more, where a person of the platform wrote it.
    """
    note_answer(unit, row, {link.requirement_id for link in links_of(unit, row.id)})
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
    unit.add(row, *(link(row, requirement_id) for requirement_id in about))
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


def requirements_named(unit: Unit, given: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """The requirements that a contact is to be about, each once, in the order given.

    Raises `InvalidInput` for too many, `NotFound` for one that is not among those that were read
    with the unit.
    """
    asked = list(dict.fromkeys(given))
    if len(asked) > MAX_REQUIREMENTS:
        message = f"It is about at most {MAX_REQUIREMENTS} requirements."
        raise InvalidInput(message, ("requirementIds",))
    known = {row.id for row in unit.find_all(Requirement)}
    for index, requirement_id in enumerate(given):
        if requirement_id not in known:
            raise NotFound("requirement", ("requirementIds", str(index)))
    return asked


def links_of(unit: Unit, interaction_id: uuid.UUID | None) -> list[InteractionRequirement]:
    """What a contact is about, among what was read with the unit, in the order of the ids."""
    links = unit.find_all(InteractionRequirement)
    mine = (link for link in links if link.interaction_id == interaction_id)
    return sorted(mine, key=lambda link: link.requirement_id)


def link(row: Interaction, requirement_id: uuid.UUID) -> InteractionRequirement:
    """That the contact is about the requirement, to be written with it."""
    return InteractionRequirement(
        account_id=row.account_id,
        platform_id=row.platform_id,
        interaction_id=row.id,
        requirement_id=requirement_id,
        interaction_created_at=row.created_at,
    )


def read_interaction(unit: Unit, interaction_id: uuid.UUID | None) -> Interaction | None:
    """The interaction of this id among those that were read with the unit."""
    return next((row for row in unit.find_all(Interaction) if row.id == interaction_id), None)
