"""What an account may do: a pure function of its requirements, its holds and the clock.

The stored columns are this function's materialisation. A capability is, in this order of strength,

- INACTIVE while it is not requested,
- RESTRICTED while the account is rejected, a hold is on it, a requirement that restricts it is past
  due, or the rejection of one that restricts or gates it has taken effect (no appeal has overturned
  it, and the end that it may set has not come),
- PENDING while a requirement that gates it is not satisfied,
- else ACTIVE.

Requirements of one alternative group are one need with options: those that share an
`alternative_option` are one, any other is one of its own. An option is handed in once each of its
live members waits for risk. Until it is decided on, the others' deadlines restrict nothing, and the
whole group waits for verification.

The account is REJECTED once it was rejected; UNDER_REVIEW while nothing but holds for review
restricts it, or something it needs waits for verification; RESTRICTED while a requested capability
is; RESTRICTED_SOON while a deadline that restricts lies within its notice period, or a rejection is
to take effect; else ENABLED.
`disabledReason` speaks Stripe's words (https://docs.stripe.com/api/accounts/object).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Generic, Protocol, TypeVar


class RequirementState(StrEnum):
    """Where a requirement stands."""

    OPEN = "OPEN"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    SATISFIED = "SATISFIED"
    REJECTED = "REJECTED"
    WAIVED = "WAIVED"
    CANCELED = "CANCELED"


class DueStatus(StrEnum):
    """How a requirement stands to the clock."""

    EVENTUALLY_DUE = "EVENTUALLY_DUE"
    CURRENTLY_DUE = "CURRENTLY_DUE"
    PAST_DUE = "PAST_DUE"
    PENDING_VERIFICATION = "PENDING_VERIFICATION"
    NONE = "NONE"


class AwaitingActionFrom(StrEnum):
    """Who has to move next."""

    ACCOUNT = "ACCOUNT"
    RISK = "RISK"


class CapabilityKind(StrEnum):
    """What an account may do."""

    CARD_PAYMENTS = "CARD_PAYMENTS"
    PAYOUTS = "PAYOUTS"
    TRANSFERS = "TRANSFERS"


class CapabilityStatus(StrEnum):
    """Whether it may do it now."""

    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    RESTRICTED = "RESTRICTED"
    INACTIVE = "INACTIVE"


class AccountStatus(StrEnum):
    """The account as a whole."""

    ENABLED = "ENABLED"
    RESTRICTED_SOON = "RESTRICTED_SOON"
    RESTRICTED = "RESTRICTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    REJECTED = "REJECTED"


class HoldReason(StrEnum):
    """Why a hold was placed."""

    PLATFORM_PAUSED = "PLATFORM_PAUSED"
    UNDER_REVIEW = "UNDER_REVIEW"
    LISTED = "LISTED"
    OTHER = "OTHER"


PAST_DUE = "requirements.past_due"
PENDING_VERIFICATION = "requirements.pending_verification"
FIELDS_NEEDED = "requirements.fields_needed"
REQUIREMENT_REJECTED = "rejected.other"
UNDER_REVIEW = "under_review"
REASON_OF_HOLD = {
    HoldReason.PLATFORM_PAUSED: "platform_paused",
    HoldReason.LISTED: "listed",
    HoldReason.UNDER_REVIEW: UNDER_REVIEW,
    HoldReason.OTHER: "other",
}
REJECTED_REASONS = (
    "rejected.fraud",
    "rejected.listed",
    "rejected.terms_of_service",
    "rejected.other",
)
# The first of these that applies is the one that is shown.
PRECEDENCE = (
    *REJECTED_REASONS,
    "platform_paused",
    "listed",
    PAST_DUE,
    "other",
    UNDER_REVIEW,
    PENDING_VERIFICATION,
    FIELDS_NEEDED,
)

AWAITING_ACCOUNT = (RequirementState.OPEN, RequirementState.ACTION_REQUIRED)
AWAITING_RISK = (RequirementState.SUBMITTED, RequirementState.IN_REVIEW)
OPEN_STATES = (*AWAITING_ACCOUNT, *AWAITING_RISK)
# What a status depends on: open ones, and the rejected ones that go on restricting.
LIVE_STATES = (*OPEN_STATES, RequirementState.REJECTED)


class RequirementFacts(Protocol):
    """What of a requirement the status depends on."""

    state: str
    currently_due_at: datetime | None
    notice_at: datetime | None
    deadline: datetime | None
    # When its account's user is to be reminded next; None where nothing is to come.
    remind_at: datetime | None
    # From when, and until when, a rejection restricts; None where none stands, or without an end.
    restricts_from: datetime | None
    restricts_until: datetime | None
    restricts: list[str]
    gates: list[str]
    alternative_group: str | None
    alternative_option: str | None


Facts = TypeVar("Facts", bound=RequirementFacts)


class HoldFacts(Protocol):
    """What of a hold the status depends on."""

    capabilities: list[str]
    reason: str
    expires_at: datetime | None
    released_at: datetime | None


# The columns of what the status depends on.
REQUIREMENT_FACTS = tuple(RequirementFacts.__annotations__)
HOLD_FACTS = tuple(HoldFacts.__annotations__)


@dataclass(frozen=True)
class DerivedCapability:
    """One capability's status, why it is disabled, and when it will be if nobody acts."""

    status: CapabilityStatus
    disabled_reason: str | None = None
    restricts_at: datetime | None = None


