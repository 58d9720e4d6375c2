"""What happens to a resolution within an open unit: the pieces that operations are made of."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from models.actor import Actor, system
from models.aggregate import Unit, staff_columns
from models.base import stamp
from models.events import EventType, SubjectType
from models.lifecycle import touch
from models.requirement import Requirement
from models.resolution import (
    LIFECYCLE,
    STANDING_STATES,
    SUPERSEDED,
    Resolution,
    ResolutionAction,
    ResolutionOutcome,
    ResolutionState,
)
from models.statement import Statement


def new_resolution(
    unit: Unit,
    requirement: Requirement,
    outcome: ResolutionOutcome,
    reason_code: str,
    statement: Statement,
    four_eyes: bool,
) -> Resolution:
    """A decision within an open unit: proposed where it takes four eyes, else final.

    It is to `take_effect` then.
    """
    state = ResolutionState.PROPOSED if four_eyes else ResolutionState.FINAL
    resolution = Resolution(
        **unit.new_row(),
        requirement_id=requirement.id,
        outcome=outcome.value,
        state=state.value,
        four_eyes=four_eyes,
        reason_code=reason_code,
        **statement.columns(),
    )
    stamp(resolution, "proposed_by", unit.actor)
    if not four_eyes:
        resolution.decided_at = unit.now
        stamp(resolution, "decided_by", unit.actor)
    unit.add(resolution)
    event = EventType.RESOLUTION_PROPOSED if four_eyes else EventType.RESOLUTION_FINAL
    unit.record(
        event,
        (SubjectType.RESOLUTION, resolution.id),
        {
            "requirementId": requirement.id,
            "outcome": resolution.outcome,
            "reasonCode": reason_code,
            "state": {"from": None, "to": resolution.state},
        },
    )
    return resolution


def propose(unit: Unit, requirement: Requirement, outcome: ResolutionOutcome) -> None:
    """Mark the requirement as waiting for a second pair of eyes."""
    requirement.proposed_outcome = outcome.value
    touch(requirement, unit.now)


def conclude(unit: Unit, resolution: Resolution, action: ResolutionAction, actor: Actor) -> None:
    """Take a proposal's arrow in the actor's name, within an open unit."""
    LIFECYCLE.advance(resolution, action, unit.now)
    resolution.decided_at = unit.now
    stamp(resolution, "decided_by", actor)


def decline(
    unit: Unit,
    resolution: Resolution,
    requirement: Requirement,
    actor: Actor,
    reason: str | None,
) -> None:
    """Turn a proposal down; the requirement no longer waits for it."""
    conclude(unit, resolution, ResolutionAction.DECLINE, actor)
    resolution.decline_reason = reason
    requirement.proposed_outcome = None
    touch(requirement, unit.now)
    unit.record(
        EventType.RESOLUTION_DECLINED, (SubjectType.RESOLUTION, resolution.id), {"reason": reason}
    )


async def decline_pending(unit: Unit, requirement: Requirement) -> None:
    """Turn down, in Recourse's own name, the proposal that other events have overtaken."""
    found = await unit.store.scalars(
        select(Resolution)
        .where(
            Resolution.account_id == requirement.account_id,
            Resolution.requirement_id == requirement.id,
            Resolution.state == ResolutionState.PROPOSED,
        )
        .options(*staff_columns(unit.actor))
    )
    decline(unit, found.one(), requirement, system(requirement.platform_id), SUPERSEDED)


async def standing_rejections(
    unit: Unit, requirement_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Resolution]:
    """The rejections that stand, appealed or not, by the requirements that are rejected."""
    found = await unit.store.scalars(
        select(Resolution)
        .where(
            Resolution.account_id == unit.account.account_id,
            Resolution.requirement_id.in_(requirement_ids),
            Resolution.outcome == ResolutionOutcome.REJECTED,
            Resolution.state.in_(STANDING_STATES),
        )
        .options(*staff_columns(unit.actor))
    )
    return {row.requirement_id: row for row in found}
