"""What a referral is: while risk has a requirement, it may wait for somebody else about it.

Read by the requirement's table, by operations and by what they say is allowed.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint

from models.errors import ErrorCode, RecourseError
from models.status import AWAITING_RISK

MAX_THIRD_PARTY_LENGTH = 200


class AlreadyReferred(RecourseError):
    """Somebody else is waited for already."""

    code = ErrorCode.ALREADY_REFERRED

    def __init__(self) -> None:
        super().__init__("Somebody else is waited for already: recall it first.", ("id",))


class NotReferred(RecourseError):
    """Nobody else is waited for."""

    code = ErrorCode.NOT_REFERRED

    def __init__(self) -> None:
        super().__init__("Nobody else is waited for: there is nothing to recall.", ("id",))


def referral_checks() -> list[CheckConstraint]:
    """What holds of the columns of a referral, for the requirement's table."""
    return [
        # Whom it waits for has a name, and an instant since when.
        CheckConstraint(
            "(referred_at IS NULL) = (referred_to IS NULL) AND (referred_at IS NOT NULL) "
            f"= (coalesce(length(referred_to), 0) BETWEEN 1 AND {MAX_THIRD_PARTY_LENGTH})",
            name="referred_to_somebody",
        ),
        # Only risk waits for others: the account's turn is its own.
        CheckConstraint(
            "referred_at IS NULL OR state IN ('SUBMITTED', 'IN_REVIEW')",
            name="referred_in_review",
        ),
    ]


def is_referred(row: Any) -> bool:
    """Whether risk waits for somebody else about the requirement, or record of referred_at."""
    return row.referred_at is not None


def referral_refusal(row: Any, action: str) -> RecourseError | None:
    """Why a requirement, or record of it, can't be referred or recalled now; None if it can."""
    if action == "REFER":
        return AlreadyReferred() if is_referred(row) else None
    return NotReferred() if action == "RECALL" and not is_referred(row) else None


def follow(row: Any, action: str, third_party: str | None, now: datetime) -> None:
    """Bring the row's referral to what an action at `now` makes of it, which has set the state.

    `third_party` is whom a REFER names. What takes a requirement out of risk's hands ends it.
    """
    if action == "REFER":
        row.referred_to, row.referred_at = third_party, now
    elif action == "RECALL" or row.state not in AWAITING_RISK:
        row.referred_to = row.referred_at = None
