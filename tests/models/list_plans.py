"""What PostgreSQL does for one page of a list: the filters to try, and how to look at a plan.

The values of a filter come from the data, so that each is tried with what is common, with what is
rare and with what is not there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from statistics import median
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from models.account import ACCOUNTS
from models.actor import Actor
from models.events import EVENTS
from models.interaction import INTERACTIONS
from models.listing import Branch, ListSpec, Shape, count_query, page_query
from models.reading import Query
from models.requirement_reads import BRANCHES_OF_DUE_STATUS, REQUIREMENTS
from models.resolution import RESOLUTIONS
from models.search import prefix_end
from models.status import AWAITING_ACCOUNT, OPEN_STATES, DueStatus

PAGE = 20
DEEP_PAGE = 10_000
LISTS = (REQUIREMENTS, ACCOUNTS, INTERACTIONS, RESOLUTIONS, EVENTS)
COMMON, RARE, ABSENT, MANY = "common", "rare", "absent", "many"
ABSENT_VALUE = "ZZ"
MANY_VALUES = 20
# What account users' role may not read.
STAFF_COLUMNS = frozenset({"assignee_id", "assignee_name", "assignee_key"})


def days(number: float) -> timedelta:
    return timedelta(days=number)


# For each filter by an instant: how far from the seeding's present, and how much that leaves.
INSTANTS: dict[str, dict[str, timedelta]] = {
    "deadline_after": {"many": days(-200), "few": days(75), "none": days(4000)},
    "deadline_before": {"many": days(20), "few": days(-350), "none": days(-4000)},
    "created_after": {"many": days(-300), "few": days(-1.5), "none": days(1)},
    "created_before": {"many": days(-10), "few": days(-420), "none": days(-4000)},
    "since": {"many": days(-300), "few": days(-0.3), "none": days(1)},
    "until": {"many": days(-10), "few": days(-420), "none": days(-4000)},
}
# Searches: one word and two, common and rare.
SEARCHES: dict[str, tuple[str, ...]] = {
    "common word": ("gmbh",),
    "one letter": ("s",),
    "name": ("ambe",),
    "two words": ("amber", "bak"),
    "two letters": ("a", "b"),
    "external id": ("acct_demo_000017",),
    "absent word": ("zzzz",),
    "common and absent": ("gmbh", "zzzz"),
}


@dataclass(frozen=True)
class Filter:
    """What a list is asked for. Values of dimensions are picks, those of conditions offsets."""

    label: str
    branches: tuple[Branch, ...] | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def __and__(self, other: "Filter") -> "Filter":
        return Filter(
            f"{self.label} & {other.label}",
            self.branches if other.branches is None else other.branches,
            {**self.dimensions, **other.dimensions},
            {**self.conditions, **other.conditions},
        )


EVERYTHING = Filter("everything")


def filters_of(spec: ListSpec) -> list[Filter]:
    """Every single filter of the list, and pairs of different kinds."""
    states = [Filter(f"state {state}", (Branch(state),)) for state in spec.states]
    several = []
    if len(spec.states) > 1:
        several = [Filter("two states", tuple(Branch(s) for s in spec.states[:2]))]
    due = list(due_filters(spec))
    dimensions = [
        Filter(f"{name} {pick}", dimensions={name: pick})
        for name in spec.dimensions
        for pick in (COMMON, RARE, ABSENT, MANY)
    ]
    ranges = list(range_filters(spec))
    return [
        EVERYTHING,
        *states,
        *several,
        *due,
        *dimensions,
        *ranges,
        *pairs(spec, states, due, ranges),
    ]


def due_filters(spec: ListSpec) -> Iterator[Filter]:
    if spec is not REQUIREMENTS:
        return
    for status, branches in BRANCHES_OF_DUE_STATUS.items():
        yield Filter(f"due {status}", branches)
    yield Filter("open", tuple(Branch(s) for s in OPEN_STATES))
    yield Filter("awaiting account", tuple(Branch(s) for s in AWAITING_ACCOUNT))
    due_now = (
        *BRANCHES_OF_DUE_STATUS[DueStatus.CURRENTLY_DUE],
        *BRANCHES_OF_DUE_STATUS[DueStatus.PAST_DUE],
    )
    yield Filter("due now", due_now)


def range_filters(spec: ListSpec) -> Iterator[Filter]:
    for name, offsets in INSTANTS.items():
        if name in spec.conditions:
            for label, offset in offsets.items():
                yield Filter(f"{name} {label}", conditions={name: offset})
    for low, high in (
        ("deadline_after", "deadline_before"),
        ("created_after", "created_before"),
        ("since", "until"),
    ):
        if low in spec.conditions:
            for label, start, length in (("day", -100, 1), ("week", -3, 7), ("hour", -50, 0.04)):
                yield Filter(
                    f"{low[:-6] or 'at'} {label}",
                    conditions={low: days(start), high: days(start + length)},
                )
    if "term_0" in spec.conditions:
        for label, words in SEARCHES.items():
            yield Filter(
                f"search {label}", conditions={f"term_{n}": w for n, w in enumerate(words)}
            )


def pairs(
    spec: ListSpec, states: Sequence[Filter], due: Sequence[Filter], ranges: Sequence[Filter]
) -> Iterator[Filter]:
    picks = [
        Filter(f"{name} {pick}", dimensions={name: pick})
        for name in spec.dimensions
        for pick in (COMMON, RARE)
    ]
    for one, other in combinations(picks, 2):
        if set(one.dimensions) != set(other.dimensions):
            yield one & other
    some = [*states[:1], *states[3:4], *states[5:6], *due]
    for pick in picks:
        for state in some:
            yield pick & state
        for span in ranges:
            yield pick & span
    for span in ranges:
        for state in some:
            yield span & state


@dataclass(frozen=True)
class Store:
    """The data under test, seen by one actor."""

    engine: AsyncEngine
    actor: Actor
    now: datetime
    values: Mapping[tuple[str, str], Sequence[Any]]

    def picked(self, spec: ListSpec, name: str, pick: str) -> list[Any]:
        """The values of a dimension that a pick stands for."""
        known = list(self.values[spec.name, name])
        if pick == MANY:
            return [*known, *(f"Z{n}" for n in range(MANY_VALUES))][:MANY_VALUES]
        return {COMMON: known[:1], RARE: known[-1:], ABSENT: [ABSENT_VALUE]}[pick]


@dataclass(frozen=True)
class Case:
    """One list with one filter in one order."""

    spec: ListSpec
    filter: Filter
    order: str
    descending: bool
    account: bool = False

    def __str__(self) -> str:
        way = "DESC" if self.descending else "ASC"
        return f"{self.spec.name}: {self.filter.label}, {self.order} {way}"

    def shape(self, store: Store, keyset: bool, columns: tuple[str, ...]) -> Shape:
        spec, filter = self.spec, self.filter
        return Shape(
            spec=spec,
            columns=columns,
            order=self.order,
            descending=self.descending,
            keyset=keyset,
            branches=filter.branches,
            dimensions=tuple(
                (name, len(store.picked(spec, name, filter.dimensions[name])))
                for name in spec.dimensions
                if name in filter.dimensions
            ),
            conditions=tuple(sorted(filter.conditions)),
            account=self.account,
        )

    def values(self, store: Store) -> dict[str, Any]:
        found: dict[str, Any] = {
            "platform_id": store.actor.platform_id,
            "account_id": store.actor.account_id,
            "now": store.now,
        }
        for name, pick in self.filter.dimensions.items():
            for n, value in enumerate(store.picked(self.spec, name, pick)):
                found[f"{name}_{n}"] = value
        for name, value in self.filter.conditions.items():
            if isinstance(value, str):
                found |= {name: value, f"{name}_end": prefix_end(value)}
            else:
                found[name] = store.now + value
        return found


def cases_of(spec: ListSpec) -> Iterator[Case]:
    for filter in filters_of(spec):
        for order in spec.orders:
            for descending in (False, True):
                yield Case(spec, filter, order, descending)


@dataclass(frozen=True)
class Plan:
    """What PostgreSQL did, as EXPLAIN tells it."""

    tree: Mapping[str, Any]
    milliseconds: float
    planning_milliseconds: float

    @property
    def nodes(self) -> list[Mapping[str, Any]]:
        return list(_walk(self.tree))

    @property
    def buffers(self) -> int:
        return int(self.tree["Shared Hit Blocks"]) + int(self.tree["Shared Read Blocks"])

    @property
    def rows(self) -> int:
        return int(self.tree["Actual Rows"])

    @property
    def sorted_rows(self) -> int:
        """The most rows that a sort got to see."""
        sorts = [node for node in self.nodes if "Sort" in node["Node Type"]]
        return max((_rows_into(node) for node in sorts), default=0)

    @property
    def sequential(self) -> set[str]:
        return {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}

    @property
    def scanned(self) -> int:
        """How many rows were read, those included that a filter then dropped."""
        return sum(
            _scanned(node)
            for node in self.nodes
            if "Scan" in node["Node Type"] and "Relation Name" in node
        )


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _rows_into(node: Mapping[str, Any]) -> int:
    return int(sum(child["Actual Rows"] * child["Actual Loops"] for child in node["Plans"]))


def _scanned(node: Mapping[str, Any]) -> int:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


class Looker:
    """One connection in one snapshot, as the service reads: with row security, and settings."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    async def explain(
        self, query: Query, values: Mapping[str, Any], generic: bool = False, times: int = 1
    ) -> Plan:
        """Run the query and see how; with `generic` by the plan that fits all values."""
        arguments = [values[name] for name in query.parameters]
        how = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY, FORMAT JSON)"
        if generic:
            shown = ", ".join(map(literal, arguments))
            await self.driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await self.driver.execute(f"PREPARE one AS {query.sql}")
            sql, arguments = f"{how} EXECUTE one({shown})" if shown else f"{how} EXECUTE one", []
        else:
            sql = f"{how} {query.sql}"
        found = []
        try:
            for _ in range(times):
                [top] = await self.driver.fetchval(sql, *arguments)
                found.append(top)
        finally:
            if generic:
                await self.driver.execute("DEALLOCATE one; SET LOCAL plan_cache_mode = auto")
        return Plan(
            found[-1]["Plan"],
            median(top["Execution Time"] for top in found),
            median(top["Planning Time"] for top in found),
        )

    async def key_at(self, case: Case, store: Store, place: int) -> list[Any] | None:
        """The key of the row at a place of the list, counted from 0."""
        query = page_query(case.shape(store, keyset=False, columns=()))
        values = case.values(store) | {"limit": place + 1}
        arguments = [values[name] for name in query.parameters]
        row = await self.driver.fetchrow(
            f"SELECT * FROM ({query.sql}) AS page OFFSET {place} LIMIT 1", *arguments
        )
        return None if row is None else list(row)

    async def count(self, case: Case, store: Store) -> int:
        query = count_query(case.shape(store, keyset=False, columns=()))
        values = case.values(store)
        return int(
            await self.driver.fetchval(query.sql, *(values[name] for name in query.parameters))
        )


def literal(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return "'" + text.replace("'", "''") + "'"
