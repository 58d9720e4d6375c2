"""ISO 8601 durations, as programs declare them. Months and years follow the calendar."""

from datetime import datetime, timedelta
from functools import lru_cache

import isodate

from models.errors import InvalidInput

MAX_DURATION_YEARS = 10
# Shorter ones are slips of the pen: nobody can do anything meanwhile.
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
# How long months and years are hangs on when they begin.
_STARTS = [datetime(2000 + n // 12, n % 12 + 1, 1) for n in range(48)]
_NAMES = {SECOND: "one second", MINUTE: "one minute", DAY: "one day"}


@lru_cache(maxsize=1024)
def _parsed(text: str) -> isodate.Duration:
    value = isodate.parse_duration(text, as_timedelta_if_possible=False)
    if not isinstance(value, isodate.Duration):
        raise isodate.ISO8601Error(text)
    return value


def check_duration(text: str, *field: str, least: timedelta = SECOND) -> str:
    """`text` if it is an ISO 8601 duration of `least` to ten years, else `InvalidInput`.

    `least` is `SECOND`, `MINUTE` or `DAY`.
    """
    start = datetime(2000, 1, 1)
    try:
        end = start + _parsed(text)
    except (isodate.ISO8601Error, OverflowError, ValueError, TypeError):
        raise InvalidInput("Not an ISO 8601 duration, such as P14D or PT12H.", field) from None
    if not start + least <= end <= start.replace(year=start.year + MAX_DURATION_YEARS):
        message = f"A duration must be at least {_NAMES[least]} here, and at most ten years."
        raise InvalidInput(message, field)
    return text


def is_longer(one: str, other: str) -> bool:
    """Whether `one` takes longer than `other`, whenever they begin: P31D is not, of P1M."""
    return all(start + _parsed(one) > start + _parsed(other) for start in _STARTS)


def after(start: datetime, duration: str | None) -> datetime | None:
    """The instant `duration` after `start`; None for no duration."""
    return None if duration is None else start + _parsed(duration)


def before(end: datetime | None, duration: str | None) -> datetime | None:
    """The instant `duration` before `end`; None where either is missing."""
    return None if end is None or duration is None else end - _parsed(duration)
