"""Decisions on a requirement: approve, reject, waive; and the second pair of eyes on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.aggregate import Unit
from models.alternatives import end_others, give_back_to_others, handed_in_since, tell_overtaken
from models.authorisation import authorise
from models.clock import Clock
from models.durations import after
from models.errors import FourEyes
from models.events import EventType, SubjectType
from models.lifecycle import expect_version
from models.notice_texts import NoticeKind
from models.notices import notify
from models.operation import operate
from models.outcome import Outcome
from models.program import DEFAULT_APPEAL_WITHIN, Program
from models.requirement import (
    ACTION_OF_OUTCOME,
    MAX_REASON_LENGTH,
    ProposalPending,
    Requirement,
    RequirementCommand,
    check_allowed,
)
from models.requirement_steps import (
    end,
    load_with_program,
    program_of,
)
from models.resolution import (
    EVIDENCE_ACCEPTED,
    Resolution,
    ResolutionAction,
    ResolutionCommand,
    ResolutionOutcome,
    check_reason_code,
    four_eyes_problem,
)
from models.resolution import LIFECYCLE as RESOLUTION_LIFECYCLE
from models.resolution_steps import conclude, decline, new_resolution, propose
from models.statement import Statement, check_cited, check_end, check_statement, complete
from models.text import check_optional_text

EVENT_OF_OUTCOME = {
    ResolutionOutcome.SATISFIED: EventType.REQUIREMENT_APPROVED,
    ResolutionOutcome.REJECTED: EventType.REQUIREMENT_REJECTED,
    ResolutionOutcome.WAIVED: EventType.REQUIREMENT_WAIVED,
}


NO_STATEMENT = Statement()


@dataclass(frozen=True, kw_only=True)
class Decide(RequirementCommand):
    """What `approve`, `reject` and `waive` take. `expected_version` is the requirement's."""

    reason_code: str = EVIDENCE_ACCEPTED
    statement: Statement = NO_STATEMENT

    def objects(self) -> Mapping[str, Any]:
        """The requirement, and what the statement cites of its evidence."""
        cited = self.statement.cited_evidence
        return {**super().objects(), **({"evidence": list(cited)} if cited else {})}


@dataclass(frozen=True, kw_only=True)
class ApproveResolution(ResolutionCommand):
    """What `approve_resolution` takes."""


@dataclass(frozen=True, kw_only=True)
class DeclineResolution(ResolutionCommand):
    """What `decline_resolution` takes."""

    reason: str | None = None


async def approve(
    session: AsyncSession, actor: Actor, clock: Clock, command: Decide
) -> Outcome[Resolution]:
    """Accept what was submitted; where the program asks for four eyes, propose to."""
    return await _decide(
        session, actor, clock, "requirementApprove", command, ResolutionOutcome.SATISFIED
    )


async def reject(
    session: AsyncSession, actor: Actor, clock: Clock, command: Decide
) -> Outcome[Resolution]:
    """Refuse what was submitted, with facts and ground; with four eyes, propose to."""
    return await _decide(
        session, actor, clock, "requirementReject", command, ResolutionOutcome.REJECTED
    )


async def waive(
    session: AsyncSession, actor: Actor, clock: Clock, command: Decide
) -> Outcome[Resolution]:
    """Propose to do without. A waiver always takes a second pair of eyes."""
    return await _decide(
        session, actor, clock, "requirementWaive", command, ResolutionOutcome.WAIVED
    )


async def approve_resolution(
    session: AsyncSession, actor: Actor, clock: Clock, command: ApproveResolution
) -> Outcome[Resolution]:
    """Make somebody else's proposal final, with its effect. Raises `FourEyes` for one's own."""

    async def step(unit: Unit) -> Resolution:
        resolution, requirement = await load_to_decide(unit, command, ResolutionAction.APPROVE)
        outcome = ResolutionOutcome(resolution.outcome)
        waiver = outcome is ResolutionOutcome.WAIVED
        authorise(actor, "resolutionApprove", waiver)
        program = await program_of(unit, requirement)
        overtaken = await confirm(unit, resolution, requirement, program)
        notify(unit, NoticeKind.DECIDED, requirement, program, resolution)
        await tell_overtaken(unit, overtaken)
        return resolution

    return await operate(session, actor, clock, "resolutionApprove", command, Resolution, step)


