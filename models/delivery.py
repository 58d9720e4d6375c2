"""How a contact goes on: changed, scheduled, sent, reported on, canceled.

What is due is sent by `sending.py`; both are made of the pieces of `interaction_steps.py`.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.aggregate import Unit
from models.clock import Clock
from models.errors import AlreadySent, InvalidInput
from models.evidence import check_documents
from models.ids import hex_id, id_array
from models.interaction import (
    LIFECYCLE,
    MAX_BODY_LENGTH,
    MAX_FAILURE_MESSAGE_LENGTH,
    Interaction,
    InteractionAction,
    InteractionCommand,
    InteractionState,
    check_subject,
    was_shown,
)
from models.interaction_steps import (
    ACTION_OF_REPORT,
    MARK_OF_REPORT,
    Failure,
    Report,
    let_go,
    link,
    links_of,
    load,
    move,
    note_report,
    requirements_named,
    schedule_at,
)
from models.operation import operate
from models.outcome import Outcome
from models.text import check_text

MAX_FAILURE_CODE_LENGTH = 100
_FAILURE_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")


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

    async def step(unit: Unit) -> Interaction:
        row = await load(unit, command)
        move(unit, row, InteractionAction.CANCEL)
        return row

    return await operate(session, actor, clock, "interactionCancel", command, Interaction, step)


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
