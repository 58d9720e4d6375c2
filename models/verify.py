"""Whether what is stored is what it must be: each account's hash chain, status and ledgers.

Nothing is mended here. Accounts are walked by their ids in batches, each on a snapshot of its own,
and events are streamed; so memory does not grow with the store, and the service may go on writing.
The stored status is the materialisation at `derived_at`, and it is held against that instant. A
requirement's ledger is held against what the events tell, where their chain holds.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.aggregate import Account
from models.capability import Capability
from models.events import GENESIS_HASH, Event, SubjectType, event_hash
from models.fair_clock import SPANS, Party, Span, holder, ledger
from models.hold import Hold
from models.requirement import Requirement
from models.status import HOLD_FACTS, LIVE_STATES, REQUIREMENT_FACTS, CapabilityKind, derive

ACCOUNTS_PER_BATCH = 500
EVENTS_PER_FETCH = 1_000
SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_ACCOUNTS, _EVENTS = cast(Table, Account.__table__), cast(Table, Event.__table__)
_CAPABILITIES = cast(Table, Capability.__table__)
_REQUIREMENTS, _HOLDS = cast(Table, Requirement.__table__), cast(Table, Hold.__table__)
_STATUS_COLUMNS = ("status", "disabled_reason", "next_deadline", "next_change_at")
_CAPABILITY_COLUMNS = ("status", "disabled_reason", "restricts_at")
_OF_CAPABILITY = ("kind", "requested", *_CAPABILITY_COLUMNS)

_OF_SPAN = ("requirement_id", "party", "started_at", "ended_at")
_ORDER_OF_SPANS = ("account_id", "requirement_id", "number")


class FindingKind(StrEnum):
    """What is wrong."""

    EVENT_MISSING = "EVENT_MISSING"
    EVENT_ALTERED = "EVENT_ALTERED"
    CHAIN_BROKEN = "CHAIN_BROKEN"
    HEAD_DIFFERS = "HEAD_DIFFERS"
    STATUS_DIFFERS = "STATUS_DIFFERS"
    CAPABILITY_DIFFERS = "CAPABILITY_DIFFERS"
    CAPABILITY_MISSING = "CAPABILITY_MISSING"
    LEDGER_DIFFERS = "LEDGER_DIFFERS"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be; `place` is the event or the column."""

    account_id: uuid.UUID
    kind: FindingKind
    place: str
    message: str


Tell = Callable[[Finding], None]


@dataclass
class Counts:
    """How far the walk has come; `total` is how many accounts there were when it began."""

    total: int = 0
    accounts: int = 0
    events: int = 0
    findings: int = 0


@dataclass
class _Batch:
    """Accounts next to each other, and by account what their status follows from."""

    accounts: Sequence[Row[Any]]
    capabilities: dict[uuid.UUID, list[Any]]
    requirements: dict[uuid.UUID, list[Any]]
    holds: dict[uuid.UUID, list[Any]]
    counts: dict[uuid.UUID, list[Any]]
    spans: dict[uuid.UUID, list[Any]]


async def verify(
    engine: AsyncEngine,
    report: Tell,
    progress: Callable[[Counts], None] | None = None,
    accounts_per_batch: int = ACCOUNTS_PER_BATCH,
) -> Counts:
    """Check all accounts, over the worker's engine; `report` gets each finding as it is made.

    `progress` is called after each batch, with the counts until then.
    """
    counts = Counts()
    after: uuid.UUID | None = None

    def noted(finding: Finding) -> None:
        counts.findings += 1
        report(finding)

    while True:
        async with engine.connect() as connection:
            await connection.execution_options(**SNAPSHOT)
            counts.total = counts.total or await _count(connection)
            batch = await _next(connection, after, accounts_per_batch)
            await _check(connection, batch, counts, noted)
        if progress is not None:
            progress(counts)
        if len(batch.accounts) < accounts_per_batch:
            return counts
        after = batch.accounts[-1].account_id


async def verify_account(engine: AsyncEngine, account_id: uuid.UUID) -> list[Finding]:
    """What is wrong with one account; nothing for one that there is not."""
    found: list[Finding] = []
    async with engine.connect() as connection:
        await connection.execution_options(**SNAPSHOT)
        one = select(_ACCOUNTS).where(_ACCOUNTS.c.account_id == account_id)
        await _check(connection, await _load(connection, one), Counts(), found.append)
    return found


