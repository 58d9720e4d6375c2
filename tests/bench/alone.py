"""The executors alone: in memory, without database, HTTP or JSON, in a process of its own.

Accounts, requirements, interactions and resolutions are objects with attributes, their relations
batched fields. A connection's edge has no object of its own: its source is the node. Each executor
runs the same document over the same objects, once where nothing waits and once where the batched
fields are coroutines; graphql-core's executor then collects them by aiodataloader. Taken is the
best of many times, with the garbage collector as the server has it; for documents never seen
before the median, since each of them is seen once.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from itertools import count
from operator import attrgetter
from typing import Any, Generic, TypeVar

import orjson
import strawberry
import uvloop
from graphql import DocumentNode, ExecutionResult, execute, execute_sync, parse, validate

from app.executor import BreadthFirstExecutor
from resolvers.batching import Parents, batched
from tests.bench.hosting import freeze

T = TypeVar("T")
LISTS, CONNECTIONS = "lists", "connections"
CORE, BREADTH_FIRST = "graphql-core", "breadth-first"
EXECUTORS: dict[str, Any] = {CORE: None, BREADTH_FIRST: BreadthFirstExecutor}
FIELDS = {
    "accounts": "id externalId businessName country riskTier version",
    "requirements": "id title category state priority version",
    "interactions": "id channel state subject",
    "resolutions": "id outcome state reasonCode facts",
}


class State(Enum):
    OPEN = "OPEN"
    DONE = "DONE"


strawberry.enum(State)


@dataclass(frozen=True)
class Shape:
    """How many objects there are under each other."""

    accounts: int
    requirements: int
    interactions: int
    resolutions: int

    @property
    def objects(self) -> int:
        below = 1 + self.interactions + self.resolutions
        return self.accounts * (1 + self.requirements * below)


DASHBOARD = Shape(50, 5, 2, 1)
TENFOLD = [Shape(accounts, 3, 1, 1) for accounts in (1, 10, 100, 1_000)]


@dataclass(frozen=True)
class Effort:
    """How much a run does: the shapes, seconds and runs for each figure, and unseen documents."""

    shapes: Sequence[Shape]
    seconds: float
    runs: int
    documents: int


FULL = Effort([*TENFOLD, DASHBOARD], seconds=0.6, runs=3, documents=200)
QUICK = Effort([*TENFOLD[:3], DASHBOARD], seconds=0.01, runs=1, documents=5)


class Row:
    """An object with the given attributes, and a cursor."""

    cursor = "bm90aGluZw"

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def world(shape: Shape) -> Row:
    """The root, with as many objects under it as the shape says."""
    number = count(1)
    return Row(accounts=[_account(number, shape) for _ in range(shape.accounts)])


def _account(number: Iterator[int], shape: Shape) -> Row:
    return Row(
        id=f"acc_{next(number):032x}",
        external_id="acct_bench",
        business_name="Harbour Coffee GmbH",
        country="DE",
        risk_tier="LOW",
        version=1,
        requirements=[_requirement(number, shape) for _ in range(shape.requirements)],
    )


def _requirement(number: Iterator[int], shape: Shape) -> Row:
    return Row(
        id=f"req_{next(number):032x}",
        title="Show us what you sell",
        category="BUSINESS_MODEL",
        state=State.OPEN,
        priority="NORMAL",
        version=3,
        interactions=[_interaction(number) for _ in range(shape.interactions)],
        resolutions=[_resolution(number) for _ in range(shape.resolutions)],
    )


def _interaction(number: Iterator[int]) -> Row:
    text = "We need something from you"
    return Row(id=f"int_{next(number):032x}", channel="EMAIL", state=State.DONE, subject=text)


def _resolution(number: Iterator[int]) -> Row:
    return Row(
        id=f"res_{next(number):032x}",
        outcome="SATISFIED",
        state=State.DONE,
        reason_code="EVIDENCE_ACCEPTED",
        facts="What was sent is complete and matches the register.",
    )


def same(parents: Parents) -> list[Any]:
    """What is its parent seen otherwise: a list as a connection or edges, an edge as its node."""
    return list(parents)


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T = batched(same, "The node.")


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]] = batched(same, "The edges.")


@strawberry.type
class Interaction:
    id: strawberry.ID
    channel: str
    state: State
    subject: str


@strawberry.type
class Resolution:
    id: strawberry.ID
    outcome: str
    state: State
    reason_code: str
    facts: str


def relation(name: str, waits: bool) -> Any:
    """The field of a relation: its function, or a coroutine function of the same."""
    get = attrgetter(name)

    def load(parents: Parents) -> list[Any]:
        return list(map(get, parents))

    async def wait(parents: Parents) -> list[Any]:
        return load(parents)

    return batched(wait if waits else load, f"The {name}.")


def schema_of(shown: str, waits: bool) -> Any:
    """The schema with its relations as plain lists or as connections."""
    many: Any = Connection if shown == CONNECTIONS else list

    @strawberry.type
    class Requirement:
        id: strawberry.ID
        title: str
        category: str
        state: State
        priority: str
        version: int
        interactions: many[Interaction] = relation("interactions", waits)
        resolutions: many[Resolution] = relation("resolutions", waits)

    @strawberry.type
    class Account:
        id: strawberry.ID
        external_id: str
        business_name: str
        country: str
        risk_tier: str
        version: int
        requirements: many[Requirement] = relation("requirements", waits)

    @strawberry.type
    class Query:
        accounts: many[Account] = relation("accounts", waits)

    return strawberry.Schema(Query)._schema


def document_of(shown: str, number: int | None = None) -> str:
    """The document; with a number, one that nobody has seen before."""
    below = _selection("interactions", shown) + _selection("resolutions", shown)
    requirements = _selection("requirements", shown, below)
    if number is None:
        return f"query Known {{ {_selection('accounts', shown, requirements)} }}"
    fresh = f" name{number}: businessName {requirements}"
    return f"query Unseen{number} {{ {_selection('accounts', shown, fresh)} }}"


def _selection(name: str, shown: str, below: str = "") -> str:
    fields = f"{FIELDS[name]} {below}"
    if shown == CONNECTIONS:
        fields = f"edges {{ cursor node {{ {fields} }} }}"
    return f"{name} {{ {fields} }} "


def leaves_of(shape: Shape) -> int:
    """How many values an answer in plain lists holds."""
    accounts, requirements = shape.accounts, shape.accounts * shape.requirements
    numbers = {
        "accounts": accounts,
        "requirements": requirements,
        "interactions": requirements * shape.interactions,
        "resolutions": requirements * shape.resolutions,
    }
    return sum(number * len(FIELDS[name].split()) for name, number in numbers.items())


@dataclass
class Context:
    """What batched fields need of a request."""

    loaders: dict[Any, Any] = field(default_factory=dict)

    def spend(self, nodes: int) -> None:
        """Here nothing is bounded."""


@dataclass(frozen=True)
class Figure:
    """What one executor took for one document over the objects of one shape."""

    shown: str
    waits: bool
    executor: str
    objects: int
    leaves: int
    milliseconds: float
    microseconds_per_object: float


class Runs:
    """Runs of the executors on the same schemas; each of them gives the same answer."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        kinds = [(shown, waits) for shown in (LISTS, CONNECTIONS) for waits in (False, True)]
        self.schemas = {kind: schema_of(*kind) for kind in kinds}
        self.worlds = {shape: world(shape) for shape in effort.shapes}

    async def figures(self) -> list[Figure]:
        """Every shape, shown either way, waited for or not, by each executor."""
        found = []
        for shape in self.effort.shapes:
            for shown, waits in self.schemas:
                answers = []
                document = parse(document_of(shown))
                for executor in EXECUTORS:
                    seconds, answer = await self._best(shape, shown, waits, executor, document)
                    answers.append(answer)
                    found.append(_figure(shape, shown, waits, executor, seconds))
                assert answers[0] == answers[-1], "the executors' answers differ"
        return found

    async def _best(
        self, shape: Shape, shown: str, waits: bool, executor: str, document: DocumentNode
    ) -> tuple[float, Any]:
        schema, root = self.schemas[shown, waits], self.worlds[shape]
        run = runner(schema, root, waits, EXECUTORS[executor])
        result = await run(document)
        assert not result.errors, result.errors
        best, stop, left = float("inf"), time.perf_counter() + self.effort.seconds, self.effort.runs
        while left > 0 or time.perf_counter() < stop:
            started = time.perf_counter()
            await run(document)
            best = min(best, time.perf_counter() - started)
            left -= 1
        return best, result.data

    async def unseen(self) -> list[dict[str, Any]]:
        """Documents seen for the first time, over ten objects: the median, in milliseconds."""
        schema, root = self.schemas[LISTS, False], self.worlds[TENFOLD[0]]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in EXECUTORS}
        number = count()
        for _ in range(self.effort.documents):
            for name, executor in EXECUTORS.items():
                run = runner(schema, root, False, executor)
                started = time.perf_counter()
                document = parse(document_of(LISTS, next(number)))
                assert not validate(schema, document)
                valid = time.perf_counter()
                await run(document)
                ended = time.perf_counter()
                found[name].append((ended - started, ended - valid))
        return [
            {
                "executor": name,
                "whole_ms": _median_ms([whole for whole, _ in times]),
                "execute_ms": _median_ms([execution for _, execution in times]),
            }
            for name, times in found.items()
        ]

    async def encoding_ms(self) -> float:
        """What orjson takes for the answer of the dashboard."""
        run = runner(self.schemas[LISTS, False], self.worlds[DASHBOARD], False, None)
        data = (await run(parse(document_of(LISTS)))).data
        times = []
        for _ in range(20):
            started = time.perf_counter()
            orjson.dumps(data)
            times.append(time.perf_counter() - started)
        return round(1000 * min(times), 4)


