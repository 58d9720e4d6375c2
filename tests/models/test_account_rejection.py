"""Rejecting accounts, and taking them back."""

from typing import Any

import pytest
from sqlalchemy import select

from models import account_rejection as rejection
from models.account_rejection import ReinstateAccount, RejectAccount, RejectionReason
from models.actor import Actor, Role
from models.aggregate import Account
from models.capability import Capability
from models.errors import Forbidden, IllegalTransition, InvalidInput, StaleVersion
from models.events import Event
from models.requirement import Requirement
from models.status import REJECTED_REASONS
from models.verify import verify_account
from tests.factories import Runner, create_account, create_requirement, submit

WORDS = "Payments were taken for goods that were never sent."


async def reject(run: Runner, account: Account, actor: Actor | None = None, **values: Any) -> Any:
    given = {"account_id": account.account_id, "reason": "FRAUD", "statement": WORDS, **values}
    return await run(rejection.reject, actor or run.reviewer, RejectAccount(**given))


async def reinstate(
    run: Runner, account: Account, actor: Actor | None = None, **values: Any
) -> Any:
    given = {"account_id": account.account_id, "reason": "They were sent.", **values}
    return await run(rejection.reinstate, actor or run.reviewer, ReinstateAccount(**given))


async def shown(run: Runner, account: Account) -> tuple[str, str | None, set[Any]]:
    """Status and reason of the account, and what its capabilities are; nothing contradicts it."""
    assert await verify_account(run.database.worker, account.account_id) == []
    row = await run.fetch(Account, account.account_id)
    async with run.database.session_for(run.system) as session:
        found = await session.scalars(
            select(Capability).where(Capability.account_id == account.account_id)
        )
        statuses = {(each.status, each.disabled_reason) for each in found}
    return row.status, row.disabled_reason, statuses


async def last_event(run: Runner, account: Account, kind: str) -> Event:
    async with run.database.session_for(run.system) as session:
        query = select(Event).where(Event.account_id == account.account_id, Event.type == kind)
        return (await session.scalars(query)).one()


def test_the_reasons_are_stripes() -> None:
    assert {reason.disabled_reason for reason in RejectionReason} == set(REJECTED_REASONS)


@pytest.mark.parametrize("reason", RejectionReason)
async def test_a_rejected_account_may_do_nothing_until_it_is_reinstated(
    run: Runner, reason: RejectionReason
) -> None:
    account = await create_account(run)
    word = f"rejected.{reason.lower()}"
    made: Account = (await reject(run, account, reason=reason)).value
    assert (made.rejection_statement, made.rejected_at) == (WORDS, run.clock.now())
    assert (made.rejected_by_kind, made.rejected_by_id) == ("REVIEWER", "rita")
    assert await shown(run, account) == ("REJECTED", word, {("RESTRICTED", word)})
    event = await last_event(run, account, "ACCOUNT_REJECTED")
    assert event.changes == {"rejectedReason": {"from": None, "to": word}, "statement": WORDS}
    made = (await reinstate(run, account)).value
    assert (made.rejected_reason, made.rejection_statement, made.rejected_at) == (None, None, None)
    assert (made.reinstatement_reason, made.reinstated_at) == ("They were sent.", run.clock.now())
    assert (made.reinstated_by_kind, made.reinstated_by_id) == ("REVIEWER", "rita")
    assert await shown(run, account) == ("ENABLED", None, {("ACTIVE", None)})
    event = await last_event(run, account, "ACCOUNT_REINSTATED")
    assert event.changes == {
        "rejectedReason": {"from": word, "to": None},
        "reason": "They were sent.",
    }


async def test_what_was_asked_stays_asked_and_counts_again(run: Runner) -> None:
    account = await create_account(run)
    row = await create_requirement(run, "OPEN", account)
    assert row.deadline is not None
    await reject(run, account)
    run.clock.set(row.deadline)
    await run.rederive(account.account_id)
    assert (await shown(run, account))[:2] == ("REJECTED", "rejected.fraud")
    assert (await run.fetch(Requirement, row.account_id, row.id)).state == "OPEN"
    await reinstate(run, account)
    assert (await shown(run, account))[:2] == ("RESTRICTED", "requirements.past_due")
    await submit(run, row)
    assert (await shown(run, account))[:2] == (
        "UNDER_REVIEW",
        "requirements.pending_verification",
    )


async def test_an_account_is_rejected_once_and_reinstated_once(run: Runner) -> None:
    account = await create_account(run)
    with pytest.raises(IllegalTransition) as caught:
        await reinstate(run, account)
    assert (caught.value.state, caught.value.allowed) == ("ENABLED", ("REJECT",))
    await reject(run, account)
    with pytest.raises(IllegalTransition) as caught:
        await reject(run, account)
    assert (caught.value.state, caught.value.allowed) == ("REJECTED", ("REINSTATE",))
    await reinstate(run, account)
    made = (await reject(run, account, reason="LISTED")).value
    # Why the rejection before was taken back is past.
    assert (made.reinstatement_reason, made.reinstated_at, made.reinstated_by_id) == (None,) * 3


@pytest.mark.parametrize("role", [Role.ACCOUNT_USER, Role.INTEGRATOR])
async def test_who_may_not(run: Runner, role: Role) -> None:
    account = await create_account(run)
    own = account.account_id if role is Role.ACCOUNT_USER else None
    actor = Actor(role, "olga", run.platform_id, own)
    for operation in (reject, reinstate):
        with pytest.raises(Forbidden):
            await operation(run, account, actor)


@pytest.mark.parametrize("words", ["", " ", "x" * 5_001, "\x00"])
async def test_words_that_can_not_be(run: Runner, words: str) -> None:
    account = await create_account(run)
    with pytest.raises(InvalidInput) as caught:
        await reject(run, account, statement=words)
    assert caught.value.field == ("statement",)
    with pytest.raises(InvalidInput) as caught:
        await reinstate(run, account, reason=words)
    assert caught.value.field == ("reason",)


async def test_both_are_held_against_the_version_and_done_once(run: Runner) -> None:
    account = await create_account(run)
    with pytest.raises(StaleVersion):
        await reject(run, account, expected_version=account.version + 1)
    keyed: dict[str, Any] = {"expected_version": account.version, "idempotency_key": "k"}
    made = await reject(run, account, **keyed)
    assert (await reject(run, account, **keyed)).replayed
    with pytest.raises(StaleVersion):
        await reinstate(run, account, expected_version=account.version)
    keyed = {"expected_version": made.value.version, "idempotency_key": "l"}
    assert not (await reinstate(run, account, **keyed)).replayed
    assert (await reinstate(run, account, **keyed)).replayed
