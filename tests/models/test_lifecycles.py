"""Every state and action of every lifecycle, taken through the operations and the database."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models import decision, interaction, program, requirement, resolution
from models import requirement_operations as requirements
from models.actor import ActorKind
from models.aggregate import Account, RiskTier
from models.api_key import OF_SERVICES, ApiKeyState
from models.decision import ApproveResolution, Decide
from models.errors import ErrorCode, IllegalTransition
from models.events import EventType, SubjectType
from models.fair_clock import Party
from models.hold import Hold, ReleaseHold, release
from models.interaction import (
    DashboardOnly,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionState,
)
from models.lifecycle import Lifecycle
from models.program import (
    GroundKind,
    Program,
    ProgramState,
    Publish,
    RequirementCategory,
    Retire,
)
from models.requirement import Priority, Requirement, RequirementAction
from models.requirement_operations import (
    Assign,
    Cancel,
    Extend,
    Prioritize,
    Reopen,
    RequestChanges,
    StartReview,
    Submit,
)
from models.resolution import Resolution, ResolutionOutcome, ResolutionState
from models.statement import AutomatedDecision, InformationSource
from models.status import (
    AccountStatus,
    CapabilityKind,
    CapabilityStatus,
    HoldReason,
    RequirementState,
)
from tests.factories import (
    ERROR,
    PAYLOAD,
    REJECTION,
    Runner,
    create_account,
    create_requirement,
    create_resolution,
    judge,
    key_of,
    object_to,
    place_hold,
    program_values,
    publish_program,
    recall,
    refer,
    settle,
)

OPEN = ["OPEN", "ACTION_REQUIRED", "SUBMITTED", "IN_REVIEW"]
IN_RISKS_HANDS = ["SUBMITTED", "IN_REVIEW"]
# The design's table, written a second time: the code's must be this one.
REQUIREMENT_ARROWS: Mapping[str, tuple[Sequence[str], str | None]] = {
    "SUBMIT": (["OPEN", "ACTION_REQUIRED"], "SUBMITTED"),
    "START_REVIEW": (["SUBMITTED"], "IN_REVIEW"),
    "APPROVE": (IN_RISKS_HANDS, "SATISFIED"),
    "REQUEST_CHANGES": (IN_RISKS_HANDS, "ACTION_REQUIRED"),
    "REJECT": (IN_RISKS_HANDS, "REJECTED"),
    "APPEAL": (["REJECTED"], "IN_REVIEW"),
    "WAIVE": (OPEN, "WAIVED"),
    "CANCEL": (OPEN, "CANCELED"),
    "EXTEND": (OPEN, None),
    "ASSIGN": (OPEN, None),
    "PRIORITIZE": (OPEN, None),
    "REFER": (IN_RISKS_HANDS, None),
    "RECALL": (IN_RISKS_HANDS, None),
    "REOPEN": (["SATISFIED", "WAIVED"], "ACTION_REQUIRED"),
}
RESOLUTION_ARROWS: Mapping[str, tuple[Sequence[str], str | None]] = {
    "APPROVE": (["PROPOSED"], "FINAL"),
    "DECLINE": (["PROPOSED"], "DECLINED"),
    "APPEAL": (["FINAL"], "APPEALED"),
    "UPHOLD": (["APPEALED"], "UPHELD"),
    "OVERTURN": (["APPEALED"], "OVERTURNED"),
}
PROGRAM_ARROWS: Mapping[str, tuple[Sequence[str], str | None]] = {
    "SUPERSEDE": (["PUBLISHED"], "SUPERSEDED"),
    "RETIRE": (["PUBLISHED"], "RETIRED"),
}
UNSENT, OUT = ["DRAFT", "SCHEDULED"], ["SENT", "DELIVERED", "VIEWED"]
INTERACTION_ARROWS: Mapping[str, tuple[Sequence[str], str | None]] = {
    "UPDATE": (UNSENT, None),
    "SCHEDULE": (["DRAFT", "FAILED"], "SCHEDULED"),
    "SEND": (UNSENT, "SENT"),
    "REPORT_DELIVERED": (["SENT"], "DELIVERED"),
    "REPORT_VIEWED": (["SENT", "DELIVERED"], "VIEWED"),
    "REPORT_RESPONDED": (OUT, "RESPONDED"),
    "REPORT_FAILED": (["SENT"], "FAILED"),
    "CANCEL": (UNSENT, "CANCELED"),
}
ALL_ARROWS = [
    (requirement.LIFECYCLE, REQUIREMENT_ARROWS),
    (resolution.LIFECYCLE, RESOLUTION_ARROWS),
    (program.LIFECYCLE, PROGRAM_ARROWS),
    (interaction.LIFECYCLE, INTERACTION_ARROWS),
]
KNOWN = {
    ("accounts", "status"): AccountStatus,
    ("accounts", "risk_tier"): RiskTier,
    ("api_keys", "state"): ApiKeyState,
    ("api_keys", "role"): OF_SERVICES,
    ("capabilities", "kind"): CapabilityKind,
    ("capabilities", "status"): CapabilityStatus,
    ("events", "type"): EventType,
    ("events", "subject_type"): SubjectType,
    ("events", "actor_kind"): ActorKind,
    ("holds", "reason"): HoldReason,
    ("interactions", "state"): InteractionState,
    ("interactions", "purpose"): InteractionPurpose,
    ("interactions", "channel"): InteractionChannel,
    ("interactions", "direction"): InteractionDirection,
    ("notes", "author_kind"): ActorKind,
    ("interactions", "dashboard_only"): DashboardOnly,
    ("programs", "state"): ProgramState,
    ("programs", "category"): RequirementCategory,
    ("programs", "legal_ground_kind"): GroundKind,
    ("requirement_spans", "party"): Party,
    ("requirements", "state"): RequirementState,
    ("requirements", "category"): RequirementCategory,
    ("requirements", "priority"): Priority,
    ("requirements", "proposed_outcome"): ResolutionOutcome,
    ("accounts", "rejected_by_kind"): ActorKind,
    ("holds", "released_by_kind"): ActorKind,
    ("requirements", "opened_by_kind"): ActorKind,
    ("resolutions", "state"): ResolutionState,
    ("resolutions", "outcome"): ResolutionOutcome,
    ("resolutions", "automated_decision"): AutomatedDecision,
    ("resolutions", "ground_kind"): GroundKind,
    ("resolutions", "source"): InformationSource,
    ("resolutions", "proposed_by_kind"): ActorKind,
    ("resolutions", "decided_by_kind"): ActorKind,
    ("resolutions", "appealed_by_kind"): ActorKind,
}


async def take(run: Runner, row: Requirement, action: RequirementAction) -> object:
    """Take an action with input that nothing but the state could refuse."""
    key = key_of(row)
    later = (row.deadline or run.clock.now()) + timedelta(days=3)
    approving, rejecting = Decide(**key), Decide(**key, reason_code="no", statement=REJECTION)
    ways: dict[RequirementAction, Callable[[], Awaitable[object]]] = {
        RequirementAction.SUBMIT: lambda: run(
            requirements.submit, run.reviewer, Submit(**key, payload=PAYLOAD)
        ),
        RequirementAction.START_REVIEW: lambda: run(
            requirements.start_review, run.reviewer, StartReview(**key)
        ),
        RequirementAction.APPROVE: lambda: run(decision.approve, run.reviewer, approving),
        RequirementAction.REQUEST_CHANGES: lambda: run(
            requirements.request_changes,
            run.reviewer,
            RequestChanges(**key, errors=(ERROR,)),
        ),
        RequirementAction.REJECT: lambda: run(decision.reject, run.reviewer, rejecting),
        RequirementAction.APPEAL: lambda: object_to(run, row),
        RequirementAction.WAIVE: lambda: waive_with_two(run, row),
        RequirementAction.CANCEL: lambda: run(
            requirements.cancel, run.admin, Cancel(**key, reason="No longer needed.")
        ),
        RequirementAction.EXTEND: lambda: run(
            requirements.extend, run.reviewer, Extend(**key, deadline=later)
        ),
        RequirementAction.ASSIGN: lambda: run(
            requirements.assign, run.reviewer, Assign(**key, assignee_id="rita")
        ),
        RequirementAction.PRIORITIZE: lambda: run(
            requirements.prioritize, run.reviewer, Prioritize(**key, priority=Priority.URGENT)
        ),
        RequirementAction.REFER: lambda: refer(run, row),
        RequirementAction.RECALL: lambda: recall(run, row),
        RequirementAction.REOPEN: lambda: run(
            requirements.reopen, run.reviewer, Reopen(**key, reason="It has expired.")
        ),
    }
    return await ways[action]()


async def waive_with_two(run: Runner, row: Requirement) -> object:
    proposal = await run(decision.waive, run.reviewer, Decide(**key_of(row), reason_code="low"))
    command = ApproveResolution(account_id=row.account_id, resolution_id=proposal.value.id)
    return await run(decision.approve_resolution, run.second_reviewer, command)


@pytest.mark.parametrize(("lifecycle", "arrows"), ALL_ARROWS, ids=lambda x: getattr(x, "noun", ""))
def test_the_table_of_arrows_is_the_designs(
    lifecycle: Lifecycle, arrows: Mapping[str, tuple[Sequence[str], str | None]]
) -> None:
    designed = {
        (start, action): to or start for action, (starts, to) in arrows.items() for start in starts
    }
    assert {(str(s), str(a)): str(to) for (s, a), to in lifecycle.transitions.items()} == designed
    assert {state for start, _ in designed for state in [start]} <= set(lifecycle.states)
    assert set(designed.values()) <= set(lifecycle.states)


@pytest.mark.parametrize(("state", "action"), list(product(RequirementState, RequirementAction)))
async def test_a_requirement_takes_an_action_or_refuses_it(
    run: Runner, state: RequirementState, action: RequirementAction
) -> None:
    row = await create_requirement(run, state)
    starts, to = REQUIREMENT_ARROWS[action]
    if action == "RECALL" and state in starts:
        row = await refer(run, row)
    account = await run.fetch(Account, row.account_id)
    if state in starts:
        await take(run, row, action)
        now = await run.fetch(Requirement, row.account_id, row.id)
        assert now.state == (to or state)
        assert now.version > row.version
        return
    with pytest.raises(IllegalTransition) as caught:
        await take(run, row, action)
    assert_names(caught.value, "requirement", state, action, REQUIREMENT_ARROWS)
    now = await run.fetch(Requirement, row.account_id, row.id)
    assert (now.state, now.version) == (row.state, row.version)
    unchanged = await run.fetch(Account, row.account_id)
    assert unchanged.event_sequence == account.event_sequence


@pytest.mark.parametrize(
    ("state", "action"), list(product(ResolutionState, resolution.ResolutionAction))
)
async def test_a_resolution_takes_an_action_or_refuses_it(
    run: Runner, state: ResolutionState, action: resolution.ResolutionAction
) -> None:
    row = await create_resolution(run, state)

    async def act() -> None:
        if action in resolution.OF_APPEALS:
            await judge(run, row, uphold=action == "UPHOLD")
        else:
            await settle(run, row, approve=action == "APPROVE")

    starts, to = RESOLUTION_ARROWS[action]
    if state in starts:
        await act()
        assert (await run.fetch(Resolution, row.account_id, row.id)).state == to
        return
    with pytest.raises(IllegalTransition) as caught:
        await act()
    assert_names(caught.value, "resolution", state, action, RESOLUTION_ARROWS)
    unchanged = await run.fetch(Resolution, row.account_id, row.id)
    assert (unchanged.state, unchanged.version) == (state, row.version)


async def test_a_program_is_superseded_by_the_next_version_and_retired_once(run: Runner) -> None:
    first = await publish_program(run)
    second = await publish_program(run, code=first.code)
    assert second.version == first.version + 1
    key = (run.platform_id, first.code)
    assert (await run.fetch(Program, *key, 1)).state == ProgramState.SUPERSEDED
    await run(program.retire, run.admin, Retire(code=first.code))
    assert (await run.fetch(Program, *key, 2)).state == ProgramState.RETIRED
    with pytest.raises(IllegalTransition) as caught:
        await run(program.retire, run.admin, Retire(code=first.code))
    assert_names(caught.value, "program", "RETIRED", "RETIRE", PROGRAM_ARROWS)
    again: Publish = program_values(code=first.code)
    third = (await run(program.publish, run.admin, again)).value
    assert (third.version, third.state) == (3, ProgramState.PUBLISHED)
    assert (await run.fetch(Program, *key, 2)).state == ProgramState.RETIRED


async def test_a_hold_is_released_once(run: Runner) -> None:
    hold: Hold = await place_hold(run, await create_account(run))
    command = ReleaseHold(account_id=hold.account_id, hold_id=hold.id)
    released = (await run(release, run.reviewer, command)).value
    assert released.released_at == run.clock.now()
    with pytest.raises(IllegalTransition) as caught:
        await run(release, run.reviewer, command)
    assert_names(caught.value, "hold", "RELEASED", "RELEASE", {})


@pytest.mark.parametrize(("table", "column"), KNOWN)
async def test_the_database_lists_exactly_the_codes_values(
    owner_engine: AsyncEngine, table: str, column: str
) -> None:
    name = f"ck_{table}_{column}_known"
    query = text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    async with owner_engine.connect() as connection:
        definition = await connection.scalar(query, {"name": name})
    assert re.findall("'([^']+)'", definition or "") == [
        str(value) for value in KNOWN[table, column]
    ]


async def test_every_list_of_values_in_the_database_is_compared(owner_engine: AsyncEngine) -> None:
    query = text(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conname LIKE '%_known'"
    )
    async with owner_engine.connect() as connection:
        found = {tuple(row) for row in await connection.execute(query)}
    compared = {(table, f"ck_{table}_{column}_known") for table, column in KNOWN}
    reason = ("accounts", "ck_accounts_rejected_reason_known")
    author = ("interactions", "ck_interactions_author_kind_known")
    assert found == compared | {reason, author}


def assert_names(
    error: IllegalTransition,
    noun: str,
    state: str,
    action: str,
    arrows: Mapping[str, tuple[Sequence[str], str | None]],
) -> None:
    """The refusal says what is refused, in which state, and what is allowed from there."""
    allowed = {name for name, (starts, _) in arrows.items() if state in starts}
    assert error.code is ErrorCode.ILLEGAL_TRANSITION
    assert (error.state, error.action, set(error.allowed)) == (state, action, allowed)
    assert f"A {noun} that is {state} does not allow {action}." in error.message
    assert all(name in error.message for name in allowed)
