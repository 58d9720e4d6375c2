"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "platforms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platforms")),
        sa.UniqueConstraint("slug", name=op.f("uq_platforms_slug")),
    )
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("business_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("risk_tier", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("rejected_reason", sa.Text(), nullable=True),
        sa.Column("next_deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "sort_next_deadline",
            sa.DateTime(timezone=True),
            sa.Computed(
                "coalesce(next_deadline, '9999-12-31 00:00:00+00'::timestamptz)", persisted=True
            ),
            nullable=False,
        ),
        sa.Column("derived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_change_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_hash", sa.Text(), nullable=False),
        sa.Column(
            "import_state",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(event_sequence = 0) = (event_hash = '0000000000000000000000000000000000000000000000000000000000000000')",
            name=op.f("ck_accounts_chain_head"),
        ),
        sa.CheckConstraint(
            "(status = 'REJECTED') = (rejected_reason IS NOT NULL)",
            name=op.f("ck_accounts_rejected_with_reason"),
        ),
        sa.CheckConstraint(
            "(status IN ('ENABLED', 'RESTRICTED_SOON')) = (disabled_reason IS NULL)",
            name=op.f("ck_accounts_disabled_with_reason"),
        ),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_accounts_country_is_alpha_2")),
        sa.CheckConstraint(
            "rejected_reason IN ('rejected.fraud', 'rejected.listed', 'rejected.terms_of_service', 'rejected.other')",
            name=op.f("ck_accounts_rejected_reason_known"),
        ),
        sa.CheckConstraint(
            "risk_tier IN ('LOW', 'MEDIUM', 'HIGH')", name=op.f("ck_accounts_risk_tier_known")
        ),
        sa.CheckConstraint(
            "status IN ('ENABLED', 'RESTRICTED_SOON', 'RESTRICTED', 'UNDER_REVIEW', 'REJECTED')",
            name=op.f("ck_accounts_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_accounts_platform_id_platforms")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "account_id", "platform_id", name=op.f("uq_accounts_account_id_platform_id")
        ),
    )
    op.create_index(
        "ix_accounts_country_status_created_at",
        "accounts",
        ["platform_id", "country", "status", "created_at", "account_id"],
        unique=False,
    )
    op.create_index(
        "ix_accounts_country_status_sort_next_deadline",
        "accounts",
        ["platform_id", "country", "status", "sort_next_deadline", "account_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_accounts_created_at",
        "accounts",
        ["platform_id", "created_at", "account_id"],
        unique=False,
    )
    op.create_index(
        "ix_accounts_next_change_at",
        "accounts",
        ["next_change_at"],
        unique=False,
        postgresql_where="next_change_at IS NOT NULL",
    )
    op.create_index(
        "ix_accounts_risk_tier_status_created_at",
        "accounts",
        ["platform_id", "risk_tier", "status", "created_at", "account_id"],
        unique=False,
    )
    op.create_index(
        "ix_accounts_risk_tier_status_sort_next_deadline",
        "accounts",
        ["platform_id", "risk_tier", "status", "sort_next_deadline", "account_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_accounts_sort_next_deadline",
        "accounts",
        ["platform_id", "sort_next_deadline", "account_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_accounts_status_created_at",
        "accounts",
        ["platform_id", "status", "created_at", "account_id"],
        unique=False,
    )
    op.create_index(
        "ix_accounts_status_sort_next_deadline",
        "accounts",
        ["platform_id", "status", "sort_next_deadline", "account_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "platform_idempotency_keys",
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_platform_idempotency_keys_platform_id_platforms"),
        ),
        sa.PrimaryKeyConstraint(
            "platform_id", "caller", "key", name=op.f("pk_platform_idempotency_keys")
        ),
    )
    op.create_table(
        "programs",
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("evidence_schema", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("proves", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("due_after", sa.Text(), nullable=True),
        sa.Column("deadline_after", sa.Text(), nullable=True),
        sa.Column("notice_period", sa.Text(), nullable=True),
        sa.Column("reminders", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("restricts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("gates", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("review_within", sa.Text(), nullable=True),
        sa.Column("appeal_within", sa.Text(), nullable=True),
        sa.Column("legal_ground", sa.Text(), nullable=True),
        sa.Column("reason_codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error_codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by_kind", sa.Text(), nullable=False),
        sa.Column("published_by_id", sa.Text(), nullable=False),
        sa.Column("published_by_name", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'RETIRED') = (retired_at IS NOT NULL)",
            name=op.f("ck_programs_retired_with_instant"),
        ),
        sa.CheckConstraint(
            "category IN ('IDENTITY', 'BUSINESS_MODEL', 'RESTRICTED_INDUSTRY', 'SUPPORTABILITY_APPEAL', 'DOCUMENT', 'CREDIT', 'SANCTIONS', 'OWNERSHIP', 'BANK_ACCOUNT', 'TERMS', 'OTHER')",
            name=op.f("ck_programs_category_known"),
        ),
        sa.CheckConstraint(
            "gates <@ ARRAY['CARD_PAYMENTS', 'PAYOUTS', 'TRANSFERS']",
            name=op.f("ck_programs_gates_of_known_kinds"),
        ),
        sa.CheckConstraint(
            "restricts <@ ARRAY['CARD_PAYMENTS', 'PAYOUTS', 'TRANSFERS']",
            name=op.f("ck_programs_restricts_of_known_kinds"),
        ),
        sa.CheckConstraint(
            "state IN ('PUBLISHED', 'SUPERSEDED', 'RETIRED')", name=op.f("ck_programs_state_known")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_programs_version_positive")),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_programs_platform_id_platforms")
        ),
        sa.PrimaryKeyConstraint("platform_id", "code", "version", name=op.f("pk_programs")),
        sa.UniqueConstraint("id", name=op.f("uq_programs_id")),
    )
    op.create_index(
        "ux_programs_published",
        "programs",
        ["platform_id", "code"],
        unique=True,
        postgresql_where="state = 'PUBLISHED'",
    )
    op.create_table(
        "account_terms",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_account_terms_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "term", name=op.f("pk_account_terms")),
    )
    op.create_index(
        "ix_account_terms_term",
        "account_terms",
        ["platform_id", "term", "account_id"],
        unique=False,
        postgresql_ops={"term": "text_pattern_ops"},
    )
    op.create_table(
        "capabilities",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("requested", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("restricts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status IN ('RESTRICTED', 'PENDING')) = (disabled_reason IS NOT NULL)",
            name=op.f("ck_capabilities_restricted_with_reason"),
        ),
        sa.CheckConstraint(
            "kind IN ('CARD_PAYMENTS', 'PAYOUTS', 'TRANSFERS')",
            name=op.f("ck_capabilities_kind_known"),
        ),
        sa.CheckConstraint(
            "requested = (status <> 'INACTIVE')",
            name=op.f("ck_capabilities_inactive_unless_requested"),
        ),
        sa.CheckConstraint(
            "status IN ('ACTIVE', 'PENDING', 'RESTRICTED', 'INACTIVE')",
            name=op.f("ck_capabilities_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_capabilities_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_capabilities")),
    )
    op.create_table(
        "events",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(sequence = 1) = (previous_hash = '0000000000000000000000000000000000000000000000000000000000000000')",
            name=op.f("ck_events_first_follows_nothing"),
        ),
        sa.CheckConstraint(
            "actor_kind IN ('ACCOUNT_USER', 'REVIEWER', 'SERVICE', 'SYSTEM')",
            name=op.f("ck_events_actor_kind_known"),
        ),
        sa.CheckConstraint(
            "subject_type IN ('Account', 'Hold', 'Requirement', 'Resolution', 'Interaction')",
            name=op.f("ck_events_subject_type_known"),
        ),
        sa.CheckConstraint(
            "type IN ('ACCOUNT_CREATED', 'ACCOUNT_UPDATED', 'ACCOUNT_STATUS_CHANGED', 'CAPABILITY_STATUS_CHANGED', 'HOLD_PLACED', 'HOLD_RELEASED', 'HOLD_EXPIRED', 'REQUIREMENT_OPENED', 'REQUIREMENT_UPDATED', 'REQUIREMENT_SUBMITTED', 'REQUIREMENT_REVIEW_STARTED', 'REQUIREMENT_CHANGES_REQUESTED', 'REQUIREMENT_APPROVED', 'REQUIREMENT_REJECTED', 'REQUIREMENT_WAIVED', 'REQUIREMENT_CANCELED', 'REQUIREMENT_EXTENDED', 'REQUIREMENT_REOPENED', 'REQUIREMENT_ASSIGNED', 'REQUIREMENT_CURRENTLY_DUE', 'REQUIREMENT_PAST_DUE', 'RESOLUTION_PROPOSED', 'RESOLUTION_FINAL', 'RESOLUTION_DECLINED')",
            name=op.f("ck_events_type_known"),
        ),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_events_hash_is_sha256")),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_events_sequence_positive")),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_events_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_events")),
        sa.UniqueConstraint("account_id", "sequence", name=op.f("uq_events_account_id_sequence")),
    )
    op.create_index(
        "ix_events_account_id_at", "events", ["account_id", "at", "sequence"], unique=False
    )
    op.create_index(
        "ix_events_at", "events", ["platform_id", "at", "account_id", "sequence"], unique=False
    )
    op.create_index(
        "ix_events_type_at",
        "events",
        ["platform_id", "type", "at", "account_id", "sequence"],
        unique=False,
    )
    op.create_table(
        "holds",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("capabilities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("placed_by_kind", sa.Text(), nullable=False),
        sa.Column("placed_by_id", sa.Text(), nullable=False),
        sa.Column("placed_by_name", sa.Text(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by_kind", sa.Text(), nullable=True),
        sa.Column("released_by_id", sa.Text(), nullable=True),
        sa.Column("released_by_name", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "capabilities <@ ARRAY['CARD_PAYMENTS', 'PAYOUTS', 'TRANSFERS']",
            name=op.f("ck_holds_capabilities_of_known_kinds"),
        ),
        sa.CheckConstraint(
            "reason IN ('PLATFORM_PAUSED', 'UNDER_REVIEW', 'LISTED', 'OTHER')",
            name=op.f("ck_holds_reason_known"),
        ),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by_id IS NULL) AND (released_by_id IS NULL) = (released_by_kind IS NULL)",
            name=op.f("ck_holds_released_by_somebody"),
        ),
        sa.CheckConstraint(
            "cardinality(capabilities) > 0", name=op.f("ck_holds_restricts_something")
        ),
        sa.CheckConstraint(
            "expires_at IS NULL OR expires_at > created_at", name=op.f("ck_holds_expires_later")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_holds_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_holds")),
    )
    op.create_index(
        "ix_holds_unreleased",
        "holds",
        ["account_id"],
        unique=False,
        postgresql_where="released_at IS NULL",
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_idempotency_keys_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "caller", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "interactions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("in_reply_to_id", sa.Uuid(), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "sort_scheduled_for",
            sa.DateTime(timezone=True),
            sa.Computed(
                "coalesce(scheduled_for, '9999-12-31 00:00:00+00'::timestamptz)", persisted=True
            ),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "failure", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'FAILED') = (coalesce(jsonb_typeof(failure), 'null') = 'object')",
            name=op.f("ck_interactions_failed_with_reason"),
        ),
        sa.CheckConstraint(
            "author_kind IN ('ACCOUNT_USER', 'REVIEWER', 'SERVICE', 'SYSTEM')",
            name=op.f("ck_interactions_author_kind_known"),
        ),
        sa.CheckConstraint(
            "channel IN ('EMAIL', 'SMS', 'DASHBOARD', 'PHONE', 'API')",
            name=op.f("ck_interactions_channel_known"),
        ),
        sa.CheckConstraint(
            "direction IN ('OUTBOUND', 'INBOUND')", name=op.f("ck_interactions_direction_known")
        ),
        sa.CheckConstraint(
            "purpose IN ('REQUEST', 'REMINDER', 'NOTICE', 'MESSAGE', 'DECISION')",
            name=op.f("ck_interactions_purpose_known"),
        ),
        sa.CheckConstraint(
            "state <> 'SCHEDULED' OR scheduled_for IS NOT NULL",
            name=op.f("ck_interactions_scheduled_for_an_instant"),
        ),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SCHEDULED', 'SENT', 'DELIVERED', 'VIEWED', 'RESPONDED', 'FAILED', 'CANCELED')",
            name=op.f("ck_interactions_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('DRAFT', 'SCHEDULED') OR direction = 'OUTBOUND'",
            name=op.f("ck_interactions_inbound_has_arrived"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('SENT', 'DELIVERED', 'VIEWED', 'RESPONDED', 'FAILED') OR sent_at IS NOT NULL",
            name=op.f("ck_interactions_sent_with_instant"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "in_reply_to_id"],
            ["interactions.account_id", "interactions.id"],
            name=op.f("fk_interactions_account_id_interactions"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_interactions_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_interactions")),
    )
    op.create_index(
        "ix_interactions_account_id_created_at",
        "interactions",
        ["account_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_interactions_account_id_sort_scheduled_for",
        "interactions",
        ["account_id", "sort_scheduled_for", "id"],
        unique=False,
    )
    op.create_index(
        "ix_interactions_channel_state_created_at",
        "interactions",
        ["platform_id", "channel", "state", "created_at", "account_id", "id"],
        unique=False,
    )
    op.create_index(
        "ix_interactions_channel_state_sort_scheduled_for",
        "interactions",
        ["platform_id", "channel", "state", "sort_scheduled_for", "account_id", "id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_interactions_direction_state_created_at",
        "interactions",
        ["platform_id", "direction", "state", "created_at", "account_id", "id"],
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
        "ix_interactions_purpose_state_created_at",
        "interactions",
        ["platform_id", "purpose", "state", "created_at", "account_id", "id"],
        unique=False,
    )
    op.create_index(
        "ix_interactions_purpose_state_sort_scheduled_for",
        "interactions",
        ["platform_id", "purpose", "state", "sort_scheduled_for", "account_id", "id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_interactions_state_created_at",
        "interactions",
        ["platform_id", "state", "created_at", "account_id", "id"],
        unique=False,
    )
    op.create_index(
        "ix_interactions_state_sort_scheduled_for",
        "interactions",
        ["platform_id", "state", "sort_scheduled_for", "account_id", "id", "created_at"],
        unique=False,
    )
    op.create_table(
        "outbox",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_outbox_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "event_id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_created_at"), "outbox", ["created_at"], unique=False)
    op.create_table(
        "requirements",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("program_code", sa.Text(), nullable=False),
        sa.Column("program_version", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("requested_reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currently_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "sort_deadline",
            sa.DateTime(timezone=True),
            sa.Computed(
                "coalesce(deadline, '9999-12-31 00:00:00+00'::timestamptz)", persisted=True
            ),
            nullable=False,
        ),
        sa.Column("appeal_deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restricts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("gates", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("alternative_group", sa.Text(), nullable=True),
        sa.Column("alternative_option", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("assignee_id", sa.Text(), nullable=True),
        sa.Column("assignee_name", sa.Text(), nullable=True),
        sa.Column(
            "assignee_key",
            sa.Text(),
            sa.Computed("coalesce(assignee_id, '')", persisted=True),
            nullable=False,
        ),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("opened_by_kind", sa.Text(), nullable=False),
        sa.Column("opened_by_id", sa.Text(), nullable=False),
        sa.Column("opened_by_name", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_outcome", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state IN ('SATISFIED', 'REJECTED', 'WAIVED', 'CANCELED')) = (closed_at IS NOT NULL)",
            name=op.f("ck_requirements_closed_with_instant"),
        ),
        sa.CheckConstraint(
            "category IN ('IDENTITY', 'BUSINESS_MODEL', 'RESTRICTED_INDUSTRY', 'SUPPORTABILITY_APPEAL', 'DOCUMENT', 'CREDIT', 'SANCTIONS', 'OWNERSHIP', 'BANK_ACCOUNT', 'TERMS', 'OTHER')",
            name=op.f("ck_requirements_category_known"),
        ),
        sa.CheckConstraint(
            "gates <@ ARRAY['CARD_PAYMENTS', 'PAYOUTS', 'TRANSFERS']",
            name=op.f("ck_requirements_gates_of_known_kinds"),
        ),
        sa.CheckConstraint(
            "opened_by_kind IN ('ACCOUNT_USER', 'REVIEWER', 'SERVICE', 'SYSTEM')",
            name=op.f("ck_requirements_opened_by_kind_known"),
        ),
        sa.CheckConstraint(
            "priority IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')",
            name=op.f("ck_requirements_priority_known"),
        ),
        sa.CheckConstraint(
            "proposed_outcome IN ('SATISFIED', 'REJECTED', 'WAIVED')",
            name=op.f("ck_requirements_proposed_outcome_known"),
        ),
        sa.CheckConstraint(
            "restricts <@ ARRAY['CARD_PAYMENTS', 'PAYOUTS', 'TRANSFERS']",
            name=op.f("ck_requirements_restricts_of_known_kinds"),
        ),
        sa.CheckConstraint(
            "state <> 'CANCELED' OR closed_reason IS NOT NULL",
            name=op.f("ck_requirements_canceled_with_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('OPEN', 'ACTION_REQUIRED', 'SUBMITTED', 'IN_REVIEW', 'SATISFIED', 'REJECTED', 'WAIVED', 'CANCELED')",
            name=op.f("ck_requirements_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('SUBMITTED', 'IN_REVIEW') OR submitted_at IS NOT NULL",
            name=op.f("ck_requirements_submitted_with_instant"),
        ),
        sa.CheckConstraint(
            "alternative_option IS NULL OR alternative_group IS NOT NULL",
            name=op.f("ck_requirements_option_within_group"),
        ),
        sa.CheckConstraint(
            "deadline >= currently_due_at", name=op.f("ck_requirements_deadline_after_due")
        ),
        sa.CheckConstraint(
            "notice_at IS NULL OR (deadline IS NOT NULL AND notice_at <= deadline)",
            name=op.f("ck_requirements_notice_before_deadline"),
        ),
        sa.CheckConstraint(
            "proposed_outcome IS NULL OR closed_at IS NULL",
            name=op.f("ck_requirements_proposal_while_open"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_requirements_account_id_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "program_code", "program_version"],
            ["programs.platform_id", "programs.code", "programs.version"],
            name=op.f("fk_requirements_platform_id_programs"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_requirements")),
    )
    op.create_index(
        "ix_requirements_account_id_created_at",
        "requirements",
        ["account_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_requirements_account_id_sort_deadline",
        "requirements",
        ["account_id", "sort_deadline", "id"],
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
        "ix_requirements_live",
        "requirements",
        ["account_id"],
        unique=False,
        postgresql_where="state IN ('OPEN', 'ACTION_REQUIRED', 'SUBMITTED', 'IN_REVIEW', 'REJECTED')",
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
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
        unique=False,
    )
    op.create_index(
        "ux_requirements_origin",
        "requirements",
        ["account_id", "origin"],
        unique=True,
        postgresql_where="closed_at IS NULL AND origin IS NOT NULL",
    )
    op.create_table(
        "evidence",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("documents", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("submitted_by_kind", sa.Text(), nullable=False),
        sa.Column("submitted_by_id", sa.Text(), nullable=False),
        sa.Column("submitted_by_name", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "coalesce(jsonb_typeof(payload), 'null') <> 'null' OR jsonb_array_length(documents) > 0",
            name=op.f("ck_evidence_not_empty"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_evidence_account_id_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "requirement_id"],
            ["requirements.account_id", "requirements.id"],
            name=op.f("fk_evidence_account_id_requirements"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_evidence")),
    )
    op.create_index(
        "ix_evidence_requirement",
        "evidence",
        ["account_id", "requirement_id", "submitted_at", "id"],
        unique=False,
    )
    op.create_table(
        "interaction_requirements",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("interaction_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "interaction_id"],
            ["interactions.account_id", "interactions.id"],
            name=op.f("fk_interaction_requirements_account_id_interactions"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_interaction_requirements_account_id_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "requirement_id"],
            ["requirements.account_id", "requirements.id"],
            name=op.f("fk_interaction_requirements_account_id_requirements"),
        ),
        sa.PrimaryKeyConstraint(
            "account_id",
            "interaction_id",
            "requirement_id",
            name=op.f("pk_interaction_requirements"),
        ),
    )
    op.create_index(
        "ix_interaction_requirements_requirement",
        "interaction_requirements",
        ["account_id", "requirement_id", "interaction_id"],
        unique=False,
    )
    op.create_table(
        "resolutions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("ground", sa.Text(), nullable=True),
        sa.Column("redress", sa.Text(), nullable=True),
        sa.Column("automated_detection", sa.Boolean(), nullable=False),
        sa.Column("automated_decision", sa.Text(), nullable=False),
        sa.Column("proposed_by_kind", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", sa.Text(), nullable=False),
        sa.Column("proposed_by_name", sa.Text(), nullable=True),
        sa.Column("decided_by_kind", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.Text(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decline_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by_id IS NULL) AND (decided_by_id IS NULL) = (decided_by_kind IS NULL)",
            name=op.f("ck_resolutions_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "automated_decision IN ('NONE', 'PARTIAL', 'FULL')",
            name=op.f("ck_resolutions_automated_decision_known"),
        ),
        sa.CheckConstraint(
            "four_eyes OR outcome <> 'WAIVED'", name=op.f("ck_resolutions_waiver_takes_two")
        ),
        sa.CheckConstraint(
            "four_eyes OR state = 'FINAL'", name=op.f("ck_resolutions_one_pair_is_final")
        ),
        sa.CheckConstraint(
            "outcome <> 'REJECTED' OR (coalesce(length(facts), 0) BETWEEN 1 AND 5000 AND coalesce(length(ground), 0) > 0)",
            name=op.f("ck_resolutions_rejection_gives_reasons"),
        ),
        sa.CheckConstraint(
            "outcome IN ('SATISFIED', 'REJECTED', 'WAIVED')",
            name=op.f("ck_resolutions_outcome_known"),
        ),
        sa.CheckConstraint(
            "proposed_by_kind IN ('ACCOUNT_USER', 'REVIEWER', 'SERVICE', 'SYSTEM')",
            name=op.f("ck_resolutions_proposed_by_kind_known"),
        ),
        sa.CheckConstraint(
            "state = 'DECLINED' OR decline_reason IS NULL",
            name=op.f("ck_resolutions_declined_with_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'FINAL', 'DECLINED')", name=op.f("ck_resolutions_state_known")
        ),
        sa.CheckConstraint(
            "NOT four_eyes OR decided_by_id IS NULL OR decided_by_id <> proposed_by_id",
            name=op.f("ck_resolutions_four_eyes"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "platform_id"],
            ["accounts.account_id", "accounts.platform_id"],
            name=op.f("fk_resolutions_account_id_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "requirement_id"],
            ["requirements.account_id", "requirements.id"],
            name=op.f("fk_resolutions_account_id_requirements"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_resolutions")),
    )
    op.create_index(
        "ix_resolutions_account_id_created_at",
        "resolutions",
        ["account_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_resolutions_outcome_state_created_at",
        "resolutions",
        ["platform_id", "outcome", "state", "created_at", "account_id", "id"],
        unique=False,
    )
    op.create_index(
        "ix_resolutions_reason_code_state_created_at",
        "resolutions",
        ["platform_id", "reason_code", "state", "created_at", "account_id", "id"],
        unique=False,
    )
    op.create_index(
        "ix_resolutions_requirement",
        "resolutions",
        ["account_id", "requirement_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_resolutions_state_created_at",
        "resolutions",
        ["platform_id", "state", "created_at", "account_id", "id"],
        unique=False,
    )
    op.create_index(
        "ux_resolutions_proposed",
        "resolutions",
        ["account_id", "requirement_id"],
        unique=True,
        postgresql_where="state = 'PROPOSED'",
    )
