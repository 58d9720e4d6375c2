"""What each role of the service can't do, tried with SQL of one's own on its own connection.

The tables are walked, so that a new one can't be forgotten.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database import ROLES, Database
from models.aggregate import Account
from models.base import staff_only_columns
from models.clock import ManualClock
from models.interaction import Interaction, InteractionRequirement
from models.requirement import Requirement
from models.resolution import ResolutionOutcome
from models.session import settings_sql
from models.tables import METADATA
from tests.conftest import START
from tests.factories import (
    Runner,
    add_note,
    create_account,
    create_api_key,
    create_runner,
    decide,
    open_requirement,
    place_hold,
    publish_program,
    receive_message,
    submit,
)

STAFF, ACCOUNT_USER, WORKER = ROLES
TABLES = sorted(METADATA.tables.values(), key=lambda table: table.name)
OF_ACCOUNTS = [table for table in TABLES if "account_id" in table.c]
SCOPED = [STAFF, ACCOUNT_USER]
CHANGING = [table for table in OF_ACCOUNTS if "version" in table.c]
APPEND_ONLY = ["events", "evidence", "notes"]
SETTING = "({} = (NULLIF(current_setting('recourse.{}'::text, true), ''::text))::uuid)"
STAFF_ONLY = {
    "accounts": {
        *("import_state", "rejected_by_id", "rejected_by_name"),
        *("reinstated_by_id", "reinstated_by_name"),
    },
    "holds": {
        *("note", "placed_by_id", "placed_by_name", "released_by_id", "released_by_name"),
    },
    "programs": {"published_by_id", "published_by_name"},
    "resolutions": {
        *("proposed_by_id", "proposed_by_name", "decided_by_id", "decided_by_name"),
        *("appeal_decided_by_id", "appeal_decided_by_name"),
    },
    "interactions": {"attempts", "attempt_at", "attempt_number", "failure_said"},
    "requirements": {"assignee_id", "assignee_name", "assignee_key", "proposed_outcome"},
}
# What is between staff: rows that account users don't see, though they are about their account.
_BETWEEN_STAFF_EVENTS = (
    *("REQUIREMENT_ASSIGNED", "RESOLUTION_PROPOSED", "RESOLUTION_DECLINED"),
    *("INTERACTION_DRAFTED", "INTERACTION_UPDATED", "INTERACTION_SCHEDULED"),
    *("INTERACTION_CANCELED", "NOTE_ADDED"),
)
BETWEEN_STAFF = {
    "events": f"type IN {_BETWEEN_STAFF_EVENTS}",
    "interactions": "first_sent_at IS NULL",
    "resolutions": "state IN ('PROPOSED', 'DECLINED')",
    # By a policy of their own: staff's keys.
    "idempotency_keys": "NOT starts_with(caller, 'ACCOUNT_USER:')",
}


def _none_of(column: str, *values: str) -> str:
    """As PostgreSQL writes it."""
    listed = ", ".join(f"'{value}'::text" for value in values)
    return f"({column} <> ALL (ARRAY[{listed}]))"


VISIBLE = {
    "events": _none_of("type", *_BETWEEN_STAFF_EVENTS),
    "interactions": "(first_sent_at IS NOT NULL)",
    "resolutions": _none_of("state", "PROPOSED", "DECLINED"),
}
UNREADABLE_FOR_ACCOUNT_USERS = {"api_keys", "notes", "outbox", "platform_idempotency_keys"}
# What only the worker's role may read, who checks it: with what staff's may write there.
UNREADABLE_FOR_STAFF = {"api_keys": {"hash": "repeat('a', 64)"}}
OWN_WRITES_OF_ACCOUNT_USERS = {
    "accounts": {
        *("status", "disabled_reason", "next_deadline", "derived_at", "next_change_at"),
        *("event_sequence", "event_hash", "version", "updated_at"),
    },
    "capabilities": {"status", "disabled_reason", "restricts_at", "updated_at"},
    "interactions": {"state", "responded_at", "version", "updated_at"},
    "requirement_spans": {"ended_at"},
    "requirements": {
        *("state", "errors", "submitted_at", "span_number", "version", "updated_at"),
        *("review_due_at", "review_at_risk_at", "review_left_seconds", "remind_at"),
        *("closed_at", "closed_reason", "appealed_at", "unanswered_since"),
    },
    "resolutions": {
        *("state", "version", "updated_at", "appeal_statement", "appealed_at"),
        *("appealed_by_kind", "appealed_by_id", "appealed_by_name"),
    },
}
INSERTED_BY_ACCOUNT_USERS = {
    *("events", "evidence", "idempotency_keys", "interaction_requirements", "interactions"),
    *("outbox", "requirement_spans"),
}
# What narrows the policies further, by table: the role, what for, and the conditions before and
# after. Account users write in their own name, to the platform, and what has ended stays.
SERVICE = ",".join((STAFF, WORKER))
_OWN_KEY = "starts_with(caller, 'ACCOUNT_USER:'::text)"
NARROWED: dict[str, set[tuple[str, str, str | None, str | None]]] = {
    "interactions": {
        (
            *(ACCOUNT_USER, "INSERT", None),
            "(((direction = 'INBOUND'::text) AND (author_kind = 'ACCOUNT_USER'::text)) "
            "OR ((direction = 'OUTBOUND'::text) AND (author_kind = 'SYSTEM'::text) "
            "AND (author_id = 'notices'::text) AND (purpose = 'NOTICE'::text) "
            "AND (state = 'SCHEDULED'::text)))",
        ),
        (
            *(ACCOUNT_USER, "UPDATE"),
            "(state = ANY (ARRAY['SENT'::text, 'DELIVERED'::text, 'VIEWED'::text]))",
            "(state = 'RESPONDED'::text)",
        ),
        (SERVICE, "UPDATE", "(state <> 'CANCELED'::text)", "true"),
    },
    "requirements": {
        (
            *(ACCOUNT_USER, "UPDATE"),
            "((state = ANY (ARRAY['OPEN'::text, 'ACTION_REQUIRED'::text, 'SUBMITTED'::text, "
            "'IN_REVIEW'::text])) OR ((state = 'REJECTED'::text) AND (appealed_at IS NULL)))",
            "((closed_at IS NULL) AND ((state = 'SUBMITTED'::text) "
            "OR ((state = 'IN_REVIEW'::text) AND (appealed_at < appeal_deadline)) "
            "OR (unanswered_since IS NOT NULL)))",
        ),
        (SERVICE, "UPDATE", "(state <> 'CANCELED'::text)", "true"),
    },
    "resolutions": {
        (
            *(ACCOUNT_USER, "UPDATE", "(state = 'FINAL'::text)"),
            "((state = 'APPEALED'::text) AND (appealed_by_kind = 'ACCOUNT_USER'::text))",
        ),
        (SERVICE, "UPDATE", _none_of("state", "DECLINED", "OVERTURNED"), "true"),
    },
    "requirement_spans": {
        (
            *(ACCOUNT_USER, "UPDATE", "((ended_at IS NULL) AND (party = 'ACCOUNT'::text))"),
            "(ended_at IS NOT NULL)",
        ),
        (
            *(ACCOUNT_USER, "INSERT", None),
            "(party = ANY (ARRAY['RISK'::text, 'NOBODY'::text]))",
        ),
    },
    "api_keys": {(SERVICE, "UPDATE", "(state <> 'REVOKED'::text)", "true")},
    "evidence": {(ACCOUNT_USER, "INSERT", None, "(submitted_by_kind = 'ACCOUNT_USER'::text)")},
    "events": {
        (
            *(ACCOUNT_USER, "INSERT", None),
            "(actor_kind = ANY (ARRAY['ACCOUNT_USER'::text, 'SYSTEM'::text]))",
        )
    },
    "idempotency_keys": {
        (ACCOUNT_USER, "INSERT", None, _OWN_KEY),
        (ACCOUNT_USER, "SELECT", _OWN_KEY, None),
    },
}


@dataclass(frozen=True)
class Tenants:
    """Two platforms with rows in every table, the first with two accounts."""

    database: Database
    mine: Runner
    theirs: Runner
    account: Account
    neighbour: Account
    stranger: Account

    @asynccontextmanager
    async def as_role(
        self, role: str, platform: bool = True, account: bool = True
    ) -> AsyncIterator[AsyncConnection]:
        """A transaction of one role, with the settings of the first platform and account."""
        engines = dict(zip(ROLES, self.engines, strict=True))
        platform_id = self.mine.platform_id if platform else None
        account_id = self.account.account_id if account and role == ACCOUNT_USER else None
        async with engines[role].connect() as connection:
            for statement in filter(None, settings_sql(platform_id, account_id).split("; ")):
                await connection.execute(text(statement))
            yield connection
            await connection.rollback()

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine, AsyncEngine]:
        return self.database.staff, self.database.account_user, self.database.worker


@pytest.fixture(scope="module")
async def tenants(database: Database) -> Tenants:
    mine, theirs = [await create_runner(database, ManualClock(START)) for _ in range(2)]
    accounts = [await fill(runner) for runner in (mine, mine, theirs)]
    return Tenants(database, mine, theirs, *accounts)


async def fill(run: Runner) -> Account:
    """An account with a row in every table."""
    account = await create_account(run, idempotency_key="k")
    program = await publish_program(run, idempotency_key=str(account.account_id))
    row, other = [await open_requirement(run, account, program) for _ in range(2)]
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.SATISFIED)
    await decide(run, other, ResolutionOutcome.WAIVED)
    await place_hold(run, account, note="We suspect fraud.")
    await add_note(run, row)
    await write_interaction(run, row, "SENT")
    await write_interaction(run, other, "DRAFT")
    await receive_message(run, row, idempotency_key="k")
    await create_api_key(run)
    return account


async def write_interaction(run: Runner, row: Requirement, state: str) -> None:
    own = {"account_id": row.account_id, "platform_id": row.platform_id}
    now = run.clock.now()
    contact = Interaction(
        **own,
        **{"id": uuid.uuid4(), "version": 1, "created_at": now, "updated_at": now},
        **{"purpose": "MESSAGE", "channel": "EMAIL", "direction": "OUTBOUND", "state": state},
        **{"subject": "Hello", "body": "Hello", "author_kind": "REVIEWER", "author_id": "rita"},
        **dict.fromkeys(("sent_at", "first_sent_at"), now if state == "SENT" else None),
    )
    async with run.database.session_for(run.system) as session, session.begin():
        session.add(contact)
        await session.flush()
        session.add(
            InteractionRequirement(
                **own,
                interaction_id=contact.id,
                requirement_id=row.id,
                interaction_created_at=now,
            )
        )


def readable(table: Table, role: str) -> bool:
    return role != ACCOUNT_USER or table.name not in UNREADABLE_FOR_ACCOUNT_USERS


def shown(table: Table) -> str:
    """Which rows of their account its users see."""
    hidden = BETWEEN_STAFF.get(table.name)
    return "true" if hidden is None else f"NOT ({hidden})"


def owner_of(table: Table) -> str:
    """The column that says whose a row is."""
    return "id" if table.name == "platforms" else "platform_id"


async def count(
    connection: AsyncConnection, table: Table, where: str = "true", **values: Any
) -> int:
    query = text(f"SELECT count(*) FROM {table.name} WHERE {where}")
    return int((await connection.execute(query, values)).scalar_one())


async def refusal(connection: AsyncConnection, statement: str, **values: Any) -> str:
    """The message with which PostgreSQL refuses a statement, which it must."""
    with pytest.raises(DBAPIError) as caught:
        await connection.execute(text(statement), values)
    await connection.rollback()
    return str(caught.value.orig)


@pytest.mark.parametrize("table", TABLES, ids=str)
async def test_every_table_forces_row_security_with_a_policy_for_each_role(
    owner_engine: AsyncEngine, table: Table
) -> None:
    platform = SETTING.format(owner_of(table), "platform_id")
    account = SETTING.format("account_id", "account_id")
    both = f"({platform} AND {account})" if table in OF_ACCOUNTS else platform
    visible = f"({platform} AND {account} AND {VISIBLE.get(table.name)})"
    async with owner_engine.connect() as connection:
        query = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = :t ::regclass"
        flags = (await connection.execute(text(query), {"t": table.name})).one()
        query = "SELECT array_to_string(roles, ','), permissive, cmd, qual, with_check "
        query += "FROM pg_policies WHERE tablename = :t"
        policies = (await connection.execute(text(query), {"t": table.name})).all()
    assert tuple(flags) == (True, True)
    assert {tuple(policy) for policy in policies} == {
        (STAFF, "PERMISSIVE", "ALL", platform, platform),
        (ACCOUNT_USER, "PERMISSIVE", "ALL", visible if table.name in VISIBLE else both, both),
        (WORKER, "PERMISSIVE", "ALL", "true", "true"),
        *((role, "RESTRICTIVE", *rest) for role, *rest in NARROWED.get(table.name, ())),
    }


async def test_no_table_of_the_database_is_outside_the_walk(owner_engine: AsyncEngine) -> None:
    query = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND "
    query += "relnamespace = 'public'::regnamespace"
    async with owner_engine.connect() as connection:
        found = set(await connection.scalars(text(query)))
        policies = await connection.scalar(text("SELECT count(*) FROM pg_policies"))
    assert found == {table.name for table in TABLES} | {"alembic_version"}
    assert policies == 3 * len(TABLES) + sum(map(len, NARROWED.values()))


async def test_the_roles_own_nothing_and_are_nothing_more(owner_engine: AsyncEngine) -> None:
    async with owner_engine.connect() as connection:
        attributes = await connection.execute(
            text(
                "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole "
                "OR rolcreatedb OR rolinherit OR rolreplication, "
                "(SELECT count(*) FROM pg_auth_members m WHERE r.oid IN (m.member, m.roleid)), "
                "(SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid), "
                "has_schema_privilege(r.oid, 'public', 'CREATE') "
                "FROM pg_roles r WHERE rolname LIKE 'recourse\\_%'"
            )
        )
        assert {tuple(row) for row in attributes} == {
            (role, True, False, 0, 0, False) for role in ROLES
        }


@pytest.mark.parametrize("table", TABLES, ids=str)
@pytest.mark.parametrize("role", SCOPED)
async def test_a_role_sees_all_of_its_own_and_nothing_of_another(
    tenants: Tenants, owner_engine: AsyncEngine, role: str, table: Table
) -> None:
    if not readable(table, role):
        async with tenants.as_role(role) as connection:
            query = f"SELECT 1 FROM {table.name}"
            assert "permission denied" in await refusal(connection, query)
        return
    mine = f"{owner_of(table)} = '{tenants.mine.platform_id}'"
    if role == ACCOUNT_USER and table in OF_ACCOUNTS:
        mine += f" AND account_id = '{tenants.account.account_id}' AND {shown(table)}"
    async with owner_engine.connect() as connection:
        expected = await count(connection, table, mine)
        assert await count(connection, table) > expected > 0
    async with tenants.as_role(role) as connection:
        assert await count(connection, table) == await count(connection, table, mine) == expected
        theirs = f"{owner_of(table)} = '{tenants.theirs.platform_id}'"
        assert await count(connection, table, theirs) == 0


@pytest.mark.parametrize("name", BETWEEN_STAFF)
async def test_account_users_see_nothing_of_what_is_between_staff(
    tenants: Tenants, owner_engine: AsyncEngine, name: str
) -> None:
    theirs = f"account_id = '{tenants.account.account_id}' AND {BETWEEN_STAFF[name]}"
    async with owner_engine.connect() as connection:
        assert await count(connection, METADATA.tables[name], theirs) > 0
    async with tenants.as_role(ACCOUNT_USER) as connection:
        assert await count(connection, METADATA.tables[name], theirs) == 0


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_the_mapper_knows_which_columns_are_for_staff(table: Table) -> None:
    assert staff_only_columns(table) == STAFF_ONLY.get(table.name, set())


@pytest.mark.parametrize("table", TABLES, ids=str)
@pytest.mark.parametrize("role", SCOPED)
async def test_a_role_without_settings_sees_nothing(
    tenants: Tenants, role: str, table: Table
) -> None:
    if not readable(table, role):
        return
    async with tenants.as_role(role, platform=False, account=False) as connection:
        assert await count(connection, table) == 0
        await connection.execute(text("SET LOCAL recourse.platform_id = ''"))
        await connection.execute(text("SET LOCAL recourse.account_id = ''"))
        assert await count(connection, table) == 0
    if role == ACCOUNT_USER and table in OF_ACCOUNTS:
        async with tenants.as_role(role, account=False) as connection:
            assert await count(connection, table) == 0


async def test_settings_end_with_their_transaction(tenants: Tenants) -> None:
    for _ in range(3):
        async with tenants.as_role(STAFF) as connection:
            assert await count(connection, METADATA.tables["accounts"]) == 2
            await connection.rollback()
            assert await count(connection, METADATA.tables["accounts"]) == 0


@pytest.mark.parametrize("table", TABLES, ids=str)
@pytest.mark.parametrize("role", SCOPED)
async def test_a_role_writes_no_row_for_another(tenants: Tenants, role: str, table: Table) -> None:
    """Its own rows again, as those of another platform or account."""
    hidden = STAFF_ONLY.get(table.name, set()) if role == ACCOUNT_USER else set()
    names = [c.name for c in table.columns if c.computed is None and c.name not in hidden]
    written = UNREADABLE_FOR_STAFF.get(table.name, {})
    theirs = {**written, owner_of(table): f"'{tenants.theirs.platform_id}'"}
    as_theirs = [theirs.get(name, name) for name in names]
    copies = [as_theirs]
    if table in OF_ACCOUNTS:
        neighbour = f"'{tenants.neighbour.account_id}'"
        copies.append([neighbour if name == "account_id" else name for name in names])
    if role == STAFF:
        copies = copies[:1]
    for values in copies:
        async with tenants.as_role(role) as connection:
            statement = f"INSERT INTO {table.name} ({', '.join(names)}) "
            statement += f"SELECT {', '.join(values)} FROM {table.name}"
            message = await refusal(connection, statement)
            insertable = await may(connection, role, table, "INSERT")
            if insertable and readable(table, role):
                assert "violates row-level security policy" in message
            else:
                assert "permission denied" in message


@pytest.mark.parametrize("table", TABLES, ids=str)
async def test_staff_reads_every_column_but_what_is_for_the_worker(
    tenants: Tenants, table: Table
) -> None:
    hidden = UNREADABLE_FOR_STAFF.get(table.name, {})
    for column in table.columns:
        statement = f"SELECT {column.name} FROM {table.name}"
        async with tenants.as_role(STAFF) as connection:
            if column.name in hidden:
                assert "permission denied" in await refusal(connection, statement)
            else:
                await connection.execute(text(statement))
    async with tenants.as_role(WORKER) as connection:
        for name in hidden:
            await connection.execute(text(f"SELECT {name} FROM {table.name}"))


@pytest.mark.parametrize("role", [STAFF, WORKER])
@pytest.mark.parametrize("column", ["hash", "role", "scopes", "service_id", "platform_id", "id"])
async def test_what_an_api_key_is_does_not_change(tenants: Tenants, role: str, column: str) -> None:
    async with tenants.as_role(role) as connection:
        message = await refusal(connection, f"UPDATE api_keys SET {column} = {column}")
        assert "permission denied" in message
        assert "permission denied" in await refusal(connection, "DELETE FROM api_keys")


@pytest.mark.parametrize("table", CHANGING, ids=str)
async def test_staff_moves_no_row_to_another_platform_and_changes_none_there(
    tenants: Tenants, table: Table
) -> None:
    theirs = tenants.theirs.platform_id
    async with tenants.as_role(STAFF) as connection:
        change = f"UPDATE {table.name} SET version = version WHERE platform_id = '{theirs}'"
        assert (await connection.execute(text(change))).rowcount == 0
        own = await connection.execute(text(f"UPDATE {table.name} SET version = version"))
        assert own.rowcount > 0
        message = await refusal(connection, f"UPDATE {table.name} SET platform_id = '{theirs}'")
        assert "violates row-level security policy" in message


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET platform_id = platform_id",
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
        "INSERT INTO {0} SELECT * FROM {0} ON CONFLICT (account_id, id) DO UPDATE SET id = {0}.id",
        "MERGE INTO {0} t USING {0} s ON t.id = s.id AND t.account_id = s.account_id "
        "WHEN MATCHED THEN DELETE",
        "SELECT 1 FROM {} FOR UPDATE",
    ],
)
async def test_what_happened_is_neither_changed_nor_deleted(
    tenants: Tenants, role: str, name: str, statement: str
) -> None:
    async with tenants.as_role(role) as connection:
        message = await refusal(connection, statement.format(name))
        assert f"permission denied for table {name}" in message


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("other", [*ROLES, "recourse", "pg_read_all_data"])
async def test_a_role_becomes_no_other(tenants: Tenants, role: str, other: str) -> None:
    if role == other:
        return
    async with tenants.as_role(role) as connection:
        assert "permission denied to set role" in await refusal(connection, f"SET ROLE {other}")
        message = await refusal(connection, f"SET SESSION AUTHORIZATION {other}")
        assert "permission denied to set session authorization" in message
        assert "permission denied" in await refusal(connection, f"GRANT {other} TO {role}")
        for statement in ("RESET ROLE", "RESET SESSION AUTHORIZATION", "RESET ALL", "DISCARD TEMP"):
            await connection.execute(text(statement))
        who = await connection.execute(text("SELECT session_user, current_user"))
        assert tuple(who.one()) == (role, role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE accounts DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE accounts NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY staff ON accounts",
        "CREATE POLICY all_of_it ON accounts USING (true)",
        "ALTER TABLE events DROP COLUMN hash",
        "DROP TABLE events",
        "CREATE TABLE public.mine (id int)",
        "CREATE RULE r AS ON INSERT TO events DO INSTEAD NOTHING",
        "ALTER ROLE recourse_staff BYPASSRLS",
        "SET session_replication_role = replica",
        "COPY accounts TO PROGRAM 'cat'",
        "COPY accounts TO '/tmp/accounts'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
async def test_a_role_changes_neither_tables_nor_rights(
    tenants: Tenants, role: str, statement: str
) -> None:
    async with tenants.as_role(role) as connection:
        message = await refusal(connection, statement)
        assert "permission denied" in message or "must be owner" in message, message


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_passes_no_right_on(tenants: Tenants, role: str) -> None:
    events, notes = METADATA.tables["events"], METADATA.tables["holds"]
    async with tenants.as_role(role) as connection:
        # Without the right to grant, PostgreSQL warns and does nothing.
        await connection.execute(text("GRANT UPDATE, DELETE ON events TO PUBLIC"))
        assert not await may(connection, role, events, "UPDATE")
        assert not await may(connection, role, events, "DELETE")
        if role != ACCOUNT_USER:
            await connection.execute(text(f"GRANT SELECT ON holds TO {ACCOUNT_USER}"))
        assert not await may(connection, ACCOUNT_USER, notes, "SELECT", "note")


@pytest.mark.parametrize("role", SCOPED)
async def test_turning_row_security_off_ends_in_an_error(tenants: Tenants, role: str) -> None:
    async with tenants.as_role(role) as connection:
        await connection.execute(text("SET LOCAL row_security = off"))
        message = await refusal(connection, "SELECT account_id FROM accounts")
        assert "query would be affected by row-level security policy" in message


@pytest.mark.parametrize("table", TABLES, ids=str)
async def test_account_users_read_every_column_but_those_for_staff(
    tenants: Tenants, table: Table
) -> None:
    for column in table.columns:
        hidden = column.name in STAFF_ONLY.get(table.name, ()) or not readable(table, ACCOUNT_USER)
        async with tenants.as_role(ACCOUNT_USER) as connection:
            for statement in (
                f"SELECT {column.name} FROM {table.name}",
                f"SELECT 1 FROM {table.name} WHERE {column.name} IS NOT NULL",
                f"SELECT 1 FROM {table.name} ORDER BY {column.name}",
            ):
                if hidden:
                    message = await refusal(connection, statement)
                    assert f"permission denied for table {table.name}" in message
                else:
                    await connection.execute(text(statement))
            if hidden:
                assert "permission denied" in await refusal(connection, f"TABLE {table.name}")


@pytest.mark.parametrize("table", TABLES, ids=str)
async def test_account_users_change_no_more_than_what_a_submission_or_an_appeal_changes(
    owner_engine: AsyncEngine, table: Table
) -> None:
    async with owner_engine.connect() as connection:
        changeable = {
            column.name
            for column in table.columns
            if await may(connection, ACCOUNT_USER, table, "UPDATE", column.name)
        }
        assert changeable == OWN_WRITES_OF_ACCOUNT_USERS.get(table.name, set())
        assert not await may(connection, ACCOUNT_USER, table, "DELETE")
        inserts = await may(connection, ACCOUNT_USER, table, "INSERT")
    assert inserts == (table.name in INSERTED_BY_ACCOUNT_USERS)


NOTICE = {
    "direction": "'OUTBOUND'",
    "author_kind": "'SYSTEM'",
    "author_id": "'notices'",
    "purpose": "'NOTICE'",
    "state": "'SCHEDULED'",
    "scheduled_for": "now()",
}


@pytest.mark.parametrize(
    "forged",
    [
        {"direction": "'OUTBOUND'"},
        {"author_kind": "'REVIEWER'"},
        {"author_kind": "'SYSTEM'"},
        {"direction": "'OUTBOUND'", "author_kind": "'REVIEWER'"},
        NOTICE | {"direction": "'INBOUND'"},
        NOTICE | {"author_kind": "'REVIEWER'"},
        NOTICE | {"author_id": "'risk-team'"},
        NOTICE | {"purpose": "'DECISION'"},
        NOTICE | {"state": "'SENT'"},
        NOTICE | {"state": "'DRAFT'"},
    ],
)
async def test_account_users_write_in_no_other_name(
    tenants: Tenants, forged: dict[str, str]
) -> None:
    own = {"id": "gen_random_uuid()", "direction": "'INBOUND'", "author_kind": "'ACCOUNT_USER'"}
    names = [
        column.name
        for column in METADATA.tables["interactions"].columns
        if column.computed is None and column.name not in STAFF_ONLY["interactions"]
    ]
    async with tenants.as_role(ACCOUNT_USER) as connection:
        for changed, taken in ((own, True), (own | NOTICE, True), (own | forged, False)):
            values = ", ".join(changed.get(name, name) for name in names)
            statement = f"INSERT INTO interactions ({', '.join(names)}) SELECT {values} "
            statement += "FROM interactions WHERE state = 'SENT' LIMIT 1"
            if taken:
                assert (await connection.execute(text(statement))).rowcount == 1, changed
            else:
                assert "row-level security policy" in await refusal(connection, statement)


async def test_account_users_touch_no_row_of_their_neighbour(tenants: Tenants) -> None:
    row = await open_requirement(tenants.mine, tenants.neighbour)
    async with tenants.as_role(ACCOUNT_USER) as connection:
        query = text("UPDATE requirements SET version = version WHERE id = :id")
        assert (await connection.execute(query, {"id": row.id})).rowcount == 0


async def may(
    connection: AsyncConnection, role: str, table: Table, right: str, column: str | None = None
) -> bool:
    if column is None:
        query, values = "SELECT has_table_privilege(:role, :table, :right)", {}
    else:
        query = "SELECT has_column_privilege(:role, :table, :column, :right)"
        values = {"column": column}
    values |= {"role": role, "table": table.name, "right": right}
    return bool((await connection.execute(text(query), values)).scalar_one())
