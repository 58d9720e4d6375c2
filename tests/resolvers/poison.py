"""Values that the API has to refuse, or at least to survive, for every place of an input."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

Path = tuple[str | int, ...]
MISSING = object()
# Longer than any text and any JSON may be.
LONG = "x" * 110_000
# Texts of four bytes a character that no compression makes short: they have to fit into indexes.
_RANDOM = Random(7)
INCOMPRESSIBLE = [
    "".join(chr(_RANDOM.randrange(0x20000, 0x2A000)) for _ in range(length))
    for length in (255, 5_000)
]
LONE_SURROGATES = [orjson.Fragment(b'"\\ud800"'), orjson.Fragment(b'"a\\udfffb"')]
NOT_TEXT = [5, 1.5, True, {}, {"a": 1}, ["a", "b"]]
TEXT = ["\x00", "a\x00b", *LONE_SURROGATES, LONG]
DURATIONS = ["", "P", "1D", "P-1D", "-P1D", "PT0S", "P11Y", "P99999999Y", "P1D" * 200, "P1D\x00"]
INSTANTS = [
    "",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-02-30T12:00:00Z",
    "2026-12-31T23:59:60Z",
    "2026-01-31T25:00:00Z",
    "2026-01-31T12:00:00+25:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "-2026-01-31T12:00:00Z",
    "1767225600",
    "now",
    1767225600,
]
URLS = [
    *("", "x", "javascript:alert(1)", "https://", "https://[", "https://a b", "https://\x00"),
    *("file:///etc/passwd", "//files.example/1", "https:files.example"),
    *("https://x/\r\nhttps://evil.example/", "https://x/\t", "https://x/ö", "https://a@x/"),
]
NUMBERS = [
    *(-1, 2**31, -(2**31) - 1, 2**63, 1.5, "1", True),
    orjson.Fragment(b"1" + b"0" * 40),
    orjson.Fragment(b"1e400"),
    orjson.Fragment(b"NaN"),
]
DEEP = 100
JSON_VALUES = [
    *TEXT,
    {"a\x00": 1},
    {"a": ["\x00"]},
    orjson.Fragment(b'{"\\ud800": 1}'),
    orjson.Fragment(b'{"a": 1e400}'),
    orjson.Fragment(b'{"a": -1e400}'),
    orjson.Fragment(b'{"a": NaN}'),
    {"a": 2**53},
    {"a": -(2**63)},
    orjson.Fragment(b'{"a": 123456789012345678901234567890}'),
    orjson.Fragment(b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    orjson.Fragment(b"[" * DEEP + b"]" * DEEP),
    orjson.Fragment(b"[" * 5_000 + b"]" * 5_000),
]
# Nothing of these is ever a value of a place of the type.
REFUSED: dict[str, Sequence[Any]] = {
    "String": [*TEXT, *NOT_TEXT],
    "ID": [*TEXT, "", "acc_", "5", 5, "nothing_0", "__proto__", *NOT_TEXT[1:]],
    "Int": [*NUMBERS, {}, []],
    "Boolean": ["true", 1, 0.5, {}, "\x00"],
    "CountryCode": ["", "D", "de", "DEU", "ÄÖ", "D1", "ZZ", *TEXT, *NOT_TEXT],
    "DateTime": [*INSTANTS, "\x00", *LONE_SURROGATES, LONG, True, {}],
    "Duration": [*DURATIONS, *LONE_SURROGATES, LONG, *NOT_TEXT],
    "URL": [*URLS, *LONE_SURROGATES, LONG, *NOT_TEXT],
    "JSON": JSON_VALUES,
}
REFUSED_ENUM = ["NOPE", "", "\x00", 5, True, {}, *LONE_SURROGATES, LONG]
REFUSED_OBJECT = [5, "x", True, {"nothing_of_this_name": 1}]
# These may be values, or not: neither is a reason to fall over.
SURVIVED: dict[str, Sequence[Any]] = {
    "String": [
        "",
        " ",
        "\t\r\n",
        "\u200b",
        "\uffff",
        "\x7f",
        "💥",
        "%",
        "_",
        "\\",
        "'; --",
        "é" * 100,
        *INCOMPRESSIBLE,
    ],
    "Int": [0, 1, 2**31 - 1],
    "Boolean": [True, False],
    "CountryCode": ["AQ"],
    "DateTime": [
        "1900-01-01T00:00:00Z",
        "9900-12-31T23:59:59-12:00",
        "2026-01-31T12:00:00.123456789Z",
        "2026-03-02 09:30:00+14:00",
        "20260302T093000Z",
        "2026-W10-1T09:30:00Z",
    ],
    "Duration": [
        "P1W",
        "P0.5D",
        "P10Y",
        "PT0.000001S",
        "P1Y2M10DT2H30M",
        "+P1D",
        "P0001-00-00T00:00:00",
    ],
    "JSON": [{}, [], "", 0, False, {"": ""}, {"a": 1e308}, {"a": [{}] * 500}, {"name": None}],
}
MANY = 3_000


@dataclass(frozen=True)
class Place:
    """A place in an input, with its type."""

    path: Path
    type: Any

    def refused(self) -> Iterator[Any]:
        """Values that are none of the place's."""
        inner = get_nullable_type(self.type)
        if is_non_null_type(self.type):
            yield None
        if is_list_type(inner):
            if is_non_null_type(inner.of_type):
                yield [None]
        elif isinstance(inner, GraphQLEnumType):
            yield from REFUSED_ENUM
        elif isinstance(inner, GraphQLInputObjectType):
            yield from REFUSED_OBJECT
        else:
            yield from REFUSED[inner.name]

    def survived(self, value: Any) -> Iterator[Any]:
        """Values that the place may have or not; `value` is one that it has."""
        inner = get_nullable_type(self.type)
        yield MISSING
        if not is_non_null_type(self.type):
            yield None
        if is_list_type(inner):
            yield []
            yield value[0]
            yield [*value, *value]
            yield value[:1] * MANY
        elif isinstance(inner, GraphQLEnumType):
            yield from inner.values
        elif isinstance(inner, GraphQLInputObjectType):
            yield {}
        else:
            yield from SURVIVED.get(inner.name, ())


def places(kind: Any, value: Any, path: Path = ()) -> Iterator[Place]:
    """All places within a value of an input type, the value's own first."""
    yield Place(path, kind)
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        for index, item in enumerate(value):
            yield from places(inner.of_type, item, (*path, index))
    elif isinstance(inner, GraphQLInputObjectType):
        for name, field in inner.fields.items():
            yield from places(field.type, value[name], (*path, name))


def put(value: Any, path: Path, new: Any) -> Any:
    """A copy of the value with something else at one place."""
    if not path:
        return new
    changed = copy.copy(value)
    if new is MISSING and len(path) == 1:
        changed.pop(path[0])
    else:
        changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def at(value: Any, path: Path) -> Any:
    """What is at one place."""
    for step in path:
        value = value[step]
    return value


def shown(poison: Any) -> str:
    """A poison as a test's message names it."""
    return "missing" if poison is MISSING else repr(getattr(poison, "contents", poison))[:60]
