"""The state machine's rules of accounts: made, changed, rejected, taken back, held; and keys."""

from collections import Counter
from dataclasses import replace
from typing import Any

from models import account as accounts
from models import account_rejection as rejection
from models import hold
from models.account import CreateAccount, UpdateAccount
from models.account_rejection import ReinstateAccount, RejectAccount
from models.aggregate import Account
from models.hold import Hold, PlaceHold, ReleaseHold
from tests.factories import unique
from tests.models.machine import STALE, WHO, Done, Workbench, unless
from tests.models.reference import REVIEWERS, Model, Restraint
from tests.models.reference_contacts import tell
from tests.models.reference_view import view

MAX_ACCOUNTS = 3
EMAILS = [None, "ada@example.org", "grace@example.org", "alan@example.org"]
REASONS = ["PLATFORM_PAUSED", "UNDER_REVIEW", "UNDER_REVIEW", "LISTED", "OTHER"]
CREATORS = {"ada", "risk-engine"}


class AccountRules(Workbench):
    """What is done to accounts."""

    def add_account(self) -> None:
        """An account, by those who may make them, or the very first."""
        name, requested = unique("machine"), self.kinds()
        email = self.random.choice(EMAILS)
        by = self.one_of(CREATORS) if self.models else "ada"
        command = CreateAccount(
            external_id=name,
            business_name="Acme",
            country="FR",
            email=email,
            capabilities=requested,
            idempotency_key=f"create-{name}",
        )
        actor = self.actor(by, self.models[0].id if self.models else None)
        if by not in CREATORS:
            self.refused("account create", {"FORBIDDEN"}, accounts.create, actor, command)
            return
        made = self.call(self.run(accounts.create, actor, command)).value
        unknown: Any = None
        model = Model(made.account_id, name, "Acme", set(requested), self.now, unknown, email)
        model.view = view(model, self.now)
        model.latest = Counter(["ACCOUNT_CREATED"])
        self.models.append(model)
        self.seen[model.id] = {"accounts": []}
        self.done.append(Done(accounts.create, by, command, made.account_id, made.account_id))
        self.keep(model)
        self.world.done["account create"] += 1

    def add_account_again(self) -> None:
        """An external id that is taken: a further account of this name is refused."""
        model = self.random.choice(self.models)
        command = CreateAccount(external_id=model.external_id, business_name="B", country="DE")
        actor = self.actor("ada", None)
        self.refused("account create", {"ALREADY_EXISTS"}, accounts.create, actor, command)
        self.see_untouched(model.id)

    def update(self) -> None:
        """Other values of an account's fields, or the same ones."""
        draft = self.some_draft()
        offered: dict[str, Any] = {
            "business_name": self.random.choice(["Acme", "Acme & Sons", "Acme Ltd", " "]),
            "capabilities": list(self.kinds()),
            "email": self.random.choice([*EMAILS, *EMAILS, "nobody"]),
            "country": self.random.choice(["FR", "DE", "NL", "XX"]),
        }
        named = self.random.sample(sorted(offered), self.random.randint(0, 2))
        changes = {name: offered[name] for name in named}
        version, refusals = self.account_version(draft)
        command = UpdateAccount(
            account_id=draft.id,
            changes=changes,
            expected_version=version,
            idempotency_key=self.key(),
        )
        by = self.random.choice(WHO)
        refusals |= unless(by != "uma")
        if {" ", "nobody", "XX"} & {v for v in changes.values() if isinstance(v, str)}:
            refusals |= {"INVALID_INPUT"}

        def effect(_: Account) -> None:
            before = (draft.name, draft.requested, draft.email, draft.country)
            draft.name = changes.get("business_name", draft.name)
            draft.requested = set(changes.get("capabilities", draft.requested))
            draft.email = changes.get("email", draft.email)
            draft.country = changes.get("country", draft.country)
            if before != (draft.name, draft.requested, draft.email, draft.country):
                draft.version += 1
                draft.say("ACCOUNT_UPDATED")

        self.perform("account update", draft, accounts.update, by, command, refusals, effect)

    def reject(self) -> None:
        """The end of the relation with an account, mostly one that has not ended."""
        self._end_or_begin_again(ends=True)

    def reinstate(self) -> None:
        """Its beginning again, mostly of one that has ended."""
        self._end_or_begin_again(ends=False)

    def _end_or_begin_again(self, ends: bool) -> None:
        fitting = [model for model in self.models if (model.rejected is None) == ends]
        usual = fitting if fitting and self.random.random() < 0.85 else self.models
        draft, by = self.random.choice(usual).draft(self.now), self.one_of(REVIEWERS)
        reason = self.random.choice(["FRAUD", "TERMS_OF_SERVICE", "LISTED", "OTHER"])
        version, refusals = self.account_version(draft)
        fields: dict[str, Any] = {
            "account_id": draft.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        refusals |= unless(by in REVIEWERS)
        if ends == (draft.rejected is not None):
            refusals |= {"ILLEGAL_TRANSITION"}

        def effect(_: Account) -> None:
            draft.rejected = f"rejected.{reason.lower()}" if ends else None
            draft.version += 1
            tell(draft)
            draft.say("ACCOUNT_REJECTED" if ends else "ACCOUNT_REINSTATED")

        command: Any = ReinstateAccount(**fields, reason="It was a mistake.")
        if ends:
            command = RejectAccount(**fields, reason=reason, statement="We can't serve it.")
        operation = rejection.reject if ends else rejection.reinstate
        what = f"account {'reject' if ends else 'reinstate'}"
        self.perform(what, draft, operation, by, command, refusals, effect)

    def place_hold(self) -> None:
        """A hold on any capabilities, for good or for a time."""
        draft = self.some_draft()
        on, reason, by = self.kinds(), self.random.choice(REASONS), self.one_of(REVIEWERS)
        version, refusals = self.account_version(draft)
        nothing, late = self.random.random() < 0.03, self.random.random() < 0.05
        expires_at = self.random.choice([None, draft.now + self.span()])
        command = PlaceHold(
            account_id=draft.id,
            capabilities=() if nothing else on,
            reason=reason,
            expires_at=draft.now if late else expires_at,
            expected_version=version,
            idempotency_key=self.key(),
        )

        def effect(made: Hold) -> None:
            draft.restraints.append(Restraint(made.id, on, reason, command.expires_at))
            draft.say("HOLD_PLACED")

        refusals |= unless(by in REVIEWERS)
        refusals |= {"INVALID_INPUT"} if nothing or late else set()
        self.perform("hold place", draft, hold.place, by, command, refusals, effect)

    def release_hold(self) -> None:
        """The end of a hold that is on, has expired, or was released before."""
        draft, restraint = self.pick(
            lambda model: model.restraints, lambda restraint: not restraint.released
        )
        by = self.one_of(REVIEWERS)
        version, refusals = self.version(restraint.version)
        command = ReleaseHold(
            account_id=draft.id,
            hold_id=restraint.id,
            expected_version=version,
            idempotency_key=self.key(),
        )
        refusals |= unless(by in REVIEWERS)
        over = restraint.expires_at is not None and restraint.expires_at <= draft.now
        if restraint.released or over:
            refusals |= {"ILLEGAL_TRANSITION"}

        def effect(_: Hold) -> None:
            restraint.released = True
            restraint.version += 1
            draft.say("HOLD_RELEASED")
            if draft.rejected is None and set(restraint.capabilities) & draft.requested:
                tell(draft)

        self.perform("hold release", draft, hold.release, by, command, refusals, effect)

    def send_again(self) -> None:
        """The same request once more: the first result, and nothing else."""
        done = self.random.choice(self.done)
        actor = self.actor(done.by, done.account_id)
        again = self.call(self.run(done.operation, actor, done.command))
        assert again.replayed
        assert getattr(again.value, "id", done.account_id) == done.changed
        self.see_untouched(done.account_id)
        self.world.done["replay"] += 1

    def send_other_input_with_the_same_key(self) -> None:
        """A key that stands for something else."""
        done = self.random.choice(self.done)
        if isinstance(done.command, CreateAccount):
            command: Any = replace(done.command, business_name="Somebody else")
        else:
            command = replace(done.command, expected_version=STALE + 1)
        actor = self.actor(done.by, done.account_id)
        self.refused("replay", {"IDEMPOTENCY_KEY_REUSED"}, done.operation, actor, command)
        self.see_untouched(done.account_id)
