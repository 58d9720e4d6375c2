"""Schemas of evidence: what runs is what is counted, and what is counted is bounded.

Those that may not be published any more are held against payloads as well: they may have been.
"""

from random import Random
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import evidence_findings
from models.demo.programs import example_payload, programs
from models.errors import InvalidInput
from models.evidence_findings import MAX_FAILURES
from models.evidence_schema import TOO_MUCH, check_schema, evidence_failures
from models.evidence_work import MAX_WORK, Loads, extent_of
from models.evidence_written_out import write_out
from models.text import MAX_JSON_BYTES

# Doubled as often as these are, a payload of one value takes a second.
LEVELS = 25


def doubling(reference: str, name: str = "b{}") -> dict[str, Any]:
    """Definitions of which each refers twice to the one below."""
    levels = {
        name.format(level): {"allOf": [{"$ref": reference.format(level + 1)}] * 2}
        for level in range(LEVELS)
    }
    return {**levels, name.format(LEVELS): {"type": "object"}}


def harmless(name: str) -> dict[str, Any]:
    return {name.format(level): {} for level in range(LEVELS + 1)}


WITH_ID = {
    "$defs": {
        **harmless("b{}"),
        "e": {
            "$id": "urn:e",
            "$defs": doubling("#/$defs/b{}"),
            "allOf": [{"$ref": "#/$defs/b0"}],
        },
    },
    "allOf": [{"$ref": "#/$defs/e"}],
}
WITH_PERCENT = {
    "$defs": {**doubling("#/$defs/b%20{}", "b {}"), **harmless("b%20{}")},
    "allOf": [{"$ref": "#/$defs/b%200"}],
}
CHAIN = {
    "$defs": {
        **{f"c{link}": {"not": {"$ref": f"#/$defs/c{link + 1}"}} for link in range(1_000)},
        "c1000": {},
    },
    "$ref": "#/$defs/c0",
}


@pytest.mark.parametrize("schema", [WITH_ID, WITH_PERCENT, CHAIN], ids=["id", "percent", "chain"])
def test_references_lead_where_they_are_counted(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        check_schema(schema)
    ((message, place),) = evidence_failures(schema, 5)
    assert "has to be published anew" in message
    assert place == ("payload",)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$id": "urn:a"}}},
        {"$defs": {"a": {"$id": "urn:a"}}},
        {"id": "urn:a"},
        {"$anchor": "a"},
        {"items": {"$dynamicAnchor": "a"}},
        {"$recursiveAnchor": True},
        {"$dynamicRef": "#/$defs/a", "$defs": {"a": {}}},
        {"anyOf": [{"$recursiveRef": "#"}]},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"properties": {"a": {"$schema": "https://example.com/own"}}},
        {"$ref": "#/$defs/100%", "$defs": {"100%": {}}},
        {"$ref": "#/$defs/a~2", "$defs": {"a~2": {}}},
        {"$ref": "#/enum/0", "enum": [1]},
        {"format": "regex"},
        {"pattern": "(?:[\\w\\W]{0,500}){0,20}$"},
        {"items": {"allOf": [{"maximum": 1}] * 2_500}},
        {"$defs": {"a": {"enum": ["x" * 30_000]}}, "anyOf": [{"$ref": "#/$defs/a"}] * 100},
    ],
    ids=lambda schema: str(schema)[:50],
)
def test_what_could_mean_something_else_or_is_too_large_is_not_published(
    schema: dict[str, Any],
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_schema(schema)
    assert caught.value.field == ("evidenceSchema",)


def test_names_that_look_like_keywords_are_names() -> None:
    schema = {
        "$id": "https://example.com/all.json",
        "properties": {"$ref": {"type": "string"}, "$id": {}, "id": {}, "$anchor": {"const": 1}},
        "required": ["$ref"],
        "default": {"$ref": "#/nothing", "$id": "x"},
    }
    check_schema(schema)
    assert evidence_failures(schema, {"$ref": "a", "$id": 1, "id": 2, "$anchor": 1}) == []
    assert len(evidence_failures(schema, {"$ref": 1, "$anchor": 2})) == 2


@pytest.mark.parametrize(
    ("reference", "name"),
    [("a%20b", "a b"), ("a~1b", "a/b"), ("a~0b", "a~b"), ("%7E1", "/"), ("100%25", "100%")],
)
def test_a_pointer_is_decoded_as_the_standard_says(reference: str, name: str) -> None:
    schema = {"$defs": {name: {"type": "string"}}, "$ref": f"#/$defs/{reference}"}
    check_schema(schema)
    assert [bool(evidence_failures(schema, payload)) for payload in ("x", 1)] == [False, True]
    assert not jsonschema_rs.is_valid(schema, 1)


def test_a_reference_holds_beside_what_stands_next_to_it() -> None:
    parts = {"text": {"type": "string"}}
    schema = {"$defs": parts, "$ref": "#/$defs/text", "allOf": [{"maxLength": 2}], "minLength": 1}
    assert [len(evidence_failures(schema, payload)) for payload in ("ab", 1, "abc", "")] == [
        0,
        1,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ({"items": {"allOf": [{"pattern": "^(a|b|ab)*c$"}] * 1_200}}, ["ab" * 24] * 100),
        ({"items": {"allOf": [{"maximum": 1}] * 2_500}}, [5] * 500),
        ({"items": {"not": {"pattern": "[ab]*a[ab]{640}[cd]"}}}, ["ab" * 2_000]),
        ({"unevaluatedItems": {"anyOf": [{"minimum": 1}] * 200}, "anyOf": [{}] * 400}, [1] * 2_000),
        ({"allOf": [{"uniqueItems": True}] * 500}, [{"a": [number]} for number in range(1_000)]),
        ({"items": {"enum": [{"a": number} for number in range(2_000)]}}, [{"a": -1}] * 2_000),
        ({"items": {"multipleOf": 1e-300}}, [0.1] * 2_000),
    ],
    ids=["pattern", "allOf", "not", "unevaluated", "unique", "enum", "multiple"],
)
def test_what_would_take_too_much_work_is_refused_unchecked(
    schema: dict[str, Any], payload: Any
) -> None:
    assert evidence_failures(schema, payload) == [(TOO_MUCH, ("payload",))]


