"""`verify` finds what was tampered with, and names the place."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.aggregate import Account
from models.events import event_hash
from models.requirement import Requirement
from models.status import CapabilityKind
from models.verify import Counts, Finding, FindingKind, verify
from tests.factories import (
    Runner,
    create_account,
    create_requirement,
    open_requirement,
    place_hold,
    publish_program,
    submit,
)


async def findings(run: Runner, account_id: uuid.UUID) -> list[tuple[FindingKind, str]]:
    """What verify finds on one account; other tests leave their own ruins beside it."""
    found: list[Finding] = []
    await verify(run.database.worker, found.append, accounts_per_batch=3)
    return [(finding.kind, finding.place) for finding in found if finding.account_id == account_id]


async def tamper(owner: AsyncEngine, account_id: uuid.UUID, *statements: str) -> None:
    """Change the account's rows past every right, as one who owns the database could."""
    async with owner.begin() as connection:
        for statement in statements:
            done = await connection.execute(text(statement), {"account": account_id})
            assert done.rowcount > 0, statement


async def rehash(owner: AsyncEngine, account_id: uuid.UUID, sequence: int) -> None:
    """Make an altered event's hash fit again, as a careful forger would."""
    event = "events WHERE account_id = :account AND sequence = :sequence"
    values: dict[str, Any] = {"account": account_id, "sequence": sequence}
    async with owner.begin() as connection:
        rows = await connection.execute(text(f"SELECT * FROM {event}"), values)
        values["hash"] = event_hash(rows.one())
        update = event.replace("WHERE", "SET hash = :hash WHERE")
        await connection.execute(text(f"UPDATE {update}"), values)


@pytest.fixture
async def row(run: Runner) -> Requirement:
    """A submitted requirement: its account has at least four events."""
    row = await open_requirement(run)
    await submit(run, row)
    assert await findings(run, row.account_id) == []
    return row


async def test_an_untouched_store_has_no_findings_and_all_is_counted(run: Runner) -> None:
    program = await publish_program(run)
    accounts = [await create_account(run) for _ in range(7)]
    for account in accounts:
        await open_requirement(run, account, program)
    await place_hold(run, accounts[0], expires_at=run.clock.now() + timedelta(days=1))
    run.clock.advance(timedelta(days=30))
    await run.rederive(accounts[1].account_id)
    seen: list[tuple[int, int]] = []

    def progress(counts: Counts) -> None:
        seen.append((counts.accounts, counts.total))

    found: list[Finding] = []
    counts = await verify(run.database.worker, found.append, progress, accounts_per_batch=3)
    ours = {account.account_id for account in accounts}
    assert [finding for finding in found if finding.account_id in ours] == []
    assert counts.accounts == counts.total >= 7
    assert counts.events > 7 * 2
    assert seen == sorted(seen)
    assert seen[0][0] == 3
    assert seen[-1] == (counts.accounts, counts.total)


@pytest.mark.parametrize(
    "change",
    [
        "changes = changes || '{\"deadline\": null}'",
        "type = 'REQUIREMENT_APPROVED'",
        "at = at + interval '1 microsecond'",
        "actor_id = 'someone-else'",
        "actor_name = 'Someone Else'",
        "actor_kind = 'SYSTEM'",
        "subject_type = 'Hold'",
        "subject_id = account_id",
        "id = account_id",
        "idempotency_key = 'a-key'",
    ],
)
async def test_an_altered_event_is_named(
    run: Runner, owner_engine: AsyncEngine, row: Requirement, change: str
) -> None:
    statement = f"UPDATE events SET {change} WHERE account_id = :account AND sequence = 2"
    await tamper(owner_engine, row.account_id, statement)
    assert await findings(run, row.account_id) == [(FindingKind.EVENT_ALTERED, "event 2")]


async def test_an_altered_event_with_a_fitting_hash_breaks_the_chain_after_it(
    run: Runner, owner_engine: AsyncEngine, row: Requirement
) -> None:
    await tamper(
        owner_engine,
        row.account_id,
        "UPDATE events SET actor_id = 'eve' WHERE account_id = :account AND sequence = 2",
    )
    await rehash(owner_engine, row.account_id, 2)
    assert await findings(run, row.account_id) == [(FindingKind.CHAIN_BROKEN, "event 3")]


async def test_an_altered_last_event_with_a_fitting_hash_differs_from_the_head(
    run: Runner, owner_engine: AsyncEngine
) -> None:
    account = await create_account(run)
    await tamper(
        owner_engine,
        account.account_id,
        "UPDATE events SET actor_id = 'eve' WHERE account_id = :account",
    )
    await rehash(owner_engine, account.account_id, 1)
    assert await findings(run, account.account_id) == [(FindingKind.HEAD_DIFFERS, "event 1")]


@pytest.mark.parametrize(
    ("which", "place"),
    [
        ("sequence = 1", "event 1"),
        ("sequence = 2", "event 2"),
        ("sequence IN (2, 3)", "event 2"),
        ("true", "event 1"),
    ],
)
async def test_a_deleted_event_is_named(
    run: Runner, owner_engine: AsyncEngine, row: Requirement, which: str, place: str
) -> None:
    statement = f"DELETE FROM events WHERE account_id = :account AND {which}"
    await tamper(owner_engine, row.account_id, statement)
    assert await findings(run, row.account_id) == [(FindingKind.EVENT_MISSING, place)]


