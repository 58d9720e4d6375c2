"""What mutations share: inputs, payloads, what they need and emit, and the way to an operation."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, TypeVar, cast

import strawberry
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

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

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
Operation = Callable[[AsyncSession, Actor, Clock, C], Awaitable[Outcome[Any]]]


class Commanding(Protocol[C_co]):
    """An input, which makes an operation's command of itself; raises what is wrong with it."""

    def command(self) -> C_co: ...


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
        "REQUIREMENT_CURRENTLY_DUE, REQUIREMENT_PAST_DUE, HOLD_EXPIRED, status changes, and "
        "INTERACTION_DRAFTED and INTERACTION_SCHEDULED of what the account's user is told of them."
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


# Each mutation's field, with what it needs. Filled as mutations are declared.
NEEDS_OF_MUTATIONS: list[tuple[StrawberryField, Needs]] = []


def mutation(
    operation: Operation[C],
    takes: type[Commanding[C]],
    description: str,
    roles: frozenset[Role],
    emits: Sequence[EventType] = (),
    scopes: Sequence[Scope] = (),
    *,
    argument: str,
) -> Any:
    """A mutation's field: it runs one operation, with the command of the input that it takes.

    What it needs and causes is said in directives and in words; `argument` describes the input.
    """
    ordered = [role for role in Role if role in roles]
    words = [description, f"Needs the role {' or '.join(ordered)}."]
    if scopes:
        words.append(f"Needs the scope {', '.join(scopes)}.")
    if emits:
        words.append(f"Emits {', '.join(emits)}.")
    requires = Requires(roles=ordered, scopes=[str(scope) for scope in scopes])
    directives: list[object] = [requires, *([Emits(events=list(emits))] if emits else [])]
    declared: StrawberryField = strawberry.field(
        resolver=_resolver(operation, takes, argument),
        description=" ".join(words),
        directives=directives,
    )
    NEEDS_OF_MUTATIONS.append((declared, Needs(roles, tuple(scopes))))
    return declared


@strawberry.input(description="What every mutation takes.")
class KeyedInput:
    """An idempotency key."""

    idempotency_key: str | None = strawberry.field(
        default=None,
        description=(
            "A key of the caller's own choice: the same request with the same key has one effect, "
            "however often it is sent. Keys count for one account (for programs, for the "
            "platform): on another account the same key is a new one."
        ),
    )

    def shared(self) -> dict[str, Any]:
        """What the input shares with others, as the command has it."""
        return {"idempotency_key": self.idempotency_key}


def version_of(whose: str) -> Any:
    """The field `expectedVersion` of an input, which says of what it is the version."""
    return strawberry.field(
        default=None,
        description=(
            f"The version of {whose} that the caller has seen; if it is another by now, nothing "
            "changes and the error is STALE_VERSION."
        ),
    )


@strawberry.input(description="What every mutation of something that is there takes.")
class VersionedInput(KeyedInput):
    """An expected version; each input says of what."""

    expected_version: int | None = version_of("the object")

    def shared(self) -> dict[str, Any]:
        """The same, with the version."""
        return {**super().shared(), "expected_version": self.expected_version}


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


def _resolver(
    operation: Operation[C], takes: type[Commanding[C]], argument: str
) -> Callable[..., Awaitable[Result]]:
    async def resolve(
        info: Info,
        input: Annotated[takes, strawberry.argument(description=argument)],  # type: ignore[valid-type]
    ) -> Result:
        return await _mutate(info, operation, input)

    return resolve


async def _mutate(info: Info, operation: Operation[C], given: Commanding[C]) -> Result:
    """Run the operation; errors of the input and of the domain become data."""
    context = info.context
    # A request never holds two connections: those that wait for a second would block each other.
    await context.reader.refresh()
    try:
        command = given.command()
        async with context.session() as session:
            outcome = await operation(session, context.actor, context.clock, command)
    except RecourseError as error:
        return Result(user_errors=user_errors(error))
    await context.wrote()
    return Result(changed=outcome.value, replayed=outcome.replayed)
