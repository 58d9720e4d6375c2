"""Mutations of decisions: the second pair of eyes."""

import strawberry

from models import decision as decisions
from models.events import DERIVED, TOLD, EventType
from models.requirement import Requirement as RequirementRow
from models.resolution import Resolution as ResolutionRow
from resolvers import ids
from resolvers.mutation import ObjectInput, Payload, changed_field, mutation, version_of
from resolvers.requirement import Requirement
from resolvers.resolution import Resolution

# A decision may end alternatives, with them the proposals on them and what rejections restrict; or
# give them back the time in which they waited for it.
DECIDED = (
    EventType.RESOLUTION_FINAL,
    EventType.RESOLUTION_DECLINED,
    EventType.REQUIREMENT_CANCELED,
    EventType.REQUIREMENT_UPDATED,
    EventType.REQUIREMENT_DEADLINE_MOVED,
    *TOLD,
    *DERIVED,
)


@strawberry.type(description="What mutations of a decision answer.")
class DecisionPayload(Payload):
    """The changed resolution, and the requirement that it decides on."""

    requirement: Requirement | None = changed_field(
        "Requirement", RequirementRow, "The requirement, as it is now.", own="requirement_id"
    )
    resolution: Resolution | None = changed_field(
        "Resolution", ResolutionRow, "The decision, or the proposal of one."
    )


@strawberry.input(description="What every mutation of a resolution takes.")
class ResolutionInput(ObjectInput):
    """Which resolution."""

    prefix = ids.RESOLUTION

    expected_version: int | None = version_of("the resolution")
    id: strawberry.ID = strawberry.field(description="The resolution.")


@strawberry.input(description="Which proposal to make final.")
class ResolutionApproveInput(ResolutionInput):
    """Which resolution."""

    def command(self) -> decisions.ApproveResolution:
        return decisions.ApproveResolution(**self.shared())


@strawberry.type(description="The final decision.")
class ResolutionApprovePayload(DecisionPayload):
    """What resolutionApprove answers."""


@strawberry.input(description="Which proposal to turn down.")
class ResolutionDeclineInput(ResolutionInput):
    """Which resolution, and why."""

    reason: str | None = strawberry.field(default=None, description="Why, for staff.")

    def command(self) -> decisions.DeclineResolution:
        return decisions.DeclineResolution(reason=self.reason, **self.shared())


@strawberry.type(description="The declined proposal.")
class ResolutionDeclinePayload(DecisionPayload):
    """What resolutionDecline answers."""


@strawberry.type(description="Mutations of decisions.")
class ResolutionMutations:
    """The fields of the root type Mutation that concern decisions."""

    resolution_approve: ResolutionApprovePayload = mutation(
        "resolutionApprove",
        decisions.approve_resolution,
        ResolutionApproveInput,
        "Make somebody else's proposal final, with its effect; a waiver takes the scope that "
        "proposing it takes.",
        (
            EventType.REQUIREMENT_APPROVED,
            EventType.REQUIREMENT_REJECTED,
            EventType.REQUIREMENT_WAIVED,
            *DECIDED,
        ),
        argument="Which proposal.",
    )
    resolution_decline: ResolutionDeclinePayload = mutation(
        "resolutionDecline",
        decisions.decline_resolution,
        ResolutionDeclineInput,
        "Turn somebody else's proposal down; the requirement stays as it is.",
        (EventType.RESOLUTION_DECLINED,),
        argument="Which proposal.",
    )
