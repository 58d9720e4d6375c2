"""The fair clock: who has held each requirement, and by when it is to be reviewed; notes of staff.

Requirements that are there get their ledgers from their events. Where these don't tell the whole of
it, one span has it all: of whoever holds it now, of nobody where it has ended. Program versions that
are there don't move deadlines on, since they did not say so when they were published.

What waits for a review gets its target as if nothing had paused it; what is back with the account
gets a whole one when it submits again. Program versions that are there set no limit to extensions.

Events, programs and requirements are locked meanwhile.
"""

import isodate
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "requirement_spans"
PLATFORM = "platform_id = nullif(current_setting('recourse.platform_id', true), '')::uuid"
ACCOUNT = "account_id = nullif(current_setting('recourse.account_id', true), '')::uuid"
# What is between staff, account users don't see.
BETWEEN_STAFF = ("REQUIREMENT_ASSIGNED", "RESOLUTION_PROPOSED", "RESOLUTION_DECLINED", "NOTE_ADDED")
READ_TO_FILL = ("events", "programs", "requirements")
LOCK = "LOCK TABLE requirements, programs, events IN ACCESS EXCLUSIVE MODE"
EVENT_TYPES = (
    *("ACCOUNT_CREATED", "ACCOUNT_UPDATED", "ACCOUNT_STATUS_CHANGED", "CAPABILITY_STATUS_CHANGED"),
    *("HOLD_PLACED", "HOLD_RELEASED", "HOLD_EXPIRED", "REQUIREMENT_OPENED", "REQUIREMENT_UPDATED"),
    *("REQUIREMENT_SUBMITTED", "REQUIREMENT_REVIEW_STARTED", "REQUIREMENT_CHANGES_REQUESTED"),
    *("REQUIREMENT_APPROVED", "REQUIREMENT_REJECTED", "REQUIREMENT_WAIVED"),
    *("REQUIREMENT_CANCELED", "REQUIREMENT_EXTENDED", "REQUIREMENT_DEADLINE_MOVED"),
    *("REQUIREMENT_REOPENED", "REQUIREMENT_ASSIGNED", "REQUIREMENT_CURRENTLY_DUE"),
    *("REQUIREMENT_PAST_DUE", "RESOLUTION_PROPOSED", "RESOLUTION_FINAL", "RESOLUTION_DECLINED"),
    "NOTE_ADDED",
)
# Whose a requirement is in a state.
PARTY = """
    CASE WHEN {0} IN ('OPEN', 'ACTION_REQUIRED') THEN 'ACCOUNT'
    WHEN {0} IN ('SUBMITTED', 'IN_REVIEW') THEN 'RISK' ELSE 'NOBODY' END"""