@dataclass(frozen=True)
class Derived:
    """All that follows from the facts at one instant."""

    status: AccountStatus
    disabled_reason: str | None
    capabilities: dict[str, DerivedCapability]
    next_deadline: datetime | None
    next_change_at: datetime | None


def awaiting(state: str, unanswered_since: datetime | None) -> AwaitingActionFrom | None:
    """Who has to move next, None when the requirement has ended.

    Where a message of the account's user waits for an answer, risk has to.
    """
    if state not in OPEN_STATES:
        return None
    mine = state in AWAITING_ACCOUNT and unanswered_since is None
    return AwaitingActionFrom.ACCOUNT if mine else AwaitingActionFrom.RISK


def due_status(
    state: str, currently_due_at: datetime | None, deadline: datetime | None, now: datetime
) -> DueStatus:
    """How the requirement stands at `now`; an instant belongs to what it begins."""
    if state in AWAITING_RISK:
        return DueStatus.PENDING_VERIFICATION
    if state not in AWAITING_ACCOUNT:
        return DueStatus.NONE
    if deadline is not None and deadline <= now:
        return DueStatus.PAST_DUE
    if currently_due_at is not None and currently_due_at <= now:
        return DueStatus.CURRENTLY_DUE
    return DueStatus.EVENTUALLY_DUE


def is_due(next_change_at: datetime | None, now: datetime) -> bool:
    """Whether an instant has come at which time alone has something to do to an account."""
    return next_change_at is not None and next_change_at <= now


def hold_is_on(hold: HoldFacts, now: datetime) -> bool:
    """Whether the hold restricts at `now`."""
    return hold.released_at is None and (hold.expires_at is None or now < hold.expires_at)


def rejection_is_over(requirement: RequirementFacts, now: datetime) -> bool:
    """Whether a rejection that was to restrict for a time has done so, or never will."""
    begins, ends = requirement.restricts_from, requirement.restricts_until
    return begins is not None and ends is not None and ends <= max(now, begins)


def options(requirements: Iterable[Facts]) -> Iterator[tuple[str, list[Facts]]]:
    """The options of the alternative groups, as (group, live members)."""
    found: dict[tuple[str, str | int], list[Facts]] = {}
    for number, requirement in enumerate(requirements):
        group, option = requirement.alternative_group, requirement.alternative_option
        if group is not None and requirement.state in LIVE_STATES:
            key = (group, number if option is None else option)
            found.setdefault(key, []).append(requirement)
    return ((group, members) for (group, _), members in found.items())


def is_handed_in(option: Iterable[RequirementFacts]) -> bool:
    """Whether each live member of an option waits for risk, and none for its appeal."""
    return all(r.state in AWAITING_RISK and r.restricts_from is None for r in option)


