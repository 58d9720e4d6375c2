"""Every list of the schema, beside a plain account of what it should hold and in which order."""

import unicodedata
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.account import ACCOUNTS
from models.aggregate import RiskTier
from models.api_key import API_KEYS
from models.events import EVENTS, EventType
from models.evidence import EVIDENCE
from models.ids import hex_id
from models.interaction import (
    INTERACTIONS,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionRequirement,
    InteractionState,
)
from models.note import NOTES
from models.program import ProgramState, RequirementCategory
from models.program_reads import PROGRAMS
from models.requirement import Priority
from models.requirement_reads import REQUIREMENTS
from models.resolution import RESOLUTIONS, ResolutionOutcome, ResolutionState
from models.status import AccountStatus, AwaitingActionFrom, DueStatus, RequirementState
from resolvers import ids

Row = Mapping[str, Any]
Predicate = Callable[[Row], bool]
Filter = tuple[dict[str, Any], Predicate]
CONTACTS = cast(Table, InteractionRequirement.__table__)
# What a value of a filter may be beside those that rows have.
STRANGE = ("nothing_of_this_name", "")


@dataclass(frozen=True)
class Data:
    """All rows of a platform, at an instant."""

    now: datetime
    rows: Mapping[str, Sequence[Row]]
    contacts: frozenset[tuple[uuid.UUID, uuid.UUID]]

    def of(self, table: Table) -> Sequence[Row]:
        """The rows of one table."""
        return self.rows[table.name]


async def read(engine: AsyncEngine, platform_id: uuid.UUID, now: datetime) -> Data:
    """All rows, past the lists and past row security."""
    found: dict[str, Sequence[Any]] = {}
    async with engine.connect() as connection:
        for table in {one.table for one in LISTS}:
            rows = await connection.execute(select(table).where(table.c.platform_id == platform_id))
            found[table.name] = rows.mappings().all()
        contacts = await connection.execute(
            select(CONTACTS.c.requirement_id, CONTACTS.c.interaction_id).where(
                CONTACTS.c.platform_id == platform_id
            )
        )
        return Data(now, found, frozenset((row[0], row[1]) for row in contacts))


@dataclass(frozen=True)
class Listing:
    """One list: its field, its rows' table, its orders and how its filter picks rows.

    `parent` is the type that has the field, and `column` the row's column that names it.
    """

    parent: str
    field: str
    prefix: str
    table: Table
    orders: Mapping[str, str]
    tie: Sequence[str] = ("account_id", "id")
    filters: Callable[[Random, Data], Filter] | None = None
    belongs: Callable[[Row, Row, Data], bool] = lambda row, parent, data: True

    @property
    def name(self) -> str:
        """As tests show it."""
        return f"{self.parent}.{self.field}"

    @property
    def ordered(self) -> bool:
        """Whether callers choose the order."""
        return len(self.orders) > 1 or "CREATED_AT" in self.orders

    def key(self, order: str) -> Callable[[Row], tuple[Any, ...]]:
        """What rows are sorted by."""
        columns = [self.orders[order], *self.tie]
        return lambda row: tuple(row[name] for name in columns)

    def id_of(self, row: Row) -> str:
        """The global id of a row."""
        if self.prefix == ids.ACCOUNT:
            return ids.encode_one(ids.ACCOUNT, hex_id(row["account_id"]))
        if self.prefix in (ids.PROGRAM, ids.API_KEY):
            return ids.encode(self.prefix, hex_id(row["platform_id"]), hex_id(row["id"]))
        return ids.encode(self.prefix, hex_id(row["account_id"]), hex_id(row["id"]))

    def expected(
        self, data: Data, parent: Row | None, keep: Predicate, order: str, descending: bool = False
    ) -> list[Row]:
        """What the list holds, in its order."""
        rows = [
            row
            for row in data.of(self.table)
            if keep(row) and (parent is None or self.belongs(row, parent, data))
        ]
        return sorted(rows, key=self.key(order), reverse=descending)


