"""Identifiers, all made by the application: no sequence is shared between accounts."""

import secrets
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NewType

RandomBits = Callable[[int], int]

# A UUID as reads have it: its 32 hexadecimal digits. Operations have `uuid.UUID`.
HexId = NewType("HexId", str)
# (the account's id, the row's own)
Key = tuple[HexId, HexId]


def hex_id(own: uuid.UUID) -> HexId:
    """The id as reads have it."""
    return HexId(own.hex)


def id_array(ids: Iterable[HexId]) -> str:
    """Ids as PostgreSQL reads an array, each once.

    The driver takes 0.4 microseconds for each element of a list, and 0.02 for this; the array of
    accounts stays one, though: a sharded PostgreSQL looks in it for the shards to ask.
    """
    return f"{{{','.join(set(ids))}}}"


def id_bytes(own: HexId | uuid.UUID) -> bytes:
    """The id as it goes over the wire."""
    return bytes.fromhex(own) if isinstance(own, str) else own.bytes


def uuid7(now: datetime, random_bits: RandomBits = secrets.randbits) -> uuid.UUID:
    """A UUIDv7 (RFC 9562, 5.7) for the instant `now`.

    Own code, since libraries read the clock themselves; the seed needs it deterministic.
    """
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | random_bits(12) << 64
    value |= 0b10 << 62 | random_bits(62)
    return uuid.UUID(int=value)


def account_id_for(platform_id: uuid.UUID, external_id: str) -> uuid.UUID:
    """The account's id: UUIDv5 of platform and external id, so that its key carries uniqueness."""
    return uuid.uuid5(platform_id, external_id)


def platform_id_for(slug: str) -> uuid.UUID:
    """The platform's id: UUIDv5 of its slug."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"recourse:platform:{slug}")


def program_id_for(platform_id: uuid.UUID, code: str, version: int) -> uuid.UUID:
    """The id of one program version: UUIDv5 of platform, code and version."""
    return uuid.uuid5(platform_id, f"program:{code}:{version}")
