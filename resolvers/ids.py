"""Global ids: a readable prefix, then the account's and the object's own UUID in hex.

They name the account first, so that a look-up goes to one shard; hex, since a dashboard has a
thousand of them and it is the cheapest to encode.
"""

import re
import uuid
from collections.abc import Sequence
from typing import Any

from models.errors import InvalidId

ACCOUNT = "acc"
EVENT = "evt"
EVIDENCE = "evd"
HOLD = "hld"
INTERACTION = "int"
PROGRAM = "prg"
REQUIREMENT = "req"
RESOLUTION = "res"
NOUNS = {
    ACCOUNT: "account",
    EVENT: "event",
    EVIDENCE: "evidence",
    HOLD: "hold",
    INTERACTION: "interaction",
    PROGRAM: "program",
    REQUIREMENT: "requirement",
    RESOLUTION: "resolution",
}
_HEX = re.compile("[0-9a-f]+")

# (the account's id, or the platform's for a program; the object's own)
Key = tuple[uuid.UUID, uuid.UUID]


def encode(prefix: str, first: uuid.UUID, own: uuid.UUID) -> str:
    """The global id of an object: the account's UUID and its own; for a program, the platform's."""
    return f"{prefix}_{first.hex}{own.hex}"


def encode_one(prefix: str, own: uuid.UUID) -> str:
    """The global id of an object that one UUID names."""
    return f"{prefix}_{own.hex}"


def encode_rows(prefix: str, rows: Sequence[Any]) -> list[str]:
    """The global ids of an account's objects."""
    return [f"{prefix}_{row['account_id'].hex}{row['id'].hex}" for row in rows]


def prefix_of(text: str, *field: str) -> str:
    """The prefix, one of `NOUNS`; raises `InvalidId`."""
    prefix, _, rest = text.partition("_")
    if prefix not in NOUNS or not rest:
        raise InvalidId("This is not an id of this API.", field)
    return prefix


def decode(text: str, prefix: str, *field: str) -> Key:
    """The two UUIDs of an id with this prefix; raises `InvalidId` naming `field`."""
    digits = _digits(text, prefix, 64, field)
    return uuid.UUID(digits[:32]), uuid.UUID(digits[32:])


def decode_one(text: str, prefix: str, *field: str) -> uuid.UUID:
    """The UUID of an id with this prefix that holds one; raises `InvalidId` naming `field`."""
    return uuid.UUID(_digits(text, prefix, 32, field))


def _digits(text: str, prefix: str, length: int, field: Sequence[str]) -> str:
    digits = text.removeprefix(f"{prefix}_")
    if prefix_of(text, *field) != prefix:
        raise InvalidId(f"This is not the id of {_article(NOUNS[prefix])}.", field)
    if len(digits) != length or not _HEX.fullmatch(digits):
        raise InvalidId("This is not an id of this API.", field)
    return digits


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
