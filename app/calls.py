"""What a request asks for: read from a JSON body or from the parameters of a URL, and checked.

Whatever is not clear is refused and never guessed: two values under one name, bytes that are not
UTF-8, numbers that JSON does not have.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request

from app.negotiation import PLAIN_JSON
from app.refusals import RequestRefused
from resolvers.codes import RequestCode

# Who still sends when the connection is closed never sees the answer; so what is too large is read
# and dropped, up to so many times the limit.
READ_WHEN_TOO_LARGE = 10
MAX_PARAMETERS = 100
NAMES = ("query", "operationName", "variables", "extensions", "documentId")
_QUOTED = tuple(f'"{name}"'.encode() for name in NAMES)
_OBJECTS = ("variables", "extensions")


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for; a document by its text, by the name it was given, or by both."""

    query: str | None
    operation_name: str | None
    variables: dict[str, Any] | None
    document_id: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class CallReader:
    """Reads what requests ask for, within bounds."""

    max_bytes: int
    body_timeout_seconds: float

    async def read(self, request: Request) -> Call:
        """What the request asks for. Raises `RequestRefused`."""
        if request.method == "GET":
            return _call_of(self._parameters(request))
        _check_is_json(request.headers.get("content-type", ""))
        return _call_of(_parsed(await self._body(request)))

    def _parameters(self, request: Request) -> dict[str, Any]:
        raw: bytes = request.scope["query_string"]
        if len(raw) > self.max_bytes:
            raise self._too_large(414)
        found = _decoded(raw)
        names = Counter(name for name, _ in found)
        for name in NAMES:
            if names[name] > 1:
                raise _bad(f"The parameter {name} is given twice.")
        return {name: _value(name, text) for name, text in found if text and name in NAMES}

    async def _body(self, request: Request) -> bytes:
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self.max_bytes * READ_WHEN_TOO_LARGE:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.body_timeout_seconds):
                return await self._chunks(request)
        except ClientDisconnect:
            raise _bad("The body has not come whole.") from None
        except TimeoutError:
            raise RequestRefused(
                408,
                RequestCode.REQUEST_TIMEOUT,
                f"The body has not come whole within {self.body_timeout_seconds:g} seconds.",
                {"connection": "close"},
            ) from None

    async def _chunks(self, request: Request) -> bytes:
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self.max_bytes * READ_WHEN_TOO_LARGE:
                break
            if size <= self.max_bytes:
                chunks.append(chunk)
        if size > self.max_bytes:
            raise self._too_large()
        return b"".join(chunks)

    def _too_large(self, status: int = 413) -> RequestRefused:
        message = f"A request must have at most {self.max_bytes} bytes."
        code = RequestCode.REQUEST_TOO_LARGE
        return RequestRefused(status, code, message, {"connection": "close"})


def _bad(message: str) -> RequestRefused:
    return RequestRefused(400, RequestCode.BAD_REQUEST, message)


def _check_is_json(content_type: str) -> None:
    """Raise where a body is not said to be JSON in UTF-8.

    Forms of web pages can send the three types that need no preflight, and are never let in.
    """
    if content_type == PLAIN_JSON:
        return
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    encodings = [each.partition("=")[2].strip('" ') for each in parameters if "charset" in each]
    if kind != PLAIN_JSON or any(each not in ("utf-8", "utf8") for each in encodings):
        raise RequestRefused(
            415, RequestCode.UNSUPPORTED_MEDIA_TYPE, f"Send the body as {PLAIN_JSON} in UTF-8."
        )


def _parsed(body: bytes) -> Any:
    try:
        parsed = orjson.loads(body)
        if any(body.count(name) > 1 for name in _QUOTED) or b"\\u" in body:
            # orjson takes the last of two values; what stands before it may have taken the first.
            json.loads(body, object_pairs_hook=_checked_pairs)
    except (ValueError, RecursionError):
        raise _bad("The body is not JSON in UTF-8.") from None
    return parsed


def _checked_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = Counter(name for name, _ in pairs)
    for name in NAMES:
        if names[name] > 1:
            raise _bad(f"The body has `{name}` twice.")
    return dict(pairs)


def _decoded(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        message = f"The parameters must be at most {MAX_PARAMETERS}, in UTF-8, percent-encoded."
        raise _bad(message) from None


def _value(name: str, text: str) -> Any:
    if name not in _OBJECTS:
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _bad(f"The parameter {name} is not JSON.") from None


def _call_of(body: Any) -> Call:
    if isinstance(body, list):
        message = "Send one request at a time; HTTP/1.1 keeps the connection open."
        raise RequestRefused(400, RequestCode.BATCHING_NOT_SUPPORTED, message)
    if not isinstance(body, dict):
        raise _bad("The body must be a JSON object with a `query`.")
    extensions = _optional(body, "extensions", dict, "an object") or {}
    call = Call(
        query=_optional(body, "query", str, "a string"),
        operation_name=_optional(body, "operationName", str, "a string") or None,
        variables=_optional(body, "variables", dict, "an object"),
        document_id=_optional(body, "documentId", str, "a string") or None,
        sha256=_sha256(extensions) if "persistedQuery" in extensions else None,
    )
    if call.query is None and call.document_id is None and call.sha256 is None:
        raise _bad("`query` must be a string.")
    return call


def _optional(body: Mapping[str, Any], name: str, kind: type, what: str) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise _bad(f"`{name}` must be {what}.")
    return value


def _sha256(extensions: Mapping[str, Any]) -> str:
    given = extensions["persistedQuery"]
    if not isinstance(given, dict) or given.get("version") != 1:
        raise _bad("`extensions.persistedQuery` must be an object of version 1.")
    name = given.get("sha256Hash")
    if not isinstance(name, str) or not name:
        raise _bad("`extensions.persistedQuery.sha256Hash` must be a string.")
    return name
