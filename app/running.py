"""Running one operation: the same for whoever asks, over HTTP or to have it explained."""

from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute
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
) -> ExecutionResult:
    """The data of a valid document's operation, and its errors."""
    result = execute(
        schema,
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        executor_class=executor,
    )
    return result if isinstance(result, ExecutionResult) else await result
