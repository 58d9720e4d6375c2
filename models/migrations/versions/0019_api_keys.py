"""API keys of services: their hashes, and what they may do.

Staff's role makes and ends keys, and reads no hash; only the worker's checks them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SERVICE = "recourse_staff, recourse_worker"
PLATFORM = "platform_id = nullif(current_setting('recourse.platform_id', true), '')::uuid"
CHECKS = {
    "state_known": "state IN ('ACTIVE', 'ROTATED', 'REVOKED')",
    "role_known": "role IN ('INTEGRATOR', 'AUDITOR')",
    "says_something": " AND ".join(
        rf"coalesce(btrim({column}, E' \t\n\r\f\v') <> '', true)"
        for column in ("name", "created_by_kind", "created_by_id")
    ),
    "changes_counted": "version > 0 AND updated_at >= created_at",
    "instants_finite": " AND ".join(
        f"coalesce(isfinite({column}), true)"
        for column in ("created_at", "updated_at", "expires_at", "revoked_at", "last_used_at")
    ),
    "hash_is_sha256": "hash ~ '^[0-9a-f]{64}$'",
    "expires_later": "coalesce(expires_at > created_at, true)",
    "revoked_with_instant": "(state = 'REVOKED') = (revoked_at IS NOT NULL) "
    "AND (revoked_at IS NULL) = (revoked_by_kind IS NULL) "
    "AND (revoked_at IS NULL) = (revoked_by_id IS NULL)",
    "rotated_with_successor": "CASE state WHEN 'ACTIVE' THEN replaced_by IS NULL "
    "WHEN 'ROTATED' THEN replaced_by IS NOT NULL AND expires_at IS NOT NULL "
    "ELSE true END AND replaced_by IS DISTINCT FROM id",
}
ENDED = (
    "state, expires_at, replaced_by, revoked_at, revoked_by_kind, revoked_by_id, revoked_by_name"
)
GRANTS = (
    "GRANT SELECT (platform_id, id, service_id, name, role, scopes, state, created_by_kind, "
    "created_by_id, created_by_name, expires_at, replaced_by, revoked_at, revoked_by_kind, "
    "revoked_by_id, revoked_by_name, last_used_at, version, created_at, updated_at) "
    "ON api_keys TO recourse_staff",
    "GRANT SELECT ON api_keys TO recourse_worker",
    f"GRANT INSERT, UPDATE ({ENDED}, version, updated_at) ON api_keys TO {SERVICE}",
    "GRANT UPDATE (last_used_at) ON api_keys TO recourse_worker",
)
POLICIES = (
    "ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE api_keys FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY staff ON api_keys TO recourse_staff USING ({PLATFORM}) WITH CHECK ({PLATFORM})",
    f"CREATE POLICY account_user ON api_keys TO recourse_account_user "
    f"USING ({PLATFORM}) WITH CHECK ({PLATFORM})",
    "CREATE POLICY worker ON api_keys TO recourse_worker USING (true) WITH CHECK (true)",
    # What has been revoked stays so.
    f"CREATE POLICY ended ON api_keys AS RESTRICTIVE FOR UPDATE TO {SERVICE} "
    "USING (state <> 'REVOKED') WITH CHECK (true)",
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "api_keys",
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_by_kind", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=True),
        sa.Column("expires_at", instant, nullable=True),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", instant, nullable=True),
        sa.Column("revoked_by_kind", sa.Text(), nullable=True),
        sa.Column("revoked_by_id", sa.Text(), nullable=True),
        sa.Column("revoked_by_name", sa.Text(), nullable=True),
        sa.Column("last_used_at", instant, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        *(sa.CheckConstraint(c, name=op.f(f"ck_api_keys_{n}")) for n, c in CHECKS.items()),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_api_keys_platform_id_platforms")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "replaced_by"],
            ["api_keys.platform_id", "api_keys.id"],
            name=op.f("fk_api_keys_platform_id_api_keys"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_api_keys")),
    )
    for statement in (*GRANTS, *POLICIES):
        op.execute(statement)
