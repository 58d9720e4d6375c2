"""What the role of account users can't make of its own account's rows, by SQL of one's own.

It hands in, appeals and answers; it decides nothing. Each attack changes rows that it sees, and
finds none or is refused; the operations do what they may under the very same policies.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database import Database
from models.aggregate import Account
from models.clock import ManualClock
from models.interaction import Interaction
from models.requirement import Requirement
from models.resolution import Resolution, ResolutionOutcome
from models.session import settings_sql
from models.status import RequirementState
from models.verify import verify_account
from tests.conftest import START
from tests.factories import (
    OF_APPEAL,
    Runner,
    create_account,
    create_interaction,
    create_requirement,
    create_resolution,
    create_runner,
    decide,
    object_to,
    open_requirement,
    place_hold,
    publish_program,
    receive_message,
    submit,
)

# (table, which rows, what the attacker writes)
CLOSED = "closed_at = updated_at, closed_reason = 'x', review_due_at = NULL, "
CLOSED += "review_at_risk_at = NULL, review_left_seconds = NULL"
ATTACKS = [
    *(
        ("requirements", f"state = '{start}'", f"state = '{end}', {CLOSED}")
        for start in ("OPEN", "ACTION_REQUIRED", "SUBMITTED", "IN_REVIEW")
        for end in ("SATISFIED", "WAIVED", "CANCELED")
    ),
    # A second appeal after the first has ended, and one that comes too late.
    (
        "requirements",
        "state = 'REJECTED' AND appealed_at IS NOT NULL",
        "state = 'IN_REVIEW', closed_at = NULL, closed_reason = NULL",
    ),
    (
        "requirements",
        "state = 'REJECTED' AND appealed_at IS NULL",
        "state = 'IN_REVIEW', closed_at = NULL, closed_reason = NULL, "
        "appealed_at = appeal_deadline",
    ),
    (
        "requirements",
        "state = 'REJECTED' AND appealed_at IS NULL",
        "closed_reason = 'other'",
    ),
    ("requirements", "state = 'OPEN'", "state = 'IN_REVIEW', submitted_at = created_at"),
    ("requirements", "state = 'SUBMITTED'", "state = 'IN_REVIEW'"),
    ("requirements", "state = 'SUBMITTED'", "state = 'OPEN'"),
    ("requirements", "state = 'ACTION_REQUIRED'", "errors = '[]'"),
    (
        "requirements",
        "state = 'IN_REVIEW' AND appealed_at IS NULL",
        "review_due_at = created_at, review_at_risk_at = created_at",
    ),
    ("requirements", "state = 'OPEN'", "version = version + 1"),
    ("resolutions", "state = 'UPHELD'", "state = 'OVERTURNED'"),
    ("resolutions", "state = 'APPEALED'", "state = 'OVERTURNED'"),
    (
        "resolutions",
        "state = 'APPEALED'",
        "state = 'FINAL', appealed_at = NULL, appealed_by_kind = NULL, appealed_by_id = NULL, "
        "appealed_by_name = NULL, appeal_statement = NULL",
    ),
    *(
        (
            "resolutions",
            f"state = '{state}'",
            "appeal_statement = 'other', appealed_by_id = 'boss', appealed_by_kind = 'REVIEWER'",
        )
        for state in ("UPHELD", "OVERTURNED", "APPEALED")
    ),
    (
        "resolutions",
        "state = 'FINAL' AND outcome = 'REJECTED'",
        "state = 'APPEALED', appealed_at = decided_at, appeal_statement = 'x', "
        "appealed_by_kind = 'REVIEWER', appealed_by_id = 'boss'",
    ),
    *(
        ("interactions", f"state = '{start}'", f"state = '{end}'")
        for start, end in (
            ("RESPONDED", "SENT"),
            ("RESPONDED", "VIEWED"),
            ("RESPONDED", "DELIVERED"),
            ("SENT", "VIEWED"),
            ("SENT", "CANCELED"),
            ("FAILED", "SENT"),
        )
    ),
    ("interactions", "state = 'FAILED'", "state = 'RESPONDED', responded_at = created_at"),
    ("interactions", "state = 'RESPONDED'", "responded_at = created_at"),
    ("requirement_spans", "party = 'RISK' AND ended_at IS NULL", "ended_at = started_at"),
    ("requirement_spans", "ended_at IS NOT NULL", "ended_at = NULL"),
    ("requirement_spans", "ended_at IS NOT NULL", "ended_at = '2100-01-01'"),
]
# What staff and the worker, who decide, can't make of what has ended.
ON_WHAT_HAS_ENDED = [
    ("requirements", "state = 'CANCELED'", "version = version + 1"),
    ("requirements", "state = 'CANCELED'", "state = 'OPEN', closed_at = NULL"),
    ("resolutions", "state = 'OVERTURNED'", "state = 'UPHELD'"),
    ("resolutions", "state = 'DECLINED'", "state = 'FINAL'"),
    ("interactions", "state = 'CANCELED'", "body = 'Other words.'"),
]
INSERTS = [
    ("evidence", "submitted_by_kind", "REVIEWER"),
    ("events", "actor_kind", "REVIEWER"),
    ("events", "actor_kind", "SERVICE"),
    ("requirement_spans", "party", "ACCOUNT"),
]


@pytest.fixture(scope="module")
async def scene(database: Database) -> tuple[Runner, Account]:
    """An account that has requirements, decisions and contacts in every state."""
    run = await create_runner(database, ManualClock(START))
    account = await create_account(run)
    program = await publish_program(run, review_within="P2D")
    for state in RequirementState:
        await create_requirement(run, state, account, program)
    for resolution_state in ("PROPOSED", "DECLINED", *OF_APPEAL):
        row = await open_requirement(run, account, program)
        await create_resolution(run, resolution_state, row)
    for contact in ("SENT", "DELIVERED", "VIEWED", "RESPONDED", "FAILED", "DRAFT", "CANCELED"):
        await create_interaction(run, contact, row)
    await place_hold(run, account)
    return run, account


@asynccontextmanager
async def as_role(run: Runner, account: Account, role: str) -> AsyncIterator[AsyncConnection]:
    engines = {"user": run.database.account_user, "staff": run.database.staff}
    engines["worker"] = run.database.worker
    own = account.account_id if role == "user" else None
    async with engines[role].connect() as connection:
        for statement in settings_sql(run.platform_id, own).split("; "):
            await connection.execute(text(statement))
        yield connection
        await connection.rollback()


async def changed(connection: AsyncConnection, table: str, where: str, change: str) -> int:
    """How many rows can be changed so, tried one by one; refusals are by policies and checks."""
    key = "requirement_id" if table == "requirement_spans" else "id"
    found = list(await connection.scalars(text(f"SELECT {key} FROM {table} WHERE {where}")))
    assert found
    done, refusals = 0, []
    for own in found:
        savepoint = await connection.begin_nested()
        statement = text(f"UPDATE {table} SET {change} WHERE {where} AND {key} = :own")
        try:
            done += (await connection.execute(statement, {"own": own})).rowcount
        except DBAPIError as error:
            await savepoint.rollback()
            refusals.append(str(error))
    assert not [refusal for refusal in refusals if "permission denied" in refusal]
    return done


@pytest.mark.parametrize(("table", "where", "change"), ATTACKS)
async def test_account_users_decide_nothing(
    scene: tuple[Runner, Account], table: str, where: str, change: str
) -> None:
    run, account = scene
    async with as_role(run, account, "user") as connection:
        assert await changed(connection, table, where, change) == 0


@pytest.mark.parametrize("role", ["staff", "worker"])
@pytest.mark.parametrize(("table", "where", "change"), ON_WHAT_HAS_ENDED)
async def test_what_has_ended_stays_as_it_is(
    scene: tuple[Runner, Account], table: str, where: str, change: str, role: str
) -> None:
    run, account = scene
    mine = f"account_id = '{account.account_id}' AND {where}"
    async with as_role(run, account, role) as connection:
        assert await changed(connection, table, mine, change) == 0


@pytest.mark.parametrize(("table", "column", "value"), INSERTS)
async def test_account_users_write_in_no_other_name(
    scene: tuple[Runner, Account], owner_engine: AsyncEngine, table: str, column: str, value: str
) -> None:
    run, account = scene
    query = "SELECT attname FROM pg_attribute WHERE attrelid = :t ::regclass AND attnum > 0 "
    query += "AND attgenerated = '' AND NOT attisdropped"
    async with owner_engine.connect() as connection:
        names = list(await connection.scalars(text(query), {"t": table}))
    fresh = {"id": "gen_random_uuid()", "sequence": "sequence + 1000", column: f"'{value}'"}
    values = ", ".join(fresh.get(name, name) for name in names)
    async with as_role(run, account, "user") as connection:
        with pytest.raises(DBAPIError, match="row-level security policy"):
            await connection.execute(
                text(f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}")
            )


@pytest.mark.parametrize("role", ["staff", "worker"])
async def test_the_id_that_a_platform_gave_an_account_never_changes(
    scene: tuple[Runner, Account], role: str
) -> None:
    run, account = scene
    own = f"WHERE account_id = '{account.account_id}'"
    async with as_role(run, account, role) as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text(f"UPDATE accounts SET external_id = 'other' {own}"))
    async with as_role(run, account, role) as connection:
        # Everything else may, in a later migration's columns too.
        names = [c.name for c in Account.__table__.columns if c.computed is None]
        rest = ", ".join(f"{name} = {name}" for name in names if name != "external_id")
        done = await connection.execute(text(f"UPDATE accounts SET {rest} {own}"))
        assert done.rowcount == 1


async def test_account_users_do_what_they_may(run: Runner) -> None:
    """Under the same policies: each operation of theirs, and time that has passed meanwhile."""
    account = await create_account(run)
    program = await publish_program(run, review_within="P2D", deadline_after="P14D")
    late = await open_requirement(run, account, program)
    row = await create_requirement(run, "ACTION_REQUIRED", account, program)
    contact = await create_interaction(run, "SENT", row)
    await place_hold(run, account, expires_at=run.clock.now() + timedelta(days=20))
    run.clock.advance(timedelta(days=30))
    await receive_message(run, row, in_reply_to_id=contact.id)
    await submit(run, row)
    await submit(run, late)
    await decide(run, row, ResolutionOutcome.REJECTED)
    appealed = await object_to(run, row)
    states = [
        (await run.fetch(Interaction, contact.account_id, contact.id)).state,
        (await run.fetch(Requirement, late.account_id, late.id)).state,
        (await run.fetch(Requirement, row.account_id, row.id)).state,
        (await run.fetch(Resolution, appealed.account_id, appealed.id)).state,
    ]
    assert states == ["RESPONDED", "SUBMITTED", "IN_REVIEW", "APPEALED"]
    assert await verify_account(run.database.worker, account.account_id) == []
