"""Rows that can't be are refused, whoever writes them.

The checks are not held against what was written before, but for each change of it from now on: so
what operations took once, and do no more, is mended first. Subjects become one line each, and
e-mails without one say so.

Contacts are locked while their subjects are mended.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BLANK = r"E' \t\n\r\f\v'"
NOT_IN_A_LINE = r"[\x01-\x1f\x7f-\x9f\u2028\u2029]"
KINDS = "('ACCOUNT_USER', 'REVIEWER', 'SERVICE', 'SYSTEM')"
MEND = (
    f"UPDATE interactions SET subject = regexp_replace(subject, '{NOT_IN_A_LINE}', ' ', 'g') "
    f"WHERE subject ~ '{NOT_IN_A_LINE}'",
    f"UPDATE interactions SET subject = NULL WHERE btrim(subject, {BLANK}) = ''",
    "UPDATE interactions SET subject = '(no subject)' WHERE channel = 'EMAIL' AND subject IS NULL",
)


def _texts(*columns: str) -> str:
    return " AND ".join(f"coalesce(btrim({name}, {BLANK}) <> '', true)" for name in columns)


def _instants(*columns: str) -> str:
    return " AND ".join(f"coalesce(isfinite({name}), true)" for name in columns)


COUNTED = "version > 0 AND updated_at >= created_at"
CHECKS = {
    "accounts": {
        "rejected_by_kind_known": f"rejected_by_kind IN {KINDS}",
        "says_something": _texts("business_name", "rejection_statement", "rejected_by_id"),
        "instants_finite": _instants("created_at", "updated_at", "rejected_at", "next_deadline"),
        "changes_counted": COUNTED,
    },
    "holds": {
        "released_by_kind_known": f"released_by_kind IN {KINDS}",
        "says_something": _texts("placed_by_id", "released_by_id"),
        "instants_finite": _instants("created_at", "updated_at", "expires_at", "released_at"),
        "changes_counted": COUNTED,
    },
    "interactions": {
        "mailed_or_shown": "num_nonnulls(attempt_at, mailed_at, dashboard_only) <= 1",
        "state_leaves_its_mark": "(state <> 'DELIVERED' OR delivered_at IS NOT NULL) "
        "AND (state <> 'VIEWED' OR viewed_at IS NOT NULL) "
        "AND (state <> 'RESPONDED' OR responded_at IS NOT NULL)",
        "e_mail_has_a_subject": "channel <> 'EMAIL' OR subject IS NOT NULL",
        "subject_is_one_line": f"coalesce(subject !~ '{NOT_IN_A_LINE}', true)",
        "says_something": _texts("subject", "body", "author_id"),
        "outbound_is_the_platforms": "direction <> 'OUTBOUND' OR author_kind <> 'ACCOUNT_USER'",
        "answers_another": "in_reply_to_id IS DISTINCT FROM id",
        "instants_finite": _instants("created_at", "updated_at", "scheduled_for", "sent_at"),
        "changes_counted": COUNTED,
    },
    "programs": {"says_something": _texts("code", "name", "title")},
    "requirements": {
        "says_something": _texts("title", "opened_by_id"),
        "assignee_has_an_id": "assignee_name IS NULL OR assignee_id IS NOT NULL",
        "deadlines_finite": _instants(
            "currently_due_at", "notice_at", "deadline", "latest_deadline"
        ),
        "steps_finite": _instants("created_at", "updated_at", "submitted_at", "closed_at"),
        "review_target_finite": _instants("review_due_at", "review_at_risk_at"),
        "rejection_finite": _instants(
            "appeal_deadline", "appealed_at", "restricts_from", "restricts_until"
        ),
        "time_to_appeal_kept": "appealed_at IS NULL "
        "OR coalesce(appealed_at < appeal_deadline, false)",
        "time_to_appeal_after_rejection": "state <> 'REJECTED' OR appealed_at IS NOT NULL "
        "OR coalesce(appeal_deadline >= closed_at, false)",
        "proposal_before_appeal": "proposed_outcome IS NULL OR state <> 'IN_REVIEW' "
        "OR appealed_at IS NULL",
        "changes_counted": COUNTED,
    },
    "resolutions": {
        "decided_by_kind_known": f"decided_by_kind IN {KINDS}",
        "appealed_by_kind_known": f"appealed_by_kind IN {KINDS}",
        "somebody_has_an_id": _texts(
            "proposed_by_id", "decided_by_id", "appealed_by_id", "appeal_decided_by_id"
        ),
        "says_something": _texts(
            *("facts", "ground", "redress", "cited_fact", "reason_code", "decline_reason"),
            *("appeal_statement", "appeal_reasons"),
        ),
        "statement_finite": _instants("created_at", "restricts_from", "restricts_until"),
        "decided_finite": _instants("decided_at", "appealed_at", "appeal_decided_at"),
        "restricts_once_decided": "coalesce(restricts_from >= decided_at, true)",
        "steps_in_order": "coalesce(appealed_at >= decided_at, true) "
        "AND coalesce(appeal_decided_at >= appealed_at, true)",
        "changes_counted": COUNTED,
    },
}


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    # Forced row security binds an owner who is no superuser, too: no row would be mended.
    op.execute("ALTER TABLE interactions NO FORCE ROW LEVEL SECURITY")
    for statement in MEND:
        op.execute(statement)
    op.execute("ALTER TABLE interactions FORCE ROW LEVEL SECURITY")
    for table, rules in CHECKS.items():
        for name, rule in rules.items():
            op.create_check_constraint(
                op.f(f"ck_{table}_{name}"), table, rule, postgresql_not_valid=True
            )
    op.create_index(
        "ux_resolutions_rejection",
        "resolutions",
        ["account_id", "requirement_id"],
        unique=True,
        postgresql_where="outcome = 'REJECTED' AND state IN ('FINAL', 'APPEALED', 'UPHELD')",
    )