async def decline_resolution(
    session: AsyncSession, actor: Actor, clock: Clock, command: DeclineResolution
) -> Outcome[Resolution]:
    """Turn somebody else's proposal down; the requirement stays as it is."""
    check_optional_text(command.reason, MAX_REASON_LENGTH, "reason")

    async def step(unit: Unit) -> Resolution:
        resolution, requirement = await load_to_decide(unit, command, ResolutionAction.DECLINE)
        decline(unit, resolution, requirement, actor, command.reason)
        return resolution

    return await operate(session, actor, clock, "resolutionDecline", command, Resolution, step)


async def confirm(
    unit: Unit, resolution: Resolution, requirement: Requirement, program: Program
) -> list[Requirement]:
    """Make a proposal final in the unit's actor's name; returns what `take_effect` does."""
    conclude(unit, resolution, ResolutionAction.APPROVE, unit.actor)
    requirement.proposed_outcome = None
    unit.record(EventType.RESOLUTION_FINAL, (SubjectType.RESOLUTION, resolution.id), {})
    return await take_effect(unit, requirement, program, resolution)


async def take_effect(
    unit: Unit, requirement: Requirement, program: Program, resolution: Resolution
) -> list[Requirement]:
    """What a final decision does to the requirement and to its alternatives.

    Returns those of them that are no longer asked for.
    """
    outcome, reason_code = ResolutionOutcome(resolution.outcome), resolution.reason_code
    rejects = outcome is ResolutionOutcome.REJECTED
    since = handed_in_since(unit, requirement)
    if rejects:
        within = program.appeal_within or DEFAULT_APPEAL_WITHIN
        requirement.appeal_deadline = after(unit.now, within)
        begins = restriction_begins(unit, program)
        requirement.restricts_from = resolution.restricts_from = begins
        if resolution.restricts_until is not None:
            # A proposal may have waited past that end: then it restricts for no time at all.
            resolution.restricts_until = max(resolution.restricts_until, begins)
        requirement.restricts_until = resolution.restricts_until
    end(unit, requirement, ACTION_OF_OUTCOME[outcome], EVENT_OF_OUTCOME[outcome], reason_code)
    if rejects:
        await give_back_to_others(unit, requirement, since)
        return []
    return await end_others(unit, requirement)


def restriction_begins(unit: Unit, program: Program) -> datetime:
    """From when a rejection of now restricts: at once, or after the program's notice."""
    return after(unit.now, program.termination_notice) or unit.now


async def _decide(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    operation: str,
    command: Decide,
    outcome: ResolutionOutcome,
) -> Outcome[Resolution]:
    check_statement(command.statement)

    async def step(unit: Unit) -> Resolution:
        requirement, program = await load_with_program(unit, command)
        check_allowed(requirement, ACTION_OF_OUTCOME[outcome])
        if requirement.proposed_outcome is not None:
            raise ProposalPending(requirement.proposed_outcome)
        code = check_reason_code(outcome, command.reason_code, program)
        rejects = outcome is ResolutionOutcome.REJECTED
        statement = complete(command.statement, program, rejects)
        check_end(statement.restricts_until, restriction_begins(unit, program))
        check_cited(unit, statement.cited_evidence)
        four_eyes = program.four_eyes or outcome is ResolutionOutcome.WAIVED
        resolution = new_resolution(unit, requirement, outcome, code, statement, four_eyes)
        if four_eyes:
            propose(unit, requirement, outcome)
        else:
            overtaken = await take_effect(unit, requirement, program, resolution)
            notify(unit, NoticeKind.DECIDED, requirement, program, resolution)
            await tell_overtaken(unit, overtaken)
        return resolution

    return await operate(session, actor, clock, operation, command, Resolution, step)


async def load_to_decide(
    unit: Unit, command: ResolutionCommand, action: ResolutionAction
) -> tuple[Resolution, Requirement]:
    """The command's resolution and its requirement, within an open unit, for one of its actions.

    Raises `NotFound`, `StaleVersion`, `IllegalTransition`, `FourEyes`.
    """
    resolution = await unit.load(Resolution, command.resolution_id, "resolution")
    expect_version(resolution, command.expected_version)
    RESOLUTION_LIFECYCLE.target(resolution.state, action)
    if (problem := four_eyes_problem(resolution, unit.actor, action)) is not None:
        raise FourEyes(problem, ("id",))
    requirement = next(row for row in unit.requirements if row.id == resolution.requirement_id)
    return resolution, requirement
