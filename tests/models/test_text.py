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
    check_line,
    check_optional_text,
    check_own_name,
    check_text,
    is_blank,
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


UNSEEN = (
    "\u200b\u2060\ufeff\u200d\u2800\u3164\uffa0\u115f\u1160\u00ad\u034f\u180e\ufe0f"
    "\U000e0100\x1f\xa0"
)


@pytest.mark.parametrize("value", [*UNSEEN, UNSEEN, f" {UNSEEN}\n"], ids=ascii)
def test_what_can_not_be_seen_is_blank(value: str) -> None:
    assert is_blank(value)
    with pytest.raises(InvalidInput, match="blank"):
        check_text(value, 100, "facts")
    assert check_text(value, 100, "facts", empty=True) == value
    assert check_text(f"{value}x", 100, "facts") == f"{value}x"


@pytest.mark.parametrize(
    "value", ["ㅤa", "न्\u200d", "👩\u200d🔧", "\ufffd", "\ue000", ".", "-", "\u0301"]
)
def test_what_shows_something_is_not_blank(value: str) -> None:
    assert not is_blank(value)


@pytest.mark.parametrize("bad", [*"\r\n\t\x00\x1b\x7f\x85\u2028\u2029", "\r\nX: y"], ids=ascii)
def test_a_line_has_no_breaks(bad: str) -> None:
    assert check_line("evil@x, Zoë", 100, "sender") == "evil@x, Zoë"
    with pytest.raises(InvalidInput) as caught:
        check_line(f"evil@x{bad}", 100, "sender")
    assert caught.value.field == ("sender",)


@pytest.mark.parametrize("value", ["eve", "Eve", "Zoë Łuk", "user|4711", "a@b.example", "株式会社"])
def test_a_name_of_ones_own_is_taken_as_it_is(value: str) -> None:
    assert check_own_name(value, 100, "sub") == value


@pytest.mark.parametrize(
    "value",
    [
        *(" eve", "eve ", "\teve", "eve\n", "\xa0eve", "eve\u3000", "e\u200bve", "eve\u200d"),
        *("e\x00ve", "e\nve", "eve\x7f", "\ufeffeve", "eve\u2028", "eve\ufe0f", "e\u202eve"),
        *("Zoe\u0308", "\u212bngstrom", "e\xa0ve", "", " ", "\u3164", "e\U000e0041ve"),
    ],
    ids=ascii,
)
def test_another_spelling_of_a_name_is_refused(value: str) -> None:
    """Else four eyes could be two: of eve, and of eve with a space before her name."""
    with pytest.raises(InvalidInput) as caught:
        check_own_name(value, 100, "sub")
    assert caught.value.field == ("sub",)


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
