"""The commands of API keys: for the first one of a platform, and for whoever runs the store."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import select

from app.flags import Commands
from app.on_store import Need, with_store
from app.options import PlatformOption
from app.settings import Settings
from app.store import Store
from models.actor import Role, system
from models.api_key import (
    KEY_ROLES,
    ApiKey,
    CreateApiKey,
    RevokeApiKey,
    create,
    ids_in_prefix,
    prefix_of,
    revoke,
)
from models.clock import SystemClock
from models.durations import after, check_duration
from models.ids import hex_id, platform_id_for
from models.platform import ensure_platform

api_key = Commands(help="Keep the API keys of services.", no_args_is_help=True)
console = Console(stderr=True)


@api_key.command("create")
def create_command(
    platform: PlatformOption,
    name: Annotated[str, typer.Option(help="The name of the service.")],
    role: Annotated[
        str, typer.Option(help=f"The role: {', '.join(map(str.lower, KEY_ROLES))}.")
    ] = Role.INTEGRATOR.lower(),
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope; may be given several times.")
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option(help="How long it is good, such as P90D; for good if left out.")
    ] = None,
) -> None:
    """Make an API key and print it, once; makes the platform if it is not there."""

    async def work(store: Store, _: Settings) -> str:
        clock = SystemClock()
        actor = system(platform_id_for(platform))
        expires_at = None
        if expires_in is not None:
            expires_at = after(clock.now(), check_duration(expires_in, "expires-in"))
        command = CreateApiKey(
            name=name, role=role.upper(), scopes=tuple(scope or ()), expires_at=expires_at
        )
        async with store.database.session_for(actor) as session:
            await ensure_platform(session, clock, platform)
            issued = (await create(session, actor, clock, command)).value
        assert issued.secret is not None
        return issued.secret

    print(with_store(work, Need.MIGRATED))
    console.print("This is shown once: the store has only a hash of it.")


@api_key.command("list")
def list_command(platform: PlatformOption) -> None:
    """Show the API keys of a platform, without their secrets."""

    async def work(store: Store, _: Settings) -> list[ApiKey]:
        query = select(ApiKey).where(ApiKey.platform_id == platform_id_for(platform))
        async with store.database.session_for(system(platform_id_for(platform))) as session:
            return list(await session.scalars(query.order_by(ApiKey.id)))

    for key in with_store(work, Need.MIGRATED):
        prefix = prefix_of(hex_id(key.platform_id), hex_id(key.id))
        expires = f"expires {_shown(key.expires_at)}, " if key.expires_at is not None else ""
        used = f"used {_shown(key.last_used_at)}" if key.last_used_at is not None else "never used"
        print(f"{prefix} {key.state} {key.role} {expires}{used}: {key.name}")


@api_key.command("revoke")
def revoke_command(
    prefix: Annotated[str, typer.Argument(help="What the key begins with, as `list` shows it.")],
) -> None:
    """End an API key: within 5 seconds no server takes it any more."""
    ids = ids_in_prefix(prefix)
    if ids is None:
        raise typer.BadParameter("it looks like rk_..._..., without the secret, as `list` shows it")
    platform_id, own = ids

    async def work(store: Store, _: Settings) -> None:
        actor = system(platform_id)
        async with store.database.session_for(actor) as session:
            await revoke(session, actor, SystemClock(), RevokeApiKey(own))

    with_store(work, Need.MIGRATED)
    console.print("It is revoked.")


def _shown(instant: datetime) -> str:
    return instant.isoformat(timespec="minutes").replace("+00:00", "Z")
