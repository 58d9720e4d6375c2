"""The filters to try on every list, and how to see what PostgreSQL does for one page of it.

The values of a filter come from the data, so that each is tried with what is common, with what is
rare and with what is not there.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from models.account import ACCOUNTS
from models.actor import Actor
from models.bounds import Bounds
from models.events import EVENTS
from models.interaction import INTERACTIONS
from models.listing import Branch, ListSpec, Shape, page_query
from models.read_pool import ReadPool
from models.reading import BEGIN, Query, R, Reader
from models.requirement_reads import BRANCHES_OF_DUE_STATUS, REQUIREMENTS, awaiting_branches
from models.resolution import RESOLUTIONS
from models.search import prefix_end
from models.session import settings_sql
from models.status import AWAITING_RISK, OPEN_STATES, AwaitingActionFrom, DueStatus

PAGE = 20
DEEP_PAGE = 10_000
FULL_SIZE = 1_000_000
LISTS = (REQUIREMENTS, ACCOUNTS, INTERACTIONS, RESOLUTIONS, EVENTS)
COMMON, RARE, ABSENT, MANY = "common", "rare", "absent", "many"
ABSENT_VALUE = "ZZ"
MANY_VALUES = 20


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
    """Every single filter of the list."""
    states = [Filter(f"state {state}", (Branch(state),)) for state in spec.states]
    several = []
    if len(spec.states) > 1:
        several = [Filter("two states", tuple(Branch(s) for s in spec.states[:2]))]
    dimensions = [
        Filter(f"{name} {pick}", dimensions={name: pick})
        for name in spec.dimensions
        for pick in (COMMON, RARE, ABSENT, MANY)
    ]
    return [
        EVERYTHING,
        *states,
        *several,
        *due_filters(spec),
        *dimensions,
        *range_filters(spec),
    ]


def due_filters(spec: ListSpec) -> Iterator[Filter]:
    if spec is not REQUIREMENTS:
        return
    for status, branches in BRANCHES_OF_DUE_STATUS.items():
        yield Filter(f"due {status}", branches)
    yield Filter("open", tuple(Branch(s) for s in OPEN_STATES))
    for side in AwaitingActionFrom:
        branches = awaiting_branches([Branch(s) for s in OPEN_STATES], side)
        yield Filter(f"awaiting {side}", branches)
        late = awaiting_branches(BRANCHES_OF_DUE_STATUS[DueStatus.PAST_DUE], side)
        yield Filter(f"past due, awaiting {side}", late)
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
    if "review_due_after" in spec.conditions:
        # What waits for no review has no promise: the schema asks for these states alone.
        in_review = tuple(Branch(state) for state in AWAITING_RISK)
        low, high = "review_due_after", "review_due_before"
        yield Filter("review broken", in_review, conditions={high: days(0)})
        yield Filter("review day", in_review, conditions={low: days(0), high: days(1)})
    if "term_0" in spec.conditions:
        for label, words in SEARCHES.items():
            yield Filter(
                f"search {label}", conditions={f"term_{n}": w for n, w in enumerate(words)}
            )


def pairs_of(spec: ListSpec) -> Iterator[Filter]:
    """Two filters of different kinds at once."""
    picks = [
        Filter(f"{name} {pick}", dimensions={name: pick})
        for name in spec.dimensions
        for pick in (COMMON, RARE)
    ]
    for one, other in combinations(picks, 2):
        if set(one.dimensions) != set(other.dimensions):
            yield one & other
    due, ranges = list(due_filters(spec)), list(range_filters(spec))
    some = [*(Filter(f"state {state}", (Branch(state),)) for state in spec.states[:6:3]), *due]
    for pick in picks[:2]:
        yield from (pick & other for other in (*some, *ranges))
    for span in ranges:
        yield from (span & state for state in some)


@dataclass(frozen=True)
class Store:
    """The data under test, seen by one actor; `values` are those of each dimension, by number."""

    pool: ReadPool
    actor: Actor
    now: datetime
    requirements: int
    values: Mapping[tuple[str, str], Sequence[Any]]

    def picked(self, spec: ListSpec, name: str, pick: str) -> list[Any]:
        """The values of a dimension that a pick stands for."""
        known = list(self.values[spec.name, name])
        if pick == MANY:
            return [*known, *(f"Z{n}" for n in range(MANY_VALUES))][:MANY_VALUES]
        return {COMMON: known[:1], RARE: known[-1:], ABSENT: [ABSENT_VALUE]}[pick]

    @property
    def deep_place(self) -> int:
        """Where page 10,000 begins in a million requirements; of fewer, as far into them."""
        return PAGE * max(10, DEEP_PAGE * self.requirements // FULL_SIZE)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator["Looker"]:
        """A connection in a snapshot of the actor's, as the service reads."""
        connection = await self.pool.acquire()
        settings = settings_sql(self.actor.platform_id, self.actor.account_id)
        await connection.execute(f"{BEGIN}; {settings}")
        try:
            yield Looker(connection)
        finally:
            await connection.execute("ROLLBACK")
            await self.pool.release(connection)


