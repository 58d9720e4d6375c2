"""A requirement: one thing that one account must provide or fix, under one program version.

What ends it by a decision (approve, reject, waive) is in `decision.py`, appeals are in `appeal.py`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Index,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from models.actor import Actor, ActorKind, Role, Scope
from models.aggregate import NEVER, AccountCommand, Unit, operate
from models.appeal_rules import AppealPending, appeal_checks, appeal_is_open
from models.base import (
    AccountScoped,
    Base,
    Changing,
    OwnId,
    account_key,
    program_key,
    staff_only,
    stamp,
)
from models.clock import Clock
from models.deadlines import (
    check_extension,
    check_times,
    extend_deadline,
    give_back,
    set_deadline,
)
from models.durations import after
from models.errors import AlreadyExists, ErrorCode, Forbidden, InvalidInput, RecourseError
from models.events import EventType, SubjectType
from models.evidence import (
    DocumentReference,
    Evidence,
    check_evidence,
    new_evidence,
    payload_hash,
)
from models.fair_clock import begin, hand_over
from models.lifecycle import Lifecycle, expect_version, one_of, some_of
from models.notice_texts import NoticeKind
from models.notices import notify
from models.outcome import Outcome
from models.permission import Refusal
from models.program import Program, ProgramNotPublished, RequirementCategory
from models.resolution import ResolutionOutcome, decline_pending
from models.review_target import follow, target_checks
from models.status import (
    OPEN_STATES,
    CapabilityKind,
    RequirementState,
)
from models.text import check_optional_text, check_text

MAX_MESSAGE_LENGTH = 1_000
MAX_CODE_LENGTH = 100
MAX_REASON_LENGTH = 2_000
MAX_ACTOR_ID_LENGTH = 200
MAX_ENTRIES = 50
ALTERNATIVE_SATISFIED = "ALTERNATIVE_SATISFIED"


class RequirementAction(StrEnum):
    """What may be done with a requirement."""

    SUBMIT = "SUBMIT"
    START_REVIEW = "START_REVIEW"
    APPROVE = "APPROVE"
    REQUEST_CHANGES = "REQUEST_CHANGES"
    REJECT = "REJECT"
    APPEAL = "APPEAL"
    WAIVE = "WAIVE"
    CANCEL = "CANCEL"
    EXTEND = "EXTEND"
    ASSIGN = "ASSIGN"
    REOPEN = "REOPEN"


class Priority(StrEnum):
    """How soon risk should look at it."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"


_S, _A = RequirementState, RequirementAction
LIFECYCLE = Lifecycle(
    noun="requirement",
    states=tuple(RequirementState),
    transitions={
        **{(s, _A.SUBMIT): _S.SUBMITTED for s in (_S.OPEN, _S.ACTION_REQUIRED)},
        (_S.SUBMITTED, _A.START_REVIEW): _S.IN_REVIEW,
        **{(s, _A.APPROVE): _S.SATISFIED for s in (_S.SUBMITTED, _S.IN_REVIEW)},
        **{(s, _A.REQUEST_CHANGES): _S.ACTION_REQUIRED for s in (_S.SUBMITTED, _S.IN_REVIEW)},
        **{(s, _A.REJECT): _S.REJECTED for s in (_S.SUBMITTED, _S.IN_REVIEW)},
        (_S.REJECTED, _A.APPEAL): _S.IN_REVIEW,
        **{(s, _A.WAIVE): _S.WAIVED for s in OPEN_STATES},
        **{(s, _A.CANCEL): _S.CANCELED for s in OPEN_STATES},
        **{(s, _A.EXTEND): s for s in OPEN_STATES},
        **{(s, _A.ASSIGN): s for s in OPEN_STATES},
        **{(s, _A.REOPEN): _S.ACTION_REQUIRED for s in (_S.SATISFIED, _S.WAIVED)},
    },
)
_REVIEWERS = frozenset({Role.REVIEWER, Role.ADMIN})
OPENERS = frozenset({Role.INTEGRATOR, Role.REVIEWER, Role.ADMIN})
ROLES: dict[RequirementAction, frozenset[Role]] = {
    **dict.fromkeys(RequirementAction, _REVIEWERS),
    _A.SUBMIT: _REVIEWERS | {Role.ACCOUNT_USER},
    _A.APPEAL: _REVIEWERS | {Role.ACCOUNT_USER},
    _A.CANCEL: frozenset({Role.INTEGRATOR, Role.ADMIN}),
}
ACTION_OF_OUTCOME = {
    ResolutionOutcome.SATISFIED: _A.APPROVE,
    ResolutionOutcome.REJECTED: _A.REJECT,
    ResolutionOutcome.WAIVED: _A.WAIVE,
}
# What may be done while an appeal is open: it ends by being upheld or overturned, not otherwise.
DURING_APPEAL = frozenset({_A.ASSIGN})
ENDED_STATES = tuple(state for state in RequirementState if state not in OPEN_STATES)


