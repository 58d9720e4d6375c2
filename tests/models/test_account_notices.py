"""What an account's user is told of the account itself: in the words of the house."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from models import account as accounts
from models import account_rejection as rejection
from models import correspondence, delivery, hold
from models.account import UpdateAccount
from models.account_rejection import ReinstateAccount, RejectAccount
from models.aggregate import Account
from models.correspondence import DraftInteraction, ReceiveInteraction
from models.delivery import SendInteraction, UpdateInteraction
from models.errors import IllegalTransition, InvalidInput
from models.events import TOLD, Event
from models.hold import ReleaseHold
from models.interaction import Interaction, InteractionRequirement
from models.notice_texts import (
    HOUSE_TEXTS,
    AccountNotice,
    NoticeKind,
    in_words,
    words_of_hold,
)
from models.status import HoldReason
from models.verify import verify_account
from tests.factories import (
    Runner,
    contact_key,
    create_account,
    open_requirement,
    place_hold,
)

STATEMENT = "Payments were taken for goods that were never sent."


async def told(run: Runner, account: Account) -> list[Interaction]:
    """What was written to the account's user, the oldest first; all of it about nothing else."""
    assert await verify_account(run.database.worker, account.account_id) == []
    async with run.database.session_for(run.system) as session:
        mine = InteractionRequirement.account_id == account.account_id
        assert await session.scalar(select(func.count()).where(mine)) == 0
        query = select(Interaction).where(Interaction.account_id == account.account_id)
        return list(await session.scalars(query.order_by(Interaction.created_at)))


async def reject(run: Runner, account: Account, **values: Any) -> None:
    given = {"account_id": account.account_id, "reason": "FRAUD", "statement": STATEMENT, **values}
    await run(rejection.reject, run.reviewer, RejectAccount(**given))


async def reinstate(run: Runner, account: Account) -> None:
    command = ReinstateAccount(account_id=account.account_id, reason="They were sent after all.")
    await run(rejection.reinstate, run.reviewer, command)


def test_every_notice_of_the_house_has_its_text_and_no_program_has_a_say_in_it() -> None:
    assert set(HOUSE_TEXTS) == set(AccountNotice)
    assert not {*AccountNotice} & {*NoticeKind}


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ((), ""),
        (("PAYOUTS",), "payouts"),
        (("TRANSFERS", "CARD_PAYMENTS"), "card payments and transfers"),
        (("TRANSFERS", "PAYOUTS", "CARD_PAYMENTS"), "card payments, payouts and transfers"),
    ],
)
def test_capabilities_are_said_as_people_say_them(kinds: tuple[str, ...], words: str) -> None:
    assert in_words(kinds) == words


async def test_a_rejection_is_told_with_its_statement(run: Runner) -> None:
    account = await create_account(run, email="owner@cafe.example")
    await reject(run, account, idempotency_key="k")
    await reject(run, account, idempotency_key="k")
    [notice] = await told(run, account)
    assert (notice.purpose, notice.state, notice.channel) == ("DECISION", "SCHEDULED", "EMAIL")
    assert notice.subject == f"We can no longer work with {account.business_name}"
    assert notice.body == (
        "We have ended our relation with your business. From now on, card payments, payouts and "
        f"transfers are not possible any more.\n\n{STATEMENT}\n\n"
        "If you think that this is wrong, write to us and say why: we will look at it again."
    )


async def test_a_reinstatement_is_told_with_its_reason(run: Runner) -> None:
    account = await create_account(run)
    await reject(run, account)
    run.clock.advance(timedelta(hours=1))
    await reinstate(run, account)
    notices = await told(run, account)
    assert [notice.purpose for notice in notices] == ["DECISION", "DECISION"]
    assert "They were sent after all." in notices[1].body
    async with run.database.worker.connect() as connection:
        types = await connection.scalars(
            select(Event.type)
            .where(Event.account_id == account.account_id)
            .order_by(Event.sequence.desc())
            .limit(7)
        )
        assert list(types)[-3:] == [*reversed(TOLD), "ACCOUNT_REINSTATED"]


async def test_what_is_refused_tells_nothing(run: Runner) -> None:
    account = await create_account(run)
    with pytest.raises(IllegalTransition):
        await reinstate(run, account)
    with pytest.raises(InvalidInput):
        await reject(run, account, statement=" ")
    assert await told(run, account) == []


