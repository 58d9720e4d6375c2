"""Working time, over weekends, holidays and changes of the clock."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput
from models.working_time import (
    AllTime,
    WorkingTime,
    calendar_of,
    check_region,
    check_time_zone,
    check_without_months,
    span_of,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def local(zone: str, text: str) -> datetime:
    """An instant by the wall clock of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("region", "zone", "start", "span", "end", "why"),
    [
        ("DE", "Europe/Berlin", "2026-03-03 15:00", DAY, "2026-03-04 15:00", "within the week"),
        ("DE", "Europe/Berlin", "2026-03-06 15:00", DAY, "2026-03-09 15:00", "over a weekend"),
        ("DE", "Europe/Berlin", "2026-03-06 22:00", 4 * HOUR, "2026-03-09 02:00", "hours, too"),
        ("DE", "Europe/Berlin", "2026-03-07 12:00", DAY, "2026-03-10 00:00", "from a Saturday"),
        ("DE", "Europe/Berlin", "2026-03-06 00:00", DAY, "2026-03-07 00:00", "to its midnight"),
        # Good Friday and Easter Monday.
        ("DE", "Europe/Berlin", "2026-04-02 10:00", DAY, "2026-04-07 10:00", "over Easter"),
        # Epiphany, a Tuesday, is a holiday in Bavaria and none in Berlin.
        ("DE-BY", "Europe/Berlin", "2026-01-05 10:00", DAY, "2026-01-07 10:00", "Bavaria"),
        ("DE-BE", "Europe/Berlin", "2026-01-05 10:00", DAY, "2026-01-06 10:00", "Berlin"),
        # New Year, in two years' holidays.
        ("DE", "Europe/Berlin", "2026-12-31 10:00", DAY, "2027-01-04 10:00", "over New Year"),
        # Independence Day of 2026 is a Saturday, kept on Friday.
        ("US", "America/New_York", "2026-07-02 10:00", DAY, "2026-07-06 10:00", "moved holiday"),
        # Friday and Saturday are the weekend.
        ("SA", "Asia/Riyadh", "2026-03-05 10:00", DAY, "2026-03-08 10:00", "another weekend"),
        # The clock goes forward on Sunday March 29, back on October 25.
        ("DE", "Europe/Berlin", "2026-03-27 15:00", DAY, "2026-03-30 15:00", "into summer time"),
        ("DE", "Europe/Berlin", "2026-10-23 15:00", DAY, "2026-10-26 15:00", "out of it"),
        # In Israel it goes forward on a Friday, which is of its weekend.
        ("IL", "Asia/Jerusalem", "2026-03-26 15:00", DAY, "2026-03-29 15:00", "on a Friday"),
        # In Lord Howe's time by half an hour, on a Sunday.
        ("AU", "Australia/Lord_Howe", "2026-10-02 15:00", DAY, "2026-10-05 15:00", "by half"),
    ],
)
def test_a_working_day_is_a_day_later_on_a_working_day(
    region: str, zone: str, start: str, span: timedelta, end: str, why: str
) -> None:
    calendar = WorkingTime(region, zone)
    begun = local(zone, start)
    ended = calendar.after(begun, span)
    assert ended.astimezone(ZoneInfo(zone)) == local(zone, end), why
    assert ended.tzinfo is UTC
    assert calendar.between(begun, ended) == span


def test_a_day_on_which_the_clock_is_changed_counts_like_any_other() -> None:
    # A Sunday, on which those work whose weekend is Friday and Saturday.
    calendar, zone = WorkingTime("SA", "Europe/Berlin"), "Europe/Berlin"
    spring, autumn = local(zone, "2026-03-29 01:00"), local(zone, "2026-10-25 01:00")
    for start, shift in ((spring, -HOUR), (autumn, HOUR)):
        ended = calendar.after(start, DAY)
        assert ended - start == DAY + shift
        assert calendar.between(start, ended) == DAY


