"""The aggregate: the account's table, its lock, and the way of every operation under it.

`operate` is that way: one transaction that locks the account, plays back a known idempotency key,
lets the clock catch up, runs the operation's step, derives the status and writes events, outbox and
key with it. The account's own operations are in `account.py`.
"""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    UniqueConstraint,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, undefer_group
from sqlalchemy.orm.strategy_options import _AbstractLoad

from models.actor import Actor, ActorKind, system
from models.base import STAFF_ONLY, Base, Changing, Json, staff_only
from models.capability import Capability
from models.checks import are_finite, counts_changes, says_something
from models.clock import Clock
from models.errors import NotFound, StaleVersion
from models.events import (
    GENESIS_HASH,
    EventType,
    SubjectType,
    next_event,
    outbox_columns,
)
from models.facts import facts_query
from models.idempotency import MAX_KEY_LENGTH, IdempotencyKey, check_same_request, request_hash
from models.ids import RandomBits, uuid7
from models.lifecycle import one_of, touch
from models.outcome import Outcome
from models.session import LOCKED, driver_of, lock_sql, transaction
from models.status import (
    AWAITING_ACCOUNT,
    LIVE_STATES,
    REJECTED_REASONS,
    AccountStatus,
    Derived,
    derive,
)
from models.text import check_optional_text
from models.writing import read_rows, write_rows

if TYPE_CHECKING:
    from models.hold import Hold
    from models.requirement import Requirement

# Sorts what has no deadline last; PostgreSQL's infinity comes back from the driver as a naive time.
NEVER = "9999-12-31 00:00:00+00"

