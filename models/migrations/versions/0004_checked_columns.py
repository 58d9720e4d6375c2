"""List indexes end with the columns that filters look at: what a filter drops is not fetched."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = (
    (
        "ix_accounts_country_status_sort_next_deadline",
        "accounts",
        ["platform_id", "country", "status", "sort_next_deadline", "account_id", "created_at"],
    ),
    (
        "ix_accounts_risk_tier_status_sort_next_deadline",
        "accounts",
        ["platform_id", "risk_tier", "status", "sort_next_deadline", "account_id", "created_at"],
    ),
    (
        "ix_accounts_status_sort_next_deadline",
        "accounts",
        ["platform_id", "status", "sort_next_deadline", "account_id", "created_at"],
    ),
    (
        "ix_interactions_channel_state_sort_scheduled_for",
        "interactions",
        ["platform_id", "channel", "state", "sort_scheduled_for", "account_id", "id", "created_at"],
    ),
    (
        "ix_interactions_direction_state_sort_scheduled_for",
        "interactions",
        [
            "platform_id",
            "direction",
            "state",
            "sort_scheduled_for",
            "account_id",
            "id",
            "created_at",
        ],
    ),
    (
        "ix_interactions_purpose_state_sort_scheduled_for",
        "interactions",
        ["platform_id", "purpose", "state", "sort_scheduled_for", "account_id", "id", "created_at"],
    ),
    (
        "ix_interactions_state_sort_scheduled_for",
        "interactions",
        ["platform_id", "state", "sort_scheduled_for", "account_id", "id", "created_at"],
    ),
    (
        "ix_requirements_assignee_key_state_created_at",
        "requirements",
        [
            "platform_id",
            "assignee_key",
            "state",
            "created_at",
            "account_id",
            "id",
            "sort_deadline",
            "currently_due_at",
        ],
    ),
    (
        "ix_requirements_assignee_key_state_sort_deadline",
        "requirements",
        [
            "platform_id",
            "assignee_key",
            "state",
            "sort_deadline",
            "account_id",
            "id",
            "currently_due_at",
            "created_at",
        ],
    ),
    (
        "ix_requirements_category_state_created_at",
        "requirements",
        [
            "platform_id",
            "category",
            "state",
            "created_at",
            "account_id",
            "id",
            "sort_deadline",
            "currently_due_at",
        ],
    ),
    (
        "ix_requirements_category_state_sort_deadline",
        "requirements",
        [
            "platform_id",
            "category",
            "state",
            "sort_deadline",
            "account_id",
            "id",
            "currently_due_at",
            "created_at",
        ],
    ),
    (
        "ix_requirements_priority_state_created_at",
        "requirements",
        [
            "platform_id",
            "priority",
            "state",
            "created_at",
            "account_id",
            "id",
            "sort_deadline",
            "currently_due_at",
        ],
    ),
    (
        "ix_requirements_priority_state_sort_deadline",
        "requirements",
        [
            "platform_id",
            "priority",
            "state",
            "sort_deadline",
            "account_id",
            "id",
            "currently_due_at",
            "created_at",
        ],
    ),
    (
        "ix_requirements_program_code_state_created_at",
        "requirements",
        [
            "platform_id",
            "program_code",
            "state",
            "created_at",
            "account_id",
            "id",
            "sort_deadline",
            "currently_due_at",
        ],
    ),
    (
        "ix_requirements_program_code_state_sort_deadline",
        "requirements",
        [
            "platform_id",
            "program_code",
            "state",
            "sort_deadline",
            "account_id",
            "id",
            "currently_due_at",
            "created_at",
        ],
    ),
    (
        "ix_requirements_state_created_at",
        "requirements",
        [
            "platform_id",
            "state",
            "created_at",
            "account_id",
            "id",
            "sort_deadline",
            "currently_due_at",
        ],
    ),
    (
        "ix_requirements_state_sort_deadline",
        "requirements",
        [
            "platform_id",
            "state",
            "sort_deadline",
            "account_id",
            "id",
            "currently_due_at",
            "created_at",
        ],
    ),
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    for name, table, columns in INDEXES:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, columns)