def test_an_hour_that_comes_twice_ends_in_the_one_it_began_in() -> None:
    # On Sundays nobody works in Berlin; in Riyadh's week they do, by Berlin's clock.
    calendar = WorkingTime("SA", "Europe/Berlin")
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    first, second = twice.astimezone(UTC), twice.replace(fold=1).astimezone(UTC)
    assert second - first == HOUR
    for begun in (first, second):
        assert calendar.after(begun, timedelta(minutes=15)) - begun == timedelta(minutes=15)


@pytest.mark.parametrize("minutes", [46, 60, 75, 105])
def test_an_hour_that_is_left_out_has_passed_when_the_clock_is_put_forward(minutes: int) -> None:
    calendar, zone = WorkingTime("SA", "Europe/Berlin"), "Europe/Berlin"
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    begun = local(zone, "2026-03-29 01:14:00.000001")
    assert calendar.after(begun, timedelta(minutes=minutes)) == change
    # The clock shows three then: what comes after is counted from there.
    assert calendar.after(begun, timedelta(minutes=106)) == change + timedelta(microseconds=1)


def test_what_ended_before_the_clock_was_put_back_leaves_nothing() -> None:
    calendar = WorkingTime("SA", "Europe/Berlin")
    ended = datetime(2026, 10, 25, 2, 50, tzinfo=BERLIN).astimezone(UTC)
    later = datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=BERLIN).astimezone(UTC)
    assert later - ended == timedelta(minutes=20)
    assert calendar.between(later, ended) == timedelta()


def test_a_time_that_the_clock_leaves_out_is_the_end_of_what_it_leaves_out() -> None:
    # At 02:00 the clock goes to 03:00, on a Sunday.
    calendar, zone = WorkingTime("SA", "Europe/Berlin"), "Europe/Berlin"
    start, three = local(zone, "2026-03-29 01:50"), local(zone, "2026-03-29 03:00")
    minutes = {9: local(zone, "2026-03-29 01:59"), 10: three, 40: three, 70: three}
    minutes[80] = local(zone, "2026-03-29 03:10")
    ends = {each: calendar.after(start, timedelta(minutes=each)) for each in minutes}
    assert ends == minutes


# Regions that work on the days on which the clock of their zone is changed, and the years of that:
# by an hour at night, by half of one, at midnight, a minute after it, by a whole day.
CHANGES = [
    ("SA", "Europe/Berlin", 2026),
    ("SA", "Australia/Lord_Howe", 2026),
    ("DE", "Asia/Jerusalem", 2026),
    ("SA", "Asia/Beirut", 2026),
    ("SA", "America/Santiago", 2026),
    ("SA", "America/St_Johns", 2009),
    ("US", "Pacific/Apia", 2011),
    ("DE-BY", "Europe/Berlin", 2026),
    ("IL", "Asia/Jerusalem", 2026),
]


