"""Demo accounts in every state: which account a number is, and writing many of them at once.

What account a number gets depends on the platform, the number and the clock only, so that seeding
again adds nothing, and seeding more adds the new ones. Courses are dealt from decks, so that few
accounts already show every state, and many show them in fixed proportions.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.account import CreateAccount, change_profile, fill_new_account, new_account
from models.account_rejection import set_rejection
from models.actor import Actor, Role, system
from models.aggregate import Account, RiskTier
from models.authorisation import development_subject
from models.base import Base
from models.bulk import insert_new_rows, insert_rows
from models.capability import Capability
from models.clock import Clock
from models.demo.correspondence import write_contacts
from models.demo.histories import REVIEWERS, SERVICES, Case, Draft, History
from models.demo.names import invent
from models.demo.paths import Act, Path, Phase, window_of
from models.demo.programs import programs as demo_programs
from models.events import Event, Outbox, outbox_columns
from models.evidence import Evidence
from models.fair_clock import RequirementSpan
from models.hold import Hold, add_hold, end_hold
from models.ids import account_id_for
from models.interaction import Interaction, InteractionRequirement
from models.note import Note
from models.notice_texts import AccountNotice, words_of_hold
from models.program import Program, ProgramNotPublished, all_published, publish_missing
from models.requirement import Requirement
from models.resolution import Resolution
from models.search import AccountTerm
from models.session import transaction
from models.status import REJECTED_REASONS, CapabilityKind, HoldReason

SEEDER = "seed"
# Each before those that refer to it.
TABLES: tuple[type[Base], ...] = (
    Capability,
    AccountTerm,
    Hold,
    Requirement,
    RequirementSpan,
    Evidence,
    Note,
    Resolution,
    Interaction,
    InteractionRequirement,
    Event,
    Outbox,
)

_A, _P = Act, Phase
LEADS: dict[str, tuple[Path, ...]] = {
    "NOTICED": (
        Path(_P.NOTICED),
        Path(_P.NOTICED),
        Path(_P.NOTICED, (_A.SUBMIT, _A.SEND_BACK)),
    ),
    "RESTRICTED": (
        Path(_P.PAST),
        Path(_P.PAST, (_A.SUBMIT, _A.SEND_BACK)),
        Path(_P.LONG_AGO, (_A.SUBMIT, _A.REJECT, _A.CONFIRM)),
        Path(_P.LONG_AGO, (_A.SUBMIT, _A.REVIEW, _A.REJECT, _A.CONFIRM)),
    ),
    "APPEALED": (
        Path(_P.LONG_AGO, (_A.SUBMIT, _A.REJECT, _A.CONFIRM, _A.APPEAL)),
        Path(_P.LONG_AGO, (_A.SUBMIT, _A.REJECT, _A.CONFIRM, _A.APPEAL, _A.UPHOLD)),
    ),
    "UNDER_REVIEW": (
        Path(_P.CURRENT, (_A.SUBMIT,), gates=True),
        Path(_P.CURRENT, (_A.SUBMIT, _A.REVIEW), gates=True),
    ),
}
QUIET: tuple[Path, ...] = (
    Path(_P.LONG_AGO, (_A.SUBMIT, _A.REJECT, _A.CONFIRM, _A.APPEAL, _A.OVERTURN)),
    *[Path(_P.LONG_AGO, (_A.SUBMIT, _A.APPROVE, _A.CONFIRM))] * 6,
    *[Path(_P.LONG_AGO, (_A.SUBMIT, _A.REVIEW, _A.APPROVE, _A.CONFIRM))] * 2,
    Path(_P.LONG_AGO, (_A.SUBMIT, _A.SEND_BACK, _A.SUBMIT, _A.APPROVE, _A.CONFIRM)),
    Path(
        _P.LONG_AGO,
        (_A.SUBMIT, _A.REVIEW, _A.APPROVE, _A.DECLINE, _A.APPROVE, _A.CONFIRM),
        four_eyes=True,
    ),
    *[Path(_P.LONG_AGO, (_A.WAIVE, _A.CONFIRM))] * 2,
    *[Path(_P.LONG_AGO, (_A.CANCEL,))] * 2,
    Path(_P.LONG_AGO, (_A.SUBMIT, _A.APPROVE, _A.CONFIRM, _A.REOPEN)),
    *[Path(_P.EVENTUAL)] * 3,
    *[Path(_P.CURRENT)] * 3,
    Path(_P.CURRENT, (_A.EXTEND,)),
    Path(_P.CURRENT, (_A.SUBMIT, _A.SEND_BACK)),
    Path(_P.OPEN_ENDED),
    *[Path(_P.CURRENT, (_A.SUBMIT,))] * 2,
    Path(_P.CURRENT, (_A.SUBMIT, _A.REVIEW)),
    Path(_P.CURRENT, (_A.SUBMIT, _A.REVIEW, _A.APPROVE), four_eyes=True),
    Path(_P.CURRENT, (_A.WAIVE,)),
)
SATISFIED = Path(Phase.LONG_AGO, (Act.SUBMIT, Act.APPROVE, Act.CONFIRM))
PAIRED = ("documents.proof_of_address", "business.registration")
PAIR_EVERY = 6
REJECTED_BECAUSE = {
    "rejected.fraud": "Payments were taken for goods that were never sent.",
    # Whether somebody is on a list is not for a letter.
    "rejected.listed": "We can't serve this business.",
    "rejected.terms_of_service": "What is sold is not allowed here (terms of service, section 3).",
    "rejected.other": "We can't serve this business.",
}
MOODS = (
    *["HEALTHY"] * 8,
    "APPEALED",
    *["NOTICED"] * 3,
    *["RESTRICTED"] * 3,
    *["UNDER_REVIEW"] * 2,
    *["HELD"] * 2,
    "REJECTED",
)
ALL = tuple(kind.value for kind in CapabilityKind)
REQUESTED = (*[ALL] * 6, ALL[:2], ("CARD_PAYMENTS",), ("PAYOUTS", "TRANSFERS"))
DECKS: dict[str, tuple[Any, ...]] = {
    **LEADS,
    "QUIET": QUIET,
    "MOODS": MOODS,
    "REQUESTED": REQUESTED,
}


async def prepare(session: AsyncSession, platform_id: uuid.UUID, clock: Clock) -> None:
    """Publish the demo's programs on the platform, where it does not have them.

    By whom an integrator's development token stands for: so that it may open under them.
    """
    integrator = Actor(Role.INTEGRATOR, development_subject(Role.INTEGRATOR), platform_id)
    await publish_missing(session, integrator, clock, demo_programs())


async def load(
    session: AsyncSession,
    platform_id: uuid.UUID,
    numbers: Iterable[int],
    requirements_per_account: int,
    now: datetime,
) -> int:
    """Write the accounts of these numbers that are not there yet, in one transaction.

    Returns how many these were. Needs the worker's role, and `prepare` before it.
    """
    actor = system(platform_id, SEEDER)
    async with transaction(session, actor):
        published = await _demo_programs(session, platform_id)
        missing = await _missing(session, platform_id, numbers)
        units = [
            await build(platform_id, number, requirements_per_account, now, published)
            for number in missing
        ]
        return await write(session, units) if units else 0


async def build(
    platform_id: uuid.UUID,
    number: int,
    requirements: int,
    now: datetime,
    published: Sequence[Program],
) -> Draft:
    """The account of a number, in memory, with all of its rows."""
    rng = Random(f"{platform_id}:{number}")  # noqa: S311 (the same data each time, no secrets)
    history, command = _new_history(platform_id, number, now, rng, published)
    _plan_cases(history, number, requirements, published)
    _plan_account(history, command, number)
    await history.play()
    write_contacts(history)
    return history.unit


def external_id(number: int) -> str:
    """The external id of the account of a number."""
    return f"acct_demo_{number:06}"


async def _demo_programs(session: AsyncSession, platform_id: uuid.UUID) -> list[Program]:
    found = await all_published(session, platform_id)
    codes = [command.code for command in demo_programs()]
    if not any(code in found for code in codes):
        raise ProgramNotPublished(codes[0])
    return [found[code] for code in codes if code in found]


async def _missing(
    session: AsyncSession, platform_id: uuid.UUID, numbers: Iterable[int]
) -> list[int]:
    by_id = {account_id_for(platform_id, external_id(number)): number for number in numbers}
    known = await session.scalars(select(Account.account_id).where(Account.account_id.in_(by_id)))
    for account_id in known:
        del by_id[account_id]
    return list(by_id.values())


async def write(session: AsyncSession, units: Sequence[Draft]) -> int:
    """Write what was built; returns how many of the accounts were not there yet."""
    connection = await session.connection()
    accounts = [vars(unit.account) for unit in units]
    # Another seed may have been first; what it has written is its own.
    fresh = set(await insert_new_rows(connection, _table(Account), accounts))
    rows: defaultdict[type[Base], list[Mapping[str, Any]]] = defaultdict(list)
    for unit in units:
        if unit.account.account_id in fresh:
            for row in unit.added:
                rows[type(row)].append(vars(row))
            rows[Event].extend(unit.events)
            rows[Outbox].extend(map(outbox_columns, unit.events))
            rows[Interaction].extend(unit.contacts)
            rows[InteractionRequirement].extend(unit.links)
    for kind in TABLES:
        if rows[kind]:
            await insert_rows(connection, _table(kind), rows[kind])
    return len(fresh)


def _table(kind: type[Base]) -> Table:
    return cast(Table, kind.__table__)


def _plan_cases(
    history: History, number: int, requirements: int, published: Sequence[Program]
) -> None:
    mood, ordinal = _mood(number)
    left = list(published)
    paths = [_dealt("QUIET", number * requirements + slot) for slot in range(requirements)]
    if mood in LEADS and paths:
        paths[0] = _dealt(mood, ordinal)
    paired = [program for program in published if program.code in PAIRED]
    if number % PAIR_EVERY == 0 and requirements > len(paired) == 2:
        paths = paths[:-2]
        _plan_pair(history, paired, ended=number % (2 * PAIR_EVERY) == 0)
        left = [program for program in left if program not in paired]
    for wanted in paths:
        path, program = _choose(history.rng, wanted, left, published)
        left = [other for other in left if other is not program]
        window = window_of(history, path.phase, program)
        history.cases.append(Case(history, program, path, window))


def _choose(
    rng: Random, path: Path, left: Sequence[Program], published: Sequence[Program]
) -> tuple[Path, Program]:
    """A program that the account does not have yet, if the course fits any; else another course."""
    for choice in (left, published):
        fitting = [program for program in choice if path.fits(program)]
        if fitting:
            return path, rng.choice(fitting)
    return SATISFIED, rng.choice(published)


def _plan_pair(history: History, paired: Sequence[Program], ended: bool) -> None:
    """Two requirements of which one is enough."""
    first = SATISFIED if ended else Path(Phase.CURRENT)
    window = window_of(history, first.phase, paired[0])
    for program, path in zip(paired, (first, Path(first.phase)), strict=True):
        history.cases.append(Case(history, program, path, window, group="place_of_business"))


def _plan_account(history: History, command: CreateAccount, number: int) -> None:
    """Its creation before all else, and what its mood brings."""
    unit, account = history.unit, history.unit.account
    opened = [case.window.opened for case in history.cases]
    created = min(opened, default=history.now) - history.days(0.5, 60)
    account.created_at = account.updated_at = account.derived_at = created
    # The mapper takes long to find that there is nothing, unless that was set.
    account.disabled_reason = account.rejected_reason = account.next_change_at = None

    async def create() -> None:
        fill_new_account(unit, command)
        for capability in unit.capabilities:
            capability.disabled_reason = None

    history.plan(created, history.staff(Role.INTEGRATOR, SERVICES[3]), create)
    mood, ordinal = _mood(number)
    if mood == "HELD":
        _plan_hold(history, list(HoldReason)[ordinal % len(HoldReason)], ordinal % 3 == 0)
    elif mood == "REJECTED":
        _plan_rejection(history, REJECTED_REASONS[ordinal % len(REJECTED_REASONS)])
    elif number % 7 == 0:
        _plan_past_hold(history, created, expires=number % 2 == 0)
    elif number % 5 == 0:
        _plan_change(history, "risk_tier", RiskTier.HIGH.value)


def _plan_hold(history: History, reason: HoldReason, expires: bool) -> None:
    at = history.now - history.days(0.1, 0.4)
    until = history.now + history.days(2, 30) if expires else None
    kinds = history.rng.choice((ALL, ALL[1:], ("PAYOUTS",)))

    async def place() -> None:
        add_hold(history.unit, kinds, reason, "See the alert of the monitoring.", until)
        restricted = [kind for kind in kinds if kind in history.unit.requested]
        if restricted:
            words = words_of_hold(reason)
            history.tell_of_account(AccountNotice.HELD, words, restricted, until)

    history.plan(at, _reviewer(history), place)


def _plan_past_hold(history: History, created: datetime, expires: bool) -> None:
    at = created + (history.now - created) * history.rng.uniform(0.1, 0.5)
    over = at + (history.now - at) * history.rng.uniform(0.1, 0.9)
    holds: list[Hold] = []

    async def place() -> None:
        until = over if expires else None
        holds.append(add_hold(history.unit, ("PAYOUTS",), HoldReason.UNDER_REVIEW, None, until))

    async def release() -> None:
        end_hold(history.unit, holds[0])

    history.plan(at, _reviewer(history), place)
    if not expires:
        history.plan(over, _reviewer(history), release)


def _plan_change(history: History, field: str, value: str) -> None:
    async def change() -> None:
        await change_profile(history.unit, {field: value})

    history.plan(history.now - history.days(0.05, 0.45), _reviewer(history), change)


def _plan_rejection(history: History, reason: str) -> None:
    async def reject() -> None:
        set_rejection(history.unit, reason, REJECTED_BECAUSE[reason])
        words, kinds = REJECTED_BECAUSE[reason], history.unit.requested
        history.tell_of_account(AccountNotice.REJECTED, words, kinds)

    history.plan(history.now - history.days(0.05, 0.45), _reviewer(history), reject)


def _reviewer(history: History) -> Actor:
    return history.staff(Role.REVIEWER, history.rng.choice(REVIEWERS))


def _new_history(
    platform_id: uuid.UUID, number: int, now: datetime, rng: Random, published: Sequence[Program]
) -> tuple[History, CreateAccount]:
    business = invent(rng)
    command = CreateAccount(
        external_id=external_id(number),
        business_name=business.name,
        country=business.country,
        email=business.email,
        risk_tier=rng.choice((*[RiskTier.LOW] * 6, *[RiskTier.MEDIUM] * 3, RiskTier.HIGH)).value,
        capabilities=_dealt("REQUESTED", number),
    )
    actor = system(platform_id, SEEDER)
    account = new_account(actor, command, now)
    unit = Draft(account=account, actor=actor, now=now, random_bits=rng.getrandbits)
    # What reads the programs of requirements finds them here.
    unit.read.extend(published)
    return History(unit, rng, business, now), command


def _mood(number: int) -> tuple[str, int]:
    """The mood of the account of a number, and how many of that mood are before it."""
    block, position = divmod(number, len(DECKS["MOODS"]))
    dealt = _shuffled("MOODS", block)
    mood = dealt[position]
    return mood, block * dealt.count(mood) + dealt[:position].count(mood)


def _dealt(deck: str, position: int) -> Any:
    """The card at a position of one shuffled deck after another."""
    block, place = divmod(position, len(DECKS[deck]))
    return _shuffled(deck, block)[place]


@lru_cache(maxsize=1_000)
def _shuffled(deck: str, block: int) -> list[Any]:
    cards = list(DECKS[deck])
    Random(f"{deck}:{block}").shuffle(cards)  # noqa: S311 (the same each time, no secrets)
    return cards
