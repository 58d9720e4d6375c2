"""A requirement's deadline: what follows from it, and how it moves on while risk has its turn."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import isodate

from models.aggregate import Unit
from models.durations import after, before
from models.errors import ErrorCode, InvalidInput, RecourseError
from models.events import EventType, SubjectType, instant
from models.permission import Refusal
from models.program import Program
from models.reminders import plan_reminder

if TYPE_CHECKING:
    from models.requirement import Requirement


class ExtensionLimit(RecourseError):
    """The program gives no more time than until this instant."""

    code = ErrorCode.EXTENSION_LIMIT

    def __init__(self, latest: datetime) -> None:
        super().__init__(f"The latest possible deadline is {instant(latest)}.", ("deadline",))


def set_deadline(
    row: "Requirement", deadline: datetime | None, program: Program, now: datetime
) -> None:
    """Set a first or another deadline, from which extensions count, and what follows from it."""
    row.latest_deadline = None if deadline is None else after(deadline, program.max_extension)
    extend_deadline(row, deadline, program, now)


def extend_deadline(
    row: "Requirement", deadline: datetime | None, program: Program, now: datetime
) -> None:
    """Move the deadline within its limit, and what follows from it: notice and reminders."""
    row.deadline = deadline
    row.notice_at = before(deadline, program.notice_period)
    if deadline and row.currently_due_at and row.currently_due_at > deadline:
        row.currently_due_at = deadline
    plan_reminder(row, program, now)


def move_on(
    unit: Unit, row: "Requirement", program: Program, since: datetime, until: datetime
) -> None:
    """Move on what lay ahead of the account at `since` by the time from then until `until`.

    The account has as long then as it had at `since`: what was due by then stays due, and a
    reminder whose instant had come, and that was not written yet, is still to be. Nothing where
    the program does not pause deadlines.
    """
    held = until - since
    if not program.pauses_deadline or held <= timedelta():
        return
    changes: dict[str, Any] = {}
    due, deadline, remind_at = row.currently_due_at, row.deadline, row.remind_at
    if due is not None and due > since:
        row.currently_due_at = due + held
        changes["currentlyDueAt"] = {"from": due, "to": row.currently_due_at}
    if deadline is not None:
        if row.latest_deadline is not None:
            row.latest_deadline += held
        extend_deadline(row, deadline + held, program, unit.now)
        if remind_at is not None and remind_at <= since:
            row.remind_at = remind_at
        changes["deadline"] = {"from": deadline, "to": row.deadline}
    if changes:
        subject = (SubjectType.REQUIREMENT, row.id)
        by = isodate.duration_isoformat(held)
        unit.record(EventType.REQUIREMENT_DEADLINE_MOVED, subject, {**changes, "by": by})


def check_times(
    currently_due_at: datetime | None, deadline: datetime | None, now: datetime
) -> None:
    """Raise `InvalidInput` for a deadline that has passed, or comes before what is due."""
    if deadline is not None and deadline <= now:
        raise InvalidInput("A deadline must lie in the future.", ("deadline",))
    if deadline and currently_due_at and currently_due_at > deadline:
        raise InvalidInput("What is due must come before its deadline.", ("currentlyDueAt",))


def extension_refusal(row: Any, now: datetime) -> Refusal | None:
    """Why a requirement, or a record of one, can't be given more time at `now`, if it can't."""
    if row.deadline is None:
        return Refusal(ErrorCode.INVALID_INPUT, "There is no deadline to extend.")
    latest = row.latest_deadline
    if latest is None or latest > max(row.deadline, now):
        return None
    limit = ExtensionLimit(latest)
    return Refusal(limit.code, limit.message)


def check_extension(row: "Requirement", deadline: datetime, now: datetime) -> None:
    """Raise `InvalidInput` unless the deadline is later than the present one, and than now.

    Raises `ExtensionLimit` where it is later than the program allows.
    """
    if row.deadline is None:
        raise InvalidInput("There is no deadline to extend.", ("deadline",))
    if deadline <= max(row.deadline, now):
        message = "The new deadline must lie in the future, later than the present one."
        raise InvalidInput(message, ("deadline",))
    if row.latest_deadline is not None and deadline > row.latest_deadline:
        raise ExtensionLimit(row.latest_deadline)
