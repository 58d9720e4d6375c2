"""Breadth-first execution of GraphQL operations."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, ClassVar

from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution.executor import SELECTIONS_NESTED_TOO_DEEPLY
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app.executor.errors import Errors
from app.executor.leaves import Encoders
from app.executor.plan import PlanCache
from app.executor.run import data_of

DEFAULT_PLANS = 1_000


class BreadthFirstExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, but for how an operation's fields are run."""

    plans: ClassVar = PlanCache(DEFAULT_PLANS)
    encoders: ClassVar[Encoders] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.errors = Errors()

    @property
    def strawberry_schema(self) -> Any:
        """The Strawberry schema that batched fields were declared in."""
        return self.schema._strawberry_schema  # type: ignore[attr-defined]

    def execute_operation(self, serially: bool | None = None) -> Any:
        """The result, or what will give it where something has to be waited for."""
        if self._is_left_to_graphql_core():
            return super().execute_operation(serially)
        if serially is None:
            serially = self.operation.operation is OperationType.MUTATION
        return _begun(self._result(serially))

    def _is_left_to_graphql_core(self) -> bool:
        kind = self.operation.operation
        return (
            kind is OperationType.SUBSCRIPTION
            or self.schema.get_root_type(kind) is None
            or self.abort_signal is not None
            or self.hooks is not None
            or not self.error_propagation
            or bool(self.middleware_manager and self.middleware_manager.middlewares)
            or any(fragment.variable_signatures for fragment in self.fragments.values())
            or self.plans.get(self).is_incremental
        )

    async def _result(self, serially: bool) -> ExecutionResult:
        try:
            plan = self.plans.get(self).plan(self)
        except RecursionError:
            error = GraphQLError(SELECTIONS_NESTED_TOO_DEEPLY, self.operation)
            return ExecutionResult(None, [error])
        except GraphQLError as error:
            return ExecutionResult(None, [error])
        data = await data_of(self, plan, serially)
        return ExecutionResult(data, self.errors.in_order() if self.errors else None)


def _begun(coroutine: Coroutine[Any, Any, ExecutionResult]) -> Any:
    """What the coroutine returns, if it has nothing to wait for; else what goes on with it."""
    try:
        waited_for = coroutine.send(None)
    except StopIteration as end:
        return end.value
    return _Begun(coroutine, waited_for)


class _Begun(Awaitable[Any]):
    """A coroutine that has been started, to be awaited once."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waited_for: Any) -> None:
        self._coroutine = coroutine
        self._waited_for = waited_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waited_for = self._waited_for
        while True:
            try:
                sent = yield waited_for
            except BaseException as error:
                step: Callable[[Any], Any] = self._coroutine.throw
                given: Any = error
            else:
                step, given = self._coroutine.send, sent
            try:
                waited_for = step(given)
            except StopIteration as end:
                return end.value
