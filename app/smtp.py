"""E-mails by SMTP."""

import re
import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

import aiosmtplib

from app.settings import Settings, SmtpSecurity
from models.clock import Clock
from models.delivery import MAX_FAILURE_MESSAGE_LENGTH, Failure
from models.sending import Letter, Mailed, NotMailed, Result

PERMANENT = range(500, 600)
# The server does not know us: that says nothing of the letter, and can be mended.
LOGIN_REFUSED = frozenset({530, 534, 535, 538})
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True)
class Smtp:
    """A mail server, as the settings name it. Each letter has a connection of its own."""

    settings: Settings
    clock: Clock

    async def carry(self, letter: Letter) -> Result:
        """Give a letter to the server."""
        settings = self.settings
        assert settings.smtp_from is not None
        password = settings.smtp_password
        try:
            await aiosmtplib.send(
                compose(letter, settings.smtp_from, self.clock),
                sender=settings.smtp_from,
                recipients=[letter.to],
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=None if password is None else password.get_secret_value(),
                use_tls=settings.smtp_security is SmtpSecurity.TLS,
                start_tls=settings.smtp_security is SmtpSecurity.STARTTLS,
                timeout=settings.smtp_timeout_seconds,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            return refused(error)
        return Mailed()


def compose(letter: Letter, sender: str, clock: Clock) -> EmailMessage:
    """The message. Its Message-ID is the interaction's: a second copy is known by it.

    Raises `ValueError` for a header with line breaks, which the domain lets nobody write.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = clock.now()
    message["Message-ID"] = message_id(letter, sender, letter.due.interaction_id)
    # What belongs together is shown together (RFC 5322, 3.6.4).
    if letter.answers:
        thread = [message_id(letter, sender, one) for one in letter.answers]
        message["In-Reply-To"], message["References"] = thread[-1], " ".join(thread)
    # Nobody's holiday is an answer to it (RFC 3834).
    if letter.automatic:
        message["Auto-Submitted"] = "auto-generated"
    enclosed = "".join(f"\n{name}: {uri}" for name, uri in letter.enclosed)
    message.set_content(f"{letter.body}\n{enclosed}\n" if enclosed else f"{letter.body}\n")
    return message


def message_id(letter: Letter, sender: str, interaction_id: uuid.UUID) -> str:
    """The same for every copy of one interaction, of the account that the letter goes to."""
    domain = sender.rpartition("@")[2]
    return f"<{letter.due.account_id.hex}.{interaction_id.hex}@{domain}>"


def refused(error: Exception) -> NotMailed:
    """What a server's or the network's trouble means for the letter."""
    found: BaseException = error
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        found = error.recipients[0]
    code = getattr(found, "code", None)
    text = str(getattr(found, "message", None) or type(found).__name__)
    shown = _UNPRINTABLE.sub(" ", text).strip()[:MAX_FAILURE_MESSAGE_LENGTH]
    failure = Failure(
        f"smtp_{code}" if isinstance(code, int) and code > 0 else "smtp_unreachable",
        shown or "The mail server did not say why.",
    )
    permanent = isinstance(code, int) and code in PERMANENT and code not in LOGIN_REFUSED
    return NotMailed(failure, passing=not permanent)