@dataclass
class Picker:
    """Makes a random filter, and beside it the predicate of the same meaning."""

    rng: Random
    rows: Sequence[Row]
    given: dict[str, Any] = field(default_factory=dict)
    predicates: list[Predicate] = field(default_factory=list)
    restraint: float = field(init=False)

    def __post_init__(self) -> None:
        self.restraint = self.rng.choice((0.6, 0.85, 0.85))

    def result(self) -> Filter:
        """The filter, and what it asks of a row."""
        return self.given, lambda row: all(predicate(row) for predicate in self.predicates)

    def skips(self) -> bool:
        """Whether the next condition is left out."""
        return self.rng.random() < self.restraint

    def add(self, name: str, value: Any, predicate: Predicate) -> None:
        """Ask for something."""
        self.given[name] = value
        self.predicates.append(predicate)

    def among(self, name: str, column: str, values: Sequence[str] = ()) -> None:
        """One of several values: any of `values`, or of those that rows have."""
        if self.skips():
            return
        known = values or (*sorted({row[column] or "" for row in self.rows}), *STRANGE)
        chosen = self.rng.choices(known, k=self.rng.choice((0, 1, 1, 2, 3, 6)))
        self.add(name, chosen, lambda row: row[column] in chosen)

    def between(self, name: str, column: str) -> None:
        """A span of time, whose ends are instants that rows have or lie beside them."""
        if self.skips():
            return
        known = sorted({row[column] for row in self.rows if row[column] is not None})
        since, before = (self._instant(known) for _ in range(2))
        given = {"since": since, "before": before}
        self.add(
            name,
            {key: value.isoformat() for key, value in given.items() if value is not None},
            lambda row: _within(row[column], since, before),
        )

    def account(self) -> None:
        """One account."""
        if self.skips() or self.skips():
            return
        chosen = self.rng.choice(self.rows)["account_id"]
        shown = ids.encode_one(ids.ACCOUNT, hex_id(chosen))
        self.add("accountId", shown, lambda row: row["account_id"] == chosen)

    def _instant(self, known: Sequence[datetime]) -> datetime | None:
        if self.rng.random() < 0.3 or not known:
            return None
        return self.rng.choice(known) + timedelta(microseconds=self.rng.choice((-1, 0, 1)))


def _within(value: datetime | None, since: datetime | None, before: datetime | None) -> bool:
    if since is None and before is None:
        return True
    if value is None:
        return False
    return (since is None or value >= since) and (before is None or value < before)


def _accounts(rng: Random, data: Data) -> Filter:
    pick = Picker(rng, data.of(ACCOUNTS.table))
    pick.among("status", "status", list(AccountStatus))
    pick.among("riskTier", "risk_tier", list(RiskTier))
    pick.among("country", "country", ("DE", "FR", "GB", "US", "AQ"))
    pick.between("createdAt", "created_at")
    if not pick.skips():
        words = [w[: rng.randint(1, 8)] for row in pick.rows for w in _words(row)]
        chosen = rng.choices(words, k=rng.choice((1, 1, 2)))
        text = rng.choice((str, str.upper, str.title))(" ".join(chosen))
        pick.add("search", text, lambda row: all(_has_word(row, word) for word in _split(text)))
    return pick.result()


def _words(row: Row) -> list[str]:
    return _split(f"{row['external_id']} {row['business_name']}")


