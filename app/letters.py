"""Letters as the bytes that a mail server is given.

What users wrote stands in a letter's headers, so none of it is ever parsed: Python's own headers
decode what looks like an encoded word (RFC 2047), and some of its versions write what that holds,
line breaks and all, as further headers. Here a text is encoded whole, and read back once written.
"""

import base64
import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP

from models.text import one_line

# Headers go out as they were written; a body, by any mail server.
_POLICY = SMTP.clone(refold_source="none", cte_type="7bit")
_LONGEST_PLAIN = 60
_PLAIN_TEXT = re.compile(r"[!-~]([ -~]*[!-~])?")
# Of UTF-8, so that a line with an encoded word has at most 76 characters.
_BYTES_OF_A_WORD = 39


class UnfitLetter(Exception):
    """A letter can't be written: a header would not be what it was meant to be."""


def write_letter(headers: Mapping[str, str], body: str) -> bytes:
    """The letter. `headers` are as they go over the line; one that holds a text is `encoded`.

    Raises `UnfitLetter` for a header that is not plain, `UnicodeError` for half a surrogate pair.
    """
    message = EmailMessage(policy=_POLICY)
    for name, value in headers.items():
        message.set_raw(name, value)
    message.set_content(body)
    written = message.as_bytes()
    _check_headers(written, message.keys())
    return written


def encoded(text: str) -> str:
    """A text of a header: as it is where it can't be taken for anything else, or encoded words.

    Line breaks and control characters become spaces, for readers whose programs obey them.
    """
    line = one_line(text)
    # No encoded word is empty.
    if not line:
        return ""
    if len(line) <= _LONGEST_PLAIN and "=?" not in line and _PLAIN_TEXT.fullmatch(line):
        return line
    return "\r\n ".join(_word(piece) for piece in _pieces(line))


def plain(value: str) -> str:
    """A header's value that nothing decodes. Raises `UnfitLetter` for any other."""
    if "=?" in value or not _PLAIN_TEXT.fullmatch(value):
        raise UnfitLetter("An address or an id in a header is not plain.")
    return value


def _word(piece: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?="


def _pieces(text: str) -> list[bytes]:
    """The UTF-8 of a text in pieces that fit into a word; no character is in two."""
    pieces = [b""]
    for character in text:
        own = character.encode()
        if len(pieces[-1]) + len(own) > _BYTES_OF_A_WORD:
            pieces.append(b"")
        pieces[-1] += own
    return pieces


def _check_headers(written: bytes, names: list[str]) -> None:
    """Raise `UnfitLetter` unless these are the headers that a reader of the bytes finds."""
    lines = written.partition(b"\r\n\r\n")[0].split(b"\r\n")
    found = [line.partition(b":")[0] for line in lines if not line.startswith((b" ", b"\t"))]
    broken = any(b"\r" in line or b"\n" in line or not line.isascii() for line in lines)
    if broken or found != [name.encode() for name in names]:
        raise UnfitLetter("The headers are not those that were meant.")
