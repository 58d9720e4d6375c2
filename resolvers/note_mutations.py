"""Mutations of internal notes."""

import strawberry

from models import note as operations
from models.events import EventType
from models.note import Note as NoteRow
from models.requirement import Requirement as RequirementRow
from resolvers.mutation import Payload, changed_field, mutation
from resolvers.note import Note
from resolvers.requirement import Requirement
from resolvers.requirement_mutations import RequirementInput


@strawberry.input(description="What to note about which requirement.")
class NoteAddInput(RequirementInput):
    """A text; `expectedVersion` is the requirement's."""

    text: str = strawberry.field(description="The note, for staff only; at most 5,000 characters.")

    def command(self) -> operations.AddNote:
        return operations.AddNote(text=self.text, **self.shared())


@strawberry.type(description="The note, and the requirement that it is about.")
class NoteAddPayload(Payload):
    """What noteAdd answers."""

    note: Note | None = changed_field("Note", NoteRow, "The note that was written.")
    requirement: Requirement | None = changed_field(
        "Requirement", RequirementRow, "The requirement, as it is now.", own="requirement_id"
    )


@strawberry.type(description="Mutations of internal notes.")
class NoteMutations:
    """The fields of the root type Mutation that concern notes."""

    note_add: NoteAddPayload = mutation(
        "noteAdd",
        operations.add,
        NoteAddInput,
        "Note something about a requirement, for staff only.",
        (EventType.NOTE_ADDED,),
        argument="The note.",
    )
