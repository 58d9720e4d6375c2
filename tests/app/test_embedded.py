"""The embedded PostgreSQL: started, shared, killed, recovered, and clear where it can't run."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app import embedded
from app.embedded import (
    DataDirectoryBusy,
    DataDirectoryUnusable,
    DataVersionMismatch,
    EmbeddedPostgres,
    Identity,
    NoUnprivilegedUser,
    PostgresFailed,
)

WAIT_SECONDS = 20
SERVER = """
import sys
from pathlib import Path
from app.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
print(postgres.start(), flush=True)
sys.stdin.read()
postgres.stop()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it for somebody else")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/postmaster.pid").read_text().split()[0])


def kill_postmaster(data_dir: Path) -> None:
    pid = postmaster(data_dir)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))


async def connect(url: str) -> Any:
    parsed = make_url(url)
    return await asyncpg.connect(
        host=str(parsed.query["host"]),
        port=int(str(parsed.query["port"])),
        user=parsed.username,
        database=parsed.database,
        timeout=WAIT_SECONDS,
    )


async def sql(url: str, statement: str) -> Any:
    connection = await connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def sql_by_sqlalchemy(url: str, statement: str) -> Any:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.scalar(text(statement))
    finally:
        await engine.dispose()


class Servers:
    """Other Python processes that each hold the PostgreSQL of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.processes: list[subprocess.Popen[str]] = []

    def launch(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SERVER, str(self.data_dir)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes.clear()


def url_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    assert url, "the server did not start"
    return url


def finish(server: subprocess.Popen[str]) -> None:
    server.communicate("", timeout=WAIT_SECONDS)
    assert server.returncode == 0


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an empty store, to be copied: making one takes half a second."""
    directory = tmp_path_factory.mktemp("initialised") / "data"
    EmbeddedPostgres(directory).__enter__().stop()
    return directory


