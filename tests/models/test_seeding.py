"""Seeded data: every state is there, it is what the operations would have written, and the same."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.seeding import analyze, seed
from models.actor import system
from models.aggregate import RiskTier
from models.base import Base
from models.clock import ManualClock
from models.demo.histories import NOTES
from models.demo.programs import REASONS, WAIVING, example_payload, programs
from models.evidence import check_evidence
from models.ids import platform_id_for
from models.interaction import (
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionState,
)
from models.program import Program, RequirementCategory, Retire, all_published, retire
from models.requirement import Priority
from models.resolution import Resolution, ResolutionOutcome, ResolutionState
from models.seeding import build, external_id, prepare, write
from models.session import transaction
from models.status import (
    AccountStatus,
    CapabilityStatus,
    HoldReason,
    RequirementState,
)
from models.verify import Finding, verify
from tests.conftest import START
from tests.factories import Runner, unique

# Every card of every deck is dealt within so many accounts.
ACCOUNTS = 120
PLATFORM = "seeded"
COUNTED = "accounts", "requirements", "events", "outbox", "interactions", "resolutions", "evidence"


@pytest.fixture(scope="module")
async def seeded(database_url: str) -> uuid.UUID:
    """The platform with the seeded accounts."""
    assert await seed(database_url, PLATFORM, ManualClock(START), ACCOUNTS) == ACCOUNTS
    return platform_id_for(PLATFORM)


async def rows(owner: AsyncEngine, query: str, **values: Any) -> Sequence[Any]:
    async with owner.connect() as connection:
        return (await connection.execute(text(query), values)).all()


async def counts(owner: AsyncEngine, platform_id: uuid.UUID) -> dict[str, int]:
    found = {}
    for table in COUNTED:
        query = f"SELECT count(*) FROM {table} WHERE platform_id = :platform"
        found[table] = (await rows(owner, query, platform=platform_id))[0][0]
    return found


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("accounts", "status", AccountStatus),
        ("accounts", "risk_tier", RiskTier),
        ("capabilities", "status", CapabilityStatus),
        ("holds", "reason", HoldReason),
        ("requirements", "state", RequirementState),
        ("requirements", "category", RequirementCategory),
        ("requirements", "priority", Priority),
        ("resolutions", "state", ResolutionState),
        ("resolutions", "outcome", ResolutionOutcome),
        ("interactions", "state", InteractionState),
        ("interactions", "purpose", InteractionPurpose),
        ("interactions", "channel", InteractionChannel),
        ("interactions", "direction", InteractionDirection),
    ],
)
async def test_there_is_something_in_every_state(
    seeded: uuid.UUID, owner_engine: AsyncEngine, table: str, column: str, expected: Any
) -> None:
    query = f"SELECT DISTINCT {column} FROM {table} WHERE platform_id = :platform"
    found = await rows(owner_engine, query, platform=seeded)
    assert {row[0] for row in found} == set(expected)


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("eventually due", "state = 'OPEN' AND currently_due_at > :now"),
        ("currently due", "state = 'OPEN' AND currently_due_at <= :now AND deadline > :now"),
        ("noticed", "state = 'OPEN' AND notice_at <= :now AND deadline > :now"),
        ("past due", "state = 'OPEN' AND deadline <= :now"),
        ("without a deadline", "state = 'OPEN' AND deadline IS NULL"),
        ("sent back", "state = 'ACTION_REQUIRED' AND errors <> '[]'"),
        ("reopened", "state = 'ACTION_REQUIRED' AND errors = '[]'"),
        ("proposed", "proposed_outcome IS NOT NULL"),
        ("assigned", "assignee_id IS NOT NULL"),
        ("an open alternative", "alternative_group IS NOT NULL AND state = 'OPEN'"),
        ("an ended alternative", "closed_reason = 'ALTERNATIVE_SATISFIED'"),
        ("appealable", "state = 'REJECTED' AND appeal_deadline > :now"),
        ("referred", "referred_to IS NOT NULL"),
        ("unanswered", "state = 'OPEN' AND unanswered_since <= :now"),
    ],
)
async def test_there_are_requirements_of_every_kind(
    seeded: uuid.UUID, owner_engine: AsyncEngine, what: str, where: str
) -> None:
    query = f"SELECT count(*) FROM requirements WHERE platform_id = :platform AND {where}"
    values = {"now": START} if ":now" in where else {}
    assert (await rows(owner_engine, query, platform=seeded, **values))[0][0] > 0, what


async def test_there_are_holds_on_expired_and_released(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = "SELECT released_at, expires_at FROM holds WHERE platform_id = :platform"
    found = await rows(owner_engine, query, platform=seeded)
    assert any(hold.released_at is None and hold.expires_at is None for hold in found)
    assert any(hold.released_at is None and (hold.expires_at or START) > START for hold in found)
    assert any(hold.released_at is None and (hold.expires_at or START) < START for hold in found)
    assert any(hold.released_at is not None for hold in found)


async def test_each_account_has_as_many_requirements_as_asked_for(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = "SELECT count(*) FROM requirements WHERE platform_id = :platform GROUP BY account_id"
    found = await rows(owner_engine, query, platform=seeded)
    assert [row[0] for row in found] == [5] * ACCOUNTS


async def test_staff_have_noted_something_about_every_requirement(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = """
        SELECT count(*), count(DISTINCT n.requirement_id), count(DISTINCT n.text),
            bool_and(n.created_at >= r.created_at)
        FROM requirements r LEFT JOIN notes n
        ON (n.account_id, n.requirement_id) = (r.account_id, r.id)
        WHERE r.platform_id = :platform"""
    assert [tuple(row) for row in await rows(owner_engine, query, platform=seeded)] == [
        (ACCOUNTS * 5, ACCOUNTS * 5, len(NOTES), True)
    ]


async def test_chains_and_derived_status_verify(seeded: uuid.UUID, run: Runner) -> None:
    found: list[Finding] = []
    counted = await verify(run.database.worker, found.append)
    assert found == []
    assert counted.accounts >= ACCOUNTS


async def test_nothing_has_happened_yet_that_lies_ahead(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = """
        SELECT max(e.at), bool_and(a.next_change_at IS NULL OR a.next_change_at > :now),
               max(i.updated_at), bool_and(e.at >= a.created_at)
        FROM accounts a JOIN events e USING (account_id) JOIN interactions i USING (account_id)
        WHERE a.platform_id = :platform"""
    (last, waits, contact, after), *_ = await rows(owner_engine, query, platform=seeded, now=START)
    assert last <= START
    assert contact <= START
    assert waits
    assert after


async def test_each_event_waits_for_the_log(seeded: uuid.UUID, owner_engine: AsyncEngine) -> None:
    query = """
        SELECT count(*) FROM events e FULL JOIN outbox o
        ON (e.account_id, e.id, e.sequence, e.at, e.platform_id)
         = (o.account_id, o.event_id, o.sequence, o.created_at, o.platform_id)
        WHERE (e.id IS NULL OR o.event_id IS NULL)"""
    assert (await rows(owner_engine, query))[0][0] == 0


async def test_seeding_again_adds_nothing_and_seeding_more_adds_the_new(
    seeded: uuid.UUID, database_url: str, owner_engine: AsyncEngine
) -> None:
    before = await counts(owner_engine, seeded)
    later = ManualClock(START + timedelta(days=40))
    seen: list[tuple[int, int]] = []
    again = await seed(database_url, PLATFORM, later, ACCOUNTS, 5, lambda *done: seen.append(done))
    assert again == 0
    assert seen[-1] == (ACCOUNTS, ACCOUNTS)
    assert await counts(owner_engine, seeded) == before
    slug = unique("growing")
    assert await seed(database_url, slug, later, 3) == 3
    assert await seed(database_url, slug, later, 5) == 2


async def test_seeding_uses_other_processes_for_many(
    database_url: str, owner_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.seeding.ALONE_UP_TO_ACCOUNTS", 0)
    monkeypatch.setattr("app.seeding.CHUNK_ACCOUNTS", 2)
    slug = unique("many")
    assert await seed(database_url, slug, ManualClock(START), 5, 2) == 5
    found = await counts(owner_engine, platform_id_for(slug))
    assert (found["accounts"], found["requirements"]) == (5, 10)
    await analyze(database_url)


async def published(run: Runner) -> list[Program]:
    """The demo's programs on the test's platform."""
    async with run.database.session_for(run.system) as session:
        await prepare(session, run.platform_id, run.clock)
    async with run.database.session_for(run.system) as session:
        found = await all_published(session, run.platform_id)
    return [found[command.code] for command in programs()]


def columns(row: Base) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if not name.startswith("_sa_")}


async def test_the_same_number_is_the_same_account_each_time(run: Runner) -> None:
    demo = await published(run)
    for number in range(12):
        one, other = [await build(run.platform_id, number, 5, START, demo) for _ in range(2)]
        assert columns(one.account) == columns(other.account)
        assert [columns(row) for row in one.added] == [columns(row) for row in other.added]
        assert (one.events, one.contacts, one.links) == (other.events, other.contacts, other.links)
        assert one.account.external_id == external_id(number)


async def test_an_account_may_have_no_requirement_or_more_than_there_are_programs(
    run: Runner,
) -> None:
    demo = await published(run)
    for count, known in ((0, demo), (1, demo), (2, demo), (len(demo) + 4, demo), (5, demo[1:3])):
        for number in range(0, 40, 3):
            draft = await build(run.platform_id, number, count, START, known)
            opened = [event for event in draft.events if event["type"] == "REQUIREMENT_OPENED"]
            assert len(opened) == count


async def test_what_a_platform_made_of_the_programs_stays(run: Runner) -> None:
    await published(run)
    await run(retire, run.admin, Retire(code="terms.acceptance"))
    async with run.database.session_for(run.system) as session:
        await prepare(session, run.platform_id, run.clock)
    async with run.database.session_for(run.system) as session:
        found = await all_published(session, run.platform_id)
    assert "terms.acceptance" not in found
    assert {program.version for program in found.values()} == {1}


async def test_the_programs_cover_every_category_and_take_their_examples(run: Runner) -> None:
    demo = await published(run)
    assert {program.category for program in demo} == set(RequirementCategory)
    assert any(program.four_eyes for program in demo)
    assert any(program.gates for program in demo)
    for program in demo:
        for number in range(20):
            payload = example_payload(program.code, Random(number), "Zoë Smith", "Acme Ltd")
            check_evidence(program, payload, [])


async def test_every_decision_gives_a_reason_of_its_program(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = """
        SELECT r.outcome, r.reason_code, q.program_code
        FROM resolutions r
        JOIN requirements q ON (q.account_id, q.id) = (r.account_id, r.requirement_id)
        WHERE r.platform_id = :platform"""
    decided = await rows(owner_engine, query, platform=seeded)
    assert {outcome for outcome, _, _ in decided} == set(ResolutionOutcome)
    registries = {
        program.code: [entry.code for entry in program.reason_codes] for program in programs()
    }
    for outcome, code, program in decided:
        known = registries[program]
        expected = {"SATISFIED": known[:1], "REJECTED": known[1:-1], "WAIVED": known[-1:]}
        assert code in expected[outcome], (outcome, code, program)


async def test_a_platforms_own_version_of_a_program_gives_its_own_reasons(run: Runner) -> None:
    demo = await published(run)
    for codes in ([], [{"code": "own", "description": "The platform's own."}]):
        for program in demo:
            program.reason_codes = codes
        given: set[str] = set()
        for number in range(30):
            draft = await build(run.platform_id, number, 5, START, demo)
            given |= {row.reason_code for row in draft.added if isinstance(row, Resolution)}
        assert given == {"own" if codes else "other"}


async def test_a_lost_race_leaves_the_winners_account(
    run: Runner, owner_engine: AsyncEngine
) -> None:
    demo = await published(run)
    actor = system(run.platform_id, "seed")
    for expected in (1, 0):
        draft = await build(run.platform_id, 1, 3, START, demo)
        async with run.database.session_for(actor) as session, transaction(session, actor):
            assert await write(session, [draft]) == expected
    found = await counts(owner_engine, run.platform_id)
    assert (found["accounts"], found["requirements"]) == (1, 3)


def test_each_program_has_the_reasons_that_the_demo_gives() -> None:
    assert {program.code for program in programs()} == set(REASONS)
    for program in programs():
        known = {entry.code for entry in program.reason_codes}
        assert known >= {*REASONS[program.code], WAIVING}
