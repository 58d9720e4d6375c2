"""The notice of a restriction: told when a requirement begins to restrict, once each time."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import account as accounts
from models import account_rejection as rejection
from models import correspondence
from models import requirement_operations as requirements
from models.account import UpdateAccount
from models.account_rejection import ReinstateAccount, RejectAccount
from models.aggregate import Account
from models.correspondence import ReceiveInteraction
from models.errors import IllegalTransition
from models.events import Event
from models.interaction import Interaction
from models.notice_texts import NoticeText
from models.requirement import Requirement
from models.requirement_operations import Assign, Reopen, RequestChanges
from models.resolution import ResolutionOutcome
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    ERROR,
    Runner,
    create_account,
    decide,
    judge,
    key_of,
    object_to,
    open_requirement,
    place_hold,
    publish_program,
    submit,
)

DAY = timedelta(days=1)
DEADLINE = START + 14 * DAY
SUBJECT = "restricted from now on"


async def owed(run: Runner, account: Account | None = None, **values: Any) -> Requirement:
    """Something whose deadline restricts payouts."""
    program = await publish_program(run, **{"gates": (), **values})
    return await open_requirement(run, account, program)


async def told(run: Runner, row: Requirement) -> list[Interaction]:
    """The notices of restrictions that the account has got, the oldest first; all is in order."""
    assert await verify_account(run.database.worker, row.account_id) == []
    async with run.database.session_for(run.system) as session:
        query = select(Interaction).where(
            Interaction.account_id == row.account_id, Interaction.subject.contains(SUBJECT)
        )
        return list(await session.scalars(query.order_by(Interaction.created_at)))


async def types(run: Runner, row: Requirement, count: int) -> list[str]:
    """The types of the account's latest events, with who did it where that was not the clock."""
    async with run.database.worker.connect() as connection:
        found = await connection.execute(
            select(Event.type, Event.actor_id)
            .where(Event.account_id == row.account_id)
            .order_by(Event.sequence)
        )
        return [kind if by == "clock" else f"{kind} by {by}" for kind, by in found][-count:]


async def send_back(run: Runner, row: Requirement) -> None:
    back = RequestChanges(**key_of(row), errors=(ERROR,))
    await run(requirements.request_changes, run.reviewer, back)


async def test_a_deadline_that_passes_is_told_with_what_it_restricts_and_why(run: Runner) -> None:
    row = await owed(run, restricts=("PAYOUTS", "CARD_PAYMENTS"))
    run.clock.set(DEADLINE)
    assert await run.rederive(row.account_id)
    [notice] = await told(run, row)
    assert (notice.purpose, notice.state, notice.author_id) == ("NOTICE", "SCHEDULED", "notices")
    assert notice.subject == f"{row.title}: restricted from now on"
    assert notice.body == (
        "From now on, card payments and payouts are restricted for your account, since what we "
        "have asked for is not here, and its deadline (16 March 2026, 09:30 UTC) has passed.\n\n"
        f"{row.description}\n\nSend it now: this restriction ends as soon as it has arrived."
    )
    assert await types(run, row, 7) == [
        "REQUIREMENT_CURRENTLY_DUE",
        "REQUIREMENT_PAST_DUE",
        "CAPABILITY_STATUS_CHANGED",
        "CAPABILITY_STATUS_CHANGED",
        "ACCOUNT_STATUS_CHANGED",
        "INTERACTION_DRAFTED",
        "INTERACTION_SCHEDULED",
    ]
    run.clock.advance(9 * DAY)
    await run.rederive(row.account_id)
    assert len(await told(run, row)) == 1


async def test_an_operation_that_comes_before_the_loop_tells_it(run: Runner) -> None:
    row = await owed(run)
    run.clock.set(DEADLINE)
    assign = Assign(**key_of(row), assignee_id="rita")
    await run(requirements.assign, run.reviewer, assign)
    assert await types(run, row, 3) == [
        "INTERACTION_DRAFTED",
        "INTERACTION_SCHEDULED",
        "REQUIREMENT_ASSIGNED by rita",
    ]
    assert len(await told(run, row)) == 1
    assert not await run.rederive(row.account_id)
    assert len(await told(run, row)) == 1


async def test_so_does_what_the_accounts_user_does_themselves(run: Runner) -> None:
    account = await create_account(run)
    row, other = [await owed(run, account) for _ in range(2)]
    run.clock.set(DEADLINE)
    await submit(run, row)
    assert len(await told(run, row)) == 2
    message = ReceiveInteraction(
        account_id=row.account_id, requirement_ids=(other.id,), body="What is this?"
    )
    await run(correspondence.receive, run.account_user(account), message)
    assert len(await told(run, row)) == 2


async def test_a_message_of_its_user_comes_before_the_loop_as_well(run: Runner) -> None:
    account = await create_account(run)
    row = await owed(run, account)
    run.clock.set(DEADLINE)
    message = ReceiveInteraction(
        account_id=row.account_id, requirement_ids=(row.id,), body="Is it too late?"
    )
    await run(correspondence.receive, run.account_user(account), message)
    assert len(await told(run, row)) == 1


@pytest.mark.parametrize(
    "values", [{"restricts": ()}, {"restricts": ("CARD_PAYMENTS",)}, {"deadline_after": None}]
)
async def test_what_restricts_nothing_that_is_asked_for_is_not_told(
    run: Runner, values: dict[str, Any]
) -> None:
    account = await create_account(run, capabilities=("PAYOUTS",))
    row = await owed(run, account, **values)
    run.clock.advance(400 * DAY)
    await run.rederive(row.account_id)
    assert await told(run, row) == []


