"""What is made of Stripe's account objects, and of a later state of the same account."""

import copy
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import undefer

from models import account as accounts
from models import decision, hold
from models import requirement_operations as requirements
from models.account import UpdateAccount
from models.actor import Actor, Role
from models.aggregate import Account
from models.base import Base
from models.capability import Capability
from models.decision import Decide
from models.errors import EvidenceInvalid, InvalidInput
from models.events import Event
from models.evidence import Evidence
from models.hold import Hold, ReleaseHold
from models.ids import account_id_for
from models.program import Program, RequirementCategory, Retire, retire
from models.requirement import AskedAlready, Requirement
from models.requirement import Error as RequirementError
from models.requirement_operations import Cancel, Extend, Reopen, RequestChanges, Submit
from models.resolution import Resolution, ResolutionOutcome
from models.statement import AutomatedDecision
from models.status import HoldReason, RequirementState
from models.stripe.programs import program_of, programs, title_of
from models.stripe.snapshot import Due, parse
from models.stripe_import import Effect, Imported, import_account, importer, prepare
from models.tables import METADATA
from models.verify import Finding, verify
from tests.factories import (
    Runner,
    create_requirement,
    decide,
    judge,
    key_of,
    object_to,
    open_requirement,
    settle,
    unique,
)

REAL = json.loads(
    (Path(__file__).parents[1] / "data" / "stripe_account.json").read_text(encoding="utf-8")
)
DAY = timedelta(days=1)
ERROR = {
    "code": "verification_document_expired",
    "reason": "The document has expired.",
    "requirement": "individual.verification.document",
}
DOCUMENT = ERROR["requirement"]
URL = "business_profile.url"


@dataclass
class Importing:
    """Imports states of one account of a platform, and reads what came of it."""

    run: Runner
    programs: dict[str, Program]
    id: str = field(default_factory=lambda: unique("acct"))

    async def __call__(self, value: Any = None, **requirements: Any) -> Imported:
        """Import a state with these lists, or the object given."""
        given = self.state(**requirements) if value is None else value
        actor = importer(self.run.platform_id)
        async with self.run.database.session_for(actor) as session:
            return await import_account(session, actor, self.run.clock, self.programs, given)

    def state(self, **requirements: Any) -> dict[str, Any]:
        future = requirements.pop("future", {})
        return {
            "object": "account",
            "id": self.id,
            "country": "DE",
            "business_profile": {"name": "Acme"},
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "requirements": requirements,
            "future_requirements": future,
        }

    async def all(self, kind: type[Base], *order: Any) -> Sequence[Any]:
        """The account's rows in one table."""
        async with self.run.database.session_for(self.run.system) as session:
            table: Any = kind
            where = table.account_id == self.account_id
            rows = await session.scalars(
                select(kind).where(where).options(undefer("*")).order_by(*order)
            )
            return rows.all()

    async def rows(self) -> dict[str, Requirement]:
        """The last requirement on each field."""
        found = await self.all(
            Requirement, Requirement.created_at, Requirement.closed_at.nulls_last()
        )
        return {row.origin.removeprefix("stripe:"): row for row in found}

    async def row(self, name: str) -> Requirement:
        return (await self.rows())[name]

    async def account(self) -> Account:
        return await self.run.fetch(Account, self.account_id)

    async def capabilities(self) -> dict[str, tuple[str, str | None]]:
        found = await self.all(Capability)
        return {row.kind: (row.status, row.disabled_reason) for row in found}

    async def written(self) -> dict[str, Any]:
        """All that the store holds of the account."""
        tables = [table for table in METADATA.sorted_tables if "account_id" in table.c]
        async with self.run.database.worker.connect() as connection:
            return {
                table.name: sorted(
                    map(
                        str,
                        await connection.execute(
                            table.select().where(table.c.account_id == self.account_id)
                        ),
                    )
                )
                for table in tables
            }

    @property
    def account_id(self) -> Any:
        return account_id_for(self.run.platform_id, self.id)

    @property
    def user(self) -> Actor:
        return Actor(Role.ACCOUNT_USER, "uma", self.run.platform_id, self.account_id)

    async def submit(self, row: Requirement, value: Any = "https://acme.example") -> None:
        command = Submit(**key_of(row), payload={"value": value})
        await self.run(requirements.submit, self.user, command)


