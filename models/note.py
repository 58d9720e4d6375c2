"""An internal note: what staff tell each other about a requirement. Account users never see it.

Their role has no right to the table at all, and the event that says there is one is kept from them.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import CheckConstraint, Index, Table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from models.actor import Actor, ActorKind
from models.aggregate import Unit
from models.base import AccountScoped, Base, OwnId, account_key, own_key, stamp
from models.clock import Clock
from models.events import EventType, SubjectType
from models.lifecycle import one_of
from models.listing import ListSpec
from models.operation import operate
from models.outcome import Outcome
from models.requirement import Requirement, RequirementCommand
from models.requirement_steps import check_own_program, load
from models.text import check_text

MAX_NOTE_LENGTH = 5_000


class Note(AccountScoped, OwnId, Base):
    """One note. It never changes; a further one stands beside it."""

    __tablename__ = "notes"
    __table_args__ = (
        account_key(),
        own_key("requirement_id", "requirements"),
        one_of("author_kind", list(ActorKind)),
        CheckConstraint(
            f"char_length(text) BETWEEN 1 AND {MAX_NOTE_LENGTH}", name="text_of_bounded_length"
        ),
        # What account users write is no note of staff.
        CheckConstraint("author_kind <> 'ACCOUNT_USER'", name="written_by_staff"),
        Index("ix_notes_requirement", "account_id", "requirement_id", "created_at", "id"),
    )

    requirement_id: Mapped[uuid.UUID]
    text: Mapped[str]
    author_kind: Mapped[str]
    author_id: Mapped[str]
    author_name: Mapped[str | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class AddNote(RequirementCommand):
    """What `add` takes. `expected_version` is the requirement's."""

    text: str


async def add(session: AsyncSession, actor: Actor, clock: Clock, command: AddNote) -> Outcome[Note]:
    """Write a note on a requirement, whatever its state. The requirement stays as it is.

    Raises `Forbidden`, `NotFound`, `StaleVersion`, `InvalidInput`.
    """
    check_text(command.text, MAX_NOTE_LENGTH, "text")

    async def step(unit: Unit) -> Note:
        row = await load(unit, command)
        await check_own_program(unit, "noteAdd", row)
        return write_note(unit, row, command.text)

    return await operate(session, actor, clock, "noteAdd", command, Note, step)


def write_note(unit: Unit, row: Requirement, text: str) -> Note:
    """Note something about the requirement, within an open unit."""
    note = Note(
        account_id=row.account_id,
        platform_id=row.platform_id,
        id=unit.new_id(),
        requirement_id=row.id,
        text=text,
        created_at=unit.now,
    )
    stamp(note, "author", unit.actor)
    unit.add(note)
    # Not the text: an event can't be taken back.
    subject = (SubjectType.REQUIREMENT, row.id)
    unit.record(EventType.NOTE_ADDED, subject, {"noteId": note.id})
    return note


NOTES = ListSpec(
    name="notes",
    table=cast(Table, Note.__table__),
    orders={"CREATED_AT": "created_at"},
)
