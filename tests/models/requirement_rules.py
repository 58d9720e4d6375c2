"""The state machine's rules of requirements: opened, acted on by anybody, noted on."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from models import appeal, decision, note, referral
from models import requirement_operations as requirements
from models.appeal import Appeal
from models.decision import Decide
from models.evidence import DocumentReference
from models.note import AddNote
from models.referral import Recall, Refer
from models.requirement import Error, Priority, Requirement
from models.requirement_operations import (
    Assign,
    Cancel,
    Extend,
    OpenRequirement,
    Prioritize,
    Reopen,
    RequestChanges,
    StartReview,
    Submit,
)
from models.resolution import Resolution
from models.statement import Statement
from tests.factories import ERROR, PAYLOAD, REJECTION
from tests.models.machine import WHO, Workbench, unless
from tests.models.reference import (
    ALLOWED_FROM,
    DURING_APPEAL,
    MAY,
    REVIEWERS,
    Item,
    Model,
    Proposal,
    Terms,
)
from tests.models.reference_contacts import tell
from tests.models.reference_time import Span

MAX_ITEMS = 8
DOCUMENT = DocumentReference(
    uri="https://files.example/passport.pdf",
    sha256="ab" * 32,
    media_type="application/pdf",
    bytes=100_000,
    name="passport.pdf",
)
WEIGHTS_OF_ACTIONS = {
    "SUBMIT": 8,
    "START_REVIEW": 2,
    "REFER": 6,
    "RECALL": 4,
    "APPROVE": 5,
    "REQUEST_CHANGES": 4,
    "REJECT": 10,
    "APPEAL": 12,
    "WAIVE": 1.5,
    "CANCEL": 2,
    "EXTEND": 2,
    "ASSIGN": 1,
    "PRIORITIZE": 1,
    "REOPEN": 4,
}


OPENERS = REVIEWERS | {"risk-engine"}


class RequirementRules(Workbench):
    """What is asked of accounts, and what becomes of it."""

    def open(self) -> None:
        """A requirement under any program, by anybody."""
        chosen = [model for model in self.models if len(model.items) < MAX_ITEMS]
        draft = self.random.choice(chosen).draft(self.now)
        terms, by = self._some_terms(), self.one_of(OPENERS)
        given = self.random.choice([None, draft.now + self.span()])
        due = self.random.choice([None, None, draft.now + self.span()])
        late = self.random.random() < 0.04
        version, refusals = self.account_version(draft)
        command = OpenRequirement(
            account_id=draft.id,
            program=terms.code,
            alternative_group=self.random.choice([None, "g", "g"]),
            priority=self.random.choice(list(Priority)),
            currently_due_at=due,
            deadline=draft.now if late else given,
            expected_version=version,
            idempotency_key=self.key(),
        )
        refusals |= unless(by in OPENERS and not self.is_foreign(by, terms))
        if late or (due and given and due > given) or terms.code in self.retired:
            refusals |= {"INVALID_INPUT"}

        def effect(made: Requirement) -> None:
            first = due or (terms.due_after or Span()).after(draft.now)
            item = Item(
                *(made.id, terms, by, draft.now, first),
                *(None, command.alternative_group, command.priority),
            )
            item.agree(given or _from_now(draft, terms.deadline_after))
            item.plan_reminder(draft.now)
            draft.items.append(item)
            draft.say("REQUIREMENT_OPENED")
            tell(draft, made.id)

        operation = requirements.open_requirement
        self.perform("requirement open", draft, operation, by, command, refusals, effect)

    def act(self) -> None:
        """Any action on any requirement, by anybody; rather one that the state allows."""
        hurry = any(self._may_be_appealed(item) for m in self.models for item in m.items)
        usual = self._may_be_appealed if hurry and self.random.random() < 0.3 else self._goes_on
        draft, item = self.pick(lambda model: model.items, usual)
        fitting = [action for action, starts in ALLOWED_FROM.items() if item.state in starts]
        if item.in_appeal:
            fitting = list(DURING_APPEAL) * (self.random.random() < 0.2)
        # What somebody else is waited for ends by being recalled, mostly.
        weights = [
            WEIGHTS_OF_ACTIONS[action] * (12 if action == "RECALL" and item.referred else 1)
            for action in fitting
        ]
        fits = fitting and self.random.random() < 0.9
        action = self.random.choices(fitting, weights)[0] if fits else self.any_action()
        by = self.one_of(MAY[action])
        version, refusals = self.version(item.version)
        fields = {
            "account_id": draft.id,
            "requirement_id": item.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        refusals |= item.refusals(action, by, draft.now)
        good = self.random.random() < 0.9
        request = Request(self, draft, item, by, self.span(), good, fields)
        operation, command, further, effect = getattr(request, action.lower())()
        what = f"requirement {action.lower().replace('_', ' ')}"
        self.perform(what, draft, operation, by, command, refusals | further, effect)

    def any_action(self) -> str:
        """One of the actions on requirements, whether it fits or not."""
        return self.random.choice(sorted(ALLOWED_FROM))

    def _goes_on(self, item: Item) -> bool:
        """Whether it is neither at an end nor waiting for a decision."""
        if item.state == "REJECTED":
            return self._may_be_appealed(item)
        return item.state != "CANCELED" and not item.in_appeal and item.proposal is None

    def _may_be_appealed(self, item: Item) -> bool:
        return not item.refusals("APPEAL", "uma", self.now)

    def _some_terms(self) -> Terms:
        """Those of any program, mostly of one that is not retired."""
        open_ones = [terms for code, terms in self.terms.items() if code not in self.retired]
        usual = open_ones if open_ones and self.random.random() < 0.9 else self.terms.values()
        return self.random.choice(list(usual))

    def add_note(self) -> None:
        """A note of staff, on any requirement in any state."""
        draft, item = self.pick(lambda model: model.items)
        by = self.random.choice(WHO)
        version, refusals = self.version(item.version)
        command = AddNote(
            account_id=draft.id,
            requirement_id=item.id,
            text="Seen before.",
            expected_version=version,
            idempotency_key=self.key(),
        )
        refusals |= unless(by != "uma" and not self.is_foreign(by, item.terms))

        def effect(_: Any) -> None:
            item.notes += 1
            draft.say("NOTE_ADDED")

        self.perform("note add", draft, note.add, by, command, refusals, effect)


@dataclass
class Request:
    """How each action is asked for: (operation, command, further refusals, effect)."""

    machine: RequirementRules
    draft: Model
    item: Item
    by: str
    span: timedelta
    good: bool
    fields: dict[str, Any]

    def submit(self) -> Any:
        some = {"payload": PAYLOAD, "documents": (DOCUMENT,) * (self.span > timedelta(hours=1))}
        command = Submit(**self.fields, **(some if self.good else {"payload": {"name": 7}}))
        refusals = set() if self.good else {"EVIDENCE_INVALID"}
        moves = self.moves("SUBMITTED", "SUBMITTED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.evidence.append(None)
            self.item.submitted_at = self.draft.now
            self.item.promise(self.draft.now)
            for contact in self.draft.contacts:
                if contact.asks_for == self.item.id:
                    contact.be_answered(self.draft)

        return requirements.submit, command, refusals, effect

    def start_review(self) -> Any:
        effect = self.moves("IN_REVIEW", "REVIEW_STARTED")
        return requirements.start_review, StartReview(**self.fields), set(), effect

    def refer(self) -> Any:
        to = "Commerzbank" if self.good else " "
        moves = self.moves(self.item.state, "REFERRED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.referred = to
            self.item.pause_review(self.draft.now)

        refusals = set() if self.good else {"INVALID_INPUT"}
        return referral.refer, Refer(**self.fields, to=to), refusals, effect

    def recall(self) -> Any:
        moves = self.moves(self.item.state, "RECALLED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.referred = None
            if self.item.review_left is not None:
                self.item.promise(self.draft.now)

        return referral.recall, Recall(**self.fields), set(), effect

    def request_changes(self) -> Any:
        wrong = () if self.span < timedelta(days=1) else (Error("unheard_of", "What is it?"),)
        command = RequestChanges(**self.fields, errors=(ERROR,) if self.good else wrong)
        refusals = set() if self.good else {"INVALID_INPUT"}
        moves = self.moves("ACTION_REQUIRED", "CHANGES_REQUESTED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.pause_review(self.draft.now)
            if self.item.give_back(self.draft.now):
                self.draft.say("REQUIREMENT_DEADLINE_MOVED")
            self.item.plan_reminder(self.draft.now)
            self.draft.share_time(self.item)
            tell(self.draft, self.item.id)
            self.draft.drop_overtaken(self.item)

        return requirements.request_changes, command, refusals, effect

    def extend(self) -> Any:
        item, now = self.item, self.draft.now
        old = item.deadline
        new = max(old or now, now) + (self.span if self.good else -self.span)
        # What time is left under the program's limit is often short.
        if self.good and item.latest is not None and self.span >= timedelta(days=3):
            new = max(item.latest, now)
        refusals = set() if old is not None and new > max(old, now) else {"INVALID_INPUT"}
        if item.latest is not None and new > item.latest:
            refusals |= {"EXTENSION_LIMIT"}
        moves = self.moves(item.state, "EXTENDED")

        def effect(made: Any) -> None:
            moves(made)
            assert old is not None
            assert item.agreed is not None
            item.deadline, item.agreed = new, item.agreed + (new - old)
            if item.state in ("OPEN", "ACTION_REQUIRED"):
                item.plan_reminder(now)
            tell(self.draft)

        return requirements.extend, Extend(**self.fields, deadline=new), refusals, effect

    def prioritize(self) -> Any:
        to = self.machine.random.choice(list(Priority))
        moves = self.moves(self.item.state, "UPDATED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.priority = to

        return requirements.prioritize, Prioritize(**self.fields, priority=to), set(), effect

    def assign(self) -> Any:
        to = "rita" if self.good else None
        moves = self.moves(self.item.state, "ASSIGNED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.assignee = to

        return requirements.assign, Assign(**self.fields, assignee_id=to), set(), effect

    def reopen(self) -> Any:
        moves, item, now = self.moves("ACTION_REQUIRED", "REOPENED"), self.item, self.draft.now
        given = None if self.span < timedelta(days=1) else now + self.span
        refusals = set() if self.good else {"INVALID_INPUT"}

        def effect(made: Any) -> None:
            moves(made)
            item.closed_at = item.appealed_at = item.appeal_until = None
            item.currently_due_at = now
            item.agree(given or _from_now(self.draft, item.terms.deadline_after))
            item.plan_reminder(now)
            tell(self.draft, item.id)

        deadline = given if self.good else now
        command = Reopen(**self.fields, reason="Expired.", deadline=deadline)
        return requirements.reopen, command, refusals, effect

    def cancel(self) -> Any:
        command = Cancel(**self.fields, reason="No longer needed." if self.good else " ")
        refusals = set() if self.good else {"INVALID_INPUT"}
        return requirements.cancel, command, refusals, lambda _: self.draft.cancel(self.item)

    def approve(self) -> Any:
        return self.decide("SATISFIED", decision.approve, Statement())

    def reject(self) -> Any:
        """With a statement that cites evidence or names a fact, or one that lacks something."""
        own = tuple(filter(None, self.item.evidence[-1:]))
        whole = replace(REJECTION, cited_evidence=own, cited_fact=None) if own else REJECTION
        if self.good:
            until = self.draft.now + self.span if self.machine.random.random() < 0.3 else None
            whole = replace(whole, restricts_until=until)
            operation, command, refusals, effect = self.decide("REJECTED", decision.reject, whole)
            if self.item.terms.is_over_at_once(until, self.draft.now):
                refusals |= {"INVALID_INPUT"}
            return operation, command, refusals, effect
        others = (uuid.UUID(int=0),)
        lacking = replace(REJECTION, cited_evidence=others) if own else Statement()
        operation, command, refusals, effect = self.decide("REJECTED", decision.reject, lacking)
        return operation, command, {"INVALID_INPUT"} | refusals, effect

    def waive(self) -> Any:
        return self.decide("WAIVED", decision.waive, Statement())

    def appeal(self) -> Any:
        command = Appeal(**self.fields, statement="It is me." if self.good else " ")
        refusals = set() if self.good else {"INVALID_INPUT"}
        moves, item = self.moves("IN_REVIEW", "APPEALED"), self.item

        def effect(made: Any) -> None:
            moves(made)
            assert item.rejection is not None
            item.closed_at, item.appealed_at = None, self.draft.now
            item.promise(self.draft.now)
            item.rejection.state, item.rejection.appealer = "APPEALED", self.by
            item.rejection.version += 1
            tell(self.draft)

        return appeal.appeal, command, refusals, effect

    def decide(self, outcome: str, operation: Any, statement: Statement) -> Any:
        terms: Terms = self.item.terms
        code = "checked" if self.span != timedelta(hours=1) else "another"
        known = not terms.reasons or code in terms.reasons

        def effect(made: Resolution) -> None:
            proposal = Proposal(made.id, outcome, self.by)
            proposal.restricts_until = statement.restricts_until
            self.draft.resolutions.append(proposal)
            if terms.four_eyes or outcome == "WAIVED":
                self.item.proposal = proposal
                self.item.version += 1
                self.draft.say("RESOLUTION_PROPOSED")
                return
            proposal.state, proposal.decider = "FINAL", self.by
            self.draft.say("RESOLUTION_FINAL")
            self.draft.finish(self.item, proposal)
            tell(self.draft)

        command = Decide(**self.fields, reason_code=code, statement=statement)
        return operation, command, set() if known else {"INVALID_INPUT"}, effect

    def moves(self, state: str, event: str) -> Callable[[Any], None]:
        """The effect of an action that does no more than move the requirement."""

        def effect(_: Any) -> None:
            self.item.state = state
            self.item.version += 1
            self.draft.say(f"REQUIREMENT_{event}")

        return effect


def _from_now(draft: Model, span: Span | None) -> Any:
    return None if span is None else span.after(draft.now)