@pytest.fixture
def fresh_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory that does not exist yet; whatever runs in it is ended afterwards."""
    tmp_path.chmod(0o700)
    directory = tmp_path / "data"
    yield directory
    stop_what_runs(directory)


@pytest.fixture
def data_dir(initialised: Path, fresh_dir: Path) -> Path:
    """A data directory that has been used before."""
    shutil.copytree(initialised, fresh_dir)
    return fresh_dir


def stop_what_runs(directory: Path) -> None:
    try:
        pid = postmaster(directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    if Path(f"/proc/{pid}/cwd").exists() and (directory / "postgres").samefile(f"/proc/{pid}/cwd"):
        os.kill(pid, signal.SIGQUIT)
        until(lambda: not alive(pid))


@pytest.fixture
def servers(fresh_dir: Path) -> Iterator[Servers]:
    others = Servers(fresh_dir)
    yield others
    others.end()


def outside(directory: Path) -> list[tuple[str, int, int, int, list[str]]]:
    """Permissions, owner and content of every folder above a directory, but for those shared."""
    seen = []
    for folder in directory.parents:
        info = folder.stat()
        names = sorted(os.listdir(folder)) if folder == directory.parent else []
        seen.append((str(folder), info.st_mode, info.st_uid, info.st_gid, names))
    return seen


async def test_a_fresh_start_changes_nothing_outside_its_directory(fresh_dir: Path) -> None:
    fresh_dir.mkdir(mode=0o700)
    before = outside(fresh_dir)
    with EmbeddedPostgres(fresh_dir) as postgres:
        assert await sql(postgres.url(), "SELECT current_database() || current_user") == (
            "recourserecourse"
        )
        assert outside(fresh_dir) == before
    assert outside(fresh_dir) == before
    names = {"locks", "postgres", "postgres.log", "socket"}
    assert {path.name for path in fresh_dir.iterdir()} == names
    assert list((fresh_dir / "socket").iterdir()) == []


async def test_only_its_user_gets_in(fresh_dir: Path) -> None:
    with EmbeddedPostgres(fresh_dir) as postgres:
        for folder in (fresh_dir, fresh_dir / "postgres", fresh_dir / "socket"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert await sql(postgres.url(), "SHOW listen_addresses") == ""
        assert await sql(postgres.url(), "SHOW fsync") == "on"
        assert await sql(postgres.url(), "SHOW synchronous_commit") == "on"


async def test_text_is_unicode(fresh_dir: Path) -> None:
    with EmbeddedPostgres(fresh_dir) as postgres:
        assert await sql(postgres.url(), "SELECT lower('ÄΩ') || current_setting('TimeZone')") == (
            "äωUTC"
        )
        assert await sql(postgres.url(), "SHOW server_encoding") == "UTF8"


async def test_a_restart_keeps_the_data(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        await sql(postgres.url(), "CREATE TABLE kept AS SELECT 7 AS n")
        pid = postmaster(data_dir)
    assert not alive(pid)
    began = time.monotonic()
    with EmbeddedPostgres(data_dir) as postgres:
        assert time.monotonic() - began < 2
        assert await sql(postgres.url(), "SELECT n FROM kept") == 7


async def test_starting_and_stopping_twice_is_harmless(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir)
    assert postgres.start() == postgres.start()
    postgres.stop()
    postgres.stop()
    assert await sql(postgres.start(), "SELECT 1") == 1
    postgres.stop()


async def test_a_killed_postmaster_is_replaced_with_the_data_whole(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir)
    connection = await connect(postgres.start())
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    kill_postmaster(data_dir)
    with EmbeddedPostgres(data_dir) as second:
        assert await sql(second.url(), "SELECT n FROM kept") == 7
        assert await sql(postgres.url(), "SELECT n FROM kept") == 7
        postgres.stop()
        assert await sql(second.url(), "SELECT n FROM kept") == 7
    connection.terminate()


async def test_what_a_killed_server_left_running_is_taken_over(
    data_dir: Path, servers: Servers
) -> None:
    url = url_of(servers.launch())
    await sql(url, "CREATE TABLE kept AS SELECT 7 AS n")
    pid = postmaster(data_dir)
    servers.end()
    assert alive(pid)
    with EmbeddedPostgres(data_dir) as postgres:
        assert postmaster(data_dir) == pid
        assert await sql(postgres.url(), "SELECT n FROM kept") == 7
    assert not alive(pid)


async def test_server_and_postmaster_may_die_together(data_dir: Path, servers: Servers) -> None:
    await sql(url_of(servers.launch()), "CREATE TABLE kept AS SELECT 7 AS n")
    kill_postmaster(data_dir)
    servers.end()
    with EmbeddedPostgres(data_dir) as postgres:
        assert await sql(postgres.url(), "SELECT n FROM kept") == 7


async def test_two_servers_share_and_the_last_one_stops_it(
    data_dir: Path, servers: Servers
) -> None:
    first = servers.launch()
    url = url_of(first)
    pid = postmaster(data_dir)
    second = servers.launch()
    assert url_of(second) == url
    assert postmaster(data_dir) == pid
    finish(first)
    assert await sql(url, "SELECT 1") == 1
    finish(second)
    assert not alive(pid)


async def test_many_that_start_at_once_make_one(fresh_dir: Path, servers: Servers) -> None:
    urls = {url_of(server) for server in [servers.launch() for _ in range(4)]}
    assert len(urls) == 1
    assert await sql(urls.pop(), "SELECT 1") == 1
    log = (fresh_dir / "postgres.log").read_text()
    assert log.count("ready to accept connections") == 1


async def test_a_start_killed_in_initdb_is_begun_anew(fresh_dir: Path, servers: Servers) -> None:
    servers.launch()
    until(lambda: (fresh_dir / "postgres.new/base").exists())
    servers.end()
    assert not (fresh_dir / "postgres").exists()
    with EmbeddedPostgres(fresh_dir) as postgres:
        assert await sql(postgres.url(), "SELECT 1") == 1
    assert not (fresh_dir / "postgres.new").exists()


async def test_a_process_id_that_went_to_another_does_not_matter(data_dir: Path) -> None:
    stale = f"{os.getppid()}\n{data_dir}/postgres\n1\n5432\n../socket\n\n1 1\nready\n"
    (data_dir / "postgres/postmaster.pid").write_text(stale)
    (data_dir / "socket/.s.PGSQL.5432.lock").write_text(stale)
    with EmbeddedPostgres(data_dir) as postgres:
        assert await sql(postgres.url(), "SELECT 1") == 1
    assert alive(os.getppid())


@pytest.mark.parametrize("name", ["with spaces", "a,b:$(c)'\"&?", "long" * 40, "dé"])
async def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    before = outside(tmp_path)
    with EmbeddedPostgres(tmp_path / name) as postgres:
        assert await sql_by_sqlalchemy(postgres.url(), "SELECT 1") == 1
        assert (tmp_path / name / "socket/.s.PGSQL.5432").is_socket()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert outside(tmp_path) == before


async def test_a_relative_path_is_meant_from_where_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    postgres = EmbeddedPostgres(Path("here"))
    monkeypatch.chdir("/")
    with postgres:
        assert (tmp_path / "here/socket/.s.PGSQL.5432").is_socket()


async def test_the_callers_environment_has_no_say(
    fresh_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as environment:
        for name, value in {"PGPORT": "1", "PGSERVICE": "none", "LC_ALL": "none"}.items():
            environment.setenv(name, value)
        postgres = EmbeddedPostgres(fresh_dir)
        postgres.start()
        EmbeddedPostgres(fresh_dir).__enter__().stop()
        postgres.create_database("other")
    assert await sql(postgres.url("other"), "SHOW port") == "5432"
    postgres.stop()


async def test_ctrl_c_in_the_terminal_does_not_reach_postgres(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir):
        pid = postmaster(data_dir)
        assert os.getsid(pid) != os.getsid(0)
        assert os.getpgid(pid) != os.getpgid(0)


async def test_the_log_keeps_no_values(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        connection = await connect(postgres.url())
        await connection.execute("CREATE TABLE person (mail text PRIMARY KEY CHECK (mail <> 'x'))")
        await connection.execute("INSERT INTO person VALUES ('secret@example.com')")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO person VALUES ($1)", "secret@example.com")
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await connection.execute("SELECT 'secret@example.com'::int")
        await connection.close()
    log = (data_dir / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "secret" not in log


async def test_a_long_log_is_set_aside(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOG_LIMIT_BYTES", 10)
    first = (data_dir / "postgres.log").read_text()
    EmbeddedPostgres(data_dir).__enter__().stop()
    assert (data_dir / "postgres.log.old").read_text() == first
    assert first not in (data_dir / "postgres.log").read_text()


async def test_settings_may_be_added_but_not_loosened(data_dir: Path) -> None:
    settings = {"fsync": "off", "application_name": "it's $HOME", "listen_addresses": "*"}
    with EmbeddedPostgres(data_dir, settings) as postgres:
        assert await sql(postgres.url(), "SHOW fsync") == "off"
        assert await sql(postgres.url(), "SHOW application_name") == "it's $HOME"
        assert await sql(postgres.url(), "SHOW listen_addresses") == ""


async def test_databases_come_and_go(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        original = postgres.create_database("one-1")
        await sql(original, "CREATE TABLE kept AS SELECT 7 AS n")
        copy = postgres.create_database("two", template="one-1")
        assert await sql(copy, "SELECT n FROM kept") == 7
        connection = await connect(copy)
        postgres.drop_database("two")
        connection.terminate()
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await connect(copy)
        with pytest.raises(PostgresFailed, match="already exists"):
            postgres.create_database("one-1")


def test_a_file_is_no_data_directory(fresh_dir: Path) -> None:
    fresh_dir.write_text("mine")
    with pytest.raises(DataDirectoryUnusable, match=r"not a directory.*RECOURSE_DATA_DIR"):
        EmbeddedPostgres(fresh_dir).start()
    with pytest.raises(DataDirectoryUnusable, match="RECOURSE_DATA_DIR"):
        EmbeddedPostgres(fresh_dir / "below").start()
    assert fresh_dir.read_text() == "mine"


def test_a_directory_that_may_not_be_written_is_refused(fresh_dir: Path) -> None:
    fresh_dir.mkdir(mode=0o500)
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        with pytest.raises(DataDirectoryUnusable, match=r"(may not write|denied).*RECOURSE_DATA"):
            EmbeddedPostgres(fresh_dir).start()
    finally:
        os.seteuid(user)
    assert list(fresh_dir.iterdir()) == []


async def test_data_of_another_version_is_left_alone(data_dir: Path) -> None:
    version = data_dir / "postgres/PG_VERSION"
    version.write_text("19\n")
    with pytest.raises(DataVersionMismatch, match=r"PostgreSQL 19.*brings 18"):
        EmbeddedPostgres(data_dir).start()
    version.write_text("18\n")
    with EmbeddedPostgres(data_dir) as postgres:
        assert await sql(postgres.url(), "SELECT 1") == 1


def test_a_start_that_fails_says_why(data_dir: Path) -> None:
    with (data_dir / "postgres/postgresql.conf").open("a") as file:
        file.write("max_connections = many\n")
    with pytest.raises(PostgresFailed, match=r"(?s)did not start.*max_connections"):
        EmbeddedPostgres(data_dir).start()


def test_one_that_hangs_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LEFTOVER_LIMIT_SECONDS", 0.1)
    monkeypatch.setattr(embedded, "ANSWER_LIMIT_SECONDS", 1)
    postgres = EmbeddedPostgres(data_dir)
    postgres.start()
    os.kill(postmaster(data_dir), signal.SIGSTOP)
    try:
        with pytest.raises(DataDirectoryBusy, match="don't answer"):
            EmbeddedPostgres(data_dir).start()
    finally:
        os.kill(postmaster(data_dir), signal.SIGCONT)
    postgres.stop()


def test_one_that_was_started_by_hand_is_left_alone(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir)
    identity = postgres._choose_identity()
    command = [embedded._program("pg_ctl"), "-D", "postgres", "-w", "-l", "by-hand.log"]
    options = ["-o", "-c listen_addresses= -k ../socket"]
    assert identity.run([*command, *options, "start"], data_dir).returncode == 0
    with pytest.raises(DataDirectoryBusy, match=f"process {postmaster(data_dir)}"):
        postgres.start()
    assert alive(postmaster(data_dir))


@as_root
def test_root_without_user_namespaces_is_told_what_to_do(
    fresh_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "IN_USER_NAMESPACE", Identity(("false",)))
    with pytest.raises(NoUnprivilegedUser, match=r"normal user.*RECOURSE_DATA_DIR"):
        EmbeddedPostgres(fresh_dir).start()
    assert fresh_dir.stat().st_uid == 0


@as_root
async def test_root_without_user_namespaces_uses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "IN_USER_NAMESPACE", Identity(("false",)))
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        if not Identity(user=65534, group=65534).reaches(Path("/tmp")):
            pytest.skip("nobody can't reach the installed PostgreSQL here")
        for _ in range(2):
            with EmbeddedPostgres(Path(place) / "data") as postgres:
                assert await sql(postgres.url(), "SELECT 1") == 1
                owner = os.stat(f"/proc/{postmaster(postgres.data_dir)}").st_uid
                assert owner == postgres.data_dir.stat().st_uid == 65534
        monkeypatch.undo()
        with EmbeddedPostgres(Path(place) / "data") as postgres:
            assert await sql(postgres.url(), "SELECT 1") == 1
