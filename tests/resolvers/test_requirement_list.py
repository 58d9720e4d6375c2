"""Whose turn it is and by when, as dashboards ask for it: the filters, the orders, the fields."""

from datetime import timedelta
from typing import Any

import pytest

from models.delivery import SendInteraction, send
from models.requirement import Requirement
from resolvers.scalars import write_instant
from tests.factories import (
    contact_key,
    create_account,
    create_requirement,
    draft_interaction,
    open_requirement,
    publish_program,
    receive_message,
    refer,
    submit,
)
from tests.resolvers.api import Api, Caller, Platform
from tests.resolvers.inputs import account_id, requirement_id

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIST = """query($filter: RequirementFilter, $orderBy: RequirementOrder) {
  requirements(first: 50, filter: $filter, orderBy: $orderBy) { totalCount nodes { id } } }"""
OF_ACCOUNT = """query($id: ID!, $filter: RequirementFilter) { account(id: $id) {
  requirements(first: 50, filter: $filter) { totalCount nodes { id } }
  requirementSummary { currentlyDue eventuallyDue pastDue pendingVerification } } }"""
ONE = """query($id: ID!) { requirement(id: $id) {
  state dueStatus awaitingActionFrom unansweredSince referredTo referredAt reviewDueAt
  reviewTargetStatus clock { heldBy } } }"""


async def listed(api: Api, caller: Caller, **given: Any) -> list[str]:
    """The ids of the list, which counts as many as it shows."""
    found = (await api.call(caller, LIST, given)).data["requirements"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["id"] for node in found["nodes"]]


async def shown(api: Api, caller: Caller, row: Requirement) -> dict[str, Any]:
    found: dict[str, Any] = (await api.call(caller, ONE, {"id": requirement_id(row)})).data
    return dict(found["requirement"])


@pytest.mark.parametrize("audience", ["staff", "user"])
async def test_both_sides_see_that_a_third_party_is_waited_for(
    api: Api, own: Platform, audience: str
) -> None:
    account = await create_account(own.run)
    program = await publish_program(own.run, review_within="P2D")
    row = await open_requirement(own.run, account, program)
    await submit(own.run, row)
    await refer(own.run, row)
    caller = own.reviewer if audience == "staff" else own.user(account)
    assert await shown(api, caller, row) == {
        "state": "SUBMITTED",
        "dueStatus": "PENDING_VERIFICATION",
        "awaitingActionFrom": "RISK",
        "unansweredSince": None,
        "referredTo": "Commerzbank",
        "referredAt": write_instant(api.clock.now()),
        "reviewDueAt": None,
        "reviewTargetStatus": "PAUSED",
        "clock": {"heldBy": "THIRD_PARTY"},
    }


