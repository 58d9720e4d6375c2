"""An account in memory, written from the design alone: what the state machine compares with.

It shares no code with `models/`. Names and rules are spelled out a second time on purpose.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.models.correspondence_rules import Contact

KINDS = ("CARD_PAYMENTS", "PAYOUTS", "TRANSFERS")
WITH_ACCOUNT = {"OPEN", "ACTION_REQUIRED"}
WITH_RISK = {"SUBMITTED", "IN_REVIEW"}
OPEN = WITH_ACCOUNT | WITH_RISK
ALLOWED_FROM = {
    "SUBMIT": WITH_ACCOUNT,
    "START_REVIEW": {"SUBMITTED"},
    "APPROVE": WITH_RISK,
    "REQUEST_CHANGES": WITH_RISK,
    "REJECT": WITH_RISK,
    "APPEAL": {"REJECTED"},
    "WAIVE": OPEN,
    "CANCEL": OPEN,
    "EXTEND": OPEN,
    "ASSIGN": OPEN,
    "REOPEN": {"SATISFIED", "WAIVED"},
}
ACTION_TO = {"SATISFIED": "APPROVE", "REJECTED": "REJECT", "WAIVED": "WAIVE"}
EVENT_OF = {
    "SATISFIED": "REQUIREMENT_APPROVED",
    "REJECTED": "REQUIREMENT_REJECTED",
    "WAIVED": "REQUIREMENT_WAIVED",
}
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


@dataclass(frozen=True)
class Terms:
    """What a program asks for, as the machine publishes it."""

    code: str
    due_after: timedelta | None = None
    deadline_after: timedelta | None = None
    notice_period: timedelta | None = None
    restricts: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    four_eyes: bool = False
    appeal_within: timedelta = timedelta(days=30)
    termination_notice: timedelta = timedelta()
    pauses_deadline: bool = True
    review_within: timedelta | None = None
    max_extension: timedelta | None = None


@dataclass
class Proposal:
    """A decision that was proposed, and what became of it."""

    id: uuid.UUID
    outcome: str
    proposer: str
    decider: str | None = None
    state: str = "PROPOSED"
    version: int = 1


@dataclass
class Item:
    """One requirement."""

    id: uuid.UUID
    terms: Terms
    opener: str
    currently_due_at: datetime
    deadline: datetime | None
    group: str | None
    state: str = "OPEN"
    version: int = 1
    closed_at: datetime | None = None
    proposal: Proposal | None = None
    rejection: Proposal | None = None
    appeal_until: datetime | None = None
    appealed: bool = False
    restricts_from: datetime | None = None

    @property
    def in_appeal(self) -> bool:
        return self.appealed and self.state == "IN_REVIEW"

    @property
    def refused(self) -> bool:
        """A rejection stands, appealed or not."""
        return self.state == "REJECTED" or self.in_appeal

    submitted_at: datetime | None = None
    # As late as an extension may make it.
    latest: datetime | None = None
    # While it runs the two instants, while it rests what is left.
    review: tuple[datetime, datetime] | None = None
    review_left: timedelta | None = None
    spans: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)

    @property
    def ledger(self) -> list[tuple[str, datetime, datetime | None]]:
        """Who has held it, without what lies after its end."""
        return [span for span in self.spans if span[0] != "NOBODY" or span[2] is not None]

    def limit(self) -> None:
        """Extensions count from the deadline that it has now."""
        most = self.terms.max_extension
        self.latest = None if most is None or self.deadline is None else self.deadline + most

    def submit(self, now: datetime) -> None:
        """Begin or take up again what the platform promises."""
        self.submitted_at = now
        self.promise(now)

    def promise(self, now: datetime) -> None:
        """Begin what the platform promises, or go on with what is left of it."""
        whole = self.terms.review_within
        if whole is not None:
            left = whole if self.review_left is None else self.review_left
            self.review, self.review_left = (now + left, now + left - whole / 4), None
            if left < whole / 4:
                self.review = (now + left, now)

    def pause_review(self, now: datetime) -> None:
        """Keep what is left of it, if anything."""
        if self.review is not None:
            self.review_left = max(self.review[0] - now, timedelta())
        self.review = None

    def note_holder(self, now: datetime) -> None:
        """Keep the ledger, after whatever has happened."""
        holder = "ACCOUNT" if self.state in WITH_ACCOUNT else "NOBODY"
        holder = "RISK" if self.state in WITH_RISK else holder
        if holder == "NOBODY":
            self.review = self.review_left = None
        if self.spans and self.spans[-1][0] == holder:
            return
        if self.spans:
            self.spans[-1] = (*self.spans[-1][:2], now)
        self.spans.append((holder, now, None))

    def give_back(self, now: datetime) -> bool:
        """Move on by what risk took; whether there was anything to move."""
        assert self.submitted_at is not None
        took = now - self.submitted_at
        ahead = self.currently_due_at > self.submitted_at
        if not self.terms.pauses_deadline or not took or not (ahead or self.deadline):
            return False
        self.deadline = None if self.deadline is None else self.deadline + took
        self.latest = None if self.latest is None else self.latest + took
        self.currently_due_at += took if ahead else timedelta()
        return True

    @property
    def notice_at(self) -> datetime | None:
        period = self.terms.notice_period
        return None if period is None or self.deadline is None else self.deadline - period


@dataclass
class Restraint:
    """One hold."""

    id: uuid.UUID
    capabilities: tuple[str, ...]
    reason: str
    expires_at: datetime | None
    released: bool = False
    version: int = 1


@dataclass
class View:
    """What follows from the facts at one instant."""

    status: str
    reason: str | None
    capabilities: dict[str, tuple[str, str | None, datetime | None]]
    next_deadline: datetime | None
    next_change_at: datetime | None


@dataclass
class Model:
    """One account with all that is known of it, and the events of the latest step."""

    id: uuid.UUID
    external_id: str
    name: str
    requested: set[str]
    derived_at: datetime
    view: View
    version: int = 1
    items: list[Item] = field(default_factory=list)
    restraints: list[Restraint] = field(default_factory=list)
    resolutions: list[Proposal] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    sequence: int = 1
    latest: Counter[str] = field(default_factory=Counter)
    rejected: str | None = None

    def draft(self, now: datetime) -> "Model":
        """A copy that time has caught up with, for a step that may yet be refused."""
        copy = deepcopy(self)
        copy.latest = Counter()
        copy.catch_up(now)
        return copy

    def say(self, *types: str) -> None:
        """Note events."""
        self.latest.update(types)
        self.sequence += len(types)

    def catch_up(self, now: datetime) -> None:
        """What the clock alone does, once the noted instant has come."""
        if self.view.next_change_at is None or self.view.next_change_at > now:
            return
        for item in self.items:
            if item.state in WITH_ACCOUNT:
                if self._crossed(item.currently_due_at, now):
                    self.say("REQUIREMENT_CURRENTLY_DUE")
                if self._crossed(item.deadline, now):
                    self.say("REQUIREMENT_PAST_DUE")
        for restraint in self.restraints:
            if not restraint.released and self._crossed(restraint.expires_at, now):
                self.say("HOLD_EXPIRED")
        self.settle(now)

    def settle(self, now: datetime) -> None:
        """Derive the status, and note what it changes."""
        for item in self.items:
            item.note_holder(now)
        before, self.view = self.view, view(self, now)
        self.derived_at = now
        for kind in KINDS:
            if before.capabilities[kind][:2] != self.view.capabilities[kind][:2]:
                self.say("CAPABILITY_STATUS_CHANGED")
        if (before.status, before.reason) != (self.view.status, self.view.reason):
            self.version += 1
            self.say("ACCOUNT_STATUS_CHANGED")

    def finish(self, item: Item, made: Proposal, now: datetime) -> None:
        """What a final decision does."""
        self._close(item, made.outcome, EVENT_OF[made.outcome], now)
        if made.outcome == "REJECTED":
            item.rejection, item.appeal_until = made, now + item.terms.appeal_within
            item.restricts_from = now + item.terms.termination_notice
        else:
            self._end_others(item, now)

    def judge(self, item: Item, made: Proposal, uphold: bool, now: datetime) -> None:
        """What a decision on an appeal does."""
        made.state = "UPHELD" if uphold else "OVERTURNED"
        made.version += 1
        self.say(f"RESOLUTION_{made.state}")
        state = "REJECTED" if uphold else "SATISFIED"
        self._close(item, state, EVENT_OF[state], now)
        if not uphold:
            self._end_others(item, now)

    def _end_others(self, item: Item, now: datetime) -> None:
        for other in self.items:
            same = item.group is not None and other.group == item.group
            if same and other is not item and other.state in OPEN and not other.refused:
                self.cancel(other, now)

    def cancel(self, item: Item, now: datetime) -> None:
        """End a requirement without a decision."""
        self._close(item, "CANCELED", "REQUIREMENT_CANCELED", now)
        self.drop_overtaken(item)

    def drop_overtaken(self, item: Item) -> None:
        """Decline the proposal that the new state has no arrow for."""
        proposal = item.proposal
        if proposal is not None and item.state not in ALLOWED_FROM[ACTION_TO[proposal.outcome]]:
            self.decline(item, proposal)

    def decline(self, item: Item, proposal: Proposal) -> None:
        """Turn a proposal down."""
        proposal.state = "DECLINED"
        proposal.version += 1
        item.proposal = None
        item.version += 1
        self.say("RESOLUTION_DECLINED")

    def _close(self, item: Item, state: str, event: str, now: datetime) -> None:
        item.state, item.closed_at = state, now
        item.version += 1
        self.say(event)

    def _crossed(self, mark: datetime | None, now: datetime) -> bool:
        return mark is not None and self.derived_at < mark <= now


def view(model: Model, now: datetime) -> View:
    """The whole of what the design says about status, as plainly as it goes."""
    capabilities = {kind: _capability(model, kind, now) for kind in KINDS}
    status, reason = _status(model, capabilities, now)
    waiting = [item for item in model.items if item.state in WITH_ACCOUNT]
    marks = [m for i in waiting for m in (i.currently_due_at, i.notice_at, i.deadline)]
    marks += [item.restricts_from for item in model.items if item.refused]
    marks += [hold.expires_at for hold in model.restraints if not hold.released]
    return View(
        status,
        reason,
        capabilities,
        _first(item.deadline for item in waiting),
        _first(mark for mark in marks if mark is not None and mark > now),
    )


def _capability(model: Model, kind: str, now: datetime) -> tuple[str, str | None, datetime | None]:
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
    gated = [item for item in model.items if kind in item.terms.gates]
    refused = [item for item in (*restricting, *gated) if item.refused]
    ends = [item.restricts_from for item in refused if item.restricts_from is not None]
    if any(now >= end for end in ends):
        return "RESTRICTED", "rejected.other", None
    waiting = [i for i in restricting if i.state in WITH_ACCOUNT and i.deadline is not None]
    if any(item.deadline is not None and now >= item.deadline for item in waiting):
        said.add("requirements.past_due")
    if said:
        return "RESTRICTED", min(said, key=STRONGEST_FIRST.index), None
    soonest = _first([*(item.deadline for item in waiting), *ends])
    gating = {i.state for i in gated if i.state in OPEN | {"REJECTED"}}
    if gating - WITH_RISK:
        return "PENDING", "requirements.fields_needed", soonest
    if gating:
        return "PENDING", "requirements.pending_verification", soonest
    return "ACTIVE", None, soonest


def _status(
    model: Model,
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
        if item.state in WITH_ACCOUNT and noticed and model.requested & set(item.terms.restricts):
            return "RESTRICTED_SOON", None
        touched = {*item.terms.restricts, *item.terms.gates}
        if item.refused and model.requested & touched:
            return "RESTRICTED_SOON", None
    return "ENABLED", None


def _first(marks: Iterable[datetime | None]) -> datetime | None:
    return min((mark for mark in marks if mark is not None), default=None)
