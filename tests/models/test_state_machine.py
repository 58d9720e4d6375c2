"""Random operations on accounts, held against a plain model in memory after every step.

`--steps N` says how many steps in all.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import note as remark
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.database import Database
from models import account as accounts
from models import appeal, decision, hold, note, rejection
from models import requirement_operations as requirements
from models.account import CreateAccount, UpdateAccount
from models.actor import Actor, Role
from models.aggregate import Account
from models.appeal import Appeal, DecideAppeal
from models.capability import Capability
from models.clock import ManualClock
from models.decision import ApproveResolution, Decide, DeclineResolution
from models.errors import RecourseError
from models.events import Event
from models.fair_clock import RequirementSpan
from models.hold import Hold, PlaceHold, ReleaseHold
from models.interaction import Interaction
from models.note import AddNote
from models.rejection import ReinstateAccount, RejectAccount
from models.requirement import Requirement
from models.requirement_operations import (
    Assign,
    Cancel,
    Extend,
    OpenRequirement,
    Reopen,
    RequestChanges,
    StartReview,
    Submit,
)
from models.resolution import Resolution
from models.statement import Statement
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    ERROR,
    PAYLOAD,
    REJECTION,
    Runner,
    create_runner,
    publish_program,
    unique,
)
from tests.models.correspondence_rules import CorrespondenceRules, name_notices, tell
from tests.models.reference import (
    ACTION_TO,
    ALLOWED_FROM,
    KINDS,
    Item,
    Model,
    Proposal,
    Restraint,
    Terms,
    view,
)

STEPS_PER_RUN = 50
MAX_ACCOUNTS = 3
MAX_ITEMS = 8
PROGRAMS = (
    Terms(
        "plain",
        timedelta(days=7),
        timedelta(days=14),
        timedelta(days=3),
        restricts=("PAYOUTS",),
        gates=("TRANSFERS",),
        termination_notice=timedelta(days=2),
        review_within=timedelta(days=2),
        max_extension=timedelta(days=3),
    ),
    Terms(
        "strict",
        None,
        timedelta(days=5),
        timedelta(days=5),
        restricts=("CARD_PAYMENTS", "PAYOUTS"),
        four_eyes=True,
        appeal_within=timedelta(days=3),
    ),
    Terms("soft", timedelta(days=1), gates=("CARD_PAYMENTS", "PAYOUTS")),
    # What is due comes after its own deadline: then it is due when it is too late.
    Terms(
        "quick",
        timedelta(days=2),
        timedelta(hours=1),
        restricts=("TRANSFERS",),
        pauses_deadline=False,
    ),
)
PROGRAM_WEIGHTS = (2, 3, 1, 1)
REVIEWERS = {"ada", "rita", "sam", "newbie"}
MAY = {
    **dict.fromkeys(ALLOWED_FROM, REVIEWERS),
    "SUBMIT": REVIEWERS | {"uma"},
    "APPEAL": REVIEWERS | {"uma"},
    "CANCEL": {"ada", "risk-engine"},
    "WAIVE": REVIEWERS - {"newbie"},
}
STALE = 1_000_000

WHO = ["ada", "rita", "rita", "sam", "sam", "newbie", "risk-engine", "uma"]
REASONS = ["PLATFORM_PAUSED", "UNDER_REVIEW", "UNDER_REVIEW", "LISTED", "OTHER"]
SPANS = [timedelta(seconds=1), timedelta(minutes=30), timedelta(hours=1)] + [
    timedelta(days=days) for days in (1, 2, 3, 4, 7)
]
WEIGHTS = {
    "act": 40,
    "open": 10,
    "second": 12,
    "judge": 6,
    "reject_or_reinstate": 3,
    "place_hold": 4,
    "release_hold": 4,
    "add_note": 3,
    "update": 5,
    "write": 8,
    "go_on": 14,
    "the_sending_comes_by": 3,
    "time_passes": 8,
    "the_worker_comes_by": 6,
    "send_again": 4,
    "send_other_input_with_the_same_key": 3,
    "add_account": 3,
    "add_account_again": 1,
}
WEIGHTS_OF_ACTIONS = {
    "SUBMIT": 8,
    "START_REVIEW": 2,
    "APPROVE": 4,
    "REQUEST_CHANGES": 3,
    "REJECT": 2,
    "APPEAL": 6,
    "WAIVE": 2,
    "CANCEL": 1,
    "EXTEND": 2,
    "ASSIGN": 1,
    "REOPEN": 3,
}
# One draw a step: many small ones would use up what one example may hold after a few steps.
seeds = st.integers(0, 2**32 - 1)


def unless(allowed: bool) -> set[str]:
    return set() if allowed else {"FORBIDDEN"}


@dataclass(frozen=True)
class Done:
    """A request that had an effect under an idempotency key, to be sent again."""

    operation: Callable[..., Any]
    by: str
    command: Any
    account_id: uuid.UUID
    changed: uuid.UUID


@dataclass(frozen=True)
class World:
    """What outlives one run of the machine: the loop, the pools, the platform, its programs."""

    loop: asyncio.AbstractEventLoop
    run: Runner
    programs: dict[str, str]


class Machine(CorrespondenceRules, RuleBasedStateMachine):
    """The accounts of one run, each beside its model."""

    world: World
    random: Random

    def __init__(self) -> None:
        super().__init__()
        self.world.run.clock.set(START)
        self.models: list[Model] = []
        self.done: list[Done] = []
        self.steps = 0

    @initialize(seed=seeds)
    def begin(self, seed: int) -> None:
        self.random = Random(seed)
        self.add_account()

    @rule(seed=seeds)
    def step(self, seed: int) -> None:
        """One request or one turn of the clock; each way as often as its weight."""
        self.steps += 1
        # Hypothesis likes to draw the same number again; the same step again is of little use.
        random = self.random = Random(f"{seed} {self.steps}")
        ways = [way for way, weight in WEIGHTS.items() if weight > 0 and self.can(way)]
        (way,) = random.choices(ways, [WEIGHTS[way] for way in ways])
        getattr(self, way)()

    def can(self, way: str) -> bool:
        """Whether there is something for this to be done to."""
        has = {
            "add_account": len(self.models) < MAX_ACCOUNTS,
            "open": any(len(model.items) < MAX_ITEMS for model in self.models),
            "act": any(model.items for model in self.models),
            "second": any(model.resolutions for model in self.models),
            "judge": any(model.resolutions for model in self.models),
            "add_note": any(model.items for model in self.models),
            "write": self.may_write(),
            "go_on": any(model.contacts for model in self.models),
            "release_hold": any(model.restraints for model in self.models),
            "send_again": bool(self.done),
            "send_other_input_with_the_same_key": bool(self.done),
        }
        return has.get(way, True)

    def add_account(self) -> None:
        name, requested = unique("machine"), self.kinds()
        command = CreateAccount(
            external_id=name,
            business_name="Acme",
            country="FR",
            capabilities=requested,
            idempotency_key=f"create-{name}",
        )
        actor = self.actor("ada", None)
        made = self.call(self.world.run(accounts.create, actor, command)).value
        unknown: Any = None
        model = Model(made.account_id, name, "Acme", set(requested), self.now, unknown)
        model.view = view(model, self.now)
        model.latest = Counter(["ACCOUNT_CREATED"])
        self.models.append(model)
        self.done.append(Done(accounts.create, "ada", command, made.account_id, made.account_id))
        self.compare(model)

    def add_account_again(self) -> None:
        model = self.random.choice(self.models)
        command = CreateAccount(external_id=model.external_id, business_name="B", country="DE")
        self.refused({"ALREADY_EXISTS"}, accounts.create, self.actor("ada", None), command)
        self.compare(model, quiet=True)

    def update(self) -> None:
        draft = self.random.choice(self.models).draft(self.now)
        changes: dict[str, Any] = {}
        if self.random.random() < 0.7:
            changes["business_name"] = self.random.choice(["Acme", "Acme & Sons"])
        if self.random.random() < 0.7:
            changes["capabilities"] = list(self.kinds())
        version, refusals = self.version(self.model_of(draft.id).version)
        command = UpdateAccount(account_id=draft.id, changes=changes, expected_version=version)

        def effect(_: Account) -> None:
            before = (draft.name, draft.requested)
            draft.name = changes.get("business_name", draft.name)
            draft.requested = set(changes.get("capabilities", draft.requested))
            if before != (draft.name, draft.requested):
                draft.version += 1
                draft.say("ACCOUNT_UPDATED")

        by = self.random.choice(["ada", "rita", "sam", "risk-engine"])
        self.perform(draft, accounts.update, by, command, refusals, effect)

    def open(self) -> None:
        chosen = [model for model in self.models if len(model.items) < MAX_ITEMS]
        draft = self.random.choice(chosen).draft(self.now)
        (terms,), by = self.random.choices(PROGRAMS, PROGRAM_WEIGHTS), self.random.choice(WHO)
        given = self.random.choice([None, self.now + self.random.choice(SPANS)])
        group = self.random.choice([None, None, "g"])
        version, refusals = self.version(self.model_of(draft.id).version)
        command = OpenRequirement(
            account_id=draft.id,
            program=self.world.programs[terms.code],
            alternative_group=group,
            deadline=given,
            expected_version=version,
            idempotency_key=self.key(),
        )

        def effect(made: Requirement) -> None:
            due = self.now + (terms.due_after or timedelta())
            until = given or self.after(terms.deadline_after)
            due = due if until is None else min(due, until)
            draft.items.append(Item(made.id, terms, by, due, until, group))
            draft.items[-1].limit()
            draft.say("REQUIREMENT_OPENED")
            tell(draft, self.now)

        refusals |= unless(by in REVIEWERS | {"risk-engine"})
        self.perform(draft, requirements.open_requirement, by, command, refusals, effect)

    def act(self) -> None:
        """Any action on any requirement, by anybody; rather one that the state allows."""
        draft, item = self.pick(lambda model: model.items)
        fitting = [action for action, starts in ALLOWED_FROM.items() if item.state in starts]
        actions = fitting if fitting and self.random.random() < 0.8 else sorted(ALLOWED_FROM)
        (action,) = self.random.choices(actions, [WEIGHTS_OF_ACTIONS[name] for name in actions])
        by = self.random.choice(WHO if self.random.random() < 0.3 else sorted(MAY[action]))
        version, refusals = self.version(item.version)
        fields = {
            "account_id": draft.id,
            "requirement_id": item.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        refusals |= unless(by in MAY[action])
        if item.state not in ALLOWED_FROM[action]:
            refusals |= {"ILLEGAL_TRANSITION"}
        elif item.in_appeal and action != "ASSIGN":
            refusals |= {"APPEAL_PENDING"}
        good = self.random.random() < 0.8
        request = Request(self, draft, item, by, self.random.choice(SPANS), good, fields)
        operation, command, further, effect = getattr(request, action.lower())()
        self.perform(draft, operation, by, command, refusals | further, effect)

    def second(self) -> None:
        """The second pair of eyes; rather on what still waits for them."""
        draft, proposal = self.pick(lambda model: model.resolutions, prefer="PROPOSED")
        by, approve = self.random.choice(WHO), self.random.random() < 0.7
        version, refusals = self.version(proposal.version)
        fields: dict[str, Any] = {
            "account_id": draft.id,
            "resolution_id": proposal.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        refusals |= unless(by in REVIEWERS)
        if proposal.state != "PROPOSED":
            refusals |= {"ILLEGAL_TRANSITION"}
        if proposal.proposer == by:
            refusals |= {"FOUR_EYES"}
        if approve:
            refusals |= unless(by in MAY[ACTION_TO[proposal.outcome]])

        def effect(_: Resolution) -> None:
            item = next(item for item in draft.items if item.proposal is proposal)
            if not approve:
                draft.decline(item, proposal)
                return
            proposal.state, item.proposal = "FINAL", None
            proposal.decider = by
            proposal.version += 1
            draft.say("RESOLUTION_FINAL")
            draft.finish(item, proposal, self.now)
            tell(draft, self.now)

        command: Any = ApproveResolution(**fields) if approve else DeclineResolution(**fields)
        operation = decision.approve_resolution if approve else decision.decline_resolution
        self.perform(draft, operation, by, command, refusals, effect)

    def judge(self) -> None:
        """The decision on an appeal; rather on one that is open."""
        draft, made = self.pick(lambda model: model.resolutions, prefer="APPEALED")
        by, uphold = self.random.choice(WHO), self.random.random() < 0.5
        version, refusals = self.version(made.version)
        reasons = "We have looked again." if self.random.random() < 0.9 else " "
        command = DecideAppeal(
            account_id=draft.id,
            resolution_id=made.id,
            reasons=reasons,
            expected_version=version,
            idempotency_key=self.key(),
        )
        refusals |= unless(by in REVIEWERS)
        refusals |= set() if reasons.strip() else {"INVALID_INPUT"}
        if made.state != "APPEALED":
            refusals |= {"ILLEGAL_TRANSITION"}
        if by in (made.proposer, made.decider):
            refusals |= {"FOUR_EYES"}

        def effect(_: Resolution) -> None:
            item = next(item for item in draft.items if item.rejection is made)
            draft.judge(item, made, uphold, self.now)
            tell(draft, self.now)

        operation = appeal.uphold if uphold else appeal.overturn
        self.perform(draft, operation, by, command, refusals, effect)

    def reject_or_reinstate(self) -> None:
        draft, by = self.random.choice(self.models).draft(self.now), self.random.choice(WHO)
        rejects = (draft.rejected is None) == (self.random.random() < 0.8)
        reason = self.random.choice(["FRAUD", "TERMS_OF_SERVICE", "LISTED", "OTHER"])
        version, refusals = self.version(self.model_of(draft.id).version)
        fields: dict[str, Any] = {
            "account_id": draft.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        refusals |= unless(by in REVIEWERS)
        if rejects == (draft.rejected is not None):
            refusals |= {"ILLEGAL_TRANSITION"}

        def effect(_: Account) -> None:
            draft.rejected = f"rejected.{reason.lower()}" if rejects else None
            draft.version += 1
            draft.say("ACCOUNT_REJECTED" if rejects else "ACCOUNT_REINSTATED")

        command: Any = ReinstateAccount(**fields, reason="It was a mistake.")
        if rejects:
            command = RejectAccount(**fields, reason=reason, statement="We can't serve it.")
        operation = rejection.reject if rejects else rejection.reinstate
        self.perform(draft, operation, by, command, refusals, effect)

    def place_hold(self) -> None:
        draft = self.random.choice(self.models).draft(self.now)
        on, reason, by = self.kinds(), self.random.choice(REASONS), self.random.choice(WHO)
        version, refusals = self.version(self.model_of(draft.id).version)
        command = PlaceHold(
            account_id=draft.id,
            capabilities=on,
            reason=reason,
            expires_at=self.random.choice([None, self.now + self.random.choice(SPANS)]),
            expected_version=version,
            idempotency_key=self.key(),
        )

        def effect(made: Hold) -> None:
            draft.restraints.append(Restraint(made.id, on, reason, command.expires_at))
            draft.say("HOLD_PLACED")

        refusals |= unless(by in REVIEWERS)
        self.perform(draft, hold.place, by, command, refusals, effect)

    def release_hold(self) -> None:
        draft, restraint = self.pick(lambda model: model.restraints)
        by = self.random.choice(WHO)
        version, refusals = self.version(restraint.version)
        command = ReleaseHold(
            account_id=draft.id,
            hold_id=restraint.id,
            expected_version=version,
            idempotency_key=self.key(),
        )
        refusals |= unless(by in REVIEWERS)
        if restraint.released:
            refusals |= {"ILLEGAL_TRANSITION"}

        def effect(_: Hold) -> None:
            restraint.released = True
            restraint.version += 1
            draft.say("HOLD_RELEASED")

        self.perform(draft, hold.release, by, command, refusals, effect)

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
        refusals |= unless(by != "uma")
        self.perform(draft, note.add, by, command, refusals, lambda _: draft.say("NOTE_ADDED"))

    def time_passes(self) -> None:
        self.world.run.clock.advance(self.random.choice(SPANS))

    def the_worker_comes_by(self) -> None:
        model = self.random.choice(self.models)
        due, draft = model.view.next_change_at, model.draft(self.now)
        came = self.call(self.world.run.rederive(model.id))
        assert came == (due is not None and due <= self.now)
        self.keep(draft)

    def send_again(self) -> None:
        """The same request once more: the first result, and nothing else."""
        done = self.random.choice(self.done)
        actor = self.actor(done.by, done.account_id)
        again = self.call(self.world.run(done.operation, actor, done.command))
        assert again.replayed
        assert getattr(again.value, "id", done.account_id) == done.changed
        self.compare(self.model_of(done.account_id), quiet=True)

    def send_other_input_with_the_same_key(self) -> None:
        done = self.random.choice(self.done)
        if isinstance(done.command, CreateAccount):
            command: Any = replace(done.command, business_name="Somebody else")
        else:
            command = replace(done.command, expected_version=STALE + 1)
        actor = self.actor(done.by, done.account_id)
        self.refused({"IDEMPOTENCY_KEY_REUSED"}, done.operation, actor, command)
        self.compare(self.model_of(done.account_id), quiet=True)

    # What the rules are made of.

    @property
    def now(self) -> Any:
        return self.world.run.clock.now()

    def after(self, span: timedelta | None) -> Any:
        return None if span is None else self.now + span

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.world.loop.run_until_complete(coroutine)

    def model_of(self, account_id: uuid.UUID) -> Model:
        return next(model for model in self.models if model.id == account_id)

    def pick(
        self, parts: Callable[[Model], list[Any]], prefer: str | None = None
    ) -> tuple[Model, Any]:
        """A part of some account's draft; mostly one in the preferred state, if there is one."""
        places = [(m, i) for m in self.models for i in range(len(parts(m)))]
        preferred = [(m, i) for m, i in places if prefer and parts(m)[i].state == prefer]
        usual = preferred and self.random.random() < 0.8
        model, index = self.random.choice(preferred if usual else places)
        draft = model.draft(self.now)
        return draft, parts(draft)[index]

    def actor(self, name: str, account_id: uuid.UUID | None) -> Actor:
        run = self.world.run
        if name == "uma":
            return Actor(Role.ACCOUNT_USER, name, run.platform_id, account_id)
        role = {"ada": Role.ADMIN, "risk-engine": Role.INTEGRATOR}.get(name, Role.REVIEWER)
        known = run.staff(role, name)
        return replace(known, scopes=frozenset()) if name == "newbie" else known

    def span(self) -> timedelta:
        return self.random.choice(SPANS)

    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted(self.random.sample(KINDS, self.random.randint(1, 3))))

    def version(self, present: int) -> tuple[int | None, set[str]]:
        """A version to expect, and what refuses it."""
        if self.random.random() < 0.1:
            return STALE, {"STALE_VERSION"}
        return self.random.choice([None, present]), set()

    def key(self) -> str | None:
        return self.random.choice([None, unique("key")])

    def perform(
        self,
        draft: Model,
        operation: Callable[..., Any],
        by: str,
        command: Any,
        refusals: set[str],
        effect: Callable[[Any], None],
    ) -> None:
        """Run an operation and its effect on the draft, or see it refused without a trace."""
        actor = self.actor(by, draft.id)
        remark(f"{self.now} {by} {command} {refusals or 'passes'}")
        if refusals:
            self.refused(refusals, operation, actor, command)
            self.compare(self.model_of(draft.id), quiet=True)
            return
        outcome = self.call(self.world.run(operation, actor, command))
        assert not outcome.replayed
        effect(outcome.value)
        self.call(name_notices(self.world.run, draft))
        draft.settle(self.now)
        if command.idempotency_key is not None:
            changed = getattr(outcome.value, "id", draft.id)
            self.done.append(Done(operation, by, command, draft.id, changed))
        self.keep(draft)

    def refused(
        self, codes: set[str], operation: Callable[..., Any], actor: Actor, command: Any
    ) -> None:
        with pytest.raises(RecourseError) as caught:
            self.call(self.world.run(operation, actor, command))
        assert caught.value.code in codes

    def keep(self, draft: Model) -> None:
        """The draft is what holds from here on."""
        place = next(i for i, model in enumerate(self.models) if model.id == draft.id)
        self.models[place] = draft
        self.compare(draft)

    def compare(self, model: Model, quiet: bool = False) -> None:
        """The store says what the model says, and its chain holds; `quiet` after no change."""
        self.call(compare(self.world.run.database, model, quiet))


