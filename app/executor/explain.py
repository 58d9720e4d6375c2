"""What a run does: its fields level by level, and the SQL that each of them runs.

A `Recording` is kept beside a run that is otherwise like any other. PostgreSQL is asked for its
estimates when the run is over, so that they take no part in it.
"""

from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Any

from asyncpg import InterfaceError, PostgresError
from graphql.pyutils import Path
from sqlalchemy.exc import SQLAlchemyError

from app.executor.leaves import Values
from app.executor.plan import PlannedField, Shape
from app.executor.resolve import start
from app.executor.rows import Rows
from models.actor import Actor
from models.read_pool import ReadPool
from models.reading import Query, R, Reader

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor

UNANSWERED = (OSError, InterfaceError, PostgresError, SQLAlchemyError)


class Way(StrEnum):
    """How a field's values are found."""

    ATTRIBUTE = "attribute"
    BATCHED = "batched"
    FUNCTION = "function"
    TYPENAME = "__typename"


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


@dataclass
class Step:
    """One field at one place of the operation, resolved for all its objects at once.

    `path` is its place without list indexes. `objects` of `type_name` have the field; it gave them
    `given` values of the type `gives`, and `failed` errors instead.
    """

    path: tuple[str, ...]
    type_name: str
    field_name: str
    way: Way
    objects: int
    gives: str
    is_leaf: bool
    given: int = 0
    failed: int = 0
    statements: list[Statement] = field(default_factory=list)

    @property
    def level(self) -> int:
        """Which level it is on; the operation's own fields are on the first."""
        return len(self.path)

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell but how it was resolved."""
        return self.is_leaf and not self.failed and not self.statements

    @property
    def data(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "path": self.path,
            "type": self.type_name,
            "field": self.field_name,
            "resolved": self.way.value,
            "objects": self.objects,
            "gives": self.gives,
            "given": self.given,
            "errors": self.failed,
            "statements": [statement.data for statement in self.statements],
        }

    def count(self, values: Iterable[Any], shape: Shape) -> None:
        """Note what the field gave, items of lists one by one."""
        for value in values:
            if isinstance(value, Exception):
                self.failed += 1
            elif shape.item is not None and isinstance(value, Collection):
                self.count(value, shape.item)
            elif value is not None:
                self.given += 1


_CURRENT: ContextVar[Step | None] = ContextVar("current", default=None)


class Recording:
    """The steps of one run in their order, and the statements that no step ran."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.elsewhere: list[Statement] = []

    @property
    def statements(self) -> list[Statement]:
        """All statements, level by level."""
        found = [statement for step in self.steps for statement in step.statements]
        return found + self.elsewhere

    @property
    def levels(self) -> list[list[Step]]:
        """The steps of each level."""
        return [list(level) for _, level in groupby(self.steps, key=lambda step: step.level)]

    @property
    def cost(self) -> float:
        """PostgreSQL's estimates of all statements."""
        return sum(statement.cost or 0 for statement in self.statements)

    @property
    def objects(self) -> int:
        """How many objects the fields gave."""
        return sum(step.given for step in self.steps if not step.is_leaf)

    @property
    def data(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {
            "levels": [
                {"level": number, "fields": [step.data for step in level]}
                for number, level in enumerate(self.levels, 1)
            ],
            "otherStatements": [statement.data for statement in self.elsewhere],
            "totals": {
                "levels": len(self.levels),
                "objects": self.objects,
                "statements": len(self.statements),
                "cost": round(self.cost, 2),
            },
        }

    def executor(self, base: type["BreadthFirstExecutor"]) -> type["BreadthFirstExecutor"]:
        """The executor that does what `base` does, and has it recorded here."""
        recording = self

        class Explaining(base):  # type: ignore[valid-type, misc]
            def start(
                self, rows: Rows, field: PlannedField
            ) -> Values | Coroutine[Any, Any, Values]:
                return recording.start(self, rows, field)

        return Explaining

    def start(
        self, run: "BreadthFirstExecutor", rows: Rows, planned: PlannedField
    ) -> Values | Coroutine[Any, Any, Values]:
        """Start a field as a run does, and note it."""
        step = _step(rows, planned)
        self.steps.append(step)
        with _within(step):
            values = start(run, rows, planned)
        if not isinstance(values, list):
            return _finished(step, planned.shape, values)
        step.count(values, planned.shape)
        return values

    def add(self, query: Query, values: Mapping[str, Any]) -> Statement:
        """Note a statement that is about to be run, with the step that runs it."""
        arguments = tuple(values[name] for name in query.parameters)
        statement = Statement(query.sql, arguments)
        step = _CURRENT.get()
        (self.elsewhere if step is None else step.statements).append(statement)
        return statement


class RecordingReader(Reader):
    """A reader whose statements are recorded."""

    def __init__(self, pool: ReadPool, actor: Actor, recording: Recording) -> None:
        super().__init__(pool, actor)
        self._recording = recording

    async def fetch(self, query: Query, values: Mapping[str, Any], record: type[R]) -> list[R]:
        """The rows of the query, as any reader gives them."""
        statement = self._recording.add(query, values)
        rows = await super().fetch(query, values, record)
        statement.rows = len(rows)
        return rows

    async def estimate(self) -> None:
        """Ask PostgreSQL for its estimate of each statement, on the snapshot that it ran on."""
        statements = self._recording.statements
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


def _step(rows: Rows, planned: PlannedField) -> Step:
    return Step(
        path=_names(planned.place),
        type_name=rows.scope.type.name,
        field_name=planned.field_name,
        way=_way(planned),
        objects=len(rows.sources),
        gives=planned.shape.innermost.name,
        is_leaf=planned.shape.is_leaf,
    )


def _names(place: Path | None) -> tuple[str, ...]:
    names: list[str] = []
    while place is not None:
        names.append(str(place.key))
        place = place.prev
    return tuple(reversed(names))


def _way(planned: PlannedField) -> Way:
    if planned.is_typename:
        return Way.TYPENAME
    if planned.batch is not None:
        return Way.BATCHED
    is_attribute = planned.read is not None or planned.is_default
    return Way.ATTRIBUTE if is_attribute else Way.FUNCTION


@contextmanager
def _within(step: Step) -> Iterator[None]:
    """Whatever is run meanwhile, in tasks begun meanwhile too, is of this step."""
    token = _CURRENT.set(step)
    try:
        yield
    finally:
        _CURRENT.reset(token)


async def _finished(step: Step, shape: Shape, waited_for: Coroutine[Any, Any, Values]) -> Values:
    with _within(step):
        values = await waited_for
    step.count(values, shape)
    return values
