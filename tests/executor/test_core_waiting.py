"""What waits: what runs at once, what one after the other, and what is stopped."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import pytest
from graphql import execute, parse
from graphql.execution import AbortedGraphQLExecutionError
from graphql.pyutils import AbortController

from tests.executor.core_facts import Kind, each_executor, later, settled, wait_for
from tests.executor.core_mutations import SCHEMA as COUNTING
from tests.executor.core_mutations import Counter
from tests.executor.core_tree import LONGEST_SECONDS, TREE, answer_of, turns


@dataclass
class Meeting:
    """Lets those who come go on when all have come."""

    size: int
    come: int = 0
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, *_: Any, **__: Any) -> str:
        self.come += 1
        if self.come == self.size:
            self.complete.set()
        await self.complete.wait()
        return "met"


@each_executor
async def test_the_fields_of_an_object_wait_together(executor: Kind) -> None:
    meet = Meeting(3)
    answer = await answer_of("{ a b c: a }", {"a": meet, "b": meet}, executor)
    assert answer.data == {"a": "met", "b": "met", "c": "met"}


@each_executor
async def test_the_objects_of_a_list_wait_together(executor: Kind) -> None:
    meet = Meeting(4)
    answer = await answer_of(
        "{ nodes { a b } }", {"nodes": [{"a": meet, "b": meet}, {"a": meet, "b": meet}]}, executor
    )
    assert answer.data == {"nodes": [{"a": "met", "b": "met"}] * 2}


@each_executor
async def test_the_items_of_a_list_wait_together(executor: Kind) -> None:
    meet = Meeting(3)
    answer = await answer_of("{ texts }", {"texts": lambda _: [meet(), meet(), meet()]}, executor)
    assert answer.data == {"texts": ["met"] * 3}


@each_executor
async def test_fields_of_neighbouring_objects_wait_together(executor: Kind) -> None:
    meet = Meeting(2)
    answer = await answer_of("{ node { a } other: node { a } }", {"node": {"a": meet}}, executor)
    assert answer.data == {"node": {"a": "met"}, "other": {"a": "met"}}


@each_executor
async def test_the_types_of_a_list_are_told_together(executor: Kind) -> None:
    meet = Meeting(2)

    async def tell(*_: Any) -> str:
        await meet()
        return "Node"

    answer = await answer_of(
        "{ things { a } }", {"things": [{"a": "1"}, {"a": "2"}]}, executor, type_resolver=tell
    )
    assert answer.data == {"things": [{"a": "1"}, {"a": "2"}]}


@each_executor
async def test_mutations_do_not_wait_together(executor: Kind) -> None:
    running, most = 0, 0

    async def resolve(*_: Any) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return "done"

    answer = await answer_of("mutation { a b c: a }", {"a": resolve, "b": resolve}, executor)
    assert answer.data == {"a": "done", "b": "done", "c": "done"}
    assert most == 1


@each_executor
@pytest.mark.parametrize("name", ["sureFail", "sureSlowFail"])
async def test_nothing_is_done_after_a_mutation_that_took_all_data(
    name: str, executor: Kind
) -> None:
    counter = Counter()
    document = f"mutation {{ add {{ at }} {name} {{ at }} b: add {{ at }} slowAdd {{ at }} }}"
    answer = await answer_of(document, counter, executor, COUNTING)
    assert answer.data is None
    assert counter.number == 1
    assert counter.log[0] == "add 1"
    assert counter.log[-1] == "fail"


@dataclass
class Hanging:
    """A resolver that never returns, and knows whether it was begun and stopped."""

    begun: int = 0
    stopped: int = 0

    async def __call__(self, *_: Any, **__: Any) -> str:
        self.begun += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return "never"

    async def stream(self, *_: Any) -> AsyncIterator[str]:
        yield "first"
        yield await self()


def hanging_at_the_root(hang: Hanging) -> tuple[str, Any]:
    return "{ a b }", {"a": hang, "b": hang}


def hanging_alone(hang: Hanging) -> tuple[str, Any]:
    return "{ a }", {"a": hang}


def hanging_below(hang: Hanging) -> tuple[str, Any]:
    return "{ nodes { a b } }", {"nodes": later([{"a": hang, "b": hang}, {"a": hang, "b": hang}])}


def hanging_in_a_list(hang: Hanging) -> tuple[str, Any]:
    return "{ texts a }", {"texts": lambda _: [hang(), "b", hang()], "a": "A"}


def hanging_in_a_stream(hang: Hanging) -> tuple[str, Any]:
    return "{ texts a }", {"texts": hang.stream, "a": "A"}


def hanging_in_a_mutation(hang: Hanging) -> tuple[str, Any]:
    return "mutation { a b }", {"a": hang, "b": hang}


HANGING = (
    (hanging_at_the_root, 2),
    (hanging_alone, 1),
    (hanging_below, 4),
    (hanging_in_a_list, 2),
    (hanging_in_a_stream, 1),
    (hanging_in_a_mutation, 1),
)


@each_executor
@pytest.mark.parametrize(("case", "running"), HANGING, ids=[case.__name__ for case, _ in HANGING])
async def test_whoever_stops_the_execution_stops_its_resolvers(
    case: Callable[[Hanging], tuple[str, Any]], running: int, executor: Kind
) -> None:
    hang = Hanging()
    document, root = case(hang)
    task = asyncio.create_task(
        settled(execute(TREE, parse(document), root, executor_class=executor))
    )
    await turns(20)
    assert (hang.begun, hang.stopped) == (running, 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await turns(3)
    assert (hang.begun, hang.stopped) == (running, running)


@each_executor
async def test_a_time_limit_stops_resolvers(executor: Kind) -> None:
    hang = Hanging()
    running = execute(
        TREE, parse("{ node { a } b }"), {"node": {"a": hang}}, executor_class=executor
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(settled(running), 0.01)
    await turns(3)
    assert (hang.begun, hang.stopped) == (1, 1)


@each_executor
async def test_nothing_is_begun_after_the_execution_was_stopped(executor: Kind) -> None:
    release, calls = asyncio.Event(), 0

    async def node(*_: Any) -> dict[str, Any]:
        await release.wait()
        return {"a": count}

    def count(*_: Any) -> str:
        nonlocal calls
        calls += 1
        return "x"

    running = execute(TREE, parse("{ node { a } }"), {"node": node}, executor_class=executor)
    task = asyncio.create_task(settled(running))
    await turns(5)
    task.cancel()
    release.set()
    await turns(5)
    assert task.cancelled()
    assert calls == 0


@each_executor
async def test_a_resolver_that_is_stopped_stops_the_execution(executor: Kind) -> None:
    async def stopped(*_: Any) -> str:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await answer_of("{ a b }", {"a": stopped, "b": later("B")}, executor)


@each_executor
def test_what_is_no_error_goes_through(executor: Kind) -> None:
    def resolve(*_: Any) -> str:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        execute(TREE, parse("{ node { a } }"), {"node": {"a": resolve}}, executor_class=executor)


@each_executor
def test_what_waits_is_begun_in_the_loop_that_it_is_given_to(executor: Kind) -> None:
    async def resolve(*_: Any) -> str:
        await asyncio.sleep(0.001)
        return "x"

    async def run(answer: Awaitable[Any]) -> Any:
        return await answer

    answer = execute(TREE, parse("{ a node { a } }"), {"a": resolve}, executor_class=executor)
    assert isawaitable(answer)
    assert asyncio.run(run(answer)) == ({"a": "x", "node": None}, None)


@each_executor
async def test_a_resolver_is_in_one_task_from_begin_to_end(executor: Kind) -> None:
    tasks = []

    async def resolve(*_: Any) -> str:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())
        return "x"

    running = execute(TREE, parse("{ a }"), {"a": resolve}, executor_class=executor)
    await asyncio.create_task(settled(running))
    assert tasks[0] is tasks[1]


@each_executor
async def test_no_coroutine_is_left_behind(executor: Kind) -> None:
    root = {
        "texts": lambda _: ["a", wait_for("b"), None],
        "sure": None,
        "nodes": lambda _: [{"a": later("x"), "sure": None}, wait_for({"sure": "y"})],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for document in ("{ texts sure }", "{ nodes { a sure } texts }", "{ nodes { sure } sure }"):
            await answer_of(document, root, executor)
            await turns(5)
            gc.collect()


@each_executor
async def test_an_abort_signal_ends_the_execution(executor: Kind) -> None:
    hang, controller = Hanging(), AbortController()
    running = execute(
        TREE,
        parse("{ a node { a } }"),
        {"a": hang, "node": {"a": "x"}},
        abort_signal=controller.signal,
        executor_class=executor,
    )
    task = asyncio.create_task(settled(running))
    await turns(5)
    controller.abort()
    with pytest.raises(AbortedGraphQLExecutionError):
        await asyncio.wait_for(task, LONGEST_SECONDS)
    await turns(5)
    assert (hang.begun, hang.stopped) == (1, 1)
