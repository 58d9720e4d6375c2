"""Resolutions: decisions, and the second pair of eyes on them."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.permission import Permission
from models.requirement_reads import REQUIREMENTS
from models.resolution import (
    DECIDED_STATES,
    RESOLUTIONS,
    ResolutionOutcome,
    ResolutionState,
    permissions,
)
from resolvers import ids
from resolvers.batching import Parents, batched, themselves
from resolvers.context import Info
from resolvers.lists import Listing
from resolvers.loading import OF_ACCOUNT, OF_REQUIREMENT, account_field, reference_field
from resolvers.node import Actor, Node, actor_field, node_id, rows_of, shown_actor
from resolvers.pagination import DateTimeRange, Filtered, OrderDirection
from resolvers.permission import ResolutionActionPermission
from resolvers.selection import register_columns
from resolvers.statement import APPEAL, STATEMENT, Appeal, StatementOfReasons, appeals

if TYPE_CHECKING:
    from resolvers.account import Account
    from resolvers.requirement import Requirement


def _approved_by(parents: Parents, info: Info) -> list[Actor | None]:
    return [
        shown_actor(info, row, "decided_by")
        if row["four_eyes"] and row["state"] in DECIDED_STATES
        else None
        for row in parents
    ]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    return [permissions(row, info.context.actor) for row in parents]


@strawberry.type(description="A decision on a requirement.")
class Resolution(Node):
    """An outcome with its reasons, and who decided."""

    is_type_of = rows_of(RESOLUTIONS.record, "Resolution")

    id: strawberry.ID = node_id(ids.RESOLUTION, "resolution")
    account: Annotated["Account", strawberry.lazy("resolvers.account")] = account_field()
    requirement: Annotated["Requirement", strawberry.lazy("resolvers.requirement")] = (
        reference_field("Requirement", REQUIREMENTS.table, "requirement_id", "What was decided on.")
    )
    outcome: ResolutionOutcome = strawberry.field(description="How the requirement ends.")
    state: ResolutionState = strawberry.field(description="Where the decision stands.")
    reason_code: str = strawberry.field(
        description=(
            "The reason, as a code of the program, or evidence_accepted, which approvals under "
            "every program may give."
        )
    )
    statement: StatementOfReasons = batched(
        themselves, description="Why it was decided so.", needs=STATEMENT
    )
    four_eyes: bool = strawberry.field(
        description="Whether the decision takes a second pair of eyes."
    )
    proposed_by: Actor = actor_field("proposed_by", "Who decided, or proposed to.")
    approved_by: Actor | None = batched(
        _approved_by,
        description="Whose second pair of eyes made it final.",
        needs=("four_eyes", "state", "decided_by_kind", "decided_by_id", "decided_by_name"),
    )
    decided_by: Actor | None = actor_field("decided_by", "Who made it final or declined it.")
    decline_reason: str | None = strawberry.field(description="Why it was declined.")
    appeal: Appeal | None = batched(
        appeals, description="The objection to it, if there is one.", needs=APPEAL
    )
    version: int = strawberry.field(description="How often the decision has changed, from 1.")
    allowed_actions: list[ResolutionActionPermission] = batched(
        _permissions,
        description="What the viewer may do with the decision now, and why not otherwise.",
        needs=(
            *("state", "outcome"),
            *("proposed_by_id", "decided_by_id", "appealed_by_id"),
        ),
    )
    created_at: datetime = strawberry.field(description="The instant at which it was proposed.")
    updated_at: datetime = strawberry.field(description="The instant of its last change.")
    decided_at: datetime | None = strawberry.field(
        description="The instant at which it became final or was declined."
    )


register_columns(Resolution, RESOLUTIONS.table)


@strawberry.enum(description="What resolutions are sorted by.")
class ResolutionOrderField(Enum):
    """The orders of resolutions."""

    CREATED_AT = strawberry.enum_value("CREATED_AT", description="When it was proposed.")


@strawberry.input(description="The order of resolutions.")
class ResolutionOrder:
    """A field and a direction."""

    field: ResolutionOrderField = strawberry.field(description="What to sort by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way."
    )


@strawberry.input(description="Which resolutions; conditions combine with AND.")
class ResolutionFilter:
    """A filter of resolutions."""

    account_id: strawberry.ID | None = strawberry.field(
        default=None, description="Those of this account."
    )
    state: list[ResolutionState] | None = strawberry.field(
        default=None, description="Those in one of these states."
    )
    outcome: list[ResolutionOutcome] | None = strawberry.field(
        default=None, description="Those with one of these outcomes."
    )
    reason_code: list[str] | None = strawberry.field(
        default=None, description="Those with one of these reason codes."
    )
    created_at: DateTimeRange | None = strawberry.field(
        default=None, description="Those proposed in this span of time."
    )


ResolutionFilterArgument = Annotated[
    ResolutionFilter | None, strawberry.argument(description="Which resolutions.")
]
ResolutionOrderArgument = Annotated[
    ResolutionOrder | None,
    strawberry.argument(description="The order; without it, by when they were proposed."),
]


def _filtered(_info: Info, given: ResolutionFilter) -> Filtered:
    found = Filtered()
    if given.account_id is not None:
        found.account_id = ids.account_of(given.account_id, "filter", "accountId")
    found.states(given.state)
    found.among("outcome", given.outcome, "outcome")
    found.among("reason_code", given.reason_code, "reasonCode")
    found.between("created", given.created_at)
    return found


_LISTED = Listing(
    RESOLUTIONS, "Resolution", ResolutionFilterArgument, _filtered, ResolutionOrderArgument
)
resolutions = _LISTED.at_root("resolutions")
resolutions_of_accounts = _LISTED.of_each("account.resolutions", OF_ACCOUNT)
resolutions_of_requirements = _LISTED.of_each("requirement.resolutions", OF_REQUIREMENT)
