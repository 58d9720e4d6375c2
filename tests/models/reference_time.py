"""Time as the reference model counts it: spans with months, and the working time of a place.

It shares no code with `models/`: which days are worked is asked of the same library of holidays,
what follows from that is found another way.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Span:
    """A duration as programs write it: months of the calendar, and plain time."""

    months: int = 0
    rest: timedelta = timedelta()

    @property
    def iso(self) -> str:
        """It in ISO 8601."""
        seconds = int(self.rest.total_seconds())
        months = f"{self.months}M" if self.months else ""
        return f"P{months}" + (f"T{seconds}S" if seconds else "")

    def after(self, start: datetime) -> datetime:
        """The instant this long after another."""
        return _month(start, self.months) + self.rest

    def before(self, end: datetime) -> datetime:
        """The instant this long before another."""
        return _month(end, -self.months) - self.rest


def days(count: float) -> Span:
    """So many days, of 24 hours each."""
    return Span(rest=timedelta(days=count))


def _month(at: datetime, by: int) -> datetime:
    """The same day of another month, or the month's last where it has no such day."""
    year, month = divmod(at.year * 12 + at.month - 1 + by, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return at.replace(year=year, month=month + 1, day=min(at.day, last))


@dataclass(frozen=True)
class Place:
    """Where working time is counted: a working day is a whole day of the place's clock."""

    region: str
    zone: str

    def passed(self, start: datetime, end: datetime) -> timedelta:
        """How much working time its clock shows between two instants, nothing backwards."""
        if end <= start:
            return timedelta()
        (first, since), (last, until) = self._shows(start), self._shows(end)
        whole = sum(_works(self.region, first + DAY * n) for n in range((last - first).days))
        parts = until * _works(self.region, last) - since * _works(self.region, first)
        return max(DAY * whole + parts, timedelta())

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The first instant by which so much working time has passed; `start` for none."""
        if span <= timedelta():
            return start
        day, left = self._shows(start)
        left = span + left * _works(self.region, day)
        while left > DAY * _works(self.region, day):
            left -= DAY * _works(self.region, day)
            day += DAY
        return self._first_showing(datetime.combine(day, time()) + left, start)

    def _shows(self, at: datetime) -> tuple[date, timedelta]:
        """The day there, and how far its clock has come on it."""
        local = at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        return local.date(), local - datetime.combine(local.date(), time())

    def _first_showing(self, wall: datetime, start: datetime) -> datetime:
        """The first instant from `start` at which the clock shows `wall`, or has left it out."""
        zone = ZoneInfo(self.zone)

        def shown(at: datetime) -> datetime:
            return at.astimezone(zone).replace(tzinfo=None)

        early, late = sorted(wall.replace(tzinfo=zone, fold=n).astimezone(UTC) for n in (0, 1))
        for at in (early, late):
            if at >= start and shown(at) == wall:
                return at
        # The clock was put forward over it: that happened at a whole second.
        early = early.replace(microsecond=0)
        while shown(early + SECOND) < wall:
            step = SECOND
            while shown(early + 2 * step) < wall:
                step *= 2
            early += step
        return early + SECOND


@lru_cache(maxsize=100_000)
def _works(region: str, day: date) -> bool:
    return _holidays(region).is_working_day(day)


@lru_cache(maxsize=16)
def _holidays(region: str) -> holidays.HolidayBase:
    country, _, subdivision = region.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None)
