"""What a dashboard is told of why, without working anything out itself."""

from datetime import timedelta
from typing import Any

from models import requirement_operations as requirements
from models.aggregate import Account
from models.program import Program
from models.requirement import Requirement
from models.requirement_operations import Cancel
from models.resolution import ResolutionOutcome
from models.status import CapabilityKind
from tests.factories import (
    create_account,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    place_hold,
    publish_program,
    submit,
)
from tests.resolvers.api import Api, Platform
from tests.resolvers.inputs import account_id, requirement_id

DAY = timedelta(days=1)
CAPABILITIES = """
query($id: ID!) {
  account(id: $id) {
    status
    requirementSummary { pastDue nextDeadline }
    capabilities {
      kind status restrictsAt
      restrictedBy { ... on Requirement { id } }
      gatedBy { id }
      restrictsNext { id }
    }
    requirements(first: 9) {
      nodes { id impact { capability status since until } noticeAt latestDeadline dueStatus }
    }
  }
}
"""
CLOSED = (
    "query($id: ID!) { node(id: $id) { ... on Requirement { closedReason closedReasonCode } } }"
)


async def shown(api: Api, own: Platform, account: Account) -> dict[str, Any]:
    """What the account's user sees, with capabilities and requirements by kind and id."""
    answer = await api.call(own.user(account), CAPABILITIES, {"id": account_id(account)})
    assert answer.errors == []
    found: dict[str, Any] = answer.data["account"]
    found["capabilities"] = {one["kind"]: one for one in found["capabilities"]}
    nodes = found["requirements"]["nodes"]
    found["requirements"] = {one["id"]: one for one in nodes}
    return found


def ids_of(rows: list[dict[str, str]]) -> set[str]:
    return {row["id"] for row in rows}


async def program_and_account(own: Platform, **terms: Any) -> tuple[Program, Account]:
    """Late payouts after fourteen days, and transfers that wait."""
    kinds = tuple(CapabilityKind)
    return await publish_program(own.run, **terms), await create_account(
        own.run, capabilities=kinds
    )


async def test_a_pending_capability_names_what_it_waits_for_and_what_comes_next(
    own: Platform, api: Api
) -> None:
    program, account = await program_and_account(own)
    rows = [await open_requirement(own.run, account, program) for _ in range(2)]
    later = own.run.clock.now() + 20 * DAY
    rows.append(await open_requirement(own.run, account, program, deadline=later))
    both, all_of_them = ({requirement_id(row) for row in some} for some in (rows[:2], rows))
    seen = (await shown(api, own, account))["capabilities"]
    assert ids_of(seen["TRANSFERS"]["gatedBy"]) == all_of_them
    assert seen["TRANSFERS"]["restrictsNext"] == seen["PAYOUTS"]["gatedBy"] == []
    assert ids_of(seen["PAYOUTS"]["restrictsNext"]) == both
    assert seen["CARD_PAYMENTS"]["restrictsNext"] == seen["CARD_PAYMENTS"]["gatedBy"] == []
    # Nothing has derived the status since: it is by what time has changed that they are named.
    own.run.clock.advance(14 * DAY)
    seen = (await shown(api, own, account))["capabilities"]
    assert ids_of(seen["PAYOUTS"]["restrictedBy"]) == both
    assert seen["PAYOUTS"]["restrictsNext"] == []
    await place_hold(own.run, account, capabilities=(CapabilityKind.TRANSFERS,))
    seen = (await shown(api, own, account))["capabilities"]
    assert (seen["TRANSFERS"]["status"], seen["TRANSFERS"]["gatedBy"]) == ("RESTRICTED", [])


async def test_what_is_handed_in_for_an_alternative_is_seen_everywhere(
    own: Platform, api: Api
) -> None:
    program, account = await program_and_account(own, gates=("TRANSFERS", "PAYOUTS"))
    first, second = [
        await open_requirement(own.run, account, program, alternative_group="address")
        for _ in range(2)
    ]
    restricted = {entry["status"] for entry in await impact(api, own, account, first)}
    assert restricted == {"RESTRICTED", "PENDING"}
    await submit(own.run, second)
    own.run.clock.advance(15 * DAY)
    seen = await shown(api, own, account)
    assert seen["status"] == "UNDER_REVIEW"
    # The requirement's own view of the clock stays what it is.
    assert seen["requirements"][requirement_id(first)]["dueStatus"] == "PAST_DUE"
    assert seen["requirementSummary"] == {"pastDue": 1, "nextDeadline": None}
    payouts = seen["capabilities"]["PAYOUTS"]
    assert (payouts["status"], payouts["restrictedBy"]) == ("PENDING", [])
    assert ids_of(payouts["gatedBy"]) == {requirement_id(first), requirement_id(second)}
    assert {entry["status"] for entry in await impact(api, own, account, first)} == {"PENDING"}


async def impact(api: Api, own: Platform, account: Account, row: Requirement) -> Any:
    seen = await shown(api, own, account)
    return seen["requirements"][requirement_id(row)]["impact"]


async def test_a_rejection_that_an_alternative_has_overtaken_has_no_impact(
    own: Platform, api: Api
) -> None:
    program, account = await program_and_account(own)
    first, second = [
        await open_requirement(own.run, account, program, alternative_group="address")
        for _ in range(2)
    ]
    await submit(own.run, first)
    await decide(own.run, first, ResolutionOutcome.REJECTED)
    kinds = {entry["capability"] for entry in await impact(api, own, account, first)}
    assert kinds == {"PAYOUTS", "TRANSFERS"}
    await submit(own.run, second)
    await decide(own.run, second, ResolutionOutcome.SATISFIED)
    assert await impact(api, own, account, first) == []
    seen = (await shown(api, own, account))["capabilities"]
    assert {one["status"] for one in seen.values()} == {"ACTIVE"}
    assert all(one["restrictedBy"] == one["gatedBy"] == [] for one in seen.values())


async def test_a_requirement_shows_its_notice_and_how_far_it_may_be_extended(
    own: Platform, api: Api
) -> None:
    program, account = await program_and_account(own, max_extension="P30D")
    row = await open_requirement(own.run, account, program)
    assert row.deadline is not None
    [seen] = (await shown(api, own, account))["requirements"].values()
    assert seen["latestDeadline"] == (row.deadline + 30 * DAY).isoformat().replace("+00:00", "Z")
    assert seen["noticeAt"] == (row.deadline - 3 * DAY).isoformat().replace("+00:00", "Z")


async def test_the_code_of_an_end_is_apart_from_words(own: Platform, api: Api) -> None:
    program, account = await program_and_account(own)
    group = [
        await open_requirement(own.run, account, program, alternative_group="address")
        for _ in range(3)
    ]
    command = Cancel(**key_of(group[0]), reason="checked")
    await own.run(requirements.cancel, own.run.admin, command)
    await submit(own.run, group[1])
    await decide(own.run, group[1], ResolutionOutcome.SATISFIED)
    rows = [*group, await create_requirement(own.run, "OPEN", account, program)]
    found = []
    for row in rows:
        answer = await api.call(own.admin, CLOSED, {"id": requirement_id(row)})
        found.append(tuple(answer.data["node"].values()))
    assert found == [
        ("checked", None),
        ("checked", "checked"),
        ("ALTERNATIVE_SATISFIED", "ALTERNATIVE_SATISFIED"),
        (None, None),
    ]