@pytest.fixture
async def importing(run: Runner) -> Importing:
    actor = importer(run.platform_id)
    async with run.database.session_for(actor) as session:
        return Importing(run, await prepare(session, actor, run.clock))


def seconds(instant: datetime) -> int:
    return int(instant.timestamp())


async def test_the_real_account_is_restricted_until_all_is_provided(importing: Importing) -> None:
    importing.id = REAL["id"]
    assert (await importing(REAL)).effect is Effect.CREATED
    account, rows = await importing.account(), await importing.rows()
    assert (account.external_id, account.business_name) == (REAL["id"], "site@stripe.com")
    assert (account.country, account.risk_tier) == ("US", "LOW")
    assert (account.status, account.disabled_reason) == ("RESTRICTED", "requirements.past_due")
    assert set(rows) == set(REAL["requirements"]["currently_due"])
    assert {row.deadline for row in rows.values()} == {importing.run.clock.now()}
    restricted = ("RESTRICTED", "requirements.past_due")
    assert set((await importing.capabilities()).values()) == {restricted}
    for row in rows.values():
        await importing.submit(row)
        await decide(importing.run, row, ResolutionOutcome.SATISFIED)
    assert (await importing.account()).status == "ENABLED"
    assert set((await importing.capabilities()).values()) == {("ACTIVE", None)}
    found: list[Finding] = []
    await verify(importing.run.database.worker, found.append)
    assert [finding for finding in found if finding.account_id == account.account_id] == []


async def test_the_same_object_again_changes_nothing(importing: Importing) -> None:
    state = importing.state(
        currently_due=[URL],
        pending_verification=[DOCUMENT],
        errors=[{**ERROR, "requirement": "external_account"}],
        disabled_reason="under_review",
        current_deadline=seconds(importing.run.clock.now() + DAY),
    )
    await importing(state)
    before = await importing.written()
    assert before["events"]
    importing.run.clock.advance(timedelta(hours=3))
    reordered = dict(reversed(copy.deepcopy(state).items())) | {"metadata": {"seen": "twice"}}
    assert (await importing(reordered)).effect is Effect.UNCHANGED
    assert await importing.written() == before


async def test_nothing_new_is_asked_of_what_was_satisfied_here(importing: Importing) -> None:
    await importing(currently_due=[URL, "external_account"])
    row = await importing.row(URL)
    await importing.submit(row)
    await decide(importing.run, row, ResolutionOutcome.SATISFIED)
    assert (await importing(currently_due=[URL])).effect is Effect.UPDATED
    assert (await importing.row(URL)).state == RequirementState.SATISFIED


@pytest.mark.parametrize(
    "later",
    [
        {"past_due": [URL]},
        {"currently_due": [URL], "errors": [{**ERROR, "requirement": URL}]},
    ],
)
async def test_what_was_satisfied_here_reopens_when_stripe_asks_for_more(
    importing: Importing, later: dict[str, Any]
) -> None:
    await importing(currently_due=[URL])
    row = await importing.row(URL)
    await importing.submit(row)
    await decide(importing.run, row, ResolutionOutcome.SATISFIED)
    await importing(**later)
    again = await importing.row(URL)
    assert (again.id, again.state) == (row.id, RequirementState.ACTION_REQUIRED)
    assert [error["code"] for error in again.errors] == [
        error["code"] for error in later.get("errors", [])
    ]


@pytest.mark.parametrize(
    ("lists", "due", "deadline"),
    [
        ({"currently_due": [URL]}, 0, None),
        ({"currently_due": [URL], "eventually_due": [URL], "current_deadline": 5}, 0, 5),
        ({"eventually_due": [URL], "current_deadline": 5}, None, None),
        ({"past_due": [URL], "current_deadline": -2}, -2, -2),
        ({"past_due": [URL], "current_deadline": 5}, 0, 0),
        ({"past_due": [URL], "currently_due": [URL]}, 0, 0),
        ({"currently_due": [URL], "disabled_reason": "requirements.past_due"}, 0, 0),
        ({"future": {"currently_due": [URL], "current_deadline": 9}}, 9, 9),
        ({"future": {"eventually_due": [URL], "current_deadline": 9}}, None, None),
        ({"eventually_due": [URL], "future": {"currently_due": [URL]}}, None, None),
    ],
)
async def test_times_follow_from_the_list_that_a_field_is_on(
    importing: Importing, lists: dict[str, Any], due: int | None, deadline: int | None
) -> None:
    now = importing.run.clock.now()

    def at(days: int | None) -> datetime | None:
        return None if days is None else now + days * DAY

    for section in (lists, lists.get("future", {})):
        if "current_deadline" in section:
            section["current_deadline"] = seconds(now + section["current_deadline"] * DAY)
    await importing(**copy.deepcopy(lists))
    row = await importing.row(URL)
    assert (row.currently_due_at, row.deadline) == (at(due), at(deadline))
    assert row.state == RequirementState.OPEN
    for section in (lists, lists.get("future", {})):
        section.pop("current_deadline", None)


