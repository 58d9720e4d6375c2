"""The plain application's mapped classes: the columns that it shows, and those that it writes."""

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Enum, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from models.aggregate import RiskTier
from models.interaction import InteractionChannel, InteractionPurpose, InteractionState
from models.program import RequirementCategory
from models.requirement import Priority
from models.resolution import ResolutionOutcome, ResolutionState
from models.status import AccountStatus, DueStatus, HoldReason, RequirementState
from tests.bench.handwritten import due_status


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it so)
        str: Text,
        datetime: DateTime(timezone=True),
        enum.Enum: Enum(enum.Enum, native_enum=False),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class Owned:
    """What belongs to an account."""

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.account_id"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class AccountRow(Base):
    __tablename__ = "accounts"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    platform_id: Mapped[uuid.UUID]
    external_id: Mapped[str]
    business_name: Mapped[str]
    email: Mapped[str | None]
    country: Mapped[str]
    risk_tier: Mapped[RiskTier]
    status: Mapped[AccountStatus]
    event_sequence: Mapped[int]
    event_hash: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(deferred=True)


class RequirementRow(Owned, Base):
    __tablename__ = "requirements"

    platform_id: Mapped[uuid.UUID]
    title: Mapped[str]
    category: Mapped[RequirementCategory]
    state: Mapped[RequirementState]
    currently_due_at: Mapped[datetime | None]
    deadline: Mapped[datetime | None]
    sort_deadline: Mapped[datetime] = mapped_column(deferred=True)
    priority: Mapped[Priority]
    submitted_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None] = mapped_column(deferred=True)
    version: Mapped[int] = mapped_column()
    updated_at: Mapped[datetime] = mapped_column(deferred=True)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy reads it so)

    def due_status(self, now: datetime) -> DueStatus:
        return DueStatus(due_status(self.state, self.currently_due_at, self.deadline, now))


class InteractionRow(Owned, Base):
    __tablename__ = "interactions"

    purpose: Mapped[InteractionPurpose]
    channel: Mapped[InteractionChannel]
    state: Mapped[InteractionState]
    subject: Mapped[str | None]
    created_at: Mapped[datetime]


class InteractionRequirementRow(Base):
    __tablename__ = "interaction_requirements"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    interaction_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    requirement_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class ResolutionRow(Owned, Base):
    __tablename__ = "resolutions"

    requirement_id: Mapped[uuid.UUID]
    outcome: Mapped[ResolutionOutcome]
    state: Mapped[ResolutionState]
    reason_code: Mapped[str]
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(deferred=True)


class EvidenceRow(Owned, Base):
    __tablename__ = "evidence"

    platform_id: Mapped[uuid.UUID]
    requirement_id: Mapped[uuid.UUID]
    payload: Mapped[dict[str, Any]]
    documents: Mapped[list[dict[str, Any]]]
    submitted_by_kind: Mapped[str]
    submitted_by_id: Mapped[str]
    submitted_at: Mapped[datetime]


class HoldRow(Owned, Base):
    __tablename__ = "holds"

    platform_id: Mapped[uuid.UUID]
    capabilities: Mapped[list[str]]
    reason: Mapped[HoldReason]
    placed_by_kind: Mapped[str]
    placed_by_id: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class EventRow(Owned, Base):
    __tablename__ = "events"

    platform_id: Mapped[uuid.UUID]
    sequence: Mapped[int]
    type: Mapped[str]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    changes: Mapped[dict[str, Any]]
    previous_hash: Mapped[str]
    hash: Mapped[str]
