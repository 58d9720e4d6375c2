"""Accounts: the businesses, with what they may do."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry
from sqlalchemy import Table

from models.account import ACCOUNTS, MAX_EXTERNAL_ID_LENGTH, permissions
from models.aggregate import RiskTier
from models.capability import Capability as CapabilityRow
from models.errors import InvalidInput, NotFound
from models.hold import HOLDS
from models.ids import HexId, account_id_for, hex_id
from models.lookup import accounts_by_id, rows_by_account
from models.permission import Permission
from models.reading import Record
from models.requirement_reads import live_requirements, requirement_summaries
from models.search import MAX_SEARCH_WORDS, prefix_end, terms
from models.status import (
    AccountStatus,
    CapabilityKind,
    CapabilityStatus,
    Derived,
    derive,
    hold_is_on,
    restricts,
)
from models.text import check_text
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.errors import query_error
from resolvers.event import Event, timelines
from resolvers.hold import Hold
from resolvers.interaction import Interaction, interactions_of_accounts
from resolvers.node import Actor, Node, rows_of, shown_actor
from resolvers.pagination import (
    MAX_FILTER_LENGTH,
    After,
    Before,
    Connection,
    DateTimeRange,
    Filtered,
    First,
    Last,
    OrderDirection,
    Page,
    PageArguments,
    fetch_page,
    list_request,
)
from resolvers.permission import AccountActionPermission
from resolvers.requirement import Requirement, requirements_of_accounts
from resolvers.resolution import Resolution, resolutions_of_accounts
from resolvers.scalars import CountryCode, DisabledReason
from resolvers.selection import (
    asked_columns,
    asked_types,
    columns_behind,
    register_columns,
)

CAPABILITIES = cast(Table, CapabilityRow.__table__)
# What says whether the status has to catch up with the clock.
CATCHING_UP = ("next_change_at", "rejected_reason")
RESTRICTING_COLUMNS = (
    *("state", "currently_due_at", "deadline", "restricts_from", "restricts_until"),
    *("restricts", "gates"),
)
HOLDING_COLUMNS = ("id", "capabilities", "expires_at", "released_at")

CapabilityRestriction = Annotated[
    Requirement | Hold,
    strawberry.union("CapabilityRestriction", description="What restricts a capability."),
]


async def _restrictions(parents: Parents, info: Info) -> list[list[Any]]:
    """What restricts each capability now: two statements, whatever the capabilities."""
    asked, now = asked_types(info), info.context.now
    account_ids = list(dict.fromkeys(row["account_id"] for row in parents))
    wanted = columns_behind(info, "Requirement", asked.get("Requirement", ()))
    requirements = await live_requirements(
        info.context.reader, account_ids, (*RESTRICTING_COLUMNS, *wanted)
    )
    wanted = columns_behind(info, "Hold", asked.get("Hold", ()))
    rows = await rows_by_account(
        info.context.reader, HOLDS, account_ids, (*HOLDING_COLUMNS, *wanted), ("id",)
    )
    holds = dict(zip(account_ids, rows, strict=True))
    return [
        [
            *_restricting(requirements[row["account_id"]], row["kind"], now),
            *_holding(holds[row["account_id"]], row["kind"], now),
        ]
        for row in parents
    ]


def _restricting(rows: Sequence[Any], kind: str, now: datetime) -> list[Any]:
    return [row for row in rows if restricts(row, kind, now)]


def _holding(rows: Sequence[Any], kind: str, now: datetime) -> list[Any]:
    return [row for row in rows if kind in row["capabilities"] and hold_is_on(row, now)]


async def _catch_up(info: Info, accounts: Parents) -> dict[HexId, Derived]:
    """The status of those accounts whose instant has come before the clock loop has.

    Three statements where there are any, so that a response never contradicts itself.
    """
    context, now = info.context, info.context.now
    rows = {row["account_id"]: row for row in accounts if _is_due(row, now)}
    missing = [account_id for account_id in rows if account_id not in context.derived]
    if missing:
        needed = (*RESTRICTING_COLUMNS, "notice_at")
        requirements = await live_requirements(context.reader, missing, needed)
        holds = await rows_by_account(
            context.reader, HOLDS, missing, (*HOLDING_COLUMNS, "reason"), ("id",)
        )
        kinds = ("kind", "requested")
        capabilities = await rows_by_account(
            context.reader, CAPABILITIES, missing, kinds, ("kind",)
        )
        for n, account_id in enumerate(missing):
            requested = [row["kind"] for row in capabilities[n] if row["requested"]]
            rejected = rows[account_id]["rejected_reason"]
            context.derived[account_id] = derive(
                requested, rejected, cast(Any, requirements[account_id]), cast(Any, holds[n]), now
            )
    return {account_id: context.derived[account_id] for account_id in rows}


def _is_due(account: Any, now: datetime) -> bool:
    return account["next_change_at"] is not None and account["next_change_at"] <= now


def _as_derived(name: str) -> Callable[[Parents, Info], Any]:
    """What gives a column of accounts, but for what time has changed since it was written."""

    async def catch_up(parents: Parents, info: Info) -> list[Any]:
        derived = await _catch_up(info, parents)
        return [
            getattr(derived[row["account_id"]], name) if row["account_id"] in derived else row[name]
            for row in parents
        ]

    def resolve(parents: Parents, info: Info) -> Any:
        now = info.context.now
        if any(_is_due(row, now) for row in parents):
            return catch_up(parents, info)
        return [row[name] for row in parents]

    return resolve


class DerivedCapability:
    """A capability's row, but for what time has changed since it was written."""

    __slots__ = ("_row", "disabled_reason", "restricts_at", "status")

    def __init__(self, row: Record, derived: Derived) -> None:
        self._row = row
        now = derived.capabilities[row["kind"]]
        self.status = now.status
        self.disabled_reason = now.disabled_reason
        self.restricts_at = now.restricts_at

    def __getattr__(self, name: str) -> Any:
        return self._row[name]

    def __getitem__(self, name: str) -> Any:
        return self._row[name]


