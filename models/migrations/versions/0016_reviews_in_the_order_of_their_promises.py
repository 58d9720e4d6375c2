"""Requirements by when the platform promises to have reviewed them, and the indexes of that order.

The table is rewritten and locked meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ORDER = "sort_review_due_at"
DIMENSIONS = ("assignee_key", "program_code", "category", "priority")
TAIL = ("account_id", "id", "sort_deadline", "currently_due_at", "created_at")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.add_column(
        "requirements",
        sa.Column(
            ORDER,
            sa.DateTime(timezone=True),
            sa.Computed(
                "coalesce(review_due_at, '9999-12-31 00:00:00+00'::timestamptz)", persisted=True
            ),
            nullable=False,
        ),
    )
    _create_index("state", ORDER)
    for dimension in DIMENSIONS:
        _create_index(dimension, "state", ORDER)
    _create_index("state", ORDER, label="_unanswered", where="unanswered_since IS NOT NULL")
    name = f"ix_requirements_account_id_{ORDER}"
    op.create_index(name, "requirements", ["account_id", ORDER, "id"], unique=False)
    op.execute(f"GRANT SELECT ({ORDER}) ON requirements TO recourse_account_user")


def _create_index(*columns: str, label: str = "", where: str | None = None) -> None:
    op.create_index(
        f"ix_requirements_{'_'.join(columns)}{label}",
        "requirements",
        ["platform_id", *columns, *TAIL],
        unique=False,
        postgresql_where=None if where is None else sa.text(where),
    )