@cache
def changes_of(zone: str, year: int) -> list[datetime]:
    """The hours of a year in which its clock is changed."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + HOUR * n for n in range(24 * 365)]
    there = ZoneInfo(zone)
    offsets = [hour.astimezone(there).utcoffset() for hour in hours]
    return [hour for hour, (a, b) in zip(hours, pairwise(offsets), strict=False) if a != b]


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[WorkingTime, datetime]:
    """A calendar, and an instant some hours before or after its clock is changed."""
    region, zone, year = draw(st.sampled_from(CHANGES))
    change = draw(st.sampled_from(changes_of(zone, year)))
    shift = timedelta(seconds=draw(st.integers(-30 * 60 * 60, 5 * 60 * 60)))
    return WorkingTime(region, zone), change + shift


SPANS = st.one_of(
    st.timedeltas(timedelta(), 3 * HOUR),
    st.integers(0, 36 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.timedeltas(timedelta(), 20 * DAY),
)


@settings(max_examples=500)
@given(near_a_change(), SPANS, SPANS)
def test_more_time_never_ends_sooner(
    begun: tuple[WorkingTime, datetime], one: timedelta, other: timedelta
) -> None:
    calendar, start = begun
    less, more = sorted((one, other))
    assert start <= calendar.after(start, less) <= calendar.after(start, more)


@settings(max_examples=500)
@given(near_a_change(), SPANS, SPANS)
def test_time_passes_in_parts_as_it_does_in_one(
    begun: tuple[WorkingTime, datetime], first: timedelta, then: timedelta
) -> None:
    calendar, start = begun
    middle = calendar.after(start, first)
    in_parts, in_one = calendar.after(middle, then), calendar.after(start, first + then)
    if calendar.between(start, middle) == first:
        assert in_parts == in_one
    else:
        # The first part ended where the clock left something out: that is counted once more.
        assert calendar.between(start, middle) > first
        assert in_parts >= in_one


def test_nothing_passes_before_it_begins() -> None:
    start = local("Europe/Berlin", "2026-03-07 12:00")
    for calendar in (WorkingTime("DE", "Europe/Berlin"), AllTime()):
        assert calendar.after(start, timedelta()) == start
        assert calendar.after(start, -DAY) == start
        assert calendar.between(start, start - 9 * DAY) == timedelta()
    assert WorkingTime("DE", "Europe/Berlin").between(start, start + DAY) == timedelta()


@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
    minutes=st.integers(0, 60 * 24 * 20),
    region=st.sampled_from(["DE-BY", "US-NY", "IL", "JP", "GB-SCT"]),
)
def test_what_was_counted_is_what_is_counted_back(
    start: datetime, minutes: int, region: str
) -> None:
    """Against a count of minutes, one after the other, where the clock is never changed."""
    calendar, begun = WorkingTime(region, "Etc/GMT-2"), start.replace(tzinfo=UTC)
    span = timedelta(minutes=minutes)
    ended = calendar.after(begun, span)
    assert calendar.between(begun, ended) == span
    zone = ZoneInfo("Etc/GMT-2")
    passed, at = timedelta(), begun
    step = timedelta(minutes=30)
    while at < ended:
        until = min(at + step, ended, _next_day(at, zone))
        if calendar.works_on(at.astimezone(zone).date()):
            passed += until - at
        at = until
    assert passed == span


def _next_day(at: datetime, zone: ZoneInfo) -> datetime:
    there = at.astimezone(zone)
    return there.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def test_without_a_place_all_time_counts() -> None:
    start = datetime(2026, 3, 6, 15, tzinfo=UTC)
    assert calendar_of(None, None).after(start, DAY) == start + DAY
    assert calendar_of("DE", "UTC").after(start, DAY) == start + 3 * DAY


def test_months_are_those_that_follow() -> None:
    assert span_of("P1M", datetime(2026, 2, 1, tzinfo=UTC)) == 28 * DAY
    assert span_of("P1W", datetime(2026, 2, 1, tzinfo=UTC)) == 7 * DAY


@pytest.mark.parametrize(
    "region", ["", "de", "DEU", "Germany", "DE-XX", "DE-", "XX", "D\x00", "DE-BY-M", "x" * 99]
)
def test_a_place_whose_holidays_are_not_known_is_refused(region: str) -> None:
    with pytest.raises(InvalidInput):
        check_region(region, "region")


@pytest.mark.parametrize(
    "name", ["", "Berlin", "europe/berlin", "America", "../etc/passwd", "localtime", "U\x00TC"]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_time_zone(name, "timeZone")


def test_known_places_pass() -> None:
    assert [check_region(each) for each in ("DE", "DE-BY", "US-NY")] == ["DE", "DE-BY", "US-NY"]
    assert [check_time_zone(each) for each in ("UTC", "Europe/Berlin")] == ["UTC", "Europe/Berlin"]


@pytest.mark.parametrize("duration", ["P1M", "P1Y", "P1Y2M3D"])
def test_working_time_is_not_counted_in_months(duration: str) -> None:
    assert check_without_months("P1W") == "P1W"
    assert check_without_months("P2DT4H") == "P2DT4H"
    with pytest.raises(InvalidInput):
        check_without_months(duration, "reviewWithin")
