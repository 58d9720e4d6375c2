"""What the tests of the process share: a server of its own process on the module's database."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import structlog

from app.application import build_application
from app.database import Database
from app.logs import show_exception
from app.settings import Settings
from app.tokens import TokenSigner
from models.actor import Role
from models.clock import SystemClock
from tests.e2e.process import Recourse, Serving

TOKEN_SECRET = "long enough for every algorithm: " + "s" * 40
PLATFORM = "shop"
MAX_REQUEST_BYTES = 60_000


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    """What the tests provoke is not printed: rich pictures of exceptions take seconds."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[show_exception])


@pytest.fixture(scope="session")
def signer() -> TokenSigner:
    """Signs tokens as the server does."""
    return TokenSigner(TOKEN_SECRET, SystemClock())


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`recourse serve` on the module's database, small enough limits to be reached."""
    settings = {
        "database_url": database_url,
        "token_secret": TOKEN_SECRET,
        "development_tokens": "true",
        "demo_accounts": "0",
        "max_request_bytes": str(MAX_REQUEST_BYTES),
        "clock_interval_seconds": "3600",
    }
    with Recourse(tmp_path_factory.mktemp("server"), settings).serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def clients(database: Database, signer: TokenSigner) -> Callable[..., httpx.AsyncClient]:
    """Makes clients of the application in this process, with an administrator's token.

    What is given are settings; what is not follows those of a database of one's own.
    """
    token = signer.sign(Role.ADMIN, PLATFORM, "ada")
    headers = {"authorization": f"Bearer {token}", "accept": "application/graphql-response+json"}

    def make(**settings: Any) -> httpx.AsyncClient:
        known = {"graphiql": False, "field_suggestions": False, **settings}
        application = build_application(Settings(**known), database, signer, SystemClock())
        transport = httpx.ASGITransport(application)
        return httpx.AsyncClient(
            transport=transport, base_url="http://recourse.test", headers=headers
        )

    return make
