"""The ASGI application, built from its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from graphql import GraphQLSchema
from graphql.execution import Executor
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app import browser, hardening
from app.authentication.authenticator import Authenticator
from app.calls import CallReader
from app.channels import Channel, Dashboard
from app.clock_loop import ClockLoop
from app.database import Database
from app.documents import DocumentCache
from app.encoding import json_executor
from app.http import GraphQLEndpoint
from app.persisted import Library, ManifestWrong, PersistedQueries, Trusted, read_manifest
from app.sending_loop import SendingLoop
from app.settings import ExecutorName, Settings, variable
from app.smtp import Smtp
from app.tokens import TokenSigner
from models.clock import Clock
from resolvers.schema import SCHEMA


def build_application(
    settings: Settings, database: Database, signer: TokenSigner | None, clock: Clock
) -> Starlette:
    """The application over a store that is open and migrated; its loops run with it.

    Without a `signer`, development tokens are refused.
    """
    schema = SCHEMA._schema
    authenticator = Authenticator.of(settings, database, signer, clock)
    endpoint = GraphQLEndpoint(
        schema=schema,
        database=database,
        authenticator=authenticator,
        clock=clock,
        calls=CallReader(settings.max_request_bytes, settings.body_timeout_seconds),
        library=_library(settings, schema),
        max_page_size=settings.max_page_size,
        max_nodes=settings.max_nodes,
        executor=_executor(settings),
        graphiql=settings.graphiql,
        hide_suggestions=not settings.field_suggestions,
    )
    loop = ClockLoop(database, clock, settings.clock_interval_seconds)
    sending = SendingLoop(
        database, clock, _channel(settings, clock), settings.clock_interval_seconds
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with authenticator.running(), loop.running(), sending.running():
            yield

    async def ready(_: Request) -> Response:
        return await _readiness(database)

    routes: list[BaseRoute] = [
        Route("/graphql", endpoint),
        Route("/healthz", _health, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
    ]
    if settings.graphiql:
        routes.append(browser.files())
    application = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=hardening.middleware(settings.cors_origins, settings.cors_credentials),
    )
    # Its redirects name the host that the request says, whoever wrote that.
    application.router.redirect_slashes = False
    return application


def _library(settings: Settings, schema: GraphQLSchema) -> Library:
    hidden = not settings.field_suggestions
    return Library(
        DocumentCache(schema, settings.document_cache_size, settings.max_document_tokens, hidden),
        PersistedQueries(settings.persisted_query_bytes),
        _trusted(settings, schema),
        settings.only_trusted_documents,
    )


def _trusted(settings: Settings, schema: GraphQLSchema) -> dict[str, Trusted]:
    if settings.trusted_documents is None:
        return {}
    checked = DocumentCache(schema, 0, settings.max_document_tokens)
    try:
        return read_manifest(settings.trusted_documents, checked)
    except ManifestWrong as error:
        raise ManifestWrong(f"{variable('trusted_documents')}: {error}") from None


def _channel(settings: Settings, clock: Clock) -> Channel:
    return Dashboard() if settings.smtp_host is None else Smtp(settings, clock)


def _executor(settings: Settings) -> type[Executor[Any]]:
    if settings.executor is ExecutorName.GRAPHQL_CORE:
        return Executor
    return json_executor(settings.document_cache_size)


async def _health(_: Request) -> Response:
    """The process runs."""
    return JSONResponse({"status": "ok"})


async def _readiness(database: Database) -> Response:
    """The process can serve: the store answers."""
    try:
        async with database.staff.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception:
        return JSONResponse({"status": "unavailable"}, status_code=503)
    return JSONResponse({"status": "ready"})