@pytest.mark.parametrize("audience", ["staff", "user"])
async def test_a_message_moves_its_requirement_to_risks_queue_until_it_is_answered(
    api: Api, own: Platform, audience: str
) -> None:
    account = await create_account(own.run)
    program = await publish_program(own.run)
    row, other = [await open_requirement(own.run, account, program) for _ in range(2)]
    submitted = await create_requirement(own.run, "SUBMITTED", account, program)
    ended = await create_requirement(own.run, "SATISFIED", account, program)
    caller = own.reviewer if audience == "staff" else own.user(account)

    async def awaited(side: str, **more: Any) -> set[str]:
        given = {"awaitingActionFrom": side, **more}
        of_all = await listed(api, caller, filter=given)
        of_one = await api.call(caller, OF_ACCOUNT, {"id": account_id(account), "filter": given})
        assert {node["id"] for node in of_one.data["account"]["requirements"]["nodes"]} == set(
            of_all
        )
        return set(of_all)

    async def counted() -> Any:
        asked = {"id": account_id(account)}
        found = await api.call(caller, OF_ACCOUNT, asked)
        return found.data["account"]["requirementSummary"]

    before = await counted()
    mine, theirs = {requirement_id(row), requirement_id(other)}, {requirement_id(submitted)}
    assert (await awaited("ACCOUNT"), await awaited("RISK")) == (mine, theirs)
    await receive_message(own.run, row, requirement_ids=(row.id, submitted.id, ended.id))
    moved = {requirement_id(row)}
    assert (await awaited("ACCOUNT"), await awaited("RISK")) == (mine - moved, theirs | moved)
    assert await awaited("RISK", state=["OPEN"]) == moved
    assert await awaited("RISK", dueStatus=["EVENTUALLY_DUE"]) == moved
    assert await awaited("ACCOUNT", dueStatus=["EVENTUALLY_DUE"]) == mine - moved
    assert await awaited("RISK", dueStatus=["PENDING_VERIFICATION"]) == theirs
    assert await awaited("ACCOUNT", state=["SUBMITTED"]) == set()
    # What it owes and by when is the same as before.
    assert await counted() == before
    waiting = await shown(api, caller, row)
    assert (waiting["awaitingActionFrom"], waiting["state"], waiting["clock"]) == (
        *("RISK", "OPEN"),
        {"heldBy": "ACCOUNT"},
    )
    assert waiting["unansweredSince"] == write_instant(api.clock.now())
    answer = await draft_interaction(own.run, row)
    await own.run(send, own.run.reviewer, SendInteraction(**contact_key(answer)))
    assert (await awaited("ACCOUNT"), await awaited("RISK")) == (mine, theirs)
    assert (await shown(api, caller, row))["unansweredSince"] is None


async def test_the_review_queue_is_sorted_by_promise_and_what_has_none_comes_last(
    api: Api, own: Platform
) -> None:
    account = await create_account(own.run)
    programs = [await publish_program(own.run, review_within=f"P{n}D") for n in (3, 1, 2)]
    rows = [await open_requirement(own.run, account, program) for program in programs]
    for row in rows:
        await submit(own.run, row)
    without = await open_requirement(own.run, account)
    await submit(own.run, without)
    referred = await create_requirement(own.run, "SUBMITTED", account, programs[1])
    await refer(own.run, referred)
    third, first, second = map(requirement_id, rows)
    last = {requirement_id(without), requirement_id(referred)}
    order = {"field": "REVIEW_DUE_AT", "direction": "ASC"}
    found = await listed(api, own.reviewer, orderBy=order)
    assert found[:3] == [first, second, third]
    assert set(found[3:]) == last
    backwards = {"field": "REVIEW_DUE_AT", "direction": "DESC"}
    found = await listed(api, own.reviewer, orderBy=backwards)
    assert (set(found[:2]), found[2:]) == (last, [third, second, first])
    now = api.clock.now()

    async def promised(since: int | None = None, before: int | None = None) -> list[str]:
        span = {"since": since, "before": before}
        given = {k: write_instant(now + n * DAY) for k, n in span.items() if n is not None}
        return await listed(api, own.reviewer, filter={"reviewDueAt": given}, orderBy=order)

    assert await promised(since=1, before=3) == [first, second]
    # What has no promise has none after any instant.
    assert await promised(since=2) == [second, third]
    assert await promised(before=2) == [first]
    # No end asks nothing.
    assert len(await promised()) == 5
    both = {"reviewDueAt": {"since": write_instant(now)}, "awaitingActionFrom": "ACCOUNT"}
    assert await listed(api, own.reviewer, filter=both) == []


async def test_what_has_no_deadline_has_none_after_any_instant(api: Api, own: Platform) -> None:
    account = await create_account(own.run)
    endless = await publish_program(own.run, deadline_after=None, notice_period=None)
    await open_requirement(own.run, account, endless)
    row = await open_requirement(own.run, account)
    since = {"deadline": {"since": write_instant(api.clock.now())}}
    assert await listed(api, own.reviewer, filter=since) == [requirement_id(row)]
