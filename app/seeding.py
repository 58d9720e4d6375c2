"""Seeding many accounts: several processes, each of which builds accounts and writes them."""

import asyncio
import gc
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.database import Database, owner_url
from models.actor import system
from models.clock import Clock
from models.ids import account_id_for, platform_id_for
from models.platform import ensure_platform
from models.seeding import external_id, load, prepare
from models.tables import METADATA

CHUNK_ACCOUNTS = 300
# Beside its own work each process waits for PostgreSQL's, so there is one more than processors.
PROCESSES = (os.cpu_count() or 1) + 1
# Fewer accounts than this are written before other processes have started.
ALONE_UP_TO_ACCOUNTS = 400
Progress = Callable[[int, int], None]


class SeedingFailed(Exception):
    """A process could not write its accounts; those of other processes may have been written."""


async def seed(
    url: str,
    platform: str,
    clock: Clock,
    accounts: int,
    requirements_per_account: int = 5,
    progress: Progress = lambda done, total: None,
) -> int:
    """Make the platform's demo accounts 0 to `accounts` - 1, where they are missing.

    `url` is the owner's, `platform` a slug. Returns how many accounts are new. `progress` is
    called with the number of accounts done and of all of them.
    """
    platform_id = platform_id_for(platform)
    database = Database.connect(url, pool_size=1)
    try:
        async with database.session_for(system(platform_id)) as session:
            await ensure_platform(session, clock, platform)
            await prepare(session, platform_id, clock)
    finally:
        await database.close()
    now = clock.now().replace(microsecond=0)
    chunks = _chunks(platform_id, accounts)
    done = new = 0
    async for size, written in _written(url, platform_id, chunks, requirements_per_account, now):
        done, new = done + size, new + written
        progress(done, accounts)
    return new


async def analyze(url: str) -> None:
    """Let PostgreSQL count what is in the tables, so that it plans well. Needs the owner's URL."""
    engine = create_async_engine(owner_url(url))
    try:
        async with engine.begin() as connection:
            names = ", ".join(table.name for table in METADATA.sorted_tables)
            await connection.execute(text(f"ANALYZE {names}"))
    finally:
        await engine.dispose()


async def _written(
    url: str, platform_id: uuid.UUID, chunks: Sequence[list[int]], requirements: int, now: datetime
) -> AsyncIterator[tuple[int, int]]:
    """Write the chunks; for each that is done, its size and how many of it are new."""
    if sum(map(len, chunks)) <= ALONE_UP_TO_ACCOUNTS:
        for chunk in chunks:
            yield await _write(url, platform_id, chunk, requirements, now)
        return
    loop = asyncio.get_running_loop()
    # Not by fork: the parent has threads and open connections.
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), _settle) as pool:
        jobs = [
            loop.run_in_executor(pool, _write_apart, url, platform_id, chunk, requirements, now)
            for chunk in chunks
        ]
        try:
            for job in asyncio.as_completed(jobs):
                yield await job
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            await asyncio.gather(*jobs, return_exceptions=True)


def _settle() -> None:
    # Rows live until they are written: looking for garbage among them takes long and finds none.
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)


def _write_apart(
    url: str, platform_id: uuid.UUID, chunk: list[int], requirements: int, now: datetime
) -> tuple[int, int]:
    try:
        return asyncio.run(_write(url, platform_id, chunk, requirements, now))
    except Exception as error:
        # Not every error survives the way to another process.
        raise SeedingFailed(f"{type(error).__name__}: {error}") from None


async def _write(
    url: str, platform_id: uuid.UUID, chunk: list[int], requirements: int, now: datetime
) -> tuple[int, int]:
    database = Database.connect(url, pool_size=1)
    try:
        async with database.session_for(system(platform_id)) as session:
            return len(chunk), await load(session, platform_id, chunk, requirements, now)
    finally:
        await database.close()


def _chunks(platform_id: uuid.UUID, accounts: int) -> list[list[int]]:
    """The numbers in the order of the accounts' ids: indexes grow at their end, not all over."""
    numbers = sorted(range(accounts), key=lambda n: account_id_for(platform_id, external_id(n)))
    return list(_batches(numbers))


def _batches(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), CHUNK_ACCOUNTS):
        yield numbers[start : start + CHUNK_ACCOUNTS]
