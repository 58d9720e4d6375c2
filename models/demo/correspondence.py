"""What was written about the requirements of a demo account: contacts in every state."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.actor import Actor, Role, system
from models.delivery import NOT_DELIVERED, Failure
from models.demo.histories import SERVICES, Case, History, Told
from models.demo.paths import Act
from models.interaction import (
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionState,
)
from models.lifecycle import touch
from models.notices import AUTHOR
from models.requirement import Requirement
from models.status import AWAITING_ACCOUNT, OPEN_STATES, RequirementState

# The columns of an interaction.
Contact = dict[str, Any]
_C, _P, _S = InteractionChannel, InteractionPurpose, InteractionState
OF_REQUEST = (_S.SENT, _S.SENT, *[_S.DELIVERED] * 3, *[_S.VIEWED] * 6, _S.FAILED)
OF_NOTICE = (_S.SENT, _S.DELIVERED, _S.DELIVERED, *[_S.VIEWED] * 4)
CHANNELS = (*[_C.EMAIL] * 9, *[_C.DASHBOARD] * 5, _C.SMS, _C.SMS, _C.API, _C.API, _C.PHONE)
INSTANTS = ("sent_at", "delivered_at", "viewed_at", "responded_at")
# How many of its instants a contact has.
PROGRESS = {_S.SENT: 1, _S.DELIVERED: 2, _S.VIEWED: 3, _S.RESPONDED: 4}
FAILURES = (
    Failure("mailbox_unavailable", "The mailbox does not exist."),
    Failure("carrier_refused", "The carrier refused the number."),
)


def write_contacts(history: History) -> None:
    """Add the contacts of all cases; call it once the history was played."""
    for case in history.cases:
        Letters(case).write()
    for told in history.told:
        _write_notice(history, told)
    _offer_help(history)


def _write_notice(history: History, told: Told) -> None:
    """What Recourse wrote to the account's user, which has gone out since."""
    author = system(history.unit.account.platform_id, AUTHOR)
    contact = _contact(history, told.at, [told.row] if told.row else [], author)
    contact |= {"purpose": told.purpose, "subject": told.subject, "body": told.body}
    _progress(history, contact, history.rng.choice(OF_NOTICE))


def _offer_help(history: History) -> None:
    """One message about all that is still to come, before the first of its deadlines."""
    now = history.now
    waiting = [case.row for case in history.cases if case.row.state in AWAITING_ACCOUNT]
    coming = [row for row in waiting if row.deadline and row.deadline > now]
    if not coming:
        return
    first = min(row.deadline for row in coming if row.deadline)
    contact = _contact(history, now - timedelta(hours=2), coming, _service(history))
    contact |= {
        "purpose": _P.MESSAGE,
        "state": _S.SCHEDULED,
        "version": 2,
        "scheduled_for": now + (first - now) / 2,
        "subject": "Can we help?",
        "body": "If you don't know what to send, answer this message: we look at it together.",
    }