@dataclass(frozen=True)
class Case:
    """One list with one filter in one order; of one account's rows only with `account`."""

    spec: ListSpec
    filter: Filter
    order: str
    descending: bool
    account: bool = False

    def __str__(self) -> str:
        way = "DESC" if self.descending else "ASC"
        return f"{self.spec.name}, {self.filter.label}, {self.order} {way}"

    @property
    def searches(self) -> bool:
        """Whether its filter is a search by words."""
        return any(name in self.spec.searches for name in self.filter.conditions)

    @property
    def crosses(self) -> bool:
        """Whether its filter is a range of one column, and its order that of another."""
        own = [name for branch in self.filter.branches or () for name in branch.conditions]
        found = [self.spec.conditions[name] for name in (*self.filter.conditions, *own)]
        parts = [part for one in found if isinstance(one, Bounds) for part in one.bounds]
        return any(part.column != self.spec.orders[self.order] for part in parts)

    def branches(self, store: Store) -> int:
        """How many walks its page is merged from."""
        states = self.spec.states if self.filter.branches is None else self.filter.branches
        lead = next((n for n in self.spec.dimensions if n in self.filter.dimensions), None)
        values = (
            1 if lead is None else len(store.picked(self.spec, lead, self.filter.dimensions[lead]))
        )
        return max(1, len(states)) * values

    def shape(self, store: Store, keyset: bool, columns: tuple[str, ...]) -> Shape:
        """The shape of its statement."""
        spec, asked = self.spec, self.filter.dimensions
        return Shape(
            spec=spec,
            columns=columns,
            order=self.order,
            descending=self.descending,
            keyset=keyset,
            branches=self.filter.branches,
            dimensions=tuple(
                (name, len(store.picked(spec, name, asked[name])))
                for name in spec.dimensions
                if name in asked
            ),
            conditions=tuple(sorted(self.filter.conditions)),
            account=self.account,
        )

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of a row's place in the order."""
        ties = [name for name in self.spec.tie if not (self.account and name == "account_id")]
        return tuple(dict.fromkeys([self.spec.orders[self.order], *ties]))

    def columns(self, store: Store) -> tuple[str, ...]:
        """All columns, for staff; for account users, who may not read them all, the key."""
        if store.actor.account_id is not None:
            return self.spec.tie
        return tuple(column.name for column in self.spec.table.columns)

    def values(self, store: Store, key: Sequence[Any] = ()) -> dict[str, Any]:
        """The parameters of its statement, for the page after `key`."""
        found: dict[str, Any] = {
            "platform_id": store.actor.platform_id,
            "account_id": store.actor.account_id,
            "now": store.now,
            "limit": PAGE + 1,
            **{f"after_{n}": value for n, value in enumerate(key)},
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


def cases_of(spec: ListSpec, filters: Iterable[Filter], account: bool = False) -> Iterator[Case]:
    """The list with each filter in each order, both ways."""
    for one in filters:
        for order in spec.orders:
            for descending in (False, True):
                yield Case(spec, one, order, descending, account)


@dataclass(frozen=True)
class Plan:
    """What PostgreSQL did, as EXPLAIN tells it."""

    tree: Mapping[str, Any]
    milliseconds: float

    @property
    def nodes(self) -> list[Mapping[str, Any]]:
        """All of its nodes."""
        return list(_walk(self.tree))

    @property
    def buffers(self) -> int:
        """How many pages of tables and indexes were touched."""
        return int(self.tree["Shared Hit Blocks"]) + int(self.tree["Shared Read Blocks"])

    @property
    def sorted_rows(self) -> int:
        """The most rows that a sort got to see."""
        sorts = [node for node in self.nodes if "Sort" in node["Node Type"]]
        return max((_rows_into(node) for node in sorts), default=0)

    @property
    def sequential(self) -> set[str]:
        """The tables that were read from one end to the other."""
        return {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}

    @property
    def read_rows(self) -> int:
        """How many rows were read, those included that a filter then dropped."""
        scans = [node for node in self.nodes if "Relation Name" in node]
        return sum(_rows_read(node) for node in scans)


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _rows_into(node: Mapping[str, Any]) -> int:
    return int(sum(child["Actual Rows"] * child["Actual Loops"] for child in node["Plans"]))


def _rows_read(node: Mapping[str, Any]) -> int:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


class Looker:
    """One connection, to run statements on and see how PostgreSQL runs them."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    async def plan(self, query: Query, values: Mapping[str, Any], times: int = 1) -> Plan:
        """The plan for these values, with the best of its times."""
        arguments = [values[name] for name in query.parameters]
        found = [await self._explain(query.sql, arguments) for _ in range(times)]
        return _plan(found)

    async def general_plan(self, query: Query, values: Mapping[str, Any], times: int = 1) -> Plan:
        """The plan for any values, which a connection keeps once it has seen a few."""
        shown = ", ".join(_literal(values[name]) for name in query.parameters)
        await self.driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await self.driver.execute(f"PREPARE one AS {query.sql}")
        try:
            found = [await self._explain(f"EXECUTE one({shown})", []) for _ in range(times)]
        finally:
            await self.driver.execute("DEALLOCATE one; SET LOCAL plan_cache_mode = auto")
        return _plan(found)

    async def _explain(self, sql: str, arguments: list[Any]) -> Any:
        how = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)"
        [top] = await self.driver.fetchval(f"{how} {sql}", *arguments)
        return top

    async def length(self, case: Case, store: Store, limit: int) -> int:
        """How many rows the list has, at most `limit`."""
        query, arguments = self._keys(case, store, limit)
        return int(await self.driver.fetchval(f"SELECT count(*) FROM ({query.sql}) x", *arguments))

    async def key_at(self, case: Case, store: Store, place: int) -> list[Any]:
        """The key of the row at a place of the list, counted from 0."""
        query, arguments = self._keys(case, store, place + 1)
        sql = f"SELECT * FROM ({query.sql}) AS page OFFSET {place} LIMIT 1"
        return list(await self.driver.fetchrow(sql, *arguments))

    def _keys(self, case: Case, store: Store, limit: int) -> tuple[Query, list[Any]]:
        query = page_query(case.shape(store, keyset=False, columns=case.key_columns))
        values = case.values(store) | {"limit": limit}
        return query, [values[name] for name in query.parameters]


def _plan(tops: Sequence[Any]) -> Plan:
    # The best of its times: others work on the machine, too.
    return Plan(tops[-1]["Plan"], min(top["Execution Time"] for top in tops))


def _literal(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "'{" + ", ".join(map(str, value)) + "}'"
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return "'" + text.replace("'", "''") + "'"


class ExplainingReader(Reader):
    """A reader that keeps the plan of every statement that it runs."""

    def __init__(self, pool: ReadPool, actor: Actor) -> None:
        super().__init__(pool, actor)
        self.plans: list[Plan] = []

    async def fetch(self, query: Query, values: Mapping[str, Any], record: type[R]) -> list[R]:
        rows = await super().fetch(query, values, record)
        self.plans.append(await Looker(self._connection).plan(query, values))
        return rows
