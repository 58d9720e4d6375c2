"""An alternative that is met ends what rejections restrict, and a reinstatement says why.

Accounts with alternatives are derived anew at the next tick of the clock: what is handed in for one
option now stands for the others. Rejections whose alternative was met before go on restricting.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UNTIL = {
    "requirements": "restricts_until IS NULL "
    "OR (restricts_from IS NOT NULL AND restricts_until >= restricts_from)",
    "resolutions": "restricts_until IS NULL OR (outcome = 'REJECTED' "
    "AND restricts_until >= coalesce(restricts_from, created_at))",
}
BY_SOMEBODY = (
    "(reinstated_at IS NULL) = (reinstated_by_id IS NULL) "
    "AND (reinstated_at IS NULL) = (reinstated_by_kind IS NULL) "
    "AND (reinstated_at IS NOT NULL) "
    "= (coalesce(length(reinstatement_reason), 0) BETWEEN 1 AND 2000) "
    "AND (reinstated_at IS NULL OR rejected_reason IS NULL)"
)
TEXTS = ("reinstatement_reason", "reinstated_by_kind", "reinstated_by_id", "reinstated_by_name")
FILL = (
    """
    UPDATE accounts SET reinstated_at = said.at, reinstatement_reason = said.changes ->> 'reason',
        reinstated_by_kind = said.actor_kind, reinstated_by_id = said.actor_id,
        reinstated_by_name = said.actor_name
    FROM (
        SELECT DISTINCT ON (account_id) * FROM events WHERE type = 'ACCOUNT_REINSTATED'
        ORDER BY account_id, sequence DESC) AS said
    WHERE said.account_id = accounts.account_id AND accounts.rejected_reason IS NULL""",
    """
    UPDATE accounts SET next_change_at = derived_at
    WHERE EXISTS (
        SELECT FROM requirements
        WHERE requirements.account_id = accounts.account_id AND alternative_group IS NOT NULL
            AND state IN ('OPEN', 'ACTION_REQUIRED', 'SUBMITTED', 'IN_REVIEW', 'REJECTED'))""",
)
TABLES = ("accounts", "requirements", "resolutions", "events")
FORCED = ("accounts", "requirements", "events")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
    for table, rule in UNTIL.items():
        check = op.f(f"ck_{table}_restricts_for_a_time")
        op.drop_constraint(check, table)
        op.create_check_constraint(check, table, rule)
    for name in TEXTS:
        op.add_column("accounts", sa.Column(name, sa.Text(), nullable=True))
    instant: sa.Column[Any] = sa.Column("reinstated_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("accounts", instant)
    _fill()
    check = op.f("ck_accounts_reinstated_by_somebody")
    op.create_check_constraint(check, "accounts", BY_SOMEBODY)
    # Who of the staff it was is for staff.
    shown = "reinstatement_reason, reinstated_by_kind, reinstated_at"
    op.execute(f"GRANT SELECT ({shown}) ON accounts TO recourse_account_user")


def _fill() -> None:
    # Forced row security binds an owner who is no superuser, too: no row would be filled.
    _force_row_security("NO FORCE")
    for statement in FILL:
        op.execute(statement)
    _force_row_security("FORCE")


def _force_row_security(how: str) -> None:
    for table in FORCED:
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")
