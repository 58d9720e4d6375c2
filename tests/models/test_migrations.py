"""The migrations make exactly the declared schema, by one command, from nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.embedded import EmbeddedPostgres
from app.seeding import seed
from models.clock import ManualClock, SystemClock
from models.interaction_steps import NOT_DELIVERED
from models.migrate import pending, upgrade
from models.tables import METADATA
from tests.conftest import START

MIGRATED, DECLARED = "schema_migrated", "schema_declared"
# Alembic's comparison leaves out check constraints and generated columns; the catalogue does not.
CATALOGUE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
    # A check may leave rows alone that were there before it: tables made anew have none.
    "constraints": """
        SELECT c.relname, o.conname, o.contype,
               replace(pg_get_constraintdef(o.oid), ' NOT VALID', '')
        FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid WHERE true""",
    "indexes": """
        SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_class c WHERE c.relkind = 'i'""",
    "triggers": """
        SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal""",
    "sequences": "SELECT c.relname FROM pg_class c WHERE c.relkind = 'S'",
}
LINKED = (
    """
    INSERT INTO interactions (account_id, platform_id, id, purpose, channel, direction, state, body,
        author_kind, author_id, version, created_at, updated_at)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'MESSAGE', 'EMAIL', 'OUTBOUND',
        'DRAFT', 'Hello', 'REVIEWER', 'rita', 1, now() - n * interval '1 day', now()
    FROM generate_series(1, 9) AS n""",
    """
    INSERT INTO interaction_requirements (account_id, platform_id, interaction_id, requirement_id)
    SELECT account_id, platform_id, id, gen_random_uuid() FROM interactions""",
)
OURS = "AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'alembic%'"


@pytest.fixture(scope="module")
async def migrated(postgres: EmbeddedPostgres) -> AsyncIterator[AsyncEngine]:
    """A database that one command has brought up from nothing."""
    engine = create_async_engine(postgres.create_database(MIGRATED))
    await upgrade(engine)
    yield engine
    await engine.dispose()
    postgres.drop_database(MIGRATED)


@pytest.fixture(scope="module")
async def declared(postgres: EmbeddedPostgres) -> AsyncIterator[AsyncEngine]:
    """A database with the tables as the code declares them, which no migration has touched."""
    engine = create_async_engine(postgres.create_database(DECLARED))
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield engine
    await engine.dispose()
    postgres.drop_database(DECLARED)


async def catalogue(engine: AsyncEngine, what: str) -> set[tuple[object, ...]]:
    async with engine.connect() as connection:
        rows = await connection.execute(text(f"{CATALOGUE[what]} {OURS}"))
        return {tuple(row) for row in rows}


@pytest.mark.parametrize("what", CATALOGUE)
async def test_the_migrated_schema_is_the_declared_one(
    migrated: AsyncEngine, declared: AsyncEngine, what: str
) -> None:
    ours, theirs = await catalogue(migrated, what), await catalogue(declared, what)
    assert sorted(map(str, ours - theirs)) == [], "only after the migrations"
    assert sorted(map(str, theirs - ours)) == [], "only in the declared tables"


async def test_alembic_finds_nothing_to_migrate(migrated: AsyncEngine) -> None:
    def differences(connection: Connection) -> object:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    async with migrated.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_there_are_checks_and_generated_columns_to_compare(migrated: AsyncEngine) -> None:
    checks = [row for row in await catalogue(migrated, "constraints") if row[2] == b"c"]
    generated = [row for row in await catalogue(migrated, "columns") if row[4] == b"s"]
    assert len(checks) >= 40
    assert {"sort_deadline", "sort_next_deadline", "sort_scheduled_for", "assignee_key"} <= {
        row[1] for row in generated
    }


@pytest.mark.parametrize("what", ["triggers", "sequences"])
async def test_there_are_neither_triggers_nor_sequences(migrated: AsyncEngine, what: str) -> None:
    assert await catalogue(migrated, what) == set()


async def test_upgrading_again_changes_nothing(migrated: AsyncEngine) -> None:
    before = {what: await catalogue(migrated, what) for what in CATALOGUE}
    assert await pending(migrated) == []
    await upgrade(migrated)
    assert {what: await catalogue(migrated, what) for what in CATALOGUE} == before


async def test_what_is_pending_is_named_in_order_until_it_is_run(
    postgres: EmbeddedPostgres,
) -> None:
    engine = create_async_engine(postgres.create_database("schema_pending"))
    assert (await pending(engine))[:2] == ["0001", "0002"]
    await upgrade(engine, "0001")
    assert (await pending(engine))[0] == "0002"
    await upgrade(engine)
    assert await pending(engine) == []
    await engine.dispose()
    postgres.drop_database("schema_pending")


async def test_two_upgrades_at_once_are_one(postgres: EmbeddedPostgres) -> None:
    url = postgres.create_database("schema_raced")
    engines = [create_async_engine(url) for _ in range(2)]
    await asyncio.gather(*(upgrade(engine) for engine in engines))
    assert await pending(engines[0]) == []
    for engine in engines:
        await engine.dispose()
    postgres.drop_database("schema_raced")


@asynccontextmanager
async def database_of_a_plain_owner(
    postgres: EmbeddedPostgres, template: str, name: str
) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """A new database, as the superuser and as its owner, whom row security binds.

    The service's roles are there with the template: who makes them becomes their administrator.
    """
    url = postgres.create_database(name)
    superuser = create_async_engine(url)
    async with superuser.begin() as connection:
        await connection.execute(text("CREATE ROLE plain_owner CREATEROLE"))
        await connection.execute(text(f"ALTER DATABASE {name} OWNER TO plain_owner"))
    owner = create_async_engine(url, connect_args={"server_settings": {"role": "plain_owner"}})
    yield superuser, owner
    await owner.dispose()
    await superuser.dispose()
    postgres.drop_database(name)
    engine = create_async_engine(postgres.url(template))
    async with engine.begin() as connection:
        await connection.execute(text("DROP ROLE plain_owner"))
    await engine.dispose()


async def test_ledgers_are_made_of_events_as_the_operations_would_have_written_them(
    postgres: EmbeddedPostgres, template: str
) -> None:
    filled = postgres.create_database("schema_filled", template)
    await seed(filled, "filled", ManualClock(START), 40)
    source = create_async_engine(filled)
    name = "schema_ledgers"
    url = postgres.create_database(name)
    superuser = create_async_engine(url)
    async with superuser.begin() as connection:
        await connection.execute(text("CREATE ROLE plain_owner CREATEROLE"))
        await connection.execute(text(f"ALTER DATABASE {name} OWNER TO plain_owner"))
    owner = create_async_engine(url, connect_args={"server_settings": {"role": "plain_owner"}})
    await upgrade(owner, "0003")
    # Nothing was appealed or referred then; that a deadline moved, or who rejected an account, no
    # event said.
    since = "SELECT subject_id FROM events "
    since += "WHERE type IN ('REQUIREMENT_APPEALED', 'REQUIREMENT_REFERRED')"
    where = {
        "requirements": f"id NOT IN ({since})",
        "events": f"subject_id NOT IN ({since}) AND type NOT IN "
        "('REQUIREMENT_DEADLINE_MOVED', 'RESOLUTION_UPHELD', 'RESOLUTION_OVERTURNED', "
        "'ACCOUNT_REJECTED', 'ACCOUNT_REINSTATED', 'NOTE_ADDED')",
    }
    for table in ("platforms", "accounts", "programs", "requirements", "events"):
        await copy_rows(source, superuser, table, where.get(table, "true"))
    untold = "DELETE FROM events WHERE type = 'REQUIREMENT_OPENED' AND subject_id = :id"
    async with superuser.begin() as connection:
        query = text("SELECT id FROM requirements WHERE state = 'SATISFIED' LIMIT 1")
        silent = await connection.scalar(query)
        await connection.execute(text(untold), {"id": silent})
    await upgrade(owner)
    spans = "SELECT requirement_id, number, previous_number, party, started_at, ended_at, opened_at"
    spans += f" FROM requirement_spans WHERE requirement_id NOT IN ({since})"
    spans += " ORDER BY requirement_id, number"
    numbers = "SELECT id, span_number FROM requirements WHERE id <> :id "
    numbers += f"AND id NOT IN ({since}) ORDER BY id"
    found = []
    for engine in (source, superuser):
        async with engine.connect() as connection:
            rows = (await connection.execute(text(spans))).all()
            counted = (await connection.execute(text(numbers), {"id": silent})).all()
        found.append(([tuple(row) for row in rows if row.requirement_id != silent], counted))
        last = [row for row in rows if row.requirement_id == silent]
    assert found[0] == found[1]
    # Those that were never sent back: what had run before a pause, events don't tell.
    targets = "SELECT id, review_due_at, review_at_risk_at FROM requirements WHERE span_number = 2 "
    targets += f"AND state IN ('SUBMITTED', 'IN_REVIEW') AND id NOT IN ({since}) ORDER BY id"
    promised = []
    for engine in (source, superuser):
        async with engine.connect() as connection:
            promised.append([tuple(row) for row in await connection.execute(text(targets))])
    assert promised[0] == promised[1]
    assert any(due is not None for _, due, _ in promised[0])
    assert {row[3] for row in found[0][0]} == {"ACCOUNT", "RISK", "NOBODY"}
    # Nobody's, from beginning to end: the events don't tell when it was opened.
    assert [(row.number, row.party) for row in last] == [(1, "NOBODY")]
    for engine in (source, owner, superuser):
        await engine.dispose()
    for used in ("schema_filled", name):
        postgres.drop_database(used)
    engine = create_async_engine(postgres.url(template))
    async with engine.begin() as connection:
        await connection.execute(text("DROP ROLE plain_owner"))
    await engine.dispose()


async def copy_rows(source: AsyncEngine, target: AsyncEngine, table: str, where: str) -> None:
    """The rows of a table into one that may lack columns."""
    async with target.begin() as connection:
        names = list(
            await connection.scalars(
                text(
                    "SELECT attname FROM pg_attribute WHERE attrelid = :t ::regclass "
                    "AND attnum > 0 AND attgenerated = ''"
                ),
                {"t": table},
            )
        )
        async with source.connect() as reading:
            query = f"SELECT coalesce(json_agg(t), '[]')::text FROM {table} t WHERE {where}"
            rows = await reading.scalar(text(query))
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        listed = ", ".join(f'"{name}"' for name in names)
        query = f"INSERT INTO {table} ({listed}) SELECT {listed} "
        query += f"FROM json_populate_recordset(null::{table}, cast(:rows AS json))"
        await connection.execute(text(query), {"rows": rows})


async def write(superuser: AsyncEngine, statements: Iterable[str]) -> None:
    """Write rows without those that they refer to."""
    async with superuser.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await connection.execute(text(statement))


UNFORCED = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"


async def test_links_get_the_instant_of_their_interaction_from_an_owner_under_row_security(
    postgres: EmbeddedPostgres, template: str
) -> None:
    databases = database_of_a_plain_owner(postgres, template, "schema_linked")
    async with databases as (superuser, owner):
        await upgrade(owner, "0002")
        await write(superuser, LINKED)
        await upgrade(owner)
        async with superuser.connect() as connection:
            equal = "SELECT interaction_created_at = created_at FROM interaction_requirements "
            equal += "JOIN interactions ON id = interaction_id"
            assert list(await connection.scalars(text(equal))) == [True] * 9
            assert await connection.scalar(text(UNFORCED)) == 0


REJECTED = (
    """
    INSERT INTO requirements (account_id, platform_id, id, program_code, program_version, category,
        title, description, requested_reasons, state, restricts, gates, errors, priority,
        opened_by_kind, opened_by_id, submitted_at, closed_at, span_number, version, created_at,
        updated_at)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'p', 1, 'OTHER', 't', 'd', '[]',
        state, '{PAYOUTS}', '{}', '[]', 'NORMAL', 'SERVICE', 's', '2026-01-02', closed_at, 1, 1,
        '2026-01-01', '2026-01-03'
    FROM (VALUES ('REJECTED', '2026-01-03'::timestamptz), ('IN_REVIEW', NULL)) t (state, closed_at)
    """,
    """
    INSERT INTO evidence (account_id, platform_id, id, requirement_id, payload, documents,
        submitted_by_kind, submitted_by_id, submitted_at)
    SELECT account_id, platform_id, gen_random_uuid(), id, '{}', '[]', 'ACCOUNT_USER', 'uma', at
    FROM requirements, (VALUES ('2026-01-02'::timestamptz), ('2026-01-04'::timestamptz)) t (at)
    """,
    """
    INSERT INTO resolutions (account_id, platform_id, id, requirement_id, outcome, state, four_eyes,
        reason_code, facts, ground, automated_detection, automated_decision, proposed_by_kind,
        proposed_by_id, decided_by_kind, decided_by_id, decided_at, version, created_at, updated_at)
    SELECT account_id, platform_id, gen_random_uuid(), id, 'REJECTED',
        CASE WHEN closed_at IS NULL THEN 'PROPOSED' ELSE 'FINAL' END, true, 'r',
        repeat('f', 5000), 'Terms, 7', false, 'NONE', 'REVIEWER', 'rita',
        CASE WHEN closed_at IS NOT NULL THEN 'REVIEWER' END,
        CASE WHEN closed_at IS NOT NULL THEN 'sam' END, closed_at, 1, '2026-01-03', '2026-01-03'
    FROM requirements""",
)


async def test_rejections_from_before_get_a_whole_statement_and_a_time_to_appeal(
    postgres: EmbeddedPostgres, template: str
) -> None:
    databases = database_of_a_plain_owner(postgres, template, "schema_rejected")
    async with databases as (superuser, owner):
        await upgrade(owner, "0005")
        await write(superuser, REJECTED)
        await upgrade(owner)
        async with superuser.connect() as connection:
            query = "SELECT appeal_deadline::date::text, restricts_from = closed_at "
            query += "FROM requirements ORDER BY closed_at"
            rows = (await connection.execute(text(query))).all()
            assert [tuple(row) for row in rows] == [("2026-07-03", True), (None, None)]
            query = "SELECT ground_kind, source, length(cited_fact), length(redress) > 0, "
            query += "territories, restricts_from = decided_at, cited_evidence = ARRAY(SELECT id "
            query += "FROM evidence e WHERE e.requirement_id = r.requirement_id "
            query += "AND submitted_at < '2026-01-03') FROM resolutions r ORDER BY decided_at"
            rows = (await connection.execute(text(query))).all()
            assert [tuple(row) for row in rows] == [
                ("CONTRACTUAL", "EVIDENCE", 1_000, True, [], restricts, True)
                for restricts in (True, None)
            ]
            assert await connection.scalar(text(UNFORCED)) == 0


REINSTATED = (
    """
    INSERT INTO platforms (id, slug, name, created_at)
    VALUES (gen_random_uuid(), 'acme', 'Acme', '2026-01-01')""",
    """
    INSERT INTO accounts (account_id, platform_id, external_id, business_name, country, risk_tier,
        status, disabled_reason, rejected_reason, derived_at, event_sequence, event_hash, version,
        created_at, updated_at)
    SELECT gen_random_uuid(), platforms.id, t.name, t.name, 'DE', 'LOW',
        CASE WHEN reason IS NULL THEN 'ENABLED' ELSE 'REJECTED' END, reason, reason, '2026-01-05',
        1, repeat('1', 64), 1, '2026-01-01', '2026-01-05'
    FROM platforms,
        (VALUES ('back', NULL), ('gone', 'rejected.fraud'), ('never', NULL)) t (name, reason)""",
    """
    INSERT INTO events (account_id, platform_id, id, sequence, type, at, actor_kind, actor_id,
        subject_type, subject_id, changes, previous_hash, hash)
    SELECT account_id, platform_id, gen_random_uuid(), n, 'ACCOUNT_REINSTATED',
        '2026-01-01'::timestamptz + n * interval '1 day', 'REVIEWER', 'rita', 'Account', account_id,
        json_build_object('reason', 'Reason ' || n), repeat('1', 64), repeat('2', 64)
    FROM accounts, generate_series(2, 3) AS n WHERE external_id <> 'never'""",
    """
    INSERT INTO requirements (account_id, platform_id, id, program_code, program_version, category,
        title, description, requested_reasons, state, restricts, gates, errors, priority,
        opened_by_kind, opened_by_id, span_number, version, created_at, updated_at,
        alternative_group)
    SELECT account_id, platform_id, gen_random_uuid(), 'p', 1, 'OTHER', 't', 'd', '[]', 'OPEN',
        '{PAYOUTS}', '{}', '[]', 'NORMAL', 'SERVICE', 's', 1, 1, '2026-01-01', '2026-01-01',
        CASE external_id WHEN 'back' THEN 'address' END
    FROM accounts""",
)


async def test_why_accounts_were_taken_back_is_filled_in_and_alternatives_are_derived_anew(
    postgres: EmbeddedPostgres, template: str
) -> None:
    databases = database_of_a_plain_owner(postgres, template, "schema_reinstated")
    async with databases as (superuser, owner):
        await upgrade(owner, "0007")
        await write(superuser, REINSTATED)
        await upgrade(owner)
        async with superuser.connect() as connection:
            query = "SELECT external_id, reinstatement_reason, reinstated_at::date::text, "
            query += "reinstated_by_kind, reinstated_by_id, next_change_at = derived_at "
            query += "FROM accounts ORDER BY external_id"
            rows = (await connection.execute(text(query))).all()
            assert [tuple(row) for row in rows] == [
                ("back", "Reason 3", "2026-01-04", "REVIEWER", "rita", True),
                ("gone", None, None, None, None, None),
                ("never", None, None, None, None, None),
            ]
            assert await connection.scalar(text(UNFORCED)) == 0


FAILED = (
    """
    INSERT INTO interactions (account_id, platform_id, id, purpose, channel, direction, state, body,
        author_kind, author_id, sent_at, failure, version, created_at, updated_at)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'MESSAGE', 'EMAIL', 'OUTBOUND',
        CASE WHEN failure IS NULL THEN 'SENT' ELSE 'FAILED' END, 'Hello', 'REVIEWER', 'rita', now(),
        failure, 1, now(), now()
    FROM (VALUES (NULL::jsonb), ('{"code": "smtp_451", "message": "4.3.0 mx-7.corp.internal"}'),
        ('{"code": "odd", "message": ""}'), ('{"code": "long"}'::jsonb
        || jsonb_build_object('message', repeat('x', 2000)))) t (failure)""",
)


async def test_what_was_said_of_a_failure_is_for_staff_from_then_on(
    postgres: EmbeddedPostgres, template: str
) -> None:
    databases = database_of_a_plain_owner(postgres, template, "schema_failed")
    async with databases as (superuser, owner):
        await upgrade(owner, "0007")
        await write(superuser, FAILED)
        await upgrade(owner, "0010")
        async with superuser.connect() as connection:
            query = "SELECT failure->>'code', failure->>'message', failure_said FROM interactions"
            rows = (await connection.execute(text(f"{query} ORDER BY 1"))).all()
            assert [tuple(row) for row in rows] == [
                ("long", NOT_DELIVERED, "x" * 1_000),
                ("odd", NOT_DELIVERED, None),
                ("smtp_451", NOT_DELIVERED, "4.3.0 mx-7.corp.internal"),
                (None, None, None),
            ]
            assert await connection.scalar(text(UNFORCED)) == 0


# What a contact is called by its body, and what is known of it.
CONTACTS = (
    """
    INSERT INTO accounts (account_id, platform_id, external_id, business_name, country, risk_tier,
        status, derived_at, event_sequence, event_hash, version, created_at, updated_at)
    SELECT '11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222', 'acct',
        'Acme', 'DE', 'LOW', 'ENABLED', now(), 0, repeat('0', 64), 1, now(), now()""",
    """
    INSERT INTO interactions (account_id, platform_id, id, purpose, channel, direction, state, body,
        subject, author_kind, author_id, sent_at, scheduled_for, delivered_at, attempts, version,
        created_at, updated_at)
    SELECT '11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222',
        gen_random_uuid(), 'MESSAGE', channel, direction, state, body, subject,
        CASE direction WHEN 'INBOUND' THEN 'ACCOUNT_USER' ELSE 'REVIEWER' END, 'rita',
        sent_at::timestamptz, '2026-03-01', sent_at::timestamptz, attempts, 1, '2026-01-01',
        '2026-01-01'
    FROM (VALUES ('sent', 'EMAIL', 'OUTBOUND', 'SENT', NULL, '2026-01-03', 2),
        ('sent again', 'EMAIL', 'OUTBOUND', 'SENT', E'A\r\nB', '2026-01-05', 1),
        ('to go out again', 'SMS', 'OUTBOUND', 'SCHEDULED', ' ', NULL, 3),
        ('canceled', 'SMS', 'OUTBOUND', 'CANCELED', NULL, NULL, 0),
        ('draft', 'DASHBOARD', 'OUTBOUND', 'DRAFT', 'A', NULL, 0),
        ('received', 'DASHBOARD', 'INBOUND', 'DELIVERED', NULL, '2026-01-04', 0)
    ) AS t (body, channel, direction, state, subject, sent_at, attempts)""",
    """
    INSERT INTO events (account_id, platform_id, id, sequence, type, at, actor_kind, actor_id,
        subject_type, subject_id, changes, previous_hash, hash)
    SELECT account_id, platform_id, gen_random_uuid(), 1 + row_number() OVER (), 'INTERACTION_SENT',
        t.at::timestamptz, 'SYSTEM', 'sending', 'Interaction', id, '{}', repeat('1', 64),
        repeat('2', 64)
    FROM interactions JOIN (VALUES ('sent again', '2026-01-05'), ('sent again', '2026-01-02'),
        ('to go out again', '2026-01-06'), ('canceled', '2026-01-07')) AS t (body, at) USING (body)
    """,
)


async def test_contacts_from_before_know_when_they_first_went_out_and_have_fit_subjects(
    postgres: EmbeddedPostgres, template: str
) -> None:
    databases = database_of_a_plain_owner(postgres, template, "schema_went_out")
    async with databases as (superuser, owner):
        await upgrade(owner, "0011")
        await write(superuser, CONTACTS)
        await upgrade(owner)
        async with superuser.connect() as connection:
            query = "SELECT body, first_sent_at::date::text, attempt_number, subject "
            query += "FROM interactions"
            found = {row[0]: tuple(row[1:]) for row in await connection.execute(text(query))}
            assert await connection.scalar(text(UNFORCED)) == 0
    assert found == {
        "sent": ("2026-01-03", 2, "(no subject)"),
        "sent again": ("2026-01-02", 1, "A  B"),
        "to go out again": ("2026-01-06", 3, None),
        "canceled": ("2026-01-07", 0, None),
        "draft": (None, 0, "A"),
        "received": ("2026-01-04", 0, None),
    }


WRITTEN_ABOUT = (
    """
    INSERT INTO requirements (account_id, platform_id, id, program_code, program_version, category,
        title, description, requested_reasons, state, restricts, gates, errors, priority,
        opened_by_kind, opened_by_id, closed_at, submitted_at, span_number, version, created_at,
        updated_at)
    SELECT md5('account')::uuid, md5('platform')::uuid, md5(title)::uuid, 'p', 1, 'OTHER', title,
        'd', '[]', state, '{}', '{}', '[]', 'NORMAL', 'SERVICE', 's',
        CASE WHEN state = 'SATISFIED' THEN '2026-01-09'::timestamptz END, '2026-01-03', 1, 1,
        '2026-01-01', '2026-01-03'
    FROM (VALUES ('asked', 'OPEN'), ('answered', 'OPEN'), ('moved', 'SUBMITTED'),
        ('ended', 'SATISFIED'), ('by a service', 'OPEN'), ('drafted', 'IN_REVIEW')) t (title, state)
    """,
    """
    INSERT INTO interactions (account_id, platform_id, id, purpose, channel, direction, state, body,
        author_kind, author_id, sent_at, first_sent_at, version, created_at, updated_at)
    SELECT md5('account')::uuid, md5('platform')::uuid, md5(about || at)::uuid, 'MESSAGE',
        'DASHBOARD', direction, CASE WHEN sent THEN 'SENT' ELSE 'DRAFT' END, about, author, 'a',
        CASE WHEN sent THEN at::timestamptz END, CASE WHEN sent THEN at::timestamptz END, 1,
        at::timestamptz, at::timestamptz
    FROM (VALUES
        ('asked', '2026-01-04', 'INBOUND', 'ACCOUNT_USER', true),
        ('asked', '2026-01-05', 'INBOUND', 'ACCOUNT_USER', true),
        ('asked', '2026-01-02', 'OUTBOUND', 'REVIEWER', true),
        ('answered', '2026-01-04', 'INBOUND', 'ACCOUNT_USER', true),
        ('answered', '2026-01-05', 'OUTBOUND', 'REVIEWER', true),
        ('moved', '2026-01-02', 'INBOUND', 'ACCOUNT_USER', true),
        ('ended', '2026-01-10', 'INBOUND', 'ACCOUNT_USER', true),
        ('by a service', '2026-01-04', 'INBOUND', 'ACCOUNT_USER', true),
        ('by a service', '2026-01-05', 'OUTBOUND', 'SERVICE', true),
        ('drafted', '2026-01-04', 'INBOUND', 'ACCOUNT_USER', true),
        ('drafted', '2026-01-05', 'OUTBOUND', 'REVIEWER', false)
    ) t (about, at, direction, author, sent)""",
    """
    INSERT INTO interaction_requirements (account_id, platform_id, interaction_id, requirement_id,
        interaction_created_at)
    SELECT account_id, platform_id, id, md5(body)::uuid, created_at FROM interactions""",
    """
    INSERT INTO events (account_id, platform_id, id, sequence, type, at, actor_kind, actor_id,
        subject_type, subject_id, changes, previous_hash, hash)
    SELECT account_id, platform_id, id, row_number() OVER (), 'REQUIREMENT_SUBMITTED',
        '2026-01-03', 'ACCOUNT_USER', 'u', 'Requirement', id, '{"state": {"to": "SUBMITTED"}}',
        CASE WHEN row_number() OVER () = 1 THEN repeat('0', 64) ELSE repeat('1', 64) END,
        repeat('1', 64)
    FROM requirements""",
)


async def test_messages_from_before_wait_where_nobody_has_answered_them(
    postgres: EmbeddedPostgres, template: str
) -> None:
    databases = database_of_a_plain_owner(postgres, template, "schema_unanswered")
    async with databases as (superuser, owner):
        await upgrade(owner, "0014")
        await write(superuser, WRITTEN_ABOUT)
        await upgrade(owner)
        async with superuser.connect() as connection:
            query = "SELECT title, unanswered_since::date::text FROM requirements "
            query += "WHERE unanswered_since IS NOT NULL ORDER BY title"
            rows = (await connection.execute(text(query))).all()
            assert [tuple(row) for row in rows] == [
                (title, "2026-01-04") for title in ("asked", "by a service", "drafted")
            ]
            assert await connection.scalar(text(UNFORCED)) == 0


async def test_what_awaits_its_account_is_reminded_of_as_if_it_had_been_opened_by_now(
    postgres: EmbeddedPostgres, template: str
) -> None:
    filled = postgres.create_database("schema_reminding", template)
    await seed(filled, "reminding", SystemClock(), 60)
    source = create_async_engine(filled)
    databases = database_of_a_plain_owner(postgres, template, "schema_reminded")
    reminders = "SELECT id, remind_at FROM requirements ORDER BY id"
    changes = "SELECT account_id, next_change_at FROM accounts ORDER BY account_id"
    async with databases as (superuser, owner):
        await upgrade(owner, "0016")
        for table in ("platforms", "accounts", "programs", "requirements"):
            await copy_rows(source, superuser, table, "true")
        # What knew of no reminders had noted when the status changes next, and nothing else.
        async with superuser.begin() as connection:
            await connection.execute(text(WITHOUT_REMINDERS))
        await upgrade(owner, "0017")
        found = []
        for engine in (source, superuser):
            async with engine.connect() as connection:
                found.append(
                    [list(await connection.execute(text(q))) for q in (reminders, changes)]
                )
        assert found[0] == found[1]
        assert any(remind_at is not None for _, remind_at in found[0][0])
        async with superuser.connect() as connection:
            assert await connection.scalar(text(UNFORCED)) == 0
    await source.dispose()
    postgres.drop_database("schema_reminding")


WITHOUT_REMINDERS = """
    UPDATE accounts a SET next_change_at = (SELECT min(mark) FROM (
        SELECT unnest(CASE
            WHEN restricts_from IS NOT NULL THEN ARRAY[restricts_from, restricts_until]
            WHEN state IN ('OPEN', 'ACTION_REQUIRED')
            THEN ARRAY[currently_due_at, notice_at, deadline] END) AS mark
        FROM requirements r WHERE r.account_id = a.account_id
    ) marks WHERE mark > a.derived_at)
