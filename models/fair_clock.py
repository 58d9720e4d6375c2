"""The fair clock: who has held a requirement, from its opening to its end.

Each span of a requirement's life belongs to one party. A span begins where the one before it ended,
the first where the requirement began; so the spans sum exactly to its age, which ends when it is
closed. What lies between an end and a reopening is NOBODY's.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Table, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from models.aggregate import Unit
from models.base import AccountScoped, Base, account_key
from models.ids import Key, id_array
from models.lifecycle import one_of
from models.listing import is_any, is_any_id, record_class
from models.reading import Query, Reader, Record, compile_query
from models.referral_rules import is_referred
from models.status import AWAITING_ACCOUNT, AWAITING_RISK
from models.writing import as_read

if TYPE_CHECKING:
    from models.requirement import Requirement


class Party(StrEnum):
    """Who holds a requirement: the next move is theirs."""

    ACCOUNT = "ACCOUNT"
    RISK = "RISK"
    THIRD_PARTY = "THIRD_PARTY"
    NOBODY = "NOBODY"


class RequirementSpan(AccountScoped, Base):
    """A span of a requirement's life, and whose it was. Nothing but its end is written later."""

    __tablename__ = "requirement_spans"
    __table_args__ = (
        account_key(),
        # Each repeats when its requirement began, so that the first can't begin at another instant.
        ForeignKeyConstraint(
            ["account_id", "opened_at", "requirement_id"],
            ["requirements.account_id", "requirements.created_at", "requirements.id"],
            name="fk_requirement_spans_requirement",
        ),
        # It begins where the one before it ended; what has not ended can't be followed.
        ForeignKeyConstraint(
            ["account_id", "requirement_id", "previous_number", "started_at"],
            [
                "requirement_spans.account_id",
                "requirement_spans.requirement_id",
                "requirement_spans.number",
                "requirement_spans.ended_at",
            ],
            name="fk_requirement_spans_previous",
        ),
        UniqueConstraint(
            "account_id", "requirement_id", "number", "ended_at", name="uq_requirement_spans_end"
        ),
        one_of("party", list(Party)),
        # The first follows none, each other the one of the number before.
        CheckConstraint(
            "number > 0 AND coalesce(previous_number, 0) = number - 1", name="in_sequence"
        ),
        CheckConstraint("number > 1 OR started_at = opened_at", name="first_from_the_opening"),
        CheckConstraint("coalesce(ended_at, started_at) >= started_at", name="ends_after_start"),
        # Nobody holds what has ended, until it is opened again.
        CheckConstraint("party <> 'NOBODY' OR ended_at IS NOT NULL", name="nobody_holds_what_runs"),
        Index(
            "ux_requirement_spans_open",
            "account_id",
            "requirement_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
    )

    requirement_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    previous_number: Mapped[int | None]
    opened_at: Mapped[datetime]
    party: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Span:
    """What a span says: whose it was, from when, until when; until None while it runs."""

    party: str
    started_at: datetime
    ended_at: datetime | None = None


def holder(state: str, referred: bool) -> Party:
    """Who holds a requirement in this state, where risk waits for somebody else or does not."""
    if state in AWAITING_ACCOUNT:
        return Party.ACCOUNT
    if state not in AWAITING_RISK:
        return Party.NOBODY
    return Party.THIRD_PARTY if referred else Party.RISK


def holder_of(row: "Requirement") -> Party:
    """Who holds the requirement now."""
    return holder(row.state, is_referred(row))


def begin(unit: Unit, row: "Requirement") -> None:
    """Begin the ledger of a requirement that has just been opened."""
    row.span_number = 0
    _add(unit, row, Span(holder_of(row), row.created_at))


def hand_over(unit: Unit, row: "Requirement", before: Party) -> None:
    """Write into the ledger who holds the row as it has become; `before` did until now.

    A requirement that is reopened still has its `closed_at`: from then on it was nobody's.
    """
    to = holder_of(row)
    if before is to:
        return
    if before is not Party.NOBODY:
        _last(unit, row).ended_at = unit.now
    elif row.closed_at is not None:
        _add(unit, row, Span(Party.NOBODY, row.closed_at, unit.now))
    if to is not Party.NOBODY:
        _add(unit, row, Span(to, unit.now))


def ledger(moves: Iterable[tuple[datetime, Party]]) -> list[Span]:
    """The spans that follow from (instant, who holds it from then on), in their order."""
    found: list[Span] = []
    for at, party in moves:
        if found and found[-1].party == party:
            continue
        if found:
            found[-1] = Span(found[-1].party, found[-1].started_at, at)
        found.append(Span(party, at))
    # What has ended has no age beyond its end.
    return found[:-1] if found and found[-1].party == Party.NOBODY else found


def totals(spans: Iterable[Span], now: datetime) -> dict[Party, timedelta]:
    """How long each party has held it until `now`."""
    found = dict.fromkeys(Party, timedelta())
    for span in spans:
        # A response's instant may lie a moment before the start that its snapshot shows.
        until = max(now, span.started_at) if span.ended_at is None else span.ended_at
        found[Party(span.party)] += until - span.started_at
    return found


def _last(unit: Unit, row: "Requirement") -> RequirementSpan:
    """The requirement's last span, which is open; it need not be read to be ended."""
    if row.id not in unit.spans:
        unit.spans[row.id] = as_read(
            unit.store,
            RequirementSpan,
            account_id=row.account_id,
            platform_id=row.platform_id,
            requirement_id=row.id,
            number=row.span_number,
            ended_at=None,
        )
    return cast(RequirementSpan, unit.spans[row.id])


def _add(unit: Unit, row: "Requirement", span: Span) -> None:
    before = row.span_number
    row.span_number = before + 1
    made = RequirementSpan(
        account_id=row.account_id,
        platform_id=row.platform_id,
        requirement_id=row.id,
        number=row.span_number,
        previous_number=before or None,
        opened_at=row.created_at,
        party=span.party,
        started_at=span.started_at,
        ended_at=span.ended_at,
    )
    unit.spans[row.id] = made
    unit.add(made)


SPANS = cast(Table, RequirementSpan.__table__)


async def spans_of_requirements(reader: Reader, keys: Sequence[Key]) -> list[list[Record]]:
    """For each requirement, by (account id, id): its spans, in their order."""
    values = {
        "accounts": list({account_id for account_id, _ in keys}),
        "ids": id_array(requirement_id for _, requirement_id in keys),
    }
    found: dict[Key, list[Record]] = {key: [] for key in keys}
    for row in await reader.fetch(_spans_query(), values, record_class(SPANS)):
        found[row["account_id"], row["requirement_id"]].append(row)
    return [found[key] for key in keys]


@lru_cache(maxsize=1)
def _spans_query() -> Query:
    columns: list[Any] = [SPANS.c[name] for name in ("account_id", "requirement_id", *_SHOWN)]
    return compile_query(
        select(*columns)
        .where(is_any(SPANS.c.account_id, "accounts"), is_any_id(SPANS.c.requirement_id, "ids"))
        .order_by(SPANS.c.account_id, SPANS.c.requirement_id, SPANS.c.number)
    )


_SHOWN = ("party", "started_at", "ended_at")
