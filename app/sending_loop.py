"""The sending loop: contacts go out when their instant comes.

Candidates are read without locks; then one account is locked and looked at again, so that any
number of loops may run. E-mails have a loop of their own: a mail server that is slow holds up
nothing else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from app.channels import Channel
from app.database import Database
from models.actor import system
from models.clock import Clock
from models.sending import SENDER, DueInteraction, Letter, due_interactions, settle, take

BATCH = 100
# Connections to the mail server, and to PostgreSQL, at once.
MAILS_AT_ONCE = 4

log = structlog.get_logger()


@dataclass
class SendingLoop:
    """Looks every `interval_seconds` for what is due; e-mails go over `channel`."""

    database: Database
    clock: Clock
    channel: Channel
    interval_seconds: float
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run beside the body, and finish what is in hand when it ends."""
        self._stop.clear()
        tasks = [asyncio.create_task(self._run(mail)) for mail in (False, True)]
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.gather(*tasks)

    async def send_due(self, mail: bool) -> int:
        """Send what is due of e-mails, or of all else; how much there was."""
        done = 0
        tried: set[DueInteraction] = set()
        while not self._stop.is_set():
            async with self.database.worker.connect() as connection:
                now = self.clock.now()
                due = await due_interactions(connection, now, BATCH + len(tried), mail)
            fresh = [one for one in due if one not in tried]
            if not fresh:
                break
            await self._send_all(fresh, MAILS_AT_ONCE if mail else 1)
            # What is due again already, or failed, is for the next time.
            tried.update(fresh)
            done += len(fresh)
        return done

    async def _send_all(self, due: list[DueInteraction], at_once: int) -> None:
        waiting = iter(due)

        async def work() -> None:
            for one in waiting:
                if self._stop.is_set():
                    return
                await self._send(one)

        await asyncio.gather(*(work() for _ in range(at_once)))

    async def _send(self, due: DueInteraction) -> None:
        try:
            letter = await self._take(due)
            if letter is not None:
                await self._settle(letter)
        except Exception:
            # One contact's trouble must not hold up the others; it is tried again next time.
            log.exception("sending failed", interaction_id=str(due.interaction_id))

    async def _take(self, due: DueInteraction) -> Letter | None:
        actor = system(due.platform_id, SENDER)
        async with self.database.session_for(actor) as session:
            return await take(session, self.clock, due)

    async def _settle(self, letter: Letter) -> None:
        # No connection is held while the mail server is waited for.
        result = await self.channel.carry(letter)
        actor = system(letter.due.platform_id, SENDER)
        async with self.database.session_for(actor) as session:
            await settle(session, self.clock, letter, result)

    async def _run(self, mail: bool) -> None:
        while not self._stop.is_set():
            try:
                await self.send_due(mail)
            except Exception:
                log.exception("sending loop failed; it goes on")
            try:
                await asyncio.wait_for(self._stop.wait(), self.interval_seconds)
            except TimeoutError:
                continue
