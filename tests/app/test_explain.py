"""`recourse explain`: it shows what the server does, changes nothing and gives nothing away."""

import asyncio
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from asyncpg import DivisionByZeroError
from sqlalchemy.ext.asyncio import create_async_engine

from app.application import build_application
from app.cli import main
from app.database import Database
from app.embedded import EmbeddedPostgres
from app.settings import Settings
from app.statements import RecordingReader
from app.tokens import TokenSigner
from models.actor import Actor, Role
from models.clock import SystemClock
from models.ids import account_id_for, hex_id, platform_id_for
from models.migrate import pending
from models.reading import Query, Record
from resolvers.ids import ACCOUNT, encode_one
from tests.bench.data import ACCOUNTS_PER_PAGE, PLATFORM_ID
from tests.bench.queries import DASHBOARD_DOCUMENT
from tests.bench.scene import prepare
from tests.resolvers.api import StatementLog

FIRST = f'{{"first": {ACCOUNTS_PER_PAGE}}}'
EXTERNAL_ID = "acct_bench_00007"
ONE_ACCOUNT = """
query One($id: String!) { account(externalId: $id) { id businessName holds { id } } }
"""
COUNTS = "{ requirements(first: 1) { totalCount totalCountIsCapped } viewer { __typename id } }"
MUTATION = """
mutation { accountCreate(input: {externalId: "x", businessName: "x", country: "DE"}) {
  account { id }
} }
"""


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, as JSON."""
        return orjson.loads(self.out)


Explain = Callable[..., Done]


@pytest.fixture(scope="module")
async def store_url(database_url: str) -> str:
    """A store with the accounts of the benchmark, and what hangs on them."""
    await prepare(database_url, ACCOUNTS_PER_PAGE + 1, 0)
    return database_url


@pytest.fixture
def explain(
    store_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Explain:
    """Runs the command on a document, in this process."""
    monkeypatch.setenv("RECOURSE_DATABASE_URL", store_url)
    monkeypatch.setenv("COLUMNS", "100")

    def run(document: str, *options: str) -> Done:
        file = tmp_path / "query.graphql"
        file.write_text(document)
        monkeypatch.setattr(sys, "argv", ["recourse", "explain", str(file), *options])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        code = end.value.code
        return Done(code if isinstance(code, int) else 0, printed.out, printed.err)

    return run


def steps(done: Done) -> dict[str, Any]:
    """The fields of an explanation, by their path."""
    fields = (field for level in done.data["levels"] for field in level["fields"])
    return {".".join(field["path"]): field for field in fields}


def test_each_level_is_shown_with_how_its_fields_are_resolved(explain: Explain) -> None:
    done = explain(DASHBOARD_DOCUMENT, "--variables", FIRST)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    headings = [line for line in lines if line.startswith("level ")]
    assert headings[0] == "level 1: Query x 1"
    assert headings[2] == "level 3: Account x 50, at accounts.nodes"
    assert [heading[6] for heading in headings] == ["1", "2", "3", "4", "5", "6", "6", "7", "7"]
    assert "  function   accounts -> 1 AccountConnection" in lines
    assert "  batched    requirements -> 50 RequirementConnection" in lines
    assert "  batched    interactions -> 250 InteractionConnection" in lines
    assert "  attribute  externalId, businessName, country, riskTier, createdAt" in lines


def test_each_statement_is_shown_on_a_line_with_its_cost(explain: Explain) -> None:
    done = explain(DASHBOARD_DOCUMENT, "--variables", FIRST)
    found = [line for line in done.out.splitlines() if line.startswith("    cost ")]
    assert len(found) == 4
    assert "51 rows of 51 expected: SELECT " in found[0]
    assert all(": SELECT ... FROM " in line and len(line) <= 100 for line in found)
    assert "7 levels, 1,601 objects, 4 statements at an estimated cost of " in done.out
    assert "of the 20,000 that a request may read" in done.out
    full = explain(DASHBOARD_DOCUMENT, "--variables", FIRST, "--sql").out.splitlines()
    whole = [line for line in full if line.startswith("    cost ")]
    assert len(whole) == 4
    assert not any("..." in line for line in whole)
    assert all("LIMIT $" in line for line in whole)
    assert "--sql" in done.out.splitlines()[-1]
    assert not any("--sql" in line for line in full)


def test_the_same_comes_as_json(explain: Explain) -> None:
    done = explain(DASHBOARD_DOCUMENT, "--variables", FIRST, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.data["totals"]["levels"] == len(done.data["levels"]) == 7
    assert (done.data["errors"], done.data["otherStatements"]) == ([], [])
    assert 0 < done.data["nodes"]["read"] <= done.data["nodes"]["most"] == 20_000
    found = steps(done)
    requirements = found["accounts.nodes.requirements"]
    [statement] = requirements.pop("statements")
    assert requirements == {
        "path": ["accounts", "nodes", "requirements"],
        "type": "Account",
        "field": "requirements",
        "resolved": "batched",
        "objects": 50,
        "gives": "RequirementConnection",
        "given": 50,
        "errors": 0,
    }
    assert (statement["rows"], statement["cost"] > 0) == (250, True)
    costs = [one["cost"] for field in steps(done).values() for one in field["statements"]]
    assert done.data["totals"]["cost"] == round(sum(costs), 2)


async def test_there_are_as_many_statements_as_over_http(
    explain: Explain, store_url: str, signer: TokenSigner
) -> None:
    log, database, clock = StatementLog(), Database.connect(store_url), SystemClock()
    log.listen(database)
    application = build_application(Settings(), database, signer, clock)
    token = signer.sign(Role.REVIEWER, "demo", "ada")
    headers = {"authorization": f"Bearer {token}"}
    for document, variables in ((DASHBOARD_DOCUMENT, FIRST), (COUNTS, "{}")):
        body = {"query": document, "variables": orjson.loads(variables)}
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, headers=headers) as client:
            with log.during() as sent:
                answer = await client.post("http://recourse.test/graphql", json=body)
                await asyncio.sleep(0)
        assert "errors" not in answer.json()
        over_http = [" ".join(one.split()) for one in sent if one.startswith("SELECT")]
        options = ("--variables", variables, "--json")
        done = await asyncio.to_thread(explain, document, *options)
        shown = [one["sql"] for field in steps(done).values() for one in field["statements"]]
        assert sorted(shown) == sorted(over_http)
    await database.close()


def test_fields_that_share_a_statement_show_it_once(explain: Explain) -> None:
    found = steps(explain(COUNTS, "--json"))
    assert len(found["requirements.totalCount"]["statements"]) == 1
    assert found["requirements.totalCountIsCapped"]["statements"] == []
    assert found["viewer.__typename"]["resolved"] == "__typename"
    assert "  __typename __typename" in explain(COUNTS).out


def test_an_alias_is_shown_with_the_field_behind_it(explain: Explain) -> None:
    assert "  attribute  who: id" in explain("{ viewer { who: id } }").out


@pytest.mark.parametrize("options", [(), ("--sql",), ("--json",)])
def test_values_are_never_shown(explain: Explain, options: tuple[str, ...]) -> None:
    done = explain(ONE_ACCOUNT, "--variables", f'{{"id": "{EXTERNAL_ID}"}}', *options)
    assert done.code == 0
    assert "SELECT" in done.out
    for secret in (EXTERNAL_ID, "Harbour", str(PLATFORM_ID)):
        assert secret not in done.out + done.err


def test_variables_may_be_in_a_file_and_the_document_come_by_standard_input(
    explain: Explain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "variables.json").write_text(FIRST)
    options = ("--variables", f"@{tmp_path / 'variables.json'}", "--json")
    assert steps(explain(DASHBOARD_DOCUMENT, *options))["accounts.nodes"]["given"] == 50
    stdin = io.TextIOWrapper(io.BytesIO(DASHBOARD_DOCUMENT.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "argv", ["recourse", "explain", "-", *options])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0


def test_one_of_several_operations_is_named(explain: Explain) -> None:
    two = "query A { viewer { id } } query B { viewer { role } }"
    assert "viewer.role" in steps(explain(two, "--operation", "B", "--json"))


def test_an_account_user_sees_what_row_security_leaves(explain: Explain) -> None:
    document = "{ viewer { role account { externalId } } requirements(first: 10) { nodes { id } } }"
    options = ("--role", "account_user", "--json")
    for name in (
        EXTERNAL_ID,
        encode_one(ACCOUNT, hex_id(account_id_for(PLATFORM_ID, EXTERNAL_ID))),
    ):
        found = steps(explain(document, *options, "--account", name))
        assert found["viewer.account"]["given"] == 1
        assert found["requirements.nodes"]["given"] == 5


def test_what_went_wrong_is_told_after_what_was_run(explain: Explain) -> None:
    done = explain('{ account(externalId: "nobody") { id } viewer { id } }')
    assert done.code == 1
    assert "  function   account -> 0 Account, 1 error" in done.out
    assert done.err == "error: account: There is no such account.\n"


@pytest.mark.parametrize(
    ("document", "options", "message"),
    [
        (MUTATION, (), "Only a query can be explained, not a mutation."),
        ("subscription { viewer { id } }", (), "subscription"),
        ("{ viewer { id }", (), "line 1, column 16: Syntax Error: Expected Name, found <EOF>."),
        ("", (), "line 1, column 1: Syntax Error: Unexpected <EOF>."),
        ("{ viewer { nope no } }", (), "line 1, column 12: Cannot query field 'nope'"),
        ("{ viewer { nope no } }", (), "(and 1 more)"),
        (
            DASHBOARD_DOCUMENT,
            (),
            "line 2, column 17: Variable '$first' has invalid value: "
            "Expected a value of non-null type 'Int!' to be provided.",
        ),
        (
            DASHBOARD_DOCUMENT,
            ("--variables", '{"first": "x"}'),
            "Variable '$first' has invalid value: Int cannot represent non-integer value.\n",
        ),
        (DASHBOARD_DOCUMENT, ("--variables", "first=1"), "The variables are not JSON."),
        (DASHBOARD_DOCUMENT, ("--variables", "[1]"), "The variables are not a JSON object."),
        (DASHBOARD_DOCUMENT, ("--variables", "@/nowhere"), "/nowhere can't be read: No such file"),
        (DASHBOARD_DOCUMENT, ("--operation", "Other"), "There is no operation Other in it."),
        ("query A { viewer { id } } query B { viewer { id } }", (), "say which by --operation."),
        (COUNTS, ("--platform", "nowhere"), "There is no such platform."),
        (
            COUNTS,
            ("--role", "account_user", "--account", "nobody"),
            "There is no such account on the platform.",
        ),
        (
            COUNTS,
            ("--role", "account_user", "--account", "acc_nonsense"),
            "This is not an id of this API.",
        ),
    ],
)
def test_what_can_not_be_explained_is_a_line(
    explain: Explain, document: str, options: tuple[str, ...], message: str
) -> None:
    done = explain(document, *options)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: ")
    assert message in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("name", ["nowhere.graphql", "."])
def test_a_file_that_can_not_be_read_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["recourse", "explain", name])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: {name} can't be read: ")


def test_a_file_that_is_no_text_is_named(explain: Explain, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xff\xd8\xff")
    done = explain(COUNTS, "--variables", f"@{tmp_path / 'image'}")
    assert done.err == f"error: {tmp_path / 'image'} is not in UTF-8.\n"


def test_an_account_goes_with_account_users(explain: Explain) -> None:
    for options in (("--role", "account_user"), ("--account", EXTERNAL_ID)):
        done = explain(COUNTS, *options)
        assert (done.code, done.out) == (2, "")


async def test_an_old_schema_is_named_and_left_alone(
    explain: Explain, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create_database("explain_empty")
    monkeypatch.setenv("RECOURSE_DATABASE_URL", url)
    done = await asyncio.to_thread(explain, COUNTS)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: Migrations to run: 0001, ")
    engine = create_async_engine(url)
    assert (await pending(engine))[0] == "0001"
    await engine.dispose()
    postgres.drop_database("explain_empty")


def test_a_database_that_is_away_is_a_line(
    explain: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOURSE_DATABASE_URL", "postgresql://u:swordfish@127.0.0.1:1/x")
    done = explain(COUNTS)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: The database can't be used: ")
    assert "swordfish" not in done.err


async def test_a_statement_that_failed_has_an_estimate_too(database: Database) -> None:
    actor = Actor(Role.REVIEWER, "rita", platform_id_for("demo"))
    reader = RecordingReader(database.read_pool_for(actor), actor)
    query = Query("SELECT 1 / $1::int\n AS one", ("divisor",))
    await reader.fetch(query, {"divisor": 1}, Record)
    with pytest.raises(DivisionByZeroError):
        await reader.fetch(query, {"divisor": 0}, Record)
    await reader.estimate()
    await reader.close()
    statements = reader.recorded.of(None)
    assert [one.rows for one in statements] == [1, None]
    assert statements[0].cost is not None
    assert {one.sql for one in reader.recorded.all} == {"SELECT 1 / $1::int AS one"}
    assert "arguments" not in repr(statements)
