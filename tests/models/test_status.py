"""What an account may do, as a function of its facts and the clock."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.status import (
    PRECEDENCE,
    REJECTED_REASONS,
    AccountStatus,
    AwaitingActionFrom,
    CapabilityKind,
    CapabilityStatus,
    Derived,
    DueStatus,
    Effects,
    HoldReason,
    RequirementState,
    awaiting,
    derive,
    due_status,
    handed_in_groups,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
ALL = tuple(kind.value for kind in CapabilityKind)
ENDED = ("SATISFIED", "REJECTED", "WAIVED", "CANCELED")


@dataclass
class Need:
    """What of a requirement counts; by default one that is far from due and touches payouts."""

    state: str = "OPEN"
    currently_due_at: datetime | None = NOW + 10 * DAY
    notice_at: datetime | None = NOW + 20 * DAY
    deadline: datetime | None = NOW + 30 * DAY
    restricts_from: datetime | None = None
    restricts_until: datetime | None = None
    restricts: list[str] = field(default_factory=lambda: ["PAYOUTS"])
    gates: list[str] = field(default_factory=list)
    alternative_group: str | None = None
    alternative_option: str | None = None
    remind_at: datetime | None = None


@dataclass
class Stop:
    """What of a hold counts; by default one that restricts payouts without an end."""

    capabilities: list[str] = field(default_factory=lambda: ["PAYOUTS"])
    reason: str = "OTHER"
    expires_at: datetime | None = None
    released_at: datetime | None = None


def derived(
    *facts: Need | Stop, requested: tuple[str, ...] = ALL, rejected: Any = None, now: Any = NOW
) -> Derived:
    needs = [fact for fact in facts if isinstance(fact, Need)]
    stops = [fact for fact in facts if isinstance(fact, Stop)]
    return derive(requested, rejected, needs, stops, now)


PAST_DUE = Need(deadline=NOW)
NOTICED = Need(notice_at=NOW)
REJECTED = Need(state="REJECTED", restricts_from=NOW)
APPEALED = replace(REJECTED, state="IN_REVIEW", restricts_from=NOW - DAY)
GATING = Need(restricts=[], gates=["PAYOUTS"])
VERIFYING = replace(GATING, state="IN_REVIEW")
REVIEW = Stop(reason="UNDER_REVIEW")
ONE_PAST_DUE = replace(PAST_DUE, alternative_group="address")
HANDED_IN = Need(state="SUBMITTED", alternative_group="address")
HALF = replace(HANDED_IN, alternative_option="papers")
OTHER_HALF = Need(alternative_group="address", alternative_option="papers")
CASES: list[tuple[str, list[Need | Stop], str, str | None, str, str | None]] = [
    ("nothing", [], "ACTIVE", None, "ENABLED", None),
    ("an open requirement", [Need()], "ACTIVE", None, "ENABLED", None),
    (
        "past due",
        [PAST_DUE],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    ("a tick before the deadline", [Need(deadline=NOW + TICK)], "ACTIVE", None, "ENABLED", None),
    (
        "action required and past due",
        [replace(PAST_DUE, state="ACTION_REQUIRED")],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "submitted in time is not past due",
        [replace(PAST_DUE, state="SUBMITTED")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "in review past its deadline",
        [replace(PAST_DUE, state="IN_REVIEW")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "satisfied past its deadline",
        [replace(PAST_DUE, state="SATISFIED")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "waived past its deadline",
        [replace(PAST_DUE, state="WAIVED")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "canceled past its deadline",
        [replace(PAST_DUE, state="CANCELED")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    ("rejected", [REJECTED], "RESTRICTED", "rejected.other", "RESTRICTED", "rejected.other"),
    (
        "rejected and appealed",
        [APPEALED],
        "RESTRICTED",
        "rejected.other",
        "RESTRICTED",
        "rejected.other",
    ),
    (
        "rejected, appealed, and gating",
        [replace(APPEALED, restricts=[], gates=["PAYOUTS"])],
        "RESTRICTED",
        "rejected.other",
        "RESTRICTED",
        "rejected.other",
    ),
    (
        "rejected, with notice that runs",
        [replace(REJECTED, restricts_from=NOW + TICK)],
        "ACTIVE",
        None,
        "RESTRICTED_SOON",
        None,
    ),
    (
        "rejected until a tick from now",
        [replace(REJECTED, restricts_until=NOW + TICK)],
        "RESTRICTED",
        "rejected.other",
        "RESTRICTED",
        "rejected.other",
    ),
    (
        "rejected until now",
        [replace(REJECTED, restricts_from=NOW - DAY, restricts_until=NOW, gates=["PAYOUTS"])],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "gating, and rejected with notice that runs",
        [replace(GATING, state="REJECTED", restricts_from=NOW + TICK)],
        "PENDING",
        "requirements.fields_needed",
        "RESTRICTED_SOON",
        None,
    ),
    (
        "gating, and appealed while the notice runs",
        [replace(VERIFYING, restricts_from=NOW + TICK)],
        "PENDING",
        "requirements.pending_verification",
        "UNDER_REVIEW",
        "requirements.pending_verification",
    ),
    (
        "rejected before past due",
        [PAST_DUE, REJECTED],
        "RESTRICTED",
        "rejected.other",
        "RESTRICTED",
        "rejected.other",
    ),
    (
        "past due that restricts nothing",
        [replace(PAST_DUE, restricts=[])],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    ("within the notice period", [NOTICED], "ACTIVE", None, "RESTRICTED_SOON", None),
    ("a tick before notice", [Need(notice_at=NOW + TICK)], "ACTIVE", None, "ENABLED", None),
    (
        "noticed but submitted",
        [replace(NOTICED, state="SUBMITTED")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "noticed and restricting nothing",
        [replace(NOTICED, restricts=[])],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    ("gating and open", [GATING], "PENDING", "requirements.fields_needed", "ENABLED", None),
    (
        "gating and verifying",
        [VERIFYING],
        "PENDING",
        "requirements.pending_verification",
        "UNDER_REVIEW",
        "requirements.pending_verification",
    ),
    (
        "one verifying, one still open",
        [GATING, VERIFYING],
        "PENDING",
        "requirements.fields_needed",
        "ENABLED",
        None,
    ),
    ("gating and satisfied", [replace(GATING, state="SATISFIED")], "ACTIVE", None, "ENABLED", None),
    (
        "gating and rejected restricts",
        [replace(GATING, state="REJECTED", restricts_from=NOW)],
        "RESTRICTED",
        "rejected.other",
        "RESTRICTED",
        "rejected.other",
    ),
    (
        "restricted before pending",
        [GATING, PAST_DUE],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "rejected, and overtaken before its notice has run",
        [replace(REJECTED, restricts_from=NOW + DAY, restricts_until=NOW + DAY)],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "past due, and an alternative handed in",
        [ONE_PAST_DUE, HANDED_IN],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "past due, and something of another group handed in",
        [ONE_PAST_DUE, replace(HANDED_IN, alternative_group="name")],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "past due, and half of another option handed in",
        [ONE_PAST_DUE, HALF, OTHER_HALF],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "past due, and both halves of another option handed in",
        [ONE_PAST_DUE, HALF, replace(OTHER_HALF, state="IN_REVIEW")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "past due, and of another option one half handed in, the other satisfied",
        [ONE_PAST_DUE, HALF, replace(OTHER_HALF, state="SATISFIED")],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "past due, and of another option one half handed in, the other rejected for nothing",
        [
            ONE_PAST_DUE,
            HALF,
            replace(OTHER_HALF, state="REJECTED", restricts_from=NOW, restricts=[]),
        ],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "past due, and the rejection of an alternative appealed",
        [ONE_PAST_DUE, replace(HANDED_IN, state="IN_REVIEW", restricts_from=NOW, restricts=[])],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "past due, with an alternative that was satisfied before it was opened",
        [ONE_PAST_DUE, replace(HANDED_IN, state="SATISFIED")],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "rejected, and an alternative handed in",
        [replace(REJECTED, alternative_group="address"), HANDED_IN],
        "RESTRICTED",
        "rejected.other",
        "RESTRICTED",
        "rejected.other",
    ),
    (
        "within the notice period, and an alternative handed in",
        [replace(NOTICED, alternative_group="address"), HANDED_IN],
        "ACTIVE",
        None,
        "ENABLED",
        None,
    ),
    (
        "gating, and an alternative handed in",
        [replace(GATING, alternative_group="address"), HANDED_IN],
        "PENDING",
        "requirements.pending_verification",
        "UNDER_REVIEW",
        "requirements.pending_verification",
    ),
    (
        "gating, one rejected with notice that runs and an alternative handed in",
        [
            replace(GATING, state="REJECTED", restricts_from=NOW + TICK, alternative_group="a"),
            replace(VERIFYING, alternative_group="a"),
        ],
        "PENDING",
        "requirements.pending_verification",
        "UNDER_REVIEW",
        "requirements.pending_verification",
    ),
    ("a hold", [Stop()], "RESTRICTED", "other", "RESTRICTED", "other"),
    (
        "a hold by the platform",
        [Stop(reason="PLATFORM_PAUSED")],
        "RESTRICTED",
        "platform_paused",
        "RESTRICTED",
        "platform_paused",
    ),
    (
        "a hold of the listed",
        [Stop(reason="LISTED")],
        "RESTRICTED",
        "listed",
        "RESTRICTED",
        "listed",
    ),
    ("a hold for review", [REVIEW], "RESTRICTED", "under_review", "UNDER_REVIEW", "under_review"),
    (
        "a hold for review and a pause",
        [REVIEW, Stop(reason="PLATFORM_PAUSED")],
        "RESTRICTED",
        "platform_paused",
        "RESTRICTED",
        "platform_paused",
    ),
    (
        "a hold for review, past due",
        [REVIEW, PAST_DUE],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "a hold for review, within notice",
        [REVIEW, NOTICED],
        "RESTRICTED",
        "under_review",
        "UNDER_REVIEW",
        "under_review",
    ),
    ("a released hold", [Stop(released_at=NOW)], "ACTIVE", None, "ENABLED", None),
    ("a hold that expires now", [Stop(expires_at=NOW)], "ACTIVE", None, "ENABLED", None),
    (
        "a hold that expires in a tick",
        [Stop(expires_at=NOW + TICK)],
        "RESTRICTED",
        "other",
        "RESTRICTED",
        "other",
    ),
    (
        "past due before another hold",
        [Stop(), PAST_DUE],
        "RESTRICTED",
        "requirements.past_due",
        "RESTRICTED",
        "requirements.past_due",
    ),
    (
        "a pause before past due",
        [Stop(reason="PLATFORM_PAUSED"), PAST_DUE],
        "RESTRICTED",
        "platform_paused",
        "RESTRICTED",
        "platform_paused",
    ),
]


@pytest.mark.parametrize(
    ("facts", "payouts", "why", "status", "reason"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_what_follows_from_the_facts(
    facts: list[Need | Stop], payouts: str, why: str | None, status: str, reason: str | None
) -> None:
    found = derived(*facts)
    capability = found.capabilities["PAYOUTS"]
    assert (capability.status, capability.disabled_reason) == (payouts, why)
    assert (found.status, found.disabled_reason) == (status, reason)
    others = [found.capabilities[kind].status for kind in ("CARD_PAYMENTS", "TRANSFERS")]
    assert others == ["ACTIVE", "ACTIVE"]
    assert found == derived(*reversed(facts))


@pytest.mark.parametrize("reason", REJECTED_REASONS)
def test_a_rejected_account_may_do_nothing_and_says_why(reason: str) -> None:
    found = derived(PAST_DUE, Stop(reason="PLATFORM_PAUSED"), rejected=reason, requested=ALL[:2])
    assert (found.status, found.disabled_reason) == (AccountStatus.REJECTED, reason)
    shown = {(c.status, c.disabled_reason) for c in found.capabilities.values()}
    assert shown == {("RESTRICTED", reason), ("INACTIVE", None)}


def test_what_is_not_requested_is_inactive_and_restricts_nobody() -> None:
    found = derived(PAST_DUE, NOTICED, Stop(), VERIFYING, requested=("TRANSFERS",))
    assert found.capabilities["PAYOUTS"].status is CapabilityStatus.INACTIVE
    assert found.capabilities["PAYOUTS"].restricts_at is None
    assert (found.status, found.disabled_reason) == (AccountStatus.ENABLED, None)


def test_a_capability_says_when_it_will_be_restricted_if_nobody_acts() -> None:
    soon, later = Need(deadline=NOW + 2 * DAY), Need(deadline=NOW + 3 * DAY)
    submitted = Need(state="SUBMITTED", deadline=NOW + DAY)
    found = derived(later, soon, submitted, Need(deadline=NOW + DAY, restricts=["TRANSFERS"]))
    assert found.capabilities["PAYOUTS"].restricts_at == soon.deadline
    assert found.capabilities["TRANSFERS"].restricts_at == NOW + DAY
    assert found.capabilities["CARD_PAYMENTS"].restricts_at is None
    assert found.next_deadline == NOW + DAY
    assert derived(PAST_DUE, soon).capabilities["PAYOUTS"].restricts_at is None
    noticed = replace(REJECTED, restricts_from=NOW + DAY)
    assert derived(soon, noticed).capabilities["PAYOUTS"].restricts_at == NOW + DAY
    assert derived(noticed).next_change_at == NOW + DAY


def test_the_next_deadline_is_the_first_that_the_account_can_still_meet_or_has_missed() -> None:
    missed, open_ended = Need(deadline=NOW - DAY), Need(deadline=None, notice_at=None)
    assert derived(Need(), missed, open_ended).next_deadline == missed.deadline
    assert derived(replace(missed, state="IN_REVIEW"), Need()).next_deadline == Need().deadline
    assert derived(open_ended).next_deadline is None


def test_a_deadline_that_an_alternative_stands_in_for_is_not_the_next() -> None:
    sooner = Need(deadline=NOW + DAY, alternative_group="address")
    found = derived(sooner, HANDED_IN, Need())
    assert found.next_deadline == found.capabilities["PAYOUTS"].restricts_at == Need().deadline
    found = derived(sooner, replace(HANDED_IN, state="ACTION_REQUIRED"), Need())
    assert found.next_deadline == found.capabilities["PAYOUTS"].restricts_at == sooner.deadline


@pytest.mark.parametrize("state", RequirementState)
def test_an_instant_belongs_to_what_it_begins(state: RequirementState) -> None:
    due, deadline = NOW + DAY, NOW + 2 * DAY
    shown = [
        due_status(state, due, deadline, at)
        for at in (NOW, due - TICK, due, deadline - TICK, deadline, deadline + 9 * DAY)
    ]
    if state in ("OPEN", "ACTION_REQUIRED"):
        assert shown == [
            *[DueStatus.EVENTUALLY_DUE] * 2,
            *[DueStatus.CURRENTLY_DUE] * 2,
            *[DueStatus.PAST_DUE] * 2,
        ]
    else:
        constant = DueStatus.NONE if state in ENDED else DueStatus.PENDING_VERIFICATION
        assert shown == [constant] * 6


@pytest.mark.parametrize(
    ("due", "deadline", "expected"),
    [
        (None, None, DueStatus.EVENTUALLY_DUE),
        (NOW, None, DueStatus.CURRENTLY_DUE),
        (None, NOW, DueStatus.PAST_DUE),
        (NOW, NOW, DueStatus.PAST_DUE),
        (None, NOW + TICK, DueStatus.EVENTUALLY_DUE),
        (NOW + TICK, None, DueStatus.EVENTUALLY_DUE),
    ],
)
def test_times_that_are_missing_never_come(
    due: datetime | None, deadline: datetime | None, expected: DueStatus
) -> None:
    assert due_status("OPEN", due, deadline, NOW) is expected


@pytest.mark.parametrize("state", RequirementState)
def test_who_moves_next(state: RequirementState) -> None:
    if state in ENDED:
        assert awaiting(state, None) is None
    else:
        account = state in ("OPEN", "ACTION_REQUIRED")
        assert awaiting(state, None) is (
            AwaitingActionFrom.ACCOUNT if account else AwaitingActionFrom.RISK
        )
        assert awaiting(state, NOW) is AwaitingActionFrom.RISK


def test_reasons_come_in_the_order_of_their_strength() -> None:
    assert len(set(PRECEDENCE)) == len(PRECEDENCE)
    assert PRECEDENCE[: len(REJECTED_REASONS)] == REJECTED_REASONS


# Marks lie close together and on the present instant, so that they often meet.
hours_from_now = st.integers(-3, 6).map(lambda hours: NOW + timedelta(hours=hours))
instants = st.none() | hours_from_now
some_kinds = st.lists(st.sampled_from(ALL), max_size=3, unique=True)
unrejected = st.builds(
    Need,
    st.sampled_from([state for state in RequirementState if state != "REJECTED"]),
    *(instants, instants, instants, st.none(), st.none()),
    *(some_kinds, some_kinds),
    remind_at=st.none() | st.just(NOW + timedelta(hours=2)),
)
places = st.none() | st.tuples(st.sampled_from("gh"), st.sampled_from([None, "1", "2"]))
# Rejected, or in review by appeal: an instant from which that restricts, perhaps to come, and one
# until which it does, or none.
standing = st.builds(
    Need,
    st.sampled_from(["REJECTED", "IN_REVIEW"]),
    *(instants, instants, instants, hours_from_now, instants),
    *(some_kinds, some_kinds),
)


def placed(need: Need, place: tuple[str, str | None] | None) -> Need:
    group, option = place or (None, None)
    return replace(need, alternative_group=group, alternative_option=option)


needs = st.builds(placed, unrejected | standing, places)
stops = st.builds(
    Stop,
    some_kinds,
    st.sampled_from(HoldReason),
    instants,
    st.sampled_from([None, None, NOW - timedelta(hours=1)]),
)
everything = st.tuples(
    some_kinds.map(tuple),
    st.sampled_from([None, None, None, "rejected.fraud"]),
    st.lists(needs, max_size=4),
    st.lists(stops, max_size=3),
)


def derived_at(facts: Any, at: datetime) -> Derived:
    requested, rejected_reason, needs, stops = facts
    return derive(requested, rejected_reason, needs, stops, at)


def shown_at(facts: Any, at: datetime) -> Any:
    """All that a dashboard shows of these facts at an instant."""
    needs = facts[2]
    return (
        derived_at(facts, at),
        [due_status(need.state, need.currently_due_at, need.deadline, at) for need in needs],
    )


@settings(max_examples=400, deadline=None, database=None)
@given(everything, st.floats(0, 1, exclude_max=True))
def test_nothing_changes_before_the_next_change(facts: Any, part: float) -> None:
    first = shown_at(facts, NOW)
    change = first[0].next_change_at
    end = NOW + 1_000 * DAY if change is None else change
    assert end > NOW
    for at in (NOW + (end - TICK - NOW) * part, end - TICK):
        assert shown_at(facts, at) == first


@settings(max_examples=400, deadline=None, database=None)
@given(everything)
def test_at_the_next_change_something_has_its_time(facts: Any) -> None:
    change = derived_at(facts, NOW).next_change_at
    if change is None:
        return
    needs, stops = facts[2], facts[3]
    waiting = [need for need in needs if need.state in ("OPEN", "ACTION_REQUIRED")]
    marks = {m for n in waiting for m in (n.currently_due_at, n.notice_at, n.deadline)}
    marks |= {mark for need in needs for mark in (need.restricts_from, need.restricts_until)}
    # Nobody is reminded of what an alternative stands for.
    covered = handed_in_groups(needs)
    reminders = {n.remind_at for n in waiting if n.alternative_group not in covered}
    marks |= reminders
    assert change in marks | {stop.expires_at for stop in stops if stop.released_at is None}
    after = derived_at(facts, change)
    if facts[1] is None and change in reminders:
        # What is to be reminded of stays due until somebody was.
        assert after.next_change_at == change
        return
    assert after.next_change_at is None or after.next_change_at > change


@settings(max_examples=300, deadline=None, database=None)
@given(everything)
def test_what_is_disabled_has_a_reason_and_what_is_not_has_none(facts: Any) -> None:
    found = derived_at(facts, NOW)
    for capability in found.capabilities.values():
        disabled = capability.status in ("RESTRICTED", "PENDING")
        assert (capability.disabled_reason is not None) == disabled
        assert capability.restricts_at is None or capability.restricts_at > NOW
    disabled = found.status in ("RESTRICTED", "UNDER_REVIEW", "REJECTED")
    assert (found.disabled_reason is not None) == disabled
    inactive = {k for k, c in found.capabilities.items() if c.status == "INACTIVE"}
    assert inactive == set(ALL) - set(facts[0])


def oracle_covers(need: Need, needs: list[Need]) -> bool:
    """Whether all that is live of some option of the need's group is with risk."""
    group = [n for n in needs if n.alternative_group and n.state not in ENDED_UNREJECTED]
    group = [n for n in group if n.alternative_group == need.alternative_group]
    labels = {n.alternative_option for n in group if n.alternative_option}
    found = [[n for n in group if n.alternative_option == label] for label in labels]
    found += [[n] for n in group if not n.alternative_option]
    with_risk = ("SUBMITTED", "IN_REVIEW")
    return any(
        all(n.state in with_risk and n.restricts_from is None for n in option) for option in found
    )


