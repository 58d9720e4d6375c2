"""What a run works on: rows of objects, and the folds that put them back into their lists."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, islice
from typing import Any

from graphql.pyutils import Path

from app.executor.errors import Place
from app.executor.plan import PlannedField, Scope, Shape

# Above this many fields a dictionary is made from pairs: it is all the same by then.
MAX_COMPILED_NAMES = 64


class Failed:
    """What stands where an error has made null something that may not be: it goes further up."""

    __slots__ = ()


FAILED = Failed()


class Broken(list[Any]):
    """What an iterable gave before it raised `error`."""

    __slots__ = ("error",)

    def __init__(self, items: Sequence[Any], error: Exception) -> None:
        super().__init__(items)
        self.error = error


# What stands in a row's place of a field: the number of an object, null, FAILED, or a list of such.
Node = Any


class Rows:
    """All objects of one scope that came from one field.

    `sources` are what they are resolved from; `columns` hold, for each field of the scope, one
    completed value per object. `ordinals` are the objects' numbers in the fold, where the field's
    other objects are of other types.
    """

    __slots__ = ("columns", "failed", "fold", "ordinals", "paths", "scope", "sources")

    def __init__(
        self,
        scope: Scope,
        sources: list[Any],
        fold: "Fold | None" = None,
        ordinals: list[int] | None = None,
    ) -> None:
        self.scope = scope
        self.sources = sources
        self.fold = fold
        self.ordinals = ordinals
        self.columns: list[list[Any]] = [[]] * len(scope.fields)
        self.failed: set[int] = set()
        # graphql-core's path of each object, for those that were asked for it.
        self.paths: dict[int, Path] = {}

    def ordinal(self, row: int) -> int:
        """The number of a row's object in the fold."""
        return row if self.ordinals is None else self.ordinals[row]

    def put(self, field: PlannedField, column: list[Any]) -> None:
        """Set the values of a field, none of which is FAILED."""
        self.columns[field.order] = column

    def put_checked(self, field: PlannedField, column: list[Any]) -> None:
        """Set the values of a field; where one is FAILED, its object is."""
        self.failed.update(row for row, value in enumerate(column) if value is FAILED)
        self.columns[field.order] = column

    def built(self) -> list[Any]:
        """The objects as the response holds them; FAILED in the place of one that is not there."""
        found = dictionaries(self.scope.names, self.columns, len(self.sources))
        for row in self.failed:
            found[row] = FAILED
        return found


class Fold:
    """The objects of one field of some rows, and how they lie in the field's values.

    They are numbered in the order of the response. Without `lengths` and `nodes`, each row has one;
    `lengths` are those of the rows' lists; `nodes` say it one by one, with `places` by number.
    """

    __slots__ = (
        "children",
        "count",
        "ends",
        "field",
        "lengths",
        "lost",
        "nodes",
        "places",
        "rows",
    )

    def __init__(self, rows: Rows, field: PlannedField, count: int) -> None:
        self.rows = rows
        self.field = field
        self.count = count
        self.lengths: list[int] | None = None
        # Where each of the lists ends, once somebody has asked for a place.
        self.ends: list[int] | None = None
        self.nodes: list[Node] | None = None
        self.places: list[Place] = []
        self.children: list[Rows] = []
        self.lost = False

    def place_of(self, ordinal: int) -> Place:
        """The place of an object."""
        if self.nodes is not None:
            return self.places[ordinal]
        if self.lengths is None:
            return Place(self.rows, ordinal, self.field)
        if self.ends is None:
            self.ends = list(accumulate(self.lengths))
        row = bisect_right(self.ends, ordinal)
        return Place(self.rows, row, self.field, (ordinal - self.ends[row] + self.lengths[row],))

    def finish(self) -> None:
        """Give the parent's rows what has become of the objects."""
        made = self._made()
        if self.nodes is None and not self.lost and not any(rows.failed for rows in self.children):
            self.rows.put(self.field, self._as_they_lie(made))
        else:
            shape = self.field.shape
            column = [value_of(node, shape, made) for node in self._each_node()]
            self.rows.put_checked(self.field, column)
        # The rows know their fold: without this the collector would have to find the cycle.
        self.children = []

    def _made(self) -> list[Any]:
        if len(self.children) == 1 and self.children[0].ordinals is None:
            return self.children[0].built()
        made: list[Any] = [FAILED] * self.count
        for rows in self.children:
            for ordinal, value in zip(rows.ordinals or (), rows.built(), strict=True):
                made[ordinal] = value
        return made

    def _as_they_lie(self, made: list[Any]) -> list[Any]:
        if self.lengths is None:
            return made
        rest = iter(made)
        return [list(islice(rest, length)) for length in self.lengths]

    def _each_node(self) -> Sequence[Node]:
        if self.nodes is not None:
            return self.nodes
        numbers = iter(range(self.count))
        if self.lengths is None:
            return list(numbers)
        return [list(islice(numbers, length)) for length in self.lengths]


def value_of(node: Node, shape: Shape, made: Sequence[Any]) -> Any:
    """The value that a node stands for; FAILED where the error has to go further up."""
    value = node
    if type(node) is int:
        value = made[node]
    elif type(node) is list:
        value = _value_of_list(node, shape, made)
    elif type(node) is Broken:
        value = FAILED
    return None if value is FAILED and shape.nullable else value


def _value_of_list(nodes: list[Node], shape: Shape, made: Sequence[Any]) -> Any:
    assert shape.item is not None
    values = [value_of(node, shape.item, made) for node in nodes]
    # By identity: a value's own `==` is nobody's business.
    return FAILED if any(value is FAILED for value in values) else values


def dictionaries(names: tuple[str, ...], columns: Sequence[list[Any]], count: int) -> list[Any]:
    """One dictionary for each place in the columns, with the columns' names as keys, in order."""
    if not names:
        return [{} for _ in range(count)]
    if len(names) > MAX_COMPILED_NAMES:
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    made: list[Any] = _compiled(len(names))(names, zip(*columns, strict=True))
    return made


@lru_cache(maxsize=MAX_COMPILED_NAMES)
def _compiled(count: int) -> Callable[[tuple[str, ...], Iterator[Any]], list[Any]]:
    """What makes dictionaries of so many names: a display, 3 times as fast as `dict(zip(...))`."""
    numbers = range(count)
    keys, values = (",".join(f"{letter}{n}" for n in numbers) + "," for letter in "kv")
    pairs = ",".join(f"k{n}:v{n}" for n in numbers)
    # The text holds nothing but numbered names of our own.
    source = (
        f"def build(names, rows):\n ({keys}) = names\n return [{{{pairs}}} for {values} in rows]"
    )
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102
    built: Callable[..., list[Any]] = scope["build"]
    return built
