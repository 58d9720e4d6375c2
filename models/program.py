"""A program: a versioned declaration, by an integrating team, of one kind of requirement.

A version never changes once published; publishing again makes the next version and supersedes the
one before. Requirements keep the version that they were opened under.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, undefer_group
from sqlalchemy.types import Text

from models.actor import Actor
from models.authorisation import authorise, authorise_on, refusal, refusal_of
from models.base import STAFF_ONLY, Base, staff_only, stamp
from models.checks import says_something
from models.clock import Clock
from models.errors import ErrorCode, InvalidInput, NotFound, StaleVersion
from models.idempotency import MAX_KEY_LENGTH
from models.ids import program_id_for
from models.lifecycle import Lifecycle, one_of, some_of
from models.notice_texts import NoticeText
from models.outcome import Outcome
from models.permission import Permission, Refusal
from models.platform_operation import lock_platform, remember
from models.program_checks import MAX_CODE_LENGTH, check_declaration
from models.session import transaction
from models.status import CapabilityKind
from models.text import check_optional_text, check_text

DEFAULT_APPEAL_WITHIN = "P6M"


class ProgramState(StrEnum):
    """Whether new requirements may be opened under a version."""

    PUBLISHED = "PUBLISHED"
    SUPERSEDED = "SUPERSEDED"
    RETIRED = "RETIRED"


class GroundKind(StrEnum):
    """What a decision is founded on."""

    LEGAL = "LEGAL"
    CONTRACTUAL = "CONTRACTUAL"


class RequirementCategory(StrEnum):
    """What a requirement is about."""

    IDENTITY = "IDENTITY"
    BUSINESS_MODEL = "BUSINESS_MODEL"
    RESTRICTED_INDUSTRY = "RESTRICTED_INDUSTRY"
    SUPPORTABILITY_APPEAL = "SUPPORTABILITY_APPEAL"
    DOCUMENT = "DOCUMENT"
    CREDIT = "CREDIT"
    SANCTIONS = "SANCTIONS"
    OWNERSHIP = "OWNERSHIP"
    BANK_ACCOUNT = "BANK_ACCOUNT"
    TERMS = "TERMS"
    OTHER = "OTHER"


class ProgramAction(StrEnum):
    """What may be done with a program."""

    RETIRE = "RETIRE"


# What publishing the next version does to the one before; nobody takes it by itself.
SUPERSEDE = "SUPERSEDE"
LIFECYCLE = Lifecycle(
    noun="program",
    states=tuple(ProgramState),
    transitions={
        (ProgramState.PUBLISHED, SUPERSEDE): ProgramState.SUPERSEDED,
        (ProgramState.PUBLISHED, ProgramAction.RETIRE): ProgramState.RETIRED,
    },
)


class Program(Base):
    """One version of one kind of requirement. A small table that every shard has."""

    __tablename__ = "programs"
    __table_args__ = (
        UniqueConstraint("id"),
        LIFECYCLE.check(),
        one_of("category", list(RequirementCategory)),
        one_of("legal_ground_kind", list(GroundKind)),
        some_of("restricts", list(CapabilityKind)),
        some_of("gates", list(CapabilityKind)),
        # A retired version says when.
        CheckConstraint(
            "(state = 'RETIRED') = (retired_at IS NOT NULL)", name="retired_with_instant"
        ),
        CheckConstraint("version > 0", name="version_positive"),
        says_something("says_something", "code", "name", "title"),
        # Holidays are those of a place, and days begin by its clock.
        CheckConstraint(
            "(calendar_region IS NULL) = (calendar_time_zone IS NULL)", name="calendar_is_whole"
        ),
        # New requirements open under one version of a code: the published one.
        Index(
            "ux_programs_published",
            "platform_id",
            "code",
            unique=True,
            postgresql_where="state = 'PUBLISHED'",
        ),
    )
    platform_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("platforms.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID]
    name: Mapped[str]
    state: Mapped[str]
    owner: Mapped[str]
    category: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    evidence_schema: Mapped[dict[str, Any]] = mapped_column(JSONB)
    proves: Mapped[list[str]] = mapped_column(ARRAY(Text))
    due_after: Mapped[str | None]
    deadline_after: Mapped[str | None]
    notice_period: Mapped[str | None]
    max_extension: Mapped[str | None]
    reminders: Mapped[list[str]] = mapped_column(ARRAY(Text))
    restricts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    gates: Mapped[list[str]] = mapped_column(ARRAY(Text))
    four_eyes: Mapped[bool]
    pauses_deadline: Mapped[bool]
    review_within: Mapped[str | None]
    calendar_region: Mapped[str | None]
    calendar_time_zone: Mapped[str | None]
    appeal_within: Mapped[str | None]
    termination_notice: Mapped[str | None]
    legal_ground: Mapped[str | None]
    legal_ground_kind: Mapped[str | None]
    reason_codes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    error_codes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    notices: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    published_at: Mapped[datetime]
    published_by_kind: Mapped[str]
    published_by_id: Mapped[str] = staff_only()
    published_by_name: Mapped[str | None] = staff_only()
    retired_at: Mapped[datetime | None]


@dataclass(frozen=True)
class CodeText:
    """One entry of a program's registry of reason or error codes."""

    code: str
    description: str


