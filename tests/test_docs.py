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
from resolvers.schema import SCHEMA

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *(ROOT / folder / "README.md" for folder in ("app", "resolvers", "models"))]
# Where codes that the schema does not list are given out.
CODE_FILES = ("app/http.py", "app/documents.py", "resolvers/errors.py")
CODE = re.compile("[A-Z]{3,}(_[A-Z]+)*")
METHODS = {"GET", "POST"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages() -> str:
    """All pages, as one text."""
    return "\n".join(page.read_text() for page in PAGES if page.exists())


def codes() -> set[str]:
    """The codes of the process itself: what is written in capitals where errors are made."""
    found = set()
    for name in CODE_FILES:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and CODE.fullmatch(value) and value not in METHODS:
                found.add(value)
    return found


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


def test_the_codes_of_the_process_are_found() -> None:
    known = {"UNAUTHENTICATED", "INTERNAL_ERROR", "BAD_REQUEST", "GRAPHQL_PARSE_FAILED"}
    assert known < codes()
    assert len(commands()) >= 8


@pytest.mark.parametrize("name", [PREFIX + name.upper() for name in Settings.model_fields])
def test_every_setting_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", pages()), f"describe {name} in app/README.md"


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"\b{command}\b", pages()), f"show {command} in README.md"


@pytest.mark.parametrize("code", sorted({*ErrorCode, *codes()}))
def test_every_error_code_is_documented(code: str) -> None:
    assert re.search(rf"\b{code}\b", pages()), f"describe {code} in resolvers/README.md"


def test_the_readme_shows_queries() -> None:
    assert blocks("graphql"), "show a first query in README.md"


def test_the_readmes_queries_are_valid() -> None:
    for text in blocks("graphql"):
        errors = validate(SCHEMA._schema, parse(text))
        assert not errors, f"{errors[0].message}\n{text}"
