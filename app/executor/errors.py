"""Errors: where they happened, in the order of the document, without those of what is gone.

graphql-core walks the response depth first and forgets what happens below a place that an error has
already made null. Here levels are resolved one after another, so errors are kept with their place,
put in that order at the end, and those that graphql-core would not have met are dropped.
"""

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from graphql import GraphQLError
from graphql.error import located_error

from app.executor.paths import path_of
from app.executor.plan import PlannedField, Shape

if TYPE_CHECKING:
    from app.executor.rows import Rows

# A response path.
Steps = tuple[str | int, ...]


class Place(NamedTuple):
    """A place of the response: of which object (by its row), of which field, where in its lists.

    `items_before` is how many items of a list were completed before the list itself broke.
    """

    rows: "Rows"
    row: int
    field: PlannedField
    indexes: tuple[int, ...] = ()
    items_before: int | None = None


class Errors:
    """What went wrong in a run."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[tuple[Place, Exception]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, error: Exception) -> None:
        """Remember an error and its place."""
        self._found.append((place, error))

    def in_order(self) -> list[GraphQLError]:
        """The errors as the response shows them."""
        found = sorted(self._found, key=lambda entry: order_of(entry[0]))
        gone: set[Steps | None] = set()
        shown = []
        for place, error in found:
            nulled = nulled_by(place)
            if not _is_gone(nulled, gone):
                gone.add(nulled)
                shown.append(located_error(error, place.field.nodes, path_of(place).as_list()))
        return shown


def order_of(place: Place) -> tuple[int, ...]:
    """What sorts places as the document has them: numbers of fields and of items."""
    steps = [(above.field.order, *above.indexes) for above in _from_root(place)]
    own = tuple(chain.from_iterable(steps))
    return own if place.items_before is None else (*own, place.items_before)


def nulled_by(place: Place) -> Steps | None:
    """The path of the place that an error makes null; None for the response as a whole."""
    for above in reversed(_from_root(place)):
        shapes = _shapes_of(above)
        for depth in range(len(above.indexes), -1, -1):
            if shapes[depth].nullable:
                return tuple(path_of(above._replace(indexes=above.indexes[:depth])).as_list())
    return None


def _shapes_of(place: Place) -> list[Shape]:
    """The shape of the field's value, and of the items that the place is in."""
    shapes = [place.field.shape]
    for _ in place.indexes:
        item = shapes[-1].item
        assert item is not None
        shapes.append(item)
    return shapes


def _from_root(place: Place) -> list[Place]:
    """The places of the objects that hold the place, from the root on, and the place itself."""
    places = [place]
    while (fold := place.rows.fold) is not None:
        place = fold.place_of(place.rows.ordinal(place.row))
        places.append(place)
    places.reverse()
    return places


def _is_gone(path: Steps | None, gone: set[Steps | None]) -> bool:
    """Whether an error has made this place null already, or one that it is in."""
    if path is None:
        return None in gone
    return None in gone or any(path[:end] in gone for end in range(1, len(path) + 1))
