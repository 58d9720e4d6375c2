"""All that runs during the benchmark: one PostgreSQL, the servers over it, and who asks them."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import Popen

import httpx
from sqlalchemy.ext.asyncio import create_async_engine

from app.database import Database
from app.embedded import EmbeddedPostgres
from app.seeding import analyze
from app.tokens import TokenSigner
from models.actor import Role
from models.clock import SystemClock
from models.migrate import upgrade
from tests.bench.data import PLATFORM, PLATFORM_ID, REQUIREMENTS_PER_PAGE, Ids, load
from tests.bench.handwritten import BARE, KEPT
from tests.bench.hosting import SECRET_VARIABLE, URL_VARIABLE
from tests.bench.measure import Bench
from tests.bench.mutations import Target
from tests.bench.processes import Load, started
from tests.bench.queries import Ask, Server
from tests.e2e.process import Postgres, Recourse

RECOURSE, UNDER_CORE, PLAIN = "recourse", "graphql-core", "plain"
SERVERS = (RECOURSE, UNDER_CORE, PLAIN, KEPT, BARE)
EXECUTORS = {RECOURSE: "breadth-first", UNDER_CORE: "graphql-core"}
HANDWRITTEN = "tests.bench.handwritten"
MODULES = {PLAIN: "tests.bench.plain", KEPT: HANDWRITTEN, BARE: HANDWRITTEN}


@dataclass(frozen=True)
class Scale:
    """How much a run does."""

    accounts: int
    rounds: int
    slice_seconds: float
    mutated: int


@dataclass(frozen=True)
class Scene:
    """What the figures are taken with."""

    url: str
    servers: list[Server]
    ids: Ids
    targets: list[Target]
    bench: Bench


@contextmanager
def scene(folder: Path, scale: Scale, names: Sequence[str], targets: int) -> Iterator[Scene]:
    """The store with its data, the servers over it, and the process that makes requests."""
    secret = secrets.token_hex(32)
    token = TokenSigner(secret, SystemClock()).sign(Role.REVIEWER, PLATFORM, "bench")
    with EmbeddedPostgres(folder, {"autovacuum": "off"}) as postgres, ExitStack() as stack:
        ids, made = asyncio.run(prepare(postgres.url(), scale.accounts, targets))
        variables = {URL_VARIABLE: postgres.url(), SECRET_VARIABLE: secret}
        recourse = _recourse(folder, secret)
        applications: dict[str, tuple[int, int]] = {}
        servers = []
        for name in names:
            if name in EXECUTORS:
                servers.append(_served(stack, recourse, name, token))
                continue
            module = MODULES[name]
            if module not in applications:
                applications[module] = _started(stack, module, variables)
            servers.append(_application(name, *applications[module], token))
        generator = stack.enter_context(started("tests.bench.load"))
        bench = Bench(
            Load(generator), Postgres(folder).processes, scale.rounds, scale.slice_seconds
        )
        yield Scene(postgres.url(), servers, ids, made, bench)


async def prepare(url: str, accounts: int, targets: int) -> tuple[Ids, list[Target]]:
    """A migrated store with the benchmark's rows: what is asked for, and what is changed."""
    owner, clock = create_async_engine(url), SystemClock()
    database = Database.connect(url, pool_size=1)
    try:
        await upgrade(owner)
        async with owner.begin() as connection:
            ids = await load(database, connection, clock, accounts)
        await analyze(url)
        made = [Target(number) for number in range(targets)]
        for target in made:
            await target.make(database, clock)
        await analyze(url)
        return ids, made
    finally:
        await database.close()
        await owner.dispose()


def _recourse(folder: Path, secret: str) -> Recourse:
    served = folder / "served"
    served.mkdir()
    settings = {
        "data_dir": str(folder),
        "token_secret": secret,
        "demo_accounts": "0",
        "max_page_size": str(REQUIREMENTS_PER_PAGE),
        "log_level": "WARNING",
        "clock_interval_seconds": "3600",
    }
    return Recourse(served, settings)


def _served(stack: ExitStack, recourse: Recourse, name: str, token: str) -> Server:
    serving = stack.enter_context(recourse.having(executor=EXECUTORS[name]).serving())
    port = httpx.URL(serving.url).port or 0
    return Server(name, port, serving.process.pid, partial(Ask.graphql, token=token))


def _started(stack: ExitStack, module: str, variables: Mapping[str, str]) -> tuple[int, int]:
    """The port and the process of an application that is compared with."""
    process: Popen[str] = stack.enter_context(started(module, [str(PLATFORM_ID)], variables))
    assert process.stdout is not None
    return int(process.stdout.readline()), process.pid


def _application(name: str, port: int, pid: int, token: str) -> Server:
    if name == PLAIN:
        return Server(name, port, pid, partial(Ask.graphql, token=token))
    return Server(name, port, pid, partial(Ask.by_hand, flavour=name, token=token))
