"""The documentation tells the truth: whatever has a name is written down, and queries are valid."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from graphql import parse, validate

from app.cli import cli
from app.settings import PREFIX, Settings
from models.errors import ErrorCode
from resolvers.codes import RequestCode
from resolvers.schema import SCHEMA

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *(ROOT / folder / "README.md" for folder in ("app", "resolvers", "models"))]
# A row of the table of codes in app/README.md.
ROW = re.compile(r"^\| `([A-Z_]+)` \| [0-9]{3}", re.MULTILINE)
CODE = re.compile("[A-Z]{3,}(_[A-Z]+)*")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages() -> str:
    """All pages, as one text."""
    return "\n".join(page.read_text() for page in PAGES if page.exists())


def commands() -> list[str]:
    """Every command, as it is typed."""
    found = []
    for name, command in below(typer.main.get_command(cli)).items():
        found += [f"recourse {name} {each}" for each in below(command)] or [f"recourse {name}"]
    return found


def below(command: Any) -> dict[str, Any]:
    """The commands of a group; none of a command."""
    found: dict[str, Any] = getattr(command, "commands", {})
    return found


def blocks(language: str) -> list[str]:
    """The README's code blocks in one language."""
    return [text for name, text in BLOCK.findall(README.read_text()) if name == language]


def test_the_table_of_codes_is_the_code() -> None:
    page = (ROOT / "app/README.md").read_text()
    section = page.partition("## Error codes of requests")[2].partition("\n## ")[0]
    rows = ROW.findall(section)
    assert rows == list(RequestCode), "describe RequestCode in app/README.md, in its order"


def test_codes_are_named_in_one_place() -> None:
    """Where a request is refused, its code is one of `RequestCode`, and no text of its own."""
    for file in ("app", "resolvers"):
        for path in (ROOT / file).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                assert not _refuses_by_a_text(node), f"{path.name}: name the code in RequestCode"


def _refuses_by_a_text(node: ast.AST) -> bool:
    """Whether it is a refusal whose code is written out."""
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("Refused"):
        return False
    texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
    return any(isinstance(each, str) and CODE.fullmatch(each) for each in texts)


def test_a_code_that_is_written_out_is_found() -> None:
    [statement] = ast.parse('RequestRefused(401, "UNAUTHENTICATED", "Send a token.")').body
    assert _refuses_by_a_text(statement.value)  # type: ignore[attr-defined]


def test_all_commands_are_found() -> None:
    assert len(commands()) >= 8


@pytest.mark.parametrize("name", [PREFIX + name.upper() for name in Settings.model_fields])
def test_every_setting_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", pages()), f"describe {name} in app/README.md"


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"\b{command}\b", pages()), f"show {command} in README.md"


@pytest.mark.parametrize("code", sorted({*ErrorCode, *RequestCode}))
def test_every_error_code_is_documented(code: str) -> None:
    assert re.search(rf"\b{code}\b", pages()), f"describe {code} in resolvers/README.md"


def test_the_readme_shows_queries() -> None:
    assert blocks("graphql"), "show a first query in README.md"


def test_the_readmes_queries_are_valid() -> None:
    for text in blocks("graphql"):
        errors = validate(SCHEMA._schema, parse(text))
        assert not errors, f"{errors[0].message}\n{text}"
