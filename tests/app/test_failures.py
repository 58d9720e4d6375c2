"""Refusals are counted by where they came from; who has sent too many wrong tokens waits."""

from datetime import timedelta

import pytest

from app.authentication import failures
from app.authentication.failures import WINDOW, Failures
from models.clock import ManualClock

HERE = "192.0.2.1"


@pytest.fixture
def counted(clock: ManualClock) -> Failures:
    return Failures(clock, 3)


def note(counted: Failures, address: str, times: int) -> None:
    for _ in range(times):
        counted.note(address)


def test_some_refusals_pass_and_then_there_is_a_wait_until_the_minute_is_over(
    counted: Failures, clock: ManualClock
) -> None:
    assert counted.wait_seconds(HERE) == 0
    note(counted, HERE, 2)
    assert counted.wait_seconds(HERE) == 0
    clock.advance(timedelta(seconds=20.5))
    note(counted, HERE, 1)
    assert counted.wait_seconds(HERE) == 40
    clock.advance(timedelta(seconds=39.4))
    assert counted.wait_seconds(HERE) == 1
    clock.advance(timedelta(seconds=0.1))
    assert counted.wait_seconds(HERE) == 0
    note(counted, HERE, 2)
    assert counted.wait_seconds(HERE) == 0


def test_one_address_is_not_another(counted: Failures) -> None:
    note(counted, HERE, 3)
    assert counted.wait_seconds("192.0.2.2") == 0
    assert counted.wait_seconds("") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::7", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", HERE, True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("unknown", "unknown", True),
    ],
)
def test_of_ipv6_a_customers_network_counts(
    counted: Failures, one: str, other: str, same: bool
) -> None:
    note(counted, one, 3)
    assert (counted.wait_seconds(other) > 0) is same


def test_so_many_addresses_are_remembered_and_no_more(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "MAX_ADDRESSES", 5)
    counted = Failures(clock, 1)
    for number in range(8):
        counted.note(f"192.0.2.{number}")
    assert len(counted._counts) == 5
    assert counted.wait_seconds("192.0.2.7") == WINDOW.total_seconds()
