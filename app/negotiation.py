"""Media types: what a client would have the answer in, and whether a browser asks."""

import re
from functools import lru_cache

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
HTML = "text/html"
_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")
# What is remembered is as long as clients make it.
_MAX_KEPT_LENGTH = 300
_MAX_KEPT = 200


def media_type(accept: str | None) -> str | None:
    """What the client prefers of the two that GraphQL is answered in; None where it takes neither.

    Who takes anything, or says nothing, gets the older one.
    """
    if accept is None or not accept.strip():
        return PLAIN_JSON
    return _kept(accept) if len(accept) <= _MAX_KEPT_LENGTH else _chosen(accept)


def prefers_html(accept: str) -> bool:
    """Whether a page is wanted more than either of GraphQL's media types, as browsers do."""
    entries = _entries(accept)
    html = _quality(entries, HTML)[0]
    return html > 0 and html > max(
        _quality(entries, each)[0] for each in (GRAPHQL_JSON, PLAIN_JSON)
    )


def _chosen(accept: str) -> str | None:
    entries = _entries(accept)
    newer, is_named = _quality(entries, GRAPHQL_JSON)
    older, _ = _quality(entries, PLAIN_JSON)
    if newer > older or (newer > 0 and newer == older and is_named):
        return GRAPHQL_JSON
    return PLAIN_JSON if older > 0 else None


_kept = lru_cache(_MAX_KEPT)(_chosen)


def _entries(accept: str) -> list[tuple[str, float]]:
    """The entries of Accept: a range of media types, and how much it is wanted, from 0 to 1."""
    found = []
    for entry in accept.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        given = [_QUALITY.fullmatch(parameter) for parameter in parameters]
        found.append((name, next((float(each[1]) for each in given if each), 1.0)))
    return found


def _quality(entries: list[tuple[str, float]], media_type: str) -> tuple[float, bool]:
    """How much a media type is wanted by the entry closest to it, and whether that names it."""
    ranges = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    found = [(ranges.index(name), quality) for name, quality in entries if name in ranges]
    closest = max((close for close, _ in found), default=0)
    wanted = max((quality for close, quality in found if close == closest), default=0.0)
    return wanted, ranges[closest] == media_type
