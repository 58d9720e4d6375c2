"""An account in memory, written from the design alone: what the state machine compares with.

It shares no code with `models/`. Names and rules are spelled out a second time on purpose. What
follows from the facts at one instant is in `reference_view.py`.
"""

import pickle
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.models.reference_contacts import Contact, tell
from tests.models.reference_time import Place, Span
from tests.models.reference_view import (
    KINDS,
    OPEN,
    WITH_ACCOUNT,
    WITH_RISK,
    View,
    holder,
    view,
)

ALLOWED_FROM = {
    "SUBMIT": WITH_ACCOUNT,
    "START_REVIEW": {"SUBMITTED"},
    "REFER": WITH_RISK,
    "RECALL": WITH_RISK,
    "APPROVE": WITH_RISK,
    "REQUEST_CHANGES": WITH_RISK,
    "REJECT": WITH_RISK,
    "APPEAL": {"REJECTED"},
    "WAIVE": OPEN,
    "CANCEL": OPEN,
    "EXTEND": OPEN,
    "ASSIGN": OPEN,
    "PRIORITIZE": OPEN,
    "REOPEN": {"SATISFIED", "WAIVED"},
}
DURING_APPEAL = ("ASSIGN", "PRIORITIZE", "REFER", "RECALL")
ACTION_TO = {"SATISFIED": "APPROVE", "REJECTED": "REJECT", "WAIVED": "WAIVE"}
EVENT_OF = {
    "SATISFIED": "REQUIREMENT_APPROVED",
    "REJECTED": "REQUIREMENT_REJECTED",
    "WAIVED": "REQUIREMENT_WAIVED",
}
REVIEWERS = {"ada", "rita", "sam", "newbie"}
MAY = {
    **dict.fromkeys(ALLOWED_FROM, REVIEWERS),
    "SUBMIT": REVIEWERS | {"uma"},
    "APPEAL": REVIEWERS | {"uma"},
    "CANCEL": {"ada", "risk-engine"},
    "WAIVE": REVIEWERS - {"newbie"},
}
DECISION_ALLOWED_FROM = {
    "APPROVE": "PROPOSED",
    "DECLINE": "PROPOSED",
    "UPHOLD": "APPEALED",
    "OVERTURN": "APPEALED",
}
HALF_A_YEAR = Span(months=6)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Terms:
    """What one version of a program asks for, as the machine publishes it."""

    code: str
    version: int = 1
    due_after: Span | None = None
    deadline_after: Span | None = None
    notice_period: Span | None = None
    restricts: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    four_eyes: bool = False
    appeal_within: Span | None = None
    termination_notice: Span | None = None
    pauses_deadline: bool = True
    review_within: Span | None = None
    place: Place | None = None
    max_extension: Span | None = None
    reminders: tuple[Span, ...] = ()
    # The only reasons of decisions that it knows; none means any.
    reasons: tuple[str, ...] = ()
    # The integrator whose it is, as far as it is one of the machine's.
    owner: str = ""

    def restricts_from(self, now: datetime) -> datetime:
        """From when a rejection of now restricts."""
        return (self.termination_notice or Span()).after(now)

    def is_over_at_once(self, until: datetime | None, now: datetime) -> bool:
        """Whether what a rejection restricts would end before it begins."""
        return until is not None and until <= self.restricts_from(now)


@dataclass
class Proposal:
    """A decision that was proposed, and what became of it."""

    id: uuid.UUID
    outcome: str
    proposer: str
    decider: str | None = None
    appealer: str | None = None
    judge: str | None = None
    # Until when a rejection is to restrict.
    restricts_until: datetime | None = None
    state: str = "PROPOSED"
    version: int = 1

    def refusals(self, action: str, by: str) -> set[str]:
        """Why somebody can't do something with it, whatever they say with it."""
        found = set() if by in REVIEWERS else {"FORBIDDEN"}
        if self.state != DECISION_ALLOWED_FROM[action]:
            found |= {"ILLEGAL_TRANSITION"}
        if action == "APPROVE" and self.outcome == "WAIVED" and by not in MAY["WAIVE"]:
            found |= {"FORBIDDEN"}
        of_appeal = action in ("UPHOLD", "OVERTURN")
        took_part = (self.proposer, *((self.decider, self.appealer) if of_appeal else ()))
        # Account users may not decide anyway, and learn nothing of who did.
        if by != "uma" and by in took_part:
            found |= {"FOUR_EYES"}
        return found


