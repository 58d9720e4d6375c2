"""The same request with the same key has one effect, however often and at once it comes."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from models import account as accounts
from models import hold, program
from models import requirement_operations as requirements
from models.account import CreateAccount, UpdateAccount
from models.actor import Actor, Role
from models.aggregate import Account
from models.errors import IdempotencyKeyReused, InvalidInput, RecourseError
from models.events import Event
from models.hold import Hold, PlaceHold
from models.idempotency import MAX_KEY_LENGTH, IdempotencyKey, PlatformIdempotencyKey
from models.program import Program, Retire
from models.requirement import Requirement
from models.requirement_operations import OpenRequirement, Submit
from models.verify import verify_account
from tests.factories import (
    PAYLOAD,
    Runner,
    create_account,
    create_runner,
    key_of,
    open_requirement,
    program_values,
    publish_program,
    unique,
)


async def count(run: Runner, kind: Any, *conditions: Any) -> int:
    """How many rows there are on the test's platform."""
    query = select(func.count()).select_from(kind.__table__)
    where = [kind.__table__.c.platform_id == run.platform_id, *conditions]
    async with run.database.worker.connect() as connection:
        return (await connection.execute(query.where(*where))).scalar_one()


@pytest.mark.parametrize("senders", [2, 6])
async def test_of_racing_requests_one_opens_and_the_others_replay(
    run: Runner, senders: int
) -> None:
    account, made = await create_account(run), await publish_program(run)
    command = OpenRequirement(
        account_id=account.account_id, program=made.code, idempotency_key="the-key"
    )
    for _ in range(5):
        command = replace(command, idempotency_key=unique("key"))
        before = await count(run, Requirement)
        requests = (
            run(requirements.open_requirement, run.integrator, command) for _ in range(senders)
        )
        outcomes = await asyncio.gather(*requests)
        assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * (senders - 1)
        assert len({outcome.value.id for outcome in outcomes}) == 1
        assert await count(run, Requirement) == before + 1
    opened = await count(run, Event, Event.__table__.c.type == "REQUIREMENT_OPENED")
    assert opened == await count(run, Requirement) == 5
    assert await verify_account(run.database.worker, account.account_id) == []


@pytest.mark.parametrize("senders", [2, 6])
async def test_of_racing_requests_one_creates_the_account(run: Runner, senders: int) -> None:
    command = CreateAccount(
        external_id="raced", business_name="Acme", country="DE", idempotency_key="k"
    )
    requests = (run(accounts.create, run.integrator, command) for _ in range(senders))
    outcomes = await asyncio.gather(*requests)
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * (senders - 1)
    assert await count(run, Account) == 1
    assert await count(run, Event) == 1
    assert await count(run, IdempotencyKey) == 1


@pytest.mark.parametrize("senders", [2, 6])
async def test_of_racing_requests_one_publishes_the_program(run: Runner, senders: int) -> None:
    command = program_values(idempotency_key="k")
    requests = (run(program.publish, run.integrator, command) for _ in range(senders))
    outcomes = await asyncio.gather(*requests)
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * (senders - 1)
    assert {outcome.value.version for outcome in outcomes} == {1}
    assert await count(run, Program) == await count(run, PlatformIdempotencyKey) == 1


async def test_a_replay_shows_the_row_as_it_is_now(run: Runner) -> None:
    row = await open_requirement(run)
    user = Actor(Role.ACCOUNT_USER, "uma", run.platform_id, row.account_id)
    command = Submit(**key_of(row), payload=PAYLOAD, idempotency_key="k")
    first = await run(requirements.submit, user, command)
    start = requirements.StartReview(**key_of(row))
    await run(requirements.start_review, run.reviewer, start)
    again = await run(requirements.submit, user, command)
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.value.id, again.value.state) == (row.id, "IN_REVIEW")
    assert again.value.version == first.value.version + 1


async def test_a_replay_is_not_refused_for_what_its_first_run_changed(run: Runner) -> None:
    row = await open_requirement(run)
    command = Submit(
        **key_of(row), payload=PAYLOAD, idempotency_key="k", expected_version=row.version
    )
    await run(requirements.submit, run.reviewer, command)
    assert (await run(requirements.submit, run.reviewer, command)).replayed


async def test_the_same_key_with_other_input_is_refused_and_changes_nothing(run: Runner) -> None:
    account = await create_account(run)
    place = PlaceHold(
        account_id=account.account_id,
        capabilities=("PAYOUTS",),
        reason="OTHER",
        idempotency_key="k",
    )
    await run(hold.place, run.reviewer, place)
    for other in (
        replace(place, reason="LISTED"),
        replace(place, capabilities=("PAYOUTS", "TRANSFERS")),
        replace(place, note="a note"),
        replace(place, expected_version=1),
    ):
        with pytest.raises(IdempotencyKeyReused) as caught:
            await run(hold.place, run.reviewer, other)
        assert caught.value.field == ("idempotencyKey",)
    assert await count(run, Hold) == 1


