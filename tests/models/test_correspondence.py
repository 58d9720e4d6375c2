"""What is written to an account's user and by them, and how it goes on."""

import uuid
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from models import correspondence, delivery
from models import requirement_operations as requirements
from models.account_rejection import RejectAccount, RejectionReason, reject
from models.actor import Actor, Role
from models.aggregate import Account
from models.correspondence import DraftInteraction, ReceiveInteraction
from models.delivery import (
    CancelInteraction,
    ReportInteraction,
    ScheduleInteraction,
    SendInteraction,
    UpdateInteraction,
)
from models.errors import (
    Forbidden,
    IllegalTransition,
    InvalidInput,
    NotFound,
    RecourseError,
    StaleVersion,
)
from models.events import Event
from models.evidence import DocumentReference
from models.interaction import (
    LIFECYCLE,
    Interaction,
    InteractionAction,
    InteractionPurpose,
    InteractionRequirement,
    InteractionState,
    permissions,
)
from models.interaction_steps import NOT_DELIVERED, Failure, Report
from models.requirement_operations import Submit
from models.verify import verify_account
from tests.factories import (
    FAILURE,
    PAYLOAD,
    Runner,
    contact_key,
    create_account,
    create_interaction,
    create_requirement,
    draft_interaction,
    key_of,
    open_requirement,
    place_hold,
    receive_message,
)

DOCUMENT = DocumentReference("https://files.example/1", "a" * 64, "application/pdf", 9, "one.pdf")
MANY = (InvalidInput, ("requirementIds",))
# By the reports that lead there; what is written is not read here.
OUT = ("SENT", "DELIVERED", "VIEWED", "RESPONDED", "FAILED")


def user_of(run: Runner, row: Any) -> Actor:
    return Actor(Role.ACCOUNT_USER, "uma", run.platform_id, row.account_id)


async def events_of(run: Runner, row: Any, about: Any = None) -> list[str]:
    """The types of the account's events about one interaction, in their order."""
    async with run.database.worker.connect() as connection:
        found = await connection.execute(
            select(Event.type)
            .where(Event.account_id == row.account_id, Event.subject_id == (about or row).id)
            .order_by(Event.sequence)
        )
        return list(found.scalars())


async def act(run: Runner, row: Interaction, action: InteractionAction) -> Interaction:
    """Take an action with input that nothing but the state could refuse."""
    key = contact_key(row)
    reports = {
        InteractionAction.REPORT_DELIVERED: "DELIVERED",
        InteractionAction.REPORT_VIEWED: "VIEWED",
        InteractionAction.REPORT_RESPONDED: "RESPONDED",
        InteractionAction.REPORT_FAILED: "FAILED",
    }
    if action in reports:
        failure = FAILURE if reports[action] == "FAILED" else None
        seen = ReportInteraction(**key, report=reports[action], failure=failure)
        return (await run(delivery.report, run.integrator, seen)).value
    ways: dict[str, tuple[Any, Any]] = {
        "UPDATE": (delivery.update, UpdateInteraction(**key, changes={"body": "Another."})),
        "SCHEDULE": (delivery.schedule, ScheduleInteraction(**key)),
        "SEND": (delivery.send, SendInteraction(**key)),
        "CANCEL": (delivery.cancel, CancelInteraction(**key)),
    }
    operation, command = ways[action]
    outcome = await run(operation, run.reviewer, command)
    assert isinstance(outcome.value, Interaction)
    return outcome.value