class Letters:
    """The contacts about one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.history = case.history
        self.rng = case.history.rng
        self.now = case.history.now
        self.row = case.row
        self.service = _service(case.history)

    def write(self) -> None:
        """Add all that was written."""
        request = self._request()
        row, sent_back = self.row, self.case.happened.get(Act.SEND_BACK)
        if sent_back is not None:
            body = f"{row.title}: what you sent can't be used yet. {self._what_is_wrong()}"
            self._send(sent_back, _P.MESSAGE, self.case.reviewer, body)
        if self.rng.random() < 0.1:
            self._thread(request)
        if row.state == RequirementState.IN_REVIEW and self.rng.random() < 0.3:
            self._draft()
        if row.closed_at is not None:
            self._after_the_end(row.closed_at)

    def _request(self) -> Contact:
        contact = self._new(self.case.window.opened, _P.REQUEST, self.service, self.row.description)
        contact["channel"] = self.rng.choice(CHANNELS)
        submitted = self.case.happened.get(Act.SUBMIT)
        if submitted is not None:
            self._progress(contact, _S.RESPONDED, submitted)
        else:
            self._progress(contact, self.rng.choice(OF_REQUEST))
        return contact

    def _after_the_end(self, at: datetime) -> None:
        if self.case.proposal is None and self.rng.random() < 0.5:
            body = f"{self.row.title}: please remember to send it."
            contact = self._new(self.case.window.opened, _P.REMINDER, self.service, body)
            contact |= {
                "scheduled_for": at + timedelta(days=1),
                "state": _S.CANCELED,
                "version": 3,
                "updated_at": at,
            }

    def _thread(self, request: Contact) -> None:
        """The user asks, and is answered or not yet."""
        asked = min(self.case.window.opened + self.history.days(0.2, 3), self.now)
        question = self._new(asked, _P.MESSAGE, self.history.user, "Which document do you mean?")
        question |= {
            "direction": InteractionDirection.INBOUND,
            "channel": _C.DASHBOARD,
            "in_reply_to_id": request["id"],
        }
        answered = asked + self.history.days(0.1, 10)
        if answered >= self.now:
            self._progress(question, _S.DELIVERED)
            self._wait_since(asked)
            return
        self._progress(question, _S.RESPONDED, answered)
        body = "Any of those in the list will do; a photo is enough."
        answer = self._send(answered, _P.MESSAGE, self.case.reviewer, body)
        answer["in_reply_to_id"] = question["id"]

    def _wait_since(self, asked: datetime) -> None:
        """Let the requirement wait for an answer, unless its state has changed since."""
        row = self.row
        if row.state in OPEN_STATES and all(at < asked for at in self.case.happened.values()):
            row.unanswered_since = asked
            touch(row, asked)

    def _draft(self) -> None:
        at = self.now - self.history.days(0.01, 0.4)
        body = "Thank you. We are still looking."
        self._new(at, _P.MESSAGE, self.case.reviewer, body)["state"] = _S.DRAFT

    def _send(self, at: datetime, purpose: InteractionPurpose, author: Actor, body: str) -> Contact:
        contact = self._new(at, purpose, author, body)
        self._progress(contact, self.rng.choice(OF_NOTICE))
        return contact

    def _new(self, at: datetime, purpose: InteractionPurpose, author: Actor, body: str) -> Contact:
        contact = _contact(self.history, at, [self.row], author)
        contact |= {"purpose": purpose, "subject": self.row.title, "body": body}
        return contact

    def _progress(
        self, contact: Contact, state: InteractionState, responded: datetime | None = None
    ) -> None:
        _progress(self.history, contact, state, responded)

    def _what_is_wrong(self) -> str:
        return " ".join(error["message"] for error in self.row.errors)


def _progress(
    history: History,
    contact: Contact,
    state: InteractionState,
    responded: datetime | None = None,
) -> None:
    """Let the contact come as far as `state`, each step at its instant, none after now."""
    sent = contact["created_at"]
    contact |= {"state": state, "sent_at": sent, "first_sent_at": sent, "version": 2}
    if state is _S.FAILED:
        failure = history.rng.choice(FAILURES)
        said = {"code": failure.code, "message": NOT_DELIVERED}
        contact |= {"failure": said, "failure_said": failure.message, "version": 3}
        return
    last = responded or history.now
    instants = (sent, sent + (last - sent) * 0.01, sent + (last - sent) * 0.4, last)
    for name, at in list(zip(INSTANTS, instants, strict=True))[1 : PROGRESS[state]]:
        contact[name] = contact["updated_at"] = at
        contact["version"] += 1


def _service(history: History) -> Actor:
    return history.staff(Role.INTEGRATOR, SERVICES[3])


def _contact(history: History, at: datetime, rows: Sequence[Requirement], author: Actor) -> Contact:
    unit = history.unit
    unit.now = at
    contact: Contact = {
        **unit.new_row(),
        "channel": _C.EMAIL,
        "direction": InteractionDirection.OUTBOUND,
        "author_kind": author.kind,
        "author_id": author.id,
        "author_name": author.name,
        "attachments": [],
        "attempts": 0,
        "attempt_number": 0,
    }
    unit.contacts.append(contact)
    for row in rows:
        unit.links.append(
            {
                "account_id": row.account_id,
                "platform_id": row.platform_id,
                "interaction_id": contact["id"],
                "requirement_id": row.id,
                "interaction_created_at": contact["created_at"],
            }
        )
    return contact
