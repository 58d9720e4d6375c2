"""Reminders; notices that account users' own transactions write; what a draft is about can change.

What awaits its account is to be reminded of as if it had been opened by now: at those of its
program's instants that are still to come. Nobody is told of a restriction that has begun before.

Accounts, programs, requirements and interactions are locked meanwhile.
"""

import isodate
import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Every operation comes to the accounts first: so does this, and nobody deadlocks.
LOCKED = "accounts, programs, requirements, interactions, interaction_requirements"
LOCK = f"LOCK TABLE {LOCKED} IN ACCESS EXCLUSIVE MODE"
READ_TO_FILL = ("accounts", "programs", "requirements")
CHECK = (
    "remind_at IS NULL OR (state IN ('OPEN', 'ACTION_REQUIRED') "
    "AND coalesce(remind_at < deadline, false))"
)
REMINDERS = "SELECT DISTINCT unnest(reminders) FROM programs"
# Months first and by the calendar in UTC, as everywhere; the rest is a plain span of time.
MARK = """(r.deadline AT TIME ZONE 'UTC' - make_interval(months => :months)
        - make_interval(secs => :seconds)) AT TIME ZONE 'UTC'"""
PLAN = f"""
    UPDATE requirements r SET remind_at = least(r.remind_at, {MARK})
    FROM programs p
    WHERE r.state IN ('OPEN', 'ACTION_REQUIRED') AND {MARK} > now()
    AND p.platform_id = r.platform_id AND p.code = r.program_code AND p.version = r.program_version
    AND :reminder = ANY(p.reminders)
"""
# So that the clock loop finds them. Nobody is reminded while the account is rejected.
NOTE = """
    UPDATE accounts a SET next_change_at = least(a.next_change_at, r.remind_at)
    FROM (SELECT account_id, min(remind_at) AS remind_at FROM requirements GROUP BY account_id) r
    WHERE r.account_id = a.account_id AND r.remind_at IS NOT NULL AND a.rejected_reason IS NULL
"""
GRANTS = (
    "GRANT SELECT (remind_at), UPDATE (remind_at) ON requirements TO recourse_account_user",
    # Account users write in their own name, and to the platform; what they do is acknowledged, and
    # what time has brought them is told, by notices that wait to be sent.
    "ALTER POLICY account_user_writes ON interactions "
    "WITH CHECK ((direction = 'INBOUND' AND author_kind = 'ACCOUNT_USER') "
    "OR (direction = 'OUTBOUND' AND author_kind = 'SYSTEM' AND author_id = 'notices' "
    "AND purpose = 'NOTICE' AND state = 'SCHEDULED'))",
    # What a draft is about is another thing than what it was: the chain says what there was before.
    "GRANT DELETE ON interaction_requirements TO recourse_staff",
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.execute(LOCK)
    column = sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("requirements", column)
    _fill()
    op.create_check_constraint(
        op.f("ck_requirements_reminded_before_deadline"), "requirements", CHECK
    )
    for statement in GRANTS:
        op.execute(statement)


def _fill() -> None:
    # Forced row security binds an owner who is no superuser, too: no row would be filled.
    _force_row_security("NO FORCE")
    for reminder in op.get_bind().scalars(sa.text(REMINDERS)).all():
        span = isodate.parse_duration(reminder, as_timedelta_if_possible=False)
        months = int(span.years * 12 + span.months)
        values = {"reminder": reminder, "months": months, "seconds": span.tdelta.total_seconds()}
        op.get_bind().execute(sa.text(PLAN), values)
    op.execute(NOTE)
    _force_row_security("FORCE")


def _force_row_security(how: str) -> None:
    for table in READ_TO_FILL:
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")