@pytest.mark.parametrize(("state", "action"), list(product(InteractionState, InteractionAction)))
async def test_an_interaction_takes_an_action_or_refuses_it(
    run: Runner, state: InteractionState, action: InteractionAction
) -> None:
    row = await create_interaction(run, state)
    account = await run.fetch(Account, row.account_id)
    allowed = [one.action for one in permissions(row, run.reviewer) if one.allowed]
    same_again = action.startswith("REPORT_") and action.endswith(state)
    if (state, action) in LIFECYCLE.transitions:
        assert action in allowed
        await act(run, row, action)
        now = await run.fetch(Interaction, row.account_id, row.id)
        assert now.state == LIFECYCLE.transitions[state, action]
        assert now.version == row.version + 1
        return
    assert action not in allowed
    if same_again:
        await act(run, row, action)
    else:
        with pytest.raises(IllegalTransition):
            await act(run, row, action)
    now = await run.fetch(Interaction, row.account_id, row.id)
    assert (now.state, now.version) == (row.state, row.version)
    assert (await run.fetch(Account, row.account_id)).event_sequence == account.event_sequence


async def test_a_draft_is_about_requirements_and_nobody_but_staff_sees_it(run: Runner) -> None:
    first = await open_requirement(run)
    account = await run.fetch(Account, first.account_id)
    ended = await create_requirement(run, "CANCELED", account)
    row = await draft_interaction(
        run, first, requirement_ids=(ended.id, first.id, ended.id), attachments=(DOCUMENT,)
    )
    assert (row.state, row.direction, row.author_id) == ("DRAFT", "OUTBOUND", run.reviewer.id)
    assert row.attachments[0]["media_type"] == "application/pdf"
    async with run.database.worker.connect() as connection:
        about = await connection.scalars(
            select(InteractionRequirement.requirement_id).where(
                InteractionRequirement.interaction_id == row.id
            )
        )
        assert set(about) == {first.id, ended.id}
    assert await events_of(run, row) == ["INTERACTION_DRAFTED"]
    user = user_of(run, row)
    answer = ReceiveInteraction(
        account_id=row.account_id, body="What?", in_reply_to_id=row.id, requirement_ids=(first.id,)
    )
    with pytest.raises(NotFound):
        await run(correspondence.receive, user, answer)
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(row)))
    assert (await run(correspondence.receive, user, answer)).value.in_reply_to_id == row.id


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"requirement_ids": [uuid.UUID(int=n) for n in range(21)]}, *MANY),
        ({"subject": None}, InvalidInput, ("subject",)),
        ({"subject": "Hello\r\nBcc: all@example.org"}, InvalidInput, ("subject",)),
        ({"subject": "Hello\nworld"}, InvalidInput, ("subject",)),
        ({"subject": "Hello\u2028world"}, InvalidInput, ("subject",)),
        ({"subject": "x" * 201}, InvalidInput, ("subject",)),
        ({"body": " "}, InvalidInput, ("body",)),
        ({"body": "x" * 10_001}, InvalidInput, ("body",)),
        ({"attachments": (DOCUMENT,) * 21}, InvalidInput, ("attachments",)),
        (
            {"attachments": (replace(DOCUMENT, uri="javascript:x"),)},
            InvalidInput,
            ("attachments", "0", "uri"),
        ),
    ],
)
async def test_a_draft_that_can_not_be_is_refused_at_its_place(
    run: Runner, values: dict[str, Any], error: type[RecourseError], field: tuple[str, ...]
) -> None:
    with pytest.raises(error) as caught:
        await draft_interaction(run, **values)
    assert caught.value.field == field


async def test_what_is_of_another_account_is_not_there(run: Runner) -> None:
    mine, theirs = [await open_requirement(run, await create_account(run)) for _ in range(2)]
    contact = await create_interaction(run, "SENT", theirs)
    with pytest.raises(NotFound) as caught:
        await draft_interaction(run, mine, requirement_ids=(mine.id, theirs.id))
    assert caught.value.field == ("requirementIds", "1")
    with pytest.raises(NotFound) as caught:
        await draft_interaction(run, mine, in_reply_to_id=contact.id)
    assert caught.value.field == ("inReplyTo",)
    other: dict[str, Any] = {"account_id": mine.account_id, "interaction_id": contact.id}
    with pytest.raises(NotFound):
        await run(delivery.send, run.reviewer, SendInteraction(**other))


