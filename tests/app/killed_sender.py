"""A process that sends what is due and dies on the way: `python -m tests.app.killed_sender`.

Its arguments are the owner's URL of the database, the mail server's port, the instant that its
clock shows, and where it dies: BETWEEN letting contacts out and mailing them, BEFORE the mail
server is asked, or AFTER it has taken the letter.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from datetime import datetime

import models.tables  # noqa: F401 (the server imports them all)
from app.database import Database
from app.sending_loop import SendingLoop
from app.settings import Settings
from app.smtp import Smtp
from models.clock import ManualClock
from models.sending import Letter, Result
from tests.app.mail_server import MailServer


@dataclass(frozen=True)
class Fatal:
    """A channel whose process ends as by a power cut."""

    smtp: Smtp
    where: str

    async def carry(self, letter: Letter) -> Result:
        if self.where == "AFTER":
            await self.smtp.carry(letter)
        die()
        raise AssertionError("unreachable")


def die() -> None:
    """End as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


async def main(url: str, port: str, now: str, where: str) -> None:
    database, clock = Database.connect(url), ManualClock(datetime.fromisoformat(now))
    smtp = Smtp(Settings(**MailServer(port=int(port)).settings), clock)
    loop = SendingLoop(database, clock, Fatal(smtp, where), 1)
    await loop.send_due()
    if where == "BETWEEN":
        die()
    await loop.mail_due()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
