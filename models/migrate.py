"""Bringing a database to the present schema."""

from collections.abc import Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

# One migration at a time per database; the number is arbitrary and only Recourse's.
LOCK_KEY = 7_305_223_101
# Who waits for a table's lock holds up all that come after: better to fail, and try again.
PATIENCE = "SET LOCAL lock_timeout = '5s'"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, all of it: where the migrations are and which connection to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


async def upgrade(engine: AsyncEngine, target: str = "head") -> list[str]:
    """Run the migrations that are missing, as one transaction, as the owner's role.

    Returns the revisions that were run, in their order.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        await connection.execute(text(PATIENCE))
        missing = await connection.run_sync(_missing, target)
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), target))
    return missing


async def pending(engine: AsyncEngine) -> list[str]:
    """The revisions that are still to run, the next one first."""
    async with engine.connect() as connection:
        return await connection.run_sync(_missing)


def _missing(connection: Connection, target: str = "head") -> list[str]:
    current = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(alembic_config())
    missing: Iterable[str] = (
        script.revision for script in scripts.iterate_revisions(target, current or "base")
    )
    return list(missing)[::-1]
