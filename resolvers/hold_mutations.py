"""Mutations of holds."""

from datetime import datetime

import strawberry

from models import hold as operations
from models.events import DERIVED, TOLD, EventType
from models.hold import Hold as HoldRow
from models.status import CapabilityKind, HoldReason
from resolvers import ids
from resolvers.account import Account
from resolvers.hold import Hold
from resolvers.mutation import (
    ObjectInput,
    OnAccountInput,
    Payload,
    account_of_payload,
    changed_field,
    mutation,
    version_of,
)
from resolvers.scalars import plain


@strawberry.type(description="What mutations of a hold answer.")
class HoldPayload(Payload):
    """The hold and its account."""

    hold: Hold | None = changed_field("Hold", HoldRow, "The hold, as it is now.")
    account: Account | None = account_of_payload()


@strawberry.input(description="A new hold.")
class HoldPlaceInput(OnAccountInput):
    """What a hold restricts and why."""

    capabilities: list[CapabilityKind] = strawberry.field(
        description="The capabilities to restrict; at least one."
    )
    reason: HoldReason = strawberry.field(description="Why.")
    note: str | None = strawberry.field(
        default=None, description="A note for staff; at most 5,000 characters."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="The instant at which it ends by itself."
    )

    def command(self) -> operations.PlaceHold:
        return operations.PlaceHold(
            capabilities=tuple(plain(kind) for kind in self.capabilities),
            reason=plain(self.reason),
            note=self.note,
            expires_at=self.expires_at,
            **self.shared(),
        )


@strawberry.type(description="The new hold.")
class HoldPlacePayload(HoldPayload):
    """What holdPlace answers."""


@strawberry.input(description="The hold to release.")
class HoldReleaseInput(ObjectInput):
    """Which hold."""

    prefix = ids.HOLD

    expected_version: int | None = version_of("the hold")
    id: strawberry.ID = strawberry.field(description="The hold.")

    def command(self) -> operations.ReleaseHold:
        return operations.ReleaseHold(**self.shared())


@strawberry.type(description="The released hold.")
class HoldReleasePayload(HoldPayload):
    """What holdRelease answers."""


@strawberry.type(description="Mutations of holds.")
class HoldMutations:
    """The fields of the root type Mutation that concern holds."""

    hold_place: HoldPlacePayload = mutation(
        "holdPlace",
        operations.place,
        HoldPlaceInput,
        "Restrict capabilities of an account at once.",
        (EventType.HOLD_PLACED, *TOLD, *DERIVED),
        argument="The hold.",
    )
    hold_release: HoldReleasePayload = mutation(
        "holdRelease",
        operations.release,
        HoldReleaseInput,
        "End a hold.",
        (EventType.HOLD_RELEASED, *TOLD, *DERIVED),
        argument="Which hold.",
    )
