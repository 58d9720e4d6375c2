"""Evidence: what was submitted."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.evidence import EVIDENCE, DocumentReference
from models.requirement_reads import REQUIREMENTS
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.lists import Listing
from resolvers.loading import OF_REQUIREMENT, account_field, reference_field
from resolvers.node import Actor, Node, actor_field, node_id, rows_of
from resolvers.scalars import Json, Url
from resolvers.selection import register_columns

if TYPE_CHECKING:
    from resolvers.account import Account
    from resolvers.requirement import Requirement


@strawberry.type(description="A reference to a document, which Recourse does not hold itself.")
class Document:
    """Where a document lies and what it must be."""

    uri: Url = strawberry.field(description="Where the document lies.")
    sha256: str = strawberry.field(description="The SHA-256 of the document, in hex.")
    media_type: str = strawberry.field(description="The media type of the document.")
    bytes: int = strawberry.field(description="The size of the document, in bytes.")
    name: str = strawberry.field(description="The name of the document.")


def documents_in(column: str) -> Callable[[Parents], list[list[Document]]]:
    """What reads the documents out of a column of references."""

    def resolve(parents: Parents) -> list[list[Document]]:
        return [[Document(**entry) for entry in row[column]] for row in parents]

    return resolve


@strawberry.type(description="One submission against a requirement. It never changes.")
class Evidence(Node):
    """A payload and references to documents."""

    is_type_of = rows_of(EVIDENCE.record, "Evidence")

    id: strawberry.ID = node_id(ids.EVIDENCE, "evidence")
    account: Annotated["Account", strawberry.lazy("resolvers.account")] = account_field()
    requirement: Annotated["Requirement", strawberry.lazy("resolvers.requirement")] = (
        reference_field(
            "Requirement", REQUIREMENTS.table, "requirement_id", "What it was submitted against."
        )
    )
    payload: Json | None = strawberry.field(
        description="What was submitted, as the program's JSON Schema has it."
    )
    documents: list[Document] = batched(
        documents_in("documents"),
        description="The documents that were submitted.",
        needs=("documents",),
    )
    submitted_by: Actor = actor_field("submitted_by", "Who submitted it.")
    submitted_at: datetime = strawberry.field(description="The instant of the submission.")


register_columns(Evidence, EVIDENCE.table)


# The oldest first.
evidence_of_requirements = Listing(EVIDENCE, "Evidence").of_each(
    "requirement.evidence", OF_REQUIREMENT
)


@strawberry.input(description="A reference to a document.")
class DocumentInput:
    """Where a document lies and what it must be."""

    uri: Url = strawberry.field(description="Where the document lies: https, s3 or gs.")
    sha256: str = strawberry.field(description="The SHA-256 of the document, in lower-case hex.")
    media_type: str = strawberry.field(
        description="The media type of the document, such as application/pdf."
    )
    bytes: int = strawberry.field(description="The size of the document, in bytes.")
    name: str = strawberry.field(description="The name of the document.")


def references(given: Iterable[DocumentInput] | None) -> tuple[DocumentReference, ...]:
    """The references as operations take them."""
    return tuple(
        DocumentReference(
            uri=one.uri,
            sha256=one.sha256,
            media_type=one.media_type,
            bytes=one.bytes,
            name=one.name,
        )
        for one in given or ()
    )
