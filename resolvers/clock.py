"""The fair clock of a requirement: who has held it, and for how long."""

from datetime import datetime

import isodate
import strawberry

from models.fair_clock import Party, Span, holder_of, spans_of_requirements, totals
from models.reading import Record
from resolvers.batching import Parents
from resolvers.context import Info
from resolvers.scalars import Duration


@strawberry.type(description="A span of a requirement's life, and whose it was.")
class ClockSpan:
    """A party, from when, until when."""

    party: Party = strawberry.field(description="Who held it.")
    from_: datetime = strawberry.field(name="from", description="The instant at which it began.")
    to: datetime | None = strawberry.field(
        description="The instant at which it ended; null while it runs."
    )


@strawberry.type(description="How long one party has held a requirement, all in all.")
class ClockTotal:
    """A party and a duration."""

    party: Party = strawberry.field(description="Who held it.")
    duration: Duration = strawberry.field(description="How long, until now or until it was closed.")


@strawberry.type(
    description=(
        "Who has held a requirement, and for how long: the spans follow each other without a gap "
        "from its opening, and end with it."
    )
)
class Clock:
    """The ledger of a requirement's life."""

    held_by: Party = strawberry.field(description="Who holds it now; nobody once it has ended.")
    spans: list[ClockSpan] = strawberry.field(description="Whose it was when, the oldest first.")
    totals: list[ClockTotal] = strawberry.field(
        description="How long each party has held it: one entry for each."
    )


async def clocks_of_requirements(parents: Parents, info: Info) -> list[Clock]:
    """The clock of each requirement."""
    keys = [(row["account_id"], row["id"]) for row in parents]
    found = await spans_of_requirements(info.context.reader, keys)
    info.context.spend(sum(map(len, found)))
    return [
        _clock(holder_of(row), spans, info.context.now)
        for row, spans in zip(parents, found, strict=True)
    ]


def _clock(held_by: Party, rows: list[Record], now: datetime) -> Clock:
    spans = [Span(row["party"], row["started_at"], row["ended_at"]) for row in rows]
    return Clock(
        held_by=held_by,
        spans=[ClockSpan(party=Party(s.party), from_=s.started_at, to=s.ended_at) for s in spans],
        totals=[
            ClockTotal(party=party, duration=Duration(isodate.duration_isoformat(held)))
            for party, held in totals(spans, now).items()
        ],
    )
