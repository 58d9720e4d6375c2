"""What happens to a requirement within an open unit: the pieces that operations are made of."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_

from models.aggregate import Unit
from models.authorisation import authorise_on, needs_program
from models.base import stamp
from models.deadlines import move_on, set_deadline
from models.events import EventType, SubjectType
from models.evidence import DocumentReference, Evidence, new_evidence, payload_hash
from models.fair_clock import begin, hand_over, holder_of
from models.lifecycle import expect_version, touch
from models.program import Program
from models.referral_rules import follow as follow_referral
from models.reminders import plan_reminder
from models.requirement import (
    ACTION_OF_OUTCOME,
    LIFECYCLE,
    AskedAlready,
    Error,
    Priority,
    Reason,
    Requirement,
    RequirementAction,
    RequirementCommand,
    is_open,
)
from models.resolution import ResolutionOutcome
from models.resolution_steps import decline_pending
from models.review_target import follow
from models.status import AWAITING_ACCOUNT, RequirementState


async def load(unit: Unit, command: RequirementCommand) -> Requirement:
    """The command's requirement; raises `NotFound`, `StaleVersion`."""
    live = (row for row in unit.requirements if row.id == command.requirement_id)
    row = next(live, None) or await unit.load(Requirement, command.requirement_id, "requirement")
    expect_version(row, command.expected_version)
    if row not in unit.requirements:
        unit.requirements.append(row)
    return row


async def load_with_program(unit: Unit, command: RequirementCommand) -> tuple[Requirement, Program]:
    """The command's requirement and the program version that it lives under."""
    row = await load(unit, command)
    return row, await program_of(unit, row)


async def program_of(unit: Unit, row: Requirement) -> Program:
    """The program version that the requirement lives under."""
    key = (row.platform_id, row.program_code, row.program_version)
    program = await unit.store.get(Program, key)
    assert program is not None
    return program


async def programs_of(unit: Unit, rows: Sequence[Requirement]) -> list[Program]:
    """The program versions that these live under: what was not read yet, by one statement."""
    known = {_version(row): row for row in unit.find_all(Program)}
    keys = [(row.platform_id, row.program_code, row.program_version) for row in rows]
    if missing := set(keys) - known.keys():
        version = tuple_(Program.platform_id, Program.code, Program.version)
        found = await unit.store.scalars(select(Program).where(version.in_(missing)))
        known |= {_version(program): program for program in found}
    return [known[key] for key in keys]


async def check_own_program(unit: Unit, operation: str, row: Requirement) -> None:
    """Raise `Forbidden` where the operation is for the program's own integrator alone."""
    if needs_program(unit.actor, operation):
        authorise_on(unit.actor, operation, await program_of(unit, row))


def _version(program: Program) -> tuple[uuid.UUID, str, int]:
    return program.platform_id, program.code, program.version


def open_under(
    unit: Unit,
    program: Program,
    *,
    currently_due_at: datetime | None,
    deadline: datetime | None,
    requested_reasons: Sequence[Reason] = (),
    alternative_group: str | None = None,
    alternative_option: str | None = None,
    priority: str = Priority.NORMAL,
    **columns: Any,
) -> Requirement:
    """Open a requirement within an open unit; `columns` override what the program would give."""
    row = Requirement(
        **unit.new_row(),
        **{
            "program_code": program.code,
            "program_version": program.version,
            "category": program.category,
            "title": program.title,
            "description": program.description,
            "requested_reasons": [asdict(reason) for reason in requested_reasons],
            "state": RequirementState.OPEN.value,
            "currently_due_at": currently_due_at,
            "restricts": list(program.restricts),
            "gates": list(program.gates),
            "errors": [],
            "alternative_group": alternative_group,
            "alternative_option": alternative_option,
            "priority": Priority(priority).value,
            **columns,
        },
    )
    set_deadline(row, deadline, program, unit.now)
    stamp(row, "opened_by", unit.actor)
    unit.requirements.append(row)
    unit.add(row)
    begin(unit, row)
    unit.record(
        EventType.REQUIREMENT_OPENED,
        (SubjectType.REQUIREMENT, row.id),
        {
            "state": {"from": None, "to": row.state},
            "program": {"code": program.code, "version": program.version},
            "currentlyDueAt": row.currently_due_at,
            "deadline": row.deadline,
            "requestedReasons": row.requested_reasons,
        },
    )
    return row


def hand_in(unit: Unit, row: Requirement, program: Program, **changes: Any) -> None:
    """Move the requirement to risk, within an open unit; `changes` are for the event."""
    row.submitted_at, row.errors = unit.now, []
    submitted = EventType.REQUIREMENT_SUBMITTED
    move(unit, row, RequirementAction.SUBMIT, submitted, program, **changes)


