"""The figures as an SVG picture, readable on light and on dark pages.

Written by hand: a few helpers that give one element each, and a function for each part.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from tests.bench import mutations
from tests.bench.alone import BREADTH_FIRST, CONNECTIONS, CORE, DASHBOARD, LISTS, leaves_of
from tests.bench.report import SHOWN, Figure
from tests.bench.scene import RECOURSE

WIDTH, MARGIN = 900, 28
RIGHT = WIDTH - MARGIN
ROW, BAR = 21, 13
BARS, BARS_END = 190, 566
RATES = {1: 772, 8: RIGHT}
HEADER = 82
PLOT_WIDTH, PLOT_HEIGHT = 254, 236
TABLES = 518
COLUMNS = (TABLES + 222, TABLES + 306, RIGHT)
LABEL_HEIGHT = 14
REMARKS = {mutations.NAME: "plain and by hand leave out the domain's rules"}
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  font-variant-numeric: tabular-nums; fill: #1f2733 }
.title { font-size: 19px; font-weight: 650 }
.head { font-size: 13px; font-weight: 650 }
.strong { font-weight: 650 }
.quiet { fill: #5b6675 }
.page { fill: #ffffff; stroke: #d9dee5 }
.rule, .axis { stroke: #d9dee5; fill: none }
.recourse, .breadth-first { fill: #2f6fde }
.graphql-core { fill: #93b3ea }
.plain { fill: #dd8b3a }
.kept { fill: #6b7787 }
.bare { fill: #a9b2be }
.path { fill: none; stroke-width: 2 }
path.breadth-first { stroke: #2f6fde }
path.graphql-core { stroke: #93b3ea }
.connections { stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e9f0 }
  .quiet { fill: #9aa6b5 }
  .page { fill: #12171e; stroke: #2c3541 }
  .rule, .axis { stroke: #2c3541 }
  .recourse, .breadth-first { fill: #5c97ff }
  .graphql-core { fill: #4a72b8 }
  .plain { fill: #e39a52 }
  .kept { fill: #8b98a9 }
  .bare { fill: #5a6675 }
  .path { fill: none }
  path.breadth-first { stroke: #5c97ff }
  path.graphql-core { stroke: #4a72b8 }
}
"""


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """Words, on the line `y`."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def bar(x: float, y: float, width: float, kind: str) -> str:
    """One bar; the shortest is still seen."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" height="{BAR}" rx="2" '
        f'class="{kind}"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """A thin line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="rule"/>'


def path(points: Sequence[tuple[float, float]], kind: str) -> str:
    """A line through points."""
    joined = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{joined}" class="path {kind}"/>'


def dot(x: float, y: float, kind: str) -> str:
    """A point of a line."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}"/>'


def three_digits(value: float) -> str:
    """A number with about three digits that count."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{decimals}f}"


def multiple(value: float) -> str:
    """How many times something is something else."""
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def duration(microseconds: float) -> str:
    """A time in the unit that suits it, as an axis shows it."""
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= size:
            return f"{microseconds / size:g} {unit}"
    return f"{microseconds:g} µs"


def draw(result: Mapping[str, Any]) -> str:
    """The picture of a run's figures."""
    parts, y = list(_header(result)), float(HEADER)
    if result["figures"]:
        parts += _columns(y)
        y += 24
    for question in dict.fromkeys(figure["question"] for figure in result["figures"]):
        group = [figure for figure in result["figures"] if figure["question"] == question]
        parts += _panel(question, group, y)
        y += 34 + ROW * len({figure["server"] for figure in group})
    if result["alone"] is not None:
        parts += [line(MARGIN, y, RIGHT, y), *_alone(result["alone"], y + 26)]
        y += PLOT_HEIGHT + 112
    parts += [*_footer(result, y + 12)]
    return _whole(parts, y + 54)


def _whole(parts: Sequence[str], height: float) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="Benchmarks of Recourse">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8" '
        f'class="page"/>\n{body}\n</svg>\n'
    )