def _split(text: str) -> list[str]:
    """Words without case and accents."""
    plain = unicodedata.normalize("NFD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.category(c).startswith("M"))
    return "".join(c if c.isalnum() or c == "_" else " " for c in plain).split()


def _has_word(row: Row, beginning: str) -> bool:
    return any(word.startswith(beginning) for word in _words(row))


def _requirements(rng: Random, data: Data) -> Filter:
    pick = Picker(rng, data.of(REQUIREMENTS.table))
    pick.account()
    pick.among("state", "state", list(RequirementState))
    pick.among("category", "category", list(RequirementCategory))
    pick.among("program", "program_code")
    pick.among("priority", "priority", list(Priority))
    pick.among("assigneeId", "assignee_id")
    pick.between("deadline", "deadline")
    pick.between("createdAt", "created_at")
    pick.between("reviewDueAt", "review_due_at")
    if not pick.skips():
        statuses = rng.choices(list(DueStatus), k=rng.choice((0, 1, 1, 2, 3)))
        pick.add("dueStatus", statuses, lambda row: _due_status(row, data.now) in statuses)
    if not pick.skips():
        side = rng.choice(list(AwaitingActionFrom))
        pick.add("awaitingActionFrom", side, lambda row: _awaited(row) == side)
    if not pick.skips():
        nobody = rng.random() < 0.7
        pick.add("unassigned", nobody, lambda row: not nobody or row["assignee_id"] is None)
    return pick.result()


def _awaited(row: Row) -> str | None:
    if row["state"] in ("OPEN", "ACTION_REQUIRED"):
        return "ACCOUNT" if row["unanswered_since"] is None else "RISK"
    return "RISK" if row["state"] in ("SUBMITTED", "IN_REVIEW") else None


def _due_status(row: Row, now: datetime) -> str:
    if row["state"] in ("SUBMITTED", "IN_REVIEW"):
        return "PENDING_VERIFICATION"
    if row["state"] not in ("OPEN", "ACTION_REQUIRED"):
        return "NONE"
    if row["deadline"] is not None and row["deadline"] <= now:
        return "PAST_DUE"
    due = row["currently_due_at"]
    return "CURRENTLY_DUE" if due is not None and due <= now else "EVENTUALLY_DUE"


def _interactions(rng: Random, data: Data) -> Filter:
    pick = Picker(rng, data.of(INTERACTIONS.table))
    pick.account()
    pick.among("state", "state", list(InteractionState))
    pick.among("purpose", "purpose", list(InteractionPurpose))
    pick.among("channel", "channel", list(InteractionChannel))
    pick.among("direction", "direction", list(InteractionDirection))
    pick.between("createdAt", "created_at")
    return pick.result()


def _resolutions(rng: Random, data: Data) -> Filter:
    pick = Picker(rng, data.of(RESOLUTIONS.table))
    pick.account()
    pick.among("state", "state", list(ResolutionState))
    pick.among("outcome", "outcome", list(ResolutionOutcome))
    pick.among("reasonCode", "reason_code")
    pick.between("createdAt", "created_at")
    return pick.result()


def _programs(rng: Random, data: Data) -> Filter:
    pick = Picker(rng, data.of(PROGRAMS.table))
    pick.among("code", "code")
    pick.among("state", "state", list(ProgramState))
    pick.among("category", "category", list(RequirementCategory))
    return pick.result()


def _events(rng: Random, data: Data) -> Filter:
    pick = Picker(rng, data.of(EVENTS.table))
    pick.account()
    pick.among("type", "type", list(EventType))
    pick.between("at", "at")
    return pick.result()


def _of_account(row: Row, parent: Row, _: Data) -> bool:
    return bool(row["account_id"] == parent["account_id"])


def _of_requirement(row: Row, parent: Row, _: Data) -> bool:
    return bool(row["requirement_id"] == parent["id"])


def _answers(row: Row, parent: Row, _: Data) -> bool:
    return bool(row["in_reply_to_id"] == parent["id"])


def _about_requirement(row: Row, parent: Row, data: Data) -> bool:
    return (parent["id"], row["id"]) in data.contacts


_CREATED = {"CREATED_AT": "created_at"}
_OF_REQUIREMENTS = {
    "DEADLINE": "sort_deadline",
    **_CREATED,
    "REVIEW_DUE_AT": "sort_review_due_at",
}
_OF_INTERACTIONS = {**_CREATED, "SCHEDULED_FOR": "sort_scheduled_for"}
_OF_ACCOUNTS = {**_CREATED, "NEXT_DEADLINE": "sort_next_deadline"}
_REQUIREMENT = (ids.REQUIREMENT, REQUIREMENTS.table, _OF_REQUIREMENTS)
_INTERACTION = (ids.INTERACTION, INTERACTIONS.table, _OF_INTERACTIONS)
_RESOLUTION = (ids.RESOLUTION, RESOLUTIONS.table, _CREATED)
_EVENT = (ids.EVENT, EVENTS.table)
_BY_SEQUENCE = ("account_id", "sequence")
LISTS = (
    Listing(
        "Query",
        "accounts",
        ids.ACCOUNT,
        ACCOUNTS.table,
        _OF_ACCOUNTS,
        tie=("account_id",),
        filters=_accounts,
    ),
    Listing("Query", "requirements", *_REQUIREMENT, filters=_requirements),
    Listing("Query", "interactions", *_INTERACTION, filters=_interactions),
    Listing("Query", "resolutions", *_RESOLUTION, filters=_resolutions),
    Listing("Query", "events", *_EVENT, {"": "at"}, tie=_BY_SEQUENCE, filters=_events),
    Listing(
        "Query",
        "programs",
        ids.PROGRAM,
        PROGRAMS.table,
        {"": "code"},
        tie=("version",),
        filters=_programs,
    ),
    Listing("Query", "apiKeys", ids.API_KEY, API_KEYS.table, {"": "id"}, tie=("id",)),
    Listing("Account", "requirements", *_REQUIREMENT, filters=_requirements, belongs=_of_account),
    Listing("Account", "interactions", *_INTERACTION, filters=_interactions, belongs=_of_account),
    Listing("Account", "resolutions", *_RESOLUTION, filters=_resolutions, belongs=_of_account),
    Listing(
        "Account",
        "timeline",
        *_EVENT,
        {"": "sequence"},
        tie=_BY_SEQUENCE,
        filters=_events,
        belongs=_of_account,
    ),
    Listing(
        "Requirement",
        "evidence",
        ids.EVIDENCE,
        EVIDENCE.table,
        {"": "submitted_at"},
        belongs=_of_requirement,
    ),
    Listing(
        "Requirement",
        "internalNotes",
        ids.NOTE,
        NOTES.table,
        {"": "created_at"},
        belongs=_of_requirement,
    ),
    Listing(
        "Requirement",
        "interactions",
        *_INTERACTION,
        filters=_interactions,
        belongs=_about_requirement,
    ),
    Listing(
        "Interaction",
        "replies",
        ids.INTERACTION,
        INTERACTIONS.table,
        {"": "created_at"},
        belongs=_answers,
    ),
    Listing(
        "Requirement",
        "resolutions",
        *_RESOLUTION,
        filters=_resolutions,
        belongs=_of_requirement,
    ),
)
