"""What the last import said of an account."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    kind = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.add_column("accounts", sa.Column("import_state", kind, nullable=True))
