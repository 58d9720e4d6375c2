"""The limit: the same JSON from a handler that a person would write for just these queries.

Under `/bare` it asks PostgreSQL and nothing more. Under `/kept` it keeps what Recourse promises:
the caller's token is checked, and all statements of an answer read one snapshot, under row-level
security, as the role and with the settings of that caller.

It knows that an account has five requirements, these two interactions and one resolution each, and
does not limit them; times are written by orjson.
"""

import os
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import jwt
import orjson
from sqlalchemy import URL, make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.handwritten_mutations import BARE_CALLER, OPERATIONS, Caller, Change
from tests.bench.hosting import POOL_SIZE, SECRET_VARIABLE, URL_VARIABLE, freeze, serve

BARE, KEPT = "bare", "kept"
ACCOUNT = "account_id, external_id, business_name, country, risk_tier, status, created_at"
REQUIREMENT = (
    "account_id, id, title, category, state, currently_due_at, deadline, priority, version"
)
ONE_ACCOUNT = f"SELECT {ACCOUNT} FROM accounts WHERE account_id = $1"
ACCOUNTS_BY_ID = f"SELECT {ACCOUNT} FROM accounts WHERE account_id = ANY($1::uuid[])"
FIRST_ACCOUNTS = (
    f"SELECT {ACCOUNT} FROM accounts WHERE platform_id = $1 "
    "ORDER BY created_at, account_id LIMIT $2"
)
OF_ACCOUNTS = (
    f"SELECT {REQUIREMENT} FROM requirements WHERE account_id = ANY($1::uuid[]) "
    "ORDER BY account_id, sort_deadline, id"
)
IN_REVIEW = (
    f"SELECT {REQUIREMENT} FROM requirements WHERE platform_id = $1 AND state = 'IN_REVIEW' "
    "ORDER BY sort_deadline, account_id, id LIMIT $2"
)
INTERACTIONS = (
    "SELECT link.requirement_id, i.account_id, i.id, i.purpose, i.channel, i.state, i.subject, "
    "i.created_at FROM interaction_requirements link "
    "JOIN interactions i ON i.account_id = link.account_id AND i.id = link.interaction_id "
    "WHERE link.account_id = ANY($1::uuid[]) AND link.requirement_id = ANY($2::uuid[]) "
    "ORDER BY i.created_at, i.id"
)
RESOLUTIONS = (
    "SELECT requirement_id, account_id, id, outcome, state, reason_code, decided_at "
    "FROM resolutions WHERE account_id = ANY($1::uuid[]) AND requirement_id = ANY($2::uuid[]) "
    "ORDER BY created_at, id"
)


class Unauthorized(Exception):
    """The token is missing or not valid."""


class Store:
    """Connections as the owner, whom row-level security does not bind, and as the staff's role."""

    def __init__(self, url: URL, secret: str) -> None:
        self.url, self.secret = url, secret

    async def open(self) -> None:
        self.owner = await self._pool(self.url.username)
        self.staff = await self._pool("recourse_staff")

    async def close(self) -> None:
        await self.owner.close()
        await self.staff.close()

    async def _pool(self, user: str | None) -> Any:
        query = self.url.query
        return await asyncpg.create_pool(
            host=str(query["host"]),
            port=int(str(query["port"])),
            user=user,
            database=self.url.database,
            min_size=POOL_SIZE,
            max_size=POOL_SIZE,
            reset=_as_it_is,
            server_settings={"jit": "off"},
        )

    @asynccontextmanager
    async def reading(self, request: Request) -> AsyncIterator[Any]:
        """A connection to read from, in the way that the request's path asks for."""
        if is_bare(request):
            async with self.owner.acquire() as connection:
                yield connection
            return
        platform_id = uuid.UUID(self._claims_of(request)["platform"])
        async with self.staff.acquire() as connection:
            await connection.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                f"SET LOCAL recourse.platform_id = '{platform_id}'"
            )
            try:
                yield connection
            finally:
                await connection.execute("ROLLBACK")

    @asynccontextmanager
    async def writing(self, request: Request) -> AsyncIterator[Change]:
        """A transaction to change something in, in the way that the request's path asks for."""
        caller, begin, pool = BARE_CALLER, "BEGIN", self.owner
        if not is_bare(request):
            claims = self._claims_of(request)
            caller, pool = Caller(claims["role"].upper(), claims["sub"]), self.staff
            platform_id = uuid.UUID(claims["platform"])
            begin = f"BEGIN; SET LOCAL recourse.platform_id = '{platform_id}'"
        async with pool.acquire() as connection:
            await connection.execute(begin)
            try:
                yield Change(connection, caller, datetime.now(UTC))
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")

    def _claims_of(self, request: Request) -> dict[str, Any]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self.secret, algorithms=["HS256"], audience="recourse", issuer="recourse"
            )
        except jwt.PyJWTError as error:
            raise Unauthorized from error
        if scheme != "Bearer" or claims["role"] != "reviewer":
            raise Unauthorized
        return claims


def is_bare(request: Request) -> bool:
    """Whether a request asks for the flavour without the promises."""
    return request.url.path.startswith(f"/{BARE}/")


async def _as_it_is(_: Any) -> None:
    """Nothing is left on a connection that its next user could trip over."""


