"""Serving: started, killed, ended in order, shared, and clear where it can't be."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.embedded import DATABASE, PORT, SUPERUSER
from models.authorisation import CALLERS
from tests.e2e.process import RECOURSE, Postgres, Recourse, Serving, alive, until

FIRST_ANSWER_LIMIT_SECONDS = 5
COUNT = "{ accounts(first: 1) { totalCount } }"
CREATE = """
mutation Create($input: AccountCreateInput!) {
  accountCreate(input: $input) { account { id } userErrors { code } }
}
"""
UPDATE = """
mutation Update($id: ID!, $name: String!) {
  accountUpdate(input: {id: $id, businessName: $name}) {
    account { businessName } userErrors { code }
  }
}
"""


def create(server: Serving, external_id: str) -> str:
    """Make an account; its global id."""
    given = {"externalId": external_id, "businessName": "Acme", "country": "DE"}
    payload = server.ask("integrator", CREATE, {"input": given})["accountCreate"]
    assert payload["userErrors"] == []
    made: str = payload["account"]["id"]
    return made


def exists(server: Serving, external_id: str) -> bool:
    query = "query ($id: String!) { account(externalId: $id) { externalId } }"
    body = server.answer("admin", query, {"id": external_id})
    return bool((body.get("data") or {}).get("account"))


def connect(postgres: Postgres) -> Any:
    """A connection of the owner's, beside the server's."""
    host = str(postgres.data_dir / "socket")
    return asyncpg.connect(host=host, port=PORT, user=SUPERUSER, database=DATABASE)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# Start


def test_a_fresh_start_serves_demo_data_and_leaves_nothing_outside(fresh: Recourse) -> None:
    home, temporary = fresh.folder / "home", fresh.folder / "tmp"
    home.mkdir()
    temporary.mkdir()
    above = list(fresh.folder.parents)
    before = [rights(folder) for folder in above]
    fresh.others = {"HOME": str(home), "TMPDIR": str(temporary)}
    server = fresh.launch().ready()
    assert server.ask("admin", COUNT)["accounts"]["totalCount"] == 5
    for role in map(str.lower, CALLERS):
        assert server.ask(role, "{ viewer { role } }")["viewer"]["role"] == role.upper()
    assert mode(fresh.data_dir) == mode(fresh.data_dir / "postgres") == 0o700
    assert mode(fresh.data_dir / "socket") == 0o700
    assert mode(fresh.data_dir / "token-secret") == 0o600
    assert server.terminate() == 0
    assert fresh.postgres.processes() == []
    assert names(fresh.folder) == {"data", "home", "tmp", server.out.name, server.err.name}
    assert names(home) == names(temporary) == set()
    assert mode(fresh.folder) == 0o700
    assert [rights(folder) for folder in above] == before
    assert not [name for name in names(Path("/tmp")) if name.startswith(".s.PGSQL")]


def rights(folder: Path) -> tuple[int, int, int]:
    info = folder.stat()
    return info.st_mode, info.st_uid, info.st_gid


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_second_start_answers_soon(recourse: Recourse) -> None:
    began = time.monotonic()
    with recourse.serving() as server:
        server.ask("admin", COUNT)
        assert time.monotonic() - began < FIRST_ANSWER_LIMIT_SECONDS


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_the_log_says_in_one_line_that_it_migrated(fresh: Recourse, level: str) -> None:
    for migrates in (True, False):
        with fresh.having(log_level=level).serving() as server:
            lines = server.log()
        said = [line for line in lines if line["event"] == "Migrated."]
        each = [line for line in lines if line["event"].startswith("Running upgrade")]
        assert len(said) == migrates
        assert len(each) == (said[0]["migrations"] if said and level == "DEBUG" else 0)
        assert said == [] or said[0]["schema"] == f"{said[0]['migrations']:04}"


def test_who_connects_before_it_is_ready_is_answered_when_it_is(recourse: Recourse) -> None:
    port = free_port()
    server = recourse.launch("--port", str(port))
    url = f"http://127.0.0.1:{port}/healthz"
    until(lambda: listens(port))
    assert httpx.get(url, timeout=30).json() == {"status": "ok"}
    server.ready()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def test_an_empty_store_can_be_used_at_once(fresh: Recourse) -> None:
    with fresh.having(demo_accounts="0").serving() as server:
        assert set(server.tokens or {}) == set(map(str.lower, CALLERS)) - {"account_user"}
        create(server, "first")
        assert exists(server, "first")


# Kill


def test_after_a_kill_the_same_data_is_served(recourse: Recourse, server: Serving) -> None:
    create(server, "before-the-kill")
    pid = recourse.postgres.pid
    token = server.token("admin")
    server.kill()
    assert alive(pid)
    with recourse.serving() as second:
        assert recourse.postgres.pid == pid
        assert exists(second, "before-the-kill")
        # The secret is that of the data directory, so tokens outlive the server.
        assert "errors" not in second.answer(token, COUNT)
    assert recourse.postgres.processes() == []


def test_after_a_kill_of_postgres_too_the_same_data_is_served(
    recourse: Recourse, server: Serving
) -> None:
    create(server, "before-the-crash")
    server.kill()
    recourse.postgres.kill()
    with recourse.serving() as second:
        assert exists(second, "before-the-crash")
        assert recourse.run("verify").returncode == 0


def test_readiness_follows_the_store(server: Serving, postgres: Postgres) -> None:
    base = server.url.removesuffix("/graphql")
    assert httpx.get(f"{base}/readyz").json() == {"status": "ready"}
    os.kill(postgres.pid, signal.SIGQUIT)
    until(lambda: not postgres.processes())
    response = httpx.get(f"{base}/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})
    assert httpx.get(f"{base}/healthz").status_code == 200
    body = server.answer("admin", COUNT)
    assert body["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert server.terminate() == 0


def test_a_store_that_has_restarted_is_used_again(recourse: Recourse, server: Serving) -> None:
    server.ask("admin", COUNT)
    recourse.postgres.kill()
    assert recourse.run("migrate").returncode == 0
    with recourse.serving():
        for _ in range(3):
            server.ask("admin", COUNT)
        create(server, "after-the-restart")


# End


@asynccontextmanager
async def locked(postgres: Postgres, external_id: str) -> AsyncIterator[None]:
    """Hold an account's lock from another connection."""
    connection = await connect(postgres)
    try:
        async with connection.transaction():
            statement = "SELECT 1 FROM accounts WHERE external_id = $1 FOR UPDATE"
            assert await connection.fetchval(statement, external_id) == 1
            yield
    finally:
        await connection.close()


