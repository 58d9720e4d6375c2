"""The Node interface, and actors."""

import uuid
from collections.abc import Callable
from typing import Any

import strawberry

from models.actor import ActorKind
from models.errors import ErrorCode
from models.reading import Record
from resolvers import ids
from resolvers.batching import Parents, batched


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
    id: str = strawberry.field(description="The id of the actor, as its token had it.")
    display_name: str | None = strawberry.field(description="The name of the actor, if known.")


def actor_field(prefix: str, description: str) -> Any:
    """A field that shows who it was, of the columns `<prefix>_kind`, `_id` and `_name`."""
    kind, own, name = f"{prefix}_kind", f"{prefix}_id", f"{prefix}_name"

    def resolve(parents: Parents) -> list[Actor | None]:
        return [
            None if row[own] is None else Actor(kind=row[kind], id=row[own], display_name=row[name])
            for row in parents
        ]

    return batched(resolve, description=description, needs=(kind, own, name))


def column(description: str, *needs: str, name: str | None = None) -> Any:
    """A field that is a column of the row: the one of its own name, or the one in `needs`."""
    if not needs:
        return strawberry.field(description=description, name=name)
    source = needs[0]

    def resolve(parents: Parents) -> list[Any]:
        return [row[source] for row in parents]

    return batched(resolve, description=description, needs=needs)


@strawberry.type(description="Why an action would be refused.")
class Refusal:
    """One reason."""

    code: ErrorCode = strawberry.field(
        description="The code of the error that the action would raise."
    )
    message: str = strawberry.field(description="The reason, in words for a person.")