async def test_a_deleted_last_event_is_named(
    run: Runner, owner_engine: AsyncEngine, row: Requirement
) -> None:
    last = (await run.fetch(Account, row.account_id)).event_sequence
    statement = f"DELETE FROM events WHERE account_id = :account AND sequence = {last}"
    await tamper(owner_engine, row.account_id, statement)
    assert await findings(run, row.account_id) == [(FindingKind.EVENT_MISSING, f"event {last}")]


async def test_two_swapped_hashes_are_both_named(
    run: Runner, owner_engine: AsyncEngine, row: Requirement
) -> None:
    await tamper(
        owner_engine,
        row.account_id,
        "UPDATE events e SET hash = o.hash FROM events o WHERE e.account_id = :account "
        "AND o.account_id = e.account_id AND (e.sequence, o.sequence) IN ((2, 3), (3, 2))",
    )
    found = await findings(run, row.account_id)
    altered = [place for kind, place in found if kind is FindingKind.EVENT_ALTERED]
    assert altered == ["event 2", "event 3"]
    assert (FindingKind.CHAIN_BROKEN, "event 3") in found


async def test_a_chain_that_was_cut_with_its_head_is_found_at_the_event_after(
    run: Runner, owner_engine: AsyncEngine, row: Requirement
) -> None:
    await tamper(
        owner_engine,
        row.account_id,
        "UPDATE accounts SET event_sequence = 2, event_hash = (SELECT hash FROM events e "
        "WHERE e.account_id = :account AND sequence = 2) WHERE account_id = :account",
    )
    found = await findings(run, row.account_id)
    assert [kind for kind, _ in found] == [FindingKind.HEAD_DIFFERS]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", "'RESTRICTED_SOON'"),
        ("next_deadline", "next_deadline + interval '1 day'"),
        ("next_change_at", "NULL"),
    ],
)
async def test_a_changed_status_of_the_account_is_named(
    run: Runner, owner_engine: AsyncEngine, column: str, value: str
) -> None:
    row = await open_requirement(run)
    await tamper(
        owner_engine,
        row.account_id,
        f"UPDATE accounts SET {column} = {value} WHERE account_id = :account",
    )
    assert await findings(run, row.account_id) == [(FindingKind.STATUS_DIFFERS, column)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", "'RESTRICTED', disabled_reason = 'other'"),
        ("restricts_at", "NULL"),
    ],
)
async def test_a_changed_capability_is_named(
    run: Runner, owner_engine: AsyncEngine, column: str, value: str
) -> None:
    row = await open_requirement(run)
    await tamper(
        owner_engine,
        row.account_id,
        f"UPDATE capabilities SET {column} = {value} "
        "WHERE account_id = :account AND kind = 'PAYOUTS'",
    )
    found = await findings(run, row.account_id)
    assert (FindingKind.CAPABILITY_DIFFERS, f"capability PAYOUTS {column}") in found
    assert all(place.startswith("capability PAYOUTS") for _, place in found)


async def test_a_missing_capability_is_named(run: Runner, owner_engine: AsyncEngine) -> None:
    account = await create_account(run, capabilities=(CapabilityKind.PAYOUTS,))
    await tamper(
        owner_engine,
        account.account_id,
        "DELETE FROM capabilities WHERE account_id = :account AND kind = 'TRANSFERS'",
    )
    expected = [(FindingKind.CAPABILITY_MISSING, "capability TRANSFERS")]
    assert await findings(run, account.account_id) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE requirements SET deadline = deadline - interval '1 day'",
        "UPDATE requirements SET state = 'SUBMITTED', submitted_at = created_at",
        "UPDATE holds SET reason = 'LISTED'",
        "UPDATE holds SET released_at = created_at, released_by_id = 'eve', "
        "released_by_kind = 'REVIEWER'",
        "UPDATE requirements SET restricts = '{}'",
    ],
)
async def test_a_fact_changed_behind_the_status_is_found(
    run: Runner, owner_engine: AsyncEngine, statement: str
) -> None:
    row = await create_requirement(run)
    account = await run.fetch(Account, row.account_id)
    await place_hold(run, account, capabilities=(CapabilityKind.CARD_PAYMENTS,))
    await tamper(owner_engine, row.account_id, f"{statement} WHERE account_id = :account")
    kinds = {kind for kind, _ in await findings(run, row.account_id)}
    assert kinds
    assert kinds <= {FindingKind.STATUS_DIFFERS, FindingKind.CAPABILITY_DIFFERS}


async def test_every_finding_says_what_is_wrong(
    run: Runner, owner_engine: AsyncEngine, row: Requirement
) -> None:
    await tamper(
        owner_engine,
        row.account_id,
        "UPDATE accounts SET status = 'ENABLED', disabled_reason = NULL "
        "WHERE account_id = :account",
        "UPDATE events SET actor_id = 'eve' WHERE account_id = :account AND sequence = 2",
    )
    found: list[Any] = []
    counts = await verify(run.database.worker, found.append)
    assert counts.findings == len(found)
    messages: Sequence[str] = [f.message for f in found if f.account_id == row.account_id]
    assert any("REQUIREMENT_OPENED" in message for message in messages)
    assert any("UNDER_REVIEW" in message for message in messages)
