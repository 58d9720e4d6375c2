"""Decisions: what four eyes ask for, and what becomes of a proposal that others overtake."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import decision
from models import requirement_operations as requirements
from models.decision import ApproveResolution, Decide
from models.errors import Forbidden, FourEyes, InvalidInput
from models.evidence import Evidence
from models.program import CodeText, GroundKind
from models.requirement import ProposalPending, Requirement
from models.requirement_operations import Cancel, RequestChanges, StartReview
from models.resolution import EVIDENCE_ACCEPTED, SUPERSEDED, Resolution, ResolutionOutcome
from models.statement import REDRESS, InformationSource, Statement
from models.verify import verify_account
from tests.factories import (
    ERROR,
    REJECTION,
    Runner,
    create_account,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    publish_program,
    settle,
    submit,
)

SATISFIED, REJECTED, WAIVED = ResolutionOutcome


async def resolutions(run: Runner, row: Requirement) -> list[tuple[str, str]]:
    """The decisions on a requirement: outcome and state, oldest first."""
    query = select(Resolution).where(Resolution.requirement_id == row.id)
    async with run.database.session_for(run.system) as session:
        rows = await session.scalars(query.order_by(Resolution.created_at, Resolution.id))
        return [(each.outcome, each.state) for each in rows]


async def assert_overtaken(run: Runner, row: Requirement, proposal: Resolution, state: str) -> None:
    """The proposal is declined in nobody's name, and the requirement waits for nobody."""
    now = await run.fetch(Requirement, row.account_id, row.id)
    assert (now.state, now.proposed_outcome) == (state, None)
    declined = await run.fetch(Resolution, row.account_id, proposal.id)
    assert (declined.state, declined.decline_reason) == ("DECLINED", SUPERSEDED)
    assert declined.decided_by_kind == "SYSTEM"
    assert await verify_account(run.database.worker, row.account_id) == []


@pytest.fixture
async def strict(run: Runner) -> Requirement:
    """A submitted requirement whose program asks for four eyes."""
    program = await publish_program(run, four_eyes=True)
    return await create_requirement(run, "SUBMITTED", program=program)


async def test_canceling_declines_what_was_proposed(run: Runner) -> None:
    row = await open_requirement(run)
    proposal = await decide(run, row, WAIVED)
    await run(requirements.cancel, run.admin, Cancel(**key_of(row), reason="Opened in error."))
    await assert_overtaken(run, row, proposal, "CANCELED")


@pytest.mark.parametrize("outcome", [SATISFIED, REJECTED])
async def test_requesting_changes_declines_a_proposal_on_what_was_submitted(
    run: Runner, strict: Requirement, outcome: ResolutionOutcome
) -> None:
    proposal = await decide(run, strict, outcome)
    back = RequestChanges(**key_of(strict), errors=(ERROR,))
    await run(requirements.request_changes, run.second_reviewer, back)
    await assert_overtaken(run, strict, proposal, "ACTION_REQUIRED")


async def test_requesting_changes_leaves_a_proposed_waiver_waiting(
    run: Runner, strict: Requirement
) -> None:
    proposal = await decide(run, strict, WAIVED)
    back = RequestChanges(**key_of(strict), errors=(ERROR,))
    await run(requirements.request_changes, run.reviewer, back)
    assert (await settle(run, proposal)).state == "FINAL"
    assert await resolutions(run, strict) == [("WAIVED", "FINAL")]


@pytest.mark.parametrize("by", [SATISFIED, WAIVED])
async def test_an_alternative_that_is_met_cancels_the_others_and_their_proposals(
    run: Runner, by: ResolutionOutcome
) -> None:
    account, program = await create_account(run), await publish_program(run)
    chosen, other, apart = [
        await open_requirement(run, account, program, alternative_group=group)
        for group in ("address", "address", "identity")
    ]
    proposal = await decide(run, other, WAIVED)
    if by is SATISFIED:
        await submit(run, chosen)
        await decide(run, chosen, SATISFIED)
    else:
        await settle(run, await decide(run, chosen, WAIVED))
    await assert_overtaken(run, other, proposal, "CANCELED")
    now = await run.fetch(Requirement, account.account_id, other.id)
    assert now.closed_reason == "ALTERNATIVE_SATISFIED"
    assert (await run.fetch(Requirement, account.account_id, apart.id)).state == "OPEN"


