"""The store of one process: the embedded PostgreSQL or the one that the settings name, migrated."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from asyncpg import InsufficientPrivilegeError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.database import REFUSALS, Database, owner_url, reason, root, set_role_passwords
from app.embedded import EmbeddedPostgres, has_cluster
from app.settings import Settings
from models.migrate import pending, upgrade

MIN_SERVER_VERSION = 160_000
T = TypeVar("T")


class StoreUnusable(Exception):
    """The database can't serve Recourse; the message says what to do."""


class StoreMissing(StoreUnusable):
    """There is no store in the data directory."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"There is no store in {data_dir.absolute()}. Say where it is with RECOURSE_DATA_DIR"
            " or RECOURSE_DATABASE_URL, or make one there: recourse serve."
        )


@dataclass(frozen=True)
class Store:
    """Where the data is: the owner's URL, for migrations, and the pools of the service's roles."""

    url: str
    database: Database

    def owner(self) -> AsyncEngine:
        """An engine as the owner, who migrates; to be disposed of by the caller."""
        return create_async_engine(owner_url(self.url))

    async def migrate(self) -> list[str]:
        """Bring the schema and the roles up to date; returns the migrations that were missing.

        Raises `StoreUnusable`.
        """
        owner = self.owner()
        try:
            await _check_version(owner)
            missing = await upgrade(owner)
            await set_role_passwords(owner, owner_url(self.url))
            return missing
        except REFUSALS as error:
            cure = await _cure(owner, error)
            raise StoreUnusable(f"The database can't be used: {reason(error)}{cure}") from error
        finally:
            await owner.dispose()

    async def check_migrated(self) -> None:
        """Raise `StoreUnusable` where migrations are missing; run none of them."""
        owner = self.owner()
        try:
            missing = await pending(owner)
        except REFUSALS as error:
            raise StoreUnusable(f"The database can't be used: {reason(error)}") from error
        finally:
            await owner.dispose()
        if missing:
            raise StoreUnusable(f"Migrations to run: {', '.join(missing)} (recourse migrate).")


@asynccontextmanager
async def open_store(settings: Settings, make: bool = False) -> AsyncIterator[Store]:
    """The store of these settings, while it is needed; starts what has to be started.

    Raises `StoreMissing` where none lies in the data directory, unless it is to `make` one.
    """
    if settings.database_url is not None:
        async with _pools(settings.database_url.get_secret_value(), settings) as store:
            yield store
        return
    if not make and not has_cluster(settings.data_dir):
        raise StoreMissing(settings.data_dir)
    embedded = EmbeddedPostgres(settings.data_dir)
    try:
        url = await _to_its_end(embedded.start)
        async with _pools(url, settings) as store:
            yield store
    finally:
        await _to_its_end(embedded.stop)


async def _to_its_end(work: Callable[[], T]) -> T:
    """Run `work` in a thread and wait for it, even where the task is cancelled meanwhile.

    The thread would go on by itself, and start what nobody stops.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


@asynccontextmanager
async def _pools(url: str, settings: Settings) -> AsyncIterator[Store]:
    database = Database.connect(
        url,
        settings.pool_size,
        settings.statement_timeout_seconds,
        settings.lock_timeout_seconds,
    )
    try:
        yield Store(url, database)
    finally:
        await database.close()


async def _check_version(owner: AsyncEngine) -> None:
    async with owner.connect() as connection:
        number = await connection.scalar(text("SHOW server_version_num"))
    if int(number or 0) < MIN_SERVER_VERSION:
        raise StoreUnusable("Recourse needs PostgreSQL 16 or newer.")


async def _cure(owner: AsyncEngine, error: BaseException) -> str:
    """What helps an owner who may not make roles; nothing where that is not what is missing."""
    if not isinstance(root(error), InsufficientPrivilegeError):
        return ""
    rights = text(
        "SELECT quote_ident(rolname) AS name, rolcreaterole OR rolsuper AS may_make_roles "
        "FROM pg_roles WHERE rolname = current_user"
    )
    async with owner.connect() as connection:
        row = (await connection.execute(rights)).one()
    mend = f". A superuser can mend it: ALTER ROLE {row.name} CREATEROLE"
    return "" if row.may_make_roles else mend
