"""Accounts: the businesses, with what they may do."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry

from models.account import ACCOUNTS, MAX_EXTERNAL_ID_LENGTH, permissions
from models.aggregate import RiskTier
from models.errors import InvalidInput, NotFound
from models.hold import HOLDS
from models.ids import account_id_for, hex_id
from models.lookup import accounts_by_id, rows_by_account
from models.permission import Permission
from models.reading import Record
from models.requirement_reads import requirement_summaries
from models.search import MAX_SEARCH_WORDS, prefix_end, terms
from models.status import AccountStatus, hold_is_on, is_due
from models.text import check_text
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.capability import (
    CATCHING_UP,
    HOLDING_COLUMNS,
    Capability,
    capabilities_of_accounts,
    caught_up,
)
from resolvers.context import Info
from resolvers.errors import query_error
from resolvers.event import Event, timelines
from resolvers.hold import Hold
from resolvers.interaction import Interaction, interactions_of_accounts
from resolvers.lists import Listing
from resolvers.node import Node, rows_of
from resolvers.pagination import (
    MAX_FILTER_LENGTH,
    Connection,
    DateTimeRange,
    Filtered,
    OrderDirection,
)
from resolvers.permission import AccountActionPermission
from resolvers.rejection import (
    REINSTATEMENT,
    REJECTION,
    AccountReinstatement,
    AccountRejection,
    reinstatements,
    rejections,
)
from resolvers.requirement import Requirement
from resolvers.requirement_list import requirements_of_accounts
from resolvers.resolution import Resolution, resolutions_of_accounts
from resolvers.scalars import CountryCode, DisabledReason
from resolvers.selection import asked_columns, register_columns


def _as_derived(name: str) -> Callable[[Parents, Info], Any]:
    """What gives a column of accounts, but for what time has changed since it was written."""

    async def catch_up(parents: Parents, info: Info) -> list[Any]:
        derived = await caught_up(info, parents)
        return [
            getattr(derived[row["account_id"]], name) if row["account_id"] in derived else row[name]
            for row in parents
        ]

    def resolve(parents: Parents, info: Info) -> Any:
        now = info.context.now
        if any(is_due(row["next_change_at"], now) for row in parents):
            return catch_up(parents, info)
        return [row[name] for row in parents]

    return resolve


@strawberry.type(description="How many requirements an account has to care for.")
class RequirementSummary:
    """Numbers of open requirements, each by its own due status."""

    currently_due: int = strawberry.field(description="How many are due now.")
    eventually_due: int = strawberry.field(description="How many become due later.")
    past_due: int = strawberry.field(description="Of how many the deadline has passed.")
    pending_verification: int = strawberry.field(description="How many wait for the platform.")
    next_deadline: datetime | None = strawberry.field(
        description="The earliest deadline of what the account has to provide: not of what is "
        "waited for no longer, since an alternative was submitted."
    )


NOTHING_OPEN = RequirementSummary(
    currently_due=0, eventually_due=0, past_due=0, pending_verification=0, next_deadline=None
)


async def _summaries(parents: Parents, info: Info) -> list[Any]:
    account_ids = [row["account_id"] for row in parents]
    found = await requirement_summaries(info.context.reader, account_ids, info.context.now)
    return [
        NOTHING_OPEN
        if row is None
        else RequirementSummary(
            currently_due=row["currently_due"],
            eventually_due=row["eventually_due"],
            past_due=row["past_due"],
            pending_verification=row["pending_verification"],
            next_deadline=account["next_deadline"],
        )
        for account, row in zip(parents, found, strict=True)
    ]


def _ids(parents: Parents) -> list[str]:
    return [ids.encode_one(ids.ACCOUNT, row["account_id"]) for row in parents]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    return [permissions(row, info.context.actor) for row in parents]


async def _holds(
    parents: Parents,
    info: Info,
    include_released: Annotated[
        bool, strawberry.argument(description="Whether to show those that have ended, too.")
    ] = False,
) -> list[list[Record]]:
    columns = (*HOLDING_COLUMNS, *asked_columns(info, "Hold"))
    keys = [row["account_id"] for row in parents]
    found = await rows_by_account(info.context.reader, HOLDS, keys, columns, ("id",))
    now = info.context.now
    return [[h for h in holds if include_released or hold_is_on(h, now)] for holds in found]  # type: ignore[arg-type]


@strawberry.type(description="A business on the platform.")
class Account(Node):
    """What it is, what it may do, and what it is asked for."""

    is_type_of = rows_of(ACCOUNTS.record, "Account")

    id: strawberry.ID = batched(
        _ids, description="The global id of the account, opaque.", needs=("account_id",)
    )
    external_id: str = strawberry.field(description="The platform's own id of it.")
    business_name: str = strawberry.field(description="The name of the business.")
    email: str | None = strawberry.field(description="The e-mail address of the business.")
    country: CountryCode = strawberry.field(description="The country of the business.")
    risk_tier: RiskTier = strawberry.field(description="How closely it is watched.")
    status: AccountStatus = batched(
        _as_derived("status"),
        description="The account as a whole.",
        may_wait=True,
        needs=("account_id", "status", *CATCHING_UP),
    )
    disabled_reason: DisabledReason | None = batched(
        _as_derived("disabled_reason"),
        may_wait=True,
        description="Why it is restricted, under review or rejected.",
        needs=("account_id", "disabled_reason", *CATCHING_UP),
    )
    rejection: AccountRejection | None = batched(
        rejections,
        description="Why the platform has rejected it, which restricts all of its capabilities; "
        "missing also for what was rejected before reasons were asked for.",
        needs=REJECTION,
    )
    reinstatement: AccountReinstatement | None = batched(
        reinstatements,
        description="Why the platform has taken its last rejection back; missing while it is "
        "rejected, and where it never was.",
        needs=REINSTATEMENT,
    )
    capabilities: list[Capability] = batched(
        capabilities_of_accounts,
        description="What it may do, one entry per kind.",
        needs=("account_id", *CATCHING_UP),
    )
    requirement_summary: RequirementSummary = batched(
        _summaries,
        description="How many requirements it has to care for.",
        needs=("account_id", "next_deadline"),
    )
    requirements: Connection[Requirement] = batched(
        requirements_of_accounts, description="What it is asked for.", needs=("account_id",)
    )
    interactions: Connection[Interaction] = batched(
        interactions_of_accounts, description="The contacts with its user.", needs=("account_id",)
    )
    resolutions: Connection[Resolution] = batched(
        resolutions_of_accounts, description="The decisions on it.", needs=("account_id",)
    )
    holds: list[Hold] = batched(
        _holds, description="The holds on it, the oldest first.", needs=("account_id",)
    )
    timeline: Connection[Event] = batched(
        timelines, description="What happened to it, the oldest first.", needs=("account_id",)
    )
    version: int = strawberry.field(
        description="How often its profile, status or reason has changed, from 1."
    )
    allowed_actions: list[AccountActionPermission] = batched(
        _permissions,
        description="What the viewer may do with it now, and why not otherwise.",
        needs=("rejected_reason",),
    )
    created_at: datetime = strawberry.field(description="The instant at which it was made.")
    updated_at: datetime = strawberry.field(description="The instant of its last change.")


register_columns(Account, ACCOUNTS.table)


@strawberry.enum(description="What accounts are sorted by.")
class AccountOrderField(Enum):
    """The orders of accounts."""

    CREATED_AT = strawberry.enum_value("CREATED_AT", description="When it was made.")
    NEXT_DEADLINE = strawberry.enum_value(
        "NEXT_DEADLINE",
        description="The earliest deadline of what waits for it; what has none comes last.",
    )


@strawberry.input(description="The order of accounts.")
class AccountOrder:
    """A field and a direction."""

    field: AccountOrderField = strawberry.field(description="What to sort by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way."
    )


@strawberry.input(description="Which accounts; conditions combine with AND.")
class AccountFilter:
    """A filter of accounts."""

    status: list[AccountStatus] | None = strawberry.field(
        default=None,
        description="The status is one of these, as it was last derived: where time alone has "
        "changed it, that is a moment ago.",
    )
    risk_tier: list[RiskTier] | None = strawberry.field(
        default=None, description="Those in one of these risk tiers."
    )
    country: list[CountryCode] | None = strawberry.field(
        default=None, description="Those in one of these countries."
    )
    search: str | None = strawberry.field(
        default=None,
        description=(
            "Those whose business name or external id has, for each of the first five words given, "
            "a word that begins with it. Case and accents don't matter."
        ),
    )
    created_at: DateTimeRange | None = strawberry.field(
        default=None, description="Those made in this span of time."
    )


AccountFilterArgument = Annotated[
    AccountFilter | None, strawberry.argument(description="Which accounts.")
]
AccountOrderArgument = Annotated[
    AccountOrder | None,
    strawberry.argument(description="The order; without it, by when they were made."),
]


def _filtered(_info: Info, given: AccountFilter) -> Filtered:
    found = Filtered()
    found.states(given.status)
    found.among("risk_tier", given.risk_tier, "riskTier")
    found.among("country", given.country, "country")
    found.between("created", given.created_at)
    if given.search is not None:
        _search(found, given.search)
    return found


def _search(found: Filtered, text: str) -> None:
    check_text(text, MAX_FILTER_LENGTH, "filter", "search")
    words = terms(text)
    if not words:
        raise InvalidInput("Search by at least one letter or digit.", ("filter", "search"))
    for n, word in enumerate(words[:MAX_SEARCH_WORDS]):
        bound = {f"term_{n}": word, f"term_{n}_end": prefix_end(word)}
        found.conditions[f"term_{n}"] = bound


async def account(
    info: Info,
    id: Annotated[
        strawberry.ID | None, strawberry.argument(description="The global id of the account.")
    ] = None,
    external_id: Annotated[
        str | None, strawberry.argument(description="The platform's own id of the account.")
    ] = None,
) -> Record | None:
    """One account, by either id."""
    if (id is None) == (external_id is None):
        raise InvalidInput("Give either `id` or `externalId`.", ("id",))
    field = "externalId" if id is None else "id"
    if id is not None:
        account_id = ids.account_of(id, field)
    else:
        text = check_text(external_id or "", MAX_EXTERNAL_ID_LENGTH, field)
        account_id = hex_id(account_id_for(info.context.actor.platform_id, text))
    info.context.spend(1)
    columns = asked_columns(info, "Account")
    [row] = await accounts_by_id(info.context.reader, ACCOUNTS.table, [account_id], columns)
    if row is None:
        raise query_error(NotFound("account", (field,)))
    return row


accounts = Listing(
    ACCOUNTS, "Account", AccountFilterArgument, _filtered, AccountOrderArgument
).at_root("accounts")
