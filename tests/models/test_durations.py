"""Durations are ISO 8601, positive, at most ten years, and follow the calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from models.durations import DAY, MINUTE, SECOND, after, before, check_duration
from models.errors import InvalidInput

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["P14D", "PT12H", "P1W", "P6M", "P10Y", "P1Y2M3DT4H5M6S", "PT1.5S", "P3652D", "PT1S"]
)
def test_a_duration_is_taken_as_it_is(text: str) -> None:
    assert check_duration(text, "dueAfter") == text


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "P", "PT", "14", "14D", "P14", "14 days", "P1D ", "p14d\n", "P-1D", "-P1D"),
        *("P0D", "PT0S", "PT0.5S", "PT0.000001S", "PT0.999999S", "P0Y", "P11Y", "P10Y1D"),
        *("PT99999999999S", "P999999999999Y", "P1.5M"),
        *("P" + "9" * 400 + "D", "PT1e3S", "PTNaNS", "PTinfS", "P1D\x00", "\ud800", "P1Y/P1Y"),
        *("2026-01-01", "R3/P1D", "P٣D", "P1H", "PT1D", "+P1D1H"),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_what_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_duration(text, "reminders", "3")
    assert caught.value.field == ("reminders", "3")


@pytest.mark.parametrize(
    ("least", "enough", "short", "says"),
    [
        (SECOND, "PT1S", "PT0.999999S", "one second"),
        (MINUTE, "PT60S", "PT59.999999S", "one minute"),
        (DAY, "PT24H", "PT23H59M59S", "one day"),
    ],
)
def test_a_duration_may_have_to_be_longer(
    least: timedelta, enough: str, short: str, says: str
) -> None:
    assert check_duration(enough, "appealWithin", least=least) == enough
    with pytest.raises(InvalidInput, match=says) as caught:
        check_duration(short, "appealWithin", least=least)
    assert caught.value.field == ("appealWithin",)


def test_months_and_years_follow_the_calendar() -> None:
    assert after(NOON, "P1M") == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert after(datetime(2028, 2, 29, tzinfo=UTC), "P1Y") == datetime(2029, 2, 28, tzinfo=UTC)
    assert before(datetime(2026, 3, 31, tzinfo=UTC), "P1M") == datetime(2026, 2, 28, tzinfo=UTC)


def test_days_and_hours_are_exact() -> None:
    assert after(NOON, "P1DT1H") == NOON + timedelta(hours=25)
    assert before(NOON, "PT0.5S") == NOON - timedelta(milliseconds=500)
    assert after(NOON, "P2W") == NOON + timedelta(days=14)


def test_without_a_duration_there_is_no_instant() -> None:
    assert after(NOON, None) is None
    assert before(NOON, None) is None
    assert before(None, "P1D") is None
