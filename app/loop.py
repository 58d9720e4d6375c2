"""A loop beside the server: it looks for what is due, again and again, until it is to end.

Whatever goes wrong ends no loop: it is said, and tried again at the next look.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from app.database import root

BATCH = 100

log = structlog.get_logger()
One = TypeVar("One")
Work = Callable[[], Awaitable[object]]


@dataclass
class Loop:
    """Does its works every `interval_seconds`, each in a task of its own."""

    name: str
    interval_seconds: float
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self, *works: Work) -> AsyncIterator[None]:
        """Run beside the body, and finish what is in hand when it ends."""
        self._stop.clear()
        tasks = [asyncio.create_task(self._repeat(work)) for work in works]
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.gather(*tasks)

    async def each(
        self,
        look: Callable[[int], Awaitable[Sequence[One]]],
        handle: Callable[[One], Awaitable[None]],
        at_once: int = 1,
    ) -> int:
        """Handle what `look` finds, at most so many, until there is nothing new; how much it was.

        What fails, or is due again at once, is for the next time. So that it hides nothing, `look`
        is asked for as much more.
        """
        done = 0
        tried: set[One] = set()
        while not self._stop.is_set():
            due = await look(BATCH + len(tried))
            tried &= set(due)
            fresh = [one for one in due if one not in tried][:BATCH]
            if not fresh:
                break
            await self._handle_all(fresh, handle, at_once)
            tried.update(fresh)
            done += len(fresh)
        return done

    async def _handle_all(
        self, fresh: Sequence[One], handle: Callable[[One], Awaitable[None]], at_once: int
    ) -> None:
        waiting = iter(fresh)

        async def work() -> None:
            for one in waiting:
                if self._stop.is_set():
                    return
                await self._try(one, handle)

        await asyncio.gather(*(work() for _ in range(at_once)))

    async def _try(self, one: One, handle: Callable[[One], Awaitable[None]]) -> None:
        try:
            await handle(one)
        except Exception:
            # One's trouble must not hold up the others.
            log.exception(f"{self.name} could not handle one; it goes on", one=str(one))

    async def _repeat(self, work: Work) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                await work()
                if failures > 0:
                    log.info(f"{self.name} works again", failures=failures)
                failures = 0
            except Exception as error:
                failures += 1
                self._tell(error, failures)
            try:
                await asyncio.wait_for(self._stop.wait(), self.interval_seconds)
            except TimeoutError:
                continue

    def _tell(self, error: Exception, failures: int) -> None:
        """Log the first failure of a row of them, and then each time that they have doubled."""
        if failures & (failures - 1) == 0:
            cause = type(root(error)).__name__
            log.exception(f"{self.name} failed; it goes on", cause=cause, failures=failures)
