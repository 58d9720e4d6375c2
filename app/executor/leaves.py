"""Leaves: from the values of a column to what the response holds, many at once.

graphql-core coerces each value by a call. Most columns hold nothing that coercion would change: for
those a check of all their types, which runs in C, is enough. Whatever is not plainly right is left
to graphql-core's own functions, value by value, for their results and their errors.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from math import isfinite
from types import GeneratorType, NoneType
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    Undefined,
)
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT
from strawberry.schema.schema_converter import CustomGraphQLEnumType

# One per parent, in their order; an exception is the error of its parent's field.
Values = list[Any]
# From values to what the response holds, in their order; None where one needs a closer look.
Encoder = Callable[[Values], Values | None]
# By the name of a scalar: how its values are encoded, where there are no nulls among them.
Encoders = Mapping[str, Encoder]
_INTEGERS, _FLOATS = frozenset((int,)), frozenset((float,))
_UNCHANGED = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


@lru_cache(maxsize=2_048)
def is_plain(kind: type) -> bool:
    """Whether values of this class are neither null, nor an error, nor something to wait for."""
    return not (
        kind is NoneType
        or kind is type(Undefined)
        or issubclass(kind, (Exception, GeneratorType))
        or hasattr(kind, "__await__")
        or hasattr(kind, "__aiter__")
    )


def encoder_of(kind: Any, nullable: bool, encoders: Encoders) -> Encoder:
    """The encoder of a leaf type's values."""
    if kind in _UNCHANGED:
        return _unchanged(_UNCHANGED[kind], nullable)
    if type(kind) in (GraphQLEnumType, CustomGraphQLEnumType):
        return _by_name(kind, nullable)
    if kind is GraphQLInt:
        encode: Encoder = _integers
    elif kind is GraphQLFloat:
        encode = _floats
    else:
        encode = encoders.get(kind.name) or _one_by_one(kind)
    return _around_nulls(encode) if nullable else encode


def _unchanged(kind: type, nullable: bool) -> Encoder:
    allowed = frozenset((kind, NoneType) if nullable else (kind,))

    def encode(values: Values) -> Values | None:
        return values if allowed.issuperset(map(type, values)) else None

    return encode


@lru_cache(maxsize=1_024)
def _by_name(kind: GraphQLEnumType, nullable: bool) -> Encoder:
    names: dict[Any, str | None] = {}
    known: list[Any] = [value.value for value in kind.values.values()]
    if isinstance(kind, CustomGraphQLEnumType):
        known += kind.wrapped_cls
    for value in known:
        # What can't be looked up is left to the closer look.
        with suppress(TypeError, ValueError, GraphQLError):
            names[value] = kind.coerce_output_value(value)
    names.pop(None, None)
    if nullable:
        names[None] = None
    name_of = names.__getitem__

    def encode(values: Values) -> Values | None:
        try:
            return list(map(name_of, values))
        except Exception:
            # Not one of them, or nothing that can be looked up at all.
            return None

    return encode


def _integers(values: Values) -> Values | None:
    if not _INTEGERS.issuperset(map(type, values)):
        return None
    fits = not values or (min(values) >= GRAPHQL_MIN_INT and max(values) <= GRAPHQL_MAX_INT)
    return values if fits else None


def _floats(values: Values) -> Values | None:
    clean = _FLOATS.issuperset(map(type, values)) and all(map(isfinite, values))
    return values if clean else None


def _one_by_one(kind: Any) -> Encoder:
    """What a scalar of one's own says of each value."""

    def encode(values: Values) -> Values | None:
        if not all(map(is_plain, set(map(type, values)))):
            return None
        try:
            encoded = list(map(kind.coerce_output_value, values))
        except Exception:
            return None
        # A StopIteration ends a map without a word.
        is_whole = len(encoded) == len(values)
        missing = any(value is None or value is Undefined for value in encoded)
        return encoded if is_whole and not missing else None

    return encode


def _around_nulls(encode: Encoder) -> Encoder:
    def encode_the_rest(values: Values) -> Values | None:
        # By identity: a value's own `==` is nobody's business.
        if NoneType not in set(map(type, values)):
            return encode(values)
        present = encode([value for value in values if value is not None])
        if present is None:
            return None
        rest = iter(present)
        return [None if value is None else next(rest) for value in values]

    return encode_the_rest
