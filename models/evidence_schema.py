"""The JSON Schema of a program's evidence: what may be one, and what it finds wrong with a payload.

A schema comes from an integrating team and runs on the server for payloads that anyone may send: it
opens no file and no connection, its patterns run in linear time, and it is not recursive, so that
how much it does is bounded by its size and the payload's.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from models.errors import InvalidInput
from models.text import check_json

MAX_SCHEMA_BYTES = 50_000
MAX_EXPANDED_NODES = 10_000
MAX_MESSAGE_LENGTH = 500
MAX_FAILURES = 100
FIELD = ("evidenceSchema",)
# What is wrong, and where.
Failure = tuple[str, tuple[str, ...]]
Kind = jsonschema_rs.ValidationErrorKind
UNKNOWN = (Kind.AdditionalProperties, Kind.UnevaluatedProperties)
DYNAMIC = frozenset({"$dynamicRef", "$recursiveRef"})


def check_schema(schema: Any) -> None:
    """Raise `InvalidInput` unless it is a JSON Schema (Draft 2020-12) that may run here."""
    if not isinstance(schema, dict):
        raise InvalidInput("A JSON Schema must be an object.", FIELD)
    check_json(schema, *FIELD)
    if len(orjson.dumps(schema)) > MAX_SCHEMA_BYTES:
        raise InvalidInput(f"A JSON Schema must have at most {MAX_SCHEMA_BYTES} bytes.", FIELD)
    _Expansion(schema).check()
    try:
        _validator(_key(schema))
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        why = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error)
        # The library names the class of the error that `_refuse` raises.
        message = f"Not a JSON Schema (Draft 2020-12): {why.rpartition('ValueError: ')[2]}"
        raise InvalidInput(message[:MAX_MESSAGE_LENGTH], FIELD) from None


def evidence_failures(schema: dict[str, Any], payload: Any) -> list[Failure]:
    """What the schema finds wrong, at most 100: (message, path in the payload), in its order."""
    errors = _validator(_key(schema)).iter_errors(payload)
    return list(islice((failure for error in errors for failure in _failures(error)), MAX_FAILURES))


def _failures(error: jsonschema_rs.ValidationError) -> list[Failure]:
    """What an error says, at the property that it is about: one missing, unknown or misnamed."""
    kind, message = error.kind, error.message[:MAX_MESSAGE_LENGTH]
    place = ("payload", *map(str, error.instance_path))
    if isinstance(kind, UNKNOWN):
        return [("The schema has no property of this name.", (*place, n)) for n in kind.unexpected]
    if isinstance(kind, Kind.Required):
        return [(message, (*place, str(kind.property)))]
    if isinstance(kind, Kind.PropertyNames):
        return [(message, (*place, str(kind.error.instance)))]
    return [(message, place)]


def _key(schema: dict[str, Any]) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)


def _refuse(uri: str) -> Any:
    """A schema refers to nothing outside itself: no request, no file is opened for it."""
    raise ValueError(f"A schema can't refer to {uri}")


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        orjson.loads(schema),
        validate_formats=True,
        retriever=_refuse,
        # Patterns run in linear time; without this, one could be made to run for ever.
        pattern_options=jsonschema_rs.RegexOptions(),
    )


class _Expansion:
    """How large a schema is with its references written out, each as often as it stands there."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._root = schema
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def check(self) -> None:
        """Raise `InvalidInput` for a schema that is recursive, or larger than is bearable."""
        if self._size(self._root) > MAX_EXPANDED_NODES:
            raise InvalidInput("With its references written out, the schema is too large.", FIELD)

    def _size(self, node: Any) -> int:
        if not isinstance(node, dict | list):
            return 0
        if id(node) in self._open:
            raise InvalidInput("The schema of evidence can't be recursive.", FIELD)
        if id(node) not in self._sizes:
            self._open.add(id(node))
            self._sizes[id(node)] = 1 + sum(self._size(child) for child in self._children(node))
            self._open.discard(id(node))
        return self._sizes[id(node)]

    def _children(self, node: dict[str, Any] | list[Any]) -> Iterator[Any]:
        if isinstance(node, list):
            yield from node
            return
        if DYNAMIC & node.keys():
            raise InvalidInput("The schema of evidence can't refer dynamically.", FIELD)
        yield from node.values()
        if isinstance(node.get("$ref"), str):
            yield self._target(node["$ref"])

    def _target(self, reference: str) -> Any:
        found: Any = self._root
        if reference != "#" and not reference.startswith("#/"):
            raise InvalidInput(
                f"A schema can't refer to {reference[:100]}: only to its own parts, by JSON "
                "pointers such as #/$defs/address.",
                FIELD,
            )
        for part in reference.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, dict) and name in found:
                found = found[name]
            else:
                raise InvalidInput(f"The schema has no part {reference[:100]}.", FIELD)
        return found
