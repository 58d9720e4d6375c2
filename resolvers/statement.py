"""Statements of reasons: what a decision rests on, and what can be done about it."""

import uuid
from datetime import datetime

import strawberry

from models.evidence import EVIDENCE
from models.lookup import rows_by_key
from models.program import GroundKind
from models.reading import Record
from models.resolution import RESOLUTIONS, ResolutionState
from models.statement import AutomatedDecision, InformationSource, Statement
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.evidence import Evidence
from resolvers.node import Actor, shown_actor
from resolvers.scalars import CountryCode, plain
from resolvers.selection import asked_columns, register_columns

# The columns of a resolution that are its statement, and those that are its appeal.
STATEMENT = (
    *("account_id", "state", "facts", "ground", "ground_kind", "source", "redress"),
    *("cited_evidence", "cited_fact", "territories", "automated_detection", "automated_decision"),
    *("restricts_from", "restricts_until", "appeal_decided_at"),
)
APPEAL = (
    *("appeal_statement", "appealed_at", "appealed_by_kind", "appealed_by_id", "appealed_by_name"),
    *("appeal_reasons", "appeal_decided_at", "appeal_decided_by_kind", "appeal_decided_by_id"),
    "appeal_decided_by_name",
)


async def _cited(parents: Parents, info: Info) -> list[list[Record]]:
    """What each statement cites: one statement of SQL for all of them."""
    columns = asked_columns(info, "Evidence")
    keys = [(row["account_id"], own) for row in parents for own in row["cited_evidence"]]
    rows = await rows_by_key(info.context.reader, EVIDENCE.table, keys, columns)
    found = dict(zip(keys, rows, strict=True))
    cited = ([found[row["account_id"], own] for own in row["cited_evidence"]] for row in parents)
    return [[row for row in rows if row is not None] for rows in cited]


def _until(parents: Parents) -> list[datetime | None]:
    return [_end(row) for row in parents]


def _end(row: Record) -> datetime | None:
    until: datetime | None = row["restricts_until"]
    if row["state"] != ResolutionState.OVERTURNED:
        return until
    overturned_at: datetime = row["appeal_decided_at"]
    return overturned_at if until is None else min(until, overturned_at)


@strawberry.type(description="Why it was decided so; that of a rejection is never incomplete.")
class StatementOfReasons:
    """Facts, ground and sources, where and when it applies, and the way to object."""

    facts: str | None = strawberry.field(
        description="The facts of the case; at most 5,000 characters."
    )
    ground: str | None = strawberry.field(
        description="The legal or contractual ground: which rule it is, and where it stands."
    )
    ground_kind: GroundKind | None = strawberry.field(
        description="Whether the ground is a law or the contract with the account."
    )
    source: InformationSource | None = strawberry.field(
        description="Where the information came from that led to the decision."
    )
    cited_evidence: list[Evidence] = batched(
        _cited,
        description="What the account had submitted that the decision rests on; at most 20.",
        needs=("account_id", "cited_evidence"),
    )
    cited_fact: str | None = strawberry.field(
        description="The fact that the decision rests on; at most 1,000 characters."
    )
    automated_detection: bool = strawberry.field(
        description="Whether a machine found what led to the decision."
    )
    automated_decision: AutomatedDecision = strawberry.field(
        description="How far the decision was taken without a person."
    )
    territories: list[CountryCode] = strawberry.field(
        description="The countries in which it applies; none means wherever it does business."
    )
    restricts_from: datetime | None = strawberry.field(
        description=(
            "From when it restricts what its requirement restricts, as rejections do; in the "
            "future while its notice runs."
        )
    )
    restricts_until: datetime | None = batched(
        _until,
        description=(
            "Until when it restricts, if an end was set; or when an appeal overturned it before, "
            "which may be before it began to."
        ),
        needs=("state", "restricts_until", "appeal_decided_at"),
    )
    redress: str | None = strawberry.field(description="What the account can do against it.")


register_columns(StatementOfReasons, RESOLUTIONS.table)


