"""What a fact of execution is: a document, what it runs on, and the answer that it must get."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import isawaitable
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    default_field_resolver,
    execute,
    execute_sync,
    parse,
)
from graphql.execution import Executor

from app.executor import BreadthFirstExecutor

Kind = type[Executor[Any]] | None
# None stands for graphql-core's own: no expectation can be wrong about what is usual.
EXECUTORS: dict[str, Kind] = {
    "core": None,
    "breadth first": BreadthFirstExecutor,
}
each_executor = pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS.keys())
Resolver = Callable[..., Any]
Info = GraphQLResolveInfo[Any]


@dataclass(frozen=True)
class Problem:
    """An error of an answer: path as "pets.0.name", places in the document as "1:3 1:9"."""

    message: str
    path: str = ""
    at: str = "1:3"
    extensions: Mapping[str, Any] | None = None

    def formatted(self) -> dict[str, Any]:
        """The error as it stands in the response."""
        shown: dict[str, Any] = {"message": self.message}
        if self.at:
            pairs = [place.split(":") for place in self.at.split()]
            shown["locations"] = [{"line": int(a), "column": int(b)} for a, b in pairs]
        if self.path:
            shown["path"] = [int(k) if k.isdigit() else k for k in self.path.split(".")]
        if self.extensions is not None:
            shown["extensions"] = dict(self.extensions)
        return shown


@dataclass(frozen=True)
class Fact:
    """A document on a schema, and the answer to it. The name says what it shows."""

    name: str
    schema: GraphQLSchema
    document: str
    data: Any
    errors: tuple[Problem, ...] = ()
    root: Any = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None
    waits: bool = False
    # Several errors want one place: which of them arrives depends on time once fields wait.
    races: bool = False
    # The document breaks a rule of validation, and is executed all the same.
    unvalidated: bool = False
    make_root: Callable[[], Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def parsed(self) -> DocumentNode:
        """The document: one for all runs, as a server that caches documents has it."""
        return parse(self.document)

    def own_root(self) -> Any:
        """The root of one run."""
        return self.make_root() if self.make_root else self.root

    def run(self, executor: Kind, **options: Any) -> Any:
        """The answer of an executor, or what to await for it."""
        return execute(
            self.schema,
            self.parsed,
            root_value=self.own_root(),
            variable_values=dict(self.variables),
            operation_name=self.operation,
            executor_class=executor,
            **{**self.options, **options},
        )

    def run_without_waiting(self, executor: Kind) -> ExecutionResult:
        """The answer of an executor that may assume that nothing has to be waited for."""
        return execute_sync(
            self.schema,
            self.parsed,
            self.own_root(),
            variable_values=dict(self.variables),
            operation_name=self.operation,
            executor_class=executor,
            **self.options,
        )


def seen(answer: ExecutionResult, in_order: bool = True) -> dict[str, Any]:
    """An answer as text, so that the order of keys counts, and 1 is neither 1.0 nor True."""
    errors = answer.errors
    return _shown(
        answer.data, None if errors is None else [dict(e.formatted) for e in errors], in_order
    )


def expected(fact: Fact, in_order: bool = True) -> dict[str, Any]:
    """What should be seen."""
    errors = [problem.formatted() for problem in fact.errors]
    return _shown(fact.data, errors or None, in_order)


def _shown(data: Any, errors: list[dict[str, Any]] | None, in_order: bool) -> dict[str, Any]:
    texts = None if errors is None else [repr(error) for error in errors]
    return {"data": repr(data), "errors": texts if in_order or texts is None else sorted(texts)}


async def settled(answer: Any) -> ExecutionResult:
    """The answer, awaited where that is needed."""
    result = await answer if isawaitable(answer) else answer
    assert isinstance(result, ExecutionResult)
    return result


def schema(
    sdl: str,
    resolve: Mapping[str, Resolver] | None = None,
    types: Mapping[str, Resolver] | None = None,
) -> GraphQLSchema:
    """A schema with resolvers by "Type.field", and what tells types, by the name of a type.

    Of an abstract type that is `resolve_type`, of an object type `is_type_of`.
    """
    built: Any = build_schema(sdl)
    for place, resolver in (resolve or {}).items():
        parent, name = place.split(".")
        built.type_map[parent].fields[name].resolve = resolver
    for name, tell in (types or {}).items():
        attribute = "is_type_of" if hasattr(built.type_map[name], "is_type_of") else "resolve_type"
        setattr(built.type_map[name], attribute, tell)
    return built  # type: ignore[no-any-return]


async def wait_for(value: Any) -> Any:
    """The value, a turn of the loop later; an exception is raised."""
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


def later(value: Any) -> Resolver:
    """A resolver that waits before it returns the value, or raises it."""

    async def resolve(*_: Any, **__: Any) -> Any:
        return await wait_for(value)

    return resolve


def fails(message: str = "Boom") -> Resolver:
    """A resolver that raises."""

    def resolve(*_: Any, **__: Any) -> Any:
        raise ValueError(message)

    return resolve


async def waiting(source: Any, info: Info, **arguments: Any) -> Any:
    """The default resolver, after a turn of the loop."""
    await asyncio.sleep(0)
    value = default_field_resolver(source, info, **arguments)
    return await value if isinstance(value, Awaitable) else value


def named_once(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts, none of them with another's name."""
    by_name: dict[str, Fact] = {}
    for fact in facts:
        assert fact.name not in by_name, fact.name
        by_name[fact.name] = fact
    return tuple(by_name.values())
