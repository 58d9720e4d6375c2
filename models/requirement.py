"""A requirement: one thing that one account must provide or fix, under one program version.

What is done with it is in `requirement_operations.py`, `decision.py`, `appeal.py`, `referral.py`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Computed, Index
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from models.actor import ActorKind
from models.aggregate import NEVER, AccountCommand
from models.appeal_rules import AppealPending, appeal_checks, appeal_is_open
from models.base import AccountScoped, Base, Changing, OwnId, account_key, program_key, staff_only
from models.checks import are_finite, counts_changes, says_something
from models.errors import AlreadyExists, ErrorCode, RecourseError
from models.lifecycle import Lifecycle, one_of, some_of
from models.program import RequirementCategory
from models.referral_rules import referral_checks
from models.resolution import ResolutionOutcome
from models.review_target import target_checks
from models.status import AWAITING_RISK, OPEN_STATES, CapabilityKind, RequirementState
from models.unanswered import unanswered_check

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
    PRIORITIZE = "PRIORITIZE"
    REFER = "REFER"
    RECALL = "RECALL"
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
        **{(s, _A.PRIORITIZE): s for s in OPEN_STATES},
        **{(s, _A.REFER): s for s in AWAITING_RISK},
        **{(s, _A.RECALL): s for s in AWAITING_RISK},
        **{(s, _A.REOPEN): _S.ACTION_REQUIRED for s in (_S.SATISFIED, _S.WAIVED)},
    },
)
ACTION_OF_OUTCOME = {
    ResolutionOutcome.SATISFIED: _A.APPROVE,
    ResolutionOutcome.REJECTED: _A.REJECT,
    ResolutionOutcome.WAIVED: _A.WAIVE,
}
# What may be done while an appeal is open: it ends by being upheld or overturned, not otherwise.
DURING_APPEAL = frozenset({_A.ASSIGN, _A.PRIORITIZE, _A.REFER, _A.RECALL})
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
        # Somebody is reminded of what they have still to do, before it is too late.
        CheckConstraint(
            "remind_at IS NULL OR (state IN ('OPEN', 'ACTION_REQUIRED') "
            "AND coalesce(remind_at < deadline, false))",
            name="reminded_before_deadline",
        ),
        # What waits for risk was submitted.
        CheckConstraint(
            "state NOT IN ('SUBMITTED', 'IN_REVIEW') OR submitted_at IS NOT NULL",
            name="submitted_with_instant",
        ),
        *appeal_checks(),
        *target_checks(),
        *referral_checks(),
        unanswered_check(),
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
        says_something("says_something", "title", "opened_by_id"),
        # Who has a name has an id.
        CheckConstraint(
            "assignee_name IS NULL OR assignee_id IS NOT NULL", name="assignee_has_an_id"
        ),
        are_finite(
            "deadlines_finite", "currently_due_at", "notice_at", "deadline", "latest_deadline"
        ),
        are_finite("steps_finite", "created_at", "updated_at", "submitted_at", "closed_at"),
        are_finite("review_target_finite", "review_due_at", "review_at_risk_at"),
        counts_changes(),
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
    # When the account's user is reminded next; see `reminders.py`.
    remind_at: Mapped[datetime | None]
    # As far as the deadline may be moved on by extensions; any where missing.
    latest_deadline: Mapped[datetime | None]
    appeal_deadline: Mapped[datetime | None]
    appealed_at: Mapped[datetime | None]
    restricts_from: Mapped[datetime | None]
    restricts_until: Mapped[datetime | None]
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
    sort_review_due_at: Mapped[datetime] = mapped_column(
        Computed(f"coalesce(review_due_at, '{NEVER}'::timestamptz)", persisted=True)
    )
    review_at_risk_at: Mapped[datetime | None]
    review_left_seconds: Mapped[int | None]
    # Whom else risk waits for, and since when; see `referral.py`.
    referred_to: Mapped[str | None]
    referred_at: Mapped[datetime | None]
    # How many spans its ledger has; see `fair_clock.py`.
    span_number: Mapped[int]
    # Since when a message of the account's user waits for an answer; see `unanswered.py`.
    unanswered_since: Mapped[datetime | None]
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
class RequirementCommand(AccountCommand):
    """What every operation on one requirement takes. `expected_version` is the requirement's."""

    named = ("requirement", "id")

    requirement_id: uuid.UUID

    def objects(self) -> Mapping[str, Any]:
        """The requirement."""
        return {"requirement": self.requirement_id}


def check_allowed(row: Requirement, action: RequirementAction) -> None:
    """Raise `IllegalTransition`, or `AppealPending` where an appeal has to end first."""
    LIFECYCLE.target(row.state, action)
    if waits_for_appeal(row, action):
        raise AppealPending


def waits_for_appeal(row: Any, action: RequirementAction) -> bool:
    """Whether an open appeal has to end before the action."""
    return appeal_is_open(row) and action not in DURING_APPEAL


def is_open(row: Requirement) -> bool:
    """Whether something is still asked or looked at for the first time: no rejection stands."""
    return row.state in OPEN_STATES and not appeal_is_open(row)


def closed_reason_code(state: str, closed_reason: str | None) -> str | None:
    """The code of why a requirement ended; None while it is open, and for a cancellation in words.

    `cancel` takes no words that are the code.
    """
    in_words = state == RequirementState.CANCELED and closed_reason != ALTERNATIVE_SATISFIED
    return None if in_words else closed_reason
