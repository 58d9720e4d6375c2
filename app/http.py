"""GraphQL over HTTP: one pipeline from the request to the bytes of the response.

Follows the GraphQL over HTTP specification (https://graphql.github.io/graphql-over-http): POST and
GET, `application/graphql-response+json` with status codes that tell, `application/json` for older
clients, whose well-formed requests are answered with 200.
"""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import ExecutionResult, GraphQLSchema, execute
from starlette.requests import Request
from starlette.responses import Response

from app.database import Database
from app.documents import Document, DocumentCache
from app.tokens import TokenRefused, TokenSigner
from models.actor import Actor
from models.clock import Clock
from models.reading import Reader
from resolvers.context import Context
from resolvers.errors import present

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")

log = structlog.get_logger()


class RequestRefused(Exception):
    """The request is not one that GraphQL could answer; becomes a response with `status`."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Call:
    """What a request asks for."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None


@dataclass(frozen=True)
class GraphQLEndpoint:
    """The endpoint `/graphql`."""

    schema: GraphQLSchema
    database: Database
    signer: TokenSigner
    clock: Clock
    documents: DocumentCache
    max_request_bytes: int
    max_page_size: int

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        started = time.perf_counter()
        request_id = _request_id(request)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            media_type = _media_type(request)
            try:
                response = await self._answer(request, media_type, request_id)
            except RequestRefused as refusal:
                response = _refused(refusal, media_type)
            response.headers["x-request-id"] = request_id
            log.info(
                "request",
                method=request.method,
                status=response.status_code,
                milliseconds=round((time.perf_counter() - started) * 1000, 2),
            )
            return response

    async def _answer(self, request: Request, media_type: str, request_id: str) -> Response:
        if request.method not in ("GET", "POST"):
            raise RequestRefused(
                405, "METHOD_NOT_ALLOWED", "Use POST or GET.", {"allow": "GET, POST"}
            )
        actor = self._authenticate(request)
        call = await self._read(request)
        document = self.documents.get(call.query)
        if document.node is None:
            return _invalid(document, media_type, request_id)
        if request.method == "GET" and document.is_mutation(call.operation_name):
            raise RequestRefused(
                405, "METHOD_NOT_ALLOWED", "A mutation needs POST.", {"allow": "POST"}
            )
        result = await self._execute(document, call, actor)
        return _executed(result, media_type, request_id)

    def _authenticate(self, request: Request) -> Actor:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = {"www-authenticate": "Bearer"}
        if scheme.lower() != "bearer" or not token:
            raise RequestRefused(
                401, "UNAUTHENTICATED", "Send a token: Authorization: Bearer ...", challenge
            )
        try:
            return self.signer.read(token.strip())
        except TokenRefused as error:
            raise RequestRefused(401, "UNAUTHENTICATED", str(error), challenge) from error

    async def _read(self, request: Request) -> Call:
        if request.method == "GET":
            return _call_of_parameters(request.query_params)
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != PLAIN_JSON:
            raise RequestRefused(415, "UNSUPPORTED_MEDIA_TYPE", f"Send the body as {PLAIN_JSON}.")
        body = await self._body(request)
        try:
            return _call_of(orjson.loads(body))
        except orjson.JSONDecodeError:
            raise RequestRefused(400, "BAD_REQUEST", "The body is not JSON in UTF-8.") from None

    async def _body(self, request: Request) -> bytes:
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self.max_request_bytes:
                raise RequestRefused(
                    413,
                    "REQUEST_TOO_LARGE",
                    f"A request has at most {self.max_request_bytes} bytes.",
                    {"connection": "close"},
                )
            chunks.append(chunk)
        return b"".join(chunks)

    async def _execute(self, document: Document, call: Call, actor: Actor) -> ExecutionResult:
        assert document.node is not None
        reader = Reader(self.database.engine_for(actor), actor)
        context = Context(
            actor=actor,
            reader=reader,
            clock=self.clock,
            session=lambda: self.database.session_for(actor),
            max_page_size=self.max_page_size,
        )
        try:
            result = execute(
                self.schema,
                document.node,
                context_value=context,
                variable_values=call.variables,
                operation_name=call.operation_name,
            )
            return result if isinstance(result, ExecutionResult) else await result
        finally:
            await reader.close()


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _media_type(request: Request) -> str:
    """What the client prefers of the two; who takes anything gets the older one."""
    return GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("accept", "") else PLAIN_JSON


def _call_of_parameters(parameters: Mapping[str, str]) -> Call:
    body: dict[str, Any] = {"query": parameters.get("query")}
    if parameters.get("operationName"):
        body["operationName"] = parameters["operationName"]
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                body[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise RequestRefused(
                    400, "BAD_REQUEST", f"The parameter {name} is not JSON."
                ) from None
    return _call_of(body)


def _call_of(body: Any) -> Call:
    if not isinstance(body, dict):
        raise RequestRefused(400, "BAD_REQUEST", "The body is a JSON object with a `query`.")
    query, name = body.get("query"), body.get("operationName")
    variables = body.get("variables")
    if not isinstance(query, str):
        raise RequestRefused(400, "BAD_REQUEST", "`query` is a string.")
    if name is not None and not isinstance(name, str):
        raise RequestRefused(400, "BAD_REQUEST", "`operationName` is a string.")
    if variables is not None and not isinstance(variables, dict):
        raise RequestRefused(400, "BAD_REQUEST", "`variables` is an object.")
    return Call(query, name or None, variables)


def _respond(body: Any, status: int, media_type: str) -> Response:
    return Response(
        orjson.dumps(body), status, headers={"content-type": f"{media_type}; charset=utf-8"}
    )


def _refused(refusal: RequestRefused, media_type: str) -> Response:
    error = {"message": refusal.message, "extensions": {"code": refusal.code}}
    response = _respond({"errors": [error]}, refusal.status, media_type)
    response.headers.update(refusal.headers)
    return response


def _invalid(document: Document, media_type: str, request_id: str) -> Response:
    errors = [present(error, request_id) for error in document.errors]
    return _respond({"errors": errors}, 400 if media_type == GRAPHQL_JSON else 200, media_type)


def _executed(result: ExecutionResult, media_type: str, request_id: str) -> Response:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [present(error, request_id) for error in result.errors]
    # A request that failed before it ran, such as by a variable of the wrong type, has no data.
    ran = result.data is not None or any(error.path for error in result.errors or ())
    if ran:
        body["data"] = result.data
    status = 200 if ran or media_type == PLAIN_JSON else 400
    return _respond(body, status, media_type)
