"""What a requirement does to capabilities."""

from datetime import datetime
from typing import Any

import strawberry

from models.requirement_reads import alternatives_of
from models.status import (
    OPEN_STATES,
    CapabilityKind,
    CapabilityStatus,
    handed_in_groups,
    restriction,
)
from resolvers.batching import Parents
from resolvers.context import Info

IMPACT = (
    *("account_id", "state", "deadline", "restricts_from", "restricts_until", "created_at"),
    *("restricts", "gates", "alternative_group"),
)
# What of an alternative says whether it is handed in.
HANDED_IN = ("state", "restricts_from", "alternative_option")


@strawberry.type(description="What a requirement does to a capability if nobody acts.")
class RequirementImpact:
    """A capability, what becomes of it, and from when."""

    capability: CapabilityKind = strawberry.field(description="Which capability it is.")
    status: CapabilityStatus = strawberry.field(
        description="What it becomes: restricted, or pending while the requirement gates it."
    )
    since: datetime = strawberry.field(
        description="From when; in the future where it has not come yet."
    )
    until: datetime | None = strawberry.field(
        description="Until when, where a rejection set an end to it."
    )


async def impacts(parents: Parents, info: Info) -> list[list[RequirementImpact]]:
    """What each requirement does: one statement, for the groups of alternatives."""
    groups = [(row["account_id"], row["alternative_group"]) for row in parents]
    found = await alternatives_of(info.context.reader, groups, HANDED_IN)
    members: dict[Any, Any] = dict(zip(groups, found, strict=True))
    handed_in = {key: handed_in_groups(rows) for key, rows in members.items()}
    now = info.context.now
    return [_impact(row, handed_in[key], now) for row, key in zip(parents, groups, strict=True)]


def _impact(row: Any, handed_in: frozenset[str], now: datetime) -> list[RequirementImpact]:
    found = []
    if (one := restriction(row, handed_in, now)) is not None:
        found += [
            RequirementImpact(
                capability=CapabilityKind(kind),
                status=CapabilityStatus.RESTRICTED,
                since=one.since,
                until=one.until,
            )
            for kind in sorted(one.kinds)
        ]
    if row["state"] in OPEN_STATES and row["restricts_from"] is None:
        found += [
            RequirementImpact(
                capability=kind,
                status=CapabilityStatus.PENDING,
                since=row["created_at"],
                until=None,
            )
            for kind in row["gates"]
        ]
    return found
