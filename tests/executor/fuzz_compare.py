"""Runs a document with two executors and says how the results differ.

Where nothing waits, everything must be the same: data with the order of its keys, and the errors in
their order. Where resolvers wait, two things hold:

- The breadth-first result is exactly what graphql-core gives for the twin of the case in which
  nothing waits: errors stand in the order of the document, however long each took.
- graphql-core's own asynchronous run has the same data. Its errors depend on time, but only below a
  place that another error made null: there it keeps those that came first. So the places made null
  by errors are the same, and so are the errors at places below which there are none.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import DocumentNode, ExecutionResult, GraphQLError, execute
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from tests.executor.fuzz_values import Context
from tests.executor.fuzz_world import World

HANGS_AFTER_SECONDS = 10


class Problem(NamedTuple):
    """An error of a response, as text where that makes it comparable."""

    message: str
    path: tuple[Any, ...]
    locations: str
    extensions: str
    cause: str

    @classmethod
    def of(cls, error: GraphQLError) -> "Problem":
        """What a client sees of an error, and the class of what caused it."""
        return cls(
            # What lists and objects hold is not the same in the twin.
            re.sub(r"(: |with value )[\[{].*[\]}]", r"\1...", error.message, flags=re.DOTALL),
            tuple(error.path or ()),
            repr([(place.line, place.column) for place in error.locations or ()]),
            repr(error.extensions),
            type(error.original_error).__name__,
        )


@dataclass
class Outcome:
    """What an executor made of a document."""

    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    context: Context = field(default_factory=Context)
    has_waited: bool = False
    raised: str | None = None

    def __str__(self) -> str:
        if self.raised is not None:
            return f"raised {self.raised}"
        lines = [f"data: {self.data!r}", *(f"error: {tuple(each)}" for each in self.problems)]
        return "\n".join(lines)


@dataclass
class Request:
    """A document to run, on a world and on its twin where nothing waits."""

    world: World
    roots: Mapping[str, Any]
    twin: World
    twin_roots: Mapping[str, Any]
    document: DocumentNode
    operation: str
    variables: Mapping[str, Any]


@dataclass
class Difference:
    """How the results differ, and both of them."""

    what: str
    expected: Outcome
    found: Outcome


async def difference(request: Request, executor: Any) -> Difference | None:
    """How the executor's result differs from graphql-core's, if it does."""
    twin = await run(request, None, on_twin=True)
    found = await run(request, executor)
    what = exact_difference(twin, found) or calls_difference(twin, found)
    if what is not None:
        return Difference(what, twin, found)
    if request.world.waits:
        return await _difference_of_waiting(request, executor, twin, found)
    return Difference("it waited", twin, found) if found.has_waited else None


async def _difference_of_waiting(
    request: Request, executor: Any, twin: Outcome, found: Outcome
) -> Difference | None:
    own = await run(request, None)
    what = timed_difference(own, found)
    if what is not None:
        return Difference(what, own, found)
    # The same document on another schema, which has plans of its own.
    found = await run(request, executor, on_twin=True)
    what = exact_difference(twin, found) or ("it waited" if found.has_waited else None)
    return None if what is None else Difference(f"{what}, where nothing waits", twin, found)


async def run(request: Request, executor: Any, on_twin: bool = False) -> Outcome:
    """Run a request with an executor; graphql-core's where there is none."""
    outcome = Outcome()
    try:
        async with asyncio.timeout(HANGS_AFTER_SECONDS):
            await _run(request, executor, on_twin, outcome)
    except Exception as error:
        outcome.raised = f"{type(error).__name__}: {error}"
    return outcome


async def _run(request: Request, executor: Any, on_twin: bool, outcome: Outcome) -> None:
    roots = request.twin_roots if on_twin else request.roots
    world = request.twin if on_twin else request.world
    result: Any = execute(
        world.schema,
        request.document,
        roots[root_of(request)],
        outcome.context,
        dict(request.variables),
        request.operation,
        executor_class=executor,
        **world.options,
    )
    if not isinstance(result, ExecutionResult):
        outcome.has_waited = True
        result = await result
    outcome.data = result.data
    outcome.problems = [Problem.of(error) for error in result.errors or ()]


