"""Random operations on accounts, held against a plain model in memory after every step.

`--steps N` says how many steps in all, in shards that workers share among them. What the machine
does is in `machine.py` and the rules beside it, what must come of it in `reference.py`.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random, SystemRandom

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import create_async_engine

from app.database import Database
from models import program as programs
from models.clock import ManualClock
from models.verify import Finding, verify, verify_account
from tests.factories import create_runner
from tests.models.account_rules import MAX_ACCOUNTS, AccountRules
from tests.models.clock_rules import MOVES, ClockRules, a_start
from tests.models.correspondence_rules import REPORTS, CorrespondenceRules
from tests.models.decision_rules import DecisionRules
from tests.models.machine import World
from tests.models.program_rules import PROGRAMS, ProgramRules, publishing
from tests.models.reference import ALLOWED_FROM
from tests.models.requirement_rules import MAX_ITEMS, RequirementRules
from tests.models.sending_rules import SendingRules

STEPS_PER_RUN = 80
SHARDS = 2
WEIGHTS = {
    "act": 60,
    "open": 9,
    "second": 12,
    "judge": 40,
    "reject": 3,
    "reinstate": 12,
    "place_hold": 3,
    "release_hold": 5,
    "add_note": 2,
    "update": 3,
    "write": 7,
    "go_on": 20,
    "the_sending_comes_by": 26,
    "the_mail_server_answers": 20,
    "time_passes": 17,
    "the_worker_comes_by": 80,
    "publish_another": 3,
    "retire": 2,
    "send_again": 2,
    "send_other_input_with_the_same_key": 1,
    "add_account": 2,
    "add_account_again": 1,
}
# Each of these is done at least once in so many steps; the rarest is done some four times, so that
# no run fails by chance.
STEPS_PER_DEED = 2_000
DEEDS = (
    *("account create", "account update", "account reject", "account reinstate"),
    *("hold place", "hold release", "note add", "requirement open"),
    *(f"requirement {action.lower().replace('_', ' ')}" for action in ALLOWED_FROM),
    *("proposal approve", "proposal decline", "appeal uphold", "appeal overturn"),
    *("interaction draft", "interaction receive", "interaction update"),
    *("interaction schedule", "interaction send", "interaction cancel"),
    *(f"interaction report {seen.lower()}" for seen in REPORTS),
    *(
        "sending lets out",
        "sending gives up",
        "sending takes",
        "sending leaves",
        "letter again",
        "letter mailed",
        "letter passing",
    ),
    *("letter for good", "letter no mail server"),
    *("program publish", "program retire", "replay"),
    *("clock loop catches up", "clock loop leaves", "clock loop reminds"),
    *(f"time passes {how}" for how in MOVES),
)
# One draw a run: many would use up what one example may hold after a few steps, and Hypothesis
# likes to draw the same number again, where the same steps again are of little use.
seeds = st.integers(0, 2**32 - 1)


class Machine(
    AccountRules,
    RequirementRules,
    DecisionRules,
    CorrespondenceRules,
    SendingRules,
    ProgramRules,
    ClockRules,
    RuleBasedStateMachine,
):
    """The accounts of one run, on a platform of its own, at a time of its own."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.models, self.done, self.letters, self.seen = [], [], [], {}
        # The integrator publishes them.
        self.terms = {terms.code: replace(terms, owner="risk-engine") for terms in PROGRAMS}
        self.retired: set[str] = set()
        self.program_states = {(terms.code, 1): "PUBLISHED" for terms in PROGRAMS}

    @initialize(seed=seeds)
    def begin(self, seed: int) -> None:
        self.random = Random(f"{self.world.seed} {seed}")
        clock = ManualClock(a_start(self.random))
        self.run = self.call(create_runner(self.world.database, clock))
        for terms in PROGRAMS:
            self.call(self.run(programs.publish, self.run.integrator, publishing(terms)))
        self.add_account()

    @rule()
    def step(self) -> None:
        """One request or one turn of the clock; each way as often as its weight."""
        random = self.random
        ways = [way for way in WEIGHTS if self.can(way)]
        wanted = self.wanted()
        weights = [WEIGHTS[way] * (way not in wanted or wanted[way]) or 1 for way in ways]
        (way,) = random.choices(ways, weights)
        before = self.now
        if random.random() < 0.04 and way != "time_passes":
            # The clock of whoever does this lags behind.
            self.run.clock.set(before - self.span())
        getattr(self, way)()
        self.run.clock.set(max(before, self.now))
        self.world.steps += 1

    def teardown(self) -> None:
        """All hashes, ledgers and statuses of the run's accounts are what follows from the rest."""
        for model in self.models:
            assert self.call(verify_account(self.world.database.worker, model.id)) == []

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
            "the_mail_server_answers": bool(self.letters),
            "release_hold": any(model.restraints for model in self.models),
            "send_again": bool(self.done),
            "send_other_input_with_the_same_key": bool(self.done),
        }
        return has.get(way, True)

    def wanted(self) -> dict[str, bool]:
        """What is of use only at times, and whether it is now; at other times it is a rarity."""
        states = {made.state for model in self.models for made in model.resolutions}
        contacts = [contact for model in self.models for contact in model.contacts]
        marks = (model.view.next_change_at for model in self.models)
        return {
            "second": "PROPOSED" in states,
            "judge": "APPEALED" in states,
            "reinstate": any(model.rejected for model in self.models),
            "release_hold": any(not hold.released for m in self.models for hold in m.restraints),
            "the_sending_comes_by": any(contact.is_due(self.now) for contact in contacts),
            "the_worker_comes_by": any(mark is not None and mark <= self.now for mark in marks),
        }


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """The machine is no coroutine, so it brings a loop of its own."""
    loop = asyncio.new_event_loop()
    engine = create_async_engine(database_url, isolation_level="AUTOCOMMIT")
    owner = loop.run_until_complete(engine.connect())
    database = Database.connect(database_url, pool_size=2)
    yield World(loop, database, owner)
    loop.run_until_complete(owner.close())
    loop.run_until_complete(engine.dispose())
    loop.run_until_complete(database.close())
    loop.close()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_domain_does_what_the_model_does(
    shard: int,
    world: World,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    steps: int = pytestconfig.getoption("--steps")
    share = -(-steps // SHARDS)
    seed = pytestconfig.getoption("--machine-seed") or SystemRandom().randrange(2**32)
    print(f"--machine-seed {seed}")
    while world.steps < share:
        world.seed += f"{seed} {shard} "
        take_steps(world, share - world.steps)
    record_property("steps", world.steps)
    print(table_of(world))
    assert SHARDS * world.steps >= steps
    look_at_the_whole_store(world)
    rare = {deed: world.done[deed] for deed in DEEDS if world.done[deed] < share // STEPS_PER_DEED}
    assert not rare


def take_steps(world: World, count: int) -> None:
    """Let the machine run, about so many steps in all."""

    @seeded(Random(world.seed).randrange(2**32))
    class OfThisRun(Machine):
        pass

    OfThisRun.world = world
    run_state_machine_as_test(
        OfThisRun,
        settings=settings(
            max_examples=-(-count // STEPS_PER_RUN),
            stateful_step_count=STEPS_PER_RUN + 1,
            deadline=None,
            database=None,
            # Making a failing run shorter takes minutes; each step says what it did anyway.
            phases=[Phase.generate],
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def look_at_the_whole_store(world: World) -> None:
    """`verify` finds nothing, and it has looked at all that the machine has made."""
    found: list[Finding] = []
    counts = world.loop.run_until_complete(verify(world.database.worker, found.append))
    assert found == []
    assert counts.accounts == counts.total >= world.done["account create"]
    assert world.done["account create"] >= world.steps // (STEPS_PER_RUN + 1)
    assert counts.events >= world.events.total() >= world.steps // 2


def table_of(world: World) -> str:
    """How often each thing was done, and how often it was refused."""
    deeds = sorted({*world.done, *world.refused})
    rows = [f"{deed:36} {world.done[deed]:6} {world.refused[deed]:6}" for deed in deeds]
    told = [f"{kind} {count}" for kind, count in sorted(world.events.items())]
    return "\n".join([f"{world.steps} steps", f"{'':36}   done refused", *rows, *told])
