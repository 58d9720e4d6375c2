"""What a schema finds wrong with a payload: a bounded number of failures, by bounded work.

The library makes all errors of a payload before it gives the first, each with a copy of the value
that it is about: tens of thousands for one list. So it is asked for errors only about parts of the
payload for which there can't be many; of larger ones it says whether they fit, which is quick, and
this goes on to their members and items.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from models.evidence_work import MAX_SAYING, MAX_WORK, Extent, Load, Loads, extent_of
from models.evidence_written_out import Schema

MAX_MESSAGE_LENGTH = 500
MAX_FAILURES = 100
# The memory of a pattern's engine while it runs; with less it is slower, and gives the same.
DFA_KILOBYTES = 256
# A look at a part of a payload takes as much as so many units of work.
_LOOK = 200
# What is wrong, and where.
Failure = tuple[str, tuple[str, ...]]
Kind = jsonschema_rs.ValidationErrorKind
UNKNOWN = (Kind.AdditionalProperties, Kind.UnevaluatedProperties)
# What one keyword says follows from others beside it, too.
_TOGETHER = {
    "additionalProperties": ("properties", "patternProperties"),
    "if": ("then", "else"),
    "contains": ("minContains", "maxContains"),
}
_INTO = frozenset({"properties", "prefixItems", "items"})
_GOING_ON = _INTO | {"allOf"}
_FOLLOWING = frozenset({"then", "else", "minContains", "maxContains"})
_WHOLE = frozenset({"unevaluatedItems", "unevaluatedProperties"})


def validator(schema: Schema, kilobytes: int = 10_240) -> jsonschema_rs.Draft202012Validator:
    """The library's, for a written-out schema whose patterns take no more than this each.

    Raises `ValueError`, which a `ValidationError` is.
    """
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        offline=True,
        # Patterns run in linear time; without this, one could be made to run for ever.
        pattern_options=jsonschema_rs.RegexOptions(
            size_limit=kilobytes * 1024, dfa_size_limit=DFA_KILOBYTES * 1024
        ),
    )


class Findings:
    """The failures of one payload that doesn't fit a written-out schema."""

    def __init__(
        self, schema: Schema, known: jsonschema_rs.Draft202012Validator, loads: Loads
    ) -> None:
        self._schema = schema
        self._loads = loads
        self._validators = {id(schema): known}
        self._alone: dict[tuple[int, str], Schema] = {}
        self._extents: dict[int, Extent] = {}
        self._work, self._saying = MAX_WORK, MAX_SAYING

    def of(self, payload: Any) -> list[Failure]:
        """One to 100."""
        found = list(islice(self._say(self._schema, payload, ("payload",)), MAX_FAILURES))
        return found or [_in_short("schema", ("payload",))]

    def _look(self, schema: Any, value: Any, place: tuple[str, ...]) -> Iterator[Failure]:
        if not isinstance(schema, dict):
            if not schema:
                yield _in_short("false", place)
            return
        if not self._afford(self._loads.of(schema), schema, value):
            return
        if not self._validator(schema).is_valid(value):
            yield from self._say(schema, value, place)

    def _say(self, schema: Schema, value: Any, place: tuple[str, ...]) -> Iterator[Failure]:
        """What is wrong with a value that doesn't fit."""
        cost = self._loads.of(schema).saying(self._extent(value))
        if cost <= self._saying:
            self._saying -= cost
            for error in self._validator(schema).iter_errors(value):
                yield from _failures(error, place)
        elif _WHOLE & schema.keys():
            yield _in_short("schema", place)
        else:
            yield from self._take_apart(schema, value, place)

    def _take_apart(self, schema: Schema, value: Any, place: tuple[str, ...]) -> Iterator[Failure]:
        """What is wrong with all of it first, then with what is in it, one after another."""
        for keyword in sorted(schema, key=_GOING_ON.__contains__):
            what = schema[keyword]
            if keyword == "allOf":
                for part in what:
                    yield from self._look(part, value, place)
            elif keyword in _INTO:
                for part, name in _inside(schema, keyword, value):
                    yield from self._look(part, value[name], (*place, str(name)))
            elif keyword not in _FOLLOWING:
                yield from self._one(schema, keyword, value, place)

    def _one(
        self, schema: Schema, keyword: str, value: Any, place: tuple[str, ...]
    ) -> Iterator[Failure]:
        """What one keyword says, in few words: the value may be large."""
        key = (id(schema), keyword)
        if key not in self._alone:
            self._alone[key] = _without_others(schema, keyword)
        alone = self._alone[key]
        if not self._afford(self._loads.count(alone), alone, value):
            return
        if self._validator(alone).is_valid(value):
            return
        if keyword == "required":
            for name in schema["required"]:
                if name not in value:
                    yield (f"{name!r} is a required property"[:MAX_MESSAGE_LENGTH], (*place, name))
        else:
            yield _in_short(keyword, place, schema[keyword])

    def _afford(self, load: Load, schema: Schema, value: Any) -> bool:
        """Whether there is work left for a look at the value; it is taken."""
        if self._work > 0:
            self._work -= _LOOK + load.work(self._extent(value))
            self._work -= load.making if id(schema) not in self._validators else 0
        return self._work > 0

    def _extent(self, value: Any) -> Extent:
        if id(value) not in self._extents:
            self._extents[id(value)] = extent_of(value)
        return self._extents[id(value)]

    def _validator(self, schema: Schema) -> jsonschema_rs.Draft202012Validator:
        if id(schema) not in self._validators:
            self._validators[id(schema)] = validator(schema)
        return self._validators[id(schema)]


