"""What follows from the facts of an account at one instant, as plainly as the design says it.

The reference model's half that has no memory. It shares no code with `models/`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.models.reference import Item, Model

KINDS = ("CARD_PAYMENTS", "PAYOUTS", "TRANSFERS")
WITH_ACCOUNT = {"OPEN", "ACTION_REQUIRED"}
WITH_RISK = {"SUBMITTED", "IN_REVIEW"}
OPEN = WITH_ACCOUNT | WITH_RISK
HOLD_SAYS = {
    "PLATFORM_PAUSED": "platform_paused",
    "LISTED": "listed",
    "OTHER": "other",
    "UNDER_REVIEW": "under_review",
}
STRONGEST_FIRST = (
    "platform_paused",
    "listed",
    "requirements.past_due",
    "other",
    "under_review",
)


@dataclass
class View:
    """What follows from the facts at one instant."""

    status: str
    reason: str | None
    capabilities: dict[str, tuple[str, str | None, datetime | None]]
    next_deadline: datetime | None
    next_change_at: datetime | None


def view(model: "Model", now: datetime) -> View:
    """The whole of what the design says about status, as plainly as it goes."""
    capabilities = {kind: _capability(model, kind, now) for kind in KINDS}
    status, reason = _status(model, capabilities, now)
    waiting = [item for item in model.items if item.state in WITH_ACCOUNT]
    marks = [m for i in waiting for m in (i.currently_due_at, i.notice_at, i.deadline)]
    refused = [item for item in model.items if item.refused]
    marks += [m for item in refused for m in (item.restricts_from, item.restricts_until)]
    marks += [hold.expires_at for hold in model.restraints if not hold.released]
    # These stay until somebody was reminded; nobody is while the account is rejected, nor of what
    # an alternative stands for.
    told = [item for item in waiting if model.rejected is None and not model.stood_in_for(item)]
    reminders = [item.remind_at for item in told]
    return View(
        status,
        reason,
        capabilities,
        _first(item.deadline for item in waiting if not model.stood_in_for(item)),
        _first([*(mark for mark in marks if mark is not None and mark > now), *reminders]),
    )


def _capability(
    model: "Model", kind: str, now: datetime
) -> tuple[str, str | None, datetime | None]:
    if kind not in model.requested:
        return "INACTIVE", None, None
    if model.rejected is not None:
        return "RESTRICTED", model.rejected, None
    said = set()
    for hold in model.restraints:
        over = hold.released or (hold.expires_at is not None and now >= hold.expires_at)
        if kind in hold.capabilities and not over:
            said.add(HOLD_SAYS[hold.reason])
    restricting = [item for item in model.items if kind in item.terms.restricts]
    gated = [item for item in model.items if kind in item.terms.gates and not _over(item, now)]
    refused = [item for item in (*restricting, *gated) if item.refused and not _over(item, now)]
    ends = [item.restricts_from for item in refused if item.restricts_from is not None]
    if any(now >= end for end in ends):
        return "RESTRICTED", "rejected.other", None
    waiting = [i for i in restricting if i.state in WITH_ACCOUNT and i.deadline is not None]
    waiting = [item for item in waiting if not model.stood_in_for(item)]
    if any(item.deadline is not None and now >= item.deadline for item in waiting):
        said.add("requirements.past_due")
    if said:
        return "RESTRICTED", min(said, key=STRONGEST_FIRST.index), None
    soonest = _first([*(item.deadline for item in waiting), *ends])
    gates = [item for item in gated if item.state in OPEN | {"REJECTED"}]
    gating = {"IN_REVIEW" if model.stood_in_for(item) else item.state for item in gates}
    if gating - WITH_RISK:
        return "PENDING", "requirements.fields_needed", soonest
    if gating:
        return "PENDING", "requirements.pending_verification", soonest
    return "ACTIVE", None, soonest


def _status(
    model: "Model",
    capabilities: dict[str, tuple[str, str | None, datetime | None]],
    now: datetime,
) -> tuple[str, str | None]:
    if model.rejected is not None:
        return "REJECTED", model.rejected
    restricted = {reason for status, reason, _ in capabilities.values() if status == "RESTRICTED"}
    if "rejected.other" in restricted:
        return "RESTRICTED", "rejected.other"
    if restricted - {"under_review"}:
        return "RESTRICTED", min(map(str, restricted), key=STRONGEST_FIRST.index)
    if restricted:
        return "UNDER_REVIEW", "under_review"
    verifying = "requirements.pending_verification"
    if verifying in {reason for _, reason, _ in capabilities.values()}:
        return "UNDER_REVIEW", verifying
    for item in model.items:
        noticed = item.notice_at is not None and now >= item.notice_at
        noticed = noticed and not model.stood_in_for(item)
        if item.state in WITH_ACCOUNT and noticed and model.requested & set(item.terms.restricts):
            return "RESTRICTED_SOON", None
        touched = {*item.terms.restricts, *item.terms.gates}
        if item.refused and not _over(item, now) and model.requested & touched:
            return "RESTRICTED_SOON", None
    return "ENABLED", None


def _over(item: "Item", now: datetime) -> bool:
    """Whether a rejection has restricted for as long as it was to."""
    return item.refused and not item.stands(now)


def _first(marks: Iterable[datetime | None]) -> datetime | None:
    return min((mark for mark in marks if mark is not None), default=None)


def due_status(item: "Item", now: datetime) -> str:
    """How a requirement stands to the clock."""
    if item.state in WITH_RISK:
        return "PENDING_VERIFICATION"
    if item.state not in WITH_ACCOUNT:
        return "NONE"
    if item.deadline is not None and now >= item.deadline:
        return "PAST_DUE"
    return "CURRENTLY_DUE" if now >= item.currently_due_at else "EVENTUALLY_DUE"


def holder(item: "Item") -> str:
    """Who has to make the next move."""
    if item.state in WITH_ACCOUNT:
        return "ACCOUNT"
    if item.state not in WITH_RISK:
        return "NOBODY"
    return "RISK" if item.referred is None else "THIRD_PARTY"


def awaited(item: "Item") -> str:
    """Who has to move next: risk where a message waits for an answer, or for somebody else."""
    party = holder(item)
    waits = party == "THIRD_PARTY" or (party == "ACCOUNT" and item.unanswered is not None)
    return "RISK" if waits else party


def target_status(item: "Item", now: datetime) -> str | None:
    """How the promise to review stands, if there is one."""
    if item.review_left is not None:
        return "PAUSED"
    if item.review is None:
        return None
    due, at_risk = item.review
    if now >= due:
        return "BREACHED"
    return "AT_RISK" if now >= at_risk else "ON_TRACK"
