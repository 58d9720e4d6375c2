"""What an appeal asks of its requirement: read by operations and by what they say is allowed.

A rejection can be appealed once, before its deadline. While the appeal is open the requirement is
in review, and nobody ends it but who upholds or overturns the rejection.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint

from models.checks import are_finite
from models.errors import ErrorCode, RecourseError
from models.status import RequirementState

APPEAL_OVERTURNED = "appeal_overturned"
MAX_APPEAL_LENGTH = 5_000


class AppealPending(RecourseError):
    """The rejection was appealed, and whoever decides on the appeal has the word."""

    code = ErrorCode.APPEAL_PENDING

    def __init__(self) -> None:
        super().__init__("An appeal is open: it is upheld or overturned first.", ("id",))


class AppealWindowClosed(RecourseError):
    """The time in which the rejection could be appealed is over."""

    code = ErrorCode.APPEAL_WINDOW_CLOSED

    def __init__(self) -> None:
        super().__init__("The time to appeal is over.", ("id",))


class AlreadyAppealed(RecourseError):
    """The rejection was appealed before, and upheld."""

    code = ErrorCode.ALREADY_APPEALED

    def __init__(self) -> None:
        super().__init__("The rejection was appealed already, and upheld.", ("id",))


def appeal_checks() -> list[CheckConstraint]:
    """What holds of a rejection and its appeal, for the requirement's table."""
    return [
        # A rejection stands while the requirement is rejected, and while an appeal is open.
        CheckConstraint(
            "(state = 'REJECTED' OR (state = 'IN_REVIEW' AND appealed_at IS NOT NULL)) "
            "= (restricts_from IS NOT NULL)",
            name="rejection_restricts",
        ),
        # What restricts for a time does not end before it begins; it may never begin.
        CheckConstraint(
            "restricts_until IS NULL "
            "OR (restricts_from IS NOT NULL AND restricts_until >= restricts_from)",
            name="restricts_for_a_time",
        ),
        # What is rejected says until when it may be appealed.
        CheckConstraint(
            "state <> 'REJECTED' OR appeal_deadline IS NOT NULL", name="rejection_can_be_appealed"
        ),
        # An appeal is open, or has ended one way or the other.
        CheckConstraint(
            "appealed_at IS NULL OR state IN ('IN_REVIEW', 'REJECTED', 'SATISFIED')",
            name="appealed_while_rejected",
        ),
        # It was appealed while there was time to, and there was some.
        CheckConstraint(
            "appealed_at IS NULL OR coalesce(appealed_at < appeal_deadline, false)",
            name="time_to_appeal_kept",
        ),
        CheckConstraint(
            "state <> 'REJECTED' OR appealed_at IS NOT NULL "
            "OR coalesce(appeal_deadline >= closed_at, false)",
            name="time_to_appeal_after_rejection",
        ),
        # Nothing is proposed while an appeal is open.
        CheckConstraint(
            "proposed_outcome IS NULL OR state <> 'IN_REVIEW' OR appealed_at IS NULL",
            name="proposal_before_appeal",
        ),
        are_finite(
            "rejection_finite",
            "appeal_deadline",
            "appealed_at",
            "restricts_from",
            "restricts_until",
        ),
    ]


def resolution_appeal_checks() -> tuple[CheckConstraint, ...]:
    """What the database asks of the columns of an appeal, for the resolution's table."""
    return (
        # Only a rejection is appealed: by somebody, at an instant, with a statement.
        CheckConstraint(
            "(state IN ('APPEALED', 'UPHELD', 'OVERTURNED')) = (appealed_at IS NOT NULL) "
            "AND (appealed_at IS NULL) = (appealed_by_id IS NULL) "
            "AND (appealed_at IS NULL) = (appealed_by_kind IS NULL) "
            "AND (appealed_at IS NULL OR outcome = 'REJECTED') "
            "AND (appealed_at IS NOT NULL) "
            f"= (coalesce(length(appeal_statement), 0) BETWEEN 1 AND {MAX_APPEAL_LENGTH})",
            name="appealed_with_statement",
        ),
        # An appeal is decided at an instant, by a person, with reasons.
        CheckConstraint(
            "(state IN ('UPHELD', 'OVERTURNED')) = (appeal_decided_at IS NOT NULL) "
            "AND (appeal_decided_at IS NULL) = (appeal_decided_by_id IS NULL) "
            "AND (appeal_decided_at IS NOT NULL) "
            "= (coalesce(appeal_decided_by_kind, '') = 'REVIEWER') "
            "AND (appeal_decided_at IS NOT NULL) "
            f"= (coalesce(length(appeal_reasons), 0) BETWEEN 1 AND {MAX_APPEAL_LENGTH})",
            name="appeal_decided_by_reviewer",
        ),
        # Whoever proposed or took the decision does not decide on its appeal; the operation goes by
        # the id alone, as for four eyes.
        CheckConstraint(
            "appeal_decided_by_id IS NULL "
            "OR ((appeal_decided_by_kind, appeal_decided_by_id) "
            "IS DISTINCT FROM (proposed_by_kind, proposed_by_id) "
            "AND (appeal_decided_by_kind, appeal_decided_by_id) "
            "IS DISTINCT FROM (decided_by_kind, decided_by_id))",
            name="appeal_decided_by_another",
        ),
        # Nor does who filed it for the account; not held against what was decided before.
        CheckConstraint(
            "appeal_decided_by_id IS NULL OR (appeal_decided_by_kind, appeal_decided_by_id) "
            "IS DISTINCT FROM (appealed_by_kind, appealed_by_id)",
            name="appeal_not_decided_by_who_filed_it",
        ),
        # It follows the decision, and is decided on after.
        CheckConstraint(
            "coalesce(appealed_at >= decided_at, true) "
            "AND coalesce(appeal_decided_at >= appealed_at, true)",
            name="steps_in_order",
        ),
        are_finite("decided_finite", "decided_at", "appealed_at", "appeal_decided_at"),
    )


def appeal_is_open(row: Any) -> bool:
    """Whether the requirement, or record of its state and appealed_at, is in review by appeal."""
    return row.appealed_at is not None and row.state == RequirementState.IN_REVIEW


def appeal_refusal(row: Any, now: datetime) -> RecourseError | None:
    """Why a rejected requirement, or record of it, can't be appealed at `now`; None if it can."""
    if row.appealed_at is not None:
        return AlreadyAppealed()
    return AppealWindowClosed() if row.appeal_deadline <= now else None
