"""What was written about the requirements of a demo account: contacts in every state."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.actor import Actor, Role, system
from models.demo.histories import SERVICES, Case, History, Told
from models.interaction import (
    ASKING,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionState,
)
from models.interaction_steps import NOT_DELIVERED, Failure
from models.lifecycle import touch
from models.notices import AUTHOR
from models.requirement import Requirement
from models.status import AWAITING_ACCOUNT, OPEN_STATES, RequirementState

# The columns of an interaction.
Contact = dict[str, Any]
_C, _P, _S = InteractionChannel, InteractionPurpose, InteractionState
# How far what went out has come, where nobody has answered it.
REACHED = (_S.SENT, _S.DELIVERED, _S.DELIVERED, *[_S.VIEWED] * 4)
REACHED_OR_NOT = (*REACHED, *REACHED, _S.FAILED)
# How businesses write, how reviewers answer, and how services offer help.
OF_QUESTIONS = (*[_C.DASHBOARD] * 6, *[_C.EMAIL] * 3, _C.API)
OF_ANSWERS = (*[_C.EMAIL] * 5, *[_C.DASHBOARD] * 3, _C.PHONE)
OF_OFFERS = (_C.EMAIL, _C.SMS)
INSTANTS = ("sent_at", "delivered_at", "viewed_at", "responded_at")
# How many of its instants a contact has.
PROGRESS = {_S.SENT: 1, _S.DELIVERED: 2, _S.VIEWED: 3, _S.RESPONDED: 4}
FAILURES = {
    _C.EMAIL: Failure("mailbox_unavailable", "The mailbox does not exist."),
    _C.SMS: Failure("carrier_refused", "The carrier refused the number."),
}
HELP = "If you don't know what to send, answer this message: we look at it together."


def write_contacts(history: History) -> None:
    """Add the contacts of all cases; call it once the history was played."""
    contacts = [(told, _write_notice(history, told)) for told in history.told]
    for case in history.cases:
        request = next(contact for told, contact in contacts if told.row is case.row)
        Letters(case, request).write()
    _offer_help(history)


def _write_notice(history: History, told: Told) -> Contact:
    """What Recourse wrote to the account's user, which has gone out since."""
    author = system(history.unit.account.platform_id, AUTHOR)
    contact = _contact(history, told.at, [told.row] if told.row else [], author)
    contact |= {"purpose": told.purpose, "subject": told.subject, "body": told.body}
    submitted = _submitted_since(history, told) if told.purpose in ASKING else None
    if submitted is not None:
        _progress(history, contact, _S.RESPONDED, submitted)
    else:
        _progress(history, contact, history.rng.choice(REACHED_OR_NOT))
    return contact


def _submitted_since(history: History, told: Told) -> datetime | None:
    """When what the notice asks for was submitted first after it."""
    case = next(case for case in history.cases if told.row in case.rows)
    later = (each.submitted_at for each in case.evidence if each.submitted_at >= told.at)
    return min(later, default=None)


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
        "body": HELP,
    }


class Letters:
    """What people and services wrote about one case, beside its notices.

    `request` is the first of these: the one that asks.
    """

    def __init__(self, case: Case, request: Contact) -> None:
        self.case = case
        self.request = request
        self.history = case.history
        self.rng = case.history.rng
        self.now = case.history.now
        self.row = case.row
        self.service = _service(case.history)

    def write(self) -> None:
        """Add all that was written."""
        row = self.row
        if self.rng.random() < 0.1:
            self._thread()
        if self.rng.random() < 0.1:
            self._offer()
        if row.state == RequirementState.IN_REVIEW and self.rng.random() < 0.3:
            self._draft()
        if row.closed_at is not None and self.case.proposal is None and self.rng.random() < 0.5:
            self._offer_in_vain(row.closed_at)

    def _offer(self) -> None:
        at = self._soon()
        contact = self._new(at, self.service, f"{self.row.title}: can we help? {HELP}")
        contact["channel"] = self.rng.choice(OF_OFFERS)
        self._progress(contact, self.rng.choice(REACHED_OR_NOT))

    def _offer_in_vain(self, ended: datetime) -> None:
        """An offer that was to go out the day after the requirement's end."""
        contact = self._new(self.case.window.opened, self.service, HELP)
        contact |= {
            "scheduled_for": ended + timedelta(days=1),
            "state": _S.CANCELED,
            "version": 3,
            "updated_at": ended,
        }

    def _thread(self) -> None:
        """The user asks, and is answered or not yet."""
        asked = self._soon()
        question = self._new(asked, self.history.user, self.case.words.question)
        question |= {
            "direction": InteractionDirection.INBOUND,
            "channel": self.rng.choice(OF_QUESTIONS),
        }
        self._reply(question)
        answered = asked + self.history.days(0.1, 10)
        if answered >= self.now:
            self._progress(question, _S.DELIVERED)
            self._wait_since(asked)
            return
        self._progress(question, _S.RESPONDED, answered)
        answer = self._new(answered, self.case.reviewer, self.case.words.answer)
        answer |= {"channel": self.rng.choice(OF_ANSWERS), "in_reply_to_id": question["id"]}
        self._progress(answer, self.rng.choice(REACHED))

    def _reply(self, question: Contact) -> None:
        """Let it answer the request, unless that never arrived."""
        request, asked = self.request, question["created_at"]
        if request["state"] is not _S.FAILED:
            question["in_reply_to_id"] = request["id"]
            self._progress(request, _S.RESPONDED, min(request.get("responded_at", asked), asked))

    def _soon(self) -> datetime:
        """Some time after the requirement was opened."""
        return min(self.case.window.opened + self.history.days(0.2, 3), self.now)

    def _wait_since(self, asked: datetime) -> None:
        """Let the requirement wait for an answer, unless its state has changed since."""
        row = self.row
        if row.state in OPEN_STATES and all(at < asked for at in self.case.happened.values()):
            row.unanswered_since = asked
            touch(row, asked)

    def _draft(self) -> None:
        at = self.now - self.history.days(0.01, 0.4)
        body = "Thank you. We are still looking."
        self._new(at, self.case.reviewer, body)["state"] = _S.DRAFT

    def _new(self, at: datetime, author: Actor, body: str) -> Contact:
        contact = _contact(self.history, at, [self.row], author)
        contact |= {"purpose": _P.MESSAGE, "subject": self.row.title, "body": body}
        return contact

    def _progress(
        self, contact: Contact, state: InteractionState, responded: datetime | None = None
    ) -> None:
        _progress(self.history, contact, state, responded)


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
        failure = FAILURES[contact["channel"]]
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
