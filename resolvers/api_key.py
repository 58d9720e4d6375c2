"""API keys: what services show to act on the platform. For administrators only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from models.actor import Role
from models.api_key import (
    API_KEYS,
    ApiKeyAction,
    ApiKeyState,
    api_keys_by_id,
    permissions,
    prefix_of,
)
from models.permission import Permission
from models.reading import Record
from resolvers import ids
from resolvers.audiences import shows_type
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.enums import describe
from resolvers.lists import Listing
from resolvers.node import Actor, Node, actor_field, rows_of
from resolvers.permission import ActionPermission
from resolvers.selection import asked_columns, register_columns

describe(
    ApiKeyState,
    "Whether an API key is the present one of its service.",
    {
        "ACTIVE": "It is, unless it has expired.",
        "ROTATED": "Another has taken its place; it is good until it expires.",
        "REVOKED": "It is good no more.",
    },
)
describe(
    ApiKeyAction,
    "What may be done with an API key.",
    {"ROTATE": "Make another that takes its place.", "REVOKE": "End it."},
)


@strawberry.type(description="Whether an action on an API key would be taken now.")
class ApiKeyActionPermission(ActionPermission[ApiKeyAction]):
    """One action on an API key."""


def _ids(parents: Parents) -> list[str]:
    return [ids.encode(ids.API_KEY, row["platform_id"], row["id"]) for row in parents]


def _prefixes(parents: Parents) -> list[str]:
    return [prefix_of(row["platform_id"], row["id"]) for row in parents]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    return [permissions(row, info.context.actor) for row in parents]


async def _successors(parents: Parents, info: Info) -> list[Record | None]:
    wanted = {row["replaced_by"] for row in parents} - {None}
    if not wanted:
        return [None for _ in parents]
    rows = await api_keys_by_id(info.context.reader, list(wanted), asked_columns(info, "ApiKey"))
    found = dict(zip(wanted, rows, strict=True))
    return [found.get(row["replaced_by"]) for row in parents]


@strawberry.type(description="What a service shows to act on its platform; not the secret in it.")
class ApiKey(Node):
    """One key; a service has several where keys are rotated."""

    is_type_of = rows_of(API_KEYS.record, "ApiKey")

    id: strawberry.ID = batched(
        _ids, description="The global id of the API key, opaque.", needs=("platform_id", "id")
    )
    prefix: str = batched(
        _prefixes,
        description="What the key begins with: all of it but the secret.",
        needs=("platform_id", "id"),
    )
    name: str = strawberry.field(description="The name of the service, as events show it.")
    role: Role = strawberry.field(description="The role that the service has.")
    scopes: list[str] = strawberry.field(description="The scopes that the service has, sorted.")
    state: ApiKeyState = strawberry.field(
        description="Whether it is the present key of its service."
    )
    created_at: datetime = strawberry.field(description="The instant at which it was made.")
    created_by: Actor = actor_field("created_by", "Who made it.")
    expires_at: datetime | None = strawberry.field(
        description="The instant from which it is good no more; never where missing."
    )
    replaced_by: "ApiKey | None" = batched(
        _successors, description="The key that has taken its place.", needs=("replaced_by",)
    )
    revoked_at: datetime | None = strawberry.field(
        description="The instant at which it was revoked."
    )
    revoked_by: Actor | None = actor_field("revoked_by", "Who revoked it.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute; never where missing."
    )
    version: int = strawberry.field(
        description="The number of changes; `expectedVersion` takes it. Uses don't count."
    )
    updated_at: datetime = strawberry.field(description="The instant of the last change.")
    allowed_actions: list[ApiKeyActionPermission] = batched(
        _permissions,
        description="What the viewer may do with the key now, and why not otherwise.",
        needs=("state", "scopes"),
    )


register_columns(ApiKey, API_KEYS.table)


def may_see(info: Info) -> bool:
    """Whether API keys are the caller's to see; to others there are none."""
    return shows_type(info, "ApiKey")


async def api_keys_by_global_id(info: Info, texts: Sequence[str]) -> Sequence[Record | None]:
    """The keys with these global ids, in their order."""
    if not may_see(info):
        return [None for _ in texts]
    keys = [ids.key_of(text, ids.API_KEY, "id") for text in texts]
    columns = ("platform_id", *asked_columns(info, "ApiKey"))
    rows = await api_keys_by_id(info.context.reader, [own for _, own in keys], columns)
    return [
        row if row is not None and row["platform_id"] == platform_id else None
        for row, (platform_id, _) in zip(rows, keys, strict=True)
    ]


def _for_keepers(resolve: Any) -> Any:
    """The resolver, for those to whom keys are to be shown; others get null."""

    async def guarded(info: Info, **given: Any) -> Any:
        return await resolve(info, **given) if may_see(info) else None

    guarded.__signature__ = resolve.__signature__  # type: ignore[attr-defined]
    return guarded


api_keys = _for_keepers(Listing(API_KEYS, "ApiKey").at_root("apiKeys"))