async def test_a_rejected_alternative_leaves_the_others_open(run: Runner) -> None:
    account, program = await create_account(run), await publish_program(run)
    first, other = [
        await open_requirement(run, account, program, alternative_group="address") for _ in range(2)
    ]
    await submit(run, first)
    await decide(run, first, REJECTED)
    assert (await run.fetch(Requirement, account.account_id, other.id)).state == "OPEN"


async def test_nobody_decides_what_they_proposed(run: Runner, strict: Requirement) -> None:
    for outcome in (SATISFIED, REJECTED, WAIVED):
        proposal = await decide(run, strict, outcome)
        command = ApproveResolution(account_id=strict.account_id, resolution_id=proposal.id)
        with pytest.raises(FourEyes):
            await run(decision.approve_resolution, run.reviewer, command)
        as_admin = replace(run.admin, id=run.reviewer.id)
        with pytest.raises(FourEyes):
            await run(decision.approve_resolution, as_admin, command)
        await settle(run, proposal, approve=False)
    assert {state for _, state in await resolutions(run, strict)} == {"DECLINED"}


async def test_a_decision_waits_while_another_is_proposed(run: Runner, strict: Requirement) -> None:
    await decide(run, strict, SATISFIED)
    for outcome in (SATISFIED, REJECTED, WAIVED):
        with pytest.raises(ProposalPending):
            await decide(run, strict, outcome, run.second_reviewer)
    await run(requirements.start_review, run.reviewer, StartReview(**key_of(strict)))
    assert await resolutions(run, strict) == [("SATISFIED", "PROPOSED")]


async def test_a_waiver_takes_the_scope_of_both(run: Runner) -> None:
    row = await open_requirement(run)
    without = replace(run.second_reviewer, scopes=frozenset())
    with pytest.raises(Forbidden):
        await decide(run, row, WAIVED, without)
    proposal = await decide(run, row, WAIVED)
    command = ApproveResolution(account_id=row.account_id, resolution_id=proposal.id)
    with pytest.raises(Forbidden):
        await run(decision.approve_resolution, without, command)
    assert (await settle(run, proposal)).state == "FINAL"


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        (Statement(), "facts"),
        (replace(REJECTION, facts=None), "facts"),
        (replace(REJECTION, facts="  "), "facts"),
        (replace(REJECTION, ground=None), "ground"),
        (replace(REJECTION, ground=" "), "ground"),
        (replace(REJECTION, ground_kind=None), "groundKind"),
        (replace(REJECTION, source=None), "source"),
        (replace(REJECTION, cited_fact=None), "citedEvidence"),
        (replace(REJECTION, cited_fact=" "), "citedFact"),
        (replace(REJECTION, cited_fact="x" * 1_001), "citedFact"),
        (replace(REJECTION, facts="x" * 5_001), "facts"),
        (replace(REJECTION, facts="\x00"), "facts"),
        (replace(REJECTION, ground="\ud800"), "ground"),
        (replace(REJECTION, redress="x" * 5_001), "redress"),
        (replace(REJECTION, facts="\u200b"), "facts"),
        (replace(REJECTION, ground="\u2060"), "ground"),
        (replace(REJECTION, redress="\ufeff"), "redress"),
        (replace(REJECTION, cited_fact="\u200d"), "citedFact"),
        # What was learnt from evidence cites it.
        (replace(REJECTION, source=InformationSource.EVIDENCE), "citedEvidence"),
    ],
    ids=repr,
)
async def test_a_rejection_without_its_reasons_is_not_written(
    run: Runner, statement: Statement, place: str
) -> None:
    row = await create_requirement(run, "SUBMITTED")
    command = Decide(**key_of(row), reason_code="forged", statement=statement)
    with pytest.raises(InvalidInput) as caught:
        await run(decision.reject, run.reviewer, command)
    assert caught.value.field == ("statement", place)
    assert await resolutions(run, row) == []


