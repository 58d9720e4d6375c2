"""A statement of reasons: why it was decided so, what that rests on, and what can be done about it.

That of a rejection holds what the EU's Digital Services Act asks for (Regulation (EU) 2022/2065,
article 17): facts, ground and its kind, where the information came from, how far a machine took
part, where it applies and until when, and the way to object. It cites evidence, or names a fact.
From when it restricts follows from the decision.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint

from models.aggregate import Unit
from models.checks import are_finite, says_something
from models.errors import InvalidInput
from models.events import instant
from models.evidence import Evidence
from models.program import Program
from models.text import check_country, check_optional_text

MAX_FACTS_LENGTH = 5_000
MAX_FACT_LENGTH = 1_000
MAX_CITED = 20
MAX_TERRITORIES = 250
_UNTIL = ("statement", "restrictsUntil")
# What a rejection says of the way to object, unless its author has said it better.
REDRESS = "You may appeal. Somebody who took no part in this decision will decide on the appeal."


class AutomatedDecision(StrEnum):
    """How far the decision was taken without a person."""

    NONE = "NONE"
    PARTIAL = "PARTIAL"
    FULL = "FULL"


class InformationSource(StrEnum):
    """Where the information came from that led to the decision."""

    EVIDENCE = "EVIDENCE"
    OWN_INVESTIGATION = "OWN_INVESTIGATION"
    NOTICE = "NOTICE"
    THIRD_PARTY = "THIRD_PARTY"


@dataclass(frozen=True)
class Statement:
    """A statement of reasons. `ground`, with its kind, falls back to the program's.

    `cited_evidence` holds ids of what was submitted to the requirement, `territories` ISO 3166-1
    codes: none for wherever the account does business. `restricts_until` is the end of what a
    rejection restricts, None without one.
    """

    facts: str | None = None
    ground: str | None = None
    ground_kind: str | None = None
    source: str | None = None
    cited_evidence: tuple[uuid.UUID, ...] = ()
    cited_fact: str | None = None
    territories: tuple[str, ...] = ()
    redress: str | None = None
    restricts_until: datetime | None = None
    automated_detection: bool = False
    automated_decision: str = AutomatedDecision.NONE

    def columns(self) -> dict[str, Any]:
        """The statement as the columns of a resolution."""
        return {
            "facts": self.facts,
            "ground": self.ground,
            "ground_kind": self.ground_kind,
            "source": self.source,
            "cited_evidence": list(self.cited_evidence),
            "cited_fact": self.cited_fact,
            "territories": list(self.territories),
            "redress": self.redress,
            "restricts_until": self.restricts_until,
            "automated_detection": self.automated_detection,
            "automated_decision": str(self.automated_decision),
        }


def statement_checks() -> tuple[CheckConstraint, ...]:
    """What the database asks of the columns of a statement."""
    return (
        # A rejection states its facts and its ground.
        CheckConstraint(
            "outcome <> 'REJECTED' OR (coalesce(length(facts), 0) BETWEEN 1 AND 5000 "
            "AND coalesce(length(ground), 0) > 0)",
            name="rejection_gives_reasons",
        ),
        # It says what kind of ground that is, where it knows from, and how to object.
        CheckConstraint(
            "outcome <> 'REJECTED' OR (ground_kind IS NOT NULL AND source IS NOT NULL "
            "AND coalesce(length(redress), 0) > 0)",
            name="rejection_in_full",
        ),
        # It rests on evidence or on a fact.
        CheckConstraint(
            "outcome <> 'REJECTED' OR cardinality(array_remove(cited_evidence, NULL)) > 0 "
            "OR coalesce(length(cited_fact), 0) > 0",
            name="rejection_rests_on_something",
        ),
        CheckConstraint(
            r"territories::text ~ '^\{([A-Z]{2}(,[A-Z]{2})*)?\}$'",
            name="territories_are_alpha_2",
        ),
        says_something(
            "says_something",
            *("facts", "ground", "redress", "cited_fact", "reason_code", "decline_reason"),
            *("appeal_statement", "appeal_reasons"),
        ),
        are_finite("statement_finite", "created_at", "restricts_from", "restricts_until"),
        # Only a rejection restricts for a time; for none where it is overtaken before it begins.
        CheckConstraint(
            "restricts_until IS NULL OR (outcome = 'REJECTED' "
            "AND restricts_until >= coalesce(restricts_from, created_at))",
            name="restricts_for_a_time",
        ),
    )


def complete(statement: Statement, program: Program, rejects: bool) -> Statement:
    """The statement with what the program says where it says nothing itself.

    Raises `InvalidInput` for a kind of another ground than the program's, and for what is missing
    where it rejects.
    """
    if statement.ground is None:
        kind = _kind(statement, program)
        statement = replace(statement, ground=program.legal_ground, ground_kind=kind)
    if not rejects:
        if statement.restricts_until is not None:
            raise InvalidInput("Only a rejection restricts.", _UNTIL)
        return statement
    statement = replace(statement, redress=statement.redress or REDRESS)
    _check_complete(statement)
    return statement


def _kind(statement: Statement, program: Program) -> str | None:
    """The kind of the program's ground; the statement may only say what the program leaves open."""
    own, kind = statement.ground_kind, program.legal_ground_kind
    if own is not None and (program.legal_ground is None or kind not in (None, own)):
        message = "A kind must come with its ground, unless it is that of the program's."
        missing = "ground" if program.legal_ground is None else "groundKind"
        raise InvalidInput(message, ("statement", missing))
    return kind or own


