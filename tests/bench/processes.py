"""What is measured of processes, and the ones that the benchmark starts and ends itself."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.process import ROOT, environment

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
STOP_LIMIT_SECONDS = 30


def cpu_seconds(pids: Iterable[int]) -> float:
    """The processor time that processes have taken so far, in user and system."""
    return sum(map(_seconds, pids))


def _seconds(pid: int) -> float:
    """One process's, by the nanosecond where the kernel counts so, else by the tick."""
    try:
        threads = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
        if threads:
            return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def memory_mb(pid: int) -> float:
    """The memory that a process holds now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [resident] = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return round(int(resident) / 1024, 1)


@contextmanager
def started(
    module: str, arguments: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A module of the benchmark as a process; ended afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        cwd=ROOT,
        env=environment({}, variables or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_LIMIT_SECONDS)


def output_of(module: str, *arguments: str) -> Any:
    """What a module of the benchmark prints as JSON, run to its end."""
    with started(module, arguments) as process:
        assert process.stdout is not None
        return json.loads(process.stdout.readline())


@dataclass(frozen=True)
class LoadResult:
    """What the load generator saw: each request's seconds, and how long all of them took."""

    elapsed: float
    seconds: list[float]


@dataclass(frozen=True)
class Load:
    """The process that makes requests."""

    process: "subprocess.Popen[str]"

    def run(
        self,
        port: int,
        requests: Sequence[bytes],
        connections: int,
        seconds: float,
        once: bool = False,
    ) -> LoadResult:
        """Make requests for so long, over and over; with `once`, each of them once at most."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        job: dict[str, Any] = {
            "port": port,
            "requests": [request.decode() for request in requests],
            "connections": connections,
            "seconds": seconds,
            "once": once,
        }
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return LoadResult(**json.loads(self.process.stdout.readline()))
