"""The state machine's rules of contacts, and what the reference model knows of them.

It shares no code with `models/`. Names and rules are spelled out a second time on purpose.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from models import correspondence, delivery
from models.actor import system
from models.correspondence import DraftInteraction, ReceiveInteraction
from models.delivery import (
    CancelInteraction,
    ReportInteraction,
    ScheduleInteraction,
    SendInteraction,
    UpdateInteraction,
)
from models.interaction import Interaction
from models.sending import DueInteraction, take
from tests.factories import FAILURE, unique

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
EVENTS = {
    "UPDATE": "UPDATED",
    "SCHEDULE": "SCHEDULED",
    "SEND": "SENT",
    "CANCEL": "CANCELED",
}
WRITERS = {"ada", "rita", "sam", "newbie", "risk-engine"}
ANYBODY = ["ada", "rita", "sam", "newbie", "risk-engine", "uma"]
MAX_CONTACTS = 24
LOOKED_AT = 4


@dataclass
class Contact:
    """One interaction."""

    # None for a notice until its operation has been seen to write it.
    id: uuid.UUID | None
    outbound: bool
    state: str
    answers: "Contact | None" = None
    due: datetime | None = None
    marks: set[str] = field(default_factory=set)
    version: int = 1

    def move(self, draft: Any, state: str, event: str) -> None:
        """Take one arrow."""
        self.state = state
        self.version += 1
        draft.say(f"INTERACTION_{event}")

    def go_out(self, draft: Any) -> None:
        """Be sent, and be the answer to what came the other way."""
        self.marks.add("SENT")
        self.move(draft, "SENT", "SENT")
        if self.answers is not None and self.answers.outbound != self.outbound:
            self.answers.be_answered(draft)

    def be_answered(self, draft: Any) -> None:
        """Be RESPONDED, if that is a step forward."""
        if self.state in OUT:
            self.marks.add("RESPONDED")
            self.move(draft, "RESPONDED", "RESPONDED")


class CorrespondenceRules:
    """What a machine does with contacts; it brings the models, a source of chance and the store."""

    models: list[Any]
    random: Any
    world: Any
    now: Any

    def may_write(self) -> bool:
        """Whether there is somebody to write to, about something."""
        return any(m.items and len(m.contacts) < MAX_CONTACTS for m in self.models)

    def write(self: Any) -> None:
        """Somebody writes to the account's user, or they write themselves."""
        chosen = [m for m in self.models if m.items and len(m.contacts) < MAX_CONTACTS]
        present = self.random.choice(chosen)
        draft = present.draft(self.now)
        inbound, by = self.random.random() < 0.5, self.random.choice(ANYBODY)
        answered = self.random.choice([None, *draft.contacts, *draft.contacts])
        version, refusals = self.version(present.version)
        command = (ReceiveInteraction if inbound else DraftInteraction)(
            account_id=draft.id,
            requirement_ids=(self.random.choice(draft.items).id,),
            body="Hello",
            in_reply_to_id=None if answered is None else answered.id,
            expected_version=version,
            idempotency_key=self.key(),
        )
        if answered is not None and answered.state in UNSENT | {"CANCELED"}:
            refusals |= {"NOT_FOUND" if by == "uma" else "INVALID_INPUT"}
        if not inbound and by not in WRITERS:
            refusals |= {"FORBIDDEN"}

        def effect(made: Any) -> None:
            state = "DELIVERED" if inbound else "DRAFT"
            contact = Contact(made.id, not inbound, state, answered)
            draft.contacts.append(contact)
            draft.say(f"INTERACTION_{'RECEIVED' if inbound else 'DRAFTED'}")
            if inbound:
                contact.marks = {"SENT", "DELIVERED"}
                if answered is not None:
                    answered.be_answered(draft)

        operation = correspondence.receive if inbound else correspondence.draft
        self.perform(draft, operation, by, command, refusals, effect)

    def go_on(self: Any) -> None:
        """Any action on any contact, by anybody; rather one that the state allows."""
        draft, contact = self.pick(lambda model: model.contacts)
        fitting = [a for a, starts in CONTACT_ALLOWED_FROM.items() if contact.state in starts]
        usual = fitting and self.random.random() < 0.8
        action = self.random.choice(fitting if usual else sorted(CONTACT_ALLOWED_FROM))
        by = self.random.choice(ANYBODY if self.random.random() < 0.2 else sorted(WRITERS))
        version, refusals = self.version(contact.version)
        fields: dict[str, Any] = {
            "account_id": draft.id,
            "interaction_id": contact.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        if by not in WRITERS:
            refusals |= {"FORBIDDEN"}
        at = self.random.choice([None, self.now, self.now + self.span()])
        known = action in contact.marks and contact.state not in CONTACT_ALLOWED_FROM[action]
        if contact.state not in CONTACT_ALLOWED_FROM[action] and not known:
            refusals |= {"ILLEGAL_TRANSITION"}

        def effect(_: Any) -> None:
            if not known:
                act_on(draft, contact, action, at or self.now)

        operation, command = asked(action, fields, at)
        self.perform(draft, operation, by, command, refusals, effect)

    def the_sending_comes_by(self: Any) -> None:
        """What is due goes out, and nothing else does."""
        place = self.random.randrange(len(self.models))
        numbers = range(len(self.models[place].contacts))
        for number in self.random.sample(numbers, min(len(numbers), LOOKED_AT)):
            draft = self.models[place].draft(self.now)
            contact, run = draft.contacts[number], self.world.run
            due = DueInteraction(draft.id, run.platform_id, contact.id)
            assert self.call(sent(run, due)) is None
            if contact.state == "SCHEDULED" and contact.due <= self.now:
                contact.go_out(draft)
            draft.settle(self.now)
            self.keep(draft)


async def sent(run: Any, due: DueInteraction) -> Any:
    """Let a sender look at one contact; the letter, if it is one."""
    async with run.database.session_for(system(run.platform_id)) as session:
        return await take(session, run.clock, due)


def tell(draft: Any, now: datetime) -> None:
    """Let a notice go out now, as opening, sending back, extending, reopening and deciding do."""
    draft.contacts.append(Contact(None, True, "SCHEDULED", due=now, version=2))
    draft.say("INTERACTION_DRAFTED", "INTERACTION_SCHEDULED")


async def name_notices(run: Any, draft: Any) -> None:
    """Give the notices of the latest operation the ids that they have in the store."""
    unnamed = [contact for contact in draft.contacts if contact.id is None]
    async with run.database.worker.connect() as connection:
        found = await connection.scalars(
            select(Interaction.id).where(Interaction.account_id == draft.id)
        )
        known = {contact.id for contact in draft.contacts}
        new = [own for own in found if own not in known]
    assert len(new) == len(unnamed)
    for contact, own in zip(unnamed, new, strict=True):
        contact.id = own


def act_on(draft: Any, contact: Contact, action: str, at: datetime) -> None:
    """What an action does that is allowed."""
    if action in ("SEND", "SENT"):
        contact.go_out(draft)
        return
    if action == "SCHEDULE":
        contact.marks -= {"SENT", "FAILED"}
        contact.due = at
    elif action not in EVENTS:
        contact.marks.add(action)
    to = {"UPDATE": contact.state, "SCHEDULE": "SCHEDULED", "CANCEL": "CANCELED"}
    contact.move(draft, to.get(action, action), EVENTS.get(action, action))


def asked(action: str, fields: dict[str, Any], at: datetime | None) -> tuple[Any, Any]:
    """How an action is asked for: the operation and its command."""
    if action == "UPDATE":
        changes = {"body": unique("text")}
        return delivery.update, UpdateInteraction(**fields, changes=changes)
    if action == "SCHEDULE":
        return delivery.schedule, ScheduleInteraction(**fields, at=at)
    if action == "SEND":
        return delivery.send, SendInteraction(**fields)
    if action == "CANCEL":
        return delivery.cancel, CancelInteraction(**fields)
    failure = FAILURE if action == "FAILED" else None
    return delivery.report, ReportInteraction(**fields, report=action, failure=failure)
