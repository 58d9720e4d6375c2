"""The state machine's rules of programs: further versions of them, and their end."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from models import program as programs
from models.errors import RecourseError
from models.program import BusinessCalendar, CodeText, Program, Publish, Retire
from tests.factories import program_values, unique
from tests.models.machine import Workbench, unless
from tests.models.reference import Terms
from tests.models.reference_time import Place, Span, days

PUBLISHERS = ["ada", "risk-engine"]
MAX_PROGRAMS = 8
HOUR = Span(rest=timedelta(hours=1))
A_MORNING = Span(rest=timedelta(minutes=150))
PLACES = (
    Place("DE-BY", "Europe/Berlin"),
    Place("US", "America/New_York"),
    # Where Sunday is a working day, by a clock that is changed on Sundays.
    Place("SA", "Europe/Berlin"),
)
# What every run begins with; further versions are made up.
PROGRAMS = (
    Terms(
        "plain",
        reminders=(days(13), days(7), days(2)),
        due_after=days(7),
        deadline_after=days(14),
        notice_period=days(3),
        restricts=("PAYOUTS",),
        gates=("TRANSFERS",),
        appeal_within=days(30),
        termination_notice=days(2),
        review_within=days(2),
        max_extension=days(3),
    ),
    Terms(
        "strict",
        reminders=(days(4), days(3), days(2), days(1)),
        deadline_after=days(5),
        notice_period=days(5),
        restricts=("CARD_PAYMENTS", "PAYOUTS"),
        four_eyes=True,
        appeal_within=days(3),
        reasons=("checked",),
    ),
    Terms(
        "soft",
        due_after=days(1),
        gates=("CARD_PAYMENTS", "PAYOUTS"),
        appeal_within=days(30),
        review_within=A_MORNING,
        place=PLACES[2],
    ),
    Terms(
        "quick",
        reminders=(Span(rest=timedelta(minutes=30)),),
        due_after=HOUR,
        deadline_after=HOUR,
        restricts=("TRANSFERS",),
        pauses_deadline=False,
    ),
    Terms(
        "monthly",
        reminders=(days(25), days(14), days(3), HOUR),
        due_after=days(14),
        deadline_after=Span(months=1),
        notice_period=Span(months=1, rest=timedelta(days=1)),
        restricts=("PAYOUTS",),
        termination_notice=Span(months=1),
        review_within=days(1),
        place=PLACES[0],
        max_extension=Span(months=2),
    ),
    Terms(
        "placed",
        reminders=(days(28), days(21), days(14), days(7), days(1)),
        deadline_after=days(30),
        notice_period=days(7),
        restricts=("TRANSFERS",),
        review_within=HOUR,
        place=PLACES[2],
    ),
)


REMINDERS = (
    (),
    (Span(rest=timedelta(minutes=30)),),
    (days(13), days(7), days(2), days(1), HOUR),
    (Span(months=1), days(12), days(3), days(1)),
)


def another_version(random: Random, code: str, version: int) -> Terms:
    """Terms of which any may come with any others."""
    spans = [None, HOUR, days(1), days(3), days(14), Span(months=1)]
    # Whoever is refused has a day at least.
    windows = [span for span in spans if span != HOUR]
    place = random.choice([None, *PLACES])
    due, deadline = random.choice(spans), random.choice(spans)
    if due is not None and deadline is not None:
        due, deadline = sorted((due, deadline), key=spans.index)
    # Working time is not counted in months.
    promises = spans if place is None else [*spans[:-1], A_MORNING]
    some: list[tuple[str, ...]] = [(), ("PAYOUTS",), ("TRANSFERS",), ("CARD_PAYMENTS", "PAYOUTS")]
    return Terms(
        code,
        version,
        due_after=due,
        deadline_after=deadline,
        notice_period=random.choice(spans),
        restricts=random.choice(some),
        gates=random.choice(some),
        four_eyes=random.random() < 0.3,
        appeal_within=random.choice(windows),
        termination_notice=random.choice(windows),
        pauses_deadline=random.random() < 0.8,
        review_within=random.choice(promises),
        place=place,
        max_extension=random.choice(spans),
        reminders=random.choice(REMINDERS),
        reasons=random.choice([(), (), ("checked",)]),
        owner=random.choice(["risk-engine", "risk-engine", "identity-team"]),
    )


class ProgramRules(Workbench):
    """What is done to programs."""

    def publish_another(self) -> None:
        """A further version of a program, or a new program."""
        new = len(self.terms) < MAX_PROGRAMS and self.random.random() < 0.2
        retired = sorted(self.retired)
        usual = retired if retired and self.random.random() < 0.5 else sorted(self.terms)
        code = unique("program") if new else self.random.choice(usual)
        present = 0 if new else self.terms[code].version
        terms = another_version(self.random, code, present + 1)
        by, good = self.one_of(PUBLISHERS), self.random.random() < 0.9
        foreign = not new and self.is_foreign(by, self.terms[code])
        version, refusals = self.version(present)
        command = replace(publishing(terms), expected_version=version, idempotency_key=self.key())
        if not good:
            wrong: list[dict[str, Any]] = [
                {"deadline_after": "P-1D"},
                {"due_after": "P2D", "deadline_after": "PT47H"},
            ]
            command = replace(command, **self.random.choice(wrong))
        refusals |= unless(by in PUBLISHERS and not foreign)
        refusals |= set() if good else {"INVALID_INPUT"}
        if not self._change_program("program publish", programs.publish, by, command, refusals):
            return
        if present and code not in self.retired:
            self.program_states[code, present] = "SUPERSEDED"
        self.retired.discard(code)
        # Who publishes a version may go on with it.
        self.terms[code] = replace(terms, owner=by) if by == "risk-engine" else terms
        self.program_states[code, terms.version] = "PUBLISHED"
        self.see_programs()

    def retire(self) -> None:
        """The end of a program: nothing new opens under it, what is open goes on."""
        unknown = self.random.random() < 0.05
        usual = sorted(self.terms if self.random.random() < 0.2 else {*self.terms} - self.retired)
        code = "unheard.of" if unknown or not usual else self.random.choice(usual)
        unknown = code not in self.terms
        present = 0 if unknown else self.terms[code].version
        by = self.one_of(PUBLISHERS)
        version, refusals = self.version(present)
        command = Retire(code=code, expected_version=version, idempotency_key=self.key())
        foreign = not unknown and self.is_foreign(by, self.terms[code])
        refusals |= unless(by in PUBLISHERS and not foreign)
        refusals |= {"NOT_FOUND"} if unknown else set()
        refusals |= {"ILLEGAL_TRANSITION"} if code in self.retired else set()
        if self._change_program("program retire", programs.retire, by, command, refusals):
            self.retired.add(code)
            self.program_states[code, present] = "RETIRED"
            self.see_programs()

    def _change_program(
        self, what: str, operation: Any, by: str, command: Any, refusals: set[str]
    ) -> bool:
        """Whether it was done; if it is refused, no program has changed."""
        actor = self.actor(by, self.models[0].id)
        if refusals:
            with pytest.raises(RecourseError) as caught:
                self.call(self.run(operation, actor, command))
            assert caught.value.code in refusals
            self.world.refused[what] += 1
            self.see_programs()
            return False
        made = self.call(self.run(operation, actor, command))
        assert not made.replayed
        if command.idempotency_key is not None:
            again = self.call(self.run(operation, actor, command))
            assert (again.replayed, again.value.id) == (True, made.value.id)
        self.world.done[what] += 1
        return True

    def see_programs(self) -> None:
        """Each version stands where the model says."""
        assert dict(self.call(self._stored_programs())) == self.program_states

    async def _stored_programs(self) -> list[Any]:
        columns = select(Program.code, Program.version, Program.state)
        ours = columns.where(Program.platform_id == self.run.platform_id)
        found = await self.world.owner.execute(ours)
        return [((row.code, row.version), row.state) for row in found]


def publishing(terms: Terms) -> Publish:
    """The command that publishes these terms."""
    place = terms.place
    spans = {
        name: None if (span := getattr(terms, name)) is None else span.iso
        for name in (
            *("due_after", "deadline_after", "notice_period", "appeal_within"),
            *("termination_notice", "review_within", "max_extension"),
        )
    }
    spans["reminders"] = tuple(span.iso for span in terms.reminders)
    return program_values(
        code=terms.code,
        owner=terms.owner or "identity-team",
        restricts=terms.restricts,
        gates=terms.gates,
        four_eyes=terms.four_eyes,
        pauses_deadline=terms.pauses_deadline,
        business_calendar=None if place is None else BusinessCalendar(place.region, place.zone),
        reason_codes=tuple(CodeText(code, "Somebody has looked.") for code in terms.reasons),
        **spans,
    )
