"""The commands, on the data directory of a running server."""

import asyncio
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.embedded import DATABASE, PORT, SUPERUSER
from app.settings import Settings
from app.tokens import LIFETIME
from models.authorisation import CALLERS
from resolvers.ids import NOT_AN_ID
from tests.e2e.conftest import DEMO_ACCOUNTS
from tests.e2e.process import ROOT, Recourse, Serving

COMMANDS = ("serve", "migrate", "seed", "import", "token", "verify", "schema", "doctor", "explain")
WHO = "{ viewer { role id account { externalId } } }"
EXTERNAL_ID = "acct_demo_000003"
WHY = ROOT / "examples/why.graphql"


@pytest.fixture(scope="module")
def recourse(initialised: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recourse]:
    folder = tmp_path_factory.mktemp("commands")
    shutil.copytree(initialised, folder / "data")
    recourse = Recourse(folder, {"data_dir": str(folder / "data")})
    yield recourse
    recourse.end()


@pytest.fixture(scope="module")
def server(recourse: Recourse) -> Serving:
    return recourse.launch().ready()


def sql(recourse: Recourse, statement: str) -> None:
    """Run a statement as the owner, whom row security does not bind."""

    async def run() -> None:
        host = str(recourse.data_dir / "socket")
        connection = await asyncpg.connect(host=host, port=PORT, user=SUPERUSER, database=DATABASE)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


@pytest.mark.parametrize("role", [role.lower() for role in CALLERS])
def test_a_token_and_nothing_else_is_printed(
    recourse: Recourse, server: Serving, role: str
) -> None:
    account = ("--account", EXTERNAL_ID) if role == "account_user" else ()
    done = recourse.run("token", "--role", role, *account, "--subject", "ada")
    assert done.returncode == 0
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", done.stdout)
    assert done.stderr == ""
    viewer = server.ask(done.stdout.strip(), WHO)["viewer"]
    assert (viewer["role"], viewer["id"]) == (role.upper(), "ada")
    assert viewer["account"] == ({"externalId": EXTERNAL_ID} if account else None)


def test_a_token_of_another_platform_sees_nothing_of_this_one(
    recourse: Recourse, server: Serving
) -> None:
    done = recourse.run("token", "--role", "admin", "--platform", "another")
    count = "{ accounts(first: 1) { totalCount } }"
    assert server.ask(done.stdout.strip(), count)["accounts"]["totalCount"] == 0
    create = """mutation {
      accountCreate(input: {externalId: "a", businessName: "b", country: "DE"}) {
        account { externalId }
      }
    }"""
    assert server.ask(done.stdout.strip(), create)["accountCreate"]["account"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--role", "account_user"), "--account is missing: "),
        (("--role", "admin", "--account", EXTERNAL_ID), "--account goes with --role account_user"),
        (("--role", "emperor"), "'--role': 'emperor' is not one of 'account_user', "),
        (("--role", "system"), "'--role': 'system' is not one of"),
        ((), "--role"),
    ],
)
def test_a_token_that_can_not_be_is_refused(arguments: tuple[str, ...], words: str) -> None:
    done = CliRunner().invoke(cli, ["token", *arguments])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert words in done.stderr


def test_an_account_user_who_explains_needs_an_account() -> None:
    done = CliRunner().invoke(cli, ["explain", str(WHY), "--role", "account_user"])
    assert done.exit_code == 2
    assert "--account is missing: " in done.stderr


def test_help_says_whom_a_token_is_for(recourse: Recourse) -> None:
    said = " ".join(recourse.run("token", "--help").stdout.replace("│", " ").split())
    assert "[default: (dev-<role>)]" in said
    assert "Whatever takes four eyes" in said


def test_an_id_that_is_none_is_a_line(recourse: Recourse) -> None:
    done = recourse.run("token", "--role", "account_user", "--account", "acc_nonsense")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {NOT_AN_ID}\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--platform", "Weird Slug!"), "a slug is lower-case"),
        (("--platform", ""), "a slug is lower-case"),
        (("--subject", ""), "This can't be blank."),
        (("--subject", "x" * 201), "At most 200 characters"),
        (("--subject", " eve"), "NFC"),
    ],
)
def test_a_name_that_would_not_do_is_refused(options: tuple[str, str], words: str) -> None:
    done = CliRunner().invoke(cli, ["token", "--role", "admin", *options])
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"'{options[0]}'" in done.stderr
    assert words in done.stderr