async def test_an_update_changes_what_it_names_and_leaves_the_text_out_of_the_events(
    run: Runner,
) -> None:
    row = await create_interaction(run, "SCHEDULED", attachments=(DOCUMENT,))
    later = run.clock.now() + timedelta(days=3)
    changes = {"body": "A secret.", "purpose": "NOTICE", "scheduled_for": later, "attachments": ()}
    command = UpdateInteraction(**contact_key(row), changes=changes)
    now = (await run(delivery.update, run.reviewer, command)).value
    assert (now.body, now.purpose, now.scheduled_for, now.attachments) == (
        *("A secret.", "NOTICE", later),
        [],
    )
    assert (now.subject, now.channel, now.version) == (row.subject, row.channel, row.version + 1)
    async with run.database.worker.connect() as connection:
        told = await connection.scalar(
            select(Event.changes).where(
                Event.type == "INTERACTION_UPDATED", Event.subject_id == row.id
            )
        )
    assert told is not None
    assert told["fields"] == ["attachments", "body", "purpose", "scheduled_for"]
    assert told["purpose"] == {"from": "MESSAGE", "to": "NOTICE"}
    assert "secret" not in str(told)
    # The same once more is no change.
    again = (await run(delivery.update, run.reviewer, command)).value
    assert again.version == now.version


async def about(run: Runner, row: Interaction) -> set[uuid.UUID]:
    """The requirements that a contact is about."""
    async with run.database.session_for(run.system) as session:
        query = select(InteractionRequirement.requirement_id).where(
            InteractionRequirement.account_id == row.account_id,
            InteractionRequirement.interaction_id == row.id,
        )
        return set(await session.scalars(query))


@pytest.mark.parametrize("state", ["DRAFT", "SCHEDULED"])
async def test_what_a_contact_is_about_can_be_changed_before_it_goes_out(
    run: Runner, state: str
) -> None:
    account = await create_account(run)
    first, second, third = [await open_requirement(run, account) for _ in range(3)]
    ended = await create_requirement(run, "SATISFIED", account)
    row = await create_interaction(run, state, first, requirement_ids=(first.id, second.id))
    asked = (third.id, second.id, ended.id, third.id)
    command = UpdateInteraction(**contact_key(row), changes={"requirement_ids": asked})
    now = (await run(delivery.update, run.reviewer, command)).value
    assert (now.state, now.version) == (state, row.version + 1)
    assert await about(run, row) == {second.id, third.id, ended.id}
    async with run.database.worker.connect() as connection:
        told = await connection.scalar(
            select(Event.changes).where(
                Event.type == "INTERACTION_UPDATED", Event.subject_id == row.id
            )
        )
    assert told == {
        "fields": ["requirement_ids"],
        "requirementIds": {
            "from": sorted(map(str, (first.id, second.id))),
            "to": [str(third.id), str(second.id), str(ended.id)],
        },
    }
    # The same in another order is no change.
    again = UpdateInteraction(**contact_key(row), changes={"requirement_ids": asked[::-1]})
    assert (await run(delivery.update, run.reviewer, again)).value.version == now.version
    of_the_account = UpdateInteraction(**contact_key(row), changes={"requirement_ids": ()})
    await run(delivery.update, run.reviewer, of_the_account)
    assert await about(run, row) == set()
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_what_it_can_not_be_about_leaves_it_as_it_is(run: Runner) -> None:
    row = await draft_interaction(run)
    before = await about(run, row)
    theirs = await open_requirement(run, await create_account(run))
    (mine,) = before
    for asked, error, field in (
        (tuple(uuid.uuid4() for _ in range(21)), InvalidInput, ("requirementIds",)),
        ((mine, theirs.id), NotFound, ("requirementIds", "1")),
    ):
        command = UpdateInteraction(
            **contact_key(row), changes={"requirement_ids": asked, "body": "Other words."}
        )
        with pytest.raises(error) as caught:
            await run(delivery.update, run.reviewer, command)
        assert caught.value.field == field
    assert await about(run, row) == before
    assert (await run.fetch(Interaction, row.account_id, row.id)).body == row.body


