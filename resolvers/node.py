"""The Node interface, and actors."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

import strawberry

from models.actor import ActorKind
from models.ids import HexId
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
    """An object of which nothing but its type and key is asked; each type has a subclass."""

    __slots__ = ("account_id", "id")
    type_name: ClassVar[str]

    def __init__(self, account_id: HexId, own_id: HexId) -> None:
        self.account_id = account_id
        self.id = own_id

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


@lru_cache(maxsize=64)
def reference_class(type_name: str) -> type[Reference]:
    """The references to objects of one type of the schema."""
    return type(f"{type_name}Reference", (Reference,), {"__slots__": (), "type_name": type_name})


def rows_of(record: type[Record], type_name: str) -> Callable[[Any, Any], bool]:
    """The check that an object is a row of a type's table, for interfaces and unions."""

    def is_type_of(value: Any, _info: Any) -> bool:
        if isinstance(value, Reference):
            return value.type_name == type_name
        return isinstance(value, record)

    # Says to the executor that it need not ask for each object.
    is_type_of.decides_by_class = True  # type: ignore[attr-defined]
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


def shown_actor(info: Info, row: Any, prefix: str) -> Actor | None:
    """Who it was, of the columns `<prefix>_kind`, `_id` and `_name`, as the viewer may know them.

    Account users don't learn who of the staff it was: where only staff fill these columns, the row
    comes without the last two.
    """
    kind = row[f"{prefix}_kind"]
    if kind is None:
        return None
    if info.context.actor.is_staff or kind == ActorKind.ACCOUNT_USER:
        own, name = row[f"{prefix}_id"], row[f"{prefix}_name"]
        return Actor(kind=ActorKind(kind), id=own, display_name=name)
    return Actor(kind=ActorKind(kind), id=kind.lower(), display_name=None)


def actor_field(prefix: str, description: str) -> Any:
    """A field that shows who it was, of the columns `<prefix>_kind`, `_id` and `_name`."""

    def resolve(parents: Parents, info: Info) -> list[Actor | None]:
        return [shown_actor(info, row, prefix) for row in parents]

    needs = (f"{prefix}_kind", f"{prefix}_id", f"{prefix}_name")
    return batched(resolve, description=description, needs=needs)
