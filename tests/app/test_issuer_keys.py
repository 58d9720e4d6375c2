"""The keys of an issuer: discovered, renewed, kept while it is away, and seldom asked for."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.authentication.issuer_keys import (
    ALGORITHMS,
    COOLDOWN,
    FRESH,
    KEPT,
    MAX_BYTES,
    MAX_KEYS,
    IssuerKeys,
    is_safe_url,
    usable_keys,
)
from app.authentication.refusals import AuthenticationUnavailable
from models.clock import ManualClock
from tests.app.issuer import DISCOVERY, KEYS, Issuer, issuing, public_jwk

SECOND = timedelta(seconds=1)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def keys(issuer: Issuer, clock: ManualClock) -> IssuerKeys:
    return IssuerKeys(issuer.url, ALGORITHMS, clock)


async def find(keys: IssuerKeys, clock: ManualClock, kid: str = "one") -> bool:
    return await keys.find(kid, "RS256", clock.now()) is not None


async def renewed(keys: IssuerKeys, clock: ManualClock) -> None:
    """Wait for what is asked for meanwhile."""
    await keys.settle(clock.now())
    task = keys.begin_refresh(clock.now())
    if task is not None:
        await task


async def test_keys_are_fetched_once_for_all_who_ask_at_once(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock
) -> None:
    assert all(await asyncio.gather(*(find(keys, clock) for _ in range(50))))
    assert issuer.asked == [DISCOVERY, KEYS]


async def test_a_new_key_is_found_and_an_old_one_is_gone(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock
) -> None:
    assert await find(keys, clock)
    issuer.keys.append(public_jwk("RS256", "two", 2))
    clock.advance(COOLDOWN)
    assert await find(keys, clock, "two")
    assert await find(keys, clock, "one")
    before = keys.generation
    del issuer.keys[0]
    clock.advance(FRESH)
    await renewed(keys, clock)
    assert not await find(keys, clock, "one")
    assert await find(keys, clock, "two")
    assert keys.generation == before + 1


async def test_made_up_key_ids_do_not_make_us_ask_more_often(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock
) -> None:
    assert await find(keys, clock)
    for number in range(200):
        assert not await find(keys, clock, f"made-up-{number}")
    assert len(issuer.asked) == 2
    clock.advance(COOLDOWN)
    for number in range(200):
        assert not await find(keys, clock, f"made-up-{number}")
    assert len(issuer.asked) == 4


async def test_who_has_a_known_key_does_not_wait_for_the_renewal(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock
) -> None:
    assert await find(keys, clock)
    issuer.hold.clear()
    clock.advance(FRESH)
    assert await asyncio.wait_for(find(keys, clock), 1)
    issuer.hold.set()
    await renewed(keys, clock)
    assert keys.are_fresh(clock.now())


async def test_a_slow_issuer_holds_up_nothing_else(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock
) -> None:
    issuer.hold.clear()
    waiting = asyncio.create_task(find(keys, clock))
    turns = 0
    while turns < 20:
        await asyncio.sleep(0.01)
        turns += 1
    assert not waiting.done()
    issuer.hold.set()
    assert await waiting


async def test_an_issuer_that_never_answers_is_given_up_on(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.authentication.issuer_keys.TIMEOUT_SECONDS", 0.1)
    issuer.hold.clear()
    with pytest.raises(AuthenticationUnavailable):
        await find(keys, clock)


async def test_keys_are_kept_while_the_issuer_is_away_but_not_for_good(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock
) -> None:
    assert await find(keys, clock)
    issuer.answers[KEYS] = (503, b"")
    clock.advance(KEPT - SECOND)
    await renewed(keys, clock)
    assert await find(keys, clock)
    clock.advance(SECOND)
    with pytest.raises(AuthenticationUnavailable):
        await find(keys, clock)
    # An issuer that is back is found again.
    issuer.answers.clear()
    clock.advance(COOLDOWN)
    assert await find(keys, clock)


def answers(issuer: Issuer) -> dict[str, dict[str, tuple[int, bytes]]]:
    """What a broken issuer may say."""
    other = {"issuer": "https://other.example", "jwks_uri": issuer.url + KEYS}
    unsafe = {"issuer": issuer.url, "jwks_uri": "http://keys.example/keys"}
    local = {"issuer": issuer.url, "jwks_uri": "file:///etc/passwd"}
    return {
        "error": {DISCOVERY: (500, b"")},
        "no JSON": {DISCOVERY: (200, b"<html>")},
        "another kind": {DISCOVERY: (200, b"[]")},
        "another issuer": {DISCOVERY: (200, json.dumps(other).encode())},
        "no address": {DISCOVERY: (200, json.dumps({"issuer": issuer.url}).encode())},
        "unsafe address": {DISCOVERY: (200, json.dumps(unsafe).encode())},
        "local address": {DISCOVERY: (200, json.dumps(local).encode())},
        "redirect": {KEYS: (302, b"")},
        "no keys": {KEYS: (200, b'{"keys": []}')},
        "keys of another kind": {KEYS: (200, b'{"keys": 7}')},
        "no set": {KEYS: (200, b"null")},
        "too long": {KEYS: (200, b" " * (MAX_BYTES + 1))},
        "too deep": {KEYS: (200, b"[" * 100_000)},
    }


BROKEN = (
    *("error", "no JSON", "another kind", "another issuer", "no address", "unsafe address"),
    *("local address", "redirect", "no keys", "keys of another kind", "no set", "too long"),
    "too deep",
)


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_answer_gives_no_keys_and_takes_none(
    issuer: Issuer, clock: ManualClock, kind: str
) -> None:
    fresh, old = (IssuerKeys(issuer.url, ALGORITHMS, clock) for _ in range(2))
    assert await find(old, clock)
    issuer.answers.update(answers(issuer)[kind])
    with pytest.raises(AuthenticationUnavailable):
        await find(fresh, clock)
    clock.advance(FRESH)
    await renewed(old, clock)
    assert await find(old, clock)


async def test_redirects_are_not_followed(
    issuer: Issuer, keys: IssuerKeys, clock: ManualClock
) -> None:
    with issuing() as other:
        issuer.answers[KEYS] = (302, b"")
        issuer.headers["location"] = other.url + KEYS
        with pytest.raises(AuthenticationUnavailable):
            await find(keys, clock)
        assert other.asked == []


def test_only_keys_for_checking_signatures_are_used() -> None:
    good = public_jwk("RS256", "good")
    passed_by: list[Any] = [
        {**good, "kid": "encryption", "use": "enc"},
        {**good, "kid": "operations", "key_ops": ["encrypt"]},
        {**good, "kid": "secret", "d": "AQAB"},
        {**good, "kid": "shared", "kty": "oct", "k": "AQAB", "alg": "HS256"},
        {**good, "kid": "another alg", "alg": "HS256"},
        {**good, "kid": "unknown", "kty": "XYZ"},
        {**good, "kid": "broken", "n": "!"},
        {**good, "kid": 7},
        {**good, "kid": ""},
        {key: value for key, value in good.items() if key != "kid"},
        "nonsense",
        None,
    ]
    found = usable_keys({"keys": [*passed_by, good]}, ALGORITHMS)
    assert set(found) == {("good", "RS256")}
    unnamed = {key: value for key, value in good.items() if key != "alg"}
    algorithms = {algorithm for _, algorithm in usable_keys({"keys": [unnamed]}, ALGORITHMS)}
    assert algorithms == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    with pytest.raises(ValueError, match="no usable key"):
        usable_keys({"keys": passed_by}, ALGORITHMS)
    with pytest.raises(ValueError, match="not a key set"):
        usable_keys({"keys": [good] * (MAX_KEYS + 1)}, ALGORITHMS)


def test_of_two_keys_with_one_id_the_first_counts() -> None:
    first, second = public_jwk("RS256", "one"), public_jwk("RS256", "one", 2)
    found = usable_keys({"keys": [first, second]}, ALGORITHMS)
    assert (
        found["one", "RS256"].key.public_numbers()
        == usable_keys({"keys": [first]}, ALGORITHMS)["one", "RS256"].key.public_numbers()
    )


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example/keys", True),
        ("http://127.0.0.1:8080/keys", True),
        ("http://[::1]/keys", True),
        ("http://localhost/keys", True),
        ("http://login.example/keys", False),
        ("http://localhost.example/keys", False),
        ("https://user@login.example/keys", False),
        ("ftp://login.example/keys", False),
        ("https:///keys", False),
        ("https://[::1/keys", False),
        ("", False),
    ],
)
def test_what_could_be_changed_on_the_way_is_not_read(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe
