"""Alternatives: requirements of which one option is enough, and what becomes of the others.

Which options a group has, and when one is handed in, is in `status.py`.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select

from models.aggregate import Unit
from models.deadlines import move_on
from models.events import EventType, SubjectType
from models.fair_clock import Party, RequirementSpan
from models.lifecycle import touch
from models.notice_texts import NoticeKind
from models.notices import Tell, notify
from models.requirement import ALTERNATIVE_SATISFIED, Requirement, RequirementAction, is_open
from models.requirement_steps import drop_proposal, end, programs_of
from models.resolution_steps import standing_rejections
from models.status import AWAITING_RISK, LIVE_STATES, is_handed_in, options, rejection_is_over


async def end_others(unit: Unit, ended: Requirement) -> list[Requirement]:
    """End what a satisfied or waived requirement was an alternative to, within an open unit.

    An option of several requirements counts once all of them have ended so. Others that are open
    are canceled: those are returned, for `tell_overtaken`. A rejection stays in the record, and so
    does its appeal, but restricts no more.
    """
    others = _others(unit, ended)
    option = ended.alternative_option
    if option is not None and any(row.alternative_option == option for row in others):
        return []
    overtaken = [row for row in others if is_open(row)]
    for row in overtaken:
        action, event = RequirementAction.CANCEL, EventType.REQUIREMENT_CANCELED
        end(unit, row, action, event, ALTERNATIVE_SATISFIED)
        await drop_proposal(unit, row)
    await _end_restrictions(
        unit, [r for r in others if r.restricts_from and not rejection_is_over(r, unit.now)]
    )
    return overtaken


async def tell_overtaken(unit: Unit, rows: Sequence[Requirement], tell: Tell = notify) -> None:
    """Tell the account's user that these are no longer asked for, within an open unit."""
    for row, program in zip(rows, await programs_of(unit, rows), strict=True):
        tell(unit, NoticeKind.CANCELED, row, program)


def handed_in_since(unit: Unit, row: Requirement) -> datetime | None:
    """From when on the option that the requirement is part of has waited for risk; None if not.

    To be asked before the requirement is moved; `give_back_to_others` takes it afterwards.
    """
    return next((_since(option) for option in _handed_in(unit, row) if row in option), None)


async def give_back_to_others(unit: Unit, row: Requirement, since: datetime | None) -> None:
    """Give the alternatives back the time in which they waited for the requirement's option.

    What was handed in itself meanwhile has waited until then. Nothing from when on another option
    has waited for risk that still does: what waits for both is not given twice.
    """
    if since is None:
        return
    ends = [(other, _waited_until(unit, other)) for other in _others(unit, row) if is_open(other)]
    waited = {other: until for other, until in ends if until > since}
    began = await _awaited_from(unit, list(waited))
    rows = [other for other in waited if other.id in began]
    for other, program in zip(rows, await programs_of(unit, rows), strict=True):
        move_on(unit, other, program, max(since, began[other.id]), waited[other])


async def idle_since(unit: Unit, row: Requirement) -> datetime | None:
    """From when on an alternative, handed in before the requirement was, has stood for it.

    None where none has that still does: what had ended was given back as it did.
    """
    since = _stood_for_since(unit, row)
    if since is None or row.submitted_at is None or since >= row.submitted_at:
        return None
    began = await _awaited_from(unit, [row])
    return max(since, began[row.id]) if row.id in began else None


def _others(unit: Unit, row: Requirement) -> list[Requirement]:
    """The other live members of the requirement's group."""
    group = row.alternative_group
    return [
        other
        for other in unit.requirements
        if group is not None
        and other.alternative_group == group
        and other is not row
        and other.state in LIVE_STATES
    ]


def _handed_in(unit: Unit, row: Requirement) -> list[list[Requirement]]:
    """The options of the requirement's group that are handed in."""
    found = options(unit.requirements)
    return [
        option for group, option in found if group == row.alternative_group and is_handed_in(option)
    ]


def _since(option: Iterable[Requirement]) -> datetime:
    return max(row.submitted_at for row in option if row.submitted_at is not None)


def _stood_for_since(unit: Unit, row: Requirement) -> datetime | None:
    """From when on another option has been handed in; None while none is."""
    stands = [_since(option) for option in _handed_in(unit, row) if row not in option]
    return min(stands, default=None)


def _waited_until(unit: Unit, row: Requirement) -> datetime:
    """Until when an open requirement has waited in a turn of an alternative that is over by now."""
    handed_in = row.submitted_at if row.state in AWAITING_RISK else None
    marks = (unit.now, handed_in, _stood_for_since(unit, row))
    return min(mark for mark in marks if mark is not None)


async def _awaited_from(unit: Unit, rows: Sequence[Requirement]) -> dict[uuid.UUID, datetime]:
    """From when on each has awaited its account, or has when it was handed in; by its id.

    Missing is one whose ledger of old does not tell.
    """
    if not rows:
        return {}
    found = await unit.store.execute(
        select(RequirementSpan.requirement_id, func.max(RequirementSpan.started_at).label("began"))
        .where(
            RequirementSpan.account_id == unit.account.account_id,
            RequirementSpan.requirement_id.in_([row.id for row in rows]),
            RequirementSpan.party == Party.ACCOUNT.value,
        )
        .group_by(RequirementSpan.requirement_id)
    )
    return {row.requirement_id: row.began for row in found}


async def _end_restrictions(unit: Unit, rows: Sequence[Requirement]) -> None:
    """Let rejections restrict no longer, as their statements then say."""
    if not rows:
        return
    rejections = await standing_rejections(unit, [row.id for row in rows])
    for row in rows:
        assert row.restricts_from is not None
        resolution, before = rejections[row.id], row.restricts_until
        # What was not to begin yet never does.
        row.restricts_until = resolution.restricts_until = max(unit.now, row.restricts_from)
        touch(row, unit.now)
        touch(resolution, unit.now)
        changes = {
            "restrictsUntil": {"from": before, "to": row.restricts_until},
            "reason": ALTERNATIVE_SATISFIED,
            "resolutionId": resolution.id,
        }
        subject = (SubjectType.REQUIREMENT, row.id)
        unit.record(EventType.REQUIREMENT_UPDATED, subject, changes)