async def test_where_something_is_past_due_the_rest_is_not(importing: Importing) -> None:
    await importing(
        past_due=["external_account"],
        currently_due=["external_account", URL],
        disabled_reason="requirements.past_due",
    )
    assert (await importing.row(URL)).deadline is None
    assert (await importing.row("external_account")).deadline is not None


async def test_what_is_being_verified_is_submitted_without_evidence(importing: Importing) -> None:
    await importing(pending_verification=[DOCUMENT], eventually_due=[DOCUMENT])
    assert (await importing.row(DOCUMENT)).state == RequirementState.SUBMITTED
    assert await importing.all(Evidence) == []
    types = [event.type for event in await importing.all(Event, Event.sequence)]
    assert types[:3] == ["ACCOUNT_CREATED", "REQUIREMENT_OPENED", "REQUIREMENT_SUBMITTED"]
    await importing(currently_due=[DOCUMENT])
    row = await importing.row(DOCUMENT)
    assert row.state == RequirementState.ACTION_REQUIRED
    assert [error["code"] for error in row.errors] == ["verification_failed_other"]
    await importing(pending_verification=[DOCUMENT])
    assert (await importing.row(DOCUMENT)).state == RequirementState.SUBMITTED


async def test_errors_ask_for_action_and_change_with_the_object(importing: Importing) -> None:
    await importing(currently_due=[DOCUMENT], errors=[ERROR])
    row = await importing.row(DOCUMENT)
    assert row.state == RequirementState.ACTION_REQUIRED
    assert row.errors == [
        {
            "code": ERROR["code"],
            "message": ERROR["reason"],
            "field": DOCUMENT,
            "remedy": None,
        }
    ]
    other = {**ERROR, "code": "verification_document_not_readable"}
    await importing(currently_due=[DOCUMENT], errors=[ERROR, other])
    changed = await importing.row(DOCUMENT)
    assert [error["code"] for error in changed.errors] == [ERROR["code"], other["code"]]
    assert changed.version == row.version + 1
    last = (await importing.all(Event, Event.sequence))[-1]
    assert (last.type, len(last.changes["errors"])) == ("REQUIREMENT_UPDATED", 2)
    await importing(currently_due=[DOCUMENT])
    assert (await importing.row(DOCUMENT)).errors == []


async def test_errors_on_no_list_are_due(importing: Importing) -> None:
    await importing(errors=[ERROR])
    row = await importing.row(DOCUMENT)
    assert row.state == RequirementState.ACTION_REQUIRED
    assert row.currently_due_at == importing.run.clock.now()


async def test_errors_that_were_known_leave_a_new_submission_alone(importing: Importing) -> None:
    await importing(currently_due=[DOCUMENT, URL], errors=[ERROR])
    await importing.submit(await importing.row(DOCUMENT), {"file": "passport"})
    await importing(currently_due=[DOCUMENT], errors=[ERROR])
    assert (await importing.row(DOCUMENT)).state == RequirementState.SUBMITTED
    await importing(currently_due=[DOCUMENT], errors=[{**ERROR, "code": "other"}])
    assert (await importing.row(DOCUMENT)).state == RequirementState.ACTION_REQUIRED


async def test_a_reviewers_own_errors_stay(importing: Importing) -> None:
    await importing(currently_due=[URL, "external_account"])
    row = await importing.row(URL)
    await importing.submit(row)
    back = RequestChanges(**key_of(row), errors=(RequirementError("blurred", "Blurred."),))
    await importing.run(requirements.request_changes, importing.run.reviewer, back)
    await importing(currently_due=[URL])
    assert [error["code"] for error in (await importing.row(URL)).errors] == ["blurred"]