def _header(result: Mapping[str, Any]) -> Iterator[str]:
    yield text(MARGIN, 38, "Recourse and others: the same JSON from one PostgreSQL", "title")
    yield text(
        MARGIN,
        58,
        "CPU time of the server's process for a request, and requests per second. "
        "Shorter bars are better.",
        "quiet",
    )


def _columns(y: float) -> Iterator[str]:
    heading = "CPU ms per request, 1 connection (and as a multiple of Recourse)"
    yield text(BARS, y + 8, heading, "quiet")
    yield text(RATES[1], y + 8, "requests/s, 1 conn.", "quiet", "end")
    yield text(RATES[8], y + 8, "8 connections", "quiet", "end")


def _panel(question: str, group: Sequence[Figure], y: float) -> Iterator[str]:
    """One query: a bar for each server, on a scale of its own from zero."""
    yield text(MARGIN, y + 16, question, "head")
    yield text(RIGHT, y + 16, REMARKS.get(question, ""), "quiet", "end")
    alone = {figure["server"]: figure for figure in group if figure["connections"] == 1}
    many = {figure["server"]: figure for figure in group if figure["connections"] != 1}
    scale = (BARS_END - BARS) / max(figure["cpu_ms"] for figure in alone.values())
    for place, (server, figure) in enumerate(alone.items()):
        top = y + 26 + ROW * place
        kind = "strong" if server == RECOURSE else ""
        yield text(MARGIN, top + 11, SHOWN[server], kind)
        yield bar(BARS, top, figure["cpu_ms"] * scale, server)
        label = three_digits(figure["cpu_ms"])
        yield text(BARS + figure["cpu_ms"] * scale + 7, top + 11, label, kind)
        if server != RECOURSE and RECOURSE in alone:
            times = figure["cpu_ms"] / alone[RECOURSE]["cpu_ms"]
            after = BARS + figure["cpu_ms"] * scale + 16 + 7 * len(label)
            yield text(after, top + 11, f"({multiple(times)}x)", "quiet")
        for connections, found in ((1, figure), (8, many[server])):
            rate = three_digits(found["requests_per_second"])
            yield text(RATES[connections], top + 11, rate, kind, "end")


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis: whole decades between two places."""

    first: int
    last: int
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> "Scale":
        """The decades that hold the values."""
        logs = [math.log10(value) for value in values]
        first, last = math.floor(min(logs) + 1e-9), math.ceil(max(logs) - 1e-9)
        return cls(first, max(last, first + 1), start, end)

    def place(self, value: float) -> float:
        """Where a value stands."""
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.start + share * (self.end - self.start)

    def decades(self) -> list[float]:
        """The values that are marked."""
        return [10.0**power for power in range(self.first, self.last + 1)]


def _alone(alone: Mapping[str, Any], y: float) -> Iterator[str]:
    explained = "time against objects, nothing waits; both axes logarithmic"
    yield text(MARGIN, y, "The executor alone, in memory", "head")
    yield text(MARGIN, y + 18, explained, "quiet")
    left, top = MARGIN + 52, y + 34
    yield from _plot(alone["executions"], left, top)
    yield from _tables(alone, y)


def _plot(executions: Sequence[Figure], left: float, top: float) -> Iterator[str]:
    shown = [e for e in executions if not e["waits"] and e["objects"] != DASHBOARD.objects]
    across = Scale.over([e["objects"] for e in shown], left, left + PLOT_WIDTH)
    up = Scale.over([1000 * e["milliseconds"] for e in shown], top + PLOT_HEIGHT, top)
    for value in across.decades():
        x = across.place(value)
        yield line(x, top, x, top + PLOT_HEIGHT)
        yield text(x, top + PLOT_HEIGHT + 16, f"{value:,.0f}", "quiet", "middle")
    for value in up.decades():
        yield line(left, up.place(value), left + PLOT_WIDTH, up.place(value))
        yield text(left - 8, up.place(value) + 4, duration(value), "quiet", "end")
    yield text(left + PLOT_WIDTH / 2, top + PLOT_HEIGHT + 34, "objects", "quiet", "middle")
    ends = {}
    for executor in (CORE, BREADTH_FIRST):
        for kind in (LISTS, CONNECTIONS):
            series = [e for e in shown if (e["executor"], e["shown"]) == (executor, kind)]
            points = [
                (across.place(e["objects"]), up.place(1000 * e["milliseconds"])) for e in series
            ]
            yield path(points, f"{executor} {kind}")
            yield from (dot(*point, executor) for point in points)
            ends[f"{executor}, {kind}"] = points[-1][1]
    yield from _labels(ends, left + PLOT_WIDTH + 9)


def _labels(ends: Mapping[str, float], x: float) -> Iterator[str]:
    """What the lines are, beside their ends, and not on top of each other."""
    above = -math.inf
    for label, y in sorted(ends.items(), key=lambda end: end[1]):
        above = max(y, above + LABEL_HEIGHT)
        yield text(x, above + 4, label)


def _tables(alone: Mapping[str, Any], y: float) -> Iterator[str]:
    """The dashboard's objects and documents never seen before; then how the time grows."""
    shape = f"{DASHBOARD.objects:,} objects, {leaves_of(DASHBOARD):,} values: ms"
    rows = list(_rows(alone))
    yield from _table(shape, rows, y)
    growing = [
        (f"{objects:,} objects", found[CORE], found[BREADTH_FIRST])
        for objects, found in _growth(alone["executions"]).items()
    ]
    yield from _table("lists: microseconds per object", growing, y + 62 + 19 * len(rows))


