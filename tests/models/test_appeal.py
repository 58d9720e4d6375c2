"""Appeals: who may object to a rejection, how long, what it does meanwhile, and who decides."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import appeal, decision
from models import requirement_operations as requirements
from models.actor import Actor, Role
from models.aggregate import Account
from models.appeal import DecideAppeal
from models.appeal_rules import (
    APPEAL_OVERTURNED,
    AlreadyAppealed,
    AppealPending,
    AppealWindowClosed,
)
from models.capability import Capability
from models.decision import Decide
from models.errors import (
    Forbidden,
    FourEyes,
    IllegalTransition,
    InvalidInput,
    NotFound,
    RecourseError,
    StaleVersion,
)
from models.events import TOLD, Event
from models.fair_clock import RequirementSpan
from models.interaction import Interaction
from models.requirement import Requirement
from models.requirement_operations import Assign, Cancel, Extend, Reopen, RequestChanges
from models.resolution import Resolution, ResolutionOutcome
from models.verify import verify_account
from tests.factories import (
    ERROR,
    REJECTION,
    Runner,
    create_account,
    create_requirement,
    decide,
    judge,
    key_of,
    object_to,
    open_requirement,
    publish_program,
    settle,
    submit,
)

SATISFIED, REJECTED, WAIVED = ResolutionOutcome


@pytest.fixture
async def rejected(run: Runner) -> Requirement:
    """A requirement that restricts payouts and gates transfers, rejected by Rita."""
    return await create_requirement(run, "REJECTED")


@pytest.fixture
async def appealed(run: Runner, rejected: Requirement) -> Resolution:
    """Its rejection, to which the account's user objects."""
    return await object_to(run, rejected)


async def now(run: Runner, row: Requirement | Resolution) -> Any:
    return await run.fetch(type(row), row.account_id, row.id)


async def capabilities(run: Runner, row: Requirement) -> dict[str, tuple[str, str | None]]:
    """What the account may do, by kind; and nothing contradicts that."""
    async with run.database.session_for(run.system) as session:
        found = await session.scalars(
            select(Capability).where(Capability.account_id == row.account_id)
        )
        assert await verify_account(run.database.worker, row.account_id) == []
        return {each.kind: (each.status, each.disabled_reason) for each in found}


async def events(run: Runner, row: Requirement, last: int) -> list[str]:
    async with run.database.session_for(run.system) as session:
        query = select(Event.type).where(Event.account_id == row.account_id)
        found = list(await session.scalars(query.order_by(Event.sequence)))
        return found[-last:]


async def notice(run: Runner, row: Requirement) -> str:
    """The words of the latest notice to the account's user."""
    async with run.database.session_for(run.system) as session:
        query = select(Interaction.body).where(Interaction.account_id == row.account_id)
        found = await session.scalar(query.order_by(Interaction.created_at.desc()).limit(1))
        assert found is not None
        return found


def rejection_redress(rejection: Resolution) -> str:
    """How the rejection said that it may be appealed."""
    assert rejection.redress
    return rejection.redress


NOT_FREE = {
    "CARD_PAYMENTS": ("ACTIVE", None),
    "PAYOUTS": ("RESTRICTED", "rejected.other"),
    "TRANSFERS": ("RESTRICTED", "rejected.other"),
}


async def test_an_appeal_brings_the_requirement_into_review_and_frees_nothing(
    run: Runner, rejected: Requirement
) -> None:
    assert await capabilities(run, rejected) == NOT_FREE
    run.clock.advance(timedelta(days=3))
    made = await object_to(run, rejected, "The photo is old.")
    row = await now(run, rejected)
    assert (row.state, row.closed_at, row.appealed_at) == ("IN_REVIEW", None, run.clock.now())
    assert row.restricts_from == rejected.closed_at
    assert (made.state, made.appeal_statement) == ("APPEALED", "The photo is old.")
    assert (made.appealed_at, made.appealed_by_kind, made.appealed_by_id) == (
        run.clock.now(),
        "ACCOUNT_USER",
        "uma",
    )
    assert await capabilities(run, rejected) == NOT_FREE
    said = ["REQUIREMENT_APPEALED", *TOLD]
    assert await events(run, rejected, len(said)) == said
    assert "Somebody who took no part in the decision" in await notice(run, rejected)
    # Nor does time, not even the deadline.
    run.clock.advance(timedelta(days=400))
    await run.rederive(row.account_id)
    assert await capabilities(run, rejected) == NOT_FREE


