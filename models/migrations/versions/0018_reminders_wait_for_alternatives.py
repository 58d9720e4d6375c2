"""What an alternative stands for is reminded of once that is decided on.

Accounts of which an alternative is to be reminded of are derived anew at the next tick of the clock:
its instants are no longer theirs while another option is with risk.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Every operation comes to the accounts first: so does this, and nobody deadlocks.
TABLES = ("accounts", "requirements")
LOCK = f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE"
MAKE_DUE = """
    UPDATE accounts SET next_change_at = derived_at
    WHERE EXISTS (
        SELECT FROM requirements
        WHERE requirements.account_id = accounts.account_id AND alternative_group IS NOT NULL
            AND remind_at IS NOT NULL)
"""


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.execute(LOCK)
    # Forced row security binds an owner who is no superuser, too: no row would be found.
    _force_row_security("NO FORCE")
    op.execute(MAKE_DUE)
    _force_row_security("FORCE")


def _force_row_security(how: str) -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")
