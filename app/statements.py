"""The statements of an explained run: which field ran each, and what PostgreSQL expects of them.

PostgreSQL is asked for its estimates when the run is over, so that they take no part in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import SQLAlchemyError

from app.executor.explain import Step, current_step
from models.actor import Actor
from models.read_pool import ReadPool
from models.reading import Query, R, Reader

UNANSWERED = (OSError, InterfaceError, PostgresError, SQLAlchemyError)


@dataclass
class Statement:
    """One statement: its SQL, how many rows it gave, and what PostgreSQL expected of it.

    `rows` is None where it failed, the estimates are where PostgreSQL could not be asked.
    """

    sent: str
    # Only for asking PostgreSQL once more: they may hold what nobody is to read.
    arguments: tuple[Any, ...] = field(repr=False)
    rows: int | None = None
    cost: float | None = None
    estimated_rows: int | None = None

    @property
    def sql(self) -> str:
        """The SQL on one line."""
        return " ".join(self.sent.split())

    @property
    def data(self) -> dict[str, Any]:
        """What may be shown of it, for JSON."""
        return {
            "sql": self.sql,
            "rows": self.rows,
            "cost": self.cost,
            "estimatedRows": self.estimated_rows,
        }


class Statements:
    """The statements of one run, by the step that ran them; by None where no single one did."""

    def __init__(self) -> None:
        self._by_step: dict[Step | None, list[Statement]] = {}

    def add(self, statement: Statement) -> None:
        """Note a statement that is about to be run."""
        self._by_step.setdefault(current_step(), []).append(statement)

    def of(self, step: Step | None) -> list[Statement]:
        """Those that a step ran, in the order in which they began."""
        return self._by_step.get(step, [])

    @property
    def all(self) -> list[Statement]:
        """All of them."""
        return list(chain.from_iterable(self._by_step.values()))

    @property
    def cost(self) -> float:
        """PostgreSQL's estimates of all of them."""
        return sum(statement.cost or 0 for statement in self.all)


class RecordingReader(Reader):
    """A reader whose statements are recorded."""

    def __init__(self, pool: ReadPool, actor: Actor) -> None:
        super().__init__(pool, actor)
        self.recorded = Statements()

    async def fetch(self, query: Query, values: Mapping[str, Any], record: type[R]) -> list[R]:
        """The rows of the query, as any reader gives them."""
        statement = Statement(query.sql, tuple(values[name] for name in query.parameters))
        self.recorded.add(statement)
        rows = await super().fetch(query, values, record)
        statement.rows = len(rows)
        return rows

    async def estimate(self) -> None:
        """Ask PostgreSQL for its estimate of each statement, on the snapshot that it ran on."""
        statements = self.recorded.all
        try:
            if any(statement.rows is None for statement in statements):
                # What failed has ended the transaction: there is only another snapshot.
                await self.refresh()
            for statement in statements:
                await self._estimate(statement)
        except UNANSWERED:
            return

    async def _estimate(self, statement: Statement) -> None:
        connection = self._connection or await self._begin()
        sql = f"EXPLAIN (FORMAT JSON) {statement.sent}"
        # The pools have the driver decode JSON.
        [explained] = await connection.fetchval(sql, *statement.arguments)
        plan = explained["Plan"]
        statement.cost, statement.estimated_rows = plan["Total Cost"], plan["Plan Rows"]
