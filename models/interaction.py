"""An interaction: one contact with the account's user, about requirements or the account itself.

What both sides write is in `correspondence.py`, how it goes on in `delivery.py`, and what becomes
of what is due in `sending.py`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CheckConstraint, Computed, ForeignKeyConstraint, Index, Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.actor import Actor, ActorKind
from models.aggregate import NEVER, AccountCommand
from models.authorisation import operation_of, refusal
from models.base import AccountScoped, Base, Changing, OwnId, account_key, own_key, staff_only
from models.bounds import CREATED_AFTER, CREATED_BEFORE
from models.checks import are_finite, counts_changes, says_something
from models.errors import ErrorCode, InvalidInput
from models.evidence import DocumentReference, check_documents
from models.lifecycle import Lifecycle, one_of
from models.listing import (
    Link,
    ListSpec,
)
from models.permission import Permission, Refusal
from models.text import check_optional_text, check_text, one_line

MAX_SUBJECT_LENGTH = 200
MAX_BODY_LENGTH = 10_000
MAX_FAILURE_MESSAGE_LENGTH = 1_000


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

    UPDATE = "UPDATE"
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


class DashboardOnly(StrEnum):
    """Why an e-mail is shown in the dashboard and was not mailed."""

    NO_MAIL_SERVER = "NO_MAIL_SERVER"
    NO_ADDRESS = "NO_ADDRESS"


_S, _A = InteractionState, InteractionAction
UNSENT_STATES = (_S.DRAFT, _S.SCHEDULED)
REPORTING = (_A.REPORT_DELIVERED, _A.REPORT_VIEWED, _A.REPORT_RESPONDED, _A.REPORT_FAILED)
# What evidence answers.
ASKING = (InteractionPurpose.REQUEST, InteractionPurpose.REMINDER)
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
        **{(s, _A.UPDATE): s for s in UNSENT_STATES},
        (_S.DRAFT, _A.SCHEDULE): _S.SCHEDULED,
        (_S.FAILED, _A.SCHEDULE): _S.SCHEDULED,
        **{(s, _A.SEND): _S.SENT for s in UNSENT_STATES},
        **{(s, a): to for a, (to, starts) in _FORWARD.items() for s in starts},
        (_S.SENT, _A.REPORT_FAILED): _S.FAILED,
        **{(s, _A.CANCEL): _S.CANCELED for s in UNSENT_STATES},
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
            "failure_said IS NULL "
            "OR (state = 'FAILED' "
            f"AND length(failure_said) BETWEEN 1 AND {MAX_FAILURE_MESSAGE_LENGTH})",
            name="failed_in_words",
        ),
        CheckConstraint(
            "state NOT IN ('DRAFT', 'SCHEDULED') OR direction = 'OUTBOUND'",
            name="inbound_has_arrived",
        ),
        CheckConstraint("jsonb_typeof(attachments) = 'array'", name="attachments_are_a_list"),
        one_of("dashboard_only", list(DashboardOnly)),
        # Only an e-mail that went out is mailed, or shown instead.
        CheckConstraint(
            "(attempt_at IS NULL AND mailed_at IS NULL AND dashboard_only IS NULL) "
            "OR (channel = 'EMAIL' AND direction = 'OUTBOUND' "
            "AND state NOT IN ('DRAFT', 'SCHEDULED', 'CANCELED'))",
            name="mailed_once_sent",
        ),
        CheckConstraint("attempts >= 0 AND attempt_number >= attempts", name="attempts_counted"),
        # A mail server has it, or is to get it, or is not asked.
        CheckConstraint(
            "num_nonnulls(attempt_at, mailed_at, dashboard_only) <= 1", name="mailed_or_shown"
        ),
        # What was sent went out first then, or before.
        CheckConstraint(
            "sent_at IS NULL OR coalesce(first_sent_at <= sent_at, false)",
            name="sent_first_or_again",
        ),
        # How far it has come, it says since when.
        CheckConstraint(
            "(state <> 'DELIVERED' OR delivered_at IS NOT NULL) "
            "AND (state <> 'VIEWED' OR viewed_at IS NOT NULL) "
            "AND (state <> 'RESPONDED' OR responded_at IS NOT NULL)",
            name="state_leaves_its_mark",
        ),
        # An e-mail has a subject, and a subject is one line.
        CheckConstraint("channel <> 'EMAIL' OR subject IS NOT NULL", name="e_mail_has_a_subject"),
        CheckConstraint(
            r"coalesce(subject !~ '[\x01-\x1f\x7f-\x9f\u2028\u2029]', true)",
            name="subject_is_one_line",
        ),
        says_something("says_something", "subject", "body", "author_id"),
        # The account's user does not write to themselves, and nothing answers itself.
        CheckConstraint(
            "direction <> 'OUTBOUND' OR author_kind <> 'ACCOUNT_USER'",
            name="outbound_is_the_platforms",
        ),
        CheckConstraint("in_reply_to_id IS DISTINCT FROM id", name="answers_another"),
        are_finite("instants_finite", "created_at", "updated_at", "scheduled_for", "sent_at"),
        counts_changes(),
        # The answers to each, in the order of the list.
        Index(
            "ix_interactions_replies",
            "account_id",
            "in_reply_to_id",
            "created_at",
            "id",
            postgresql_where="in_reply_to_id IS NOT NULL",
        ),
        # What the sending loop looks for.
        Index("ix_interactions_due", "scheduled_for", postgresql_where="state = 'SCHEDULED'"),
        Index("ix_interactions_attempts", "attempt_at", postgresql_where="attempt_at IS NOT NULL"),
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
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    in_reply_to_id: Mapped[uuid.UUID | None]
    scheduled_for: Mapped[datetime | None]
    sort_scheduled_for: Mapped[datetime] = mapped_column(
        Computed(f"coalesce(scheduled_for, '{NEVER}'::timestamptz)", persisted=True)
    )
    # When it went out last, unless it is to go out again; and when it first did.
    sent_at: Mapped[datetime | None]
    first_sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    viewed_at: Mapped[datetime | None]
    responded_at: Mapped[datetime | None]
    # A code, and our own words: both sides read them. A mail server's words are for staff.
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    failure_said: Mapped[str | None] = staff_only()
    # When the mail server took it, or why it was not asked to.
    mailed_at: Mapped[datetime | None]
    dashboard_only: Mapped[str | None]
    # How often it was given to the mail server, and from when on it may be again.
    attempts: Mapped[int] = staff_only(server_default=text("0"))
    attempt_at: Mapped[datetime | None] = staff_only()
    # Which of all attempts was the last: it is never counted anew, so that no two are the same.
    attempt_number: Mapped[int] = staff_only(server_default=text("0"))


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
REPLIES = Link(parent=INTERACTIONS.table.alias("answered"), column="in_reply_to_id")


@dataclass(frozen=True, kw_only=True)
class InteractionCommand(AccountCommand):
    """What every operation on one interaction takes. `expected_version` is the interaction's."""

    named = ("interaction", "id")

    interaction_id: uuid.UUID

    def objects(self) -> Mapping[str, Any]:
        """The interaction, with what it is about and what it answers."""
        return {"interaction": self.interaction_id}


