"""Requirements of which one option is enough: what is let off, and what time is given back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models import requirement_operations as requirements
from models.aggregate import Account
from models.capability import Capability
from models.clock import ManualClock
from models.errors import InvalidInput
from models.program import Program
from models.requirement import Requirement, closed_reason_code
from models.requirement_operations import Cancel, RequestChanges
from models.resolution import Resolution, ResolutionOutcome
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    ERROR,
    Runner,
    create_account,
    decide,
    judge,
    key_of,
    object_to,
    open_requirement,
    publish_program,
    settle,
    submit,
)

DAY = timedelta(days=1)
SATISFIED, REJECTED, WAIVED = ResolutionOutcome


async def now(run: Runner, row: Requirement) -> Requirement:
    return await run.fetch(Requirement, row.account_id, row.id)


async def status(run: Runner, account: Account) -> tuple[str, str, str]:
    """The account's, payouts' and transfers': a program's deadline restricts and it gates these."""
    account_id = account.account_id
    of = [await run.fetch(Capability, account_id, kind) for kind in ("PAYOUTS", "TRANSFERS")]
    return ((await run.fetch(Account, account_id)).status, *(row.status for row in of))  # type: ignore[return-value]


async def send_back(run: Runner, row: Requirement) -> None:
    command = RequestChanges(**key_of(row), errors=(ERROR,))
    await run(requirements.request_changes, run.reviewer, command)


async def events_of(owner_engine: AsyncEngine, row: Requirement, type: str) -> list[Any]:
    query = "SELECT changes FROM events WHERE subject_id = :id AND type = :type ORDER BY sequence"
    async with owner_engine.connect() as connection:
        return list(await connection.scalars(text(query), {"id": row.id, "type": type}))


async def join(owner_engine: AsyncEngine, *rows: Requirement) -> None:
    """Make them one option; only an import of other data says so."""
    statement = "UPDATE requirements SET alternative_option = 'papers' WHERE id = :id"
    async with owner_engine.begin() as connection:
        await connection.execute(text(statement), [{"id": row.id} for row in rows])


@pytest.fixture
async def program(run: Runner) -> Program:
    """Due after seven days, too late after fourteen, noticed three before."""
    return await publish_program(run)


@pytest.fixture
async def account(run: Runner) -> Account:
    return await create_account(run, capabilities=("PAYOUTS", "TRANSFERS"))


@pytest.fixture
async def three(run: Runner, account: Account, program: Program) -> list[Requirement]:
    """Three requirements of one group."""
    return [
        await open_requirement(run, account, program, alternative_group="address") for _ in range(3)
    ]


async def test_what_is_handed_in_for_one_stands_for_the_others(
    run: Runner, clock: ManualClock, account: Account, three: list[Requirement]
) -> None:
    assert await status(run, account) == ("ENABLED", "ACTIVE", "PENDING")
    clock.advance(13 * DAY)
    await submit(run, three[0])
    stored = await run.fetch(Account, account.account_id)
    assert (stored.status, stored.next_deadline) == ("UNDER_REVIEW", None)
    clock.advance(9 * DAY)
    await run.rederive(account.account_id)
    assert await status(run, account) == ("UNDER_REVIEW", "ACTIVE", "PENDING")
    assert await verify_account(run.database.worker, account.account_id) == []


async def test_what_is_sent_back_gives_the_others_their_time_back_too(
    run: Runner,
    clock: ManualClock,
    owner_engine: AsyncEngine,
    account: Account,
    three: list[Requirement],
) -> None:
    clock.advance(DAY)
    await submit(run, three[0])
    clock.advance(20 * DAY)
    await send_back(run, three[0])
    assert await status(run, account) == ("ENABLED", "ACTIVE", "PENDING")
    for row in three:
        stored = await now(run, row)
        assert stored.deadline == START + 34 * DAY
        assert stored.currently_due_at == START + 27 * DAY
        assert stored.notice_at == START + 31 * DAY
        [moved] = await events_of(owner_engine, row, "REQUIREMENT_DEADLINE_MOVED")
        assert moved["by"] == "P20D"
    assert await verify_account(run.database.worker, account.account_id) == []


@pytest.mark.parametrize("how", ["rejected", "canceled"])
async def test_what_ends_without_success_gives_the_others_their_time_back(
    run: Runner, clock: ManualClock, three: list[Requirement], how: str
) -> None:
    await submit(run, three[0])
    clock.advance(20 * DAY)
    if how == "rejected":
        await decide(run, three[0], REJECTED)
    else:
        command = Cancel(**key_of(three[0]), reason="It is not asked for.")
        await run(requirements.cancel, run.admin, command)
    deadlines = [(await now(run, row)).deadline for row in three]
    assert deadlines == [START + 14 * DAY, START + 34 * DAY, START + 34 * DAY]


async def test_time_in_which_two_were_handed_in_is_given_back_once(
    run: Runner, clock: ManualClock, account: Account, three: list[Requirement]
) -> None:
    first, second, third = three
    await submit(run, first)
    clock.advance(2 * DAY)
    await submit(run, second)
    clock.advance(3 * DAY)
    await send_back(run, first)
    # The second still stands for the third: what it has had until it did is given back.
    assert (await now(run, third)).deadline == START + 16 * DAY
    clock.advance(5 * DAY)
    await send_back(run, second)
    # The third waited from the first day to the tenth, the first one with it; the second had
    # waited for two days before it was handed in.
    for row in three:
        assert (await now(run, row)).deadline == START + 24 * DAY
    assert await verify_account(run.database.worker, account.account_id) == []


async def test_what_was_opened_meanwhile_gets_back_no_more_than_it_has_waited(
    run: Runner, clock: ManualClock, account: Account, program: Program, three: list[Requirement]
) -> None:
    await submit(run, three[0])
    clock.advance(4 * DAY)
    late = await open_requirement(run, account, program, alternative_group="address")
    clock.advance(6 * DAY)
    await send_back(run, three[0])
    assert (await now(run, late)).deadline == START + (4 + 14 + 6) * DAY


async def test_a_program_that_pauses_nothing_gives_nothing_back(
    run: Runner, clock: ManualClock, account: Account, three: list[Requirement]
) -> None:
    strict = await publish_program(run, pauses_deadline=False)
    row = await open_requirement(run, account, strict, alternative_group="address")
    await submit(run, three[0])
    clock.advance(20 * DAY)
    await send_back(run, three[0])
    assert (await now(run, row)).deadline == START + 14 * DAY
    assert (await status(run, account))[1] == "RESTRICTED"


async def test_half_an_option_stands_for_nothing(
    run: Runner,
    clock: ManualClock,
    owner_engine: AsyncEngine,
    account: Account,
    three: list[Requirement],
) -> None:
    await join(owner_engine, *three[:2])
    await submit(run, three[0])
    assert (await run.fetch(Account, account.account_id)).next_deadline == START + 14 * DAY
    clock.advance(DAY)
    await submit(run, three[1])
    assert (await run.fetch(Account, account.account_id)).next_deadline is None
    clock.advance(DAY)
    await send_back(run, three[0])
    # For a day the whole option was handed in.
    assert (await now(run, three[2])).deadline == START + 15 * DAY
    assert (await now(run, three[1])).state == "SUBMITTED"


@pytest.mark.parametrize("by", [SATISFIED, WAIVED])
async def test_a_rejection_restricts_no_more_once_an_alternative_is_met(
    run: Runner,
    clock: ManualClock,
    owner_engine: AsyncEngine,
    account: Account,
    three: list[Requirement],
    by: ResolutionOutcome,
) -> None:
    refused, appealed, chosen = three
    for row in (refused, appealed):
        await submit(run, row)
        await decide(run, row, REJECTED)
    made = await object_to(run, appealed)
    assert await status(run, account) == ("RESTRICTED", "RESTRICTED", "RESTRICTED")
    clock.advance(DAY)
    if by is SATISFIED:
        await submit(run, chosen)
        await decide(run, chosen, SATISFIED)
    else:
        await settle(run, await decide(run, chosen, WAIVED))
    assert await status(run, account) == ("ENABLED", "ACTIVE", "ACTIVE")
    for row, state in ((refused, "REJECTED"), (appealed, "IN_REVIEW")):
        stored = await now(run, row)
        assert (stored.state, stored.restricts_from) == (state, START)
        assert stored.restricts_until == START + DAY
        [said] = await events_of(owner_engine, row, "REQUIREMENT_UPDATED")
        assert said["reason"] == "ALTERNATIVE_SATISFIED"
        assert said["restrictsUntil"]["from"] is None
    resolution = await run.fetch(Resolution, account.account_id, made.id)
    assert resolution.restricts_until == START + DAY
    await judge(run, made)
    assert await status(run, account) == ("ENABLED", "ACTIVE", "ACTIVE")
    assert await verify_account(run.database.worker, account.account_id) == []


async def test_a_rejection_whose_notice_runs_never_begins_to_restrict(
    run: Runner, clock: ManualClock, account: Account
) -> None:
    warned = await publish_program(run, termination_notice="P30D")
    first, second = [
        await open_requirement(run, account, warned, alternative_group="address") for _ in range(2)
    ]
    await submit(run, first)
    await decide(run, first, REJECTED)
    assert (await status(run, account))[0] == "RESTRICTED_SOON"
    await submit(run, second)
    await decide(run, second, SATISFIED)
    stored = await now(run, first)
    assert stored.restricts_from == stored.restricts_until == START + 30 * DAY
    assert await status(run, account) == ("ENABLED", "ACTIVE", "ACTIVE")
    clock.advance(40 * DAY)
    await run.rederive(account.account_id)
    assert await status(run, account) == ("ENABLED", "ACTIVE", "ACTIVE")
    assert await verify_account(run.database.worker, account.account_id) == []


async def test_a_rejection_within_the_option_is_not_got_around_by_its_other_half(
    run: Runner, owner_engine: AsyncEngine, account: Account, three: list[Requirement]
) -> None:
    await join(owner_engine, *three[:2])
    for row in three[:2]:
        await submit(run, row)
    await decide(run, three[0], REJECTED)
    await decide(run, three[1], SATISFIED)
    assert (await status(run, account))[1] == "RESTRICTED"
    assert (await now(run, three[2])).state == "OPEN"
    await judge(run, await object_to(run, three[0]), uphold=False)
    assert (await now(run, three[2])).state == "CANCELED"


async def test_a_code_of_the_end_can_be_told_from_words(
    run: Runner, three: list[Requirement]
) -> None:
    canceled, chosen, other = three
    for words in ("ALTERNATIVE_SATISFIED", " ALTERNATIVE_SATISFIED\n"):
        with pytest.raises(InvalidInput):
            await run(requirements.cancel, run.admin, Cancel(**key_of(canceled), reason=words))
    await run(requirements.cancel, run.admin, Cancel(**key_of(canceled), reason="checked"))
    await submit(run, chosen)
    await decide(run, chosen, SATISFIED)
    rows = [await now(run, row) for row in (canceled, chosen, other)]
    codes = [closed_reason_code(row.state, row.closed_reason) for row in rows]
    assert codes == [None, "checked", "ALTERNATIVE_SATISFIED"]
