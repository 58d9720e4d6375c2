"""What mutations share: inputs, payloads, what they need and emit, and the way to an operation."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.schema_directive import Location

from models.actor import Actor, Role, Scope
from models.clock import Clock
from models.errors import RecourseError
from models.events import EventType
from models.ids import Key, hex_id
from models.lookup import rows_by_key
from models.outcome import Outcome
from models.reading import Record
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.errors import UserError, user_errors
from resolvers.selection import asked_columns

Operation = Callable[[AsyncSession, Actor, Clock, Any], Awaitable[Outcome[Any]]]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="What the caller of a mutation needs."
)
class Requires:
    """Roles, of which one is needed, and scopes, all of which are."""

    roles: list[Role] = strawberry.directive_field(name="roles")
    scopes: list[str] = strawberry.directive_field(name="scopes")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description=(
        "The events that a mutation may cause, beside those of what time alone has changed: "
        "REQUIREMENT_CURRENTLY_DUE, REQUIREMENT_PAST_DUE, HOLD_EXPIRED and status changes."
    ),
)
class Emits:
    """Event types, of which each may come about."""

    events: list[EventType] = strawberry.directive_field(name="events")


@dataclass(frozen=True)
class Needs:
    """What a mutation needs of its caller."""

    roles: frozenset[Role]
    scopes: tuple[Scope, ...] = ()

    def met_by(self, actor: Actor) -> bool:
        """Whether the caller may use the mutation at all."""
        return actor.role in self.roles and all(scope in actor.scopes for scope in self.scopes)


# The mutation's name in Python -> what it needs. Filled as mutations are declared.
NEEDS_OF_MUTATIONS: dict[str, Needs] = {}


def mutation(
    resolver: Callable[..., Any],
    description: str,
    roles: frozenset[Role],
    emits: Sequence[EventType] = (),
    scopes: Sequence[Scope] = (),
) -> Any:
    """A mutation's field; what it needs and causes is said in directives and in words."""
    NEEDS_OF_MUTATIONS[resolver.__name__] = Needs(roles, tuple(scopes))
    ordered = [role for role in Role if role in roles]
    words = [description, f"Needs the role {' or '.join(ordered)}."]
    if scopes:
        words.append(f"Needs the scope {', '.join(scopes)}.")
    if emits:
        words.append(f"Emits {', '.join(emits)}.")
    requires = Requires(roles=ordered, scopes=[str(scope) for scope in scopes])
    directives: list[object] = [requires, *([Emits(events=list(emits))] if emits else [])]
    return strawberry.field(resolver=resolver, description=" ".join(words), directives=directives)


@strawberry.input(description="What every mutation takes.")
class KeyedInput:
    """An idempotency key."""

    idempotency_key: str | None = strawberry.field(
        default=None,
        description=(
            "A key of the caller's own choice: the same request with the same key has one effect, "
            "however often it is sent."
        ),
    )


@strawberry.input(description="What every mutation of something that is there takes.")
class VersionedInput(KeyedInput):
    """An expected version."""

    expected_version: int | None = strawberry.field(
        default=None,
        description=(
            "The version that the caller has seen; if it is another by now, nothing changes and "
            "the error is STALE_VERSION."
        ),
    )


@dataclass
class Result:
    """What a mutation did: the changed object as the operation left it, or what was wrong."""

    changed: Any = None
    replayed: bool = False
    user_errors: list[UserError] = field(default_factory=list)


@strawberry.type(description="What every mutation answers.")
class Payload:
    """Errors of the input, and whether it was a replay."""

    user_errors: list[UserError] = strawberry.field(
        description="What was wrong with the input; nothing has changed where there is something."
    )
    replayed: bool = strawberry.field(
        description="Whether an earlier request with the same idempotency key had done it already."
    )


def changed_field(
    type_name: str, table: type[Any], description: str, own: str = "id", of: type[Any] | None = None
) -> Any:
    """A payload's field: the row that the changed object is, or names by its column `own`.

    `of` is the class of changed objects that have this field's row, where there are several.
    """

    def key_in(changed: Any) -> Key | None:
        if changed is None or (of is not None and not isinstance(changed, of)):
            return None
        return hex_id(changed.account_id), hex_id(getattr(changed, own))

    async def resolve(parents: Parents, info: Info) -> list[Record | None]:
        columns = asked_columns(info, type_name)
        named = [key_in(result.changed) for result in parents]
        keys = [key for key in named if key is not None]
        if not keys:
            return [None for _ in parents]
        source = cast(Table, table.__table__)
        rows = await rows_by_key(info.context.reader, source, keys, columns)
        found = dict(zip(keys, rows, strict=True))
        return [None if key is None else found[key] for key in named]

    return batched(resolve, description=description)


async def mutate(info: Info, operation: Operation, build: Callable[[], Any]) -> Result:
    """Run one operation with the command that `build` makes of the input; errors become data."""
    context = info.context
    # A request never holds two connections: those that wait for a second would block each other.
    await context.reader.refresh()
    try:
        command = build()
        async with context.session() as session:
            outcome = await operation(session, context.actor, context.clock, command)
    except RecourseError as error:
        return Result(user_errors=user_errors(error))
    await context.wrote()
    return Result(changed=outcome.value, replayed=outcome.replayed)


def keyed(given: KeyedInput) -> dict[str, Any]:
    """The command's fields that every mutation has."""
    found: dict[str, Any] = {"idempotency_key": given.idempotency_key}
    if isinstance(given, VersionedInput):
        found["expected_version"] = given.expected_version
    return found
