"""The aggregate: the account's table, and what an operation has of an account under its lock.

The way of every operation is in `operation.py`, the account's own operations are in `account.py`.
"""

import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, undefer_group
from sqlalchemy.orm.strategy_options import _AbstractLoad

from models.actor import Actor, ActorKind, system
from models.base import STAFF_ONLY, Base, Changing, Json, staff_only
from models.capability import Capability
from models.checks import are_finite, counts_changes, says_something
from models.errors import NotFound, StaleVersion
from models.events import (
    GENESIS_HASH,
    EventType,
    SubjectType,
    next_event,
)
from models.ids import RandomBits, uuid7
from models.lifecycle import one_of, touch
from models.status import (
    AWAITING_ACCOUNT,
    REJECTED_REASONS,
    AccountStatus,
    Derived,
    derive,
    is_due,
)

if TYPE_CHECKING:
    from models.hold import Hold
    from models.requirement import Requirement

# Sorts what has no deadline last; PostgreSQL's infinity comes back from the driver as a naive time.
NEVER = "9999-12-31 00:00:00+00"
# What a rejection of the account, and its end, say to the account's user.
MAX_REJECTION_LENGTH = 5_000
MAX_REINSTATEMENT_LENGTH = 2_000

Row = TypeVar("Row", bound=Base)