def _inside(schema: Schema, keyword: str, value: Any) -> Iterator[tuple[Any, Any]]:
    """The schemas that a keyword has for what is in the value, and where that is."""
    what = schema[keyword]
    if keyword == "properties" and isinstance(value, dict):
        yield from ((part, name) for name, part in what.items() if name in value)
    elif keyword == "prefixItems" and isinstance(value, list):
        yield from ((part, index) for index, part in enumerate(what[: len(value)]))
    elif keyword == "items" and isinstance(value, list):
        yield from ((what, index) for index in range(_prefix(schema), len(value)))


def _prefix(schema: Schema) -> int:
    return len(schema.get("prefixItems", ()))


def _without_others(schema: Schema, keyword: str) -> Schema:
    """A keyword with those that it reads beside it, of which it says the failures alone."""
    names = (keyword, *_TOGETHER.get(keyword, ()))
    alone = {name: schema[name] for name in names if name in schema}
    if keyword == "additionalProperties":
        for name in _TOGETHER[keyword]:
            alone[name] = dict.fromkeys(schema.get(name, ()), True)
    return alone


def _in_short(keyword: str, place: tuple[str, ...], value: Any = None) -> Failure:
    """That a keyword refuses a value, without the value."""
    if isinstance(value, str | int | float):
        keyword = f"{keyword}: {orjson.dumps(value).decode()}"
    return (f"This does not fit what the schema says here ({keyword})."[:MAX_MESSAGE_LENGTH], place)


def _failures(error: jsonschema_rs.ValidationError, where: tuple[str, ...]) -> list[Failure]:
    """What an error says, at the property that it is about: one missing, unknown or misnamed."""
    kind, message = error.kind, error.message[:MAX_MESSAGE_LENGTH]
    place = (*where, *map(str, error.instance_path))
    if isinstance(kind, UNKNOWN):
        return [("The schema has no property of this name.", (*place, n)) for n in kind.unexpected]
    if isinstance(kind, Kind.Required):
        return [(message, (*place, str(kind.property)))]
    if isinstance(kind, Kind.PropertyNames):
        return [(message, (*place, str(kind.error.instance)))]
    return [(message, place)]
