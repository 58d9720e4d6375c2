"""Media types: the closest entry of Accept decides, and browsers are told from clients."""

import pytest

from app.negotiation import GRAPHQL_JSON, PLAIN_JSON, media_type, prefers_html

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, PLAIN_JSON),
        ("", PLAIN_JSON),
        ("*/*", PLAIN_JSON),
        ("application/*", PLAIN_JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (PLAIN_JSON, PLAIN_JSON),
        (f"{GRAPHQL_JSON}, */*", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {PLAIN_JSON};q=0.9", GRAPHQL_JSON),
        (f"{PLAIN_JSON}, {GRAPHQL_JSON};q=0.9", PLAIN_JSON),
        (f"{PLAIN_JSON};q=0.5, application/*", GRAPHQL_JSON),
        (f"{PLAIN_JSON};q=0, */*", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0, application/*;q=0.1", PLAIN_JSON),
        (f"{GRAPHQL_JSON}; charset=utf-8 ; q=0.5, {PLAIN_JSON};Q=0.4", GRAPHQL_JSON),
        ("*/*;q=0.1, text/html", PLAIN_JSON),
        ("text/html", None),
        ("text/*", None),
        ("application/xml, image/*", None),
        ("*/*;q=0", None),
        (f"{PLAIN_JSON};q=0.0, {GRAPHQL_JSON};q=0", None),
        ("nonsense", None),
        (",;,", None),
        (f"{'text/html,' * 1_000}{GRAPHQL_JSON}", GRAPHQL_JSON),
    ],
)
def test_the_closest_entry_decides(accept: str | None, expected: str | None) -> None:
    assert media_type(accept) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CHROMIUM, True),
        ("text/html", True),
        ("text/html, application/json", False),
        ("text/html;q=0.9, application/json", False),
        ("*/*", False),
        ("", False),
        (GRAPHQL_JSON, False),
        ("text/html;q=0", False),
    ],
)
def test_a_browser_prefers_pages(accept: str, expected: bool) -> None:
    assert prefers_html(accept) is expected
