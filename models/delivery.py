"""How a contact goes on: changed, scheduled, sent, reported on, canceled.

What is due is sent by `sending.py`; both are made of the pieces of `interaction_steps.py`.
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
from models.aggregate import AccountCommand, Unit
from models.clock import Clock
from models.errors import AlreadySent, InvalidInput
from models.evidence import check_documents
from models.ids import hex_id, id_array
from models.interaction import (
    LIFECYCLE,
    MAX_BODY_LENGTH,
    Interaction,
    InteractionAction,
    InteractionState,
    check_subject,
    require_writer,
    was_shown,
)
from models.interaction_steps import (
    go_out,
    let_go,
    link,
    links_of,
    move,
    requirements_named,
    schedule_at,
)
from models.lifecycle import expect_version
from models.operation import operate
from models.outcome import Outcome
from models.text import check_text

MAX_FAILURE_CODE_LENGTH = 100
MAX_FAILURE_MESSAGE_LENGTH = 1_000


class Report(StrEnum):
    """What somebody outside has seen happen to a contact."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    VIEWED = "VIEWED"
    RESPONDED = "RESPONDED"
    FAILED = "FAILED"


_A = InteractionAction
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

    `changes` maps purpose, channel, subject, body, attachments (document references),
    requirement_ids (what it is about instead) or scheduled_for to new values.
    """

    changes: Mapping[str, Any]

    def objects(self) -> Mapping[str, Any]:
        """The same; where it is to be about others, these too."""
        if "requirement_ids" not in self.changes:
            return super().objects()
        about = id_array(map(hex_id, self.changes["requirement_ids"]))
        return {**super().objects(), "about": about}


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
    """Change what is still to go out.

    Raises `AlreadySent` for the content of what once has, `NotFound` for what it is to be about.
    """
    require_writer(actor, InteractionAction.UPDATE)

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        LIFECYCLE.target(row.state, InteractionAction.UPDATE)
        await _change(unit, row, command.changes)
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


async def _change(unit: Unit, row: Interaction, changes: Mapping[str, Any]) -> None:
    given = dict(changes)
    about = given.pop("requirement_ids", None)
    if "attachments" in given:
        check_documents(given["attachments"], "attachments")
        given["attachments"] = [asdict(document) for document in given["attachments"]]
    if "scheduled_for" in given:
        if row.state != InteractionState.SCHEDULED:
            raise InvalidInput("Only what is SCHEDULED has an instant.", ("scheduledFor",))
        _check_to_come(given["scheduled_for"], unit.now, "scheduledFor")
    changed = {name: value for name, value in given.items() if getattr(row, name) != value}
    asked = None if about is None else _newly_asked(unit, row, about)
    _check_still_ours(row, [*changed, *(["requirementIds"] if asked is not None else [])])
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
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
    fields = [*changed]
    if asked is not None:
        relinked = await _link_anew(unit, row, asked)
        fields, shown = [*fields, "requirement_ids"], {**shown, "requirementIds": relinked}
    if fields:
        move(unit, row, InteractionAction.UPDATE, fields=sorted(fields), **shown)


def _newly_asked(
    unit: Unit, row: Interaction, given: Sequence[uuid.UUID]
) -> list[uuid.UUID] | None:
    """The requirements that it is to be about, if it is not about just these."""
    asked = requirements_named(unit, given)
    before = {known.requirement_id for known in links_of(unit, row.id)}
    return None if before == set(asked) else asked


async def _link_anew(unit: Unit, row: Interaction, asked: Sequence[uuid.UUID]) -> dict[str, Any]:
    """Let it be about these requirements instead; what it was about, and is."""
    before = {known.requirement_id: known for known in links_of(unit, row.id)}
    for requirement_id, gone in before.items():
        if requirement_id not in asked:
            await unit.store.delete(gone)
    unit.add(
        *(link(row, requirement_id) for requirement_id in asked if requirement_id not in before)
    )
    return {"from": list(before), "to": list(asked)}


def _check_still_ours(row: Interaction, changed: Sequence[str]) -> None:
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
