"""Random data for a schema: a few objects of each type that point at one another, often wrongly."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from random import Random
from typing import Any, ClassVar

from graphql import (
    GraphQLError,
    GraphQLOutputType,
    Undefined,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from tests.executor.fuzz_spec import Field, Kind
from tests.executor.fuzz_values import AsyncItems, Choice, Generated, Items, Later, Raise
from tests.executor.fuzz_world import NESTED, Odd, World


class Level(IntEnum):
    """An integer that is not plainly one."""

    LOW = 1


class Text(str):
    """A string that is not plainly one."""

    __slots__ = ()


class Rows(list[Any]):
    """A list that is not plainly one."""


class CodedError(Exception):
    """An exception with extensions, though it is none of GraphQL's."""

    extensions: ClassVar = {"code": "CODED"}


RIGHT: dict[str, tuple[Any, ...]] = {
    "Int": (0, 1, -5, 2_147_483_647, 3.0, "12", Level.LOW),
    "Float": (0, 1.5, -2, "2.5", 1e300, Level.LOW),
    "String": ("", "word", "späte\nZeile", Text("text"), 5, 1.5, True),
    "Boolean": (True, False, 1, 0.0),
    "ID": ("id-1", "", 7, -1, Text("text")),
}
PLAIN: dict[str, tuple[Any, ...]] = {
    "Int": (0, 1, -5),
    "Float": (0.0, 1.5, -2.25),
    "String": ("", "word"),
    "Boolean": (True, False),
    "ID": ("id-1", "id-2"),
}
WRONG_LEAVES: tuple[Any, ...] = (
    *("neither", 2**40, 1.25, float("nan"), float("inf"), True, b"bytes", Decimal("1.5")),
    *([1], {}, (), object, Undefined),
)
SCALAR_VALUES: tuple[Any, ...] = ("fine", 7, NESTED)
WRONG_SCALAR_VALUES: tuple[Any, ...] = ("unserializable", "nothing", "undefined")
NOT_ITERABLE: tuple[Any, ...] = (7, "text", {"a": 1}, b"bytes", True)
NO_OBJECTS: tuple[Any, ...] = (7, "text", False, ())


