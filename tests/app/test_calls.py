"""What requests ask for: whatever is not clear is refused, with a code, an id, and no traceback."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

PATH = "/graphql"
PLAIN_JSON = "application/json"
JSON = {"content-type": PLAIN_JSON}
QUERY = "{ viewer { role } }"
TWO = "query A { viewer { role } } query B { viewer { id } }"
Clients = Callable[..., httpx.AsyncClient]


def code(response: httpx.Response) -> str:
    """The code of the only error, which has the id of the request."""
    [error] = response.json()["errors"]
    assert error["message"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert "data" not in response.json()
    found: str = error["extensions"]["code"]
    return found


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"7",
        b"-1e400",
        b"null",
        b"true",
        b'"{ viewer { role } }"',
        b"NaN",
        b"Infinity",
        b'{"query": "{ viewer { role } }", "variables": {"a": NaN}}',
        b'{"query": "{ viewer { role } }", "variables": {"a": -Infinity}}',
        b'{"query": "{ viewer { role } }",}',
        b'{"query": "\xff\xfe"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"query": "{ viewer { role } }", "query": "{ viewer { id } }"}',
        b'{"query": "{ viewer { role } }", "qu\\u0065ry": "{ viewer { id } }"}',
        b'{"variables": {}, "query": "{ viewer { role } }", "variables": {}}',
    ],
)
async def test_a_body_that_is_not_clear_is_a_bad_request(clients: Clients, body: bytes) -> None:
    async with clients() as client:
        response = await client.post(PATH, content=body, headers=JSON)
    assert response.status_code == 400
    assert code(response) == "BAD_REQUEST"


async def test_escapes_and_names_within_variables_are_no_fault(clients: Clients) -> None:
    body = rb'{"qu\u0065ry": "query ($query: ID!) { node(id: $query) { id } }",'
    body += b' "variables": {"query": "x"}}'
    async with clients() as client:
        response = await client.post(PATH, content=body, headers=JSON)
    assert response.status_code == 200
    assert response.json()["data"] == {"node": None}


@pytest.mark.parametrize("body", [[], [{"query": QUERY}], [{"query": QUERY}] * 100])
async def test_batches_are_refused(clients: Clients, body: Any) -> None:
    async with clients() as client:
        response = await client.post(PATH, json=body)
    assert response.status_code == 400
    assert code(response) == "BATCHING_NOT_SUPPORTED"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        "application/jsonp",
    ],
)
async def test_another_content_type_or_encoding_is_refused(
    clients: Clients, content_type: str
) -> None:
    body = json.dumps({"query": QUERY})
    async with clients() as client:
        response = await client.post(PATH, content=body, headers={"content-type": content_type})
    assert response.status_code == 415
    assert code(response) == "UNSUPPORTED_MEDIA_TYPE"


async def test_an_encoding_may_be_quoted(clients: Clients) -> None:
    headers = {"content-type": 'application/json; Charset="UTF-8"'}
    async with clients() as client:
        response = await client.post(PATH, content=json.dumps({"query": QUERY}), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0"])
async def test_what_can_not_be_sent_is_not_run(clients: Clients, accept: str) -> None:
    async with clients() as client:
        response = await client.post(PATH, json={"query": QUERY}, headers={"accept": accept})
    assert response.status_code == 406
    assert response.headers["content-type"] == f"{PLAIN_JSON}; charset=utf-8"
    assert code(response) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize("body", [{"query": TWO}, {"query": TWO, "operationName": "C"}])
async def test_of_several_operations_none_is_run_that_was_not_named(
    clients: Clients, body: Any
) -> None:
    async with clients() as client:
        response = await client.post(PATH, json=body)
    assert response.status_code == 400
    assert code(response) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "parameters",
    [
        "query={viewer{role}}&query={viewer{id}}",
        "query={viewer{role}}&variables={}&variables={}",
        "query={viewer{role}}&operationName=&operationName=A",
        "query=%ff",
        "query=%ed%a0%80",
        "query={viewer{role}}&extensions=[]",
        "query={viewer{role}}&extensions={",
        "query={viewer{role}}&variables=NaN",
        "query={viewer{role}}&variables=%22%22",
        "query={viewer{role}}" + "&a=1" * 100,
        "documentId=",
        "",
    ],
)
async def test_parameters_that_are_not_clear_are_a_bad_request(
    clients: Clients, parameters: str
) -> None:
    async with clients() as client:
        response = await client.get(f"{PATH}?{parameters}")
    assert response.status_code == 400
    assert code(response) == "BAD_REQUEST"


async def test_a_url_that_is_too_long_is_refused(clients: Clients) -> None:
    async with clients(max_request_bytes=1_000) as client:
        response = await client.get(PATH, params={"query": QUERY.ljust(1_000)})
    assert response.status_code == 414
    assert code(response) == "REQUEST_TOO_LARGE"


async def test_the_parameters_of_a_post_are_not_looked_at(clients: Clients) -> None:
    async with clients() as client:
        response = await client.post(
            PATH, params={"query": "{ viewer { id } }"}, json={"query": QUERY}
        )
    assert response.json() == {"data": {"viewer": {"role": "ADMIN"}}}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("{ viewer { rol } }", "role"),
        ("{ accounts(fist: 1) { totalCount } }", "first"),
        ("{ node(id: 1) { ... on Acount { id } } }", "Account"),
        ("query ($a: Acount) { viewer { id } }", "Account"),
        ('{ accounts(first: 1, filter: {serch: "x"}) { totalCount } }', "search"),
    ],
)
async def test_names_of_the_schema_are_suggested_only_where_asked_for(
    clients: Clients, query: str, word: str
) -> None:
    async with clients() as client, clients(field_suggestions=True) as helped:
        bare = (await client.post(PATH, json={"query": query})).json()
        hinting = (await helped.post(PATH, json={"query": query})).json()
    assert "Did you mean" in str(hinting)
    assert word in str(hinting)
    assert "Did you mean" not in str(bare)
    assert word not in str([each["message"] for each in bare["errors"]])


async def test_variables_suggest_nothing_either(clients: Clients) -> None:
    query = "query ($f: AccountFilter) { accounts(first: 1, filter: $f) { totalCount } }"
    body = {"query": query, "variables": {"f": {"serch": "x"}}}
    async with clients() as client, clients(field_suggestions=True) as helped:
        bare, hinting = [await each.post(PATH, json=body) for each in (client, helped)]
    assert "Did you mean" in hinting.text
    assert "Did you mean" not in bare.text
    assert code(bare) == "BAD_USER_INPUT"