def test_a_token_of_no_account_is_refused_and_makes_no_platform(
    recourse: Recourse, server: Serving
) -> None:
    user = ("token", "--role", "account_user", "--account", "nope")
    for platform in ("demo", "misspelt"):
        done = recourse.run(*user, "--platform", platform)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "error: There is no such account on the platform.\n"
    done = recourse.run("explain", str(WHY), "--platform", "misspelt")
    assert done.stderr == "error: There is no such platform.\n"


def test_a_platform_that_a_token_makes_is_said_to_be_new(
    recourse: Recourse, server: Serving
) -> None:
    admin = ("token", "--role", "admin", "--platform", "brand-new")
    assert recourse.run(*admin).stderr == "The platform brand-new is new.\n"
    assert recourse.run(*admin).stderr == ""


def test_how_long_a_token_is_good_is_said(server: Serving) -> None:
    days = f"good for {LIFETIME.days} days"
    assert days in CliRunner().invoke(cli, ["token", "--help"]).stdout
    assert days in server.out.read_text()


def test_seeding_goes_on_where_it_stopped(recourse: Recourse, server: Serving) -> None:
    for expected in ("3 accounts are new", "0 accounts are new"):
        done = recourse.run("seed", "--accounts", str(DEMO_ACCOUNTS + 3))
        assert done.returncode == 0
        assert expected in done.stderr
        assert f"{DEMO_ACCOUNTS + 3 - int(expected[0])} were there, and keep" in done.stderr
    found = server.ask("admin", "{ accounts(first: 1) { totalCount } }")
    assert found["accounts"]["totalCount"] == DEMO_ACCOUNTS + 3


