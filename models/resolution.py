"""A resolution: a decision on a requirement, with its statement of reasons and its appeal.

Where one pair of eyes is enough it is born FINAL. Where two are asked for it is PROPOSED, and
somebody else makes it FINAL or declines it. A final rejection can be appealed, once: somebody who
took no part in it upholds or overturns it. The operations are in `decision.py` and `appeal.py`, the
pieces that they are made of in `resolution_steps.py`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import CheckConstraint, Index, Table, Uuid, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import Mapped, mapped_column

from models.actor import Actor, ActorKind, same_person
from models.aggregate import AccountCommand
from models.appeal_rules import resolution_appeal_checks
from models.authorisation import operation_of, refusal
from models.base import AccountScoped, Base, Changing, OwnId, account_key, own_key, staff_only
from models.bounds import CREATED_AFTER, CREATED_BEFORE
from models.checks import counts_changes, says_something
from models.errors import ErrorCode, InvalidInput
from models.ids import Key, id_array
from models.lifecycle import Lifecycle, one_of
from models.listing import ListSpec, is_any, is_any_id, word
from models.permission import Permission, Refusal
from models.program import GroundKind, Program
from models.program_checks import MAX_CODE_LENGTH
from models.reading import Query, Reader, Record, compile_query
from models.statement import (
    AutomatedDecision,
    InformationSource,
    statement_checks,
)
from models.text import check_text

# Recourse's own codes: of approvals under every program, and of proposals that events overtook.
EVIDENCE_ACCEPTED = "evidence_accepted"
SUPERSEDED = "superseded"
PROPOSED_IT = "Somebody else must decide what you proposed."
TOOK_PART = "Somebody who took no part in the decision or its appeal must decide on it."


class ResolutionOutcome(StrEnum):
    """How a requirement ends."""

    SATISFIED = "SATISFIED"
    REJECTED = "REJECTED"
    WAIVED = "WAIVED"


class ResolutionState(StrEnum):
    """Where a decision stands."""

    PROPOSED = "PROPOSED"
    FINAL = "FINAL"
    DECLINED = "DECLINED"
    APPEALED = "APPEALED"
    UPHELD = "UPHELD"
    OVERTURNED = "OVERTURNED"


class ResolutionAction(StrEnum):
    """What may be done with a decision. It is appealed by an action on its requirement."""

    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    UPHOLD = "UPHOLD"
    OVERTURN = "OVERTURN"


APPEAL = "APPEAL"
LIFECYCLE = Lifecycle(
    noun="resolution",
    states=tuple(ResolutionState),
    transitions={
        (ResolutionState.PROPOSED, ResolutionAction.APPROVE): ResolutionState.FINAL,
        (ResolutionState.PROPOSED, ResolutionAction.DECLINE): ResolutionState.DECLINED,
        (ResolutionState.FINAL, APPEAL): ResolutionState.APPEALED,
        (ResolutionState.APPEALED, ResolutionAction.UPHOLD): ResolutionState.UPHELD,
        (ResolutionState.APPEALED, ResolutionAction.OVERTURN): ResolutionState.OVERTURNED,
    },
)
# What has not taken effect, and what has: once final, a decision stays one, whatever comes of it.
PENDING_STATES = (ResolutionState.PROPOSED, ResolutionState.DECLINED)
DECIDED_STATES = tuple(state for state in ResolutionState if state not in PENDING_STATES)
STANDING_STATES = tuple(s for s in DECIDED_STATES if s is not ResolutionState.OVERTURNED)
OF_APPEALS = (ResolutionAction.UPHOLD, ResolutionAction.OVERTURN)
_PENDING = ", ".join(f"'{state}'" for state in PENDING_STATES)


class Resolution(AccountScoped, OwnId, Changing, Base):
    """One decision on one requirement."""

    __tablename__ = "resolutions"
    __table_args__ = (
        account_key(),
        own_key("requirement_id", "requirements"),
        LIFECYCLE.check(),
        one_of("outcome", list(ResolutionOutcome)),
        one_of("automated_decision", list(AutomatedDecision)),
        one_of("ground_kind", list(GroundKind)),
        one_of("source", list(InformationSource)),
        one_of("proposed_by_kind", list(ActorKind)),
        one_of("decided_by_kind", list(ActorKind)),
        one_of("appealed_by_kind", list(ActorKind)),
        says_something(
            "somebody_has_an_id",
            *("proposed_by_id", "decided_by_id", "appealed_by_id", "appeal_decided_by_id"),
        ),
        # What is decided was decided by somebody at an instant; what is proposed was not yet.
        CheckConstraint(
            "(state = 'PROPOSED') = (decided_at IS NULL) "
            "AND (decided_at IS NULL) = (decided_by_id IS NULL) "
            "AND (decided_by_id IS NULL) = (decided_by_kind IS NULL)",
            name="decided_by_somebody",
        ),
        # Only what was declined says why it was.
        CheckConstraint(
            "state = 'DECLINED' OR decline_reason IS NULL", name="declined_with_reason"
        ),
        # Four eyes: the proposer is not the one who decides, whatever the token.
        CheckConstraint(
            "NOT four_eyes OR decided_by_id IS NULL OR decided_by_id <> proposed_by_id",
            name="four_eyes",
        ),
        # Only what needs a second pair of eyes is proposed or declined.
        CheckConstraint(f"four_eyes OR state NOT IN ({_PENDING})", name="one_pair_is_final"),
        # A waiver always takes two.
        CheckConstraint("four_eyes OR outcome <> 'WAIVED'", name="waiver_takes_two"),
        *statement_checks(),
        # A rejection that has taken effect says from when it restricts; nothing else restricts.
        CheckConstraint(
            f"(outcome = 'REJECTED' AND state NOT IN ({_PENDING})) = (restricts_from IS NOT NULL)",
            name="rejection_restricts",
        ),
        # It restricts from when it was decided, or later.
        CheckConstraint(
            "coalesce(restricts_from >= decided_at, true)", name="restricts_once_decided"
        ),
        *resolution_appeal_checks(),
        counts_changes(),
        # One rejection in effect; what was overturned may be followed by another.
        Index(
            "ux_resolutions_rejection",
            "account_id",
            "requirement_id",
            unique=True,
            postgresql_where="outcome = 'REJECTED' AND state IN ('FINAL', 'APPEALED', 'UPHELD')",
        ),
        # One proposal at a time.
        Index(
            "ux_resolutions_proposed",
            "account_id",
            "requirement_id",
            unique=True,
            postgresql_where="state = 'PROPOSED'",
        ),
        Index("ix_resolutions_requirement", "account_id", "requirement_id", "created_at", "id"),
    )

    requirement_id: Mapped[uuid.UUID]
    outcome: Mapped[str]
    state: Mapped[str]
    four_eyes: Mapped[bool]
    reason_code: Mapped[str]
    facts: Mapped[str | None]
    ground: Mapped[str | None]
    redress: Mapped[str | None]
    automated_detection: Mapped[bool]
    automated_decision: Mapped[str]
    ground_kind: Mapped[str | None]
    source: Mapped[str | None]
    cited_evidence: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    cited_fact: Mapped[str | None]
    territories: Mapped[list[str]]
    restricts_from: Mapped[datetime | None]
    restricts_until: Mapped[datetime | None]
    proposed_by_kind: Mapped[str]
    proposed_by_id: Mapped[str] = staff_only()
    proposed_by_name: Mapped[str | None] = staff_only()
    decided_by_kind: Mapped[str | None]
    decided_by_id: Mapped[str | None] = staff_only()
    decided_by_name: Mapped[str | None] = staff_only()
    decided_at: Mapped[datetime | None]
    decline_reason: Mapped[str | None]
    appeal_statement: Mapped[str | None]
    appealed_at: Mapped[datetime | None]
    appealed_by_kind: Mapped[str | None]
    appealed_by_id: Mapped[str | None]
    appealed_by_name: Mapped[str | None]
    appeal_reasons: Mapped[str | None]
    appeal_decided_at: Mapped[datetime | None]
    appeal_decided_by_kind: Mapped[str | None]
    appeal_decided_by_id: Mapped[str | None] = staff_only()
    appeal_decided_by_name: Mapped[str | None] = staff_only()


@dataclass(frozen=True, kw_only=True)
class ResolutionCommand(AccountCommand):
    """What every operation on one resolution takes. `expected_version` is the resolution's."""

    named = ("resolution", "id")

    resolution_id: uuid.UUID

    def objects(self) -> Mapping[str, Any]:
        """The resolution."""
        return {"resolution": self.resolution_id}