def handed_in_groups(requirements: Iterable[RequirementFacts]) -> frozenset[str]:
    """The alternative groups that have an option which is handed in."""
    return frozenset(group for group, option in options(requirements) if is_handed_in(option))


@dataclass(frozen=True)
class Restriction:
    """What a requirement restricts if nobody acts: which kinds, from when, until when if known."""

    kinds: frozenset[str]
    since: datetime
    until: datetime | None = None


def restriction(
    requirement: RequirementFacts, handed_in: frozenset[str], now: datetime
) -> Restriction | None:
    """What the requirement restricts, now or later; None for nothing.

    A rejected one restricts what it gates as well: it will never be satisfied. So it goes on while
    an appeal is open, which has made it one in review.
    """
    if requirement.restricts_from is not None:
        if rejection_is_over(requirement, now):
            return None
        kinds = frozenset((*requirement.restricts, *requirement.gates))
        return Restriction(kinds, requirement.restricts_from, requirement.restricts_until)
    if requirement.deadline is None or not _awaits(requirement, handed_in):
        return None
    return Restriction(frozenset(requirement.restricts), requirement.deadline)


def _awaits(requirement: RequirementFacts, handed_in: frozenset[str]) -> bool:
    """Whether the account has to provide it: no alternative to it is handed in."""
    covered = requirement.alternative_group in handed_in
    return requirement.state in AWAITING_ACCOUNT and not covered


@dataclass(frozen=True)
class Effects(Generic[Facts]):
    """What all of an account's requirements, or the live ones, do to its capabilities at `now`."""

    requirements: Sequence[Facts]
    now: datetime

    @cached_property
    def handed_in(self) -> frozenset[str]:
        """The alternative groups that wait for risk."""
        return handed_in_groups(self.requirements)

    @cached_property
    def _restrictions(self) -> list[tuple[Facts, Restriction]]:
        found = ((r, restriction(r, self.handed_in, self.now)) for r in self.requirements)
        return [(requirement, one) for requirement, one in found if one is not None]

    def restricting(self, kind: str) -> list[Facts]:
        """The requirements that restrict the capability now."""
        return [r for r, one in self._restrictions if kind in one.kinds and one.since <= self.now]

    def restricting_from(self, kind: str, instant: datetime | None) -> list[Facts]:
        """Those whose restriction of the capability begins at the instant if nobody acts."""
        return [r for r, one in self._restrictions if kind in one.kinds and one.since == instant]

    def restricts_at(self, kind: str) -> datetime | None:
        """The next instant at which one begins to restrict the capability if nobody acts."""
        marks = (one.since for _, one in self._restrictions if kind in one.kinds)
        return min((mark for mark in marks if mark > self.now), default=None)

    def gating(self, kind: str) -> list[Facts]:
        """The requirements that the capability waits for; of alternatives, all."""
        return [
            r
            for r in self.requirements
            if kind in r.gates and r.state in LIVE_STATES and not rejection_is_over(r, self.now)
        ]

    def is_verifying(self, requirement: RequirementFacts) -> bool:
        """Whether it, or an alternative to it, waits for risk."""
        group = requirement.alternative_group
        return requirement.state in AWAITING_RISK or group in self.handed_in

    def next_deadline(self) -> datetime | None:
        """The earliest deadline, missed or to come, of what the account has to provide."""
        waiting = (r.deadline for r in self.requirements if _awaits(r, self.handed_in))
        return min((mark for mark in waiting if mark is not None), default=None)

    def noticed(self) -> Iterator[str]:
        """The kinds of which notice is given that they will be restricted."""
        for requirement, one in self._restrictions:
            given = requirement.notice_at is not None and requirement.notice_at <= self.now
            if given or requirement.restricts_from is not None:
                yield from one.kinds


