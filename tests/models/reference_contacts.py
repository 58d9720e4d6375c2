"""A contact in memory: what the reference model knows of interactions and of their e-mails.

It shares no code with `models/`. Names and rules are spelled out a second time on purpose.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

UNSENT = {"DRAFT", "SCHEDULED"}
OUT = {"SENT", "DELIVERED", "VIEWED"}
CONTACT_ALLOWED_FROM = {
    "UPDATE": UNSENT,
    "SCHEDULE": {"DRAFT", "FAILED"},
    "SEND": UNSENT,
    "SENT": UNSENT,
    "DELIVERED": {"SENT"},
    "VIEWED": {"SENT", "DELIVERED"},
    "RESPONDED": OUT,
    "FAILED": {"SENT"},
    "CANCEL": UNSENT,
}
LEASE = timedelta(minutes=5)
PEOPLE = {"ada", "rita", "sam", "newbie"}
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120)]


@dataclass
class Contact:
    """One interaction."""

    # None for a notice until its operation has been seen to write it.
    id: uuid.UUID | None
    outbound: bool
    state: str
    channel: str = "DASHBOARD"
    # That of a notice is its program's.
    subject: str | None = "of a notice"
    answers: "Contact | None" = None
    # The requirement that it asks the account for, which evidence answers.
    asks_for: uuid.UUID | None = None
    # Whether it only reminds of that, by itself.
    reminds: bool = False
    due: datetime | None = None
    # Who wrote it, about which requirements, and when somebody last touched it. For a notice:
    # as the store has it, once it has been seen there.
    author: str | None = None
    about: frozenset[uuid.UUID] = frozenset()
    touched: datetime | None = None
    marks: set[str] = field(default_factory=set)
    version: int = 1
    # Whether it has ever gone out: then its content stays, and its user sees it.
    shown: bool = False
    attempts: int = 0
    # Of all attempts at mailing it, the latest.
    number: int = 0
    # From when on the mail server may be asked; while it is asked, until when.
    attempt_at: datetime | None = None
    mailed: bool = False
    dashboard_only: str | None = None

    def move(self, draft: Any, state: str, event: str) -> None:
        """Take one arrow."""
        self.state, self.touched = state, draft.now
        self.version += 1
        draft.say(f"INTERACTION_{event}")

    def schedule(self, draft: Any, at: datetime) -> None:
        """Wait for an instant; what became of it before is forgotten."""
        self.due, self.attempt_at, self.mailed, self.dashboard_only = at, None, False, None
        self.marks -= {"SENT", "FAILED"}
        self.move(draft, "SCHEDULED", "SCHEDULED")

    def go_out(self, draft: Any, by: str | None = None) -> None:
        """Be sent, and be the answer to what came the other way."""
        self._end_waiting(draft, by)
        self.marks.add("SENT")
        self.shown = True
        self.move(draft, "SENT", "SENT")
        if self.answers is not None and self.answers.outbound != self.outbound:
            self.answers.be_answered(draft)

    def _end_waiting(self, draft: Any, by: str | None) -> None:
        """Nobody waits for an answer about what a person has written about, knowing of it."""
        if self.author not in PEOPLE or self.attempts:
            return
        for item in draft.items:
            if item.id in self.about and item.unanswered is not None:
                assert self.touched is not None
                if by in PEOPLE or self.touched >= item.unanswered:
                    item.unanswered = None
                    item.version += 1

    def be_answered(self, draft: Any) -> None:
        """Be RESPONDED, if that is a step forward."""
        if self.state in OUT:
            self.marks.add("RESPONDED")
            self.move(draft, "RESPONDED", "RESPONDED")

    def fail(self, draft: Any) -> None:
        """Be FAILED, so that nobody is asked to mail it."""
        self.marks.add("FAILED")
        self.attempt_at = None
        self.move(draft, "FAILED", "FAILED")

    def is_due(self, now: datetime) -> bool:
        """Whether a sender has something to do with it."""
        if self.state == "SCHEDULED":
            return self.due is not None and self.due <= now
        return self.attempt_at is not None and self.attempt_at <= now

    def be_let_out(self, draft: Any) -> None:
        """Go out if it is due; not where it asks for what nobody waits for any more."""
        if self.state != "SCHEDULED" or not self.is_due(draft.now):
            return
        if self._is_pointless(draft):
            self.move(draft, "CANCELED", "CANCELED")
        else:
            self.let_go(draft)

    def let_go(self, draft: Any, by: str | None = None) -> None:
        """Go out, and wait for the mail server where it is an e-mail."""
        self.go_out(draft, by)
        if self.channel == "EMAIL":
            self.attempts, self.attempt_at = 0, draft.now

    def be_taken(self, draft: Any) -> bool:
        """What a sender of letters does with it now; whether there is one to mail."""
        if self.attempt_at is None or self.attempt_at > draft.now:
            return False
        if self.state == "FAILED" and not self._is_pointless(draft):
            self.schedule(draft, draft.now)
            self.go_out(draft)
        if self.state != "SENT":
            # It was seen in the dashboard, or asks for nothing any more: no e-mail is needed.
            self.attempt_at = None
            return False
        return self._be_tried(draft)

    def _is_pointless(self, draft: Any) -> bool:
        if self.asks_for is None:
            return False
        waiting = [item for item in draft.items if item.state in ("OPEN", "ACTION_REQUIRED")]
        asked = [item for item in waiting if item.id == self.asks_for]
        if self.reminds:
            asked = [item for item in asked if draft.may_remind_of(item)]
        return not asked

    def _be_tried(self, draft: Any) -> bool:
        if draft.email is None:
            self._be_done(draft, "NO_ADDRESS")
            return False
        if self.attempts == len(WAITS) + 1:
            self.fail(draft)
            return False
        self.attempts += 1
        self.number += 1
        self.attempt_at = draft.now + LEASE
        return True

    def waits_for(self, number: int) -> bool:
        """Whether the letter of this attempt is the one that is waited for."""
        return self.attempt_at is not None and self.attempts > 0 and self.number == number

    def be_mailed(self, draft: Any, number: int, result: str) -> None:
        """What came of the letter of an attempt."""
        if not self.waits_for(number):
            self._be_mailed_late(draft, result)
            return
        if result in ("MAILED", "NO_MAIL_SERVER"):
            self.mailed |= result == "MAILED"
            self._be_done(draft, None if result == "MAILED" else result)
            return
        self.attempt_at = None
        if self.state == "SENT":
            self.fail(draft)
            if result == "PASSING" and self.attempts <= len(WAITS):
                self.attempt_at = draft.now + WAITS[self.attempts - 1]

    def _be_mailed_late(self, draft: Any, result: str) -> None:
        if result != "MAILED":
            return
        if self.state not in UNSENT | {"CANCELED"}:
            self.attempt_at, self.dashboard_only, self.mailed = None, None, True
            self.version += 1
        draft.say("INTERACTION_MAILED")

    def _be_done(self, draft: Any, dashboard_only: str | None) -> None:
        self.attempt_at, self.dashboard_only = None, dashboard_only
        self.version += 1
        draft.say("INTERACTION_MAILED")


def tell(draft: Any, asks_for: uuid.UUID | None = None, reminds: bool = False) -> None:
    """Let a notice go out now, as most that concerns the account's user does."""
    channel = "DASHBOARD" if draft.email is None else "EMAIL"
    notice = Contact(None, True, "SCHEDULED", channel, due=draft.now, version=2)
    notice.asks_for, notice.reminds = asks_for, reminds
    draft.contacts.append(notice)
    draft.say("INTERACTION_DRAFTED", "INTERACTION_SCHEDULED")
