"""What the tests of the API share: the endpoint in process, and platforms behind it."""

import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
import structlog

from app.application import build_application
from app.database import Database
from app.logs import show_exception
from app.settings import ExecutorName, Settings
from app.tokens import TokenSigner
from models.clock import ManualClock
from tests.conftest import START
from tests.resolvers.api import Api, Platform, StatementLog


@pytest.fixture(scope="package", autouse=True)
def brief_logs() -> Iterator[None]:
    """Only what went wrong; without the values of all variables, which take a second to show."""
    structlog.configure(
        processors=[show_exception, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
async def api(database: Database) -> AsyncIterator[Api]:
    """The endpoint on the module's database; its clock moves when a test moves it."""
    clock, log = ManualClock(START), StatementLog()
    log.listen(database)
    signer = TokenSigner(secrets.token_hex(), clock)
    transport = httpx.ASGITransport(build_application(Settings(), database, signer, clock))
    async with httpx.AsyncClient(transport=transport) as client:
        yield Api(client, database, signer, clock, log)


@pytest.fixture(scope="module")
async def core_api(api: Api) -> AsyncIterator[Api]:
    """The same endpoint, on the same database and clock, under graphql-core's own executor."""
    settings = Settings(executor=ExecutorName.GRAPHQL_CORE)
    application = build_application(settings, api.database, api.signer, api.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
        yield replace(api, client=client)


@pytest.fixture
async def own(api: Api) -> Platform:
    """A platform of the test's own."""
    return await api.platform()
