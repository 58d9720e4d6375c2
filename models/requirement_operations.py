"""What is done with a requirement, but for what ends it by a decision.

Decisions (approve, reject, waive) are in `decision.py`, appeals in `appeal.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.aggregate import AccountCommand, Unit
from models.alternatives import give_back_to_others, handed_in_since, idle_since
from models.authorisation import authorise_on
from models.clock import Clock
from models.deadlines import check_extension, check_times, extend_deadline
from models.durations import after
from models.errors import InvalidInput
from models.events import EventType
from models.evidence import DocumentReference, check_evidence
from models.interaction import ASKING, Interaction
from models.interaction_steps import respond
from models.notice_texts import NoticeKind
from models.notices import notify
from models.operation import operate
from models.outcome import Outcome
from models.program import Program, ProgramNotPublished
from models.requirement import (
    ALTERNATIVE_SATISFIED,
    LIFECYCLE,
    MAX_ACTOR_ID_LENGTH,
    MAX_CODE_LENGTH,
    MAX_ENTRIES,
    MAX_MESSAGE_LENGTH,
    MAX_REASON_LENGTH,
    Error,
    Priority,
    Reason,
    Requirement,
    RequirementAction,
    RequirementCommand,
    check_allowed,
)
from models.requirement_steps import (
    drop_proposal,
    end,
    load,
    load_with_program,
    move,
    open_again,
    open_under,
    send_back,
    submit_evidence,
)
from models.text import check_optional_text, check_own_name, check_text


@dataclass(frozen=True, kw_only=True)
class OpenRequirement(AccountCommand):
    """What `open_requirement` takes. Times that are not given follow from the program."""

    program: str
    requested_reasons: tuple[Reason, ...] = ()
    currently_due_at: datetime | None = None
    deadline: datetime | None = None
    alternative_group: str | None = None
    priority: str = Priority.NORMAL

    def objects(self) -> Mapping[str, Any]:
        """The published version of the program."""
        return {"program": self.program}


@dataclass(frozen=True, kw_only=True)
class Submit(RequirementCommand):
    """What `submit` takes."""

    payload: Any | None = None
    documents: tuple[DocumentReference, ...] = ()

    def objects(self) -> Mapping[str, Any]:
        """The requirement, and the contacts that ask for it."""
        return {**super().objects(), "purposes": list(ASKING)}


@dataclass(frozen=True, kw_only=True)
class StartReview(RequirementCommand):
    """What `start_review` takes."""


@dataclass(frozen=True, kw_only=True)
class RequestChanges(RequirementCommand):
    """What `request_changes` takes: at least one error."""

    errors: tuple[Error, ...]


@dataclass(frozen=True, kw_only=True)
class Cancel(RequirementCommand):
    """What `cancel` takes: why, in words for the account's user."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Extend(RequirementCommand):
    """What `extend` takes: the new deadline, later than the present one."""

    deadline: datetime


@dataclass(frozen=True, kw_only=True)
class Assign(RequirementCommand):
    """What `assign` takes: the reviewer's id, None for nobody."""

    assignee_id: str | None
    assignee_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Prioritize(RequirementCommand):
    """What `prioritize` takes: how soon risk should look at it."""

    priority: str


@dataclass(frozen=True, kw_only=True)
class Reopen(RequirementCommand):
    """What `reopen` takes: why, in words for the account's user, and the new deadline."""

    reason: str
    deadline: datetime | None = None