class Requirement(AccountScoped, OwnId, Changing, Base):
    """One thing asked of one account. It carries its program's texts and effects as they were."""

    __tablename__ = "requirements"
    __table_args__ = (
        account_key(),
        program_key(),
        LIFECYCLE.check(),
        one_of("category", list(RequirementCategory)),
        one_of("priority", list(Priority)),
        one_of("proposed_outcome", list(ResolutionOutcome)),
        one_of("opened_by_kind", list(ActorKind)),
        # Closed means ended, at an instant.
        CheckConstraint(
            f"(state IN ({', '.join(repr(str(s)) for s in ENDED_STATES)})) "
            "= (closed_at IS NOT NULL)",
            name="closed_with_instant",
        ),
        # What was canceled says why.
        CheckConstraint(
            "state <> 'CANCELED' OR closed_reason IS NOT NULL", name="canceled_with_reason"
        ),
        # First it is due, then notice is given or not, then it is too late.
        CheckConstraint("deadline >= currently_due_at", name="deadline_after_due"),
        # No extension goes beyond what the program gives.
        CheckConstraint(
            "latest_deadline IS NULL OR (deadline IS NOT NULL AND deadline <= latest_deadline)",
            name="deadline_within_limit",
        ),
        CheckConstraint(
            "notice_at IS NULL OR (deadline IS NOT NULL AND notice_at <= deadline)",
            name="notice_before_deadline",
        ),
        # What waits for risk was submitted.
        CheckConstraint(
            "state NOT IN ('SUBMITTED', 'IN_REVIEW') OR submitted_at IS NOT NULL",
            name="submitted_with_instant",
        ),
        *appeal_checks(),
        *target_checks(),
        some_of("restricts", list(CapabilityKind)),
        some_of("gates", list(CapabilityKind)),
        CheckConstraint(
            "alternative_option IS NULL OR alternative_group IS NOT NULL",
            name="option_within_group",
        ),
        # What is decided can't be proposed any more.
        CheckConstraint(
            "proposed_outcome IS NULL OR closed_at IS NULL", name="proposal_while_open"
        ),
        Index(
            "ux_requirements_origin",
            "account_id",
            "origin",
            unique=True,
            postgresql_where="closed_at IS NULL AND appealed_at IS NULL AND origin IS NOT NULL",
        ),
        Index(
            "ix_requirements_live",
            "account_id",
            postgresql_where="state IN ('OPEN', 'ACTION_REQUIRED', 'SUBMITTED', 'IN_REVIEW', "
            "'REJECTED')",
        ),
    )

    program_code: Mapped[str]
    program_version: Mapped[int]
    category: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    requested_reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str]
    currently_due_at: Mapped[datetime | None]
    notice_at: Mapped[datetime | None]
    deadline: Mapped[datetime | None]
    sort_deadline: Mapped[datetime] = mapped_column(
        Computed(f"coalesce(deadline, '{NEVER}'::timestamptz)", persisted=True)
    )
    # As far as the deadline may be moved on by extensions; any where missing.
    latest_deadline: Mapped[datetime | None]
    appeal_deadline: Mapped[datetime | None]
    appealed_at: Mapped[datetime | None]
    restricts_from: Mapped[datetime | None]
    restricts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    gates: Mapped[list[str]] = mapped_column(ARRAY(Text))
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    alternative_group: Mapped[str | None]
    alternative_option: Mapped[str | None]
    priority: Mapped[str]
    assignee_id: Mapped[str | None] = staff_only()
    assignee_name: Mapped[str | None] = staff_only()
    assignee_key: Mapped[str] = staff_only(Computed("coalesce(assignee_id, '')", persisted=True))
    origin: Mapped[str | None]
    opened_by_kind: Mapped[str]
    opened_by_id: Mapped[str]
    opened_by_name: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    # The promise to review: when it runs out, from when on that is near, what is left in a pause.
    review_due_at: Mapped[datetime | None]
    review_at_risk_at: Mapped[datetime | None]
    review_left_seconds: Mapped[int | None]
    # How many spans its ledger has; see `fair_clock.py`.
    span_number: Mapped[int]
    proposed_outcome: Mapped[str | None] = staff_only()
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None]


class ProposalPending(RecourseError):
    """A proposed decision waits for its second pair of eyes."""

    code = ErrorCode.PROPOSAL_PENDING

    def __init__(self, outcome: str) -> None:
        super().__init__(f"A proposal ({outcome}) waits to be approved or declined.", ("id",))


class AskedAlready(AlreadyExists):
    """The same thing, from the same import, is asked by an open requirement."""

    def __init__(self) -> None:
        super().__init__("Another open requirement asks for the same.", ("id",))


