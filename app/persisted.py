"""Documents by name: automatic persisted queries, and documents that were trusted beforehand.

Automatic persisted queries are Apollo's protocol: a client sends the SHA-256 of a document alone;
where the server has not seen it, it sends both once. What is kept is bounded in bytes, and only
what is valid is kept: whoever fills it costs others a second request, nothing else.

Trusted documents are those of a manifest that a client's build wrote. They are there from the
start, and may be the only ones that are run.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.calls import Call
from app.documents import Document, DocumentCache
from app.refusals import OperationRefused, RequestRefused
from resolvers.codes import RequestCode

# Beside its text, an entry takes its hash and its place.
ENTRY_BYTES = 200
APOLLO_FORMAT = "apollo-persisted-query-manifest"
_SHA256_PREFIX = "sha256:"


class ManifestWrong(Exception):
    """The manifest of trusted documents can't be used; the message says why, and where."""


@dataclass
class PersistedQueries:
    """Texts by the SHA-256 of each, those not asked for longest leaving first; 0 bytes: none."""

    max_bytes: int
    size: int = 0
    _kept: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def get(self, sha256: str) -> str | None:
        """The text of a hash, if it is kept."""
        text = self._kept.get(sha256)
        if text is not None:
            self._kept.move_to_end(sha256)
        return text

    def keep(self, sha256: str, text: str) -> None:
        """Keep a text, and let go of what no longer fits."""
        if sha256 in self._kept or _weight(text) > self.max_bytes:
            return
        self._kept[sha256] = text
        self.size += _weight(text)
        while self.size > self.max_bytes:
            _, left = self._kept.popitem(last=False)
            self.size -= _weight(left)


def _weight(text: str) -> int:
    return len(text.encode()) + ENTRY_BYTES


@dataclass(frozen=True)
class Trusted:
    """A document of the manifest."""

    text: str
    document: Document


@dataclass(frozen=True)
class Library:
    """Where the document of a call comes from. With `only_trusted`, from the manifest alone."""

    documents: DocumentCache
    persisted: PersistedQueries
    trusted: Mapping[str, Trusted] = field(default_factory=dict)
    only_trusted: bool = False

    def find(self, call: Call) -> Document:
        """The document of a call. Raises `RequestRefused`."""
        name = call.document_id or call.sha256
        if name is not None:
            return self._named(call, name)
        if self.only_trusted:
            raise self._not_trusted()
        assert call.query is not None
        return self.documents.get(call.query)

    def _named(self, call: Call, name: str) -> Document:
        found = self.trusted.get(name) or self.trusted.get(name.removeprefix(_SHA256_PREFIX))
        if found is not None:
            if call.query is not None and call.query != found.text:
                raise _other_text()
            return found.document
        if self.only_trusted:
            raise self._not_trusted()
        if call.sha256 is None:
            raise OperationRefused(
                RequestCode.PERSISTED_QUERY_NOT_FOUND, "No document has this `documentId`."
            )
        return self._persisted(call.query, call.sha256.lower())

    def _persisted(self, query: str | None, sha256: str) -> Document:
        # The messages of these two are what clients of Apollo's protocol look at.
        if self.persisted.max_bytes == 0:
            code = RequestCode.PERSISTED_QUERY_NOT_SUPPORTED
            raise OperationRefused(code, "PersistedQueryNotSupported")
        if query is None:
            known = self.persisted.get(sha256)
            if known is None:
                code = RequestCode.PERSISTED_QUERY_NOT_FOUND
                raise OperationRefused(code, "PersistedQueryNotFound")
            return self.documents.get(known)
        if hashlib.sha256(query.encode()).hexdigest() != sha256:
            raise _other_text()
        document = self.documents.get(query)
        if document.node is not None:
            self.persisted.keep(sha256, query)
        return document

    def _not_trusted(self) -> OperationRefused:
        message = "This server runs trusted documents only; name one by its id."
        return OperationRefused(RequestCode.DOCUMENT_NOT_TRUSTED, message)


def _other_text() -> RequestRefused:
    message = "`query` must be the document that it is named."
    return RequestRefused(400, RequestCode.BAD_REQUEST, message)


def read_manifest(file: Path, documents: DocumentCache) -> dict[str, Trusted]:
    """The documents of a manifest by their ids, each parsed and validated.

    Takes Apollo's `apollo-persisted-query-manifest`, and Relay's and urql's object of texts by ids.
    Raises `ManifestWrong`.
    """
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is not JSON"
        raise ManifestWrong(f"{file}: {why}") from None
    return {
        name: Trusted(text, _valid(file, name, text, documents))
        for name, text in _texts(file, content).items()
    }


def _texts(file: Path, content: Any) -> dict[str, str]:
    pairs = _pairs(file, content)
    if not all(isinstance(part, str) and part for pair in pairs for part in pair):
        raise ManifestWrong(f"{file}: an id or a text is no string, or empty")
    if len({name for name, _ in pairs}) < len(pairs):
        raise ManifestWrong(f"{file}: two operations have one id")
    return dict(pairs)


def _pairs(file: Path, content: Any) -> list[tuple[Any, Any]]:
    if not isinstance(content, dict):
        raise ManifestWrong(f"{file}: neither a manifest of Apollo's nor an object of texts by ids")
    if "operations" not in content:
        return list(content.items())
    if (content.get("format"), content.get("version")) != (APOLLO_FORMAT, 1):
        raise ManifestWrong(f"{file}: not the format {APOLLO_FORMAT} in version 1")
    try:
        return [(each["id"], each["body"]) for each in content["operations"]]
    except (KeyError, TypeError):
        raise ManifestWrong(f"{file}: an operation without id or body") from None


def _valid(file: Path, name: str, text: str, documents: DocumentCache) -> Document:
    document = documents.get(text)
    if document.node is None:
        raise ManifestWrong(f"{file}: the document {name[:100]}: {document.errors[0].message}")
    return document
