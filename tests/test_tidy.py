"""Style as a test: each rule has a bad sample that it finds, and says how to mend it."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("app", "resolvers", "models")
LONGEST_FILE_LINES = 800
Rule = Callable[[ast.AST, str], Iterator[str]]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """All calls of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def clock_readings(tree: ast.AST, path: str) -> Iterator[str]:
    """Nobody reads the clock but through the injected one."""
    if path == "models/clock.py":
        return
    for call in calls(tree):
        name = ast.unparse(call.func)
        if name.endswith((".now", ".utcnow", ".today")) and name.split(".")[0] in (
            "datetime",
            "date",
        ):
            yield f"{path}:{call.lineno} reads the clock: take a models.clock.Clock instead"
        if name in ("time.time", "time.time_ns"):
            yield f"{path}:{call.lineno} reads the clock: take a models.clock.Clock instead"


def commits(tree: ast.AST, path: str) -> Iterator[str]:
    """Only `models.session.transaction` ends a transaction of an operation."""
    for call in calls(tree):
        if ast.unparse(call.func).endswith(".commit"):
            yield f"{path}:{call.lineno} commits: use models.session.transaction"


def state_writes(tree: ast.AST, path: str) -> Iterator[str]:
    """Only a lifecycle writes a state."""
    if path in ("models/lifecycle.py", "models/program.py"):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr == "state":
                yield f"{path}:{node.lineno} writes a state: use Lifecycle.advance"


def formatted_sql(tree: ast.AST, path: str) -> Iterator[str]:
    """SQL is not formatted; but for role names and settings, which hold no user's data."""
    allowed = ("models/session.py", "models/bulk.py", "app/database.py", "app/seeding.py")
    if path in allowed or "migrations" in path:
        return
    for call in calls(tree):
        if ast.unparse(call.func) in ("text", "sqlalchemy.text") and isinstance(
            call.args[0], ast.JoinedStr
        ):
            yield f"{path}:{call.lineno} formats SQL: bind parameters instead"


def swallowed(tree: ast.AST, path: str) -> Iterator[str]:
    """No exception disappears."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{path}:{node.lineno} catches everything: name what is expected"
        if isinstance(node, ast.ExceptHandler) and isinstance(node.body[0], ast.Pass):
            known = node.type is not None and ast.unparse(node.type) not in (
                "Exception",
                "BaseException",
            )
            if not known:
                yield f"{path}:{node.lineno} swallows an exception: log it or let it go"


RULES: tuple[tuple[Rule, str], ...] = (
    (clock_readings, "import datetime\nnow = datetime.datetime.now()"),
    (commits, "async def f(session):\n    await session.commit()"),
    (state_writes, "def f(row):\n    row.state = 'OPEN'"),
    (formatted_sql, "text(f'SELECT {name}')"),
    (swallowed, "try:\n    f()\nexcept Exception:\n    pass"),
)


def modules() -> list[Path]:
    """All modules of the product."""
    found = (path for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "node_modules" not in path.parts)


@pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule: Rule) -> None:
    broken = [
        message
        for path in modules()
        for message in rule(ast.parse(path.read_text()), str(path.relative_to(ROOT)))
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("rule", "sample"), RULES, ids=lambda value: getattr(value, "__name__", "")
)
def test_the_rule_finds_its_bad_sample(rule: Rule, sample: str) -> None:
    assert list(rule(ast.parse(sample), "models/sample.py"))


def test_no_file_grows_past_what_can_be_known() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in modules()
        if "versions" not in path.parts
    }
    long = {path: n for path, n in lengths.items() if n > LONGEST_FILE_LINES}
    assert not long, f"split these: {long}"


def test_no_module_is_dead() -> None:
    texts = {path: path.read_text() for path in modules()}
    entries = {"__main__", "__init__", "env"}
    dead = [
        str(path.relative_to(ROOT))
        for path in texts
        if path.stem not in entries
        and "versions" not in path.parts
        and not any(_imports(other, path.stem) for p, other in texts.items() if p != path)
    ]
    assert not dead, f"nothing imports these: {dead}"


def _imports(text: str, stem: str) -> bool:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            if node.module.split(".")[-1] == stem or stem in names:
                return True
        if isinstance(node, ast.Import) and any(a.name.endswith(stem) for a in node.names):
            return True
    return False
