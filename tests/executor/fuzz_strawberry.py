"""Schemas of Strawberry classes, made at run time."""

import inspect
import re
from collections.abc import Callable
from enum import Enum, IntEnum, StrEnum
from random import Random
from typing import Annotated, Any, NewType, Optional, Union

import strawberry
from graphql import (
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
    parse_value,
    value_from_ast_untyped,
)
from strawberry.extensions import FieldExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types.fields.resolver import Parameter, Signature
from strawberry.utils.await_maybe import await_maybe

from resolvers.batching import Parents, batched
from tests.executor.fuzz_literals import parsed_type
from tests.executor.fuzz_spec import Argument, Composite, Field, Kind
from tests.executor.fuzz_values import (
    note_extension,
    resolve,
    resolve_batch,
    resolve_batch_later,
    resolve_later,
)
from tests.executor.fuzz_world import Raising, World, parse, prepare, serialize

BUILT_IN: dict[str, Any] = {
    "Int": int,
    "Float": float,
    "String": str,
    "Boolean": bool,
    "ID": strawberry.ID,
}


POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
KEYWORD = inspect.Parameter.KEYWORD_ONLY
ENUMS: tuple[Any, ...] = (Enum, StrEnum, IntEnum)


class Noted(FieldExtension):
    """An extension that lets itself be seen."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any) -> Any:
        """Note the field, and go on."""
        note_extension(info)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any
    ) -> Any:
        """The same around a field that waits."""
        note_extension(info)
        return await await_maybe(next_(source, info, **kwargs))


class StrawberryWorld(World):
    """A schema of Strawberry classes; its objects are their instances."""

    def record(self, type_name: str, _random: Random) -> Any:
        """An instance that was not constructed, since its values may be wrong."""
        return prepare(object.__new__(self.types[type_name]))

    def enum_value(self, enum: str, name: str) -> Any:
        """The member of the Python enum."""
        return self.types[enum][name]

    def _make_schema(self) -> GraphQLSchema:
        self.types: dict[str, Any] = dict(BUILT_IN)
        self.random = Random(f"{self.spec.seed} classes")
        self.decides_by_class = self.random.random() < 0.5
        default = getattr if self.random.random() < 0.7 else read_attribute
        scalar_map = self._make_leaves()
        self._make_inputs()
        self._make_composites()
        self.strawberry_schema = strawberry.Schema(
            query=self.types["Query"],
            mutation=self.types.get("Mutation"),
            types=[self.types[name] for name in self.spec.objects],
            config=StrawberryConfig(scalar_map=scalar_map, default_resolver=default),
        )
        made: GraphQLSchema = self.strawberry_schema._schema
        return made

    def _make_leaves(self) -> dict[Any, Any]:
        for name, values in self.spec.enums.items():
            base = self.random.choice(ENUMS)
            is_text = base is not IntEnum
            members = {value: f"{name} {value}" if is_text else n for n, value in enumerate(values)}
            self.types[name] = strawberry.enum(base(name, members))
        for name in self.spec.scalars:
            self.types[name] = NewType(name, object)
        return {
            self.types[name]: strawberry.scalar(name=name, serialize=serialize, parse_value=parse)
            for name in self.spec.scalars
        }

    def _make_inputs(self) -> None:
        for name, fields in self.spec.inputs.items():
            body: dict[str, Any] = {"__annotations__": {}}
            for each in fields:
                body["__annotations__"][each.name] = self._annotation(each.type)
                body[each.name] = strawberry.field(**self._default_of_key(each))
            self.types[name] = strawberry.input(type(name, (), body))

    def _default_of_key(self, each: Argument) -> dict[str, Any]:
        if each.default is not None:
            value = self._default(each.type, each.default)
            return {"default_factory": lambda: value}
        return {} if each.type.endswith("!") else {"default": strawberry.UNSET}

    def _make_composites(self) -> None:
        """All classes first, then their fields, which name one another."""
        composites = {**self.spec.interfaces, **self.spec.objects}
        for name, kind in composites.items():
            bases = tuple(self.types[above] for above in kind.interfaces)
            self.types[name] = type(name, _without_bases_of_others(bases) or (Raising,), {})
        for name, members in self.spec.unions.items():
            union: Any = Union[tuple(self.types[member] for member in members)]  # noqa: UP007
            self.types[name] = Annotated[union, strawberry.union(name)]
        for name, kind in composites.items():
            self._declare_fields(kind)
            is_interface = name in self.spec.interfaces
            decorate: Any = strawberry.interface if is_interface else strawberry.type
            decorate(self.types[name])

    def _declare_fields(self, kind: Composite) -> None:
        owner = self.types[kind.name]
        owner.__annotations__ = {}
        if self.decides_by_class and kind.name in self.spec.objects:
            owner.is_type_of = _is_instance_of(owner)
        for field in kind.fields.values():
            if not field.inherited:
                owner.__annotations__[field.python_name] = self._annotation(field.type)
                setattr(owner, field.python_name, self._field(field))

    def _field(self, field: Field) -> Any:
        extensions: list[FieldExtension] = [Noted()] if field.extended else []
        if field.kind is Kind.ATTRIBUTE:
            return strawberry.field(extensions=extensions)
        function = self._function(field)
        if field.kind in (Kind.BATCHED, Kind.BATCHED_ASYNC):
            made = batched(function, description="Of all parents at once.")
            made.extensions = extensions
            return made
        return strawberry.field(resolver=function, extensions=extensions)

    def _function(self, field: Field) -> Callable[..., Any]:
        function = resolver_of(field)
        # The same in the twin that doesn't wait, since a wrong value may show the function.
        function.__name__ = function.__qualname__ = field.python_name
        is_batched = field.kind in (Kind.BATCHED, Kind.BATCHED_ASYNC)
        first = (
            Parameter("parents", POSITIONAL, annotation=Parents)
            if is_batched
            else Parameter("self", POSITIONAL)
        )
        info = Parameter("info", POSITIONAL, annotation=strawberry.Info)
        arguments = [self._parameter(each) for each in field.arguments]
        parameters = [first, info, *arguments]
        function.__signature__ = Signature(  # type: ignore[attr-defined]
            parameters, return_annotation=self._annotation(field.type)
        )
        return function

    def _parameter(self, argument: Argument) -> Parameter:
        default: Any = inspect.Parameter.empty if argument.type.endswith("!") else strawberry.UNSET
        if argument.default is not None:
            default = self._default(argument.type, argument.default)
        annotation = self._annotation(argument.type)
        return Parameter(argument.name, KEYWORD, annotation=annotation, default=default)

    def _default(self, kind: str, literal: str) -> Any:
        """The Python value of a default; enums in it become members."""
        value = value_from_ast_untyped(parse_value(literal))
        enum = self.types.get(re.sub(r"[\[\]!]", "", kind))
        is_enum = isinstance(enum, type) and issubclass(enum, Enum)
        return _members(enum, value) if is_enum else value

    def _annotation(self, kind: str) -> Any:
        return self._annotation_of(parsed_type(kind))

    def _annotation_of(self, kind: TypeNode) -> Any:
        if isinstance(kind, NonNullTypeNode):
            return self._present(kind.type)
        return Optional[self._present(kind)]  # noqa: UP045

    def _present(self, kind: TypeNode) -> Any:
        if isinstance(kind, ListTypeNode):
            return list[self._annotation_of(kind.type)]  # type: ignore[misc]
        assert isinstance(kind, NamedTypeNode)
        return self.types[kind.name.value]


def resolver_of(field: Field) -> Callable[..., Any]:
    """A new function that fills a field, of the field's kind."""
    if field.kind is Kind.ASYNC:

        async def fill_later(source: Any, info: Any, **arguments: Any) -> Any:
            return await resolve_later(source, info, field, arguments)

        return fill_later
    if field.kind is Kind.BATCHED:
        return lambda parents, info, **arguments: resolve_batch(parents, info, field, arguments)
    if field.kind is Kind.BATCHED_ASYNC:

        async def fill_batch_later(parents: Any, info: Any, **arguments: Any) -> Any:
            return await resolve_batch_later(parents, info, field, arguments)

        return fill_batch_later
    return lambda source, info, **arguments: resolve(source, info, field, arguments)


def read_attribute(source: Any, name: str) -> Any:
    """A default resolver of one's own."""
    return getattr(source, name)


def _is_instance_of(owner: type) -> Callable[[Any, Any], bool]:
    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, owner)

    # Says to the breadth-first executor that it need not ask for each object.
    is_type_of.decides_by_class = True  # type: ignore[attr-defined]
    return is_type_of


def _without_bases_of_others(bases: tuple[type, ...]) -> tuple[type, ...]:
    """Only the most special classes, since Python refuses a class after one derived from it."""
    return tuple(
        base
        for base in bases
        if not any(other is not base and issubclass(other, base) for other in bases)
    )


def _members(enum: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_members(enum, item) for item in value]
    return None if value is None else enum[value]
