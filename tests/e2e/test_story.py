"""The way through the house: from Stripe's account object to an active capability."""

from typing import Any

from tests.e2e.conftest import DEMO_ACCOUNTS
from tests.e2e.process import ROOT, Recourse, Serving

STRIPE_ACCOUNT = ROOT / "tests/data/stripe_account.json"
EXTERNAL_ID = "acct_1MoRdlLgUG5tbmjc"
FIELDS = {
    "business_profile.product_description",
    "business_profile.support_phone",
    "business_profile.url",
    "external_account",
    "tos_acceptance.date",
    "tos_acceptance.ip",
}

OWED = """
query Owed($externalId: String!) {
  account(externalId: $externalId) {
    id
    status
    disabledReason
    capabilities { kind status disabledReason restrictedBy { __typename } }
    requirements(first: 20, filter: {dueStatus: [CURRENTLY_DUE, PAST_DUE]}) {
      totalCount
      nodes { id title dueStatus state awaitingActionFrom allowedActions { action allowed } }
    }
  }
}
"""
SUBMIT = """
mutation Submit($input: RequirementSubmitInput!) {
  requirementSubmit(input: $input) {
    requirement { id state dueStatus version }
    userErrors { code message field }
    replayed
  }
}
"""
APPROVE = """
mutation Approve($input: RequirementApproveInput!) {
  requirementApprove(input: $input) {
    requirement { state dueStatus account { status capabilities { kind status } } }
    resolution { state outcome }
    userErrors { code message field }
  }
}
"""
TIMELINE = """
query Timeline($externalId: String!) {
  account(externalId: $externalId) { timeline(first: 100) { nodes { type sequence } } }
}
"""


def owed(server: Serving, who: str = "reviewer") -> dict[str, Any]:
    account: dict[str, Any] = server.ask(who, OWED, {"externalId": EXTERNAL_ID})["account"]
    return account


def test_from_stripes_account_to_active_capabilities(recourse: Recourse) -> None:
    with recourse.serving() as server:
        imported(recourse)
        account = owed(server)
        requirements = account["requirements"]["nodes"]
        assert account["requirements"]["totalCount"] == len(requirements) == len(FIELDS)
        assert {row["awaitingActionFrom"] for row in requirements} == {"ACCOUNT"}
        assert (account["status"], account["disabledReason"]) == (
            "RESTRICTED",
            "requirements.past_due",
        )
        done = recourse.run("token", "--role", "account_user", "--account", EXTERNAL_ID)
        user = done.stdout.strip()
        assert owed(server, user)["id"] == account["id"]

        for row in requirements:
            submit(server, user, row)
        assert owed(server)["requirements"]["totalCount"] == 0

        for row in requirements:
            approve(server, row)
        account = owed(server, user)
        assert account["status"] == "ENABLED"
        statuses = {each["kind"]: each["status"] for each in account["capabilities"]}
        assert set(statuses.values()) == {"ACTIVE"}

        events = server.ask("admin", TIMELINE, {"externalId": EXTERNAL_ID})["account"]["timeline"]
        types = [event["type"] for event in events["nodes"]]
        assert types[0] == "ACCOUNT_CREATED"
        assert types.count("REQUIREMENT_SUBMITTED") == len(FIELDS)
        assert types.count("REQUIREMENT_APPROVED") == len(FIELDS)
        assert [event["sequence"] for event in events["nodes"]] == list(range(1, len(types) + 1))

        verified = recourse.run("verify")
    assert verified.returncode == 0, verified.stdout
    assert verified.stdout == ""
    assert f"{DEMO_ACCOUNTS + 1} accounts and " in verified.stderr
    assert "0 differences" in verified.stderr


def imported(recourse: Recourse) -> None:
    """Import the account from between two bad lines, then once more."""
    good = STRIPE_ACCOUNT.read_text().replace("\n", " ")
    file = recourse.folder / "accounts.jsonl"
    file.write_text(f'{{"object": \n{good}\n{{"object": "account"}}\n')
    done = recourse.run("import", "stripe", str(file))
    assert done.returncode == 1
    assert "line 1: skipped: " in done.stderr
    assert "line 3: skipped: " in done.stderr
    assert "1 created, 0 updated, 0 unchanged, 2 skipped" in done.stderr
    done = recourse.run("import", "stripe", str(STRIPE_ACCOUNT))
    assert done.returncode == 0
    assert "0 created, 0 updated, 1 unchanged, 0 skipped" in done.stderr


def submit(server: Serving, user: str, row: dict[str, Any]) -> None:
    """Hand in evidence, after a try that the program's schema refuses."""
    wrong = {"id": row["id"], "payload": {"valeu": "https://shop.example"}}
    refused = server.ask(user, SUBMIT, {"input": wrong})["requirementSubmit"]
    assert refused["requirement"] is None
    assert refused["userErrors"][0]["code"] == "EVIDENCE_INVALID"
    good = {
        "id": row["id"],
        "payload": {"value": f"an answer to: {row['title']}"},
        "idempotencyKey": f"key-{row['id']}",
    }
    for replayed in (False, True):
        payload = server.ask(user, SUBMIT, {"input": good})["requirementSubmit"]
        assert payload["userErrors"] == []
        assert payload["replayed"] is replayed
        assert payload["requirement"]["state"] == "SUBMITTED"
        assert payload["requirement"]["dueStatus"] == "PENDING_VERIFICATION"


def approve(server: Serving, row: dict[str, Any]) -> None:
    given = {"id": row["id"], "reasonCode": "verified"}
    payload = server.ask("reviewer", APPROVE, {"input": given})["requirementApprove"]
    assert payload["userErrors"] == []
    assert payload["resolution"] == {"state": "FINAL", "outcome": "SATISFIED"}
    assert payload["requirement"]["state"] == "SATISFIED"
