"""Schemas of graphql-core alone: SDL with resolvers put to it; objects are dicts or plain ones."""

from collections.abc import Callable
from random import Random
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    default_field_resolver,
)

from tests.executor.fuzz_spec import Composite, Field, Kind
from tests.executor.fuzz_strawberry import resolver_of
from tests.executor.fuzz_values import Choice, Generated, Later, Raise
from tests.executor.fuzz_world import Raising, World, parse, prepare, serialize

# What a type resolver may say that is not right.
NO_TYPES: tuple[Any, ...] = (None, 7, "Nowhere", "String", "Query", ValueError("no type"))
# A function of one parent stands for what a plain schema doesn't have.
PER_OBJECT = {Kind.BATCHED: Kind.FUNCTION, Kind.BATCHED_ASYNC: Kind.ASYNC}


class PlainWorld(World):
    """A schema without Strawberry."""

    def record(self, type_name: str, random: Random) -> Any:
        """A dict or an object, that knows its type in one way or another."""
        kind = random.choice(NO_TYPES) if random.random() < 0.01 else type_name
        if type_name in self.as_dicts:
            return {"kind": kind, "__typename": kind} if self.is_named else {"kind": kind}
        record = prepare(object.__new__(self.classes[type_name]))
        vars(record)["kind"] = kind
        return record

    def fill(self, record: Any, field: Field, answer: Any) -> None:
        """Values stand under the names that fields have in the schema."""
        if isinstance(record, dict):
            is_called = field.kind is Kind.ATTRIBUTE and isinstance(
                answer, (Raise, Choice, Generated)
            )
            record[field.name] = _called(answer) if is_called else answer
        elif field.kind is Kind.ATTRIBUTE and isinstance(answer, (Choice, Generated)):
            vars(record)[field.name] = _called(answer)
        elif field.kind is Kind.ATTRIBUTE and isinstance(answer, Raise):
            vars(record)["raised"][field.name] = answer.error
        elif field.kind is Kind.ATTRIBUTE:
            vars(record)[field.name] = answer
        else:
            vars(record)["answers"][field.name] = answer

    def enum_value(self, enum: str, name: str) -> Any:
        """The value in Python, which is not the name."""
        return f"{enum} {name.lower()}"

    def _make_schema(self) -> GraphQLSchema:
        self.random = Random(f"{self.spec.seed} plain")
        self.is_named = self.random.random() < 0.5
        self.as_dicts = {name for name in self.spec.objects if self.random.random() < 0.5}
        self.classes = {name: self._class(name) for name in self.spec.objects}
        if self.random.random() < 0.2:
            self.options = {"field_resolver": _noted, "type_resolver": _kind_of}
        self.options["hide_suggestions"] = self.random.random() < 0.3
        schema = build_schema(self.spec.sdl())
        for name, kind in self.spec.objects.items():
            self._attach(schema.type_map[name], kind)
        for each in schema.type_map.values():
            self._attach_to_type(each)
        return schema

    def _class(self, name: str) -> type:
        return type(name, (Raising,), {f"_{name}__typename": name} if self.is_named else {})

    def _attach(self, kind: Any, composite: Composite) -> None:
        for field in composite.fields.values():
            if field.kind is not Kind.ATTRIBUTE:
                kind.fields[field.name].resolve = _resolver(field)

    def _attach_to_type(self, kind: Any) -> None:
        if isinstance(kind, GraphQLScalarType) and kind.name in self.spec.scalars:
            kind.serialize = kind.coerce_output_value = serialize  # type: ignore[method-assign]
            kind.parse_value = kind.coerce_input_value = parse  # type: ignore[method-assign]
        elif isinstance(kind, GraphQLEnumType) and kind.name in self.spec.enums:
            for name, value in kind.values.items():
                value.value = self.enum_value(kind.name, name)
        elif isinstance(kind, GraphQLObjectType) and kind.name in self.spec.objects:
            if not self.is_named or self.random.random() < 0.2:
                kind.is_type_of = self._maybe_waiting(_is_of(kind.name))
        elif isinstance(kind, GraphQLAbstractType) and self.random.random() < 0.5:
            kind.resolve_type = self._maybe_waiting(_kind_of)

    def _maybe_waiting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # The twin draws the same numbers, so that the rest of it is the same.
        is_waiting = self.random.random() < 0.15
        if not is_waiting or not self.waits:
            return function
        return lambda *arguments: _outcome_later(function, *arguments)


def _outcome_later(function: Callable[..., Any], *arguments: Any) -> Later:
    return Later(function(*arguments), 1)


def _resolver(field: Field) -> Callable[..., Any]:
    function = resolver_of(_per_object(field))
    return lambda source, info, **arguments: function(source, info, **arguments)


def _per_object(field: Field) -> Field:
    kind = PER_OBJECT.get(field.kind, field.kind)
    return Field(field.name, field.type, kind, field.arguments)


def _kind_of(value: Any, *_: Any) -> Any:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    if isinstance(kind, Exception):
        raise kind
    return kind


def _noted(source: Any, info: Any, **arguments: Any) -> Any:
    """A default resolver of one's own, that lets itself be seen."""
    info.context.calls.append(f"{info.path.as_list()} by default")
    return default_field_resolver(source, info, **arguments)


def _is_of(name: str) -> Callable[..., bool]:
    return lambda value, _info: _kind_of(value) == name


def _called(value: Any) -> Callable[..., Any]:
    """The default resolver calls what can be called."""

    def call(_info: Any, **arguments: Any) -> Any:
        found = value.by(arguments) if isinstance(value, Choice) else value
        if isinstance(found, Raise):
            raise found.error
        return found.make() if isinstance(found, Generated) else found

    return call
