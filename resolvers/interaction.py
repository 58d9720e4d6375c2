"""Interactions: the contacts with an account's user."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.interaction import (
    INTERACTIONS,
    REPLIES,
    DashboardOnly,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionState,
    permissions,
)
from models.interaction_reads import INTERACTIONS_OF_REQUIREMENT, requirements_of_interactions
from models.permission import Permission
from models.reading import Record
from resolvers import ids
from resolvers.audiences import shows
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.evidence import Document, documents_in
from resolvers.lists import Listing
from resolvers.loading import OF_ACCOUNT, account_field, reference_field
from resolvers.node import Actor, Node, actor_field, node_id, rows_of
from resolvers.pagination import Connection, DateTimeRange, Filtered, OrderDirection
from resolvers.permission import InteractionActionPermission
from resolvers.selection import asked_columns, register_columns

if TYPE_CHECKING:
    from resolvers.account import Account
    from resolvers.requirement import Requirement


@strawberry.type(description="Why a contact could not be sent.")
class InteractionFailure:
    """A code for all, and what was said for staff."""

    code: str = strawberry.field(description="The provider's or channel's code.")
    message: str = strawberry.field(description="What went wrong, in words for both sides.")
    detail: str | None = strawberry.field(
        description="For staff: what the mail server or the provider said, in its words."
    )


def _failures(parents: Parents, info: Info) -> list[InteractionFailure | None]:
    shown = shows(info, "InteractionFailure", "detail")
    return [
        None
        if row["failure"] is None
        else InteractionFailure(**row["failure"], detail=row["failure_said"] if shown else None)
        for row in parents
    ]


async def _requirements(parents: Parents, info: Info) -> list[list[Record]]:
    keys = [(row["account_id"], row["id"]) for row in parents]
    columns = asked_columns(info, "Requirement")
    return await requirements_of_interactions(info.context.reader, keys, columns)


def _next_attempts(parents: Parents, info: Info) -> list[datetime | None]:
    shown = shows(info, "Interaction", "nextAttemptAt")
    return [row["attempt_at"] if shown else None for row in parents]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    return [permissions(row, info.context.actor) for row in parents]


# The oldest first, as in a thread.
replies_of_interactions = Listing(INTERACTIONS, "Interaction").of_each(
    "interaction.replies", REPLIES
)


@strawberry.type(
    description="One contact with the account's user, about requirements or the account itself."
)
class Interaction(Node):
    """A request, reminder, notice, message or decision."""

    is_type_of = rows_of(INTERACTIONS.record, "Interaction")

    id: strawberry.ID = node_id(ids.INTERACTION, "interaction")
    account: Annotated["Account", strawberry.lazy("resolvers.account")] = account_field()
    requirements: list[Annotated["Requirement", strawberry.lazy("resolvers.requirement")]] = (
        batched(
            _requirements,
            description="What the contact is about; none where that is the account itself.",
            needs=("account_id", "id"),
        )
    )
    purpose: InteractionPurpose = strawberry.field(description="What the contact is for.")
    channel: InteractionChannel = strawberry.field(description="How the contact travels.")
    direction: InteractionDirection = strawberry.field(
        description="Whether it goes to the account's user or comes from them."
    )
    state: InteractionState = strawberry.field(description="Where the contact stands.")
    subject: str | None = strawberry.field(description="The subject line of the contact.")
    body: str = strawberry.field(description="The text of the contact.")
    author: Actor = actor_field("author", "Who wrote it.")
    attachments: list[Document] = batched(
        documents_in("attachments"),
        description="The documents that go with it.",
        needs=("attachments",),
    )
    in_reply_to: Annotated["Interaction", strawberry.lazy("resolvers.interaction")] | None = (
        reference_field(
            "Interaction", INTERACTIONS.table, "in_reply_to_id", "The contact that it answers."
        )
    )
    replies: Connection[Annotated["Interaction", strawberry.lazy("resolvers.interaction")]] = (
        batched(
            replies_of_interactions,
            description="The contacts that answer it, the oldest first.",
            needs=("account_id", "id"),
        )
    )
    scheduled_for: datetime | None = strawberry.field(
        description="The instant at which it is to go out."
    )
    sent_at: datetime | None = strawberry.field(
        description=(
            "The instant at which it went out; of what failed and is scheduled again, none until "
            "it goes out again."
        )
    )
    first_sent_at: datetime | None = strawberry.field(
        description=(
            "The instant at which it first went out. From then on its content stays as it is, and "
            "the account's user sees it, whatever comes of it."
        )
    )
    delivered_at: datetime | None = strawberry.field(
        description="The instant at which it arrived, where the channel tells."
    )
    viewed_at: datetime | None = strawberry.field(
        description="The instant at which it was read, where the channel tells."
    )
    responded_at: datetime | None = strawberry.field(
        description="The instant at which it was answered."
    )
    failure: InteractionFailure | None = batched(
        _failures, description="Why it could not be sent.", needs=("failure", "failure_said")
    )
    mailed_at: datetime | None = strawberry.field(
        description="The instant at which a mail server took it, where it is an e-mail."
    )
    dashboard_only: DashboardOnly | None = strawberry.field(
        description="Why it is shown in the dashboard and was not mailed, where it is an e-mail."
    )
    next_attempt_at: datetime | None = batched(
        _next_attempts,
        description="For staff: the instant at which an e-mail is given to the mail server next.",
        needs=("attempt_at",),
    )
    allowed_actions: list[InteractionActionPermission] = batched(
        _permissions,
        description="What the viewer may do with it now, and why not otherwise.",
        needs=("state",),
    )
    version: int = strawberry.field(description="How often the contact has changed, from 1.")
    created_at: datetime = strawberry.field(description="The instant at which it was made.")
    updated_at: datetime = strawberry.field(description="The instant of its last change.")


register_columns(Interaction, INTERACTIONS.table)


@strawberry.enum(description="What interactions are sorted by.")
class InteractionOrderField(Enum):
    """The orders of interactions."""

    CREATED_AT = strawberry.enum_value("CREATED_AT", description="When it was made.")
    SCHEDULED_FOR = strawberry.enum_value(
        "SCHEDULED_FOR", description="When it is to go out; what has no time comes last."
    )


@strawberry.input(description="The order of interactions.")
class InteractionOrder:
    """A field and a direction."""

    field: InteractionOrderField = strawberry.field(description="What to sort by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way."
    )


@strawberry.input(description="Which interactions; conditions combine with AND.")
class InteractionFilter:
    """A filter of interactions."""

    account_id: strawberry.ID | None = strawberry.field(
        default=None, description="Those of this account."
    )
    state: list[InteractionState] | None = strawberry.field(
        default=None, description="Those in one of these states."
    )
    purpose: list[InteractionPurpose] | None = strawberry.field(
        default=None, description="Those with one of these purposes."
    )
    channel: list[InteractionChannel] | None = strawberry.field(
        default=None, description="Those over one of these channels."
    )
    direction: list[InteractionDirection] | None = strawberry.field(
        default=None,
        description=(
            "Those in one of these directions. What accounts' users wrote and nobody has answered "
            "yet is INBOUND, and in the state DELIVERED or VIEWED."
        ),
    )
    created_at: DateTimeRange | None = strawberry.field(
        default=None, description="Those made in this span of time."
    )


InteractionFilterArgument = Annotated[
    InteractionFilter | None, strawberry.argument(description="Which interactions.")
]
InteractionOrderArgument = Annotated[
    InteractionOrder | None,
    strawberry.argument(description="The order; without it, by when they were made."),
]


def _filtered(_info: Info, given: InteractionFilter) -> Filtered:
    found = Filtered()
    if given.account_id is not None:
        found.account_id = ids.account_of(given.account_id, "filter", "accountId")
    found.states(given.state)
    found.among("purpose", given.purpose, "purpose")
    found.among("channel", given.channel, "channel")
    found.among("direction", given.direction, "direction")
    found.between("created", given.created_at)
    return found


_LISTED = Listing(
    INTERACTIONS, "Interaction", InteractionFilterArgument, _filtered, InteractionOrderArgument
)
interactions = _LISTED.at_root("interactions")
interactions_of_accounts = _LISTED.of_each("account.interactions", OF_ACCOUNT)
interactions_of_requirements = _LISTED.of_each(
    "requirement.interactions", INTERACTIONS_OF_REQUIREMENT
)