def application(store: Store, platform_id: uuid.UUID) -> Starlette:
    """The endpoint over a store."""

    async def account(request: Request) -> Response:
        account_id = uuid.UUID(hex=request.path_params["id"].removeprefix("acc_"))
        async with store.reading(request) as connection:
            row = await connection.fetchrow(ONE_ACCOUNT, account_id)
            requirements = await connection.fetch(OF_ACCOUNTS, [account_id])
        now = datetime.now(UTC)
        nodes = [requirement_json(r, now) for r in requirements]
        return respond({"account": {**account_json(row), "requirements": {"nodes": nodes}}})

    async def dashboard(request: Request) -> Response:
        first = int(request.query_params["first"])
        async with store.reading(request) as connection:
            accounts = await connection.fetch(FIRST_ACCOUNTS, platform_id, first)
            account_ids = [row["account_id"] for row in accounts]
            requirements = await connection.fetch(OF_ACCOUNTS, account_ids)
            ids = [row["id"] for row in requirements]
            interactions = await connection.fetch(INTERACTIONS, account_ids, ids)
            resolutions = await connection.fetch(RESOLUTIONS, account_ids, ids)
        now = datetime.now(UTC)
        contacts = grouped(interactions, "requirement_id", interaction_json)
        decisions = grouped(resolutions, "requirement_id", resolution_json)
        owed: dict[uuid.UUID, list[Any]] = {}
        for row in requirements:
            node = requirement_json(row, now)
            node["interactions"] = {"nodes": contacts.get(row["id"], [])}
            node["resolutions"] = {"nodes": decisions.get(row["id"], [])}
            owed.setdefault(row["account_id"], []).append(node)
        nodes = []
        for row in accounts:
            node = account_json(row)
            node["requirements"] = {"nodes": owed.get(row["account_id"], [])}
            nodes.append(node)
        return respond({"accounts": {"nodes": nodes}})

    async def queue(request: Request) -> Response:
        first = int(request.query_params["first"])
        async with store.reading(request) as connection:
            requirements = await connection.fetch(IN_REVIEW, platform_id, first)
            account_ids = list({row["account_id"] for row in requirements})
            accounts = await connection.fetch(ACCOUNTS_BY_ID, account_ids)
        now = datetime.now(UTC)
        by_id = {row["account_id"]: account_json(row) for row in accounts}
        nodes = []
        for row in requirements:
            node = requirement_json(row, now)
            node["account"] = by_id[row["account_id"]]
            nodes.append(node)
        return respond({"requirements": {"nodes": nodes}})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await store.open()
        freeze()
        yield
        await store.close()

    def changing(operation: Any) -> Any:
        async def change(request: Request) -> Response:
            body = orjson.loads(await request.body())
            async with store.writing(request) as unit:
                data = await operation(unit, body)
            return respond(data)

        return change

    async def refuse(_: Request, __: Exception) -> Response:
        return Response(status_code=401)

    paths = {"/accounts/{id}": account, "/dashboard": dashboard, "/queue": queue}
    routes = [
        *((path, handler, "GET") for path, handler in paths.items()),
        *((path, changing(operation), "POST") for path, operation in OPERATIONS.items()),
    ]
    return Starlette(
        routes=[
            Route(f"/{flavour}{path}", handler, methods=[method])
            for path, handler, method in routes
            for flavour in (BARE, KEPT)
        ],
        exception_handlers={Unauthorized: refuse},
        lifespan=lifespan,
    )


def grouped(rows: Iterable[Any], key: str, encode: Any) -> dict[Any, list[Any]]:
    """The rows as JSON, by the value of a column."""
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(encode(row))
    return found


def account_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"acc_{row['account_id'].hex}",
        "externalId": row["external_id"],
        "businessName": row["business_name"],
        "country": row["country"],
        "riskTier": row["risk_tier"],
        "status": row["status"],
        "createdAt": row["created_at"],
    }


def requirement_json(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": f"req_{row['account_id'].hex}{row['id'].hex}",
        "title": row["title"],
        "category": row["category"],
        "state": row["state"],
        "dueStatus": due_status(row["state"], row["currently_due_at"], row["deadline"], now),
        "deadline": row["deadline"],
        "priority": row["priority"],
        "version": row["version"],
    }


def due_status(state: str, due: datetime | None, deadline: datetime | None, now: datetime) -> str:
    if state in ("SUBMITTED", "IN_REVIEW"):
        return "PENDING_VERIFICATION"
    if state not in ("OPEN", "ACTION_REQUIRED"):
        return "NONE"
    if deadline is not None and deadline <= now:
        return "PAST_DUE"
    return "CURRENTLY_DUE" if due is not None and due <= now else "EVENTUALLY_DUE"


def interaction_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"int_{row['account_id'].hex}{row['id'].hex}",
        "purpose": row["purpose"],
        "channel": row["channel"],
        "state": row["state"],
        "subject": row["subject"],
        "createdAt": row["created_at"],
    }


def resolution_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"res_{row['account_id'].hex}{row['id'].hex}",
        "outcome": row["outcome"],
        "state": row["state"],
        "reasonCode": row["reason_code"],
        "decidedAt": row["decided_at"],
    }


def respond(data: Mapping[str, Any]) -> Response:
    return Response(
        orjson.dumps({"data": data}, option=orjson.OPT_UTC_Z), media_type="application/json"
    )


if __name__ == "__main__":
    import sys

    store = Store(make_url(os.environ[URL_VARIABLE]), os.environ[SECRET_VARIABLE])
    serve(application(store, uuid.UUID(sys.argv[1])))
