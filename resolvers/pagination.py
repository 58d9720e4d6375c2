"""Connections: keyset pages in both directions, as Relay has them.

A cursor holds the list's name, its order and the row's place in it, so that a cursor of another
list or order is refused.
"""

import asyncio
import base64
import binascii
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from operator import itemgetter
from typing import Annotated, Any, Generic, TypeVar

import orjson
import strawberry
from sqlalchemy import BigInteger, DateTime, Integer, Uuid
from sqlalchemy.types import TypeEngine

from models.aggregate import NEVER
from models.errors import InvalidCursor, InvalidInput
from models.ids import HexId, hex_id, id_array
from models.listing import (
    COUNT_LIMIT,
    MAX_FILTER_VALUES,
    Branch,
    Link,
    ListSpec,
    Shape,
    count_query,
    page_query,
)
from models.reading import Record
from models.text import check_text
from resolvers.batching import Parents, batched, place_of, themselves
from resolvers.context import Info
from resolvers.scalars import plain
from resolvers.selection import ROWS_OF_CONNECTION, asked_columns, asks_for_cursors

MAX_CURSOR_LENGTH = 500
MAX_FILTER_LENGTH = 500
_LAST = datetime.fromisoformat(NEVER)
_ACCOUNT_ID, _ID = itemgetter("account_id"), itemgetter("id")
T = TypeVar("T")

ONE_OF_TWO = (
    "Exactly one of `first` and `last` is needed; each is at most 100 unless the server says "
    "otherwise."
)
First = Annotated[
    int | None, strawberry.argument(description=f"How many, from the start. {ONE_OF_TWO}")
]
After = Annotated[
    str | None, strawberry.argument(description="With `first`: the cursor to go on after.")
]
Last = Annotated[
    int | None, strawberry.argument(description=f"How many, from the end. {ONE_OF_TWO}")
]
Before = Annotated[
    str | None, strawberry.argument(description="With `last`: the cursor to go back from.")
]


@strawberry.enum(description="Which way a list is sorted.")
class OrderDirection(Enum):
    """Ascending or descending."""

    ASC = strawberry.enum_value("ASC", description="The least first.")
    DESC = strawberry.enum_value("DESC", description="The greatest first.")


