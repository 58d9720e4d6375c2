"""Mutations that say whom else a requirement waits for."""

import strawberry

from models import referral as operations
from models.events import EventType
from resolvers.mutation import mutation
from resolvers.requirement_mutations import RequirementInput, RequirementPayload


@strawberry.input(description="What waits for whom.")
class RequirementReferInput(RequirementInput):
    """A third party."""

    to: str = strawberry.field(
        description=(
            "Whom it waits for (a bank, a register, an authority), in words for the account's "
            "user; at most 200 characters."
        )
    )
    note: str | None = strawberry.field(
        default=None,
        description="A note for staff about it, as `noteAdd` takes; at most 5,000 characters.",
    )

    def command(self) -> operations.Refer:
        return operations.Refer(to=self.to, note=self.note, **self.shared())


@strawberry.type(description="The requirement that waits for a third party.")
class RequirementReferPayload(RequirementPayload):
    """What requirementRefer answers."""


@strawberry.input(description="What no longer waits for a third party.")
class RequirementRecallInput(RequirementInput):
    """Which requirement."""

    def command(self) -> operations.Recall:
        return operations.Recall(**self.shared())


@strawberry.type(description="The requirement that is back with the platform.")
class RequirementRecallPayload(RequirementPayload):
    """What requirementRecall answers."""


@strawberry.type(description="Mutations that say whom else a requirement waits for.")
class ReferralMutations:
    """The fields of the root type Mutation that concern third parties."""

    requirement_refer: RequirementReferPayload = mutation(
        "requirementRefer",
        operations.refer,
        RequirementReferInput,
        "Say that the platform waits for somebody else about a requirement that it has to review, "
        "be it because of an appeal. Time is theirs until it is recalled or its state leaves "
        "SUBMITTED and IN_REVIEW; the promise to review rests meanwhile.",
        (EventType.REQUIREMENT_REFERRED, EventType.NOTE_ADDED),
        argument="Whom it waits for.",
    )
    requirement_recall: RequirementRecallPayload = mutation(
        "requirementRecall",
        operations.recall,
        RequirementRecallInput,
        "Say that nobody else is waited for any more: it is the platform's turn again, and what "
        "was left of the promise to review runs on.",
        (EventType.REQUIREMENT_RECALLED,),
        argument="Which requirement.",
    )
