"""The Node interface, and actors."""

import uuid
from collections.abc import Callable
from typing import Any

import strawberry

from models.actor import ActorKind
from models.reading import Record
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.context import Info


def _ids(parents: Parents) -> list[str]:
    raise NotImplementedError("each type says how its ids are made")


@strawberry.interface(description="An object with an id that stays the same.")
class Node:
    """Relay's node."""

    id: strawberry.ID = batched(_ids, description="The id of the object, opaque.")


def node_id(prefix: str, noun: str) -> Any:
    """The id field of a type whose rows are an account's."""

    def resolve(parents: Parents) -> list[str]:
        return ids.encode_rows(prefix, parents)

    return batched(
        resolve, description=f"The global id of the {noun}, opaque.", needs=("account_id", "id")
    )


class Reference:
    """An object of which nothing but its type and key is asked."""

    __slots__ = ("account_id", "id", "type_name")

    def __init__(self, type_name: str, account_id: uuid.UUID, own_id: uuid.UUID) -> None:
        self.type_name = type_name
        self.account_id = account_id
        self.id = own_id

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def rows_of(record: type[Record], type_name: str) -> Callable[[Any, Any], bool]:
    """The check that an object is a row of a type's table, for interfaces and unions."""

    def is_type_of(value: Any, _info: Any) -> bool:
        if isinstance(value, Reference):
            return value.type_name == type_name
        return isinstance(value, record)

    return is_type_of


@strawberry.type(description="Someone who acted, as they were known then.")
class Actor:
    """A person or a program."""

    kind: ActorKind = strawberry.field(description="The kind of the actor.")
    id: str = strawberry.field(
        description=(
            "The id of the actor, as its token had it; account users see of staff just the kind."
        )
    )
    display_name: str | None = strawberry.field(description="The name of the actor, if known.")


def shown_actor(info: Info, kind: str | None, own: str | None, name: str | None) -> Actor | None:
    """The actor as the viewer may know them: account users don't learn who of the staff it was."""
    if kind is None or own is None:
        return None
    if info.context.actor.is_staff or kind == ActorKind.ACCOUNT_USER:
        return Actor(kind=ActorKind(kind), id=own, display_name=name)
    return Actor(kind=ActorKind(kind), id=kind.lower(), display_name=None)


def actor_field(prefix: str, description: str) -> Any:
    """A field that shows who it was, of the columns `<prefix>_kind`, `_id` and `_name`."""
    kind, own, name = f"{prefix}_kind", f"{prefix}_id", f"{prefix}_name"

    def resolve(parents: Parents, info: Info) -> list[Actor | None]:
        return [shown_actor(info, row[kind], row[own], row[name]) for row in parents]

    return batched(resolve, description=description, needs=(kind, own, name))
