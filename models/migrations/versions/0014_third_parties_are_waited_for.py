"""While risk has a requirement, it may wait for somebody else: their time is a span of its own.

Nothing has waited for anybody else before, as far as the store knows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LOCK = "LOCK TABLE accounts, requirements, requirement_spans, events IN ACCESS EXCLUSIVE MODE"
EVENT_TYPES = (
    *("ACCOUNT_CREATED", "ACCOUNT_UPDATED", "ACCOUNT_REJECTED", "ACCOUNT_REINSTATED"),
    *("ACCOUNT_STATUS_CHANGED", "CAPABILITY_STATUS_CHANGED"),
    *("HOLD_PLACED", "HOLD_RELEASED", "HOLD_EXPIRED"),
    *("REQUIREMENT_OPENED", "REQUIREMENT_UPDATED", "REQUIREMENT_SUBMITTED"),
    *("REQUIREMENT_REVIEW_STARTED", "REQUIREMENT_REFERRED", "REQUIREMENT_RECALLED"),
    *("REQUIREMENT_CHANGES_REQUESTED", "REQUIREMENT_APPROVED"),
    *("REQUIREMENT_REJECTED", "REQUIREMENT_APPEALED", "REQUIREMENT_WAIVED"),
    *("REQUIREMENT_CANCELED", "REQUIREMENT_EXTENDED", "REQUIREMENT_DEADLINE_MOVED"),
    *("REQUIREMENT_REOPENED", "REQUIREMENT_ASSIGNED", "REQUIREMENT_CURRENTLY_DUE"),
    *("REQUIREMENT_PAST_DUE", "RESOLUTION_PROPOSED", "RESOLUTION_FINAL", "RESOLUTION_DECLINED"),
    *("RESOLUTION_UPHELD", "RESOLUTION_OVERTURNED", "NOTE_ADDED"),
    *("INTERACTION_DRAFTED", "INTERACTION_UPDATED", "INTERACTION_SCHEDULED", "INTERACTION_SENT"),
    *("INTERACTION_MAILED", "INTERACTION_DELIVERED", "INTERACTION_VIEWED"),
    *("INTERACTION_RESPONDED", "INTERACTION_FAILED", "INTERACTION_RECEIVED"),
    "INTERACTION_CANCELED",
)
DROPPED = (
    *(("events", "type_known"), ("requirement_spans", "party_known")),
    ("requirements", "review_target_runs_in_review"),
    ("requirements", "review_target_rests_with_the_account"),
)
ADDED = {
    ("events", "type_known"): f"type IN {EVENT_TYPES}",
    ("requirement_spans", "party_known"): "party IN ('ACCOUNT', 'RISK', 'THIRD_PARTY', 'NOBODY')",
    ("requirements", "review_target_runs_in_review"): "review_due_at IS NULL "
    "OR (state IN ('SUBMITTED', 'IN_REVIEW') AND referred_at IS NULL)",
    ("requirements", "review_target_rests_with_others"): "review_left_seconds IS NULL "
    "OR (review_left_seconds >= 0 AND (state = 'ACTION_REQUIRED' OR referred_at IS NOT NULL))",
    ("requirements", "referred_to_somebody"): "(referred_at IS NULL) = (referred_to IS NULL) "
    "AND (referred_at IS NOT NULL) = (coalesce(length(referred_to), 0) BETWEEN 1 AND 200)",
    ("requirements", "referred_in_review"): "referred_at IS NULL "
    "OR state IN ('SUBMITTED', 'IN_REVIEW')",
}


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    # Every operation comes to the accounts first: so does this, and nobody deadlocks.
    op.execute(LOCK)
    op.add_column("requirements", sa.Column("referred_to", sa.Text(), nullable=True))
    op.add_column(
        "requirements", sa.Column("referred_at", sa.DateTime(timezone=True), nullable=True)
    )
    for table, name in DROPPED:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for (table, name), rule in ADDED.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    # Account users may know whom their requirement waits for; they end no referral.
    op.execute("GRANT SELECT (referred_to, referred_at) ON requirements TO recourse_account_user")
