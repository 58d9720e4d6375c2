"""What the rules of the state machine are made of: somebody asks for something, and what follows.

The rules are beside it: `account_rules.py`, `requirement_rules.py`, `decision_rules.py`,
`correspondence_rules.py`, `sending_rules.py`, `program_rules.py` and `clock_rules.py`.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import note as remark
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from models.actor import Actor, Role
from models.errors import RecourseError
from models.events import GENESIS_HASH
from tests.factories import Runner, unique
from tests.models.comparison import compare, compare_views, is_untouched, snapshot
from tests.models.reference import Model, Terms
from tests.models.reference_view import KINDS

STALE = 1_000_000
EVERYBODY = ["ada", "rita", "sam", "newbie", "risk-engine", "uma"]
WHO = ["ada", "rita", "rita", "sam", "sam", "newbie", "risk-engine", "uma"]
SPANS = [timedelta(seconds=1), timedelta(minutes=30), timedelta(hours=1)] + [
    timedelta(days=days) for days in (1, 2, 3, 4, 7)
]


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


@dataclass
class World:
    """What outlives one run of the machine: the loop, the pools, what was counted."""

    loop: asyncio.AbstractEventLoop
    database: Database
    owner: AsyncConnection
    # How often each thing was done, and how often refused.
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    # What all steps follow from.
    seed: str = ""
    steps: int = 0
    # What has happened, by type.
    events: Counter[str] = field(default_factory=Counter)


class Workbench:
    """The accounts of one run, each beside its model, and how anything is asked for."""

    world: World
    run: Runner
    random: Random
    models: list[Model]
    done: list[Done]
    terms: dict[str, Terms]
    retired: set[str]
    program_states: dict[tuple[str, int], str]
    # The rows of each account as they were last seen.
    seen: dict[uuid.UUID, dict[str, Any]]

    @property
    def now(self) -> datetime:
        return self.run.clock.now()

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.world.loop.run_until_complete(coroutine)

    def model_of(self, account_id: uuid.UUID) -> Model:
        return next(model for model in self.models if model.id == account_id)

    def some_draft(self) -> Model:
        return self.random.choice(self.models).draft(self.now)

    def one_of(self, people: Iterable[str]) -> str:
        """One of these mostly, else anybody."""
        return self.random.choice(WHO if self.random.random() < 0.2 else sorted(people))

    def pick(
        self,
        parts: Callable[[Model], list[Any]],
        prefer: Callable[[Any], bool] = lambda _: False,
    ) -> tuple[Model, Any]:
        """A part of some account's draft; mostly a preferred one, if there is one."""
        places = [(m, i) for m in self.models for i in range(len(parts(m)))]
        preferred = [(m, i) for m, i in places if prefer(parts(m)[i])]
        usual = preferred and self.random.random() < 0.85
        model, index = self.random.choice(preferred if usual else places)
        draft = model.draft(self.now)
        return draft, parts(draft)[index]

    def actor(self, name: str, account_id: uuid.UUID | None) -> Actor:
        if name == "uma":
            return Actor(Role.ACCOUNT_USER, name, self.run.platform_id, account_id)
        role = {"ada": Role.ADMIN, "risk-engine": Role.INTEGRATOR}.get(name, Role.REVIEWER)
        known = self.run.staff(role, name)
        return replace(known, scopes=frozenset()) if name == "newbie" else known

    def is_foreign(self, by: str, terms: Terms) -> bool:
        """Whether somebody is an integrator to whom these are another team's terms."""
        return by == "risk-engine" and terms.owner != by

    def span(self) -> timedelta:
        return self.random.choice(SPANS)

    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted(self.random.sample(KINDS, self.random.randint(1, 3))))

    def version(self, present: int) -> tuple[int | None, set[str]]:
        """A version to expect, and what refuses it."""
        if self.random.random() < 0.05:
            return STALE, {"STALE_VERSION"}
        return self.random.choice([None, present]), set()

    def account_version(self, draft: Model) -> tuple[int | None, set[str]]:
        """Likewise of an account: the one before the clock has caught up."""
        return self.version(self.model_of(draft.id).version)

    def key(self) -> str | None:
        return self.random.choice([None, unique("key")])

    def perform(
        self,
        what: str,
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
            self.refused(what, refusals, operation, actor, command)
            self.see_untouched(draft.id)
            return
        outcome = self.call(self.run(operation, actor, command))
        assert not outcome.replayed
        effect(outcome.value)
        draft.settle()
        if command.idempotency_key is not None:
            changed = getattr(outcome.value, "id", draft.id)
            self.done.append(Done(operation, by, command, draft.id, changed))
        self.keep(draft)
        self.world.done[what] += 1

    def refused(
        self,
        what: str,
        codes: set[str],
        operation: Callable[..., Any],
        actor: Actor,
        command: Any,
    ) -> None:
        with pytest.raises(RecourseError) as caught:
            self.call(self.run(operation, actor, command))
        assert caught.value.code in codes
        self.world.refused[what] += 1

    def keep(self, draft: Model) -> None:
        """The draft is what holds from here on: the store says the same, and so do readers."""
        before = self.seen[draft.id]
        since = draft.sequence - draft.latest.total()
        found = self.call(snapshot(self.world.owner, draft.id, since))
        head = before["accounts"][0]["event_hash"] if before["accounts"] else GENESIS_HASH
        compare(draft, found, head)
        by = self.random.choice(EVERYBODY)
        compare_views(draft, found, by, self.actor(by, draft.id))
        self.seen[draft.id] = found
        place = next(i for i, model in enumerate(self.models) if model.id == draft.id)
        self.models[place] = draft
        self.world.events += draft.latest

    def see_untouched(self, account_id: uuid.UUID) -> None:
        """Not one row of the account has changed."""
        since = self.model_of(account_id).sequence
        after = self.call(snapshot(self.world.owner, account_id, since))
        assert is_untouched(self.seen[account_id], after)
