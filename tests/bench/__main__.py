"""`python -m tests.bench`: start everything, compare, print, and end everything."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench import mutations
from tests.bench.data import REQUIREMENTS_PER_PAGE
from tests.bench.picture import draw
from tests.bench.processes import memory_mb, output_of
from tests.bench.queries import assert_same, questions
from tests.bench.report import described, table
from tests.bench.scene import SERVERS, Scale, scene

HTTP, IN_PROCESS = "http", "in-process"
CONNECTIONS = (1, 8)
FULL = Scale(accounts=2_000, rounds=5, slice_seconds=0.7, mutated=12)
QUICK = Scale(accounts=REQUIREMENTS_PER_PAGE, rounds=1, slice_seconds=0.12, mutated=4)
Result = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    """Run the benchmarks that the arguments ask for."""
    given = _parser().parse_args(arguments)
    if given.kept is None:
        result = run(given.quick, given.only, given.servers, given.date)
    else:
        result = json.loads(given.kept.read_text())
    print(table(result))
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=2) + "\n")
    if given.svg is not None:
        given.svg.write_text(draw(result))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every figure in FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw them into FILE")
    parser.add_argument(
        "--from", dest="kept", type=Path, metavar="FILE", help="measure nothing: those of --json"
    )
    parser.add_argument("--date", help="the date to write beside the figures; else today")
    parser.add_argument("--quick", action="store_true", help="only see that it runs")
    parser.add_argument("--only", choices=(HTTP, IN_PROCESS), help="half of it")
    parser.add_argument(
        "--servers",
        type=_names,
        default=SERVERS,
        metavar="A,B",
        help=f"over HTTP, only these of {', '.join(SERVERS)}",
    )
    return parser


def _names(text: str) -> tuple[str, ...]:
    names = text.split(",")
    unknown = set(names) - set(SERVERS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return tuple(name for name in SERVERS if name in names)


def run(
    quick: bool,
    only: str | None = None,
    names: Sequence[str] = SERVERS,
    date: str | None = None,
) -> Result:
    """Every figure: the executor alone first, while nothing else runs, then the servers."""
    result: Result = {"figures": [], "memory_mb": {}, "alone": None}
    if only != HTTP:
        result["alone"] = output_of("tests.bench.alone", *(["--quick"] if quick else []))
    if only != IN_PROCESS:
        with TemporaryDirectory(prefix="recourse-bench-") as folder:
            result.update(compare(Path(folder), QUICK if quick else FULL, names))
    return described(result, date or datetime.now(UTC).date().isoformat())


def compare(folder: Path, scale: Scale, names: Sequence[str]) -> Result:
    """Compare the servers on a store in `folder`."""
    targets = mutations.needed(len(names), len(CONNECTIONS), scale.rounds, scale.mutated)
    with scene(folder, scale, names, targets) as found:
        asked, servers, bench = questions(found.ids), found.servers, found.bench
        for question in asked:
            assert_same(question, servers)
        cells = bench.compare(asked, servers, CONNECTIONS)
        before = asyncio.run(mutations.effects(found.url))
        cells += mutations.compare(bench, servers, found.targets, CONNECTIONS, scale.mutated)
        mutations.assert_done(before, asyncio.run(mutations.effects(found.url)), targets)
        return {
            "figures": [cell.figures() for cell in cells],
            "memory_mb": {server.name: memory_mb(server.pid) for server in servers},
        }


if __name__ == "__main__":
    main(sys.argv[1:])
