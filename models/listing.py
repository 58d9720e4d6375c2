"""Lists: keyset pages with filters, each of which an index serves under row security.

A list's `ListSpec` says how it may be filtered and ordered, and makes the indexes for it. Equality
filters are dimensions. A statement walks, for each value of one dimension and each state, one index
in the order asked for, and merges these branches: `IN` over several states would sort them all. The
other filters are conditions on the rows so found. Values that the statement depends on (which
filters, which order) make its `Shape`, under which it is compiled once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Index,
    Integer,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from models.reading import Query, Record, compile_query, record_of

COUNT_LIMIT = 10_000
MAX_FILTER_VALUES = 20
MAX_SHAPES = 2_000
_COUNT_TO = literal_column(str(COUNT_LIMIT + 1), Integer)
Condition = Callable[[Table], ColumnElement[bool]]


@dataclass(frozen=True)
class Branch:
    """One value of the state column, with a condition on its rows."""

    state: str
    condition: str | None = None


@dataclass(frozen=True, eq=False)
class ListSpec:
    """How rows of one table may be listed.

    `orders` maps the name of an order to its NOT NULL column; ties fall to `tie`. `dimensions` maps
    the name of an equality filter to its column, the most selective first. `states` are the values
    of `state_column`. `conditions` maps the names of other filters to what they ask of a row; their
    parameters are bound by name.
    """

    name: str
    table: Table
    orders: Mapping[str, str]
    dimensions: Mapping[str, str] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    state_column: str = "state"
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    tie: tuple[str, ...] = ("account_id", "id")

    @property
    def record(self) -> type[Record]:
        """The class of the list's rows."""
        return record_class(self.table)

    def declare_indexes(self) -> None:
        """Make the indexes that the filters and orders need, and those within one account."""
        lead = (self.state_column,) if self.states else ()
        for order in self.orders.values():
            self._index("platform_id", *lead, order)
            if len(self.tie) > 1:
                self._index("account_id", order, scoped=True)
            for column in self.dimensions.values():
                self._index("platform_id", column, *lead, order)

    def _index(self, *columns: str, scoped: bool = False) -> None:
        ties = [name for name in self.tie if not (scoped and name == "account_id")]
        names = list(dict.fromkeys([*columns, *ties]))
        shown = [name for name in columns if name != "platform_id"]
        label = "_".join(["ix", self.table.name, *shown])
        Index(label, *(self.table.c[name] for name in names))


@dataclass(frozen=True)
class Link:
    """How rows of a list hang on their parent.

    `parent` is the parent's table; its key is `account_id` and, unless the parent is the account,
    `id`. `column` is the row's column that holds the parent's id; `through`, where it is set, is
    the table between the two, with the columns of either's id.
    """

    parent: Table
    column: str | None = None
    through: Table | None = None
    through_parent: str = ""
    through_child: str = ""


@dataclass(frozen=True)
class Shape:
    """What a list's statement depends on. Equal shapes share one compiled statement."""

    spec: ListSpec
    columns: tuple[str, ...]
    order: str
    descending: bool = False
    keyset: bool = False
    branches: tuple[Branch, ...] | None = None
    dimensions: tuple[tuple[str, int], ...] = ()
    conditions: tuple[str, ...] = ()
    account: bool = False
    link: Link | None = None


@lru_cache(maxsize=64)
def record_class(table: Table) -> type[Record]:
    """The record class of a table's rows, with the parent's key where a page has several."""
    return record_of(table, "parent_account_id", "parent_id", "total")


@lru_cache(maxsize=MAX_SHAPES)
def page_query(shape: Shape) -> Query:
    """One page. Parameters: platform_id, limit, the filters' values, `after_0`... of the keyset."""
    return compile_query(_by_branches(shape) if shape.link is None else _by_parent(shape))


@lru_cache(maxsize=MAX_SHAPES)
def count_query(shape: Shape) -> Query:
    """How many rows there are, at most one more than `COUNT_LIMIT`, as `total`."""
    if shape.link is not None:
        return compile_query(_count_by_parent(shape))
    table = shape.spec.table
    found: Select[Any] = (
        select(literal_column("1").label("one")).where(*_where(shape, table)).limit(_COUNT_TO)
    )
    return compile_query(select(func.count().label("total")).select_from(found.subquery()))


def _by_branches(shape: Shape) -> Select[Any]:
    """Merge one ordered walk per state and per value of the leading dimension."""
    branches = [_branch(shape, *key) for key in _branch_keys(shape)]
    if not branches:
        return _ordered(shape, shape.spec.table).where(false())
    if len(branches) == 1:
        return branches[0]
    merged = union_all(*(branch.subquery().select() for branch in branches)).subquery()
    return _ordered(shape, merged)


def _branch_keys(shape: Shape) -> list[tuple[Branch | None, int | None]]:
    spec = shape.spec
    if shape.account:
        return [(None, None)]
    states: Sequence[Branch | None] = [None]
    if spec.states:
        known = [Branch(state) for state in spec.states]
        states = known if shape.branches is None else shape.branches
    numbers = range(shape.dimensions[0][1]) if shape.dimensions else [None]
    return list(product(states, numbers))


def _branch(shape: Shape, branch: Branch | None, number: int | None) -> Select[Any]:
    table = shape.spec.table
    where = _where(shape, table, branch, number)
    return _ordered(shape, table).where(*where, *_after(shape, table))


