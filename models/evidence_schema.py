"""The JSON Schema of a program's evidence: what may be one, and what it finds wrong with a payload.

A schema comes from an integrating team and runs on the server for payloads that anyone may send: it
opens no file and no connection, its patterns run in linear time, it is not recursive, and how much
it would do for a payload is known, and bounded, before it does anything.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from models.errors import InvalidInput
from models.evidence_findings import Failure, Findings, validator
from models.evidence_work import MAX_WORK, Loads, extent_of, patterns_in
from models.evidence_written_out import FIELD, Schema, check_names, write_out
from models.text import check_json

MAX_SCHEMA_BYTES = 50_000
MAX_MESSAGE_LENGTH = 500
TOO_MUCH = (
    "There is too much in this payload to hold it against the program's schema. Send less at once."
)


@dataclass(frozen=True)
class Limits:
    """What a schema may have with its references written out; of its patterns, compiled."""

    schemas: int
    bytes: int
    patterns: int
    pattern_kilobytes: int


# What may be published, and what still runs if it was published before there were bounds.
NEW = Limits(schemas=2_000, bytes=100_000, patterns=200, pattern_kilobytes=1_024)
OLD = Limits(schemas=10_000, bytes=500_000, patterns=1_000, pattern_kilobytes=10_240)


@dataclass(frozen=True)
class Compiled:
    """A schema that may run: written out, what it does for a payload, and the library's part."""

    written: Schema
    loads: Loads
    validator: jsonschema_rs.Draft202012Validator


def check_schema(schema: Any) -> None:
    """Raise `InvalidInput` unless it is a JSON Schema (Draft 2020-12) that may run here."""
    if not isinstance(schema, dict):
        raise InvalidInput("A JSON Schema must be an object.", FIELD)
    check_json(schema, *FIELD)
    if len(orjson.dumps(schema)) > MAX_SCHEMA_BYTES:
        raise InvalidInput(f"A JSON Schema must have at most {MAX_SCHEMA_BYTES} bytes.", FIELD)
    check_names(schema)
    # What nothing refers to is not written out, and held against the meta-schema all the same.
    _refusing(jsonschema_rs.meta.validate, schema)
    _compile(schema, NEW)


def evidence_failures(schema: dict[str, Any], payload: Any) -> list[Failure]:
    """What the schema finds wrong, at most 100: (message, path in the payload).

    A payload that would take too much work is refused unchecked, as a whole; so is any under a
    schema that may not run, which was published before it was asked.
    """
    compiled = _compiled(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
    if isinstance(compiled, InvalidInput):
        message = f"The program's schema has to be published anew: {compiled.message}"
        return [(message[:MAX_MESSAGE_LENGTH], ("payload",))]
    extent = extent_of(payload)
    if compiled.loads.of(compiled.written).work(extent) > MAX_WORK:
        return [(TOO_MUCH, ("payload",))]
    if compiled.validator.is_valid(payload):
        return []
    return Findings(compiled.written, compiled.validator, compiled.loads).of(payload)


@lru_cache(maxsize=64)
def _compiled(schema: bytes) -> Compiled | InvalidInput:
    """One that was published; why it may not run is known as well, and not found out again."""
    try:
        return _compile(orjson.loads(schema), OLD)
    except InvalidInput as error:
        return InvalidInput(error.message, error.field)


def _compile(schema: Schema, limits: Limits) -> Compiled:
    written = write_out(schema, limits.schemas, limits.bytes)
    loads = Loads(_sizes(written, limits))
    return Compiled(written, loads, _refusing(validator, written))


def _sizes(written: Schema, limits: Limits) -> dict[str, int]:
    """Each pattern's size, compiled, in kilobytes: the least power of two that it fits in."""
    patterns = dict.fromkeys(patterns_in(written))
    if len(patterns) > limits.patterns:
        raise InvalidInput(f"A schema must have at most {limits.patterns} patterns.", FIELD)
    sizes: dict[str, int] = {}
    for pattern in patterns:
        sizes[pattern] = _size(pattern, limits.pattern_kilobytes - sum(sizes.values()), limits)
    return sizes


def _size(pattern: str, most: int, limits: Limits) -> int:
    for step in range(most.bit_length() + 1 if most > 0 else 0):
        kilobytes: int = min(2**step, most)
        if _compiles(pattern, kilobytes):
            return kilobytes
    message = (
        f"Not a regex of the engine here, or too large: {pattern[:200]!r}. It knows no look-around "
        f"and no back-references, and all patterns together may have {limits.pattern_kilobytes} KB "
        "compiled: bound a length by maxLength, not by a large count."
    )
    raise InvalidInput(message, FIELD)


def _compiles(pattern: str, kilobytes: int) -> bool:
    try:
        validator({"pattern": pattern}, kilobytes)
    except ValueError:
        return False
    return True


def _refusing(check: Any, schema: Schema) -> Any:
    """What `check` gives for the schema; `InvalidInput` where that is none."""
    try:
        return check(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        why = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error)
        message = f"Not a JSON Schema (Draft 2020-12): {why}"
        raise InvalidInput(message[:MAX_MESSAGE_LENGTH], FIELD) from None