@pytest.mark.parametrize("state", ["SENT", "FAILED", "CANCELED"])
async def test_what_went_out_stays_about_what_it_was(run: Runner, state: str) -> None:
    row = await create_interaction(run, state)
    before = await about(run, row)
    other = await open_requirement(run, await run.fetch(Account, row.account_id))
    command = UpdateInteraction(**contact_key(row), changes={"requirement_ids": (other.id,)})
    with pytest.raises(IllegalTransition):
        await run(delivery.update, run.reviewer, command)
    assert await about(run, row) == before


@pytest.mark.parametrize(
    ("state", "changes", "field"),
    [
        ("DRAFT", {"subject": None}, "subject"),
        ("DRAFT", {"subject": "a\nb"}, "subject"),
        ("DRAFT", {"body": ""}, "body"),
        ("DRAFT", {"scheduled_for": "later"}, "scheduledFor"),
        ("SCHEDULED", {"scheduled_for": "past"}, "scheduledFor"),
    ],
)
async def test_an_update_that_can_not_be_changes_nothing(
    run: Runner, state: str, changes: dict[str, Any], field: str
) -> None:
    row = await create_interaction(run, state)
    instants = {"later": timedelta(days=1), "past": -timedelta(seconds=1)}
    if "scheduled_for" in changes:
        at = run.clock.now() + instants[changes["scheduled_for"]]
        changes = {"scheduled_for": at}
    with pytest.raises(InvalidInput) as caught:
        await run(
            delivery.update, run.reviewer, UpdateInteraction(**contact_key(row), changes=changes)
        )
    assert caught.value.field == (field,)
    assert (await run.fetch(Interaction, row.account_id, row.id)).version == row.version


async def test_what_is_scheduled_goes_out_now_or_later(run: Runner) -> None:
    row = await draft_interaction(run)
    key, now = contact_key(row), run.clock.now()
    past = ScheduleInteraction(**key, at=now - timedelta(microseconds=1))
    stale = ScheduleInteraction(**key, expected_version=row.version + 1)
    with pytest.raises(InvalidInput):
        await run(delivery.schedule, run.reviewer, past)
    with pytest.raises(StaleVersion):
        await run(delivery.schedule, run.reviewer, stale)
    scheduled = await run(delivery.schedule, run.reviewer, ScheduleInteraction(**key, at=now))
    assert (scheduled.value.state, scheduled.value.scheduled_for) == ("SCHEDULED", now)


async def test_reports_lead_forward_and_the_same_one_changes_nothing(run: Runner) -> None:
    row = await create_interaction(run, "DRAFT", channel="SMS")
    key = contact_key(row)

    async def say(report: str, failure: Failure | None = None) -> Interaction:
        command = ReportInteraction(**key, report=report, failure=failure)
        return (await run(delivery.report, run.integrator, command)).value

    for report in ("SENT", "SENT", "DELIVERED", "SENT", "DELIVERED", "VIEWED", "DELIVERED"):
        run.clock.advance(timedelta(minutes=1))
        await say(report)
    now = await run.fetch(Interaction, row.account_id, row.id)
    assert now.state == "VIEWED"
    assert now.version == row.version + 3
    instants = [now.sent_at, now.delivered_at, now.viewed_at]
    began = instants[0]
    assert began is not None
    assert instants == [began + timedelta(minutes=n) for n in (0, 2, 5)]
    with pytest.raises(IllegalTransition):
        await say("FAILED", FAILURE)
    assert await events_of(run, row) == [
        *("INTERACTION_DRAFTED", "INTERACTION_SENT", "INTERACTION_DELIVERED", "INTERACTION_VIEWED")
    ]


