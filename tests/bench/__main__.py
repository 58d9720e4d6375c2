"""`python -m tests.bench`: start everything, compare, print, and end everything."""

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import create_async_engine

from app.database import Database
from app.embedded import EmbeddedPostgres
from app.seeding import analyze
from models.clock import SystemClock
from models.migrate import upgrade
from tests.bench.data import PLATFORM_ID, REQUIREMENTS_PER_PAGE, Ids, load
from tests.bench.handwritten import BARE, KEPT, SECRET_VARIABLE, URL_VARIABLE
from tests.bench.measure import RECOURSE, Bench, Server
from tests.bench.mutations import submissions
from tests.bench.processes import Load, memory_mb, started
from tests.bench.queries import Question, assert_same, questions
from tests.bench.report import everything, table
from tests.e2e.process import Postgres, Recourse, Serving

CONNECTIONS = (1, 8)


@dataclass(frozen=True)
class Scale:
    """How much a run does."""

    accounts: int
    rounds: int
    slice_seconds: float
    submissions: int


FULL = Scale(accounts=2_000, rounds=5, slice_seconds=0.9, submissions=200)
QUICK = Scale(accounts=REQUIREMENTS_PER_PAGE, rounds=1, slice_seconds=0.15, submissions=8)


@dataclass(frozen=True)
class Scene:
    """All that runs during the benchmark."""

    serving: Serving
    servers: list[Server]
    questions: list[Question]
    bench: Bench


def main(arguments: Sequence[str]) -> None:
    """Run the benchmarks that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every figure in FILE")
    parser.add_argument("--date", help="the date to write beside the figures")
    parser.add_argument("--quick", action="store_true", help="only see that it runs")
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="recourse-bench-") as folder:
        result, shown = run(Path(folder), QUICK if given.quick else FULL, given.date)
    print(shown)
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


def run(folder: Path, scale: Scale, date: str | None = None) -> tuple[dict[str, Any], str]:
    """Compare on a store in `folder`; every figure, and the table of them."""
    with scene(folder, scale) as found:
        for number, question in enumerate(found.questions):
            assert_same(question, [(s.port, s.requests[number]) for s in found.servers])
        names = [question.name for question in found.questions]
        cells = found.bench.compare(names, found.servers, CONNECTIONS)
        ours = found.servers[0]
        cells += submissions(found.bench, found.serving, ours, CONNECTIONS, scale.submissions)
        memory = {server.name: memory_mb(server.pid) for server in found.servers}
    return everything(cells, memory, date), table(cells)


@contextmanager
def scene(folder: Path, scale: Scale) -> Iterator[Scene]:
    """The store with its data, the servers over it, and the process that makes requests."""
    secret = secrets.token_hex(32)
    settings = {
        "data_dir": str(folder),
        "token_secret": secret,
        "demo_accounts": "0",
        "max_page_size": str(REQUIREMENTS_PER_PAGE),
        "log_level": "WARNING",
        "clock_interval_seconds": "3600",
    }
    with EmbeddedPostgres(folder, {"autovacuum": "off"}) as postgres:
        ids = asyncio.run(prepare(postgres.url(), scale.accounts))
        variables = {URL_VARIABLE: postgres.url(), SECRET_VARIABLE: secret}
        served = folder / "served"
        served.mkdir()
        by_hand = started("tests.bench.handwritten", [str(PLATFORM_ID)], variables)
        with (
            Recourse(served, settings).serving() as serving,
            by_hand as limit,
            started("tests.bench.load") as generator,
        ):
            assert limit.stdout is not None
            asked = questions(ids)
            servers = _servers(serving, limit.pid, int(limit.stdout.readline()), asked)
            cluster = Postgres(folder)
            bench = Bench(Load(generator), cluster.processes, scale.rounds, scale.slice_seconds)
            yield Scene(serving, servers, asked, bench)


async def prepare(url: str, accounts: int) -> Ids:
    """A migrated store with the benchmark's rows."""
    owner = create_async_engine(url)
    database = Database.connect(url, pool_size=1)
    try:
        await upgrade(owner)
        async with owner.begin() as connection:
            ids = await load(database, connection, SystemClock(), accounts)
        await analyze(url)
        return ids
    finally:
        await database.close()
        await owner.dispose()


def _servers(
    serving: Serving, limit_pid: int, limit_port: int, asked: Sequence[Question]
) -> list[Server]:
    token = serving.token("reviewer")
    ours = Server(
        RECOURSE,
        httpx.URL(serving.url).port or 0,
        serving.process.pid,
        [question.graphql(token) for question in asked],
    )
    by_hand = [
        Server(
            flavour, limit_port, limit_pid, [question.by_hand(flavour, token) for question in asked]
        )
        for flavour in (KEPT, BARE)
    ]
    return [ours, *by_hand]


if __name__ == "__main__":
    main(sys.argv[1:])
