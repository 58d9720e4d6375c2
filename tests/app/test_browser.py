"""What a browser sees at /graphql: GraphiQL or how to get it, under a strict policy; or nothing."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app import browser

PATH = "/graphql"
CHROMIUM = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
Clients = Callable[..., httpx.AsyncClient]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of the page are."""
    monkeypatch.setattr(browser, "FILES", tmp_path)
    return tmp_path


async def test_without_its_files_a_page_says_how_to_get_them(clients: Clients, built: Path) -> None:
    async with clients(graphiql=True) as client:
        del client.headers["authorization"]
        response = await client.get(PATH, headers=CHROMIUM)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "scripts/console" in response.text
    assert "<script" not in response.text


async def test_with_them_it_is_graphiql_under_a_strict_policy(
    clients: Clients, built: Path
) -> None:
    async with clients(graphiql=True) as client:
        (built / "index.html").write_text("<html>GraphiQL</html>")
        (built / "a.js").write_text("1")
        response = await client.get(PATH, headers=CHROMIUM)
        script = await client.get("/graphiql/a.js")
        outside = await client.get("/graphiql/%2e%2e/%2e%2e/settings.py")
    assert response.text == "<html>GraphiQL</html>"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-request-id"]
    assert (script.text, script.headers["x-content-type-options"]) == ("1", "nosniff")
    assert outside.status_code == 404


async def test_who_asks_gets_an_answer_and_no_page(clients: Clients, built: Path) -> None:
    query = {"query": "{ viewer { role } }"}
    async with clients(graphiql=True) as client:
        for accept in ("*/*", "application/json", "text/html;q=0.5, application/json"):
            response = await client.get(PATH, params=query, headers={"accept": accept})
            assert response.json() == {"data": {"viewer": {"role": "ADMIN"}}}
        asked = await client.get(PATH, params=query, headers=CHROMIUM)
        assert asked.json() == {"data": {"viewer": {"role": "ADMIN"}}}
        posted = await client.post(PATH, json=query, headers=CHROMIUM)
        assert posted.json() == {"data": {"viewer": {"role": "ADMIN"}}}


async def test_switched_off_there_is_no_page(clients: Clients, built: Path) -> None:
    (built / "index.html").write_text("<html>GraphiQL</html>")
    async with clients(graphiql=False) as client:
        assert (await client.get(PATH, headers=CHROMIUM)).status_code == 400
        assert (await client.get("/graphiql/index.html")).status_code == 404