async def test_a_step_that_was_left_out_is_not_made_up_for(run: Runner) -> None:
    row = await create_interaction(run, "VIEWED")
    assert row.delivered_at is None
    with pytest.raises(IllegalTransition):
        await run(
            delivery.report,
            run.integrator,
            ReportInteraction(**contact_key(row), report="DELIVERED"),
        )


@pytest.mark.parametrize("report", Report)
async def test_a_failure_comes_with_failed_and_only_with_it(run: Runner, report: Report) -> None:
    row = await create_interaction(run, "SENT")
    wrong = None if report is Report.FAILED else FAILURE
    command = ReportInteraction(**contact_key(row), report=report, failure=wrong)
    with pytest.raises(InvalidInput) as caught:
        await run(delivery.report, run.integrator, command)
    assert caught.value.field == ("failure",)


async def test_what_failed_is_scheduled_again_as_if_it_had_not_been_sent(run: Runner) -> None:
    row = await create_interaction(run, "FAILED")
    assert row.failure == {"code": FAILURE.code, "message": NOT_DELIVERED}
    assert row.failure_said == FAILURE.message
    again = ScheduleInteraction(**contact_key(row))
    now = (await run(delivery.schedule, run.reviewer, again)).value
    assert (now.state, now.failure, now.failure_said) == ("SCHEDULED", None, None)
    assert now.sent_at is None


@pytest.mark.parametrize("code", ["", "a b", "a\nb", "mx-7 said", "ö", "x" * 101, "-x"])
async def test_a_failures_code_is_one_word(run: Runner, code: str) -> None:
    row = await create_interaction(run, "SENT")
    failure = Failure(code, "It failed.")
    command = ReportInteraction(**contact_key(row), report=Report.FAILED, failure=failure)
    with pytest.raises(InvalidInput) as caught:
        await run(delivery.report, run.integrator, command)
    assert caught.value.field == ("failure", "code")


async def test_an_answer_marks_what_it_answers_and_leaves_the_requirement_as_it_is(
    run: Runner,
) -> None:
    row = await open_requirement(run)
    request = await create_interaction(run, "SENT", row)
    answer = await receive_message(run, row, in_reply_to_id=request.id)
    assert (answer.state, answer.direction, answer.purpose) == ("DELIVERED", "INBOUND", "MESSAGE")
    assert (answer.author_kind, answer.author_id, answer.channel) == (
        *("ACCOUNT_USER", "uma"),
        "DASHBOARD",
    )
    marked = await run.fetch(Interaction, request.account_id, request.id)
    assert (marked.state, marked.responded_at) == ("RESPONDED", run.clock.now())
    assert marked.version == request.version + 1
    # A further answer finds it answered.
    await receive_message(run, row, in_reply_to_id=request.id)
    assert (await run.fetch(Interaction, *contact_key(request).values())).version == marked.version
    assert await events_of(run, request) == [
        *("INTERACTION_DRAFTED", "INTERACTION_SENT", "INTERACTION_RESPONDED")
    ]
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_an_answer_by_staff_marks_the_message_once_it_is_sent(run: Runner) -> None:
    row = await open_requirement(run)
    question = await receive_message(run, row)
    answer = await draft_interaction(run, row, in_reply_to_id=question.id)
    assert (await run.fetch(Interaction, *contact_key(question).values())).state == "DELIVERED"
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(answer)))
    assert (await run.fetch(Interaction, *contact_key(question).values())).state == "RESPONDED"


async def test_who_adds_to_their_own_message_has_not_answered_it(run: Runner) -> None:
    row = await open_requirement(run)
    question = await receive_message(run, row)
    further = await receive_message(run, row, in_reply_to_id=question.id)
    for message in (question, further):
        stored = await run.fetch(Interaction, *contact_key(message).values())
        assert (stored.state, stored.responded_at) == ("DELIVERED", None)


