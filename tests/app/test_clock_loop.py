"""The clock loop: what time alone changes, changes once, whoever else is looking."""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.clock_loop import ClockLoop
from app.database import Database
from models.aggregate import Account
from models.capability import Capability
from models.clock import Clock, ManualClock, SystemClock
from models.events import Event
from models.interaction import Interaction
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    Runner,
    create_account,
    create_runner,
    open_requirement,
    place_hold,
    publish_program,
    unique,
)

INTERVAL_SECONDS = 0.02
DEADLINE = timedelta(days=14)
DAY = timedelta(days=1)


@pytest.fixture
def loop(database: Database, clock: ManualClock) -> ClockLoop:
    return ClockLoop(database, clock, INTERVAL_SECONDS)


@pytest.fixture(autouse=True)
async def nothing_is_due(database: Database, owner_engine: AsyncEngine) -> AsyncIterator[None]:
    """Leave no account behind that another test's loop would find."""
    yield
    async with owner_engine.begin() as connection:
        await connection.execute(text("UPDATE accounts SET next_change_at = NULL"))


async def owing(run: Runner, **values: Any) -> Account:
    """An account that owes something by the deadline."""
    account = await create_account(run)
    program = await publish_program(run, **{"gates": (), **values})
    await open_requirement(run, account, program)
    return account


async def payouts(run: Runner, account: Account) -> str:
    row = await run.fetch(Capability, account.account_id, "PAYOUTS")
    return row.status


async def events(run: Runner, account: Account) -> list[str]:
    """The types of the account's events, in their order."""
    async with run.database.session_for(run.system) as session:
        statement = select(Event.type).where(Event.account_id == account.account_id)
        return list(await session.scalars(statement.order_by(Event.sequence)))


async def until_restricted(run: Runner, *accounts: Account) -> None:
    async with asyncio.timeout(10):
        while {await payouts(run, account) for account in accounts} != {"RESTRICTED"}:  # noqa: ASYNC110
            await asyncio.sleep(INTERVAL_SECONDS)


async def test_a_deadline_that_passes_restricts_without_anyone_asking(
    run: Runner, loop: ClockLoop, clock: ManualClock
) -> None:
    account = await owing(run)
    async with loop.running():
        await asyncio.sleep(INTERVAL_SECONDS * 5)
        assert await payouts(run, account) == "ACTIVE"
        clock.advance(DEADLINE)
        await until_restricted(run, account)
    row = await run.fetch(Account, account.account_id)
    assert (row.status, row.disabled_reason) == ("RESTRICTED", "requirements.past_due")
    types = await events(run, account)
    assert types.count("REQUIREMENT_PAST_DUE") == 1
    assert types.count("CAPABILITY_STATUS_CHANGED") == 1
    assert await verify_account(run.database.worker, account.account_id) == []


async def test_it_does_so_on_the_machines_own_clock(database: Database) -> None:
    run = await create_runner_now(database)
    account = await owing(run, due_after="PT1S", deadline_after="PT2S", notice_period="PT1S")
    assert await payouts(run, account) == "ACTIVE"
    async with ClockLoop(database, SystemClock(), INTERVAL_SECONDS).running():
        await until_restricted(run, account)


async def create_runner_now(database: Database) -> Runner:
    clock = ManualClock(SystemClock().now())
    return await create_runner(database, clock, unique("now"))


async def test_a_hold_that_expires_lets_go(
    run: Runner, loop: ClockLoop, clock: ManualClock
) -> None:
    account = await create_account(run)
    await place_hold(run, account, expires_at=clock.now() + timedelta(hours=1))
    assert await payouts(run, account) == "RESTRICTED"
    clock.advance(timedelta(hours=1))
    assert await loop.catch_up() == 1
    assert await payouts(run, account) == "ACTIVE"
    assert "HOLD_EXPIRED" in await events(run, account)


