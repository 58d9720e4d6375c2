"""One statement for all that an operation writes: what it may rely on."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm.exc import StaleDataError

from models import hold
from models.aggregate import Account, Unit
from models.events import Event, EventType
from models.hold import PlaceHold
from models.operation import operate
from models.requirement import Requirement, RequirementAction
from models.requirement_operations import Cancel
from models.requirement_steps import end, load, open_under
from models.session import LOCKED, lock_sql, transaction
from tests.factories import (
    Runner,
    create_account,
    key_of,
    open_requirement,
    publish_program,
)

ORIGIN = "import:passport"


async def _give(run: Runner, row: Requirement, owner_engine: AsyncEngine) -> None:
    async with owner_engine.begin() as connection:
        where = Requirement.id == row.id
        await connection.execute(update(Requirement).where(where).values(origin=ORIGIN))


async def test_a_key_that_one_row_gives_up_is_free_for_another_of_the_same_operation(
    run: Runner, owner_engine: AsyncEngine
) -> None:
    program = await publish_program(run)
    row = await open_requirement(run, program=program)
    await _give(run, row, owner_engine)
    command = Cancel(**key_of(row), reason="Asked anew.")

    async def step(unit: Unit) -> Requirement:
        old = await load(unit, command)
        end(unit, old, RequirementAction.CANCEL, EventType.REQUIREMENT_CANCELED, "Asked anew.")
        return open_under(unit, program, currently_due_at=None, deadline=None, origin=ORIGIN)

    async with run.database.session_for(run.admin) as session:
        made = await operate(
            session, run.admin, run.clock, "requirementOpen", command, Requirement, step
        )
    assert (await run.fetch(Requirement, *key_of(made.value).values())).origin == ORIGIN


async def test_one_that_another_row_holds_is_refused_and_nothing_is_written(
    run: Runner, owner_engine: AsyncEngine
) -> None:
    program = await publish_program(run)
    row = await open_requirement(run, program=program)
    await _give(run, row, owner_engine)
    command = Cancel(**key_of(row), reason="Asked twice.")
    before = await _events(run)

    async def step(unit: Unit) -> Requirement:
        return open_under(unit, program, currently_due_at=None, deadline=None, origin=ORIGIN)

    async with run.database.session_for(run.admin) as session:
        with pytest.raises(IntegrityError, match="ux_requirements_origin"):
            await operate(
                session, run.admin, run.clock, "requirementOpen", command, Requirement, step
            )
    assert await _events(run) == before


async def _events(run: Runner) -> int:
    async with run.database.session_for(run.system) as session:
        return await session.scalar(select(func.count()).select_from(Event)) or 0


async def test_a_row_that_is_not_as_it_was_read_is_not_written(run: Runner) -> None:
    row = await open_requirement(run)
    command = Cancel(**key_of(row), reason="Opened in error.")

    async def step(unit: Unit) -> Requirement:
        found = await load(unit, command)
        # As if somebody had changed it without the account's lock.
        stale = update(Requirement).where(Requirement.id == row.id).values(version=9)
        await unit.store.execute(stale.execution_options(synchronize_session=False))
        end(unit, found, RequirementAction.CANCEL, EventType.REQUIREMENT_CANCELED, "So.")
        return found

    async with run.database.session_for(run.admin) as session:
        with pytest.raises(StaleDataError):
            await operate(
                session, run.admin, run.clock, "requirementOpen", command, Requirement, step
            )
    assert (await run.fetch(Requirement, row.account_id, row.id)).version == row.version


async def test_who_waits_for_the_lock_reads_what_was_written_meanwhile(run: Runner) -> None:
    account = await create_account(run)
    first = lock_sql(run.platform_id, account.account_id)
    command = PlaceHold(
        account_id=account.account_id,
        capabilities=("PAYOUTS",),
        reason="UNDER_REVIEW",
        expires_at=run.clock.now() + timedelta(days=1),
    )
    async with run.database.session_for(run.admin) as session:
        async with transaction(session, run.admin, first) as locked:
            assert locked == LOCKED
            waiting = asyncio.create_task(run(hold.place, run.reviewer, command))
            await asyncio.sleep(0.2)
            changed = update(Account).where(Account.account_id == account.account_id)
            await session.execute(changed.values(version=41))
            assert not waiting.done()
        await waiting
    # Placing the hold changes the status, and that counts one.
    assert (await run.fetch(Account, account.account_id)).version == 42


async def test_the_lock_finds_no_account_of_another_platform(run: Runner) -> None:
    account = await create_account(run)
    first = lock_sql(uuid.uuid4(), account.account_id)
    async with (
        run.database.session_for(run.admin) as session,
        transaction(session, run.admin, first) as locked,
    ):
        assert locked != LOCKED
