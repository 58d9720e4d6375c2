"""Mutations of decisions: the second pair of eyes."""

from typing import Annotated, Any

import strawberry

from models import decision as decisions
from models.events import DERIVED, EventType
from models.requirement import Requirement as RequirementRow
from models.resolution import DECIDERS
from models.resolution import Resolution as ResolutionRow
from resolvers import ids
from resolvers.context import Info
from resolvers.mutation import (
    Payload,
    Result,
    VersionedInput,
    changed_field,
    keyed,
    mutate,
    mutation,
)
from resolvers.requirement import Requirement
from resolvers.resolution import Resolution

# A decision may end alternatives, and with them the proposals on them.
DECIDED = (
    EventType.RESOLUTION_FINAL,
    EventType.RESOLUTION_DECLINED,
    EventType.REQUIREMENT_CANCELED,
    *DERIVED,
)


def requirement_of_resolution() -> Any:
    """A payload's field: the requirement that the changed resolution decides on."""
    return changed_field(
        "Requirement", RequirementRow, "The requirement, as it is now.", own="requirement_id"
    )


def resolution_of_payload() -> Any:
    """A payload's field: the changed resolution."""
    return changed_field("Resolution", ResolutionRow, "The decision, or the proposal of one.")


@strawberry.input(description="Which proposal to make final.")
class ResolutionApproveInput(VersionedInput):
    """Which resolution."""

    id: strawberry.ID = strawberry.field(description="The resolution.")


@strawberry.type(description="The final decision.")
class ResolutionApprovePayload(Payload):
    """What resolutionApprove answers."""

    requirement: Requirement | None = requirement_of_resolution()
    resolution: Resolution | None = resolution_of_payload()


async def resolution_approve(
    info: Info,
    input: Annotated[ResolutionApproveInput, strawberry.argument(description="Which proposal.")],
) -> Result:
    """Make somebody else's proposal final."""

    def build() -> decisions.ApproveResolution:
        account_id, own = ids.decode(input.id, ids.RESOLUTION, "id")
        return decisions.ApproveResolution(account_id=account_id, resolution_id=own, **keyed(input))

    return await mutate(info, decisions.approve_resolution, build)


@strawberry.input(description="Which proposal to turn down.")
class ResolutionDeclineInput(VersionedInput):
    """Which resolution, and why."""

    id: strawberry.ID = strawberry.field(description="The resolution.")
    reason: str | None = strawberry.field(default=None, description="Why, for staff.")


@strawberry.type(description="The declined proposal.")
class ResolutionDeclinePayload(Payload):
    """What resolutionDecline answers."""

    requirement: Requirement | None = requirement_of_resolution()
    resolution: Resolution | None = resolution_of_payload()


async def resolution_decline(
    info: Info,
    input: Annotated[ResolutionDeclineInput, strawberry.argument(description="Which proposal.")],
) -> Result:
    """Turn somebody else's proposal down."""

    def build() -> decisions.DeclineResolution:
        account_id, own = ids.decode(input.id, ids.RESOLUTION, "id")
        return decisions.DeclineResolution(
            account_id=account_id, resolution_id=own, reason=input.reason, **keyed(input)
        )

    return await mutate(info, decisions.decline_resolution, build)


@strawberry.type(description="Mutations of decisions.")
class ResolutionMutations:
    """The fields of the root type Mutation that concern decisions."""

    resolution_approve: ResolutionApprovePayload = mutation(
        resolution_approve,
        "Make somebody else's proposal final, with its effect; a waiver takes the scope that "
        "proposing it takes.",
        DECIDERS,
        (
            EventType.REQUIREMENT_APPROVED,
            EventType.REQUIREMENT_REJECTED,
            EventType.REQUIREMENT_WAIVED,
            *DECIDED,
        ),
    )
    resolution_decline: ResolutionDeclinePayload = mutation(
        resolution_decline,
        "Turn somebody else's proposal down; the requirement stays as it is.",
        DECIDERS,
        (EventType.RESOLUTION_DECLINED,),
    )
