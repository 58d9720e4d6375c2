"""Random documents for a schema, valid by construction but for rare conflicts of aliases."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLSchema,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    get_named_type,
    is_composite_type,
)
from graphql.utilities import do_types_overlap

from tests.executor.fuzz_literals import Literals
from tests.executor.fuzz_spec import Spec

ALIASES = ("one", "two", "three")
MAX_DEPTH = 5
MAX_FRAGMENTS = 4


@dataclass(frozen=True)
class Variable:
    """A variable of the document: its type, and its default as text."""

    name: str
    type: str
    default: str | None
    # The type of the places that it may be used in, and whether those have a default.
    fits: tuple[str, bool]

    def __str__(self) -> str:
        given = "" if self.default is None else f" = {self.default}"
        return f"${self.name}: {self.type}{given}"


@dataclass
class Document:
    """A document's text, the names of its operations, and values for its variables, twice."""

    text: str
    operations: list[str]
    variables: list[dict[str, Any]] = field(default_factory=list)


class DocumentMaker:
    """Makes one random document."""

    def __init__(self, seed: str, spec: Spec, schema: GraphQLSchema) -> None:
        self.random = Random(seed)
        self.schema = schema
        self.literals = Literals(self.random, spec.enums, spec.input_types)
        self.variables: dict[str, Variable] = {}
        self.fragments: list[tuple[str, Any, str]] = []
        # What each response name stands for, so that whatever is merged can be.
        self.names: dict[str, Any] = {}
        self.arguments: dict[str, list[str]] = {}
        self.is_loose = self.random.random() < 0.1
        self.budget = self.random.choice((8, 20, 35, 60))

    def make(self) -> Document:
        """The document."""
        count = self.random.choices((1, 2, 3), (85, 12, 3))[0]
        bodies = [self._operation(n) for n in range(count)]
        parts = [self._with_variables(*body) for body in bodies]
        used = self._reachable("\n".join(parts))
        parts += [
            f"fragment {name} on {kind} {body}"
            for name, kind, body in self.fragments
            if name in used
        ]
        self.random.shuffle(parts)
        variables = [self._values(), self._values()]
        return Document("\n".join(parts), [f"Op{n}" for n in range(count)], variables)

    def _operation(self, number: int) -> tuple[str, str]:
        has_mutation = self.schema.mutation_type is not None
        keyword = "mutation" if has_mutation and self.random.random() < 0.3 else "query"
        root = self.schema.mutation_type if keyword == "mutation" else self.schema.query_type
        return f"{keyword} Op{number}", self._selections(root, 0, 0)

    def _with_variables(self, header: str, body: str) -> str:
        texts = [body, *(text for name, _, text in self.fragments if name in self._reachable(body))]
        used = dict.fromkeys(re.findall(r"\$(\w+)", " ".join(texts)))
        declared = ", ".join(str(self.variables[name]) for name in used)
        return f"{header}{f'({declared})' if declared else ''} {body}"

    def _reachable(self, text: str) -> set[str]:
        """The fragments that a text spreads, and those that they spread."""
        found: set[str] = set()
        waiting = [text]
        while waiting:
            for name in set(re.findall(r"\.\.\.(F\d)", waiting.pop())) - found:
                found.add(name)
                waiting.append(next(body for other, _, body in self.fragments if other == name))
        return found

    def _selections(self, parent: Any, depth: int, level: int) -> str:
        """A selection set; `level` numbers the fragments, which spread only later ones."""
        count = self.random.choice((2, 3, 4, 5) if depth < 2 else (1, 2, 3))
        count = count if self.budget > 0 else 1
        lines = [self._selection(parent, depth, level) for _ in range(count)]
        if self.random.random() < 0.003:
            # Wide objects are put together in another way than narrow ones.
            lines += [f"wide{n}: __typename" for n in range(70)]
        return "{\n" + "\n".join(lines) + "\n}"

    def _selection(self, parent: Any, depth: int, level: int) -> str:
        self.budget -= 1
        chance = self.random.random()
        if chance < 0.08:
            return self._typename()
        if chance < 0.25 and depth < MAX_DEPTH:
            return self._inline_fragment(parent, depth, level)
        if chance < 0.35 and depth < MAX_DEPTH:
            return self._spread(parent, depth, level)
        return self._field(parent, depth, level)

    def _typename(self) -> str:
        name = self._name("__typename", "", "String!")
        return f"{name}__typename{self._directives()}"

    def _field(self, parent: Any, depth: int, level: int) -> str:
        choices = list(self._fields_of(parent, depth))
        if not choices:
            return self._typename()
        # Without this, most selections would be leaves and most answers shallow.
        deeper = [each for each in choices if is_composite_type(get_named_type(each[1].type))]
        is_deeper = deeper and depth < 3 and self.random.random() < 0.6
        name, definition = self.random.choice(deeper if is_deeper else choices)
        arguments = self._arguments(name, definition)
        alias = self._name(name, arguments, str(definition.type))
        text = f"{alias}{name}{arguments}{self._directives()}"
        of = get_named_type(definition.type)
        if not is_composite_type(of):
            return text
        # Lists of lists count for more, or some responses would be huge.
        lists = str(definition.type).count("[")
        return f"{text} {self._selections(of, depth + max(1, lists), level)}"

    def _fields_of(self, parent: Any, depth: int) -> Iterator[tuple[str, GraphQLField]]:
        is_deep = depth >= MAX_DEPTH or (self.budget <= 0 and self.random.random() < 0.9)
        is_introspection = getattr(parent, "name", "").startswith("__")
        for name, definition in getattr(parent, "fields", {}).items():
            of = get_named_type(definition.type)
            is_too_much = is_deep or (is_introspection and depth >= 3)
            if not is_composite_type(of) or not is_too_much:
                yield name, definition
        if parent is self.schema.query_type and self.random.random() < 0.15:
            yield "__schema", SchemaMetaFieldDef
            yield "__type", TypeMetaFieldDef

    def _name(self, name: str, arguments: str, kind: str) -> str:
        """An alias, or nothing, such that what has the same response name can be merged."""
        meaning = kind if self.is_loose else (name, arguments, kind)
        alias = self.random.choice(ALIASES) if self.random.random() < 0.25 else name
        while self.names.setdefault(alias, meaning) != meaning:
            alias = f"{alias.lstrip('_')}{self.random.randint(0, 9)}"
        return "" if alias == name else f"{alias}: "

    def _arguments(self, name: str, definition: GraphQLField) -> str:
        if not definition.args:
            return ""
        known = self.arguments.setdefault(f"{name}{list(definition.args.items())}", [])
        if known and self.random.random() < 0.6:
            return self.random.choice(known)
        given = [
            f"{key}: {self._argument(argument)}"
            for key, argument in definition.args.items()
            if self._is_required(argument) or self.random.random() < 0.6
        ]
        known.append(f"({', '.join(given)})" if given else "")
        return known[-1]

    def _argument(self, argument: Any) -> str:
        kind = str(argument.type)
        if kind == "String!" and self.random.random() < 0.7:
            # Most often of `__type(name:)`.
            return f'"{self.random.choice(list(self.schema.type_map))}"'
        has_default = argument.default is not None
        if self.random.random() < 0.35:
            return f"${self._variable(kind, has_default)}"
        return self.literals.literal(kind, self._maybe_variable)

    def _maybe_variable(self, kind: str) -> str | None:
        return self._variable(kind, False) if self.random.random() < 0.12 else None

    def _variable(self, kind: str, has_default: bool) -> str:
        """A variable that may stand where a value of the type does."""
        fits = (kind, has_default)
        known = [each.name for each in self.variables.values() if each.fits == fits]
        if known and self.random.random() < 0.5:
            return self.random.choice(known)
        name = f"v{len(self.variables)}"
        self.variables[name] = self._new_variable(name, kind, has_default)
        return name

    def _new_variable(self, name: str, kind: str, has_default: bool) -> Variable:
        fits, default = (kind, has_default), None
        if not kind.endswith("!"):
            declared = self.random.choice((kind, kind, f"{kind}!"))
            if self.random.random() < 0.3:
                default = self.literals.literal(declared)
            return Variable(name, declared, default, fits)
        # A default makes up for a type that may be null; null itself is then an error of the run.
        if has_default and self.random.random() < 0.4:
            return Variable(name, kind[:-1], None, fits)
        if self.random.random() < 0.5:
            default = self.literals.literal(kind)
        declared = self.random.choice((kind, kind if default is None else kind[:-1]))
        return Variable(name, declared, default, fits)

    def _is_required(self, argument: Any) -> bool:
        return str(argument.type).endswith("!") and argument.default is None

    def _directives(self) -> str:
        chance = self.random.random()
        if chance > 0.15:
            return ""
        both = [f"@skip(if: {self._condition(0.25)})", f"@include(if: {self._condition(0.75)})"]
        self.random.shuffle(both)
        return " " + (" ".join(both) if chance < 0.03 else both[0])

    def _condition(self, often: float) -> str:
        if self.random.random() < 0.6:
            return f"${self._variable('Boolean!', False)}"
        return "true" if self.random.random() < often else "false"

    def _inline_fragment(self, parent: Any, depth: int, level: int) -> str:
        kind = parent if self.random.random() < 0.2 else self._overlapping(parent)
        condition = "" if kind is parent and self.random.random() < 0.5 else f" on {kind}"
        body = self._selections(kind, depth + 1, level)
        return f"...{condition}{self._directives()} {body}"

    def _overlapping(self, parent: Any) -> Any:
        """A type of which an object of the parent may be."""
        return self.random.choice(
            [
                other
                for other in self.schema.type_map.values()
                if is_composite_type(other) and do_types_overlap(self.schema, other, parent)
            ]
        )

    def _spread(self, parent: Any, depth: int, level: int) -> str:
        known = [
            name
            for number, (name, kind, _) in enumerate(self.fragments)
            if number >= level and do_types_overlap(self.schema, kind, parent)
        ]
        if known and self.random.random() < 0.5:
            return f"...{self.random.choice(known)}{self._directives()}"
        if len(self.fragments) >= MAX_FRAGMENTS:
            return self._field(parent, depth, level)
        return f"...{self._new_fragment(parent, depth)}{self._directives()}"

    def _new_fragment(self, parent: Any, depth: int) -> str:
        number = len(self.fragments)
        name, kind = f"F{number}", self._overlapping(parent)
        # Its place is taken first, so that the fragments within come after it.
        self.fragments.append((name, kind, ""))
        body = self._selections(kind, max(depth + 1, 2), number + 1)
        self.fragments[number] = (name, kind, body)
        return name

    def _values(self) -> dict[str, Any]:
        """Values for the variables: most of them there and right."""
        return {
            variable.name: self._value(variable)
            for variable in self.variables.values()
            if self.random.random() < (0.995 if self._is_needed(variable) else 0.75)
        }

    def _value(self, variable: Variable) -> Any:
        is_risky = variable.type.endswith("!") or variable.fits[0].endswith("!")
        if self.random.random() < (0.01 if is_risky else 0.12):
            return None
        return self.literals.value(variable.type)

    def _is_needed(self, variable: Variable) -> bool:
        return variable.type.endswith("!") and variable.default is None