def check_reason_code(outcome: ResolutionOutcome, code: str, program: Program) -> str:
    """`code` if it is in the program's registry, or the program has none; else `InvalidInput`.

    That the evidence was accepted is a reason under every program, but only to accept it.
    """
    check_text(code, MAX_CODE_LENGTH, "reasonCode")
    known = {entry["code"] for entry in program.reason_codes}
    if code == EVIDENCE_ACCEPTED and code not in known:
        if outcome is not ResolutionOutcome.SATISFIED:
            message = f"{code} must be the reason of an approval, not of {outcome}."
            raise InvalidInput(message, ("reasonCode",))
    elif known and code not in known:
        raise InvalidInput(
            f"The program {program.code} has no reason code of this name.", ("reasonCode",)
        )
    return code


def permissions(row: Any, actor: Actor) -> list[Permission]:
    """What the actor may do with the decision now, one entry per action, with refusals."""
    return [Permission(action, tuple(_refusals(row, actor, action))) for action in ResolutionAction]


def four_eyes_problem(row: Any, actor: Actor, action: ResolutionAction) -> str | None:
    """Why somebody else must take the action, where it is so: whatever the actor's token.

    `row` is a resolution or a record with the ids of who proposed, took and appealed the decision.
    """
    if action in OF_APPEALS:
        took_part = (row.proposed_by_id, row.decided_by_id, row.appealed_by_id)
        return TOOK_PART if same_person(actor, *took_part) else None
    return PROPOSED_IT if same_person(actor, row.proposed_by_id) else None


