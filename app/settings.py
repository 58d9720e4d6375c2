"""Settings: environment variables with the prefix RECOURSE_, and where each value came from."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from app.identity_settings import IdentitySettings
from app.wording import plainly
from models.text import is_address

PREFIX = "RECOURSE_"
MIN_SECRET_LENGTH = 32
DEMO_ACCOUNTS = 200
MAX_DEMO_ACCOUNTS = 1_000_000
MAX_COUNT = 1_000_000_000
DAY_SECONDS = 86_400
ANY_ORIGIN = "*"
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
# What is convenient where everything is local, and left alone elsewhere unless set.
FOR_DATABASES_OF_ONES_OWN = {"demo_accounts": 0, "graphiql": False, "field_suggestions": False}


class SettingsWrong(Exception):
    """The environment says what can't be; `problems` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ExecutorName(StrEnum):
    """What runs operations."""

    BREADTH_FIRST = "breadth-first"
    GRAPHQL_CORE = "graphql-core"


class SmtpSecurity(StrEnum):
    """How the way to the mail server is kept private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(IdentitySettings):
    """All settings, each with its default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL to use, as its owner: postgresql://user:password@host/database. "
        "Without it, Recourse runs its own in the data directory.",
    )
    data_dir: Path = Field(
        default=Path(".recourse"),
        description="Where the embedded PostgreSQL and the development secret live.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port; 0 takes a free one.")
    pool_size: int = Field(
        default=10,
        ge=1,
        le=500,
        description="Connections to PostgreSQL, for each role to read and as many to change.",
    )
    max_page_size: int = Field(
        default=100, ge=1, le=10_000, description="The most that `first` and `last` may ask for."
    )
    max_nodes: int = Field(
        default=20_000,
        ge=100,
        le=MAX_COUNT,
        description="The most objects that one request may read.",
    )
    lock_timeout_seconds: int = Field(
        default=5,
        ge=1,
        le=DAY_SECONDS,
        description="How long a mutation waits for its account's lock.",
    )
    max_request_bytes: int = Field(
        default=1_000_000, ge=1_000, le=MAX_COUNT, description="The largest request body."
    )
    max_document_tokens: int = Field(
        default=5_000,
        ge=100,
        le=MAX_COUNT,
        description="The longest GraphQL document, in tokens.",
    )
    document_cache_size: int = Field(
        default=1_000,
        ge=0,
        le=MAX_COUNT,
        description="How many parsed and validated documents are kept.",
    )
    persisted_query_bytes: int = Field(
        default=10_000_000,
        ge=0,
        le=MAX_COUNT,
        description="How much memory automatic persisted queries may take; 0 switches them off.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="The manifest of the documents that clients name by their ids, as Apollo's or "
        "Relay's tools write it.",
    )
    only_trusted_documents: bool = Field(
        default=False, description="Whether other documents than these are refused."
    )
    body_timeout_seconds: float = Field(
        default=30, gt=0, le=3600, description="How long the body of a request may take to come."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="The origins whose pages may ask from a browser, with commas in between; `*` "
        "for all.",
    )
    cors_credentials: bool = Field(
        default=False,
        description="Whether these pages may send cookies along, for a proxy in front of Recourse.",
    )
    graphiql: bool = Field(
        default=True,
        description="Whether browsers get GraphiQL on /graphql; off with a database of one's own, "
        "unless set.",
    )
    field_suggestions: bool = Field(
        default=True,
        description="Whether errors suggest names of the schema; off with a database of one's "
        "own, unless set.",
    )
    executor: ExecutorName = Field(
        default=ExecutorName.BREADTH_FIRST,
        description="What runs operations: `breadth-first`, or graphql-core's own executor, "
        "`graphql-core`, which gives the same data and takes longer.",
    )
    shutdown_timeout_seconds: int = Field(
        default=30,
        ge=0,
        le=DAY_SECONDS,
        description="How long running requests may take after a SIGTERM.",
    )
    statement_timeout_seconds: int = Field(
        default=30, ge=1, le=DAY_SECONDS, description="How long one SQL statement may take."
    )
    clock_interval_seconds: float = Field(
        default=1.0, gt=0, le=3600, description="How often the loops look for what is due."
    )
    smtp_host: str | None = Field(
        default=None,
        min_length=1,
        description="The mail server that e-mails are given to. Without it they are shown in the "
        "dashboard only.",
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="The mail server's port.")
    smtp_security: SmtpSecurity = Field(
        default=SmtpSecurity.STARTTLS,
        description="How the way there is kept private: `starttls`, `tls`, or `none`.",
    )
    smtp_user: str | None = Field(default=None, description="Who logs in to the mail server.")
    smtp_password: SecretStr | None = Field(
        default=None, description="The password of who logs in to the mail server."
    )
    smtp_from: str | None = Field(
        default=None,
        description="The address that e-mails come from. A mail server needs it set.",
    )
    smtp_timeout_seconds: int = Field(
        default=10, ge=1, le=60, description="How long the mail server is waited for, each time."
    )
    token_secret: SecretStr | None = Field(
        default=None,
        description="What signs development tokens, at least 32 characters. Without it, a secret "
        "is made in the data directory.",
    )
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="The least severe log lines that are written.",
    )
    demo_accounts: int = Field(
        default=DEMO_ACCOUNTS,
        ge=0,
        le=MAX_DEMO_ACCOUNTS,
        description="How many accounts `serve` makes in an empty store; none in a database of "
        "one's own, unless asked to.",
    )

    @property
    def takes_development_tokens(self) -> bool:
        """Whether what this installation signs itself is taken."""
        if self.development_tokens is None:
            return self.database_url is None
        return self.development_tokens

    @field_validator("smtp_from")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not is_address(value):
            raise ValueError("one e-mail address, such as risk@example.com")
        return value

    @model_validator(mode="after")
    def _has_all_of_smtp(self) -> Self:
        if (self.smtp_host is None) != (self.smtp_from is None):
            raise ValueError(
                f"{PREFIX}SMTP_HOST and {PREFIX}SMTP_FROM: both are set, or neither is"
            )
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError(
                f"{PREFIX}SMTP_USER and {PREFIX}SMTP_PASSWORD: both are set, or neither is"
            )
        return self

    @field_validator("token_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(f"at least {MIN_SECRET_LENGTH} characters")
        return value

    @model_validator(mode="after")
    def _leave_databases_of_others_alone(self) -> Self:
        if self.database_url is not None:
            for name, value in FOR_DATABASES_OF_ONES_OWN.items():
                if name not in self.model_fields_set:
                    setattr(self, name, value)
        return self

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(filter(None, map(str.strip, value.split(","))))
            if isinstance(value, str)
            else value
        )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each == ANY_ORIGIN or ORIGIN.fullmatch(each) for each in value):
            raise ValueError("origins, such as https://dashboard.example or http://localhost:3000")
        return value

    @field_validator("cors_credentials")
    @classmethod
    def _names_who_sends_cookies(cls, value: bool, info: ValidationInfo) -> bool:
        if value and ANY_ORIGIN in info.data.get("cors_origins", ()):
            raise ValueError(f"name the origins in {PREFIX}CORS_ORIGINS instead of *")
        return value

    @field_validator("only_trusted_documents")
    @classmethod
    def _trusts_something(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("trusted_documents") is None:
            raise ValueError(f"name the manifest in {PREFIX}TRUSTED_DOCUMENTS")
        return value


def read_settings(**given: Any) -> Settings:
    """The settings of the environment, with those given before it. Raises `SettingsWrong`."""
    settings, problems = look_at_settings(**given)
    if problems:
        raise SettingsWrong(problems)
    return settings


def look_at_settings(**given: Any) -> tuple[Settings, list[str]]:
    """The settings, with the default for each that is wrong; and all that is wrong, by name."""
    unknown = unknown_variables(os.environ)
    try:
        return Settings(**given), unknown
    except ValidationError as error:
        wrong = [(problem["loc"], plainly(problem)) for problem in error.errors()]
    names = [name for where, message in wrong for name in _settings_in(where, message)]
    defaults = {name: Settings.model_fields[name].default for name in names}
    problems = [f"{variable(str(at[0]))}: {message}" if at else message for at, message in wrong]
    return Settings(**{**given, **defaults}), problems + unknown


def _settings_in(where: tuple[int | str, ...], message: str) -> list[str]:
    """The settings that a problem is about: the one it has, or those that its message names."""
    if where:
        return [str(where[0])]
    named = re.findall(rf"{PREFIX}(\w+)", message)
    return [name.lower() for name in named if name.lower() in Settings.model_fields]


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A line for each variable with our prefix that is no setting, such as a misspelt one."""
    known = [variable(name) for name in Settings.model_fields]
    strangers = sorted(key for key in environment if key.upper().startswith(PREFIX))
    return [_unknown(key) for key in strangers if key.upper() not in known]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def source_of(name: str) -> str:
    """Where the value of a setting came from: its environment variable, or the default."""
    known = {key.upper() for key in os.environ}
    return "environment" if variable(name) in known else "default"


def _unknown(key: str) -> str:
    near = get_close_matches(key[len(PREFIX) :].lower(), Settings.model_fields, n=1)
    hint = f" Did you mean {variable(near[0])}?" if near else ""
    return f"{key}: There is no such setting.{hint}"
