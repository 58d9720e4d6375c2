"""Importing a file of Stripe's account objects: one object, an array, or JSON lines.

Lines are read one at a time, so that a file of them may be of any size. What can't be used is
skipped with its place and the reason, and the rest lands.
"""

import codecs
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy.exc import DataError, IntegrityError

from app.database import Database
from models.clock import Clock
from models.errors import RecourseError
from models.ids import platform_id_for
from models.platform import ensure_platform
from models.stripe_import import Effect, Imported, import_account, importer, prepare

MAX_LINE_BYTES = 2_000_000
# What is not in lines is held in memory as a whole.
MAX_WHOLE_BYTES = 100_000_000
MAX_REASON_LENGTH = 300
MAX_SKIPPED_KEPT = 1_000
BLANKS = b" \t\r\n"
OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class ImportUnreadable(Exception):
    """The file as a whole can't be read; nothing of it was imported."""


@dataclass(frozen=True)
class Skipped:
    """What was not imported: its place in the file, such as line 7, and why."""

    place: str
    reason: str


@dataclass
class Summary:
    """What an import came to.

    `skipped` holds the first thousand of what was skipped, `skipped_count` how many there were.
    `ignored_capabilities` counts Stripe's capabilities that are not ours.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    skipped_count: int = 0
    ignored_capabilities: Counter[str] = field(default_factory=Counter)

    def add(self, imported: Imported) -> None:
        """Count an object that was imported."""
        self.created += imported.effect is Effect.CREATED
        self.updated += imported.effect is Effect.UPDATED
        self.unchanged += imported.effect is Effect.UNCHANGED
        self.ignored_capabilities.update(imported.ignored)

    def skip(self, place: str, reason: str) -> None:
        """Count an object that was not."""
        self.skipped_count += 1
        if len(self.skipped) < MAX_SKIPPED_KEPT:
            self.skipped.append(Skipped(place, reason[:MAX_REASON_LENGTH]))


@dataclass(frozen=True)
class Entry:
    """One object of the file, or why there is none at its place."""

    place: str
    value: Any = None
    problem: str | None = None


async def import_stripe(
    database: Database,
    clock: Clock,
    platform: str,
    file: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> Summary:
    """Import the file's accounts into the platform with this slug, which is made if need be.

    `progress` is called with the number of objects done. Raises `ImportUnreadable`.
    """
    actor = importer(platform_id_for(platform))
    summary = Summary()
    with _opened(file) as stream:
        entries = _entries(stream)
        async with database.session_for(actor) as session:
            await ensure_platform(session, clock, platform)
            programs = await prepare(session, actor, clock)
        for done, entry in enumerate(entries, 1):
            if entry.problem is not None:
                summary.skip(entry.place, entry.problem)
            else:
                async with database.session_for(actor) as session:
                    try:
                        imported = await import_account(
                            session, actor, clock, programs, entry.value
                        )
                        summary.add(imported)
                    except RecourseError as error:
                        summary.skip(entry.place, _reason(error))
                    except (DataError, IntegrityError):
                        summary.skip(entry.place, "The store refuses what it says.")
            progress(done)
    return summary


def check_readable(file: Path) -> None:
    """Raise `ImportUnreadable` where the file can't be opened."""
    _opened(file).close()


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise ImportUnreadable(f"{file} can't be read: {error.strerror}.") from error


def _reason(error: RecourseError) -> str:
    place = ".".join(error.field)
    return f"{place}: {error.message}" if place else error.message


def _entries(stream: BinaryIO) -> Iterator[Entry]:
    """The file's objects, in whichever of the three forms it has."""
    try:
        start = stream.read(len(codecs.BOM_UTF8))
        if start.startswith(OTHER_ENCODINGS):
            raise ImportUnreadable("The file is not in UTF-8.")
        begin = len(start) if start == codecs.BOM_UTF8 else 0
        whole = _whole(stream, begin)
        stream.seek(begin)
    except OSError as error:
        raise ImportUnreadable(f"The file can't be read: {error.strerror or error}.") from error
    return _lines(stream) if whole is None else _unpacked(whole, "the object")


def _whole(stream: BinaryIO, begin: int) -> Any | None:
    """The value of a file that is one JSON text over several lines; None for JSON lines."""
    stream.seek(begin)
    first = b"\n"
    while first and not first.strip(BLANKS):
        first = stream.readline(MAX_LINE_BYTES).lstrip(BLANKS)
    is_array = first.startswith(b"[")
    if not is_array and (not first.startswith(b"{") or _loaded(first)[1] is None):
        return None
    stream.seek(begin)
    text = stream.read(MAX_WHOLE_BYTES + 1)
    if len(text) <= MAX_WHOLE_BYTES:
        value, problem = _loaded(text)
        if problem is None or not is_array:
            return value
        raise ImportUnreadable(problem)
    if is_array:
        megabytes = MAX_WHOLE_BYTES // 1_000_000
        raise ImportUnreadable(f"An array of more than {megabytes} MB: make it JSON lines.")
    return None


def _lines(stream: BinaryIO) -> Iterator[Entry]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        place = f"line {number}"
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            _pass_line(stream)
            yield Entry(place, problem=f"Longer than {MAX_LINE_BYTES} bytes.")
        elif line.strip(BLANKS):
            value, problem = _loaded(line)
            if problem is None:
                yield from _unpacked(value, place)
            else:
                yield Entry(place, problem=problem)


def _unpacked(value: Any, place: str) -> Iterator[Entry]:
    """The items of an array, or of a list as Stripe's API returns it; else the value itself."""
    if isinstance(value, dict) and value.get("object") == "list":
        value = value.get("data")
    if not isinstance(value, list):
        yield Entry(place, value)
        return
    within = "" if place == "the object" else f"{place}, "
    for index, item in enumerate(value):
        yield Entry(f"{within}index {index}", item)


def _pass_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _loaded(text: bytes) -> tuple[Any, str | None]:
    """The JSON value, or None and what is wrong with the text."""
    try:
        return orjson.loads(text), None
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, " if b"\n" in text.strip(BLANKS) else ""
        return None, f"Not JSON: {error.msg} ({where}column {error.colno})."
