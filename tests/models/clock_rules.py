"""The state machine's rules of time: it passes, by little or much, and the clock loop comes by."""

import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from models.actor import system
from models.operation import due_accounts, rederive
from tests.models.machine import Workbench
from tests.models.program_rules import PLACES

LIMIT = 1_000_000
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
FIRST_YEAR, LAST_YEAR = 2025, 2032
# How far it passes, by how often; the small ones leave more to happen in between.
MOVES = {
    "to a mark": 6,
    "seconds": 4,
    "hours": 4,
    "days": 4,
    "over a weekend": 2,
    "to a change of the clocks": 2,
    "months": 1.5,
    "a year": 1.8,
}


def a_start(random: Random) -> datetime:
    """Any instant, or one just before something happens to clocks, weeks, months or years."""
    some = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(900 * 86_400))
    friday = (some + DAY * ((4 - some.weekday()) % 7)).replace(hour=16)
    edges = [
        datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2027, 12, 31, 22, 30, tzinfo=UTC),
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    ]
    change = random.choice(changes_of_clocks(random.choice(PLACES).zone))
    change -= timedelta(minutes=random.randrange(150))
    return random.choice([some, some, friday, change, change, random.choice(edges)])


@lru_cache(maxsize=4)
def changes_of_clocks(zone: str) -> list[datetime]:
    """The instants at which the clocks of a place are put forward or back."""
    found, place = [], ZoneInfo(zone)
    at = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    while at.year < LAST_YEAR:
        later = at + timedelta(hours=1)
        if at.astimezone(place).utcoffset() != later.astimezone(place).utcoffset():
            found.append(later)
        at = later
    return found


class ClockRules(Workbench):
    """What time does."""

    def time_passes(self) -> None:
        """By anything from a microsecond to a year, preferably to where something changes."""
        how, now = self.random.choices(list(MOVES), list(MOVES.values()))[0], self.now
        to = {
            "to a mark": self._to_a_mark(),
            "seconds": now + timedelta(seconds=self.random.uniform(0, 600)),
            "hours": now + timedelta(minutes=self.random.randrange(1, 600)),
            "days": now + self.span(),
            "over a weekend": now + DAY * (7 - now.weekday()),
            "to a change of the clocks": self._to_a_change(),
            "months": now + DAY * self.random.randrange(20, 190),
            "a year": now + DAY * 365,
        }[how]
        self.run.clock.set(max(to, now))
        self.world.done[f"time passes {how}"] += 1

    def the_worker_comes_by(self) -> None:
        """The clock loop finds who is due, and nobody else; it catches up with one account."""
        ids = {model.id for model in self.models}
        due = {m.id for m in self.models if (m.view.next_change_at or self.future) <= self.now}
        assert ids & set(self.call(self._due_accounts())) == due
        usual = sorted(due) if due and self.random.random() < 0.9 else sorted(ids)
        waits = [model.id for model in self.models if model.has_to_remind(self.now)]
        if waits and self.random.random() < 0.9:
            usual = waits
        model = self.model_of(self.random.choice(usual))
        draft = model.draft(self.now)
        # Where a clock lags behind, one may be due that it does not find.
        is_due = (model.view.next_change_at or self.future) <= draft.now
        assert self.call(self._rederive(draft.id)) == is_due
        if is_due:
            told = len(draft.contacts)
            draft.remind()
            draft.settle()
            self.world.done["clock loop reminds"] += len(draft.contacts) - told
        self.keep(draft)
        self.world.done["clock loop catches up" if is_due else "clock loop leaves"] += 1

    @property
    def future(self) -> datetime:
        return datetime.max.replace(tzinfo=UTC)

    def _to_a_mark(self) -> datetime:
        """Onto an instant at which something changes, or just before or after it."""
        marks = [mark for mark in self._marks() if mark is not None and mark > self.now]
        mark = self.random.choice(sorted(marks)[:5]) if marks else self.now
        return mark + self.random.choice([-TICK, TICK * 0, TICK * 0, TICK])

    def _marks(self) -> list[datetime | None]:
        found: list[datetime | None] = []
        for model in self.models:
            found.append(model.view.next_change_at)
            found += [contact.due for contact in model.contacts]
            found += [contact.attempt_at for contact in model.contacts]
            for item in model.items:
                found += [item.appeal_until, item.latest, *(item.review or ())]
        return found

    def _to_a_change(self) -> datetime:
        """About to the next change of some place's clocks."""
        zone = self.random.choice(PLACES).zone
        later = [at for at in changes_of_clocks(zone) if at > self.now + timedelta(hours=2)]
        near = timedelta(minutes=self.random.uniform(-100, 60))
        return later[0] + near if later else self.now

    async def _due_accounts(self) -> list[object]:
        async with self.world.database.worker.connect() as connection:
            found = await due_accounts(connection, self.now, LIMIT)
        return [due.account_id for due in found]

    async def _rederive(self, account_id: uuid.UUID) -> bool:
        actor = system(self.run.platform_id, "clock")
        async with self.world.database.session_for(actor) as session:
            return await rederive(session, actor, self.run.clock, account_id)
