"""Serving: the store, the demo data, uvicorn, and an end that lets running requests finish."""

import asyncio
import errno
import gc
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
import uvicorn
from sqlalchemy import select

from app.application import build_application
from app.logs import configure
from app.seeding import seed
from app.settings import Settings
from app.store import Store, StoreUnusable, open_store
from app.tokens import LIFETIME, DevelopmentTokensRefused, TokenSigner, signer_for
from models.actor import Role, system
from models.aggregate import Account
from models.authorisation import CALLERS, development_subject
from models.clock import SystemClock
from models.ids import account_id_for, platform_id_for
from models.platform import ensure_platform
from models.seeding import external_id

log = structlog.get_logger()
BACKLOG = 2_048
NO_TOKENS = "A development token: recourse token --role admin"
NO_DEVELOPMENT = (
    "Development tokens are not taken. An API key: recourse api-key create --platform P --name N"
)
# So many more objects than before, and so many looks at the young ones for one at the older.
COLLECTOR_THRESHOLDS = (50_000, 20, 50)
SIGNALS = (signal.SIGINT, signal.SIGTERM)
OF_THE_PORT = (errno.EADDRINUSE, errno.EACCES)
TOKEN_WIDTH = max(map(len, CALLERS))

log = structlog.get_logger()


class Server(uvicorn.Server):
    """uvicorn's server, but for the end of the process by the signal that it caught.

    The store has to be closed after it.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let the first signal end the serving, and a second one end it at once."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def serve(settings: Settings, platform: str, tokens: bool) -> None:
    """Serve until a signal ends it; says where, and with which `tokens`.

    Raises `StoreUnusable`, an error of the store, or `DevelopmentTokensRefused`.
    """
    configure(settings.log_level)
    if tokens and not settings.takes_development_tokens:
        raise DevelopmentTokensRefused
    listener = _listen(settings.host, settings.port)
    signer = signer_for(settings) if settings.takes_development_tokens else None
    if signer is not None and settings.database_url is not None:
        log.warning("development tokens are taken: anyone with the secret is anyone")
    factory = uvicorn.Config("", loop="uvloop", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner, suppress(asyncio.CancelledError):
        runner.run(_serve(settings, platform, signer, listener, tokens))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name of a host"
        # Python repeats the address behind it.
        why = why.partition(" (while")[0]
        option = "--port" if getattr(error, "errno", None) in OF_THE_PORT else "--host"
        raise StoreUnusable(
            f"Can't listen on {host}, port {port}: {why}. Choose another with {option}."
        ) from error


async def _serve(
    settings: Settings,
    platform: str,
    signer: TokenSigner | None,
    listener: socket.socket,
    tokens: bool,
) -> None:
    task = asyncio.current_task()
    assert task is not None
    # Until the server has signals of its own, one of them ends the setting up, in order.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with open_store(settings, make=True) as store:
        if migrations := await store.migrate():
            log.info("Migrated.", migrations=len(migrations), schema=migrations[-1])
        await _prepare(store, settings, platform)
        application = build_application(settings, store.database, signer, SystemClock())
        config = uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
        )
        _settle_collector()
        lines = [_address(listener)]
        if signer is None:
            lines.append(NO_DEVELOPMENT)
        else:
            lines += await _tokens(store, platform, signer) if tokens else [NO_TOKENS]
        print("\n".join(lines), flush=True)
        await Server(config).serve(sockets=[listener])


def _settle_collector() -> None:
    """Let the cycle collector leave alone what stays, and look seldom at what comes and goes.

    A response makes thousands of objects but no cycles worth looking for. With Python's thresholds
    the collector takes 7 % of a dashboard's time, and more the more requests are under way.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


async def _prepare(store: Store, settings: Settings, platform: str) -> None:
    """Make the platform of the tokens that are announced, with demo data in an empty store."""
    async with store.database.session_for(system(platform_id_for(platform))) as session:
        await ensure_platform(session, SystemClock(), platform)
    if settings.demo_accounts > 0 and await _is_empty(store):
        await seed(store.url, platform, SystemClock(), settings.demo_accounts)


async def _is_empty(store: Store) -> bool:
    async with store.database.worker.connect() as connection:
        return await connection.scalar(select(Account.account_id).limit(1)) is None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"Recourse serves GraphQL on http://{shown}:{port}/graphql"


async def _tokens(store: Store, platform: str, signer: TokenSigner) -> list[str]:
    """A token for each role; for account users of the first demo account, where there is one."""
    lines = [
        f"Development tokens, good for {LIFETIME.days} days, for the header "
        "Authorization: Bearer <token>"
    ]
    for role in CALLERS:
        if role is not Role.ACCOUNT_USER:
            token = signer.sign(role, platform, development_subject(role))
            lines.append(f"{role.lower():<{TOKEN_WIDTH}} {token}")
    account_id = account_id_for(platform_id_for(platform), external_id(0))
    if await _is_there(store, account_id):
        user = signer.sign(
            Role.ACCOUNT_USER, platform, development_subject(Role.ACCOUNT_USER), account_id
        )
        lines.append(f"{Role.ACCOUNT_USER.lower():<{TOKEN_WIDTH}} {user}")
    return lines


async def _is_there(store: Store, account_id: uuid.UUID) -> bool:
    found = select(Account.account_id).where(Account.account_id == account_id)
    async with store.database.worker.connect() as connection:
        return await connection.scalar(found) is not None
