"""The benchmark runs, compares equal answers and gives figures; how good they are is not tested."""

import asyncio
from pathlib import Path

from tests.bench.__main__ import CONNECTIONS, QUICK, run
from tests.bench.measure import RECOURSE


async def test_a_quick_run_gives_every_figure(tmp_path: Path) -> None:
    result, shown = await asyncio.to_thread(run, tmp_path, QUICK, "2026-01-31")
    figures = result["figures"]
    assert len(figures) == len(CONNECTIONS) * (3 * 3 + 1)
    for figure in figures:
        taken = {name: value for name, value in figure.items() if isinstance(value, int | float)}
        assert all(value > 0 for name, value in taken.items() if "cpu" not in name), figure
    assert {figure["server"] for figure in figures} >= {RECOURSE, "bare", "kept"}
    assert result["date"] == "2026-01-31"
    assert "50 accounts" in shown