class RiskTier(StrEnum):
    """How closely an account is watched."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class Account(Changing, Base):
    """A business on a platform."""

    __tablename__ = "accounts"
    __table_args__ = (
        # What the keys of the account's rows refer to, so that they can't name another platform.
        UniqueConstraint("account_id", "platform_id"),
        one_of("status", list(AccountStatus)),
        one_of("risk_tier", list(RiskTier)),
        one_of("rejected_reason", REJECTED_REASONS),
        # Rejected is what has a reason of rejection, and nothing else.
        CheckConstraint(
            "(status = 'REJECTED') = (rejected_reason IS NOT NULL)", name="rejected_with_reason"
        ),
        # A rejection has its statement, its instant and its author, or is from before they had.
        CheckConstraint(
            "(rejected_at IS NULL) = (rejected_by_id IS NULL) "
            "AND (rejected_at IS NULL) = (rejected_by_kind IS NULL) "
            "AND (rejected_at IS NOT NULL) "
            f"= (coalesce(length(rejection_statement), 0) BETWEEN 1 AND {MAX_REJECTION_LENGTH}) "
            "AND (rejected_at IS NULL OR rejected_reason IS NOT NULL)",
            name="rejected_by_somebody",
        ),
        # A rejection that was taken back says why, when and by whom, until there is another one.
        CheckConstraint(
            "(reinstated_at IS NULL) = (reinstated_by_id IS NULL) "
            "AND (reinstated_at IS NULL) = (reinstated_by_kind IS NULL) "
            "AND (reinstated_at IS NOT NULL) "
            "= (coalesce(length(reinstatement_reason), 0) "
            f"BETWEEN 1 AND {MAX_REINSTATEMENT_LENGTH}) "
            "AND (reinstated_at IS NULL OR rejected_reason IS NULL)",
            name="reinstated_by_somebody",
        ),
        one_of("rejected_by_kind", list(ActorKind)),
        says_something("says_something", "business_name", "rejection_statement", "rejected_by_id"),
        are_finite("instants_finite", "created_at", "updated_at", "rejected_at", "next_deadline"),
        counts_changes(),
        # What stands in the account's way has a reason, and nothing else has.
        CheckConstraint(
            "(status IN ('ENABLED', 'RESTRICTED_SOON')) = (disabled_reason IS NULL)",
            name="disabled_with_reason",
        ),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_is_alpha_2"),
        # The chain's head: an account without events stands at the genesis hash.
        CheckConstraint(
            f"(event_sequence = 0) = (event_hash = '{GENESIS_HASH}')", name="chain_head"
        ),
        Index(
            "ix_accounts_next_change_at",
            "next_change_at",
            postgresql_where="next_change_at IS NOT NULL",
        ),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-20)
    platform_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("platforms.id"), sort_order=-10)
    external_id: Mapped[str]
    business_name: Mapped[str]
    email: Mapped[str | None]
    country: Mapped[str]
    risk_tier: Mapped[str]
    status: Mapped[str]
    disabled_reason: Mapped[str | None]
    rejected_reason: Mapped[str | None]
    rejection_statement: Mapped[str | None]
    rejected_at: Mapped[datetime | None]
    rejected_by_kind: Mapped[str | None]
    rejected_by_id: Mapped[str | None] = staff_only()
    rejected_by_name: Mapped[str | None] = staff_only()
    reinstatement_reason: Mapped[str | None]
    reinstated_at: Mapped[datetime | None]
    reinstated_by_kind: Mapped[str | None]
    reinstated_by_id: Mapped[str | None] = staff_only()
    reinstated_by_name: Mapped[str | None] = staff_only()
    next_deadline: Mapped[datetime | None]
    sort_next_deadline: Mapped[datetime] = mapped_column(
        Computed(f"coalesce(next_deadline, '{NEVER}'::timestamptz)", persisted=True)
    )
    derived_at: Mapped[datetime]
    next_change_at: Mapped[datetime | None]
    event_sequence: Mapped[int] = mapped_column(BigInteger)
    event_hash: Mapped[str]
    # What the last import said, where the account was imported; see `stripe_import.py`.
    import_state: Mapped[Json | None] = staff_only(JSONB(none_as_null=True))


@dataclass(frozen=True, kw_only=True)
class AccountCommand:
    """What every operation on an account takes."""

    # What the input names, and where: the account itself, or the object that the operation is on.
    # An account that is not the caller's is missed under this name: they learn nothing of it.
    named: ClassVar[tuple[str, str]] = ("account", "accountId")

    account_id: uuid.UUID
    expected_version: int | None = None
    idempotency_key: str | None = None

    def objects(self) -> Mapping[str, Any]:
        """What else it is on, by the names that `facts_query` knows: read with the account."""
        return {}


@dataclass
class Unit:
    """One account under its lock, with all that its status depends on, and what is to be written.

    Nothing is written before the operation's step has ended; so a step that raises leaves no trace.
    """

    account: Account
    actor: Actor
    now: datetime
    idempotency_key: str | None = None
    session: AsyncSession | None = None
    random_bits: RandomBits = secrets.randbits
    capabilities: list[Capability] = field(default_factory=list)
    requirements: list["Requirement"] = field(default_factory=list)
    holds: list["Hold"] = field(default_factory=list)
    # All that was read under the lock: the session itself holds its objects weakly.
    read: list[Base] = field(default_factory=list)
    added: list[Base] = field(default_factory=list)
    # The last span of each requirement whose ledger was written to; see `fair_clock.py`.
    spans: dict[uuid.UUID, Base] = field(default_factory=dict)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    catching_up: bool = False
    version_seen: int = field(init=False)

    def __post_init__(self) -> None:
        self.version_seen = self.account.version

    @property
    def store(self) -> AsyncSession:
        """The session of the open transaction; there is none for a unit built in memory."""
        assert self.session is not None
        return self.session

    def new_id(self) -> uuid.UUID:
        """An id for something that is made now."""
        return uuid7(self.now, self.random_bits)

    def new_row(self) -> dict[str, Any]:
        """The columns that every new row of the account begins with."""
        return {
            "account_id": self.account.account_id,
            "platform_id": self.account.platform_id,
            "id": self.new_id(),
            "version": 1,
            "created_at": self.now,
            "updated_at": self.now,
        }

    def add(self, *rows: Base) -> None:
        """Write these rows with the operation."""
        self.added.extend(rows)

    def record(
        self, event: EventType, subject: tuple[SubjectType, uuid.UUID], changes: Mapping[str, Any]
    ) -> None:
        """Append an event to the account's chain, by this operation's actor."""
        self._append(self.doer, event, subject, changes)

    @property
    def doer(self) -> Actor:
        """Who does what happens now: the operation's actor, or the clock while it catches up."""
        return self._clock if self.catching_up else self.actor

    @property
    def _clock(self) -> Actor:
        return system(self.account.platform_id, "clock")

    def expect_version(self, expected: int | None) -> None:
        """Raise `StaleVersion` if the caller saw another version of the account.

        The one that it had under the lock: what the clock has changed since, nobody could see.
        """
        if expected is not None and expected != self.version_seen:
            raise StaleVersion(self.version_seen, expected)

    async def load(self, table: type[Row], row_id: uuid.UUID, noun: str) -> Row:
        """A row of this account; raises `NotFound` naming the noun."""
        row = await self.store.get(
            table, (self.account.account_id, row_id), options=staff_columns(self.actor)
        )
        if row is None:
            raise NotFound(noun)
        return row

    def find(self, kind: type[Row]) -> Row | None:
        """The row of this kind that was read because the operation names it."""
        return next(iter(self.find_all(kind)), None)

    def find_all(self, kind: type[Row]) -> list[Row]:
        """The rows of this kind that were read because the operation names them."""
        return [row for row in self.read if isinstance(row, kind)]

    @property
    def is_due(self) -> bool:
        """Whether an instant has come at which time alone has something to do here."""
        return is_due(self.account.next_change_at, self.now)

    @contextmanager
    def by_the_clock(self) -> Iterator[None]:
        """What is recorded within is the clock's doing, and not that of who came by."""
        before, self.catching_up = self.catching_up, True
        try:
            yield
        finally:
            self.catching_up = before

    def catch_up(self) -> None:
        """Record what the clock alone has changed since the status was last derived.

        To be called `by_the_clock`, for an account that `is_due`.
        """
        self._record_crossings(self.account.derived_at)
        self.derive()

    @property
    def requested(self) -> list[str]:
        """The kinds of the capabilities that are asked for."""
        return [capability.kind for capability in self.capabilities if capability.requested]

    def derive(self) -> Derived:
        """Materialise the status that follows from the facts, and record what changed."""
        account = self.account
        derived = derive(
            self.requested, account.rejected_reason, self.requirements, self.holds, self.now
        )
        for capability in self.capabilities:
            self._materialise(capability, derived)
        before = account.status
        account.next_deadline = derived.next_deadline
        account.next_change_at = derived.next_change_at
        account.derived_at = self.now
        if (before, account.disabled_reason) != (derived.status, derived.disabled_reason):
            account.status, account.disabled_reason = derived.status.value, derived.disabled_reason
            touch(account, self.now)
            self.record_derived(EventType.ACCOUNT_STATUS_CHANGED, _status_changes(before, derived))
        return derived

    def record_derived(self, event: EventType, changes: Mapping[str, Any]) -> None:
        """Append an event about the account itself that follows from others."""
        self.record(event, (SubjectType.ACCOUNT, self.account.account_id), changes)

    def _materialise(self, capability: Capability, derived: Derived) -> None:
        to = derived.capabilities[capability.kind]
        capability.restricts_at = to.restricts_at
        before = capability.status
        if (before, capability.disabled_reason) == (to.status, to.disabled_reason):
            return
        capability.status, capability.disabled_reason = to.status.value, to.disabled_reason
        capability.updated_at = self.now
        changes = {
            "kind": capability.kind,
            "status": {"from": before, "to": to.status},
            "disabledReason": to.disabled_reason,
        }
        self.record_derived(EventType.CAPABILITY_STATUS_CHANGED, changes)

    def _record_crossings(self, since: datetime) -> None:
        for row in self.requirements:
            if row.state in AWAITING_ACCOUNT:
                subject = (SubjectType.REQUIREMENT, row.id)
                self._crossing(
                    EventType.REQUIREMENT_CURRENTLY_DUE, subject, row.currently_due_at, since
                )
                self._crossing(EventType.REQUIREMENT_PAST_DUE, subject, row.deadline, since)
        for hold in self.holds:
            subject = (SubjectType.HOLD, hold.id)
            self._crossing(EventType.HOLD_EXPIRED, subject, hold.expires_at, since)

    def _crossing(
        self,
        event: EventType,
        subject: tuple[SubjectType, uuid.UUID],
        mark: datetime | None,
        since: datetime,
    ) -> None:
        if mark is not None and since < mark <= self.now:
            self.record(event, subject, {"at": mark})

    def _append(
        self,
        actor: Actor,
        event: EventType,
        subject: tuple[SubjectType, uuid.UUID],
        changes: Mapping[str, Any],
    ) -> None:
        self.events.append(
            next_event(
                self.account,
                self.new_id(),
                event,
                actor,
                self.now,
                subject,
                changes,
                None if self.catching_up else self.idempotency_key,
            )
        )


def _status_changes(before: str, derived: Derived) -> dict[str, Any]:
    return {
        "status": {"from": before, "to": derived.status},
        "disabledReason": derived.disabled_reason,
    }


def staff_columns(actor: Actor) -> list[_AbstractLoad]:
    """What loads the columns that account users' role may not read, for all others."""
    return [] if not actor.is_staff else [undefer_group(STAFF_ONLY)]
