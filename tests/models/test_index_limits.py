"""What stands in an index has a limit: PostgreSQL refuses a row of more than 2,704 bytes there.

A character of UTF-8 takes up to four bytes, and no compression helps against random text.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, String, Table, Text, UniqueConstraint

from app.tokens import MAX_SUBJECT_LENGTH
from models.actor import ActorKind
from models.idempotency import MAX_KEY_LENGTH
from models.platform import MAX_SLUG_LENGTH
from models.program_checks import MAX_CODE_LENGTH
from models.requirement import MAX_ACTOR_ID_LENGTH
from models.search import MAX_TERM_LENGTH
from models.stripe.snapshot import MAX_FIELD_LENGTH
from models.stripe_import import ORIGIN
from models.tables import METADATA

MOST_BYTES = 2_600
BYTES_A_CHARACTER = 4
CALLER = max(map(len, ActorKind)) + 1 + MAX_SUBJECT_LENGTH
# The most characters of each text in an index that a caller may choose.
LONGEST = {
    "platforms.slug": MAX_SLUG_LENGTH,
    "programs.code": MAX_CODE_LENGTH,
    "account_terms.term": MAX_TERM_LENGTH,
    "idempotency_keys.caller": CALLER,
    "idempotency_keys.key": MAX_KEY_LENGTH,
    "platform_idempotency_keys.caller": CALLER,
    "platform_idempotency_keys.key": MAX_KEY_LENGTH,
    "requirements.origin": len(ORIGIN) + MAX_FIELD_LENGTH,
    "requirements.assignee_key": MAX_ACTOR_ID_LENGTH,
    "requirements.program_code": MAX_CODE_LENGTH,
    "resolutions.reason_code": MAX_CODE_LENGTH,
}
WORD = 40


def indexes() -> Iterator[tuple[str, Sequence[Column[Any]]]]:
    """The columns of every index, those of keys included."""
    for table in METADATA.sorted_tables:
        unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        found: list[Any] = [table.primary_key, *unique, *table.indexes]
        for index in found:
            yield str(index.name), list(index.columns)


def is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String | Text)


def is_word(column: Column[Any]) -> bool:
    """Whether a check holds the column to some words of ours."""
    table = column.table
    assert isinstance(table, Table)
    names = [str(constraint.name) for constraint in table.constraints]
    return any(name.endswith(f"_{column.name}_known") for name in names) or (
        # Two letters.
        column.name == "country"
    )


def test_what_stands_in_an_index_fits_into_it() -> None:
    for name, columns in indexes():
        texts = [column for column in columns if is_text(column)]
        unknown = [one for one in texts if str(one) not in LONGEST and not is_word(one)]
        assert not unknown, f"{name}: {unknown} have no limit here"
        characters = sum(LONGEST.get(str(column), WORD) for column in texts)
        others = len(columns) - len(texts)
        assert characters * BYTES_A_CHARACTER + 16 * others < MOST_BYTES, name
