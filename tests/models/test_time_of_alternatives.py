"""Time in which an option waited beside another that was with risk is given back, whatever it did.

The program's requirements are due on day 7 and too late on day 14.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models import referral
from models import requirement_operations as requirements
from models.aggregate import Account
from models.program import Program
from models.referral import Refer
from models.requirement import Requirement
from models.requirement_operations import Cancel, Extend, Reopen
from models.resolution import ResolutionOutcome
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    Runner,
    create_account,
    decide,
    key_of,
    object_to,
    open_requirement,
    publish_program,
    submit,
)
from tests.models.test_alternatives import events_of, now, send_back, status

DAY = timedelta(days=1)
SATISFIED, REJECTED, WAIVED = ResolutionOutcome


@pytest.fixture
async def account(run: Runner) -> Account:
    return await create_account(run, capabilities=("PAYOUTS", "TRANSFERS"))


@pytest.fixture
async def program(run: Runner) -> Program:
    return await publish_program(run)


async def beside(run: Runner, account: Account, program: Program, **values: Any) -> Requirement:
    return await open_requirement(run, account, program, alternative_group="address", **values)


async def on(run: Runner, day: float) -> None:
    run.clock.set(START + timedelta(days=day))


async def times(run: Runner, row: Requirement) -> tuple[float, float]:
    """On which days it is due and too late, after nothing was found wrong with its account."""
    assert await verify_account(run.database.worker, row.account_id) == []
    found = await now(run, row)
    assert found.currently_due_at is not None
    assert found.deadline is not None
    return (found.currently_due_at - START) / DAY, (found.deadline - START) / DAY


@pytest.mark.parametrize("waits_for_a_bank", [False, True])
async def test_who_hands_in_a_second_alternative_is_not_restricted_for_it(
    run: Runner,
    owner_engine: AsyncEngine,
    account: Account,
    program: Program,
    waits_for_a_bank: bool,
) -> None:
    second, first = [await beside(run, account, program) for _ in range(2)]
    await on(run, 1)
    await submit(run, first)
    if waits_for_a_bank:
        await on(run, 2)
        await run(referral.refer, run.reviewer, Refer(**key_of(first), to="The bank"))
    await on(run, 20)
    await submit(run, second)
    # Nothing moves by a submission, which is the account's user's.
    assert await times(run, second) == (7, 14)
    await on(run, 21)
    await send_back(run, first)
    assert await times(run, second) == (7 + 19, 14 + 19)
    await on(run, 22)
    await send_back(run, second)
    assert await times(run, second) == (7 + 21, 14 + 21)
    assert await times(run, first) == (7 + 21, 14 + 21)
    assert await status(run, account) == ("ENABLED", "ACTIVE", "PENDING")
    moved = await events_of(owner_engine, second, "REQUIREMENT_DEADLINE_MOVED")
    assert [change["by"] for change in moved] == ["P19D", "P2D"]


async def test_what_comes_back_beside_an_alternative_gets_all_until_then_and_the_rest_later(
    run: Runner, owner_engine: AsyncEngine, account: Account, program: Program
) -> None:
    second, first = [await beside(run, account, program) for _ in range(2)]
    await on(run, 1)
    await submit(run, first)
    await on(run, 10)
    await submit(run, second)
    await on(run, 11)
    await send_back(run, second)
    assert await times(run, second) == (7 + 10, 14 + 10)
    await on(run, 20)
    await send_back(run, first)
    assert await times(run, second) == await times(run, first) == (7 + 19, 14 + 19)
    moved = await events_of(owner_engine, second, "REQUIREMENT_DEADLINE_MOVED")
    assert [change["by"] for change in moved] == ["P10D", "P9D"]


async def test_what_several_have_covered_is_given_back_once(
    run: Runner, account: Account, program: Program
) -> None:
    chosen, first, second, waiting = [await beside(run, account, program) for _ in range(4)]
    await on(run, 1)
    await submit(run, first)
    await on(run, 3)
    await submit(run, second)
    await on(run, 5)
    await send_back(run, first)
    assert await times(run, chosen) == (7 + 2, 14 + 2)
    await on(run, 6)
    await submit(run, chosen)
    await on(run, 8)
    await send_back(run, second)
    assert await times(run, chosen) == (7 + 5, 14 + 5)
    await on(run, 9)
    await send_back(run, chosen)
    # From the first day to the ninth there was always one with risk.
    for row in (chosen, first, second, waiting):
        assert await times(run, row) == (7 + 8, 14 + 8)


async def test_turns_at_one_instant_are_told_apart(
    run: Runner, account: Account, program: Program
) -> None:
    chosen, before, after = [await beside(run, account, program) for _ in range(3)]
    await submit(run, before)
    await submit(run, after)
    await on(run, 4)
    await send_back(run, before)
    await submit(run, chosen)
    await send_back(run, after)
    await send_back(run, chosen)
    for row in (chosen, before, after):
        assert await times(run, row) == (11, 18)


@pytest.mark.parametrize("how", ["rejected", "canceled"])
async def test_what_ends_without_success_gives_back_to_what_was_handed_in_too(
    run: Runner, account: Account, program: Program, how: str
) -> None:
    second, first = [await beside(run, account, program) for _ in range(2)]
    await on(run, 1)
    await submit(run, first)
    await on(run, 20)
    await submit(run, second)
    await on(run, 21)
    if how == "rejected":
        await decide(run, first, REJECTED)
        await object_to(run, first)
    else:
        command = Cancel(**key_of(first), reason="It is not asked for.")
        await run(requirements.cancel, run.admin, command)
    await on(run, 25)
    await send_back(run, second)
    assert await times(run, second) == (7 + 24, 14 + 24)
    # An appeal stands for nothing.
    await on(run, 26)
    await submit(run, second)
    await on(run, 27)
    await send_back(run, second)
    assert await times(run, second) == (7 + 25, 14 + 25)


async def test_a_rejection_gets_no_time_back(
    run: Runner, account: Account, program: Program
) -> None:
    refused, first = [await beside(run, account, program) for _ in range(2)]
    await submit(run, first)
    await on(run, 2)
    await submit(run, refused)
    await decide(run, refused, REJECTED)
    await on(run, 5)
    await send_back(run, first)
    assert await times(run, refused) == (7, 14)


async def test_each_program_says_for_itself_whether_it_waits(
    run: Runner, account: Account, program: Program
) -> None:
    strict = await publish_program(run, pauses_deadline=False)
    one, other = await beside(run, account, strict), await beside(run, account, program)
    for row in (one, other):
        await submit(run, row)
        await on(run, 5)
    await on(run, 8)
    await send_back(run, one)
    await on(run, 10)
    await send_back(run, other)
    assert await times(run, one) == (7, 14)
    assert await times(run, other) == (17, 24)


async def test_what_was_too_late_before_comes_back_as_late(
    run: Runner, account: Account, program: Program
) -> None:
    late, first = [await beside(run, account, program) for _ in range(2)]
    for day, row in ((16, first), (18, late)):
        await on(run, day)
        await submit(run, row)
    for day, row in ((20, first), (22, late)):
        await on(run, day)
        await send_back(run, row)
    # Two days too late on the sixteenth, and again.
    assert await times(run, late) == (7, 20)
    assert (await status(run, account))[1] == "RESTRICTED"


async def test_an_extension_comes_on_top_of_what_is_given_back(
    run: Runner, account: Account
) -> None:
    program = await publish_program(run, max_extension="P10D")
    second, first = [await beside(run, account, program) for _ in range(2)]
    await on(run, 1)
    await submit(run, first)
    await on(run, 5)
    command = Extend(**key_of(second), deadline=START + 20 * DAY)
    await run(requirements.extend, run.reviewer, command)
    await on(run, 8)
    await submit(run, second)
    await on(run, 10)
    await send_back(run, first)
    await on(run, 12)
    await send_back(run, second)
    assert await times(run, second) == (7 + 11, 20 + 11)
    assert (await now(run, second)).latest_deadline == START + (14 + 10 + 11) * DAY


async def test_what_is_reopened_begins_anew(
    run: Runner, account: Account, program: Program
) -> None:
    row = await beside(run, account, program)
    await submit(run, row)
    await decide(run, row, SATISFIED)
    other = await beside(run, account, program)
    await on(run, 1)
    await submit(run, other)
    await on(run, 3)
    await run(requirements.reopen, run.reviewer, Reopen(**key_of(row), reason="It expired."))
    await on(run, 5)
    await submit(run, row)
    await on(run, 6)
    await send_back(run, row)
    assert await times(run, row) == (3, 3 + 14 + 3)
    await on(run, 10)
    await send_back(run, other)
    assert await times(run, row) == (3, 3 + 14 + 7)
