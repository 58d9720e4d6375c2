"""Files of Stripe's accounts in every form, and what is wrong with some of them."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app import importing
from app.database import Database
from app.importing import ImportUnreadable, Summary, import_stripe
from models.clock import ManualClock
from models.ids import platform_id_for
from tests.conftest import START
from tests.factories import unique

REAL = Path(__file__).parents[1] / "data" / "stripe_account.json"


def account(name: str, **more: Any) -> dict[str, Any]:
    return {"object": "account", "id": name, "country": "DE", **more}


@pytest.fixture
def slug() -> str:
    return unique("import")


class Importer:
    """Imports contents into one platform, by way of a file."""

    def __init__(self, database: Database, owner: AsyncEngine, slug: str, folder: Path) -> None:
        self.database, self.owner, self.slug = database, owner, slug
        self.file = folder / "accounts.json"
        self.done: list[int] = []

    async def __call__(self, content: bytes | str) -> Summary:
        self.file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return await self.of(self.file)

    async def of(self, file: Path) -> Summary:
        clock = ManualClock(START)
        return await import_stripe(self.database, clock, self.slug, file, self.done.append)

    async def accounts(self) -> list[str]:
        query = "SELECT external_id FROM accounts WHERE platform_id = :p ORDER BY external_id"
        async with self.owner.connect() as connection:
            values = {"p": platform_id_for(self.slug)}
            return list(await connection.scalars(text(query), values))


@pytest.fixture
def stripe(database: Database, owner_engine: AsyncEngine, slug: str, tmp_path: Path) -> Importer:
    return Importer(database, owner_engine, slug, tmp_path)


def effects(summary: Summary) -> tuple[int, int, int, int]:
    return summary.created, summary.updated, summary.unchanged, summary.skipped_count


async def test_a_real_account_and_again(stripe: Importer) -> None:
    assert effects(await stripe.of(REAL)) == (1, 0, 0, 0)
    assert effects(await stripe.of(REAL)) == (0, 0, 1, 0)


TWO = [account("a"), account("b")]
LINES = "\n".join(map(json.dumps, TWO))


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(TWO),
        json.dumps(TWO, indent=2),
        "\n\n " + json.dumps(TWO),
        LINES,
        LINES + "\n",
        LINES.replace("\n", "\r\n") + "\r\n",
        "\n\n" + LINES.replace("\n", "\n  \n\t\n"),
        b"\xef\xbb\xbf" + LINES.encode(),
        b"\xef\xbb\xbf" + json.dumps(TWO).encode(),
        json.dumps({"object": "list", "data": TWO, "has_more": False}),
        json.dumps({"object": "list", "data": TWO}, indent=2),
    ],
)
async def test_every_form_is_read(stripe: Importer, content: bytes | str) -> None:
    assert effects(await stripe(content)) == (2, 0, 0, 0)
    assert await stripe.accounts() == ["a", "b"]
    assert stripe.done == [1, 2]


async def test_one_object_over_several_lines_is_one(stripe: Importer) -> None:
    assert effects(await stripe(json.dumps(account("a"), indent=2))) == (1, 0, 0, 0)


@pytest.mark.parametrize("content", ["", "\n", " \r\n\n", b"\xef\xbb\xbf", "[]"])
async def test_an_empty_file_is_no_account(stripe: Importer, content: bytes | str) -> None:
    assert effects(await stripe(content)) == (0, 0, 0, 0)


async def test_bad_lines_are_named_and_the_rest_lands(
    stripe: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_LINE_BYTES", 5_000)
    good = json.dumps(account("good")).encode()
    lines = [
        (b"{oops}", "Not JSON"),
        (b'{"id": "cut', "Not JSON"),
        (good, None),
        (b"", None),
        (b"null", "Not a JSON object"),
        (b"17", "Not a JSON object"),
        (b'"text"', "Not a JSON object"),
        (b"NaN", "Not JSON"),
        (b"\xff\xfe\x00", "Not JSON"),
        (b'{"id": "\\ud800", "country": "DE"}', "Not JSON"),
        (b'{"id": "nul\\u0000", "country": "DE"}', "id: Text can't hold"),
        (b'{"id": "' + b"x" * 20_000 + b'"}', "Longer than 5000 bytes"),
        (b"[" * 3_000, "Not JSON"),
        (b'{"id": "lost"}', "country: There is no country"),
        (json.dumps(account("huge", requirements={"current_deadline": 10**40})).encode(), "time"),
        (json.dumps(account("last")).encode(), None),
    ]
    summary = await stripe(b"\n".join(line for line, _ in lines))
    assert effects(summary) == (2, 0, 0, 13)
    assert await stripe.accounts() == ["good", "last"]
    expected = [(f"line {n}", why) for n, (_, why) in enumerate(lines, 1) if why]
    assert [skipped.place for skipped in summary.skipped] == [place for place, _ in expected]
    for skipped, (_, why) in zip(summary.skipped, expected, strict=True):
        assert why in skipped.reason


async def test_bad_items_of_an_array_are_named_by_their_index(stripe: Importer) -> None:
    summary = await stripe(json.dumps([account("a"), 5, account("b", email=7), account("c")]))
    assert effects(summary) == (2, 0, 0, 2)
    assert [(skipped.place, skipped.reason) for skipped in summary.skipped] == [
        ("index 1", "Not a JSON object."),
        ("index 2", "email: Not text."),
    ]


async def test_an_account_twice_is_a_later_state(stripe: Importer) -> None:
    states = [account("a"), account("a", email="a@a.example"), account("a", email="a@a.example")]
    assert effects(await stripe("\n".join(map(json.dumps, states)))) == (1, 1, 1, 0)


async def test_capabilities_that_are_not_ours_are_counted(stripe: Importer) -> None:
    kinds = {"transfers": "active", "sepa_debit_payments": "active", "tax_reporting_us_1099_k": "x"}
    summary = await stripe(json.dumps([account("a", capabilities=kinds), account("b")]))
    assert summary.ignored_capabilities == {
        "sepa_debit_payments": 1,
        "tax_reporting_us_1099_k": 1,
    }


@pytest.mark.parametrize(
    "content", [b"\xff\xfe{\x00}\x00", b"[{", b"[1, 2", b"[" * 5_000, b'[{"id": "a"}] x']
)
async def test_a_file_that_is_no_json_as_a_whole_imports_nothing(
    stripe: Importer, content: bytes
) -> None:
    with pytest.raises(ImportUnreadable):
        await stripe(content)
    assert await stripe.accounts() == []


async def test_a_file_that_is_not_there_is_said_so(stripe: Importer, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(ImportUnreadable, match="can't be read"):
            await stripe.of(path)


async def test_an_array_that_is_too_large_asks_for_lines(
    stripe: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_WHOLE_BYTES", 1_000)
    with pytest.raises(ImportUnreadable, match="JSON lines"):
        await stripe(json.dumps([account("a" * 100)] * 20))


async def test_lines_take_no_more_memory_than_one_of_them(stripe: Importer) -> None:
    padding = {"metadata": {"note": "x" * 200_000}}
    with stripe.file.open("w") as file:
        for _ in range(100):
            file.write(json.dumps(account("a", **padding)) + "\n")
        file.write('{"id": "' + "x" * 10_000_000 + '"}\n')
    tracemalloc.start()
    summary = await stripe.of(stripe.file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert effects(summary) == (1, 0, 99, 1)
    assert peak < 12_000_000


async def test_only_so_many_reasons_are_kept(
    stripe: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_SKIPPED_KEPT", 3)
    summary = await stripe("nonsense\n" * 10)
    assert (summary.skipped_count, len(summary.skipped)) == (10, 3)