@dataclass
class Item:
    """One requirement."""

    id: uuid.UUID
    terms: Terms
    opener: str
    opened_at: datetime
    currently_due_at: datetime
    deadline: datetime | None
    group: str | None
    priority: str
    state: str = "OPEN"
    version: int = 1
    closed_at: datetime | None = None
    assignee: str | None = None
    # None for what was just handed in, until it has been seen in the store.
    evidence: list[uuid.UUID | None] = field(default_factory=list)
    notes: int = 0
    proposal: Proposal | None = None
    rejection: Proposal | None = None
    appeal_until: datetime | None = None
    appealed_at: datetime | None = None
    restricts_from: datetime | None = None
    restricts_until: datetime | None = None
    submitted_at: datetime | None = None
    # When its user is to be told of it once more.
    remind_at: datetime | None = None
    # What is asked for and it restricts, as far as its user was told.
    restricts_now: set[str] = field(default_factory=set)
    # As late as an extension may make it.
    latest: datetime | None = None
    # The deadline as people have set it: what the fair clock gives comes on top.
    agreed: datetime | None = None
    # What it gives of that for the turns of alternatives.
    shared: timedelta = timedelta()
    # When it waited though an alternative was with risk, as far as that was not given yet.
    idle: list[tuple[datetime, datetime]] = field(default_factory=list)
    # While it runs the two instants, while it rests what is left.
    review: tuple[datetime, datetime] | None = None
    review_left: timedelta | None = None
    spans: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)
    # Since when a message waits for an answer, and the state that it was last seen in.
    unanswered: datetime | None = None
    seen: str = "OPEN"
    # Whom else risk waits for.
    referred: str | None = None

    def be_asked(self, now: datetime) -> None:
        """A message came about it: the first that waits counts."""
        if self.state in OPEN and self.unanswered is None:
            self.unanswered = now
            self.version += 1

    @property
    def in_appeal(self) -> bool:
        return self.appealed_at is not None and self.state == "IN_REVIEW"

    @property
    def refused(self) -> bool:
        """A rejection stands, appealed or not."""
        return self.state == "REJECTED" or self.in_appeal

    def stands(self, now: datetime) -> bool:
        """A rejection restricts, or will: neither its end nor an alternative has come."""
        ends = self.restricts_until
        return self.refused and (ends is None or ends > max(now, self.restricts_from or now))

    @property
    def ledger(self) -> list[tuple[str, datetime, datetime | None]]:
        """Who has held it, without what lies after its end."""
        return [span for span in self.spans if span[0] != "NOBODY" or span[2] is not None]

    @property
    def notice_at(self) -> datetime | None:
        period = self.terms.notice_period
        return None if period is None or self.deadline is None else period.before(self.deadline)

    def refusals(self, action: str, by: str, now: datetime) -> set[str]:
        """Why an action can't be taken by somebody now, whatever they say with it."""
        found = set() if by in MAY[action] else {"FORBIDDEN"}
        if self.state not in ALLOWED_FROM[action]:
            found |= {"ILLEGAL_TRANSITION"}
        elif self.in_appeal and action not in DURING_APPEAL:
            found |= {"APPEAL_PENDING"}
        elif action == "REFER" and self.referred is not None:
            found |= {"ALREADY_REFERRED"}
        elif action == "RECALL" and self.referred is None:
            found |= {"NOT_REFERRED"}
        elif action == "APPEAL" and self.appealed_at is not None:
            found |= {"ALREADY_APPEALED"}
        elif action == "APPEAL" and self.appeal_until is not None and self.appeal_until <= now:
            found |= {"APPEAL_WINDOW_CLOSED"}
        if action == "CANCEL" and by == "risk-engine" != self.opener:
            found |= {"FORBIDDEN"}
        if action == "EXTEND" and self.deadline is None:
            found |= {"INVALID_INPUT"}
        elif action == "EXTEND" and self.deadline is not None and self.latest is not None:
            found |= {"EXTENSION_LIMIT"} if self.latest <= max(self.deadline, now) else set()
        if action in ACTION_TO.values() and self.proposal is not None and by != "uma":
            found |= {"PROPOSAL_PENDING"}
        return found

    def agree(self, deadline: datetime | None) -> None:
        """Take a first or another deadline, from which extensions count."""
        most = self.terms.max_extension
        self.deadline, self.agreed, self.shared = deadline, deadline, timedelta()
        self.idle = []
        self.latest = None if most is None or deadline is None else most.after(deadline)
        if deadline is not None:
            self.currently_due_at = min(self.currently_due_at, deadline)

    def plan_reminder(self, now: datetime) -> None:
        """Note the next of the instants before the deadline that the program names."""
        deadline = self.deadline
        spans = () if deadline is None else self.terms.reminders
        marks = [span.before(deadline) for span in spans if deadline is not None]
        self.remind_at = min((mark for mark in marks if mark > now), default=None)

    def promise(self, now: datetime) -> None:
        """Begin what the platform promises, or go on with what is left of it."""
        if self.terms.review_within is None:
            return
        whole = self.terms.review_within.after(now) - now
        left = whole if self.review_left is None else self.review_left
        self.review, self.review_left = (self._worked(now, left), now), None
        if left >= whole / 4:
            self.review = (self.review[0], self._worked(now, left - whole / 4))

    def pause_review(self, now: datetime) -> None:
        """Keep what is left of it in whole seconds, if anything."""
        if self.review is not None:
            place, due = self.terms.place, self.review[0]
            left = max(due - now, timedelta()) if place is None else place.passed(now, due)
            self.review_left = left // SECOND * SECOND
        self.review = None

    def _worked(self, now: datetime, span: timedelta) -> datetime:
        place = self.terms.place
        return now + span if place is None else place.after(now, span)

    def note_holder(self, now: datetime) -> None:
        """Keep the ledger, after whatever has happened."""
        if self.state != self.seen:
            self.unanswered, self.seen = None, self.state
        if self.state not in WITH_RISK:
            self.referred = None
        party = holder(self)
        if party != "ACCOUNT":
            self.remind_at = None
        if party == "NOBODY":
            self.review = self.review_left = None
        if self.spans and self.spans[-1][0] == party:
            return
        if self.spans:
            self.spans[-1] = (*self.spans[-1][:2], now)
        self.spans.append((party, now, None))

    def give_back(self, now: datetime) -> bool:
        """Move on by what risk took, and what was idle before; whether that moved anything."""
        assert self.submitted_at is not None
        since = min([self.submitted_at, *(start for start, _ in self.idle)])
        idle, self.idle = self._length(self.idle), []
        moved = self._move_on(since, idle + (now - self.submitted_at), now)
        self.shared += idle if moved else timedelta()
        return moved

    def share(self, until: datetime, now: datetime) -> bool:
        """Move on by what was idle until an instant; whether that moved anything."""
        over = [(start, min(end, until)) for start, end in self.idle if start < until]
        self.idle = [(max(start, until), end) for start, end in self.idle if end > until]
        moved = bool(over) and self._move_on(over[0][0], self._length(over), now)
        self.shared += self._length(over) if moved else timedelta()
        return moved

    def be_idle(self, since: datetime, now: datetime) -> None:
        """Note that it need not have been provided since the account's last step."""
        # That may have been noted before, when somebody looked and there was nothing to do.
        before = [(start, min(end, since)) for start, end in self.idle if start < since]
        self.idle = [*before, *([(since, now)] if now > since else [])]

    def _length(self, pieces: list[tuple[datetime, datetime]]) -> timedelta:
        return sum((end - start for start, end in pieces), timedelta())

    def _move_on(self, since: datetime, took: timedelta, now: datetime) -> bool:
        ahead = self.currently_due_at > since
        nothing = took <= timedelta() or not (ahead or self.deadline)
        if not self.terms.pauses_deadline or nothing:
            return False
        if self.deadline is not None:
            self.deadline += took
            # What was to be told by then still is.
            late = self.remind_at is not None and self.remind_at <= since
            if not late:
                self.plan_reminder(now)
        self.latest = None if self.latest is None else self.latest + took
        self.currently_due_at += took if ahead else timedelta()
        return True

    def given_back(self) -> timedelta:
        """All that the fair clock gives: the spans after which risk sent it back, of this life."""
        found = held = timedelta()
        for (party, since, until), (after, _, _) in zip(self.spans, self.spans[1:], strict=False):
            if party in ("RISK", "THIRD_PARTY"):
                held += (until or since) - since
            if (party, after) == ("NOBODY", "ACCOUNT"):
                found = timedelta()
            elif after == "ACCOUNT" and self.terms.pauses_deadline:
                found += held
            if after in ("ACCOUNT", "NOBODY"):
                held = timedelta()
        return found


