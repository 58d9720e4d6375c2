"""A referral: risk says that it waits for somebody else (a bank, a register, an authority).

The requirement stays where it is; its clock passes to the third party, and the promise to review
rests, until it is recalled or leaves risk's hands.
"""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.aggregate import Unit
from models.clock import Clock
from models.events import EventType
from models.note import MAX_NOTE_LENGTH, write_note
from models.operation import operate
from models.outcome import Outcome
from models.referral_rules import MAX_THIRD_PARTY_LENGTH, referral_refusal
from models.requirement import (
    Requirement,
    RequirementAction,
    RequirementCommand,
    check_allowed,
)
from models.requirement_steps import load_with_program, move
from models.text import check_optional_text, check_text


@dataclass(frozen=True, kw_only=True)
class Refer(RequirementCommand):
    """What `refer` takes: whom it waits for, in words for the account's user; a note for staff."""

    to: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recall(RequirementCommand):
    """What `recall` takes."""


async def refer(
    session: AsyncSession, actor: Actor, clock: Clock, command: Refer
) -> Outcome[Requirement]:
    """Say that somebody else is waited for. Raises `IllegalTransition`, `AlreadyReferred`."""
    check_text(command.to, MAX_THIRD_PARTY_LENGTH, "to")
    check_optional_text(command.note, MAX_NOTE_LENGTH, "note")

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        _check(row, RequirementAction.REFER)
        move(
            unit,
            row,
            RequirementAction.REFER,
            EventType.REQUIREMENT_REFERRED,
            program,
            third_party=command.to,
        )
        if command.note is not None:
            write_note(unit, row, command.note)
        return row

    return await operate(session, actor, clock, "requirementRefer", command, Requirement, step)


async def recall(
    session: AsyncSession, actor: Actor, clock: Clock, command: Recall
) -> Outcome[Requirement]:
    """Say that nobody else is waited for any more. Raises `IllegalTransition`, `NotReferred`."""

    async def step(unit: Unit) -> Requirement:
        row, program = await load_with_program(unit, command)
        _check(row, RequirementAction.RECALL)
        move(unit, row, RequirementAction.RECALL, EventType.REQUIREMENT_RECALLED, program)
        return row

    return await operate(session, actor, clock, "requirementRecall", command, Requirement, step)


def _check(row: Requirement, action: RequirementAction) -> None:
    check_allowed(row, action)
    if (refusal := referral_refusal(row, action)) is not None:
        raise refusal
