"""The benchmark runs, compares equal answers and gives figures; how good they are is not tested."""

import asyncio
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench.__main__ import CONNECTIONS, main, run
from tests.bench.alone import CONNECTIONS as EDGES
from tests.bench.alone import DASHBOARD, EXECUTORS, LISTS, TENFOLD
from tests.bench.picture import draw
from tests.bench.report import SHOWN, table
from tests.bench.scene import PLAIN, RECOURSE, SERVERS

QUESTIONS = 4


async def test_a_quick_run_gives_every_figure() -> None:
    result = await asyncio.to_thread(run, True, date="2026-01-31")
    figures = result["figures"]
    assert len(figures) == QUESTIONS * len(SERVERS) * len(CONNECTIONS)
    for figure in [*figures, *result["alone"]["executions"], *result["alone"]["unseen"]]:
        numbers = {k: v for k, v in figure.items() if isinstance(v, int | float) and k != "waits"}
        assert all(v > 0 for v in numbers.values()), figure
    assert {figure["server"] for figure in figures} == set(result["memory_mb"]) == set(SERVERS)
    shapes = {(e["shown"], e["waits"], e["executor"]) for e in result["alone"]["executions"]}
    assert len(shapes) == len({LISTS, EDGES}) * 2 * len(EXECUTORS)
    sizes = {execution["objects"] for execution in result["alone"]["executions"]}
    assert sizes >= {DASHBOARD.objects, *(shape.objects for shape in TENFOLD[:3])}
    _check_table(result)
    _check_picture(result)


def _check_table(result: dict[str, Any]) -> None:
    shown = table(result)
    for name in ("50 accounts", "mutations:", *SHOWN.values()):
        assert name in shown
    assert "1,050" in shown


def _check_picture(result: dict[str, Any]) -> None:
    words = " | ".join(_texts(draw(result)))
    questions = {figure["question"] for figure in result["figures"]}
    for name in (*SHOWN.values(), *EXECUTORS, *questions, "2026-01-31", "objects", "CPU ms"):
        assert name in words, name
    assert result["machine"]["processor"] in words


def _texts(picture: str) -> Iterator[str]:
    for element in ElementTree.fromstring(picture).iter():
        if element.tag.endswith("}text"):
            yield element.text or ""


def test_a_picture_of_some_servers_or_of_the_executor_alone() -> None:
    both = {"connections": 8}, {"connections": 1}
    measured = {"cpu_ms": 1.5, "requests_per_second": 1234.5, "question": "one", "server": PLAIN}
    versions = ("python", "graphql-core", "strawberry-graphql", "sqlalchemy", "asyncpg")
    result = {
        "date": "2026-01-31",
        "machine": {"processor": "<a & b>", "processors": 2, "system": "Linux"},
        "versions": dict.fromkeys(versions, "1"),
        "figures": [{**measured, **more} for more in both],
        "alone": None,
    }
    assert "1,234" in list(_texts(draw(result)))
    ElementTree.fromstring(draw({**result, "figures": []}))


def test_an_unknown_server_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--servers", f"{RECOURSE},rails"])
    assert "unknown: rails" in capsys.readouterr().err
