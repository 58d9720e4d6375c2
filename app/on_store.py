"""Commands on a store: opened for as long as a command needs it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TypeVar

from app.settings import Settings, read_settings
from app.store import Store, open_store

T = TypeVar("T")


class Need(Enum):
    """What a command needs of the store; only some commands make one where none is."""

    THERE = auto()
    MIGRATED = auto()
    MADE = auto()


Work = Callable[[Store, Settings], Awaitable[T]]


def with_store(work: Work[T], need: Need) -> T:
    """Run `work` on the store of the settings."""
    return asyncio.run(on_store(read_settings(), work, need))


async def on_store(settings: Settings, work: Work[T], need: Need) -> T:
    """The same within a loop, on the store of these settings."""
    async with open_store(settings, make=need is Need.MADE) as store:
        if need is Need.MADE:
            await store.migrate()
        elif need is Need.MIGRATED:
            await store.check_migrated()
        return await work(store, settings)
