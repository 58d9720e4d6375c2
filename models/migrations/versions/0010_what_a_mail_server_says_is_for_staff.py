"""What a mail server or a provider says of a failure is for staff; both sides read our own words.

Events from before hold what was said, and stay: they are for good.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOT_DELIVERED = "It could not be delivered this way."
# What was said was never longer than this, but for what an import or a script has written.
FILL = """
    UPDATE interactions
    SET failure_said = nullif(left(failure->>'message', 1000), ''),
        failure = jsonb_set(failure, '{message}', to_jsonb(cast(:words AS text)))
    WHERE state = 'FAILED'
"""


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    said: sa.Column[str] = sa.Column("failure_said", sa.Text(), nullable=True)
    op.add_column("interactions", said)
    # Forced row security binds an owner who is no superuser, too: no row would be filled.
    op.execute("ALTER TABLE interactions NO FORCE ROW LEVEL SECURITY")
    op.execute(sa.text(FILL).bindparams(words=NOT_DELIVERED))
    op.execute("ALTER TABLE interactions FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(
        op.f("ck_interactions_failed_in_words"),
        "interactions",
        "failure_said IS NULL OR (state = 'FAILED' AND length(failure_said) BETWEEN 1 AND 1000)",
    )
