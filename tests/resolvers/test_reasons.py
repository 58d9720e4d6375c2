"""What accounts are told of the reasons for what is decided on them, and what may be cited."""

import pytest

from models.status import RequirementState
from resolvers import ids
from tests.factories import create_account, create_requirement
from tests.resolvers.api import Api, Platform
from tests.resolvers.inputs import STATEMENT, Inputs, Made, account_id, requirement_id
from tests.resolvers.test_mutations import mutate

REJECTION = """
query($id: ID!) {
  node(id: $id) {
    ... on Account {
      status
      disabledReason
      rejection { reason statement rejectedBy { kind id displayName } }
      reinstatement { reason reinstatedBy { kind id displayName } }
      capabilities { status disabledReason }
    }
  }
}
"""


@pytest.mark.parametrize("which", ["another account's", "another requirement's", "no evidence"])
async def test_what_was_not_submitted_to_the_requirement_is_not_cited(
    own: Platform, api: Api, which: str
) -> None:
    inputs = Inputs(own)
    made = await inputs.make("requirementReject")
    others = await inputs.make("requirementReject")
    cited = others.input["statement"]["citedEvidence"]
    if which == "another requirement's":
        # The same evidence, as if it were this account's.
        prefix = f"{ids.EVIDENCE}_"
        mine = made.input["id"].partition("_")[2][:32]
        cited = [prefix + mine + one[len(prefix) + 32 :] for one in cited]
    if which == "no evidence":
        cited = [made.input["id"]]
    statement = {**made.input["statement"], "citedEvidence": cited}
    payload = await mutate(api, "requirementReject", made, statement=statement)
    [error] = payload["userErrors"]
    assert error["field"] == ["statement", "citedEvidence", "0"]
    codes = {"no evidence": "INVALID_ID", "another account's": "NOT_FOUND"}
    assert error["code"] == codes.get(which, "INVALID_INPUT")


async def test_an_account_reads_why_it_is_rejected_but_not_by_whom(own: Platform, api: Api) -> None:
    made = await Inputs(own).make("accountReject")
    assert (await mutate(api, "accountReject", made))["userErrors"] == []
    user = own.user(ids.decode_account(made.input["id"], "id"))
    shown = {}
    for caller in (user, own.admin):
        answer = await api.call(caller, REJECTION, {"id": made.input["id"]})
        shown[caller.subject] = answer.data["node"]
        assert (shown[caller.subject]["status"], shown[caller.subject]["disabledReason"]) == (
            "REJECTED",
            "rejected.fraud",
        )
    told = shown[user.subject]["rejection"]
    assert (told["reason"], told["statement"]) == ("rejected.fraud", made.input["statement"])
    assert shown[user.subject]["reinstatement"] is None
    assert told["rejectedBy"] == {"kind": "REVIEWER", "id": "reviewer", "displayName": None}
    assert shown[own.admin.subject]["rejection"]["rejectedBy"]["id"] == own.reviewer.subject
    assert {one["disabledReason"] for one in shown[user.subject]["capabilities"]} == {
        "rejected.fraud"
    }


async def test_an_account_reads_why_it_was_taken_back(own: Platform, api: Api) -> None:
    made = await Inputs(own).make("accountReinstate")
    assert (await mutate(api, "accountReinstate", made))["userErrors"] == []
    user = own.user(ids.decode_account(made.input["id"], "id"))
    answer = await api.call(user, REJECTION, {"id": made.input["id"]})
    assert answer.data["node"]["rejection"] is None
    assert answer.data["node"]["reinstatement"] == {
        "reason": made.input["reason"],
        "reinstatedBy": {"kind": "REVIEWER", "id": "reviewer", "displayName": None},
    }


async def test_an_account_that_is_not_rejected_has_no_rejection(own: Platform, api: Api) -> None:
    account = await create_account(own.run)
    answer = await api.call(own.user(account), REJECTION, {"id": account_id(account)})
    assert answer.data["node"]["rejection"] is answer.data["node"]["reinstatement"] is None


async def test_a_rejection_names_each_place_that_is_missing(own: Platform, api: Api) -> None:
    for name, place in (
        ("facts", "facts"),
        ("groundKind", "groundKind"),
        ("source", "source"),
        ("citedFact", "citedEvidence"),
    ):
        row = await create_requirement(own.run, RequirementState.SUBMITTED)
        statement = {key: value for key, value in STATEMENT.items() if key != name}
        given = {"id": requirement_id(row), "reasonCode": "checked", "statement": statement}
        payload = await mutate(api, "requirementReject", Made(own.reviewer, given))
        assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
            ("INVALID_INPUT", ["statement", place])
        ]
