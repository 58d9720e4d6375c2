"""GraphQL over HTTP: what goes in, what comes out, and what never does."""

import asyncio
import json
import socket
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application import build_application
from app.database import Database
from app.settings import Settings
from app.tokens import ALGORITHM, AUDIENCE, ISSUER, TokenSigner
from models.actor import Role, system
from models.clock import SystemClock
from models.ids import platform_id_for
from models.platform import ensure_platform
from tests.app.conftest import MAX_REQUEST_BYTES, PLATFORM, TOKEN_SECRET
from tests.e2e.process import Serving

PATH = "/graphql"
GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
BOTH = [GRAPHQL_JSON, PLAIN_JSON]
VIEWER = {"query": "{ viewer { role } }"}
CREATE = """
mutation ($input: AccountCreateInput!) {
  accountCreate(input: $input) { account { id } userErrors { code field } }
}
"""
SECRET = "Wilhelmina Geheim"


@pytest.fixture(scope="module")
def token(signer: TokenSigner) -> str:
    return signer.sign(Role.ADMIN, PLATFORM, "ada")


@pytest.fixture(scope="module")
async def client(
    server: Serving, token: str, database: Database
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server that sends an administrator's token."""
    platform = platform_id_for(PLATFORM)
    async with database.session_for(system(platform)) as session:
        await ensure_platform(session, SystemClock(), PLATFORM)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=server.url.removesuffix(PATH), headers=headers, timeout=30
    ) as client:
        yield client


async def post(client: httpx.AsyncClient, body: Any, accept: str = GRAPHQL_JSON) -> httpx.Response:
    return await client.post(PATH, json=body, headers={"accept": accept})


def code_of(response: httpx.Response) -> str:
    """The code of the first error; each has one, and the request's id."""
    errors = response.json()["errors"]
    assert all(error["message"] and error["extensions"]["code"] for error in errors)
    given = response.headers["x-request-id"]
    assert all(error["extensions"]["requestId"] == given for error in errors)
    code: str = errors[0]["extensions"]["code"]
    return code


def created(suffix: str, **values: Any) -> dict[str, Any]:
    """A request that makes an account."""
    given = {"externalId": f"acct-{suffix}", "businessName": SECRET, "country": "DE", **values}
    return {"query": CREATE, "variables": {"input": given}}


# Media types and status codes


@pytest.mark.parametrize("accept", BOTH)
async def test_what_is_asked_by_post_is_answered_in_the_media_type_asked_for(
    client: httpx.AsyncClient, accept: str
) -> None:
    response = await post(client, VIEWER, accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.json() == {"data": {"viewer": {"role": "ADMIN"}}}


@pytest.mark.parametrize("accept", BOTH)
async def test_a_query_may_come_by_get(client: httpx.AsyncClient, accept: str) -> None:
    two = f"query A {VIEWER['query']} query B($n: Int) {{ accounts(first: $n) {{ __typename }} }}"
    parameters = {
        "query": two,
        "operationName": "B",
        "variables": '{"n": 1}',
        "extensions": "{}",
    }
    response = await client.get(PATH, params=parameters, headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert set(response.json()["data"]) == {"accounts"}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, PLAIN_JSON),
        ("*/*", PLAIN_JSON),
        ("application/*", PLAIN_JSON),
        ("text/html, */*;q=0.1", PLAIN_JSON),
        ("Application/GraphQL-Response+JSON", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {PLAIN_JSON};q=0.9", GRAPHQL_JSON),
        (f"{PLAIN_JSON};q=0.9, {GRAPHQL_JSON}; charset=utf-8", GRAPHQL_JSON),
        (f"{PLAIN_JSON}, {GRAPHQL_JSON};q=0.5", PLAIN_JSON),
        (f"{GRAPHQL_JSON};q=0, {PLAIN_JSON}", PLAIN_JSON),
        (f"{GRAPHQL_JSON};q=0, */*", PLAIN_JSON),
        (f"{GRAPHQL_JSON};q=nonsense", GRAPHQL_JSON),
    ],
)
async def test_the_client_chooses_between_the_two(
    client: httpx.AsyncClient, accept: str | None, expected: str
) -> None:
    request = client.build_request("POST", PATH, json=VIEWER)
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = await client.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"