async def until_waiting(postgres: Postgres) -> None:
    connection = await connect(postgres)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await connection.fetchval(waiting):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await connection.close()


async def test_a_sigterm_lets_a_running_mutation_finish(
    recourse: Recourse, server: Serving, postgres: Postgres
) -> None:
    account = create(server, "slow")
    with ThreadPoolExecutor() as threads:
        async with locked(postgres, "slow"):
            variables = {"id": account, "name": "Renamed meanwhile"}
            running: Future[dict[str, Any]] = threads.submit(server.ask, "admin", UPDATE, variables)
            await until_waiting(postgres)
            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            assert server.process.poll() is None
            assert not running.done()
            with pytest.raises(httpx.ConnectError):
                await asyncio.to_thread(server.ask, "admin", COUNT)
        payload = (await asyncio.wrap_future(running))["accountUpdate"]
    assert payload == {"account": {"businessName": "Renamed meanwhile"}, "userErrors": []}
    assert server.process.wait(30) == 0
    assert postgres.processes() == []
    with recourse.serving() as second:
        query = '{ account(externalId: "slow") { businessName } }'
        assert second.ask("admin", query)["account"]["businessName"] == "Renamed meanwhile"


async def test_what_takes_too_long_is_cut_off_at_the_end(
    recourse: Recourse, postgres: Postgres
) -> None:
    server = recourse.having(shutdown_timeout_seconds="1").launch().ready()
    account = create(server, "stuck")
    connection = await connect(postgres)
    await connection.execute("BEGIN; SELECT 1 FROM accounts FOR UPDATE")
    with ThreadPoolExecutor() as threads:
        variables = {"id": account, "name": "Never"}
        running = threads.submit(server.answer, "admin", UPDATE, variables)
        await until_waiting(postgres)
        assert await asyncio.to_thread(server.terminate) == 0
    assert running.exception() is not None or "errors" in running.result()
    assert postgres.processes() == []
    connection.terminate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_leaves_nothing_running(
    fresh: Recourse, number: signal.Signals
) -> None:
    server = fresh.launch()
    until(lambda: (fresh.data_dir / "postgres.new/base").exists())
    server.process.send_signal(number)
    code = server.process.wait(30)
    assert code == (0 if number == signal.SIGTERM else 130)
    assert fresh.postgres.processes() == []
    assert "Traceback" not in server.err.read_text()
    assert server.out.read_text() == ""
    if number == signal.SIGTERM:
        with fresh.serving() as second:
            assert second.ask("admin", COUNT)["accounts"]["totalCount"] == 5


