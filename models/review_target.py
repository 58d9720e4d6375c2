"""Review targets: by when the platform promises to have looked at what was submitted.

The promise is the program's, `review_within`, counted in the working time of its business calendar.
What starts, pauses and ends it stands in one table. Stored are the instants that follow while it
runs, and what is left of it while the account or a third party has to act.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint

from models.program import Program
from models.working_time import Calendar, calendar_of, span_of

if TYPE_CHECKING:
    from models.requirement import Requirement

# Of a target, the last part of so many is at risk.
PARTS = 4


class ReviewTargetStatus(StrEnum):
    """How the promise to review stands to the clock."""

    ON_TRACK = "ON_TRACK"
    AT_RISK = "AT_RISK"
    BREACHED = "BREACHED"
    PAUSED = "PAUSED"


class Condition(StrEnum):
    """What happens to a target."""

    START = "START"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    STOP = "STOP"
    RESET = "RESET"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Rule:
    """When a condition comes about: by which actions on a requirement, paused or not."""

    actions: tuple[str, ...]
    paused: bool | None
    effect: str


# The names of actions are those of `RequirementAction`; what is not here leaves the target alone.
# An appeal that is upheld or overturned takes REJECT or APPROVE.
RULES: Mapping[Condition, Rule] = {
    Condition.START: Rule(("SUBMIT", "APPEAL"), False, "the whole target runs from now"),
    Condition.PAUSE: Rule(
        ("REQUEST_CHANGES", "REFER"), False, "what is left is kept, nothing runs"
    ),
    Condition.RESUME: Rule(("SUBMIT", "RECALL"), True, "what was left runs from now"),
    Condition.STOP: Rule(("APPROVE", "REJECT", "WAIVE"), None, "decided: there is no target"),
    Condition.RESET: Rule(("REOPEN",), None, "the next submission starts the whole target"),
    Condition.CANCEL: Rule(("CANCEL",), None, "given up: there is no target"),
}


def target_checks() -> list[CheckConstraint]:
    """What holds of the columns of a target, for the requirement's table."""
    return [
        # A review's target runs while risk has to act, and rests while others have.
        CheckConstraint(
            "review_due_at IS NULL "
            "OR (state IN ('SUBMITTED', 'IN_REVIEW') AND referred_at IS NULL)",
            name="review_target_runs_in_review",
        ),
        CheckConstraint(
            "coalesce(review_at_risk_at <= review_due_at, "
            "review_at_risk_at IS NULL AND review_due_at IS NULL)",
            name="review_at_risk_before_due",
        ),
        CheckConstraint(
            "review_left_seconds IS NULL OR (review_left_seconds >= 0 "
            "AND (state = 'ACTION_REQUIRED' OR referred_at IS NOT NULL))",
            name="review_target_rests_with_others",
        ),
    ]


def condition(action: str, paused: bool) -> Condition | None:
    """What an action on a requirement does to its target, if anything."""
    for found, rule in RULES.items():
        if action in rule.actions and rule.paused in (None, paused):
            return found
    return None


def follow(row: "Requirement", action: str, program: Program | None, now: datetime) -> None:
    """Bring the row's target to what an action at `now` makes of it.

    `program` is the requirement's; only what starts, pauses and resumes it needs it.
    """
    found = condition(action, row.review_left_seconds is not None)
    if found is None:
        return
    left = row.review_left_seconds
    due = row.review_due_at
    row.review_due_at = row.review_at_risk_at = row.review_left_seconds = None
    if program is None or program.review_within is None:
        return
    calendar = _calendar_of(program)
    whole = span_of(program.review_within, now)
    if found is Condition.START:
        _run(row, calendar, now, whole, whole)
    elif found is Condition.RESUME and left is not None:
        _run(row, calendar, now, timedelta(seconds=left), whole)
    elif found is Condition.PAUSE and due is not None:
        row.review_left_seconds = int(calendar.between(now, due).total_seconds())


def target_status(
    due_at: datetime | None, at_risk_at: datetime | None, left_seconds: int | None, now: datetime
) -> ReviewTargetStatus | None:
    """How a target stands at `now`; None where there is none.

    An instant belongs to what it begins.
    """
    if left_seconds is not None:
        return ReviewTargetStatus.PAUSED
    if due_at is None or at_risk_at is None:
        return None
    if due_at <= now:
        return ReviewTargetStatus.BREACHED
    return ReviewTargetStatus.AT_RISK if at_risk_at <= now else ReviewTargetStatus.ON_TRACK


def markdown() -> str:
    """The table of conditions, for the documentation."""
    words = {None: "", False: " (unless paused)", True: " (paused)"}
    rows = [
        f"| {name} | {', '.join(rule.actions)}{words[rule.paused]} | {rule.effect} |"
        for name, rule in RULES.items()
    ]
    return "\n".join(["| condition | comes with | effect |", "| --- | --- | --- |", *rows])


def _run(
    row: "Requirement", calendar: Calendar, now: datetime, left: timedelta, whole: timedelta
) -> None:
    row.review_due_at = calendar.after(now, left)
    row.review_at_risk_at = calendar.after(now, left - whole / PARTS)


def _calendar_of(program: Program) -> Calendar:
    return calendar_of(program.calendar_region, program.calendar_time_zone)
