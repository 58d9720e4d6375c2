"""The engines: one pool for each role, each logged in as that role, over the owner's URL."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Self

import orjson
from asyncpg import PostgresError
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from models.actor import Actor, Role
from models.read_pool import ReadPool

ROLES = ("recourse_staff", "recourse_account_user", "recourse_worker")
# As SQLAlchemy writes it in the place of a password.
HIDDEN = "***"
STATEMENTS_PER_CONNECTION = 1_000
STATEMENT_TIMEOUT_SECONDS = 30
# What may stand behind the `?` of a URL, where it is: no user or password, which would take the
# place of the roles' own, and nothing that is set here.
OF_URL = frozenset(("host", "port", "ssl", "direct_tls", "krbsrvname", "gsslib"))
# Longer than any statement: what waits between two is a snapshot whose process is busy.
IDLE_IN_TRANSACTION_SECONDS = 120
# By how much the driver waits longer than PostgreSQL would let a statement run, in case it hangs.
PATIENCE_SECONDS = 5
# How long to wait for an account that others change, or for a connection.
LOCK_TIMEOUT_SECONDS = 5
# What comes of a database that is not there, or does not let in.
REFUSALS = (OSError, PostgresError, SQLAlchemyError)


class DatabaseUrlInvalid(Exception):
    """RECOURSE_DATABASE_URL is not the URL of a PostgreSQL."""


def owner_url(url: str) -> URL:
    """The URL with the driver that Recourse uses; accepts postgres://, postgresql:// and more."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise DatabaseUrlInvalid(
            "RECOURSE_DATABASE_URL is not a URL. It looks like postgresql://user:password@host/db"
        ) from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseUrlInvalid("RECOURSE_DATABASE_URL must name a PostgreSQL database.")
    # libpq's name for it, which most URLs have.
    query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    unknown = sorted(set(query) - OF_URL)
    if unknown:
        raise DatabaseUrlInvalid(
            f"RECOURSE_DATABASE_URL has an option that Recourse does not take: {unknown[0]}. "
            f"These it takes: {', '.join(sorted(OF_URL))}."
        )
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def shown_url(url: str) -> str:
    """The URL with what is secret in it hidden; all of it where it can't be read."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return HIDDEN
    query = {k: HIDDEN if "password" in k.lower() else v for k, v in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True)


def root(error: BaseException) -> BaseException:
    """What a refusal began with."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def reason(error: BaseException) -> str:
    """What a refusal says at its root, in one line: there is no statement in it."""
    error = root(error)
    return (str(error) or type(error).__name__).strip().splitlines()[0]


def role_password(owner: URL) -> str | None:
    """The password of the service's roles: a secret made of the owner's; none where it has none."""
    if owner.password is None:
        return None
    key = str(owner.password).encode()
    return hmac.new(key, b"recourse service roles", hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class _Pools:
    """What the pools of a process have in common."""

    size: int
    statement_seconds: int
    lock_seconds: int

    def engine(self, url: URL) -> AsyncEngine:
        """A pool for operations."""
        engine = create_async_engine(
            url,
            pool_size=self.size,
            pool_timeout=self.lock_seconds,
            max_overflow=0,
            json_deserializer=orjson.loads,
            connect_args=self._connect_options(),
        )
        event.listen(engine.sync_engine, "checkout", _refuse_if_closed)
        return engine

    def read_pool(self, engine: AsyncEngine) -> ReadPool:
        """A pool for reading, which logs in as the engine does."""
        _, of_url = engine.dialect.create_connect_args(engine.url)
        return ReadPool({**of_url, **self._connect_options()}, self.size, self.lock_seconds)

    def _connect_options(self) -> dict[str, Any]:
        idle_seconds = max(IDLE_IN_TRANSACTION_SECONDS, 2 * self.statement_seconds)
        return {
            "statement_cache_size": STATEMENTS_PER_CONNECTION,
            "command_timeout": self.statement_seconds + PATIENCE_SECONDS,
            "server_settings": {
                "application_name": "recourse",
                "jit": "off",
                "statement_timeout": str(self.statement_seconds * 1000),
                "lock_timeout": str(self.lock_seconds * 1000),
                "idle_in_transaction_session_timeout": str(idle_seconds * 1000),
            },
        }


def _refuse_if_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    # The driver knows when PostgreSQL has gone away, without asking; the pool then makes a new one.
    if connection.driver_connection.is_closed():
        raise DisconnectionError


@dataclass(frozen=True)
class Database:
    """The pools of one process: by role, and for each one to change and one to read.

    The worker only changes: nobody has a token of that role.
    """

    staff: AsyncEngine
    account_user: AsyncEngine
    worker: AsyncEngine
    staff_reads: ReadPool
    account_user_reads: ReadPool

    @classmethod
    def connect(
        cls,
        url: str,
        pool_size: int = 10,
        statement_timeout_seconds: int = STATEMENT_TIMEOUT_SECONDS,
        lock_timeout_seconds: int = LOCK_TIMEOUT_SECONDS,
    ) -> Self:
        """Pools for each role; nothing is opened before it is used."""
        owner = owner_url(url)
        password = role_password(owner)
        pools = _Pools(pool_size, statement_timeout_seconds, lock_timeout_seconds)
        staff, account_user, worker = (
            pools.engine(owner.set(username=role, password=password)) for role in ROLES
        )
        reads = pools.read_pool(staff), pools.read_pool(account_user)
        return cls(staff, account_user, worker, *reads)

    def engine_for(self, actor: Actor) -> AsyncEngine:
        """The pool that is logged in as the actor's role."""
        if actor.role is Role.ACCOUNT_USER:
            return self.account_user
        return self.worker if actor.role is Role.SYSTEM else self.staff

    def session_for(self, actor: Actor) -> AsyncSession:
        """A session for one operation in the actor's name."""
        return async_sessionmaker(self.engine_for(actor), expire_on_commit=False)()

    def read_pool_for(self, actor: Actor) -> ReadPool:
        """The pool to read from that is logged in as the actor's role; the worker has none."""
        if actor.role is Role.SYSTEM:
            raise ValueError("The system doesn't read in anyone's name.")
        return self.account_user_reads if actor.role is Role.ACCOUNT_USER else self.staff_reads

    async def close(self) -> None:
        """Close the connections of all pools."""
        for pool in (self.staff_reads, self.account_user_reads):
            await pool.close()
        for engine in (self.staff, self.account_user, self.worker):
            await engine.dispose()


async def set_role_passwords(owner: AsyncEngine, url: URL) -> None:
    """Give the service's roles their password; needs the owner's connection."""
    password = role_password(url)
    if password is None:
        return
    async with owner.begin() as connection:
        for role in ROLES:
            # A utility statement takes no parameters; the password is 64 hex digits of our own.
            await connection.execute(text(f"ALTER ROLE {role} PASSWORD '{password}'"))
