"""The clock loop: what time alone changes, changes when its instant comes.

Candidates are read without locks; then one account is locked and looked at again, so that any
number of loops may run and every effect happens once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from app.database import Database, root
from models.actor import system
from models.aggregate import DueAccount, due_accounts, rederive
from models.clock import Clock

BATCH = 100

log = structlog.get_logger()


@dataclass
class ClockLoop:
    """Looks every `interval_seconds` for the accounts whose instant has come."""

    database: Database
    clock: Clock
    interval_seconds: float
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run beside the body, and finish the account in hand when it ends."""
        self._stop.clear()
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._stop.set()
            await task

    async def catch_up(self) -> int:
        """Re-derive every account whose instant has come; how many there were."""
        done = 0
        failed: set[object] = set()
        while not self._stop.is_set():
            async with self.database.worker.connect() as connection:
                due = await due_accounts(connection, self.clock.now(), BATCH + len(failed))
            fresh = [account for account in due if account.account_id not in failed]
            for account in fresh:
                if self._stop.is_set():
                    break
                if not await self._rederive(account):
                    failed.add(account.account_id)
                done += 1
            if not fresh:
                break
        return done

    async def _rederive(self, account: DueAccount) -> bool:
        actor = system(account.platform_id, "clock")
        try:
            async with self.database.session_for(actor) as session:
                await rederive(session, actor, self.clock, account.account_id)
        except Exception:
            # One account's trouble must not hold up the others; it is tried again next time.
            log.exception("clock loop could not re-derive", account_id=str(account.account_id))
            return False
        return True

    async def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                await self.catch_up()
                if failures > 0:
                    log.info("clock loop works again", failures=failures)
                failures = 0
            except Exception as error:
                failures += 1
                _tell(error, failures)
            try:
                await asyncio.wait_for(self._stop.wait(), self.interval_seconds)
            except TimeoutError:
                continue


def _tell(error: Exception, failures: int) -> None:
    """Log the first failure of a row of them, and then each time that they have doubled."""
    if failures & (failures - 1) == 0:
        cause = type(root(error)).__name__
        log.exception("clock loop failed; it goes on", cause=cause, failures=failures)