def _refusals(row: Any, actor: Actor, action: ResolutionAction) -> list[Refusal]:
    found = []
    if action not in LIFECYCLE.actions_from(row.state):
        message = f"The resolution is {row.state}."
        found.append(Refusal(ErrorCode.ILLEGAL_TRANSITION, message))
    waiver = row.outcome == ResolutionOutcome.WAIVED
    if (forbidden := refusal(actor, operation_of("resolution", action), waiver)) is not None:
        found.append(forbidden)
    # Who of the staff it was is not for account users to know: their role may not read it.
    if actor.is_staff and (problem := four_eyes_problem(row, actor, action)) is not None:
        found.append(Refusal(ErrorCode.FOUR_EYES, problem))
    return found


RESOLUTIONS = ListSpec(
    name="resolutions",
    table=cast(Table, Resolution.__table__),
    orders={"CREATED_AT": "created_at"},
    dimensions={"reason_code": "reason_code", "outcome": "outcome"},
    states=tuple(ResolutionState),
    conditions={"created_after": CREATED_AFTER, "created_before": CREATED_BEFORE},
    # Some states are those of one outcome only: walked for another, their rows are all passed by.
    checked=("outcome",),
)
RESOLUTIONS.declare_indexes()


async def current_resolutions(
    reader: Reader, keys: Sequence[Key], columns: Sequence[str]
) -> list[Record | None]:
    """For each requirement, by (account id, id): the latest decision that has taken effect."""
    names = dict.fromkeys(["account_id", "id", "requirement_id", *columns])
    values = {
        "accounts": list({account_id for account_id, _ in keys}),
        "ids": id_array(requirement_id for _, requirement_id in keys),
    }
    rows = await reader.fetch(_current_query(tuple(names)), values, RESOLUTIONS.record)
    found = {(row["account_id"], row["requirement_id"]): row for row in rows}
    return [found.get(key) for key in keys]


@lru_cache(maxsize=256)
def _current_query(columns: tuple[str, ...]) -> Query:
    table = RESOLUTIONS.table
    key = (table.c.account_id, table.c.requirement_id)
    final = table.c.state.in_([word(state) for state in DECIDED_STATES])
    return compile_query(
        select(*(table.c[name] for name in columns))
        .ext(distinct_on(*key))
        .where(
            is_any(table.c.account_id, "accounts"), is_any_id(table.c.requirement_id, "ids"), final
        )
        .order_by(*key, table.c.created_at.desc(), table.c.id.desc())
    )
