"""An appeal: an account's objection to a rejection, decided by somebody who took no part in it.

It lives in the resolution's row. While it is open the rejection goes on restricting, and nothing
else ends the requirement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.aggregate import Unit
from models.alternatives import end_others, tell_overtaken
from models.appeal_rules import APPEAL_OVERTURNED, MAX_APPEAL_LENGTH, appeal_refusal
from models.base import stamp
from models.clock import Clock
from models.decision import load_to_decide
from models.events import EventType, SubjectType
from models.notice_texts import NoticeKind
from models.notices import notify
from models.operation import operate
from models.outcome import Outcome
from models.program import Program
from models.requirement import LIFECYCLE as REQUIREMENT_LIFECYCLE
from models.requirement import Requirement, RequirementAction, RequirementCommand
from models.requirement_steps import end, load_with_program, move, program_of
from models.resolution import (
    APPEAL,
    LIFECYCLE,
    Resolution,
    ResolutionAction,
    ResolutionCommand,
)
from models.text import check_text


@dataclass(frozen=True, kw_only=True)
class Appeal(RequirementCommand):
    """What `appeal` takes: why the rejection is wrong, in the account user's words."""

    statement: str

    def objects(self) -> Mapping[str, Any]:
        """The requirement and its final rejection."""
        return {**super().objects(), "rejection": True}


@dataclass(frozen=True, kw_only=True)
class DecideAppeal(ResolutionCommand):
    """What `uphold` and `overturn` take: why, in words for the account's user."""

    reasons: str


async def appeal(
    session: AsyncSession, actor: Actor, clock: Clock, command: Appeal
) -> Outcome[Resolution]:
    """Object to a rejection, as the account's user or on their behalf.

    Raises `IllegalTransition`, `AppealWindowClosed`, `AlreadyAppealed`.
    """
    check_text(command.statement, MAX_APPEAL_LENGTH, "statement")

    async def step(unit: Unit) -> Resolution:
        requirement, program = await load_with_program(unit, command)
        _check_appealable(requirement, unit.now)
        rejection = unit.find(Resolution)
        assert rejection is not None
        open_appeal(unit, requirement, program, rejection, command.statement)
        notify(unit, NoticeKind.APPEAL_RECEIVED, requirement, program, rejection)
        return rejection

    return await operate(session, actor, clock, "requirementAppeal", command, Resolution, step)


async def uphold(
    session: AsyncSession, actor: Actor, clock: Clock, command: DecideAppeal
) -> Outcome[Resolution]:
    """Leave an appealed rejection as it is. Raises `FourEyes` for whoever took part in it."""
    _check(command)

    async def step(unit: Unit) -> Resolution:
        resolution, requirement = await load_to_decide(unit, command, ResolutionAction.UPHOLD)
        end_upheld(unit, requirement, resolution, command.reasons)
        await _tell(unit, requirement, resolution)
        return resolution

    return await operate(session, actor, clock, "resolutionUphold", command, Resolution, step)


async def overturn(
    session: AsyncSession, actor: Actor, clock: Clock, command: DecideAppeal
) -> Outcome[Resolution]:
    """Reverse an appealed rejection: the requirement is satisfied. Raises `FourEyes` likewise."""
    _check(command)

    async def step(unit: Unit) -> Resolution:
        resolution, requirement = await load_to_decide(unit, command, ResolutionAction.OVERTURN)
        overtaken = await end_overturned(unit, requirement, resolution, command.reasons)
        await _tell(unit, requirement, resolution)
        await tell_overtaken(unit, overtaken)
        return resolution

    return await operate(session, actor, clock, "resolutionOverturn", command, Resolution, step)


def open_appeal(
    unit: Unit,
    requirement: Requirement,
    program: Program,
    rejection: Resolution,
    statement: str,
) -> None:
    """Move the rejection and its requirement into appeal, within an open unit."""
    before, after = LIFECYCLE.advance(rejection, APPEAL, unit.now)
    rejection.appeal_statement, rejection.appealed_at = statement, unit.now
    stamp(rejection, "appealed_by", unit.actor)
    requirement.appealed_at = unit.now
    move(
        unit,
        requirement,
        RequirementAction.APPEAL,
        EventType.REQUIREMENT_APPEALED,
        program,
        resolution={"id": rejection.id, "state": {"from": before, "to": after}},
    )
    requirement.closed_at = requirement.closed_reason = None


def end_upheld(unit: Unit, requirement: Requirement, resolution: Resolution, reasons: str) -> None:
    """Let the rejection stand, within an open unit."""
    _conclude(unit, resolution, ResolutionAction.UPHOLD, EventType.RESOLUTION_UPHELD, reasons)
    action, event = RequirementAction.REJECT, EventType.REQUIREMENT_REJECTED
    end(unit, requirement, action, event, resolution.reason_code)


async def end_overturned(
    unit: Unit, requirement: Requirement, resolution: Resolution, reasons: str
) -> list[Requirement]:
    """Satisfy the requirement after all, within an open unit.

    Returns the alternatives that are no longer asked for.
    """
    _conclude(unit, resolution, ResolutionAction.OVERTURN, EventType.RESOLUTION_OVERTURNED, reasons)
    requirement.restricts_from = requirement.restricts_until = None
    action, event = RequirementAction.APPROVE, EventType.REQUIREMENT_APPROVED
    end(unit, requirement, action, event, APPEAL_OVERTURNED)
    return await end_others(unit, requirement)


def _conclude(
    unit: Unit, resolution: Resolution, action: ResolutionAction, event: EventType, reasons: str
) -> None:
    before, after = LIFECYCLE.advance(resolution, action, unit.now)
    resolution.appeal_reasons, resolution.appeal_decided_at = reasons, unit.now
    stamp(resolution, "appeal_decided_by", unit.actor)
    changes = {"state": {"from": before, "to": after}}
    unit.record(event, (SubjectType.RESOLUTION, resolution.id), changes)


def _check_appealable(row: Requirement, now: datetime) -> None:
    """Raise `IllegalTransition`, `AlreadyAppealed` or `AppealWindowClosed`."""
    REQUIREMENT_LIFECYCLE.target(row.state, RequirementAction.APPEAL)
    if (refusal := appeal_refusal(row, now)) is not None:
        raise refusal


async def _tell(unit: Unit, requirement: Requirement, resolution: Resolution) -> None:
    program = await program_of(unit, requirement)
    notify(unit, NoticeKind.APPEAL_DECIDED, requirement, program, resolution)


def _check(command: DecideAppeal) -> None:
    check_text(command.reasons, MAX_APPEAL_LENGTH, "reasons")