class Chain:
    """One account's chain, as far as it has been followed."""

    def __init__(self, account_id: uuid.UUID) -> None:
        self.account_id = account_id
        self.sequence = 0
        self.hash = GENESIS_HASH
        self.broken = False
        self.moves: dict[uuid.UUID, list[tuple[datetime, Party]]] = {}
        # The state of each requirement, and whom it was referred to.
        self._standings: dict[uuid.UUID, tuple[str, str | None]] = {}

    def follow(self, event: Any) -> Iterator[Finding]:
        """Take the next event, in the order of their sequence."""
        missing = event.sequence > self.sequence + 1
        if missing:
            yield self._missing(event.sequence - 1)
        elif event.previous_hash != self.hash:
            message = f"It does not follow event {self.sequence}: the hash before it is another."
            yield self._finding(FindingKind.CHAIN_BROKEN, event.sequence, message)
        if _hash_of(event) != event.hash:
            message = f"Its hash is not that of its content: {event.type} {event.id}."
            yield self._finding(FindingKind.EVENT_ALTERED, event.sequence, message)
        self.sequence, self.hash = event.sequence, event.hash
        self._note_move(event)

    def end(self, account: Any) -> Iterator[Finding]:
        """Hold the end of the chain against the account's own note of it."""
        head = account.event_sequence
        if self.sequence < head:
            yield self._missing(head)
        elif self.sequence > head:
            message = f"The account knows of {head} events, there are {self.sequence}."
            yield self._finding(FindingKind.HEAD_DIFFERS, self.sequence, message)
        elif self.hash != account.event_hash:
            message = "The account's note of its last event's hash is another."
            yield self._finding(FindingKind.HEAD_DIFFERS, self.sequence, message)

    def _note_move(self, event: Any) -> None:
        if event.subject_type != SubjectType.REQUIREMENT:
            return
        key, changes = event.subject_id, event.changes
        state, third_party = self._standings.get(key, ("", None))
        if isinstance(changed := changes.get("state"), Mapping):
            state = str(changed.get("to"))
        if isinstance(changed := changes.get("referredTo"), Mapping):
            third_party = changed.get("to")
        if (state, third_party) != self._standings.get(key):
            self._standings[key] = (state, third_party)
            moves = self.moves.setdefault(key, [])
            moves.append((event.at, holder(state, third_party is not None)))

    def _missing(self, last: int) -> Finding:
        first = self.sequence + 1
        which = f"event {first}" if first == last else f"events {first} to {last}"
        message = f"Missing: {which}."
        return self._finding(FindingKind.EVENT_MISSING, first, message)

    def _finding(self, kind: FindingKind, sequence: int, message: str) -> Finding:
        self.broken = True
        return Finding(self.account_id, kind, f"event {sequence}", message)


def status_findings(
    account: Any, capabilities: Sequence[Any], requirements: Sequence[Any], holds: Sequence[Any]
) -> Iterator[Finding]:
    """Where the stored status differs from the one that follows from the facts."""
    requested = [c.kind for c in capabilities if c.requested]
    try:
        derived = derive(
            requested, account.rejected_reason, requirements, holds, account.derived_at
        )
    except (KeyError, ValueError) as error:
        # A value that no operation writes, and no check of its table refuses.
        message = f"Nothing follows from the facts: they hold an unknown value, {error}."
        yield Finding(account.account_id, FindingKind.STATUS_DIFFERS, "status", message)
        return
    for column, message in _differences(account, derived, _STATUS_COLUMNS):
        yield Finding(account.account_id, FindingKind.STATUS_DIFFERS, column, message)
    stored = {c.kind: c for c in capabilities}
    for kind in CapabilityKind:
        yield from _capability_findings(account, kind, stored.get(kind), derived.capabilities[kind])


def ledger_findings(
    account_id: uuid.UUID,
    moves: Mapping[uuid.UUID, Sequence[tuple[datetime, Party]]],
    requirements: Sequence[Any],
    spans: Sequence[Any],
) -> Iterator[Finding]:
    """Where a requirement's stored spans, or their number, are not what its events tell."""
    stored: dict[uuid.UUID, list[Span]] = {row.id: [] for row in requirements}
    for row in spans:
        span = Span(row.party, row.started_at, row.ended_at)
        stored[row.requirement_id].append(span)
    for row in requirements:
        found, told = stored[row.id], ledger(moves.get(row.id, ()))
        if found != told or row.span_number != len(told):
            message = (
                f"Stored are {len(found)} spans and their number as {row.span_number}, the events "
                f"tell {len(told)}; the first that differs is {_first_difference(found, told)}."
            )
            place = f"requirement {row.id}"
            yield Finding(account_id, FindingKind.LEDGER_DIFFERS, place, message)


def _first_difference(found: Sequence[Span], told: Sequence[Span]) -> int:
    same = [one == other for one, other in zip(found, told, strict=False)]
    return same.index(False) + 1 if False in same else len(same) + 1


