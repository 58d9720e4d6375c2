"""Working time: durations that pass on working days only, by the holidays of a place.

It is told by the wall clock of the place: a working day is a whole day there, from midnight to
midnight, and counts 24 hours even where the clock is changed on it. Weekends are the place's own.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

import holidays
import isodate

from models.errors import InvalidInput
from models.text import check_text

MAX_REGION_LENGTH = 20
MAX_TIME_ZONE_LENGTH = 100
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NO_TIME = timedelta()


class Calendar(Protocol):
    """What counts time: all of it, or working time only."""

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The instant at which `span` has passed since `start`; `start` for less than nothing."""
        ...

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much has passed from `start` to `end`; nothing where `end` comes first."""
        ...


class AllTime:
    """Every second counts."""

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The instant at which `span` has passed since `start`; `start` for less than nothing."""
        return start + max(span, NO_TIME)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much has passed from `start` to `end`; nothing where `end` comes first."""
        return max(end - start, NO_TIME)


class WorkingTime:
    """The working time of one place: `region` is ISO 3166 (DE, DE-BY), `time_zone` IANA's name."""

    def __init__(self, region: str, time_zone: str) -> None:
        country, _, subdivision = region.partition("-")
        self._holidays = holidays.country_holidays(country, subdiv=subdivision or None)
        self._zone = ZoneInfo(time_zone)

    def works_on(self, day: date) -> bool:
        """Whether it is a working day there."""
        return self._holidays.is_working_day(day)

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The instant at which `span` of working time has passed since `start`.

        What the clock leaves out ends when it does; of an hour that comes twice, it is the first
        that `start` is not after. So more time never ends sooner.
        """
        if span <= NO_TIME:
            return start
        at, left = self._shown(start), span
        while True:
            midnight = _next_midnight(at)
            if self.works_on(at.date()):
                if left <= midnight - at:
                    break
                left -= midnight - at
            at = midnight
        ended = self._instant(at + left)
        return ended if ended >= start else self._instant(at + left, fold=1)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from `start` to `end`; nothing where `end` comes first."""
        if end <= start:
            # Where the clock is put back, it may show a later hour at the earlier instant.
            return NO_TIME
        at, until = self._shown(start), self._shown(end)
        found = NO_TIME
        while at < until:
            midnight = min(_next_midnight(at), until)
            if self.works_on(at.date()):
                found += midnight - at
            at = midnight
        return found

    def _shown(self, at: datetime) -> datetime:
        """What the place's clock shows."""
        return at.astimezone(self._zone).replace(tzinfo=None, fold=0)

    def _instant(self, wall: datetime, fold: int = 0) -> datetime:
        """The instant at which the clock shows this; the gap's end where it never does."""
        there = wall.replace(tzinfo=self._zone, fold=fold)
        found = there.astimezone(UTC)
        if self._shown(found) == wall:
            return found
        return self._change_between(there.replace(fold=1).astimezone(UTC), found)

    def _change_between(self, before: datetime, after: datetime) -> datetime:
        """The instant at which the clock is changed, to the second, as changes are."""
        low, high = before.replace(microsecond=0), after.replace(microsecond=0)
        offset = low.astimezone(self._zone).utcoffset()
        while high - low > SECOND:
            middle = low + (high - low) // 2 // SECOND * SECOND
            if middle.astimezone(self._zone).utcoffset() == offset:
                low = middle
            else:
                high = middle
        return high


@lru_cache(maxsize=256)
def calendar_of(region: str | None, time_zone: str | None) -> Calendar:
    """The calendar of a place; without one, all time counts."""
    if region is None or time_zone is None:
        return AllTime()
    return WorkingTime(region, time_zone)


def span_of(duration: str, start: datetime) -> timedelta:
    """A duration as a plain span of time; months and years are those that follow `start`."""
    span: timedelta = (start + isodate.parse_duration(duration)) - start
    return span


def check_region(region: str, *field: str) -> str:
    """`region` if its holidays are known: a country, or a country and one of its subdivisions."""
    check_text(region, MAX_REGION_LENGTH, *field)
    country, dash, subdivision = region.partition("-")
    known = _regions().get(country)
    if known is None or (dash and subdivision not in known):
        message = "The holidays of this place are not known. A place is ISO 3166: DE, DE-BY, US-NY."
        raise InvalidInput(message, field)
    return region


def check_time_zone(name: str, *field: str) -> str:
    """`name` if it is a time zone of IANA's: Europe/Berlin."""
    check_text(name, MAX_TIME_ZONE_LENGTH, *field)
    if name not in _time_zones():
        raise InvalidInput("Not a time zone of IANA's, such as Europe/Berlin.", field)
    return name


def check_without_months(duration: str, *field: str) -> str:
    """`duration` if working days can be counted for it: in weeks, days and less."""
    parsed = isodate.parse_duration(duration, as_timedelta_if_possible=False)
    if parsed.months or parsed.years:
        raise InvalidInput("Working time is counted in days and less, such as P2D.", field)
    return duration


def _next_midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


@lru_cache(maxsize=1)
def _regions() -> dict[str, frozenset[str]]:
    listed = holidays.list_supported_countries(include_aliases=False)
    return {country: frozenset(subdivisions) for country, subdivisions in listed.items()}


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    # Without names that mean what the machine is set to.
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")
