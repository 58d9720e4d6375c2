"""A mail server for tests: it takes mail over a real socket, and refuses as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

ADDRESS = "risk@platform.example"


@dataclass
class MailServer:
    """What has come, and what is said to the next letters: `replies` first, then yes."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    recipient_replies: list[str] = field(default_factory=list)
    delay_seconds: float = 0

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.recipient_replies:
            return self.recipient_replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        await asyncio.sleep(self.delay_seconds)
        if self.replies:
            return self.replies.pop(0)
        message = message_from_bytes(envelope.content, policy=POLICY)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(f"{data.login.decode()}:{data.password.decode()}")
        return AuthResult(success=data.password == b"right")

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of what has come."""
        return [str(mail["Message-ID"]) for mail in self.mails]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that name it."""
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "smtp_security": "none",
            "smtp_from": ADDRESS,
            "smtp_timeout_seconds": 2,
        }


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A server that listens on a free port of this machine, in the test's own loop."""
    found = MailServer()

    def protocol() -> SMTP:
        return SMTP(
            found,
            enable_SMTPUTF8=True,
            authenticator=found.authenticate,
            auth_require_tls=False,
            hostname="mail.example",
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
