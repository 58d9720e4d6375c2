"""Interactions are written, sent, answered and received.

They have attachments and a place in the queue of the mail server; account users write some.
Programs have texts of their notices.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

EVENT_TYPES = (
    *("ACCOUNT_CREATED", "ACCOUNT_UPDATED", "ACCOUNT_STATUS_CHANGED", "CAPABILITY_STATUS_CHANGED"),
    *("HOLD_PLACED", "HOLD_RELEASED", "HOLD_EXPIRED"),
    *("REQUIREMENT_OPENED", "REQUIREMENT_UPDATED", "REQUIREMENT_SUBMITTED"),
    *("REQUIREMENT_REVIEW_STARTED", "REQUIREMENT_CHANGES_REQUESTED", "REQUIREMENT_APPROVED"),
    *("REQUIREMENT_REJECTED", "REQUIREMENT_WAIVED", "REQUIREMENT_CANCELED"),
    *("REQUIREMENT_EXTENDED", "REQUIREMENT_DEADLINE_MOVED", "REQUIREMENT_REOPENED"),
    *("REQUIREMENT_ASSIGNED", "REQUIREMENT_CURRENTLY_DUE", "REQUIREMENT_PAST_DUE"),
    *("RESOLUTION_PROPOSED", "RESOLUTION_FINAL", "RESOLUTION_DECLINED", "NOTE_ADDED"),
    *("INTERACTION_DRAFTED", "INTERACTION_UPDATED", "INTERACTION_SCHEDULED", "INTERACTION_SENT"),
    *("INTERACTION_MAILED", "INTERACTION_DELIVERED", "INTERACTION_VIEWED"),
    *("INTERACTION_RESPONDED", "INTERACTION_FAILED", "INTERACTION_RECEIVED"),
    "INTERACTION_CANCELED",
)
BETWEEN_STAFF = (
    *("REQUIREMENT_ASSIGNED", "RESOLUTION_PROPOSED", "RESOLUTION_DECLINED"),
    *("INTERACTION_DRAFTED", "INTERACTION_UPDATED", "INTERACTION_SCHEDULED"),
    *("INTERACTION_CANCELED", "NOTE_ADDED"),
)
OWN = (
    "platform_id = nullif(current_setting('recourse.platform_id', true), '')::uuid "
    "AND account_id = nullif(current_setting('recourse.account_id', true), '')::uuid"
)
CHECKS = {
    "attachments_are_a_list": "jsonb_typeof(attachments) = 'array'",
    "dashboard_only_known": "dashboard_only IN ('NO_MAIL_SERVER', 'NO_ADDRESS')",
    "mailed_once_sent": "(attempt_at IS NULL AND mailed_at IS NULL AND dashboard_only IS NULL) "
    "OR (channel = 'EMAIL' AND direction = 'OUTBOUND' "
    "AND state NOT IN ('DRAFT', 'SCHEDULED', 'CANCELED'))",
    "attempts_counted": "attempts >= 0",
}
# All but how often it was tried, and when it is again.
SHOWN = (
    "account_id, platform_id, id, purpose, channel, direction, state, subject, body, author_kind, "
    "author_id, author_name, attachments, in_reply_to_id, scheduled_for, sort_scheduled_for, "
    "sent_at, delivered_at, viewed_at, responded_at, failure, mailed_at, dashboard_only, version, "
    "created_at, updated_at"
)
GRANTS = (
    "REVOKE SELECT ON interactions FROM recourse_account_user",
    f"GRANT SELECT ({SHOWN}) ON interactions TO recourse_account_user",
    "GRANT INSERT ON interactions, interaction_requirements TO recourse_account_user",
    "GRANT UPDATE (state, responded_at, version, updated_at) ON interactions "
    "TO recourse_account_user",
    # Account users write in their own name, and to the platform.
    "CREATE POLICY account_user_writes ON interactions AS RESTRICTIVE FOR INSERT "
    "TO recourse_account_user "
    "WITH CHECK (direction = 'INBOUND' AND author_kind = 'ACCOUNT_USER')",
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.drop_constraint("ck_events_type_known", "events")
    op.create_check_constraint(op.f("ck_events_type_known"), "events", f"type IN {EVENT_TYPES}")
    op.execute(f"ALTER POLICY account_user ON events USING ({OWN} AND type NOT IN {BETWEEN_STAFF})")
    _add_columns()
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_interactions_{name}"), "interactions", condition)
    _add_indexes()
    op.add_column(
        "programs",
        sa.Column("notices", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    for statement in GRANTS:
        op.execute(statement)


def _add_columns() -> None:
    instant = sa.DateTime(timezone=True)
    for column in (
        sa.Column("attachments", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("mailed_at", instant, nullable=True),
        sa.Column("dashboard_only", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempt_at", instant, nullable=True),
    ):
        op.add_column("interactions", column)


def _add_indexes() -> None:
    op.create_index(
        "ix_interactions_replies",
        "interactions",
        ["account_id", "in_reply_to_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("in_reply_to_id IS NOT NULL"),
    )
    op.create_index(
        "ix_interactions_due",
        "interactions",
        ["scheduled_for"],
        unique=False,
        postgresql_where=sa.text("state = 'SCHEDULED'"),
    )
    op.create_index(
        "ix_interactions_attempts",
        "interactions",
        ["attempt_at"],
        unique=False,
        postgresql_where=sa.text("attempt_at IS NOT NULL"),
    )
