"""Internal notes: what staff tell each other about a requirement."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.note import NOTES
from models.requirement_reads import REQUIREMENTS
from resolvers import ids
from resolvers.lists import Listing
from resolvers.loading import OF_REQUIREMENT, account_field, reference_field
from resolvers.node import Actor, Node, actor_field, node_id, rows_of
from resolvers.selection import register_columns

if TYPE_CHECKING:
    from resolvers.account import Account
    from resolvers.requirement import Requirement


@strawberry.type(
    description=(
        "What somebody of the staff noted about a requirement, for staff only: account users reach "
        "no note by any way. It never changes."
    )
)
class Note(Node):
    """A text and its author."""

    is_type_of = rows_of(NOTES.record, "Note")

    id: strawberry.ID = node_id(ids.NOTE, "note")
    account: Annotated["Account", strawberry.lazy("resolvers.account")] = account_field()
    requirement: Annotated["Requirement", strawberry.lazy("resolvers.requirement")] = (
        reference_field("Requirement", REQUIREMENTS.table, "requirement_id", "What it is about.")
    )
    text: str = strawberry.field(description="The text of the note.")
    author: Actor = actor_field("author", "Who wrote it.")
    created_at: datetime = strawberry.field(description="The instant at which it was written.")


register_columns(Note, NOTES.table)


# The oldest first.
notes_of_requirements = Listing(NOTES, "Note").of_each("requirement.internalNotes", OF_REQUIREMENT)
