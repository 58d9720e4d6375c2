"""Races, on separate connections: who wins, and what is counted in the store afterwards."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import account as accounts
from models import decision, hold, program
from models import requirement_operations as requirements
from models.account import CreateAccount, UpdateAccount
from models.aggregate import Account
from models.decision import ApproveResolution, Decide, DeclineResolution
from models.errors import ErrorCode, RecourseError
from models.events import Event, Outbox
from models.evidence import Evidence
from models.hold import PlaceHold
from models.ids import account_id_for
from models.program import Program
from models.requirement import Requirement
from models.requirement_operations import Assign, Cancel, Submit
from models.resolution import Resolution, ResolutionOutcome
from models.verify import verify_account
from tests.factories import (
    PAYLOAD,
    REJECTION,
    Runner,
    create_account,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    program_values,
    publish_program,
)

ROUNDS = range(6)


async def race(*requests: Coroutine[Any, Any, Any]) -> Counter[str]:
    """Send all at once; how many passed, and how many were refused with which code."""
    answers = await asyncio.gather(*requests, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, RecourseError):
            raise answer
    return Counter(a.code if isinstance(a, RecourseError) else "passed" for a in answers)


async def column(run: Runner, kind: Any, name: str, row: Any) -> list[Any]:
    """One column of all rows of the row's account."""
    table = kind.__table__
    query = (
        select(table.c[name]).where(table.c.account_id == row.account_id).order_by(table.c[name])
    )
    async with run.database.worker.connect() as connection:
        return list(await connection.scalars(query))


async def assert_sound(run: Runner, row: Any) -> None:
    """The chain has no gap and no fork, and each event waits once to be published."""
    assert await verify_account(run.database.worker, row.account_id) == []
    sequences = await column(run, Event, "sequence", row)
    assert sequences == list(range(1, len(sequences) + 1))
    assert await column(run, Outbox, "sequence", row) == sequences


@pytest.mark.parametrize("_", ROUNDS)
async def test_of_an_approval_and_a_rejection_at_once_exactly_one_wins(run: Runner, _: int) -> None:
    row = await create_requirement(run, "SUBMITTED")
    approval = Decide(**key_of(row))
    rejection = Decide(**key_of(row), reason_code="forged", statement=REJECTION)
    answers = await race(
        run(decision.approve, run.reviewer, approval),
        run(decision.reject, run.second_reviewer, rejection),
    )
    assert answers == {"passed": 1, ErrorCode.ILLEGAL_TRANSITION: 1}
    now = await run.fetch(Requirement, row.account_id, row.id)
    assert await column(run, Resolution, "outcome", row) == [now.state]
    types = Counter(await column(run, Event, "type", row))
    assert types["RESOLUTION_FINAL"] == 1
    assert types["REQUIREMENT_APPROVED"] + types["REQUIREMENT_REJECTED"] == 1
    await assert_sound(run, row)


async def test_of_six_who_saw_the_same_version_one_acts_and_five_are_told_it_is_stale(
    run: Runner,
) -> None:
    row = await create_requirement(run, "SUBMITTED")
    commands = [
        Assign(**key_of(row), assignee_id=f"r{n}", expected_version=row.version) for n in range(6)
    ]
    answers = await race(*(run(requirements.assign, run.reviewer, each) for each in commands))
    assert answers == {"passed": 1, ErrorCode.STALE_VERSION: 5}
    assert (await run.fetch(Requirement, row.account_id, row.id)).version == row.version + 1
    assert Counter(await column(run, Event, "type", row))["REQUIREMENT_ASSIGNED"] == 1


async def test_of_four_proposals_at_once_one_waits_for_the_second_pair_of_eyes(run: Runner) -> None:
    row = await open_requirement(run)
    command = Decide(**key_of(row), reason_code="low_risk")
    reviewers = [run.reviewer, run.second_reviewer, run.admin, run.reviewer]
    answers = await race(*(run(decision.waive, reviewer, command) for reviewer in reviewers))
    assert answers == {"passed": 1, ErrorCode.PROPOSAL_PENDING: 3}
    assert await column(run, Resolution, "state", row) == ["PROPOSED"]
    await assert_sound(run, row)


@pytest.mark.parametrize("_", ROUNDS)
async def test_a_proposal_approved_and_declined_at_once_ends_one_way(run: Runner, _: int) -> None:
    row = await open_requirement(run)
    proposal = await decide(run, row, ResolutionOutcome.WAIVED)
    key: dict[str, Any] = {"account_id": row.account_id, "resolution_id": proposal.id}
    answers = await race(
        run(decision.approve_resolution, run.second_reviewer, ApproveResolution(**key)),
        run(decision.decline_resolution, run.admin, DeclineResolution(**key)),
    )
    assert answers == {"passed": 1, ErrorCode.ILLEGAL_TRANSITION: 1}
    now = await run.fetch(Requirement, row.account_id, row.id)
    (state,) = await column(run, Resolution, "state", row)
    assert (state, now.state) in {("FINAL", "WAIVED"), ("DECLINED", "OPEN")}
    assert now.proposed_outcome is None
    await assert_sound(run, row)


