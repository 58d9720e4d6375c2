"""The ASGI application, built from its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from graphql.execution import Executor
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.channels import Channel, Dashboard
from app.clock_loop import ClockLoop
from app.database import Database
from app.documents import DocumentCache
from app.encoding import json_executor
from app.http import GraphQLEndpoint
from app.sending_loop import SendingLoop
from app.settings import ExecutorName, Settings
from app.smtp import Smtp
from app.tokens import TokenSigner
from models.clock import Clock
from resolvers.schema import SCHEMA

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def build_application(
    settings: Settings, database: Database, signer: TokenSigner, clock: Clock
) -> Starlette:
    """The application over a store that is open and migrated; its loops run with it."""
    schema = SCHEMA._schema
    endpoint = GraphQLEndpoint(
        schema=schema,
        database=database,
        signer=signer,
        clock=clock,
        documents=DocumentCache(schema, settings.document_cache_size, settings.max_document_tokens),
        max_request_bytes=settings.max_request_bytes,
        max_page_size=settings.max_page_size,
        max_nodes=settings.max_nodes,
        executor=_executor(settings),
    )
    loop = ClockLoop(database, clock, settings.clock_interval_seconds)
    sending = SendingLoop(
        database, clock, _channel(settings, clock), settings.clock_interval_seconds
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with loop.running(), sending.running():
            yield

    async def ready(_: Request) -> Response:
        return await _readiness(database)

    return Starlette(
        routes=[
            Route("/graphql", endpoint.handle, methods=METHODS),
            Route("/healthz", _health, methods=["GET"]),
            Route("/readyz", ready, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


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