# What the events tell, for those requirements whose whole life they tell.
FROM_EVENTS = f"""
    INSERT INTO requirement_spans (account_id, platform_id, requirement_id, number, previous_number,
        opened_at, party, started_at, ended_at)
    WITH states AS (
        SELECT account_id, subject_id, sequence, at, {PARTY.format("changes->'state'->>'to'")} AS party
        FROM events WHERE subject_type = 'Requirement' AND changes->'state' ? 'to'
    ), moves AS (
        SELECT *, lag(party) OVER (PARTITION BY account_id, subject_id ORDER BY sequence) AS before
        FROM states
    ), spans AS (
        SELECT account_id, subject_id, party, at AS started_at,
            lead(at) OVER history AS ended_at, row_number() OVER history AS number
        FROM moves WHERE before IS DISTINCT FROM party
        WINDOW history AS (PARTITION BY account_id, subject_id ORDER BY sequence)
    ), whole AS (
        SELECT r.account_id, r.id FROM requirements r JOIN spans s
        ON s.account_id = r.account_id AND s.subject_id = r.id
        GROUP BY r.account_id, r.id
        HAVING min(s.started_at) FILTER (WHERE s.number = 1) = r.created_at
        AND bool_and(coalesce(s.ended_at, s.started_at) >= s.started_at)
        AND bool_and(s.number > 1 OR s.party <> 'NOBODY')
        AND max(s.party) FILTER (WHERE s.ended_at IS NULL) = {PARTY.format("r.state")}
        AND (r.closed_at IS NULL
            OR max(s.started_at) FILTER (WHERE s.ended_at IS NULL) = r.closed_at)
    )
    SELECT r.account_id, r.platform_id, r.id, s.number, nullif(s.number - 1, 0), r.created_at,
        s.party, s.started_at, s.ended_at
    FROM whole w JOIN requirements r ON r.account_id = w.account_id AND r.id = w.id
    JOIN spans s ON s.account_id = r.account_id AND s.subject_id = r.id
    WHERE s.party <> 'NOBODY' OR s.ended_at IS NOT NULL
"""
IN_ONE = f"""
    INSERT INTO requirement_spans (account_id, platform_id, requirement_id, number, opened_at,
        party, started_at, ended_at)
    SELECT account_id, platform_id, id, 1, created_at, {PARTY.format("state")}, created_at,
        CASE WHEN closed_at IS NOT NULL THEN greatest(closed_at, created_at) END
    FROM requirements r WHERE NOT EXISTS (
        SELECT FROM requirement_spans s WHERE s.account_id = r.account_id AND s.requirement_id = r.id
    )
"""
COUNT = """
    UPDATE requirements r SET span_number = (
        SELECT max(number) FROM requirement_spans s
        WHERE s.account_id = r.account_id AND s.requirement_id = r.id
    )
"""
CHECKS = (
    (
        "requirements",
        "deadline_within_limit",
        "latest_deadline IS NULL OR (deadline IS NOT NULL AND deadline <= latest_deadline)",
    ),
    (
        "programs",
        "calendar_is_whole",
        "(calendar_region IS NULL) = (calendar_time_zone IS NULL)",
    ),
    (
        "requirements",
        "review_target_runs_in_review",
        "review_due_at IS NULL OR state IN ('SUBMITTED', 'IN_REVIEW')",
    ),
    (
        "requirements",
        "review_at_risk_before_due",
        "coalesce(review_at_risk_at <= review_due_at, "
        "review_at_risk_at IS NULL AND review_due_at IS NULL)",
    ),
    (
        "requirements",
        "review_target_rests_with_the_account",
        "review_left_seconds IS NULL OR (state = 'ACTION_REQUIRED' AND review_left_seconds >= 0)",
    ),
)
WITHIN = "SELECT DISTINCT review_within FROM programs WHERE review_within IS NOT NULL"
TARGETS = """
    UPDATE requirements r SET
        review_due_at = submitted_at + make_interval(months => :months, secs => :seconds),
        review_at_risk_at = submitted_at + make_interval(months => :months, secs => :seconds) * 0.75
    FROM programs p
    WHERE r.state IN ('SUBMITTED', 'IN_REVIEW') AND p.platform_id = r.platform_id
    AND p.code = r.program_code AND p.version = r.program_version AND p.review_within = :within
"""


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.execute(LOCK)
    # The key of a ledger says when its requirement began.
    op.drop_index("ix_requirements_account_id_created_at")
    op.create_index(
        "ix_requirements_account_id_created_at",
        "requirements",
        ["account_id", "created_at", "id"],
        unique=True,
    )
    op.add_column("requirements", sa.Column("span_number", sa.Integer(), nullable=True))
    op.add_column("programs", sa.Column("pauses_deadline", sa.Boolean(), nullable=True))
    op.add_column("programs", sa.Column("max_extension", sa.Text(), nullable=True))
    op.add_column("programs", sa.Column("calendar_region", sa.Text(), nullable=True))
    op.add_column("programs", sa.Column("calendar_time_zone", sa.Text(), nullable=True))
    for name in ("latest_deadline", "review_due_at", "review_at_risk_at"):
        op.add_column("requirements", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("requirements", sa.Column("review_left_seconds", sa.Integer(), nullable=True))
    for table, name, rule in CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    _know_events()
    _create_spans()
    _create_notes()
    _fill()
    op.alter_column("requirements", "span_number", nullable=False)
    op.alter_column("programs", "pauses_deadline", nullable=False)
    _secure_spans()
    _secure_notes()


def _know_events() -> None:
    listed = ", ".join(f"'{name}'" for name in EVENT_TYPES)
    op.drop_constraint("ck_events_type_known", "events")
    op.create_check_constraint(op.f("ck_events_type_known"), "events", f"type IN ({listed})")


def _create_spans() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        TABLE,
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("previous_number", sa.Integer(), nullable=True),
        sa.Column("opened_at", instant, nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("ended_at", instant, nullable=True),
        sa.CheckConstraint(
            "party IN ('ACCOUNT', 'RISK', 'NOBODY')",
            name=op.f("ck_requirement_spans_party_known"),
        ),
        sa.CheckConstraint(
            "number > 0 AND coalesce(previous_number, 0) = number - 1",
            name=op.f("ck_requirement_spans_in_sequence"),
        ),
        sa.CheckConstraint(
            "number > 1 OR started_at = opened_at",
            name=op.f("ck_requirement_spans_first_from_the_opening"),
        ),
        sa.CheckConstraint(
            "coalesce(ended_at, started_at) >= started_at",
            name=op.f("ck_requirement_spans_ends_after_start"),
        ),
        sa.CheckConstraint(
            "party <> 'NOBODY' OR ended_at IS NOT NULL",
            name=op.f("ck_requirement_spans_nobody_holds_what_runs"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_requirement_spans_account_id_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "opened_at", "requirement_id"],
            ["requirements.account_id", "requirements.created_at", "requirements.id"],
            name="fk_requirement_spans_requirement",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "requirement_id", "number", name=op.f("pk_requirement_spans")
        ),
        sa.UniqueConstraint(
            "account_id", "requirement_id", "number", "ended_at", name="uq_requirement_spans_end"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "requirement_id", "previous_number", "started_at"],
            [
                "requirement_spans.account_id",
                "requirement_spans.requirement_id",
                "requirement_spans.number",
                "requirement_spans.ended_at",
            ],
            name="fk_requirement_spans_previous",
        ),
    )
    op.create_index(
        "ux_requirement_spans_open",
        TABLE,
        ["account_id", "requirement_id"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )


def _create_notes() -> None:
    op.create_table(
        "notes",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "author_kind IN ('ACCOUNT_USER', 'REVIEWER', 'SERVICE', 'SYSTEM')",
            name=op.f("ck_notes_author_kind_known"),
        ),
        sa.CheckConstraint(
            "char_length(text) BETWEEN 1 AND 5000", name=op.f("ck_notes_text_of_bounded_length")
        ),
        sa.CheckConstraint("author_kind <> 'ACCOUNT_USER'", name=op.f("ck_notes_written_by_staff")),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_notes_account_id_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "requirement_id"],
            ["requirements.account_id", "requirements.id"],
            name=op.f("fk_notes_account_id_requirements"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_notes")),
    )
    op.create_index(
        "ix_notes_requirement", "notes", ["account_id", "requirement_id", "created_at", "id"]
    )


