"""The roles that the service runs under, what they may do, and which rows they see.

Each role logs in by itself and can't become another. Passwords are set by `recourse migrate`.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROLES = ("recourse_staff", "recourse_account_user", "recourse_worker")
OF_ACCOUNTS = (
    "accounts",
    "account_terms",
    "capabilities",
    "events",
    "evidence",
    "holds",
    "idempotency_keys",
    "interaction_requirements",
    "interactions",
    "outbox",
    "requirements",
    "resolutions",
)
OF_PLATFORMS = ("programs", "platform_idempotency_keys")
PLATFORM = "{} = nullif(current_setting('recourse.platform_id', true), '')::uuid"
ACCOUNT = "account_id = nullif(current_setting('recourse.account_id', true), '')::uuid"

# What is between staff, account users don't see: drafts, proposals, who handles what.
SHOWN = {
    "interactions": "state NOT IN ('DRAFT', 'SCHEDULED', 'CANCELED')",
    "resolutions": "state NOT IN ('PROPOSED', 'DECLINED')",
    "events": "type NOT IN ('REQUIREMENT_ASSIGNED', 'RESOLUTION_PROPOSED', 'RESOLUTION_DECLINED')",
}

# What changes; events and evidence are only ever added.
CHANGING = "accounts, capabilities, holds, interactions, requirements, resolutions"
ADDED = (
    "account_terms, events, evidence, idempotency_keys, interaction_requirements, outbox, "
    "platform_idempotency_keys, programs"
)
GRANTS = (
    f"GRANT SELECT, INSERT, UPDATE ON {CHANGING} TO recourse_staff, recourse_worker",
    f"GRANT SELECT, INSERT ON {ADDED} TO recourse_staff, recourse_worker",
    "GRANT UPDATE (state, retired_at) ON programs TO recourse_staff, recourse_worker",
    "GRANT DELETE ON account_terms TO recourse_staff, recourse_worker",
    "GRANT DELETE ON outbox, idempotency_keys, platform_idempotency_keys TO recourse_worker",
    "GRANT SELECT ON platforms TO recourse_staff, recourse_account_user",
    # Locking a row takes the right to update one of its columns.
    "GRANT UPDATE (name) ON platforms TO recourse_staff",
    "GRANT SELECT, INSERT, UPDATE ON platforms TO recourse_worker",
    "GRANT SELECT (account_id, platform_id, external_id, business_name, email, country, risk_tier, "
    "status, disabled_reason, rejected_reason, next_deadline, sort_next_deadline, derived_at, "
    "next_change_at, event_sequence, event_hash, version, created_at, updated_at) ON accounts "
    "TO recourse_account_user",
    "GRANT SELECT ON account_terms, capabilities, events, evidence, idempotency_keys, "
    "interaction_requirements, interactions, programs, resolutions TO recourse_account_user",
    "GRANT INSERT ON events, evidence, idempotency_keys, outbox TO recourse_account_user",
    # Account users read no staff-only column, and write what a submission changes.
    "GRANT SELECT (account_id, platform_id, id, capabilities, reason, expires_at, "
    "placed_by_kind, placed_by_id, placed_by_name, released_at, released_by_kind, "
    "released_by_id, released_by_name, version, created_at, updated_at) ON holds TO recourse_account_user",
    "GRANT SELECT (account_id, platform_id, id, program_code, program_version, category, title, "
    "description, requested_reasons, state, currently_due_at, notice_at, deadline, sort_deadline, "
    "appeal_deadline, restricts, gates, errors, alternative_group, alternative_option, priority, "
    "origin, opened_by_kind, opened_by_id, opened_by_name, submitted_at, "
    "closed_at, closed_reason, version, created_at, updated_at) "
    "ON requirements TO recourse_account_user",
    "GRANT UPDATE (state, errors, submitted_at, version, updated_at) ON requirements "
    "TO recourse_account_user",
    "GRANT UPDATE (status, disabled_reason, next_deadline, derived_at, next_change_at, "
    "event_sequence, event_hash, version, updated_at) ON accounts TO recourse_account_user",
    "GRANT UPDATE (status, disabled_reason, restricts_at, updated_at) ON capabilities "
    "TO recourse_account_user",
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    for role in ROLES:
        _create_role(role)
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    for statement in GRANTS:
        op.execute(statement)
    for table in OF_ACCOUNTS:
        platform = PLATFORM.format("platform_id")
        _secure(table, platform, f"{platform} AND {ACCOUNT}", SHOWN.get(table))
    for table in OF_PLATFORMS:
        platform = PLATFORM.format("platform_id")
        _secure(table, platform, platform)
    _secure("platforms", PLATFORM.format("id"), PLATFORM.format("id"))


def _create_role(role: str) -> None:
    # Roles belong to the whole cluster: another database may have made them already.
    op.execute(
        f"""
        DO $$ BEGIN
            CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
        """
    )


def _secure(table: str, staff: str, account_user: str, shown: str | None = None) -> None:
    visible = account_user if shown is None else f"{account_user} AND {shown}"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY staff ON {table} TO recourse_staff USING ({staff}) WITH CHECK ({staff})"
    )
    op.execute(
        f"CREATE POLICY account_user ON {table} TO recourse_account_user "
        f"USING ({visible}) WITH CHECK ({account_user})"
    )
    op.execute(f"CREATE POLICY worker ON {table} TO recourse_worker USING (true) WITH CHECK (true)")
