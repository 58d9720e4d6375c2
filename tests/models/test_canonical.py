"""What an event's hash is taken over: RFC 8785, however it is written."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models.events import instant, is_plain, plain_json
from models.text import MAX_SAFE_INTEGER

TEXT = st.text()
KEYS = TEXT | st.text(st.characters(max_codepoint=127))
VALUES = st.recursive(
    st.none() | st.booleans() | TEXT | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@given(VALUES)
def test_what_is_plain_is_written_as_rfc_8785_says(value: Any) -> None:
    if is_plain(value):
        assert plain_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        '\x00\x1f\x7f"\\/\b\f\n\r\t\u2028é€😀',
        {"b": 1, "a": [True, None, {"Z": "", "z": -1, "_": MAX_SAFE_INTEGER}]},
    ],
)
def test_escapes_and_the_order_of_keys_agree(value: Any) -> None:
    assert is_plain(value)
    assert plain_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value", [1.0, 1e21, MAX_SAFE_INTEGER + 1, {"é": 1}, [{"a": {"\U0001f600": 1}}], {"a": [0.5]}]
)
def test_where_they_could_differ_it_is_not_plain(value: Any) -> None:
    assert not is_plain(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 3, 2, 9, 30, tzinfo=UTC), "2026-03-02T09:30:00.000000Z"),
        (
            datetime(2026, 3, 2, 0, 30, 0, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-03-01T22:30:00.000005Z",
        ),
    ],
)
def test_an_instant_is_written_in_one_way(value: datetime, written: str) -> None:
    assert instant(value) == written
