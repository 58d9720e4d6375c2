"""The promise to review: what starts, pauses and ends it, and what follows at which instant."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from models import requirement_operations as requirements
from models.clock import ManualClock
from models.errors import InvalidInput
from models.program import BusinessCalendar, Program
from models.requirement import Requirement, RequirementAction
from models.requirement_operations import Cancel, Reopen, RequestChanges
from models.resolution import ResolutionOutcome
from models.review_target import RULES, Condition, condition, target_status
from models.status import RequirementState
from tests.factories import (
    ERROR,
    Runner,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    publish_program,
    submit,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = BusinessCalendar("DE", "Europe/Berlin")
# A Friday, at three in the afternoon there.
FRIDAY = datetime(2026, 3, 6, 14, tzinfo=UTC)
Target = tuple[datetime | None, datetime | None, int | None]
NONE: Target = (None, None, None)


async def target_of(run: Runner, row: Requirement) -> Target:
    """What is stored: due, at risk, seconds left."""
    stored = await run.fetch(Requirement, row.account_id, row.id)
    return stored.review_due_at, stored.review_at_risk_at, stored.review_left_seconds


async def send_back(run: Runner, row: Requirement) -> None:
    command = RequestChanges(**key_of(row), errors=(ERROR,))
    await run(requirements.request_changes, run.reviewer, command)


@pytest.fixture
async def program(run: Runner) -> Program:
    return await publish_program(run, review_within="P2D", business_calendar=BERLIN)


async def test_it_is_at_risk_before_it_is_due_where_the_clock_leaves_out_an_hour(
    run: Runner, clock: ManualClock
) -> None:
    # A Sunday, on which those work whose weekend is Friday and Saturday.
    calendar = BusinessCalendar("SA", "Europe/Berlin")
    program = await publish_program(run, review_within="PT150M", business_calendar=calendar)
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    # At 2:52 it would be at risk and at 3:30 due; two to three is left out.
    clock.set(change - HOUR)
    row = await open_requirement(run, program=program)
    await submit(run, row)
    assert await target_of(run, row) == (change + HOUR / 2, change, None)


async def test_it_runs_in_working_time_and_rests_while_the_account_has_to_act(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    clock.set(FRIDAY)
    row = await open_requirement(run, program=program)
    assert await target_of(run, row) == NONE
    await submit(run, row)
    # Friday to Tuesday; half a day before that, a quarter is left.
    assert await target_of(run, row) == (FRIDAY + 4 * DAY, FRIDAY + 3.5 * DAY, None)
    # Friday's nine hours and all of Monday have passed: fifteen hours are left.
    clock.set(FRIDAY + 3 * DAY + 9 * HOUR)
    await send_back(run, row)
    assert await target_of(run, row) == (None, None, 15 * 3600)
    clock.set(FRIDAY + 7 * DAY)
    await submit(run, row)
    # The next Friday's nine hours, and six of Monday's; with three left it is at risk.
    monday = FRIDAY + 9 * DAY + 9 * HOUR
    assert await target_of(run, row) == (monday + 6 * HOUR, FRIDAY + 7 * DAY + 3 * HOUR, None)


@pytest.mark.parametrize("state", ["SATISFIED", "REJECTED", "WAIVED", "CANCELED"])
async def test_what_has_ended_has_no_target(run: Runner, program: Program, state: str) -> None:
    row = await create_requirement(run, state, program=program)
    assert await target_of(run, row) == NONE


async def test_what_ends_in_a_pause_has_none_either(run: Runner, program: Program) -> None:
    row = await create_requirement(run, RequirementState.ACTION_REQUIRED, program=program)
    assert (await target_of(run, row))[2] == 2 * 24 * 3600
    await run(requirements.cancel, run.admin, Cancel(**key_of(row), reason="Not needed."))
    assert await target_of(run, row) == NONE


async def test_a_reopened_one_gets_the_whole_target_again(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    clock.set(FRIDAY)
    row = await open_requirement(run, program=program)
    await submit(run, row)
    clock.advance(HOUR)
    await send_back(run, row)
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.SATISFIED)
    await run(requirements.reopen, run.reviewer, Reopen(**key_of(row), reason="It expired."))
    assert await target_of(run, row) == NONE
    clock.set(FRIDAY + 7 * DAY)
    await submit(run, row)
    assert (await target_of(run, row))[0] == FRIDAY + 11 * DAY


async def test_what_was_breached_before_a_pause_is_breached_after_it(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    clock.set(FRIDAY)
    row = await open_requirement(run, program=program)
    await submit(run, row)
    clock.set(FRIDAY + 20 * DAY)
    await send_back(run, row)
    assert await target_of(run, row) == (None, None, 0)
    clock.advance(DAY)
    await submit(run, row)
    assert await target_of(run, row) == (clock.now(), clock.now(), None)


async def test_a_program_that_promises_nothing_has_no_targets(run: Runner) -> None:
    row = await create_requirement(run, RequirementState.SUBMITTED)
    assert await target_of(run, row) == NONE


async def test_without_a_calendar_all_time_counts(run: Runner, clock: ManualClock) -> None:
    clock.set(FRIDAY)
    program = await publish_program(run, review_within="P1M")
    row = await open_requirement(run, program=program)
    await submit(run, row)
    assert (await target_of(run, row))[0] == FRIDAY.replace(month=4)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"business_calendar": BusinessCalendar("XX", "UTC")}, ("businessCalendar", "region")),
        ({"business_calendar": BusinessCalendar("DE", "CET1")}, ("businessCalendar", "timeZone")),
        ({"business_calendar": BERLIN, "review_within": "P1M"}, ("reviewWithin",)),
    ],
)
async def test_a_calendar_that_can_not_be_is_refused(
    run: Runner, values: dict[str, object], field: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await publish_program(run, **values)
    assert caught.value.field == field


def test_the_status_is_a_function_of_the_clock() -> None:
    due, risk = FRIDAY + DAY, FRIDAY + 18 * HOUR
    seconds = timedelta(seconds=1)
    assert [
        target_status(due, risk, None, now)
        for now in (FRIDAY, risk - seconds, risk, due - seconds, due, due + DAY)
    ] == ["ON_TRACK", "ON_TRACK", "AT_RISK", "AT_RISK", "BREACHED", "BREACHED"]
    assert target_status(None, None, 0, due) == "PAUSED"
    assert target_status(None, None, None, due) is None


def test_each_action_brings_about_one_condition_or_none() -> None:
    assert set(RULES) == set(Condition)
    named = {action for rule in RULES.values() for action in rule.actions}
    assert named <= set(RequirementAction)
    for action, paused in product(RequirementAction, (True, False)):
        fitting = [
            found
            for found, rule in RULES.items()
            if action in rule.actions and rule.paused in (None, paused)
        ]
        assert len(fitting) <= 1
        assert condition(action, paused) == (fitting[0] if fitting else None)
    # Nobody waits for a review of these.
    others = {"START_REVIEW", "EXTEND", "ASSIGN", "PRIORITIZE"}
    assert {a for a in RequirementAction if a not in named} == others