async def _capabilities(parents: Parents, info: Info) -> list[list[Any]]:
    columns = (*asked_columns(info, "Capability"), "kind")
    account_ids = [row["account_id"] for row in parents]
    found = await rows_by_account(
        info.context.reader, CAPABILITIES, account_ids, columns, ("kind",)
    )
    derived = await _catch_up(info, parents)
    return [
        [DerivedCapability(row, derived[account_id]) for row in rows]
        if account_id in derived
        else rows
        for account_id, rows in zip(account_ids, found, strict=True)
    ]


@strawberry.type(description="What an account may do.")
class Capability:
    """One kind of thing, and whether the account may do it now."""

    kind: CapabilityKind = strawberry.field(description="What it is.")
    status: CapabilityStatus = strawberry.field(description="Whether the account may do it now.")
    disabled_reason: DisabledReason | None = strawberry.field(description="Why it may not.")
    restricted_by: list[CapabilityRestriction] = batched(
        _restrictions,
        description="The requirements and holds that restrict it.",
        needs=("account_id", "kind"),
    )
    restricts_at: datetime | None = strawberry.field(
        description="The instant at which it will be restricted if nobody acts."
    )
    updated_at: datetime = strawberry.field(description="The instant of its last change.")


register_columns(Capability, CAPABILITIES)


@strawberry.type(description="How many requirements an account has to care for.")
class RequirementSummary:
    """Numbers of open requirements."""

    currently_due: int = strawberry.field(description="How many are due now.")
    eventually_due: int = strawberry.field(description="How many become due later.")
    past_due: int = strawberry.field(description="Of how many the deadline has passed.")
    pending_verification: int = strawberry.field(description="How many wait for the platform.")
    next_deadline: datetime | None = strawberry.field(
        description="The earliest deadline of those that wait for the account."
    )


NOTHING_OPEN = RequirementSummary(
    currently_due=0, eventually_due=0, past_due=0, pending_verification=0, next_deadline=None
)


async def _summaries(parents: Parents, info: Info) -> list[Any]:
    account_ids = [row["account_id"] for row in parents]
    found = await requirement_summaries(info.context.reader, account_ids, info.context.now)
    return [row or NOTHING_OPEN for row in found]


def _ids(parents: Parents) -> list[str]:
    return [ids.encode_one(ids.ACCOUNT, row["account_id"]) for row in parents]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    return [permissions(row, info.context.actor) for row in parents]


@strawberry.type(description="That the platform has ended the relation with an account, and why.")
class AccountRejection:
    """A statement; the reason is the account's `disabledReason`."""

    statement: str = strawberry.field(
        description="Why, in words for the account's user; at most 5,000 characters."
    )
    rejected_at: datetime = strawberry.field(description="The instant of the rejection.")
    rejected_by: Actor = strawberry.field(description="Who rejected it.")


def _rejections(parents: Parents, info: Info) -> list[AccountRejection | None]:
    return [_rejection(row, info) for row in parents]


def _rejection(row: Record, info: Info) -> AccountRejection | None:
    by = shown_actor(info, row, "rejected_by")
    if by is None:
        return None
    return AccountRejection(
        statement=row["rejection_statement"], rejected_at=row["rejected_at"], rejected_by=by
    )


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
        _rejections,
        description="Why the platform has rejected it; missing also for what was rejected before "
        "reasons were asked for.",
        needs=(
            *("rejection_statement", "rejected_at", "rejected_by_kind", "rejected_by_id"),
            "rejected_by_name",
        ),
    )
    capabilities: list[Capability] = batched(
        _capabilities,
        description="What it may do, one entry per kind.",
        needs=("account_id", *CATCHING_UP),
    )
    requirement_summary: RequirementSummary = batched(
        _summaries,
        description="How many requirements it has to care for.",
        needs=("account_id",),
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
        default=None, description="Those with one of these statuses."
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


def _filtered(given: AccountFilter | None) -> Filtered:
    found = Filtered()
    if given is None:
        return found
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


async def accounts(
    info: Info,
    filter: Annotated[
        AccountFilter | None, strawberry.argument(description="Which accounts.")
    ] = None,
    order_by: Annotated[
        AccountOrder | None,
        strawberry.argument(description="The order; without it, by when they were made."),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """The accounts of the platform, or the account user's account."""
    page = PageArguments(first, after, last, before)
    request = list_request(info, ACCOUNTS, "Account", "accounts", page, _filtered(filter), order_by)
    return await fetch_page(request)
