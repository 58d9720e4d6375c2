"""Lists: keyset pages with filters, each of which an index serves under row security.

A list's `ListSpec` says how it may be filtered and ordered, and makes the indexes for it. Equality
filters are dimensions. A statement walks, for each value of one dimension and each state, one index
in the order asked for, and merges these branches: `IN` over several states would sort them all. The
other filters are conditions on the rows so found. Values that the statement depends on (which
filters, which order) make its `Shape`, under which it is compiled once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import product
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Index,
    Integer,
    Select,
    Table,
    TableValuedAlias,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from models.bounds import Bound, Bounds, Columns, beginning
from models.reading import Query, Record, compile_query, record_of

COUNT_LIMIT = 10_000
MAX_FILTER_VALUES = 20
MAX_SHAPES = 2_000
# Planning takes 0.15 ms a branch and grows faster than that: 25 ms for 160. More are walked by one
# plan for all, which reads a whole page of keys of each.
MAX_PLANNED_BRANCHES = 16
_ONE = literal_column("1", Integer)
_COUNT_TO = literal_column(str(COUNT_LIMIT + 1), Integer)
Condition = Callable[[Columns], ColumnElement[bool]]


@dataclass(frozen=True)
class Branch:
    """One value of the state column, with conditions on its rows."""

    state: str
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ListSpec:
    """How rows of one table may be listed.

    `orders` maps the name of an order to its NOT NULL column; ties fall to `tie`. `dimensions` maps
    the name of an equality filter to its column, the most selective first. `states` are the values
    of `state_column`. `conditions` maps the names of other filters to what they ask of a row; their
    parameters are bound by name. `checked` are the columns that these look at: they stand at the
    end of every index, so that a row that is not meant is passed by without being fetched.
    `rare` are the conditions that few rows meet: they have indexes of their own, of these alone.
    `searches` are the conditions that look elsewhere first: such a list is walked once for all
    states, since each walk would search again. `mirrored` are the columns of orders that other
    tables repeat: their index within an account is unique, so that a foreign key can hold the copy
    equal.
    """

    name: str
    table: Table
    orders: Mapping[str, str]
    dimensions: Mapping[str, str] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    state_column: str = "state"
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    checked: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    mirrored: tuple[str, ...] = ()
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
            if self.searches:
                self._index("platform_id", order)
            if len(self.tie) > 1:
                self._index("account_id", order, scoped=True, unique=order in self.mirrored)
            for column in self.dimensions.values():
                self._index("platform_id", column, *lead, order)
            for condition in self.rare:
                self._index("platform_id", *lead, order, rare=condition)

    def _index(
        self, *columns: str, scoped: bool = False, unique: bool = False, rare: str | None = None
    ) -> None:
        ties = [name for name in self.tie if not (scoped and name == "account_id")]
        checked = () if scoped else self.checked
        names = list(dict.fromkeys([*columns, *ties, *checked]))
        shown = [name for name in columns if name != "platform_id"]
        label = "_".join(["ix", self.table.name, *shown, *([rare] if rare else [])])
        where = self.conditions[rare](self.table.c) if rare else None
        indexed = [self.table.c[name] for name in names]
        Index(label, *indexed, unique=unique, postgresql_where=where)


@dataclass(frozen=True, eq=False)
class Link:
    """How rows of a list hang on their parent.

    `parent` is the parent's table, under an alias where the list's is the same; its key is
    `account_id` and, unless the parent is the account, `id`. `column` is the row's column that
    holds the parent's id; `through`, where it is set, is the table between the two, with the
    columns of either's id. `mirrored` maps columns of the
    list's rows to those of `through` that repeat them: read there, one index has both the parent's
    rows and their order.
    """

    parent: FromClause
    column: str | None = None
    through: Table | None = None
    through_parent: str = ""
    through_child: str = ""
    mirrored: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> bool:
        """Whether the parent is not the account itself."""
        return "id" in self.parent.c

    @cached_property
    def key_of(self) -> Callable[[Any], Any]:
        """From a parent to its key: its account's id, or that and its own."""
        return itemgetter("account_id", "id") if self.by_id else itemgetter("account_id")

    @cached_property
    def parent_of(self) -> Callable[[Any], Any]:
        """From a row of the list to its parent's key."""
        # They come first in the row, and a place is found faster than a name.
        return itemgetter(0, 1) if self.by_id else itemgetter(0)

    def columns(self, table: Table) -> Columns:
        """The columns that the list's rows are sorted by and compared with."""
        if self.through is None:
            return table.c
        copies = {name: self.through.c[copy] for name, copy in self.mirrored.items()}
        return {**dict(table.c.items()), **copies}


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

    @property
    def searched(self) -> bool:
        """Whether one of its conditions is a search."""
        return any(name in self.spec.searches for name in self.conditions)

    @property
    def varied(self) -> bool:
        """Whether how much a filter leaves decides between its index and the order's."""
        if self.account or self.link is not None:
            return False
        found = (self.spec.conditions[name] for name in self.conditions)
        parts = [part for one in found if isinstance(one, Bounds) for part in one.bounds]
        return self.searched or any(p.column != self.spec.orders[self.order] for p in parts)


