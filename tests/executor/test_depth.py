"""How deep a response may be: fragments nest further than the parser lets a document nest."""

from typing import Any

import pytest
from graphql import ExecutionResult, build_schema, execute_sync, parse

from app.encoding import encode
from app.executor import BreadthFirstExecutor
from app.executor.plan import MAX_DEPTH

SCHEMA = build_schema(
    "type Query { node: Node } type Node { node: Node, nodes: [Node!]!, bad: Int, worse: Int! }"
)


def resolve(_source: Any, info: Any) -> Any:
    if info.field_name == "bad":
        raise ValueError("bad")
    return None if info.field_name == "worse" else [{}] if info.field_name == "nodes" else {}


def run(selection: str, end: str, levels: int) -> ExecutionResult:
    """Levels of one fragment each, each with the next one where the selection has `>`."""
    chain = [
        f"fragment F{n} on Node {{ {selection.replace('>', f'...F{n + 1}')} }}"
        for n in range(levels)
    ]
    last = f"fragment F{levels} on Node {{ {end} }}"
    document = parse("\n".join(["{ node { ...F0 } }", *chain, last]))
    return execute_sync(
        SCHEMA, document, {}, field_resolver=resolve, executor_class=BreadthFirstExecutor
    )


def test_what_is_too_deep_is_an_error_and_the_rest_can_be_written() -> None:
    result = run("node { > }", "__typename", 1_000)
    [error] = result.errors or []
    assert error.message == "Selections are nested too deeply. Execution aborted."
    assert len(error.path or ()) == MAX_DEPTH + 1
    assert encode({"data": result.data})


def test_lists_count() -> None:
    result = run("nodes { > }", "__typename", 1_000)
    [error] = result.errors or []
    assert len(error.path or ()) in (MAX_DEPTH, MAX_DEPTH + 1, MAX_DEPTH + 2)
    assert result.data == {"node": None}


def test_errors_of_every_level_are_told() -> None:
    result = run("bad node { > }", "worse", MAX_DEPTH - 10)
    errors = result.errors or []
    assert [len(error.path or ()) for error in errors] == [*range(2, MAX_DEPTH - 8), MAX_DEPTH - 8]
    assert errors[-1].message == "Cannot return null for non-nullable field Node.worse."


@pytest.mark.parametrize("levels", [1, MAX_DEPTH // 2 - 2])
def test_an_error_goes_all_the_way_up(levels: int) -> None:
    result = run("nodes { > }", "worse", levels)
    assert result.data == {"node": None}
    [error] = result.errors or []
    assert len(error.path or ()) == 2 * levels + 2
