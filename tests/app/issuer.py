"""A small OpenID Connect issuer: discovery and keys over HTTP, and tokens as a test wants them."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"
AUDIENCE = "https://api.recourse.example"


def private_key(algorithm: str, number: int = 0) -> Any:
    """A private key for an algorithm."""
    return _made(algorithm, number)


@cache
def _made(algorithm: str, _number: int) -> Any:
    """Each is made once: it takes a while."""
    if algorithm.startswith("ES"):
        return ec.generate_private_key(ec.SECP256R1() if algorithm == "ES256" else ec.SECP384R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65_537, 2_048)


def public_jwk(algorithm: str, kid: str, number: int = 0) -> dict[str, Any]:
    """The public half, as a key set shows it."""
    public = private_key(algorithm, number).public_key()
    shown = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
    return {**shown, "kid": kid, "use": "sig", "alg": algorithm}


def public_pem(algorithm: str, number: int = 0) -> bytes:
    """The same as a text that everyone knows."""
    shape = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    text: bytes = private_key(algorithm, number).public_key().public_bytes(*shape)
    return text


@dataclass
class Issuer:
    """An issuer that serves; what it answers can be changed.

    `keys` are what it publishes; `answers` maps paths to what it says instead of the truth, a
    status and a body. While `hold` is not set, it does not answer.
    """

    server: ThreadingHTTPServer
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk("RS256", "one")])
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hold: Event = field(default_factory=Event)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its name, and where it serves."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str) -> tuple[int, bytes]:
        """What it says at a path."""
        self.asked.append(path)
        self.hold.wait(20)
        if path in self.answers:
            return self.answers[path]
        if path == DISCOVERY:
            return 200, json.dumps({"issuer": self.url, "jwks_uri": self.url + KEYS}).encode()
        return 200, json.dumps({"keys": self.keys}).encode()

    def claims(self, now: datetime, **changes: Any) -> dict[str, Any]:
        """The claims of a good access token of an administrator, with changes; None leaves out."""
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ada",
            "role": "admin",
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 600,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(
        self,
        claims: Mapping[str, Any],
        headers: Mapping[str, Any] | None = None,
        algorithm: str = "RS256",
        key: Any = None,
        kid: str | None = "one",
    ) -> str:
        """A token, signed with the first key where no other is given."""
        given = {"typ": "at+jwt", **({} if kid is None else {"kid": kid}), **(headers or {})}
        return jwt.api_jws.encode(
            json.dumps(claims).encode(), key or private_key(algorithm), algorithm, given
        )


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer that serves while the body runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    issuer = Issuer(server)
    issuer.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.answer(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            for name, value in issuer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except BrokenPipeError:
                time.sleep(0)

        def log_message(self, *_: Any) -> None:
            return

    server.RequestHandlerClass = Handler
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        issuer.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
