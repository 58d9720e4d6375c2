"""What the tests of the process share: a server of its own process on the module's database."""

from collections.abc import Iterator

import pytest
import structlog

from app.logs import show_exception
from app.tokens import TokenSigner
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
        "demo_accounts": "0",
        "max_request_bytes": str(MAX_REQUEST_BYTES),
        "clock_interval_seconds": "3600",
    }
    with Recourse(tmp_path_factory.mktemp("server"), settings).serving() as serving:
        yield serving
