"""A contact that has gone out once stays as it was read, for good, whatever comes of it.

And an e-mail that a mail server took was mailed, whatever was done with the contact meanwhile.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from models import correspondence, delivery
from models.actor import Actor, Role
from models.aggregate import Account
from models.clock import ManualClock
from models.correspondence import DraftInteraction
from models.delivery import (
    CancelInteraction,
    ReportInteraction,
    ScheduleInteraction,
    SendInteraction,
    UpdateInteraction,
)
from models.errors import AlreadySent, InvalidInput, NotFound
from models.events import Event
from models.evidence import DocumentReference
from models.interaction import DashboardOnly, Interaction, InteractionRequirement
from models.sending import (
    LEASE,
    DueInteraction,
    Letter,
    Mailed,
    NotMailed,
    Result,
    Shown,
    let_out,
    settle,
    take,
)
from models.session import settings_sql
from tests.factories import (
    FAILURE,
    Runner,
    cancel_notices,
    contact_key,
    create_account,
    create_interaction,
    draft_interaction,
    open_requirement,
    receive_message,
)

DOCUMENT = DocumentReference("https://files.example/1", "a" * 64, "application/pdf", 9, "one.pdf")
CONTENT: list[dict[str, Any]] = [
    {"body": "Other words."},
    {"subject": "Another subject"},
    {"purpose": "NOTICE"},
    {"channel": "SMS"},
    {"attachments": (DOCUMENT,)},
]
YEAR = timedelta(days=365)


@pytest.fixture
async def row(run: Runner) -> Interaction:
    """An e-mail that has gone out, and that no mail server has seen."""
    account = await create_account(run, email="owner@cafe.example")
    about = await open_requirement(run, account)
    await cancel_notices(run, about)
    return await create_interaction(run, "SENT", about)


async def again(run: Runner, row: Interaction) -> Interaction:
    return await run.fetch(Interaction, row.account_id, row.id)


async def fail(run: Runner, row: Interaction) -> None:
    """Somebody reports that it could not be sent."""
    command = ReportInteraction(**contact_key(row), report="FAILED", failure=FAILURE)
    await run(delivery.report, run.integrator, command)


async def reschedule(run: Runner, row: Interaction, wait: timedelta = YEAR) -> None:
    at = run.clock.now() + wait
    command = ScheduleInteraction(**contact_key(row), at=at)
    await run(delivery.schedule, run.reviewer, command)


async def taken(run: Runner, row: Interaction) -> Letter:
    """The letter of an attempt that begins now."""
    due = DueInteraction(row.account_id, row.platform_id, row.id)
    async with run.database.session_for(run.system) as session:
        await let_out(session, run.clock, due)
    async with run.database.session_for(run.system) as session:
        letter = await take(session, run.clock, due)
    assert letter is not None
    return letter


async def settled(run: Runner, letter: Letter, result: Result) -> None:
    async with run.database.session_for(run.system) as session:
        await settle(session, run.clock, letter, result)


async def mailed(run: Runner, row: Interaction) -> int:
    """How often the events say that it was mailed or shown."""
    async with run.database.worker.connect() as connection:
        found = await connection.scalars(
            select(Event.id).where(Event.subject_id == row.id, Event.type == "INTERACTION_MAILED")
        )
        return len(found.all())


async def shown(run: Runner, row: Interaction) -> bool:
    """Whether the account's user sees it."""
    async with run.database.account_user.connect() as connection:
        for statement in settings_sql(row.platform_id, row.account_id).split("; "):
            await connection.execute(text(statement))
        query = text("SELECT count(*) FROM interactions WHERE id = :id")
        return bool(await connection.scalar(query, {"id": row.id}))


async def test_it_knows_when_it_went_out_first(run: Runner, row: Interaction) -> None:
    began = row.sent_at
    assert row.first_sent_at == began == run.clock.now()
    run.clock.advance(timedelta(minutes=1))
    await fail(run, row)
    await reschedule(run, row, timedelta())
    waiting = await again(run, row)
    assert (waiting.sent_at, waiting.first_sent_at) == (None, began)
    await taken(run, row)
    now = await again(run, row)
    assert (now.sent_at, now.first_sent_at) == (run.clock.now(), began)


@pytest.mark.parametrize("changes", CONTENT, ids=lambda changes: next(iter(changes)))
async def test_its_content_changes_no_more(
    run: Runner, row: Interaction, changes: dict[str, Any]
) -> None:
    await fail(run, row)
    await reschedule(run, row)
    before = await again(run, row)
    at = run.clock.now() + timedelta(days=1)
    for given in (changes, {**changes, "scheduled_for": at}):
        command = UpdateInteraction(**contact_key(row), changes=given)
        with pytest.raises(AlreadySent) as caught:
            await run(delivery.update, run.reviewer, command)
        assert caught.value.field == tuple(changes)
        assert (await again(run, row)).version == before.version
    # What is the same is no change, and when it goes out again is nobody's reading.
    same = {"body": row.body, "scheduled_for": at}
    command = UpdateInteraction(**contact_key(row), changes=same)
    now = (await run(delivery.update, run.reviewer, command)).value
    assert (now.scheduled_for, now.body) == (at, row.body)


