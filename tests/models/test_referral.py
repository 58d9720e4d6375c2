"""While a third party is waited for: whose the time is, and what that ends and leaves alone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from models import referral
from models import requirement_operations as requirements
from models.aggregate import Account
from models.clock import ManualClock
from models.errors import ErrorCode, Forbidden, InvalidInput
from models.fair_clock import Party, Span, totals
from models.note import Note
from models.permission import Permission
from models.program import Program
from models.referral import Refer
from models.referral_rules import AlreadyReferred, NotReferred
from models.requirement import Requirement, RequirementAction
from models.requirement_operations import Cancel, RequestChanges, StartReview
from models.requirement_permissions import permissions
from models.resolution import ResolutionOutcome
from models.verify import FindingKind, verify_account
from tests.conftest import START
from tests.factories import (
    ERROR,
    Runner,
    create_requirement,
    create_resolution,
    decide,
    judge,
    key_of,
    open_requirement,
    publish_program,
    recall,
    refer,
    settle,
    submit,
)
from tests.models.test_fair_clock import events_of, send_back, spans_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def program(run: Runner) -> Program:
    """Too late after fourteen days, reviewed within two."""
    return await publish_program(run, review_within="P2D")


async def stored(run: Runner, row: Requirement) -> Requirement:
    return await run.fetch(Requirement, row.account_id, row.id)


async def test_the_time_is_the_third_partys_until_it_is_recalled(
    run: Runner, clock: ManualClock, program: Program, owner_engine: AsyncEngine
) -> None:
    row = await open_requirement(run, program=program)
    await submit(run, row)
    clock.advance(HOUR)
    referred = await refer(run, row)
    assert (referred.state, referred.referred_to, referred.referred_at) == (
        *("SUBMITTED", "Commerzbank"),
        START + HOUR,
    )
    clock.advance(DAY)
    await run(requirements.start_review, run.reviewer, StartReview(**key_of(row)))
    assert (await stored(run, row)).referred_to == "Commerzbank"
    clock.advance(DAY)
    back = await recall(run, row)
    assert (back.state, back.referred_to, back.referred_at) == ("IN_REVIEW", None, None)
    clock.advance(HOUR)
    until = START + HOUR + 2 * DAY
    spans = [
        Span("ACCOUNT", START, START),
        Span("RISK", START, START + HOUR),
        Span("THIRD_PARTY", START + HOUR, until),
        Span("RISK", until),
    ]
    assert await spans_of(run, row) == spans
    assert totals(spans, clock.now()) == {
        Party.ACCOUNT: timedelta(),
        Party.RISK: 2 * HOUR,
        Party.THIRD_PARTY: 2 * DAY,
        Party.NOBODY: timedelta(),
    }
    ((at, changes),) = await events_of(owner_engine, row, "REQUIREMENT_REFERRED")
    assert (at, changes) == (
        START + HOUR,
        {"referredTo": {"from": None, "to": "Commerzbank"}},
    )
    ((at, changes),) = await events_of(owner_engine, row, "REQUIREMENT_RECALLED")
    assert (at, changes) == (until, {"referredTo": {"from": "Commerzbank", "to": None}})
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_the_promise_rests_meanwhile_and_what_was_left_runs_on(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    await submit(run, row)
    clock.advance(5 * HOUR)
    await refer(run, row)
    resting = await stored(run, row)
    assert (resting.review_due_at, resting.review_at_risk_at) == (None, None)
    assert resting.review_left_seconds == 43 * 3600
    clock.advance(10 * DAY)
    await recall(run, row)
    running = await stored(run, row)
    assert running.review_due_at == clock.now() + 43 * HOUR
    assert running.review_at_risk_at == clock.now() + 31 * HOUR
    assert running.review_left_seconds is None


async def test_what_was_left_is_kept_when_it_is_sent_back_meanwhile(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    await submit(run, row)
    clock.advance(5 * HOUR)
    await refer(run, row)
    clock.advance(DAY)
    await send_back(run, row)
    assert (await stored(run, row)).review_left_seconds == 43 * 3600
    clock.advance(DAY)
    await submit(run, row)
    assert (await stored(run, row)).review_due_at == clock.now() + 43 * HOUR


async def test_a_promise_that_was_broken_stays_so(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    await submit(run, row)
    clock.advance(3 * DAY)
    await refer(run, row)
    assert (await stored(run, row)).review_left_seconds == 0
    clock.advance(DAY)
    await recall(run, row)
    assert (await stored(run, row)).review_due_at == clock.now()


async def test_the_account_gets_the_third_partys_time_back_too(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    assert row.deadline is not None
    clock.advance(DAY)
    await submit(run, row)
    clock.advance(DAY)
    await refer(run, row)
    clock.advance(20 * DAY)
    await run.rederive(row.account_id)
    # While it waits, nothing is past due.
    assert (await run.fetch(Account, row.account_id)).disabled_reason != "requirements.past_due"
    await recall(run, row)
    clock.advance(2 * DAY)
    await send_back(run, row)
    assert (await stored(run, row)).deadline == row.deadline + 23 * DAY
    assert await verify_account(run.database.worker, row.account_id) == []


@pytest.mark.parametrize(
    "state", ["ACTION_REQUIRED", "SATISFIED", "REJECTED", "WAIVED", "CANCELED"]
)
async def test_what_leaves_risks_hands_is_referred_no_more(
    run: Runner, clock: ManualClock, program: Program, owner_engine: AsyncEngine, state: str
) -> None:
    row = await create_requirement(run, "SUBMITTED", program=program)
    await refer(run, row)
    clock.advance(DAY)
    await bring_to(run, row, state)
    now = await stored(run, row)
    assert (now.state, now.referred_to, now.referred_at) == (state, None, None)
    last = (await spans_of(run, row))[2 if state == "ACTION_REQUIRED" else -1]
    assert last == Span("THIRD_PARTY", START, START + DAY)
    async with owner_engine.connect() as connection:
        events = Requirement.metadata.tables["events"]
        found = await connection.scalars(
            select(events.c.changes).where(
                events.c.subject_id == row.id, events.c.changes.has_key("referredTo")
            )
        )
        told = [changes["referredTo"] for changes in found]
    assert {"from": "Commerzbank", "to": None} in told
    assert len(told) == 2
    assert await verify_account(run.database.worker, row.account_id) == []


async def bring_to(run: Runner, row: Requirement, state: str) -> None:
    key = key_of(row)
    if state == "ACTION_REQUIRED":
        command = RequestChanges(**key, errors=(ERROR,))
        await run(requirements.request_changes, run.reviewer, command)
    elif state == "CANCELED":
        await run(requirements.cancel, run.admin, Cancel(**key, reason="Not needed."))
    elif state == "WAIVED":
        await settle(run, await decide(run, row, ResolutionOutcome.WAIVED))
    else:
        await decide(run, row, ResolutionOutcome(state))


@pytest.mark.parametrize("uphold", [True, False])
async def test_an_appeal_may_wait_for_somebody_else_until_it_is_decided(
    run: Runner, clock: ManualClock, program: Program, uphold: bool
) -> None:
    row = await open_requirement(run, program=program)
    appealed = await create_resolution(run, "APPEALED", row)
    clock.advance(HOUR)
    await refer(run, row, "Handelsregister")
    waiting = await stored(run, row)
    assert (waiting.state, waiting.review_left_seconds) == ("IN_REVIEW", 47 * 3600)
    clock.advance(DAY)
    await judge(run, appealed, uphold=uphold)
    now = await stored(run, row)
    assert (now.state, now.referred_to) == ("REJECTED" if uphold else "SATISFIED", None)
    assert (await spans_of(run, row))[-1] == Span("THIRD_PARTY", START + HOUR, START + HOUR + DAY)
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_it_is_referred_to_one_at_a_time_and_recalled_once(run: Runner) -> None:
    row = await create_requirement(run, "IN_REVIEW")
    with pytest.raises(NotReferred):
        await recall(run, row)
    await refer(run, row)
    with pytest.raises(AlreadyReferred):
        await refer(run, row, "Handelsregister")
    assert (await stored(run, row)).referred_to == "Commerzbank"
    await recall(run, row)
    with pytest.raises(NotReferred):
        await recall(run, row)
    await refer(run, row, "Handelsregister")
    assert (await stored(run, row)).referred_to == "Handelsregister"


async def test_a_note_for_staff_may_come_with_it(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    command = Refer(**key_of(row), to="Commerzbank", note="Ticket 4711.")
    await run(referral.refer, run.reviewer, command)
    async with run.database.session_for(run.system) as session:
        query = select(Note).where(Note.account_id == row.account_id)
        notes = [(note.text, note.author_id) for note in await session.scalars(query)]
    assert notes == [("Ticket 4711.", "rita")]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"to": " "}, "to"),
        ({"to": "x" * 201}, "to"),
        ({"to": "B\x00nk"}, "to"),
        ({"to": "Bank", "note": " "}, "note"),
        ({"to": "Bank", "note": "x" * 5_001}, "note"),
    ],
)
async def test_what_can_not_be_said_is_refused(
    run: Runner, values: dict[str, Any], field: str
) -> None:
    row = await create_requirement(run, "SUBMITTED")
    with pytest.raises(InvalidInput) as caught:
        await run(referral.refer, run.reviewer, Refer(**key_of(row), **values))
    assert caught.value.field == (field,)
    assert (await stored(run, row)).version == row.version


async def test_only_reviewers_say_so(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    user = run.account_user(await run.fetch(Account, row.account_id))
    for actor in (user, run.integrator):
        with pytest.raises(Forbidden):
            await run(referral.refer, actor, Refer(**key_of(row), to="Bank"))


async def test_what_may_be_done_follows_the_referral(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")

    async def allowed() -> dict[str, Permission]:
        found = permissions(await stored(run, row), run.reviewer, run.clock.now())
        return {entry.action: entry for entry in found}

    before = await allowed()
    assert before["REFER"].allowed
    assert [r.code for r in before["RECALL"].refusals] == [ErrorCode.NOT_REFERRED]
    await refer(run, row)
    after = await allowed()
    assert after["RECALL"].allowed
    assert [r.code for r in after["REFER"].refusals] == [ErrorCode.ALREADY_REFERRED]
    others = set(RequirementAction) - {RequirementAction.REFER, RequirementAction.RECALL}
    assert {a: before[a].allowed for a in others} == {a: after[a].allowed for a in others}


async def test_a_referral_that_the_events_do_not_tell_is_named(
    run: Runner, clock: ManualClock, owner_engine: AsyncEngine
) -> None:
    row = await create_requirement(run, "SUBMITTED")
    clock.advance(DAY)
    await refer(run, row)
    spans = Requirement.metadata.tables["requirement_spans"]
    async with owner_engine.begin() as connection:
        await connection.execute(
            spans.update()
            .where(spans.c.requirement_id == row.id, spans.c.ended_at.is_(None))
            .values(party="RISK")
        )
    found = await verify_account(run.database.worker, row.account_id)
    assert [one.kind for one in found] == [FindingKind.LEDGER_DIFFERS]
