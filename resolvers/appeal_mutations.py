"""Mutations of appeals: objecting to a rejection, and deciding on the objection."""

import strawberry

from models import appeal as operations
from models.events import DERIVED, TOLD, EventType
from resolvers.mutation import mutation
from resolvers.requirement_mutations import RequirementInput
from resolvers.resolution_mutations import DecisionPayload, ResolutionInput


@strawberry.input(description="What is appealed, and why.")
class RequirementAppealInput(RequirementInput):
    """A rejected requirement and a statement."""

    statement: str = strawberry.field(
        description="Why the rejection is wrong; at most 5,000 characters."
    )

    def command(self) -> operations.Appeal:
        return operations.Appeal(statement=self.statement, **self.shared())


@strawberry.type(description="The appealed rejection, and its requirement in review again.")
class RequirementAppealPayload(DecisionPayload):
    """What requirementAppeal answers."""


@strawberry.input(description="What every decision on an appeal takes.")
class AppealDecisionInput(ResolutionInput):
    """The appealed resolution and reasons."""

    reasons: str = strawberry.field(
        description="Why, in words for the account's user; at most 5,000 characters."
    )

    def command(self) -> operations.DecideAppeal:
        return operations.DecideAppeal(reasons=self.reasons, **self.shared())


@strawberry.input(description="Which rejection stands, and why.")
class ResolutionUpholdInput(AppealDecisionInput):
    """The appealed resolution and reasons."""


@strawberry.type(description="The rejection that stands.")
class ResolutionUpholdPayload(DecisionPayload):
    """What resolutionUphold answers."""


@strawberry.input(description="Which rejection is reversed, and why.")
class ResolutionOverturnInput(AppealDecisionInput):
    """The appealed resolution and reasons."""


@strawberry.type(description="The rejection that was reversed, and the requirement, satisfied.")
class ResolutionOverturnPayload(DecisionPayload):
    """What resolutionOverturn answers."""


@strawberry.type(description="Mutations of appeals.")
class AppealMutations:
    """The fields of the root type Mutation that concern appeals."""

    requirement_appeal: RequirementAppealPayload = mutation(
        "requirementAppeal",
        operations.appeal,
        RequirementAppealInput,
        "Appeal a rejection, once and before the appeal deadline. What it restricts stays "
        "restricted until somebody who took no part in it overturns it.",
        (EventType.REQUIREMENT_APPEALED, *TOLD, *DERIVED),
        argument="What is appealed.",
    )
    resolution_uphold: ResolutionUpholdPayload = mutation(
        "resolutionUphold",
        operations.uphold,
        ResolutionUpholdInput,
        "Let an appealed rejection stand, for good. Whoever proposed or took it may not.",
        (EventType.RESOLUTION_UPHELD, EventType.REQUIREMENT_REJECTED, *TOLD, *DERIVED),
        argument="Which rejection.",
    )
    resolution_overturn: ResolutionOverturnPayload = mutation(
        "resolutionOverturn",
        operations.overturn,
        ResolutionOverturnInput,
        "Reverse an appealed rejection: its requirement is satisfied. Whoever proposed or took it "
        "may not.",
        (
            EventType.RESOLUTION_OVERTURNED,
            EventType.REQUIREMENT_APPROVED,
            EventType.REQUIREMENT_CANCELED,
            EventType.REQUIREMENT_UPDATED,
            EventType.RESOLUTION_DECLINED,
            *TOLD,
            *DERIVED,
        ),
        argument="Which rejection.",
    )
