"""An interaction: one contact with the account's user about one or more requirements."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import CheckConstraint, Computed, ForeignKeyConstraint, Index, Table, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.actor import ActorKind
from models.aggregate import NEVER
from models.base import AccountScoped, Base, Changing, OwnId, account_key, own_key
from models.bounds import CREATED_AFTER, CREATED_BEFORE
from models.ids import Key, id_array
from models.lifecycle import Lifecycle, one_of
from models.listing import (
    Link,
    ListSpec,
    is_any,
    is_any_id,
    record_class,
)
from models.reading import Query, Reader, Record, compile_query
from models.requirement import Requirement


class InteractionState(StrEnum):
    """Where a contact stands."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    VIEWED = "VIEWED"
    RESPONDED = "RESPONDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class InteractionAction(StrEnum):
    """What may happen to a contact."""

    SCHEDULE = "SCHEDULE"
    SEND = "SEND"
    REPORT_DELIVERED = "REPORT_DELIVERED"
    REPORT_VIEWED = "REPORT_VIEWED"
    REPORT_RESPONDED = "REPORT_RESPONDED"
    REPORT_FAILED = "REPORT_FAILED"
    CANCEL = "CANCEL"


class InteractionPurpose(StrEnum):
    """What a contact is for."""

    REQUEST = "REQUEST"
    REMINDER = "REMINDER"
    NOTICE = "NOTICE"
    MESSAGE = "MESSAGE"
    DECISION = "DECISION"


class InteractionChannel(StrEnum):
    """How it travels."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    DASHBOARD = "DASHBOARD"
    PHONE = "PHONE"
    API = "API"


class InteractionDirection(StrEnum):
    """From the platform to the account's user, or from them."""

    OUTBOUND = "OUTBOUND"
    INBOUND = "INBOUND"


_S, _A = InteractionState, InteractionAction
_FORWARD = {
    _A.REPORT_DELIVERED: (_S.DELIVERED, (_S.SENT,)),
    _A.REPORT_VIEWED: (_S.VIEWED, (_S.SENT, _S.DELIVERED)),
    _A.REPORT_RESPONDED: (_S.RESPONDED, (_S.SENT, _S.DELIVERED, _S.VIEWED)),
}
# Steps may be skipped forward (a provider that never reports delivery), never back.
LIFECYCLE = Lifecycle(
    noun="interaction",
    states=tuple(InteractionState),
    transitions={
        (_S.DRAFT, _A.SCHEDULE): _S.SCHEDULED,
        (_S.FAILED, _A.SCHEDULE): _S.SCHEDULED,
        **{(s, _A.SEND): _S.SENT for s in (_S.DRAFT, _S.SCHEDULED)},
        **{(s, a): to for a, (to, starts) in _FORWARD.items() for s in starts},
        (_S.SENT, _A.REPORT_FAILED): _S.FAILED,
        **{(s, _A.CANCEL): _S.CANCELED for s in (_S.DRAFT, _S.SCHEDULED)},
    },
)