WRONG_BEFORE_IT_RUNS = {
    "syntax": ({"query": "{ viewer {"}, "GRAPHQL_PARSE_FAILED"),
    "empty": ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
    "no such field": ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
    "no such operation": (
        {"query": "query A { viewer { role } }", "operationName": "B"},
        "BAD_USER_INPUT",
    ),
    "which operation": (
        {"query": "query A { viewer { role } } query B { viewer { role } }"},
        "BAD_USER_INPUT",
    ),
    "variable missing": ({"query": CREATE}, "BAD_USER_INPUT"),
    "variable of another type": (
        {"query": CREATE, "variables": {"input": {"externalId": 7}}},
        "BAD_USER_INPUT",
    ),
    "enum that does not exist": (
        created("x", riskTier="EXTREME"),
        "BAD_USER_INPUT",
    ),
}


@pytest.mark.parametrize("what", WRONG_BEFORE_IT_RUNS)
@pytest.mark.parametrize("accept", BOTH)
async def test_what_can_not_run_has_no_data_and_says_so(
    client: httpx.AsyncClient, what: str, accept: str
) -> None:
    body, code = WRONG_BEFORE_IT_RUNS[what]
    response = await post(client, body, accept)
    # Older clients read another status as a failure of the way, not of the request.
    assert response.status_code == (400 if accept == GRAPHQL_JSON else 200)
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert "data" not in response.json()
    assert code_of(response) == code


@pytest.mark.parametrize("accept", BOTH)
async def test_an_error_while_it_runs_comes_beside_the_data(
    client: httpx.AsyncClient, accept: str
) -> None:
    response = await post(
        client, {"query": '{ viewer { role } node(id: "nonsense") { id } }'}, accept
    )
    assert response.status_code == 200
    body = response.json()
    assert body["data"] == {"viewer": {"role": "ADMIN"}, "node": None}
    assert code_of(response) == "INVALID_ID"
    assert body["errors"][0]["path"] == ["node"]
    assert body["errors"][0]["locations"]


async def test_an_error_that_takes_all_the_data_with_it_is_still_an_answer(
    client: httpx.AsyncClient,
) -> None:
    response = await post(client, {"query": "{ accounts(first: 1000000) { nodes { id } } }"})
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert code_of(response) == "INVALID_INPUT"


async def test_what_a_user_did_wrong_is_data(client: httpx.AsyncClient) -> None:
    response = await post(client, created("wrong", country="D"))
    # A scalar refuses before anything runs; a rule of the domain speaks in the payload.
    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
    response = await post(client, created("wrong", businessName=""))
    payload = response.json()["data"]["accountCreate"]
    assert response.status_code == 200
    assert payload == {
        "account": None,
        "userErrors": [{"code": "INVALID_INPUT", "field": ["businessName"]}],
    }


# Methods and bodies


async def test_a_mutation_by_get_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, owner_engine: AsyncEngine
) -> None:
    body = created("by-get")
    parameters = {"query": body["query"], "variables": json.dumps(body["variables"])}
    for accept in BOTH:
        response = await client.get(PATH, params=parameters, headers={"accept": accept})
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"
        assert code_of(response) == "METHOD_NOT_ALLOWED"
    two = {"query": "query Q { viewer { role } }" + CREATE.replace("mutation", "mutation M")}
    refused = await client.get(
        PATH, params={**two, **parameters, "query": two["query"], "operationName": "M"}
    )
    assert refused.status_code == 405
    allowed = await client.get(PATH, params={**two, "operationName": "Q"})
    assert allowed.status_code == 200
    async with owner_engine.connect() as connection:
        found = text("SELECT count(*) FROM accounts WHERE external_id = 'acct-by-get'")
        assert await connection.scalar(found) == 0


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, PATH, json=VIEWER)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    if method != "HEAD":
        assert code_of(response) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/graphql"]
)
async def test_a_body_of_another_type_is_refused(
    client: httpx.AsyncClient, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    response = await client.post(PATH, content=json.dumps(VIEWER), headers=headers)
    assert response.status_code == 415
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8"]
)
async def test_json_may_name_its_encoding(client: httpx.AsyncClient, content_type: str) -> None:
    headers = {"content-type": content_type}
    response = await client.post(PATH, content=json.dumps(VIEWER), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"query",
        b"null",
        b'{"query": "{ viewer { role } }"',
        b'{"query": "\xff"}',
        b'{"query": "\xed\xa0\x80"}',
        rb'{"query": "\ud800"}',
        json.dumps(VIEWER).encode("utf-16"),
        b'{"query": NaN}',
        b'{"variables": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
)
async def test_what_is_not_json_in_utf8_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post(PATH, content=body, headers={"content-type": PLAIN_JSON})
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "body",
    [
        "{ viewer { role } }",
        7,
        {},
        {"query": None},
        {"query": ["{ viewer { role } }"]},
        {**VIEWER, "operationName": 7},
        {**VIEWER, "variables": "{}"},
        {**VIEWER, "variables": []},
        {**VIEWER, "extensions": []},
        {**VIEWER, "extensions": "{}"},
        {**VIEWER, "extensions": 0},
        {**VIEWER, "documentId": 7},
    ],
)
async def test_json_of_another_shape_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    response = await post(client, body)
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {**VIEWER, "variables": "{"},
        {**VIEWER, "variables": "[]"},
        {"q": "{ viewer }"},
    ],
)
async def test_parameters_of_another_shape_are_refused(
    client: httpx.AsyncClient, parameters: dict[str, str]
) -> None:
    response = await client.get(PATH, params=parameters, headers={"accept": GRAPHQL_JSON})
    assert response.status_code == 400
    assert code_of(response) in ("BAD_REQUEST", "GRAPHQL_PARSE_FAILED")