@pytest.mark.parametrize("uphold", [True, False])
async def test_an_appeal_is_risks_time_and_the_gap_before_it_nobodys(
    run: Runner, uphold: bool
) -> None:
    program = await publish_program(run, review_within="P4D")
    row = await create_requirement(run, "REJECTED", program=program)
    run.clock.advance(timedelta(days=3))
    made = await object_to(run, row)
    running = await now(run, row)
    assert running.review_due_at == run.clock.now() + timedelta(days=4)
    assert running.review_at_risk_at == run.clock.now() + timedelta(days=3)
    run.clock.advance(timedelta(days=2))
    await judge(run, made, uphold)
    ended = await now(run, row)
    assert (ended.review_due_at, ended.review_at_risk_at) == (None, None)
    async with run.database.session_for(run.system) as session:
        query = select(RequirementSpan).where(RequirementSpan.requirement_id == row.id)
        spans = list(await session.scalars(query.order_by(RequirementSpan.number)))
    lasted = [(span.party, (span.ended_at or span.started_at) - span.started_at) for span in spans]
    assert lasted[-2:] == [("NOBODY", timedelta(days=3)), ("RISK", timedelta(days=2))]
    assert sum((for_ for _, for_ in lasted), timedelta()) == ended.closed_at - ended.created_at
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_what_is_upheld_stays_rejected_and_is_not_appealed_again(
    run: Runner, rejected: Requirement, appealed: Resolution
) -> None:
    run.clock.advance(timedelta(hours=1))
    upheld = await judge(run, appealed, uphold=True)
    assert (upheld.state, upheld.appeal_reasons) == ("UPHELD", "We have looked at it again.")
    assert (upheld.appeal_decided_by_kind, upheld.appeal_decided_by_id) == ("REVIEWER", "sam")
    row = await now(run, rejected)
    assert (row.state, row.closed_reason) == ("REJECTED", appealed.reason_code)
    assert row.restricts_from == rejected.restricts_from
    assert await capabilities(run, rejected) == NOT_FREE
    said = ["RESOLUTION_UPHELD", "REQUIREMENT_REJECTED", *TOLD]
    assert await events(run, rejected, len(said)) == said
    body = await notice(run, rejected)
    assert body.startswith("We have looked at it again, and the decision stands.")
    assert "We have looked at it again." in body
    assert rejection_redress(appealed) not in body
    with pytest.raises(AlreadyAppealed):
        await object_to(run, rejected)
    for uphold in (True, False):
        with pytest.raises(IllegalTransition):
            await judge(run, appealed, uphold)


async def test_what_is_overturned_satisfies_the_requirement_and_frees_what_it_restricted(
    run: Runner, rejected: Requirement, appealed: Resolution
) -> None:
    run.clock.advance(timedelta(hours=1))
    overturned = await judge(run, appealed, uphold=False)
    assert overturned.state == "OVERTURNED"
    row = await now(run, rejected)
    assert (row.state, row.closed_reason, row.restricts_from) == (
        "SATISFIED",
        APPEAL_OVERTURNED,
        None,
    )
    assert set((await capabilities(run, rejected)).values()) == {("ACTIVE", None)}
    said = ["RESOLUTION_OVERTURNED", "REQUIREMENT_APPROVED", *TOLD]
    assert (await events(run, rejected, len(said) + 3))[: len(said)] == said
    assert "accepted" in await notice(run, rejected)
    with pytest.raises(IllegalTransition):
        await object_to(run, rejected)


async def test_what_was_asked_again_and_rejected_again_is_appealed_again(
    run: Runner, rejected: Requirement, appealed: Resolution
) -> None:
    await judge(run, appealed, uphold=False)
    again = Reopen(**key_of(rejected), reason="It has expired.")
    row = (await run(requirements.reopen, run.reviewer, again)).value
    assert (row.appealed_at, row.appeal_deadline) == (None, None)
    await submit(run, rejected)
    await decide(run, rejected, REJECTED)
    second = await object_to(run, rejected)
    assert second.id != appealed.id
    assert (await judge(run, second)).state == "UPHELD"
    assert (await now(run, appealed)).state == "OVERTURNED"


@pytest.mark.parametrize("within", ["P30D", None])
async def test_an_appeal_comes_before_its_deadline(run: Runner, within: str | None) -> None:
    program = await publish_program(run, appeal_within=within)
    row = await create_requirement(run, "REJECTED", program=program)
    assert row.appeal_deadline is not None
    if within is None:
        months = row.appeal_deadline.month - run.clock.now().month
        assert months == 6
    else:
        assert row.appeal_deadline == run.clock.now() + timedelta(days=30)
    run.clock.set(row.appeal_deadline)
    with pytest.raises(AppealWindowClosed):
        await object_to(run, row)
    run.clock.set(row.appeal_deadline - timedelta(microseconds=1))
    assert (await object_to(run, row)).state == "APPEALED"


