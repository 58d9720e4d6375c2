"""What the state machine holds against its model: every row of an account, in one statement."""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from models.actor import Actor
from models.fair_clock import Span, totals
from models.requirement_permissions import permissions
from models.resolution import permissions as permissions_of_resolution
from models.review_target import target_status as target_status_of
from models.status import awaiting
from models.status import due_status as due_status_of
from tests.models.reference import ALLOWED_FROM, DECISION_ALLOWED_FROM, Item, Model
from tests.models.reference_view import KINDS, awaited, due_status, target_status

# By table: in which order its rows are read.
ROWS = {
    "accounts": "account_id",
    "capabilities": "kind",
    "requirements": "id",
    "requirement_spans": "requirement_id, number",
    "evidence": "id",
    "notes": "id",
    "resolutions": "id",
    "holds": "id",
    "interactions": "id",
    "interaction_requirements": "interaction_id, requirement_id",
}
# Of these it is enough to know how many there are, and whether one has changed.
DIGESTS = ("account_terms", "idempotency_keys", "outbox")
EVENTS = "SELECT e FROM events e WHERE account_id = $1 AND sequence > $2 ORDER BY sequence"
SNAPSHOT = ", ".join(
    [
        *(
            f"ARRAY(SELECT t FROM {name} t WHERE account_id = $1 ORDER BY {order}) AS {name}"
            for name, order in ROWS.items()
        ),
        *(
            f"(SELECT row(count(*), md5(string_agg(t::text, '' ORDER BY t::text))) "
            f"FROM {name} t WHERE account_id = $1) AS {name}"
            for name in DIGESTS
        ),
        f"ARRAY({EVENTS}) AS events",
    ]
)
MARKS = {
    "SENT": "sent_at",
    "DELIVERED": "delivered_at",
    "VIEWED": "viewed_at",
    "RESPONDED": "responded_at",
    "FAILED": "failure",
}


async def snapshot(owner: AsyncConnection, account_id: uuid.UUID, since: int) -> dict[str, Any]:
    """All rows of an account, and its events after one, past row security."""
    driver: Any = (await owner.get_raw_connection()).driver_connection
    return dict(await driver.fetchrow(f"SELECT {SNAPSHOT}", account_id, since))