async def test_before_its_instant_nothing_is_touched(
    run: Runner, loop: ClockLoop, clock: ManualClock
) -> None:
    account = await owing(run)
    before = await run.fetch(Account, account.account_id)
    assert before.next_change_at is not None
    clock.set(before.next_change_at - timedelta(microseconds=1))
    assert await loop.catch_up() == 0
    after = await run.fetch(Account, account.account_id)
    assert (after.derived_at, after.event_hash) == (before.derived_at, before.event_hash)
    clock.advance(timedelta(microseconds=1))
    assert await loop.catch_up() == 1


async def test_what_was_slept_through_is_caught_up_in_one_go(
    run: Runner, loop: ClockLoop, clock: ManualClock
) -> None:
    account = await owing(run)
    clock.advance(timedelta(days=400))
    assert await loop.catch_up() == 1
    types = await events(run, account)
    assert types.index("REQUIREMENT_CURRENTLY_DUE") < types.index("REQUIREMENT_PAST_DUE")
    assert await loop.catch_up() == 0


async def test_more_accounts_than_fit_into_a_batch_are_all_done(
    run: Runner, loop: ClockLoop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.loop.BATCH", 2)
    program = await publish_program(run, gates=())
    accounts = [await create_account(run) for _ in range(5)]
    for account in accounts:
        await open_requirement(run, account, program)
    clock.advance(DEADLINE)
    assert await loop.catch_up() == 5
    assert {await payouts(run, account) for account in accounts} == {"RESTRICTED"}


async def test_two_loops_at_once_have_every_effect_once(
    run: Runner, database: Database, clock: ManualClock
) -> None:
    program = await publish_program(run, gates=())
    accounts = [await create_account(run) for _ in range(12)]
    for account in accounts:
        await open_requirement(run, account, program)
    # Pools of their own, as two servers have.
    other = Database.connect(str(database.worker.url.set(username="recourse")), pool_size=2)
    loops = [ClockLoop(pools, clock, INTERVAL_SECONDS) for pools in (database, other)]
    try:
        async with loops[0].running(), loops[1].running():
            clock.advance(DEADLINE)
            await asyncio.gather(*(one.catch_up() for one in loops))
            await until_restricted(run, *accounts)
    finally:
        await other.close()
    for account in accounts:
        types = await events(run, account)
        for event in (
            "REQUIREMENT_CURRENTLY_DUE",
            "REQUIREMENT_PAST_DUE",
            "CAPABILITY_STATUS_CHANGED",
            "ACCOUNT_STATUS_CHANGED",
        ):
            assert types.count(event) == 1, types
        assert await verify_account(database.worker, account.account_id) == []


async def test_two_loops_at_once_write_each_notice_once(
    run: Runner, database: Database, clock: ManualClock
) -> None:
    accounts = [await owing(run, reminders=("P5D", "P1D")) for _ in range(8)]
    other = Database.connect(str(database.worker.url.set(username="recourse")), pool_size=2)
    loops = [ClockLoop(pools, clock, INTERVAL_SECONDS) for pools in (database, other)]
    try:
        for at in (-DAY * 5, -DAY, timedelta()):
            clock.set(START + DEADLINE + at)
            await asyncio.gather(*(one.catch_up() for one in loops))
    finally:
        await other.close()
    for account in accounts:
        assert await purposes(run, account) == Counter(REQUEST=1, REMINDER=2, NOTICE=1)
        assert await verify_account(database.worker, account.account_id) == []


@pytest.mark.parametrize("where", ["BEFORE", "AFTER"])
async def test_who_is_killed_before_the_commit_leaves_it_all_to_another(
    run: Runner, loop: ClockLoop, clock: ManualClock, database_url: str, where: str
) -> None:
    account = await owing(run, reminders=("P5D",))
    for at, said in ((-DAY * 5, {"REMINDER": 1}), (timedelta(), {"REMINDER": 1, "NOTICE": 1})):
        clock.set(START + DEADLINE + at)
        before = await purposes(run, account)
        arguments = (database_url, clock.now().isoformat(), where)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.app.killed_clock", *arguments
        )
        async with asyncio.timeout(30):
            assert await process.wait() == -signal.SIGKILL
        assert await purposes(run, account) == before
        assert await loop.catch_up() == 1
        assert await purposes(run, account) == Counter(REQUEST=1, **said)
    assert await verify_account(run.database.worker, account.account_id) == []


