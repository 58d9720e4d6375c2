"""Mutations of holds."""

from datetime import datetime
from typing import Annotated

import strawberry

from models import hold as operations
from models.events import DERIVED, EventType
from models.hold import Hold as HoldRow
from models.status import CapabilityKind, HoldReason
from resolvers import ids
from resolvers.account import Account
from resolvers.account_mutations import account_of_payload
from resolvers.context import Info
from resolvers.hold import Hold
from resolvers.mutation import (
    Payload,
    Result,
    VersionedInput,
    changed_field,
    keyed,
    mutate,
    mutation,
)
from resolvers.pagination import plain


@strawberry.input(description="A new hold.")
class HoldPlaceInput(VersionedInput):
    """What a hold restricts and why."""

    account_id: strawberry.ID = strawberry.field(description="The account.")
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


@strawberry.type(description="The new hold.")
class HoldPlacePayload(Payload):
    """What holdPlace answers."""

    hold: Hold | None = changed_field("Hold", HoldRow, "The hold, as it is now.")
    account: Account | None = account_of_payload()


async def hold_place(
    info: Info, input: Annotated[HoldPlaceInput, strawberry.argument(description="The hold.")]
) -> Result:
    """Restrict capabilities at once."""

    def build() -> operations.PlaceHold:
        return operations.PlaceHold(
            account_id=ids.decode_account(input.account_id, "accountId"),
            capabilities=tuple(plain(kind) for kind in input.capabilities),
            reason=plain(input.reason),
            note=input.note,
            expires_at=input.expires_at,
            **keyed(input),
        )

    return await mutate(info, operations.place, build)


@strawberry.input(description="The hold to release.")
class HoldReleaseInput(VersionedInput):
    """Which hold."""

    id: strawberry.ID = strawberry.field(description="The hold.")


@strawberry.type(description="The released hold.")
class HoldReleasePayload(Payload):
    """What holdRelease answers."""

    hold: Hold | None = changed_field("Hold", HoldRow, "The hold, as it is now.")
    account: Account | None = account_of_payload()


async def hold_release(
    info: Info, input: Annotated[HoldReleaseInput, strawberry.argument(description="Which hold.")]
) -> Result:
    """End a hold."""

    def build() -> operations.ReleaseHold:
        account_id, hold_id = ids.decode(input.id, ids.HOLD, "id")
        return operations.ReleaseHold(account_id=account_id, hold_id=hold_id, **keyed(input))

    return await mutate(info, operations.release, build)


@strawberry.type(description="Mutations of holds.")
class HoldMutations:
    """The fields of the root type Mutation that concern holds."""

    hold_place: HoldPlacePayload = mutation(
        hold_place,
        "Restrict capabilities of an account at once.",
        operations.PLACERS,
        (EventType.HOLD_PLACED, *DERIVED),
    )
    hold_release: HoldReleasePayload = mutation(
        hold_release,
        "End a hold.",
        operations.PLACERS,
        (EventType.HOLD_RELEASED, *DERIVED),
    )