def test_unevaluated_in_unevaluated_counts_each_time() -> None:
    schema: dict[str, Any] = {"properties": {"z": {}}}
    for _ in range(12):
        schema = {"unevaluatedProperties": {"type": "integer"}, "allOf": [schema]}
    payload = {f"p{number}": 1 for number in range(100)}
    assert evidence_failures(schema, payload) == [(TOO_MUCH, ("payload",))]


def test_a_pattern_that_was_published_and_is_too_large_now_is_not_run() -> None:
    schema = {"pattern": "(?:[\\w\\W]{0,500}){0,20}$"}
    assert len(evidence_failures(schema, "a" * 100)) == 1


def test_what_was_published_with_names_that_change_nothing_still_runs() -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    schema = {"$schema": draft, "id": "urn:a", "$anchor": "a", "type": "object"}
    assert evidence_failures(schema, {}) == []
    assert len(evidence_failures(schema, 1)) == 1


def test_failures_of_a_large_payload_are_made_one_by_one() -> None:
    """The library would make all, each with a copy of its value, and the first with all of it."""
    (owners,) = (one for one in programs() if one.code == "ownership.beneficial_owners")
    found = evidence_failures(owners.evidence_schema, {"owners": [{}] * 32_900})
    short = "This does not fit what the schema says here (maxItems: 4)."
    assert (short, ("payload", "owners")) in found
    assert ("payload", "owners", "0", "name") in [place for _, place in found]
    assert len(found) == MAX_FAILURES


def test_the_one_wrong_row_of_many_is_named() -> None:
    row = {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"maxLength": 20}, "share": {"minimum": 25}},
    }
    rows: list[Any] = [{"name": "Ada", "share": 50} for _ in range(2_000)]
    rows[1_500] = {"share": 7, "more": 1}
    found = evidence_failures({"properties": {"owners": {"items": row}}}, {"owners": rows})
    places = {place[1:] for _, place in found}
    assert places == {("owners", "1500", name) for name in ("name", "share", "more")}


def test_errors_are_asked_for_only_where_there_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def recording(schema: Any, kilobytes: int = 10_240) -> Any:
        return _Recording(made(schema, kilobytes), asked)

    made = evidence_findings.validator
    monkeypatch.setattr(evidence_findings, "validator", recording)
    schema = {"properties": {"a": {"items": {"required": list("abcdefg")}}}}
    assert len(evidence_failures(schema, {"a": [{}] * 30_000})) == MAX_FAILURES
    assert asked
    assert max(len(orjson.dumps(payload)) for payload in asked) < 100


class _Recording:
    """A validator that notes what it was asked to make all errors of."""

    def __init__(self, validator: Any, asked: list[Any]) -> None:
        self._validator, self._asked = validator, asked

    def is_valid(self, payload: Any) -> bool:
        return bool(self._validator.is_valid(payload))

    def iter_errors(self, payload: Any) -> Any:
        self._asked.append(payload)
        return self._validator.iter_errors(payload)


