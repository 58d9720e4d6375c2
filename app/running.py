"""Running one operation: the same for whoever asks, over HTTP or to have it explained."""

from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
)
from graphql.execution import Executor

from app.database import Database
from models.clock import Clock
from models.reading import Reader
from resolvers.context import Context


def context_of(
    database: Database, reader: Reader, clock: Clock, max_page_size: int, max_nodes: int
) -> Context:
    """What the resolvers of a request share, for the actor of its reader."""
    actor = reader.actor
    return Context(
        actor=actor,
        reader=reader,
        clock=clock,
        session=lambda: database.session_for(actor),
        max_page_size=max_page_size,
        max_nodes=max_nodes,
    )


async def run(
    schema: GraphQLSchema,
    document: DocumentNode,
    context: Context,
    executor: type[Executor[Any]],
    variables: dict[str, Any] | None,
    operation_name: str | None,
    hide_suggestions: bool = False,
) -> ExecutionResult:
    """The data of a valid document's operation, and its errors."""
    if _reads(get_operation_ast(document, operation_name)):
        await context.begin()
    result = execute(
        schema,
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        executor_class=executor,
        hide_suggestions=hide_suggestions,
    )
    return result if isinstance(result, ExecutionResult) else await result


def _reads(operation: OperationDefinitionNode | None) -> bool:
    """Whether the operation is a query of more than the schema. A mutation reads what it wrote."""
    if operation is None or operation.operation is not OperationType.QUERY:
        return False
    return any(
        not (isinstance(one, FieldNode) and one.name.value.startswith("__"))
        for one in operation.selection_set.selections
    )