@dataclass
class Restraint:
    """One hold."""

    id: uuid.UUID
    capabilities: tuple[str, ...]
    reason: str
    expires_at: datetime | None
    released: bool = False
    # What is asked for and it holds back, as far as its user was told.
    holds_now: set[str] = field(default_factory=set)
    version: int = 1


@dataclass
class Model:
    """One account with all that is known of it, and the events of the latest step."""

    id: uuid.UUID
    external_id: str
    name: str
    requested: set[str]
    derived_at: datetime
    view: View
    email: str | None = None
    country: str = "FR"
    version: int = 1
    items: list[Item] = field(default_factory=list)
    restraints: list[Restraint] = field(default_factory=list)
    resolutions: list[Proposal] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    sequence: int = 1
    latest: Counter[str] = field(default_factory=Counter)
    rejected: str | None = None
    # The instant of the step in hand.
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.derived_at

    def draft(self, now: datetime) -> "Model":
        """A copy that time has caught up with, for a step that may yet be refused.

        Time in an account never goes back, whatever a clock says.
        """
        # Many times as fast as `deepcopy`, which takes as long as the operations themselves.
        copy: Model = pickle.loads(pickle.dumps(self))
        copy.latest = Counter()
        copy.now = max(now, self.derived_at)
        for item in copy.items:
            if item.state in WITH_ACCOUNT and copy.stood_in_for(item):
                item.be_idle(self.derived_at, copy.now)
        copy.catch_up()
        return copy

    def say(self, *types: str) -> None:
        """Note events."""
        self.latest.update(types)
        self.sequence += len(types)

    def catch_up(self) -> None:
        """What the clock alone does, once the noted instant has come."""
        if self.view.next_change_at is None or self.view.next_change_at > self.now:
            return
        for item in self.items:
            if item.state in WITH_ACCOUNT:
                if self._crossed(item.currently_due_at):
                    self.say("REQUIREMENT_CURRENTLY_DUE")
                if self._crossed(item.deadline):
                    self.say("REQUIREMENT_PAST_DUE")
        for restraint in self.restraints:
            if not restraint.released and self._crossed(restraint.expires_at):
                self.say("HOLD_EXPIRED")
        self.settle()

    def settle(self) -> None:
        """Derive the status, and note what it changes."""
        for item in self.items:
            item.note_holder(self.now)
        for item in self.items:
            self._tell_restriction(item)
        for restraint in self.restraints:
            self._tell_hold(restraint)
        before, self.view = self.view, view(self, self.now)
        self.derived_at = self.now
        for kind in KINDS:
            if before.capabilities[kind][:2] != self.view.capabilities[kind][:2]:
                self.say("CAPABILITY_STATUS_CHANGED")
        if (before.status, before.reason) != (self.view.status, self.view.reason):
            self.version += 1
            self.say("ACCOUNT_STATUS_CHANGED")

    def _tell_restriction(self, item: Item) -> None:
        """Tell of what it has begun to restrict, unless the decision to do so has said it."""
        on = self.restricted_by(item)
        if on - item.restricts_now and not item.restricts_from == item.closed_at == self.now:
            tell(self)
        item.restricts_now = on

    def _tell_hold(self, restraint: Restraint) -> None:
        """Tell of what a hold has begun to hold back."""
        gone = restraint.expires_at is not None and restraint.expires_at <= self.now
        none = restraint.released or gone or self.rejected is not None
        on = set() if none else set(restraint.capabilities) & self.requested
        if on - restraint.holds_now:
            tell(self)
        restraint.holds_now = on

    def restricted_by(self, item: Item) -> set[str]:
        """Which requested capabilities it restricts now, while the account is not rejected."""
        kinds, begins = set(item.terms.restricts), item.deadline
        on = item.state in WITH_ACCOUNT and not self.stood_in_for(item)
        if item.refused:
            kinds, begins = kinds | set(item.terms.gates), item.restricts_from
            on = item.stands(self.now)
        begun = on and begins is not None and begins <= self.now
        return kinds & self.requested if begun and self.rejected is None else set()

    def has_to_remind(self, now: datetime) -> bool:
        """Whether something is to be reminded of by now, though it may be too late for it."""
        due = [item for item in self.items if item.remind_at is not None and item.remind_at <= now]
        return self.rejected is None and not all(self.stood_in_for(item) for item in due)

    def remind(self) -> None:
        """Tell once more of what is still to do; the clock loop does so, and nobody else."""
        for item in self.items if self.rejected is None else ():
            if item.remind_at is None or item.remind_at > self.now or self.stood_in_for(item):
                continue
            item.plan_reminder(self.now)
            if self.may_remind_of(item):
                tell(self, item.id, reminds=True)

    def may_remind_of(self, item: Item) -> bool:
        """It is not too late for it, nothing stands in for it, and the account is not rejected."""
        in_time = item.deadline is not None and item.deadline > self.now
        return in_time and not self.stood_in_for(item) and self.rejected is None

    def finish(self, item: Item, made: Proposal) -> None:
        """What a final decision does."""
        self._close(item, made.outcome, EVENT_OF[made.outcome])
        if made.outcome == "REJECTED":
            item.rejection = made
            item.appeal_until = (item.terms.appeal_within or HALF_A_YEAR).after(self.now)
            item.restricts_from = item.terms.restricts_from(self.now)
            if made.restricts_until is not None:
                made.restricts_until = max(made.restricts_until, item.restricts_from)
            item.restricts_until = made.restricts_until
            self.share_time(item)
        else:
            self._end_others(item)

    def judge(self, item: Item, made: Proposal, uphold: bool) -> None:
        """What a decision on an appeal does."""
        made.state = "UPHELD" if uphold else "OVERTURNED"
        made.version += 1
        self.say(f"RESOLUTION_{made.state}")
        state = "REJECTED" if uphold else "SATISFIED"
        self._close(item, state, EVENT_OF[state])
        if not uphold:
            item.restricts_from = item.restricts_until = None
            self._end_others(item)

    def _end_others(self, item: Item) -> None:
        for other in self.items:
            same = item.group is not None and other.group == item.group
            if same and other is not item and other.state in OPEN and not other.refused:
                self._cancel(other)
                tell(self)
            elif same and other is not item and other.stands(self.now):
                self._overtake(other)

    def _overtake(self, item: Item) -> None:
        assert item.restricts_from is not None
        assert item.rejection is not None
        item.restricts_until = item.rejection.restricts_until = max(self.now, item.restricts_from)
        item.version += 1
        item.rejection.version += 1
        self.say("REQUIREMENT_UPDATED")

    def alternatives(self, item: Item) -> list[Item]:
        """The others of its group."""
        same = [other for other in self.items if item.group and other.group == item.group]
        return [other for other in same if other is not item]

    def stood_in_for(self, item: Item) -> bool:
        """An alternative is with risk, and not by appeal."""
        return any(o.state in WITH_RISK and not o.refused for o in self.alternatives(item))

    def share_time(self, item: Item) -> None:
        """Give the others back what risk took, now that the item's turn there is over.

        What another one's turn covers as well, that one gives.
        """
        for other in self.alternatives(item):
            left = [o for o in self.alternatives(other) if o.state in WITH_RISK and not o.refused]
            until = min((o.submitted_at or self.now for o in left), default=self.now)
            open_still = other.state in OPEN and not other.refused
            if open_still and other.share(until, self.now):
                self.say("REQUIREMENT_DEADLINE_MOVED")

    def cancel(self, item: Item) -> None:
        """End a requirement without a decision, at somebody's word."""
        had_it = item.state in WITH_RISK
        self._cancel(item)
        if had_it:
            self.share_time(item)
        tell(self)

    def _cancel(self, item: Item) -> None:
        self._close(item, "CANCELED", "REQUIREMENT_CANCELED")
        self.drop_overtaken(item)

    def drop_overtaken(self, item: Item) -> None:
        """Decline the proposal that the new state has no arrow for."""
        proposal = item.proposal
        if proposal is not None and item.state not in ALLOWED_FROM[ACTION_TO[proposal.outcome]]:
            self.decline(item, proposal, "recourse")

    def decline(self, item: Item, proposal: Proposal, by: str) -> None:
        """Turn a proposal down."""
        proposal.state, proposal.decider = "DECLINED", by
        proposal.version += 1
        item.proposal = None
        item.version += 1
        self.say("RESOLUTION_DECLINED")

    def _close(self, item: Item, state: str, event: str) -> None:
        item.state, item.closed_at = state, self.now
        item.version += 1
        self.say(event)

    def _crossed(self, mark: datetime | None) -> bool:
        return mark is not None and self.derived_at < mark <= self.now
