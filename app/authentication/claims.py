"""Claims of an issuer's access tokens: whom they make of a caller.

Which claims hold role, platform, account and scopes, the settings say. A token can only speak for
the platforms that the issuer is let speak for.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.tokens import MAX_SUBJECT_LENGTH
from models.account import MAX_EXTERNAL_ID_LENGTH
from models.actor import Actor, Role, Scope
from models.api_key import SERVICE
from models.authorisation import CALLERS
from models.errors import InvalidInput
from models.ids import account_id_for, platform_id_for
from models.text import check_line, check_own_name, check_text
from resolvers.ids import ACCOUNT, decode_account

# Only tokens about who has logged in, and messages of logging out, have these.
OF_OTHER_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash", "events")
# As some issuers say it in claims of their own (Keycloak, Cognito).
KINDS = {"typ": ("bearer", "at+jwt"), "token_use": ("access",)}
_SCOPES = frozenset(map(str, Scope))
_GLOBAL_ID = re.compile(f"{ACCOUNT}_[0-9a-f]{{32}}")


@dataclass(frozen=True)
class ClaimNames:
    """Which claims hold what, and what the issuer may say in them.

    `platforms` maps the slugs of those that it may speak for to their ids. `clients` are those
    whose tokens are taken, all if it is empty.
    """

    role: str
    platform: str
    account: str
    scope: str
    platforms: Mapping[str, uuid.UUID]
    clients: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        role: str,
        platform: str,
        account: str,
        scope: str,
        slugs: tuple[str, ...],
        clients: tuple[str, ...],
    ) -> "ClaimNames":
        """The same, of the platforms' slugs."""
        platforms = {slug: platform_id_for(slug) for slug in slugs}
        return cls(role, platform, account, scope, platforms, frozenset(clients))

    def actor(self, claims: Mapping[str, Any]) -> Actor:
        """Whom the claims make of the caller; raises ValueError, TypeError or `InvalidInput`."""
        check_is_access_token(claims)
        self._check_client(claims)
        role, account = self._role(claims), claims.get(self.account)
        if (role is Role.ACCOUNT_USER) != (account is not None):
            raise ValueError("an account goes with account users, and only with them")
        platform_id = self._platform(claims)
        return Actor(
            role=role,
            id=_subject(claims),
            platform_id=platform_id,
            account_id=None if account is None else _account(platform_id, account),
            name=_name(claims),
            scopes=_scopes(claims.get(self.scope)),
        )

    def _check_client(self, claims: Mapping[str, Any]) -> None:
        client = claims.get("azp", claims.get("client_id"))
        if self.clients and client not in self.clients:
            raise ValueError("another client's")

    def _role(self, claims: Mapping[str, Any]) -> Role:
        """The one role of ours that the claim names, alone or among others of the issuer's."""
        given = claims[self.role]
        named = {_text(one).upper() for one in (given if isinstance(given, list) else [given])}
        [role] = [role for role in CALLERS if role in named]
        return role

    def _platform(self, claims: Mapping[str, Any]) -> uuid.UUID:
        """The platform that the claim names; the only one, where there is no such claim."""
        given = claims.get(self.platform)
        if given is None:
            [only] = self.platforms.values()
            return only
        return self.platforms[_text(given)]


def check_is_access_token(claims: Mapping[str, Any]) -> None:
    """Raise ValueError where the claims are those of an ID token or another kind."""
    if any(name in claims for name in OF_OTHER_TOKENS):
        raise ValueError("not an access token")
    for name, kinds in KINDS.items():
        if name in claims and _text(claims[name]).lower() not in kinds:
            raise ValueError("not an access token")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = check_own_name(_text(claims["sub"]), MAX_SUBJECT_LENGTH, "sub")
    if subject.startswith(SERVICE):
        raise ValueError("the name of a service that has an API key")
    return subject


def _name(claims: Mapping[str, Any]) -> str | None:
    """The name to show, if there is one that can be shown: nothing depends on it."""
    given = claims.get("name")
    try:
        return check_line(given, MAX_SUBJECT_LENGTH, "name") if isinstance(given, str) else None
    except InvalidInput:
        return None


def _account(platform_id: uuid.UUID, given: Any) -> uuid.UUID:
    """The account: by what has the form of a global id, else by the platform's own id."""
    text = _text(given)
    if _GLOBAL_ID.fullmatch(text):
        return decode_account(text, "account")
    return account_id_for(platform_id, check_text(text, MAX_EXTERNAL_ID_LENGTH, "account"))


def _scopes(given: Any) -> frozenset[str]:
    """Those of our scopes that the claim names: in one text, between spaces, or in a list."""
    if given is None:
        return frozenset()
    named = given if isinstance(given, list) else _text(given).split()
    return _SCOPES & {_text(one) for one in named}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
