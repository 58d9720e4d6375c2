"""A plain Strawberry application that answers the same: as tutorials show it, with care.

SQLAlchemy's ORM with one session per request, a dataloader per relation, Strawberry's own ASGI
view with its caches of parsed and validated documents, graphql-core's executor, and the standard
library's JSON. It has no authentication, no row-level security, no snapshot and no limits.
"""

import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.schema.config import StrawberryConfig

from tests.bench.hosting import POOL_SIZE, URL_VARIABLE, freeze, serve
from tests.bench.plain_mutations import Mutation
from tests.bench.plain_schema import Context, query_of


class CloseSession(SchemaExtension):
    async def on_operation(self) -> AsyncIterator[None]:
        async with self.execution_context.context.session:
            yield


class View(GraphQL[Context, None]):
    def __init__(self, schema: strawberry.Schema, sessions: Callable[[], AsyncSession]) -> None:
        super().__init__(schema)
        self.sessions = sessions

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        return Context(self.sessions())


def write_instant(value: datetime) -> str:
    """An instant as the others write it."""
    return value.isoformat().replace("+00:00", "Z")


def application(url: str, platform_id: uuid.UUID) -> Starlette:
    """The application over a database, as its owner."""
    engine = create_async_engine(
        url, pool_size=POOL_SIZE, connect_args={"server_settings": {"jit": "off"}}
    )
    instants = strawberry.scalar(name="DateTime", serialize=write_instant)
    schema = strawberry.Schema(
        query_of(platform_id),
        Mutation,
        extensions=[CloseSession, ParserCache, ValidationCache],
        config=StrawberryConfig(scalar_map={datetime: instants}),
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        freeze()
        yield
        await engine.dispose()

    view = View(schema, async_sessionmaker(engine, expire_on_commit=False))
    return Starlette(routes=[Route("/graphql", view)], lifespan=lifespan)


if __name__ == "__main__":
    import sys

    serve(application(os.environ[URL_VARIABLE], uuid.UUID(sys.argv[1])))
