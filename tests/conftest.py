"""What all tests share: one PostgreSQL, migrated once; a copy of it for each module of tests."""

import itertools
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.database import Database
from app.embedded import EmbeddedPostgres
from models.actor import Actor
from models.clock import ManualClock
from models.migrate import upgrade
from models.platform import Platform
from tests.factories import Runner, create_runner

TEMPLATE = "recourse_template"
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
# What is written here need not outlive a power cut.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}

_databases = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for the runs that take longer than those of every day."""
    group = parser.getgroup("recourse")
    group.addoption("--slow", action="store_true", help="run the tests marked slow as well")
    group.addoption(
        "--steps", type=int, default=10_000, help="steps of the domain's state machine in all"
    )
    group.addoption("--machine-seed", type=int, help="what its steps follow from; any if left out")
    group.addoption(
        "--requirements", type=int, default=20_000, help="requirements under the plan checks"
    )
    group.addoption("--cases", type=int, default=2_000, help="cases of the executors' fuzz test")
    group.addoption("--fuzz-seed", type=int, default=1, help="what makes the cases other ones")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked slow, unless asked for."""
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow; run it with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many steps the state machine has taken, in all workers."""
    reports = terminalreporter.getreports("passed")
    steps = sum(count for one in reports for name, count in one.user_properties if name == "steps")
    if steps:
        terminalreporter.write_line(f"The state machine took {steps:,} steps.")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL of this run; with xdist, of this worker."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), FAST_SETTINGS) as running:
        yield running


@pytest.fixture(scope="session")
async def template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that nobody is connected to, to copy from."""
    engine = create_async_engine(postgres.create_database(TEMPLATE))
    await upgrade(engine)
    await engine.dispose()
    return TEMPLATE


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The owner's URL of a fresh, migrated database for this module of tests."""
    name = f"test_{next(_databases)}"
    yield postgres.create_database(name, template)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The pools of the service's roles on the module's database."""
    pools = Database.connect(database_url)
    yield pools
    await pools.close()


@pytest.fixture(scope="module")
async def owner_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The owner of the tables, whom row security does not bind: to look, and to tamper."""
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    return ManualClock(START)


@pytest.fixture
async def run(database: Database, clock: ManualClock) -> Runner:
    """Runs operations, on a platform that no other test sees."""
    return await create_runner(database, clock)


@pytest.fixture
async def platform(run: Runner) -> Platform:
    """The test's platform."""
    return await run.fetch(Platform, run.platform_id)


@pytest.fixture
def admin(run: Runner) -> Actor:
    """An administrator of the test's platform."""
    return run.admin


@pytest.fixture
def reviewer(run: Runner) -> Actor:
    """A reviewer, who may also propose waivers."""
    return run.reviewer


@pytest.fixture
def second_reviewer(run: Runner) -> Actor:
    """Another reviewer: the second pair of eyes."""
    return run.second_reviewer


@pytest.fixture
def integrator(run: Runner) -> Actor:
    """The service of an integrating team."""
    return run.integrator
