"""A rejection may say until when it restricts; the requirement stays rejected after that."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models import decision
from models.aggregate import Account
from models.capability import Capability
from models.decision import Decide
from models.errors import InvalidInput
from models.requirement import Requirement
from models.resolution import Resolution
from models.verify import verify_account
from tests.factories import (
    REJECTION,
    Runner,
    create_requirement,
    judge,
    key_of,
    object_to,
    publish_program,
    settle,
)

WEEK = timedelta(days=7)
UNTIL = ("statement", "restrictsUntil")
FREE = {"CARD_PAYMENTS": "ACTIVE", "PAYOUTS": "ACTIVE", "TRANSFERS": "ACTIVE"}
NOT_FREE = {**FREE, "PAYOUTS": "RESTRICTED", "TRANSFERS": "RESTRICTED"}


async def reject(run: Runner, row: Requirement, until: datetime) -> Resolution:
    statement = replace(REJECTION, restricts_until=until)
    command = Decide(**key_of(row), reason_code="checked", statement=statement)
    return (await run(decision.reject, run.reviewer, command)).value


async def statuses(run: Runner, row: Requirement) -> dict[str, str]:
    """What the account may do, by kind; and nothing contradicts that."""
    async with run.database.session_for(run.system) as session:
        query = select(Capability.kind, Capability.status)
        found = await session.execute(query.where(Capability.account_id == row.account_id))
        assert await verify_account(run.database.worker, row.account_id) == []
        return dict(found.all())


async def test_it_frees_what_it_restricted_and_gated_when_its_time_is_over(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    ends = run.clock.now() + WEEK
    made = await reject(run, row, ends)
    assert (made.restricts_from, made.restricts_until) == (run.clock.now(), ends)
    assert await statuses(run, row) == NOT_FREE
    account = await run.fetch(Account, row.account_id)
    assert account.next_change_at == ends
    run.clock.set(ends - timedelta(microseconds=1))
    assert not await run.rederive(row.account_id)
    run.clock.set(ends)
    assert await run.rederive(row.account_id)
    assert await statuses(run, row) == FREE
    account = await run.fetch(Account, row.account_id)
    assert (account.status, account.next_change_at) == ("ENABLED", None)
    assert (await run.fetch(Requirement, row.account_id, row.id)).state == "REJECTED"


async def test_it_ends_after_it_has_begun(run: Runner) -> None:
    program = await publish_program(run, termination_notice="P30D")
    row = await create_requirement(run, "SUBMITTED", program=program)
    begins = run.clock.now() + timedelta(days=30)
    for until in (run.clock.now(), begins):
        with pytest.raises(InvalidInput) as caught:
            await reject(run, row, until)
        assert caught.value.field == UNTIL
    made = await reject(run, row, begins + WEEK)
    assert (made.restricts_from, made.restricts_until) == (begins, begins + WEEK)


async def test_a_proposal_that_waits_past_its_end_restricts_for_no_time(run: Runner) -> None:
    program = await publish_program(run, four_eyes=True)
    row = await create_requirement(run, "SUBMITTED", program=program)
    proposal = await reject(run, row, run.clock.now() + WEEK)
    run.clock.advance(WEEK)
    made = await settle(run, proposal)
    now = run.clock.now()
    assert (made.state, made.restricts_from, made.restricts_until) == ("FINAL", now, now)
    assert await statuses(run, row) == FREE


async def test_only_a_rejection_restricts_for_a_time(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    statement = replace(REJECTION, restricts_until=run.clock.now() + WEEK)
    command = Decide(**key_of(row), reason_code="checked", statement=statement)
    for operation in (decision.approve, decision.waive):
        with pytest.raises(InvalidInput) as caught:
            await run(operation, run.reviewer, command)
        assert caught.value.field == UNTIL


@pytest.mark.parametrize("uphold", [True, False])
async def test_an_appeal_leaves_the_end_as_it_is_or_comes_before_it(
    run: Runner, uphold: bool
) -> None:
    row = await create_requirement(run, "SUBMITTED")
    ends = run.clock.now() + WEEK
    made = await reject(run, row, ends)
    await object_to(run, row)
    assert await statuses(run, row) == NOT_FREE
    run.clock.advance(timedelta(days=1))
    await judge(run, made, uphold)
    assert await statuses(run, row) == (NOT_FREE if uphold else FREE)
    now = await run.fetch(Requirement, row.account_id, row.id)
    assert now.restricts_until == (ends if uphold else None)
    run.clock.set(ends)
    await run.rederive(row.account_id)
    assert await statuses(run, row) == FREE