def _capability_findings(
    account: Any, kind: CapabilityKind, stored: Any, derived: object
) -> Iterator[Finding]:
    place = f"capability {kind}"
    if stored is None:
        message = "The account has no such row."
        yield Finding(account.account_id, FindingKind.CAPABILITY_MISSING, place, message)
        return
    for column, message in _differences(stored, derived, _CAPABILITY_COLUMNS):
        where = f"{place} {column}"
        yield Finding(account.account_id, FindingKind.CAPABILITY_DIFFERS, where, message)


def _differences(
    stored: object, derived: object, columns: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for column in columns:
        is_now, must_be = getattr(stored, column), getattr(derived, column)
        if is_now != must_be:
            yield column, f"Stored is {is_now}, what follows from the facts is {must_be}."


def _hash_of(event: Any) -> str | None:
    try:
        return event_hash(event)
    except ValueError:
        # What can't be hashed was never written by `next_event`.
        return None


async def _check(connection: AsyncConnection, batch: _Batch, counts: Counts, report: Tell) -> None:
    if batch.accounts:
        await _check_chains(connection, batch, counts, report)
        _check_statuses(batch, counts, report)


async def _check_chains(
    connection: AsyncConnection, batch: _Batch, counts: Counts, report: Tell
) -> None:
    chains = {account.account_id: Chain(account.account_id) for account in batch.accounts}
    statement = select(_EVENTS).order_by(_EVENTS.c.account_id, _EVENTS.c.sequence)
    statement = _between(statement, _EVENTS, batch.accounts)
    options = {"yield_per": EVENTS_PER_FETCH}
    async with connection.stream(statement, execution_options=options) as rows:
        async for row in rows:
            counts.events += 1
            for finding in chains[row.account_id].follow(row):
                report(finding)
    for account in batch.accounts:
        chain, key = chains[account.account_id], account.account_id
        for finding in chain.end(account):
            report(finding)
        if not chain.broken:
            for finding in ledger_findings(key, chain.moves, batch.counts[key], batch.spans[key]):
                report(finding)


def _check_statuses(batch: _Batch, counts: Counts, report: Tell) -> None:
    for account in batch.accounts:
        counts.accounts += 1
        key = account.account_id
        facts = (batch.capabilities[key], batch.requirements[key], batch.holds[key])
        for finding in status_findings(account, *facts):
            report(finding)


async def _count(connection: AsyncConnection) -> int:
    return await connection.scalar(select(func.count()).select_from(_ACCOUNTS)) or 0


async def _next(connection: AsyncConnection, after: uuid.UUID | None, limit: int) -> _Batch:
    statement = select(_ACCOUNTS).order_by(_ACCOUNTS.c.account_id).limit(limit)
    if after is not None:
        statement = statement.where(_ACCOUNTS.c.account_id > after)
    return await _load(connection, statement)


async def _load(connection: AsyncConnection, statement: Select[Any]) -> _Batch:
    accounts = (await connection.execute(statement)).all()
    live = _REQUIREMENTS.c.state.in_([str(state) for state in LIVE_STATES])
    unreleased = _HOLDS.c.released_at.is_(None)
    return _Batch(
        accounts,
        await _facts(connection, accounts, _CAPABILITIES, _OF_CAPABILITY),
        await _facts(connection, accounts, _REQUIREMENTS, REQUIREMENT_FACTS, live),
        await _facts(connection, accounts, _HOLDS, HOLD_FACTS, unreleased),
        await _facts(connection, accounts, _REQUIREMENTS, ("id", "span_number")),
        await _facts(connection, accounts, SPANS, _OF_SPAN, order=_ORDER_OF_SPANS),
    )


async def _facts(
    connection: AsyncConnection,
    accounts: Sequence[Row[Any]],
    table: Table,
    columns: Sequence[str],
    *conditions: ColumnElement[bool],
    order: Sequence[str] = (),
) -> dict[uuid.UUID, list[Any]]:
    found: dict[uuid.UUID, list[Any]] = {account.account_id: [] for account in accounts}
    if accounts:
        statement = select(table.c.account_id, *(table.c[name] for name in columns))
        statement = _between(statement, table, accounts).where(*conditions)
        statement = statement.order_by(*(table.c[name] for name in order))
        for row in await connection.execute(statement):
            found[row.account_id].append(row)
    return found


def _between(statement: Select[Any], table: Table, accounts: Sequence[Row[Any]]) -> Select[Any]:
    first, last = accounts[0].account_id, accounts[-1].account_id
    return statement.where(table.c.account_id.between(first, last))