def check_content(
    channel: str, subject: str | None, body: str, attachments: Sequence[DocumentReference]
) -> None:
    """Raise `InvalidInput` for what no contact over this channel can hold."""
    check_text(body, MAX_BODY_LENGTH, "body")
    check_subject(channel, subject)
    check_documents(attachments, "attachments")


def check_subject(channel: str, subject: str | None) -> None:
    """Raise `InvalidInput` for a subject that no contact over this channel can have."""
    check_optional_text(subject, MAX_SUBJECT_LENGTH, "subject")
    if subject is None and channel == InteractionChannel.EMAIL:
        raise InvalidInput("An e-mail must have a subject.", ("subject",))
    if subject is not None and one_line(subject) != subject:
        raise InvalidInput("A subject must be one line of text.", ("subject",))


def was_shown(row: Any) -> bool:
    """Whether the contact has ever gone out: then its user sees it for good, as it was."""
    return row.first_sent_at is not None


def permissions(row: Any, actor: Actor) -> list[Permission]:
    """What the actor may do with the interaction now, one entry per action, with refusals.

    `row` is an interaction or a record of its state.
    """
    return [
        Permission(action, tuple(_refusals(row, actor, action))) for action in InteractionAction
    ]


def _refusals(row: Any, actor: Actor, action: InteractionAction) -> list[Refusal]:
    found = []
    if action not in LIFECYCLE.actions_from(row.state):
        message = f"The interaction is {row.state}."
        found.append(Refusal(ErrorCode.ILLEGAL_TRANSITION, message))
    operation = "interactionReport" if action in REPORTING else operation_of("interaction", action)
    if (forbidden := refusal(actor, operation)) is not None:
        found.append(forbidden)
    return found