def derive(
    requested: Iterable[str],
    rejected_reason: str | None,
    requirements: Sequence[RequirementFacts],
    holds: Sequence[HoldFacts],
    now: datetime,
) -> Derived:
    """The account's status at `now`, and the next instant at which time alone has something to do.

    That is to change the status, or to remind the account's user: what is to be reminded of stays
    due until it was. `requested` holds the kinds of the capabilities asked for; all others come out
    INACTIVE.
    """
    wanted, effects = set(requested), Effects(requirements, now)
    capabilities = {
        kind.value: _capability(kind, rejected_reason, effects, holds)
        if kind in wanted
        else DerivedCapability(CapabilityStatus.INACTIVE)
        for kind in CapabilityKind
    }
    status, reason = _account(capabilities, rejected_reason, effects)
    instants = [i for i in change_instants(requirements, holds) if i > now]
    # Nobody is reminded while the account is rejected: it may do nothing, whatever it sends. Nor of
    # what an alternative stands for: its instants are kept until that is decided on.
    if rejected_reason is None:
        waiting = [r for r in requirements if _awaits(r, effects.handed_in)]
        instants += [r.remind_at for r in waiting if r.remind_at is not None]
    next_change_at = min(instants, default=None)
    return Derived(status, reason, capabilities, effects.next_deadline(), next_change_at)


def change_instants(
    requirements: Iterable[RequirementFacts], holds: Iterable[HoldFacts]
) -> Iterator[datetime]:
    """Every instant, past or to come, at which time alone changes something."""
    for requirement in requirements:
        if requirement.restricts_from is not None:
            yield requirement.restricts_from
            if requirement.restricts_until is not None:
                yield requirement.restricts_until
        elif requirement.state in AWAITING_ACCOUNT:
            marks = (requirement.currently_due_at, requirement.notice_at, requirement.deadline)
            yield from (mark for mark in marks if mark is not None)
    for hold in holds:
        if hold.released_at is None and hold.expires_at is not None:
            yield hold.expires_at


def _capability(
    kind: CapabilityKind,
    rejected_reason: str | None,
    effects: Effects[Facts],
    holds: Sequence[HoldFacts],
) -> DerivedCapability:
    restricting = list(_restricting_reasons(kind, rejected_reason, effects, holds))
    if restricting:
        return DerivedCapability(CapabilityStatus.RESTRICTED, _strongest(restricting))
    soonest = effects.restricts_at(kind)
    gating = effects.gating(kind)
    if gating:
        verifying = all(map(effects.is_verifying, gating))
        reason = PENDING_VERIFICATION if verifying else FIELDS_NEEDED
        return DerivedCapability(CapabilityStatus.PENDING, reason, soonest)
    return DerivedCapability(CapabilityStatus.ACTIVE, None, soonest)


def _restricting_reasons(
    kind: CapabilityKind,
    rejected_reason: str | None,
    effects: Effects[Facts],
    holds: Sequence[HoldFacts],
) -> Iterator[str]:
    if rejected_reason is not None:
        yield rejected_reason
    for hold in holds:
        if kind in hold.capabilities and hold_is_on(hold, effects.now):
            yield REASON_OF_HOLD[HoldReason(hold.reason)]
    for requirement in effects.restricting(kind):
        rejected = requirement.restricts_from is not None
        yield REQUIREMENT_REJECTED if rejected else PAST_DUE


def _account(
    capabilities: dict[str, DerivedCapability],
    rejected_reason: str | None,
    effects: Effects[Facts],
) -> tuple[AccountStatus, str | None]:
    if rejected_reason is not None:
        return AccountStatus.REJECTED, rejected_reason
    values = capabilities.values()
    restricted = [c.disabled_reason for c in values if c.status is CapabilityStatus.RESTRICTED]
    reasons = [reason for reason in restricted if reason is not None]
    if any(reason != UNDER_REVIEW for reason in reasons):
        return AccountStatus.RESTRICTED, _strongest(reasons)
    if reasons:
        return AccountStatus.UNDER_REVIEW, UNDER_REVIEW
    if any(c.disabled_reason == PENDING_VERIFICATION for c in values):
        return AccountStatus.UNDER_REVIEW, PENDING_VERIFICATION
    if any(capabilities[k].status != CapabilityStatus.INACTIVE for k in effects.noticed()):
        return AccountStatus.RESTRICTED_SOON, None
    return AccountStatus.ENABLED, None


def _strongest(reasons: Sequence[str]) -> str:
    return min(reasons, key=PRECEDENCE.index)