async def test_what_stripe_no_longer_lists_is_satisfied_with_reasons(importing: Importing) -> None:
    await importing(
        currently_due=[URL], pending_verification=[DOCUMENT], past_due=["external_account"]
    )
    await importing()
    rows = await importing.rows()
    assert {row.state for row in rows.values()} == {RequirementState.SATISFIED}
    assert {row.closed_reason for row in rows.values()} == {"provided_elsewhere"}
    found = await importing.all(Resolution)
    assert len(found) == 3
    for resolution in found:
        assert (resolution.state, resolution.outcome) == ("FINAL", "SATISFIED")
        assert resolution.automated_decision == AutomatedDecision.FULL
        assert "no longer lists" in resolution.facts
        assert resolution.decided_by_id == "stripe-import"
    assert (await importing.account()).status == "ENABLED"


async def test_a_pending_proposal_is_overtaken(importing: Importing) -> None:
    await importing(currently_due=[URL])
    proposal = await decide(importing.run, await importing.row(URL), ResolutionOutcome.WAIVED)
    await importing()
    row = await importing.row(URL)
    assert (row.state, row.proposed_outcome) == (RequirementState.SATISFIED, None)
    declined = await importing.run.fetch(Resolution, proposal.account_id, proposal.id)
    assert declined.state == "DECLINED"


@pytest.mark.parametrize("waived", [False, True])
async def test_what_comes_back_is_reopened(importing: Importing, waived: bool) -> None:
    await importing(currently_due=[URL])
    first = await importing.row(URL)
    if waived:
        proposal = await decide(importing.run, first, ResolutionOutcome.WAIVED)
        await settle(importing.run, proposal)
    await importing()
    importing.run.clock.advance(DAY)
    await importing(past_due=[URL])
    again = await importing.row(URL)
    assert (again.id, again.state) == (first.id, RequirementState.ACTION_REQUIRED)
    assert again.deadline == importing.run.clock.now()
    assert (await importing.account()).status == "RESTRICTED"


@pytest.mark.parametrize("outcome", ["canceled", "rejected"])
async def test_for_what_was_canceled_or_rejected_a_new_one_opens(
    importing: Importing, outcome: str
) -> None:
    run = importing.run
    await importing(currently_due=[URL])
    first = await importing.row(URL)
    if outcome == "canceled":
        await run(requirements.cancel, run.admin, Cancel(**key_of(first), reason="Not needed."))
    else:
        await importing.submit(first)
        await decide(run, first, ResolutionOutcome.REJECTED)
    await importing(currently_due=[URL, "external_account"])
    assert (await importing.row(URL)).id == first.id, "Stripe has said nothing new of it"
    await importing(currently_due=["external_account"])
    await importing(currently_due=[URL, "external_account"])
    again = await importing.row(URL)
    assert (again.id != first.id, again.state) == (True, RequirementState.OPEN)


@pytest.mark.parametrize("uphold", [True, False])
async def test_an_open_appeal_is_left_alone_and_a_new_one_opens_beside_it(
    importing: Importing, uphold: bool
) -> None:
    run = importing.run
    await importing(currently_due=[URL])
    first = await importing.row(URL)
    await importing.submit(first)
    await decide(run, first, ResolutionOutcome.REJECTED)
    appealed = await object_to(run, first)
    await importing(currently_due=["external_account"])
    assert (await importing.row(URL)).state == RequirementState.IN_REVIEW
    run.clock.advance(DAY)
    await importing(currently_due=[URL, "external_account"])
    again = await importing.row(URL)
    assert (again.id != first.id, again.state) == (True, RequirementState.OPEN)
    await judge(run, appealed, uphold)
    ended = await run.fetch(Requirement, first.account_id, first.id)
    assert ended.state == (RequirementState.REJECTED if uphold else RequirementState.SATISFIED)
    assert (await importing.row(URL)).state == RequirementState.OPEN


async def test_deadlines_move_with_stripe_and_extensions_of_our_own_stand(
    importing: Importing,
) -> None:
    run, now = importing.run, importing.run.clock.now()
    await importing(currently_due=[URL], current_deadline=seconds(now + 5 * DAY))
    row = await importing.row(URL)
    assert row.notice_at == now - 2 * DAY
    ours = now + 20 * DAY
    await run(requirements.extend, run.reviewer, Extend(**key_of(row), deadline=ours))
    await importing(
        currently_due=[URL, "external_account"], current_deadline=seconds(now + 5 * DAY)
    )
    assert (await importing.row(URL)).deadline == ours
    await importing(currently_due=[URL], current_deadline=seconds(now + 9 * DAY))
    moved = await importing.row(URL)
    assert moved.deadline == now + 9 * DAY
    assert moved.currently_due_at == now
    await importing(eventually_due=[URL])
    later = await importing.row(URL)
    assert (later.currently_due_at, later.deadline, later.notice_at) == (None, None, None)


