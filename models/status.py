"""What an account may do: a pure function of its requirements, its holds and the clock.

The stored columns are this function's materialisation. A capability is, in this order of strength,

- INACTIVE while it is not requested,
- RESTRICTED while the account is rejected, a hold is on it, a requirement that restricts it is past
  due, or the rejection of one that restricts or gates it has taken effect (no appeal has overturned
  it, and the end that it may set has not come),
- PENDING while a requirement that gates it is not satisfied,
- else ACTIVE.

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
from typing import Protocol


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
    # From when, and until when, a rejection restricts; None where none stands, or without an end.
    restricts_from: datetime | None
    restricts_until: datetime | None
    restricts: list[str]
    gates: list[str]


class HoldFacts(Protocol):
    """What of a hold the status depends on."""

    capabilities: list[str]
    reason: str
    expires_at: datetime | None
    released_at: datetime | None


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


def awaiting(state: str) -> AwaitingActionFrom | None:
    """Who has to move next, None when the requirement has ended."""
    if state in AWAITING_ACCOUNT:
        return AwaitingActionFrom.ACCOUNT
    return AwaitingActionFrom.RISK if state in AWAITING_RISK else None


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


def hold_is_on(hold: HoldFacts, now: datetime) -> bool:
    """Whether the hold restricts at `now`."""
    return hold.released_at is None and (hold.expires_at is None or now < hold.expires_at)


def restricts(requirement: RequirementFacts, kind: str, now: datetime) -> bool:
    """Whether the requirement restricts the capability at `now`.

    A rejected one restricts what it gates as well: it will never be satisfied. So it goes on while
    an appeal is open, which has made it one in review.
    """
    begins = _restriction_begins(requirement, kind)
    return begins is not None and begins <= now and not rejection_is_over(requirement, now)


def rejection_is_over(requirement: RequirementFacts, now: datetime) -> bool:
    """Whether a rejection that was to restrict for a time has done so."""
    return requirement.restricts_until is not None and requirement.restricts_until <= now


def _restriction_begins(requirement: RequirementFacts, kind: str) -> datetime | None:
    """From when the requirement restricts the capability if nobody acts, None for never."""
    if requirement.restricts_from is not None:
        touched = kind in requirement.restricts or kind in requirement.gates
        return requirement.restricts_from if touched else None
    waits = requirement.state in AWAITING_ACCOUNT and kind in requirement.restricts
    return requirement.deadline if waits else None


def derive(
    requested: Iterable[str],
    rejected_reason: str | None,
    requirements: Sequence[RequirementFacts],
    holds: Sequence[HoldFacts],
    now: datetime,
) -> Derived:
    """The account's status at `now`, and the next instant at which time alone changes it.

    `requested` holds the kinds of the capabilities asked for; all others come out INACTIVE.
    """
    wanted = set(requested)
    capabilities = {
        kind.value: _capability(kind, rejected_reason, requirements, holds, now)
        if kind in wanted
        else DerivedCapability(CapabilityStatus.INACTIVE)
        for kind in CapabilityKind
    }
    status, reason = _account(capabilities, rejected_reason, requirements, now)
    deadlines = [r.deadline for r in requirements if r.deadline and r.state in AWAITING_ACCOUNT]
    instants = [i for i in change_instants(requirements, holds) if i > now]
    return Derived(
        status, reason, capabilities, min(deadlines, default=None), min(instants, default=None)
    )


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
    requirements: Sequence[RequirementFacts],
    holds: Sequence[HoldFacts],
    now: datetime,
) -> DerivedCapability:
    restricting = list(_restricting_reasons(kind, rejected_reason, requirements, holds, now))
    if restricting:
        return DerivedCapability(CapabilityStatus.RESTRICTED, _strongest(restricting))
    soonest = _restricts_at(kind, requirements, now)
    gating = [r for r in requirements if kind in r.gates and _gates(r, now)]
    if gating:
        verifying = all(r.state in AWAITING_RISK for r in gating)
        reason = PENDING_VERIFICATION if verifying else FIELDS_NEEDED
        return DerivedCapability(CapabilityStatus.PENDING, reason, soonest)
    return DerivedCapability(CapabilityStatus.ACTIVE, None, soonest)


def _gates(requirement: RequirementFacts, now: datetime) -> bool:
    return requirement.state in LIVE_STATES and not rejection_is_over(requirement, now)


def _restricting_reasons(
    kind: CapabilityKind,
    rejected_reason: str | None,
    requirements: Sequence[RequirementFacts],
    holds: Sequence[HoldFacts],
    now: datetime,
) -> Iterator[str]:
    if rejected_reason is not None:
        yield rejected_reason
    for hold in holds:
        if kind in hold.capabilities and hold_is_on(hold, now):
            yield REASON_OF_HOLD[HoldReason(hold.reason)]
    for requirement in requirements:
        if restricts(requirement, kind, now):
            rejected = requirement.restricts_from is not None
            yield REQUIREMENT_REJECTED if rejected else PAST_DUE


def _restricts_at(
    kind: CapabilityKind, requirements: Sequence[RequirementFacts], now: datetime
) -> datetime | None:
    begins = (_restriction_begins(requirement, kind) for requirement in requirements)
    return min((mark for mark in begins if mark is not None and mark > now), default=None)


def _account(
    capabilities: dict[str, DerivedCapability],
    rejected_reason: str | None,
    requirements: Sequence[RequirementFacts],
    now: datetime,
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
    if any(_is_noticed(r, capabilities, now) for r in requirements):
        return AccountStatus.RESTRICTED_SOON, None
    return AccountStatus.ENABLED, None


def _is_noticed(
    requirement: RequirementFacts, capabilities: dict[str, DerivedCapability], now: datetime
) -> bool:
    kinds = requirement.restricts
    if rejection_is_over(requirement, now):
        return False
    if requirement.restricts_from is not None:
        kinds = [*kinds, *requirement.gates]
    elif not _notice_is_given(requirement, now):
        return False
    return any(capabilities[kind].status != CapabilityStatus.INACTIVE for kind in kinds)


def _notice_is_given(requirement: RequirementFacts, now: datetime) -> bool:
    given = requirement.notice_at is not None and requirement.notice_at <= now
    return given and requirement.state in AWAITING_ACCOUNT


def _strongest(reasons: Sequence[str]) -> str:
    return min(reasons, key=PRECEDENCE.index)
