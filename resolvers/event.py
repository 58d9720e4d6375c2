"""Events: what happened."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.account import ACCOUNTS
from models.events import EVENTS, TIMELINE, EventType
from models.hold import HOLDS
from models.ids import HexId
from models.interaction import INTERACTIONS
from models.lookup import accounts_by_id, rows_by_key
from models.requirement_reads import REQUIREMENTS
from models.resolution import RESOLUTIONS
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.lists import Listing
from resolvers.loading import OF_ACCOUNT, account_field
from resolvers.node import Actor, Node, actor_field, node_id, reference_class, rows_of
from resolvers.pagination import DateTimeRange, Filtered
from resolvers.scalars import Json
from resolvers.selection import asked_types, columns_behind, register_columns

if TYPE_CHECKING:
    from resolvers.account import Account

TABLES_OF_SUBJECTS = {
    "Hold": HOLDS,
    "Interaction": INTERACTIONS.table,
    "Requirement": REQUIREMENTS.table,
    "Resolution": RESOLUTIONS.table,
}
# The ids that changes hold, which are kept as UUIDs: one, none, or a list of them.
IDS_IN_CHANGES = {
    "answer": ids.INTERACTION,
    "evidenceId": ids.EVIDENCE,
    "inReplyTo": ids.INTERACTION,
    "noteId": ids.NOTE,
    "requirementId": ids.REQUIREMENT,
    "requirementIds": ids.REQUIREMENT,
    "resolutionId": ids.RESOLUTION,
}
# What has the id of an object among what else it says.
OBJECTS_IN_CHANGES = {"resolution": ids.RESOLUTION}


async def _subjects(parents: Parents, info: Info) -> list[Any]:
    """What each event is about. One statement for each type whose own fields are asked for."""
    asked = asked_types(info)
    found: dict[Any, Any] = {}
    for type_name, fields in asked.items():
        if type_name == "Account":
            found.update(await _accounts(parents, info, fields))
        elif type_name in TABLES_OF_SUBJECTS:
            found.update(await _rows(parents, info, type_name, fields))
    return [
        found.get((e["subject_type"], e["subject_id"]))
        or reference_class(e["subject_type"])(e["account_id"], e["subject_id"])
        for e in parents
    ]


async def _accounts(parents: Parents, info: Info, fields: set[str]) -> dict[Any, Any]:
    wanted = [e["account_id"] for e in parents if e["subject_type"] == "Account"]
    columns = columns_behind(info, "Account", fields)
    rows = await accounts_by_id(info.context.reader, ACCOUNTS.table, wanted, columns)
    return {("Account", row["account_id"]): row for row in rows if row is not None}


async def _rows(parents: Parents, info: Info, type_name: str, fields: set[str]) -> dict[Any, Any]:
    keys = [(e["account_id"], e["subject_id"]) for e in parents if e["subject_type"] == type_name]
    columns = columns_behind(info, type_name, fields)
    table = TABLES_OF_SUBJECTS[type_name]
    rows = await rows_by_key(info.context.reader, table, keys, columns)
    return {(type_name, row["id"]): row for row in rows if row is not None}


def _changes(parents: Parents) -> list[Any]:
    return [_with_global_ids(row["account_id"], row["changes"]) for row in parents]


def _with_global_ids(account_id: HexId, changes: Any) -> Any:
    shown = {
        name: _global_ids(prefix, account_id, changes[name])
        for name, prefix in IDS_IN_CHANGES.items()
        if name in changes
    }
    for name, prefix in OBJECTS_IN_CHANGES.items():
        if name in changes:
            own = _global_ids(prefix, account_id, changes[name]["id"])
            shown[name] = {**changes[name], "id": own}
    return {**changes, **shown} if shown else changes


def _global_ids(prefix: str, account_id: HexId, kept: Any) -> Any:
    """The global id of an id, or those of a list, or of what was before and is now."""
    if isinstance(kept, list):
        return [_global_ids(prefix, account_id, one) for one in kept]
    if isinstance(kept, dict):
        return {name: _global_ids(prefix, account_id, one) for name, one in kept.items()}
    return None if kept is None else ids.encode(prefix, account_id, HexId(kept.replace("-", "")))


@strawberry.type(description="One thing that happened to one account. It never changes.")
class Event(Node):
    """An entry of an account's hash chain."""

    is_type_of = rows_of(EVENTS.record, "Event")

    id: strawberry.ID = node_id(ids.EVENT, "event")
    account: Annotated["Account", strawberry.lazy("resolvers.account")] = account_field()
    sequence: int = strawberry.field(
        description=(
            "The number of the event in its account's chain, from 1; account users don't see every "
            "one."
        )
    )
    type: EventType = strawberry.field(description="What happened.")
    at: datetime = strawberry.field(description="The instant at which it happened.")
    actor: Actor = actor_field("actor", "Who did it.")
    subject: Node = batched(
        _subjects,
        description="What it happened to.",
        needs=("account_id", "subject_type", "subject_id"),
    )
    changes: Json = batched(
        _changes,
        description="The values that changed, by field; ids of objects are global ids.",
        needs=("account_id", "changes"),
    )
    hash: str = strawberry.field(
        description=(
            "The SHA-256, in hex, of the event's canonical JSON (RFC 8785) as Recourse keeps it, "
            "in which ids are UUIDs."
        )
    )
    previous_hash: str = strawberry.field(
        description="The hash of the account's event before this one; zeros for the first."
    )


register_columns(Event, EVENTS.table)


@strawberry.input(description="Which events; conditions combine with AND.")
class EventFilter:
    """A filter of events."""

    account_id: strawberry.ID | None = strawberry.field(
        default=None, description="Events of this account."
    )
    type: list[EventType] | None = strawberry.field(
        default=None, description="Events of one of these types."
    )
    at: DateTimeRange | None = strawberry.field(
        default=None, description="Events of this span of time."
    )


EventFilterArgument = Annotated[
    EventFilter | None, strawberry.argument(description="Which events.")
]


def _filtered(_info: Info, given: EventFilter) -> Filtered:
    found = Filtered()
    if given.account_id is not None:
        found.account_id = ids.account_of(given.account_id, "filter", "accountId")
    found.among("type", given.type, "type")
    if given.at is not None and given.at.since is not None:
        found.conditions["since"] = {"since": given.at.since}
    if given.at is not None and given.at.before is not None:
        found.conditions["until"] = {"until": given.at.before}
    return found


events = Listing(EVENTS, "Event", EventFilterArgument, _filtered).at_root("events")
timelines = Listing(TIMELINE, "Event", EventFilterArgument, _filtered).of_each(
    "account.timeline", OF_ACCOUNT
)