@dataclass(frozen=True)
class Reason:
    """Why a requirement was opened: a code of the opener's and words for the account's user."""

    code: str
    message: str


@dataclass(frozen=True)
class Error:
    """What is wrong with what was submitted: a code of the program's, words, and where."""

    code: str
    message: str
    field: str | None = None
    remedy: str | None = None


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
class RequirementCommand(AccountCommand):
    """What every operation on one requirement takes. `expected_version` is the requirement's."""

    named = ("requirement", "id")

    requirement_id: uuid.UUID

    def objects(self) -> Mapping[str, Any]:
        """The requirement."""
        return {"requirement": self.requirement_id}


@dataclass(frozen=True, kw_only=True)
class Submit(RequirementCommand):
    """What `submit` takes."""

    payload: Any | None = None
    documents: tuple[DocumentReference, ...] = ()


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
    actor.require(OPENERS, "open requirements")
    check_text(command.program, MAX_CODE_LENGTH, "program")
    _check_reasons(command.requested_reasons)
    check_optional_text(command.alternative_group, MAX_CODE_LENGTH, "alternativeGroup")

    async def step(unit: Unit) -> Requirement:
        unit.expect_version(command.expected_version)
        program = unit.find(Program)
        if program is None:
            raise ProgramNotPublished(command.program)
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
    """Hand in evidence. Raises `EvidenceInvalid` with a problem per place, `IllegalTransition`."""
    require_role(actor, RequirementAction.SUBMIT)

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        LIFECYCLE.target(row.state, RequirementAction.SUBMIT)
        check_evidence(program, command.payload, command.documents)
        submit_evidence(unit, row, program, command.payload, command.documents)
        return row

    return await operate(session, actor, clock, "requirementSubmit", command, Requirement, step)


async def start_review(
    session: AsyncSession, actor: Actor, clock: Clock, command: StartReview
) -> Outcome[Requirement]:
    """Take what was submitted into review."""
    require_role(actor, RequirementAction.START_REVIEW)

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
    require_role(actor, RequirementAction.REQUEST_CHANGES)

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        check_allowed(row, RequirementAction.REQUEST_CHANGES)
        _check_errors(command.errors, program)
        send_back(unit, row, program, command.errors)
        notify(unit, NoticeKind.CHANGES_REQUESTED, row, program)
        await drop_proposal(unit, row)
        return row

    return await operate(
        session, actor, clock, "requirementRequestChanges", command, Requirement, step
    )


async def cancel(
    session: AsyncSession, actor: Actor, clock: Clock, command: Cancel
) -> Outcome[Requirement]:
    """End it without a decision. An integrator cancels only what it opened itself."""
    require_role(actor, RequirementAction.CANCEL)
    check_text(command.reason, MAX_REASON_LENGTH, "reason")

    async def step(unit: Unit) -> Requirement:
        row = await load(unit, command)
        if actor.role is Role.INTEGRATOR and row.opened_by_id != actor.id:
            raise Forbidden("An integrator may cancel only what it opened itself.")
        check_allowed(row, RequirementAction.CANCEL)
        end(unit, row, RequirementAction.CANCEL, EventType.REQUIREMENT_CANCELED, command.reason)
        await drop_proposal(unit, row)
        return row

    return await operate(session, actor, clock, "requirementCancel", command, Requirement, step)


async def extend(
    session: AsyncSession, actor: Actor, clock: Clock, command: Extend
) -> Outcome[Requirement]:
    """Give it a later deadline."""
    require_role(actor, RequirementAction.EXTEND)

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        check_allowed(row, RequirementAction.EXTEND)
        check_extension(row, command.deadline, unit.now)
        extend_deadline(row, command.deadline, program)
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
    require_role(actor, RequirementAction.ASSIGN)
    check_optional_text(command.assignee_id, MAX_ACTOR_ID_LENGTH, "assigneeId")
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


async def reopen(
    session: AsyncSession, actor: Actor, clock: Clock, command: Reopen
) -> Outcome[Requirement]:
    """Ask again for what was satisfied or waived. The deadline, if not given, is the program's."""
    require_role(actor, RequirementAction.REOPEN)
    check_text(command.reason, MAX_REASON_LENGTH, "reason")

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        check_times(None, command.deadline, unit.now)
        deadline = command.deadline or after(unit.now, program.deadline_after)
        open_again(unit, row, program, unit.now, deadline, command.reason)
        notify(unit, NoticeKind.REQUESTED, row, program)
        return row

    return await operate(session, actor, clock, "requirementReopen", command, Requirement, step)


def check_allowed(row: Requirement, action: RequirementAction) -> None:
    """Raise `IllegalTransition`, or `AppealPending` where an appeal has to end first."""
    LIFECYCLE.target(row.state, action)
    if waits_for_appeal(row, action):
        raise AppealPending


