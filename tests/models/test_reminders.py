"""Reminders: once for each instant that comes while an account's user has still to act."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import account_rejection as rejection
from models import decision, delivery, note
from models import requirement_operations as requirements
from models.account import UpdateAccount, update
from models.account_rejection import ReinstateAccount, RejectAccount
from models.aggregate import Account
from models.decision import Decide
from models.delivery import SendInteraction
from models.events import Event
from models.interaction import Interaction
from models.interaction_steps import Failure
from models.note import AddNote
from models.notice_texts import NoticeText
from models.reminders import next_reminder
from models.requirement import Requirement
from models.requirement_operations import Cancel, Extend, Reopen, RequestChanges
from models.resolution import ResolutionOutcome
from models.sending import DueInteraction, NotMailed, let_out, settle, take
from models.session import transaction
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    ERROR,
    REJECTION,
    Runner,
    contact_key,
    create_account,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    publish_program,
    submit,
)

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
DEADLINE = START + 14 * DAY


async def asked(run: Runner, account: Account | None = None, **values: Any) -> Requirement:
    """Something that is to be reminded of five days and one day before its deadline."""
    given = {"reminders": ("P1D", "P5D"), "restricts": (), "gates": (), **values}
    return await open_requirement(run, account, await publish_program(run, **given))


async def again(run: Runner, row: Requirement) -> Requirement:
    """The requirement as it is by now, after nothing was found wrong with its account."""
    assert await verify_account(run.database.worker, row.account_id) == []
    return await run.fetch(Requirement, row.account_id, row.id)


async def reminders(run: Runner, row: Requirement) -> list[Interaction]:
    """All reminders of the account, the oldest first."""
    async with run.database.session_for(run.system) as session:
        query = select(Interaction).where(
            Interaction.account_id == row.account_id, Interaction.purpose == "REMINDER"
        )
        return list(await session.scalars(query.order_by(Interaction.created_at)))


async def pass_to(run: Runner, at: datetime, row: Requirement) -> int:
    """Let the clock loop come by at an instant; how many reminders there are by then."""
    run.clock.set(at)
    await run.rederive(row.account_id)
    return len(await reminders(run, row))


@pytest.mark.parametrize(
    ("deadline", "durations", "now", "expected"),
    [
        (None, ("P1D",), START, None),
        (DEADLINE, (), START, None),
        (DEADLINE, ("P1D", "P5D"), START, DEADLINE - 5 * DAY),
        (DEADLINE, ("P5D", "P1D"), DEADLINE - 5 * DAY - TICK, DEADLINE - 5 * DAY),
        (DEADLINE, ("P5D", "P1D"), DEADLINE - 5 * DAY, DEADLINE - DAY),
        (DEADLINE, ("P5D", "P1D"), DEADLINE - DAY, None),
        (DEADLINE, ("P1M",), START, None),
        (START + 31 * DAY, ("P1M",), START - TICK, START),
    ],
)
def test_the_next_instant_is_the_first_that_is_still_to_come(
    deadline: datetime | None, durations: tuple[str, ...], now: datetime, expected: datetime | None
) -> None:
    assert next_reminder(deadline, durations, now) == expected


async def test_each_instant_is_told_once_and_not_before(run: Runner) -> None:
    row = await asked(run)
    assert row.remind_at == DEADLINE - 5 * DAY
    for at, count in (
        (DEADLINE - 5 * DAY - TICK, 0),
        (DEADLINE - 5 * DAY, 1),
        (DEADLINE - 4 * DAY, 1),
        (DEADLINE - DAY, 2),
        (DEADLINE + DAY, 2),
    ):
        assert await pass_to(run, at, row) == count
    assert (await again(run, row)).remind_at is None


async def test_a_reminder_says_what_is_missing_until_when_and_what_follows(run: Runner) -> None:
    account = await create_account(run, email="owner@cafe.example", capabilities=("PAYOUTS",))
    row = await asked(run, account, restricts=("CARD_PAYMENTS", "PAYOUTS"))
    assert await pass_to(run, DEADLINE - 5 * DAY, row) == 1
    [told] = await reminders(run, row)
    assert (told.state, told.channel, told.scheduled_for) == ("SCHEDULED", "EMAIL", run.clock.now())
    assert (told.author_kind, told.author_id) == ("SYSTEM", "notices")
    assert told.subject == f"{row.title}: please remember"
    assert told.body == (
        f"We still wait for this from you.\n\n{row.description}\n\nPlease send it by "
        "16 March 2026, 09:30 UTC. After that, payouts will be restricted for your account."
    )
    async with run.database.worker.connect() as connection:
        events = await connection.execute(
            select(Event.type, Event.actor_id)
            .where(Event.subject_id == told.id)
            .order_by(Event.sequence)
        )
        assert [tuple(event) for event in events] == [
            ("INTERACTION_DRAFTED", "clock"),
            ("INTERACTION_SCHEDULED", "clock"),
        ]
    assert (await again(run, row)).version == row.version


async def test_a_program_reminds_in_its_own_words(run: Runner) -> None:
    texts = (NoticeText("REMINDER", "Hey", "{{ requirement.restricts | upper }}!"),)
    row = await asked(run, notices=texts, restricts=("TRANSFERS", "PAYOUTS", "CARD_PAYMENTS"))
    await pass_to(run, DEADLINE - 5 * DAY, row)
    [told] = await reminders(run, row)
    assert (told.subject, told.body) == ("Hey", "CARD PAYMENTS, PAYOUTS AND TRANSFERS!")


async def test_what_was_slept_through_is_one_reminder(run: Runner) -> None:
    row = await asked(run, reminders=("P5D", "P4D", "P3D", "P1D"))
    assert await pass_to(run, DEADLINE - 2 * DAY, row) == 1
    assert (await again(run, row)).remind_at == DEADLINE - DAY
    assert await pass_to(run, DEADLINE - DAY, row) == 2


async def test_what_is_too_late_is_not_reminded_of(run: Runner) -> None:
    row = await asked(run)
    assert await pass_to(run, DEADLINE, row) == 0
    row = await again(run, row)
    assert row.remind_at is None
    account = await run.fetch(Account, row.account_id)
    assert account.next_change_at is None


async def test_what_is_due_sooner_than_its_first_reminder_has_the_later_ones(run: Runner) -> None:
    program = await publish_program(run, reminders=("P5D", "P1D", "PT1H"))
    row = await open_requirement(run, None, program, deadline=START + 3 * DAY)
    assert row.remind_at == START + 2 * DAY
    row = await open_requirement(run, None, program, deadline=START + timedelta(minutes=30))
    assert row.remind_at is None


async def test_without_a_deadline_nobody_is_reminded(run: Runner) -> None:
    row = await asked(run, deadline_after=None, notice_period=None)
    assert row.remind_at is None


@pytest.mark.parametrize("state", ["SUBMITTED", "IN_REVIEW", "SATISFIED", "WAIVED", "CANCELED"])
async def test_what_does_not_await_its_account_has_no_reminder(run: Runner, state: str) -> None:
    program = await publish_program(run, reminders=("P5D",), restricts=(), gates=())
    row = await create_requirement(run, state, program=program)
    assert row.remind_at is None
    assert await pass_to(run, DEADLINE - DAY, row) == 0


async def test_what_is_submitted_before_the_loop_comes_is_not_reminded_of(run: Runner) -> None:
    row = await asked(run)
    run.clock.set(DEADLINE - 5 * DAY + TICK)
    await submit(run, row)
    assert (await again(run, row)).remind_at is None
    assert not await run.rederive(row.account_id)
    assert await reminders(run, row) == []


async def test_an_operation_leaves_what_is_due_to_the_loop(run: Runner) -> None:
    row = await asked(run)
    run.clock.set(DEADLINE - 5 * DAY + TICK)
    for _ in range(2):
        added = AddNote(**key_of(row), text="They are on holiday.")
        await run(note.add, run.reviewer, added)
    assert await reminders(run, row) == []
    assert (await again(run, row)).remind_at == DEADLINE - 5 * DAY
    account = await run.fetch(Account, row.account_id)
    assert account.next_change_at == DEADLINE - 5 * DAY
    assert await run.rederive(row.account_id)
    assert len(await reminders(run, row)) == 1
    assert not await run.rederive(row.account_id)


async def test_an_extension_reminds_anew_of_what_is_still_to_come(run: Runner) -> None:
    row = await asked(run)
    assert await pass_to(run, DEADLINE - 5 * DAY, row) == 1
    later = Extend(**key_of(row), deadline=DEADLINE + 3 * DAY)
    row = (await run(requirements.extend, run.reviewer, later)).value
    assert row.remind_at == DEADLINE - 2 * DAY
    assert await pass_to(run, DEADLINE - 2 * DAY, row) == 2


async def test_an_extension_makes_up_for_what_was_missed(run: Runner) -> None:
    row = await asked(run)
    run.clock.set(DEADLINE - 5 * DAY + TICK)
    later = Extend(**key_of(row), deadline=DEADLINE + 9 * DAY)
    row = (await run(requirements.extend, run.reviewer, later)).value
    assert row.remind_at == DEADLINE + 4 * DAY
    assert not await run.rederive(row.account_id)
    assert await reminders(run, row) == []


@pytest.mark.parametrize("pauses", [True, False])
async def test_an_instant_that_was_told_is_not_told_again_after_a_review(
    run: Runner, pauses: bool
) -> None:
    row = await asked(run, pauses_deadline=pauses, reminders=("P5D",))
    assert await pass_to(run, DEADLINE - 5 * DAY, row) == 1
    await submit(run, row)
    run.clock.advance(3 * DAY)
    back = RequestChanges(**key_of(row), errors=(ERROR,))
    row = (await run(requirements.request_changes, run.reviewer, back)).value
    # Five days were left, and are again.
    assert row.deadline == DEADLINE + (3 * DAY if pauses else timedelta())
    assert row.remind_at is None
    assert await pass_to(run, DEADLINE + 9 * DAY, row) == 1


async def test_risks_time_moves_the_reminder_on(run: Runner) -> None:
    row = await asked(run)
    run.clock.set(START + DAY)
    await submit(run, row)
    run.clock.advance(10 * DAY)
    back = RequestChanges(**key_of(row), errors=(ERROR,))
    row = (await run(requirements.request_changes, run.reviewer, back)).value
    assert row.remind_at == DEADLINE + 5 * DAY
    assert await pass_to(run, DEADLINE, row) == 0
    assert await pass_to(run, DEADLINE + 5 * DAY, row) == 1
    [told] = await reminders(run, row)
    assert ERROR.message in told.body


async def test_what_is_reopened_is_reminded_of_anew(run: Runner) -> None:
    row = await asked(run)
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.SATISFIED)
    reopened = Reopen(**key_of(row), reason="It expired.", deadline=START + 30 * DAY)
    row = (await run(requirements.reopen, run.reviewer, reopened)).value
    assert row.remind_at == START + 25 * DAY
    assert await pass_to(run, START + 25 * DAY, row) == 1


async def test_what_is_decided_is_not_reminded_of(run: Runner) -> None:
    row = await asked(run)
    await submit(run, row)
    command = Decide(**key_of(row), reason_code="no", statement=REJECTION)
    await run(decision.reject, run.reviewer, command)
    assert await pass_to(run, DEADLINE - DAY, row) == 0


async def test_a_rejected_account_is_not_reminded_until_it_is_reinstated(run: Runner) -> None:
    row = await asked(run)
    key: dict[str, Any] = {"account_id": row.account_id}
    rejected = RejectAccount(**key, reason="OTHER", statement="We can't serve it.")
    await run(rejection.reject, run.reviewer, rejected)
    # Nothing but what becomes due changes meanwhile, and the loop finds no end.
    assert await pass_to(run, DEADLINE - 5 * DAY, row) == 0
    assert not await run.rederive(row.account_id)
    await again(run, row)
    await run(rejection.reinstate, run.reviewer, ReinstateAccount(**key, reason="It can."))
    await again(run, row)
    assert await run.rederive(row.account_id)
    assert len(await reminders(run, row)) == 1


@pytest.mark.parametrize("how", ["back", "rejected", "canceled"])
async def test_an_alternative_is_reminded_of_once_another_stands_for_it_no_more(
    run: Runner, how: str
) -> None:
    row, other = await pair(run, pauses_deadline=False)
    run.clock.set(START + 8 * DAY)
    await submit(run, other)
    # Nothing but what becomes due changes meanwhile, and the loop finds no end.
    assert await pass_to(run, DEADLINE - 2 * DAY, row) == 0
    assert not await run.rederive(row.account_id)
    assert (await again(run, row)).remind_at == DEADLINE - 5 * DAY
    await leave_risk(run, other, how)
    await again(run, row)
    assert await run.rederive(row.account_id)
    assert len(await reminders(run, row)) == 1
    assert not await run.rederive(row.account_id)
    assert (await again(run, row)).remind_at == DEADLINE - DAY
    # The other one is reminded of as well, where it awaits its account again.
    assert await pass_to(run, DEADLINE - DAY, row) == (3 if how == "back" else 2)


async def test_an_alternative_that_comes_too_late_is_not_reminded_of(run: Runner) -> None:
    row, other = await pair(run, pauses_deadline=False)
    await submit(run, other)
    assert await pass_to(run, DEADLINE, row) == 0
    await leave_risk(run, other, "canceled")
    assert await pass_to(run, DEADLINE + DAY, row) == 0
    assert (await again(run, row)).remind_at is None
    assert not await run.rederive(row.account_id)


async def test_an_alternative_that_is_not_needed_any_more_is_not_reminded_of(run: Runner) -> None:
    row, other = await pair(run, pauses_deadline=False)
    await submit(run, other)
    assert await pass_to(run, DEADLINE - 2 * DAY, row) == 0
    await decide(run, other, ResolutionOutcome.SATISFIED)
    assert (await again(run, row)).remind_at is None
    assert await pass_to(run, DEADLINE - DAY, row) == 0


async def test_the_time_of_an_alternative_moves_the_reminder_on(run: Runner) -> None:
    row, other = await pair(run)
    run.clock.set(START + 8 * DAY)
    await submit(run, other)
    assert await pass_to(run, START + 20 * DAY, row) == 0
    await leave_risk(run, other, "canceled")
    assert not await run.rederive(row.account_id)
    assert (await again(run, row)).remind_at == DEADLINE + 12 * DAY - 5 * DAY
    assert await pass_to(run, DEADLINE + 7 * DAY, row) == 1


async def test_what_was_to_be_told_before_an_alternative_came_is_told_after_it(
    run: Runner,
) -> None:
    row, other = await pair(run)
    run.clock.set(DEADLINE - 5 * DAY + TICK)
    await submit(run, other)
    assert await pass_to(run, DEADLINE, row) == 0
    await leave_risk(run, other, "canceled")
    assert await run.rederive(row.account_id)
    assert len(await reminders(run, row)) == 1
    assert (await again(run, row)).remind_at == DEADLINE + 4 * DAY - TICK


async def pair(run: Runner, **values: Any) -> list[Requirement]:
    """Two of which one is enough."""
    account = await create_account(run)
    given = {"reminders": ("P1D", "P5D"), "restricts": (), "gates": (), **values}
    program = await publish_program(run, **given)
    return [
        await open_requirement(run, account, program, alternative_group="address") for _ in range(2)
    ]


async def leave_risk(run: Runner, row: Requirement, how: str) -> None:
    if how == "rejected":
        await decide(run, row, ResolutionOutcome.REJECTED)
    elif how == "canceled":
        command = Cancel(**key_of(row), reason="It is not asked for.")
        await run(requirements.cancel, run.admin, command)
    else:
        back = RequestChanges(**key_of(row), errors=(ERROR,))
        await run(requirements.request_changes, run.reviewer, back)


async def test_many_loops_at_once_write_one_reminder(run: Runner) -> None:
    row = await asked(run)
    run.clock.set(DEADLINE - 5 * DAY)
    came = await asyncio.gather(*(run.rederive(row.account_id) for _ in range(6)))
    assert sorted(came) == [False] * 5 + [True]
    assert len(await reminders(run, row)) == 1
    await again(run, row)


async def rejects(run: Runner, row: Requirement) -> None:
    command = RejectAccount(account_id=row.account_id, reason="FRAUD", statement="It is so.")
    await run(rejection.reject, run.reviewer, command)


async def hands_in_another(run: Runner, row: Requirement) -> None:
    account = await run.fetch(Account, row.account_id)
    await create_requirement(run, "SUBMITTED", account=account, alternative_group="g")


async def comes_late(run: Runner, _: Requirement) -> None:
    run.clock.set(DEADLINE)


@pytest.mark.parametrize("happens", [rejects, hands_in_another, comes_late])
@pytest.mark.parametrize("failed", [False, True])
async def test_one_that_nobody_needs_any_more_does_not_go_out(
    run: Runner, happens: Any, failed: bool
) -> None:
    account = await create_account(run, email="owner@cafe.example")
    program = await publish_program(run, reminders=("P5D",), restricts=(), gates=())
    row = await open_requirement(run, account, program, alternative_group="g")
    assert await pass_to(run, DEADLINE - 5 * DAY, row) == 1
    [reminder] = await reminders(run, row)
    due = DueInteraction(row.account_id, row.platform_id, reminder.id)
    async with run.database.session_for(run.system) as session:
        if failed:
            await let_out(session, run.clock, due)
            letter = await take(session, run.clock, due)
            assert letter is not None
            again_later = NotMailed(Failure("busy", "Later."), passing=True)
            await settle(session, run.clock, letter, again_later)
        await happens(run, row)
        run.clock.advance(timedelta(minutes=1))
        if failed:
            assert await take(session, run.clock, due) is None
        else:
            await let_out(session, run.clock, due)
    [reminder] = await reminders(run, row)
    assert reminder.state == ("FAILED" if failed else "CANCELED")
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_a_submission_that_races_the_loop_comes_before_the_reminder_or_after_it(
    run: Runner,
) -> None:
    for _ in range(5):
        row = await asked(run, due_after="P1D", deadline_after="P6D")
        run.clock.advance(DAY)
        await asyncio.gather(run.rederive(row.account_id), submit(run, row))
        async with run.database.worker.connect() as connection:
            types = list(
                await connection.scalars(
                    select(Event.type)
                    .where(Event.account_id == row.account_id)
                    .order_by(Event.sequence)
                )
            )
        drafted = [n for n, kind in enumerate(types) if kind == "INTERACTION_DRAFTED"]
        # The first is the request; a reminder of what is submitted comes too late.
        assert len(drafted) <= 2
        assert all(n < types.index("REQUIREMENT_SUBMITTED") for n in drafted)
        assert len(await reminders(run, row)) == len(drafted) - 1
        await again(run, row)


async def test_several_requirements_are_reminded_of_each_by_itself(run: Runner) -> None:
    account = await create_account(run)
    rows = [await asked(run, account) for _ in range(2)]
    assert await pass_to(run, DEADLINE - 5 * DAY, rows[0]) == 2
    other = await asked(run)
    assert await reminders(run, other) == []


async def test_its_user_sees_a_reminder_once_it_is_out(run: Runner) -> None:
    account = await create_account(run)
    row = await asked(run, account)
    assert await pass_to(run, DEADLINE - 5 * DAY, row) == 1
    [told] = await reminders(run, row)

    async def seen() -> list[str]:
        user = run.account_user(account)
        async with run.database.session_for(user) as session, transaction(session, user):
            query = select(Interaction.purpose).where(Interaction.purpose == "REMINDER")
            return list(await session.scalars(query))

    assert await seen() == []
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(told)))
    assert await seen() == ["REMINDER"]


async def test_changing_the_account_changes_no_reminder(run: Runner) -> None:
    account = await create_account(run)
    row = await asked(run, account)
    changed = UpdateAccount(account_id=account.account_id, changes={"risk_tier": "HIGH"})
    await run(update, run.reviewer, changed)
    assert (await again(run, row)).remind_at == DEADLINE - 5 * DAY
