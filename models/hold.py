"""A hold: a direct restriction of capabilities, placed and released by a person or a system."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CheckConstraint, Index, Table
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from models.actor import Actor, ActorKind
from models.aggregate import AccountCommand, Unit
from models.authorisation import refusal
from models.base import AccountScoped, Base, Changing, OwnId, account_key, staff_only, stamp
from models.checks import are_finite, counts_changes, says_something
from models.clock import Clock
from models.errors import ErrorCode, InvalidInput
from models.events import EventType, SubjectType
from models.lifecycle import Lifecycle, expect_version, one_of, some_of, touch
from models.notice_texts import AccountNotice
from models.notices import notify_account
from models.operation import operate
from models.outcome import Outcome
from models.permission import Permission, Refusal
from models.status import CapabilityKind, HoldReason, hold_is_on
from models.text import check_optional_text

MAX_NOTE_LENGTH = 5_000


class HoldAction(StrEnum):
    """What may be done with a hold."""

    RELEASE = "RELEASE"


class HoldState(StrEnum):
    """Where a hold stands: a view of its instants and the clock, in no column."""

    ON = "ON"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


LIFECYCLE = Lifecycle(
    noun="hold",
    states=tuple(HoldState),
    transitions={(HoldState.ON, HoldAction.RELEASE): HoldState.RELEASED},
)


class Hold(AccountScoped, OwnId, Changing, Base):
    """One restriction. It is on until it is released or expires."""

    __tablename__ = "holds"
    __table_args__ = (
        account_key(),
        one_of("reason", list(HoldReason)),
        some_of("capabilities", list(CapabilityKind)),
        CheckConstraint("cardinality(capabilities) > 0", name="restricts_something"),
        one_of("released_by_kind", list(ActorKind)),
        says_something("says_something", "placed_by_id", "released_by_id"),
        are_finite("instants_finite", "created_at", "updated_at", "expires_at", "released_at"),
        counts_changes(),
        CheckConstraint("expires_at IS NULL OR expires_at > created_at", name="expires_later"),
        # Released means: by somebody, at an instant.
        CheckConstraint(
            "(released_at IS NULL) = (released_by_id IS NULL) "
            "AND (released_by_id IS NULL) = (released_by_kind IS NULL)",
            name="released_by_somebody",
        ),
        Index(
            "ix_holds_unreleased",
            "account_id",
            postgresql_where="released_at IS NULL",
        ),
    )

    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    reason: Mapped[str]
    note: Mapped[str | None] = staff_only()
    expires_at: Mapped[datetime | None]
    placed_by_kind: Mapped[str]
    placed_by_id: Mapped[str] = staff_only()
    placed_by_name: Mapped[str | None] = staff_only()
    released_at: Mapped[datetime | None]
    released_by_kind: Mapped[str | None]
    released_by_id: Mapped[str | None] = staff_only()
    released_by_name: Mapped[str | None] = staff_only()


HOLDS = cast(Table, Hold.__table__)


@dataclass(frozen=True, kw_only=True)
class PlaceHold(AccountCommand):
    """What `place` takes. `note` is for staff only. `expected_version` is the account's."""

    capabilities: tuple[str, ...]
    reason: str
    note: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ReleaseHold(AccountCommand):
    """What `release` takes. `expected_version` is the hold's."""

    named = ("hold", "id")

    hold_id: uuid.UUID


async def place(
    session: AsyncSession, actor: Actor, clock: Clock, command: PlaceHold
) -> Outcome[Hold]:
    """Restrict capabilities of an account at once.

    Raises `Forbidden`, `NotFound` for the account, `StaleVersion`, `InvalidInput`.
    """
    check_optional_text(command.note, MAX_NOTE_LENGTH, "note")

    async def step(unit: Unit) -> Hold:
        unit.expect_version(command.expected_version)
        return add_hold(
            unit, command.capabilities, command.reason, command.note, command.expires_at
        )

    return await operate(session, actor, clock, "holdPlace", command, Hold, step)


async def release(
    session: AsyncSession, actor: Actor, clock: Clock, command: ReleaseHold
) -> Outcome[Hold]:
    """End a hold. Raises `NotFound`, `StaleVersion`, `IllegalTransition` once it has ended."""

    async def step(unit: Unit) -> Hold:
        hold = await unit.load(Hold, command.hold_id, "hold")
        expect_version(hold, command.expected_version)
        end_hold(unit, hold)
        _tell_end(unit, hold)
        return hold

    return await operate(session, actor, clock, "holdRelease", command, Hold, step)


def add_hold(
    unit: Unit,
    capabilities: Sequence[str],
    reason: str,
    note: str | None = None,
    expires_at: datetime | None = None,
) -> Hold:
    """Place a hold within an open unit."""
    if not capabilities:
        raise InvalidInput("A hold must name at least one capability.", ("capabilities",))
    if expires_at is not None and expires_at <= unit.now:
        raise InvalidInput("A hold must expire in the future.", ("expiresAt",))
    hold = Hold(
        **unit.new_row(),
        capabilities=sorted({CapabilityKind(kind).value for kind in capabilities}),
        reason=HoldReason(reason).value,
        note=note,
        expires_at=expires_at,
    )
    stamp(hold, "placed_by", unit.actor)
    unit.holds.append(hold)
    unit.add(hold)
    unit.record(
        EventType.HOLD_PLACED,
        (SubjectType.HOLD, hold.id),
        {"capabilities": hold.capabilities, "reason": hold.reason, "expiresAt": expires_at},
    )
    return hold


def _tell_end(unit: Unit, hold: Hold) -> None:
    """Tell the account's user of what it has restricted; that it began was told as it did."""
    restricted = [kind for kind in hold.capabilities if kind in unit.requested]
    if restricted and unit.account.rejected_reason is None:
        notify_account(unit, AccountNotice.RELEASED, "", restricted)


def end_hold(unit: Unit, hold: Hold) -> None:
    """Release a hold within an open unit."""
    LIFECYCLE.target(state_of(hold, unit.now), HoldAction.RELEASE)
    hold.released_at = unit.now
    stamp(hold, "released_by", unit.actor)
    touch(hold, unit.now)
    unit.record(EventType.HOLD_RELEASED, (SubjectType.HOLD, hold.id), {"reason": hold.reason})


def state_of(row: Any, now: datetime) -> HoldState:
    """Where the hold stands at `now`; `row` is a hold or a record of its instants."""
    if hold_is_on(row, now):
        return HoldState.ON
    return HoldState.EXPIRED if row.released_at is None else HoldState.RELEASED


def permissions(row: Any, actor: Actor, now: datetime) -> list[Permission]:
    """What the actor may do with the hold at `now`, one entry per action."""
    found = []
    state = state_of(row, now)
    if HoldAction.RELEASE not in LIFECYCLE.actions_from(state):
        found.append(Refusal(ErrorCode.ILLEGAL_TRANSITION, f"The hold is {state}."))
    if (forbidden := refusal(actor, "holdRelease")) is not None:
        found.append(forbidden)
    return [Permission(HoldAction.RELEASE, tuple(found))]
