"""The state machine's rules of contacts: written by both sides, changed, sent, reported on."""

from typing import Any

from models import correspondence, delivery
from models.correspondence import DraftInteraction, ReceiveInteraction
from models.delivery import (
    CancelInteraction,
    ReportInteraction,
    ScheduleInteraction,
    SendInteraction,
    UpdateInteraction,
)
from tests.factories import FAILURE, unique
from tests.models.machine import Workbench
from tests.models.reference_contacts import CONTACT_ALLOWED_FROM, Contact

EVENTS = {"UPDATE": "UPDATED", "SCHEDULE": "SCHEDULED", "SEND": "SENT", "CANCEL": "CANCELED"}
WRITERS = {"ada", "rita", "sam", "newbie", "risk-engine"}
CHANNELS = ["DASHBOARD", "DASHBOARD", "EMAIL", "EMAIL", "SMS", "PHONE", "API"]
PREFERRED = ("DRAFT", "SCHEDULED", "FAILED", "SENT", "DELIVERED")
MAX_CONTACTS = 24


class CorrespondenceRules(Workbench):
    """What is done with contacts."""

    def may_write(self) -> bool:
        """Whether there is somebody to write to, about something."""
        return any(m.items and len(m.contacts) < MAX_CONTACTS for m in self.models)

    def write(self) -> None:
        """Somebody writes to the account's user, or they write themselves."""
        chosen = [m for m in self.models if m.items and len(m.contacts) < MAX_CONTACTS]
        draft = self.random.choice(chosen).draft(self.now)
        inbound, by = self.random.random() < 0.5, self.one_of(WRITERS)
        # Not what the next to come will be told first, which nobody has seen.
        known = [one for one in draft.contacts if one.id is not None]
        seen = [one for one in known if one.shown]
        usual = seen if self.random.random() < 0.9 else known
        answered = self.random.choice([None, *usual, *usual])
        channel = "DASHBOARD" if by == "uma" else self.random.choice(CHANNELS)
        subject = self.random.choice([None, *["Your documents"] * 3])
        about = tuple(item.id for item in self.random.sample(draft.items, 1))
        if self.random.random() < (0.3 if inbound and answered else 0.05):
            about = ()
        version, refusals = self.account_version(draft)
        command = (ReceiveInteraction if inbound else DraftInteraction)(
            account_id=draft.id,
            requirement_ids=about,
            channel=channel,
            subject=subject,
            body="Hello",
            in_reply_to_id=None if answered is None else answered.id,
            expected_version=version,
            idempotency_key=self.key(),
        )
        if answered is not None and not answered.shown:
            refusals |= {"NOT_FOUND" if by == "uma" else "INVALID_INPUT"}
        if not inbound and by not in WRITERS:
            refusals |= {"FORBIDDEN"}
        if channel == "EMAIL" and subject is None:
            refusals |= {"INVALID_INPUT"}

        def effect(made: Any) -> None:
            state, marks = ("DELIVERED", {"SENT", "DELIVERED"}) if inbound else ("DRAFT", set())
            contact = Contact(made.id, not inbound, state, channel, subject, answered)
            contact.marks, contact.shown = marks, inbound
            contact.author, contact.touched = by, draft.now
            answers_about = answered.about if answered is not None and inbound else frozenset()
            contact.about = frozenset(about) or answers_about
            for item in draft.items:
                if inbound and item.id in contact.about:
                    item.be_asked(draft.now)
            draft.contacts.append(contact)
            draft.say(f"INTERACTION_{'RECEIVED' if inbound else 'DRAFTED'}")
            if inbound and answered is not None and answered.outbound:
                answered.be_answered(draft)

        operation = correspondence.receive if inbound else correspondence.draft
        what = f"interaction {'receive' if inbound else 'draft'}"
        self.perform(what, draft, operation, by, command, refusals, effect)

    def go_on(self) -> None:
        """Any action on any contact, by anybody; rather one that the state allows."""
        draft, contact = self.pick(
            lambda model: model.contacts,
            lambda contact: contact.state in PREFERRED,
        )
        fitting = [a for a, starts in CONTACT_ALLOWED_FROM.items() if contact.state in starts]
        usual = fitting and self.random.random() < 0.85
        weights = [3 if action in (*EVENTS, "SENT") else 1 for action in fitting]
        unusual = self.random.choice(sorted(CONTACT_ALLOWED_FROM))
        action = self.random.choices(fitting, weights)[0] if usual else unusual
        by = self.one_of(WRITERS)
        version, refusals = self.version(contact.version)
        fields: dict[str, Any] = {
            "account_id": draft.id,
            "interaction_id": contact.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        if by not in WRITERS:
            refusals |= {"FORBIDDEN"}
        known = action in contact.marks and contact.state not in CONTACT_ALLOWED_FROM[action]
        if contact.state not in CONTACT_ALLOWED_FROM[action] and not known:
            refusals |= {"ILLEGAL_TRANSITION"}
        asked = Asked(self, draft, contact, by, fields)
        operation, command, further, effect = getattr(asked, action.lower(), asked.report)(action)
        what = f"interaction {'report ' * (action in REPORTS)}{action.lower()}"
        effect = (lambda _: None) if known else effect
        self.perform(what, draft, operation, by, command, refusals | further, effect)


REPORTS = ("SENT", "DELIVERED", "VIEWED", "RESPONDED", "FAILED")


class Asked:
    """How each action is asked for: (operation, command, further refusals, effect)."""

    def __init__(
        self, machine: Workbench, draft: Any, contact: Contact, by: str, fields: dict[str, Any]
    ) -> None:
        self.machine, self.draft, self.contact, self.fields = machine, draft, contact, fields
        self.by = by
        self.late = machine.random.random() < 0.06

    def update(self, _: str) -> Any:
        """Other words, another way to go, another instant."""
        contact, random = self.contact, self.machine.random
        offered: dict[str, Any] = {
            "body": unique("text"),
            "channel": random.choice(CHANNELS),
            "subject": random.choice([None, "Another subject"]),
            "scheduled_for": self._instant(),
        }
        named = random.sample(sorted(offered), random.randint(0, 2))
        changes = {name: offered[name] for name in named}
        due = changes.get("scheduled_for", contact.due)
        channel = changes.get("channel", contact.channel)
        subject = changes.get("subject", contact.subject)
        refusals = {"INVALID_INPUT"} if channel == "EMAIL" and subject is None else set()
        if "scheduled_for" in changes and (contact.state != "SCHEDULED" or self.late):
            refusals |= {"INVALID_INPUT"}
        other = "body" in changes or (channel, subject) != (contact.channel, contact.subject)
        if contact.shown and other:
            refusals |= {"ALREADY_SENT"}

        def effect(_: Any) -> None:
            before = (contact.due, contact.channel, contact.subject)
            contact.due, contact.channel, contact.subject = due, channel, subject
            if "body" in changes or before != (due, channel, subject):
                contact.move(self.draft, contact.state, "UPDATED")

        return delivery.update, UpdateInteraction(**self.fields, changes=changes), refusals, effect

    def schedule(self, _: str) -> Any:
        at = self.machine.random.choice([None, self._instant()])
        refusals = {"INVALID_INPUT"} if at is not None and self.late else set()

        def effect(_: Any) -> None:
            self.contact.attempts = 0
            self.contact.schedule(self.draft, at or self.draft.now)

        return delivery.schedule, ScheduleInteraction(**self.fields, at=at), refusals, effect

    def send(self, _: str) -> Any:
        def effect(_: Any) -> None:
            self.contact.let_go(self.draft, self.by)

        return delivery.send, SendInteraction(**self.fields), set(), effect

    def cancel(self, _: str) -> Any:
        def effect(_: Any) -> None:
            self.contact.move(self.draft, "CANCELED", "CANCELED")

        return delivery.cancel, CancelInteraction(**self.fields), set(), effect

    def report(self, action: str) -> Any:
        """What somebody outside has seen; a failure that says why, or one that does not."""
        failure = FAILURE if (action == "FAILED") != self.late else None
        refusals = {"INVALID_INPUT"} if self.late else set()

        def effect(_: Any) -> None:
            if action == "SENT":
                self.contact.go_out(self.draft, self.by)
            elif action == "FAILED":
                self.contact.fail(self.draft)
            else:
                self.contact.marks.add(action)
                self.contact.move(self.draft, action, action)

        command = ReportInteraction(**self.fields, report=action, failure=failure)
        return delivery.report, command, refusals, effect

    def _instant(self) -> Any:
        now, span = self.draft.now, self.machine.span()
        return now - span if self.late else self.machine.random.choice([now, now + span])
