"""What was written about the requirements of a demo account: contacts in every state."""

from datetime import datetime, timedelta

from models.actor import Actor, Role
from models.base import stamp
from models.demo.histories import SERVICES, Act, Case, History
from models.interaction import (
    Interaction,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionRequirement,
    InteractionState,
)
from models.requirement import Requirement
from models.resolution import ResolutionOutcome
from models.status import AWAITING_ACCOUNT, RequirementState

_C, _P, _S = InteractionChannel, InteractionPurpose, InteractionState
OF_REQUEST = ((_S.SENT, _S.DELIVERED, _S.VIEWED, _S.FAILED), (2, 3, 7, 1))
OF_NOTICE = ((_S.SENT, _S.DELIVERED, _S.VIEWED), (1, 2, 4))
CHANNELS = ((_C.EMAIL, _C.DASHBOARD, _C.SMS, _C.API, _C.PHONE), (10, 6, 2, 2, 1))
# How far a contact has come, as the number of instants that it has.
PROGRESS = {_S.SENT: 1, _S.DELIVERED: 2, _S.VIEWED: 3, _S.RESPONDED: 4}
FAILURES = (
    {"code": "mailbox_unavailable", "message": "The mailbox does not exist."},
    {"code": "carrier_refused", "message": "The carrier refused the number."},
)


def write_contacts(history: History) -> None:
    """Add the contacts of all cases; call it once the history was played."""
    waiting: list[Case] = []
    for case in history.cases:
        Letters(case).write()
        deadline = case.row.deadline
        if case.row.state in AWAITING_ACCOUNT and deadline and deadline > history.now:
            waiting.append(case)
    if waiting:
        _remind(history, waiting)


def _remind(history: History, waiting: list[Case]) -> None:
    """One reminder for all that is still to come, before the first of its deadlines."""
    first = min(case.row.deadline for case in waiting if case.row.deadline is not None)
    contact = _contact(history, history.now - timedelta(hours=2), [c.row for c in waiting])
    contact.purpose, contact.channel = _P.REMINDER, _C.EMAIL
    contact.state, contact.version = _S.SCHEDULED, 2
    contact.scheduled_for = history.now + (first - history.now) / 2
    contact.subject = "Something is still missing"
    contact.body = "Please send what we asked for. Until then nothing changes for you."


class Letters:
    """The contacts about one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.history = case.history
        self.rng = case.history.rng
        self.now = case.history.now
        self.row = case.row
        self.service = self.history.staff(Role.INTEGRATOR, SERVICES[3])

    def write(self) -> None:
        """Add all that was written."""
        request = self._request()
        happened, row = self.case.happened, self.row
        if Act.SEND_BACK in happened:
            body = f"{row.title}: what you sent can't be used yet. {self._what_is_wrong()}"
            self._send(happened[Act.SEND_BACK], _P.MESSAGE, self.case.reviewer, body)
        if self.rng.random() < 0.12:
            self._thread(request)
        if row.state in AWAITING_ACCOUNT and row.deadline and row.deadline <= self.now:
            body = f"{row.title}: the deadline has passed. Some of what you can do is restricted."
            self._send(row.deadline, _P.NOTICE, self.service, body)
        if row.state == RequirementState.IN_REVIEW and self.rng.random() < 0.3:
            self._draft()
        if row.closed_at is not None:
            self._after_the_end(row.closed_at)

    def _request(self) -> Interaction:
        row = self.row
        contact = self._new(self.case.window.opened, _P.REQUEST, self.service, row.description)
        contact.channel = self.rng.choices(*CHANNELS)[0]
        submitted = self.case.happened.get(Act.SUBMIT)
        if submitted is not None:
            self._progress(contact, _S.RESPONDED, submitted)
        else:
            self._progress(contact, self.rng.choices(*OF_REQUEST)[0])
        return contact

    def _after_the_end(self, at: datetime) -> None:
        row = self.row
        if self.case.proposal is not None and row.state in list(ResolutionOutcome):
            body = f"{row.title}: we have decided. The outcome is {row.state.lower()}."
            self._send(at, _P.DECISION, self.case.reviewer, body)
        elif self.rng.random() < 0.5:
            body = f"{row.title}: please remember to send it."
            contact = self._new(self.case.window.opened, _P.REMINDER, self.service, body)
            contact.scheduled_for = at + timedelta(days=1)
            contact.state, contact.version, contact.updated_at = _S.CANCELED, 3, at

    def _thread(self, request: Interaction) -> None:
        """The user asks, and is answered or not yet."""
        asked = min(self.case.window.opened + self.history.days(0.2, 3), self.now)
        question = self._new(asked, _P.MESSAGE, self.history.user, "Which document do you mean?")
        question.direction, question.channel = InteractionDirection.INBOUND, _C.DASHBOARD
        question.in_reply_to_id = request.id
        answered = asked + self.history.days(0.1, 2)
        if answered >= self.now:
            self._progress(question, _S.DELIVERED)
            return
        self._progress(question, _S.RESPONDED, answered)
        body = "Any of those in the list will do; a photo is enough."
        self._send(answered, _P.MESSAGE, self.case.reviewer, body).in_reply_to_id = question.id

    def _draft(self) -> None:
        at = self.now - self.history.days(0.01, 0.4)
        contact = self._new(at, _P.MESSAGE, self.case.reviewer, "Thank you. We are still looking.")
        contact.state = _S.DRAFT

    def _send(
        self, at: datetime, purpose: InteractionPurpose, author: Actor, body: str
    ) -> Interaction:
        contact = self._new(at, purpose, author, body)
        self._progress(contact, self.rng.choices(*OF_NOTICE)[0])
        return contact

    def _new(
        self, at: datetime, purpose: InteractionPurpose, author: Actor, body: str
    ) -> Interaction:
        contact = _contact(self.history, at, [self.row])
        stamp(contact, "author", author)
        contact.purpose, contact.subject, contact.body = purpose, self.row.title, body
        return contact

    def _progress(
        self, contact: Interaction, state: InteractionState, responded: datetime | None = None
    ) -> None:
        """Let the contact come as far as `state`, each step at its instant, none after now."""
        sent = contact.created_at
        contact.state, contact.sent_at, contact.version = state, sent, 2
        contact.updated_at = sent
        if state is _S.FAILED:
            contact.failure, contact.version = self.rng.choice(FAILURES), 3
            return
        last = responded or self.now
        stages = (
            ("delivered_at", sent + (last - sent) * 0.01),
            ("viewed_at", sent + (last - sent) * self.rng.uniform(0.1, 0.8)),
            ("responded_at", last),
        )
        for name, at in stages[: PROGRESS[state] - 1]:
            setattr(contact, name, at)
            contact.version += 1
            contact.updated_at = at

    def _what_is_wrong(self) -> str:
        return " ".join(error["message"] for error in self.row.errors)


def _contact(history: History, at: datetime, rows: list[Requirement]) -> Interaction:
    unit = history.unit
    unit.now = at
    contact = Interaction(
        **unit.new_row(),
        channel=_C.EMAIL,
        direction=InteractionDirection.OUTBOUND,
        state=_S.SENT,
    )
    stamp(contact, "author", history.staff(Role.INTEGRATOR, SERVICES[3]))
    unit.add(contact)
    unit.add(
        *(
            InteractionRequirement(
                account_id=row.account_id,
                platform_id=row.platform_id,
                interaction_id=contact.id,
                requirement_id=row.id,
            )
            for row in rows
        )
    )
    return contact
