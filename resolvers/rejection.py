"""Why an account is rejected, and why it no longer is."""

from datetime import datetime
from typing import Any

import strawberry

from resolvers.batching import Parents
from resolvers.context import Info
from resolvers.node import Actor, shown_actor
from resolvers.scalars import DisabledReason

# The columns of an account that are its rejection, and those of what took the last one back.
REJECTION = (
    *("rejected_reason", "rejection_statement", "rejected_at"),
    *("rejected_by_kind", "rejected_by_id", "rejected_by_name"),
)
REINSTATEMENT = (
    *("reinstatement_reason", "reinstated_at"),
    *("reinstated_by_kind", "reinstated_by_id", "reinstated_by_name"),
)


@strawberry.type(description="That the platform has ended the relation with an account, and why.")
class AccountRejection:
    """A reason and a statement."""

    reason: DisabledReason = strawberry.field(
        description="The reason, which is the account's `disabledReason` and each capability's."
    )
    statement: str = strawberry.field(
        description="Why, in words for the account's user; at most 5,000 characters."
    )
    rejected_at: datetime = strawberry.field(description="The instant of the rejection.")
    rejected_by: Actor = strawberry.field(description="Who rejected it.")


@strawberry.type(description="That the platform has taken a rejected account back, and why.")
class AccountReinstatement:
    """A reason in words."""

    reason: str = strawberry.field(
        description="Why, in words for the account's user; at most 2,000 characters."
    )
    reinstated_at: datetime = strawberry.field(description="The instant of the reinstatement.")
    reinstated_by: Actor = strawberry.field(description="Who took it back.")


def rejections(parents: Parents, info: Info) -> list[AccountRejection | None]:
    """Each account's rejection, None without one."""
    return [_rejection(row, shown_actor(info, row, "rejected_by")) for row in parents]


def reinstatements(parents: Parents, info: Info) -> list[AccountReinstatement | None]:
    """What took each account's last rejection back, None for nothing."""
    return [_reinstatement(row, shown_actor(info, row, "reinstated_by")) for row in parents]


def _rejection(row: Any, by: Actor | None) -> AccountRejection | None:
    if by is None:
        return None
    return AccountRejection(
        reason=row["rejected_reason"],
        statement=row["rejection_statement"],
        rejected_at=row["rejected_at"],
        rejected_by=by,
    )


def _reinstatement(row: Any, by: Actor | None) -> AccountReinstatement | None:
    if by is None:
        return None
    return AccountReinstatement(
        reason=row["reinstatement_reason"], reinstated_at=row["reinstated_at"], reinstated_by=by
    )
