"""Appeals, statements of reasons in full, and who rejected an account.

What rejections from before don't say is filled in with what is known of them: they were decided on
what had been submitted, so that is their source and what they cite, beside the facts that they
state; platforms act on their contracts, so that is their ground; they restrict from when they were
decided, and can be appealed for six months where the program had not said how long. Rejections of
accounts stay without an author.

All tables named here are locked meanwhile; of 1,000,000 decisions for some 10 seconds.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Every operation comes to the accounts first: so does this, and nobody deadlocks.
TABLES = ("accounts", "programs", "requirements", "evidence", "resolutions", "events")
TEXTS = {
    "accounts": (
        *("rejection_statement", "rejected_by_kind", "rejected_by_id", "rejected_by_name"),
    ),
    "programs": ("legal_ground_kind", "termination_notice"),
    "resolutions": (
        *("ground_kind", "source", "cited_fact", "appeal_statement", "appeal_reasons"),
        *("appealed_by_kind", "appealed_by_id", "appealed_by_name"),
        *("appeal_decided_by_kind", "appeal_decided_by_id", "appeal_decided_by_name"),
    ),
}
INSTANTS = {
    "accounts": ("rejected_at",),
    "requirements": ("appealed_at", "restricts_from"),
    "resolutions": ("restricts_from", "appealed_at", "appeal_decided_at"),
}
FILL = (
    """
    UPDATE requirements SET restricts_from = closed_at,
        appeal_deadline = coalesce(appeal_deadline, closed_at + interval 'P6M')
    WHERE state = 'REJECTED'""",
    """
    UPDATE resolutions SET ground_kind = 'CONTRACTUAL', source = 'EVIDENCE',
        redress = coalesce(nullif(redress, ''), 'You may appeal. Somebody who took no part in this '
            'decision will decide on the appeal.'),
        cited_fact = left(facts, 1000),
        cited_evidence = ARRAY(
            SELECT evidence.id FROM evidence
            WHERE evidence.account_id = resolutions.account_id
                AND evidence.requirement_id = resolutions.requirement_id
                AND evidence.submitted_at <= resolutions.created_at
            ORDER BY evidence.submitted_at, evidence.id),
        restricts_from = CASE WHEN state = 'FINAL' THEN decided_at END
    WHERE outcome = 'REJECTED'""",
)
EVENT_TYPES = (
    *("ACCOUNT_CREATED", "ACCOUNT_UPDATED", "ACCOUNT_REJECTED", "ACCOUNT_REINSTATED"),
    *("ACCOUNT_STATUS_CHANGED", "CAPABILITY_STATUS_CHANGED"),
    *("HOLD_PLACED", "HOLD_RELEASED", "HOLD_EXPIRED"),
    *("REQUIREMENT_OPENED", "REQUIREMENT_UPDATED", "REQUIREMENT_SUBMITTED"),
    *("REQUIREMENT_REVIEW_STARTED", "REQUIREMENT_CHANGES_REQUESTED", "REQUIREMENT_APPROVED"),
    *("REQUIREMENT_REJECTED", "REQUIREMENT_APPEALED", "REQUIREMENT_WAIVED"),
    *("REQUIREMENT_CANCELED", "REQUIREMENT_EXTENDED", "REQUIREMENT_DEADLINE_MOVED"),
    *("REQUIREMENT_REOPENED", "REQUIREMENT_ASSIGNED", "REQUIREMENT_CURRENTLY_DUE"),
    *("REQUIREMENT_PAST_DUE", "RESOLUTION_PROPOSED", "RESOLUTION_FINAL", "RESOLUTION_DECLINED"),
    *("RESOLUTION_UPHELD", "RESOLUTION_OVERTURNED", "NOTE_ADDED"),
    *("INTERACTION_DRAFTED", "INTERACTION_UPDATED", "INTERACTION_SCHEDULED", "INTERACTION_SENT"),
    *("INTERACTION_MAILED", "INTERACTION_DELIVERED", "INTERACTION_VIEWED"),
    *("INTERACTION_RESPONDED", "INTERACTION_FAILED", "INTERACTION_RECEIVED"),
    "INTERACTION_CANCELED",
)
REPLACED = {
    ("resolutions", "state_known"): "state IN ('PROPOSED', 'FINAL', 'DECLINED', 'APPEALED', "
    "'UPHELD', 'OVERTURNED')",
    ("resolutions", "one_pair_is_final"): "four_eyes OR state NOT IN ('PROPOSED', 'DECLINED')",
    ("events", "type_known"): f"type IN {EVENT_TYPES}",
}
ADDED = {
    ("accounts", "rejected_by_somebody"): "(rejected_at IS NULL) = (rejected_by_id IS NULL) "
    "AND (rejected_at IS NULL) = (rejected_by_kind IS NULL) AND (rejected_at IS NOT NULL) "
    "= (coalesce(length(rejection_statement), 0) BETWEEN 1 AND 5000) "
    "AND (rejected_at IS NULL OR rejected_reason IS NOT NULL)",
    ("programs", "legal_ground_kind_known"): "legal_ground_kind IN ('LEGAL', 'CONTRACTUAL')",
    ("requirements", "rejection_restricts"): "(state = 'REJECTED' OR (state = 'IN_REVIEW' "
    "AND appealed_at IS NOT NULL)) = (restricts_from IS NOT NULL)",
    ("requirements", "rejection_can_be_appealed"): "state <> 'REJECTED' "
    "OR appeal_deadline IS NOT NULL",
    ("requirements", "appealed_while_rejected"): "appealed_at IS NULL "
    "OR state IN ('IN_REVIEW', 'REJECTED', 'SATISFIED')",
    ("resolutions", "ground_kind_known"): "ground_kind IN ('LEGAL', 'CONTRACTUAL')",
    ("resolutions", "source_known"): "source IN ('EVIDENCE', 'OWN_INVESTIGATION', 'NOTICE', "
    "'THIRD_PARTY')",
    ("resolutions", "rejection_in_full"): "outcome <> 'REJECTED' OR (ground_kind IS NOT NULL "
    "AND source IS NOT NULL AND coalesce(length(redress), 0) > 0)",
    ("resolutions", "rejection_rests_on_something"): "outcome <> 'REJECTED' "
    "OR cardinality(array_remove(cited_evidence, NULL)) > 0 OR coalesce(length(cited_fact), 0) > 0",
    ("resolutions", "territories_are_alpha_2"): r"territories::text "
    r"~ '^\{([A-Z]{2}(,[A-Z]{2})*)?\}$'",
    ("resolutions", "rejection_restricts"): "(outcome = 'REJECTED' "
    "AND state NOT IN ('PROPOSED', 'DECLINED')) = (restricts_from IS NOT NULL)",
    ("resolutions", "appealed_with_statement"): "(state IN ('APPEALED', 'UPHELD', 'OVERTURNED')) "
    "= (appealed_at IS NOT NULL) AND (appealed_at IS NULL) = (appealed_by_id IS NULL) "
    "AND (appealed_at IS NULL) = (appealed_by_kind IS NULL) "
    "AND (appealed_at IS NULL OR outcome = 'REJECTED') AND (appealed_at IS NOT NULL) "
    "= (coalesce(length(appeal_statement), 0) BETWEEN 1 AND 5000)",
    ("resolutions", "appeal_decided_by_reviewer"): "(state IN ('UPHELD', 'OVERTURNED')) "
    "= (appeal_decided_at IS NOT NULL) "
    "AND (appeal_decided_at IS NULL) = (appeal_decided_by_id IS NULL) "
    "AND (appeal_decided_at IS NOT NULL) = (coalesce(appeal_decided_by_kind, '') = 'REVIEWER') "
    "AND (appeal_decided_at IS NOT NULL) "
    "= (coalesce(length(appeal_reasons), 0) BETWEEN 1 AND 5000)",
    ("resolutions", "appeal_decided_by_another"): "appeal_decided_by_id IS NULL "
    "OR ((appeal_decided_by_kind, appeal_decided_by_id) "
    "IS DISTINCT FROM (proposed_by_kind, proposed_by_id) "
    "AND (appeal_decided_by_kind, appeal_decided_by_id) "
    "IS DISTINCT FROM (decided_by_kind, decided_by_id))",
}
ORIGIN = "ux_requirements_origin"
# Account users read what concerns them, and write what an appeal changes.
GRANTS = (
    "GRANT SELECT (rejection_statement, rejected_at, rejected_by_kind, rejected_by_id, "
    "rejected_by_name) ON accounts TO recourse_account_user",
    "GRANT SELECT (appealed_at, restricts_from) ON requirements TO recourse_account_user",
    "GRANT UPDATE (closed_at, closed_reason, appealed_at) ON requirements TO recourse_account_user",
    "GRANT UPDATE (state, appeal_statement, appealed_at, appealed_by_kind, appealed_by_id, "
    "appealed_by_name, version, updated_at) ON resolutions TO recourse_account_user",
)


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
    _add_columns()
    _fill()
    for table, name in REPLACED:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for (table, name), rule in {**REPLACED, **ADDED}.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    op.drop_index(ORIGIN)
    op.create_index(
        ORIGIN,
        "requirements",
        ["account_id", "origin"],
        unique=True,
        postgresql_where="closed_at IS NULL AND appealed_at IS NULL AND origin IS NOT NULL",
    )
    _replace_indexes()
    for statement in GRANTS:
        op.execute(statement)


def _replace_indexes() -> None:
    # With the outcome at their end: a list of one outcome passes by what is not of it.
    for lead in ("reason_code_state", "state"):
        name = f"ix_resolutions_{lead}_created_at"
        op.drop_index(name)
        columns = ["reason_code", "state"] if lead == "reason_code_state" else ["state"]
        order = ["created_at", "account_id", "id", "outcome"]
        op.create_index(name, "resolutions", ["platform_id", *columns, *order], unique=False)


def _add_columns() -> None:
    for table, names in TEXTS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
    for table, names in INSTANTS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    # Nothing, for what was there before; from here on it is said each time.
    cited: sa.Column[Any] = sa.Column(
        "cited_evidence", sa.ARRAY(sa.Uuid()), nullable=False, server_default="{}"
    )
    places: sa.Column[Any] = sa.Column(
        "territories", sa.ARRAY(sa.Text()), nullable=False, server_default="{}"
    )
    for column in (cited, places):
        op.add_column("resolutions", column)
        op.alter_column("resolutions", column.name, server_default=None)


def _fill() -> None:
    # Forced row security binds an owner who is no superuser, too: no row would be filled.
    _force_row_security("NO FORCE")
    for statement in FILL:
        op.execute(statement)
    _force_row_security("FORCE")


def _force_row_security(how: str) -> None:
    for table in ("requirements", "evidence", "resolutions"):
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")