async def test_the_same_key_for_another_operation_is_refused(run: Runner) -> None:
    account = await create_account(run)
    changes = {"business_name": "New"}
    update = UpdateAccount(account_id=account.account_id, changes=changes, idempotency_key="k")
    await run(accounts.update, run.reviewer, update)
    place = PlaceHold(
        account_id=account.account_id,
        capabilities=("PAYOUTS",),
        reason="OTHER",
        idempotency_key="k",
    )
    with pytest.raises(IdempotencyKeyReused):
        await run(hold.place, run.reviewer, place)
    published = program_values(idempotency_key="k")
    await run(program.publish, run.admin, published)
    with pytest.raises(IdempotencyKeyReused):
        await run(program.retire, run.admin, Retire(code=published.code, idempotency_key="k"))
    with pytest.raises(IdempotencyKeyReused):
        await run(program.publish, run.admin, replace(published, title="Other"))


async def test_input_that_can_not_be_is_refused_with_a_known_key_too(run: Runner) -> None:
    row = await open_requirement(run)
    good = Submit(**key_of(row), payload=PAYLOAD, idempotency_key="k")
    await run(requirements.submit, run.reviewer, good)
    deep: Any = 1
    for _ in range(3_000):
        deep = [deep]
    for payload in ({"name": 2**60}, {"name": "\ud800"}, {"name": float("inf")}, {"name": deep}):
        with pytest.raises(InvalidInput):
            await run(requirements.submit, run.reviewer, replace(good, payload=payload))


async def test_callers_and_accounts_and_platforms_have_keys_of_their_own(run: Runner) -> None:
    first, second = await create_account(run), await create_account(run)
    elsewhere = await create_runner(run.database, run.clock)
    third = await create_account(elsewhere)
    user = run.account_user(first, name=run.reviewer.id)
    row = await open_requirement(run, first)
    for runner, actor, account in (
        (run, run.reviewer, first),
        (run, run.second_reviewer, first),
        (run, run.reviewer, second),
        (elsewhere, elsewhere.reviewer, third),
    ):
        command = PlaceHold(
            account_id=account.account_id,
            capabilities=("PAYOUTS",),
            reason="OTHER",
            note=str(actor),
            idempotency_key="k",
        )
        assert not (await runner(hold.place, actor, command)).replayed
    submission = Submit(**key_of(row), payload=PAYLOAD, idempotency_key="k")
    assert not (await run(requirements.submit, user, submission)).replayed
    assert await count(run, Hold) == 3
    assert await count(elsewhere, Hold) == 1


async def test_a_failed_operation_leaves_no_key_and_may_be_mended(run: Runner) -> None:
    row = await open_requirement(run)
    bad = Submit(**key_of(row), payload={"name": 7}, idempotency_key="k")
    with pytest.raises(RecourseError):
        await run(requirements.submit, run.reviewer, bad)
    with pytest.raises(RecourseError):
        await run(program.publish, run.admin, program_values(code="!", idempotency_key="k"))
    stale = program_values(expected_version=7, idempotency_key="k")
    with pytest.raises(RecourseError):
        await run(program.publish, run.admin, stale)
    assert await count(run, IdempotencyKey) == await count(run, PlatformIdempotencyKey) == 0
    good = replace(bad, payload=PAYLOAD)
    assert not (await run(requirements.submit, run.reviewer, good)).replayed
    mended = replace(stale, expected_version=0)
    assert not (await run(program.publish, run.admin, mended)).replayed


async def test_an_account_that_exists_is_refused_under_another_key_and_replayed_under_its_own(
    run: Runner,
) -> None:
    command = CreateAccount(
        external_id="x", business_name="Acme", country="DE", idempotency_key="one"
    )
    made = (await run(accounts.create, run.integrator, command)).value
    for key in (None, "two"):
        with pytest.raises(accounts.AccountExists):
            await run(accounts.create, run.integrator, replace(command, idempotency_key=key))
    again = await run(accounts.create, run.integrator, command)
    assert again.replayed
    assert again.value.account_id == made.account_id
    assert await count(run, IdempotencyKey) == 1


@pytest.mark.parametrize("key", ["ключ", "🗝" * MAX_KEY_LENGTH, " k ", "a/b?c=d'--", "K" * 255])
async def test_any_text_up_to_the_limit_is_a_key(run: Runner, key: str) -> None:
    account = await create_account(run, idempotency_key=key)
    again = CreateAccount(
        external_id=account.external_id,
        business_name=account.business_name,
        country=account.country,
        idempotency_key=key,
    )
    assert (await run(accounts.create, run.integrator, again)).replayed
    published = program_values(idempotency_key=key)
    await run(program.publish, run.integrator, published)
    assert (await run(program.publish, run.integrator, published)).replayed


@pytest.mark.parametrize("key", ["", "  ", "\x00", "\ud800", "k" * (MAX_KEY_LENGTH + 1)], ids=ascii)
async def test_what_can_not_be_a_key_is_refused_by_name(run: Runner, key: str) -> None:
    account = await create_account(run)
    place = PlaceHold(
        account_id=account.account_id,
        capabilities=("PAYOUTS",),
        reason="OTHER",
        idempotency_key=key,
    )
    requests: list[tuple[Any, Any]] = [
        (hold.place, place),
        (program.publish, program_values(idempotency_key=key)),
        (program.retire, Retire(code="any", idempotency_key=key)),
        (
            accounts.create,
            CreateAccount(external_id="x", business_name="Acme", country="DE", idempotency_key=key),
        ),
    ]
    for operation, command in requests:
        with pytest.raises(InvalidInput) as caught:
            await run(operation, run.admin, command)
        assert caught.value.field == ("idempotencyKey",)
    assert await count(run, Hold) == await count(run, Program) == 0
    assert await count(run, Account) == 1
