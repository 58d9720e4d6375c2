"""An API key: what a service shows to act on its platform.

Its secret is shown once, when it is made; the store has only a hash of it. A key that is rotated
gives way to another, which speaks for the same service, and lives on for a while beside it.
"""

import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Table, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from models.actor import Actor, Role, Scope
from models.authorisation import authorise, operation_of, refusal
from models.base import Base, Changing, stamp
from models.checks import are_finite, counts_changes, says_something
from models.clock import Clock
from models.durations import after, check_duration
from models.errors import ErrorCode, Forbidden, InvalidInput, NotFound
from models.idempotency import MAX_KEY_LENGTH
from models.ids import HexId, id_array, uuid7
from models.lifecycle import Lifecycle, expect_version, one_of, touch
from models.listing import ListSpec, is_any_id, record_class
from models.outcome import Outcome
from models.permission import Permission, Refusal
from models.platform_operation import lock_platform, remember
from models.reading import Query, Reader, Record, compile_query
from models.session import transaction
from models.text import check_line, check_optional_text

MAX_NAME_LENGTH = 200
MAX_SCOPES = 20
DEFAULT_OVERLAP = "P1D"
PREFIX = "rk"
# The id of a service's actor begins so: no person has such a one.
SERVICE = "service:"
SECRET_BYTES = 32
# A key stands for no person: with one, nobody decides on anything, or keeps keys.
OF_SERVICES = ("INTEGRATOR", "AUDITOR")
KEY_ROLES = tuple(role for role in Role if role in OF_SERVICES)
_PREFIX_FORM = re.compile("rk_([0-9a-f]{32})_([0-9a-f]{32})")
_FORM = re.compile(f"{_PREFIX_FORM.pattern}_[0-9a-f]{{64}}")


class ApiKeyState(StrEnum):
    """Whether a key is the present one of its service. Each may be past its expiry as well."""

    ACTIVE = "ACTIVE"
    ROTATED = "ROTATED"
    REVOKED = "REVOKED"


class ApiKeyAction(StrEnum):
    """What may be done with an API key."""

    ROTATE = "ROTATE"
    REVOKE = "REVOKE"


LIFECYCLE = Lifecycle(
    noun="API key",
    states=tuple(ApiKeyState),
    transitions={
        (ApiKeyState.ACTIVE, ApiKeyAction.ROTATE): ApiKeyState.ROTATED,
        (ApiKeyState.ACTIVE, ApiKeyAction.REVOKE): ApiKeyState.REVOKED,
        (ApiKeyState.ROTATED, ApiKeyAction.REVOKE): ApiKeyState.REVOKED,
    },
)