def _table(head: str, rows: Sequence[tuple[str, float, float]], y: float) -> Iterator[str]:
    yield text(TABLES, y, head, "head")
    for place, heading in zip(COLUMNS, (CORE, BREADTH_FIRST, "times"), strict=True):
        yield text(place, y + 20, heading, "quiet", "end")
    for number, (label, slow, fast) in enumerate(rows):
        top = y + 39 + 19 * number
        yield text(TABLES, top, label)
        yield text(COLUMNS[0], top, three_digits(slow), "", "end")
        yield text(COLUMNS[1], top, three_digits(fast), "", "end")
        yield text(COLUMNS[2], top, multiple(slow / fast), "strong", "end")


def _rows(alone: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    found = {
        (e["shown"], e["waits"], e["executor"]): e["milliseconds"]
        for e in alone["executions"]
        if e["objects"] == DASHBOARD.objects
    }
    for shown, waits in dict.fromkeys(key[:2] for key in found):
        label = f"{shown}, coroutines" if waits else shown
        yield label, found[shown, waits, CORE], found[shown, waits, BREADTH_FIRST]
    unseen = {one["executor"]: one for one in alone["unseen"]}
    labels = {"whole_ms": "new document, 10 objects", "execute_ms": "its execution alone"}
    for name, label in labels.items():
        yield label, unseen[CORE][name], unseen[BREADTH_FIRST][name]


def _growth(executions: Sequence[Figure]) -> dict[int, dict[str, float]]:
    """Microseconds per object, by the number of objects and the executor."""
    found: dict[int, dict[str, float]] = {}
    for e in executions:
        if not e["waits"] and e["shown"] == LISTS and e["objects"] != DASHBOARD.objects:
            found.setdefault(e["objects"], {})[e["executor"]] = e["microseconds_per_object"]
    return found


def _footer(result: Mapping[str, Any], y: float) -> Iterator[str]:
    machine, versions = result["machine"], result["versions"]
    on = f"{machine['processor']}, {machine['processors']} processors, {machine['system']}"
    packages = ("python", "graphql-core", "strawberry-graphql", "sqlalchemy", "asyncpg")
    using = ", ".join(f"{name} {versions[name]}" for name in packages)
    yield line(MARGIN, y - 12, RIGHT, y - 12)
    yield text(MARGIN, y + 8, f"scripts/bench, {result['date']}. {on}.", "quiet")
    yield text(MARGIN, y + 26, f"{using}.", "quiet")