async def purposes(run: Runner, account: Account) -> Counter[str]:
    """How many contacts for each purpose the account has."""
    async with run.database.session_for(run.system) as session:
        statement = select(Interaction.purpose).where(Interaction.account_id == account.account_id)
        return Counter(await session.scalars(statement))


async def break_account(owner: AsyncEngine, account: Account) -> None:
    """Let the next event of an account be refused: its number is taken already."""
    async with owner.begin() as connection:
        statement = text(
            "UPDATE accounts SET event_sequence = event_sequence - 1 WHERE account_id = :id"
        )
        await connection.execute(statement, {"id": account.account_id})


async def test_one_broken_account_does_not_hold_up_the_others(
    run: Runner,
    loop: ClockLoop,
    clock: ManualClock,
    owner_engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.loop.BATCH", 1)
    broken = await owing(run)
    clock.advance(timedelta(minutes=1))
    others = [await owing(run) for _ in range(2)]
    await break_account(owner_engine, broken)
    clock.advance(DEADLINE)
    async with loop.running():
        await until_restricted(run, *others)
    assert await payouts(run, broken) == "ACTIVE"
    # It is tried again, so that it mends itself when what was wrong has gone.
    async with owner_engine.begin() as connection:
        statement = text(
            "UPDATE accounts SET event_sequence = event_sequence + 1 WHERE account_id = :id"
        )
        await connection.execute(statement, {"id": broken.account_id})
    async with loop.running():
        await until_restricted(run, broken)


async def test_a_store_that_is_away_for_a_while_does_not_end_the_loop(
    run: Runner, loop: ClockLoop, clock: ManualClock, owner_engine: AsyncEngine
) -> None:
    account = await owing(run)
    async with loop.running():
        async with owner_engine.begin() as connection:
            await connection.execute(text("REVOKE SELECT ON accounts FROM recourse_worker"))
        clock.advance(DEADLINE)
        await asyncio.sleep(INTERVAL_SECONDS * 5)
        async with owner_engine.begin() as connection:
            await connection.execute(text("GRANT SELECT ON accounts TO recourse_worker"))
        await until_restricted(run, account)


@contextlib.asynccontextmanager
async def locked(owner: AsyncEngine, account: Account) -> AsyncIterator[None]:
    """Hold an account's lock, as an operation does."""
    async with owner.begin() as connection:
        statement = text("SELECT 1 FROM accounts WHERE account_id = :id FOR UPDATE")
        await connection.execute(statement, {"id": account.account_id})
        yield


async def until_waiting(owner: AsyncEngine) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while True:
            async with owner.connect() as connection:
                if await connection.scalar(waiting):
                    return
            await asyncio.sleep(0.01)


async def test_stopping_finishes_the_account_in_hand_and_begins_no_other(
    run: Runner, loop: ClockLoop, clock: ManualClock, owner_engine: AsyncEngine
) -> None:
    first = await owing(run)
    clock.advance(timedelta(minutes=1))
    second = await owing(run)
    clock.advance(DEADLINE)
    entered, leave = asyncio.Event(), asyncio.Event()

    async def serve() -> None:
        async with loop.running():
            entered.set()
            await leave.wait()

    async with locked(owner_engine, first):
        serving = asyncio.create_task(serve())
        await entered.wait()
        await until_waiting(owner_engine)
        leave.set()
        await asyncio.sleep(0.1)
        assert not serving.done()
    await asyncio.wait_for(serving, 10)
    assert await payouts(run, first) == "RESTRICTED"
    assert await payouts(run, second) == "ACTIVE"


async def test_a_loop_may_run_again(run: Runner, loop: ClockLoop, clock: ManualClock) -> None:
    async with loop.running():
        pass
    account = await owing(run)
    clock.advance(DEADLINE)
    async with loop.running():
        await until_restricted(run, account)


async def test_an_idle_loop_stops_at_once(database: Database, clock: Clock) -> None:
    async with asyncio.timeout(5):
        async with ClockLoop(database, clock, 3_600).running():
            await asyncio.sleep(0.05)
