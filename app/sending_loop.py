"""The sending loop: contacts go out when their instant comes, and e-mails to the mail server.

Candidates are read without locks; then one account is locked and looked at again, so that any
number of loops may run. What lets contacts out and what mails them are two: a mail server that is
slow holds up nothing that its user can see without it.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from app.channels import Channel
from app.database import Database
from app.loop import Loop
from models.actor import system
from models.clock import Clock
from models.sending import (
    SENDER,
    DueInteraction,
    Letter,
    due_interactions,
    due_letters,
    let_out,
    settle,
    take,
)

# Connections to the mail server, and to PostgreSQL, at once.
MAILS_AT_ONCE = 4


@dataclass
class SendingLoop:
    """Looks every `interval_seconds` for what is due; e-mails go over `channel`."""

    database: Database
    clock: Clock
    channel: Channel
    interval_seconds: float
    _loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self._loop = Loop("sending loop", self.interval_seconds)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run beside the body, and finish what is in hand when it ends."""
        return self._loop.running(self.send_due, self.mail_due)

    async def send_due(self) -> int:
        """Let out what is due, over whichever channel; how much there was."""
        return await self._loop.each(self._due, self._let_out)

    async def mail_due(self) -> int:
        """Give the mail server the letters that wait for it; how many there were."""
        return await self._loop.each(self._letters, self._mail, MAILS_AT_ONCE)

    async def _due(self, limit: int) -> list[DueInteraction]:
        async with self.database.worker.connect() as connection:
            return await due_interactions(connection, self.clock.now(), limit)

    async def _letters(self, limit: int) -> list[DueInteraction]:
        async with self.database.worker.connect() as connection:
            return await due_letters(connection, self.clock.now(), limit)

    async def _let_out(self, due: DueInteraction) -> None:
        actor = system(due.platform_id, SENDER)
        async with self.database.session_for(actor) as session:
            await let_out(session, self.clock, due)

    async def _mail(self, due: DueInteraction) -> None:
        letter = await self._take(due)
        if letter is None:
            return
        # No connection is held while the mail server is waited for.
        result = await self.channel.carry(letter)
        actor = system(due.platform_id, SENDER)
        async with self.database.session_for(actor) as session:
            await settle(session, self.clock, letter, result)

    async def _take(self, due: DueInteraction) -> Letter | None:
        actor = system(due.platform_id, SENDER)
        async with self.database.session_for(actor) as session:
            return await take(session, self.clock, due)
