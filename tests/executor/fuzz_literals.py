"""Random values of input types: as text in a document, or as JSON for a variable."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from typing import Any

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, parse_type

Inputs = Mapping[str, Mapping[str, str]]
# Gives the name of a variable for a type, or nothing.
VariableFor = Callable[[str], str | None]

LEAVES: dict[str, tuple[Any, ...]] = {
    "Int": (0, 1, -7, 2_147_483_647),
    "Float": (0, 1.5, -2, 1e20),
    "String": ("", "plain", 'a "quoted" one', "späte\nZeile"),
    "Boolean": (True, False),
    "ID": ("id-1", "7", 12),
}
# What no type takes; the scalars of the schemas refuse this word.
WRONG = ("unreadable", {"none": 1}, [[["deep"]]], 1.25)
SCALAR_VALUES = ("fine", 7, True)

parsed_type = lru_cache(maxsize=4_096)(parse_type)


class Literals:
    """Makes values of the input types of one schema."""

    def __init__(
        self, random: Random, enums: Mapping[str, tuple[str, ...]], inputs: Inputs
    ) -> None:
        self.random = random
        self.enums = enums
        self.inputs = inputs

    def literal(self, kind: str, variable: VariableFor = lambda _: None) -> str:
        """A value as it stands in a document; parts of it may be variables."""
        return self._literal(parsed_type(kind), variable)

    def value(self, kind: str) -> Any:
        """A value as the JSON of a request's variables has it; now and then a wrong one."""
        if self.random.random() < 0.01:
            return self.random.choice(WRONG)
        return self._value(parsed_type(kind))

    def _literal(self, kind: TypeNode, variable: VariableFor) -> str:
        name = variable(type_text(kind))
        if name is not None:
            return f"${name}"
        if isinstance(kind, NonNullTypeNode):
            return self._present(kind.type, variable)
        return "null" if self.random.random() < 0.12 else self._present(kind, variable)

    def _present(self, kind: TypeNode, variable: VariableFor) -> str:
        if isinstance(kind, ListTypeNode):
            if self._is_alone(kind):
                return self._present(_nullable(kind.type), variable)
            items = (self._literal(kind.type, variable) for _ in range(self._length()))
            return f"[{', '.join(items)}]"
        assert isinstance(kind, NamedTypeNode)
        name = kind.name.value
        if name in self.inputs:
            return self._object(name, variable)
        leaf = self._leaf(name)
        return leaf if name in self.enums else json.dumps(leaf, ensure_ascii=False)

    def _object(self, name: str, variable: VariableFor) -> str:
        parts = (
            f"{key}: {self._literal(parsed_type(kind), variable)}"
            for key, kind in self._chosen(name)
        )
        return f"{{{', '.join(parts)}}}"

    def _value(self, kind: TypeNode) -> Any:
        if isinstance(kind, NonNullTypeNode):
            return self._present_value(kind.type)
        return None if self.random.random() < 0.12 else self._present_value(kind)

    def _present_value(self, kind: TypeNode) -> Any:
        if isinstance(kind, ListTypeNode):
            if self._is_alone(kind):
                return self._present_value(_nullable(kind.type))
            return [self._value(kind.type) for _ in range(self._length())]
        assert isinstance(kind, NamedTypeNode)
        name = kind.name.value
        if name in self.inputs:
            return {key: self._value(parsed_type(of)) for key, of in self._chosen(name)}
        return self._leaf(name)

    def _chosen(self, name: str) -> list[tuple[str, str]]:
        """The fields of an input object to give: those that must be, and some others."""
        return [
            (key, kind)
            for key, kind in self.inputs[name].items()
            if kind.endswith("!") or self.random.random() < 0.6
        ]

    def _leaf(self, name: str) -> Any:
        if name in self.enums:
            return self.random.choice(self.enums[name])
        return self.random.choice(LEAVES.get(name, SCALAR_VALUES))

    def _is_alone(self, kind: ListTypeNode) -> bool:
        """Whether one item shall stand for a list of it: a list would be taken for the outer."""
        return isinstance(_nullable(kind.type), NamedTypeNode) and self.random.random() < 0.15

    def _length(self) -> int:
        return self.random.choice((0, 1, 1, 2))


def _nullable(kind: TypeNode) -> TypeNode:
    return kind.type if isinstance(kind, NonNullTypeNode) else kind


def type_text(kind: TypeNode) -> str:
    """A type as it is written."""
    if isinstance(kind, NonNullTypeNode):
        return f"{type_text(kind.type)}!"
    if isinstance(kind, ListTypeNode):
        return f"[{type_text(kind.type)}]"
    assert isinstance(kind, NamedTypeNode)
    return kind.name.value