async def test_null_and_what_is_not_known_is_left_out(client: httpx.AsyncClient) -> None:
    body = {**VIEWER, "operationName": None, "variables": None, "extensions": {"a": 1}, "more": 1}
    assert (await post(client, body)).status_code == 200


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1_000):
        yield b" " * 1_000


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": PLAIN_JSON}
    for content in (b" " * (MAX_REQUEST_BYTES + 1), chunks(MAX_REQUEST_BYTES * 2)):
        response = await client.post(PATH, content=content, headers=headers)
        assert response.status_code == 413
        assert code_of(response) == "REQUEST_TOO_LARGE"
    fitting = json.dumps(VIEWER).encode().ljust(MAX_REQUEST_BYTES)
    assert (await client.post(PATH, content=fitting, headers=headers)).status_code == 200


async def test_a_body_far_too_large_is_not_read_to_its_end(server: Serving, token: str) -> None:
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
        kind = f"content-type: {PLAIN_JSON}\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall((head + kind).encode())
        piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        # Much more than what buffers on the way would hold.
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(piece * 1_000)


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(
    server: Serving, token: str
) -> None:
    url = httpx.URL(server.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
    writer.write(f"{head}content-type: {PLAIN_JSON}\r\ncontent-length: 5000000\r\n\r\n".encode())
    line = await asyncio.wait_for(reader.readline(), 10)
    assert line.split()[1] == b"413"
    writer.close()


async def test_who_hangs_up_in_the_middle_disturbs_nobody(
    server: Serving, client: httpx.AsyncClient, token: str
) -> None:
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 80)) as connection:
        head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
        connection.sendall(
            f"{head}content-type: {PLAIN_JSON}\r\ncontent-length: 100\r\n\r\n{{".encode()
        )
    await asyncio.sleep(0.1)
    assert (await post(client, VIEWER)).status_code == 200
    assert not [line for line in server.log() if line["level"] in ("error", "critical")]


# Tokens


def claims(**values: Any) -> dict[str, Any]:
    """The claims of a good administrator's token; `values` override them, None leaves one out."""
    now = datetime.now(UTC)
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "role": "admin",
        "platform": str(platform_id_for(PLATFORM)),
        "scopes": [],
        "iat": now,
        "exp": now + timedelta(hours=1),
        **values,
    }
    return {name: value for name, value in good.items() if value is not None}


def signed(key: str = TOKEN_SECRET, algorithm: str = ALGORITHM, **values: Any) -> str:
    return jwt.encode(claims(**values), key, algorithm=algorithm)


def forged() -> str:
    """Another's claims under the signature of one's own token."""
    head, _, signature = signed(role="account_user", account=str(uuid.uuid4())).split(".")
    return f"{head}.{signed().split('.')[1]}.{signature}"