async def test_an_answer_is_about_what_the_other_was_unless_it_says_so(run: Runner) -> None:
    row = await open_requirement(run)
    request = await create_interaction(run, "SENT", row)
    answer = await receive_message(run, row, requirement_ids=(), in_reply_to_id=request.id)
    async with run.database.worker.connect() as connection:
        about = await connection.scalars(
            select(InteractionRequirement.requirement_id).where(
                InteractionRequirement.interaction_id == answer.id
            )
        )
        assert list(about) == [row.id]


@pytest.mark.parametrize("by_user", [True, False])
async def test_evidence_answers_what_asked_for_it(run: Runner, by_user: bool) -> None:
    row = await open_requirement(run)
    other = await open_requirement(run, await run.fetch(Account, row.account_id))
    asked = {
        (purpose, state, about.id): await create_interaction(run, state, about, purpose=purpose)
        for about in (row, other)
        for purpose in InteractionPurpose
        for state in InteractionState
        if about is row or (purpose, state) == ("REQUEST", "SENT")
    }
    command = Submit(**key_of(row), payload=PAYLOAD)
    await run(requirements.submit, user_of(run, row) if by_user else run.reviewer, command)
    for (purpose, state, about), contact in asked.items():
        answered = purpose in ("REQUEST", "REMINDER") and state in ("SENT", "DELIVERED", "VIEWED")
        now = await run.fetch(Interaction, contact.account_id, contact.id)
        assert now.state == ("RESPONDED" if answered and about == row.id else state)
        if now.state != state:
            assert now.responded_at == run.clock.now()
            assert (await events_of(run, contact))[-1] == "INTERACTION_RESPONDED"


async def test_what_failed_is_answered_and_stays_failed(run: Runner) -> None:
    row = await open_requirement(run)
    request = await create_interaction(run, "FAILED", row)
    await receive_message(run, row, in_reply_to_id=request.id)
    assert (await run.fetch(Interaction, *contact_key(request).values())).state == "FAILED"


@pytest.mark.parametrize("state", ["DRAFT", "SCHEDULED", "CANCELED"])
async def test_staff_answer_nothing_that_nobody_has_seen(run: Runner, state: str) -> None:
    row = await open_requirement(run)
    unseen = await create_interaction(run, state, row)
    with pytest.raises(InvalidInput) as caught:
        await draft_interaction(run, row, in_reply_to_id=unseen.id)
    assert caught.value.field == ("inReplyTo",)


async def test_staff_pass_on_what_came_another_way(run: Runner) -> None:
    row = await open_requirement(run)
    given: dict[str, Any] = {
        "account_id": row.account_id,
        "requirement_ids": (row.id,),
        "body": "Here it is.",
    }
    by_mail = ReceiveInteraction(**given, channel="EMAIL", subject="Re", sender="o@cafe.example")
    message = (await run(correspondence.receive, run.integrator, by_mail)).value
    assert (message.author_kind, message.author_id) == ("ACCOUNT_USER", "o@cafe.example")
    unnamed = ReceiveInteraction(**given, channel="PHONE")
    account = await run.fetch(Account, row.account_id)
    message = (await run(correspondence.receive, run.reviewer, unnamed)).value
    assert message.author_id == account.external_id
    for changes, field in (({"channel": "PHONE"}, "channel"), ({"sender": "x"}, "sender")):
        with pytest.raises(InvalidInput) as caught:
            await receive_message(run, row, **changes)
        assert caught.value.field == (field,)


@pytest.mark.parametrize(
    "sender", ["evil@x\r\nX: y", "a\nb", "a\x1bb", "\u2028a", " ", "\u200b", ""]
)
async def test_a_sender_is_one_line(run: Runner, sender: str) -> None:
    row = await open_requirement(run)
    command = ReceiveInteraction(
        account_id=row.account_id,
        requirement_ids=(row.id,),
        body="x",
        channel="PHONE",
        sender=sender,
    )
    with pytest.raises(InvalidInput) as caught:
        await run(correspondence.receive, run.reviewer, command)
    assert caught.value.field == ("sender",)


