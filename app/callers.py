"""Who a command acts for: a role on a platform and, for account users, on an account there."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.tokens import account_named
from models.actor import Actor, Role
from models.aggregate import Account
from models.authorisation import DEFAULT_SCOPES, development_subject
from models.ids import platform_id_for
from models.platform import Platform


class CallerUnknown(Exception):
    """The platform or the account is not there."""


def caller(role: Role, platform: str, account: str | None) -> Actor:
    """Who a development token of `recourse token` stands for. Raises `InvalidId`."""
    return Actor(
        role=role,
        id=development_subject(role),
        platform_id=platform_id_for(platform),
        account_id=None if account is None else account_named(platform, account),
        scopes=frozenset(map(str, DEFAULT_SCOPES.get(role, ()))),
    )


async def check_platform(connection: AsyncConnection, actor: Actor) -> None:
    """Raise `CallerUnknown` where the caller's platform is not there."""
    if not await has_platform(connection, actor):
        raise CallerUnknown("There is no such platform.")


async def check_account(connection: AsyncConnection, actor: Actor) -> None:
    """Raise `CallerUnknown` where an account user's account is not there."""
    if actor.account_id is None:
        return
    account = select(Account.account_id).where(
        Account.account_id == actor.account_id, Account.platform_id == actor.platform_id
    )
    if await connection.scalar(account) is None:
        raise CallerUnknown("There is no such account on the platform.")


async def has_platform(connection: AsyncConnection, actor: Actor) -> bool:
    """Whether the caller's platform is there."""
    platform = select(Platform.id).where(Platform.id == actor.platform_id)
    return await connection.scalar(platform) is not None