def check_end(restricts_until: datetime | None, begins: datetime) -> None:
    """Raise `InvalidInput` for a restriction that would end before it begins."""
    if restricts_until is not None and restricts_until <= begins:
        message = f"The restriction would end before it begins: {instant(begins)}."
        raise InvalidInput(message, _UNTIL)


def check_cited(unit: Unit, cited: Sequence[uuid.UUID]) -> None:
    """Raise `InvalidInput` for what is cited and was not submitted to the requirement.

    What the operation names of the requirement's evidence was read under the lock.
    """
    known = {row.id for row in unit.find_all(Evidence)}
    for index, own in enumerate(cited):
        if own not in known:
            message = "No such evidence was submitted to this requirement."
            raise InvalidInput(message, ("statement", "citedEvidence", str(index)))


def check_statement(statement: Statement) -> None:
    """Raise `InvalidInput` for a value that can't be, whatever the decision."""
    texts = {
        "facts": (statement.facts, MAX_FACTS_LENGTH),
        "ground": (statement.ground, MAX_FACTS_LENGTH),
        "redress": (statement.redress, MAX_FACTS_LENGTH),
        "citedFact": (statement.cited_fact, MAX_FACT_LENGTH),
    }
    for name, (value, longest) in texts.items():
        check_optional_text(value, longest, "statement", name)
    lists = {
        "citedEvidence": (statement.cited_evidence, MAX_CITED),
        "territories": (statement.territories, MAX_TERRITORIES),
    }
    for name, (entries, most) in lists.items():
        if len(entries) > most:
            raise InvalidInput(f"At most {most} entries.", ("statement", name))
        if len(set(entries)) < len(entries):
            raise InvalidInput("Something stands here twice.", ("statement", name))
    for index, country in enumerate(statement.territories):
        check_country(country, "statement", "territories", str(index))


def _check_complete(statement: Statement) -> None:
    needed = {
        "facts": statement.facts,
        "ground": statement.ground,
        "groundKind": statement.ground_kind,
        "source": statement.source,
    }
    for name, value in needed.items():
        if value is None:
            raise InvalidInput("A rejection needs this.", ("statement", name))
    if not statement.cited_evidence and statement.cited_fact is None:
        message = "A rejection must cite evidence, or name the fact that it rests on."
        raise InvalidInput(message, ("statement", "citedEvidence"))
    if statement.source == InformationSource.EVIDENCE and not statement.cited_evidence:
        message = "What was learnt from evidence must cite it."
        raise InvalidInput(message, ("statement", "citedEvidence"))