async def test_nobody_decides_on_what_they_took_part_in(run: Runner) -> None:
    program = await publish_program(run, four_eyes=True)
    row = await create_requirement(run, "SUBMITTED", program=program)
    await settle(run, await decide(run, row, REJECTED))
    made = await object_to(run, row)
    proposer, decider = run.reviewer, run.second_reviewer
    for person in (proposer, decider):
        # By another token of the same person, too.
        for actor in (person, replace(person, role=Role.ADMIN, name="Somebody")):
            for uphold in (True, False):
                with pytest.raises(FourEyes):
                    await judge(run, made, uphold, actor)
    assert (await now(run, made)).state == "APPEALED"
    assert (await judge(run, made, actor=run.admin)).state == "UPHELD"


async def test_whoever_has_the_same_id_is_taken_for_the_same(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    by_machine = run.system
    await decide(run, row, REJECTED, by_machine)
    made = await object_to(run, row)
    namesake = run.staff(Role.REVIEWER, by_machine.id)
    with pytest.raises(FourEyes):
        await judge(run, made, actor=namesake)
    assert (await judge(run, made, actor=run.reviewer)).state == "UPHELD"


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.INTEGRATOR, Role.ACCOUNT_USER])
async def test_a_person_of_the_platform_decides_and_nobody_else(
    run: Runner, rejected: Requirement, appealed: Resolution, role: Role
) -> None:
    account_id = rejected.account_id if role is Role.ACCOUNT_USER else None
    actor = Actor(role, "olga", run.platform_id, account_id)
    for uphold in (True, False):
        with pytest.raises(Forbidden):
            await judge(run, appealed, uphold, actor)


@pytest.mark.parametrize("reasons", ["", " ", "x" * 5_001, "\x00", "\ud800"])
async def test_a_decision_on_an_appeal_has_reasons(
    run: Runner, appealed: Resolution, reasons: str
) -> None:
    key: dict[str, Any] = {"account_id": appealed.account_id, "resolution_id": appealed.id}
    for operation in (appeal.uphold, appeal.overturn):
        with pytest.raises(InvalidInput) as caught:
            await run(operation, run.second_reviewer, DecideAppeal(**key, reasons=reasons))
        assert caught.value.field == ("reasons",)