def oracle_restricts(need: Need, needs: list[Need], kind: str, at: datetime) -> bool:
    begins, ends = need.restricts_from, need.restricts_until
    if begins is not None:
        return kind in need.restricts + need.gates and (
            begins <= at if ends is None else begins <= at < ends
        )
    waits = need.state in ("OPEN", "ACTION_REQUIRED") and not oracle_covers(need, needs)
    missed = need.deadline is not None and need.deadline <= at
    return waits and missed and kind in need.restricts


def oracle_gates(need: Need, kind: str, at: datetime) -> bool:
    ends = need.restricts_until
    over = ends is not None and (ends <= at or ends <= (need.restricts_from or at))
    return kind in need.gates and need.state not in ENDED_UNREJECTED and not over


ENDED_UNREJECTED = ("SATISFIED", "WAIVED", "CANCELED")


@settings(max_examples=600, deadline=None, database=None)
@given(st.lists(needs, max_size=6))
def test_alternatives_count_as_one_need_with_options(given_needs: list[Need]) -> None:
    found, effects = derive(ALL, None, given_needs, [], NOW), Effects(given_needs, NOW)
    for kind, capability in found.capabilities.items():
        stopping = [n for n in given_needs if oracle_restricts(n, given_needs, kind, NOW)]
        assert same(effects.restricting(kind), stopping)
        assert (capability.status == "RESTRICTED") == bool(stopping)
        gating = [n for n in given_needs if oracle_gates(n, kind, NOW)]
        assert same(effects.gating(kind), gating)
        if not stopping:
            assert (capability.status == "PENDING") == bool(gating)
            waits = [
                n
                for n in gating
                if n.state not in ("SUBMITTED", "IN_REVIEW") and not oracle_covers(n, given_needs)
            ]
            if gating:
                why = "fields_needed" if waits else "pending_verification"
                assert capability.disabled_reason == f"requirements.{why}"
        first = capability.restricts_at
        begin = [
            n
            for n in given_needs
            if first is not None
            and oracle_restricts(n, given_needs, kind, first)
            and not oracle_restricts(n, given_needs, kind, first - TICK)
        ]
        assert same(effects.restricting_from(kind, first), begin)
        assert bool(begin) == (first is not None)
        if first is not None:
            assert not stopping
    deadlines = [
        n.deadline
        for n in given_needs
        if n.state in ("OPEN", "ACTION_REQUIRED")
        and n.restricts_from is None
        and n.deadline
        and not oracle_covers(n, given_needs)
    ]
    assert found.next_deadline == min(deadlines, default=None)


def same(found: list[Need], expected: list[Need]) -> bool:
    """Whether both hold the same objects: equal ones may be of different groups."""
    return [id(need) for need in found] == [id(need) for need in expected]
