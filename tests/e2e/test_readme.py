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
# What is between these headings is typed in the order of the page.
FIRST, LAST = "## Ask it something", "## Who may do what"
END = "\0"


def page() -> str:
    return (ROOT / "README.md").read_text()


def blocks() -> list[tuple[str, str]]:
    """The kind and the text of each block of the part that is followed."""
    text = page()
    return BLOCK.findall(text[text.index(FIRST) : text.index(LAST)])


def steps() -> list[tuple[str, Any]]:
    """Each command, with the answer that is shown after it, None where there is none."""
    followed = [block for block in blocks() if block[0] != "graphql"]
    return [
        (text, json.loads(following) if next_kind == "json" else None)
        for (kind, text), (next_kind, following) in pairwise([*followed, ("", "")])
        if kind == "console"
    ]


def opaque(value: Any) -> Any:
    """The same with every id shortened, as the README does."""
    text = json.dumps(value)
    return json.loads(re.sub(r'"([a-z]{3})_[0-9a-f]{32,64}"', r'"\1_..."', text))


def typed(recourse: Recourse, server: Serving, commands: list[str]) -> list[list[Any]]:
    """What each of the commands prints, typed one after the other in the repository's folder."""
    script = "".join(f"{command}\nprintf '\\0'\n" for command in commands)
    script = script.replace(ADDRESS, server.url.removesuffix("/graphql"))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(".venv/bin/recourse", RECOURSE)],
        cwd=ROOT,
        env=environment(recourse.settings, {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [several(printed) for printed in done.stdout.split(END)[:-1]]


def several(text: str) -> list[Any]:
    """The JSON values that stand in a text one after the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


@pytest.mark.skipif(shutil.which("jq") is None, reason="the README's commands need jq")
def test_whoever_follows_the_page_gets_what_it_shows(fresh: Recourse) -> None:
    followed = steps()
    again = [command for command, _ in followed if command.startswith("submit website-1")]
    assert len([answer for _, answer in followed if answer is not None]) == 3
    with fresh.having(demo_accounts=str(DEMO_ACCOUNTS)).serving() as server:
        commands = [command for command, _ in followed]
        *printed, replay = typed(fresh, server, commands + again)
    for (command, answer), found in zip(followed, printed, strict=True):
        assert len(found) == len(re.findall(r"^(?:ask|submit) ", command, re.MULTILINE))
        if answer is not None:
            assert opaque(found) == [answer], command
        else:
            for mutation in found:
                [payload] = mutation["data"].values()
                assert payload["userErrors"] == [], command
    # The rejection between makes no difference to the key.
    assert replay[0]["data"]["requirementSubmit"]["replayed"] is True


def test_what_else_it_says_of_the_running_server_is_so(fresh: Recourse) -> None:
    query = (ROOT / "examples/why.graphql").read_text()
    with fresh.having(demo_accounts=str(DEMO_ACCOUNTS)).serving() as server:
        refused = server.answer("account_user", query)
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["NOT_FOUND"]
        own = query.replace("acct_demo_000004", "acct_demo_000000")
        assert server.ask("account_user", own)["account"]["businessName"]
        root = server.url.removesuffix("/graphql")
        codes = {path: httpx.get(root + path).status_code for path in ("/", "/healthz", "/readyz")}
        assert codes == {"/": 404, "/healthz": 200, "/readyz": 200}


def test_the_readmes_operations_are_examples_and_each_example_is_named_and_run() -> None:
    examples = {path.name: path.read_text() for path in Path(ROOT / "examples").iterdir()}
    assert {text for kind, text in blocks() if kind == "graphql"} <= set(examples.values())
    commands = "".join(command for command, _ in steps())
    for name in examples:
        assert f"](examples/{name})" in page()
        assert f"ask examples/{name}" in commands


def test_the_account_of_stripes_that_is_named_can_be_imported(fresh: Recourse) -> None:
    [sample] = re.findall(r"\]\((tests/data/\S+\.json)\)", page())
    done = fresh.run("import", "stripe", str(ROOT / sample))
    assert (done.returncode, "1 created" in done.stderr) == (0, True), done.stderr