async def test_past_due_stays_past_due_since_the_same_instant(importing: Importing) -> None:
    began = importing.run.clock.now()
    await importing(past_due=[URL])
    importing.run.clock.advance(DAY)
    await importing(past_due=[URL], current_deadline=seconds(began + 30 * DAY))
    assert (await importing.row(URL)).deadline == began


ALTERNATIVES = [
    {
        "original_fields_due": ["company.tax_id", URL],
        "alternative_fields_due": ["company.verification.document"],
    }
]
TAX, PAPER = "company.tax_id", "company.verification.document"


async def test_all_originals_or_the_alternative_are_enough(importing: Importing) -> None:
    await importing(currently_due=[TAX, URL], alternatives=ALTERNATIVES)
    rows = await importing.rows()
    assert set(rows) == {TAX, URL, PAPER}
    assert len({row.alternative_group for row in rows.values()}) == 1
    assert rows[TAX].alternative_option == rows[URL].alternative_option
    assert rows[PAPER].alternative_option != rows[TAX].alternative_option
    assert rows[PAPER].currently_due_at == rows[TAX].currently_due_at
    for name, paper in ((TAX, RequirementState.OPEN), (URL, RequirementState.CANCELED)):
        await importing.submit(rows[name])
        await decide(importing.run, rows[name], ResolutionOutcome.SATISFIED)
        assert (await importing.row(PAPER)).state == paper


async def test_the_alternative_ends_the_originals(importing: Importing) -> None:
    await importing(past_due=[TAX, URL], alternatives=ALTERNATIVES)
    assert (await importing.account()).status == "RESTRICTED"
    paper = await importing.row(PAPER)
    await importing.submit(paper)
    await decide(importing.run, paper, ResolutionOutcome.SATISFIED)
    rows = await importing.rows()
    assert rows[TAX].state == rows[URL].state == RequirementState.CANCELED
    assert (await importing.account()).status == "ENABLED"


async def test_an_alternative_that_is_gone_cancels_nothing_that_is_listed(
    importing: Importing,
) -> None:
    await importing(currently_due=[TAX, URL], alternatives=ALTERNATIVES)
    await importing(currently_due=[TAX, URL])
    rows = await importing.rows()
    assert rows[PAPER].state == RequirementState.SATISFIED
    assert rows[TAX].state == rows[URL].state == RequirementState.OPEN
    assert rows[TAX].alternative_group is None


@pytest.mark.parametrize(
    ("stripes", "ours"),
    [
        ("rejected.fraud", "rejected.fraud"),
        ("rejected.listed", "rejected.listed"),
        ("rejected.platform_terms_of_service", "rejected.terms_of_service"),
        ("rejected.incomplete_verification", "rejected.other"),
    ],
)
async def test_a_rejection_is_taken_over_and_back(
    importing: Importing, stripes: str, ours: str
) -> None:
    await importing(disabled_reason=stripes)
    account = await importing.account()
    assert (account.status, account.disabled_reason) == ("REJECTED", ours)
    assert account.rejected_reason == ours
    await importing()
    account = await importing.account()
    assert (account.status, account.rejected_reason) == ("ENABLED", None)


async def test_a_rejection_of_our_own_is_not_taken_back(importing: Importing) -> None:
    await importing(currently_due=[URL])
    async with importing.run.database.worker.begin() as connection:
        values = dict.fromkeys(("rejected_reason", "disabled_reason"), "rejected.fraud")
        values["status"] = "REJECTED"
        table = Account.__table__
        await connection.execute(
            table.update().where(table.c.account_id == importing.account_id).values(**values)  # type: ignore[attr-defined]
        )
    await importing()
    assert (await importing.account()).rejected_reason == "rejected.fraud"


