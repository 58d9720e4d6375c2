"""What all loops are made of: batches, damped logs, and an end that waits for what is in hand."""

import asyncio
from typing import Any

import pytest
import structlog

from app.clock_loop import ClockLoop
from app.database import Database
from app.loop import BATCH, Loop
from app.sending_loop import SendingLoop
from models.clock import Clock

INTERVAL_SECONDS = 0.001


class Queue:
    """What is due, the longest first; what is handled goes, but for what is stuck."""

    def __init__(self, length: int, stuck: range = range(0)) -> None:
        self.due = list(range(length))
        self.stuck = stuck
        self.limits: list[int] = []
        self.handled: list[int] = []

    async def look(self, limit: int) -> list[int]:
        self.limits.append(limit)
        return self.due[:limit]

    async def handle(self, one: int) -> None:
        self.handled.append(one)
        if one in self.stuck:
            raise RuntimeError("stuck")
        self.due.remove(one)


@pytest.mark.parametrize("at_once", [1, 4])
async def test_all_that_is_due_is_handled_once_in_batches_that_do_not_grow(at_once: int) -> None:
    queue = Queue(12 * BATCH + 1)
    done = await Loop("a loop", 1).each(queue.look, queue.handle, at_once)
    assert done == len(queue.handled) == len(set(queue.handled)) == 12 * BATCH + 1
    assert max(queue.limits) <= 2 * BATCH


async def test_what_fails_is_tried_once_a_look_and_hides_nothing() -> None:
    queue = Queue(5 * BATCH, stuck=range(3 * BATCH))
    with structlog.testing.capture_logs() as lines:
        assert await Loop("a loop", 1).each(queue.look, queue.handle) == 5 * BATCH
    assert queue.due == list(queue.stuck)
    assert len(queue.handled) == len(set(queue.handled))
    assert len(lines) == len(queue.stuck)
    with structlog.testing.capture_logs():
        await Loop("a loop", 1).each(queue.look, queue.handle)
    assert queue.handled.count(0) == 2


def failing(times: int) -> tuple[Any, asyncio.Event]:
    """A work that fails so often and then does not; the event says when it has gone on."""
    tries, over = 0, asyncio.Event()

    async def work() -> int:
        nonlocal tries
        tries += 1
        if tries <= times:
            raise RuntimeError("Geheim") from ConnectionRefusedError("Geheim")
        if tries == times + 3:
            over.set()
        return 0

    return work, over


@pytest.mark.parametrize("name", ["clock loop", "sending loop"])
async def test_a_store_that_is_away_is_said_with_its_cause_and_not_again_and_again(
    name: str, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, over = failing(9)
    loop: Any
    if name == "clock loop":
        loop = ClockLoop(database, clock, INTERVAL_SECONDS)
        monkeypatch.setattr(loop, "catch_up", work)
    else:
        loop = SendingLoop(database, clock, None, INTERVAL_SECONDS)  # type: ignore[arg-type]
        monkeypatch.setattr(loop, "mail_due", work)
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(10), loop.running():
            await over.wait()
    said = [line for line in lines if line["event"] == f"{name} failed; it goes on"]
    assert [line["failures"] for line in said] == [1, 2, 4, 8]
    assert {line["cause"] for line in said} == {"ConnectionRefusedError"}
    [again] = [line for line in lines if line["event"] == f"{name} works again"]
    assert again["failures"] == 9


async def test_one_work_that_fails_or_waits_does_not_hold_up_the_other() -> None:
    failing_work, over = failing(3)
    waited = asyncio.Event()

    async def waiting() -> None:
        await over.wait()
        waited.set()

    with structlog.testing.capture_logs():
        async with (
            asyncio.timeout(10),
            Loop("a loop", INTERVAL_SECONDS).running(waiting, failing_work),
        ):
            await waited.wait()
