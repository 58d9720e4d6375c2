"""What `recourse doctor` looks at."""

from dataclasses import dataclass

from sqlalchemy import text

from app.database import REFUSALS, ROLES, reason
from app.store import Store
from models.migrate import pending


@dataclass(frozen=True)
class Examined:
    """One thing looked at."""

    well: bool
    what: str


async def examine(store: Store) -> list[Examined]:
    """The database's version, its migrations, and whether the service's roles can log in."""
    owner = store.owner()
    try:
        async with owner.connect() as connection:
            version = await connection.scalar(text("SHOW server_version"))
        missing = await pending(owner)
    except REFUSALS as error:
        return [Examined(False, f"the database can't be used: {reason(error)}")]
    finally:
        await owner.dispose()
    found = [Examined(True, f"PostgreSQL {version} answers")]
    if missing:
        found.append(Examined(False, f"migrations to run: {', '.join(missing)} (recourse migrate)"))
        return found
    found.append(Examined(True, "all migrations have run"))
    return [*found, *[await _role(store, role) for role in ROLES]]


async def _role(store: Store, role: str) -> Examined:
    engine = getattr(store.database, role.removeprefix("recourse_"))
    try:
        async with engine.connect() as connection:
            name = await connection.scalar(text("SELECT current_user"))
        return Examined(name == role, f"the role {role} logs in")
    except Exception as error:
        return Examined(False, f"the role {role} can't log in: {type(error).__name__}")
