"""GraphQL over HTTP: one pipeline from the request to the bytes of the response.

Follows the GraphQL over HTTP specification (https://graphql.github.io/graphql-over-http): POST and
GET, `application/graphql-response+json` with status codes that tell, `application/json` for older
clients, whose well-formed requests are answered with 200.

`negotiation.py` has the media types, `calls.py` what a request asks for, `persisted.py` which
document that is, `refusals.py` the shape of errors, `browser.py` what a browser sees.
"""

import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from graphql import ExecutionResult, GraphQLSchema
from graphql.execution import Executor
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app import browser
from app.authentication.authenticator import Authenticator
from app.authentication.refusals import (
    AuthenticationUnavailable,
    TokenRefused,
    TooManyFailures,
)
from app.calls import Call, CallReader
from app.database import Database
from app.documents import Document
from app.negotiation import GRAPHQL_JSON, PLAIN_JSON, media_type
from app.persisted import Library
from app.refusals import Answer, RequestRefused, failed, refused
from app.running import context_of, run
from models.actor import Actor
from models.clock import Clock
from models.reading import Reader
from resolvers.codes import RequestCode
from resolvers.errors import present

METHODS = ("GET", "POST")
# One fault can show in thousands of places; these tell as much.
MAX_ERRORS = 100
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")

log = structlog.get_logger()


@dataclass(frozen=True)
class GraphQLEndpoint:
    """The endpoint `/graphql`."""

    schema: GraphQLSchema
    database: Database
    authenticator: Authenticator
    clock: Clock
    calls: CallReader
    library: Library
    max_page_size: int
    max_nodes: int
    executor: type[Executor[Any]]
    graphiql: bool
    hide_suggestions: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of ASGI's, by whatever method."""
        response = await self.handle(Request(scope, receive))
        await response(scope, receive, send)

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        started = time.perf_counter()
        request_id = _request_id(request)
        # The operation is bound where it is known, and let go of with the rest.
        with structlog.contextvars.bound_contextvars(request_id=request_id, operation=None):
            response = await self._respond(request, request_id)
            log.info(
                "request",
                method=request.method,
                status=response.status_code,
                codes=response.codes if isinstance(response, Answer) else [],
                milliseconds=round((time.perf_counter() - started) * 1000, 2),
            )
            return response

    async def _respond(self, request: Request, request_id: str) -> Response:
        if self.graphiql and request.method == "GET" and browser.wants_page(request):
            return browser.page(request_id)
        accepted = media_type(request.headers.get("accept"))
        shown_in = accepted or PLAIN_JSON
        try:
            _check(request, accepted)
            return await self._answer(request, shown_in, request_id)
        except RequestRefused as refusal:
            return refused(refusal, shown_in, request_id)
        except Exception:
            log.exception("request failed")
            return failed(shown_in, request_id)

    async def _answer(self, request: Request, media_type: str, request_id: str) -> Answer:
        actor = await self._authenticate(request)
        call = await self.calls.read(request)
        document = self.library.find(call)
        if document.node is None:
            return _invalid(document, media_type, request_id)
        if request.method == "GET" and document.is_mutation(call.operation_name):
            raise _wrong_method("A mutation needs POST.", ("POST",))
        structlog.contextvars.bind_contextvars(operation=document.name(call.operation_name))
        result = await self._execute(document, call, actor)
        return _executed(result, media_type, request_id)

    async def _authenticate(self, request: Request) -> Actor:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            message = "Send a token or an API key: Authorization: Bearer ..."
            challenge = {"www-authenticate": "Bearer"}
            raise RequestRefused(401, RequestCode.UNAUTHENTICATED, message, challenge)
        address = request.client.host if request.client is not None else ""
        try:
            return await self.authenticator.actor(token, address)
        except TokenRefused as error:
            challenge = {"www-authenticate": 'Bearer error="invalid_token"'}
            raise RequestRefused(401, RequestCode.UNAUTHENTICATED, str(error), challenge) from error
        except TooManyFailures as error:
            wait = {"retry-after": str(error.retry_after_seconds)}
            raise RequestRefused(429, RequestCode.TOO_MANY_REFUSALS, str(error), wait) from error
        except AuthenticationUnavailable as error:
            wait = {"retry-after": "1"}
            raise RequestRefused(503, RequestCode.UNAVAILABLE, str(error), wait) from error

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
                self.hide_suggestions,
            )
        finally:
            await reader.close()


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _check(request: Request, accepted: str | None) -> None:
    """Raise where the request is none that is served here, whoever sends it."""
    if request.method not in METHODS:
        raise _wrong_method("Use POST or GET.", METHODS)
    if request.method == "GET" and request.headers.get("upgrade", "").lower() == "websocket":
        raise RequestRefused(400, RequestCode.BAD_REQUEST, "Nothing is served over WebSockets.")
    if accepted is None:
        message = f"The answer can be {GRAPHQL_JSON} or {PLAIN_JSON}."
        raise RequestRefused(406, RequestCode.NOT_ACCEPTABLE, message)


def _wrong_method(message: str, allowed: tuple[str, ...]) -> RequestRefused:
    headers = {"allow": ", ".join(allowed)}
    return RequestRefused(405, RequestCode.METHOD_NOT_ALLOWED, message, headers)


def _invalid(document: Document, media_type: str, request_id: str) -> Answer:
    errors = [present(error, request_id) for error in document.errors]
    return Answer(
        {"errors": errors}, 400 if media_type == GRAPHQL_JSON else 200, media_type, request_id
    )


def _executed(result: ExecutionResult, media_type: str, request_id: str) -> Answer:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [present(error, request_id) for error in result.errors[:MAX_ERRORS]]
    # A request that failed before it ran, such as by a variable of the wrong type, has no data.
    ran = result.data is not None or any(error.path for error in result.errors or ())
    if ran:
        body["data"] = result.data
    status = 200 if ran or media_type == PLAIN_JSON else 400
    return Answer(body, status, media_type, request_id)
