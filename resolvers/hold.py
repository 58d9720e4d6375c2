"""Holds: direct restrictions of capabilities."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.hold import HOLDS, permissions
from models.listing import record_class
from models.permission import Permission
from models.status import CapabilityKind, HoldReason, hold_is_on
from resolvers import ids
from resolvers.audiences import shows
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.loading import account_field
from resolvers.node import Actor, Node, actor_field, node_id, rows_of
from resolvers.permission import HoldActionPermission
from resolvers.selection import register_columns

if TYPE_CHECKING:
    from resolvers.account import Account


def _notes(parents: Parents, info: Info) -> list[str | None]:
    shown = shows(info, "Hold", "note")
    return [row["note"] if shown else None for row in parents]


def _active(parents: Parents, info: Info) -> list[bool]:
    return [hold_is_on(row, info.context.now) for row in parents]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    return [permissions(row, info.context.actor, info.context.now) for row in parents]


@strawberry.type(description="A direct restriction of capabilities by a person or a system.")
class Hold(Node):
    """It is on until it is released or expires."""

    is_type_of = rows_of(record_class(HOLDS), "Hold")

    id: strawberry.ID = node_id(ids.HOLD, "hold")
    account: Annotated["Account", strawberry.lazy("resolvers.account")] = account_field()
    capabilities: list[CapabilityKind] = strawberry.field(
        description="The capabilities that it restricts."
    )
    reason: HoldReason = strawberry.field(description="Why it was placed.")
    note: str | None = batched(
        _notes, description="A note of staff; not shown to account users.", needs=("note",)
    )
    active: bool = batched(
        _active,
        description="Whether it restricts now.",
        needs=("released_at", "expires_at"),
    )
    expires_at: datetime | None = strawberry.field(
        description="The instant at which it ends by itself."
    )
    placed_by: Actor = actor_field("placed_by", "Who placed it.")
    released_by: Actor | None = actor_field("released_by", "Who released it.")
    released_at: datetime | None = strawberry.field(description="The instant of its release.")
    version: int = strawberry.field(description="How often it has changed, from 1.")
    allowed_actions: list[HoldActionPermission] = batched(
        _permissions,
        description="What the viewer may do with it now, and why not otherwise.",
        needs=("released_at", "expires_at"),
    )
    created_at: datetime = strawberry.field(description="The instant at which it was placed.")
    updated_at: datetime = strawberry.field(description="The instant of its last change.")


register_columns(Hold, HOLDS)
