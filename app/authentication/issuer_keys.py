"""The keys that an OpenID Connect issuer signs with: discovered, fetched, kept, and renewed.

Keys are asked for anew when they are old, and when a token names one that is not known, but never
more often than `COOLDOWN`: whoever sends tokens with made-up key ids can't make us hammer the
issuer. While the issuer is away its keys are kept, but not for longer than `KEPT`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import orjson
import structlog
from cryptography.exceptions import UnsupportedAlgorithm

from app.authentication.refusals import AuthenticationUnavailable
from models.clock import Clock

FRESH = timedelta(minutes=5)
KEPT = timedelta(hours=1)
COOLDOWN = timedelta(seconds=10)
TIMEOUT_SECONDS = 5
MAX_BYTES = 256_000
MAX_KEYS = 100
MAX_KID_LENGTH = 200
DISCOVERY = "/.well-known/openid-configuration"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# By the kind of a key and its curve, the algorithms that it may be used with.
FITTING = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
ALGORITHMS = tuple(name for names in FITTING.values() for name in names)
UNUSABLE = (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError)
FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, *UNUSABLE, RecursionError)
# The name of a key and an algorithm.
Name = tuple[str, str]

log = structlog.get_logger()


class IssuerKeys:
    """The public keys of one issuer, by their id and an algorithm of `algorithms`.

    `generation` counts how often they have changed: what was verified before is to be verified
    anew then.
    """

    def __init__(self, issuer: str, algorithms: Sequence[str], clock: Clock) -> None:
        self._issuer = issuer
        self._algorithms = tuple(algorithms)
        self._clock = clock
        self._trusted = httpx.create_ssl_context()
        self._published: Any = None
        self._keys: Mapping[Name, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self.generation = 0

    def are_fresh(self, now: datetime) -> bool:
        """Whether they need no look at the issuer."""
        return self._fetched_at is not None and now < self._fetched_at + FRESH

    async def settle(self, now: datetime) -> None:
        """See to it that there are keys; what is old is renewed meanwhile.

        Raises `AuthenticationUnavailable` where there are none, or none that may still be used.
        """
        if self.are_fresh(now):
            return
        if self._are_usable(now):
            self.begin_refresh(now)
            return
        await self._refresh(now)
        if not self._are_usable(now):
            raise AuthenticationUnavailable

    async def find(self, kid: str, algorithm: str, now: datetime) -> jwt.PyJWK | None:
        """The key with this id for this algorithm; None where the issuer has none."""
        await self.settle(now)
        name = (kid, algorithm)
        if name not in self._keys:
            await self._refresh(now)
        return self._keys.get(name)

    def begin_refresh(self, now: datetime) -> "asyncio.Task[None] | None":
        """Ask the issuer, unless that was done just now; the task that does, one for all."""
        if self._refreshing is None and not self._was_tried(now):
            self._tried_at = now
            self._refreshing = asyncio.create_task(self._fetch_and_keep())
        return self._refreshing

    async def close(self) -> None:
        """Let go of a fetch that is under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _refresh(self, now: datetime) -> None:
        task = self.begin_refresh(now)
        if task is not None:
            # Who goes away takes nobody else's answer along.
            await asyncio.shield(task)

    def _are_usable(self, now: datetime) -> bool:
        return self._fetched_at is not None and now < self._fetched_at + KEPT

    def _was_tried(self, now: datetime) -> bool:
        return self._tried_at is not None and now < self._tried_at + COOLDOWN

    async def _fetch_and_keep(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                published = await self._fetch()
            if self._fetched_at is None or published != self._published:
                self._keys = usable_keys(published, self._algorithms)
                self._published = published
                self.generation += 1
            self._fetched_at = self._clock.now()
        except FAILURES as error:
            log.warning("issuer's keys not fetched", error=type(error).__name__)
        finally:
            self._refreshing = None

    async def _fetch(self) -> Any:
        """The key set as it is published. Redirects are not followed."""
        async with httpx.AsyncClient(verify=self._trusted, timeout=TIMEOUT_SECONDS) as client:
            document = await _get(client, self._issuer.rstrip("/") + DISCOVERY)
            if document["issuer"] != self._issuer:
                raise ValueError("another issuer's document")
            address = document["jwks_uri"]
            if not is_safe_url(address):
                raise ValueError("keys that anyone on the way could change")
            return await _get(client, address)


async def _get(client: httpx.AsyncClient, url: str) -> Any:
    async with client.stream("GET", url, headers={"accept": "application/json"}) as response:
        if response.status_code != httpx.codes.OK:
            raise ValueError("not an answer")
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError("too long")
    return orjson.loads(body)


def is_safe_url(url: str) -> bool:
    """Whether nobody on the way can change what is read there: HTTPS, or this very machine."""
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        return is_safe and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def usable_keys(published: Any, algorithms: Sequence[str]) -> dict[Name, jwt.PyJWK]:
    """Those of a JSON Web Key Set that signatures can be checked with, by id and algorithm.

    What is secret, for encryption, or not understood is passed by. Raises ValueError, KeyError or
    TypeError where it is no key set, or holds no such key.
    """
    entries = published["keys"]
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise ValueError("not a key set")
    found: dict[Name, jwt.PyJWK] = {}
    for entry in entries:
        for algorithm in _algorithms_of(entry):
            if algorithm in algorithms:
                try:
                    # Of two with one id, the first.
                    found.setdefault((entry["kid"], algorithm), jwt.PyJWK(entry, algorithm))
                except UNUSABLE:
                    continue
    if not found:
        raise ValueError("no usable key")
    return found


def _algorithms_of(entry: Any) -> tuple[str, ...]:
    """The algorithms that a key may be used with; none where it is not for checking signatures."""
    if not isinstance(entry, dict) or "d" in entry or entry.get("use", "sig") != "sig":
        return ()
    kid, operations = entry.get("kid"), entry.get("key_ops", ["verify"])
    named = isinstance(kid, str) and 0 < len(kid) <= MAX_KID_LENGTH
    if not named or not isinstance(operations, list) or "verify" not in operations:
        return ()
    kind, curve = entry.get("kty"), entry.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return ()
    fitting = FITTING.get((kind, curve), ())
    only = entry.get("alg")
    return fitting if only is None else tuple(name for name in fitting if name == only)
