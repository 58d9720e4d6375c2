"""The breadth-first executor against graphql-core's, on random schemas, data and documents.

`--cases N` says how many, `--fuzz-seed N` which ones. They are drawn by `random.Random`, not by
hypothesis: a case takes thousands of draws, and what is made smaller when it fails is the document.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from graphql import ExecutionResult

from app.executor import BreadthFirstExecutor
from tests.executor.fuzz_case import make_case
from tests.executor.fuzz_compare import difference_within_strawberry
from tests.executor.fuzz_shrink import report

PARTS = 40
SELF_TEST_CASES = 300
STRAWBERRY_CASES = 40

# graphql-core leaves coroutines behind where an error ends a run; Python complains of it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.mark.parametrize("part", range(PARTS))
async def test_it_does_what_graphql_core_does(part: int, pytestconfig: pytest.Config) -> None:
    cases: int = pytestconfig.getoption("--cases")
    seed: int = pytestconfig.getoption("--fuzz-seed")
    for number in range(part * cases // PARTS, (part + 1) * cases // PARTS):
        case = make_case(seed, number)
        if await case.difference(BreadthFirstExecutor) is not None:
            pytest.fail(await report(case, BreadthFirstExecutor), pytrace=False)


async def test_it_does_so_within_strawberry(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="strawberry.execution")
    for number in range(0, STRAWBERRY_CASES * 49, 49):
        case = make_case(1, number)
        if not case.world.spec.is_strawberry:
            continue
        for request in case.requests():
            what = difference_within_strawberry(request, case.document.text, BreadthFirstExecutor)
            assert what is None, (number, what)


def errors_reversed(result: ExecutionResult) -> ExecutionResult:
    return ExecutionResult(result.data, result.errors and result.errors[::-1])


def one_error_less(result: ExecutionResult) -> ExecutionResult:
    return ExecutionResult(result.data, result.errors and (result.errors[1:] or None))


def keys_reversed(result: ExecutionResult) -> ExecutionResult:
    return ExecutionResult(result.data and dict(reversed(result.data.items())), result.errors)


def nulls_further_up(result: ExecutionResult) -> ExecutionResult:
    return ExecutionResult(None, result.errors) if result.errors else result


def true_for_one(result: ExecutionResult) -> ExecutionResult:
    return ExecutionResult(_with_true_for_one(result.data), result.errors)


def _with_true_for_one(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _with_true_for_one(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_true_for_one(value) for value in data]
    return True if type(data) is int and data == 1 else data


@pytest.mark.parametrize(
    "distort",
    [errors_reversed, one_error_less, keys_reversed, nulls_further_up, true_for_one],
    ids=lambda distort: distort.__name__,
)
async def test_what_is_wrong_is_found(
    distort: Callable[[ExecutionResult], ExecutionResult],
) -> None:
    class Distorted(BreadthFirstExecutor):
        def execute_operation(self, serially: bool | None = None) -> Any:
            result = super().execute_operation(serially)
            return distort(result) if isinstance(result, ExecutionResult) else later(result)

    async def later(result: Awaitable[ExecutionResult]) -> ExecutionResult:
        return distort(await result)

    for number in range(SELF_TEST_CASES):
        if await make_case(1, number).difference(Distorted) is not None:
            return
    pytest.fail("no case showed it")
