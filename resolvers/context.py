"""What every resolver of one request shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.clock import Clock
from models.errors import QueryTooCostly
from models.ids import HexId
from models.reading import Reader
from models.status import Derived

DEFAULT_MAX_PAGE_SIZE = 100
DEFAULT_MAX_NODES = 20_000


@dataclass
class Context:
    """One request: who asks, at which instant, on which snapshot.

    `now` is the instant at which the whole response holds, never before the snapshot's: so nothing
    in it was derived later. Operations take the time under their lock from `clock`. `session` opens
    a session in the actor's name.
    """

    actor: Actor
    reader: Reader
    clock: Clock
    session: Callable[[], AsyncSession]
    max_page_size: int = DEFAULT_MAX_PAGE_SIZE
    max_nodes: int = DEFAULT_MAX_NODES
    nodes: int = 0
    # The status of accounts whose instant has come before the clock loop has.
    derived: dict[HexId, Derived] = field(default_factory=dict)
    loaders: dict[Any, Any] = field(default_factory=dict)
    # The lists whose edges are shown, by the place of the edges in the operation.
    lists: dict[Any, Any] = field(default_factory=dict)
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.clock.now()

    def spend(self, nodes: int) -> None:
        """Count what the request reads; raises `QueryTooCostly` past `max_nodes`.

        A field that loads spends one for each object that it is asked of (at the root, one), and
        one for each object in the lists that it gives.
        """
        self.nodes += nodes
        if self.nodes > self.max_nodes:
            raise QueryTooCostly(self.max_nodes)

    async def begin(self) -> None:
        """Take the snapshot of the whole response, and its instant."""
        await self.reader.begin()
        self.now = self.clock.now()

    async def wrote(self) -> None:
        """Let what follows see what a mutation has just committed."""
        self.loaders.clear()
        self.derived.clear()
        await self.reader.refresh()
        await self.begin()


Info = strawberry.Info[Context, None]
