"""What text and JSON may come in: bounded, without what PostgreSQL or a hash can't hold."""

import math
import re
from typing import Any
from unicodedata import category, is_normalized

from models.countries import COUNTRIES
from models.errors import InvalidInput

MAX_JSON_DEPTH = 32
MAX_JSON_BYTES = 100_000
# RFC 8785 hashes numbers as IEEE 754 doubles: beyond these, two readers would disagree.
MAX_SAFE_INTEGER = 2**53 - 1
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
MAX_EMAIL_LENGTH = 254
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
# What ends a line somewhere, and what no line holds.
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What shows nothing, though Unicode has it among letters, marks or symbols: fillers of Hangul, the
# empty pattern of Braille, selectors of variants, vowels that no font draws (Unicode's
# Default_Ignorable_Code_Point).
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# One mailbox, without a name, quotes or comments: nothing that a header could be made of.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def check_text(value: str, longest: int, *field: str, empty: bool = False) -> str:
    """`value` if it can be stored: not blank unless `empty`, at most `longest` characters."""
    if len(value) > longest:
        raise InvalidInput(f"At most {longest} characters, not {len(value)}.", field)
    if not is_storable(value):
        raise InvalidInput("Text can't hold a NUL character or half of a surrogate pair.", field)
    if not empty and is_blank(value):
        raise InvalidInput("This can't be blank.", field)
    return value


def check_line(value: str, longest: int, *field: str) -> str:
    """As `check_text`, for what stands on one line: without line breaks and control characters."""
    if one_line(check_text(value, longest, *field)) != value:
        raise InvalidInput("This must be one line of text, without control characters.", field)
    return value


def check_own_name(value: str, longest: int, *field: str) -> str:
    """`value` if it names somebody in one way only, for people and for machines that compare.

    Two names that look the same, or that differ in white space, would be two people: so it has no
    character that can't be seen, no white space around it, and is in Unicode's form NFC. Case
    matters.
    """
    check_text(value, longest, *field)
    seen = value.isprintable() and not _UNSEEN.search(value)
    if not seen or value != value.strip() or not is_normalized("NFC", value):
        message = (
            "A name must be in Unicode's form NFC, without white space around it, line breaks, "
            "or characters that can't be seen."
        )
        raise InvalidInput(message, field)
    return value


def is_blank(value: str) -> bool:
    """Whether there is nothing to be seen: white space, control and format characters, fillers."""
    return not value.strip() or all(map(_is_unseen, value))


def _is_unseen(character: str) -> bool:
    kind = category(character)
    return kind in ("Cc", "Cf", "Zs", "Zl", "Zp") or _UNSEEN.match(character) is not None


def is_storable(value: str) -> bool:
    """Whether PostgreSQL and JSON can hold the text."""
    return _FORBIDDEN.search(value) is None


def check_optional_text(
    value: str | None, longest: int, *field: str, empty: bool = False
) -> str | None:
    """As `check_text`, for a value that may be missing."""
    return None if value is None else check_text(value, longest, *field, empty=empty)


def one_line(value: str) -> str:
    """`value` with a space for each control character and end of a line: fit for a header."""
    return _NOT_IN_A_LINE.sub(" ", value)


def is_address(value: str) -> bool:
    """Whether it is an e-mail address that any mail server takes: ASCII, one, and nothing more.

    What begins as an encoded word of a header does (RFC 2047), is none.
    """
    fits = len(value) <= MAX_EMAIL_LENGTH and "=?" not in value
    return fits and _ADDRESS.fullmatch(value) is not None


def check_country(value: str, *field: str) -> str:
    """`value` if it is an ISO 3166-1 alpha-2 code that is assigned to a country."""
    if value not in COUNTRIES:
        message = "A country must be one of ISO 3166-1, as two capital letters, such as DE."
        raise InvalidInput(message, field)
    return value


def check_email(value: str, *field: str) -> str:
    """`value` if it may be an e-mail address; whether anybody reads it, no check of text tells."""
    check_text(value, MAX_EMAIL_LENGTH, *field)
    if not _EMAIL.fullmatch(value):
        message = "An e-mail address must have one @, with text before and after it, and no spaces."
        raise InvalidInput(message, field)
    return value


def check_json(value: Any, *field: str, depth: int = 0) -> Any:
    """`value` if it is JSON that can be stored and hashed the same everywhere (RFC 7493)."""
    if depth > MAX_JSON_DEPTH:
        raise InvalidInput(f"JSON must be nested at most {MAX_JSON_DEPTH} levels deep.", field)
    if isinstance(value, str):
        check_text(value, MAX_JSON_BYTES, *field, empty=True)
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key, MAX_JSON_BYTES, *field, empty=True)
            check_json(item, *field, key, depth=depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_json(item, *field, str(index), depth=depth + 1)
    else:
        _check_number(value, *field)
    return value


def _check_number(value: Any, *field: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput("A number must be finite.", field)
    # A larger float is whole, and the store would give it back as a whole number.
    if isinstance(value, int | float) and abs(value) > MAX_SAFE_INTEGER:
        raise InvalidInput("A number must be at most 2^53 - 1; send larger ones as text.", field)
