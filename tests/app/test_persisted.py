"""Documents by name: Apollo's protocol within bounds, and manifests of trusted documents."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.documents import DocumentCache
from app.persisted import ENTRY_BYTES, ManifestWrong, PersistedQueries, read_manifest
from resolvers.schema import SCHEMA

PATH = "/graphql"
QUERY = "{ viewer { role } }"
ANSWER = {"data": {"viewer": {"role": "ADMIN"}}}
OTHER = "{ viewer { id } }"
CREATE = """mutation M {
  accountCreate(input: {externalId: "a", businessName: "b", country: "DE"}) { replayed }
}"""
Clients = Callable[..., httpx.AsyncClient]


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def named(name: str, **more: Any) -> dict[str, Any]:
    """A request that names a document by its hash."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": name}}, **more}


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a response without data."""
    [error] = response.json()["errors"]
    assert "data" not in response.json()
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return response.status_code, error["extensions"]["code"], error["message"]


# Automatic persisted queries


async def test_a_document_is_sent_once_and_named_from_then_on(clients: Clients) -> None:
    async with clients() as client:
        first = await client.post(PATH, json=named(hashed(QUERY)))
        assert refusal(first) == (400, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        assert first.headers["cache-control"] == "no-store"
        assert (await client.post(PATH, json=named(hashed(QUERY), query=QUERY))).json() == ANSWER
        assert (await client.post(PATH, json=named(hashed(QUERY)))).json() == ANSWER
        parameters = {"extensions": json.dumps(named(hashed(QUERY))["extensions"])}
        assert (await client.get(PATH, params=parameters)).json() == ANSWER


async def test_older_clients_see_a_miss_with_200(clients: Clients) -> None:
    async with clients() as client:
        headers = {"accept": "application/json"}
        missed = await client.post(PATH, json=named(hashed(QUERY)), headers=headers)
    assert refusal(missed)[:2] == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_it_can_be_kept_by_get_too(clients: Clients) -> None:
    async with clients() as client:
        extensions = json.dumps(named(hashed(QUERY))["extensions"])
        kept = await client.get(PATH, params={"query": QUERY, "extensions": extensions})
        assert kept.json() == ANSWER
        assert (await client.post(PATH, json=named(hashed(QUERY).upper()))).json() == ANSWER


async def test_a_text_under_another_hash_is_refused_and_not_kept(clients: Clients) -> None:
    async with clients() as client:
        wrong = await client.post(PATH, json=named(hashed(QUERY), query=OTHER))
        assert refusal(wrong)[:2] == (400, "BAD_REQUEST")
        missed = await client.post(PATH, json=named(hashed(QUERY)))
        assert refusal(missed)[1] == "PERSISTED_QUERY_NOT_FOUND"


async def test_what_is_not_valid_is_not_kept(clients: Clients) -> None:
    text = "{ nothing }"
    async with clients() as client:
        invalid = await client.post(PATH, json=named(hashed(text), query=text))
        assert refusal(invalid)[1] == "GRAPHQL_VALIDATION_FAILED"
        missed = await client.post(PATH, json=named(hashed(text)))
        assert refusal(missed)[1] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_mutation_by_its_name_still_needs_post(clients: Clients) -> None:
    async with clients() as client:
        extensions = json.dumps(named(hashed(CREATE))["extensions"])
        for parameters in ({"query": CREATE, "extensions": extensions}, {"extensions": extensions}):
            refused = await client.get(PATH, params=parameters)
            assert refusal(refused)[:2] == (405, "METHOD_NOT_ALLOWED")


async def test_switched_off_it_says_so(clients: Clients) -> None:
    async with clients(persisted_query_bytes=0) as client:
        for body in (named(hashed(QUERY)), named(hashed(QUERY), query=QUERY)):
            code, message = "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported"
            assert refusal(await client.post(PATH, json=body)) == (400, code, message)
        assert (await client.post(PATH, json={"query": QUERY})).json() == ANSWER


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "x",
        {},
        {"version": 2, "sha256Hash": hashed(QUERY)},
        {"version": 1},
        {"version": 1, "sha256Hash": ""},
        {"version": 1, "sha256Hash": 7},
    ],
)
async def test_another_shape_is_refused(clients: Clients, given: Any) -> None:
    async with clients() as client:
        body = {"query": QUERY, "extensions": {"persistedQuery": given}}
        assert refusal(await client.post(PATH, json=body))[:2] == (400, "BAD_REQUEST")


def test_what_is_kept_is_bounded_in_bytes() -> None:
    kept = PersistedQueries(max_bytes=3 * (100 + ENTRY_BYTES))
    for number in range(10_000):
        kept.keep(str(number), str(number).ljust(100))
        assert kept.size <= kept.max_bytes
    assert [kept.get(str(n)) is not None for n in range(9_996, 10_000)] == [False, True, True, True]


def test_what_is_asked_for_stays_longest() -> None:
    kept = PersistedQueries(max_bytes=2 * (10 + ENTRY_BYTES))
    kept.keep("a", "a" * 10)
    kept.keep("b", "b" * 10)
    assert kept.get("a")
    kept.keep("c", "c" * 10)
    assert (kept.get("a"), kept.get("b")) == ("a" * 10, None)


def test_bytes_are_counted_and_not_characters_and_nothing_twice() -> None:
    kept = PersistedQueries(max_bytes=10 + ENTRY_BYTES)
    kept.keep("a", "\u00e4" * 6)
    assert (kept.size, kept.get("a")) == (0, None)
    for _ in range(3):
        kept.keep("b", "b" * 10)
    assert kept.size == kept.max_bytes


# Trusted documents


def apollo(**bodies: str) -> dict[str, Any]:
    """A manifest as Apollo's tool writes it."""
    operations = [
        {"id": name, "name": name, "type": "query", "body": text} for name, text in bodies.items()
    ]
    return {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": operations,
    }