NOW, HOUR = datetime.now(UTC), timedelta(hours=1)
REFUSED_TOKENS = {
    "none": None,
    "empty": "",
    "another scheme": "Basic YTpi",
    "no scheme": signed(),
    "nonsense": "Bearer nonsense",
    "not ASCII": "Bearer \u00e4.\u00e4.\u00e4",
    "forged": f"Bearer {forged()}",
    "unsigned": f"Bearer {signed('', 'none')}",
    "another secret": f"Bearer {signed('another secret of thirty-two letters')}",
    "another algorithm of the same kind": f"Bearer {signed(TOKEN_SECRET, 'HS384')}",
    "another algorithm": f"Bearer {signed(TOKEN_SECRET, 'HS512')}",
    "another audience": f"Bearer {signed(aud='others')}",
    "another issuer": f"Bearer {signed(iss='others')}",
    "expired": f"Bearer {signed(iat=NOW - 2 * HOUR, exp=NOW - HOUR)}",
    "of the future": f"Bearer {signed(iat=NOW + HOUR, exp=NOW + 2 * HOUR)}",
    "no expiry": f"Bearer {signed(exp=None)}",
    "no subject": f"Bearer {signed(sub=None)}",
    "no role": f"Bearer {signed(role=None)}",
    "an unknown role": f"Bearer {signed(role='emperor')}",
    "the system's role": f"Bearer {signed(role='system')}",
    "no platform": f"Bearer {signed(platform=None)}",
    "a platform by its name": f"Bearer {signed(platform=PLATFORM)}",
    "an account user without account": f"Bearer {signed(role='account_user')}",
    "staff with an account": f"Bearer {signed(account=str(uuid.uuid4()))}",
    "scopes that are no list": f"Bearer {signed(scopes='all')}",
    "a deep header": f"Bearer {b64encode(b'[' * 45_000).decode()}.e30.e30",
}


@pytest.mark.parametrize("why", REFUSED_TOKENS)
async def test_a_token_that_is_not_good_is_refused(server: Serving, why: str) -> None:
    value = REFUSED_TOKENS[why]
    headers = (
        httpx.Headers()
        if value is None
        else httpx.Headers({b"authorization": value.encode("latin-1")})
    )
    async with httpx.AsyncClient() as client:
        for method in ("POST", "GET"):
            response = await client.request(method, server.url, json=VIEWER, headers=headers)
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert code_of(response) == "UNAUTHENTICATED"
            assert "data" not in response.json()


async def test_the_good_tokens_beside_them_are_taken(server: Serving) -> None:
    good = [
        (signed(), "ADMIN"),
        (signed(role="ADMIN"), "ADMIN"),
        (signed(role="account_user", account=str(uuid.uuid4())), "ACCOUNT_USER"),
    ]
    for token, role in good:
        for scheme in ("Bearer", "bearer"):
            async with httpx.AsyncClient(headers={"authorization": f"{scheme} {token}"}) as client:
                response = await client.post(server.url, json=VIEWER)
            assert response.json() == {"data": {"viewer": {"role": role}}}


# Request ids


async def test_the_request_id_of_the_client_is_kept(
    client: httpx.AsyncClient, server: Serving
) -> None:
    given = f"Trace-{uuid.uuid4()}:1.2_3"
    response = await client.post(PATH, json=VIEWER, headers={"x-request-id": given})
    assert response.headers["x-request-id"] == given
    [line] = [line for line in server.log() if line.get("request_id") == given]
    assert line["event"] == "request"
    assert (line["method"], line["status"]) == ("POST", 200)
    assert line["milliseconds"] > 0


