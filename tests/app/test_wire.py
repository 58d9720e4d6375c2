"""What comes over the wire and is no proper request: answered or closed, and never an accident."""

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.process import Recourse, Serving

QUERY = b'{"query": "{ viewer { role } }"}'
BODY_TIMEOUT_SECONDS = 1
UPGRADE = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
KEY = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.fixture(scope="module")
def serving(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that does not wait long for bodies."""
    settings = {
        "database_url": database_url,
        "token_secret": "s" * 40,
        "demo_accounts": "0",
        "development_tokens": "true",
        "body_timeout_seconds": str(BODY_TIMEOUT_SECONDS),
    }
    with Recourse(tmp_path_factory.mktemp("wire"), settings).serving() as server:
        yield server
        problems = [line for line in server.log() if line["level"] in ("error", "critical")]
        assert problems == []
        assert "Traceback" not in server.err.read_text()


def exchange(serving: Serving, head: str, body: bytes = b"", start: str = "POST /graphql") -> bytes:
    """What comes back for a request with a token, until the server closes or says no more."""
    url = httpx.URL(serving.url)
    token = f"authorization: Bearer {serving.token('admin')}\r\n"
    with socket.create_connection((url.host, url.port or 80), timeout=5) as connection:
        text = f"{start} HTTP/1.1\r\nhost: x\r\n{token}{head}\r\n"
        connection.sendall(text.encode() + body)
        answer = b""
        try:
            while chunk := connection.recv(65_536):
                answer += chunk
                if b"\r\n\r\n" in answer and answer.endswith(b"}"):
                    break
        except ConnectionResetError:
            return answer
    return answer


def status(answer: bytes) -> int:
    return int(answer.split()[1])


JSON = "content-type: application/json\r\n"


def test_a_proper_request_beside_them_is_answered(serving: Serving) -> None:
    answer = exchange(serving, f"{JSON}content-length: {len(QUERY)}\r\n", QUERY)
    assert status(answer) == 200
    assert answer.endswith(b'{"data":{"viewer":{"role":"ADMIN"}}}')


def test_chunks_are_put_together(serving: Serving) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % each for each in QUERY) + b"0\r\n\r\n"
    answer = exchange(serving, f"{JSON}transfer-encoding: chunked\r\n", chunks)
    assert answer.endswith(b'{"data":{"viewer":{"role":"ADMIN"}}}')


@pytest.mark.parametrize(
    ("head", "body", "code"),
    [
        (JSON, b"", b"BAD_REQUEST"),
        (f"{JSON}content-length: 0\r\n", b"", b"BAD_REQUEST"),
        (f"{JSON}content-length: {len(QUERY) - 1}\r\n", QUERY[:-1], b"BAD_REQUEST"),
        (f"{JSON}content-length: 1000\r\n", QUERY, b"REQUEST_TIMEOUT"),
        (f"{JSON}transfer-encoding: chunked\r\n", b"5\r\n", b"REQUEST_TIMEOUT"),
        ("", b"", b"UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_a_body_that_is_not_there_or_not_whole_is_answered(
    serving: Serving, head: str, body: bytes, code: bytes
) -> None:
    began = time.monotonic()
    answer = exchange(serving, head, body)
    assert code in answer
    assert status(answer) in (400, 408, 415)
    assert b"x-request-id: " in answer
    assert time.monotonic() - began < BODY_TIMEOUT_SECONDS + 2


@pytest.mark.parametrize(
    ("start", "head", "body"),
    [
        ("POST /graphql", "content-length: 5\r\ntransfer-encoding: chunked\r\n", b"0\r\n\r\n"),
        ("POST /graphql", "content-length: 5\r\ncontent-length: 6\r\n", b"{}    "),
        ("POST /graphql", "content-length: -1\r\n", b""),
        ("POST /graphql", "content-length: many\r\n", b""),
        ("POST /graphql", "transfer-encoding: chunked\r\n", b"nonsense\r\n"),
        ("POST /graphql", "no colon\r\n", b""),
        ("NONSENSE /graphql", "", b""),
    ],
)
def test_what_is_no_http_is_refused_and_closed(
    serving: Serving, start: str, head: str, body: bytes
) -> None:
    answer = exchange(serving, f"{JSON}{head}" if start[0] == "P" else head, body, start)
    assert answer == b"" or status(answer) == 400
    assert b'"data"' not in answer


@pytest.mark.parametrize("protocol", ["graphql-ws", "graphql-transport-ws", ""])
def test_a_websocket_is_refused(serving: Serving, protocol: str) -> None:
    named = f"sec-websocket-protocol: {protocol}\r\n" if protocol else ""
    answer = exchange(serving, UPGRADE + KEY + named, start="GET /graphql")
    assert status(answer) == 400
    assert b"WebSockets" in answer


def test_a_websocket_is_refused_without_a_token_and_elsewhere_too(serving: Serving) -> None:
    headers = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    root = serving.url.removesuffix("/graphql")
    for path in ("/graphql", "/", "/graphql/subscriptions"):
        assert httpx.get(root + path, headers=headers).status_code in (400, 404)
    assert httpx.get(f"{root}/healthz").status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_say_which_there_are(serving: Serving, method: str) -> None:
    response = httpx.request(method, serving.url)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert response.headers["x-request-id"]
    assert (response.content == b"") is (method == "HEAD")