@pytest.mark.parametrize(
    ("stripes", "reason"),
    [
        ("listed", HoldReason.LISTED),
        ("platform_paused", HoldReason.PLATFORM_PAUSED),
        ("under_review", HoldReason.UNDER_REVIEW),
        ("other", HoldReason.OTHER),
        ("something_new", HoldReason.OTHER),
    ],
)
async def test_other_reasons_are_one_hold_until_they_are_gone(
    importing: Importing, stripes: str, reason: str
) -> None:
    await importing(disabled_reason=stripes)
    await importing(disabled_reason=stripes, eventually_due=[URL])
    placed = await importing.all(Hold)
    assert [(row.reason, row.released_at) for row in placed] == [(reason, None)]
    assert {status for status, _ in (await importing.capabilities()).values()} == {"RESTRICTED"}
    await importing(eventually_due=[URL])
    assert [row.released_by_id for row in await importing.all(Hold)] == ["stripe-import"]
    assert (await importing.account()).status == "ENABLED"


@pytest.mark.parametrize(
    "reason", ["requirements.pending_verification", "action_required.requested_capabilities"]
)
async def test_reasons_that_follow_from_others_hold_nothing(
    importing: Importing, reason: str
) -> None:
    await importing(disabled_reason=reason)
    assert await importing.all(Hold) == []


async def test_a_hold_that_a_reviewer_released_stays_released(importing: Importing) -> None:
    await importing(disabled_reason="under_review")
    (placed,) = await importing.all(Hold)
    command = ReleaseHold(account_id=placed.account_id, hold_id=placed.id)
    await importing.run(hold.release, importing.run.reviewer, command)
    await importing(disabled_reason="under_review", eventually_due=[URL])
    assert len(await importing.all(Hold)) == 1


async def test_the_profile_and_the_capabilities_follow(importing: Importing) -> None:
    await importing()
    changes = {"risk_tier": "HIGH"}
    update = UpdateAccount(account_id=importing.account_id, changes=changes)
    await importing.run(accounts.update, importing.run.reviewer, update)
    later = importing.state() | {
        "business_profile": {"name": "Acme & Sons"},
        "email": "hello@acme.example",
        "country": "FR",
        "capabilities": {"transfers": "inactive", "sepa_debit_payments": "active"},
    }
    imported = await importing(later)
    assert imported.ignored == ("sepa_debit_payments",)
    account = await importing.account()
    assert (account.business_name, account.email) == ("Acme & Sons", "hello@acme.example")
    assert (account.country, account.risk_tier) == ("FR", "HIGH")
    found = await importing.capabilities()
    assert {kind: status for kind, (status, _) in found.items()} == {
        "CARD_PAYMENTS": "INACTIVE",
        "PAYOUTS": "ACTIVE",
        "TRANSFERS": "ACTIVE",
    }


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"business_profile": {"name": "Shop"}, "company": {"name": "Ltd"}}, "Shop"),
        ({"business_profile": {"name": " "}, "company": {"name": "Ltd"}}, "Ltd"),
        ({"individual": {"first_name": "Ada", "last_name": "Byron"}}, "Ada Byron"),
        ({"business_profile": None, "email": "a@b.example"}, "a@b.example"),
        ({}, "acct_1"),
    ],
)
def test_the_name_is_the_best_that_there_is(given: dict[str, Any], name: str) -> None:
    assert parse({"id": "acct_1", "country": "DE", **given}).business_name == name


async def test_evidence_is_a_value_or_documents(importing: Importing) -> None:
    await importing(currently_due=[URL])
    row = await importing.row(URL)
    refused: list[Any] = [{"value": ""}, {"value": {}}, {"value": None}, {"valeu": "x"}, []]
    for bad in refused:
        with pytest.raises(EvidenceInvalid):
            await importing.run(
                requirements.submit, importing.user, Submit(**key_of(row), payload=bad)
            )
    for good in ("https://acme.example", 7, True, {"line1": "1 Market Street"}):
        await importing.submit(row, good)
        back = RequestChanges(**key_of(row), errors=(RequirementError("x", "Again."),))
        await importing.run(requirements.request_changes, importing.run.reviewer, back)


async def test_a_retired_program_is_respected(importing: Importing) -> None:
    run = importing.run
    await run(retire, run.admin, Retire(code="stripe.terms"))
    actor = importer(run.platform_id)
    async with run.database.session_for(actor) as session:
        importing.programs = await prepare(session, actor, run.clock)
    with pytest.raises(InvalidInput, match=r"stripe\.terms"):
        await importing(currently_due=["tos_acceptance.date", URL])
    assert await importing.all(Account) == [], "nothing is half written"
    await importing(currently_due=[URL])
    assert set(await importing.rows()) == {URL}


