"""Holds end once: they are released, or they expire."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import hold
from models.errors import IllegalTransition
from models.events import Event
from models.hold import HoldAction, HoldState, ReleaseHold, permissions, state_of
from tests.factories import Runner, create_account, place_hold

HOUR = timedelta(hours=1)


async def test_a_hold_that_has_ended_is_not_released(run: Runner) -> None:
    account = await create_account(run)
    expiring = await place_hold(run, account, expires_at=run.clock.now() + HOUR)
    released = await place_hold(run, account)
    keys: list[Any] = [
        {"account_id": account.account_id, "hold_id": one.id} for one in (expiring, released)
    ]
    await run(hold.release, run.reviewer, ReleaseHold(**keys[1]))
    run.clock.advance(HOUR)
    for key, state in zip(keys, ("EXPIRED", "RELEASED"), strict=True):
        with pytest.raises(IllegalTransition) as caught:
            await run(hold.release, run.reviewer, ReleaseHold(**key))
        assert (caught.value.state, caught.value.allowed) == (state, ())
    async with run.database.worker.connect() as connection:
        told = await connection.scalars(
            select(Event.type).where(
                Event.account_id == account.account_id, Event.type == "HOLD_RELEASED"
            )
        )
        assert len(list(told)) == 1


async def test_whether_a_hold_may_be_released_follows_from_the_clock(run: Runner) -> None:
    account = await create_account(run)
    end = run.clock.now() + HOUR
    row = await place_hold(run, account, expires_at=end)
    before = end - timedelta(microseconds=1)
    for now, state in ((before, HoldState.ON), (end, HoldState.EXPIRED)):
        assert state_of(row, now) is state
        [permission] = permissions(row, run.reviewer, now)
        assert permission.action is HoldAction.RELEASE
        assert permission.allowed == (state is HoldState.ON)
