"""Errors: what a caller did is data or carries a stable code; all else is masked and logged."""

from typing import Any

import strawberry
import structlog
from asyncpg import PostgresConnectionError
from asyncpg.exceptions import (
    AdminShutdownError,
    CannotConnectNowError,
    LockNotAvailableError,
    QueryCanceledError,
    TooManyConnectionsError,
)
from graphql import GraphQLError
from sqlalchemy.exc import TimeoutError

from models.errors import ErrorCode, Problem, RecourseError
from models.reading import CUT_OFF
from resolvers.codes import RequestCode

MAX_MESSAGE_LENGTH = 1_000
MASKED = "Something went wrong on our side. The request id finds it in the logs."

BUSY = "The service is busy, or its database is away. Try again in a moment."
TOO_LONG = "The query took too long. Ask for less at once."
# No free connection in time, no lock in time, no database.
PASSING = (
    TimeoutError,
    LockNotAvailableError,
    PostgresConnectionError,
    CannotConnectNowError,
    TooManyConnectionsError,
    AdminShutdownError,
    *CUT_OFF,
    OSError,
)

log = structlog.get_logger()


@strawberry.type(description="One thing wrong with what a mutation was given.")
class UserError:
    """A problem of the input, as data."""

    code: ErrorCode = strawberry.field(description="The stable code.")
    message: str = strawberry.field(description="What is wrong, in words for a person.")
    field: list[str] = strawberry.field(
        description="The path of the place in the input, such as documents, 0, sha256."
    )


def user_errors(error: RecourseError) -> list[UserError]:
    """The problems of an error as a payload shows them."""
    return [UserError(code=p.code, message=p.message, field=list(p.field)) for p in error.problems]


def query_error(error: RecourseError) -> GraphQLError:
    """The error as a query shows it: the first problem, with its code and place."""
    problem: Problem = error.problems[0]
    extensions: dict[str, Any] = {"code": problem.code.value}
    if problem.field:
        extensions["field"] = list(problem.field)
    return GraphQLError(problem.message, extensions=extensions, original_error=error)


def cause_of(error: GraphQLError) -> Exception | None:
    """What a resolver raised; None for an error of GraphQL's own."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def present(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """One error as the response shows it: a caller's own with its code, any other masked.

    Whatever it is, `requestId` finds the request in the logs.
    """
    cause = cause_of(error)
    if isinstance(cause, RecourseError):
        shown = query_error(cause)
        return _formatted(error, shown.message, request_id, shown.extensions or {})
    if cause is None or (error.extensions or {}).get("code"):
        # GraphQL's own messages repeat what was given, however long.
        message = error.message[:MAX_MESSAGE_LENGTH]
        extensions = {"code": RequestCode.BAD_USER_INPUT, **(error.extensions or {})}
        return {
            **error.formatted,
            "message": message,
            "extensions": {**extensions, "requestId": request_id},
        }
    if _has(cause, (QueryCanceledError,)):
        log.warning("statement timed out", path=error.path, exc_info=cause)
        return _formatted(error, TOO_LONG, request_id, {"code": RequestCode.TIMEOUT})
    if _has(cause, PASSING):
        log.warning("store not available", path=error.path, exc_info=cause)
        return _formatted(error, BUSY, request_id, {"code": RequestCode.UNAVAILABLE})
    log.error("resolver failed", path=error.path, request_id=request_id, exc_info=cause)
    return _formatted(error, MASKED, request_id, {"code": RequestCode.INTERNAL_ERROR})


def _formatted(
    error: GraphQLError, message: str, request_id: str, extensions: dict[str, Any]
) -> dict[str, Any]:
    """Another message at the error's place."""
    shown = {**extensions, "requestId": request_id}
    return dict(GraphQLError(message, error.nodes, path=error.path, extensions=shown).formatted)


def _has(error: BaseException | None, kinds: tuple[type[BaseException], ...]) -> bool:
    """Whether the error, or one that caused it, is of these kinds."""
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = error.__cause__
    return False
