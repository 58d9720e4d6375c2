"""What the demo's accounts were told and wrote: as the server tells it, and in words that fit."""

import re
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.seeding import seed
from models.clock import ManualClock
from models.demo.programs import programs
from models.demo.words import words_for
from models.ids import platform_id_for
from tests.conftest import START
from tests.models.test_seeding import ACCOUNTS, rows

PLATFORM = "letters"


@pytest.fixture(scope="module")
async def seeded(database_url: str) -> uuid.UUID:
    """The platform with the seeded accounts."""
    assert await seed(database_url, PLATFORM, ManualClock(START), ACCOUNTS) == ACCOUNTS
    return platform_id_for(PLATFORM)


async def test_somebody_was_reminded_and_then_restricted(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = """
        SELECT reminder.body, notice.body
        FROM interactions reminder JOIN interaction_requirements r
        ON (r.account_id, r.interaction_id) = (reminder.account_id, reminder.id)
        JOIN interaction_requirements n
        ON (n.account_id, n.requirement_id) = (r.account_id, r.requirement_id)
        JOIN interactions notice
        ON (n.account_id, n.interaction_id) = (notice.account_id, notice.id)
        WHERE reminder.platform_id = :platform AND reminder.purpose = 'REMINDER'
        AND reminder.author_id = 'notices' AND reminder.sent_at < notice.sent_at
        AND notice.subject LIKE '%stopped for now'"""
    found = await rows(owner_engine, query, platform=seeded)
    assert found
    assert all("This is still open, and due by" in reminder for reminder, _ in found)
    assert all("have stopped: " in notice for _, notice in found)


async def asked(
    owner_engine: AsyncEngine, platform: uuid.UUID, subject: str
) -> Sequence[tuple[Any, ...]]:
    """The requests that Recourse has written, of these subjects: of which requirement and how."""
    query = """
        SELECT r.title, r.description, i.subject, i.body, i.author_kind, r.id
        FROM requirements r JOIN interaction_requirements l
        ON (l.account_id, l.requirement_id) = (r.account_id, r.id)
        JOIN interactions i ON (i.account_id, i.id) = (l.account_id, l.interaction_id)
        WHERE r.platform_id = :platform AND i.purpose = 'REQUEST' AND i.subject LIKE :subject"""
    found = await rows(owner_engine, query, platform=platform, subject=subject)
    return [tuple(row) for row in found]


async def test_what_is_asked_for_is_asked_for_as_the_server_does(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    requests = await asked(owner_engine, seeded, "%")
    assert {kind for *_, kind, _ in requests} == {"SYSTEM"}
    assert len({row[-1] for row in requests}) == ACCOUNTS * 5
    opened = [row for row in requests if row[0] == row[2]]
    assert all(body.startswith(f"{said}\n\nWhy we ask:\n\n- ") for _, said, _, body, *_ in opened)
    dated = [row for row in opened if "\n\nPlease send it by " in row[3]]
    assert len(dated) > len(opened) / 2


async def test_what_was_sent_back_says_what_is_wrong(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    letters = await asked(owner_engine, seeded, "%: please send it again")
    assert len(letters) > 20
    for _, _, _, body, *_ in letters:
        assert re.match(
            r"What you sent can't be used yet\.\n\n- \S.*\. Please send it again\.", body
        )
    ends = "SELECT count(*) FROM interactions WHERE platform_id = :platform AND body ~ '\\s$'"
    assert (await rows(owner_engine, ends, platform=seeded))[0][0] == 0


async def test_what_evidence_answers_is_answered_when_it_came(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = """
        SELECT count(*), count(*) FILTER (WHERE i.state NOT IN ('RESPONDED', 'FAILED'))
        FROM interactions i JOIN interaction_requirements l
        ON (i.account_id, i.id) = (l.account_id, l.interaction_id)
        WHERE i.platform_id = :platform AND i.purpose IN ('REQUEST', 'REMINDER')
        AND EXISTS (SELECT FROM evidence e WHERE (e.account_id, e.requirement_id)
            = (l.account_id, l.requirement_id) AND e.submitted_at >= i.sent_at)"""
    (answered, waiting), *_ = await rows(owner_engine, query, platform=seeded)
    assert answered > 100
    assert waiting == 0


async def test_whether_somebody_is_on_a_list_is_not_for_a_letter(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = """
        SELECT i.body FROM interactions i JOIN accounts a USING (account_id)
        WHERE i.platform_id = :platform AND a.rejected_reason = 'rejected.listed'
        AND i.subject LIKE 'We can no longer work with%'"""
    letters = [row[0] for row in await rows(owner_engine, query, platform=seeded)]
    assert letters
    assert not any(re.search(r"\blist", letter) for letter in letters)


async def test_accounts_are_told_of_holds_and_rejections_but_not_of_notes(
    seeded: uuid.UUID, owner_engine: AsyncEngine
) -> None:
    query = """
        SELECT i.subject, i.body FROM interactions i WHERE i.platform_id = :platform
        AND NOT EXISTS (SELECT FROM interaction_requirements r
            WHERE (r.account_id, r.interaction_id) = (i.account_id, i.id))"""
    found = await rows(owner_engine, query, platform=seeded)
    assert any(subject.startswith("Restricted for now") for subject, _ in found)
    assert any(subject.startswith("We can no longer work with") for subject, _ in found)
    query = "SELECT count(*) FROM interactions WHERE body LIKE '%alert of the monitoring%'"
    assert (await rows(owner_engine, query))[0][0] == 0


def test_each_program_has_words_of_its_own() -> None:
    for field in ("question", "answer", "accepted", "refused", "appeal", "upheld", "overturned"):
        said = {getattr(words_for(program.code), field) for program in programs()}
        assert len(said) == len(programs())
