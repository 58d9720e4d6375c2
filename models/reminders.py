"""Reminders: when an account's user is told once more of what they have still to do.

A program says how long before the deadline. A requirement's row has the next of these instants, so
long as it awaits its account. Those that were missed (nobody looked, several came at once, or an
alternative stood for it) make one reminder; a deadline that moves on makes anew those which are
still to come.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from models.aggregate import Unit
from models.durations import before
from models.program import Program
from models.status import AWAITING_ACCOUNT, handed_in_groups

if TYPE_CHECKING:
    from models.requirement import Requirement


def next_reminder(
    deadline: datetime | None, reminders: Iterable[str], now: datetime
) -> datetime | None:
    """The first instant after `now` that lies one of these durations before the deadline."""
    marks = (before(deadline, duration) for duration in reminders)
    return min((mark for mark in marks if mark is not None and mark > now), default=None)


def plan_reminder(row: "Requirement", program: Program, now: datetime) -> None:
    """Note when to remind of it next: never, where it does not await its account."""
    waits = row.state in AWAITING_ACCOUNT
    row.remind_at = next_reminder(row.deadline, program.reminders, now) if waits else None


def due_for_reminder(unit: Unit) -> list["Requirement"]:
    """Those whose instant has come; none while the account is rejected.

    What an alternative stands for waits until that is decided on: nobody has to provide it now.
    """
    due = (row for row in unit.requirements if row.remind_at and row.remind_at <= unit.now)
    return [row for row in due if _is_asked_for(unit, row)]


def is_needless(unit: Unit, row: "Requirement") -> bool:
    """Whether to remind of it now would be too late, or of what nobody has to provide."""
    too_late = row.deadline is None or row.deadline <= unit.now
    return too_late or not _is_asked_for(unit, row)


def _is_asked_for(unit: Unit, row: "Requirement") -> bool:
    """Whether its account is not rejected, and no alternative stands for it."""
    covered = row.alternative_group in handed_in_groups(unit.requirements)
    return unit.account.rejected_reason is None and not covered
