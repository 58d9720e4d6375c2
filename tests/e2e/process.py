"""The command line in processes of its own, as a person runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
# The installed command; PYTHONPATH below lets it run the code that these tests lie beside.
RECOURSE = str(Path(sys.executable).with_name("recourse"))
START_LIMIT_SECONDS = 60
STOP_LIMIT_SECONDS = 40
REQUEST_LIMIT_SECONDS = 30


def environment(settings: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, with no settings of Recourse or Python but ours."""
    given = os.environ.items()
    ours = {k: v for k, v in given if not k.upper().startswith(("RECOURSE_", "PYTHON"))}
    return {
        **ours,
        **others,
        "PYTHONPATH": str(ROOT),
        **{f"RECOURSE_{k.upper()}": settings[k] for k in settings},
    }


def _hear_ctrl_c() -> None:
    """Undo what a shell does to the jobs that it starts in the background: they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], Any], seconds: float = START_LIMIT_SECONDS) -> None:
    """Wait for a condition; fails where it does not come about in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@dataclass(frozen=True)
class Postgres:
    """The embedded PostgreSQL of a data directory, seen from outside."""

    data_dir: Path

    @property
    def pid(self) -> int:
        return int((self.data_dir / "postgres/postmaster.pid").read_text().split()[0])

    def processes(self) -> list[int]:
        """Every process that works in the data directory, by what the kernel says."""
        cluster = os.path.realpath(self.data_dir / "postgres")
        return [
            pid
            for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
            if _cwd(pid) == cluster
        ]

    def kill(self) -> None:
        """End it at once, if it still runs."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until(lambda: not self.processes())


def _cwd(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


@dataclass
class Serving:
    """A running `recourse serve`: its address, its tokens by role, and what it writes."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    url: str = ""
    tokens: Mapping[str, str] | None = None

    def announced(self) -> bool:
        """Whether it has said where it serves and with which tokens."""
        assert self.process.poll() is None, f"it ended: {self.err.read_text()}"
        words = [line.split() for line in self.out.read_text().splitlines(keepends=False)]
        if not self.out.read_text().endswith("\n") or not any(w[:1] == ["admin"] for w in words):
            return False
        self.url = words[0][-1]
        self.tokens = {line[0]: line[1] for line in words if len(line) == 2}
        return True

    def ready(self) -> "Serving":
        """Wait until it serves."""
        until(self.announced)
        return self

    def token(self, role: str) -> str:
        """The token that it printed for a role."""
        assert self.tokens is not None
        return self.tokens[role]

    def ask(
        self, role_or_token: str, query: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = self.answer(role_or_token, query, variables)
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def answer(
        self, role_or_token: str, query: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The whole answer, errors and all."""
        known = self.tokens or {}
        headers = {"authorization": f"Bearer {known.get(role_or_token, role_or_token)}"}
        body = {"query": query, "variables": variables}
        response = httpx.post(self.url, json=body, headers=headers, timeout=REQUEST_LIMIT_SECONDS)
        found: dict[str, Any] = response.json()
        return found

    def log(self) -> list[dict[str, Any]]:
        """The lines of its log; each of them must be JSON."""
        return [json.loads(line) for line in self.err.read_text().splitlines()]

    def terminate(self) -> int:
        """Ask it to end, and wait; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(STOP_LIMIT_SECONDS)


@dataclass
class Recourse:
    """Runs commands of Recourse, from one folder and with one set of settings.

    `others` are further variables of the environment.
    """

    folder: Path
    settings: Mapping[str, str]
    others: Mapping[str, str] = field(default_factory=dict)
    servers: list[Serving] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        return Path(self.settings["data_dir"])

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.data_dir)

    def having(self, **settings: str) -> "Recourse":
        """The same with further settings; it shares the list of what is to be ended."""
        return replace(self, settings={**self.settings, **settings})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [RECOURSE, *arguments],
            cwd=self.folder,
            env=environment(self.settings, self.others),
            capture_output=True,
            text=True,
            timeout=START_LIMIT_SECONDS,
            check=False,
        )

    def launch(self, *arguments: str, command: Sequence[str] = (RECOURSE, "serve")) -> Serving:
        """Start a server on a free port, and don't wait for it.

        It prints tokens, which a server of a database of one's own does only when asked, and where
        it takes them.
        """
        takes_own = self.settings.get("development_tokens") == "true"
        tokens = ["--tokens"] if "database_url" in self.settings and takes_own else []
        number = len(self.servers)
        out, err = (self.folder / f"serve-{number}.{kind}" for kind in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, "--port", "0", *tokens, *arguments],
                cwd=self.folder,
                env=environment(self.settings, self.others),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                preexec_fn=_hear_ctrl_c,
            )
        self.servers.append(Serving(process, out, err))
        return self.servers[-1]

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[Serving]:
        """A server that serves, asked to end afterwards."""
        server = self.launch(*arguments)
        try:
            yield server.ready()
        finally:
            if server.process.poll() is None:
                server.terminate()

    def end(self) -> None:
        """End at once whatever still runs."""
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        if "data_dir" in self.settings:
            self.postgres.kill()
