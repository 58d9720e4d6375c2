"""The whole of a dispute: a review, two answers, a rejection by two, an appeal, a third opinion."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.process import Recourse, Serving

EXTERNAL_ID = "acct_candles"
PROGRAM = {
    "code": "supportability.candles",
    "expectedVersion": 0,
    "name": "Supportability of candles",
    "owner": "Supportability team",
    "category": "RESTRICTED_INDUSTRY",
    "title": "Show us that your candles may be sold",
    "description": "Send a test report of each candle.",
    "evidenceSchema": {
        "type": "object",
        "properties": {"report": {"type": "string"}},
        "required": ["report"],
    },
    "deadlineAfter": "P30D",
    "restricts": ["PAYOUTS"],
    "fourEyes": True,
    "appealWithin": "P30D",
    "legalGround": "Some products can't be sold here (list of restricted businesses, part C).",
    "legalGroundKind": "CONTRACTUAL",
    "reasonCodes": [{"code": "not_supportable", "description": "It may not be sold here."}],
    "errorCodes": [{"code": "report_missing", "description": "A report is missing."}],
}
SHOWN = """
  userErrors { code message field }
"""
DECIDED = """
  resolution { id state }
  requirement { state account { capabilities { kind status disabledReason } } }
"""
OWED = """
query Owed($externalId: String!) {
  account(externalId: $externalId) {
    status
    disabledReason
    capabilities { kind status disabledReason restrictedBy { __typename } }
    requirements(first: 5) {
      nodes {
        id
        state
        awaitingActionFrom
        errors { code message }
        allowedActions { action allowed refusals { code } }
        evidence(first: 5) { nodes { id payload } }
        currentResolution {
          id
          state
          statement {
            facts ground groundKind source territories citedFact redress
            automatedDetection automatedDecision restrictsFrom restrictsUntil
            citedEvidence { payload }
          }
          appeal { statement submittedBy { kind id } decidedBy { kind id } reasons }
        }
      }
    }
    timeline(first: 100) { nodes { type actor { kind id } } }
  }
}
"""


@dataclass(frozen=True)
class Dispute:
    """Who takes part, and what they do over HTTP."""

    server: Serving
    tokens: dict[str, str]

    def do(self, who: str, mutation: str, more: str, /, **given: Any) -> dict[str, Any]:
        """Send a mutation that must be taken."""
        payload = self.send(who, mutation, more, **given)
        assert payload["userErrors"] == []
        return payload

    def send(self, who: str, mutation: str, more: str, /, **given: Any) -> dict[str, Any]:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        query = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {SHOWN} {more} }} }}"
        payload: dict[str, Any] = self.server.ask(self.tokens[who], query, {"input": given})[
            mutation
        ]
        return payload

    def account(self, who: str) -> dict[str, Any]:
        variables = {"externalId": EXTERNAL_ID}
        account: dict[str, Any] = self.server.ask(self.tokens[who], OWED, variables)["account"]
        return account

    def requirement(self, who: str) -> dict[str, Any]:
        [found] = self.account(who)["requirements"]["nodes"]
        assert isinstance(found, dict)
        return found

    def payouts(self) -> tuple[str, str | None]:
        """Whether the business is paid out, as it sees that itself."""
        [found] = [c for c in self.account("owner")["capabilities"] if c["kind"] == "PAYOUTS"]
        return found["status"], found["disabledReason"]

    def allowed(self, who: str) -> set[str]:
        return {one["action"] for one in self.requirement(who)["allowedActions"] if one["allowed"]}


def begin(recourse: Recourse, server: Serving) -> Dispute:
    """A program, an account, a review that risk has opened, and everybody's token."""

    def token(role: str, *more: str) -> str:
        done = recourse.run("token", "--role", role, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    tokens = {who: token("reviewer", "--subject", who) for who in ("rita", "sam", "mei")}
    dispute = Dispute(server, {**tokens, "service": token("integrator")})
    dispute.do("service", "programPublish", "program { code }", **PROGRAM)
    profile = {"externalId": EXTERNAL_ID, "businessName": "Candles & Co", "country": "DE"}
    made = dispute.do("service", "accountCreate", "account { id }", **profile)
    dispute.tokens["owner"] = token("account_user", "--account", EXTERNAL_ID, "--subject", "uma")
    reason = {"code": "catalogue", "message": "You have begun to sell candles."}
    dispute.do(
        "rita",
        "requirementOpen",
        "requirement { id }",
        accountId=made["account"]["id"],
        program=PROGRAM["code"],
        requestedReasons=[reason],
    )
    return dispute


def reject(dispute: Dispute, requirement: str) -> None:
    """Answered twice, sent back once; one proposal is declined, another one approved."""
    answer = {"id": requirement, "payload": {"report": "Pillar candle: safe."}}
    dispute.do("owner", "requirementSubmit", "", **answer)
    dispute.do("rita", "requirementStartReview", "", id=requirement)
    error = {"code": "report_missing", "message": "The tea lights have no report."}
    dispute.do("rita", "requirementRequestChanges", "", id=requirement, errors=[error])
    assert dispute.requirement("owner")["errors"] == [error]
    answer["payload"] = {"report": "Tea light: burns too hot."}
    dispute.do("owner", "requirementSubmit", "", **answer)
    given = {"id": requirement, "reasonCode": "not_supportable"}
    proposal = dispute.do("rita", "requirementApprove", DECIDED, **given)["resolution"]["id"]
    reason = "The report says that it burns too hot."
    dispute.do("sam", "resolutionDecline", DECIDED, id=proposal, reason=reason)

    cited = [one["id"] for one in dispute.requirement("rita")["evidence"]["nodes"][-1:]]
    incomplete = {"facts": "The tea light burns too hot.", "citedEvidence": cited}
    refused = dispute.send("rita", "requirementReject", "", **given, statement=incomplete)
    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [
        ("INVALID_INPUT", ["statement", "source"])
    ]
    statement = {**incomplete, "source": "EVIDENCE", "territories": ["DE"]}
    made = dispute.do("rita", "requirementReject", DECIDED, **given, statement=statement)
    assert made["resolution"]["state"] == "PROPOSED"
    assert dispute.payouts() == ("ACTIVE", None)
    dispute.do("sam", "resolutionApprove", DECIDED, id=made["resolution"]["id"])


def timeline(dispute: Dispute, who: str) -> list[tuple[str, str]]:
    """Who did what, as somebody sees it; without the notices, which go out in their own time."""
    events = dispute.account(who)["timeline"]["nodes"]
    told = [(event["actor"]["id"], event["type"]) for event in events]
    return [one for one in told if not one[1].startswith("INTERACTION_")]


def test_a_rejection_is_appealed_and_overturned_by_somebody_else(recourse: Recourse) -> None:
    with recourse.serving() as server:
        dispute = begin(recourse, server)
        requirement = dispute.requirement("owner")["id"]
        assert dispute.allowed("owner") == {"SUBMIT"}
        reject(dispute, requirement)
        assert dispute.payouts() == ("RESTRICTED", "rejected.other")

        seen = dispute.requirement("owner")
        statement = seen["currentResolution"]["statement"]
        assert statement["facts"] == "The tea light burns too hot."
        assert statement["ground"] == PROGRAM["legalGround"]
        assert (statement["groundKind"], statement["source"]) == ("CONTRACTUAL", "EVIDENCE")
        assert statement["citedEvidence"] == [{"payload": {"report": "Tea light: burns too hot."}}]
        assert (statement["territories"], statement["automatedDecision"]) == (["DE"], "NONE")
        assert statement["restrictsFrom"] is not None
        assert "You may appeal." in statement["redress"]
        assert dispute.allowed("owner") == {"APPEAL"}

        words = "That was a candle of last year's: the new one has a wider cup."
        appealed = dispute.do(
            "owner", "requirementAppeal", DECIDED, id=requirement, statement=words
        )
        assert appealed["requirement"]["state"] == "IN_REVIEW"
        assert dispute.payouts() == ("RESTRICTED", "rejected.other")
        assert dispute.allowed("mei") == {"ASSIGN", "PRIORITIZE", "REFER"}
        judged = {"id": appealed["resolution"]["id"], "reasons": "The new cup keeps it cool."}
        for who in ("rita", "sam"):
            refused = dispute.send(who, "resolutionOverturn", "", **judged)
            assert [error["code"] for error in refused["userErrors"]] == ["FOUR_EYES"]
        won = dispute.do("mei", "resolutionOverturn", DECIDED, **judged)
        assert won["resolution"]["state"] == "OVERTURNED"
        assert won["requirement"]["state"] == "SATISFIED"
        assert dispute.payouts() == ("ACTIVE", None)

        resolution = dispute.requirement("owner")["currentResolution"]
        assert resolution["statement"]["restrictsUntil"] is not None
        assert resolution["appeal"] == {
            "statement": words,
            "submittedBy": {"kind": "ACCOUNT_USER", "id": "uma"},
            "decidedBy": {"kind": "REVIEWER", "id": "reviewer"},
            "reasons": "The new cup keeps it cool.",
        }
        told = timeline(dispute, "mei")
        assert told == [
            (told[0][0], "ACCOUNT_CREATED"),
            ("rita", "REQUIREMENT_OPENED"),
            ("uma", "REQUIREMENT_SUBMITTED"),
            ("rita", "REQUIREMENT_REVIEW_STARTED"),
            ("rita", "REQUIREMENT_CHANGES_REQUESTED"),
            ("rita", "REQUIREMENT_DEADLINE_MOVED"),
            ("uma", "REQUIREMENT_SUBMITTED"),
            ("rita", "RESOLUTION_PROPOSED"),
            ("sam", "RESOLUTION_DECLINED"),
            ("rita", "RESOLUTION_PROPOSED"),
            ("sam", "RESOLUTION_FINAL"),
            ("sam", "REQUIREMENT_REJECTED"),
            ("sam", "CAPABILITY_STATUS_CHANGED"),
            ("sam", "ACCOUNT_STATUS_CHANGED"),
            ("uma", "REQUIREMENT_APPEALED"),
            ("mei", "RESOLUTION_OVERTURNED"),
            ("mei", "REQUIREMENT_APPROVED"),
            ("mei", "CAPABILITY_STATUS_CHANGED"),
            ("mei", "ACCOUNT_STATUS_CHANGED"),
        ]
        between_staff = ("RESOLUTION_PROPOSED", "RESOLUTION_DECLINED")
        mine = [kind for _, kind in timeline(dispute, "owner")]
        assert mine == [kind for _, kind in told if kind not in between_staff]
        verified = recourse.run("verify")
    assert verified.returncode == 0, verified.stdout