@pytest.mark.parametrize(
    ("arguments", "option", "most"),
    [
        (("seed", "--accounts", "99999999999999999999"), "--accounts", "1000000"),
        (("seed", "--accounts", "1000001"), "--accounts", "1000000"),
        (("seed", "--requirements", "99999999999999999999"), "--requirements", "50"),
        (("serve", "--port", "99999999999999999999"), "--port", "65535"),
        (("serve", "--port", "65536"), "--port", "65535"),
    ],
)
def test_a_number_that_is_too_large_is_refused_by_its_option(
    recourse: Recourse, arguments: tuple[str, ...], option: str, most: str
) -> None:
    done = recourse.run(*arguments)
    assert done.returncode == 2
    assert f"Invalid value for '{option}'" in done.stderr
    assert most in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_setting_is_refused_with_the_one_that_is_near(recourse: Recourse) -> None:
    wrong = recourse.having(prot="9000", nonsense="1")
    for command in (
        ("serve",),
        ("migrate",),
        ("seed",),
        ("import", "stripe", str(WHY)),
        ("token", "--role", "admin"),
        ("explain", str(WHY)),
        ("verify",),
    ):
        done = wrong.run(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines() == [
            "error: RECOURSE_NONSENSE: There is no such setting.",
            "error: RECOURSE_PROT: There is no such setting. Did you mean RECOURSE_PORT?",
            "`recourse doctor` shows all settings.",
        ]


def test_a_wrong_setting_does_not_hide_the_others_from_the_doctor(
    recourse: Recourse, server: Serving
) -> None:
    wrong = recourse.having(prot="9000", port="many", nonsense="1", pool_size="3")
    done = wrong.run("doctor")
    assert done.returncode == 1
    assert done.stdout.count("NOT OK: ") == 3
    assert "NOT OK: RECOURSE_PORT: This takes a whole number.\n" in done.stdout
    assert "NOT OK: RECOURSE_NONSENSE: There is no such setting.\n" in done.stdout
    assert "NOT OK: RECOURSE_PROT: There is no such setting. Did you mean RECOURSE_P" in done.stdout
    assert "RECOURSE_POOL_SIZE = 3 " in done.stdout
    assert "RECOURSE_PORT = " not in done.stdout
    assert "\nok: all migrations have run\n" in done.stdout


def test_migrating_twice_is_harmless(recourse: Recourse, server: Serving) -> None:
    done = recourse.run("migrate")
    assert done.returncode == 0
    assert "up to date" in done.stderr
    server.ask("admin", WHO)


def test_what_was_tampered_with_is_found_and_named(recourse: Recourse, server: Serving) -> None:
    clean = recourse.run("verify")
    assert (clean.returncode, clean.stdout) == (0, "")
    assert "0 differences" in clean.stderr
    where = "WHERE sequence = 2 AND account_id IN (SELECT account_id FROM accounts LIMIT 1)"
    sql(recourse, f"UPDATE events SET actor_id = 'eve' {where}")
    sql(
        recourse,
        "UPDATE capabilities SET disabled_reason = 'other' WHERE status = 'RESTRICTED' AND "
        "account_id IN (SELECT account_id FROM capabilities WHERE status = 'RESTRICTED' LIMIT 1)",
    )
    found = recourse.run("verify")
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert "0 differences" not in found.stderr
    assert re.search(r"^[0-9a-f-]{36} EVENT_ALTERED event 2: ", found.stdout, re.MULTILINE)
    assert re.search(
        r"^[0-9a-f-]{36} CAPABILITY_DIFFERS capability \w+", found.stdout, re.MULTILINE
    )


def test_the_doctor_shows_settings_and_hides_secrets(recourse: Recourse, server: Serving) -> None:
    done = recourse.having(token_secret="swordfish" * 4, pool_size="3").run("doctor")
    assert done.returncode == 0, done.stderr
    for name in Settings.model_fields:
        assert f"RECOURSE_{name.upper()} = " in done.stdout
    assert "swordfish" not in done.stdout
    assert re.search(r"RECOURSE_POOL_SIZE = 3 .*environment", done.stdout)
    assert re.search(r"RECOURSE_MAX_PAGE_SIZE = 100 .*default", done.stdout)
    assert "NOT OK" not in done.stdout
    unwell = recourse.having(database_url="postgresql://u:swordfish@127.0.0.1:1/x").run("doctor")
    assert unwell.returncode == 1
    assert "NOT OK: " in unwell.stdout
    assert "swordfish" not in unwell.stdout + unwell.stderr
    assert "Traceback" not in unwell.stderr


def test_the_schema_is_written_and_checked(recourse: Recourse) -> None:
    assert recourse.run("schema").returncode == 0
    file = recourse.folder / "schema.graphql"
    assert "type Query {" in file.read_text()
    checked = recourse.run("schema", "--check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    file.write_text(file.read_text() + "\nscalar Nonsense\n")
    lies = recourse.run("schema", "--check")
    assert lies.returncode == 1
    assert "schema.graphql is not what the code says" in lies.stderr


def test_a_schema_that_is_not_there_is_no_lie(recourse: Recourse) -> None:
    done = recourse.run("schema", "--check", "--file", "nowhere.graphql")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "nowhere.graphql can't be read: No such file or directory. `recourse schema` writes it.\n"
    )


def test_a_place_where_nothing_can_be_written_is_named() -> None:
    done = CliRunner().invoke(cli, ["schema", "--file", "/nowhere/schema.graphql"])
    assert done.exit_code == 1


def test_help_is_there_for_every_command(recourse: Recourse) -> None:
    listed = recourse.run("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^│ {command} +\w", listed, re.MULTILINE), command
    for arguments, words in (
        (("serve",), ("--HOST", "--PORT", "--DATA-DIR")),
        (("seed",), ("--ACCOUNTS", "--REQUIREMENTS", "--PLATFORM")),
        (("token",), ("--ROLE", "--PLATFORM", "--ACCOUNT", "--SUBJECT")),
        (("schema",), ("--CHECK", "--FILE")),
        (("import", "stripe"), ("FILE", "--PLATFORM")),
    ):
        done = CliRunner().invoke(cli, [*arguments, "--help"])
        assert done.exit_code == 0
        assert all(word in done.stdout.upper() for word in words)
        # Typer writes it behind flags, as if they took a value.
        assert "<bool>" not in done.stdout
    assert "<bool>" not in listed


def test_the_version_is_the_one_of_the_project(recourse: Recourse) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    done = recourse.run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"recourse {project['version']}\n"