def test_ctrl_c_while_the_code_is_read_ends_it_quietly(fresh: Recourse) -> None:
    server = fresh.launch()
    libraries = Path(f"/proc/{server.process.pid}/maps")
    until(lambda: "pydantic_core" in libraries.read_text())
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 130
    assert (server.out.read_text(), server.err.read_text()) == ("", "")
    assert not fresh.data_dir.exists()


def test_ctrl_c_that_is_ignored_stays_so(fresh: Recourse) -> None:
    ignoring = ["sh", "-c", 'trap "" INT; exec "$0" "$@"', RECOURSE, "serve"]
    server = fresh.launch(command=ignoring)
    libraries = Path(f"/proc/{server.process.pid}/maps")
    until(lambda: "pydantic_core" in libraries.read_text())
    server.process.send_signal(signal.SIGINT)
    server.ready()


def test_ctrl_c_ends_it_like_a_sigterm(recourse: Recourse, server: Serving) -> None:
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
    assert recourse.postgres.processes() == []
    assert "Traceback" not in server.err.read_text()


# Two at once


def test_two_servers_share_a_data_directory(recourse: Recourse) -> None:
    first, second = recourse.launch(), recourse.launch()
    first.ready()
    second.ready()
    assert first.url != second.url
    create(first, "by-the-first")
    assert exists(second, "by-the-first")
    assert second.ask(first.token("admin"), "{ viewer { role } }")
    assert first.terminate() == 0
    create(second, "by-the-second")
    assert exists(second, "by-the-first")
    assert second.terminate() == 0
    assert recourse.postgres.processes() == []


# What can't be


def refused(recourse: Recourse, *arguments: str) -> list[str]:
    """Lines of complaint of a `serve` that ends by itself with exit code 1."""
    done = recourse.run("serve", *arguments)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_port_that_is_taken_is_named_and_nothing_is_started(fresh: Recourse) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        [line] = refused(fresh, "--port", port)
    assert f"port {port}" in line
    assert "Address already in use" in line
    assert "--port" in line
    assert not (fresh.data_dir / "postgres").exists()


def test_a_manifest_of_documents_that_are_not_valid_stops_the_start(
    recourse: Recourse, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"why": "{ nothing }"}')
    wrong = recourse.having(trusted_documents=str(manifest))
    done = wrong.run("serve", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: RECOURSE_TRUSTED_DOCUMENTS: {manifest}: the document why: ")
    assert "Traceback" not in done.stderr
    assert recourse.postgres.processes() == []


def test_every_wrong_setting_is_a_line(fresh: Recourse) -> None:
    wrong = fresh.having(port="many", log_level="LOUD", max_page_size="0", token_secret="short")
    *lines, hint = refused(wrong)
    assert hint == "`recourse doctor` shows all settings."
    names = ("PORT", "MAX_PAGE_SIZE", "TOKEN_SECRET", "LOG_LEVEL")
    for line, name in zip(lines, names, strict=True):
        assert line.startswith(f"error: RECOURSE_{name}: ")
        assert "short" not in line


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"data_dir": "/dev/null"}, ["/dev/null", "RECOURSE_DATA_DIR"]),
        ({"database_url": "mysql://u:swordfish@127.0.0.1/x"}, ["RECOURSE_DATABASE_URL"]),
        ({"database_url": "postgresql://u:swordfish@127.0.0.1:1/x"}, ["can't be used", "refused"]),
    ],
)
def test_a_store_that_can_not_be_used_is_a_line(
    fresh: Recourse, settings: dict[str, str], words: list[str]
) -> None:
    wrong = fresh.having(**settings)
    [line] = refused(Recourse(fresh.folder, wrong.settings), "--port", "0")
    assert line.startswith("error: ")
    assert all(word in line for word in words)
    assert "swordfish" not in line
