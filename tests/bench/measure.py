"""Taking the figures: rounds in which each server gets the same load for the same time, in turn."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from tests.bench.processes import Load, cpu_seconds
from tests.bench.queries import Question, Server


@dataclass
class Cell:
    """One server's figures for one question at one number of connections, over all rounds."""

    question: str
    server: str
    connections: int
    elapsed: float = 0.0
    cpu: float = 0.0
    database_cpu: float = 0.0
    seconds: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.seconds)

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu / self.requests

    @property
    def database_cpu_ms(self) -> float:
        return 1000 * self.database_cpu / self.requests

    @property
    def per_second(self) -> float:
        return self.requests / self.elapsed

    def percentile_ms(self, percent: int) -> float:
        """The time within which so many percent of the requests were answered."""
        if self.requests < 2:
            return 1000 * self.seconds[0]
        return 1000 * quantiles(self.seconds, n=100, method="inclusive")[percent - 1]

    def figures(self) -> dict[str, Any]:
        """All of them, as they are kept."""
        return {
            "question": self.question,
            "server": self.server,
            "connections": self.connections,
            "requests": self.requests,
            "cpu_ms": round(self.cpu_ms, 4),
            "database_cpu_ms": round(self.database_cpu_ms, 4),
            "requests_per_second": round(self.per_second, 2),
            "p50_ms": round(self.percentile_ms(50), 3),
            "p99_ms": round(self.percentile_ms(99), 3),
        }


@dataclass(frozen=True)
class Bench:
    """What a run takes its figures with."""

    load: Load
    database_pids: Callable[[], Iterable[int]]
    rounds: int
    slice_seconds: float

    def compare(
        self, questions: Sequence[Question], servers: Sequence[Server], connections: Sequence[int]
    ) -> list[Cell]:
        """Each server's figures for each question, taken in turn."""
        cells = [
            (
                Cell(question.name, server.name, count),
                server,
                list(map(server.write, question.asks)),
            )
            for question in questions
            for count in connections
            for server in servers
        ]
        for cell, server, requests in cells:
            warming = Cell(cell.question, cell.server, cell.connections)
            self.add(warming, server, requests, self.slice_seconds / 3)
        for _ in range(self.rounds):
            for cell, server, requests in cells:
                self.add(cell, server, requests, self.slice_seconds)
        return [cell for cell, _, _ in cells]

    def add(
        self,
        cell: Cell,
        server: Server,
        requests: Sequence[bytes],
        seconds: float,
        once: bool = False,
    ) -> None:
        """Add the figures of one slice of time."""
        pids = list(self.database_pids())
        before, database_before = cpu_seconds([server.pid]), cpu_seconds(pids)
        result = self.load.run(server.port, requests, cell.connections, seconds, once)
        cell.cpu += cpu_seconds([server.pid]) - before
        cell.database_cpu += cpu_seconds({*pids, *self.database_pids()}) - database_before
        cell.elapsed += result.elapsed
        cell.seconds += result.seconds