def submit_evidence(
    unit: Unit,
    row: Requirement,
    program: Program,
    payload: Any | None,
    documents: Sequence[DocumentReference],
) -> Evidence:
    """Write evidence and move the requirement to risk, within an open unit."""
    evidence = new_evidence(unit, row.id, payload, documents)
    hand_in(
        unit,
        row,
        program,
        evidenceId=evidence.id,
        payloadSha256=None if payload is None else payload_hash(payload),
        documentSha256=[document.sha256 for document in documents],
    )
    return evidence


def send_back(
    unit: Unit,
    row: Requirement,
    program: Program,
    errors: Sequence[Error],
    idle_since: datetime | None = None,
) -> None:
    """Move the requirement back to the account with what is wrong, within an open unit.

    Where the program says so, the account gets back the time that risk has had it since submission,
    or the time since `idle_since`, where an alternative stood for it before it was submitted.
    """
    assert row.submitted_at is not None
    row.errors = [asdict(error) for error in errors]
    move(
        unit,
        row,
        RequirementAction.REQUEST_CHANGES,
        EventType.REQUIREMENT_CHANGES_REQUESTED,
        program,
        errors=[{"code": error.code, "field": error.field} for error in errors],
    )
    move_on(unit, row, program, idle_since or row.submitted_at, unit.now)
    plan_reminder(row, program, unit.now)


def end(
    unit: Unit,
    row: Requirement,
    action: RequirementAction,
    event: EventType,
    closed_reason: str,
) -> None:
    """Close the requirement by `action`, within an open unit."""
    row.closed_at, row.closed_reason = unit.now, closed_reason
    move(unit, row, action, event, reason=closed_reason)


def open_again(
    unit: Unit,
    row: Requirement,
    program: Program,
    currently_due_at: datetime | None,
    deadline: datetime | None,
    reason: str,
) -> None:
    """Move a satisfied or waived requirement back to the account, within an open unit."""
    LIFECYCLE.target(row.state, RequirementAction.REOPEN)
    if row.origin is not None and any(
        other is not row and other.origin == row.origin and is_open(other)
        for other in unit.requirements
    ):
        raise AskedAlready
    row.appeal_deadline = row.appealed_at = None
    row.currently_due_at = currently_due_at
    set_deadline(row, deadline, program, unit.now)
    row.requested_reasons = [*row.requested_reasons, asdict(Reason("reopened", reason))]
    move(
        unit,
        row,
        RequirementAction.REOPEN,
        EventType.REQUIREMENT_REOPENED,
        reason=reason,
        deadline=row.deadline,
    )
    plan_reminder(row, program, unit.now)
    row.closed_at = row.closed_reason = None


async def drop_proposal(unit: Unit, row: Requirement) -> None:
    """Decline a pending proposal that the requirement's state no longer allows."""
    if row.proposed_outcome is None:
        return
    action = ACTION_OF_OUTCOME[ResolutionOutcome(row.proposed_outcome)]
    if action not in LIFECYCLE.actions_from(row.state):
        await decline_pending(unit, row)


def note_update(unit: Unit, row: Requirement, changes: Mapping[str, Any]) -> None:
    """Count and record what has changed beside the state, within an open unit."""
    touch(row, unit.now)
    unit.record(EventType.REQUIREMENT_UPDATED, (SubjectType.REQUIREMENT, row.id), changes)


def move(
    unit: Unit,
    row: Requirement,
    action: RequirementAction,
    event: EventType,
    program: Program | None = None,
    third_party: str | None = None,
    **changes: Any,
) -> None:
    """Take one arrow of the lifecycle and record it, within an open unit.

    `program` is the requirement's: what starts, pauses and resumes its target needs it.
    `third_party` is whom a referral names.
    """
    held_by, waited_for = holder_of(row), row.referred_to
    before_state, after_state = LIFECYCLE.advance(row, action, unit.now)
    follow_referral(row, action, third_party, unit.now)
    hand_over(unit, row, held_by)
    follow(row, action, program, unit.now)
    if waited_for != row.referred_to:
        changes = {"referredTo": {"from": waited_for, "to": row.referred_to}, **changes}
    if after_state not in AWAITING_ACCOUNT:
        row.remind_at = None
    if before_state != after_state:
        row.unanswered_since = None
        changes = {"state": {"from": before_state, "to": after_state}, **changes}
    unit.record(event, (SubjectType.REQUIREMENT, row.id), changes)