NOTHING_NAMED: Mapping[str, Any] = {}
Row = TypeVar("Row", bound=Base)
Step = Callable[["Unit"], Awaitable[Row]]


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
            "= (coalesce(length(rejection_statement), 0) BETWEEN 1 AND 5000) "
            "AND (rejected_at IS NULL OR rejected_reason IS NOT NULL)",
            name="rejected_by_somebody",
        ),
        # A rejection that was taken back says why, when and by whom, until there is another one.
        CheckConstraint(
            "(reinstated_at IS NULL) = (reinstated_by_id IS NULL) "
            "AND (reinstated_at IS NULL) = (reinstated_by_kind IS NULL) "
            "AND (reinstated_at IS NOT NULL) "
            "= (coalesce(length(reinstatement_reason), 0) BETWEEN 1 AND 2000) "
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
        return next((row for row in self.read if isinstance(row, kind)), None)

    def find_all(self, kind: type[Row]) -> list[Row]:
        """The rows of this kind that were read because the operation names them."""
        return [row for row in self.read if isinstance(row, kind)]

    def catch_up(self) -> None:
        """Record what the clock alone has changed since the status was last derived."""
        due = self.account.next_change_at
        if due is None or due > self.now:
            return
        self.catching_up = True
        self._record_crossings(self.account.derived_at)
        self.derive()
        self.catching_up = False

    def derive(self) -> Derived:
        """Materialise the status that follows from the facts, and record what changed."""
        account = self.account
        requested = [c.kind for c in self.capabilities if c.requested]
        derived = derive(
            requested, account.rejected_reason, self.requirements, self.holds, self.now
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


async def operate(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    operation: str,
    command: AccountCommand,
    kind: type[Row],
    step: Step[Row],
) -> Outcome[Row]:
    """Run one operation on one account as one transaction under the account's lock.

    `step` changes rows of `kind` through the unit and returns the changed one. A known idempotency
    key gives the row that it had changed, as it is now, and `replayed`. Raises `NotFound` where the
    account is not the actor's, `IdempotencyKeyReused`, and whatever the step raises.
    """
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    first = lock_sql(actor.platform_id, command.account_id)
    async with transaction(session, actor, first) as locked:
        if locked != LOCKED:
            noun, field = command.named
            raise NotFound(noun, (field,))
        return await run_locked(session, actor, clock, operation, command, kind, step)


async def run_locked(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    operation: str,
    command: Any,
    kind: type[Row],
    step: Step[Row],
) -> Outcome[Row]:
    """`operate` within a transaction that has locked the account already."""
    named = dict(command.objects())
    if command.idempotency_key is not None:
        named |= {"caller": actor.caller, "key": command.idempotency_key}
    unit = await read_locked(session, actor, clock, command.account_id, named)
    unit.idempotency_key = command.idempotency_key
    replay = await _replay(unit, operation, command, kind)
    if replay is not None:
        return replay
    unit.catch_up()
    value = await step(unit)
    unit.derive()
    _remember(unit, operation, command, value)
    await write(unit)
    return Outcome(value)


async def rederive(
    session: AsyncSession, actor: Actor, clock: Clock, account_id: uuid.UUID
) -> bool:
    """Let the clock catch up with one account; whether its instant had come. Safe to run twice."""
    async with transaction(session, actor, lock_sql(actor.platform_id, account_id)) as locked:
        if locked != LOCKED:
            raise NotFound("account", ("accountId",))
        unit = await read_locked(session, actor, clock, account_id)
        due = unit.account.next_change_at
        unit.catch_up()
        await write(unit)
        return due is not None and due <= unit.now


async def lock(session: AsyncSession, actor: Actor, account_id: uuid.UUID) -> None:
    """Lock an account that is there, in a transaction that has done something else before."""
    locked = await driver_of(session).execute(lock_sql(actor.platform_id, account_id))
    if locked != LOCKED:
        raise NotFound("account", ("externalId",))


async def read_locked(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    account_id: uuid.UUID,
    named: Mapping[str, Any] = NOTHING_NAMED,
) -> Unit:
    """Read a locked account, what its status depends on and what is `named`, by one statement.

    Not by the one that locks: that sees what was before it had to wait.
    """
    # Between an operation's reads its rows may contradict each other; they are written at its end.
    session.autoflush = False
    values = {"account": account_id, "platform": actor.platform_id, **named}
    query = facts_query(frozenset(named), actor.is_staff)
    found = await read_rows(session, query, values, actor.is_staff)
    (account,) = found["accounts"]
    return Unit(
        account=account,
        actor=actor,
        # A clock that lags behind the one that derived last must not undo what time has done.
        now=max(clock.now(), account.derived_at),
        session=session,
        capabilities=sorted(found.get("capabilities", ()), key=attrgetter("kind")),
        requirements=sorted(
            (row for row in found.get("requirements", ()) if row.state in LIVE_STATES),
            key=attrgetter("id"),
        ),
        holds=sorted(
            (row for row in found.get("holds", ()) if row.released_at is None), key=attrgetter("id")
        ),
        read=[row for rows in found.values() for row in rows],
    )


async def write(unit: Unit) -> None:
    """Write what has become of the unit's rows, what is new and its events, by one statement."""
    outbox = [outbox_columns(event) for event in unit.events]
    new: dict[str, Sequence[Mapping[str, Any]]] = {"events": unit.events, "outbox": outbox}
    await write_rows(unit.store, unit.account.account_id, unit.added, new)


def staff_columns(actor: Actor) -> list[_AbstractLoad]:
    """What loads the columns that account users' role may not read, for all others."""
    return [] if not actor.is_staff else [undefer_group(STAFF_ONLY)]


async def _replay(unit: Unit, operation: str, command: Any, kind: type[Row]) -> Outcome[Row] | None:
    if unit.idempotency_key is None:
        return None
    known = unit.find(IdempotencyKey)
    if known is None:
        return None
    check_same_request(known, request_hash(operation, command))
    row_key = [uuid.UUID(part) for part in known.result["key"]]
    value = await unit.store.get(kind, tuple(row_key) if len(row_key) > 1 else row_key[0])
    assert value is not None
    return Outcome(value, replayed=True)


def _remember(unit: Unit, operation: str, command: Any, value: Any) -> None:
    if unit.idempotency_key is None:
        return
    account = unit.account
    key = [account.account_id] if value is account else [account.account_id, value.id]
    unit.add(
        IdempotencyKey(
            account_id=account.account_id,
            platform_id=account.platform_id,
            caller=unit.actor.caller,
            key=unit.idempotency_key,
            request_hash=request_hash(operation, command),
            result={"key": [str(part) for part in key]},
            created_at=unit.now,
        )
    )


def _status_changes(before: str, derived: Derived) -> dict[str, Any]:
    return {
        "status": {"from": before, "to": derived.status},
        "disabledReason": derived.disabled_reason,
    }


@dataclass(frozen=True)
class DueAccount:
    """An account whose next change has come."""

    account_id: uuid.UUID
    platform_id: uuid.UUID


async def due_accounts(connection: AsyncConnection, now: datetime, limit: int) -> list[DueAccount]:
    """The accounts whose next change is due, the longest due first; nothing is locked."""
    rows = await connection.execute(
        select(Account.account_id, Account.platform_id)
        .where(Account.next_change_at <= now)
        .order_by(Account.next_change_at)
        .limit(limit)
    )
    return [DueAccount(*row) for row in rows]
