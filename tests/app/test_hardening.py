"""Browsers: what other sites' pages can't do, which may ask, and what responses tell a browser."""

from collections.abc import Callable

import httpx
import pytest

PATH = "/graphql"
QUERY = {"query": "{ viewer { role } }"}
MINE, OTHERS = "https://dashboard.example", "https://evil.example"
Clients = Callable[..., httpx.AsyncClient]


# Forged requests. A page can send, without asking first, a GET or a POST of three content types,
# with cookies and with what a browser remembers of HTTP's own schemes; never with a token.


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cookie": "authorization=Bearer TOKEN; token=TOKEN"},
        {"authorization": "Basic VE9LRU4="},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_token_in_the_header_nothing_is_let_in(
    clients: Clients, method: str, headers: dict[str, str]
) -> None:
    async with clients() as client:
        token = client.headers.pop("authorization").removeprefix("Bearer ")
        given = {name: value.replace("TOKEN", token) for name, value in headers.items()}
        parameters = {**QUERY, "authorization": f"Bearer {token}", "access_token": token}
        response = await client.request(
            method, PATH, params=parameters, json=QUERY, headers={"origin": OTHERS, **given}
        )
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
async def test_what_a_form_can_send_is_refused_even_with_a_token(
    clients: Clients, content_type: str
) -> None:
    async with clients() as client:
        response = await client.post(
            PATH,
            content=b'{"query": "{ viewer { role } }"}',
            headers={"content-type": content_type, "origin": OTHERS},
        )
    assert response.status_code == 415


# Other origins


def preflight(origin: str, headers: str = "authorization,content-type") -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": headers,
    }


async def test_other_origins_are_not_let_in_unless_named(clients: Clients) -> None:
    async with clients() as client:
        asked = await client.options(PATH, headers=preflight(MINE))
        answered = await client.post(PATH, json=QUERY, headers={"origin": MINE})
    assert asked.status_code == 405
    for response in (asked, answered):
        assert not [name for name in response.headers if name.startswith("access-control")]


async def test_an_origin_that_is_named_may_ask(clients: Clients) -> None:
    async with clients(cors_origins=f"{MINE}, http://localhost:3000") as client:
        for origin in (MINE, "http://localhost:3000"):
            asked = await client.options(PATH, headers=preflight(origin))
            assert asked.status_code == 200
            assert asked.headers["access-control-allow-origin"] == origin
            assert "Authorization" in asked.headers["access-control-allow-headers"].title()
            answered = await client.post(PATH, json=QUERY, headers={"origin": origin})
            assert answered.headers["access-control-allow-origin"] == origin
            assert "x-request-id" in answered.headers["access-control-expose-headers"]
            assert "Origin" in answered.headers["vary"]
            assert "access-control-allow-credentials" not in answered.headers


@pytest.mark.parametrize("origin", [OTHERS, "null", f"{MINE}.evil.example", "http://localhost"])
async def test_an_origin_that_is_not_named_may_not(clients: Clients, origin: str) -> None:
    async with clients(cors_origins=f"{MINE},http://localhost:3000") as client:
        asked = await client.options(PATH, headers=preflight(origin))
        answered = await client.post(PATH, json=QUERY, headers={"origin": origin})
    assert asked.status_code == 400
    for response in (asked, answered):
        assert "access-control-allow-origin" not in response.headers


async def test_refusals_can_be_read_by_the_page_that_asked(clients: Clients) -> None:
    async with clients(cors_origins=MINE) as client:
        del client.headers["authorization"]
        refused = await client.post(PATH, json=QUERY, headers={"origin": MINE})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == MINE


async def test_cookies_are_let_in_from_named_origins_only(clients: Clients) -> None:
    async with clients(cors_origins=MINE, cors_credentials=True) as client:
        answered = await client.post(PATH, json=QUERY, headers={"origin": MINE})
    assert answered.headers["access-control-allow-credentials"] == "true"
    async with clients(cors_origins="*") as client:
        answered = await client.post(PATH, json=QUERY, headers={"origin": OTHERS})
    assert answered.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answered.headers


# Headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", PATH, 200),
        ("GET", PATH, 400),
        ("PUT", PATH, 405),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/nothing", 404),
        ("GET", f"{PATH}/", 404),
    ],
)
async def test_every_response_tells_browsers_to_be_careful(
    clients: Clients, method: str, path: str, status: int
) -> None:
    async with clients() as client:
        response = await client.request(method, path, json=QUERY)
    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    if path == PATH:
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-request-id"]
