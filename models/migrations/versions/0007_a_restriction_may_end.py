"""A rejection may say until when it restricts; who filed an appeal for an account does not judge it.

The check on appeals is not held against what was decided before: that can't be undone.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UNTIL = {
    "requirements": "restricts_until IS NULL "
    "OR (restricts_from IS NOT NULL AND restricts_until > restricts_from)",
    "resolutions": "restricts_until IS NULL OR (outcome = 'REJECTED' "
    "AND restricts_until > coalesce(restricts_from, created_at))",
}
NOT_BY_WHO_FILED_IT = (
    "appeal_decided_by_id IS NULL OR (appeal_decided_by_kind, appeal_decided_by_id) "
    "IS DISTINCT FROM (appealed_by_kind, appealed_by_id)"
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    for table, rule in UNTIL.items():
        column: sa.Column[datetime] = sa.Column(
            "restricts_until", sa.DateTime(timezone=True), nullable=True
        )
        op.add_column(table, column)
        op.create_check_constraint(op.f(f"ck_{table}_restricts_for_a_time"), table, rule)
    op.create_check_constraint(
        op.f("ck_resolutions_appeal_not_decided_by_who_filed_it"),
        "resolutions",
        NOT_BY_WHO_FILED_IT,
        postgresql_not_valid=True,
    )
    op.execute("GRANT SELECT (restricts_until) ON requirements TO recourse_account_user")
