"""The viewer: who is asking, and what they may do."""

from typing import Any

import strawberry

from models.account import ACCOUNTS
from models.actor import ActorKind, Role
from models.authorisation import MUTATIONS, refusal
from models.ids import hex_id
from models.lookup import accounts_by_id
from models.reading import Record
from resolvers.account import Account
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.selection import asked_columns


async def _accounts(parents: Parents, info: Info) -> list[Record | None]:
    account_id = info.context.actor.account_id
    if account_id is None:
        return [None for _ in parents]
    columns, keys = asked_columns(info, "Account"), [hex_id(account_id)]
    [row] = await accounts_by_id(info.context.reader, ACCOUNTS.table, keys, columns)
    return [row for _ in parents]


@strawberry.type(description="Who is asking.")
class Viewer:
    """The caller, as the token has it."""

    id: str = strawberry.field(description="The id of the caller, as events show it.")
    kind: ActorKind = strawberry.field(description="The kind of the caller, as events show it.")
    role: Role = strawberry.field(description="The role of the caller.")
    display_name: str | None = strawberry.field(description="The name of the caller, if known.")
    scopes: list[str] = strawberry.field(description="The scopes of the caller, sorted.")
    platform_id: str = strawberry.field(description="The id of the caller's platform, a UUID.")
    account: Account | None = batched(
        _accounts, description="The account of the caller, for account users."
    )
    allowed_mutations: list[str] = strawberry.field(
        description="The mutations that the role and scopes of the caller allow, sorted."
    )


def viewer(info: Info) -> Any:
    """Who is asking."""
    actor = info.context.actor
    return Viewer(
        id=actor.id,
        kind=actor.kind,
        role=actor.role,
        display_name=actor.name,
        scopes=sorted(actor.scopes),
        platform_id=str(actor.platform_id),
        allowed_mutations=sorted(name for name in MUTATIONS if refusal(actor, name) is None),
    )
