"""The schema of evidence with its references written out: what runs, and nothing else.

A reference is replaced by what it refers to, and what has no say in whether a payload fits is left
out. So the library resolves nothing, and what is counted here is what it runs.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import orjson

from models.errors import InvalidInput
from models.text import MAX_JSON_DEPTH

# A chain of references may lead deeper than the schema's text is nested.
MAX_WRITTEN_DEPTH = 2 * MAX_JSON_DEPTH
FIELD = ("evidenceSchema",)
PART_WITH_ID = "A part of the schema of evidence can't have an $id."
Schema = dict[str, Any]

# Keywords whose value is a schema, a list of schemas, schemas by name.
ONE = frozenset(
    {
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED = frozenset({"dependentSchemas", "patternProperties", "properties"})
# Keywords that hold no schema.
ASSERTIONS = frozenset(
    {
        "const",
        "dependentRequired",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "required",
        "type",
        "uniqueItems",
    }
)
# With these a reference may lead elsewhere than it says.
MISLEADING = frozenset({"$dynamicRef", "$recursiveRef"})
# Names that nothing here may refer by, and an older draft's word for one.
_NAMING = frozenset({"$anchor", "$dynamicAnchor", "$recursiveAnchor", "id"})
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DIALECTS = frozenset({_DRAFT, _DRAFT + "#"})
# RFC 6901 in the characters of RFC 3986.
_POINTER = re.compile(r"#(/([A-Za-z0-9._~!$&'()*+,;=:@?-]|%[0-9A-Fa-f]{2})*)*")
_BAD_TILDE = re.compile("~(?![01])")


def write_out(schema: Schema, schemas: int, size: int) -> Schema:
    """What the schema does, without a reference in it. Its parts may be shared.

    Raises `InvalidInput` for what is recursive, refers elsewhere, or has more schemas or bytes in
    it than these.
    """
    writer = _Writer(schema)
    written: Schema = writer.write(schema, 0)
    count, bytes_of_it = writer.extent(written)
    if count > schemas or bytes_of_it > size:
        message = (
            f"With its references written out, the schema is too large: it may have {schemas} "
            f"schemas and {size} bytes."
        )
        raise InvalidInput(message, FIELD)
    return written


def check_names(schema: Schema) -> None:
    """Raise `InvalidInput` for what a new schema may not say of itself, though it changes nothing.

    An older one that is published keeps working with it.
    """
    for part in _parts(schema):
        if "$schema" in part and part["$schema"] not in _DIALECTS:
            raise InvalidInput(f"The $schema of evidence can only be {_DRAFT}.", FIELD)
        for name in sorted(_NAMING & part.keys()):
            message = f"The schema of evidence can't have {name}: refer by JSON pointers such as "
            raise InvalidInput(message + "#/$defs/address.", FIELD)
        if part.get("format") == "regex":
            raise InvalidInput("The schema of evidence can't have the format regex.", FIELD)
        if "$id" in part and part is not schema:
            raise InvalidInput(PART_WITH_ID, FIELD)


def children(schema: Schema) -> Iterable[tuple[str, Any]]:
    """The schemas that stand directly in one, each with its keyword; some may be booleans."""
    for keyword, value in schema.items():
        if keyword in ONE:
            yield keyword, value
        elif keyword in SEVERAL and isinstance(value, list):
            yield from ((keyword, item) for item in value)
        elif keyword in NAMED and isinstance(value, dict):
            yield from ((keyword, item) for item in value.values())


def _parts(schema: Any) -> Iterable[Schema]:
    """A schema and all schemas in it, those that are only referred to as well."""
    if not isinstance(schema, dict):
        return
    yield schema
    for _, child in children(schema):
        yield from _parts(child)
    for keyword in ("$defs", "definitions"):
        defined = schema.get(keyword)
        for child in defined.values() if isinstance(defined, dict) else ():
            yield from _parts(child)


class _Writer:
    """Writes out each part once, however often it is referred to."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._written: dict[int, Any] = {}
        self._open: set[int] = set()
        self._extents: dict[int, tuple[int, int]] = {}
        self._depths: dict[int, int] = {}

    def write(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict):
            return schema
        key = id(schema)
        if key in self._open:
            raise InvalidInput("The schema of evidence can't be recursive.", FIELD)
        if depth + self._depths.get(key, 0) > MAX_WRITTEN_DEPTH:
            raise InvalidInput("With its references written out, the schema is too deep.", FIELD)
        if key not in self._written:
            self._check(schema)
            self._open.add(key)
            written = self._rewrite(schema, depth)
            self._open.discard(key)
            self._written[key] = written
            below = (self._depths.get(id(child), 0) for _, child in children(written))
            # Known by what it was as by what it became.
            self._depths[key] = self._depths[id(written)] = 1 + max(below, default=0)
        return self._written[key]

    def extent(self, schema: Any) -> tuple[int, int]:
        """How many schemas, and how many bytes of them, a written schema is."""
        if not isinstance(schema, dict):
            return 1, 5
        if id(schema) not in self._extents:
            plain = {key: value for key, value in schema.items() if key in ASSERTIONS}
            parts = [self.extent(child) for _, child in children(schema)]
            size = len(orjson.dumps(plain)) + sum(
                len(str(name)) + 5 for key in schema.keys() & NAMED for name in schema[key]
            )
            count = 1 + sum(schemas for schemas, _ in parts)
            self._extents[id(schema)] = (count, size + sum(more for _, more in parts))
        return self._extents[id(schema)]

    def _check(self, schema: Schema) -> None:
        if MISLEADING & schema.keys():
            raise InvalidInput("The schema of evidence can't refer dynamically.", FIELD)
        if "$id" in schema and schema is not self._root:
            raise InvalidInput(PART_WITH_ID, FIELD)

    def _rewrite(self, schema: Schema, depth: int) -> Schema:
        written: Schema = {}
        for keyword, value in schema.items():
            if keyword in ONE:
                written[keyword] = self.write(value, depth + 1)
            elif keyword in SEVERAL and isinstance(value, list):
                written[keyword] = [self.write(item, depth + 1) for item in value]
            elif keyword in NAMED and isinstance(value, dict):
                written[keyword] = {n: self.write(item, depth + 1) for n, item in value.items()}
            # A payload's text is no place for patterns that have to be compiled.
            elif keyword in ASSERTIONS and (keyword, value) != ("format", "regex"):
                written[keyword] = value
        if "$ref" in schema:
            target = self.write(self._target(schema["$ref"]), depth + 1)
            written["allOf"] = [target, *written.get("allOf", ())]
        return written

    def _target(self, reference: Any) -> Any:
        """What a reference refers to, as RFC 6901 has it: percent-encoding first, then ~."""
        place = str(reference)[:100]
        if not isinstance(reference, str) or not (reference + "/").startswith("#/"):
            raise InvalidInput(
                f"A schema can't refer to {place}: only to its own parts, by JSON "
                "pointers such as #/$defs/address.",
                FIELD,
            )
        pointer = unquote(reference)
        if not _POINTER.fullmatch(reference) or _BAD_TILDE.search(pointer):
            raise InvalidInput(f"This is no JSON pointer: {place}.", FIELD)
        found: Any = self._root
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and re.fullmatch("0|[1-9][0-9]{0,4}", name):
                found = found[int(name)] if int(name) < len(found) else None
            else:
                found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, dict | bool):
            raise InvalidInput(f"The schema has no part {place}.", FIELD)
        return found