def _where(
    shape: Shape, table: Table, branch: Branch | None = None, number: int | None = None
) -> list[ColumnElement[bool]]:
    """The conditions of one branch, or, without a branch, of the whole list."""
    spec = shape.spec
    found: list[ColumnElement[bool]] = []
    if shape.link is None:
        found.append(table.c.platform_id == bindparam("platform_id"))
    if shape.account:
        found.append(table.c.account_id == bindparam("account_id"))
    for index, (name, count) in enumerate(shape.dimensions):
        column = table.c[spec.dimensions[name]]
        if index == 0 and number is not None:
            found.append(column == bindparam(f"{name}_{number}"))
        else:
            values: list[ColumnElement[Any]] = [bindparam(f"{name}_{n}") for n in range(count)]
            found.append(or_(false(), *(column == value for value in values)))
    if branch is not None:
        found.append(_branch_condition(spec, table, branch))
    elif shape.branches is not None:
        either = [_branch_condition(spec, table, b) for b in shape.branches]
        found.append(or_(false(), *either))
    found.extend(spec.conditions[name](table) for name in shape.conditions)
    return found


def _branch_condition(spec: ListSpec, table: Table, branch: Branch) -> ColumnElement[bool]:
    state = table.c[spec.state_column] == word(branch.state)
    if branch.condition is None:
        return state
    return and_(state, spec.conditions[branch.condition](table))


def _sort_columns(shape: Shape, rows: FromClause) -> list[ColumnElement[Any]]:
    spec = shape.spec
    scoped = shape.account or shape.link is not None
    ties = [name for name in spec.tie if not (scoped and name == "account_id")]
    return [rows.c[name] for name in (spec.orders[shape.order], *ties)]


def _after(shape: Shape, rows: FromClause) -> list[ColumnElement[bool]]:
    if not shape.keyset:
        return []
    columns = _sort_columns(shape, rows)
    values = tuple_(*(bindparam(f"after_{n}", type_=c.type) for n, c in enumerate(columns)))
    row = tuple_(*columns)
    return [row < values if shape.descending else row > values]


def _ordered(shape: Shape, rows: FromClause) -> Select[Any]:
    order = _sort_columns(shape, rows)
    names = dict.fromkeys([*shape.columns, *(str(column.key) for column in order)])
    columns = [rows.c[name] for name in names]
    if shape.descending:
        order = [column.desc() for column in order]
    return select(*columns).order_by(*order).limit(bindparam("limit"))


def _parent_keys(link: Link) -> tuple[list[ColumnElement[Any]], list[ColumnElement[bool]]]:
    """The columns of the parents' keys, and the condition that picks the parents asked for."""
    parent = link.parent
    columns: list[ColumnElement[Any]] = [parent.c.account_id.label("parent_account_id")]
    where = [is_any(parent.c.account_id, "accounts")]
    if "id" in parent.c:
        columns.append(parent.c.id.label("parent_id"))
        where.append(is_any(parent.c.id, "ids"))
    return columns, where


def _of_parent(shape: Shape, link: Link) -> list[ColumnElement[bool]]:
    table = shape.spec.table
    found = [table.c.account_id == link.parent.c.account_id]
    if link.through is None:
        if link.column is not None:
            found.append(table.c[link.column] == link.parent.c.id)
        return found
    between = link.through
    return [
        *found,
        between.c.account_id == link.parent.c.account_id,
        between.c[link.through_parent] == link.parent.c.id,
        table.c.id == between.c[link.through_child],
    ]


def _by_parent(shape: Shape) -> Select[Any]:
    """One page for each parent, in one statement."""
    link, table = shape.link, shape.spec.table
    assert link is not None
    where = [*_of_parent(shape, link), *_where(shape, table), *_after(shape, table)]
    page = _ordered(shape, table).where(*where).correlate(link.parent).lateral("page")
    keys, asked = _parent_keys(link)
    columns = [column for column in page.c if column.key not in ("parent_account_id", "parent_id")]
    # The lateral's order is kept row by row, and rows are grouped by parent on arrival.
    return select(*keys, *columns).select_from(link.parent.join(page, true())).where(*asked)


def _count_by_parent(shape: Shape) -> Select[Any]:
    link, table = shape.link, shape.spec.table
    assert link is not None
    where = [*_of_parent(shape, link), *_where(shape, table)]
    found: Select[Any] = select(literal_column("1").label("one")).where(*where).limit(_COUNT_TO)
    rows = found.correlate(link.parent).lateral("found")
    keys, asked = _parent_keys(link)
    counted = select(func.count()).select_from(rows).scalar_subquery()
    return select(*keys, counted.correlate(link.parent).label("total")).where(*asked)


def created_after(table: Table) -> ColumnElement[bool]:
    """Made at `:created_after` or later."""
    return table.c.created_at >= bindparam("created_after")


def created_before(table: Table) -> ColumnElement[bool]:
    """Made before `:created_before`."""
    return table.c.created_at < bindparam("created_before")


def word(value: str) -> ColumnElement[str]:
    """One of Recourse's own words as a literal: the planner sees how many rows have it."""
    if not value.isidentifier():
        raise ValueError(value)
    return literal_column(f"'{value}'", Text)


def is_any(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """That the column is one of the array bound as `name`."""
    return column == any_(bindparam(name, type_=ARRAY(column.type)))
