"""Completing: from a field's values to a column of the response, or to the rows of the next level.

What is plainly right is taken as a whole: leaves by their encoder, objects and lists of objects by
a check of their classes, which runs in C. All else is looked at value by value, as graphql-core
does.
"""

from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, Undefined
from graphql.execution.executor import Executor
from graphql.pyutils import is_iterable

from app.executor.errors import Place
from app.executor.leaves import Values, is_plain
from app.executor.plan import PlannedField, Shape
from app.executor.resolve import awaited
from app.executor.rows import FAILED, Broken, Fold, Node, Rows, value_of
from app.executor.types import divide

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor

LISTS = frozenset((list, tuple))


async def complete(
    run: "BreadthFirstExecutor", rows: Rows, field: PlannedField, values: Values
) -> Fold | None:
    """Put a field's values into its column; if they are objects, give their fold with its rows."""
    shape = field.shape
    if shape.is_leaf:
        column = encoded(values, shape)
        if column is not None:
            rows.put(field, column)
        else:
            nodes = await _closely(run, rows, field, values)
            column = [value_of(node, shape, nodes.found) for node in nodes.standing]
            rows.put_checked(field, column)
        return None
    fold, found = _as_it_is(rows, field, values)
    if fold is None:
        nodes = await _closely(run, rows, field, values)
        fold, found = Fold(rows, field, len(nodes.found)), nodes.found
        fold.nodes, fold.places = nodes.standing, nodes.places
    await divide(run, fold, found)
    return fold


def encoded(values: Values, shape: Shape) -> Values | None:
    """Leaves as the response holds them; None where one needs a closer look."""
    if shape.encode is not None:
        return shape.encode(values)
    assert shape.item is not None
    if not LISTS.issuperset(map(type, values)):
        return None
    flat = encoded(list(chain.from_iterable(values)), shape.item)
    if flat is None:
        return None
    ends, column = 0, []
    for value in values:
        column.append(flat[ends : ends + len(value)])
        ends += len(value)
    return column


def _as_it_is(rows: Rows, field: PlannedField, values: Values) -> tuple[Fold | None, Values]:
    """The fold of values that need no closer look: an object, null, or a list of objects each."""
    shape = field.shape
    kinds = set(map(type, values))
    if shape.item is None:
        return _singly(rows, field, values, kinds)
    if shape.item.item is not None or not LISTS.issuperset(kinds):
        return None, values
    found = list(chain.from_iterable(values))
    if not all(map(is_plain, set(map(type, found)))):
        return None, values
    fold = Fold(rows, field, len(found))
    fold.lengths = list(map(len, values))
    return fold, found


def _singly(
    rows: Rows, field: PlannedField, values: Values, kinds: set[type]
) -> tuple[Fold | None, Values]:
    has_nulls = NoneType in kinds and field.shape.nullable
    if not all(is_plain(kind) for kind in kinds if not (has_nulls and kind is NoneType)):
        return None, values
    if not has_nulls:
        return Fold(rows, field, len(values)), values
    there = [row for row, value in enumerate(values) if value is not None]
    fold = Fold(rows, field, len(there))
    fold.nodes = [None] * len(values)
    for ordinal, row in enumerate(there):
        fold.nodes[row] = ordinal
    fold.places = [Place(rows, row, field) for row in there]
    return fold, [values[row] for row in there]


async def _closely(
    run: "BreadthFirstExecutor", rows: Rows, field: PlannedField, values: Values
) -> "_Nodes":
    return _Nodes(run, rows, field, await awaited(run, values, field.shape))


class _Nodes:
    """Values looked at one by one: what stands in each row's place, and what was found there.

    `found` are the objects, or the leaves as graphql-core coerces them, in the order of the
    response; a node that is a number stands for one of them.
    """

    def __init__(
        self, run: "BreadthFirstExecutor", rows: Rows, field: PlannedField, values: Values
    ) -> None:
        self.run, self.field = run, field
        self.found: list[Any] = []
        self.places: list[Place] = []
        self.standing: list[Node] = [
            self._node(value, field.shape, Place(rows, row, field))
            for row, value in enumerate(values)
        ]

    def _node(self, value: Any, shape: Shape, place: Place) -> Node:
        if isinstance(value, Exception):
            self.run.errors.add(place, value)
            return FAILED
        try:
            if value is None or value is Undefined:
                if shape.nullable:
                    return None
                raise TypeError(f"Cannot return null for non-nullable field {self._title()}.")
            if shape.item is not None:
                return self._items(value, shape.item, place)
            return self._end(value, shape, place)
        except Exception as error:
            self.run.errors.add(place, error)
            return FAILED

    def _items(self, value: Any, shape: Shape, place: Place) -> Node:
        if not is_iterable(value):
            raise GraphQLError(
                f"Expected Iterable, but did not find one for field '{self._title()}'."
            )
        nodes = [
            self._node(item, shape, place._replace(indexes=(*place.indexes, index)))
            for index, item in enumerate(value)
        ]
        if not isinstance(value, Broken):
            return nodes
        self.run.errors.add(place._replace(items_before=len(nodes)), value.error)
        return Broken(nodes, value.error)

    def _end(self, value: Any, shape: Shape, place: Place) -> Node:
        if shape.is_leaf:
            value = Executor.complete_leaf_value(shape.type, value)
        self.found.append(value)
        self.places.append(place)
        return len(self.found) - 1

    def _title(self) -> str:
        return f"{self.field.parent_type}.{self.field.field_name}"
