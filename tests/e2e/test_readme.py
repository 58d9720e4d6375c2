"""The README's queries and commands run, and their answers are the ones that it shows."""

import json
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.process import RECOURSE, ROOT, Recourse, Serving, environment

BLOCK = re.compile(r"^```(graphql|json|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEMO_ACCOUNTS = 20
ADDRESS = "http://127.0.0.1:8000"


def blocks() -> list[tuple[str, str]]:
    """The kind and the text of each block of the README."""
    return BLOCK.findall((ROOT / "README.md").read_text())


def shown() -> list[tuple[str, Any]]:
    """Each query with the next answer."""
    found = [block for block in blocks() if block[0] != "console"]
    return [
        (query, json.loads(answer))
        for (kind, query), (next_kind, answer) in pairwise(found)
        if (kind, next_kind) == ("graphql", "json")
    ]


def opaque(value: Any) -> Any:
    """The same with every id shortened, as the README does."""
    text = json.dumps(value)
    return json.loads(re.sub(r'"([a-z]{3})_[0-9a-f]{32,64}"', r'"\1_..."', text))


def ids(value: Any) -> list[str]:
    return re.findall(r'"(req_[0-9a-f]{64})"', json.dumps(value))


def test_the_first_query_and_the_first_mutation_answer_as_shown(fresh: Recourse) -> None:
    pairs = shown()
    assert len(pairs) >= 2, "show a query and a mutation with their answers in README.md"
    known: list[str] = []
    with fresh.having(demo_accounts=str(DEMO_ACCOUNTS)).serving() as server:
        for query, answer in pairs:
            variables = {"id": known[0]} if known and "$id" in query else None
            found = server.answer("admin", query, variables)
            assert opaque(found) == answer
            known = ids(found) or known


def commands() -> list[tuple[str, Any]]:
    """Each command that asks the server, with the next answer."""
    return [
        (text, json.loads(next_text))
        for (kind, text), (next_kind, next_text) in pairwise(blocks())
        if (kind, next_kind) == ("console", "json")
    ]


def typed(recourse: Recourse, server: Serving, command: str, **variables: str) -> Any:
    """What a command of the README prints, typed in the folder of the repository."""
    command = command.replace(ADDRESS, server.url.removesuffix("/graphql"))
    command = command.replace(".venv/bin/recourse", RECOURSE)
    done = subprocess.run(
        ["bash", "-euc", f'{command}\necho; echo "$TOKEN"'],
        cwd=ROOT,
        env=environment(recourse.settings, variables),
        capture_output=True,
        text=True,
        check=True,
    )
    answer, token = done.stdout.splitlines()
    return json.loads(answer), token


@pytest.mark.skipif(shutil.which("jq") is None, reason="the README's commands need jq")
def test_the_commands_are_answered_as_shown(fresh: Recourse) -> None:
    [(ask, why), (change, changed)] = commands()
    with fresh.having(demo_accounts=str(DEMO_ACCOUNTS)).serving() as server:
        answer, token = typed(fresh, server, ask)
        assert opaque(answer) == why
        [requirement] = ids(answer)
        given = {"TOKEN": token, "ID": requirement}
        answer, _ = typed(fresh, server, change, **given)
        assert opaque(answer) == changed
        answer, _ = typed(fresh, server, change, **given)
        assert answer["data"]["requirementSubmit"]["replayed"] is True


def test_what_else_it_says_of_the_running_server_is_so(fresh: Recourse) -> None:
    [(query, _), (change, _)] = shown()
    [problems] = [json.loads(text) for kind, text in blocks() if kind == "json" and text[0] == "["]
    wrong = change.replace('what_is_sold: "Physiotherapy by appointment"', "what_is_sold: 7")
    assert wrong != change
    with fresh.having(demo_accounts=str(DEMO_ACCOUNTS)).serving() as server:
        [requirement] = ids(server.ask("admin", query))
        answer = server.ask("admin", wrong, {"id": requirement})["requirementSubmit"]
        assert answer["userErrors"] == problems
        refused = server.answer("account_user", query)
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["NOT_FOUND"]
        own = query.replace("acct_demo_000004", "acct_demo_000000")
        assert server.ask("account_user", own)["account"]["businessName"]
        root = server.url.removesuffix("/graphql")
        codes = {path: httpx.get(root + path).status_code for path in ("/", "/healthz", "/readyz")}
        assert codes == {"/": 404, "/healthz": 200, "/readyz": 200}


def test_the_readmes_operations_are_the_examples() -> None:
    written = {path.read_text() for path in Path(ROOT / "examples").iterdir()}
    assert {text for kind, text in blocks() if kind == "graphql"} == written
