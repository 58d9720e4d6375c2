"""A PostgreSQL of one's own: another server, over TCP, with passwords, and no superuser."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from app.embedded import EmbeddedPostgres, Identity, _program
from tests.e2e.process import Postgres, Recourse, until
from tests.e2e.test_serving import create, exists, free_port

PASSWORD = "p@ss/w:rd %25?#"
HOST = "127.0.0.1"


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

    def database(self, name: str, rights: str = "CREATEROLE") -> str:
        """Make a database with an owner of its own, and return the owner's URL."""
        self.sql(f"CREATE ROLE {name} LOGIN {rights} PASSWORD '{PASSWORD}'")
        self.sql(f"CREATE DATABASE {name} OWNER {name}")
        return self.url(name)

    def url(self, name: str, password: str = PASSWORD) -> str:
        secret = quote(password, safe="")
        return f"postgres://{name}:{secret}@{HOST}:{self.port}/{name}?sslmode=disable"


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
    yield Cluster(port)
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
    return Recourse(folder, settings)


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
        assert "shop" not in found
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


@pytest.mark.parametrize(
    ("name", "rights", "password", "words"),
    [
        ("poor", "NOCREATEROLE", PASSWORD, "permission denied"),
        ("stranger", "CREATEROLE", "wrong", "password authentication failed"),
    ],
)
def test_what_is_missing_is_said_in_a_line(
    tmp_path: Path, cluster: Cluster, name: str, rights: str, password: str, words: str
) -> None:
    cluster.database(name, rights)
    done = commands(tmp_path, cluster.url(name, password)).run("migrate")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert password not in line
    assert "SELECT" not in line
