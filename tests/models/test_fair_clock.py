"""Who has held a requirement, and what the account gets back of the time that risk took."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from models import requirement_operations as requirements
from models.aggregate import Account
from models.clock import ManualClock
from models.fair_clock import SPANS, Party, Span, holder, ledger, totals
from models.program import Program
from models.requirement import Requirement
from models.requirement_operations import Cancel, Reopen, RequestChanges, StartReview, Submit
from models.resolution import ResolutionOutcome
from models.verify import FindingKind, verify_account
from tests.conftest import START
from tests.factories import (
    ERROR,
    PAYLOAD,
    Runner,
    decide,
    key_of,
    open_requirement,
    publish_program,
    submit,
)

DAY = timedelta(days=1)


async def spans_of(run: Runner, row: Requirement) -> list[Span]:
    """The stored spans, in their order."""
    async with run.database.worker.connect() as connection:
        query = SPANS.select().where(SPANS.c.requirement_id == row.id).order_by(SPANS.c.number)
        found = (await connection.execute(query)).all()
    return [Span(span.party, span.started_at, span.ended_at) for span in found]


async def send_back(run: Runner, row: Requirement) -> Requirement:
    command = RequestChanges(**key_of(row), errors=(ERROR,))
    return (await run(requirements.request_changes, run.reviewer, command)).value


async def events_of(owner: AsyncEngine, row: Requirement, type: str) -> list[Any]:
    query = "SELECT at, changes FROM events WHERE subject_id = :id AND type = :type"
    async with owner.connect() as connection:
        found = await connection.execute(text(query), {"id": row.id, "type": type})
        return list(found)


@pytest.fixture
async def program(run: Runner) -> Program:
    """Due after seven days, too late after fourteen, noticed three before."""
    return await publish_program(run)


async def test_the_spans_follow_a_requirement_through_its_life(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    clock.advance(2 * DAY)
    await submit(run, row)
    clock.advance(timedelta(hours=5))
    await run(requirements.start_review, run.reviewer, StartReview(**key_of(row)))
    clock.advance(timedelta(hours=7))
    await send_back(run, row)
    clock.advance(DAY)
    await submit(run, row)
    clock.advance(3 * DAY)
    await decide(run, row, ResolutionOutcome.SATISFIED)
    clock.advance(9 * DAY)
    at = [START, START + 2 * DAY, START + 2.5 * DAY, START + 3.5 * DAY, START + 6.5 * DAY]
    ended = [
        Span("ACCOUNT", at[0], at[1]),
        Span("RISK", at[1], at[2]),
        Span("ACCOUNT", at[2], at[3]),
        Span("RISK", at[3], at[4]),
    ]
    assert await spans_of(run, row) == ended
    await run(requirements.reopen, run.reviewer, Reopen(**key_of(row), reason="It expired."))
    again = START + 15.5 * DAY
    open_again = [*ended, Span("NOBODY", at[4], again), Span("ACCOUNT", again)]
    assert await spans_of(run, row) == open_again
    clock.advance(DAY)
    await run(requirements.cancel, run.admin, Cancel(**key_of(row), reason="Not needed."))
    assert await spans_of(run, row) == [*open_again[:-1], Span("ACCOUNT", again, again + DAY)]
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert stored.closed_at is not None
    held = totals(await spans_of(run, row), clock.now())
    assert sum(held.values(), timedelta()) == stored.closed_at - stored.created_at
    assert held == {
        Party.ACCOUNT: 4 * DAY,
        Party.RISK: 3.5 * DAY,
        Party.THIRD_PARTY: timedelta(),
        Party.NOBODY: 9 * DAY,
    }
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_the_time_that_risk_took_moves_all_that_lay_ahead(
    run: Runner, clock: ManualClock, program: Program, owner_engine: AsyncEngine
) -> None:
    row = await open_requirement(run, program=program)
    due, deadline = row.currently_due_at, row.deadline
    assert due is not None
    assert deadline is not None
    clock.advance(2 * DAY)
    await submit(run, row)
    clock.advance(30 * DAY)
    account = await run.fetch(Account, row.account_id)
    await run.rederive(row.account_id)
    # Its deadline has passed by long, but it is not the account's turn.
    assert (await run.fetch(Account, row.account_id)).disabled_reason == account.disabled_reason
    assert await events_of(owner_engine, row, "REQUIREMENT_PAST_DUE") == []
    await send_back(run, row)
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert stored.currently_due_at == due + 30 * DAY
    assert stored.deadline == deadline + 30 * DAY
    assert stored.notice_at == stored.deadline - 3 * DAY
    derived = await run.fetch(Account, row.account_id)
    assert derived.next_deadline == stored.deadline
    assert derived.next_change_at == stored.currently_due_at
    assert derived.status == "ENABLED"
    ((at, changes),) = await events_of(owner_engine, row, "REQUIREMENT_DEADLINE_MOVED")
    assert at == clock.now()
    assert changes == {
        "by": "P30D",
        "currentlyDueAt": {"from": text_of(due), "to": text_of(due + 30 * DAY)},
        "deadline": {"from": text_of(deadline), "to": text_of(deadline + 30 * DAY)},
    }
    clock.set(stored.deadline)
    await run.rederive(row.account_id)
    assert (await run.fetch(Account, row.account_id)).disabled_reason == "requirements.past_due"
    assert await verify_account(run.database.worker, row.account_id) == []


def text_of(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")


async def test_what_was_due_at_submission_stays_due(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    clock.advance(8 * DAY)
    await submit(run, row)
    clock.advance(2 * DAY)
    await send_back(run, row)
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert (stored.currently_due_at, stored.deadline) == (START + 7 * DAY, START + 16 * DAY)


async def test_what_came_too_late_comes_back_as_late(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    clock.advance(15 * DAY)
    await submit(run, row)
    clock.advance(9 * DAY)
    await send_back(run, row)
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert stored.deadline == clock.now() - DAY
    assert (await run.fetch(Account, row.account_id)).disabled_reason == "requirements.past_due"


async def test_a_program_that_does_not_pause_leaves_the_deadline(
    run: Runner, clock: ManualClock, owner_engine: AsyncEngine
) -> None:
    program = await publish_program(run, pauses_deadline=False)
    row = await open_requirement(run, program=program)
    await submit(run, row)
    clock.advance(20 * DAY)
    await send_back(run, row)
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert (stored.currently_due_at, stored.deadline) == (START + 7 * DAY, START + 14 * DAY)
    assert await events_of(owner_engine, row, "REQUIREMENT_DEADLINE_MOVED") == []
    assert (await run.fetch(Account, row.account_id)).disabled_reason == "requirements.past_due"


async def test_each_round_gives_back_its_own_time(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    for days in (1, 2):
        await submit(run, row)
        clock.advance(days * DAY)
        await send_back(run, row)
        clock.advance(timedelta(hours=1))
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert stored.deadline == START + 17 * DAY


async def test_what_ends_beside_another_has_its_ledger_ended_too(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program, alternative_group="address")
    account = await run.fetch(Account, row.account_id)
    other = await open_requirement(run, account, program, alternative_group="address")
    clock.advance(DAY)
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.SATISFIED)
    assert await spans_of(run, other) == [Span("ACCOUNT", START, START + DAY)]


@pytest.mark.parametrize(
    "statement",
    [
        # A gap, an overlap, another beginning than the requirement's, one that is forgotten.
        "UPDATE requirement_spans SET started_at = started_at + interval '1 second' "
        "WHERE number = 2",
        "UPDATE requirement_spans SET started_at = started_at - interval '1 second' "
        "WHERE number = 2",
        "UPDATE requirement_spans SET ended_at = ended_at + interval '1 second' WHERE number = 1",
        "UPDATE requirement_spans SET ended_at = NULL WHERE number = 1",
        "UPDATE requirement_spans SET opened_at = opened_at - interval '1 second', "
        "started_at = started_at - interval '1 second' WHERE number = 1",
        "UPDATE requirements SET created_at = created_at - interval '1 second'",
        "DELETE FROM requirement_spans WHERE number = 1",
    ],
)
async def test_the_database_lets_no_gap_and_no_overlap_be(
    run: Runner, clock: ManualClock, owner_engine: AsyncEngine, statement: str
) -> None:
    row = await open_requirement(run)
    clock.advance(DAY)
    await submit(run, row)
    joined = "AND" if "WHERE" in statement else "WHERE"
    query = text(f"{statement} {joined} account_id = :a")
    async with owner_engine.connect() as connection:
        with pytest.raises(IntegrityError) as caught:
            await connection.execute(query, {"a": row.account_id})
    cause: Any = caught.value.orig
    assert str(cause.__cause__.constraint_name) in {
        "fk_requirement_spans_previous",
        "fk_requirement_spans_requirement",
        "ux_requirement_spans_open",
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE requirement_spans SET party = 'RISK' WHERE account_id = :a AND number = 1",
        "UPDATE requirement_spans SET ended_at = now() WHERE account_id = :a AND number = 2",
        "DELETE FROM requirement_spans WHERE account_id = :a AND number = 2",
        "DELETE FROM requirement_spans WHERE account_id = :a",
        "UPDATE requirements SET span_number = 1 WHERE account_id = :a",
    ],
)
async def test_a_ledger_that_is_not_what_the_events_tell_is_named(
    run: Runner, clock: ManualClock, owner_engine: AsyncEngine, statement: str
) -> None:
    row = await open_requirement(run)
    clock.advance(DAY)
    await submit(run, row)
    async with owner_engine.begin() as connection:
        await connection.execute(text(statement), {"a": row.account_id})
    found = await verify_account(run.database.worker, row.account_id)
    assert [(one.kind, one.place) for one in found] == [
        (FindingKind.LEDGER_DIFFERS, f"requirement {row.id}")
    ]


async def test_a_span_that_is_not_there_is_not_ended(
    run: Runner, owner_engine: AsyncEngine
) -> None:
    row = await open_requirement(run)
    async with owner_engine.begin() as connection:
        query = text("UPDATE requirements SET span_number = 7 WHERE id = :id")
        await connection.execute(query, {"id": row.id})
    with pytest.raises(IntegrityError):
        await run(requirements.submit, run.reviewer, Submit(**key_of(row), payload=PAYLOAD))


def test_a_ledger_follows_from_who_holds_it() -> None:
    at = [START + n * DAY for n in range(6)]
    states = ("OPEN", "SUBMITTED", "IN_REVIEW", "SATISFIED", "ACTION_REQUIRED", "WAIVED")
    parties = [holder(state, referred=False) for state in states]
    assert ledger(zip(at, parties, strict=True)) == [
        Span("ACCOUNT", at[0], at[1]),
        Span("RISK", at[1], at[3]),
        Span("NOBODY", at[3], at[4]),
        Span("ACCOUNT", at[4], at[5]),
    ]
    assert ledger(()) == []