def difference_within_strawberry(request: Request, text: str, executor: Any) -> str | None:
    """The same by Strawberry's own `execute_sync`, on a world where nothing waits."""
    outcomes = []
    for each in (None, executor):
        schema, context = request.twin.strawberry_schema, Context()
        schema.execution_context_class = each or StrawberryGraphQLCoreExecutionContext
        root = request.twin_roots[root_of(request)]
        result = schema.execute_sync(
            text, dict(request.variables), context, root, request.operation
        )
        problems = [Problem.of(error) for error in result.errors or ()]
        outcomes.append(Outcome(result.data, problems, context))
    return exact_difference(*outcomes)


def root_of(request: Request) -> str:
    """The root type of the request's operation."""
    source = request.document.loc.source.body  # type: ignore[union-attr]
    return "Mutation" if f"mutation {request.operation}" in source else "Query"


def exact_difference(expected: Outcome, found: Outcome) -> str | None:
    """Everything must be the same, order included."""
    if expected.raised != found.raised:
        return "one raised"
    # The text shows the order of keys, and that True is not 1.
    if repr(expected.data) != repr(found.data):
        return "data"
    if Counter(expected.problems) != Counter(found.problems):
        return "errors"
    if expected.problems != found.problems:
        return "the order of errors"
    return None


def timed_difference(expected: Outcome, found: Outcome) -> str | None:
    """The same where time can't make a difference; see the head of this file."""
    if expected.raised != found.raised:
        return "one raised"
    if repr(expected.data) != repr(found.data):
        return "data beside an asynchronous run"
    nulled, found_nulled = (_by_nulled_place(each) for each in (expected, found))
    if nulled.keys() != found_nulled.keys():
        return "the places that errors made null, beside an asynchronous run"
    for place, problems in nulled.items():
        both = problems | found_nulled[place]
        if all(each.path == place for each in both) and problems != found_nulled[place]:
            return "errors beside an asynchronous run"
    if not expected.problems and expected.context.spent != found.context.spent:
        return f"spent {expected.context.spent}, {found.context.spent}"
    return None


def _by_nulled_place(outcome: Outcome) -> dict[tuple[Any, ...] | None, Counter[Problem]]:
    """The places in the data that errors made null, with the errors at and below them."""
    found: dict[tuple[Any, ...] | None, Counter[Problem]] = {}
    for problem in outcome.problems:
        found.setdefault(nulled_place(outcome.data, problem.path), Counter())[problem] += 1
    return found


def nulled_place(data: Any, path: Sequence[Any]) -> tuple[Any, ...] | None:
    """Where the data is null on the way to an error; None where it isn't, which is wrong."""
    for depth, key in enumerate(path):
        if data is None:
            return tuple(path[:depth])
        data = data[key]
    return tuple(path) if data is None else None


def calls_difference(expected: Outcome, found: Outcome) -> str | None:
    """What was called, and when.

    Below what an error made null, the breadth-first run may call more than graphql-core does.
    """
    if max(Counter(found.context.batches).values(), default=0) > 1:
        return "a batched function was called twice for a place"
    if _is_serial(found) and not _is_in_turn(expected.context.steps, found.context.steps):
        return "the order of a mutation's root fields"
    for calls, found_calls in (
        (Counter(expected.context.calls), Counter(found.context.calls)),
        (Counter(set(expected.context.batches)), Counter(found.context.batches)),
    ):
        if calls - found_calls:
            return f"these were not called: {calls - found_calls}"
        if not expected.problems and found_calls - calls:
            return f"these were called: {found_calls - calls}"
    return None


def _is_in_turn(expected: list[str], found: list[str]) -> bool:
    """Whether root fields ran one after the other, in the same order."""
    turns = [each for n, each in enumerate(found) if n == 0 or found[n - 1] != each]
    order = list(dict.fromkeys(expected))
    return len(turns) == len(set(turns)) and [each for each in turns if each in order] == order


def _is_serial(outcome: Outcome) -> bool:
    return any(", mutation, " in call for call in outcome.context.calls)
