"""Resolvers: how often they are called and what they are told; documents that run again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any

import pytest
from graphql import (
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    execute,
    execute_sync,
    experimental_execute_incrementally,
    parse,
    subscribe,
)

from tests.executor.core_facts import Info, Kind, each_executor, schema, settled
from tests.executor.core_tree import TREE, answer_of, turns


@each_executor
async def test_every_field_is_resolved_once_for_every_object(executor: Kind) -> None:
    calls: list[str] = []

    def resolve(source: dict[str, Any], info: Info, **_: Any) -> Any:
        calls.append(".".join(map(str, info.path.as_list())))
        return source.get(info.field_name)

    node = {"a": "x", "b": "y"}
    document = "{ nodes { a } ...F } fragment F on Query { nodes { a b } a }"
    await answer_of(document, {"nodes": [node, node]}, executor, field_resolver=resolve)
    assert sorted(calls) == ["a", "nodes", "nodes.0.a", "nodes.0.b", "nodes.1.a", "nodes.1.b"]


@each_executor
async def test_resolvers_see_the_variables_of_their_caller(executor: Kind) -> None:
    caller: ContextVar[str] = ContextVar("caller")

    async def waits(*_: Any) -> str:
        await asyncio.sleep(0)
        return caller.get()

    caller.set("me")
    root = {"a": lambda *_: caller.get(), "b": waits, "node": {"a": waits}}
    answer = await answer_of("{ a b node { a } }", root, executor)
    assert answer.data == {"a": "me", "b": "me", "node": {"a": "me"}}


def told_by(executor: Kind, document: str, **options: Any) -> list[Info]:
    """What the resolvers of `a` were told."""
    infos: list[Info] = []

    def resolve(source: Any, info: Info, **_: Any) -> Any:
        if info.field_name == "a":
            infos.append(info)
        return source.get(info.field_name)

    root = {"a": "A", "nodes": [{"a": "x"}, {"a": "y"}], "node": {"a": "z", "nodes": [{"a": "w"}]}}
    execute_sync(
        TREE, parse(document), root, field_resolver=resolve, executor_class=executor, **options
    )
    return infos


@each_executor
def test_a_resolver_is_told_where_it_is(executor: Kind) -> None:
    infos = told_by(executor, "{ a nodes { one: a } node { nodes { a } } }")
    paths = {tuple(info.path.as_list()) for info in infos}
    assert paths == {("a",), ("nodes", 0, "one"), ("nodes", 1, "one"), ("node", "nodes", 0, "a")}
    typenames = {str(info.path.key): info.path.typename for info in infos}
    assert typenames == {"a": "Node", "one": "Node"} or typenames == {"a": "Query", "one": "Node"}


@each_executor
def test_a_resolver_is_told_of_the_operation(executor: Kind) -> None:
    document = "query Q($n: Int) { one: a(n: $n) ...F } fragment F on Query { one: a(n: $n) }"
    context = object()
    (info,) = told_by(executor, document, variable_values={"n": 3}, context_value=context)
    assert info.operation.name is not None
    assert info.operation.name.value == "Q"
    assert [node.alias and node.alias.value for node in info.field_nodes] == ["one", "one"]
    assert set(info.fragments) == {"F"}
    assert info.context is context
    assert info.schema is TREE
    assert info.parent_type is TREE.type_map["Query"]
    assert str(info.return_type) == "String"
    assert info.root_value["a"] == "A"


@each_executor
def test_types_are_told_where_they_are(executor: Kind) -> None:
    paths = []

    def tell(_: Any, info: Info, __: Any) -> str:
        paths.append((info.path.as_list(), str(info.parent_type), info.field_name))
        return "Node"

    root: dict[str, Any] = {"nodes": [{}, {"thing": {}, "things": [{}, {}]}]}
    document = "{ nodes { thing { a } many: things { a } } }"
    execute_sync(TREE, parse(document), root, type_resolver=tell, executor_class=executor)
    assert sorted(paths, key=repr) == [
        (["nodes", 1, "many"], "Node", "things"),
        (["nodes", 1, "many"], "Node", "things"),
        (["nodes", 1, "thing"], "Node", "thing"),
    ]


@each_executor
async def test_one_document_runs_again_with_other_variables(executor: Kind) -> None:
    document = parse(
        "query ($n: Int, $yes: Boolean!)"
        " { a(n: $n) @skip(if: $yes) node { b @include(if: $yes) a } }"
    )
    root = {"a": lambda _, n=None: f"n is {n}", "node": {"a": "x", "b": "y"}}
    for number in range(3):
        for yes, expected in (
            (True, {"node": {"b": "y", "a": "x"}}),
            (False, {"a": f"n is {number}", "node": {"a": "x"}}),
        ):
            variables = {"n": number, "yes": yes}
            answer = execute_sync(
                TREE, document, root, variable_values=variables, executor_class=executor
            )
            assert answer == (expected, None)


@each_executor
async def test_one_document_runs_many_times_at_once(executor: Kind) -> None:
    document = parse("query ($n: Int) { a(n: $n) node { a(n: $n) } }")

    async def resolve(_: Info, n: int) -> str:
        await turns(n % 3)
        return f"n is {n}"

    root = {"a": resolve, "node": {"a": resolve}}
    answers = await asyncio.gather(
        *(
            settled(
                execute(TREE, document, root, variable_values={"n": n}, executor_class=executor)
            )
            for n in range(10)
        )
    )
    for n, answer in enumerate(answers):
        assert answer == ({"a": f"n is {n}", "node": {"a": f"n is {n}"}}, None)


@each_executor
def test_one_document_runs_on_several_schemas(executor: Kind) -> None:
    document = parse("{ a node { a } }")
    root = {"a": 1, "node": {"a": 2}}
    for kind, one, two in (("Int", 1, 2), ("String", "1", "2"), ("Float", 1.0, 2.0)):
        built = schema(f"type Query {{ a: {kind} node: Node }} type Node {{ a: {kind} }}")
        answer = execute_sync(built, document, root, executor_class=executor)
        assert repr(answer.data) == repr({"a": one, "node": {"a": two}})


@each_executor
def test_the_operations_of_one_document_are_kept_apart(executor: Kind) -> None:
    document = parse("query A { a } query B { b } mutation C { a b }")
    root = {"a": "A", "b": "B"}
    expected = {"A": {"a": "A"}, "B": {"b": "B"}, "C": {"a": "A", "b": "B"}}
    for name, data in (*expected.items(), *expected.items()):
        answer = execute_sync(TREE, document, root, operation_name=name, executor_class=executor)
        assert answer == (data, None)


@each_executor
def test_middleware_is_called_around_resolvers(executor: Kind) -> None:
    def outer(following: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return f"<{following(*given, **named)}>"

    def inner(following: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return f"({following(*given, **named)})"

    answer = execute_sync(
        TREE,
        parse("{ a b }"),
        {"a": "A", "b": "B"},
        middleware=[inner, outer],
        executor_class=executor,
    )
    assert answer == ({"a": "<(A)>", "b": "<(B)>"}, None)


@each_executor
def test_an_original_error_stays_with_its_error(executor: Kind) -> None:
    boom = ValueError("Boom")
    answer = execute_sync(TREE, parse("{ a node { a } }"), {"a": boom}, executor_class=executor)
    assert answer.errors is not None
    (error,) = answer.errors
    assert isinstance(error, GraphQLError)
    assert error.original_error is boom
    assert error.nodes is not None
    assert [node.kind for node in error.nodes] == ["field"]


@each_executor
@pytest.mark.parametrize("last", ["b", "a", "sure"])
def test_fragments_that_nest_too_deeply_raise_nothing(last: str, executor: Kind) -> None:
    spreads = " ".join(f"fragment F{n} on Node {{ node {{ ...F{n + 1} }} }}" for n in range(1500))
    document = parse(f"{{ node {{ ...F0 }} }} {spreads} fragment F1500 on Node {{ {last} }}")
    root: dict[str, Any] = {"a": lambda _: "A", "b": "B", "sure": None}
    root["node"] = root
    answer = execute_sync(TREE, document, root, executor_class=executor)
    assert answer.data is not None or answer.errors is not None


@each_executor
def test_every_run_has_data_of_its_own(executor: Kind) -> None:
    document, root = parse("{ nodes { a } texts }"), {"nodes": [{"a": "x"}], "texts": ["t"]}
    first = execute_sync(TREE, document, root, executor_class=executor)
    assert first.data is not None
    first.data["nodes"][0]["a"] = "changed"
    first.data["texts"].append("changed")
    second = execute_sync(TREE, document, root, executor_class=executor)
    assert second == ({"nodes": [{"a": "x"}], "texts": ["t"]}, None)
    assert root == {"nodes": [{"a": "x"}], "texts": ["t"]}


@each_executor
async def test_every_event_of_a_subscription_is_executed(executor: Kind) -> None:
    async def events(*_: Any) -> AsyncIterator[Any]:
        for number in range(3):
            yield {"a": number, "node": {"a": number, "b": ValueError("Boom")}}

    stream = subscribe(
        TREE,
        parse("subscription { node { a b } }"),
        {"node": events},
        executor_class=executor,
    )
    assert isinstance(stream, AsyncIterator)
    answers = [answer async for answer in stream]
    assert [answer.data for answer in answers] == [
        {"node": {"a": str(number), "b": None}} for number in range(3)
    ]
    assert all(len(answer.errors or ()) == 1 for answer in answers)


@each_executor
async def test_what_is_deferred_comes_later(executor: Kind) -> None:
    result = experimental_execute_incrementally(
        TREE,
        parse("{ a ... @defer { b } nodes @stream(initialCount: 1) { a } }"),
        {"a": "A", "b": "B", "nodes": [{"a": "x"}, {"a": "y"}]},
        executor_class=executor,
    )
    result = await result if isawaitable(result) else result
    assert isinstance(result, ExperimentalIncrementalExecutionResults)
    assert result.initial_result.data == {"a": "A", "nodes": [{"a": "x"}]}
    later = [part.formatted async for part in result.subsequent_results]
    brought = [entry for part in later for entry in part.get("incremental", ())]
    assert sorted(str(entry.get("data") or entry.get("items")) for entry in brought) == [
        "[{'a': 'y'}]",
        "{'b': 'B'}",
    ]


@each_executor
def test_fragments_may_have_variables_of_their_own(executor: Kind) -> None:
    document = parse(
        "{ node { ...F(n: 1) node { ...F(n: 2) } } } fragment F($n: Int) on Node { a(n: $n) }",
        experimental_fragment_arguments=True,
    )
    node: dict[str, Any] = {"a": lambda _, n: f"n is {n}"}
    root = {"node": {**node, "node": node}}
    answer = execute_sync(TREE, document, root, executor_class=executor)
    assert answer == ({"node": {"a": "n is 1", "node": {"a": "n is 2"}}}, None)
