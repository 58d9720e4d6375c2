"""What `recourse doctor` looks at."""

from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import text

from app.database import REFUSALS, ROLES, reason, shown_url
from app.settings import Settings
from app.store import Store
from models.migrate import pending


@dataclass(frozen=True)
class Examined:
    """One thing looked at."""

    well: bool
    what: str


def shown(settings: Settings, name: str) -> str:
    """The value of a setting for everyone to read: places whole, secrets hidden."""
    value = getattr(settings, name)
    if name == "data_dir":
        return str(settings.data_dir.absolute())
    if name == "database_url" and isinstance(value, SecretStr):
        return shown_url(value.get_secret_value())
    if isinstance(value, tuple):
        return ", ".join(value) or "None"
    return str(value)


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