@dataclass(frozen=True)
class PageArguments:
    """The Relay arguments of a list, as the caller gave them."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def backward(self) -> bool:
        """Whether the page is counted from the end."""
        return self.last is not None

    @property
    def cursor(self) -> str | None:
        """The cursor that the page begins or ends at."""
        return self.before if self.backward else self.after

    def size(self, largest: int) -> int:
        """How many rows are asked for; raises `InvalidInput` where it is not one clear number."""
        if (self.first is None) == (self.last is None):
            raise InvalidInput("Give either `first` or `last`.", ("first",))
        name = "last" if self.backward else "first"
        size = self.last if self.backward else self.first
        if size is None or not 0 <= size <= largest:
            raise InvalidInput(f"`{name}` must be between 0 and {largest}.", (name,))
        if (self.before if not self.backward else self.after) is not None:
            raise InvalidInput("`after` must go with `first`, `before` with `last`.", (name,))
        return size


@dataclass
class Filtered:
    """What a filter asks of a list: which branches, dimensions and conditions, with which values.

    `account_id` is set where the list is that of one account.
    """

    branches: tuple[Branch, ...] | None = None
    dimensions: dict[str, Sequence[Any]] = field(default_factory=dict)
    conditions: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    account_id: HexId | None = None

    def among(self, name: str, values: Sequence[Any] | None, shown: str) -> None:
        """Ask that a dimension is one of `values`; None asks nothing."""
        if values is None:
            return
        if len(values) > MAX_FILTER_VALUES:
            raise InvalidInput(f"At most {MAX_FILTER_VALUES} values.", ("filter", shown))
        for value in values:
            if isinstance(value, str):
                check_text(value, MAX_FILTER_LENGTH, "filter", shown, empty=True)
        self.dimensions[name] = list(dict.fromkeys(plain(value) for value in values))

    def states(self, values: Sequence[Any] | None) -> None:
        """Ask that the state is one of `values`; None asks nothing."""
        if values is not None:
            self.branches = tuple(Branch(plain(value)) for value in dict.fromkeys(values))

    def between(self, name: str, span: "DateTimeRange | None", missing_last: bool = False) -> None:
        """Ask that an instant lies in a range, by the conditions `<name>_after` and `_before`.

        `missing_last` where what has no such instant is stored as one after all others.
        """
        if span is None or not span:
            return
        before = span.before or (_LAST if missing_last else None)
        if span.since is not None:
            self.conditions[f"{name}_after"] = {f"{name}_after": span.since}
        if before is not None:
            self.conditions[f"{name}_before"] = {f"{name}_before": before}


@strawberry.input(description="A span of time; an end that is left out is open.")
class DateTimeRange:
    """A half-open range of instants."""

    since: datetime | None = strawberry.field(
        default=None, description="From this instant on, inclusive."
    )
    before: datetime | None = strawberry.field(
        default=None, description="Until this instant, exclusive."
    )

    def __bool__(self) -> bool:
        """Whether it has an end at all: without, it asks nothing."""
        return self.since is not None or self.before is not None


@dataclass
class ListRequest:
    """One list as one place of a query asks for it; for a nested list, the same for all parents."""

    info: Info
    spec: ListSpec
    name: str
    columns: tuple[str, ...]
    page: PageArguments
    filtered: Filtered
    order: str
    descending: bool = False
    link: Link | None = None
    counts: "asyncio.Task[dict[Any, int]] | None" = None

    def shape(self, keyset: bool, descending: bool) -> Shape:
        """What the statement depends on."""
        filtered = self.filtered
        return Shape(
            spec=self.spec,
            columns=self.columns,
            order=self.order,
            descending=descending,
            keyset=keyset,
            branches=filtered.branches,
            dimensions=tuple(
                (name, len(filtered.dimensions[name]))
                for name in self.spec.dimensions
                if name in filtered.dimensions
            ),
            conditions=tuple(sorted(filtered.conditions)),
            account=filtered.account_id is not None and self.link is None,
            link=self.link,
        )

    def values(self) -> dict[str, Any]:
        """The parameters that the filter binds."""
        context = self.info.context
        found: dict[str, Any] = {
            "platform_id": context.actor.platform_id,
            "account_id": self.filtered.account_id,
            "now": context.now,
        }
        for name, values in self.filtered.dimensions.items():
            found.update({f"{name}_{n}": value for n, value in enumerate(values)})
        for bound in self.filtered.conditions.values():
            found.update(bound)
        return found

    @property
    def key_columns(self) -> list[str]:
        """The columns of a row's place in the list's order."""
        scoped = self.link is not None or self.filtered.account_id is not None
        ties = [name for name in self.spec.tie if not (scoped and name == "account_id")]
        return list(dict.fromkeys([self.spec.orders[self.order], *ties]))

    def cursor_of(self, row: Record) -> str:
        """The cursor of a row."""
        return self._cursor([row[name] for name in self.key_columns])

    def after_values(self, cursor: str) -> dict[str, Any]:
        """The parameters of the keyset that a cursor stands for; raises `InvalidCursor`."""
        types = [self.spec.table.c[name].type for name in self.key_columns]
        try:
            parts = _decode(cursor)
            if parts[:3] != [self.name, self.order, self.descending]:
                raise InvalidCursor("The cursor is of another list or order.", ("after",))
            keys = [_read_key(t, part) for t, part in zip(types, parts[3:], strict=True)]
            # Each place has one cursor: whatever else reads the same was not given out.
            if self._cursor(keys) != cursor:
                raise ValueError(cursor)
        except (ValueError, TypeError, KeyError, binascii.Error):
            raise InvalidCursor("This is not a cursor of this API.", ("after",)) from None
        return {f"after_{n}": key for n, key in enumerate(keys)}

    def _cursor(self, keys: Sequence[Any]) -> str:
        text = orjson.dumps([self.name, self.order, self.descending, *keys])
        return base64.urlsafe_b64encode(text).decode().rstrip("=")


class Page:
    """One page of one list, with what is needed to count the list and to name its rows.

    `more` is whether the list goes on, in the direction in which it is read.
    """

    __slots__ = ("more", "parent", "request", "rows")

    def __init__(
        self, request: ListRequest, rows: list[Any], parent: Any, more: bool = False
    ) -> None:
        self.request = request
        self.rows = rows
        self.more = more
        self.parent = parent

    @property
    def has_next(self) -> bool:
        """Whether something comes after the page, as far as Relay has it known."""
        page = self.request.page
        return page.cursor is not None if page.backward else self.more

    @property
    def has_previous(self) -> bool:
        """Whether something comes before the page, as far as Relay has it known."""
        page = self.request.page
        return self.more if page.backward else page.cursor is not None


def _edges(parents: Parents, info: Info) -> list[list[Any]]:
    """The rows: an edge needs no object of its own, since its place tells the list."""
    for page in parents[:1]:
        info.context.lists[place_of(info.path)] = page.request
    return _nodes(parents)


def _nodes(parents: Parents) -> list[list[Any]]:
    return [page.rows for page in parents]


def _has_next(parents: Parents) -> list[bool]:
    return [page.has_next for page in parents]


def _has_previous(parents: Parents) -> list[bool]:
    return [page.has_previous for page in parents]


def _cursors(parents: Parents, info: Info) -> list[str]:
    request: ListRequest = info.context.lists[place_of(info.path)[1:]]
    return list(map(request.cursor_of, parents))


def _end_cursors(parents: Parents, place: int) -> list[str | None]:
    return [p.request.cursor_of(p.rows[place]) if p.rows else None for p in parents]


def _start_cursors(parents: Parents) -> list[str | None]:
    return _end_cursors(parents, 0)


def _last_cursors(parents: Parents) -> list[str | None]:
    return _end_cursors(parents, -1)


async def _totals(parents: Parents) -> list[int]:
    return [min(count, COUNT_LIMIT) for count in await _counts(parents)]


async def _capped(parents: Parents) -> list[bool]:
    return [count > COUNT_LIMIT for count in await _counts(parents)]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page info."""

    has_next_page: bool = batched(
        _has_next,
        description=(
            "Whether the list goes on after this page; with `last`, whether `before` was given."
        ),
    )
    has_previous_page: bool = batched(
        _has_previous,
        description=(
            "Whether something comes before this page; with `first`, whether `after` was given."
        ),
    )
    start_cursor: str | None = batched(
        _start_cursors, description="The cursor of the first row of the page."
    )
    end_cursor: str | None = batched(
        _last_cursors, description="The cursor of the last row of the page."
    )