def is_untouched(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether not one column of one row has changed, and nothing has happened."""
    return not after["events"] and {**before, "events": []} == after


def compare(model: Model, found: dict[str, Any], head: str) -> None:
    """Hold an account's rows against the model; `head` is the last event's hash of before."""
    name_notices(model, found["interactions"], found["interaction_requirements"])
    _name_evidence(model, found["evidence"])
    (account,) = found["accounts"]
    now = model.view
    assert of(account, "status", "disabled_reason", "next_deadline", "next_change_at") == (
        *(now.status, now.reason, now.next_deadline, now.next_change_at),
    )
    assert of(account, "derived_at", "version", "event_sequence", "rejected_reason") == (
        *(model.derived_at, model.version, model.sequence, model.rejected),
    )
    assert of(account, "business_name", "email", "country") == (
        *(model.name, model.email, model.country),
    )
    capabilities = {
        of(row, "kind", "requested", "status", "disabled_reason", "restricts_at")
        for row in found["capabilities"]
    }
    assert capabilities == {
        (kind, kind in model.requested, *now.capabilities[kind]) for kind in KINDS
    }
    _compare_requirements(model, found)
    _compare_decisions(model, found["resolutions"])
    _compare_contacts(model, found["interactions"])
    assert {
        of(row, "id", "version", "reason", "expires_at", "released_at", lambda at: at is not None)
        for row in found["holds"]
    } == {
        (hold.id, hold.version, hold.reason, hold.expires_at, hold.released)
        for hold in model.restraints
    }
    _compare_events(model, found, head)


def name_notices(model: Model, interactions: Sequence[Any], links: Sequence[Any]) -> None:
    """Give the notices of the latest operation the ids that they have in the store.

    Of these in no order: each is found by what it asks for; the rest are all alike.
    """
    known = {contact.id for contact in model.contacts}
    about: dict[uuid.UUID, set[uuid.UUID]] = {}
    for link in links:
        about.setdefault(link["interaction_id"], set()).add(link["requirement_id"])
    new: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    for row in interactions:
        if row["id"] not in known:
            asks = row["purpose"] in ("REQUEST", "REMINDER")
            (asked,) = about[row["id"]] if asks else (None,)
            new.setdefault(asked, []).append(row["id"])
    for contact in model.contacts:
        if contact.id is None:
            contact.id, contact.touched = new[contact.asks_for].pop(), model.now
            contact.about = frozenset(about.get(contact.id, ()))
    assert not any(new.values())


def _name_evidence(model: Model, evidence: Sequence[Any]) -> None:
    """Give what was just handed in the id that it has in the store."""
    known = {own for item in model.items for own in item.evidence}
    for item in model.items:
        if None in item.evidence:
            (own,) = (row["id"] for row in evidence if row["id"] not in known)
            item.evidence[item.evidence.index(None)] = own


def of(row: Any, *columns: Any) -> tuple[Any, ...]:
    """Some columns of a row; a function takes the place of the column before it."""
    found: list[Any] = []
    for column in columns:
        found.append(row[column]) if isinstance(column, str) else found.append(column(found.pop()))
    return tuple(found)


def _compare_requirements(model: Model, found: dict[str, Any]) -> None:
    columns = (
        *("id", "program_version", "state", "version", "created_at", "currently_due_at"),
        *("notice_at", "deadline", "latest_deadline", "closed_at", "submitted_at"),
        *("assignee_id", "priority", "alternative_group", "proposed_outcome", "appeal_deadline"),
        *("appealed_at", "restricts_from", "restricts_until", "unanswered_since", "referred_to"),
        "remind_at",
        *("restricts", tuple, "gates", tuple),
        *("review_due_at", "review_at_risk_at", "review_left_seconds", "span_number"),
    )
    assert {of(row, *columns) for row in found["requirements"]} == {
        (
            *(item.id, item.terms.version, item.state, item.version, item.opened_at),
            *(item.currently_due_at, item.notice_at, item.deadline, item.latest, item.closed_at),
            *(item.submitted_at, item.assignee, item.priority, item.group),
            *(item.proposal and item.proposal.outcome, item.appeal_until, item.appealed_at),
            *(item.restricts_from, item.restricts_until, item.unanswered, item.referred),
            item.remind_at,
            *(item.terms.restricts, item.terms.gates),
            *(item.review or (None, None)),
            None if item.review_left is None else item.review_left // timedelta(seconds=1),
            len(item.ledger),
        )
        for item in model.items
    }
    spans: dict[uuid.UUID, list[Any]] = {item.id: [] for item in model.items}
    for row in found["requirement_spans"]:
        spans[row["requirement_id"]].append(of(row, "number", "party", "started_at", "ended_at"))
    for item in model.items:
        assert spans[item.id] == [(n, *span) for n, span in enumerate(item.ledger, 1)]
        _compare_times(item, [Span(*span[1:]) for span in spans[item.id]], model.now)
    assert Counter(row["requirement_id"] for row in found["evidence"]) == Counter(
        {item.id: len(item.evidence) for item in model.items}
    )
    assert Counter(row["requirement_id"] for row in found["notes"]) == Counter(
        {item.id: item.notes for item in model.items}
    )


def _compare_times(item: Item, spans: list[Span], now: datetime) -> None:
    """A life is the sum of its spans; the fair clock gives what risk took, and nothing else."""
    age = (item.closed_at or now) - item.opened_at
    assert sum(totals(spans, now).values(), timedelta()) == age
    if item.deadline is not None and item.agreed is not None:
        assert item.deadline - item.agreed == item.given_back() + item.shared


def _compare_decisions(model: Model, resolutions: Sequence[Any]) -> None:
    columns = (
        *("id", "state", "version", "outcome"),
        *("proposed_by_id", "decided_by_id", "appealed_by_id", "appeal_decided_by_id"),
        "restricts_until",
    )
    assert {of(row, *columns) for row in resolutions} == {
        (
            *(made.id, made.state, made.version, made.outcome),
            *(made.proposer, made.decider, made.appealer, made.judge, made.restricts_until),
        )
        for made in model.resolutions
    }


def _compare_contacts(model: Model, interactions: Sequence[Any]) -> None:
    columns = (
        *("id", "state", "version", "direction", "channel", "scheduled_for", "attempts"),
        *("attempt_at", "dashboard_only", "mailed_at", lambda at: at is not None),
        *("subject", lambda text: text is not None, "first_sent_at", lambda at: at is not None),
        "attempt_number",
    )
    assert {
        (*of(row, *columns), frozenset(mark for mark, column in MARKS.items() if row[column]))
        for row in interactions
    } == {
        (
            *(one.id, one.state, one.version, "OUTBOUND" if one.outbound else "INBOUND"),
            *(one.channel, one.due, one.attempts, one.attempt_at, one.dashboard_only),
            *(one.mailed, one.subject is not None, one.shown, one.number),
            frozenset(one.marks),
        )
        for one in model.contacts
    }


def _compare_events(model: Model, found: dict[str, Any], head: str) -> None:
    """What has happened just now, at this instant, in one chain with what was before."""
    events = found["events"]
    assert Counter(event["type"] for event in events) == model.latest
    first = model.sequence - len(events) + 1
    for sequence, event in enumerate(events, first):
        assert of(event, "sequence", "at", "previous_hash") == (sequence, model.now, head)
        head = event["hash"]
    assert found["accounts"][0]["event_hash"] == head
    assert found["outbox"][0] == model.sequence


def compare_views(model: Model, found: dict[str, Any], by: str, actor: Actor) -> None:
    """What readers are told at this instant: due status, who is awaited, what somebody may do."""
    rows = {row["id"]: SimpleNamespace(**row) for row in found["requirements"]}
    for item in model.items:
        row, now = rows[item.id], model.now
        due = due_status_of(row.state, row.currently_due_at, row.deadline, now)
        assert due == due_status(item, now)
        assert (awaiting(row.state, row.unanswered_since) or "NOBODY") == awaited(item)
        target = (row.review_due_at, row.review_at_risk_at, row.review_left_seconds)
        assert target_status_of(*target, now) == target_status(item, now)
        assert {
            one.action: {refusal.code for refusal in one.refusals}
            for one in permissions(row, actor, now)
        } == {action: item.refusals(action, by, now) for action in ALLOWED_FROM}
    for row in (SimpleNamespace(**row) for row in found["resolutions"]):
        made = next(made for made in model.resolutions if made.id == row.id)
        assert {
            one.action: {refusal.code for refusal in one.refusals}
            for one in permissions_of_resolution(row, actor)
        } == {action: made.refusals(action, by) for action in DECISION_ALLOWED_FROM}
