"""What the tests of the API share: the endpoint in process, a platform full of demo accounts."""

import secrets
from collections.abc import AsyncIterator

import httpx
import pytest

from app.application import build_application
from app.database import Database
from app.seeding import seed
from app.settings import Settings
from app.tokens import TokenSigner
from models.clock import ManualClock
from tests.conftest import START
from tests.resolvers.api import Api, Platform, StatementLog

DEMO_ACCOUNTS = 60


@pytest.fixture(scope="module")
async def api(database: Database) -> AsyncIterator[Api]:
    """The endpoint on the module's database; its clock moves when a test moves it."""
    clock, log = ManualClock(START), StatementLog()
    log.listen(database)
    signer = TokenSigner(secrets.token_hex(), clock)
    transport = httpx.ASGITransport(build_application(Settings(), database, signer, clock))
    async with httpx.AsyncClient(transport=transport) as client:
        yield Api(client, database, signer, clock, log)


@pytest.fixture
async def own(api: Api) -> Platform:
    """A platform of the test's own."""
    return await api.platform()


@pytest.fixture(scope="module")
async def demo(api: Api, database_url: str) -> Platform:
    """A platform of demo accounts in every state; not to be changed."""
    await seed(database_url, "demo", api.clock, DEMO_ACCOUNTS)
    return await api.platform("demo")
