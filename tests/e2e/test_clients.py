"""Clients as they come: a query, a mutation that is refused, pages of a list, and an error.

Those with automatic persisted queries send a document once, and then its hash alone.
"""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport

from tests.e2e import node_programs
from tests.e2e.conftest import DEMO_ACCOUNTS
from tests.e2e.process import ROOT, Serving

COMPILE_LIMIT_SECONDS = 120
PAGES = """query Pages($after: String) {
  accounts(first: 5, after: $after) { nodes { externalId } pageInfo { hasNextPage endCursor } }
}"""
CREATE = """mutation ($input: AccountCreateInput!) {
  accountCreate(input: $input) { account { id } userErrors { code } }
}"""


def assert_did_it_all(found: dict[str, Any]) -> None:
    """Each account once, the user's error as data, the other as an error."""
    assert set(found["viewer"]) == {"ADMIN"}
    assert found["userErrors"] == ["INVALID_INPUT"]
    assert len(found["listed"]) == len(set(found["listed"])) == DEMO_ACCOUNTS
    assert found["code"] == "INVALID_ID"


@node_programs.needs_node
@pytest.mark.parametrize("program", ["apollo.mjs", "urql.mjs"])
def test_clients_that_send_hashes(server: Serving, program: str) -> None:
    found = node_programs.run(program, server.url, server.token("admin"))
    assert_did_it_all(found)
    missed, hit = found["persisted"]["missed"], found["persisted"]["hit"]
    assert [each["text"] for each in missed] == [False, True]
    assert hit == [{"method": "GET", "text": False}]


@node_programs.needs_node
def test_relay_with_its_compiler(server: Serving, tmp_path: Path) -> None:
    node_programs.install()
    # In a folder of its own: the compiler adds what it writes to the repository that it is in.
    folder = shutil.copytree(node_programs.FOLDER / "relay", tmp_path / "relay")
    shutil.copy(ROOT / "schema.graphql", folder)
    compiler = node_programs.FOLDER / "node_modules/relay-compiler/cli.js"
    subprocess.run(
        ["node", str(compiler), "relay.config.json"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=COMPILE_LIMIT_SECONDS,
    )
    made = str(folder / "__generated__")
    found = node_programs.run("relay.mjs", server.url, server.token("admin"), made)
    assert_did_it_all(found)


async def asked_by_gql(server: Serving) -> dict[str, Any]:
    """What the client for Python finds, once it has read the schema from the server."""
    headers = {"authorization": f"Bearer {server.token('admin')}"}
    transport = HTTPXAsyncTransport(url=server.url, headers=headers)
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        viewer = await session.execute(gql("{ viewer { role } }"))
        given = {"externalId": "client", "businessName": "", "country": "DE"}
        made = await session.execute(GraphQLRequest(CREATE, variable_values={"input": given}))
        listed, after = [], None
        while True:
            page = await session.execute(GraphQLRequest(PAGES, variable_values={"after": after}))
            listed += [node["externalId"] for node in page["accounts"]["nodes"]]
            after = page["accounts"]["pageInfo"]["endCursor"]
            if not page["accounts"]["pageInfo"]["hasNextPage"]:
                break
        with pytest.raises(TransportQueryError) as failed:
            await session.execute(gql('{ node(id: "nonsense") { id } }'))
    return {
        "viewer": [viewer["viewer"]["role"]],
        "userErrors": [each["code"] for each in made["accountCreate"]["userErrors"]],
        "listed": listed,
        "code": (failed.value.errors or [])[0]["extensions"]["code"],
    }


def test_gql_for_python(server: Serving) -> None:
    assert_did_it_all(asyncio.run(asked_by_gql(server)))