async def open_requirement(
    session: AsyncSession, actor: Actor, clock: Clock, command: OpenRequirement
) -> Outcome[Requirement]:
    """Ask something of an account under a program's published version.

    Raises `Forbidden`, `NotFound` for the account, `ProgramNotPublished`, `InvalidInput`.
    """
    check_text(command.program, MAX_CODE_LENGTH, "program")
    _check_reasons(command.requested_reasons)
    check_optional_text(command.alternative_group, MAX_CODE_LENGTH, "alternativeGroup")

    async def step(unit: Unit) -> Requirement:
        unit.expect_version(command.expected_version)
        program = unit.find(Program)
        if program is None:
            raise ProgramNotPublished(command.program)
        authorise_on(actor, "requirementOpen", program)
        check_times(command.currently_due_at, command.deadline, unit.now)
        row = open_under(
            unit,
            program,
            currently_due_at=command.currently_due_at
            or after(unit.now, program.due_after)
            or unit.now,
            deadline=command.deadline or after(unit.now, program.deadline_after),
            requested_reasons=command.requested_reasons,
            alternative_group=command.alternative_group,
            priority=command.priority,
        )
        notify(unit, NoticeKind.REQUESTED, row, program)
        return row

    return await operate(session, actor, clock, "requirementOpen", command, Requirement, step)


async def submit(
    session: AsyncSession, actor: Actor, clock: Clock, command: Submit
) -> Outcome[Requirement]:
    """Hand in evidence: whatever asked the account for it is RESPONDED.

    Raises `EvidenceInvalid` with a problem per place, `IllegalTransition`.
    """

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        LIFECYCLE.target(row.state, RequirementAction.SUBMIT)
        check_evidence(program, command.payload, command.documents)
        evidence = submit_evidence(unit, row, program, command.payload, command.documents)
        for request in unit.find_all(Interaction):
            respond(unit, request, evidenceId=evidence.id)
        return row

    return await operate(session, actor, clock, "requirementSubmit", command, Requirement, step)


async def start_review(
    session: AsyncSession, actor: Actor, clock: Clock, command: StartReview
) -> Outcome[Requirement]:
    """Take what was submitted into review."""

    async def step(unit: Unit) -> Requirement:
        row = await load(unit, command)
        move(unit, row, RequirementAction.START_REVIEW, EventType.REQUIREMENT_REVIEW_STARTED)
        return row

    return await operate(
        session, actor, clock, "requirementStartReview", command, Requirement, step
    )


async def request_changes(
    session: AsyncSession, actor: Actor, clock: Clock, command: RequestChanges
) -> Outcome[Requirement]:
    """Send it back with what is wrong. Raises `InvalidInput` for a code the program hasn't."""

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        check_allowed(row, RequirementAction.REQUEST_CHANGES)
        _check_errors(command.errors, program)
        since = handed_in_since(unit, row)
        send_back(unit, row, program, command.errors, await idle_since(unit, row))
        await give_back_to_others(unit, row, since)
        notify(unit, NoticeKind.CHANGES_REQUESTED, row, program)
        await drop_proposal(unit, row)
        return row

    return await operate(
        session, actor, clock, "requirementRequestChanges", command, Requirement, step
    )


async def cancel(
    session: AsyncSession, actor: Actor, clock: Clock, command: Cancel
) -> Outcome[Requirement]:
    """End it without a decision. An integrator cancels only what it opened."""
    check_text(command.reason, MAX_REASON_LENGTH, "reason")
    if command.reason.strip() == ALTERNATIVE_SATISFIED:
        raise InvalidInput("This is a code of Recourse's own: say it in words.", ("reason",))

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        authorise_on(actor, "requirementCancel", row)
        check_allowed(row, RequirementAction.CANCEL)
        since = handed_in_since(unit, row)
        end(unit, row, RequirementAction.CANCEL, EventType.REQUIREMENT_CANCELED, command.reason)
        await give_back_to_others(unit, row, since)
        await drop_proposal(unit, row)
        notify(unit, NoticeKind.CANCELED, row, program)
        return row

    return await operate(session, actor, clock, "requirementCancel", command, Requirement, step)