@lru_cache(maxsize=64)
def record_class(table: Table) -> type[Record]:
    """The record class of a table's rows, with the parent's key where a page has several."""
    return record_of(table, "parent_id", "total")


@lru_cache(maxsize=MAX_SHAPES)
def page_query(shape: Shape) -> Query:
    """One page. Parameters: platform_id, limit, the filters' values, `after_0`... of the keyset."""
    statement = _by_branches(shape) if shape.link is None else _by_parent(shape)
    return compile_query(statement, shape.varied)


@lru_cache(maxsize=MAX_SHAPES)
def count_query(shape: Shape) -> Query:
    """How many rows there are, at most one more than `COUNT_LIMIT`, as `total`."""
    if shape.link is not None:
        return compile_query(_count_by_parent(shape))
    keys = _branch_keys(shape)
    if len(keys) > MAX_PLANNED_BRANCHES:
        wheres = [_where(shape, shape.spec.table)]
    else:
        wheres = [_branch_where(shape, *key) for key in keys] or [[false()]]
    parts: list[Select[Any]] = [select(_ONE.label("one")).where(*where) for where in wheres]
    found = union_all(*parts).subquery() if len(parts) > 1 else parts[0].subquery()
    limited = select(found.c.one).limit(_COUNT_TO).subquery()
    counted = select(func.count().label("total")).select_from(limited)
    return compile_query(counted, shape.varied)


def _by_branches(shape: Shape) -> Select[Any]:
    """Merge one ordered walk per state and per value of the leading dimension."""
    keys = _branch_keys(shape)
    if not keys:
        return _ordered(shape, shape.spec.table, shape.columns).where(false())
    if len(keys) > MAX_PLANNED_BRANCHES:
        return _by_walks(shape)
    if len(keys) == 1:
        return _branch(shape, *keys[0], shape.columns)
    branches = [_branch(shape, *key, _names(shape)) for key in keys]
    merged = union_all(*(branch.subquery().select() for branch in branches)).subquery()
    return _ordered(shape, merged, shape.columns)


def _branch_keys(shape: Shape) -> list[tuple[Branch | None, int | None]]:
    if shape.account or shape.searched:
        return [(None, None)]
    numbers = range(shape.dimensions[0][1]) if shape.dimensions else [None]
    return list(product(_branches(shape), numbers))


def _branches(shape: Shape) -> Sequence[Branch | None]:
    if not shape.spec.states:
        return [None]
    if shape.branches is not None:
        return shape.branches
    return [Branch(state) for state in shape.spec.states]


def _branch(
    shape: Shape, branch: Branch | None, number: int | None, names: Sequence[str]
) -> Select[Any]:
    return _ordered(shape, shape.spec.table, names).where(*_branch_where(shape, branch, number))


def _branch_where(
    shape: Shape, branch: Branch | None, number: int | None
) -> list[ColumnElement[bool]]:
    spec, table = shape.spec, shape.spec.table
    where = _fixed(shape, table, None if number is None else _values(shape, 0)[number])
    if branch is not None:
        where.append(table.c[spec.state_column] == word(branch.state))
    else:
        where += _either(shape, table)
    return [*where, *_onwards(shape, table.c, _conditions(shape, branch))]


