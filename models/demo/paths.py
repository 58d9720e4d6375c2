"""The courses that a requirement of the demo may take, and the times that belong to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from models.durations import after
from models.program import Program

if TYPE_CHECKING:
    from models.demo.histories import History


class Act(StrEnum):
    """What may happen to a requirement in a history."""

    SUBMIT = "SUBMIT"
    REVIEW = "REVIEW"
    SEND_BACK = "SEND_BACK"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    WAIVE = "WAIVE"
    CONFIRM = "CONFIRM"
    DECLINE = "DECLINE"
    APPEAL = "APPEAL"
    UPHOLD = "UPHOLD"
    OVERTURN = "OVERTURN"
    CANCEL = "CANCEL"
    EXTEND = "EXTEND"
    REOPEN = "REOPEN"


class Phase(StrEnum):
    """Where a requirement's times lie, seen from the present."""

    EVENTUAL = "EVENTUAL"
    CURRENT = "CURRENT"
    NOTICED = "NOTICED"
    PAST = "PAST"
    OPEN_ENDED = "OPEN_ENDED"
    LONG_AGO = "LONG_AGO"


@dataclass(frozen=True)
class Path:
    """One course of a requirement: when it was opened, what has happened since, under what."""

    phase: Phase
    acts: tuple[Act, ...] = ()
    four_eyes: bool = False
    gates: bool = False

    def fits(self, program: Program) -> bool:
        """Whether the course is one that requirements of this program may take."""
        return program.four_eyes >= self.four_eyes and bool(program.gates) >= self.gates


@dataclass(frozen=True)
class Window:
    """The times of a requirement; what happens to it happens before `until`."""

    opened: datetime
    due: datetime | None
    deadline: datetime | None
    until: datetime


def window_of(history: "History", phase: Phase, program: Program) -> Window:
    """Times of which the present lies in `phase`."""
    now, days = history.now, history.days
    if phase is Phase.LONG_AGO:
        opened = now - days(30, 400)
        deadline = opened + days(25, 80)
        return Window(opened, opened + _grace(history), deadline, min(deadline, now))
    if phase is Phase.PAST:
        deadline = now - days(0.5, 30)
        opened = deadline - days(14, 60)
        return Window(opened, opened + _grace(history), deadline, now)
    opened = now - days(1, 20)
    if phase is Phase.OPEN_ENDED:
        return Window(opened, opened, None, now)
    if phase is Phase.EVENTUAL:
        due = now + days(2, 40)
        return Window(opened, due, due + days(7, 60), now)
    notice = (after(now, program.notice_period) or now) - now
    noticed = phase is Phase.NOTICED
    deadline = now + (notice * history.rng.uniform(0.1, 0.9) if noticed else notice + days(1, 40))
    return Window(opened, opened, deadline.replace(microsecond=0), now)


def _grace(history: "History") -> timedelta:
    return history.days(1, 7) if history.rng.random() < 0.3 else timedelta()