class Interaction(AccountScoped, OwnId, Changing, Base):
    """One message between the platform and the account's user."""

    __tablename__ = "interactions"
    __table_args__ = (
        account_key(),
        own_key("in_reply_to_id", "interactions"),
        LIFECYCLE.check(),
        one_of("purpose", list(InteractionPurpose)),
        one_of("channel", list(InteractionChannel)),
        one_of("direction", list(InteractionDirection)),
        one_of("author_kind", list(ActorKind)),
        # What waits for its time has one, what went out says when, what failed says why.
        CheckConstraint(
            "state <> 'SCHEDULED' OR scheduled_for IS NOT NULL", name="scheduled_for_an_instant"
        ),
        CheckConstraint(
            "state NOT IN ('SENT', 'DELIVERED', 'VIEWED', 'RESPONDED', 'FAILED') "
            "OR sent_at IS NOT NULL",
            name="sent_with_instant",
        ),
        CheckConstraint(
            "(state = 'FAILED') = (coalesce(jsonb_typeof(failure), 'null') = 'object')",
            name="failed_with_reason",
        ),
        CheckConstraint(
            "state NOT IN ('DRAFT', 'SCHEDULED') OR direction = 'OUTBOUND'",
            name="inbound_has_arrived",
        ),
    )

    purpose: Mapped[str]
    channel: Mapped[str]
    direction: Mapped[str]
    state: Mapped[str]
    subject: Mapped[str | None]
    body: Mapped[str]
    author_kind: Mapped[str]
    author_id: Mapped[str]
    author_name: Mapped[str | None]
    in_reply_to_id: Mapped[uuid.UUID | None]
    scheduled_for: Mapped[datetime | None]
    sort_scheduled_for: Mapped[datetime] = mapped_column(
        Computed(f"coalesce(scheduled_for, '{NEVER}'::timestamptz)", persisted=True)
    )
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    viewed_at: Mapped[datetime | None]
    responded_at: Mapped[datetime | None]
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class InteractionRequirement(AccountScoped, Base):
    """That an interaction is about a requirement."""

    __tablename__ = "interaction_requirements"
    __table_args__ = (
        account_key(),
        # The key repeats the instant, so that the copy can't be another than the interaction's.
        ForeignKeyConstraint(
            ["account_id", "interaction_id", "interaction_created_at"],
            ["interactions.account_id", "interactions.id", "interactions.created_at"],
        ),
        own_key("requirement_id", "requirements"),
        Index(
            "ix_interaction_requirements_requirement",
            "account_id",
            "requirement_id",
            "interaction_created_at",
            "interaction_id",
        ),
    )

    interaction_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    requirement_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    interaction_created_at: Mapped[datetime]


INTERACTIONS = ListSpec(
    name="interactions",
    table=cast(Table, Interaction.__table__),
    orders={"CREATED_AT": "created_at", "SCHEDULED_FOR": "sort_scheduled_for"},
    dimensions={"purpose": "purpose", "channel": "channel", "direction": "direction"},
    states=tuple(InteractionState),
    conditions={"created_after": CREATED_AFTER, "created_before": CREATED_BEFORE},
    checked=("created_at",),
    mirrored=("created_at",),
)
INTERACTIONS.declare_indexes()
INTERACTIONS_OF_REQUIREMENT = Link(
    parent=cast(Table, Requirement.__table__),
    through=cast(Table, InteractionRequirement.__table__),
    through_parent="requirement_id",
    through_child="interaction_id",
    mirrored={"created_at": "interaction_created_at", "id": "interaction_id"},
)


async def requirements_of_interactions(
    reader: Reader, keys: Sequence[Key], columns: Sequence[str]
) -> list[list[Record]]:
    """For each interaction, by (account id, id): what it is about, in the order of the ids."""
    names = dict.fromkeys(["account_id", "id", *columns])
    values = {
        "accounts": list({account_id for account_id, _ in keys}),
        "ids": id_array(interaction_id for _, interaction_id in keys),
    }
    found: dict[Key, list[Record]] = {key: [] for key in keys}
    record = record_class(cast(Table, Requirement.__table__))
    for row in await reader.fetch(_requirements_query(tuple(names)), values, record):
        found[row["account_id"], row["parent_id"]].append(row)
    return [found[key] for key in keys]


@lru_cache(maxsize=256)
def _requirements_query(columns: tuple[str, ...]) -> Query:
    table = cast(Table, Requirement.__table__)
    link = cast(Table, InteractionRequirement.__table__)
    return compile_query(
        select(link.c.interaction_id.label("parent_id"), *(table.c[name] for name in columns))
        .where(
            is_any(link.c.account_id, "accounts"),
            is_any_id(link.c.interaction_id, "ids"),
            table.c.account_id == link.c.account_id,
            table.c.id == link.c.requirement_id,
        )
        .order_by(table.c.account_id, table.c.id)
    )