async def test_the_programs_ground_stands_in_and_its_codes_are_the_registry(run: Runner) -> None:
    codes = (CodeText("forged", "The document is forged."),)
    ground = {"legal_ground": "Terms, 7", "legal_ground_kind": GroundKind.CONTRACTUAL}
    program = await publish_program(run, **ground, reason_codes=codes)
    row = await create_requirement(run, program=program)
    await submit(run, row)
    stated = replace(REJECTION, facts="It is forged.", ground=None, ground_kind=None)
    key: dict[str, Any] = {**key_of(row), "statement": stated}
    for code in ("made-up", "", "\x00", "\ud800"):
        with pytest.raises(InvalidInput) as caught:
            await run(decision.reject, run.reviewer, Decide(**key, reason_code=code))
        assert caught.value.field == ("reasonCode",)
    made = (await run(decision.reject, run.reviewer, Decide(**key, reason_code="forged"))).value
    assert (made.ground, made.facts, made.state) == ("Terms, 7", "It is forged.", "FINAL")
    assert (made.ground_kind, made.redress) == ("CONTRACTUAL", REDRESS)


@pytest.mark.parametrize("outcome", [decision.reject, decision.approve, decision.waive])
async def test_the_programs_ground_keeps_its_kind(run: Runner, outcome: Any) -> None:
    ground = {"legal_ground": "Contract 5.2", "legal_ground_kind": GroundKind.CONTRACTUAL}
    program = await publish_program(run, **ground)
    row = await create_requirement(run, "SUBMITTED", program=program)

    async def decided(kind: str | None) -> Resolution:
        statement = replace(REJECTION, ground=None, ground_kind=kind)
        command = Decide(**key_of(row), reason_code="checked", statement=statement)
        made: Resolution = (await run(outcome, run.reviewer, command)).value
        return made

    with pytest.raises(InvalidInput) as caught:
        await decided(GroundKind.LEGAL)
    assert caught.value.field == ("statement", "groundKind")
    made = await decided(GroundKind.CONTRACTUAL)
    assert (made.ground, made.ground_kind) == ("Contract 5.2", "CONTRACTUAL")


@pytest.mark.parametrize("kind", list(GroundKind))
async def test_a_kind_that_the_program_leaves_open_is_the_decisions(
    run: Runner, kind: GroundKind
) -> None:
    program = await publish_program(run, legal_ground="Contract 5.2")
    row = await create_requirement(run, "SUBMITTED", program=program)
    statement = replace(REJECTION, ground=None, ground_kind=kind)
    command = Decide(**key_of(row), reason_code="checked", statement=statement)
    made = (await run(decision.reject, run.reviewer, command)).value
    assert (made.ground, made.ground_kind) == ("Contract 5.2", kind)


