"""The state machine's rules of sending: what is due goes out, and what comes of letters."""

import uuid
from typing import Any

from models.actor import system
from models.interaction import DashboardOnly
from models.interaction_steps import Failure
from models.sending import (
    DueInteraction,
    Letter,
    Mailed,
    NotMailed,
    Shown,
    due_interactions,
    due_letters,
    let_out,
    settle,
    take,
)
from tests.models.machine import Workbench
from tests.models.reference import Model

LIMIT = 1_000_000
LOOKED_AT = 3
RESULTS: dict[str, Any] = {
    "MAILED": Mailed(),
    "NO_MAIL_SERVER": Shown(DashboardOnly.NO_MAIL_SERVER),
    "PASSING": NotMailed(Failure("busy", "Try again."), passing=True),
    "FOR_GOOD": NotMailed(Failure("no_such_mailbox", "There is nobody."), passing=False),
}


class SendingRules(Workbench):
    """What senders do, and the mail servers that they ask."""

    letters: list[Letter]

    def the_sending_comes_by(self) -> None:
        """What is due goes out, then its letters are looked after; or the other way round."""
        for mail in self.random.choice([(False, True), (True, False)]):
            self._look_for(mail)

    def _look_for(self, mail: bool) -> None:
        """Find what is due, and nothing else; of that and of something else take some."""
        found = {due.interaction_id for due in self.call(self._due_contacts(mail))}
        contacts = {one.id: (m.id, n) for m in self.models for n, one in enumerate(m.contacts)}
        due = [
            one
            for model in self.models
            for one in model.contacts
            if one.is_due(self.now) and (one.state != "SCHEDULED") == mail
        ]
        assert found == {one.id for one in due}
        again = [one.id for one in due if one.state == "FAILED"]
        some = [one.id for one in self.random.sample(due, min(len(due), LOOKED_AT))]
        other = self.random.choice([*contacts, None])
        for own in dict.fromkeys([*again[:1], *some, *[other] * (other is not None)]):
            account_id, number = contacts[own]
            draft = self.model_of(account_id).draft(self.now)
            if mail:
                self._take(draft, number)
            else:
                self._let_out(draft, number)

    def the_mail_server_answers(self) -> None:
        """Sooner or later it says what has become of a letter: maybe when nobody waits any more."""
        letter = self.letters.pop(self.random.randrange(len(self.letters)))
        due, result = letter.due, self.random.choice([*RESULTS, "PASSING"])
        draft = self.model_of(due.account_id).draft(self.now)
        contact = next(one for one in draft.contacts if one.id == due.interaction_id)
        in_time = contact.waits_for(letter.number)
        self.call(self._settle(letter, RESULTS[result]))
        contact.be_mailed(draft, letter.number, result)
        draft.settle()
        self.keep(draft)
        what = f"letter {result.lower().replace('_', ' ')}" if in_time else "letter too late"
        self.world.done[what] += 1

    def _let_out(self, draft: Model, number: int) -> None:
        contact = draft.contacts[number]
        assert contact.id is not None
        was_due = contact.state == "SCHEDULED" and contact.is_due(draft.now)
        self.call(self._shown(DueInteraction(draft.id, self.run.platform_id, contact.id)))
        contact.be_let_out(draft)
        draft.settle()
        self.keep(draft)
        gave_up = was_due and contact.state == "CANCELED"
        what = "sending gives up" if gave_up else "sending lets out"
        self.world.done[what if was_due else "sending leaves"] += 1

    def _take(self, draft: Model, number: int) -> None:
        contact = draft.contacts[number]
        assert contact.id is not None
        was_due = contact.attempt_at is not None and contact.attempt_at <= draft.now
        was_failed = contact.state == "FAILED"
        due = DueInteraction(draft.id, self.run.platform_id, contact.id)
        letter = self.call(self._taken(due))
        assert (letter is not None) == contact.be_taken(draft)
        if letter is not None:
            assert (letter.to, letter.until) == (draft.email, contact.attempt_at)
            self.letters.append(letter)
        draft.settle()
        self.keep(draft)
        what = "letter again" if was_failed and letter else "sending takes"
        self.world.done[what if was_due else "sending leaves"] += 1

    async def _due_contacts(self, mail: bool) -> list[DueInteraction]:
        ours: set[uuid.UUID] = {model.id for model in self.models}
        async with self.world.database.worker.connect() as connection:
            found = await (due_letters if mail else due_interactions)(connection, self.now, LIMIT)
        return [due for due in found if due.account_id in ours]

    async def _shown(self, due: DueInteraction) -> None:
        async with self.world.database.session_for(system(due.platform_id)) as session:
            await let_out(session, self.run.clock, due)

    async def _taken(self, due: DueInteraction) -> Letter | None:
        async with self.world.database.session_for(system(due.platform_id)) as session:
            return await take(session, self.run.clock, due)

    async def _settle(self, letter: Letter, result: Any) -> None:
        async with self.world.database.session_for(system(self.run.platform_id)) as session:
            await settle(session, self.run.clock, letter, result)
