"""Since when a message of the account's user about a requirement waits for an answer.

Of requirements that are open, the first message counts that came after the last change of state,
and after the last contact about it that a person of the platform wrote.

All tables named here are locked meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Every operation comes to the accounts first: so does this, and nobody deadlocks.
TABLES = ("accounts", "requirements", "interactions", "interaction_requirements", "events")
TO_FILL = TABLES[1:]
OPEN = "state IN ('OPEN', 'ACTION_REQUIRED', 'SUBMITTED', 'IN_REVIEW')"
FILL = f"""
    WITH about AS (
        SELECT link.account_id, link.requirement_id, i.direction, i.author_kind, i.created_at,
            i.sent_at
        FROM interactions i JOIN interaction_requirements link
            ON link.account_id = i.account_id AND link.interaction_id = i.id
    ), unanswered AS (
        SELECT message.account_id, message.requirement_id, min(message.created_at) AS since
        FROM about message
        WHERE message.direction = 'INBOUND'
        AND NOT EXISTS (
            SELECT FROM about answer
            WHERE answer.account_id = message.account_id
            AND answer.requirement_id = message.requirement_id AND answer.direction = 'OUTBOUND'
            AND answer.author_kind = 'REVIEWER' AND answer.sent_at >= message.created_at
        )
        AND NOT EXISTS (
            SELECT FROM events move
            WHERE move.account_id = message.account_id AND move.subject_type = 'Requirement'
            AND move.subject_id = message.requirement_id AND move.at >= message.created_at
            AND move.changes->'state' ? 'to'
        )
        GROUP BY message.account_id, message.requirement_id
    )
    UPDATE requirements r SET unanswered_since = unanswered.since FROM unanswered
    WHERE r.account_id = unanswered.account_id AND r.id = unanswered.requirement_id AND r.{OPEN}
"""
INDEXED = ("sort_deadline", "created_at")
CHECKED = ("sort_deadline", "currently_due_at", "created_at")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
    op.add_column(
        "requirements", sa.Column("unanswered_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_check_constraint(
        op.f("ck_requirements_unanswered_while_open"),
        "requirements",
        f"unanswered_since IS NULL OR {OPEN}",
    )
    _fill()
    for order in INDEXED:
        keys = ["platform_id", "state", order, "account_id", "id", *CHECKED]
        op.create_index(
            f"ix_requirements_state_{order}_unanswered",
            "requirements",
            list(dict.fromkeys(keys)),
            unique=False,
            postgresql_where=sa.text("unanswered_since IS NOT NULL"),
        )
    # Account users write messages, and submit what they were asked for.
    op.execute(
        "GRANT SELECT (unanswered_since), UPDATE (unanswered_since) ON requirements "
        "TO recourse_account_user"
    )
    op.execute(
        f"ALTER POLICY account_user_submits_or_appeals ON requirements USING ({OPEN} "
        "OR (state = 'REJECTED' AND appealed_at IS NULL)) WITH CHECK (closed_at IS NULL AND ("
        "state = 'SUBMITTED' OR (state = 'IN_REVIEW' AND appealed_at < appeal_deadline) "
        "OR unanswered_since IS NOT NULL))"
    )
    op.execute(
        "ALTER POLICY account_user_submits_or_appeals ON requirements "
        "RENAME TO account_user_submits_appeals_or_writes"
    )


def _fill() -> None:
    # Forced row security binds an owner who is no superuser, too: no row would be filled.
    for table in TO_FILL:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(FILL)
    for table in TO_FILL:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
