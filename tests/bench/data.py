"""The data under the benchmark: the same rows each time, exactly as many as the queries say."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from models.actor import ActorKind, system
from models.aggregate import Account, RiskTier
from models.base import Base
from models.bulk import insert_rows
from models.clock import Clock
from models.demo.programs import programs
from models.events import GENESIS_HASH
from models.fair_clock import RequirementSpan, holder
from models.ids import account_id_for, hex_id, platform_id_for
from models.interaction import Interaction, InteractionRequirement
from models.platform import ensure_platform
from models.requirement import Requirement
from models.resolution import Resolution
from models.seeding import prepare
from models.status import AccountStatus
from resolvers import ids

ACCOUNTS_PER_PAGE = 50
REQUIREMENTS_PER_PAGE = 500
PLATFORM = "demo"
PLATFORM_ID = platform_id_for(PLATFORM)
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
# Far enough away that no run of the benchmark sees them come.
PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
SUBMITTED = ("IN_REVIEW", "SATISFIED")
COUNTRIES = ("DE", "FR", "US", "GB", "NL")


@dataclass(frozen=True)
class Course:
    """A requirement's state and times: the account has one of each."""

    state: str
    due: datetime
    deadline: datetime
    decided: bool = False


COURSES = (
    Course("OPEN", FUTURE, FUTURE + timedelta(days=30)),
    Course("OPEN", PAST, FUTURE),
    Course("ACTION_REQUIRED", PAST, PAST + timedelta(days=30)),
    Course("IN_REVIEW", PAST, FUTURE + timedelta(days=10)),
    Course("SATISFIED", PAST, PAST + timedelta(days=60), decided=True),
)


@dataclass(frozen=True)
class Ids:
    """The global ids that requests name."""

    accounts: list[str]


async def load(database: Database, owner: AsyncConnection, clock: Clock, accounts: int) -> Ids:
    """Write the accounts, each with 5 requirements, and each of these with its contacts."""
    async with database.session_for(system(PLATFORM_ID)) as session:
        await ensure_platform(session, clock, PLATFORM)
        await prepare(session, PLATFORM_ID, clock)
    rows: dict[type[Base], list[dict[str, Any]]] = {}
    for number in range(accounts):
        for kind, row in _account(number):
            rows.setdefault(kind, []).append(row)
    for kind, many in rows.items():
        await insert_rows(owner, cast(Table, kind.__table__), many)
    return Ids([ids.encode_one(ids.ACCOUNT, hex_id(row["account_id"])) for row in rows[Account]])


def _account(number: int) -> Iterator[tuple[type[Base], dict[str, Any]]]:
    external_id = f"acct_bench_{number:05}"
    account_id = account_id_for(PLATFORM_ID, external_id)
    own = {"account_id": account_id, "platform_id": PLATFORM_ID}
    created = START + timedelta(minutes=number)
    yield (
        Account,
        {
            **own,
            **_changing(created),
            "external_id": external_id,
            "business_name": f"Harbour Coffee {number} GmbH",
            "email": f"hello@harbour-coffee-{number}.example",
            "country": COUNTRIES[number % len(COUNTRIES)],
            "risk_tier": list(RiskTier)[number % len(RiskTier)].value,
            "status": AccountStatus.ENABLED.value,
            "derived_at": created,
            "event_sequence": 0,
            "event_hash": GENESIS_HASH,
        },
    )
    for place, course in enumerate(COURSES):
        yield from _requirement(own, created + timedelta(hours=place), number, place, course)


def _requirement(
    own: dict[str, Any], created: datetime, number: int, place: int, course: Course
) -> Iterator[tuple[type[Base], dict[str, Any]]]:
    program = programs()[place]
    requirement_id = _id(own, f"requirement {place}")
    yield (
        Requirement,
        {
            **own,
            **_changing(created),
            "id": requirement_id,
            "program_code": program.code,
            "program_version": 1,
            "category": program.category,
            "title": program.title,
            "description": program.description,
            "requested_reasons": [],
            "state": course.state,
            "currently_due_at": course.due,
            "deadline": course.deadline + timedelta(minutes=number),
            "restricts": list(program.restricts),
            "gates": list(program.gates),
            "errors": [],
            "priority": "NORMAL",
            "opened_by_kind": ActorKind.SERVICE.value,
            "opened_by_id": "onboarding",
            "submitted_at": created if course.state in SUBMITTED else None,
            "closed_at": created if course.decided else None,
            "span_number": 1,
        },
    )
    span = {"requirement_id": requirement_id, "number": 1, "opened_at": created}
    ended = created if course.decided else None
    party = holder(course.state, referred=False).value
    times = {"party": party, "started_at": created, "ended_at": ended}
    yield RequirementSpan, {**own, **span, **times}
    for contact in range(2):
        yield from _interaction(own, requirement_id, created + timedelta(minutes=contact), contact)
    yield Resolution, _resolution(own, requirement_id, created, course)


def _interaction(
    own: dict[str, Any], requirement_id: uuid.UUID, created: datetime, contact: int
) -> Iterator[tuple[type[Base], dict[str, Any]]]:
    interaction_id = _id(own, f"interaction {requirement_id} {contact}")
    yield (
        Interaction,
        {
            **own,
            **_changing(created),
            "id": interaction_id,
            "purpose": ("REQUEST", "REMINDER")[contact],
            "channel": ("EMAIL", "DASHBOARD")[contact],
            "direction": "OUTBOUND",
            "state": ("VIEWED", "DELIVERED")[contact],
            "subject": "We need something from you",
            "body": "Please send what we asked for. Until then nothing changes for you.",
            "author_kind": ActorKind.SERVICE.value,
            "author_id": "onboarding",
            "attachments": [],
            "attempts": 0,
            "attempt_number": 0,
            **dict.fromkeys(("sent_at", "first_sent_at", "delivered_at", "viewed_at"), created),
        },
    )
    link = {"interaction_id": interaction_id, "requirement_id": requirement_id}
    yield InteractionRequirement, {**own, **link, "interaction_created_at": created}


def _resolution(
    own: dict[str, Any], requirement_id: uuid.UUID, created: datetime, course: Course
) -> dict[str, Any]:
    """What ended the requirement, or a proposal that was turned down."""
    return {
        **own,
        **_changing(created),
        "id": _id(own, f"resolution {requirement_id}"),
        "requirement_id": requirement_id,
        "outcome": "SATISFIED",
        "state": "FINAL" if course.decided else "DECLINED",
        "four_eyes": True,
        "reason_code": "EVIDENCE_ACCEPTED",
        "facts": "What was sent is complete and matches the register.",
        "automated_detection": False,
        "automated_decision": "NONE",
        "cited_evidence": [],
        "territories": [],
        "proposed_by_kind": ActorKind.REVIEWER.value,
        "proposed_by_id": "amara.okafor",
        "decided_by_kind": ActorKind.REVIEWER.value,
        "decided_by_id": "jonas.weber",
        "decided_at": created + timedelta(hours=4),
    }


def _changing(created: datetime) -> dict[str, Any]:
    return {"version": 1, "created_at": created, "updated_at": created}


def _id(own: dict[str, Any], name: str) -> uuid.UUID:
    return uuid.uuid5(own["account_id"], name)
