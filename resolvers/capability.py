"""Capabilities: what an account may do, and which requirements and holds decide on that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from sqlalchemy import Table

from models.capability import Capability as CapabilityRow
from models.hold import HOLDS
from models.ids import HexId
from models.lookup import rows_by_account
from models.reading import Record
from models.requirement_reads import live_requirements
from models.status import (
    HOLD_FACTS,
    REQUIREMENT_FACTS,
    CapabilityKind,
    CapabilityStatus,
    Derived,
    Effects,
    derive,
    hold_is_on,
    is_due,
)
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.hold import Hold
from resolvers.requirement import Requirement
from resolvers.scalars import DisabledReason
from resolvers.selection import asked_columns, asked_types, columns_behind, register_columns

CAPABILITIES = cast(Table, CapabilityRow.__table__)
# What says whether the status has to catch up with the clock.
CATCHING_UP = ("next_change_at", "rejected_reason")
RESTRICTING_COLUMNS = (
    *("state", "currently_due_at", "deadline", "restricts_from", "restricts_until"),
    *("restricts", "gates", "alternative_group", "alternative_option"),
)
HOLDING_COLUMNS = ("id", "capabilities", "expires_at", "released_at")

CapabilityRestriction = Annotated[
    Requirement | Hold,
    strawberry.union("CapabilityRestriction", description="What restricts a capability."),
]


async def _effects(
    parents: Parents, info: Info, columns: Sequence[str]
) -> dict[HexId, Effects[Any]]:
    """What requirements do to the capabilities of each account: one statement."""
    account_ids = list(dict.fromkeys(row.account_id for row in parents))
    needed = (*RESTRICTING_COLUMNS, *columns)
    found = await live_requirements(info.context.reader, account_ids, needed)
    now = info.context.now
    return {account_id: Effects(rows, now) for account_id, rows in found.items()}


async def _restrictions(parents: Parents, info: Info) -> list[list[Any]]:
    """What restricts each capability now: two statements, whatever the capabilities."""
    asked, now = asked_types(info), info.context.now
    wanted = columns_behind(info, "Requirement", asked.get("Requirement", ()))
    effects = await _effects(parents, info, wanted)
    wanted = columns_behind(info, "Hold", asked.get("Hold", ()))
    account_ids = list(effects)
    rows = await rows_by_account(
        info.context.reader, HOLDS, account_ids, (*HOLDING_COLUMNS, *wanted), ("id",)
    )
    holds = dict(zip(account_ids, rows, strict=True))
    return [
        [
            *effects[row.account_id].restricting(row.kind),
            *_holding(holds[row.account_id], row.kind, now),
        ]
        if row.status != CapabilityStatus.INACTIVE
        else []
        for row in parents
    ]


def _holding(rows: Sequence[Any], kind: str, now: datetime) -> list[Any]:
    return [row for row in rows if kind in row["capabilities"] and hold_is_on(row, now)]


async def _gates(parents: Parents, info: Info) -> list[list[Any]]:
    """What each pending capability waits for: one statement."""
    effects = await _effects(parents, info, asked_columns(info, "Requirement"))
    return [
        effects[row.account_id].gating(row.kind) if row.status == CapabilityStatus.PENDING else []
        for row in parents
    ]


async def _next_restrictions(parents: Parents, info: Info) -> list[list[Any]]:
    """What begins to restrict each capability at its `restrictsAt`: one statement."""
    effects = await _effects(parents, info, asked_columns(info, "Requirement"))
    return [effects[row.account_id].restricting_from(row.kind, row.restricts_at) for row in parents]


async def caught_up(info: Info, accounts: Parents) -> dict[HexId, Derived]:
    """The status of those accounts whose instant has come before the clock loop has.

    Three statements where there are any, so that a response never contradicts itself.
    """
    context, now = info.context, info.context.now
    rows = {row["account_id"]: row for row in accounts if is_due(row["next_change_at"], now)}
    missing = [account_id for account_id in rows if account_id not in context.derived]
    if missing:
        requirements = await live_requirements(context.reader, missing, REQUIREMENT_FACTS)
        columns = ("id", *HOLD_FACTS)
        holds = await rows_by_account(context.reader, HOLDS, missing, columns, ("id",))
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


async def capabilities_of_accounts(parents: Parents, info: Info) -> list[list[Any]]:
    """Each account's capabilities, as they are now."""
    columns = (*asked_columns(info, "Capability"), "kind")
    account_ids = [row["account_id"] for row in parents]
    found = await rows_by_account(
        info.context.reader, CAPABILITIES, account_ids, columns, ("kind",)
    )
    derived = await caught_up(info, parents)
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
        description="The requirements and holds that restrict it now. None are needed where the "
        "account is rejected: its `rejection` says why; there are none of what is INACTIVE.",
        needs=("account_id", "kind", "status"),
    )
    gated_by: list[Requirement] = batched(
        _gates,
        description="The requirements that it waits for while it is PENDING, rejections whose "
        "notice runs among them; of alternatives one option is enough, and all are shown.",
        needs=("account_id", "kind", "status"),
    )
    restricts_at: datetime | None = strawberry.field(
        description="The instant at which it will be restricted if nobody acts."
    )
    restricts_next: list[Requirement] = batched(
        _next_restrictions,
        description="The requirements whose restriction of it begins at `restrictsAt`: their "
        "deadlines pass, or their rejections take effect.",
        needs=("account_id", "kind", "restricts_at"),
    )
    updated_at: datetime = strawberry.field(description="The instant of its last change.")


register_columns(Capability, CAPABILITIES)
