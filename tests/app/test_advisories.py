"""Published advisories of Strawberry, and its faults as it comes: none of them is ours."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.application import build_application
from app.database import Database
from app.settings import Settings
from app.tokens import TokenSigner
from models.clock import SystemClock

PATH = "/graphql"
Clients = Callable[..., httpx.AsyncClient]


@pytest.mark.parametrize(
    "fragments",
    [
        "fragment A on Query { ...A }",
        "fragment A on Query { ...B } fragment B on Query { ...A }",
        "fragment A on Query { viewer { ...C } } fragment C on Viewer { account { ...D } } "
        "fragment D on Account { requirements(first: 1) { nodes { account { ...D } } } }",
    ],
)
async def test_fragments_in_a_circle_are_refused(clients: Clients, fragments: str) -> None:
    """CVE-2026-47706: a limiter of depth that followed them recursed until it broke."""
    async with clients() as client:
        response = await client.post(PATH, json={"query": f"{{ ...A }} {fragments}"})
    assert response.status_code == 400
    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes == {"GRAPHQL_VALIDATION_FAILED"}


async def test_aliases_count_as_often_as_their_fragment_is_spread(clients: Clients) -> None:
    """CVE-2026-47707: a limiter of aliases counted each once, however often it was spread."""
    aliases = " ".join(f"a{n}: role" for n in range(101))
    spreads = " ".join(f"v{n}: viewer {{ ...Many }}" for n in range(100))
    query = f"{{ {spreads} }} fragment Many on Viewer {{ {aliases} }}"
    async with clients() as client:
        response = await client.post(PATH, json={"query": query})
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COSTLY"


@pytest.mark.parametrize("protocol", ["graphql-ws", "graphql-transport-ws"])
async def test_no_websocket_is_ever_accepted(
    database: Database, signer: TokenSigner, protocol: str
) -> None:
    """CVE-2026-35523 and 35526: the legacy protocol let subscribers in unasked, and without end.

    uvicorn lets none through (`test_wire.py`); neither does the application, under any server.
    """
    application = build_application(Settings(), database, signer, SystemClock())
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "websocket",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "subprotocols": [protocol],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
