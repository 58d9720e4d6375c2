"""A PostgreSQL of one's own: another server, over TCP, with passwords, and no superuser."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from app.embedded import EmbeddedPostgres, Identity, _program
from tests.e2e.process import RECOURSE, Postgres, Recourse, environment, until
from tests.e2e.test_serving import create, exists, free_port

PASSWORD = "p@ss/w:rd %25?#"
HOST = "127.0.0.1"
# The roles of the service belong to all databases of a server, so that these have one owner.
OWNER = "keeper"


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that somebody else runs."""

    port: int

    def sql(self, statement: str, database: str = "postgres") -> list[Any]:
        """What a statement of the superuser's gives."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(
                host=HOST, port=self.port, user="postgres", password=PASSWORD, database=database
            )
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        return asyncio.run(run())

    def owner(self, name: str, rights: str = "CREATEROLE") -> None:
        """Make somebody who may own databases."""
        self.sql(f"CREATE ROLE \"{name}\" LOGIN {rights} PASSWORD '{PASSWORD}'")

    def database(self, name: str, owner: str = OWNER, password: str = PASSWORD) -> str:
        """Make a database, and return its URL for its owner."""
        self.sql(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        secret = quote(password, safe="")
        return f"postgres://{owner}:{secret}@{HOST}:{self.port}/{name}?sslmode=disable"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """It lets in over TCP only, and only by password."""
    folder = tmp_path_factory.mktemp("cluster")
    embedded = EmbeddedPostgres(folder)
    embedded._make_directories()
    identity = embedded._choose_identity()
    (folder / "password").write_text(PASSWORD)
    os.chmod(folder / "password", 0o644)
    _run(identity, folder, "initdb", "--pgdata=postgres", "--username=postgres", "--no-sync")
    port = free_port()
    options = f"--listen_addresses={HOST} --port={port} --unix_socket_directories= --fsync=off"
    start = ("start", "--wait", "--pgdata=postgres", "--log=postgres.log", f"--options={options}")
    _run(identity, folder, "pg_ctl", *start)
    postgres = Postgres(folder)
    cluster = Cluster(port)
    cluster.owner(OWNER)
    yield cluster
    with suppress(ProcessLookupError):
        os.kill(postgres.pid, signal.SIGQUIT)
    until(lambda: not postgres.processes())


def _run(identity: Identity, folder: Path, program: str, *arguments: str) -> None:
    ways = ("--auth-local=reject", "--auth-host=scram-sha-256", "--pwfile=password")
    more = ways if program == "initdb" else ()
    done = identity.run([_program(program), *arguments, *more], folder)
    assert done.returncode == 0, done.stderr


def commands(folder: Path, url: str) -> Recourse:
    settings = {"database_url": url, "data_dir": str(folder / "data"), "demo_accounts": "3"}
    return Recourse(folder, {**settings, "development_tokens": "true"})


def test_it_is_served_by_an_owner_who_is_no_superuser(tmp_path: Path, cluster: Cluster) -> None:
    recourse = commands(tmp_path, cluster.database("shop"))
    migrated = recourse.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    with recourse.serving() as server:
        count = "{ accounts(first: 1) { totalCount } }"
        assert server.ask("admin", count)["accounts"]["totalCount"] == 3
        create(server, "over-tcp")
        assert exists(server, "over-tcp")
        assert server.ask("account_user", count)["accounts"]["totalCount"] == 1
        users = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'shop'"
        found = {row["usename"] for row in cluster.sql(users)}
        assert {"recourse_staff", "recourse_account_user"} <= found
        assert OWNER not in found
        assert "postgres" not in found
        assert recourse.run("verify").returncode == 0
        examined = recourse.run("doctor")
        assert examined.returncode == 0, examined.stdout
        assert PASSWORD not in examined.stdout
    # Nothing but the secret of the tokens: no PostgreSQL of Recourse's own.
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["token-secret"]
    mighty = (
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^recourse_' AND (rolsuper OR rolbypassrls)"
    )
    assert cluster.sql(mighty) == []


COUNT = {"query": "{ accounts(first: 1) { totalCount } }"}


def asked(url: str, token: str) -> httpx.Response:
    return httpx.post(url, json=COUNT, headers={"authorization": f"Bearer {token}"}, timeout=30)


def test_a_database_of_ones_own_takes_no_development_tokens_but_api_keys(
    tmp_path: Path, cluster: Cluster
) -> None:
    given = commands(tmp_path, cluster.database("quiet")).settings
    left_out = ("demo_accounts", "development_tokens")
    plain = {name: value for name, value in given.items() if name not in left_out}
    recourse = Recourse(tmp_path, {**plain, "token_secret": "s" * 32})
    assert recourse.run("migrate").returncode == 0
    for command in (("token", "--role", "admin"), ("serve", "--port", "0", "--tokens")):
        done = recourse.run(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: Development tokens are not taken here.")
        assert "RECOURSE_DEVELOPMENT_TOKENS=true" in done.stderr
    own = recourse.having(development_tokens="true").run("token", "--role", "admin").stdout.strip()
    made = recourse.run("api-key", "create", "--platform", "shop", "--name", "Monitoring")
    key = made.stdout.strip()
    with running([RECOURSE, "serve", "--port", "0"], recourse) as out:
        until(lambda: out.read_text().endswith("\n"))
        first, second = out.read_text().splitlines()
        assert second.startswith("Development tokens are not taken. An API key: recourse api-key")
        url = first.split()[-1]
        assert asked(url, own).status_code == 401
        assert asked(url, key).json() == {"data": {"accounts": {"totalCount": 0}}}
        prefix = key.rpartition("_")[0]
        # The use is written while the answer goes out.
        until(lambda: "used 20" in recourse.run("api-key", "list", "--platform", "shop").stdout)
        listed = recourse.run("api-key", "list", "--platform", "shop").stdout
        assert listed.startswith(f"{prefix} ACTIVE INTEGRATOR used ")
        assert key not in listed
        assert recourse.run("api-key", "revoke", prefix).returncode == 0
        until(lambda: asked(url, key).status_code == 401, seconds=15)
    again = recourse.run("api-key", "revoke", prefix)
    assert again.stderr.startswith("error: An API key that is REVOKED does not allow REVOKE.")


def test_development_tokens_are_taken_where_that_is_said_and_the_log_warns_of_it(
    tmp_path: Path, cluster: Cluster
) -> None:
    given = commands(tmp_path, cluster.database("said")).settings
    recourse = Recourse(tmp_path, {k: v for k, v in given.items() if k != "demo_accounts"})
    with running([RECOURSE, "serve", "--port", "0"], recourse) as out:
        until(lambda: out.read_text().endswith("\n"))
        first, second = out.read_text().splitlines()
        assert second == "A development token: recourse token --role admin"
        # The server has made its secret: the command signs with it.
        token = recourse.run("token", "--role", "admin").stdout.strip()
        answer = asked(first.split()[-1], token).json()
    assert answer == {"data": {"accounts": {"totalCount": 0}}}
    with recourse.serving() as server:
        log = server.err.read_text()
    assert "development tokens are taken" in log


@contextmanager
def running(command: list[str], recourse: Recourse) -> Iterator[Path]:
    """A command while it runs; the file of what it prints."""
    out = recourse.folder / "plain.out"
    variables = environment(recourse.settings, {})
    with out.open("wb") as stdout:
        process = subprocess.Popen(command, cwd=recourse.folder, env=variables, stdout=stdout)
    try:
        yield out
    finally:
        process.terminate()
        process.wait(30)


def test_what_is_not_migrated_is_neither_migrated_nor_called_well(
    tmp_path: Path, cluster: Cluster
) -> None:
    recourse = commands(tmp_path, cluster.database("blank"))
    for command in (("verify",), ("token", "--role", "admin")):
        done = recourse.run(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: Migrations to run: 0001, ")
        assert "recourse migrate" in done.stderr
    assert cluster.sql("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", "blank") == []
    assert not recourse.data_dir.exists()


def test_no_token_is_signed_with_a_secret_that_the_server_can_not_know(
    tmp_path: Path, cluster: Cluster
) -> None:
    recourse = commands(tmp_path, cluster.database("elsewhere"))
    assert recourse.run("migrate").returncode == 0
    done = recourse.run("token", "--role", "admin")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: There is no secret to sign with in {recourse.data_dir}")
    assert "RECOURSE_TOKEN_SECRET" in done.stderr
    assert not recourse.data_dir.exists()
    assert recourse.having(token_secret="s" * 32).run("token", "--role", "admin").returncode == 0


def test_the_doctor_shows_where_a_database_is_but_not_its_password(
    tmp_path: Path, cluster: Cluster
) -> None:
    recourse = commands(tmp_path, cluster.database("shown"))
    found = recourse.run("doctor").stdout
    assert f"RECOURSE_DATABASE_URL = postgres://{OWNER}:***@{HOST}:{cluster.port}/shown" in found
    assert PASSWORD not in found
    assert quote(PASSWORD, safe="") not in found


@pytest.mark.parametrize(
    ("name", "rights", "password", "words"),
    [
        ("poor", "NOCREATEROLE", PASSWORD, "permission denied to create role. A superuser can"),
        ("Poorer", "NOCREATEROLE", PASSWORD, 'mend it: ALTER ROLE "Poorer" CREATEROLE'),
        ("stranger", "CREATEROLE", "wrong", "password authentication failed"),
    ],
)
def test_what_is_missing_is_said_in_a_line(
    tmp_path: Path, cluster: Cluster, name: str, rights: str, password: str, words: str
) -> None:
    cluster.owner(name, rights)
    done = commands(tmp_path, cluster.database(name, name, password)).run("migrate")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert password not in line
    assert "SELECT" not in line