async def test_what_it_is_about_changes_no_more(run: Runner, row: Interaction) -> None:
    await fail(run, row)
    await reschedule(run, row)
    account = await run.fetch(Account, row.account_id)
    other = await open_requirement(run, account)
    about = UpdateInteraction(**contact_key(row), changes={"requirement_ids": (other.id,)})
    with pytest.raises(AlreadySent) as caught:
        await run(delivery.update, run.reviewer, about)
    assert caught.value.field == ("requirementIds",)


async def test_its_user_goes_on_to_see_it_and_may_answer(run: Runner, row: Interaction) -> None:
    async with run.database.worker.connect() as connection:
        about = await connection.scalar(
            select(InteractionRequirement.requirement_id).where(
                InteractionRequirement.interaction_id == row.id
            )
        )
    assert about is not None
    user = Actor(Role.ACCOUNT_USER, "uma", run.platform_id, row.account_id)
    answer = correspondence.ReceiveInteraction(
        account_id=row.account_id, requirement_ids=(about,), body="Why?", in_reply_to_id=row.id
    )
    await fail(run, row)
    await reschedule(run, row)
    assert await shown(run, row)
    reply = (await run(correspondence.receive, user, answer)).value
    assert reply.in_reply_to_id == row.id
    await run(delivery.cancel, run.reviewer, CancelInteraction(**contact_key(row)))
    assert await shown(run, row)
    reply = (await run(correspondence.receive, user, answer)).value
    assert (reply.in_reply_to_id, (await again(run, row)).state) == (row.id, "CANCELED")


async def test_what_never_went_out_is_hidden_and_changes(run: Runner, row: Interaction) -> None:
    about = await open_requirement(run)
    for state in ("DRAFT", "SCHEDULED", "CANCELED"):
        hidden = await create_interaction(run, state, about)
        assert hidden.first_sent_at is None
        assert not await shown(run, hidden)
        command = DraftInteraction(
            account_id=about.account_id,
            requirement_ids=(about.id,),
            body="x",
            in_reply_to_id=hidden.id,
        )
        with pytest.raises(InvalidInput):
            await run(correspondence.draft, run.reviewer, command)
        with pytest.raises(NotFound):
            await receive_message(run, about, in_reply_to_id=hidden.id)
    draft = await draft_interaction(run, about)
    for changes in CONTENT:
        update = UpdateInteraction(**contact_key(draft), changes=changes)
        await run(delivery.update, run.reviewer, update)


async def test_what_came_in_went_out_when_it_came(run: Runner) -> None:
    message = await receive_message(run)
    assert message.first_sent_at == message.sent_at == run.clock.now()
    assert await shown(run, message)


@pytest.mark.parametrize("then", ["FAILED", "SCHEDULED", "CANCELED", "SENT", "TAKEN"])
async def test_a_letter_that_went_out_was_mailed_whatever_was_done_meanwhile(
    run: Runner, row: Interaction, then: str
) -> None:
    letter = await taken(run, row)
    await fail(run, row)
    if then != "FAILED":
        await reschedule(run, row)
    if then == "CANCELED":
        await run(delivery.cancel, run.reviewer, CancelInteraction(**contact_key(row)))
    if then in ("SENT", "TAKEN"):
        await run(delivery.send, run.reviewer, SendInteraction(**contact_key(row)))
    second = await taken(run, row) if then == "TAKEN" else None
    await settled(run, letter, Mailed())
    now = await again(run, row)
    assert await mailed(run, row) == 1
    assert now.state == ("SENT" if then == "TAKEN" else then)
    out = then not in ("SCHEDULED", "CANCELED")
    assert (now.mailed_at is not None) == out
    # It need not be mailed once more; what is scheduled goes out again.
    assert now.attempt_at is None
    if second is not None:
        await settled(run, second, Mailed())
        assert await mailed(run, row) == 2


@pytest.mark.parametrize("passing", [False, True])
async def test_a_late_failure_is_not_that_of_the_next_attempt(
    run: Runner, row: Interaction, passing: bool
) -> None:
    """Though the clock stands still, so that both attempts have the same lease."""
    first = await taken(run, row)
    await fail(run, row)
    await reschedule(run, row, timedelta())
    second = await taken(run, row)
    assert (second.until, second.number) == (first.until, first.number + 1)
    await settled(run, first, NotMailed(FAILURE, passing))
    now = await again(run, row)
    assert (now.state, now.failure, now.attempt_at) == ("SENT", None, second.until)
    await settled(run, first, Shown(DashboardOnly.NO_MAIL_SERVER))
    assert (await again(run, row)).dashboard_only is None
    await settled(run, second, Mailed())
    now = await again(run, row)
    assert (now.state, now.mailed_at) == ("SENT", run.clock.now())
    assert await mailed(run, row) == 1


async def test_a_late_failure_is_not_that_of_an_attempt_still_to_begin(
    run: Runner, row: Interaction, clock: ManualClock
) -> None:
    letter = await taken(run, row)
    await fail(run, row)
    await reschedule(run, row)
    # The instant at which the first attempt's lease runs out.
    clock.advance(LEASE)
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(row)))
    waiting = await again(run, row)
    assert waiting.attempt_at == letter.until
    await settled(run, letter, NotMailed(FAILURE, False))
    now = await again(run, row)
    assert (now.state, now.attempt_at) == ("SENT", waiting.attempt_at)
