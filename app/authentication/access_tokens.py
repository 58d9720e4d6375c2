"""Access tokens of an OpenID Connect issuer: JWTs (RFC 9068), checked with its published keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt

from app.authentication.claims import ClaimNames
from app.authentication.issuer_keys import MAX_KID_LENGTH, IssuerKeys
from app.authentication.memory import Memory
from app.authentication.refusals import TokenRefused
from app.authentication.verified import Verified, times_in
from app.identity_settings import IdentitySettings
from models.actor import Actor
from models.clock import Clock
from models.errors import InvalidInput

MAX_VERIFIED = 10_000
# RFC 9068 asks for the first two; many issuers write the third, or nothing.
TYPES = ("at+jwt", "application/at+jwt", "jwt", None)
REQUIRED_CLAIMS = ["iss", "aud", "sub", "iat", "exp"]
WRONG = (
    *(jwt.PyJWTError, InvalidInput, NotImplementedError, ValueError, TypeError, KeyError),
    *(AttributeError, OverflowError, RecursionError),
)


@dataclass(frozen=True)
class AccessTokens:
    """Reads the tokens of one issuer for one audience."""

    issuer: str
    audience: str
    algorithms: Sequence[str]
    leeway_seconds: float
    names: ClaimNames
    keys: IssuerKeys
    clock: Clock
    known: Memory[str, Verified] = field(default_factory=lambda: Memory(MAX_VERIFIED))

    @classmethod
    def of(cls, settings: IdentitySettings, clock: Clock) -> "AccessTokens | None":
        """What the settings say; None where they name no issuer."""
        issuer, audience = settings.oidc_issuer, settings.oidc_audience
        if issuer is None or audience is None:
            return None
        algorithms = settings.names_in("oidc_algorithms")
        names = ClaimNames.of(
            settings.oidc_role_claim,
            settings.oidc_platform_claim,
            settings.oidc_account_claim,
            settings.oidc_scope_claim,
            settings.names_in("oidc_platforms"),
            settings.names_in("oidc_clients"),
        )
        return cls(
            issuer,
            audience,
            algorithms,
            settings.oidc_leeway_seconds,
            names,
            IssuerKeys(issuer, algorithms, clock),
            clock,
        )

    def knows(self, token: str) -> bool:
        """Whether the token's signature was found good before."""
        return self.known.get(token) is not None

    async def read(self, token: str) -> Actor:
        """Whom the token is for; raises `TokenRefused` or `AuthenticationUnavailable`."""
        now = self.clock.now()
        if not self.keys.are_fresh(now):
            await self.keys.settle(now)
        verified = self.known.get(token)
        # A key that the issuer has withdrawn vouches for nothing any more.
        if verified is None or verified.generation != self.keys.generation:
            self.known.forget(token)
            verified = await self._verified(token, now)
            self.known.put(token, verified)
        return verified.actor_at(now, self.leeway_seconds)

    async def _verified(self, token: str, now: datetime) -> Verified:
        try:
            header = jwt.get_unverified_header(token)
            kid, algorithm = self._named_in(header)
            key = await self.keys.find(kid, algorithm, now)
            if key is None:
                raise TokenRefused
            generation = self.keys.generation
            claims = self._claims(token, key)
            begins, expires = times_in(claims)
            return Verified(self.names.actor(claims), begins, expires, generation)
        except WRONG as error:
            raise TokenRefused from error

    def _named_in(self, header: dict[str, Any]) -> tuple[str, str]:
        """The key's id and the algorithm; where else keys may be, a header is not asked."""
        kind, kid, algorithm = header.get("typ"), header["kid"], header["alg"]
        if (kind.lower() if isinstance(kind, str) else kind) not in TYPES:
            raise ValueError("another kind of token")
        if "crit" in header or "b64" in header:
            raise ValueError("it asks for what is not understood")
        if algorithm not in self.algorithms:
            raise ValueError("another algorithm")
        if not isinstance(kid, str) or len(kid) > MAX_KID_LENGTH:
            raise ValueError("not the id of a key")
        return kid, algorithm

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=self.audience,
            issuer=self.issuer,
            options={
                "require": REQUIRED_CLAIMS,
                "enforce_minimum_key_length": True,
                # The library would read the machine's clock; ours is injected.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        return claims