def _by_walks(shape: Shape) -> Select[Any]:
    """The same for many branches: one plan walks them all for their keys, then finds the rows."""
    spec, table = shape.spec, shape.spec.table
    keyed = replace(shape, columns=())
    alike: dict[tuple[str, ...], list[Branch | None]] = {}
    for branch in _branches(shape):
        alike.setdefault(() if branch is None else branch.conditions, []).append(branch)
    walks = [_walks(keyed, branches) for branches in alike.values()]
    found = walks[0] if len(walks) == 1 else union_all(*(w.subquery().select() for w in walks))
    page = _ordered(keyed, found.subquery(), _names(keyed)).subquery("page")
    mine = table.c.platform_id == bindparam("platform_id")
    same = [table.c[name] == page.c[name] for name in spec.tie]
    # The limit keeps the planner from reading the whole table to find the few rows.
    row = select(*(table.c[name] for name in shape.columns)).where(mine, *same).limit(_ONE)
    found_row = row.correlate(page).lateral("row")
    return select(*found_row.c).select_from(page, found_row).order_by(*_order(shape, page.c))


def _walks(shape: Shape, branches: Sequence[Branch | None]) -> Select[Any]:
    """The first keys of each branch; the branches have the same conditions."""
    spec, table = shape.spec, shape.spec.table
    places, where, lead = [], [], None
    if shape.dimensions:
        places.append(_each(_values(shape, 0), "leads"))
        lead = places[0].c.value
    states = [word(branch.state) for branch in branches if branch is not None]
    if states:
        places.append(_each(states, "states"))
        where.append(table.c[spec.state_column] == places[-1].c.value)
    where += _fixed(shape, table, lead)
    where += _onwards(shape, table.c, _conditions(shape, branches[0]))
    keys = _ordered(shape, table, _names(shape)).where(*where).correlate(*places).lateral("keys")
    return select(*keys.c).select_from(*places, keys)


def _each(values: Sequence[ColumnElement[Any]], name: str) -> TableValuedAlias:
    """The values as rows of a column `value`."""
    return func.unnest(array(values)).table_valued("value", name=name).render_derived()


def _values(shape: Shape, index: int) -> list[ColumnElement[Any]]:
    """The parameters that a dimension is compared with."""
    name, count = shape.dimensions[index]
    kind = shape.spec.table.c[shape.spec.dimensions[name]].type
    return [bindparam(f"{name}_{number}", type_=kind) for number in range(count)]


def _fixed(
    shape: Shape, table: Table, lead: ColumnElement[Any] | None = None
) -> list[ColumnElement[bool]]:
    """What all rows have in common; `lead` is the one value asked for of the leading dimension."""
    found: list[ColumnElement[bool]] = []
    if shape.link is None:
        found.append(table.c.platform_id == bindparam("platform_id"))
    if shape.account:
        found.append(table.c.account_id == bindparam("account_id"))
    for index, (name, _) in enumerate(shape.dimensions):
        column = table.c[shape.spec.dimensions[name]]
        values = [lead] if index == 0 and lead is not None else _values(shape, index)
        found.append(or_(false(), *(column == value for value in values)))
    return found


def _where(shape: Shape, table: Table) -> list[ColumnElement[bool]]:
    """The conditions of the whole list, wherever a page begins."""
    columns = table.c if shape.link is None else shape.link.columns(table)
    found = [shape.spec.conditions[name](columns) for name in shape.conditions]
    return [*_fixed(shape, table), *found, *_either(shape, table)]


def _either(shape: Shape, table: Table) -> list[ColumnElement[bool]]:
    """That a row is of one of the branches, if some are asked for."""
    if shape.branches is None:
        return []
    spec = shape.spec
    branches = [
        and_(
            table.c[spec.state_column] == word(branch.state),
            *(spec.conditions[name](table.c) for name in branch.conditions),
        )
        for branch in shape.branches
    ]
    return [or_(false(), *branches)]


def _conditions(shape: Shape, branch: Branch | None) -> list[str]:
    """The names of the conditions on the rows of a branch."""
    return [*shape.conditions, *(() if branch is None else branch.conditions)]


