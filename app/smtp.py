"""E-mails by SMTP."""

import re
import uuid
from dataclasses import dataclass
from email.utils import format_datetime

import aiosmtplib
import structlog

from app.letters import encoded, plain, write_letter
from app.settings import Settings, SmtpSecurity
from models.clock import Clock
from models.interaction import MAX_FAILURE_MESSAGE_LENGTH
from models.interaction_steps import Failure
from models.sending import Letter, Mailed, NotMailed, Result
from models.text import one_line

PERMANENT = range(500, 600)
# The server does not know us: that says nothing of the letter, and can be mended.
LOGIN_REFUSED = frozenset({530, 534, 535, 538})
# What is said to the recipient and to the letter; all else (the greeting, the login, the sender)
# is about us, and can be mended.
ABOUT_THE_LETTER = (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError)
UNFIT = Failure("not_a_letter", "This can't be made into an e-mail.")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

log = structlog.get_logger()


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
            written = compose(letter, settings.smtp_from, self.clock)
        except Exception:
            # It would be tried for ever, and never be another letter.
            interaction_id = str(letter.due.interaction_id)
            log.exception("a contact can't be an e-mail", interaction_id=interaction_id)
            return NotMailed(UNFIT, passing=False)
        try:
            await aiosmtplib.send(
                written,
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


def compose(letter: Letter, sender: str, clock: Clock) -> bytes:
    """The e-mail. Its Message-ID is the interaction's: a second copy is known by it.

    Raises what `write_letter` raises.
    """
    headers = {
        "From": plain(sender),
        "To": plain(letter.to),
        "Subject": encoded(letter.subject),
        "Date": format_datetime(clock.now()),
        "Message-ID": plain(message_id(letter, sender, letter.due.interaction_id)),
    }
    # What belongs together is shown together (RFC 5322, 3.6.4).
    if letter.answers:
        thread = [plain(message_id(letter, sender, one)) for one in letter.answers]
        headers |= {"In-Reply-To": thread[-1], "References": " ".join(thread)}
    # Nobody's holiday is an answer to it (RFC 3834).
    if letter.automatic:
        headers["Auto-Submitted"] = "auto-generated"
    enclosed = "".join(f"\n{one_line(name)}: {one_line(uri)}" for name, uri in letter.enclosed)
    return write_letter(headers, f"{letter.body}\n{enclosed}\n" if enclosed else f"{letter.body}\n")


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
    permanent = (
        isinstance(found, ABOUT_THE_LETTER)
        and found.code in PERMANENT
        and found.code not in LOGIN_REFUSED
    )
    return NotMailed(failure, passing=not permanent)
