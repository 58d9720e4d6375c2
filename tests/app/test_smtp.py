"""A mail server's refusals: for good are those alone that are about the recipient or the letter."""

import asyncio
from asyncio import StreamReader, StreamWriter
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.settings import Settings
from app.smtp import Smtp
from models.clock import ManualClock
from models.sending import DueInteraction, Letter, NotMailed
from tests.app.mail_server import MailServer

CLOCK = ManualClock(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
LETTER = Letter(
    DueInteraction(*map(UUID, [f"{n:032}" for n in "123"])), 1, CLOCK.now(), "a@b", "x", ""
)
USUAL = {
    "GREETING": "220 mail.example",
    "EHLO": "250 mail.example",
    "HELO": "250 mail.example",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 Go on",
    ".": "250 OK",
}


async def answer(where: str, said: str) -> NotMailed | object:
    """What comes of a letter where the server answers so to one command, and yes to all others."""
    replies = {**USUAL, where: said}
    if where == "EHLO":
        replies["HELO"] = said

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(f"{replies['GREETING']}\r\n".encode())
        in_letter = False
        async for line in reader:
            command = line.decode().split()[0].upper() if line.strip() else ""
            if in_letter and command != ".":
                continue
            in_letter = command == "DATA" and replies["DATA"].startswith("3")
            writer.write(f"{replies.get(command, '250 OK')}\r\n".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await Smtp(Settings(**MailServer(port=port).settings), CLOCK).carry(LETTER)


@pytest.mark.parametrize(
    ("where", "said", "passing"),
    [
        ("GREETING", "554 5.3.2 No service for you", True),
        ("GREETING", "421 4.3.2 Later", True),
        ("EHLO", "550 5.7.1 Who are you", True),
        ("MAIL", "553 5.1.8 This sender is not ours", True),
        ("MAIL", "550 5.7.1 Not from here", True),
        ("MAIL", "451 4.3.0 Later", True),
        ("RCPT", "550 5.1.1 No such mailbox", False),
        ("RCPT", "553 5.1.3 No such address", False),
        ("RCPT", "450 4.2.1 Later", True),
        ("RCPT", "530 5.7.0 Log in first", True),
        ("DATA", "554 5.5.1 No recipients", False),
        (".", "554 5.6.0 We don't like it", False),
        (".", "552 5.3.4 Too large", False),
        (".", "451 4.3.0 Later", True),
        (".", "535 5.7.8 Log in first", True),
    ],
)
async def test_what_is_about_us_may_pass(where: str, said: str, passing: bool) -> None:
    result = await answer(where, said)
    assert isinstance(result, NotMailed)
    assert result.passing is passing
    assert result.failure.code == f"smtp_{said[:3]}"
    assert said[4:] in result.failure.message
