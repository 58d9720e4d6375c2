"""A message of the account's user makes its requirement risk's turn, until somebody answers."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import delivery
from models import requirement_operations as requirements
from models.actor import Actor
from models.aggregate import Account
from models.clock import ManualClock
from models.delivery import ReportInteraction, ScheduleInteraction, SendInteraction
from models.interaction import Interaction
from models.interaction_steps import Failure
from models.requirement import Requirement
from models.requirement_operations import Assign, Extend, StartReview
from models.sending import DueInteraction, let_out, take
from models.status import AwaitingActionFrom, awaiting, due_status
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    Runner,
    cancel_notices,
    contact_key,
    create_requirement,
    create_resolution,
    draft_interaction,
    key_of,
    open_requirement,
    receive_message,
    refer,
    submit,
)
from tests.models.test_fair_clock import send_back, spans_of

HOUR = timedelta(hours=1)


async def stored(run: Runner, row: Requirement) -> Requirement:
    return await run.fetch(Requirement, row.account_id, row.id)


async def send(run: Runner, contact: Interaction, actor: Actor | None = None) -> None:
    command = SendInteraction(**contact_key(contact))
    await run(delivery.send, actor or run.reviewer, command)


async def the_sender_comes_by(run: Runner, contact: Interaction) -> None:
    due = DueInteraction(contact.account_id, run.platform_id, contact.id)
    for look in (let_out, take):
        async with run.database.session_for(run.system) as session:
            await look(session, run.clock, due)


@pytest.mark.parametrize("state", ["OPEN", "ACTION_REQUIRED", "SUBMITTED", "IN_REVIEW"])
async def test_a_message_waits_for_an_answer_and_changes_nothing_else(
    run: Runner, clock: ManualClock, state: str
) -> None:
    row = await create_requirement(run, state)
    account, spans = await run.fetch(Account, row.account_id), await spans_of(run, row)
    clock.advance(HOUR)
    await receive_message(run, row)
    now = await stored(run, row)
    assert now.unanswered_since == START + HOUR
    assert (now.version, now.updated_at) == (row.version + 1, START + HOUR)
    assert awaiting(now.state, now.unanswered_since) is AwaitingActionFrom.RISK
    same = (
        *("state", "currently_due_at", "notice_at", "deadline", "submitted_at", "closed_at"),
        *("review_due_at", "review_at_risk_at", "review_left_seconds", "span_number"),
    )
    assert [getattr(now, name) for name in same] == [getattr(row, name) for name in same]
    assert due_status(now.state, now.currently_due_at, now.deadline, clock.now()) == due_status(
        row.state, row.currently_due_at, row.deadline, clock.now()
    )
    assert await spans_of(run, row) == spans
    after = await run.fetch(Account, row.account_id)
    assert (after.status, after.disabled_reason, after.next_deadline, after.next_change_at) == (
        *(account.status, account.disabled_reason, account.next_deadline),
        account.next_change_at,
    )
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_a_hello_does_not_stop_the_clock(run: Runner, clock: ManualClock) -> None:
    row = await open_requirement(run)
    assert row.deadline is not None
    await receive_message(run, row, body="Hello")
    clock.set(row.deadline)
    await run.rederive(row.account_id)
    account = await run.fetch(Account, row.account_id)
    assert (account.status, account.disabled_reason) == ("RESTRICTED", "requirements.past_due")


async def test_the_first_message_that_nobody_answered_counts(
    run: Runner, clock: ManualClock
) -> None:
    row = await open_requirement(run)
    await receive_message(run, row)
    first = await stored(run, row)
    clock.advance(HOUR)
    await receive_message(run, row, body="Is anybody there?")
    now = await stored(run, row)
    assert (now.unanswered_since, now.version) == (START, first.version)


@pytest.mark.parametrize("state", ["SATISFIED", "REJECTED", "WAIVED", "CANCELED"])
async def test_what_has_ended_waits_for_nobody(run: Runner, state: str) -> None:
    row = await create_requirement(run, state)
    await receive_message(run, row)
    now = await stored(run, row)
    assert (now.unanswered_since, now.version) == (None, row.version)


async def test_only_what_it_is_about_waits(run: Runner) -> None:
    row = await open_requirement(run)
    account = await run.fetch(Account, row.account_id)
    second, other = [await open_requirement(run, account) for _ in range(2)]
    await receive_message(run, row, requirement_ids=(row.id, second.id))
    waiting = [(await stored(run, one)).unanswered_since for one in (row, second, other)]
    assert waiting == [START, START, None]
    # An answer about one of them answers that.
    await send(run, await draft_interaction(run, second))
    waiting = [(await stored(run, one)).unanswered_since for one in (row, second, other)]
    assert waiting == [START, None, None]


async def test_the_user_of_an_account_in_appeal_waits_too(run: Runner) -> None:
    row = await open_requirement(run)
    await create_resolution(run, "APPEALED", row)
    await receive_message(run, row)
    assert (await stored(run, row)).unanswered_since == START


async def test_an_answer_counts_once_it_goes_out(run: Runner, clock: ManualClock) -> None:
    row = await open_requirement(run)
    await receive_message(run, row)
    answer = await draft_interaction(run, row, channel="DASHBOARD")
    at = clock.now() + HOUR
    await run(delivery.schedule, run.reviewer, ScheduleInteraction(**contact_key(answer), at=at))
    assert (await stored(run, row)).unanswered_since == START
    clock.advance(HOUR)
    await the_sender_comes_by(run, answer)
    now = await stored(run, row)
    assert now.unanswered_since is None
    assert awaiting(now.state, now.unanswered_since) is AwaitingActionFrom.ACCOUNT
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_what_a_service_or_recourse_itself_writes_is_no_answer(run: Runner) -> None:
    row = await open_requirement(run)
    await cancel_notices(run, row)
    await receive_message(run, row)
    by_service = await draft_interaction(run, row, by=run.integrator)
    await send(run, by_service)
    assert (await stored(run, row)).unanswered_since == START
    command = Extend(**key_of(row), deadline=START + timedelta(days=30))
    await run(requirements.extend, run.reviewer, command)
    async with run.database.session_for(run.system) as session:
        scheduled = select(Interaction).where(
            Interaction.account_id == row.account_id, Interaction.state == "SCHEDULED"
        )
        notice = (await session.scalars(scheduled)).one()
    await the_sender_comes_by(run, notice)
    assert (await run.fetch(Interaction, row.account_id, notice.id)).state == "SENT"
    assert (await stored(run, row)).unanswered_since == START


async def test_what_was_scheduled_before_the_message_came_is_no_answer(
    run: Runner, clock: ManualClock
) -> None:
    row = await open_requirement(run)
    reminder = await draft_interaction(run, row, channel="DASHBOARD")
    at = clock.now() + 2 * HOUR
    await run(delivery.schedule, run.reviewer, ScheduleInteraction(**contact_key(reminder), at=at))
    clock.advance(HOUR)
    await receive_message(run, row)
    clock.advance(HOUR)
    await the_sender_comes_by(run, reminder)
    assert (await run.fetch(Interaction, row.account_id, reminder.id)).state == "SENT"
    assert (await stored(run, row)).unanswered_since == START + HOUR


async def test_whoever_sends_an_older_draft_by_hand_knows_the_message(
    run: Runner, clock: ManualClock
) -> None:
    row = await open_requirement(run)
    draft = await draft_interaction(run, row)
    clock.advance(HOUR)
    await receive_message(run, row)
    await send(run, draft, run.second_reviewer)
    assert (await stored(run, row)).unanswered_since is None


async def test_a_second_attempt_to_mail_an_answer_answers_nothing_new(
    run: Runner, clock: ManualClock
) -> None:
    row = await open_requirement(run)
    await receive_message(run, row)
    answer = await draft_interaction(run, row)
    await send(run, answer)
    async with run.database.worker.begin() as connection:
        tried = update(Interaction).where(Interaction.id == answer.id)
        await connection.execute(tried.values(attempts=1, attempt_number=1, attempt_at=None))
    failed = Failure("greylisted", "Later.")
    report = ReportInteraction(**contact_key(answer), report="FAILED", failure=failed)
    await run(delivery.report, run.integrator, report)
    clock.advance(HOUR)
    await receive_message(run, row)
    async with run.database.worker.begin() as connection:
        again = update(Interaction).where(Interaction.id == answer.id)
        await connection.execute(again.values(attempt_at=clock.now()))
    await the_sender_comes_by(run, answer)
    assert (await run.fetch(Interaction, row.account_id, answer.id)).sent_at == clock.now()
    assert (await stored(run, row)).unanswered_since == START + HOUR


async def test_another_state_ends_the_waiting(run: Runner) -> None:
    row = await open_requirement(run)
    await receive_message(run, row)
    # Handed to somebody, or given more time, it still waits.
    await run(requirements.assign, run.reviewer, Assign(**key_of(row), assignee_id="rita"))
    assert (await stored(run, row)).unanswered_since == START
    await submit(run, row)
    assert (await stored(run, row)).unanswered_since is None
    await receive_message(run, row)
    await refer(run, row)
    assert (await stored(run, row)).unanswered_since == START
    await run(requirements.start_review, run.reviewer, StartReview(**key_of(row)))
    assert (await stored(run, row)).unanswered_since is None
    await receive_message(run, row)
    await send_back(run, row)
    assert (await stored(run, row)).unanswered_since is None