@pytest.fixture(params=["apollo", "relay"])
def manifest(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file that trusts the query by its hash, and another by a name."""
    texts = {hashed(QUERY): QUERY, "other": OTHER}
    content = apollo(**texts) if request.param == "apollo" else texts
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(content))
    return file


async def test_a_trusted_document_is_there_from_the_start(clients: Clients, manifest: Path) -> None:
    async with clients(trusted_documents=manifest, persisted_query_bytes=0) as client:
        for body in (
            named(hashed(QUERY)),
            named(hashed(QUERY), query=QUERY),
            {"documentId": hashed(QUERY)},
            {"documentId": f"sha256:{hashed(QUERY)}"},
        ):
            assert (await client.post(PATH, json=body)).json() == ANSWER
        answer = await client.get(PATH, params={"documentId": "other"})
        assert answer.json()["data"]["viewer"]["id"]
        assert (await client.post(PATH, json={"query": QUERY})).json() == ANSWER
        unknown = await client.post(PATH, json={"documentId": "unknown"})
        assert refusal(unknown)[:2] == (400, "PERSISTED_QUERY_NOT_FOUND")


async def test_another_text_does_not_run_under_a_trusted_name(
    clients: Clients, manifest: Path
) -> None:
    async with clients(trusted_documents=manifest, only_trusted_documents=True) as client:
        for body in (
            named(hashed(QUERY), query=OTHER),
            {"documentId": "other", "query": QUERY},
        ):
            assert refusal(await client.post(PATH, json=body))[:2] == (400, "BAD_REQUEST")


async def test_an_allow_list_lets_nothing_else_in(clients: Clients, manifest: Path) -> None:
    async with clients(trusted_documents=manifest, only_trusted_documents=True) as client:
        assert (await client.post(PATH, json={"documentId": hashed(QUERY)})).json() == ANSWER
        text = "{ viewer { role id } }"
        for body in (
            {"query": text},
            {"query": QUERY},
            {"query": "{ __schema { queryType { name } } }"},
            {"query": "{"},
            {"documentId": "unknown"},
            named(hashed(text)),
            named(hashed(text), query=text),
        ):
            refused = refusal(await client.post(PATH, json=body))
            assert refused[:2] == (400, "DOCUMENT_NOT_TRUSTED")
        refused = refusal(await client.get(PATH, params={"query": QUERY}))
        assert refused[:2] == (400, "DOCUMENT_NOT_TRUSTED")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "it is not JSON"),
        ("[]", "neither"),
        ('{"a": 7}', "no string"),
        ('{"": "{ viewer { role } }"}', "empty"),
        ('{"operations": []}', "not the format"),
        (json.dumps({**apollo(), "version": 2}), "not the format"),
        (json.dumps({**apollo(), "operations": [{"id": "a"}]}), "without id or body"),
        (json.dumps({**apollo(), "operations": 7}), "without id or body"),
        (json.dumps({**apollo(), "operations": apollo(a=QUERY)["operations"] * 2}), "one id"),
        (json.dumps({"abc": "{ viewer {"}), "abc: Syntax Error"),
        (json.dumps(apollo(abc="{ nothing }")), "abc: Cannot query field 'nothing'"),
    ],
)
def test_a_manifest_that_can_not_be_used_says_why(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(content)
    with pytest.raises(ManifestWrong) as wrong:
        read_manifest(file, DocumentCache(SCHEMA._schema, 0, 1_000))
    assert str(file) in str(wrong.value)
    assert why in str(wrong.value)


def test_a_manifest_that_is_not_there_stops_the_start(clients: Clients, tmp_path: Path) -> None:
    with pytest.raises(ManifestWrong) as wrong:
        clients(trusted_documents=tmp_path / "nowhere.json")
    assert str(wrong.value).startswith("RECOURSE_TRUSTED_DOCUMENTS: ")
    assert "No such file" in str(wrong.value)
