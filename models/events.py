"""Events: the append-only record of what happened, hash-chained per account.

The service's roles may insert and read events, nothing else. Each event's hash is the SHA-256 of
its canonical JSON (RFC 8785), which holds the hash of the event before it.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol, cast

import orjson
import rfc8785
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.actor import Actor, ActorKind
from models.base import AccountScoped, Base, OwnId, account_key
from models.bounds import Bound, Bounds
from models.lifecycle import one_of
from models.listing import ListSpec
from models.text import MAX_SAFE_INTEGER

GENESIS_HASH = "0" * 64


class EventType(StrEnum):
    """What happened. New types may be added."""

    ACCOUNT_CREATED = "ACCOUNT_CREATED"
    ACCOUNT_UPDATED = "ACCOUNT_UPDATED"
    ACCOUNT_REJECTED = "ACCOUNT_REJECTED"
    ACCOUNT_REINSTATED = "ACCOUNT_REINSTATED"
    ACCOUNT_STATUS_CHANGED = "ACCOUNT_STATUS_CHANGED"
    CAPABILITY_STATUS_CHANGED = "CAPABILITY_STATUS_CHANGED"
    HOLD_PLACED = "HOLD_PLACED"
    HOLD_RELEASED = "HOLD_RELEASED"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    REQUIREMENT_OPENED = "REQUIREMENT_OPENED"
    REQUIREMENT_UPDATED = "REQUIREMENT_UPDATED"
    REQUIREMENT_SUBMITTED = "REQUIREMENT_SUBMITTED"
    REQUIREMENT_REVIEW_STARTED = "REQUIREMENT_REVIEW_STARTED"
    REQUIREMENT_REFERRED = "REQUIREMENT_REFERRED"
    REQUIREMENT_RECALLED = "REQUIREMENT_RECALLED"
    REQUIREMENT_CHANGES_REQUESTED = "REQUIREMENT_CHANGES_REQUESTED"
    REQUIREMENT_APPROVED = "REQUIREMENT_APPROVED"
    REQUIREMENT_REJECTED = "REQUIREMENT_REJECTED"
    REQUIREMENT_APPEALED = "REQUIREMENT_APPEALED"
    REQUIREMENT_WAIVED = "REQUIREMENT_WAIVED"
    REQUIREMENT_CANCELED = "REQUIREMENT_CANCELED"
    REQUIREMENT_EXTENDED = "REQUIREMENT_EXTENDED"
    REQUIREMENT_DEADLINE_MOVED = "REQUIREMENT_DEADLINE_MOVED"
    REQUIREMENT_REOPENED = "REQUIREMENT_REOPENED"
    REQUIREMENT_ASSIGNED = "REQUIREMENT_ASSIGNED"
    REQUIREMENT_CURRENTLY_DUE = "REQUIREMENT_CURRENTLY_DUE"
    REQUIREMENT_PAST_DUE = "REQUIREMENT_PAST_DUE"
    RESOLUTION_PROPOSED = "RESOLUTION_PROPOSED"
    RESOLUTION_FINAL = "RESOLUTION_FINAL"
    RESOLUTION_DECLINED = "RESOLUTION_DECLINED"
    RESOLUTION_UPHELD = "RESOLUTION_UPHELD"
    RESOLUTION_OVERTURNED = "RESOLUTION_OVERTURNED"
    NOTE_ADDED = "NOTE_ADDED"
    INTERACTION_DRAFTED = "INTERACTION_DRAFTED"
    INTERACTION_UPDATED = "INTERACTION_UPDATED"
    INTERACTION_SCHEDULED = "INTERACTION_SCHEDULED"
    INTERACTION_SENT = "INTERACTION_SENT"
    INTERACTION_MAILED = "INTERACTION_MAILED"
    INTERACTION_DELIVERED = "INTERACTION_DELIVERED"
    INTERACTION_VIEWED = "INTERACTION_VIEWED"
    INTERACTION_RESPONDED = "INTERACTION_RESPONDED"
    INTERACTION_FAILED = "INTERACTION_FAILED"
    INTERACTION_RECEIVED = "INTERACTION_RECEIVED"
    INTERACTION_CANCELED = "INTERACTION_CANCELED"


# What follows from other changes, whatever they are.
DERIVED = (EventType.CAPABILITY_STATUS_CHANGED, EventType.ACCOUNT_STATUS_CHANGED)
# What an operation causes that tells the account's user of it.
TOLD = (EventType.INTERACTION_DRAFTED, EventType.INTERACTION_SCHEDULED)


class SubjectType(StrEnum):
    """What an event is about; the names are the schema's types."""

    ACCOUNT = "Account"
    HOLD = "Hold"
    REQUIREMENT = "Requirement"
    RESOLUTION = "Resolution"
    INTERACTION = "Interaction"