class DataMaker:
    """Fills a world with objects.

    The same seed fills a world that waits and its twin that doesn't with the same values.
    """

    def __init__(self, seed: str, world: World, is_timed: bool) -> None:
        self.random = Random(seed)
        self.world = world
        self.is_timed = is_timed
        # How much of it is wrong.
        self.rough = self.random.choice((0.0, 0.005, 0.02, 0.08))
        self.null = self.random.choice((0.02, 0.12))

    def make(self) -> dict[str, Any]:
        """The root values, by the name of the root type."""
        spec = self.world.spec
        counts = {name: self.random.randint(1, 4) for name in spec.objects}
        self.pool = {
            name: [self.world.record(name, self.random) for _ in range(count)]
            for name, count in counts.items()
        }
        for name, kind in spec.objects.items():
            for record in self.pool[name]:
                for field in kind.fields.values():
                    self.world.fill(record, field, self._answer(name, field))
        names = [name for name in ("Query", "Mutation") if name in self.pool]
        # The loaders of batched fields, on graphql-core's side, take no parent that is None.
        is_missing = self._is_wrong() and not self.is_timed
        return {name: None if is_missing else self.pool[name][0] for name in names}

    def _answer(self, type_name: str, field: Field) -> Any:
        definition = self.world.schema.type_map[type_name].fields[field.name]  # type: ignore[attr-defined]
        if field.arguments and self.random.random() < 0.6:
            return Choice([self._outcome(definition.type, field) for _ in range(2)])
        return self._outcome(definition.type, field)

    def _outcome(self, kind: GraphQLOutputType, field: Field) -> Any:
        """What the resolver does: give a value, now or later, or raise."""
        value: Any
        if self._is_wrong():
            value = Raise(self._error())
        else:
            value = self._value(kind)
            if isinstance(value, (Items, AsyncItems)) and field.kind is not Kind.ATTRIBUTE:
                value = self._generated(value)
        later = self._maybe_later(value)
        return later if field.kind in (Kind.ATTRIBUTE, Kind.FUNCTION, Kind.BATCHED) else value

    def _generated(self, items: Items | AsyncItems) -> Any:
        is_generated = self.random.random() < 0.5
        return Generated(items) if is_generated and isinstance(items, Items) else items

    def _maybe_later(self, value: Any) -> Any:
        # The twin draws the same numbers, so that the rest of its data is the same.
        is_later, pauses = self.random.random() < 0.1, self.random.choice((0, 1, 3))
        if not is_later or not self.world.waits or isinstance(value, Generated):
            return value
        return Later(value, pauses)

    def _value(self, kind: GraphQLOutputType) -> Any:
        if self._is_wrong():
            return self._error()
        if is_non_null_type(kind):
            return None if self._is_wrong() else self._present(kind.of_type)
        if self.random.random() < self.null:
            return Undefined if self.random.random() < 0.05 else None
        return self._present(kind)

    def _present(self, kind: Any) -> Any:
        if is_list_type(kind):
            return self._list(kind)
        if is_object_type(kind):
            return self._record([kind.name])
        if is_abstract_type(kind):
            return self._record([each.name for each in self.world.schema.get_possible_types(kind)])
        return self._leaf(kind.name)

    def _record(self, names: list[str]) -> Any:
        if not names or self._is_wrong():
            others = [self.random.choice(each) for each in self.pool.values()]
            return self.random.choice((*NO_OBJECTS, *self._odd(), *others))
        return self.random.choice(self.pool[self.random.choice(names)])

    def _odd(self) -> tuple[Any, ...]:
        # Messages compare the values that they show, and the twin has other ones in its lists.
        return () if self.is_timed else (Odd(),)

    def _leaf(self, name: str) -> Any:
        if self._is_wrong():
            wrong = WRONG_LEAVES if name in RIGHT else (*WRONG_LEAVES, *WRONG_SCALAR_VALUES)
            return self.random.choice(wrong)
        if name in self.world.spec.enums:
            value = self.world.enum_value(name, self.random.choice(self.world.spec.enums[name]))
            return getattr(value, "value", value) if self.random.random() < 0.1 else value
        if name not in RIGHT:
            return self.random.choice((*SCALAR_VALUES, *self._odd()))
        return self.random.choice((RIGHT if self.random.random() < 0.2 else PLAIN)[name])

    def _list(self, kind: Any) -> Any:
        if self._is_wrong():
            return self.random.choice(NOT_ITERABLE)
        # Lists of lists are short, or some responses would be huge.
        counts = (0, 1, 1, 2) if is_list_type(get_nullable_type(kind.of_type)) else (0, 1, 2, 2, 3)
        count = self.random.choice(counts)
        items = [self._item(kind.of_type) for _ in range(count)]
        if self.random.random() < 0.75:
            return items
        broken = self._error() if self._is_wrong() else None
        return self._unusual(items, broken)

    def _item(self, kind: GraphQLOutputType) -> Any:
        return self._maybe_later(self._value(kind))

    def _unusual(self, items: list[Any], broken: Exception | None) -> Any:
        """An iterable that is no list."""
        makers: tuple[Callable[[list[Any]], Any], ...] = (
            *(tuple, deque, _in_set, _values, Items, Rows),
        )
        pick = self.random.randrange(len(makers) + 1)
        if broken is not None or pick == len(makers):
            found = Items(items, broken)
            return AsyncItems(found) if self.world.waits and pick % 2 else found
        return makers[pick](items)

    def _is_wrong(self) -> bool:
        return self.random.random() < self.rough

    def _error(self) -> Exception:
        number = self.random.randint(1, 99)
        if self.random.random() < 0.03 and not self.is_timed:
            return GraphQLError(f"graphql {number}", path=["elsewhere", number])
        return self.random.choice(
            (
                ValueError(f"value {number}"),
                KeyError(number),
                RuntimeError(),
                CodedError(f"coded {number}"),
                GraphQLError(f"graphql {number}"),
                GraphQLError(f"graphql {number}", extensions={"code": f"C{number}"}),
            )
        )


def _in_set(items: list[Any]) -> Any:
    """A set, whose order is certain with one item only."""
    return {items[0]} if len(items) == 1 and _is_hashable(items[0]) else items


def _is_hashable(value: Any) -> bool:
    return type(value).__hash__ is not None and not isinstance(value, tuple)


def _values(items: list[Any]) -> Any:
    return dict(enumerate(items)).values()