"""


REMINDED = (
    *REINSTATED,
    "UPDATE requirements SET deadline = '2026-02-01', remind_at = '2026-01-20'",
    "UPDATE accounts SET next_change_at = '2026-01-20'",
)


async def test_accounts_that_are_to_be_reminded_of_alternatives_are_derived_anew(
    postgres: EmbeddedPostgres, template: str
) -> None:
    databases = database_of_a_plain_owner(postgres, template, "schema_reminded_alternatives")
    async with databases as (superuser, owner):
        await upgrade(owner, "0017")
        await write(superuser, REMINDED)
        await upgrade(owner, "0018")
        async with superuser.connect() as connection:
            query = "SELECT external_id FROM accounts WHERE next_change_at = derived_at"
            assert list(await connection.scalars(text(query))) == ["back"]
            assert await connection.scalar(text(UNFORCED)) == 0


async def test_a_failing_migration_leaves_nothing_behind(postgres: EmbeddedPostgres) -> None:
    engine = create_async_engine(postgres.create_database("schema_failing"))
    async with engine.begin() as connection:
        # In the way of a table that the first migration makes after others.
        await connection.execute(text("CREATE TABLE resolutions (id int)"))
    with pytest.raises(Exception, match="resolutions"):
        await upgrade(engine)
    async with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        assert await connection.scalar(text(query)) == 1
    await engine.dispose()
    postgres.drop_database("schema_failing")