def test_the_demo_never_comes_near_the_bounds() -> None:
    rng = Random(7)
    for program in programs():
        check_schema(program.evidence_schema)
        payload: dict[str, Any] = example_payload(program.code, rng, "Ada Lovelace", "Engines Ltd")
        sizes = {"^[0-9A-Z]{4}$": 1, "^[A-Z]{3}$": 1}
        written = write_out(program.evidence_schema, 2_000, 100_000)
        work = Loads(sizes).of(written).work(extent_of(payload))
        assert work * 200 < MAX_WORK
        filled = {**payload, "what_is_sold": "x" * (MAX_JSON_BYTES // 2)}
        assert evidence_failures(program.evidence_schema, filled) != [(TOO_MUCH, ("payload",))]


SCALARS = st.one_of(st.integers(-2, 2), st.sampled_from(["", "a", "bb"]), st.booleans(), st.none())
PAYLOADS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=6,
)
PLAIN: st.SearchStrategy[Any] = st.sampled_from(
    [
        {},
        {"type": "object"},
        {"type": ["string", "array"]},
        {"minimum": 0},
        {"maxLength": 1},
        {"required": ["a"]},
        {"maxItems": 1},
        {"uniqueItems": True},
        {"const": 1},
        {"enum": ["a", 1, []]},
        {"pattern": "^a"},
        {"minProperties": 1, "title": "A", "examples": [{"$ref": "#"}]},
    ]
)


def _with_parts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=2)
    named = st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    one = inner | st.booleans()
    shapes: list[dict[str, Any]] = [
        *({keyword: several} for keyword in ("allOf", "anyOf", "oneOf", "prefixItems")),
        {"not": one},
        {"properties": named, "additionalProperties": one},
        {"allOf": several, "unevaluatedProperties": one},
        {"allOf": several, "unevaluatedItems": one},
        {"prefixItems": several, "items": one},
        {"contains": one, "minContains": st.integers(0, 2)},
        {"if": one, "then": one, "else": one},
        {"dependentSchemas": named, "properties": named},
        {"patternProperties": named, "propertyNames": one},
    ]
    return st.one_of(*map(st.fixed_dictionaries, shapes))


def _part(pointers: list[str]) -> st.SearchStrategy[Any]:
    references = [{"$ref": f"#/$defs/{pointer}"} for pointer in pointers]
    leaves = PLAIN | st.sampled_from(references) if references else PLAIN
    return st.recursive(leaves, _with_parts, max_leaves=4)


NAMES = [f"d {number}~/%" for number in range(3)]
POINTERS = [f"d%20{number}~0~1%25" for number in range(3)]
# Definitions of which each refers to none but later ones.
DEFINED = {name: _part(POINTERS[index + 1 :]) for index, name in enumerate(NAMES)}
SCHEMAS = st.tuples(_part(POINTERS), st.fixed_dictionaries(DEFINED)).map(
    lambda made: {**made[0], "$defs": made[1]}
)


@settings(deadline=None, max_examples=100)
@given(SCHEMAS, PAYLOADS)
def test_a_schema_means_what_the_library_says_it_means(
    schema: dict[str, Any], payload: Any
) -> None:
    check_schema(schema)
    itself = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    expected = [tuple(map(str, error.instance_path)) for error in itself.iter_errors(payload)]
    found = evidence_failures(schema, payload)
    assert (found == []) == (expected == [])
    # A failure may be told at the property that it is about, which is one further down.
    places = [place[1:] for _, place in found]
    assert all(any(place[: len(at)] == at for place in places) for at in expected[:MAX_FAILURES])


@settings(deadline=None, max_examples=100)
@given(SCHEMAS, PAYLOADS)
def test_what_does_not_fit_is_told_however_little_may_be_said(
    schema: dict[str, Any], payload: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence_findings, "MAX_SAYING", 0)
        short = evidence_failures(schema, payload)
        patch.setattr(evidence_findings, "MAX_WORK", 0)
        shorter = evidence_failures(schema, payload)
    fits = jsonschema_rs.Draft202012Validator(schema).is_valid(payload)
    assert [bool(short), bool(shorter)] == [not fits, not fits]


@settings(deadline=None, max_examples=100)
@given(SCHEMAS)
def test_the_count_is_that_of_a_naive_expansion(schema: dict[str, Any]) -> None:
    count = _naive_count(schema, schema)
    write_out(schema, count, 500_000)
    with pytest.raises(InvalidInput, match="too large"):
        write_out(schema, count - 1, 500_000)


def _naive_count(schema: Any, root: dict[str, Any]) -> int:
    if not isinstance(schema, dict):
        return 1
    parts: list[Any] = []
    for keyword, value in schema.items():
        if keyword == "$ref":
            name = value.removeprefix("#/$defs/").replace("%20", " ").replace("%25", "%")
            parts.append(root["$defs"][name.replace("~1", "/").replace("~0", "~")])
        elif keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
            parts += value
        elif keyword in ("properties", "patternProperties", "dependentSchemas"):
            parts += value.values()
        elif isinstance(value, dict | bool) and keyword not in ("$defs", "uniqueItems"):
            parts.append(value)
    return 1 + sum(_naive_count(part, root) for part in parts)