@pytest.mark.parametrize("statement", ["", " ", "x" * 5_001, "\x00", "\ud800"])
async def test_an_appeal_says_what_is_wrong(
    run: Runner, rejected: Requirement, statement: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await object_to(run, rejected, statement)
    assert caught.value.field == ("statement",)


async def test_a_reviewer_appeals_on_the_accounts_behalf_and_a_neighbour_does_not(
    run: Runner, rejected: Requirement
) -> None:
    neighbour = run.account_user(await create_account(run))
    for actor, error in ((neighbour, NotFound), (run.integrator, Forbidden)):
        with pytest.raises(error):
            await object_to(run, rejected, actor=actor)
    made = await object_to(run, rejected, actor=run.second_reviewer)
    assert (made.appealed_by_kind, made.appealed_by_id) == ("REVIEWER", run.second_reviewer.id)
    with pytest.raises(FourEyes):
        await judge(run, made, actor=replace(run.second_reviewer, role=Role.ADMIN))
    assert (await judge(run, made, actor=run.admin)).state == "UPHELD"


async def test_an_appeal_and_its_decision_are_held_against_the_version(
    run: Runner, rejected: Requirement
) -> None:
    key: dict[str, Any] = {**key_of(rejected), "statement": "It is me."}
    user = Actor(Role.ACCOUNT_USER, "uma", run.platform_id, rejected.account_id)
    stale: Any = appeal.Appeal(**key, expected_version=rejected.version - 1)
    with pytest.raises(StaleVersion):
        await run(appeal.appeal, user, stale)
    command = appeal.Appeal(**key, expected_version=rejected.version, idempotency_key="k")
    made = (await run(appeal.appeal, user, command)).value
    again = await run(appeal.appeal, user, command)
    assert (again.replayed, again.value.id) == (True, made.id)
    key = {"account_id": made.account_id, "resolution_id": made.id, "reasons": "Yes."}
    stale = DecideAppeal(**key, expected_version=made.version - 1)
    with pytest.raises(StaleVersion):
        await run(appeal.overturn, run.second_reviewer, stale)
    fresh = DecideAppeal(**key, expected_version=made.version, idempotency_key="k")
    assert not (await run(appeal.overturn, run.second_reviewer, fresh)).replayed
    assert (await run(appeal.overturn, run.second_reviewer, fresh)).replayed


async def test_an_open_appeal_ends_by_its_decision_and_by_nothing_else(
    run: Runner, rejected: Requirement, appealed: Resolution
) -> None:
    key = key_of(rejected)
    later = run.clock.now() + timedelta(days=99)
    attempts: list[tuple[Any, Any]] = [
        (decision.approve, Decide(**key)),
        (decision.reject, Decide(**key, reason_code="no", statement=REJECTION)),
        (decision.waive, Decide(**key, reason_code="low")),
        (requirements.request_changes, RequestChanges(**key, errors=(ERROR,))),
        (requirements.cancel, Cancel(**key, reason="Opened in error.")),
        (requirements.extend, Extend(**key, deadline=later)),
    ]
    before = await now(run, rejected)
    for operation, command in attempts:
        with pytest.raises(AppealPending):
            await run(operation, run.admin, command)
    assert (await now(run, rejected)).version == before.version
    await run(requirements.assign, run.reviewer, Assign(**key, assignee_id="sam"))
    assert (await judge(run, appealed)).state == "UPHELD"


async def test_an_alternative_that_is_met_leaves_the_appeal_open_and_one_that_is_won_ends_others(
    run: Runner,
) -> None:
    account, program = await create_account(run), await publish_program(run)
    first, second, third = [
        await open_requirement(run, account, program, alternative_group="address") for _ in range(3)
    ]
    await submit(run, first)
    await decide(run, first, REJECTED)
    made = await object_to(run, first)
    await submit(run, second)
    await decide(run, second, SATISFIED)
    assert [(await now(run, row)).state for row in (first, second, third)] == [
        "IN_REVIEW",
        "SATISFIED",
        "CANCELED",
    ]
    fourth = await open_requirement(run, account, program, alternative_group="address")
    proposal = await decide(run, fourth, WAIVED)
    await judge(run, made, uphold=False)
    assert (await now(run, first)).state == "SATISFIED"
    assert (await now(run, fourth)).state == "CANCELED"
    assert (await now(run, proposal)).state == "DECLINED"
    assert await verify_account(run.database.worker, account.account_id) == []


async def test_only_a_rejection_is_appealed(run: Runner) -> None:
    for state in ("OPEN", "ACTION_REQUIRED", "SUBMITTED", "IN_REVIEW", "SATISFIED", "WAIVED"):
        with pytest.raises(IllegalTransition):
            await object_to(run, await create_requirement(run, state))


async def test_what_is_refused_leaves_no_trace(
    run: Runner, rejected: Requirement, appealed: Resolution
) -> None:
    account = await run.fetch(Account, rejected.account_id)
    for attempt in (
        object_to(run, rejected),
        judge(run, appealed, actor=run.reviewer),
        judge(run, appealed, uphold=False, actor=run.reviewer),
    ):
        with pytest.raises(RecourseError):
            await attempt
    assert (await run.fetch(Account, rejected.account_id)).event_sequence == account.event_sequence


async def test_where_a_program_gives_notice_a_rejection_takes_effect_after_it(run: Runner) -> None:
    program = await publish_program(run, termination_notice="P30D")
    row = await create_requirement(run, "REJECTED", program=program)
    begins = run.clock.now() + timedelta(days=30)
    assert row.restricts_from == begins
    before = {
        "CARD_PAYMENTS": ("ACTIVE", None),
        "PAYOUTS": ("ACTIVE", None),
        "TRANSFERS": ("PENDING", "requirements.fields_needed"),
    }
    assert await capabilities(run, row) == before
    account = await run.fetch(Account, row.account_id)
    assert (account.status, account.next_change_at) == ("RESTRICTED_SOON", begins)
    run.clock.set(begins - timedelta(microseconds=1))
    assert not await run.rederive(row.account_id)
    run.clock.set(begins)
    assert await run.rederive(row.account_id)
    assert await capabilities(run, row) == NOT_FREE


async def test_an_appeal_does_not_stop_the_notice_and_overturning_does(run: Runner) -> None:
    program = await publish_program(run, termination_notice="P30D")
    account = await create_account(run)
    rows = [await create_requirement(run, "REJECTED", account, program) for _ in range(2)]
    lost, won = [await object_to(run, row) for row in rows]
    await judge(run, won, uphold=False)
    assert (await capabilities(run, rows[0]))["PAYOUTS"] == ("ACTIVE", None)
    run.clock.advance(timedelta(days=30))
    await run.rederive(account.account_id)
    assert await capabilities(run, rows[0]) == NOT_FREE
    await judge(run, lost, uphold=False)
    assert set((await capabilities(run, rows[0])).values()) == {("ACTIVE", None)}
