"""A contact knows when it first went out: from then on its user sees it, whatever comes of it.

Filled in from when it was sent, and for what is to go out again, from its events. Attempts to mail
a letter are numbered through, so that no two of a contact are the same.

Contacts and events are locked meanwhile; of 1,000,000 contacts for some 20 seconds.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = ("interactions", "events")
FILL = """
    UPDATE interactions AS contact
    SET first_sent_at = least(contact.sent_at, told.at), attempt_number = contact.attempts
    FROM interactions AS same LEFT JOIN (
        SELECT account_id, subject_id, min(at) AS at FROM events
        WHERE subject_type = 'Interaction' AND type IN ('INTERACTION_SENT', 'INTERACTION_RECEIVED')
        GROUP BY account_id, subject_id
    ) AS told ON told.account_id = same.account_id AND told.subject_id = same.id
    WHERE contact.account_id = same.account_id AND contact.id = same.id
        AND (same.sent_at IS NOT NULL OR told.at IS NOT NULL OR same.attempts > 0)
"""
OWN = (
    "platform_id = nullif(current_setting('recourse.platform_id', true), '')::uuid "
    "AND account_id = nullif(current_setting('recourse.account_id', true), '')::uuid"
)
CHECKS = {
    "attempts_counted": "attempts >= 0 AND attempt_number >= attempts",
    "sent_first_or_again": "sent_at IS NULL OR coalesce(first_sent_at <= sent_at, false)",
}


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
    first: sa.Column[Any] = sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True)
    number: sa.Column[Any] = sa.Column(
        "attempt_number", sa.Integer(), server_default="0", nullable=False
    )
    op.add_column("interactions", first)
    op.add_column("interactions", number)
    _fill()
    op.drop_constraint(op.f("ck_interactions_attempts_counted"), "interactions")
    for name, rule in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_interactions_{name}"), "interactions", rule)
    op.execute(
        f"ALTER POLICY account_user ON interactions USING ({OWN} AND first_sent_at IS NOT NULL)"
    )
    op.execute("GRANT SELECT (first_sent_at) ON interactions TO recourse_account_user")


def _fill() -> None:
    # Forced row security binds an owner who is no superuser, too: no row would be filled.
    _force_row_security("NO FORCE")
    op.execute(FILL)
    _force_row_security("FORCE")


def _force_row_security(how: str) -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")