async def extend(
    session: AsyncSession, actor: Actor, clock: Clock, command: Extend
) -> Outcome[Requirement]:
    """Give it a later deadline."""

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        check_allowed(row, RequirementAction.EXTEND)
        check_extension(row, command.deadline, unit.now)
        extend_deadline(row, command.deadline, program, unit.now)
        move(
            unit,
            row,
            RequirementAction.EXTEND,
            EventType.REQUIREMENT_EXTENDED,
            deadline=row.deadline,
        )
        notify(unit, NoticeKind.EXTENDED, row, program)
        return row

    return await operate(session, actor, clock, "requirementExtend", command, Requirement, step)


async def assign(
    session: AsyncSession, actor: Actor, clock: Clock, command: Assign
) -> Outcome[Requirement]:
    """Hand it to a reviewer, or back to nobody."""
    if command.assignee_id is not None:
        check_own_name(command.assignee_id, MAX_ACTOR_ID_LENGTH, "assigneeId")
    check_optional_text(command.assignee_name, MAX_ACTOR_ID_LENGTH, "assigneeName")

    async def step(unit: Unit) -> Requirement:
        row = await load(unit, command)
        before_id, row.assignee_id = row.assignee_id, command.assignee_id
        row.assignee_name = command.assignee_name if command.assignee_id is not None else None
        move(
            unit,
            row,
            RequirementAction.ASSIGN,
            EventType.REQUIREMENT_ASSIGNED,
            assigneeId={"from": before_id, "to": row.assignee_id},
        )
        return row

    return await operate(session, actor, clock, "requirementAssign", command, Requirement, step)


async def prioritize(
    session: AsyncSession, actor: Actor, clock: Clock, command: Prioritize
) -> Outcome[Requirement]:
    """Say how soon risk should look at it."""

    async def step(unit: Unit) -> Requirement:
        row = await load(unit, command)
        before, row.priority = row.priority, Priority(command.priority).value
        move(
            unit,
            row,
            RequirementAction.PRIORITIZE,
            EventType.REQUIREMENT_UPDATED,
            priority={"from": before, "to": row.priority},
        )
        return row

    return await operate(session, actor, clock, "requirementPrioritize", command, Requirement, step)


async def reopen(
    session: AsyncSession, actor: Actor, clock: Clock, command: Reopen
) -> Outcome[Requirement]:
    """Ask again for what was satisfied or waived. The deadline, if not given, is the program's."""
    check_text(command.reason, MAX_REASON_LENGTH, "reason")

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        check_times(None, command.deadline, unit.now)
        deadline = command.deadline or after(unit.now, program.deadline_after)
        open_again(unit, row, program, unit.now, deadline, command.reason)
        notify(unit, NoticeKind.REQUESTED, row, program)
        return row

    return await operate(session, actor, clock, "requirementReopen", command, Requirement, step)


def _check_reasons(reasons: Sequence[Reason]) -> None:
    if len(reasons) > MAX_ENTRIES:
        raise InvalidInput(f"At most {MAX_ENTRIES} reasons.", ("requestedReasons",))
    for index, reason in enumerate(reasons):
        check_text(reason.code, MAX_CODE_LENGTH, "requestedReasons", str(index), "code")
        check_text(reason.message, MAX_MESSAGE_LENGTH, "requestedReasons", str(index), "message")


def _check_errors(errors: Sequence[Error], program: Program) -> None:
    if not 0 < len(errors) <= MAX_ENTRIES:
        raise InvalidInput(f"There must be between 1 and {MAX_ENTRIES} errors.", ("errors",))
    known = {entry["code"] for entry in program.error_codes}
    for index, error in enumerate(errors):
        where = ("errors", str(index))
        check_text(error.code, MAX_CODE_LENGTH, *where, "code")
        check_text(error.message, MAX_MESSAGE_LENGTH, *where, "message")
        check_optional_text(error.field, MAX_MESSAGE_LENGTH, *where, "field")
        check_optional_text(error.remedy, MAX_MESSAGE_LENGTH, *where, "remedy")
        if known and error.code not in known:
            message = f"The program {program.code} has no error code of this name."
            raise InvalidInput(message, (*where, "code"))