@strawberry.type(description="A row in its page.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = batched(_cursors, description="The cursor of the row.")
    node: T = batched(themselves, description="The object itself.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's connection."""

    edges: list[Edge[T]] = batched(_edges, description="The rows of the page, with cursors.")
    nodes: list[T] = batched(_nodes, description="The objects of the page.")
    page_info: PageInfo = batched(themselves, description="Where the page stands in the list.")
    total_count: int = batched(
        _totals, description="How many the list holds: exact to 10,000, which is the most it says."
    )
    total_count_is_capped: bool = batched(
        _capped, description="Whether the list holds more than `totalCount` says."
    )


def list_request(
    info: Info,
    spec: ListSpec,
    type_name: str,
    name: str,
    page: PageArguments,
    filtered: Filtered,
    order_by: Any = None,
    link: Link | None = None,
) -> ListRequest:
    """The request of a list of `type_name`, called `name` in its cursors.

    `order_by` has a `field` and a `direction`; without it the list's first order holds, ascending.
    An account user's list is that of the account.
    """
    if filtered.account_id is None and "account_id" in spec.table.c:
        own = info.context.actor.account_id
        filtered.account_id = None if own is None else hex_id(own)
    order = next(iter(spec.orders)) if order_by is None else plain(order_by.field)
    descending = order_by is not None and order_by.direction is OrderDirection.DESC
    columns = columns_of_rows(info, type_name, spec)
    request = ListRequest(info, spec, name, columns, page, filtered, order, descending, link)
    if asks_for_cursors(info):
        request.columns = tuple(dict.fromkeys([*columns, *request.key_columns]))
    return request


async def fetch_page(request: ListRequest) -> Page:
    """One page of a list that hangs on no parent."""
    context = request.info.context
    size = request.page.size(context.max_page_size)
    query, values = _prepared(request, size)
    context.spend(1)
    rows = await context.reader.fetch(query, values, request.spec.record)
    page = _page(request, rows, None, size)
    context.spend(len(page.rows))
    return page


async def fetch_pages(request: ListRequest, parents: Sequence[Any]) -> list[Page]:
    """One page for each parent, in their order, by one statement."""
    context, link = request.info.context, request.link
    assert link is not None
    size = request.page.size(context.max_page_size)
    query, values = _prepared(request, size)
    values.update(_parent_values(request, parents))
    rows = await context.reader.fetch(query, values, request.spec.record)
    by_parent: defaultdict[Any, list[Any]] = defaultdict(list)
    for key, row in zip(map(link.parent_of, rows), rows, strict=True):
        by_parent[key].append(row)
    found = [by_parent.get(key, []) for key in map(link.key_of, parents)]
    lengths = list(map(len, found))
    longest = max(lengths, default=0)
    # Parents may be the same object many times over: what counts is what they are shown.
    context.spend(sum(lengths if longest <= size else [min(n, size) for n in lengths]))
    if longest > size or request.page.backward:
        return [_page(request, *pair, size) for pair in zip(found, parents, strict=True)]
    # Nothing to cut: 0.2 microseconds a parent less.
    return [Page(request, *pair) for pair in zip(found, parents, strict=True)]


def columns_of_rows(info: Info, type_name: str, spec: ListSpec) -> tuple[str, ...]:
    """The columns that the rows of a connection need: what is asked for, and their key."""
    asked = asked_columns(info, type_name, ROWS_OF_CONNECTION)
    keys = [name for name in ("account_id", "id") if name in spec.table.c]
    return tuple(dict.fromkeys([*keys, *asked]))


def _prepared(request: ListRequest, size: int) -> tuple[Any, dict[str, Any]]:
    page = request.page
    cursor = page.cursor
    values = {**request.values(), "limit": size + 1}
    if cursor is not None:
        values.update(request.after_values(cursor))
    descending = request.descending != page.backward
    return page_query(request.shape(cursor is not None, descending)), values


def _page(request: ListRequest, rows: list[Any], parent: Any, size: int) -> Page:
    """The page of what was found, which is one row more than asked for if the list goes on."""
    shown = rows[:size]
    if request.page.backward:
        shown.reverse()
    return Page(request, shown, parent, len(rows) > size)


def _parent_values(request: ListRequest, parents: Sequence[Any]) -> dict[str, Any]:
    accounts, asked = set(map(_ACCOUNT_ID, parents)), request.filtered.account_id
    # The filter may ask for one account; the lists of the others are empty.
    values: dict[str, Any] = {"accounts": list(accounts if asked is None else accounts & {asked})}
    if request.link is not None and request.link.by_id:
        values["ids"] = id_array(map(_ID, parents))
    return values


async def _counts(pages: Sequence[Page]) -> list[int]:
    """How many rows each page's list holds, at most one over the limit; counted once a request."""
    found: list[int] = []
    for page in pages:
        request = page.request
        if request.counts is None:
            mates = [mate for mate in pages if mate.request is request]
            request.counts = asyncio.ensure_future(_count(request, mates))
        counts = await request.counts
        found.append(counts.get(_count_key(page), 0))
    return found


def _count_key(page: Page) -> Any:
    link = page.request.link
    return None if link is None else link.key_of(page.parent)


async def _count(request: ListRequest, pages: Sequence[Page]) -> dict[Any, int]:
    reader, link = request.info.context.reader, request.link
    values = request.values()
    query = count_query(request.shape(keyset=False, descending=False))
    if link is None:
        rows = await reader.fetch(query, values, request.spec.record)
        return {None: rows[0]["total"]}
    values.update(_parent_values(request, [page.parent for page in pages]))
    rows = await reader.fetch(query, values, request.spec.record)
    return {link.parent_of(row): row["total"] for row in rows}


def _decode(cursor: str) -> list[Any]:
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise ValueError(cursor)
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    parts = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    if not isinstance(parts, list):
        raise TypeError(cursor)
    return parts


def _read_key(kind: TypeEngine[Any], part: Any) -> Any:
    """What a column of this type may hold, and PostgreSQL may take; raises a ValueError or such."""
    if isinstance(kind, Integer):
        largest = 2**63 if isinstance(kind, BigInteger) else 2**31
        if type(part) is int and 0 <= part < largest:
            return part
    elif isinstance(part, str) and "\x00" not in part:
        if isinstance(kind, DateTime):
            return _read_instant(part)
        return uuid.UUID(hex=part).hex if isinstance(kind, Uuid) else part
    raise TypeError(part)


def _read_instant(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.utcoffset() != timedelta():
        raise ValueError(text)
    return value
