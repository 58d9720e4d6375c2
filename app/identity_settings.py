"""The settings of who may call: an identity provider, API keys, development tokens."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from app.authentication.issuer_keys import ALGORITHMS, is_safe_url
from models.errors import InvalidInput
from models.platform import MAX_SLUG_LENGTH
from models.text import check_line

MAX_NAMES = 100
MAX_NAME_LENGTH = 200
OF_ISSUERS = ("oidc_issuer", "oidc_audience", "oidc_platforms")


class IdentitySettings(BaseSettings):
    """Part of all settings."""

    development_tokens: bool | None = Field(
        default=None,
        description="Whether tokens of `recourse token` are taken. By default only with the "
        "embedded PostgreSQL; in a database of one's own only if this says `true`, for trying out.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="The OpenID Connect issuer whose access tokens are taken, as its tokens name "
        "it: an https URL.",
    )
    oidc_audience: str | None = Field(
        default=None, description="The audience that its access tokens must name: this API."
    )
    oidc_platforms: str | None = Field(
        default=None,
        description="The slugs of the platforms that it may speak for, with commas between them.",
    )
    oidc_clients: str = Field(
        default="",
        description="The clients whose tokens are taken (`azp` or `client_id`), with commas "
        "between them; any if empty.",
    )
    oidc_algorithms: str = Field(
        default="RS256,PS256,ES256,EdDSA",
        description="The signature algorithms that are taken, with commas between them.",
    )
    oidc_leeway_seconds: int = Field(
        default=10, ge=0, le=300, description="By how much the issuer's clock may differ."
    )
    oidc_role_claim: str = Field(
        default="role",
        description="The claim that holds the role: `account_user`, `reviewer` and so on, alone or "
        "in a list.",
    )
    oidc_platform_claim: str = Field(
        default="platform",
        description="The claim that holds the platform's slug; it may be missing where the issuer "
        "speaks for one platform only.",
    )
    oidc_account_claim: str = Field(
        default="account",
        description="The claim that holds an account user's account: its global id, or the "
        "platform's own.",
    )
    oidc_scope_claim: str = Field(
        default="scope", description="The claim that holds the scopes: one text, or a list."
    )
    max_refusals_per_minute: int = Field(
        default=100,
        ge=1,
        le=1_000_000,
        description="How many tokens of one address may be refused in a minute before further ones "
        "have to wait.",
    )

    def names_in(self, setting: str) -> tuple[str, ...]:
        """The names that a setting lists."""
        given = getattr(self, setting) or ""
        return tuple(dict.fromkeys(filter(None, (name.strip() for name in given.split(",")))))

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if not is_safe_url(value) or parts.query or parts.fragment or value != value.strip():
                raise ValueError("an https URL without a query, as the issuer's tokens name it")
        return value

    @field_validator("oidc_audience")
    @classmethod
    def _is_audience(cls, value: str | None) -> str | None:
        return None if value is None else _one_name(value)

    @field_validator(
        "oidc_role_claim", "oidc_platform_claim", "oidc_account_claim", "oidc_scope_claim"
    )
    @classmethod
    def _is_claim(cls, value: str) -> str:
        return _one_name(value)

    @field_validator("oidc_algorithms")
    @classmethod
    def _are_algorithms(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")]
        if not all(name in ALGORITHMS for name in names):
            # With a shared secret, or none, anyone who checks tokens could make them.
            raise ValueError(f"some of {', '.join(ALGORITHMS)}, with commas between them")
        return value

    @field_validator("oidc_platforms")
    @classmethod
    def _are_platforms(cls, value: str | None) -> str | None:
        if value is not None:
            names = [name.strip() for name in value.split(",")]
            fits = all(0 < len(name) <= MAX_SLUG_LENGTH for name in names)
            if not fits or len(names) > MAX_NAMES:
                raise ValueError(f"slugs with commas between them, at most {MAX_NAMES}")
        return value

    @model_validator(mode="after")
    def _has_all_of_an_issuer(self) -> Self:
        given = [getattr(self, name) is not None for name in OF_ISSUERS]
        if any(given) and not all(given):
            names = ", ".join(f"RECOURSE_{name.upper()}" for name in OF_ISSUERS)
            raise ValueError(f"{names}: all are set, or none is")
        return self


def _one_name(value: str) -> str:
    try:
        return check_line(value, MAX_NAME_LENGTH)
    except InvalidInput as error:
        raise ValueError(error.message) from error