def _fill() -> None:
    # Forced row security binds an owner who is no superuser, too: no row would be filled.
    for table in READ_TO_FILL:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in (FROM_EVENTS, IN_ONE, COUNT, "UPDATE programs SET pauses_deadline = false"):
        op.execute(statement)
    for within in op.get_bind().scalars(sa.text(WITHIN)).all():
        # Beside months and years, a duration is a plain span of time.
        span = isodate.parse_duration(within, as_timedelta_if_possible=False)
        months = int(span.years * 12 + span.months)
        values = {"within": within, "months": months, "seconds": span.tdelta.total_seconds()}
        op.get_bind().execute(sa.text(TARGETS), values)
    for table in READ_TO_FILL:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _secure_spans() -> None:
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO recourse_staff, recourse_worker")
    op.execute(f"GRANT UPDATE (ended_at) ON {TABLE} TO recourse_staff, recourse_worker")
    # A submission hands it over.
    op.execute(f"GRANT SELECT, INSERT, UPDATE (ended_at) ON {TABLE} TO recourse_account_user")
    op.execute(
        "GRANT SELECT (latest_deadline, span_number, review_due_at, review_at_risk_at, "
        "review_left_seconds), "
        "UPDATE (span_number, review_due_at, review_at_risk_at, review_left_seconds) "
        "ON requirements TO recourse_account_user"
    )
    _force_row_security(TABLE)


def _secure_notes() -> None:
    # Account users have no right to them whatsoever, and don't see that there are any.
    op.execute("GRANT SELECT, INSERT ON notes TO recourse_staff, recourse_worker")
    _force_row_security("notes")
    listed = ", ".join(f"'{name}'" for name in BETWEEN_STAFF)
    op.execute(
        "ALTER POLICY account_user ON events "
        f"USING ({PLATFORM} AND {ACCOUNT} AND type NOT IN ({listed}))"
    )


def _force_row_security(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for role, mine in (("staff", PLATFORM), ("account_user", f"{PLATFORM} AND {ACCOUNT}")):
        op.execute(
            f"CREATE POLICY {role} ON {table} TO recourse_{role} USING ({mine}) WITH CHECK ({mine})"
        )
    op.execute(f"CREATE POLICY worker ON {table} TO recourse_worker USING (true) WITH CHECK (true)")
