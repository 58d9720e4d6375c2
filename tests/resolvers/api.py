"""The API as its clients see it: requests through the real endpoint, in process."""

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import orjson
from sqlalchemy import event

from app.database import Database
from app.negotiation import GRAPHQL_JSON
from app.tokens import TokenSigner
from models.actor import Role
from models.aggregate import Account
from models.clock import ManualClock
from models.read_pool import ReadPool
from tests.factories import Runner, create_runner, unique

URL = "http://recourse.test/graphql"
# By these the driver learns of types, once for each connection.
INTROSPECTION = ("typeinfo_tree", "current_setting('jit')")


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    role: Role
    platform: str
    subject: str
    account_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Answer:
    """What came back, and the statements that reached PostgreSQL meanwhile."""

    status: int
    body: dict[str, Any]
    statements: tuple[str, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """The data, of an answer without errors."""
        assert self.status == 200, self
        assert "errors" not in self.body, self.body["errors"]
        found: dict[str, Any] = self.body["data"]
        return found

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors of the response."""
        found: list[dict[str, Any]] = self.body.get("errors", [])
        return found

    @property
    def codes(self) -> list[str]:
        """The codes of the errors."""
        return [error["extensions"]["code"] for error in self.errors]


def hear_of(pool: ReadPool, each: Callable[[Any], None]) -> None:
    """Call `each` with the driver's connection whenever the pool gives one out."""
    acquire = pool.acquire

    async def heard() -> Any:
        connection = await acquire()
        each(connection._con)
        return connection

    pool.acquire = heard  # type: ignore[method-assign]


@dataclass
class StatementLog:
    """What the driver has sent on the connections of all pools."""

    sent: list[str] = field(default_factory=list)

    def listen(self, database: Database) -> None:
        """Hear of every statement of the connections that the pools open from now on."""
        for engine in (database.staff, database.account_user, database.worker):
            event.listen(engine.sync_engine, "connect", self._connected)
        for pool in (database.staff_reads, database.account_user_reads):
            hear_of(pool, lambda driver: driver.add_query_logger(self._heard))

    def _connected(self, connection: Any, _record: Any) -> None:
        connection.driver_connection.add_query_logger(self._heard)

    def _heard(self, query: asyncpg.connection.LoggedQuery) -> None:
        if not any(sign in query.query for sign in INTROSPECTION):
            self.sent.append(query.query)

    @contextmanager
    def during(self) -> Iterator[list[str]]:
        """The statements of this span of time."""
        before, self.sent = self.sent, []
        try:
            yield self.sent
        finally:
            self.sent = before


@dataclass(frozen=True)
class Api:
    """The endpoint, on one database, at the time of one clock."""

    client: httpx.AsyncClient
    database: Database
    signer: TokenSigner
    clock: ManualClock
    log: StatementLog

    def token(self, caller: Caller) -> str:
        """A development token for the caller."""
        return self.signer.sign(caller.role, caller.platform, caller.subject, caller.account_id)

    async def call(
        self,
        caller: Caller,
        query: str,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> Answer:
        """Ask as a client does."""
        body: dict[str, Any] = {"query": query}
        if variables is not None:
            body["variables"] = variables
        if operation_name is not None:
            body["operationName"] = operation_name
        return await self.send(caller, orjson.dumps(body))

    async def send(self, caller: Caller, content: bytes, accept: str = GRAPHQL_JSON) -> Answer:
        """Send these bytes as the body of a request."""
        headers = {
            "authorization": f"Bearer {self.token(caller)}",
            "content-type": "application/json",
            "accept": accept,
        }
        with self.log.during() as sent:
            response = await self.client.post(URL, content=content, headers=headers)
            # The driver tells its listeners in the loop's next turn.
            await asyncio.sleep(0)
        return Answer(response.status_code, orjson.loads(response.content), tuple(sent))

    async def platform(self, slug: str | None = None) -> "Platform":
        """A platform that nothing else uses."""
        slug = slug or unique("api")
        return Platform(self, await create_runner(self.database, self.clock, slug), slug)


@dataclass(frozen=True)
class Platform:
    """One platform behind the endpoint: who calls, and what runs operations to set the scene.

    The callers are the same people as the runner's actors.
    """

    api: Api
    run: Runner
    slug: str

    def staff(self, role: Role, subject: str) -> Caller:
        """Somebody of the platform."""
        return Caller(role, self.slug, subject)

    def user(self, account: Account | uuid.UUID, subject: str = "uma") -> Caller:
        """Somebody of an account."""
        account_id = account if isinstance(account, uuid.UUID) else account.account_id
        return Caller(Role.ACCOUNT_USER, self.slug, subject, account_id)

    @property
    def admin(self) -> Caller:
        return self.staff(Role.ADMIN, self.run.admin.id)

    @property
    def reviewer(self) -> Caller:
        return self.staff(Role.REVIEWER, self.run.reviewer.id)

    @property
    def second_reviewer(self) -> Caller:
        return self.staff(Role.REVIEWER, self.run.second_reviewer.id)

    @property
    def integrator(self) -> Caller:
        return self.staff(Role.INTEGRATOR, self.run.integrator.id)
