"""What mutations share: inputs, payloads, what they need and emit, and the way to an operation."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, cast

import strawberry
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.schema_directive import Location
from strawberry.utils.str_converters import to_camel_case

from models.account import ACCOUNTS
from models.actor import Actor, Role
from models.authorisation import OPERATIONS, in_words
from models.clock import Clock
from models.errors import InvalidInput, RecourseError
from models.events import EventType
from models.ids import HexId, Key, hex_id
from models.lookup import accounts_by_id, rows_by_key
from models.outcome import Outcome
from models.reading import Reader, Record
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.errors import UserError, user_errors
from resolvers.selection import asked_columns

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
K = TypeVar("K")
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


def mutation(
    name: str,
    operation: Operation[C],
    takes: type[Commanding[C]],
    description: str,
    emits: Sequence[EventType] = (),
    *,
    argument: str,
) -> Any:
    """A mutation's field: it runs one operation, with the command of the input that it takes.

    What it needs, by its name in the table of authorisation, and causes is said in directives and
    in words; `argument` describes the input.
    """
    words = [description, in_words(name)]
    if emits:
        words.append(f"Emits {', '.join(emits)}.")
    rule = OPERATIONS[name]
    always = rule.scope is not None and not rule.for_waivers
    requires = Requires(
        roles=[role for role in Role if role in rule.roles],
        scopes=[str(rule.scope)] if always else [],
    )
    directives: list[object] = [requires, *([Emits(events=list(emits))] if emits else [])]
    return strawberry.field(
        resolver=_resolver(operation, takes, argument),
        description=" ".join(words),
        directives=directives,
    )


@strawberry.input(description="What every mutation takes.")
class KeyedInput:
    """An idempotency key."""

    idempotency_key: str | None = strawberry.field(
        default=None,
        description=(
            "A key of the caller's own choice: the same request with the same key has one effect, "
            "however often it is sent. Keys count for one account (for programs and API keys, for "
            "the platform): on another account the same key is a new one."
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


@strawberry.input(description="What every mutation of one of an account's objects takes.")
class ObjectInput(VersionedInput):
    """Which object; each noun describes both fields and says the prefix of its ids."""

    prefix: ClassVar[str]

    id: strawberry.ID = strawberry.field(description="The object.")

    def shared(self) -> dict[str, Any]:
        """The same, with the object."""
        account_id, own = ids.decode(self.id, self.prefix, "id")
        named = {f"{ids.NOUNS[self.prefix]}_id": own}
        return {**super().shared(), "account_id": account_id, **named}


@strawberry.input(description="What every mutation of an account takes.")
class AccountInput(VersionedInput):
    """Which account."""

    expected_version: int | None = version_of("the account")
    id: strawberry.ID = strawberry.field(description="The account.")

    def shared(self) -> dict[str, Any]:
        """The same, with the account."""
        return {**super().shared(), "account_id": ids.decode_account(self.id, "id")}


@strawberry.input(description="What every mutation takes that adds something to an account.")
class OnAccountInput(VersionedInput):
    """To which account, whose version is the expected one."""

    expected_version: int | None = version_of("the account")
    account_id: strawberry.ID = strawberry.field(description="The account.")

    def shared(self) -> dict[str, Any]:
        """The same, with the account."""
        account_id = ids.decode_account(self.account_id, "accountId")
        return {**super().shared(), "account_id": account_id}


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


def loaded_field(
    type_name: str,
    description: str,
    key: Callable[[Any], K],
    load: Callable[[Reader, Sequence[K], Sequence[str]], Awaitable[list[Record | None]]],
) -> Any:
    """A payload's field: the row that belongs to the changed object by `key`.

    `load(reader, keys, columns)` gives the rows, in the order of the keys.
    """

    async def resolve(parents: Parents, info: Info) -> list[Record | None]:
        columns = asked_columns(info, type_name)
        named = [None if result.changed is None else key(result.changed) for result in parents]
        keys = [one for one in named if one is not None]
        if not keys:
            return [None for _ in parents]
        rows = await load(info.context.reader, keys, columns)
        found = dict(zip(keys, rows, strict=True))
        return [None if one is None else found[one] for one in named]

    return batched(resolve, description=description)


def changed_field(type_name: str, table: type[Any], description: str, own: str = "id") -> Any:
    """A payload's field: the row that the changed object is, or names by its column `own`."""

    def key(changed: Any) -> Key:
        return hex_id(changed.account_id), hex_id(getattr(changed, own))

    async def load(
        reader: Reader, keys: Sequence[Key], columns: Sequence[str]
    ) -> list[Record | None]:
        return await rows_by_key(reader, cast(Table, table.__table__), keys, columns)

    return loaded_field(type_name, description, key, load)


def account_of_payload() -> Any:
    """A payload's field: the account of the changed object."""

    async def load(
        reader: Reader, keys: Sequence[HexId], columns: Sequence[str]
    ) -> list[Record | None]:
        return await accounts_by_id(reader, ACCOUNTS.table, keys, columns)

    def key(changed: Any) -> HexId:
        return hex_id(changed.account_id)

    return loaded_field("Account", "The account, as it is now.", key, load)


def changes_in(given: Mapping[str, Any], never_null: Sequence[str]) -> dict[str, Any]:
    """What an input changes, by column: what was not left out. `given` has UNSET for that.

    Raises `InvalidInput` for null in a column of `never_null`.
    """
    changes = {name: value for name, value in given.items() if value is not strawberry.UNSET}
    for name in never_null:
        if name in changes and changes[name] is None:
            message = "This can't be null; leave it out to keep it."
            raise InvalidInput(message, (to_camel_case(name),))
    return changes


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
