"""What each role may make of a row, as far as a row can say it.

The role of account users hands in what is asked, appeals once and in time, and answers; it decides
nothing, ends nobody else's span and speaks in no other name. It sees the links and the idempotency
keys of what it sees. What has ended stays as it is for all roles, and so does an account's own id.
"""

from dataclasses import dataclass

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

USER = "recourse_account_user"
SERVICE = "recourse_staff, recourse_worker"


@dataclass(frozen=True)
class Narrower:
    """A policy beside the permissive one: `using` is asked of a row before, `check` of it after."""

    table: str
    name: str
    command: str
    role: str
    using: str | None = None
    check: str | None = None


NARROWER = (
    Narrower(
        "requirements",
        "account_user_submits_or_appeals",
        "UPDATE",
        USER,
        "state IN ('OPEN', 'ACTION_REQUIRED') OR (state = 'REJECTED' AND appealed_at IS NULL)",
        "closed_at IS NULL AND (state = 'SUBMITTED' "
        "OR (state = 'IN_REVIEW' AND appealed_at < appeal_deadline))",
    ),
    Narrower(
        "resolutions",
        "account_user_appeals",
        "UPDATE",
        USER,
        "state = 'FINAL'",
        "state = 'APPEALED' AND appealed_by_kind = 'ACCOUNT_USER'",
    ),
    Narrower(
        "interactions",
        "account_user_answers",
        "UPDATE",
        USER,
        "state IN ('SENT', 'DELIVERED', 'VIEWED')",
        "state = 'RESPONDED'",
    ),
    Narrower(
        "requirement_spans",
        "account_user_hands_over",
        "UPDATE",
        USER,
        "ended_at IS NULL AND party = 'ACCOUNT'",
        "ended_at IS NOT NULL",
    ),
    Narrower(
        "requirement_spans",
        "account_user_hands_to_risk",
        "INSERT",
        USER,
        check="party IN ('RISK', 'NOBODY')",
    ),
    Narrower(
        "evidence",
        "account_user_writes",
        "INSERT",
        USER,
        check="submitted_by_kind = 'ACCOUNT_USER'",
    ),
    # The clock catches up under whoever comes by.
    Narrower(
        "events",
        "account_user_writes",
        "INSERT",
        USER,
        check="actor_kind IN ('ACCOUNT_USER', 'SYSTEM')",
    ),
    Narrower(
        "idempotency_keys",
        "account_user_writes",
        "INSERT",
        USER,
        check="starts_with(caller, 'ACCOUNT_USER:')",
    ),
    Narrower(
        "idempotency_keys",
        "account_user_reads",
        "SELECT",
        USER,
        "starts_with(caller, 'ACCOUNT_USER:')",
    ),
    Narrower(
        "requirements",
        "what_has_ended_stays",
        "UPDATE",
        SERVICE,
        "state <> 'CANCELED'",
        "true",
    ),
    Narrower(
        "resolutions",
        "what_has_ended_stays",
        "UPDATE",
        SERVICE,
        "state NOT IN ('DECLINED', 'OVERTURNED')",
        "true",
    ),
    Narrower(
        "interactions",
        "what_has_ended_stays",
        "UPDATE",
        SERVICE,
        "state <> 'CANCELED'",
        "true",
    ),
)
# The keys of its rows hang on the account's id, which is made of the platform's own.
OTHER_COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'accounts'::regclass AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' AND attname <> 'external_id'
"""


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    for one in NARROWER:
        using = "" if one.using is None else f" USING ({one.using})"
        check = "" if one.check is None else f" WITH CHECK ({one.check})"
        op.execute(
            f"CREATE POLICY {one.name} ON {one.table} AS RESTRICTIVE FOR {one.command} "
            f"TO {one.role}{using}{check}"
        )
    columns = op.get_bind().execute(text(OTHER_COLUMNS)).scalar_one()
    op.execute(f"REVOKE UPDATE ON accounts FROM {SERVICE}")
    op.execute(f"GRANT UPDATE ({columns}) ON accounts TO {SERVICE}")
