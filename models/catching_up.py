"""What time brings an account: its status catches up, and its user is told.

A restriction is told in the transaction in which it begins, whoever opens that. Reminders are
written by the clock loop alone: an operation can't know before its step whether there will be
anything left to remind of, so it leaves what is due to the loop, or ends it.
"""

import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from models.aggregate import Unit
from models.notice_texts import AccountNotice, NoticeKind, words_of_hold
from models.notices import Tell, notify, notify_account
from models.reminders import due_for_reminder, is_needless, plan_reminder
from models.requirement import Requirement
from models.requirement_steps import programs_of
from models.status import Effects, hold_is_on

# By requirement or hold, the kinds of the requested capabilities that it restricts.
Restrictions = Mapping[uuid.UUID, AbstractSet[str]]
NOTHING: AbstractSet[str] = frozenset()


async def catch_up(unit: Unit, tell: Tell = notify) -> None:
    """Let the status catch up with the clock, and tell of the restrictions that time has begun."""
    if not unit.is_due:
        return
    before = restrictions(unit, unit.account.derived_at)
    with unit.by_the_clock():
        unit.catch_up()
        await tell_restrictions(unit, begun(unit, before), tell)


async def pass_time(unit: Unit, tell: Tell = notify) -> None:
    """All that time has to do: remind of what is due for it, then catch up."""
    if unit.is_due:
        with unit.by_the_clock():
            await _remind(unit, tell)
    await catch_up(unit, tell)


def restrictions(unit: Unit, at: datetime) -> Restrictions:
    """What each restricts at an instant: nothing beside the rejection of the account."""
    if unit.account.rejected_reason is not None:
        return {}
    effects = Effects(unit.requirements, at)
    found: dict[uuid.UUID, set[str]] = {}
    for kind in unit.requested:
        for row in effects.restricting(kind):
            found.setdefault(row.id, set()).add(kind)
    for hold in unit.holds:
        if hold_is_on(hold, at):
            found[hold.id] = {kind for kind in hold.capabilities if kind in unit.requested}
    return found


def begun(unit: Unit, before: Restrictions) -> Restrictions:
    """What each restricts by now and did not before; those that begin nothing are left out."""
    now = restrictions(unit, unit.now)
    new = {own: kinds - before.get(own, NOTHING) for own, kinds in now.items()}
    return {own: kinds for own, kinds in new.items() if kinds}


async def tell_restrictions(unit: Unit, new: Restrictions, tell: Tell = notify) -> None:
    """Tell of what requirements have begun to restrict, within an open unit."""
    rows = [row for row in unit.requirements if row.id in new and not _is_told(unit, row)]
    for row, program in zip(rows, await programs_of(unit, rows), strict=True):
        tell(unit, NoticeKind.RESTRICTED, row, program)


def tell_holds(unit: Unit, new: Restrictions) -> None:
    """Tell of what holds have begun to restrict: time alone begins none, but operations do."""
    for hold in unit.holds:
        if hold.id in new:
            # In the words of its reason: never what staff note of it.
            words, kinds = words_of_hold(hold.reason), sorted(new[hold.id])
            notify_account(unit, AccountNotice.HELD, words, kinds, hold.expires_at)


def _is_told(unit: Unit, row: Requirement) -> bool:
    """Whether the rejection that restricts was decided just now: then its own notice says so."""
    return row.restricts_from == row.closed_at == unit.now


async def _remind(unit: Unit, tell: Tell) -> None:
    due = due_for_reminder(unit)
    for row, program in zip(due, await programs_of(unit, due), strict=True):
        plan_reminder(row, program, unit.now)
        if not is_needless(unit, row):
            tell(unit, NoticeKind.REMINDER, row, program)
