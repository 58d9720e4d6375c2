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
from graphql import ExecutionResult, GraphQLSchema
from graphql.execution import Executor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.database import Database
from app.documents import Document, DocumentCache
from app.encoding import encode
from app.running import context_of, run
from app.tokens import TokenRefused, TokenSigner
from models.actor import Actor
from models.clock import Clock
from models.reading import Reader
from resolvers.errors import INTERNAL_ERROR, MASKED, present

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
# Who still sends when the connection is closed never sees the answer; so what is too large is read
# and dropped, up to so many times the limit.
READ_WHEN_TOO_LARGE = 10
# One fault can show in thousands of places; these tell as much.
MAX_ERRORS = 100
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")

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


class Answer(Response):
    """A response of GraphQL's; `codes` are those of its errors."""

    def __init__(self, body: dict[str, Any], status: int, media_type: str) -> None:
        kind = f"{media_type}; charset=utf-8"
        super().__init__(encode(body), status, headers={"content-type": kind})
        extensions = (error.get("extensions") or {} for error in body.get("errors", ()))
        self.codes = sorted({str(each["code"]) for each in extensions if "code" in each})


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
    max_nodes: int
    executor: type[Executor[Any]]

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        started = time.perf_counter()
        request_id = _request_id(request)
        # The operation is bound where it is known, and let go of with the rest.
        with structlog.contextvars.bound_contextvars(request_id=request_id, operation=None):
            media_type = _media_type(request)
            try:
                response = await self._answer(request, media_type, request_id)
            except RequestRefused as refusal:
                response = _refused(refusal, media_type)
            except Exception:
                log.exception("request failed")
                response = _failed(media_type, request_id)
            response.headers["x-request-id"] = request_id
            log.info(
                "request",
                method=request.method,
                status=response.status_code,
                codes=response.codes,
                milliseconds=round((time.perf_counter() - started) * 1000, 2),
            )
            return response

    async def _answer(self, request: Request, media_type: str, request_id: str) -> Answer:
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
        structlog.contextvars.bind_contextvars(operation=document.name(call.operation_name))
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
        readable = self.max_request_bytes * READ_WHEN_TOO_LARGE
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > readable:
            raise self._too_large()
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > readable:
                    break
                if size <= self.max_request_bytes:
                    chunks.append(chunk)
        except ClientDisconnect:
            raise RequestRefused(400, "BAD_REQUEST", "The body has not come whole.") from None
        if size > self.max_request_bytes:
            raise self._too_large()
        return b"".join(chunks)

    def _too_large(self) -> RequestRefused:
        message = f"A request must have at most {self.max_request_bytes} bytes."
        return RequestRefused(413, "REQUEST_TOO_LARGE", message, {"connection": "close"})

    async def _execute(self, document: Document, call: Call, actor: Actor) -> ExecutionResult:
        assert document.node is not None
        reader = Reader(self.database.read_pool_for(actor), actor)
        context = context_of(self.database, reader, self.clock, self.max_page_size, self.max_nodes)
        try:
            return await run(
                self.schema,
                document.node,
                context,
                self.executor,
                call.variables,
                call.operation_name,
            )
        finally:
            await reader.close()


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _media_type(request: Request) -> str:
    """What the client prefers of the two; who takes anything gets the older one."""
    accept = request.headers.get("accept", "").lower()
    newer, older = _quality(accept, GRAPHQL_JSON), _quality(accept, PLAIN_JSON)
    return GRAPHQL_JSON if newer > 0 and newer >= older else PLAIN_JSON


def _quality(accept: str, media_type: str) -> float:
    """How much a media type is wanted, from 0 to 1, by the entry that names it."""
    for entry in accept.split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if name == media_type:
            given = [_QUALITY.fullmatch(parameter) for parameter in parameters]
            return next((float(found[1]) for found in given if found), 1.0)
    return 0.0


def _call_of_parameters(parameters: Mapping[str, str]) -> Call:
    body: dict[str, Any] = {"query": parameters.get("query")}
    if parameters.get("operationName"):
        body["operationName"] = parameters["operationName"]
    if parameters.get("variables"):
        try:
            body["variables"] = orjson.loads(parameters["variables"])
        except orjson.JSONDecodeError:
            message = "The parameter variables is not JSON."
            raise RequestRefused(400, "BAD_REQUEST", message) from None
    return _call_of(body)


def _call_of(body: Any) -> Call:
    if not isinstance(body, dict):
        raise RequestRefused(400, "BAD_REQUEST", "The body must be a JSON object with a `query`.")
    query, name = body.get("query"), body.get("operationName")
    variables = body.get("variables")
    if not isinstance(query, str):
        raise RequestRefused(400, "BAD_REQUEST", "`query` must be a string.")
    if name is not None and not isinstance(name, str):
        raise RequestRefused(400, "BAD_REQUEST", "`operationName` must be a string.")
    if variables is not None and not isinstance(variables, dict):
        raise RequestRefused(400, "BAD_REQUEST", "`variables` must be an object.")
    return Call(query, name or None, variables)


def _refused(refusal: RequestRefused, media_type: str) -> Answer:
    error = {"message": refusal.message, "extensions": {"code": refusal.code}}
    response = Answer({"errors": [error]}, refusal.status, media_type)
    response.headers.update(refusal.headers)
    return response


def _failed(media_type: str, request_id: str) -> Answer:
    extensions = {"code": INTERNAL_ERROR, "requestId": request_id}
    error = {"message": MASKED, "extensions": extensions}
    return Answer({"errors": [error]}, 500, media_type)


def _invalid(document: Document, media_type: str, request_id: str) -> Answer:
    errors = [present(error, request_id) for error in document.errors]
    return Answer({"errors": errors}, 400 if media_type == GRAPHQL_JSON else 200, media_type)


def _executed(result: ExecutionResult, media_type: str, request_id: str) -> Answer:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [present(error, request_id) for error in result.errors[:MAX_ERRORS]]
    # A request that failed before it ran, such as by a variable of the wrong type, has no data.
    ran = result.data is not None or any(error.path for error in result.errors or ())
    if ran:
        body["data"] = result.data
    status = 200 if ran or media_type == PLAIN_JSON else 400
    return Answer(body, status, media_type)