async def test_account_users_write_and_do_nothing_else(run: Runner) -> None:
    row = await create_interaction(run, "SENT")
    user, key = user_of(run, row), contact_key(row)
    commands: list[tuple[Any, Any]] = [
        (delivery.update, UpdateInteraction(**key, changes={})),
        (delivery.schedule, ScheduleInteraction(**key)),
        (delivery.send, SendInteraction(**key)),
        (delivery.report, ReportInteraction(**key, report="VIEWED")),
        (delivery.cancel, CancelInteraction(**key)),
        (
            correspondence.draft,
            DraftInteraction(account_id=row.account_id, body="x", subject="y"),
        ),
    ]
    for operation, command in commands:
        with pytest.raises(Forbidden):
            await run(operation, user, command)
    for permission in permissions(row, user):
        assert "FORBIDDEN" in [refusal.code for refusal in permission.refusals]


@pytest.mark.parametrize("state", OUT)
async def test_the_same_message_with_the_same_key_comes_once(run: Runner, state: str) -> None:
    row = await open_requirement(run)
    request = await create_interaction(run, state, row)
    given = {"in_reply_to_id": request.id, "idempotency_key": f"answer-{state}"}
    first, second = [await receive_message(run, row, **given) for _ in range(2)]
    assert first.id == second.id


@pytest.mark.parametrize("restricted_by", ["a hold", "a rejection"])
async def test_who_is_asked_for_nothing_can_write_and_be_written_to(
    run: Runner, restricted_by: str
) -> None:
    account = await create_account(run)
    if restricted_by == "a hold":
        await place_hold(run, account)
    else:
        reason, statement = RejectionReason.OTHER, "Your shop sells what the terms rule out."
        command = RejectAccount(
            account_id=account.account_id, reason=reason.value, statement=statement
        )
        await run(reject, run.reviewer, command)
    user = Actor(Role.ACCOUNT_USER, "uma", run.platform_id, account.account_id)
    asked = ReceiveInteraction(account_id=account.account_id, body="Why?")
    question = (await run(correspondence.receive, user, asked)).value
    written = DraftInteraction(
        account_id=account.account_id, body="This is why.", in_reply_to_id=question.id
    )
    answer = (await run(correspondence.draft, run.reviewer, written)).value
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(answer)))
    thanks = replace(asked, body="Thank you.", in_reply_to_id=answer.id)
    await run(correspondence.receive, user, thanks)
    states = [await run.fetch(Interaction, one.account_id, one.id) for one in (question, answer)]
    assert [one.state for one in states] == ["RESPONDED", "RESPONDED"]
    async with run.database.worker.connect() as connection:
        about = await connection.scalars(
            select(InteractionRequirement.requirement_id).where(
                InteractionRequirement.account_id == account.account_id
            )
        )
        assert list(about) == []
    assert await verify_account(run.database.worker, account.account_id) == []


async def test_who_follows_up_on_a_message_of_their_own_has_not_answered_it(run: Runner) -> None:
    row = await open_requirement(run)
    question = await receive_message(run, row)
    await receive_message(run, row, in_reply_to_id=question.id)
    ours = await create_interaction(run, "SENT", row)
    more = await draft_interaction(run, row, in_reply_to_id=ours.id)
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(more)))
    states = [await run.fetch(Interaction, one.account_id, one.id) for one in (question, ours)]
    assert [one.state for one in states] == ["DELIVERED", "SENT"]
    assert [one.responded_at for one in states] == [None, None]


async def test_a_message_that_was_only_read_waits_for_an_answer_still(run: Runner) -> None:
    row = await open_requirement(run)
    question = await receive_message(run, row)
    read = ReportInteraction(**contact_key(question), report="VIEWED")
    await run(delivery.report, run.reviewer, read)
    answer = await draft_interaction(run, row, in_reply_to_id=question.id)
    assert (await run.fetch(Interaction, *contact_key(question).values())).state == "VIEWED"
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(answer)))
    assert (await run.fetch(Interaction, *contact_key(question).values())).state == "RESPONDED"
