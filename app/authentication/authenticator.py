"""The port: from a bearer token or an API key to an `Actor`."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import orjson

from app.authentication.access_tokens import AccessTokens
from app.authentication.api_keys import ApiKeys
from app.authentication.failures import Failures
from app.authentication.refusals import TokenRefused, TooManyFailures
from app.database import Database
from app.settings import Settings
from app.tokens import ISSUER, TokenSigner
from models.actor import Actor
from models.api_key import PREFIX
from models.clock import Clock

MAX_LENGTH = 8_192
MAX_ISSUERS_READ = 1_000
KEYS_PREFIX = f"{PREFIX}_"


class Reader(Protocol):
    """One kind of credentials."""

    def knows(self, text: str) -> bool:
        """Whether it was found good before."""
        ...

    async def read(self, text: str) -> Actor:
        """Whom it is for; raises `TokenRefused` or `AuthenticationUnavailable`."""
        ...


@dataclass(frozen=True)
class Authenticator:
    """Tells who is calling. Development tokens and an issuer's are taken where they are set up."""

    development: TokenSigner | None
    access_tokens: AccessTokens | None
    api_keys: ApiKeys
    failures: Failures
    clock: Clock

    @classmethod
    def of(
        cls, settings: Settings, database: Database, development: TokenSigner | None, clock: Clock
    ) -> "Authenticator":
        """What the settings say."""
        return cls(
            development,
            AccessTokens.of(settings, clock),
            ApiKeys(database, clock),
            Failures(clock, settings.max_refusals_per_minute),
            clock,
        )

    async def actor(self, text: str, address: str) -> Actor:
        """Who sends this bearer token or API key from this address.

        Raises `TokenRefused`, `AuthenticationUnavailable`, and `TooManyFailures` where much that
        came from there was refused; what was found good before is let pass all the same, so that
        nobody is locked out by others behind the same address.
        """
        reader = self._reader_of(text) if len(text) <= MAX_LENGTH else None
        wait_seconds = self.failures.wait_seconds(address)
        if wait_seconds and (reader is None or not reader.knows(text)):
            raise TooManyFailures(wait_seconds)
        try:
            if reader is None:
                raise TokenRefused
            return await reader.read(text)
        except TokenRefused:
            self.failures.note(address)
            raise

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Fetch the issuer's keys at the beginning; finish what is in hand at the end."""
        if self.access_tokens is not None:
            self.access_tokens.keys.begin_refresh(self.clock.now())
        try:
            yield
        finally:
            closing = [self.api_keys.close()]
            if self.access_tokens is not None:
                closing.append(self.access_tokens.keys.close())
            await asyncio.gather(*closing)

    def _reader_of(self, text: str) -> Reader | None:
        """What reads it, by its form; None where it has none, or one that is not taken here."""
        if text.startswith(KEYS_PREFIX):
            return self.api_keys
        if self.access_tokens is None:
            return self.development
        if self.development is not None and _issuer_of(text) == ISSUER:
            return self.development
        return self.access_tokens


@lru_cache(maxsize=MAX_ISSUERS_READ)
def _issuer_of(token: str) -> str | None:
    """Whose a JWT says it is: a claim that decides who checks it, and nothing else."""
    try:
        payload = token.split(".")[1].encode()
        claims = orjson.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        issuer = claims["iss"]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, UnicodeError):
        return None
    return issuer if isinstance(issuer, str) else None
