"""Accounts are found by their words, however they are written, and by nobody else's."""

import pytest
from sqlalchemy import select

from models import account as accounts
from models.account import UpdateAccount
from models.search import MAX_TERM_LENGTH, MAX_TERMS, AccountTerm, prefix_end, terms
from tests.factories import Runner, create_account


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Acme Ltd", ["acme", "ltd"]),
        ("Zoë's Café", ["zoe", "s", "cafe"]),
        ("STRASSE Straße", ["strasse"]),
        ("ﬁnance Ⅳ", ["finance", "iv"]),
        ("İstanbul", ["istanbul"]),
        ("acct_1A-2b", ["acct_1a", "2b"]),
        ("株式会社 トヨタ", ["株式会社", "トヨタ"]),
        ("  ", []),
        ("!!! --- '; DROP TABLE", ["drop", "table"]),
        ("a a A á", ["a"]),
        ("🗝", []),
        ("", []),
    ],
)
def test_words_are_folded_and_each_is_there_once(text: str, words: list[str]) -> None:
    assert terms(text) == words


def test_words_are_bounded_in_number_and_length() -> None:
    assert len(terms(" ".join(f"w{n}" for n in range(1_000)))) == MAX_TERMS
    assert terms("x" * 1_000) == ["x" * MAX_TERM_LENGTH]
    assert terms("one", "two one") == ["one", "two"]


@pytest.mark.parametrize("prefix", ["a", "acme", "ä", "株", "z" * 64])
def test_what_begins_with_a_prefix_lies_before_its_end(prefix: str) -> None:
    end = prefix_end(prefix).encode()
    for rest in ("", "a", "zzz", "ÿ", "株", "\uffff", "🗝"):
        assert prefix.encode() <= (prefix + rest).encode() < end
    assert chr(ord(prefix[-1]) + 1).encode() > prefix.encode()
    assert (prefix[:-1] + chr(ord(prefix[-1]) + 1)).encode() > end


async def stored(run: Runner, account_id: object) -> set[str]:
    async with run.database.session_for(run.system) as session:
        found = await session.scalars(
            select(AccountTerm.term).where(AccountTerm.account_id == account_id)
        )
        return set(found)


async def test_an_account_is_found_by_its_name_and_its_external_id(run: Runner) -> None:
    account = await create_account(run, external_id="acct_1-B", business_name="Zoë & Sons")
    assert await stored(run, account.account_id) == {"acct_1-b", "acct_1", "b", "zoe", "sons"}


async def test_a_new_name_takes_the_place_of_the_old(run: Runner) -> None:
    account = await create_account(run, external_id="x9", business_name="Acme Berlin")
    changes = {"business_name": "Acme Paris", "capabilities": ["PAYOUTS"], "email": None}
    command = UpdateAccount(account_id=account.account_id, changes=changes)
    await run(accounts.update, run.reviewer, command)
    assert await stored(run, account.account_id) == {"x9", "acme", "paris"}


async def test_a_name_without_words_and_one_of_many_are_kept(run: Runner) -> None:
    silent = await create_account(run, external_id="q1", business_name="🗝")
    assert await stored(run, silent.account_id) == {"q1"}
    long = await create_account(run, external_id="E" * 200, business_name="w " * 150)
    assert await stored(run, long.account_id) == {"e" * 200, "e" * 64, "w"}