@dataclass(frozen=True)
class BusinessCalendar:
    """Where working days are counted: ISO 3166 with a subdivision or not, and IANA's time zone."""

    region: str
    time_zone: str


@dataclass(frozen=True)
class Publish:
    """What `publish` takes. Durations are ISO 8601; capabilities are `CapabilityKind` values."""

    code: str
    name: str
    owner: str
    category: str
    title: str
    description: str
    evidence_schema: Any
    proves: tuple[str, ...] = ()
    due_after: str | None = None
    deadline_after: str | None = None
    notice_period: str | None = None
    max_extension: str | None = None
    reminders: tuple[str, ...] = ()
    restricts: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    four_eyes: bool = False
    pauses_deadline: bool = True
    review_within: str | None = None
    business_calendar: BusinessCalendar | None = None
    appeal_within: str | None = DEFAULT_APPEAL_WITHIN
    termination_notice: str | None = None
    legal_ground: str | None = None
    legal_ground_kind: str | None = None
    reason_codes: tuple[CodeText, ...] = ()
    error_codes: tuple[CodeText, ...] = ()
    notices: tuple[NoticeText, ...] = ()
    expected_version: int | None = None
    idempotency_key: str | None = None


# What a declaration has beside the columns of a version; a calendar has columns of its own.
NOT_COLUMNS = frozenset({"business_calendar", "expected_version", "idempotency_key"})
DECLARED = tuple(one.name for one in fields(Publish) if one.name not in NOT_COLUMNS)


@dataclass(frozen=True)
class Retire:
    """What `retire` takes: the code whose published version is retired."""

    code: str
    expected_version: int | None = None
    idempotency_key: str | None = None


class ProgramNotPublished(InvalidInput):
    """No version of the program takes new requirements."""

    def __init__(self, code: str) -> None:
        super().__init__(f"No version of program {code} is published.", ("program",))


async def publish(
    session: AsyncSession, actor: Actor, clock: Clock, command: Publish
) -> Outcome[Program]:
    """Publish the next version of a program; the published one before it is superseded.

    `expected_version` is the version that is published now, 0 for a new code. Raises
    `InvalidInput` for a text, duration or JSON Schema that can't be, `StaleVersion`.
    """
    authorise(actor, "programPublish")
    check_declaration(command)
    async with transaction(session, actor):
        replay = await _lock(session, actor, "programPublish", command)
        if replay is not None:
            return replay
        latest = await _latest(session, actor.platform_id, command.code)
        if latest is not None:
            authorise_on(actor, "programPublish", latest)
        _expect(command.expected_version, latest)
        now = clock.now()
        if latest is not None and latest.state == ProgramState.PUBLISHED:
            latest.state = LIFECYCLE.target(latest.state, SUPERSEDE)
            await session.flush()
        program = _new_version(actor, command, 1 if latest is None else latest.version + 1, now)
        session.add(program)
        _remember(session, actor, "programPublish", command, program, now)
        return Outcome(program)