class ApiKey(Changing, Base):
    """One key. A small table that every shard has."""

    __tablename__ = "api_keys"
    __table_args__ = (
        ForeignKeyConstraint(
            ["platform_id", "replaced_by"], ["api_keys.platform_id", "api_keys.id"]
        ),
        LIFECYCLE.check(),
        one_of("role", OF_SERVICES),
        says_something("says_something", "name", "created_by_kind", "created_by_id"),
        counts_changes(),
        are_finite(
            *("instants_finite", "created_at", "updated_at"),
            *("expires_at", "revoked_at", "last_used_at"),
        ),
        # The hash of a key, and never the key itself.
        CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name="hash_is_sha256"),
        CheckConstraint("coalesce(expires_at > created_at, true)", name="expires_later"),
        # A revoked key says when, and by whom.
        CheckConstraint(
            "(state = 'REVOKED') = (revoked_at IS NOT NULL) "
            "AND (revoked_at IS NULL) = (revoked_by_kind IS NULL) "
            "AND (revoked_at IS NULL) = (revoked_by_id IS NULL)",
            name="revoked_with_instant",
        ),
        # A rotated key has given way to another, and ends.
        CheckConstraint(
            "CASE state WHEN 'ACTIVE' THEN replaced_by IS NULL "
            "WHEN 'ROTATED' THEN replaced_by IS NOT NULL AND expires_at IS NOT NULL "
            "ELSE true END AND replaced_by IS DISTINCT FROM id",
            name="rotated_with_successor",
        ),
    )
    platform_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("platforms.id"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    service_id: Mapped[uuid.UUID]
    name: Mapped[str]
    role: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    # Nobody reads it but who checks keys: staff's role may not.
    hash: Mapped[str] = mapped_column(deferred=True)
    created_by_kind: Mapped[str]
    created_by_id: Mapped[str]
    created_by_name: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    replaced_by: Mapped[uuid.UUID | None]
    revoked_at: Mapped[datetime | None]
    revoked_by_kind: Mapped[str | None]
    revoked_by_id: Mapped[str | None]
    revoked_by_name: Mapped[str | None]
    last_used_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Issued:
    """A key as an operation left it; `secret` is the whole key where it has just been made."""

    key: ApiKey
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CreateApiKey:
    """What `create` takes. Without `expires_at` the key does not expire."""

    name: str
    role: str
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RotateApiKey:
    """What `rotate` takes: how long the old key lives on, and when the new one expires."""

    id: uuid.UUID
    overlap: str = DEFAULT_OVERLAP
    expires_at: datetime | None = None
    expected_version: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RevokeApiKey:
    """What `revoke` takes."""

    id: uuid.UUID
    expected_version: int | None = None
    idempotency_key: str | None = None


def prefix_of(platform_id: HexId, own: HexId) -> str:
    """What a key begins with: everything but what is secret in it."""
    return f"{PREFIX}_{platform_id}_{own}"


def ids_in(text: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The platform's id and the key's own, if the text has the form of a key."""
    found = _FORM.fullmatch(text)
    return None if found is None else (uuid.UUID(found[1]), uuid.UUID(found[2]))


def ids_in_prefix(text: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The same in what a key begins with."""
    found = _PREFIX_FORM.fullmatch(text)
    return None if found is None else (uuid.UUID(found[1]), uuid.UUID(found[2]))


def hash_of(text: str) -> str:
    """The hash that the store has of a key, in hex.

    A plain SHA-256: slow hashes and salts are against guessing what people choose. 256 random bits
    nobody guesses, and a slow hash on each request would be a way to keep the server busy.
    """
    return hashlib.sha256(text.encode()).hexdigest()


async def create(
    session: AsyncSession, actor: Actor, clock: Clock, command: CreateApiKey
) -> Outcome[Issued]:
    """Make a key for a new service. Raises `Forbidden` for scopes that the caller has not."""
    authorise(actor, "apiKeyCreate")
    check_line(command.name, MAX_NAME_LENGTH, "name")
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    _check_role(command.role)
    _check_scopes(actor, command.scopes)
    async with transaction(session, actor):
        replay = await _lock(session, actor, "apiKeyCreate", command)
        if replay is not None:
            return replay
        now = clock.now()
        _check_expiry(command.expires_at, now)
        own = uuid7(now)
        issued = _issue(
            *(session, actor, now, own),
            service_id=own,
            name=command.name,
            role=command.role,
            scopes=sorted(set(command.scopes)),
            expires_at=command.expires_at,
        )
        remember(session, actor, "apiKeyCreate", command, {"id": str(own)}, now)
        return Outcome(issued)


async def rotate(
    session: AsyncSession, actor: Actor, clock: Clock, command: RotateApiKey
) -> Outcome[Issued]:
    """Make a further key for the same service; the old one lives on for the overlap.

    The new key has the old one's name, role and scopes. Raises `NotFound`, `IllegalTransition`,
    `StaleVersion`, and `Forbidden` for scopes that the caller has not.
    """
    authorise(actor, "apiKeyRotate")
    check_duration(command.overlap, "overlap")
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    async with transaction(session, actor):
        replay = await _lock(session, actor, "apiKeyRotate", command)
        if replay is not None:
            return replay
        old = await _get(session, actor, command.id)
        expect_version(old, command.expected_version)
        LIFECYCLE.target(old.state, ApiKeyAction.ROTATE)
        _check_scopes(actor, old.scopes)
        now = clock.now()
        _check_expiry(command.expires_at, now)
        issued = _issue(
            *(session, actor, now, uuid7(now)),
            service_id=old.service_id,
            name=old.name,
            role=old.role,
            scopes=old.scopes,
            expires_at=command.expires_at,
        )
        # The key to the successor holds from here on.
        await session.flush()
        until = after(now, command.overlap)
        assert until is not None
        old.replaced_by = issued.key.id
        old.expires_at = until if old.expires_at is None else min(old.expires_at, until)
        LIFECYCLE.advance(old, ApiKeyAction.ROTATE, now)
        remember(session, actor, "apiKeyRotate", command, {"id": str(issued.key.id)}, now)
        return Outcome(issued)


async def revoke(
    session: AsyncSession, actor: Actor, clock: Clock, command: RevokeApiKey
) -> Outcome[Issued]:
    """End a key. Raises `NotFound`, `IllegalTransition`, `StaleVersion`."""
    authorise(actor, "apiKeyRevoke")
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    async with transaction(session, actor):
        replay = await _lock(session, actor, "apiKeyRevoke", command)
        if replay is not None:
            return replay
        key = await _get(session, actor, command.id)
        expect_version(key, command.expected_version)
        now = clock.now()
        LIFECYCLE.advance(key, ApiKeyAction.REVOKE, now)
        key.revoked_at = now
        stamp(key, "revoked_by", actor)
        remember(session, actor, "apiKeyRevoke", command, {"id": str(key.id)}, now)
        return Outcome(Issued(key))


def _check_role(role: str) -> None:
    if role not in KEY_ROLES:
        allowed = " or ".join(KEY_ROLES)
        raise InvalidInput(f"A key stands for a service: its role must be {allowed}.", ("role",))


def _check_scopes(actor: Actor, scopes: Sequence[str]) -> None:
    if len(scopes) > MAX_SCOPES:
        raise InvalidInput(f"At most {MAX_SCOPES} scopes.", ("scopes",))
    for index, scope in enumerate(scopes):
        if scope not in set(Scope):
            message = f"A scope must be one of these: {', '.join(Scope)}."
            raise InvalidInput(message, ("scopes", str(index)))
        # Nobody gives what they have not.
        if actor.role is not Role.SYSTEM and scope not in actor.scopes:
            raise Forbidden(f"You have not the scope {scope} yourself.", ("scopes", str(index)))


def _check_expiry(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("A key must expire at an instant to come.", ("expiresAt",))


async def _lock(
    session: AsyncSession, actor: Actor, operation: str, command: Any
) -> Outcome[Issued] | None:
    """Lock the platform; what a replay gets: the key, but never its secret again."""
    known = await lock_platform(session, actor, operation, command)
    if known is None:
        return None
    return Outcome(Issued(await _get(session, actor, uuid.UUID(known["id"]))), replayed=True)


async def _get(session: AsyncSession, actor: Actor, own: uuid.UUID) -> ApiKey:
    key = await session.get(ApiKey, (actor.platform_id, own))
    if key is None:
        raise NotFound("API key")
    return key


def _issue(
    session: AsyncSession, actor: Actor, now: datetime, own: uuid.UUID, **values: Any
) -> Issued:
    prefix = prefix_of(HexId(actor.platform_id.hex), HexId(own.hex))
    secret = f"{prefix}_{secrets.token_hex(SECRET_BYTES)}"
    key = ApiKey(
        platform_id=actor.platform_id,
        id=own,
        state=ApiKeyState.ACTIVE,
        hash=hash_of(secret),
        version=0,
        created_at=now,
        **values,
    )
    touch(key, now)
    stamp(key, "created_by", actor)
    session.add(key)
    return Issued(key, secret)


# Ids begin with the instant at which they were made.
API_KEYS = ListSpec(
    name="api_keys",
    table=cast(Table, ApiKey.__table__),
    orders={"CREATED_AT": "id"},
    tie=("id",),
)


def permissions(row: Any, actor: Actor) -> list[Permission]:
    """What the actor may do with the key now, one entry per action."""
    found = []
    for action in ApiKeyAction:
        forbidden = refusal(actor, operation_of("apiKey", action))
        refusals = [] if forbidden is None else [forbidden]
        if action not in LIFECYCLE.actions_from(row.state):
            refusals.append(Refusal(ErrorCode.ILLEGAL_TRANSITION, f"The key is {row.state}."))
        elif action is ApiKeyAction.ROTATE and not actor.scopes.issuperset(row.scopes):
            message = "You have not all scopes of the key yourself."
            refusals.append(Refusal(ErrorCode.FORBIDDEN, message))
        found.append(Permission(action, tuple(refusals)))
    return found


async def api_keys_by_id(
    reader: Reader, ids: Sequence[HexId], columns: Sequence[str]
) -> list[Record | None]:
    """The keys with these ids, in their order; None where there is none."""
    query = _by_id(tuple(dict.fromkeys(["id", *columns])))
    rows = await reader.fetch(query, {"ids": id_array(ids)}, record_class(API_KEYS.table))
    found = {row["id"]: row for row in rows}
    return [found.get(own) for own in ids]


@lru_cache(maxsize=256)
def _by_id(columns: tuple[str, ...]) -> Query:
    table = API_KEYS.table
    return compile_query(
        select(*(table.c[name] for name in columns)).where(is_any_id(table.c.id, "ids"))
    )