async def test_a_kind_without_any_ground_is_refused(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    statement = Statement(ground_kind=GroundKind.LEGAL)
    command = Decide(**key_of(row), reason_code="checked", statement=statement)
    with pytest.raises(InvalidInput) as caught:
        await run(decision.approve, run.reviewer, command)
    assert caught.value.field == ("statement", "ground")


async def submissions(run: Runner, row: Requirement) -> tuple[uuid.UUID, ...]:
    async with run.database.session_for(run.system) as session:
        query = select(Evidence.id).where(Evidence.requirement_id == row.id)
        return tuple(await session.scalars(query.order_by(Evidence.submitted_at)))


async def test_a_rejection_cites_what_was_submitted_to_its_requirement_and_nothing_else(
    run: Runner,
) -> None:
    account = await create_account(run)
    row = await create_requirement(run, "ACTION_REQUIRED", account)
    await submit(run, row)
    other = await create_requirement(run, "SUBMITTED", account)
    stranger = await create_requirement(run, "SUBMITTED")
    own, foreign = await submissions(run, row), await submissions(run, other)
    assert len(own) == 2
    key: dict[str, Any] = {**key_of(row), "reason_code": "forged"}
    bare = replace(REJECTION, cited_fact=None, territories=("DE", "FR"))
    for cited, place in (
        ((*own, *foreign), ("citedEvidence", "2")),
        (await submissions(run, stranger), ("citedEvidence", "0")),
        ((uuid.uuid4(),), ("citedEvidence", "0")),
        ((own[0], own[0]), ("citedEvidence",)),
        ((own[0],) * 21, ("citedEvidence",)),
    ):
        command = Decide(**key, statement=replace(bare, cited_evidence=cited))
        with pytest.raises(InvalidInput) as caught:
            await run(decision.reject, run.reviewer, command)
        assert caught.value.field == ("statement", *place)
    command = Decide(**key, statement=replace(bare, cited_evidence=own))
    made = (await run(decision.reject, run.reviewer, command)).value
    stored = await run.fetch(Resolution, row.account_id, made.id)
    assert tuple(stored.cited_evidence) == own
    assert (stored.territories, stored.restricts_from) == (["DE", "FR"], run.clock.now())


@pytest.mark.parametrize("places", [("de",), ("DE", "FRA"), ("DE", "DE"), ("DE",) * 251])
async def test_territories_are_countries(run: Runner, places: tuple[str, ...]) -> None:
    row = await create_requirement(run, "SUBMITTED")
    command = Decide(**key_of(row), statement=Statement(territories=places))
    with pytest.raises(InvalidInput) as caught:
        await run(decision.approve, run.reviewer, command)
    assert caught.value.field[:2] == ("statement", "territories")


async def test_a_proposed_rejection_restricts_once_it_is_final(
    run: Runner, strict: Requirement
) -> None:
    proposal = await decide(run, strict, REJECTED)
    assert proposal.restricts_from is None
    run.clock.advance(timedelta(days=2))
    assert (await settle(run, proposal)).restricts_from == run.clock.now()
    now = await run.fetch(Requirement, strict.account_id, strict.id)
    assert now.restricts_from == run.clock.now()


@pytest.mark.parametrize("codes", [(), (CodeText("forged", "The document is forged."),)])
async def test_only_an_approval_says_that_the_evidence_was_accepted(
    run: Runner, codes: tuple[CodeText, ...]
) -> None:
    program = await publish_program(run, reason_codes=codes)
    row = await create_requirement(run, "SUBMITTED", program=program)
    accepted = Decide(**key_of(row), reason_code=EVIDENCE_ACCEPTED, statement=REJECTION)
    for operation in (decision.reject, decision.waive):
        with pytest.raises(InvalidInput, match=EVIDENCE_ACCEPTED) as caught:
            await run(operation, run.reviewer, accepted)
        assert caught.value.field == ("reasonCode",)
    assert await resolutions(run, row) == []
    assert (await run(decision.approve, run.reviewer, accepted)).value.state == "FINAL"


async def test_a_program_may_have_the_code_of_an_approval_for_all_it_likes(run: Runner) -> None:
    codes = (CodeText(EVIDENCE_ACCEPTED, "The evidence of the other side was accepted."),)
    program = await publish_program(run, reason_codes=codes)
    row = await create_requirement(run, "SUBMITTED", program=program)
    command = Decide(**key_of(row), reason_code=EVIDENCE_ACCEPTED, statement=REJECTION)
    assert (await run(decision.reject, run.reviewer, command)).value.outcome == REJECTED