def _onwards(shape: Shape, columns: Columns, names: Sequence[str]) -> list[ColumnElement[bool]]:
    """The conditions of these names, and where the page begins."""
    found = [shape.spec.conditions[name] for name in names]
    if not shape.keyset:
        return [condition(columns) for condition in found]
    order, descending = shape.spec.orders[shape.order], shape.descending
    parts = [b for condition in found if isinstance(condition, Bounds) for b in condition.bounds]
    first = [b for b in parts if isinstance(b, Bound) and b.begins(order, descending)]
    rest: list[Condition] = [Bounds((part,)) for part in parts if part not in first]
    rest += [condition for condition in found if not isinstance(condition, Bounds)]
    return [*(condition(columns) for condition in rest), _after(shape, columns, first)]


def _sort_columns(shape: Shape, columns: Columns) -> list[ColumnElement[Any]]:
    spec = shape.spec
    scoped = shape.account or shape.link is not None
    ties = [name for name in spec.tie if not (scoped and name == "account_id")]
    # The keyset binds each column once, so a tie that is the order already stands here once too.
    return [columns[name] for name in dict.fromkeys((spec.orders[shape.order], *ties))]


def _after(shape: Shape, columns: Columns, bounds: Sequence[Bound]) -> ColumnElement[bool]:
    sorted_by = _sort_columns(shape, columns)
    keys = [bindparam(f"after_{n}", type_=column.type) for n, column in enumerate(sorted_by)]
    place = tuple_(*beginning(keys, bounds))
    row = tuple_(*sorted_by)
    return row < place if shape.descending else row > place


def _names(shape: Shape) -> list[str]:
    """The columns that part of a page needs: those asked for, and those of the order."""
    order = _sort_columns(shape, shape.spec.table.c)
    return list(dict.fromkeys([*shape.columns, *(str(column.key) for column in order)]))


def _order(shape: Shape, columns: Columns) -> list[ColumnElement[Any]]:
    sorted_by = _sort_columns(shape, columns)
    return [column.desc() for column in sorted_by] if shape.descending else sorted_by


def _ordered(
    shape: Shape, rows: FromClause, names: Sequence[str], columns: Columns | None = None
) -> Select[Any]:
    """A page of rows, sorted by their own columns unless others are given."""
    order = _order(shape, rows.c if columns is None else columns)
    return select(*(rows.c[name] for name in names)).order_by(*order).limit(bindparam("limit"))


def _parent_keys(link: Link) -> tuple[list[ColumnElement[Any]], list[ColumnElement[bool]]]:
    """The columns of the parents' keys, and the condition that picks the parents asked for."""
    parent = link.parent
    columns: list[ColumnElement[Any]] = [parent.c.account_id]
    where = [is_any(parent.c.account_id, "accounts")]
    if link.by_id:
        columns.append(parent.c.id.label("parent_id"))
        where.append(is_any_id(parent.c.id, "ids"))
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
    where = [*_of_parent(shape, link), *_fixed(shape, table), *_either(shape, table)]
    columns = link.columns(table)
    where += _onwards(shape, columns, shape.conditions)
    # A row's account is its parent's.
    names = [name for name in shape.columns if name != "account_id"]
    ordered = _ordered(shape, table, names, columns).where(*where)
    page = ordered.correlate(link.parent).lateral("page")
    keys, asked = _parent_keys(link)
    # The lateral's order is kept row by row, and rows are grouped by parent on arrival.
    return select(*keys, *page.c).select_from(link.parent.join(page, true())).where(*asked)


def _count_by_parent(shape: Shape) -> Select[Any]:
    link, table = shape.link, shape.spec.table
    assert link is not None
    where = [*_of_parent(shape, link), *_where(shape, table)]
    found: Select[Any] = select(literal_column("1").label("one")).where(*where).limit(_COUNT_TO)
    rows = found.correlate(link.parent).lateral("found")
    keys, asked = _parent_keys(link)
    counted = select(func.count()).select_from(rows).scalar_subquery()
    return select(*keys, counted.correlate(link.parent).label("total")).where(*asked)


def word(value: str) -> ColumnElement[str]:
    """One of Recourse's own words as a literal: the planner sees how many rows have it."""
    if not value.isidentifier():
        raise ValueError(value)
    return literal_column(f"'{value}'", Text)


def is_any(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """That the column is one of the array bound as `name`."""
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def is_any_id(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The same for ids, bound as what `id_array` makes of them."""
    return column == any_(cast(bindparam(name, type_=Text), ARRAY(column.type)))
