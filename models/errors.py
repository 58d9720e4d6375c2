"""The tree of what can go wrong, each with its stable code.

    RecourseError
    ├── InvalidInput            INVALID_INPUT            a value breaks a rule; `field` names it
    │   ├── InvalidId           INVALID_ID               malformed, or of another type
    │   └── InvalidCursor       INVALID_CURSOR           malformed, or of another list
    ├── EvidenceInvalid         EVIDENCE_INVALID         the program's JSON Schema refuses it
    ├── NotFound                NOT_FOUND                no such object, or not the caller's
    ├── AlreadyExists           ALREADY_EXISTS           the key is taken
    ├── Forbidden               FORBIDDEN                the role or scope does not allow it
    ├── FourEyes                FOUR_EYES                the proposer can't be the approver
    ├── IllegalTransition       ILLEGAL_TRANSITION       the state does not allow the action
    ├── StaleVersion            STALE_VERSION            the object has moved on
    ├── IdempotencyKeyReused    IDEMPOTENCY_KEY_REUSED   the key came with other input
    ├── ProposalPending         PROPOSAL_PENDING         a decision waits for its second reviewer
    ├── ExtensionLimit          EXTENSION_LIMIT          the program gives no more time than that
    ├── AppealPending           APPEAL_PENDING           an open appeal must be decided first
    ├── AppealWindowClosed      APPEAL_WINDOW_CLOSED     the time to appeal is over
    ├── AlreadyAppealed         ALREADY_APPEALED         a decision is appealed once
    ├── AlreadySent             ALREADY_SENT             what went out stays as it was read
    ├── AlreadyReferred         ALREADY_REFERRED         somebody else is waited for already
    ├── NotReferred             NOT_REFERRED             nobody else is waited for
    └── QueryTooCostly          QUERY_TOO_COSTLY         it reads more than one request may

A noun's own errors stand in its file and derive from one of these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """The stable codes. A client may rely on them; new ones may be added."""

    INVALID_INPUT = "INVALID_INPUT"
    INVALID_ID = "INVALID_ID"
    INVALID_CURSOR = "INVALID_CURSOR"
    EVIDENCE_INVALID = "EVIDENCE_INVALID"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FORBIDDEN = "FORBIDDEN"
    FOUR_EYES = "FOUR_EYES"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    STALE_VERSION = "STALE_VERSION"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    PROPOSAL_PENDING = "PROPOSAL_PENDING"
    EXTENSION_LIMIT = "EXTENSION_LIMIT"
    APPEAL_PENDING = "APPEAL_PENDING"
    APPEAL_WINDOW_CLOSED = "APPEAL_WINDOW_CLOSED"
    ALREADY_APPEALED = "ALREADY_APPEALED"
    ALREADY_REFERRED = "ALREADY_REFERRED"
    NOT_REFERRED = "NOT_REFERRED"
    QUERY_TOO_COSTLY = "QUERY_TOO_COSTLY"
    ALREADY_SENT = "ALREADY_SENT"


def article(noun: str) -> str:
    """The indefinite article that goes before a noun."""
    return "an" if noun[0].lower() in "aeiou" else "a"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one place of the input."""

    code: ErrorCode
    message: str
    field: tuple[str, ...] = ()


class RecourseError(Exception):
    """Whatever a caller did that can't be done. Carries one or more problems."""

    code: ClassVar[ErrorCode]

    def __init__(self, message: str, field: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.field = tuple(field)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, at least one, in the order of the input."""
        return [Problem(self.code, self.message, self.field)]


class InvalidInput(RecourseError):
    """A value breaks a rule of its field."""

    code = ErrorCode.INVALID_INPUT


class InvalidId(InvalidInput):
    """An id that was not given out by this API, or is of another type."""

    code = ErrorCode.INVALID_ID


class InvalidCursor(InvalidInput):
    """A cursor that was not given out by this list."""

    code = ErrorCode.INVALID_CURSOR


class EvidenceInvalid(RecourseError):
    """The payload does not fit the program's JSON Schema; one problem per place."""

    code = ErrorCode.EVIDENCE_INVALID

    def __init__(self, failures: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self.failures = list(failures)
        super().__init__("The evidence does not fit the program's schema.", ("payload",))

    @property
    def problems(self) -> list[Problem]:
        """One problem per place in the payload, in the order of the schema's checks."""
        return [Problem(self.code, message, path) for message, path in self.failures]


class NotFound(RecourseError):
    """There is no such object, or it is not the caller's: both read the same."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, noun: str, field: Sequence[str] = ("id",)) -> None:
        super().__init__(f"There is no such {noun}.", field)


class AlreadyExists(RecourseError):
    """The natural key is taken by another object."""

    code = ErrorCode.ALREADY_EXISTS


class Forbidden(RecourseError):
    """The caller's role or scopes do not allow this."""

    code = ErrorCode.FORBIDDEN


class FourEyes(RecourseError):
    """A second person must do this."""

    code = ErrorCode.FOUR_EYES


class IllegalTransition(RecourseError):
    """The lifecycle has no such arrow from the present state."""

    code = ErrorCode.ILLEGAL_TRANSITION

    def __init__(self, noun: str, state: str, action: str, allowed: Sequence[str]) -> None:
        self.state, self.action, self.allowed = state, action, tuple(allowed)
        choices = ", ".join(allowed) or "none"
        what = f"{article(noun).capitalize()} {noun} that is {state}"
        super().__init__(f"{what} does not allow {action}. Allowed actions: {choices}.", ("id",))


class StaleVersion(RecourseError):
    """The object has changed since the caller read it."""

    code = ErrorCode.STALE_VERSION

    def __init__(self, current: int, expected: int) -> None:
        self.current_version = current
        super().__init__(
            f"The version is {current} now, not {expected}. Read it again, then decide.",
            ("expectedVersion",),
        )


class IdempotencyKeyReused(RecourseError):
    """The same key came with other input."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED

    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was used before with other input. Take a new key.",
            ("idempotencyKey",),
        )


class QueryTooCostly(RecourseError):
    """The query reads more than one request may."""

    code = ErrorCode.QUERY_TOO_COSTLY

    def __init__(self, limit: int) -> None:
        super().__init__(f"The query reads more than {limit} objects. Ask for smaller pages.")


class AlreadySent(RecourseError):
    """What somebody may have read stays as it was."""

    code = ErrorCode.ALREADY_SENT

    def __init__(self, field: str) -> None:
        message = "It has gone out once, and stays as it was read. Write a new contact."
        super().__init__(message, (field,))
