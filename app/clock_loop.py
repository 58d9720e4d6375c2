"""The clock loop: what time alone changes, changes when its instant comes; reminders are written.

Candidates are read without locks; then one account is locked and looked at again, so that any
number of loops may run and every effect happens once.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from app.database import Database
from app.loop import Loop
from models.actor import system
from models.clock import Clock
from models.operation import DueAccount, due_accounts, rederive


@dataclass
class ClockLoop:
    """Looks every `interval_seconds` for the accounts whose instant has come."""

    database: Database
    clock: Clock
    interval_seconds: float
    _loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self._loop = Loop("clock loop", self.interval_seconds)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run beside the body, and finish the account in hand when it ends."""
        return self._loop.running(self.catch_up)

    async def catch_up(self) -> int:
        """Re-derive every account whose instant has come; how many there were."""
        return await self._loop.each(self._look, self._rederive)

    async def _look(self, limit: int) -> list[DueAccount]:
        async with self.database.worker.connect() as connection:
            return await due_accounts(connection, self.clock.now(), limit)

    async def _rederive(self, account: DueAccount) -> None:
        actor = system(account.platform_id, "clock")
        async with self.database.session_for(actor) as session:
            await rederive(session, actor, self.clock, account.account_id)
