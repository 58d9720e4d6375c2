"""Idempotency keys: the same request, sent again, gets the first result and no second effect."""

import hashlib
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AccountScoped, Base, account_key
from models.errors import IdempotencyKeyReused, InvalidInput
from models.events import canonical_json, jsonable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_KEY_LENGTH = 255
NOT_PART_OF_THE_REQUEST = ("idempotency_key",)


class IdempotencyKey(AccountScoped, Base):
    """What one caller's request with this key did to one account."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (account_key(),)

    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class PlatformIdempotencyKey(Base):
    """The same for operations that belong to no account, such as publishing a program."""

    __tablename__ = "platform_idempotency_keys"

    platform_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("platforms.id"), primary_key=True)
    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


def request_hash(operation: str, command: "DataclassInstance") -> str:
    """The SHA-256, in hex, of what was asked: the operation and its input without the key."""
    try:
        fields = {k: v for k, v in vars(command).items() if k not in NOT_PART_OF_THE_REQUEST}
        return hashlib.sha256(canonical_json([operation, jsonable(fields)])).hexdigest()
    except (TypeError, ValueError, RecursionError):
        # Input that no operation accepts, sent with the key of one that was accepted.
        raise InvalidInput("The input holds text, a number or a depth that can't be.") from None


def check_same_request(known: IdempotencyKey | PlatformIdempotencyKey, hashed: str) -> None:
    """Raise `IdempotencyKeyReused` if the key was first used for something else."""
    if known.request_hash != hashed:
        raise IdempotencyKeyReused