def runner(
    schema: Any, root: Row, waits: bool, executor: Any
) -> Callable[[DocumentNode], Awaitable[ExecutionResult]]:
    """What runs a document; where nothing waits, without asking whether it does."""

    async def run(document: DocumentNode) -> ExecutionResult:
        if not waits:
            return execute_sync(schema, document, root, Context(), executor_class=executor)
        result = execute(schema, document, root, Context(), executor_class=executor)
        return result if isinstance(result, ExecutionResult) else await result

    return run


def _figure(shape: Shape, shown: str, waits: bool, executor: str, seconds: float) -> Figure:
    return Figure(
        shown=shown,
        waits=waits,
        executor=executor,
        objects=shape.objects,
        leaves=leaves_of(shape),
        milliseconds=round(1000 * seconds, 4),
        microseconds_per_object=round(1e6 * seconds / shape.objects, 3),
    )


def _median_ms(seconds: Sequence[float]) -> float:
    return round(1000 * statistics.median(seconds), 4)


async def measure(effort: Effort) -> dict[str, Any]:
    """Every figure."""
    runs = Runs(effort)
    freeze()
    return {
        "executions": [asdict(figure) for figure in await runs.figures()],
        "unseen": await runs.unseen(),
        "encoding_ms": await runs.encoding_ms(),
    }


def main(arguments: Sequence[str]) -> None:
    """Measure, and print every figure as JSON."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measure(QUICK if "--quick" in arguments else FULL))))


if __name__ == "__main__":
    main(sys.argv[1:])