@pytest.mark.parametrize(
    ("body", "operation", "codes"),
    [
        (VIEWER, None, []),
        ({"query": "query Who { viewer { id } }"}, "Who", []),
        (
            {"query": "query A { viewer { id } } query B { viewer { id } }", "operationName": "B"},
            "B",
            [],
        ),
        (
            {"query": 'query Two { account(externalId: "Geheim") { id } node(id: "x") { id } }'},
            "Two",
            ["INVALID_ID", "NOT_FOUND"],
        ),
        ({"query": "query Geheim { nope }"}, None, ["GRAPHQL_VALIDATION_FAILED"]),
        ({"query": "Geheim"}, None, ["GRAPHQL_PARSE_FAILED"]),
        ({"query": f"query {'q' * 101} {{ viewer {{ id }} }}"}, "q" * 100, []),
        ({"no": "Geheim"}, None, ["BAD_REQUEST"]),
    ],
)
async def test_a_line_of_the_log_has_the_operation_and_the_codes_of_errors(
    client: httpx.AsyncClient,
    server: Serving,
    body: dict[str, Any],
    operation: str | None,
    codes: list[str],
) -> None:
    response = await client.post(PATH, json=body)
    request_id = response.headers["x-request-id"]
    [line] = [line for line in server.log() if line.get("request_id") == request_id]
    assert (line["operation"], line["codes"]) == (operation, codes)
    # Messages, which repeat what was given, are not for the log.
    assert "Geheim" not in str(line)


@pytest.mark.parametrize("given", ["", "a b", "x" * 101, '"quoted"', "{}", "\u00e4"])
async def test_a_request_id_that_would_not_do_is_replaced(
    client: httpx.AsyncClient, server: Serving, given: str
) -> None:
    headers = httpx.Headers({b"x-request-id": given.encode("latin-1")})
    response = await client.post(PATH, json=VIEWER, headers=headers)
    made = response.headers["x-request-id"]
    assert made != given
    assert len(made) == 32
    assert [line for line in server.log() if line.get("request_id") == made]


async def test_refusals_have_a_request_id_too(server: Serving) -> None:
    async with httpx.AsyncClient() as client:
        first, second = [await client.post(server.url, json=VIEWER) for _ in range(2)]
    assert first.status_code == 401
    assert len(first.headers["x-request-id"]) == 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


# What goes wrong on our side


@asynccontextmanager
async def table_away(owner: AsyncEngine, table: str) -> AsyncIterator[None]:
    """Let every statement on a table fail."""
    async with owner.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    try:
        yield
    finally:
        async with owner.begin() as connection:
            await connection.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))


def assert_masked(
    response: httpx.Response, server: Serving, code: str = "INTERNAL_ERROR"
) -> dict[str, Any]:
    """The response says nothing but its request's id, under which the log says what it was."""
    request_id = response.headers["x-request-id"]
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": code, "requestId": request_id}
    lowered = response.text.lower()
    for word in (
        "select",
        "relation",
        "sql",
        "postgres",
        "asyncpg",
        "traceback",
        ".py",
        "accounts_",
    ):
        assert word not in lowered
    assert "Error" not in error["message"]
    lines = [line for line in server.log() if line.get("request_id") == request_id]
    [line] = [line for line in lines if line["level"] in ("error", "warning")]
    assert [line for line in lines if line["event"] == "request"]
    return line


async def test_an_error_of_the_store_is_masked(
    client: httpx.AsyncClient, server: Serving, owner_engine: AsyncEngine
) -> None:
    async with table_away(owner_engine, "accounts"):
        response = await post(client, {"query": "{ accounts(first: 1) { nodes { id } } }"})
    assert response.status_code == 200
    line = assert_masked(response, server)
    assert any("UndefinedTable" in shown["type"] for shown in line["exception"])
    assert (await post(client, VIEWER)).status_code == 200


async def test_an_error_of_a_mutation_is_masked_and_writes_nothing(
    client: httpx.AsyncClient, server: Serving, owner_engine: AsyncEngine
) -> None:
    before = len(server.err.read_text())
    async with table_away(owner_engine, "events"):
        response = await post(client, created("masked", email="wilhelmina@example.com"))
    assert response.json()["data"] is None
    assert_masked(response, server)
    written = server.err.read_text()[before:]
    assert SECRET not in written
    assert "wilhelmina" not in written
    async with owner_engine.connect() as connection:
        found = text("SELECT count(*) FROM accounts WHERE external_id = 'acct-masked'")
        assert await connection.scalar(found) == 0


async def test_a_lost_connection_is_masked_and_the_next_request_has_another(
    client: httpx.AsyncClient, server: Serving, owner_engine: AsyncEngine
) -> None:
    """The store's end of the connection goes away while a query waits for a lock."""
    async with owner_engine.begin() as blocking:
        await blocking.execute(text("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"))
        query = {"query": "{ accounts(first: 1) { nodes { id } } }"}
        waiting = asyncio.create_task(post(client, query))
        await until_waits(owner_engine)
        async with owner_engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_terminate_backend(pid) {WAITING}"))
        response = await waiting
    assert_masked(response, server, "UNAVAILABLE")
    # A pool may hold others that were cut off at the same time.
    assert (await post(client, query)).json() == {"data": {"accounts": {"nodes": []}}}


