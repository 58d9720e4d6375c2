"""What `recourse explain` shows: how a query is run, and what its SQL costs."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLError, OperationType
from graphql.execution.values import get_variable_values
from rich.console import Console
from rich.text import Text

from app.callers import check_account, check_platform
from app.database import REFUSALS, reason
from app.documents import DocumentCache
from app.encoding import json_executor
from app.executor.explain import Recording, Step
from app.redaction import without_values
from app.running import context_of, run
from app.settings import Settings
from app.statements import RecordingReader, Statement, Statements
from app.store import Store, StoreUnusable
from models.actor import Actor
from models.clock import Clock
from models.errors import RecourseError
from resolvers.errors import cause_of, query_error
from resolvers.schema import SCHEMA

STANDARD_INPUT = "-"
MAX_MESSAGE_LENGTH = 300
# One fault can show in thousands of places; each field shows how many.
MAX_ERRORS = 20
MIN_SQL_LENGTH = 20
INDENT = " " * 4
_COLUMNS = re.compile("SELECT (?:(?!SELECT ).)*? FROM ")


class ExplainRefused(Exception):
    """There is nothing that could be explained; the message says why, in one line."""


@dataclass(frozen=True)
class Question:
    """The query to explain."""

    document: DocumentNode
    operation_name: str | None
    variables: dict[str, Any]


@dataclass(frozen=True)
class Explanation:
    """How a query was run, and what went wrong.

    `nodes` are the objects that it read as the server counts them, of at most `max_nodes`.
    """

    recording: Recording
    statements: Statements
    nodes: int
    max_nodes: int
    errors: list[str]


def read_question(
    file: str, variables: str | None, operation_name: str | None, settings: Settings
) -> Question:
    """The query of a file, checked as far as it can be without the store.

    Raises `ExplainRefused`.
    """
    schema = SCHEMA._schema
    given = {} if variables is None else _variables(variables)
    document = DocumentCache(schema, 0, settings.max_document_tokens).get(_text(file))
    if document.node is None:
        raise ExplainRefused(_first(document.errors))
    operation = document.operation(operation_name)
    if operation is None:
        raise ExplainRefused(
            f"There is no operation {operation_name} in it."
            if operation_name
            else "There are several operations in it: say which by --operation."
        )
    if operation.operation is not OperationType.QUERY:
        raise ExplainRefused(f"Only a query can be explained, not a {operation.operation.value}.")
    coerced = get_variable_values(schema, operation.variable_definitions or (), given)
    if isinstance(coerced, list):
        raise ExplainRefused(_first(coerced, given))
    return Question(document.node, operation_name, given)


async def explain(
    store: Store, settings: Settings, clock: Clock, actor: Actor, question: Question
) -> Explanation:
    """Run the query on a store that is migrated, and see how. Changes nothing.

    Raises `StoreUnusable`, and `CallerUnknown` where the platform or the account is not there.
    """
    try:
        await _check(store, actor)
        return await _explained(store, settings, clock, actor, question)
    except REFUSALS as error:
        raise StoreUnusable(f"The database can't be used: {reason(error)}") from error


async def _check(store: Store, actor: Actor) -> None:
    owner = store.owner()
    try:
        async with owner.connect() as connection:
            await check_platform(connection, actor)
            await check_account(connection, actor)
    finally:
        await owner.dispose()


async def _explained(
    store: Store, settings: Settings, clock: Clock, actor: Actor, question: Question
) -> Explanation:
    recording = Recording()
    reader = RecordingReader(store.database.read_pool_for(actor), actor)
    context = context_of(store.database, reader, clock, settings.max_page_size, settings.max_nodes)
    try:
        result = await run(
            SCHEMA._schema,
            question.document,
            context,
            recording.executor(json_executor(1)),
            question.variables,
            question.operation_name,
        )
        await reader.estimate()
    finally:
        await reader.close()
    errors = [_said(error) for error in (result.errors or ())[:MAX_ERRORS]]
    return Explanation(recording, reader.recorded, context.nodes, settings.max_nodes, errors)


def as_json(explanation: Explanation) -> bytes:
    """The explanation as data."""
    levels, statements = explanation.recording.levels, explanation.statements
    body = {
        "levels": [
            {
                "level": number,
                "fields": [
                    {**step.data, "statements": _data(statements.of(step))} for step in level
                ],
            }
            for number, level in enumerate(levels, 1)
        ],
        "otherStatements": _data(statements.of(None)),
        "totals": {
            "levels": len(levels),
            "objects": explanation.recording.objects,
            "statements": len(statements.all),
            "cost": round(statements.cost, 2),
        },
        "nodes": {"read": explanation.nodes, "most": explanation.max_nodes},
        "errors": explanation.errors,
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2)


def _data(statements: list[Statement]) -> list[dict[str, Any]]:
    return [statement.data for statement in statements]


def show(explanation: Explanation, console: Console, full_sql: bool) -> None:
    """Print the explanation for a person; SQL no longer than a line, unless it is to be full."""
    width = None if full_sql else console.width
    for line in _lines(explanation, width):
        console.print(line, soft_wrap=True)
    if explanation.statements.all and not full_sql:
        console.print("statements are cut to a line each; --sql shows all of them", soft_wrap=True)


def _lines(explanation: Explanation, width: int | None) -> Iterator[Text]:
    recording, ran = explanation.recording, explanation.statements
    for level in recording.levels:
        for _, steps in groupby(level, key=lambda step: (step.path[:-1], step.type_name)):
            yield from _lines_of_objects(list(steps), ran, width)
    if ran.of(None):
        yield Text("of no single field", style="bold")
        yield from (_statement_line(statement, width) for statement in ran.of(None))
        yield Text()
    levels = _number(len(recording.levels), "level")
    objects = _number(recording.objects, "object")
    statements = _number(len(ran.all), "statement")
    yield Text(f"{levels}, {objects}, {statements} at an estimated cost of {ran.cost:,.2f}")
    yield Text(
        f"it counts as {explanation.nodes:,} of the {explanation.max_nodes:,} "
        "that a request may read (RECOURSE_MAX_NODES)"
    )


def _lines_of_objects(steps: list[Step], ran: Statements, width: int | None) -> Iterator[Text]:
    """The fields of the objects of one type at one place; those with nothing to tell together."""
    first = steps[0]
    place = f", at {'.'.join(first.path[:-1])}" if first.level > 1 else ""
    yield Text(f"level {first.level}: {first.type_name} x {first.objects:,}{place}", style="bold")
    together: dict[Any, list[Step]] = {}
    for step in steps:
        is_quiet = step.is_leaf and not step.failed and not ran.of(step)
        together.setdefault(step.way if is_quiet else step.path, []).append(step)
    for some in together.values():
        yield Text(f"  {some[0].way:<10} {', '.join(map(_named, some))}")
        for statement in ran.of(some[0]):
            yield _statement_line(statement, width)
    yield Text()


def _named(step: Step) -> str:
    """A field by its name in the response, and what came of it."""
    name = step.path[-1]
    shown = name if name == step.field_name else f"{name}: {step.field_name}"
    if not step.is_leaf:
        shown += f" -> {step.given:,} {step.gives}"
    return shown + (f", {_number(step.failed, 'error')}" if step.failed else "")


def _statement_line(statement: Statement, width: int | None) -> Text:
    start, sql = f"{INDENT}{_figures(statement)}: ", statement.sql
    if width is not None:
        room = max(width - len(start), MIN_SQL_LENGTH)
        # Where the rows come from tells more than what their columns are.
        sql = _COLUMNS.sub("SELECT ... FROM ", sql)
        sql = sql if len(sql) <= room else sql[: room - 3] + "..."
    return Text.assemble(start, (sql, "dim"))


def _figures(statement: Statement) -> str:
    rows = "failed" if statement.rows is None else _number(statement.rows, "row")
    if statement.cost is None:
        return f"no estimate, {rows}"
    return f"cost {statement.cost:,.2f}, {rows} of {statement.estimated_rows:,} expected"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _text(file: str) -> str:
    """The text of a file, or of standard input."""
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return Path(file).read_text("utf-8-sig")
    except OSError as error:
        raise ExplainRefused(f"{file} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ExplainRefused(f"{file} is not in UTF-8.") from error


def _variables(given: str) -> dict[str, Any]:
    """The variables: JSON, or @ and the name of a file of it."""
    text = _text(given[1:]) if given.startswith("@") else given
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ExplainRefused("The variables are not JSON.") from None
    if not isinstance(found, dict):
        raise ExplainRefused("The variables are not a JSON object.")
    return found


def _first(errors: Sequence[GraphQLError], given: dict[str, Any] | None = None) -> str:
    """The first of what is wrong with a document, or with the variables given; and where in it."""
    error = errors[0]
    message = error.message if given is None else without_values(error.message, given)
    where = error.locations[0] if error.locations else None
    place = f"line {where.line}, column {where.column}: " if where else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{place}{_on_a_line(message)}{more}"


def _said(error: GraphQLError) -> str:
    """What a field's error says: a caller's own in words, of any other its type alone."""
    cause = cause_of(error)
    if isinstance(cause, RecourseError):
        message = query_error(cause).message
    else:
        message = error.message if cause is None else type(cause).__name__
    place = ".".join(map(str, error.path or ()))
    return f"{place}: {_on_a_line(message)}" if place else _on_a_line(message)


def _on_a_line(message: str) -> str:
    return " ".join(message.split())[:MAX_MESSAGE_LENGTH]