@strawberry.type(description="An objection to a rejection, and what became of it.")
class Appeal:
    """What the account says, and what somebody who took no part in the decision answered."""

    statement: str = strawberry.field(
        description="Why the rejection is wrong, in the account's words; at most 5,000 characters."
    )
    submitted_at: datetime = strawberry.field(description="The instant of the appeal.")
    submitted_by: Actor = strawberry.field(
        description="Who appealed: the account's user, or a reviewer on their behalf."
    )
    decided_at: datetime | None = strawberry.field(
        description="The instant at which it was decided; missing while it is open."
    )
    decided_by: Actor | None = strawberry.field(
        description="Who decided: somebody who neither proposed the rejection nor took it."
    )
    reasons: str | None = strawberry.field(
        description="Why it was decided so, in words for the account's user."
    )


def appeals(parents: Parents, info: Info) -> list[Appeal | None]:
    """Each resolution's appeal, None without one."""
    return [None if row["appealed_at"] is None else _appeal(row, info) for row in parents]


def _appeal(row: Record, info: Info) -> Appeal:
    submitted_by = shown_actor(info, row, "appealed_by")
    assert submitted_by is not None
    return Appeal(
        statement=row["appeal_statement"],
        submitted_at=row["appealed_at"],
        submitted_by=submitted_by,
        decided_at=row["appeal_decided_at"],
        decided_by=shown_actor(info, row, "appeal_decided_by"),
        reasons=row["appeal_reasons"],
    )


@strawberry.input(description="A statement of reasons. A rejection needs all but the optional.")
class StatementInput:
    """Facts, ground and sources, where it applies, and the way to object."""

    facts: str | None = strawberry.field(
        default=None,
        description="The facts of the case; at most 5,000 characters. A rejection needs them.",
    )
    ground: str | None = strawberry.field(
        default=None,
        description="The legal or contractual ground, with a reference; the program's if left out.",
    )
    ground_kind: GroundKind | None = strawberry.field(
        default=None,
        description=(
            "Whether the ground is a law or the contract; the program's if both are left out. A "
            "rejection needs it."
        ),
    )
    source: InformationSource | None = strawberry.field(
        default=None,
        description="Where the information came from. A rejection needs it.",
    )
    cited_evidence: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "The evidence that the decision rests on, of what was submitted to the requirement; at "
            "most 20. A rejection cites evidence or names a fact."
        ),
    )
    cited_fact: str | None = strawberry.field(
        default=None,
        description="The fact that the decision rests on; at most 1,000 characters.",
    )
    territories: list[CountryCode] | None = strawberry.field(
        default=None,
        description="The countries in which it applies; none means wherever it does business.",
    )
    redress: str | None = strawberry.field(
        default=None,
        description="What the account can do against it; for a rejection, an appeal if left out.",
    )
    restricts_until: datetime | None = strawberry.field(
        default=None,
        description=(
            "Until when a rejection restricts, later than it begins to; if left out, until an "
            "appeal overturns it. The requirement stays rejected."
        ),
    )
    automated_detection: bool = strawberry.field(
        default=False, description="Whether a machine found what led to the decision."
    )
    automated_decision: AutomatedDecision = strawberry.field(
        default=AutomatedDecision.NONE,
        description="How far the decision was taken without a person.",
    )


def statement_of(given: StatementInput | None, account_id: uuid.UUID) -> Statement:
    """The statement as a command has it; raises `NotFound` for evidence of other accounts."""
    if given is None:
        return Statement()
    return Statement(
        facts=given.facts,
        ground=given.ground,
        ground_kind=plain(given.ground_kind),
        source=plain(given.source),
        cited_evidence=tuple(
            ids.decode_of(account_id, text, ids.EVIDENCE, "statement", "citedEvidence", str(index))
            for index, text in enumerate(given.cited_evidence or ())
        ),
        cited_fact=given.cited_fact,
        territories=tuple(given.territories or ()),
        redress=given.redress,
        restricts_until=given.restricts_until,
        automated_detection=given.automated_detection,
        automated_decision=plain(given.automated_decision),
    )
