"""What can't be is refused by the database itself, whoever writes it.

Each example changes a legal row by SQL, as the owner, whom row security does not bind.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database
from models.account_rejection import (
    ReinstateAccount,
    RejectAccount,
    RejectionReason,
    reinstate,
    reject,
)
from models.clock import ManualClock
from models.program import GroundKind
from models.status import RequirementState
from models.tables import METADATA
from tests.conftest import START
from tests.factories import (
    OF_APPEAL,
    Runner,
    add_note,
    create_account,
    create_api_key,
    create_requirement,
    create_resolution,
    create_runner,
    place_hold,
    publish_program,
    refer,
    revoke_api_key,
    rotate_api_key,
)
from tests.models.illegal_rows import ILLEGAL

GENESIS = "'" + "0" * 64 + "'"
# (table, which row, what is written, the constraint that refuses it)
NEVER_REJECTED = "rejected_at IS NULL AND reinstated_at IS NULL"
TICK = "interval '1 microsecond'"
EXAMPLES = [
    ("requirements", "state = 'OPEN'", "closed_at = created_at", "closed_with_instant"),
    ("requirements", "state = 'OPEN'", "state = 'REJECTED'", "closed_with_instant"),
    ("requirements", "state = 'SATISFIED'", "closed_at = NULL", "closed_with_instant"),
    ("requirements", "state = 'WAIVED'", "state = 'OPEN'", "closed_with_instant"),
    ("requirements", "state = 'OPEN'", "remind_at = deadline", "reminded_before_deadline"),
    (
        "requirements",
        "state = 'OPEN'",
        "remind_at = created_at, deadline = NULL, notice_at = NULL",
        "reminded_before_deadline",
    ),
    ("requirements", "state = 'SUBMITTED'", "remind_at = created_at", "reminded_before_deadline"),
    ("requirements", "state = 'CANCELED'", "closed_reason = NULL", "canceled_with_reason"),
    (
        "requirements",
        "state = 'OPEN'",
        "deadline = currently_due_at - interval '1 second', notice_at = NULL",
        "deadline_after_due",
    ),
    (
        "requirements",
        "state = 'OPEN'",
        "notice_at = deadline + interval '1 second'",
        "notice_before_deadline",
    ),
    ("requirements", "state = 'OPEN'", "alternative_option = 'a'", "option_within_group"),
    ("requirements", "closed_at IS NOT NULL", "proposed_outcome = 'WAIVED'", "proposal_while_open"),
    ("resolutions", "state = 'FINAL'", "decided_at = NULL", "decided_by_somebody"),
    ("resolutions", "state = 'FINAL'", "decided_by_id = NULL", "decided_by_somebody"),
    (
        "resolutions",
        "state = 'FINAL'",
        "decided_at = NULL, decided_by_id = NULL",
        "decided_by_somebody",
    ),
    ("resolutions", "state = 'PROPOSED'", "state = 'FINAL'", "decided_by_somebody"),
    ("resolutions", "state = 'PROPOSED'", "state = 'DECLINED'", "decided_by_somebody"),
    (
        "resolutions",
        "state = 'PROPOSED'",
        "decided_at = created_at, decided_by_id = 'sam'",
        "decided_by_somebody",
    ),
    ("resolutions", "four_eyes AND state = 'FINAL'", "decided_by_id = proposed_by_id", "four_eyes"),
    (
        "resolutions",
        "four_eyes AND state = 'DECLINED'",
        "decided_by_id = proposed_by_id",
        "four_eyes",
    ),
    (
        "resolutions",
        "state = 'DECLINED'",
        "four_eyes = false, outcome = 'SATISFIED'",
        "one_pair_is_final",
    ),
    (
        "resolutions",
        "state = 'PROPOSED'",
        "four_eyes = false, outcome = 'SATISFIED'",
        "one_pair_is_final",
    ),
    (
        "resolutions",
        "outcome = 'WAIVED' AND state = 'FINAL'",
        "four_eyes = false",
        "waiver_takes_two",
    ),
    ("resolutions", "outcome = 'REJECTED'", "facts = NULL", "rejection_gives_reasons"),
    ("resolutions", "outcome = 'REJECTED'", "facts = ''", "rejection_gives_reasons"),
    ("resolutions", "outcome = 'REJECTED'", "facts = repeat('x', 5001)", "rejection_gives_reasons"),
    ("resolutions", "outcome = 'REJECTED'", "ground = NULL", "rejection_gives_reasons"),
    ("resolutions", "outcome = 'REJECTED'", "ground = ''", "rejection_gives_reasons"),
    ("resolutions", "outcome = 'REJECTED'", "ground_kind = NULL", "rejection_in_full"),
    ("resolutions", "outcome = 'REJECTED'", "source = NULL", "rejection_in_full"),
    ("resolutions", "outcome = 'REJECTED'", "redress = NULL", "rejection_in_full"),
    ("resolutions", "outcome = 'REJECTED'", "redress = ''", "rejection_in_full"),
    ("resolutions", "outcome = 'REJECTED'", "cited_fact = NULL", "rejection_rests_on_something"),
    ("resolutions", "outcome = 'REJECTED'", "cited_fact = ''", "rejection_rests_on_something"),
    (
        "resolutions",
        "outcome = 'REJECTED'",
        "cited_fact = NULL, cited_evidence = '{NULL}'",
        "rejection_rests_on_something",
    ),
    *(
        ("resolutions", "true", f"territories = '{{{places}}}'", "territories_are_alpha_2")
        for places in ("de", "DE,FRA", "DE,NULL", '"DE,FR"', '""')
    ),
    ("resolutions", "outcome = 'REJECTED'", "restricts_from = NULL", "rejection_restricts"),
    ("resolutions", "outcome = 'SATISFIED'", "restricts_from = created_at", "rejection_restricts"),
    ("resolutions", "state = 'PROPOSED'", "restricts_from = created_at", "rejection_restricts"),
    *(
        (table, condition, f"restricts_until = {until}", "restricts_for_a_time")
        for table, condition, until in (
            ("resolutions", "outcome = 'SATISFIED'", "now() + interval '1 year'"),
            ("resolutions", "restricts_from IS NOT NULL", f"restricts_from - {TICK}"),
            ("requirements", "state = 'OPEN'", "now() + interval '1 year'"),
            ("requirements", "state = 'REJECTED'", f"restricts_from - {TICK}"),
        )
    ),
    ("resolutions", "outcome = 'REJECTED'", "state = 'APPEALED'", "appealed_with_statement"),
    ("resolutions", "outcome = 'SATISFIED'", "state = 'APPEALED'", "appealed_with_statement"),
    *(
        ("resolutions", "state = 'APPEALED'", change, "appealed_with_statement")
        for change in (
            "state = 'FINAL'",
            "appealed_at = NULL",
            "appealed_by_id = NULL",
            "appealed_by_kind = NULL",
            "appeal_statement = NULL",
            "appeal_statement = ''",
            "appeal_statement = repeat('x', 5001)",
            "outcome = 'SATISFIED', restricts_from = NULL",
        )
    ),
    ("resolutions", "state = 'APPEALED'", "state = 'UPHELD'", "appeal_decided_by_reviewer"),
    *(
        ("resolutions", "state = 'UPHELD'", change, "appeal_decided_by_reviewer")
        for change in (
            "state = 'APPEALED'",
            "appeal_decided_at = NULL",
            "appeal_decided_by_id = NULL",
            "appeal_decided_by_kind = NULL",
            "appeal_decided_by_kind = 'SYSTEM'",
            "appeal_decided_by_kind = 'SERVICE'",
            "appeal_decided_by_kind = 'ACCOUNT_USER'",
            "appeal_reasons = NULL",
            "appeal_reasons = ''",
            "appeal_reasons = repeat('x', 5001)",
        )
    ),
    *(
        (
            "resolutions",
            "state = 'UPHELD'",
            f"appeal_decided_by_id = {person}_by_id, {person}_by_kind = 'REVIEWER'",
            "appeal_decided_by_another",
        )
        for person in ("proposed", "decided")
    ),
    (
        "resolutions",
        "state = 'UPHELD'",
        "appealed_by_kind = 'REVIEWER', appealed_by_id = appeal_decided_by_id",
        "appeal_not_decided_by_who_filed_it",
    ),
    ("requirements", "state = 'REJECTED'", "restricts_from = NULL", "rejection_restricts"),
    ("requirements", "state = 'OPEN'", "restricts_from = created_at", "rejection_restricts"),
    (
        "requirements",
        "state = 'IN_REVIEW' AND appealed_at IS NULL",
        "appealed_at = created_at",
        "rejection_restricts",
    ),
    (
        "requirements",
        "state = 'IN_REVIEW' AND appealed_at IS NOT NULL",
        "restricts_from = NULL",
        "rejection_restricts",
    ),
    (
        "requirements",
        "state = 'REJECTED'",
        "appeal_deadline = NULL",
        "rejection_can_be_appealed",
    ),
    *(
        (
            "requirements",
            f"state = '{state}'",
            "appealed_at = created_at",
            "appealed_while_rejected",
        )
        for state in ("OPEN", "SUBMITTED", "CANCELED")
    ),
    *(
        ("accounts", "rejected_at IS NOT NULL", change, "rejected_by_somebody")
        for change in (
            "rejected_at = NULL",
            "rejected_by_id = NULL",
            "rejected_by_kind = NULL",
            "rejection_statement = NULL",
            "rejection_statement = ''",
            "rejection_statement = repeat('x', 5001)",
        )
    ),
    *(
        ("accounts", "reinstated_at IS NOT NULL", change, "reinstated_by_somebody")
        for change in (
            "reinstated_at = NULL",
            "reinstated_by_id = NULL",
            "reinstated_by_kind = NULL",
            "reinstatement_reason = NULL",
            "reinstatement_reason = ''",
            "reinstatement_reason = repeat('x', 2001)",
            "rejected_reason = 'rejected.fraud', status = 'REJECTED', disabled_reason = 'x'",
        )
    ),
    ("accounts", "rejected_at IS NOT NULL", "reinstated_at = now()", "reinstated_by_somebody"),
    ("accounts", "rejected_at IS NULL", "rejected_at = created_at", "rejected_by_somebody"),
    ("accounts", "rejected_at IS NULL", "rejection_statement = 'x'", "rejected_by_somebody"),
    ("accounts", NEVER_REJECTED, "status = 'REJECTED'", "rejected_with_reason"),
    (
        "accounts",
        NEVER_REJECTED,
        "rejected_reason = 'rejected.fraud'",
        "rejected_with_reason",
    ),
    ("accounts", "true", "country = 'de'", "country_is_alpha_2"),
    ("accounts", "true", "country = 'DEU'", "country_is_alpha_2"),
    ("accounts", "true", "country = E'DE\\n'", "country_is_alpha_2"),
    ("accounts", "true", "event_sequence = 0", "chain_head"),
    ("accounts", "true", f"event_hash = {GENESIS}", "chain_head"),
    ("capabilities", "requested", "requested = false", "inactive_unless_requested"),
    ("capabilities", "requested", "status = 'INACTIVE'", "inactive_unless_requested"),
    ("capabilities", "NOT requested", "status = 'ACTIVE'", "inactive_unless_requested"),
    (
        "capabilities",
        "requested",
        "status = 'RESTRICTED', disabled_reason = NULL",
        "restricted_with_reason",
    ),
    (
        "capabilities",
        "requested",
        "status = 'PENDING', disabled_reason = NULL",
        "restricted_with_reason",
    ),
    ("holds", "true", "capabilities = '{}'", "restricts_something"),
    ("holds", "true", "expires_at = created_at", "expires_later"),
    ("holds", "released_at IS NULL", "released_at = created_at", "released_by_somebody"),
    ("holds", "released_at IS NULL", "released_by_id = 'rita'", "released_by_somebody"),
    ("events", "sequence = 2", "sequence = 0", "sequence_positive"),
    ("events", "sequence = 2", "sequence = -7", "sequence_positive"),
    ("events", "sequence = 2", f"previous_hash = {GENESIS}", "first_follows_nothing"),
    ("events", "sequence = 1", "previous_hash = hash", "first_follows_nothing"),
    ("events", "sequence = 1", "hash = left(hash, 63)", "hash_is_sha256"),
    ("evidence", "true", "payload = NULL, documents = '[]'", "not_empty"),
    ("interactions", "true", "state = 'SCHEDULED'", "scheduled_for_an_instant"),
    *(
        ("interactions", "true", f"state = '{state}', sent_at = NULL", "sent_with_instant")
        for state in ("SENT", "DELIVERED", "VIEWED", "RESPONDED")
    ),
    ("interactions", "true", "state = 'FAILED', sent_at = created_at", "failed_with_reason"),
    ("interactions", "true", "failure = '{}'", "failed_with_reason"),
    ("interactions", "true", "direction = 'INBOUND'", "inbound_has_arrived"),
    ("interactions", "true", "attachments = '{}'", "attachments_are_a_list"),
    ("interactions", "true", "attachments = 'null'", "attachments_are_a_list"),
    ("interactions", "true", "attempts = -1", "attempts_counted"),
    *(
        ("interactions", "true", change, "mailed_once_sent")
        for change in (
            "attempt_at = created_at",
            "mailed_at = created_at",
            "dashboard_only = 'NO_ADDRESS'",
            "state = 'SENT', sent_at = created_at, channel = 'SMS', mailed_at = created_at",
            "state = 'SENT', sent_at = created_at, direction = 'INBOUND', attempt_at = created_at",
        )
    ),
    ("programs", "state = 'PUBLISHED'", "state = 'RETIRED'", "retired_with_instant"),
    ("programs", "state = 'PUBLISHED'", "retired_at = published_at", "retired_with_instant"),
    ("programs", "state = 'PUBLISHED'", "version = 0", "version_positive"),
    *(
        ("api_keys", where, change, check)
        for where, change, check in (
            ("true", "hash = 'secret'", "hash_is_sha256"),
            ("true", "hash = upper(hash)", "hash_is_sha256"),
            ("true", "expires_at = created_at", "expires_later"),
            ("true", "last_used_at = 'infinity'", "instants_finite"),
            ("true", "name = ' '", "says_something"),
            ("true", "version = 0", "changes_counted"),
            ("state = 'ACTIVE'", "state = 'REVOKED'", "revoked_with_instant"),
            ("state = 'ACTIVE'", "revoked_at = created_at", "revoked_with_instant"),
            ("state = 'REVOKED'", "state = 'ACTIVE'", "revoked_with_instant"),
            ("state = 'REVOKED'", "revoked_by_id = NULL", "revoked_with_instant"),
            ("state = 'ROTATED'", "replaced_by = NULL", "rotated_with_successor"),
            ("state = 'ROTATED'", "expires_at = NULL", "rotated_with_successor"),
            ("state = 'ROTATED'", "state = 'ACTIVE'", "rotated_with_successor"),
            ("state = 'ROTATED'", "replaced_by = id", "rotated_with_successor"),
        )
    ),
    ("accounts", "disabled_reason IS NOT NULL", "disabled_reason = NULL", "disabled_with_reason"),
    ("accounts", "disabled_reason IS NOT NULL", "status = 'ENABLED'", "disabled_with_reason"),
    ("capabilities", "status = 'RESTRICTED'", "status = 'ACTIVE'", "restricted_with_reason"),
    ("requirements", "state = 'SUBMITTED'", "submitted_at = NULL", "submitted_with_instant"),
    ("requirements", "notice_at IS NOT NULL", "deadline = NULL", "notice_before_deadline"),
    ("resolutions", "state = 'FINAL'", "decline_reason = 'x'", "declined_with_reason"),
    ("resolutions", "state = 'FINAL'", "decided_by_kind = NULL", "decided_by_somebody"),
    (
        "holds",
        "released_at IS NULL",
        "released_at = created_at, released_by_id = 'rita'",
        "released_by_somebody",
    ),
    ("evidence", "true", "payload = 'null', documents = '[]'", "not_empty"),
    ("interactions", "true", "failure = '[]', state = 'FAILED'", "failed_with_reason"),
    ("interactions", "true", "failure_said = 'x'", "failed_in_words"),
    *(
        (
            "interactions",
            "true",
            f"failure = '{{}}', state = 'FAILED', sent_at = created_at, failure_said = {said}",
            "failed_in_words",
        )
        for said in ("''", "repeat('x', 1001)")
    ),
    (
        "requirements",
        "state = 'OPEN'",
        "latest_deadline = deadline - interval '1 second'",
        "deadline_within_limit",
    ),
    (
        "requirements",
        "state = 'OPEN'",
        "latest_deadline = deadline, deadline = NULL, notice_at = NULL",
        "deadline_within_limit",
    ),
    ("notes", "true", "text = ''", "text_of_bounded_length"),
    ("notes", "true", "text = repeat('x', 5001)", "text_of_bounded_length"),
    ("notes", "true", "author_kind = 'ACCOUNT_USER'", "written_by_staff"),
    ("programs", "true", "calendar_region = 'DE'", "calendar_is_whole"),
    ("programs", "true", "calendar_time_zone = 'UTC'", "calendar_is_whole"),
    (
        "requirements",
        "state = 'OPEN'",
        "review_due_at = created_at, review_at_risk_at = created_at",
        "review_target_runs_in_review",
    ),
    (
        "requirements",
        "state = 'SUBMITTED'",
        "review_due_at = created_at",
        "review_at_risk_before_due",
    ),
    (
        "requirements",
        "state = 'SUBMITTED'",
        "review_at_risk_at = created_at",
        "review_at_risk_before_due",
    ),
    (
        "requirements",
        "state = 'SUBMITTED'",
        "review_due_at = created_at, review_at_risk_at = created_at + interval '1 second', "
        "referred_at = NULL, referred_to = NULL",
        "review_at_risk_before_due",
    ),
    *(
        ("requirements", where, change, "review_target_rests_with_others")
        for where, change in (
            ("state = 'SUBMITTED' AND referred_at IS NULL", "review_left_seconds = 1"),
            ("state = 'OPEN'", "review_left_seconds = 1"),
            ("state = 'ACTION_REQUIRED'", "review_left_seconds = -1"),
            ("referred_at IS NOT NULL", "review_left_seconds = -1"),
        )
    ),
    (
        "requirements",
        "referred_at IS NOT NULL",
        "review_due_at = created_at, review_at_risk_at = created_at",
        "review_target_runs_in_review",
    ),
    *(
        ("requirements", where, change, "referred_to_somebody")
        for where, change in (
            ("state = 'SUBMITTED'", "referred_at = created_at, referred_to = NULL"),
            ("state = 'SUBMITTED'", "referred_to = 'Commerzbank', referred_at = NULL"),
            ("referred_at IS NOT NULL", "referred_to = ''"),
            ("referred_at IS NOT NULL", "referred_to = repeat('x', 201)"),
        )
    ),
    *(
        (
            "requirements",
            f"state = '{state}'",
            "referred_at = created_at, referred_to = 'Commerzbank'",
            "referred_in_review",
        )
        for state in ("OPEN", "ACTION_REQUIRED", "SATISFIED", "REJECTED", "WAIVED", "CANCELED")
    ),
    *(
        (
            "requirements",
            f"state = '{state}'",
            "unanswered_since = created_at",
            "unanswered_while_open",
        )
        for state in ("SATISFIED", "REJECTED", "WAIVED", "CANCELED")
    ),
    ("holds", "true", "capabilities = '{NOPE}'", "capabilities_of_known_kinds"),
    ("requirement_spans", "number = 2", "previous_number = NULL", "in_sequence"),
    ("requirement_spans", "number = 3", "previous_number = 1", "in_sequence"),
    ("requirement_spans", "number = 1", "number = 0", "in_sequence"),
    (
        "requirement_spans",
        "number = 1",
        "started_at = started_at - interval '1 second'",
        "first_from_the_opening",
    ),
    (
        "requirement_spans",
        "ended_at IS NULL",
        "ended_at = started_at - interval '1 second'",
        "ends_after_start",
    ),
    ("requirement_spans", "ended_at IS NULL", "party = 'NOBODY'", "nobody_holds_what_runs"),
    *(
        (table, "true", f"{column} = '{{PAYOUTS,NOPE}}'", f"{column}_of_known_kinds")
        for table in ("requirements", "programs")
        for column in ("restricts", "gates")
    ),
    *ILLEGAL,
]
CHECKS = sorted(
    str(constraint.name)
    for table in METADATA.tables.values()
    for constraint in table.constraints
    if isinstance(constraint, CheckConstraint)
)
NAMES = "|".join(sorted(METADATA.tables, key=len, reverse=True))
KNOWN = [re.fullmatch(rf"ck_({NAMES})_(.+)_known", name) for name in CHECKS]
LISTED = [match.groups() for match in KNOWN if match is not None]
# Where nothing is a value of its own: optional columns, and times that may be missing.
MAY_BE_UNKNOWN = {
    "ck_accounts_rejected_by_kind_known",
    "ck_accounts_rejected_reason_known",
    "ck_holds_released_by_kind_known",
    "ck_interactions_dashboard_only_known",
    "ck_programs_legal_ground_kind_known",
    "ck_requirements_proposed_outcome_known",
    "ck_requirements_deadline_after_due",
    "ck_resolutions_appealed_by_kind_known",
    "ck_resolutions_decided_by_kind_known",
    "ck_resolutions_ground_kind_known",
    "ck_resolutions_source_known",
}
UNIQUE = [
    (
        "requirements",
        "UPDATE requirements SET origin = 'stripe' WHERE state IN ('OPEN', 'SUBMITTED')",
        "ux_requirements_origin",
    ),
    (
        "resolutions",
        "INSERT INTO resolutions (id, {columns}) SELECT gen_random_uuid(), {columns} "
        "FROM resolutions WHERE state = 'PROPOSED'",
        "ux_resolutions_proposed",
    ),
    *(
        (
            "resolutions",
            "INSERT INTO resolutions (id, {columns}) SELECT gen_random_uuid(), {columns} "
            f"FROM resolutions WHERE outcome = 'REJECTED' AND state = '{state}'",
            "ux_resolutions_rejection",
        )
        for state in ("FINAL", "APPEALED", "UPHELD")
    ),
    (
        "events",
        "INSERT INTO events (id, {columns}) SELECT gen_random_uuid(), {columns} FROM events",
        "uq_events_account_id_sequence",
    ),
    (
        "programs",
        "INSERT INTO programs (id, version, {columns}) "
        "SELECT gen_random_uuid(), version + 1, {columns} FROM programs WHERE state = 'PUBLISHED'",
        "ux_programs_published",
    ),
    (
        "requirement_spans",
        "INSERT INTO requirement_spans (number, previous_number, {columns}) "
        "SELECT number + 9, number + 8, {columns} FROM requirement_spans WHERE ended_at IS NULL",
        "ux_requirement_spans_open",
    ),
]
SET_APART = {"programs": {"id", "version"}, "requirement_spans": {"number", "previous_number"}}


@pytest.fixture(scope="module")
async def furnished(database: Database) -> Runner:
    """An account with rows in every state, and a row in every table that has a check."""
    run = await create_runner(database, ManualClock(START))
    account = await create_account(run, capabilities=("PAYOUTS",), idempotency_key="k")
    ground = {"legal_ground": "Terms, 7", "legal_ground_kind": GroundKind.CONTRACTUAL}
    program = await publish_program(run, **ground)
    for state in RequirementState:
        await create_requirement(run, state, account, program)
    await refer(run, await create_requirement(run, "SUBMITTED", account, program))
    for resolution_state in ("PROPOSED", "DECLINED"):
        row = await create_requirement(run, "OPEN", account, program)
        await create_resolution(run, resolution_state, row)
    for resolution_state in OF_APPEAL:
        row = await create_requirement(run, "OPEN", account, program)
        await create_resolution(run, resolution_state, row)
    rejected = await create_account(run)
    command = RejectAccount(
        account_id=rejected.account_id, reason=RejectionReason.FRAUD, statement="It is fraud."
    )
    await run(reject, run.reviewer, command)
    back = await create_account(run)
    await run(reject, run.reviewer, replace(command, account_id=back.account_id))
    again = ReinstateAccount(account_id=back.account_id, reason="It was not.")
    await run(reinstate, run.reviewer, again)
    await place_hold(run, account)
    await add_note(run, row)
    for _ in range(2):
        key = (await create_api_key(run)).key
    await rotate_api_key(run, key)
    await revoke_api_key(run, (await create_api_key(run)).key)
    async with database.worker.begin() as connection:
        values = {"id": uuid.uuid4(), "a": account.account_id}
        for statement in INTERACTION:
            await connection.execute(text(statement), values)
    return run


INTERACTION = (
    """
    INSERT INTO interactions (account_id, platform_id, id, purpose, channel, direction, state, body,
        subject, author_kind, author_id, version, created_at, updated_at)
    SELECT account_id, platform_id, :id, 'MESSAGE', 'EMAIL', 'OUTBOUND', 'DRAFT', 'Hello', 'Hello',
        'REVIEWER', 'rita', 1, created_at, created_at FROM accounts WHERE account_id = :a""",
    """
    INSERT INTO interaction_requirements (account_id, platform_id, interaction_id, requirement_id,
        interaction_created_at)
    SELECT r.account_id, r.platform_id, :id, r.id, i.created_at
    FROM requirements r JOIN interactions i USING (account_id)
    WHERE r.account_id = :a AND i.id = :id""",
)


async def refused(
    owner: AsyncEngine, statement: str, values: Mapping[str, Any] | None = None
) -> str:
    """The name of the constraint that refuses a statement."""
    async with owner.connect() as connection:
        with pytest.raises(IntegrityError) as caught:
            await connection.execute(text(statement), values or {})
    cause: Any = caught.value.orig
    return str(cause.__cause__.constraint_name)


@pytest.mark.parametrize(("table", "where", "change", "check"), EXAMPLES)
async def test_an_illegal_state_is_refused_by_the_check_for_it(
    furnished: Runner, owner_engine: AsyncEngine, table: str, where: str, change: str, check: str
) -> None:
    statement = f"UPDATE {table} SET {change} WHERE {where}"
    assert await refused(owner_engine, statement) == f"ck_{table}_{check}"


@pytest.mark.parametrize(("table", "column"), LISTED)
async def test_a_value_that_is_not_listed_is_refused(
    furnished: Runner, owner_engine: AsyncEngine, table: str, column: str
) -> None:
    async with owner_engine.connect() as connection:
        violated = set()
        for value in ("NOPE", "", "open"):
            savepoint = await connection.begin_nested()
            statement = text(f"UPDATE {table} SET {column} = :value")
            with pytest.raises(IntegrityError) as caught:
                await connection.execute(statement, {"value": value})
            await savepoint.rollback()
            cause: Any = caught.value.orig
            violated.add(cause.__cause__.constraint_name)
    assert len(violated) == 1
    assert all(name.startswith(f"ck_{table}_") for name in violated)


def test_every_check_has_an_example() -> None:
    tried = {f"ck_{table}_{check}" for table, _, _, check in EXAMPLES}
    listed = {f"ck_{table}_{column}_known" for table, column in LISTED}
    assert sorted(tried | listed) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
async def test_no_check_passes_because_a_value_is_missing(
    furnished: Runner, owner_engine: AsyncEngine, name: str
) -> None:
    """PostgreSQL lets pass what is neither true nor false: nullable columns are tried as NULL."""
    find = """
        SELECT o.conrelid::regclass::text, pg_get_expr(o.conbin, o.conrelid),
               array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = o.conrelid
                     AND a.attnum = ANY(o.conkey) AND NOT a.attnotnull)
        FROM pg_constraint o WHERE o.conname = :name"""
    async with owner_engine.connect() as connection:
        table, expression, nullable = (await connection.execute(text(find), {"name": name})).one()
        unknown = 0
        for missing in chain.from_iterable(combinations(nullable, n) for n in range(1, 9)):
            columns = [
                f"nullif({column.name}, {column.name}) AS {column.name}"
                if column.name in missing
                else column.name
                for column in METADATA.tables[table].columns
            ]
            query = f"SELECT count(*) FILTER (WHERE ({expression}) IS NULL), count(*) FROM "
            query += f"(SELECT {', '.join(columns)} FROM {table}) AS {table}"
            found, rows = (await connection.execute(text(query.replace(":", "\\:")))).one()
            assert rows > 0
            unknown += found
    assert (unknown > 0) == (name in MAY_BE_UNKNOWN)


@pytest.mark.parametrize(("table", "statement", "index"), UNIQUE)
async def test_what_there_is_one_of_is_not_written_twice(
    furnished: Runner, owner_engine: AsyncEngine, table: str, statement: str, index: str
) -> None:
    set_apart = SET_APART.get(table, {"id"})
    columns = [
        column.name
        for column in METADATA.tables[table].columns
        if column.name not in set_apart and column.computed is None
    ]
    filled = statement.format(columns=", ".join(columns))
    assert await refused(owner_engine, filled) == index


@pytest.mark.parametrize(
    "table", [t for t in METADATA.tables.values() if "account_id" in t.c], ids=str
)
async def test_no_row_names_a_platform_that_is_not_its_accounts(
    furnished: Runner, owner_engine: AsyncEngine, table: Any
) -> None:
    other = await create_runner(furnished.database, furnished.clock)
    statement = f"UPDATE {table.name} SET platform_id = :other"
    name = await refused(owner_engine, statement, {"other": other.platform_id})
    assert name.startswith("fk_")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE interaction_requirements SET interaction_created_at = now()",
        "UPDATE interactions SET created_at = now(), updated_at = now()",
    ],
)
async def test_a_link_knows_when_its_interaction_began(
    furnished: Runner, owner_engine: AsyncEngine, statement: str
) -> None:
    name = await refused(owner_engine, statement)
    assert name == "fk_interaction_requirements_account_id_interactions"