async def publish_missing(
    session: AsyncSession, actor: Actor, clock: Clock, commands: Iterable[Publish]
) -> None:
    """Publish those whose code no program has yet; what a platform made of them since stays."""
    async with transaction(session, actor):
        codes = select(Program.code).where(Program.platform_id == actor.platform_id)
        known = set(await session.scalars(codes.distinct()))
    for command in commands:
        if command.code not in known:
            # Another process may have been first.
            with suppress(StaleVersion):
                await publish(session, actor, clock, replace(command, expected_version=0))


async def retire(
    session: AsyncSession, actor: Actor, clock: Clock, command: Retire
) -> Outcome[Program]:
    """Retire the published version: nothing new opens under it, what is open goes on.

    Raises `NotFound` for an unknown code, `IllegalTransition` when it is retired already.
    """
    authorise(actor, "programRetire")
    check_text(command.code, MAX_CODE_LENGTH, "code")
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    async with transaction(session, actor):
        replay = await _lock(session, actor, "programRetire", command)
        if replay is not None:
            return replay
        latest = await _latest(session, actor.platform_id, command.code)
        if latest is None:
            raise NotFound("program", ("code",))
        authorise_on(actor, "programRetire", latest)
        _expect(command.expected_version, latest)
        now = clock.now()
        latest.state, latest.retired_at = LIFECYCLE.target(latest.state, ProgramAction.RETIRE), now
        _remember(session, actor, "programRetire", command, latest, now)
        return Outcome(latest)


async def all_published(session: AsyncSession, platform_id: uuid.UUID) -> dict[str, Program]:
    """The versions that new requirements open under, by code."""
    found = await session.scalars(
        select(Program).where(
            Program.platform_id == platform_id, Program.state == ProgramState.PUBLISHED
        )
    )
    return {program.code: program for program in found}


async def _lock(
    session: AsyncSession, actor: Actor, operation: str, command: Publish | Retire
) -> Outcome[Program] | None:
    """Lock the platform, so that versions come one after another; the first result of a replay."""
    known = await lock_platform(session, actor, operation, command)
    if known is None:
        return None
    key = (actor.platform_id, known["code"], known["version"])
    program = await session.get(Program, key)
    assert program is not None
    return Outcome(program, replayed=True)


async def _latest(session: AsyncSession, platform_id: uuid.UUID, code: str) -> Program | None:
    return await session.scalar(
        select(Program)
        .where(Program.platform_id == platform_id, Program.code == code)
        .order_by(Program.version.desc())
        .limit(1)
        # Whose it is depends on who published it; none but staff come here.
        .options(undefer_group(STAFF_ONLY))
    )


def _expect(expected: int | None, latest: Program | None) -> None:
    current = 0 if latest is None else latest.version
    if expected is not None and expected != current:
        raise StaleVersion(current, expected)


def _new_version(actor: Actor, command: Publish, version: int, now: datetime) -> Program:
    calendar = command.business_calendar
    declared = {name: _stored(getattr(command, name)) for name in DECLARED}
    program = Program(
        **{**declared, "category": RequirementCategory(command.category)},
        platform_id=actor.platform_id,
        version=version,
        id=program_id_for(actor.platform_id, command.code, version),
        state=ProgramState.PUBLISHED,
        calendar_region=calendar.region if calendar else None,
        calendar_time_zone=calendar.time_zone if calendar else None,
        published_at=now,
    )
    stamp(program, "published_by", actor)
    return program


def _stored(value: Any) -> Any:
    """A value of a declaration as its column has it."""
    if not isinstance(value, tuple):
        return value
    return [entry if isinstance(entry, str) else asdict(entry) for entry in value]


def _remember(
    session: AsyncSession,
    actor: Actor,
    operation: str,
    command: Publish | Retire,
    program: Program,
    now: datetime,
) -> None:
    result = {"code": program.code, "version": program.version}
    remember(session, actor, operation, command, result, now)


def permissions(row: Any, actor: Actor) -> list[Permission]:
    """What the actor may do with the program version now, one entry per action."""
    found = []
    if row.state != ProgramState.PUBLISHED:
        found.append(Refusal(ErrorCode.ILLEGAL_TRANSITION, f"The version is {row.state}."))
    forbidden = refusal(actor, "programRetire") or refusal_of(actor, "programRetire", row)
    if forbidden is not None:
        found.append(forbidden)
    return [Permission(ProgramAction.RETIRE, tuple(found))]
