"""Evidence: one submission against a requirement, a payload and references to documents."""

import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from sqlalchemy import CheckConstraint, Index, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.aggregate import Unit
from models.base import AccountScoped, Base, Json, OwnId, account_key, own_key, stamp
from models.errors import EvidenceInvalid, InvalidInput
from models.events import canonical_json
from models.evidence_schema import evidence_failures
from models.listing import ListSpec
from models.program import Program
from models.text import MAX_JSON_BYTES, check_json, check_line, check_text

MAX_DOCUMENTS = 20
MAX_URI_LENGTH = 2_000
MAX_DOCUMENT_NAME_LENGTH = 255
MAX_DOCUMENT_BYTES = 2**31 - 1
# Whoever shows a document may make a link of its URI: nothing here runs or reads a local file.
URI_SCHEMES = frozenset({"https", "s3", "gs"})
# The characters of RFC 3986.
_URI = re.compile(r"([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_SHA256 = re.compile("[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


class Evidence(AccountScoped, OwnId, Base):
    """One submission. It never changes; a further one stands beside it."""

    __tablename__ = "evidence"
    __table_args__ = (
        account_key(),
        own_key("requirement_id", "requirements"),
        # A submission holds something.
        CheckConstraint(
            "coalesce(jsonb_typeof(payload), 'null') <> 'null' "
            "OR jsonb_array_length(documents) > 0",
            name="not_empty",
        ),
        Index("ix_evidence_requirement", "account_id", "requirement_id", "submitted_at", "id"),
    )

    requirement_id: Mapped[uuid.UUID]
    payload: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    documents: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    submitted_by_kind: Mapped[str]
    submitted_by_id: Mapped[str]
    submitted_by_name: Mapped[str | None]
    submitted_at: Mapped[datetime]


@dataclass(frozen=True)
class DocumentReference:
    """Where a document lies and what it must be: URI, SHA-256 in hex, media type, size, name."""

    uri: str
    sha256: str
    media_type: str
    bytes: int
    name: str


def check_evidence(
    program: Program, payload: Any | None, documents: Sequence[DocumentReference]
) -> None:
    """Raise `InvalidInput` or, where the program's JSON Schema refuses it, `EvidenceInvalid`.

    A submission of documents alone is held against the schema as an empty object.
    """
    if payload is None and not documents:
        raise InvalidInput("Evidence must hold a payload, documents, or both.", ("payload",))
    check_json(payload, "payload")
    if payload is not None and len(orjson.dumps(payload)) > MAX_JSON_BYTES:
        message = f"A payload must have at most {MAX_JSON_BYTES} bytes of JSON."
        raise InvalidInput(message, ("payload",))
    check_documents(documents, "documents")
    failures = evidence_failures(program.evidence_schema, {} if payload is None else payload)
    if failures:
        raise EvidenceInvalid(failures)


def check_documents(documents: Sequence[DocumentReference], *field: str) -> None:
    """Raise `InvalidInput` for too many of them, and for one that is no reference."""
    if len(documents) > MAX_DOCUMENTS:
        raise InvalidInput(f"At most {MAX_DOCUMENTS} documents.", field)
    for index, document in enumerate(documents):
        _check_document(document, *field, str(index))


def new_evidence(
    unit: Unit,
    requirement_id: uuid.UUID,
    payload: Any | None,
    documents: Sequence[DocumentReference],
) -> Evidence:
    """The row of one submission, to be written with the open unit."""
    row = unit.new_row()
    evidence = Evidence(
        account_id=row["account_id"],
        platform_id=row["platform_id"],
        id=row["id"],
        requirement_id=requirement_id,
        payload=payload,
        documents=[asdict(document) for document in documents],
        submitted_at=unit.now,
    )
    stamp(evidence, "submitted_by", unit.actor)
    unit.add(evidence)
    return evidence


def payload_hash(payload: Any) -> str:
    """The SHA-256, in hex, of the payload's canonical JSON: what the event holds instead of it."""
    return hashlib.sha256(canonical_json(payload)).hexdigest()


def _check_document(document: DocumentReference, *field: str) -> None:
    check_text(document.uri, MAX_URI_LENGTH, *field, "uri")
    check_line(document.name, MAX_DOCUMENT_NAME_LENGTH, *field, "name")
    if not _is_uri(document.uri):
        schemes = ", ".join(sorted(URI_SCHEMES))
        message = (
            f"This must be a URI (RFC 3986) with a host, one of the schemes {schemes}, and no "
            "user name; what a URI can't hold is percent-encoded."
        )
        raise InvalidInput(message, (*field, "uri"))
    if not _SHA256.fullmatch(document.sha256):
        raise InvalidInput("A SHA-256 must be 64 lower-case hex digits.", (*field, "sha256"))
    if not _MEDIA_TYPE.fullmatch(document.media_type):
        raise InvalidInput("A media type must look like application/pdf.", (*field, "mediaType"))
    if not 0 < document.bytes <= MAX_DOCUMENT_BYTES:
        message = f"A size must be 1 to {MAX_DOCUMENT_BYTES} bytes."
        raise InvalidInput(message, (*field, "bytes"))


def _is_uri(value: str) -> bool:
    # Looked at first: what reads URIs leaves out line breaks and tabs where it finds some.
    if not _URI.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    # A user's name is where a link says one host and leads to another.
    return parts.scheme in URI_SCHEMES and bool(parts.hostname) and "@" not in parts.netloc


EVIDENCE = ListSpec(
    name="evidence",
    table=cast(Table, Evidence.__table__),
    orders={"SUBMITTED_AT": "submitted_at"},
)
