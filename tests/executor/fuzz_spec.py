"""Random schemas as plain data: the types, and by which kind of resolver each field is filled."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random

from tests.executor.fuzz_literals import Inputs, Literals

FIELD_NAMES = ("red", "deepBlue", "green", "gold", "paleGrey", "ink", "lilac", "rust")
SCALARS = ("Int", "Float", "String", "Boolean", "ID")
VALUES = ("NORTH", "EAST", "SOUTH", "WEST")


class Kind(Enum):
    """How the values of a field are found."""

    ATTRIBUTE = "attribute"
    FUNCTION = "function"
    ASYNC = "async function"
    BATCHED = "batched"
    BATCHED_ASYNC = "batched async"


NOT_WAITING = {Kind.ASYNC: Kind.FUNCTION, Kind.BATCHED_ASYNC: Kind.BATCHED}


@dataclass(frozen=True)
class Argument:
    """An argument of a field, or a field of an input object; its default as GraphQL text."""

    name: str
    type: str
    default: str | None = None

    def __str__(self) -> str:
        given = "" if self.default is None else f" = {self.default}"
        return f"{self.name}: {self.type}{given}"


@dataclass(frozen=True)
class Field:
    """A field of an object or interface type."""

    name: str
    type: str
    kind: Kind
    arguments: tuple[Argument, ...] = ()
    inherited: bool = False
    # Of a batched field: the function itself raises, whatever the parents are.
    broken: bool = False
    # Of a field of Strawberry: an extension stands before the resolver.
    extended: bool = False

    def __str__(self) -> str:
        arguments = f"({', '.join(map(str, self.arguments))})" if self.arguments else ""
        return f"{self.name}{arguments}: {self.type}"

    @property
    def python_name(self) -> str:
        """The name in Python, which Strawberry turns into the one of the schema."""
        return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", self.name)


@dataclass
class Composite:
    """An object or interface type."""

    name: str
    interfaces: tuple[str, ...] = ()
    fields: dict[str, Field] = field(default_factory=dict)


@dataclass
class Spec:
    """A schema: its types by name, and what it is made with."""

    seed: str
    is_strawberry: bool
    waits: bool
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scalars: tuple[str, ...] = ()
    inputs: dict[str, tuple[Argument, ...]] = field(default_factory=dict)
    interfaces: dict[str, Composite] = field(default_factory=dict)
    objects: dict[str, Composite] = field(default_factory=dict)
    unions: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def input_types(self) -> Inputs:
        """The fields of the input objects, as the makers of literals take them."""
        return {
            name: {each.name: each.type for each in fields} for name, fields in self.inputs.items()
        }

    def not_waiting(self) -> "Spec":
        """The same schema with nothing asynchronous."""
        return replace(
            self,
            waits=False,
            interfaces={name: _not_waiting(kind) for name, kind in self.interfaces.items()},
            objects={name: _not_waiting(kind) for name, kind in self.objects.items()},
        )

    def sdl(self) -> str:
        """The schema in GraphQL's own language."""
        parts = [f"scalar {name}" for name in self.scalars]
        parts += [_block("enum", name, values) for name, values in self.enums.items()]
        parts += [_block("input", name, fields) for name, fields in self.inputs.items()]
        parts += [_composite("interface", kind) for kind in self.interfaces.values()]
        parts += [_composite("type", kind) for kind in self.objects.values()]
        parts += [f"union {name} = {' | '.join(of)}" for name, of in self.unions.items()]
        return "\n\n".join(parts)


def _not_waiting(kind: Composite) -> Composite:
    fields = {
        name: replace(each, kind=NOT_WAITING.get(each.kind, each.kind))
        for name, each in kind.fields.items()
    }
    return replace(kind, fields=fields)


def _block(keyword: str, name: str, lines: Sequence[object]) -> str:
    return "\n".join((f"{keyword} {name} {{", *(f"  {line}" for line in lines), "}"))


def _composite(keyword: str, kind: Composite) -> str:
    implements = f" implements {' & '.join(kind.interfaces)}" if kind.interfaces else ""
    return _block(keyword, kind.name + implements, tuple(kind.fields.values()))


