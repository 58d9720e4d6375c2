"""Search by words: a table of terms, since full text search has no index under row security."""

import re
import unicodedata
import uuid
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Index, and_, bindparam, exists
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AccountScoped, Base, account_key
from models.bounds import Columns

MAX_TERMS = 24
MAX_TERM_LENGTH = 64
MAX_SEARCH_WORDS = 5
_WORD = re.compile(r"\w+")


class AccountTerm(AccountScoped, Base):
    """One word under which an account is found."""

    __tablename__ = "account_terms"
    __table_args__ = (
        account_key(),
        # text_pattern_ops: its comparisons are leakproof, those of the default collation are not.
        Index(
            "ix_account_terms_term",
            "platform_id",
            "term",
            "account_id",
            postgresql_ops={"term": "text_pattern_ops"},
        ),
    )

    term: Mapped[str] = mapped_column(primary_key=True)


def terms(*texts: str) -> list[str]:
    """The words of the texts, folded and without accents, each once, in order of appearance."""
    found: dict[str, None] = {}
    for text in texts:
        plain = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(char for char in plain if not unicodedata.combining(char))
        found.update((word[:MAX_TERM_LENGTH], None) for word in _WORD.findall(plain))
    return list(found)[:MAX_TERMS]


def term_rows(
    account_id: uuid.UUID, platform_id: uuid.UUID, words: Iterable[str]
) -> list[AccountTerm]:
    """The rows that let the account be found by `words`."""
    return [AccountTerm(account_id=account_id, platform_id=platform_id, term=w) for w in words]


def has_term(account: Columns, number: int) -> ColumnElement[bool]:
    """That an account has a word beginning with `:term_<number>`; up to `:term_<number>_end`."""
    word = AccountTerm.__table__.alias(f"term_{number}")
    return exists().where(
        and_(
            word.c.account_id == account["account_id"],
            word.c.platform_id == bindparam("platform_id"),
            word.c.term.op("~>=~")(bindparam(f"term_{number}")),
            word.c.term.op("~<~")(bindparam(f"term_{number}_end")),
        )
    )


def prefix_end(prefix: str) -> str:
    """The first text after all that begin with `prefix`, in byte order."""
    return prefix + "\U0010ffff"
