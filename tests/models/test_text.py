"""What text and JSON may come in."""

import json
from importlib.resources import files
from typing import Any

import pytest

from models.countries import COUNTRIES
from models.errors import InvalidInput
from models.text import (
    MAX_JSON_DEPTH,
    MAX_SAFE_INTEGER,
    check_country,
    check_email,
    check_json,
    check_optional_text,
    check_text,
)

GOOD = [
    "a",
    " a ",
    "Zoë",
    "株式会社",
    "🗝",
    "\ufffd",
    "\U0010ffff",
    "line\nbreak\ttab",
    "'; DROP --",
]


def nested(levels: int, inner: Any = 1) -> Any:
    for _ in range(levels):
        inner = [inner] if levels % 2 else {"a": inner}
    return inner


@pytest.mark.parametrize("value", GOOD)
def test_text_is_taken_as_it_is(value: str) -> None:
    assert check_text(value, 100, "name") == value
    assert check_optional_text(value, 100, "name") == value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "blank"),
        ("   ", "blank"),
        ("\n\t\u2003", "blank"),
        ("x" * 11, "At most 10 characters, not 11"),
        ("🗝" * 11, "At most 10"),
        ("a\x00b", "NUL"),
        ("\x00", "NUL"),
        ("a\ud800", "surrogate"),
        ("\udfff", "surrogate"),
        ("x" * 10_000_000, "At most 10"),
    ],
    ids=lambda value: ascii(value)[:12],
)
def test_text_that_can_not_be_is_refused_by_name(value: str, says: str) -> None:
    for check in (check_text, check_optional_text):
        with pytest.raises(InvalidInput, match=says) as caught:
            check(value, 10, "errors", "2", "message")
        assert caught.value.field == ("errors", "2", "message")


def test_a_limit_counts_characters_and_may_be_reached() -> None:
    assert check_text("🗝" * 10, 10) == "🗝" * 10
    assert check_text("", 10, empty=True) == ""
    assert check_optional_text(None, 10) is None


@pytest.mark.parametrize("value", ["DE", "US", "AX", "SS"])
def test_a_country_is_two_capitals(value: str) -> None:
    assert check_country(value) == value


def test_the_countries_are_those_of_the_tz_database() -> None:
    pytest.importorskip("tzdata")
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    assert {line[:2] for line in table.splitlines() if line[0] != "#"} == COUNTRIES


@pytest.mark.parametrize(
    "value",
    [*("", "de", "D", "DEU", "D1", "DE\n", " DE", "ÄÖ", "\x00\x00"), *("ZZ", "XK", "UK", "EU")],
)
def test_what_is_no_country_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_country(value, "country")
    assert caught.value.field == ("country",)


@pytest.mark.parametrize(
    "value", ["a@b", "owner@acme.example", "zoë+x@пример.рф", '"a.b"@c', f"{'x' * 250}@a.b"]
)
def test_an_e_mail_address_is_taken_as_it_is(value: str) -> None:
    assert check_email(value) == value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        *((value, "one @") for value in ("not an email", "a", "@", "a@", "@b", "a@b@c", "a@@b")),
        *((value, "one @") for value in ("a @b", "a@b ", " a@b", "a@b\n", "a@b.c d", "a\u2003@b")),
        *((value, "blank") for value in ("", " ")),
        ("a@\x00", "NUL"),
        ("a@\ud800", "surrogate"),
        (f"{'x' * 251}@a.b", "At most 254"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_no_e_mail_address_is_refused(value: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        check_email(value, "email")
    assert caught.value.field == ("email",)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -1, 1.5, -0.0, 1e-300, "", [], {}, {"": None}, [[[]]]),
        *(MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER, float(MAX_SAFE_INTEGER)),
        {"a": [1, {"b": "c"}], "ü": "🗝"},
        nested(MAX_JSON_DEPTH),
        nested(MAX_JSON_DEPTH - 1),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_json_is_taken_as_it_is(value: Any) -> None:
    assert check_json(value, "payload") is value


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (json.loads("1e400"), ()),
        (json.loads("-1e400"), ()),
        (json.loads("NaN"), ()),
        (2**60, ()),
        (2**53, ()),
        (-(2**53), ()),
        (10**400, ()),
        (1e22, ()),
        (-1e300, ()),
        ({"a": [0, 2**60]}, ("a", "1")),
        ({"a": {"b": "\x00"}}, ("a", "b")),
        ({"a": ["\ud800"]}, ("a", "0")),
        ({"a\x00": 1}, ()),
        ({"a": {"\ud800": 1}}, ("a",)),
        ("x" * 100_001, ()),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_json_that_can_not_be_kept_is_refused_at_its_place(
    value: Any, place: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_json(value, "payload")
    assert caught.value.field == ("payload", *place)


@pytest.mark.parametrize("levels", [MAX_JSON_DEPTH + 1, MAX_JSON_DEPTH + 2, 500, 100_000])
def test_deep_json_is_refused_without_going_down(levels: int) -> None:
    with pytest.raises(InvalidInput, match="32 levels"):
        check_json(nested(levels), "payload")
