"""How requirements are listed, and what is read of many at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import cast

from sqlalchemy import Table, and_, func, or_, select

from models.bounds import CREATED_AFTER, CREATED_BEFORE, Bound, Bounds, Missing, Present
from models.ids import HexId
from models.listing import Branch, ListSpec, is_any, word
from models.reading import Query, Reader, Record, compile_query, record_of
from models.requirement import ENDED_STATES, Requirement
from models.status import (
    AWAITING_ACCOUNT,
    AWAITING_RISK,
    LIVE_STATES,
    AwaitingActionFrom,
    DueStatus,
    RequirementState,
)

_REACHED = Bound("sort_deadline", "<=", "now")
_AHEAD = Bound("sort_deadline", ">", "now")
DUE_CONDITIONS = {
    "past_due": Bounds((_REACHED,)),
    "currently_due": Bounds((_AHEAD, Bound("currently_due_at", "<=", "now"))),
    "eventually_due": Bounds((_AHEAD, Bound("currently_due_at", ">", "now"))),
    "never_due": Bounds((_AHEAD, Missing("currently_due_at"))),
}
# One of the two alone can be checked in an index, both as alternatives can't.
EVENTUALLY = ("eventually_due", "never_due")

# The due status is a view of state and clock: these branches of the list are each disjoint.
BRANCHES_OF_DUE_STATUS: dict[DueStatus, tuple[Branch, ...]] = {
    DueStatus.EVENTUALLY_DUE: tuple(Branch(s, (c,)) for s in AWAITING_ACCOUNT for c in EVENTUALLY),
    DueStatus.CURRENTLY_DUE: tuple(Branch(s, ("currently_due",)) for s in AWAITING_ACCOUNT),
    DueStatus.PAST_DUE: tuple(Branch(s, ("past_due",)) for s in AWAITING_ACCOUNT),
    DueStatus.PENDING_VERIFICATION: tuple(Branch(s) for s in AWAITING_RISK),
    DueStatus.NONE: tuple(Branch(s) for s in ENDED_STATES),
}
REQUIREMENTS = ListSpec(
    name="requirements",
    table=cast(Table, Requirement.__table__),
    orders={
        "DEADLINE": "sort_deadline",
        "CREATED_AT": "created_at",
        "REVIEW_DUE_AT": "sort_review_due_at",
    },
    dimensions={
        "assignee": "assignee_key",
        "program": "program_code",
        "category": "category",
        "priority": "priority",
    },
    states=tuple(RequirementState),
    conditions={
        **DUE_CONDITIONS,
        "deadline_after": Bounds((Bound("sort_deadline", ">=", "deadline_after"),)),
        "deadline_before": Bounds((Bound("sort_deadline", "<", "deadline_before"),)),
        "created_after": CREATED_AFTER,
        "created_before": CREATED_BEFORE,
        "review_due_after": Bounds((Bound("sort_review_due_at", ">=", "review_due_after"),)),
        "review_due_before": Bounds((Bound("sort_review_due_at", "<", "review_due_before"),)),
        "unanswered": Bounds((Present("unanswered_since"),)),
        "answered": Bounds((Missing("unanswered_since"),)),
    },
    checked=("sort_deadline", "currently_due_at", "created_at"),
    rare=("unanswered",),
    mirrored=("created_at",),
)
REQUIREMENTS.declare_indexes()


def awaiting_branches(
    branches: Sequence[Branch], awaited: AwaitingActionFrom
) -> tuple[Branch, ...]:
    """What a side has to act on, of these branches: the same rows as `awaiting` says of one.

    A message that waits for an answer makes the account's turn risk's.
    """
    side = "answered" if awaited is AwaitingActionFrom.ACCOUNT else "unanswered"
    found = [
        replace(branch, conditions=(*branch.conditions, side))
        for branch in branches
        if branch.state in AWAITING_ACCOUNT
    ]
    if awaited is AwaitingActionFrom.RISK:
        found += [branch for branch in branches if branch.state in AWAITING_RISK]
    return tuple(found)


async def requirement_summaries(
    reader: Reader, account_ids: Sequence[HexId], now: datetime
) -> list[Record | None]:
    """Each account's numbers of requirements per due status.

    In the order of the ids, as `currently_due`, `eventually_due`, `past_due` and
    `pending_verification`; None for an account without open requirements.
    """
    values = {"accounts": list(set(account_ids)), "now": now}
    rows = await reader.fetch(_summary_query(), values, _SUMMARY)
    found = {row["account_id"]: row for row in rows}
    return [found.get(account_id) for account_id in account_ids]


async def live_requirements(
    reader: Reader, account_ids: Sequence[HexId], columns: Sequence[str]
) -> dict[HexId, list[Record]]:
    """Each account's open and rejected requirements, in the order of their ids."""
    query = _live_query(tuple(dict.fromkeys(["account_id", "id", *columns])))
    found: dict[HexId, list[Record]] = {account_id: [] for account_id in account_ids}
    for row in await reader.fetch(query, {"accounts": list(found)}, REQUIREMENTS.record):
        found[row["account_id"]].append(row)
    return found


async def alternatives_of(
    reader: Reader, groups: Sequence[tuple[HexId, str | None]], columns: Sequence[str]
) -> list[list[Record]]:
    """For each (account, alternative group): the group's requirements; none for no group."""
    query = _alternatives_query(
        tuple(dict.fromkeys(["account_id", "id", "alternative_group", *columns]))
    )
    values = {
        "accounts": list({account_id for account_id, group in groups if group is not None}),
        "groups": list({group for _, group in groups if group is not None}),
    }
    found: dict[tuple[HexId, str | None], list[Record]] = {key: [] for key in groups}
    for row in await reader.fetch(query, values, REQUIREMENTS.record):
        found.get((row["account_id"], row["alternative_group"]), []).append(row)
    return [found[key] for key in groups]


@lru_cache(maxsize=1)
def _summary_query() -> Query:
    table = REQUIREMENTS.table
    mine = table.c.state.in_([word(s) for s in AWAITING_ACCOUNT])
    risks = table.c.state.in_([word(s) for s in AWAITING_RISK])
    due = {name: condition(table.c) for name, condition in DUE_CONDITIONS.items()}
    counts = {
        "currently_due": and_(mine, due["currently_due"]),
        "eventually_due": and_(mine, or_(*(due[name] for name in EVENTUALLY))),
        "past_due": and_(mine, due["past_due"]),
        "pending_verification": risks,
    }
    columns = [func.count().filter(where).label(name) for name, where in counts.items()]
    return compile_query(
        select(table.c.account_id, *columns)
        .where(is_any(table.c.account_id, "accounts"), or_(mine, risks))
        .group_by(table.c.account_id)
    )


_SUMMARY = record_of(
    REQUIREMENTS.table,
    "currently_due",
    "eventually_due",
    "past_due",
    "pending_verification",
)


@lru_cache(maxsize=256)
def _live_query(columns: tuple[str, ...]) -> Query:
    table = REQUIREMENTS.table
    live = table.c.state.in_([word(s) for s in LIVE_STATES])
    return compile_query(
        select(*(table.c[name] for name in columns))
        .where(is_any(table.c.account_id, "accounts"), live)
        .order_by(table.c.account_id, table.c.id)
    )


@lru_cache(maxsize=256)
def _alternatives_query(columns: tuple[str, ...]) -> Query:
    table = REQUIREMENTS.table
    return compile_query(
        select(*(table.c[name] for name in columns))
        .where(is_any(table.c.account_id, "accounts"), is_any(table.c.alternative_group, "groups"))
        .order_by(table.c.account_id, table.c.id)
    )
