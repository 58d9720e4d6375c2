"""Settings: environment variables with the prefix RECOURSE_, and where each value came from."""

import os
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "RECOURSE_"
MIN_SECRET_LENGTH = 32


class ExecutorName(StrEnum):
    """What runs operations."""

    BREADTH_FIRST = "breadth-first"
    GRAPHQL_CORE = "graphql-core"


class Settings(BaseSettings):
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
        default=10, ge=1, le=500, description="Connections to PostgreSQL, for each role."
    )
    max_page_size: int = Field(
        default=100, ge=1, le=10_000, description="The most that `first` and `last` may ask for."
    )
    max_nodes: int = Field(
        default=20_000, ge=100, description="The most objects that one request may read."
    )
    lock_timeout_seconds: int = Field(
        default=5, ge=1, description="How long a mutation waits for its account's lock."
    )
    max_request_bytes: int = Field(
        default=1_000_000, ge=1_000, description="The largest request body."
    )
    max_document_tokens: int = Field(
        default=5_000, ge=100, description="The longest GraphQL document, in tokens."
    )
    document_cache_size: int = Field(
        default=1_000, ge=0, description="How many parsed and validated documents are kept."
    )
    executor: ExecutorName = Field(
        default=ExecutorName.BREADTH_FIRST,
        description="What runs operations: `breadth-first`, or graphql-core's own executor, "
        "`graphql-core`, which gives the same answers and takes longer.",
    )
    shutdown_timeout_seconds: int = Field(
        default=30, ge=0, description="How long running requests may take after a SIGTERM."
    )
    statement_timeout_seconds: int = Field(
        default=30, ge=1, description="How long one SQL statement may take."
    )
    clock_interval_seconds: float = Field(
        default=1.0, gt=0, le=3600, description="How often the clock loop looks for what is due."
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
        default=200, ge=0, description="How many accounts `serve` makes in an empty store."
    )

    @field_validator("token_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(f"at least {MIN_SECRET_LENGTH} characters")
        return value


def source_of(name: str) -> str:
    """Where the value of a setting came from: its environment variable, or the default."""
    variable = f"{PREFIX}{name.upper()}"
    known = {key.upper() for key in os.environ}
    return "environment" if variable in known else "default"