class Event(AccountScoped, OwnId, Base):
    """One thing that happened to one account."""

    __tablename__ = "events"
    __table_args__ = (
        account_key(),
        UniqueConstraint("account_id", "sequence"),
        one_of("type", list(EventType)),
        one_of("subject_type", list(SubjectType)),
        one_of("actor_kind", list(ActorKind)),
        CheckConstraint("sequence > 0", name="sequence_positive"),
        # The first event of an account, and only it, follows nothing.
        CheckConstraint(
            f"(sequence = 1) = (previous_hash = '{GENESIS_HASH}')", name="first_follows_nothing"
        ),
        CheckConstraint("length(hash) = 64", name="hash_is_sha256"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str | None]
    subject_type: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    idempotency_key: Mapped[str | None]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class Outbox(AccountScoped, Base):
    """An event that still has to reach the platform's log and whoever listens."""

    __tablename__ = "outbox"
    __table_args__ = (account_key(),)

    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(index=True)


class ChainHead(Protocol):
    """Where an account's chain stands: the account's own columns."""

    account_id: uuid.UUID
    platform_id: uuid.UUID
    event_sequence: int
    event_hash: str


def instant(value: datetime) -> str:
    """The one way to write an instant in an event: UTC, microseconds, Z."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def event_hash(row: Any) -> str:
    """The SHA-256, in hex, over the canonical JSON of an event row or record."""
    return _hash({name: getattr(row, name) for name in _HASHED})


def next_event(
    head: ChainHead,
    event_id: uuid.UUID,
    event_type: EventType,
    actor: Actor,
    at: datetime,
    subject: tuple[SubjectType, uuid.UUID],
    changes: Mapping[str, Any],
    idempotency_key: str | None = None,
) -> dict[str, Any]:
    """The columns of the chain's next event; moves `head` on. Nothing is written yet."""
    values = {
        "account_id": head.account_id,
        "platform_id": head.platform_id,
        "id": event_id,
        "sequence": head.event_sequence + 1,
        "type": event_type,
        "at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "subject_type": subject[0],
        "subject_id": subject[1],
        "changes": jsonable(changes),
        "idempotency_key": idempotency_key,
        "previous_hash": head.event_hash,
    }
    values["hash"] = _hash(values)
    head.event_sequence, head.event_hash = values["sequence"], values["hash"]
    return values


def outbox_columns(event: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the outbox row of an event, from those of the event."""
    return {
        "account_id": event["account_id"],
        "platform_id": event["platform_id"],
        "event_id": event["id"],
        "sequence": event["sequence"],
        "created_at": event["at"],
    }


def plain_json(value: Any) -> bytes:
    """Plain JSON as RFC 8785 writes it: orjson does so 60 times as fast."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def canonical_json(value: Any) -> bytes:
    """The canonical JSON (RFC 8785) of what has none but string keys."""
    return plain_json(value) if is_plain(value) else rfc8785.dumps(value)


def is_plain(value: Any) -> bool:
    """Whether orjson and RFC 8785 agree: they sort other keys and write fractions differently."""
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, dict):
        return all(key.isascii() and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return isinstance(value, int) and abs(value) <= MAX_SAFE_INTEGER


def jsonable(value: Any) -> Any:
    """`value` with instants, ids and enums as the text that events hold."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return jsonable(vars(value))
    return str(value) if isinstance(value, StrEnum) else value


_HASHED = (
    *("account_id", "actor_id", "actor_kind", "actor_name", "at", "changes", "id"),
    *("idempotency_key", "platform_id", "previous_hash", "sequence", "subject_id"),
    *("subject_type", "type"),
)


def _hash(event: Mapping[str, Any]) -> str:
    body = {
        "accountId": str(event["account_id"]),
        "actor": {
            "id": event["actor_id"],
            "kind": event["actor_kind"],
            "name": event["actor_name"],
        },
        "at": instant(event["at"]),
        "changes": event["changes"],
        "id": str(event["id"]),
        "idempotencyKey": event["idempotency_key"],
        "platformId": str(event["platform_id"]),
        "previousHash": event["previous_hash"],
        "sequence": event["sequence"],
        "subject": {"id": str(event["subject_id"]), "type": event["subject_type"]},
        "type": event["type"],
    }
    # Apart from the changes, it is plain by its making.
    canonical = plain_json(body) if is_plain(event["changes"]) else rfc8785.dumps(body)
    return hashlib.sha256(canonical).hexdigest()


EVENTS = ListSpec(
    name="events",
    table=cast(Table, Event.__table__),
    orders={"AT": "at"},
    dimensions={"type": "type"},
    conditions={
        "since": Bounds((Bound("at", ">=", "since"),)),
        "until": Bounds((Bound("at", "<", "until"),)),
    },
    tie=("account_id", "sequence"),
)
EVENTS.declare_indexes()
TIMELINE = replace(EVENTS, name="timeline", orders={"SEQUENCE": "sequence"})
