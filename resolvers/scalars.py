"""Scalars: how values travel."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from models.durations import check_duration
from models.errors import InvalidInput
from models.text import check_country

CountryCode = NewType("CountryCode", str)
DisabledReason = NewType("DisabledReason", str)
Duration = NewType("Duration", str)
Json = NewType("Json", object)
Secret = NewType("Secret", str)
Url = NewType("Url", str)


def plain(value: Any) -> Any:
    """The text behind an enum's member; any other value as it is."""
    return value.value if isinstance(value, Enum) else value


def refused(message: str) -> GraphQLError:
    """The error of a value that a scalar can't be; never repeats the value itself.

    Without a code: as with GraphQL's own scalars, that follows from where the value stood.
    """
    return GraphQLError(message)


def literally(read: Callable[[Any], Any]) -> Callable[..., Any]:
    """What reads a literal as `read` reads a value; its errors say where in the document."""

    def read_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        try:
            return read(value_from_ast_untyped(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return read_literal


def write_instant(value: datetime) -> str:
    """An instant in UTC, with Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_instant(value: Any) -> datetime:
    """An ISO 8601 instant with its offset, as UTC."""
    message = "A DateTime must be ISO 8601 with an offset, such as 2026-01-31T12:00:00Z."
    if not isinstance(value, str) or len(value) < len("2026-01-31T12:00Z"):
        raise refused(message)
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is None:
            raise refused(message)
        # Far from the ends, so that adding a duration or an offset stays a date.
        if not 1900 <= parsed.year <= 9900 or abs(parsed.utcoffset() or timedelta()).days:
            raise refused(message)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused(message) from None


def read_text(value: Any) -> str:
    """A string, nothing else."""
    if not isinstance(value, str):
        raise refused("This must be a string.")
    return value


def read_country(value: Any) -> str:
    """An ISO 3166-1 alpha-2 code."""
    try:
        return check_country(read_text(value))
    except InvalidInput as error:
        raise refused(error.message) from None


def read_duration(value: Any) -> str:
    """An ISO 8601 duration."""
    try:
        return check_duration(read_text(value))
    except InvalidInput as error:
        raise refused(error.message) from None


def read_json(value: Any) -> Any:
    """JSON as it comes; what is too deep or too large a number is refused where it is used."""
    if isinstance(value, float) and not math.isfinite(value):
        raise refused("A number must be finite.")
    return value


def _as_it_is(value: Any) -> Any:
    return value


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant in UTC, as ISO 8601: 2026-01-31T12:00:00Z. Input takes any offset.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    serialize=write_instant,
    parse_value=read_instant,
    parse_literal=literally(read_instant),
)
SCALARS: dict[object, ScalarDefinition] = {
    datetime: DATE_TIME,
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="A country as an alpha-2 code that ISO 3166-1 has assigned: DE.",
        serialize=str,
        parse_value=read_country,
        parse_literal=literally(read_country),
    ),
    DisabledReason: strawberry.scalar(
        name="DisabledReason",
        description=(
            "Why something is disabled, in Stripe's words: requirements.past_due, "
            "requirements.pending_verification, requirements.fields_needed, under_review, listed, "
            "platform_paused, rejected.fraud, rejected.listed, rejected.terms_of_service, "
            "rejected.other, other. New words may be added."
        ),
        serialize=str,
        parse_value=read_text,
        parse_literal=literally(read_text),
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="A span of time as an ISO 8601 duration: P14D, PT12H, P6M.",
        serialize=str,
        parse_value=read_duration,
        parse_literal=literally(read_duration),
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_as_it_is,
        parse_value=read_json,
        parse_literal=literally(read_json),
    ),
    Secret: strawberry.scalar(
        name="Secret",
        description="A secret: shown once, to be kept where secrets are, and in no log.",
        serialize=str,
        parse_value=read_text,
        parse_literal=literally(read_text),
    ),
    Url: strawberry.scalar(
        name="URL",
        description="A URI as RFC 3986 has it, with its scheme: https, s3, gs.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3986",
        serialize=str,
        parse_value=read_text,
        parse_literal=literally(read_text),
    ),
}