@pytest.mark.parametrize("reason", HoldReason)
async def test_a_hold_is_told_without_what_staff_note_of_it(
    run: Runner, reason: HoldReason
) -> None:
    account = await create_account(run, capabilities=("PAYOUTS",))
    until = run.clock.now() + timedelta(days=9)
    note = "We suspect fraud."
    kinds = ("CARD_PAYMENTS", "PAYOUTS")
    values = {"reason": reason, "note": note, "expires_at": until, "capabilities": kinds}
    await place_hold(run, account, **values)
    [notice] = await told(run, account)
    assert (notice.purpose, notice.subject) == ("NOTICE", "Restricted for now: payouts")
    words = f" {words_of_hold(reason)}".rstrip()
    assert notice.body == (
        f"For now, payouts are restricted for your account, until 11 March 2026, 09:30 UTC.{words}"
        "\n\nIf you have questions, or think that this is wrong, write to us."
    )
    assert "list" not in notice.body
    assert "fraud" not in notice.body


async def test_the_end_of_a_hold_is_told(run: Runner) -> None:
    account = await create_account(run, capabilities=("PAYOUTS",))
    placed = await place_hold(run, account, capabilities=("CARD_PAYMENTS", "PAYOUTS"))
    run.clock.advance(timedelta(hours=1))
    release = ReleaseHold(account_id=account.account_id, hold_id=placed.id)
    await run(hold.release, run.reviewer, release)
    notice = (await told(run, account))[-1]
    assert (notice.purpose, notice.subject) == ("NOTICE", "No longer held back: payouts")
    assert notice.body == "We held back payouts for your account. This has ended."


async def test_a_hold_that_restricts_nothing_is_not_told(run: Runner) -> None:
    account = await create_account(run, capabilities=("TRANSFERS",))
    placed = await place_hold(run, account)
    release = ReleaseHold(account_id=account.account_id, hold_id=placed.id)
    await run(hold.release, run.reviewer, release)
    assert await told(run, account) == []
    await reject(run, account)
    await place_hold(run, account, capabilities=("TRANSFERS",))
    assert len(await told(run, account)) == 1


async def test_its_user_answers_what_is_about_no_requirement_and_is_answered(run: Runner) -> None:
    account = await create_account(run)
    await reject(run, account)
    [notice] = await told(run, account)
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(notice)))
    mine: dict[str, Any] = {"account_id": account.account_id, "body": "Why?"}
    answer = ReceiveInteraction(**mine, in_reply_to_id=notice.id)
    message = (await run(correspondence.receive, run.account_user(account), answer)).value
    assert message.in_reply_to_id == notice.id
    back = DraftInteraction(**mine, in_reply_to_id=message.id)
    await run(correspondence.draft, run.reviewer, back)
    states = {one.state for one in await told(run, account)}
    assert states == {"RESPONDED", "DELIVERED", "DRAFT"}


async def test_what_is_about_no_requirement_may_come_to_be_about_one(run: Runner) -> None:
    account = await create_account(run)
    await reject(run, account)
    [notice] = await told(run, account)
    row = await open_requirement(run, account)
    changes = {"requirement_ids": (row.id,)}
    command = UpdateInteraction(**contact_key(notice), changes=changes)
    await run(delivery.update, run.reviewer, command)
    async with run.database.session_for(run.system) as session:
        link = select(InteractionRequirement.requirement_id).where(
            InteractionRequirement.interaction_id == notice.id
        )
        assert list(await session.scalars(link)) == [row.id]


async def test_a_hold_is_told_once_it_restricts_something(run: Runner) -> None:
    account = await create_account(run, capabilities=("TRANSFERS",))
    await place_hold(run, account, capabilities=("PAYOUTS", "TRANSFERS"))
    run.clock.advance(timedelta(hours=1))
    changes = {"capabilities": ("PAYOUTS", "TRANSFERS")}
    await run(
        accounts.update,
        run.integrator,
        UpdateAccount(account_id=account.account_id, changes=changes),
    )
    subjects = [notice.subject for notice in await told(run, account)]
    assert subjects == ["Restricted for now: transfers", "Restricted for now: payouts"]


async def test_a_hold_placed_on_a_rejected_account_is_told_once_it_is_reinstated(
    run: Runner,
) -> None:
    account = await create_account(run, capabilities=("PAYOUTS",))
    await reject(run, account)
    await place_hold(run, account, capabilities=("PAYOUTS",))
    run.clock.advance(timedelta(hours=1))
    await reinstate(run, account)
    subjects = [notice.subject for notice in await told(run, account)]
    assert "Restricted for now: payouts" in subjects
    assert len(subjects) == 3