class SpecMaker:
    """Makes a random schema."""

    def __init__(self, seed: str, *, is_strawberry: bool, waits: bool) -> None:
        self.random = Random(seed)
        self.spec = Spec(seed, is_strawberry, waits)
        self.non_null = self.random.choice((0.15, 0.4, 0.75))
        self.kinds = list(Kind) if waits else [kind for kind in Kind if kind not in NOT_WAITING]
        self.weights = [2 if kind is Kind.ATTRIBUTE else 1 for kind in self.kinds]

    def make(self) -> Spec:
        """The schema."""
        self._make_leaves()
        self._make_inputs()
        names = [f"T{n}" for n in range(1, self.random.randint(3, 6))]
        self._make_unions(names)
        self.interface_names = [f"I{n}" for n in range(1, self.random.randint(1, 4))]
        self.outputs = [*names, *self.spec.unions, *self.interface_names]
        self._make_interfaces()
        self.spec.objects = {name: self._object(name) for name in names}
        self._make_roots()
        return self.spec

    def _make_leaves(self) -> None:
        for n in range(1, self.random.randint(2, 3)):
            self.spec.enums[f"E{n}"] = VALUES[: self.random.randint(1, 4)]
        self.spec.scalars = tuple(f"S{n}" for n in range(1, self.random.randint(2, 3)))
        self.leaves = [*SCALARS, *self.spec.enums, *self.spec.scalars]

    def _make_inputs(self) -> None:
        for n in range(1, self.random.randint(2, 4)):
            known = [*self.leaves, *self.spec.inputs]
            self.spec.inputs[f"In{n}"] = tuple(
                self._argument(f"key{key}", known) for key in range(self.random.randint(1, 3))
            )

    def _make_unions(self, names: list[str]) -> None:
        for n in range(1, self.random.randint(1, 3)):
            count = self.random.randint(2, len(names))
            self.spec.unions[f"U{n}"] = tuple(self.random.sample(names, count))

    def _make_interfaces(self) -> None:
        for name in self.interface_names:
            above = self._closed(
                [other for other in self.spec.interfaces if self.random.random() < 0.5]
            )
            own = {
                each.name: each
                for each in (
                    self._field(f"{name.lower()}{word.capitalize()}")
                    for word in self.random.sample(FIELD_NAMES, self.random.randint(1, 2))
                )
            }
            fields = {**self._inherited(above), **own}
            self.spec.interfaces[name] = Composite(name, above, fields)

    def _object(self, name: str) -> Composite:
        wanted = [other for other in self.spec.interfaces if self.random.random() < 0.5]
        above = self._closed(wanted)
        names = self.random.sample(FIELD_NAMES, self.random.randint(2, 5))
        own = {each: self._field(each) for each in names}
        return Composite(name, above, {**self._inherited(above), **own})

    def _make_roots(self) -> None:
        names = self.random.sample(FIELD_NAMES, self.random.randint(4, 8))
        # With few of them null, most of a response would be gone.
        self.non_null /= 3
        fields = {name: self._field(name, composite=0.8) for name in names}
        self.spec.objects["Query"] = Composite("Query", (), fields)
        if self.random.random() < 0.6:
            names = [f"do{name.capitalize()}" for name in FIELD_NAMES[: self.random.randint(2, 4)]]
            fields = {name: self._field(name, composite=0.6) for name in names}
            self.spec.objects["Mutation"] = Composite("Mutation", (), fields)

    def _closed(self, names: list[str]) -> tuple[str, ...]:
        """With the interfaces that these implement, the most special first."""
        every = {*names, *(up for name in names for up in self.spec.interfaces[name].interfaces)}
        return tuple(name for name in reversed(self.interface_names) if name in every)

    def _inherited(self, above: tuple[str, ...]) -> dict[str, Field]:
        found: dict[str, Field] = {}
        for name in above:
            for each in self.spec.interfaces[name].fields.values():
                other = found.setdefault(each.name, replace(each, inherited=True))
                if each.type == f"{other.type}!":
                    found[each.name] = replace(each, inherited=False)
        return {name: self._narrowed(each) for name, each in found.items()}

    def _narrowed(self, inherited: Field) -> Field:
        """The field as inherited, or declared anew: non-null, or another kind."""
        if not inherited.inherited or self.random.random() < 0.6:
            return inherited
        kind = inherited.type if inherited.type.endswith("!") else f"{inherited.type}!"
        anew = replace(self._field(inherited.name), type=kind, arguments=inherited.arguments)
        # In Python an attribute that raises would show the function that it overrides.
        is_shown = self.spec.is_strawberry and inherited.kind is not Kind.ATTRIBUTE
        is_attribute = anew.kind is Kind.ATTRIBUTE
        return replace(anew, kind=Kind.FUNCTION) if is_shown and is_attribute else anew

    def _field(self, name: str, composite: float = 0.5) -> Field:
        named = self.random.choice(
            self.outputs if self.random.random() < composite else self.leaves
        )
        kind = self.random.choices(self.kinds, self.weights)[0]
        may_have_arguments = kind is not Kind.ATTRIBUTE or not self.spec.is_strawberry
        count = self.random.choice((0, 0, 1, 2)) if may_have_arguments else 0
        known = [*self.leaves, *self.spec.inputs]
        arguments = tuple(self._argument(f"arg{n}", known) for n in range(count))
        broken, extended = self.random.random() < 0.06, self.random.random() < 0.1
        return Field(
            *(name, self._wrapped(named), kind, arguments),
            broken=broken and kind in (Kind.BATCHED, Kind.BATCHED_ASYNC),
            # A plain batched function would be called for each object.
            extended=extended and kind is not Kind.BATCHED and self.spec.is_strawberry,
        )

    def _argument(self, name: str, known: list[str]) -> Argument:
        kind = self._wrapped(self.random.choice(known))
        if self.random.random() < 0.6:
            return Argument(name, kind)
        literals = Literals(self.random, self.spec.enums, self.spec.input_types)
        return Argument(name, kind, literals.literal(kind))

    def _wrapped(self, name: str) -> str:
        kind = self._maybe_non_null(name)
        for _ in range(self.random.choices((0, 1, 2, 3), (58, 30, 10, 2))[0]):
            kind = self._maybe_non_null(f"[{kind}]")
        return kind

    def _maybe_non_null(self, kind: str) -> str:
        return f"{kind}!" if self.random.random() < self.non_null else kind