@pytest.mark.parametrize("_", ROUNDS)
async def test_a_submission_racing_a_cancellation_never_reopens_what_was_canceled(
    run: Runner, _: int
) -> None:
    row = await open_requirement(run)
    user = run.account_user(await run.fetch(Account, row.account_id))
    answers = await race(
        run(requirements.submit, user, Submit(**key_of(row), payload=PAYLOAD)),
        run(
            requirements.cancel,
            run.admin,
            Cancel(**key_of(row), reason="Opened in error."),
        ),
    )
    assert answers["passed"] + answers[ErrorCode.ILLEGAL_TRANSITION] == 2
    assert (await run.fetch(Requirement, row.account_id, row.id)).state == "CANCELED"
    assert len(await column(run, Evidence, "id", row)) == answers["passed"] - 1
    types = Counter(await column(run, Event, "type", row))
    assert types["REQUIREMENT_SUBMITTED"] == answers["passed"] - 1
    assert types["REQUIREMENT_CANCELED"] == 1
    await assert_sound(run, row)


async def test_of_six_creations_of_one_account_one_makes_it_and_five_are_told(run: Runner) -> None:
    commands = [
        CreateAccount(
            external_id="x", business_name=f"Acme {n}", country="DE", idempotency_key=f"k{n}"
        )
        for n in range(6)
    ]
    answers = await race(*(run(accounts.create, run.integrator, each) for each in commands))
    assert answers == {"passed": 1, ErrorCode.ALREADY_EXISTS: 5}
    account = await run.fetch(Account, account_id_for(run.platform_id, "x"))
    assert await column(run, Event, "type", account) == ["ACCOUNT_CREATED"]
    await assert_sound(run, account)


async def test_publishing_at_once_gives_each_version_once_and_one_of_them_is_published(
    run: Runner,
) -> None:
    commands = [program_values(code="raced", title=f"Title {n}") for n in range(5)]
    answers = await race(*(run(program.publish, run.integrator, each) for each in commands))
    assert answers == {"passed": 5}
    made = [await run.fetch(Program, run.platform_id, "raced", n) for n in range(1, 6)]
    assert [each.state for each in made] == ["SUPERSEDED"] * 4 + ["PUBLISHED"]
    assert len({each.title for each in made}) == 5


async def test_eight_writers_on_two_accounts_leave_two_chains_without_a_gap(run: Runner) -> None:
    made = await publish_program(run)
    pair = [await create_account(run) for _ in range(2)]
    rows = [await open_requirement(run, account, made) for account in pair]

    async def write(writer: int) -> None:
        for turn in range(8):
            row, account = rows[(writer + turn) % 2], pair[(writer + turn) % 2]
            if turn % 4 == 3:
                reason = "UNDER_REVIEW"
                placing = PlaceHold(
                    account_id=account.account_id, capabilities=("PAYOUTS",), reason=reason
                )
                await run(hold.place, run.reviewer, placing)
            elif turn % 4 == 2:
                changes = {"business_name": f"Acme {writer} {turn}"}
                updating = UpdateAccount(account_id=account.account_id, changes=changes)
                await run(accounts.update, run.integrator, updating)
            else:
                assigning = Assign(**key_of(row), assignee_id=f"r{writer}")
                await run(requirements.assign, run.reviewer, assigning)

    await asyncio.gather(*(write(writer) for writer in range(8)))
    types: Counter[str] = Counter()
    for account in pair:
        await assert_sound(run, account)
        types.update(await column(run, Event, "type", account))
    assert (types["REQUIREMENT_ASSIGNED"], types["HOLD_PLACED"]) == (32, 16)
    assert types["ACCOUNT_UPDATED"] == 16


async def test_of_four_workers_one_records_that_a_deadline_has_passed(run: Runner) -> None:
    row = await open_requirement(run)
    run.clock.advance(timedelta(days=20))
    came = await asyncio.gather(*(run.rederive(row.account_id) for _ in range(4)))
    assert sorted(came) == [False, False, False, True]
    types = Counter(await column(run, Event, "type", row))
    assert types["REQUIREMENT_PAST_DUE"] == types["REQUIREMENT_CURRENTLY_DUE"] == 1
    assert (await run.fetch(Account, row.account_id)).status == "RESTRICTED"
    await assert_sound(run, row)


@pytest.mark.parametrize("_", ROUNDS)
async def test_a_worker_racing_a_submission_after_the_deadline_records_it_once(
    run: Runner, _: int
) -> None:
    row = await open_requirement(run)
    run.clock.advance(timedelta(days=20))
    user = run.account_user(await run.fetch(Account, row.account_id))
    await race(
        run.rederive(row.account_id),
        run(requirements.submit, user, Submit(**key_of(row), payload=PAYLOAD)),
        run.rederive(row.account_id),
    )
    types = Counter(await column(run, Event, "type", row))
    assert types["REQUIREMENT_PAST_DUE"] == types["REQUIREMENT_SUBMITTED"] == 1
    assert (await run.fetch(Account, row.account_id)).status == "UNDER_REVIEW"
    await assert_sound(run, row)
