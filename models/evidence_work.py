"""How much a written-out schema has to do for a payload, before anything is done.

Parts of a schema that look at one value stand at the depth of that value: `properties` and the like
lead one down, `allOf` and the like stay. So the work is, depth by depth, what the schema does for a
value times the values that the payload has there. This never says less than there is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, chain
from typing import Any

import orjson

from models.evidence_written_out import NAMED, SEVERAL, Schema, children

# In units of 20 nanoseconds, as measured: 20 ms.
MAX_WORK = 1_000_000
# In units of 0.5 microseconds: another 20 ms.
MAX_SAYING = 40_000

# Keywords that lead from a value to what is in it.
_DOWN = frozenset(
    {
        "additionalProperties",
        "contains",
        "items",
        "patternProperties",
        "prefixItems",
        "properties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_MATCH, _UNIQUE = 10, 25
# Remainders are exact, of decimals by fractions: 20 and 100 microseconds for what is made to last.
_WHOLE_MULTIPLE, _MULTIPLE = 300, 2_000
# A pattern that defeats the engine's shortcuts takes 100 ns for a byte and a KB of it.
_PATTERN_BYTE, _FORMAT_BYTE, _NAME_BYTE = 5, 4, 12
# What a validator takes: 5 microseconds a keyword, 13 a KB of a compiled pattern.
_MAKE, _MAKE_PATTERN = 250, 130
# What an error takes beside a copy of what it is about, and bytes that cost as much as a value.
_ERROR, _BYTES_A_VALUE = 20, 100

# A depth, and how often all of it is repeated for each member and for each item of a value: what
# `unevaluatedProperties` and `unevaluatedItems` do to what stands beside them.
Place = tuple[int, int, int]
_TOP, _BELOW = (0, 0, 0), (1, 0, 0)


@dataclass(frozen=True)
class Load:
    """What a schema does for a value, for it and each in it, for a byte; errors it may find."""

    values: Counter[Place] = field(default_factory=Counter)
    whole: Counter[Place] = field(default_factory=Counter)
    text: Counter[Place] = field(default_factory=Counter)
    errors: Counter[Place] = field(default_factory=Counter)

    def add(self, other: "Load", depth: int = 0, members: int = 0, items: int = 0) -> None:
        """Add what another does, so much deeper and so often repeated."""
        for mine, theirs in zip(self._all, other._all, strict=True):
            for (down, often, oftener), weight in theirs.items():
                mine[down + depth, often + members, oftener + items] += weight

    def work(self, extent: "Extent") -> int:
        """How much to do for the payload, in units of `MAX_WORK`."""
        whole = _sum(self.whole, extent.whole, extent)
        text = _sum(self.text, extent.text, extent)
        return _sum(self.values, extent.values, extent) + whole + text

    @cached_property
    def making(self) -> int:
        """How much it takes to make the library's validator of it, in units of `MAX_WORK`."""
        return _MAKE * self.errors.total() + _MAKE_PATTERN * self.text.total()

    def saying(self, extent: "Extent") -> int:
        """How much it takes to make all errors that there may be, in units of `MAX_SAYING`."""
        return _sum(self.errors, extent.copied, extent)

    @property
    def _all(self) -> tuple[Counter[Place], ...]:
        return self.values, self.whole, self.text, self.errors


@dataclass(frozen=True)
class Extent:
    """How much a payload has at each depth: values, bytes of texts and names; its widest values."""

    values: list[int]
    text: list[int]
    members: int
    items: int

    @cached_property
    def whole(self) -> list[int]:
        """How many values there are at each depth and below it."""
        return [*accumulate(reversed(self.values))][::-1]

    @cached_property
    def copied(self) -> list[int]:
        """What an error about each value of a depth takes, as each has a copy of its value."""
        copies, below = [], 0
        for values, text in zip(reversed(self.values), reversed(self.text), strict=True):
            below += values + text // _BYTES_A_VALUE
            copies.append(_ERROR * values + below)
        return copies[::-1]


