"""Account users' role may no longer read who of the staff it was, where only staff can have been.

What kind of someone it was stays theirs to read. Grants only: no row is touched.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROLE = "recourse_account_user"
WHO = {
    "accounts": ("rejected_by",),
    "holds": ("placed_by", "released_by"),
    "programs": ("published_by",),
    "resolutions": ("proposed_by", "decided_by", "appeal_decided_by"),
}
# What the role may read so far, whether it was granted by the column or with the whole table.
READABLE = sa.text(
    """
    SELECT attname::text FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped
        AND has_column_privilege(:role, attrelid, attnum, 'SELECT')
    ORDER BY attnum"""
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    for table, prefixes in WHO.items():
        hidden = {f"{prefix}_{part}" for prefix in prefixes for part in ("id", "name")}
        found = op.get_bind().scalars(READABLE, {"table": table, "role": ROLE})
        kept = [name for name in found if name not in hidden]
        # A right to the whole table would go on holding for each column.
        op.execute(f"REVOKE SELECT ON {table} FROM {ROLE}")
        op.execute(f"GRANT SELECT ({', '.join(kept)}) ON {table} TO {ROLE}")