@dataclass
class Request:
    """How each action is asked for: (operation, command, further refusals, effect)."""

    machine: Machine
    draft: Model
    item: Item
    by: str
    span: timedelta
    good: bool
    fields: dict[str, Any]

    def submit(self) -> Any:
        command = Submit(**self.fields, payload=PAYLOAD if self.good else {"name": 7})
        refusals = set() if self.good else {"EVIDENCE_INVALID"}
        moves = self.moves("SUBMITTED", "SUBMITTED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.submit(self.machine.now)

        return requirements.submit, command, refusals, effect

    def start_review(self) -> Any:
        effect = self.moves("IN_REVIEW", "REVIEW_STARTED")
        return requirements.start_review, StartReview(**self.fields), set(), effect

    def request_changes(self) -> Any:
        command = RequestChanges(**self.fields, errors=(ERROR,) if self.good else ())
        refusals = set() if self.good else {"INVALID_INPUT"}
        moves = self.moves("ACTION_REQUIRED", "CHANGES_REQUESTED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.pause_review(self.machine.now)
            if self.item.give_back(self.machine.now):
                self.draft.say("REQUIREMENT_DEADLINE_MOVED")
            tell(self.draft, self.machine.now)
            self.draft.drop_overtaken(self.item)

        return requirements.request_changes, command, refusals, effect

    def extend(self) -> Any:
        old = self.item.deadline
        new = (old or self.machine.now) + (self.span if self.good else -self.span)
        fits = old is not None and new > max(old, self.machine.now)
        moves = self.moves(self.item.state, "EXTENDED")

        def effect(made: Any) -> None:
            moves(made)
            self.item.deadline = new
            tell(self.draft, self.machine.now)

        refusals = set() if fits else {"INVALID_INPUT"}
        if fits and self.item.latest is not None and new > self.item.latest:
            refusals = {"EXTENSION_LIMIT"}
        return requirements.extend, Extend(**self.fields, deadline=new), refusals, effect

    def assign(self) -> Any:
        command = Assign(**self.fields, assignee_id="rita" if self.good else None)
        return (
            requirements.assign,
            command,
            set(),
            self.moves(self.item.state, "ASSIGNED"),
        )

    def reopen(self) -> Any:
        moves = self.moves("ACTION_REQUIRED", "REOPENED")
        given = self.machine.now + self.span if self.good else None

        def effect(made: Any) -> None:
            moves(made)
            self.item.closed_at = None
            self.item.appealed = False
            self.item.currently_due_at = self.machine.now
            self.item.deadline = given or self.machine.after(self.item.terms.deadline_after)
            self.item.limit()
            tell(self.draft, self.machine.now)

        command = Reopen(**self.fields, reason="Expired.", deadline=given)
        return requirements.reopen, command, set(), effect

    def cancel(self) -> Any:
        command = Cancel(**self.fields, reason="No longer needed.")
        refusals = unless(self.by == "ada" or self.by == self.item.opener)
        return (
            requirements.cancel,
            command,
            refusals,
            lambda _: self.draft.cancel(self.item, self.machine.now),
        )

    def approve(self) -> Any:
        return self.decide("SATISFIED", decision.approve, Statement())

    def reject(self) -> Any:
        operation, command, refusals, effect = self.decide("REJECTED", decision.reject, REJECTION)
        if not self.good:
            command, refusals = (
                replace(command, statement=Statement()),
                {"INVALID_INPUT"} | refusals,
            )
        return operation, command, refusals, effect

    def appeal(self) -> Any:
        command = Appeal(**self.fields, statement="It is me." if self.good else " ")
        refusals = set() if self.good else {"INVALID_INPUT"}
        item, now = self.item, self.machine.now
        if item.state == "REJECTED" and item.appealed:
            refusals |= {"ALREADY_APPEALED"}
        elif item.state == "REJECTED" and (item.appeal_until or now) <= now:
            refusals |= {"APPEAL_WINDOW_CLOSED"}
        moves = self.moves("IN_REVIEW", "APPEALED")

        def effect(made: Any) -> None:
            moves(made)
            assert item.rejection is not None
            item.closed_at, item.appealed = None, True
            item.promise(now)
            item.rejection.state = "APPEALED"
            item.rejection.version += 1

        return appeal.appeal, command, refusals, effect

    def waive(self) -> Any:
        return self.decide("WAIVED", decision.waive, Statement())

    def decide(self, outcome: str, operation: Any, statement: Statement) -> Any:
        refusals = set() if self.item.proposal is None else {"PROPOSAL_PENDING"}

        def effect(made: Resolution) -> None:
            proposal = Proposal(made.id, outcome, self.by)
            self.draft.resolutions.append(proposal)
            if self.item.terms.four_eyes or outcome == "WAIVED":
                self.item.proposal = proposal
                self.item.version += 1
                self.draft.say("RESOLUTION_PROPOSED")
                return
            proposal.state, proposal.decider = "FINAL", self.by
            self.draft.say("RESOLUTION_FINAL")
            self.draft.finish(self.item, proposal, self.machine.now)
            tell(self.draft, self.machine.now)

        command = Decide(**self.fields, reason_code="checked", statement=statement)
        return operation, command, refusals, effect

    def moves(self, state: str, event: str) -> Callable[[Any], None]:
        """The effect of an action that does no more than move the requirement."""

        def effect(_: Any) -> None:
            self.item.state = state
            self.item.version += 1
            self.draft.say(f"REQUIREMENT_{event}")

        return effect


async def compare(database: Database, model: Model, quiet: bool) -> None:
    """Hold every stored row of an account against the model."""
    async with database.worker.connect() as connection:

        async def rows(kind: Any, *columns: str) -> list[Any]:
            table = kind.__table__
            found = select(*(table.c[name] for name in columns))
            return list(await connection.execute(found.where(table.c.account_id == model.id)))

        (account,) = await rows(
            Account,
            *("status", "disabled_reason", "next_deadline", "next_change_at"),
            *("derived_at", "version", "event_sequence", "business_name", "rejected_reason"),
        )
        capabilities = await rows(
            Capability, "kind", "requested", "status", "disabled_reason", "restricts_at"
        )
        items = await rows(
            Requirement,
            *("id", "state", "version", "currently_due_at", "notice_at", "deadline"),
            *("closed_at", "proposed_outcome"),
            *("review_due_at", "review_at_risk_at", "review_left_seconds", "latest_deadline"),
        )
        resolutions = await rows(Resolution, "id", "state", "version", "outcome")
        contacts = await rows(Interaction, "id", "state", "version", "direction")
        holds = await rows(Hold, "id", "version", "released_at")
        spans = await rows(
            RequirementSpan, "requirement_id", "number", "party", "started_at", "ended_at"
        )
        events = await rows(Event, "sequence", "type")
    now = model.view
    assert tuple(account) == (
        *(now.status, now.reason, now.next_deadline, now.next_change_at),
        *(model.derived_at, model.version, model.sequence, model.name, model.rejected),
    )
    assert {tuple(row) for row in capabilities} == {
        (kind, kind in model.requested, *now.capabilities[kind]) for kind in KINDS
    }
    assert {tuple(row) for row in items} == {
        (
            *(item.id, item.state, item.version, item.currently_due_at, item.notice_at),
            *(item.deadline, item.closed_at, item.proposal and item.proposal.outcome),
            *(item.review or (None, None)),
            None if item.review_left is None else int(item.review_left.total_seconds()),
            item.latest,
        )
        for item in model.items
    }
    assert {tuple(row) for row in resolutions} == {
        (made.id, made.state, made.version, made.outcome) for made in model.resolutions
    }
    assert {tuple(row) for row in contacts} == {
        (one.id, one.state, one.version, "OUTBOUND" if one.outbound else "INBOUND")
        for one in model.contacts
    }
    assert {(row.id, row.version, row.released_at is not None) for row in holds} == {
        (restraint.id, restraint.version, restraint.released) for restraint in model.restraints
    }
    assert {tuple(row) for row in spans} == {
        (item.id, number, *span)
        for item in model.items
        for number, span in enumerate(item.ledger, 1)
    }
    assert len(events) == model.sequence
    if not quiet:
        before = model.sequence - model.latest.total()
        assert Counter(e.type for e in events if e.sequence > before) == model.latest
    assert await verify_account(database.worker, model.id) == []


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """The machine is no coroutine, so it brings a loop of its own."""
    loop = asyncio.new_event_loop()

    async def begin() -> World:
        clock = ManualClock(START)
        run = await create_runner(Database.connect(database_url, pool_size=2), clock)
        codes = {terms.code: (await publish(run, terms)) for terms in PROGRAMS}
        return World(loop, run, codes)

    made = loop.run_until_complete(begin())
    yield made
    loop.run_until_complete(made.run.database.close())
    loop.close()


async def publish(run: Runner, terms: Terms) -> str:
    program = await publish_program(
        run,
        due_after=iso(terms.due_after),
        deadline_after=iso(terms.deadline_after),
        notice_period=iso(terms.notice_period),
        restricts=terms.restricts,
        gates=terms.gates,
        four_eyes=terms.four_eyes,
        appeal_within=iso(terms.appeal_within),
        termination_notice=iso(terms.termination_notice or None),
        pauses_deadline=terms.pauses_deadline,
        review_within=iso(terms.review_within),
        max_extension=iso(terms.max_extension),
    )
    return program.code


def iso(span: timedelta | None) -> str | None:
    return None if span is None else f"PT{int(span.total_seconds())}S"


def test_the_domain_does_what_the_model_does(world: World, pytestconfig: pytest.Config) -> None:
    steps: int = pytestconfig.getoption("--steps")

    class OfThisRun(Machine):
        pass

    OfThisRun.world = world
    run_state_machine_as_test(
        OfThisRun,
        settings=settings(
            max_examples=max(1, steps // STEPS_PER_RUN),
            stateful_step_count=STEPS_PER_RUN,
            deadline=None,
            database=None,
            # Making a failing run shorter takes minutes; each step says what it did anyway.
            phases=[Phase.generate],
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
