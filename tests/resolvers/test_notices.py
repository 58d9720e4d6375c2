"""Notices as the account's user meets them: in their list of contacts, once they are out."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import account_rejection as rejection
from models import hold
from models.account_rejection import RejectAccount
from models.hold import PlaceHold
from models.interaction import Interaction
from models.sending import DueInteraction, let_out
from tests.factories import create_account, open_requirement, publish_program
from tests.resolvers.api import Api, Platform
from tests.resolvers.inputs import account_id

SHOWN = """query Shown($id: ID!) { node(id: $id) { ... on Account {
  status capabilities { kind status }
  interactions(first: 9) { nodes {
    purpose state subject body author { kind } requirements { id }
    replies(first: 1) { nodes { id } }
  } } } } }"""


async def send_due(own: Platform, account_id: Any) -> None:
    """Send all that is due of an account."""
    run = own.run
    async with run.database.session_for(run.system) as session:
        query = select(Interaction.id).where(Interaction.account_id == account_id)
        due = [
            DueInteraction(account_id, run.platform_id, one) for one in await session.scalars(query)
        ]
    for each in due:
        async with run.database.session_for(run.system) as session:
            await let_out(session, run.clock, each)


@pytest.mark.parametrize("what", ["REJECTED", "HELD"])
async def test_its_user_sees_what_is_about_the_account_itself_once_it_is_out(
    own: Platform, api: Api, what: str
) -> None:
    run = own.run
    account = await create_account(run)
    key: dict[str, Any] = {"account_id": account.account_id}
    if what == "REJECTED":
        command = RejectAccount(**key, reason="FRAUD", statement="Nothing was sent.")
        await run(rejection.reject, run.reviewer, command)
    else:
        placed = PlaceHold(
            **key, capabilities=("PAYOUTS",), reason="LISTED", note="On the list of 2024."
        )
        await run(hold.place, run.reviewer, placed)
    values = {"id": account_id(account)}
    before = (await api.call(own.user(account), SHOWN, values)).data["node"]
    assert before["interactions"]["nodes"] == []
    await send_due(own, account.account_id)
    for caller in (own.user(account), own.reviewer):
        found = (await api.call(caller, SHOWN, values)).data["node"]
        [notice] = found["interactions"]["nodes"]
        assert (notice["state"], notice["author"]["kind"]) == ("SENT", "SYSTEM")
        assert (notice["requirements"], notice["replies"]["nodes"]) == ([], [])
        assert "2024" not in notice["body"]
        assert "list" not in notice["body"]


async def test_what_is_to_be_reminded_of_changes_nothing_that_is_read(
    own: Platform, api: Api
) -> None:
    run = own.run
    account = await create_account(run)
    program = await publish_program(
        run, reminders=("P5D",), gates=(), due_after="P1D", notice_period="P3D"
    )
    await open_requirement(run, account, program)
    run.clock.advance(timedelta(days=2))
    await run.rederive(account.account_id)
    values = {"id": account_id(account)}
    callers = (own.user(account), own.reviewer)
    before = [(await api.call(one, SHOWN, values)).data["node"] for one in callers]
    # The instant has come, and the loop has not.
    run.clock.advance(timedelta(days=7))
    assert [(await api.call(one, SHOWN, values)).data["node"] for one in callers] == before
    assert before[0]["status"] == "ENABLED"
    assert await run.rederive(account.account_id)
    after = [(await api.call(one, SHOWN, values)).data["node"] for one in callers]
    assert after[0] == before[0]
    [*_, reminder] = after[1]["interactions"]["nodes"]
    assert (reminder["purpose"], reminder["state"]) == ("REMINDER", "SCHEDULED")