async def test_a_capability_that_is_asked_for_while_something_is_past_due_is_told(
    run: Runner,
) -> None:
    account = await create_account(run, capabilities=("TRANSFERS",))
    row = await owed(run, account)
    run.clock.set(DEADLINE)
    await run.rederive(row.account_id)
    assert await told(run, row) == []
    changes = {"capabilities": ["PAYOUTS", "TRANSFERS"]}
    command = UpdateAccount(account_id=account.account_id, changes=changes)
    await run(accounts.update, run.integrator, command)
    [notice] = await told(run, row)
    assert notice.body.startswith("From now on, payouts are restricted")


async def test_each_requirement_tells_of_its_own(run: Runner) -> None:
    account = await create_account(run)
    rows = [await owed(run, account) for _ in range(2)]
    await place_hold(run, account)
    run.clock.set(DEADLINE)
    await run.rederive(account.account_id)
    assert len(await told(run, rows[0])) == 2


async def test_a_rejection_that_restricts_at_once_is_told_by_its_decision_alone(
    run: Runner,
) -> None:
    row = await owed(run, gates=("TRANSFERS",))
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.REJECTED)
    run.clock.advance(90 * DAY)
    await run.rederive(row.account_id)
    assert await told(run, row) == []


async def test_a_rejection_with_a_notice_is_told_when_that_is_over(run: Runner) -> None:
    row = await owed(run, gates=("TRANSFERS",), termination_notice="P30D", appeal_within="P90D")
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.REJECTED)
    run.clock.set(START + 30 * DAY)
    await run.rederive(row.account_id)
    [notice] = await told(run, row)
    assert notice.body == (
        "From now on, payouts and transfers are restricted for your account, since what you sent "
        "was refused.\n\nYou may appeal until 31 May 2026, 09:30 UTC."
    )


async def test_an_open_appeal_stops_no_restriction_and_no_notice_of_it(run: Runner) -> None:
    row = await owed(run, termination_notice="P30D")
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.REJECTED)
    made = await object_to(run, row)
    run.clock.set(START + 30 * DAY)
    await run.rederive(row.account_id)
    [notice] = await told(run, row)
    assert notice.body.endswith("since what you sent was refused.")
    await judge(run, made, uphold=True)
    assert len(await told(run, row)) == 1


async def test_what_is_overturned_before_it_restricts_is_not_told(run: Runner) -> None:
    row = await owed(run, termination_notice="P30D")
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.REJECTED)
    await judge(run, await object_to(run, row), uphold=False)
    run.clock.advance(60 * DAY)
    await run.rederive(row.account_id)
    assert await told(run, row) == []


async def test_what_begins_again_is_told_again(run: Runner) -> None:
    row = await owed(run, pauses_deadline=False)
    run.clock.set(DEADLINE)
    await run.rederive(row.account_id)
    await submit(run, row)
    assert len(await told(run, row)) == 1
    # Sent back past its deadline, it restricts at once.
    run.clock.advance(DAY)
    await send_back(run, row)
    notices = await told(run, row)
    assert len(notices) == 2
    assert ERROR.message in notices[1].body
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.SATISFIED)
    reopened = Reopen(**key_of(row), reason="It expired.", deadline=DEADLINE + 20 * DAY)
    await run(requirements.reopen, run.reviewer, reopened)
    assert len(await told(run, row)) == 2
    run.clock.set(DEADLINE + 20 * DAY)
    await run.rederive(row.account_id)
    assert len(await told(run, row)) == 3


async def test_what_never_stopped_restricting_is_not_told_again(run: Runner) -> None:
    row = await owed(run)
    run.clock.set(DEADLINE)
    await run.rederive(row.account_id)
    for _ in range(3):
        run.clock.advance(DAY)
        await run(requirements.assign, run.reviewer, Assign(**key_of(row), assignee_id="rita"))
    assert len(await told(run, row)) == 1


async def test_a_rejected_account_hears_of_it_once_it_is_reinstated(run: Runner) -> None:
    row = await owed(run)
    key: dict[str, Any] = {"account_id": row.account_id}
    rejected = RejectAccount(**key, reason="OTHER", statement="We can't serve it.")
    await run(rejection.reject, run.reviewer, rejected)
    run.clock.set(DEADLINE)
    await run.rederive(row.account_id)
    assert await told(run, row) == []
    await run(rejection.reinstate, run.reviewer, ReinstateAccount(**key, reason="It can."))
    assert len(await told(run, row)) == 1


async def test_a_program_tells_it_in_its_own_words(run: Runner) -> None:
    body = "{{ requirement.restricts }}: {{ restriction.reason }} {{ requirement.appealDeadline }}"
    texts = (NoticeText("RESTRICTED", f"{SUBJECT}!", body),)
    row = await owed(run, notices=texts)
    run.clock.set(DEADLINE)
    await run.rederive(row.account_id)
    [notice] = await told(run, row)
    assert (notice.subject, notice.body) == (f"{SUBJECT}!", "payouts: PAST_DUE")


async def test_many_loops_and_an_operation_at_once_tell_it_once(run: Runner) -> None:
    row = await owed(run)
    run.clock.set(DEADLINE)
    assign = Assign(**key_of(row), assignee_id="rita")
    await asyncio.gather(
        *(run.rederive(row.account_id) for _ in range(4)),
        run(requirements.assign, run.reviewer, assign),
    )
    assert len(await told(run, row)) == 1


async def test_what_is_refused_leaves_the_telling_to_whoever_comes_next(run: Runner) -> None:
    row = await owed(run)
    run.clock.set(DEADLINE)
    back = RequestChanges(**key_of(row), errors=(ERROR,))
    with pytest.raises(IllegalTransition):
        await run(requirements.request_changes, run.reviewer, back)
    assert await told(run, row) == []
    assert await run.rederive(row.account_id)
    assert len(await told(run, row)) == 1
