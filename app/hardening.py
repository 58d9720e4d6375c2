"""What every response says to browsers, and which other origins may ask."""

from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # A response is no page, unless it says otherwise.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
ALLOWED_HEADERS = (
    "authorization",
    "content-type",
    "x-request-id",
    # What Apollo's clients send to tell who they are.
    "apollographql-client-name",
    "apollographql-client-version",
)
EXPOSED_HEADERS = ("x-request-id", "retry-after")
PREFLIGHT_SECONDS = 600


class SecurityHeaders:
    """Adds to each response the headers that it does not have itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message["headers"])
            await send(message)

        await self.app(scope, receive, send_with_headers)


def middleware(origins: tuple[str, ...], credentials: bool) -> list[Middleware]:
    """The middleware of the application, outermost first."""
    found = [Middleware(SecurityHeaders)]
    if origins:
        found.append(Middleware(CORSMiddleware, **_cors(origins, credentials)))
    return found


def _completed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = {name for name, _ in headers}
    return [*headers, *(each for each in HEADERS if each[0] not in given)]


def _cors(origins: tuple[str, ...], credentials: bool) -> dict[str, Any]:
    return {
        "allow_origins": origins,
        "allow_methods": ("GET", "POST"),
        "allow_headers": ALLOWED_HEADERS,
        "allow_credentials": credentials,
        "expose_headers": EXPOSED_HEADERS,
        "max_age": PREFLIGHT_SECONDS,
    }
