"""Global ids: a readable prefix, then the account's and the object's own UUID in hex.

They name the account first, so that a look-up goes to one shard; hex, since a dashboard has a
thousand of them and it is the cheapest to encode.
"""

import re
import uuid
from collections.abc import Sequence
from typing import Any

from models.errors import InvalidId, NotFound, article
from models.ids import HexId, Key

ACCOUNT = "acc"
API_KEY = "key"
EVENT = "evt"
EVIDENCE = "evd"
HOLD = "hld"
INTERACTION = "int"
NOTE = "nte"
PROGRAM = "prg"
REQUIREMENT = "req"
RESOLUTION = "res"
NOUNS = {
    ACCOUNT: "account",
    API_KEY: "API key",
    EVENT: "event",
    EVIDENCE: "evidence",
    HOLD: "hold",
    INTERACTION: "interaction",
    NOTE: "note",
    PROGRAM: "program",
    REQUIREMENT: "requirement",
    RESOLUTION: "resolution",
}
_HEX = re.compile("[0-9a-f]+")

NOT_AN_ID = (
    "This is not an id of this API. A platform's own id is looked up by account(externalId:)."
)


def encode(prefix: str, first: HexId, own: HexId) -> str:
    """The global id of an object: its account's id, or else its platform's, and its own."""
    return f"{prefix}_{first}{own}"


def encode_one(prefix: str, own: HexId) -> str:
    """The global id of an object that one id names."""
    return f"{prefix}_{own}"


def encode_rows(prefix: str, rows: Sequence[Any]) -> list[str]:
    """The global ids of an account's objects."""
    return [f"{prefix}_{row['account_id']}{row['id']}" for row in rows]


def prefix_of(text: str, *field: str) -> str:
    """The prefix, one of `NOUNS`; raises `InvalidId`."""
    prefix, _, rest = text.partition("_")
    if prefix not in NOUNS or not rest:
        raise InvalidId(NOT_AN_ID, field)
    return prefix


def key_of(text: str, prefix: str, *field: str) -> Key:
    """The two ids in a global one with this prefix, to read by; raises `InvalidId` of `field`."""
    digits = _digits(text, prefix, 64, field)
    return HexId(digits[:32]), HexId(digits[32:])


def account_of(text: str, *field: str) -> HexId:
    """The account's id in its global one, to read by; raises `InvalidId` naming `field`."""
    return HexId(_digits(text, ACCOUNT, 32, field))


def decode(text: str, prefix: str, *field: str) -> tuple[uuid.UUID, uuid.UUID]:
    """The same as `key_of`, for an operation."""
    account_id, own = key_of(text, prefix, *field)
    return uuid.UUID(account_id), uuid.UUID(own)


def decode_of(account_id: uuid.UUID, text: str, prefix: str, *field: str) -> uuid.UUID:
    """The own id of an object of this account, for an operation.

    Raises `InvalidId`, and `NotFound` for what is another account's: here, it is not there.
    """
    owner, own = decode(text, prefix, *field)
    if owner != account_id:
        raise NotFound(NOUNS[prefix], field)
    return own


def decode_account(text: str, *field: str) -> uuid.UUID:
    """The same as `account_of`, for an operation."""
    return uuid.UUID(account_of(text, *field))


def _digits(text: str, prefix: str, length: int, field: Sequence[str]) -> str:
    digits = text.removeprefix(f"{prefix}_")
    if prefix_of(text, *field) != prefix:
        noun = NOUNS[prefix]
        raise InvalidId(f"This is not the id of {article(noun)} {noun}.", field)
    if len(digits) != length or not _HEX.fullmatch(digits):
        raise InvalidId(NOT_AN_ID, field)
    return digits