def extent_of(payload: Any) -> Extent:
    """Measure a payload, a depth at a time."""
    values, text, members, items = [], [], 0, 0
    level, names = [payload], 0
    while level:
        values.append(len(level))
        text.append(names + sum(len(value.encode()) for value in level if isinstance(value, str)))
        objects = [value for value in level if isinstance(value, dict)]
        lists = [value for value in level if isinstance(value, list)]
        members = max(members, max(map(len, objects), default=0))
        items = max(items, max(map(len, lists), default=0))
        names = sum(len(name.encode()) for one in objects for name in one)
        level = [*chain.from_iterable(one.values() for one in objects), *chain.from_iterable(lists)]
    return Extent(values, text, members, items)


class Loads:
    """What each part of one written-out schema does; each is counted once."""

    def __init__(self, pattern_kilobytes: Mapping[str, int]) -> None:
        self._kilobytes = pattern_kilobytes
        self._known: dict[int, Load] = {}

    def of(self, schema: Any) -> Load:
        """What a schema does that stays as it is."""
        if not isinstance(schema, dict):
            return Load(values=Counter({_TOP: 1}), errors=Counter({_TOP: 1}))
        if id(schema) not in self._known:
            self._known[id(schema)] = self.count(schema)
        return self._known[id(schema)]

    def count(self, schema: Schema) -> Load:
        """What a schema does that was made of parts of one that stays."""
        load, here = Load(), Load()
        for keyword, value in schema.items():
            self._own(load, keyword, value)
        for keyword, child in children(schema):
            (load if keyword in _DOWN else here).add(self.of(child), depth=keyword in _DOWN)
            if keyword == "not":
                load.errors[_TOP] += here.errors.total()
        load.add(here)
        if "unevaluatedProperties" in schema:
            load.add(here, members=1)
        if "unevaluatedItems" in schema:
            load.add(here, items=1)
        return load

    def _own(self, load: Load, keyword: str, value: Any) -> None:
        """Add what a keyword does beside the schemas that are in it."""
        said = 1
        if keyword == "pattern":
            self._match(load, value, _TOP)
            said += len(value) // 500
        elif keyword == "format":
            load.text[_TOP] += _NAME_BYTE if value == "idn-hostname" else _FORMAT_BYTE
            load.values[_TOP] += _MATCH
        elif keyword == "patternProperties":
            for pattern in value:
                self._match(load, pattern, _BELOW)
        elif keyword == "uniqueItems":
            load.whole[_TOP] += _UNIQUE
        elif keyword in ("enum", "const"):
            size = len(orjson.dumps(value))
            load.values[_TOP] += _comparing(value if keyword == "enum" else [value], size)
            said += size // 500
        elif keyword in ("required", "dependentRequired"):
            said += len(orjson.dumps(value)) // 3
            load.values[_TOP] += said
        elif keyword == "multipleOf":
            load.values[_TOP] += _WHOLE_MULTIPLE if isinstance(value, int) else _MULTIPLE
        load.values[_TOP] += 2 + (len(value) if keyword in NAMED or keyword in SEVERAL else 0)
        load.errors[_TOP] += said

    def _match(self, load: Load, pattern: str, place: Place) -> None:
        load.values[place] += _MATCH
        load.text[place] += _PATTERN_BYTE * self._kilobytes[pattern]


def _comparing(options: Sequence[Any], size: int) -> int:
    """What it takes to find a value among options of so many bytes."""
    if all(isinstance(option, str) for option in options):
        # These are looked up.
        return 4
    compound = any(isinstance(option, dict | list) for option in options)
    return 5 * size if compound else 20 * len(options)


def _sum(weights: Counter[Place], amounts: list[int], extent: Extent) -> int:
    return sum(
        weight * amounts[depth] * extent.members**members * extent.items**items
        for (depth, members, items), weight in weights.items()
        if depth < len(amounts)
    )


def patterns_in(schema: Any) -> Iterator[str]:
    """The patterns of a written-out schema, those of a shared part once."""
    known: set[int] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or id(part) in known:
            continue
        known.add(id(part))
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        named = part.get("patternProperties")
        yield from named if isinstance(named, dict) else ()
        waiting.extend(child for _, child in children(part))
