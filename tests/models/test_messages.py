"""Messages of what breaks a rule say that it must be so: a rule is no statement of fact."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
import models
import resolvers

PLACES = (models, resolvers, app)
RAISED = {"InvalidInput", "RequestRefused", "refused"}
# Something of a kind, rather than this one, and what it is.
RULE = re.compile(
    r"(An? |What |JSON|Evidence|`\w+`).*?\b"
    r"(is|are|has|have|lies|comes|holds|names|expires|looks|goes)\b(?! (no|not)\b)"
)


def states_a_rule(message: str) -> bool:
    """Whether a message tells a rule as if it were a fact."""
    return bool(RULE.match(message)) and not re.search(r"\b(must|may|can|can't)\b", message)


@pytest.mark.parametrize(
    ("message", "bad"),
    [
        ("A deadline lies in the future.", True),
        ("A deadline must lie in the future.", False),
        ("`first` is between 0 and 100.", True),
        ("`query` must be a string.", False),
        ("What is due comes before its deadline.", True),
        ("Evidence holds a payload.", True),
        ("The body is not JSON in UTF-8.", False),
        ("This can't be blank.", False),
    ],
)
def test_rules_are_told_from_facts(message: str, bad: bool) -> None:
    assert states_a_rule(message) == bad


def messages() -> Iterator[tuple[str, str]]:
    """The messages that refuse input, with the file of each."""
    for package in PLACES:
        for path in sorted(Path(str(package.__path__[0])).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                for text in _texts(node):
                    yield path.name, text


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts of an error that is raised, or of a variable that holds its message."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
        yield from (_text(given) for given in node.args)
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "message":
        yield _text(node.value)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "x"


def test_what_must_be_says_so() -> None:
    found = list(messages())
    assert len(found) > 60
    assert [entry for entry in found if states_a_rule(entry[1])] == []