WAITING = (
    "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
    "AND usename LIKE 'recourse_%'"
)


async def until_waits(owner: AsyncEngine) -> None:
    async with asyncio.timeout(10):
        while True:
            async with owner.connect() as connection:
                if await connection.scalar(text(f"SELECT count(*) {WAITING}")):
                    return
            await asyncio.sleep(0.02)


class BrokenClock:
    """A clock that has stopped for good: an accident outside of every resolver."""

    def now(self) -> datetime:
        raise RuntimeError(SECRET)


async def test_an_accident_outside_of_resolvers_is_masked_too(
    database: Database, signer: TokenSigner, token: str
) -> None:
    application = build_application(Settings(), database, signer, BrokenClock())
    transport = httpx.ASGITransport(application)
    headers = {"authorization": f"Bearer {token}", "accept": GRAPHQL_JSON, "x-request-id": "r1"}
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        response = await client.post(f"http://recourse.test{PATH}", json=VIEWER)
    assert response.status_code == 500
    assert response.headers["content-type"] == f"{GRAPHQL_JSON}; charset=utf-8"
    assert response.headers["x-request-id"] == "r1"
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": "r1"}
    assert SECRET not in response.text
    assert "RuntimeError" not in response.text


# Personal data


async def test_the_log_names_requests_and_no_people(
    client: httpx.AsyncClient, server: Serving
) -> None:
    made = await post(client, created("private", email="wilhelmina@example.com"))
    account = made.json()["data"]["accountCreate"]["account"]["id"]
    search = "query ($s: String) { accounts(first: 1, filter: {search: $s}) { nodes { email } } }"
    found = await post(client, {"query": search, "variables": {"s": "Wilhelmina"}})
    assert found.json()["data"]["accounts"]["nodes"] == [{"email": "wilhelmina@example.com"}]
    await post(client, created("private"))
    await client.get(PATH, params={"query": '{ node(id: "Wilhelmina Geheim") { id } }'})
    await post(client, {"query": '{ wilhelmina(name: "Wilhelmina Geheim") }'})
    log = server.err.read_text()
    assert made.headers["x-request-id"] in log
    for word in ("wilhelmina", "geheim", "acct-private", account.lower(), "example.com"):
        assert word not in log.lower()


async def test_no_log_line_holds_a_token(
    client: httpx.AsyncClient, server: Serving, token: str
) -> None:
    await post(client, VIEWER)
    log = server.err.read_text()
    assert token not in log
    assert token.split(".")[1] not in log


# Depth


async def test_what_is_nested_deeply_is_refused_like_anything_else(
    client: httpx.AsyncClient,
) -> None:
    fields = "{ accounts(first: 1) " + "{ nodes { requirements(first: 1) " * 250
    deep: list[Any] = [
        {"query": "{" * 3_000},
        {"query": fields},
        {"query": '{ node(id: "x" ' + "@skip(if: " + "[" * 2_000 + "]" * 2_000 + ") { id } }"},
        {"query": " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(600))},
        {"query": "{ ...F0 } " + chain(550)},
        {"query": "{ " + "... { " * 900 + "viewer { role }" + " }" * 900 + " }"},
        created("deep", capabilities=nested(900)),
    ]
    for body in deep:
        response = await post(client, body)
        assert response.status_code in (200, 400)
        if "errors" in response.json():
            assert code_of(response) != "INTERNAL_ERROR"


def chain(length: int) -> str:
    """Fragments that each spread the next."""
    links = [f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(length)]
    return " ".join([*links, f"fragment F{length} on Query {{ viewer {{ role }} }}"])


def nested(depth: int) -> Any:
    value: Any = "PAYOUTS"
    for _ in range(depth):
        value = [value]
    return value


# Beside GraphQL


async def test_health_and_readiness(server: Serving, owner_engine: AsyncEngine) -> None:
    base = server.url.removesuffix(PATH)
    async with httpx.AsyncClient(base_url=base) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        assert (await client.get("/nothing")).status_code == 404
