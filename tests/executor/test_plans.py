"""Plans: made once for an operation and what steers it, and never more than there is room for."""

import gc
import tracemalloc
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLSchema, build_schema, execute_sync, parse

from app.executor import BreadthFirstExecutor
from app.executor import plan as planning
from app.executor.plan import MAX_FIELDS, MAX_KEPT_LENGTH, MAX_PLANS_OF_OPERATION, PlanCache

SCHEMA = build_schema("type Query { me: Node } type Node { name: String, me: Node }")
ROOT = {"me": {"name": "Ada", "me": {"name": "Bo"}}}
ROOM = 20
LAST = "fragment L{} on Node {{ name }}"


class Small(BreadthFirstExecutor):
    """An executor with room for few plans."""

    plans = PlanCache(ROOM)


@pytest.fixture(autouse=True)
def empty() -> None:
    Small.plans = PlanCache(ROOM)


def run(
    document: Any, variables: dict[str, bool] | None = None, schema: GraphQLSchema = SCHEMA
) -> ExecutionResult:
    return execute_sync(schema, document, ROOT, variable_values=variables, executor_class=Small)


def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of the scopes that are compiled from now on."""
    compiled: list[str] = []
    scope = planning._scope

    def counted(run: Any, kind: Any, *rest: Any) -> Any:
        compiled.append(kind.name)
        return scope(run, kind, *rest)

    monkeypatch.setattr(planning, "_scope", counted)
    return compiled


def test_an_operation_is_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = planned(monkeypatch)
    document = parse("{ me { name me { name } } }")
    assert [run(document).data for _ in range(3)] == [ROOT] * 3
    assert compiled == ["Query", "Node", "Node"]


def test_what_is_not_reached_is_not_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = planned(monkeypatch)
    run(parse("{ me { me { me { me { name } } } } }"))
    assert compiled == ["Query", "Node", "Node"]


def test_a_variable_that_steers_has_plans_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = planned(monkeypatch)
    document = parse("query ($on: Boolean!) { me { name @include(if: $on) } }")
    for _ in range(2):
        assert run(document, {"on": True}).data == {"me": {"name": "Ada"}}
        assert run(document, {"on": False}).data == {"me": {}}
    assert compiled == ["Query", "Node"] * 2


def test_a_variable_that_steers_in_a_fragment_counts() -> None:
    document = parse(
        "query ($no: Boolean!) { me { ...F } } fragment F on Node { name @skip(if: $no) }"
    )
    assert run(document, {"no": False}).data == {"me": {"name": "Ada"}}
    assert run(document, {"no": True}).data == {"me": {}}


def test_the_plans_of_one_operation_are_bounded() -> None:
    names = [f"v{number}" for number in range(10)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: name @include(if: ${name})" for name in names)
    document = parse(f"query ({declared}) {{ me {{ {fields} }} }}")
    for number in range(200):
        given = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        shown = {name: "Ada" for name in names if given[name]}
        assert run(document, given).data == {"me": shown}
    [kept] = Small.plans._kept.values()
    assert len(kept.plans) == MAX_PLANS_OF_OPERATION


def test_one_document_has_a_plan_for_each_schema() -> None:
    other = build_schema("type Query { me: Other } type Other { name: Int }")
    document = parse("{ me { name } }")
    assert run(document).data == {"me": {"name": "Ada"}}
    [error] = run(document, schema=other).errors or []
    assert error.message == "Int cannot represent non-integer value: 'Ada'"


def test_a_long_document_is_not_kept() -> None:
    document = parse("{ me { name } }" + " " * MAX_KEPT_LENGTH)
    assert run(document).data == {"me": {"name": "Ada"}}
    assert len(Small.plans) == 0


def doubling(levels: int, fields: int, name: str = "A") -> Any:
    """A short document in which each level's fragment is spread twice by the one above."""
    wide = " ".join(f"f{number}: name" for number in range(fields))
    each = "fragment L{0} on Node {{ {2} a: me {{ ...L{1} }} b: me {{ ...L{1} }} }}"
    fragments = [each.format(level, level + 1, wide) for level in range(levels)]
    first = f"query {name} {{ me {{ ...L0 }} }}"
    return parse("\n".join([first, *fragments, LAST.format(levels)]))


def test_a_plan_of_many_fields_is_used_and_not_kept() -> None:
    deep: dict[str, Any] = {"name": "Ada"}
    deep["me"] = deep
    document = doubling(levels=6, fields=60)
    for _ in range(2):
        result = execute_sync(SCHEMA, document, {"me": deep}, executor_class=Small)
        assert result.errors is None
    assert len(Small.plans) == 0
    assert Small.plans._fields == 0


def test_an_operation_of_too_many_fields_is_refused() -> None:
    deep: dict[str, Any] = {"name": "Ada"}
    deep["me"] = deep
    result = execute_sync(SCHEMA, doubling(12, 60), {"me": deep}, executor_class=Small)
    assert {error.message for error in result.errors or ()} == {
        f"The operation has more than {MAX_FIELDS} fields, fragments written out."
    }
    codes = {(error.extensions or {})["code"] for error in result.errors or ()}
    assert codes == {"QUERY_TOO_COSTLY"}


def test_the_fields_of_all_plans_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MAX_KEPT_FIELDS", 100)
    deep: dict[str, Any] = {"name": "Ada"}
    deep["me"] = deep
    for number in range(10):
        document = doubling(2, 5, f"Q{number}")
        execute_sync(SCHEMA, document, {"me": deep}, executor_class=Small)
        kept = sum(plans.fields for plans in Small.plans._kept.values())
        assert kept == Small.plans._fields <= 100
    assert len(Small.plans) > 0


def test_the_plans_used_last_stay() -> None:
    often = parse("{ me { name } }")
    run(often)
    for number in range(5 * ROOM):
        run(parse(f"{{ a{number}: me {{ name }} }}"))
        run(often)
    assert len(Small.plans) == ROOM
    assert any(key[:2] == (id(SCHEMA), id(often.definitions[0])) for key in Small.plans._kept)


@pytest.mark.parametrize(
    "documents", [2_000, pytest.param(100_000, marks=pytest.mark.slow)], ids="{} documents".format
)
def test_memory_does_not_grow_with_the_documents_seen(documents: int) -> None:
    tracemalloc.start()
    try:
        _run_many(200)
        before = _memory()
        _run_many(documents)
        assert len(Small.plans) == ROOM
        assert _memory() - before < 200_000
    finally:
        tracemalloc.stop()


def _run_many(count: int) -> None:
    for number in range(count):
        run(parse(f"{{ a{number}: me {{ name b{number}: me {{ name }} }} }}"))


def _memory() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
