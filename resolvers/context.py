"""What every resolver of one request shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.clock import Clock
from models.reading import Reader

DEFAULT_MAX_PAGE_SIZE = 100


@dataclass
class Context:
    """One request: who asks, at which instant, on which snapshot.

    `now` is the instant at which the whole response holds; operations take the time under their
    lock from `clock`. `session` opens a session in the actor's name.
    """

    actor: Actor
    reader: Reader
    clock: Clock
    session: Callable[[], AsyncSession]
    max_page_size: int = DEFAULT_MAX_PAGE_SIZE
    loaders: dict[Any, Any] = field(default_factory=dict)
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.clock.now()

    async def wrote(self) -> None:
        """Let what follows see what a mutation has just committed."""
        self.loaders.clear()
        self.now = self.clock.now()
        await self.reader.refresh()


Info = strawberry.Info[Context, None]