def test_every_category_has_a_program_and_every_program_its_fields() -> None:
    assert {command.category for command in programs()} == set(RequirementCategory)
    assert {program_of(name) for name in FIELDS} == {command.code for command in programs()}


FIELDS = {
    "business_profile.url": ("business_model", "Business website"),
    "business_profile.some_thing": ("business_model", "Provide: business_profile.some_thing"),
    "external_account": ("bank_account", "Bank account or debit card for payouts"),
    "tos_acceptance.ip": ("terms", "Acceptance of the terms of service: IP address"),
    "individual.id_number": ("identity", "You: ID number"),
    "individual.dob.day": ("identity", "You: date of birth (day)"),
    "representative.address.line1": ("identity", "Representative: address (street and number)"),
    "person_1Ab.first_name": ("identity", "person_1Ab: first name"),
    "company.tax_id": ("identity", "Company: tax ID"),
    "company.owners_provided": ("ownership", "Confirmation that all owners are listed"),
    "owners.email": ("ownership", "Owner: email address"),
    "directors.first_name": ("ownership", "Director: first name"),
    "documents.bank_account_ownership_verification.files": (
        "document",
        "Document: bank account ownership verification files",
    ),
    "company.verification.document": ("document", "Company: identity document"),
    "relationship.representative": ("identity", "Provide: relationship.representative"),
    "settings.payments.statement_descriptor": (
        "other",
        "Provide: settings.payments.statement_descriptor",
    ),
    "interv_a1.business_model_verification.form": (
        "business_model",
        "Questions about your business model",
    ),
    "interv_a1.restricted_industry_review.form": (
        "restricted_industry",
        "Restricted industry review",
    ),
    "interv_a1.supportability_rejection_appeal.support": (
        "supportability_appeal",
        "Appeal: your business can't be supported",
    ),
    "interv_a1.rejection_appeal.support": (
        "supportability_appeal",
        "Appeal against the rejection of your account",
    ),
    "interv_a1.identity_verification.form": ("identity", "Verification of your identity"),
    "interv_a1.credit_review.form": ("credit", "Review of your finances"),
    "interv_a1.sanctions_screening.form": ("sanctions", "Sanctions screening"),
    "interv_a1.": ("other", "Provide: interv_a1."),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_a_program_and_a_title(name: str) -> None:
    program, title = FIELDS[name]
    assert (program_of(name), title_of(name)) == (f"stripe.{program}", title)


async def test_risk_requirements_are_told_apart_by_their_whole_key(importing: Importing) -> None:
    keys = ["interv_a.credit_review.form", "interv_b.credit_review.form"]
    await importing(currently_due=keys)
    rows = await importing.rows()
    assert set(rows) == set(keys)
    assert {row.category for row in rows.values()} == {"CREDIT"}
    await importing(currently_due=keys[1:])
    rows = await importing.rows()
    assert [rows[key].state for key in keys] == ["SATISFIED", "OPEN"]


LISTS = ("currently_due", "past_due", "eventually_due", "pending_verification")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"id": None}, "id"),
        ({"id": 7}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "acct\x00"}, "id"),
        ({"id": "acct\ud800"}, "id"),
        ({"object": "person"}, "object"),
        ({"country": None}, "country"),
        ({"country": "Germany"}, "country"),
        ({"country": "ZZ"}, "country"),
        ({"email": "not an email"}, "email"),
        ({"country": 49}, "country"),
        ({"email": []}, "email"),
        ({"business_profile": "Acme"}, "business_profile"),
        ({"business_profile": {"name": "x" * 301}}, "business_profile.name"),
        ({"business_profile": {"name": "A\x00"}}, "business_profile.name"),
        ({"individual": {"first_name": {}}, "business_profile": None}, "individual.first_name"),
        ({"capabilities": []}, "capabilities"),
        ({"capabilities": {"transfers": []}}, "capabilities.transfers"),
        ({"requirements": []}, "requirements"),
        *[({"requirements": {name: "x"}}, f"requirements.{name}") for name in LISTS],
        ({"requirements": {"past_due": [1]}}, "requirements.past_due.0"),
        ({"requirements": {"past_due": ["\ud800"]}}, "requirements.past_due.0"),
        ({"requirements": {"past_due": ["x" * 201]}}, "requirements.past_due.0"),
        ({"requirements": {"past_due": [str(n) for n in range(501)]}}, ""),
        ({"requirements": {"current_deadline": "soon"}}, "requirements.current_deadline"),
        ({"requirements": {"current_deadline": True}}, "requirements.current_deadline"),
        ({"requirements": {"current_deadline": 1e300}}, "requirements.current_deadline"),
        ({"requirements": {"current_deadline": 10**30}}, "requirements.current_deadline"),
        ({"requirements": {"current_deadline": -1}}, "requirements.current_deadline"),
        ({"requirements": {"errors": [{"code": "x"}]}}, "requirements.errors.0"),
        ({"requirements": {"errors": ["x"]}}, "requirements.errors.0"),
        ({"requirements": {"alternatives": [1]}}, "requirements.alternatives.0"),
        ({"requirements": {"disabled_reason": 5}}, "requirements.disabled_reason"),
        (
            {"future_requirements": {"current_deadline": []}},
            "future_requirements.current_deadline",
        ),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_written(
    importing: Importing, change: dict[str, Any], place: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await importing(importing.state() | change)
    assert ".".join(caught.value.field) == place
    assert await importing.all(Account) == []


@pytest.mark.parametrize("value", [None, [], "x", 5, True, {}])
def test_what_is_no_account_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        parse(value)


def test_missing_sections_are_empty_ones() -> None:
    snapshot = parse({"id": "acct_1", "country": "DE"})
    assert (snapshot.asks, snapshot.hold, snapshot.capabilities) == ((), None, ("PAYOUTS",))


def test_the_most_pressing_list_counts() -> None:
    lists = {name: [URL] for name in LISTS}
    for name, due in (
        ("past_due", Due.PAST),
        ("currently_due", Due.CURRENTLY),
        ("pending_verification", Due.PENDING),
        ("eventually_due", Due.EVENTUALLY),
    ):
        asks = parse({"id": "a", "country": "DE", "requirements": lists}).asks
        assert [ask.due for ask in asks] == [due]
        del lists[name]


async def test_any_way_through_states_keeps_the_account_sound(importing: Importing) -> None:
    """Random states, with a reviewer's decisions in between: derived status and chain verify."""
    rng = random.Random(7)
    names = [TAX, URL, PAPER, DOCUMENT, "external_account"]
    run = importing.run
    for _ in range(40):
        lists: dict[str, Any] = {
            name: rng.sample(names, rng.randint(0, 3)) for name in LISTS if rng.random() < 0.6
        }
        if rng.random() < 0.4:
            lists["errors"] = [{**ERROR, "requirement": rng.choice(names)}]
        if rng.random() < 0.4:
            lists["alternatives"] = ALTERNATIVES
        if rng.random() < 0.5:
            lists["current_deadline"] = seconds(run.clock.now() + rng.randint(-3, 9) * DAY)
        if rng.random() < 0.3:
            lists["disabled_reason"] = rng.choice(["listed", "rejected.fraud", "under_review"])
        await importing(**copy.deepcopy(lists))
        await importing(**copy.deepcopy(lists))
        run.clock.advance(timedelta(hours=rng.randint(1, 60)))
        submitted = [row for row in (await importing.rows()).values() if row.state == "SUBMITTED"]
        if submitted:
            row = rng.choice(submitted)
            await run(decision.approve, run.reviewer, Decide(**key_of(row)))
    found: list[Finding] = []
    await verify(run.database.worker, found.append)
    assert [finding for finding in found if finding.account_id == importing.account_id] == []


async def test_what_another_import_asks_for_by_now_is_not_reopened(
    run: Runner, owner_engine: AsyncEngine
) -> None:
    ended = await create_requirement(run, "SATISFIED")
    account = await run.fetch(Account, ended.account_id)
    await open_requirement(run, account)
    async with owner_engine.begin() as connection:
        same = update(Requirement).where(Requirement.account_id == account.account_id)
        await connection.execute(same.values(origin="external_account"))
    again = Reopen(**key_of(ended), reason="It expired.")
    with pytest.raises(AskedAlready):
        await run(requirements.reopen, run.reviewer, again)
    assert (await run.fetch(Requirement, account.account_id, ended.id)).state == "SATISFIED"