def waits_for_appeal(row: Any, action: RequirementAction) -> bool:
    """Whether an open appeal has to end before the action."""
    return appeal_is_open(row) and action not in DURING_APPEAL


def require_role(actor: Actor, action: RequirementAction) -> None:
    """Raise `Forbidden` unless the actor's role, and for a waiver its scope, allow the action."""
    if (refusal := role_refusal(actor, action)) is not None:
        raise Forbidden(refusal.message)


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
    set_deadline(row, deadline, program)
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


def submit_evidence(
    unit: Unit,
    row: Requirement,
    program: Program,
    payload: Any | None,
    documents: Sequence[DocumentReference],
) -> Evidence:
    """Write evidence and move the requirement to risk, within an open unit."""
    evidence = new_evidence(unit, row.id, payload, documents)
    row.submitted_at, row.errors = unit.now, []
    move(
        unit,
        row,
        RequirementAction.SUBMIT,
        EventType.REQUIREMENT_SUBMITTED,
        program,
        evidenceId=evidence.id,
        payloadSha256=None if payload is None else payload_hash(payload),
        documentSha256=[document.sha256 for document in documents],
    )
    return evidence


def send_back(unit: Unit, row: Requirement, program: Program, errors: Sequence[Error]) -> None:
    """Move the requirement back to the account with what is wrong, within an open unit.

    Where the program says so, the account gets back the time that risk has had it.
    """
    row.errors = [asdict(error) for error in errors]
    move(
        unit,
        row,
        RequirementAction.REQUEST_CHANGES,
        EventType.REQUIREMENT_CHANGES_REQUESTED,
        program,
        errors=[{"code": error.code, "field": error.field} for error in errors],
    )
    give_back(unit, row, program)


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
    set_deadline(row, deadline, program)
    row.requested_reasons = [*row.requested_reasons, asdict(Reason("reopened", reason))]
    move(
        unit,
        row,
        RequirementAction.REOPEN,
        EventType.REQUIREMENT_REOPENED,
        reason=reason,
        deadline=row.deadline,
    )
    row.closed_at = row.closed_reason = None


def end_alternatives(unit: Unit, ended: Requirement) -> list[Requirement]:
    """Cancel what an ended requirement was an alternative to; returns the canceled ones.

    An option of several requirements counts once all of them have ended. A rejection stays, and so
    does its appeal.
    """
    if ended.alternative_group is None:
        return []
    others = [
        row
        for row in unit.requirements
        if row is not ended and row.alternative_group == ended.alternative_group and is_open(row)
    ]
    option = ended.alternative_option
    if option is not None and any(row.alternative_option == option for row in others):
        return []
    for row in others:
        end(
            unit,
            row,
            RequirementAction.CANCEL,
            EventType.REQUIREMENT_CANCELED,
            ALTERNATIVE_SATISFIED,
        )
    return others


def is_open(row: Requirement) -> bool:
    """Whether something is still asked or looked at for the first time: no rejection stands."""
    return row.state in OPEN_STATES and not appeal_is_open(row)


async def drop_proposal(unit: Unit, row: Requirement) -> None:
    """Decline a pending proposal that the requirement's state no longer allows."""
    if row.proposed_outcome is None:
        return
    action = ACTION_OF_OUTCOME[ResolutionOutcome(row.proposed_outcome)]
    if action not in LIFECYCLE.actions_from(row.state):
        await decline_pending(unit, row)


def move(
    unit: Unit,
    row: Requirement,
    action: RequirementAction,
    event: EventType,
    program: Program | None = None,
    **changes: Any,
) -> None:
    """Take one arrow of the lifecycle and record it, within an open unit.

    `program` is the requirement's: a submission and what sends it back need it.
    """
    before_state, after_state = LIFECYCLE.advance(row, action, unit.now)
    hand_over(unit, row, before_state, after_state)
    follow(row, action, program, unit.now)
    if before_state != after_state:
        changes = {"state": {"from": before_state, "to": after_state}, **changes}
    unit.record(event, (SubjectType.REQUIREMENT, row.id), changes)


def role_refusal(actor: Actor, action: RequirementAction) -> Refusal | None:
    """What the actor's role, and for a waiver its scope, say against the action."""
    if actor.role is not Role.SYSTEM and actor.role not in ROLES[action]:
        message = f"The role {actor.role} may not take the action {action}."
        return Refusal(ErrorCode.FORBIDDEN, message)
    if action is _A.WAIVE and Scope.REQUIREMENT_WAIVE not in actor.scopes:
        return Refusal(ErrorCode.FORBIDDEN, f"This needs the scope {Scope.REQUIREMENT_WAIVE}.")
    return None


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
