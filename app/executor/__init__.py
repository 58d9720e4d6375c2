"""Breadth-first execution: each field of a level is resolved once, for all its objects.

graphql-core walks a response depth first: for each object, for each field, it looks the field up,
makes an info object, calls a resolver, looks at the value's type and completes it: 2 to 20
microseconds a value. This executor turns the loops inside out. Of

    { accounts { name requirements { title } } }

it makes a *plan* once, and runs it level by level, with columns of values in between:

    Query         accounts      [root]        -> [[a, b]]
    Account       name          [a, b]        -> ["A", "B"]
                  requirements  [a, b]        -> [[x, y], [z]]
    Requirement   title         [x, y, z]     -> ["X", "Y", "Z"]

then builds the dictionaries of the last level first, and lays them into the lists of the level
above: 0.1 microseconds a value. What is read here in order:

    plan.py       what to do: scopes, fields and shapes, compiled once for an operation and kept
    run.py        the way down the levels, and back up
    rows.py       the objects of a level, and how they lie in the lists of the level above
    resolve.py    a field's values for all its parents: an attribute, a batch, or a function each
    arguments.py  what these functions are called with
    complete.py   from values to a column of the response, or to the objects of the next level
    types.py      which type the objects of an interface or union are
    leaves.py     scalars and enums, many at once
    errors.py     where errors happened; in the order of the document
    paths.py      response paths, as resolvers and errors have them
    handover.py   why a run that waits for nothing needs no event loop
    explain.py    a run made visible

In every signature, `run` is the executor object of one operation. A `Scope` is a selection set on
one type at one place, a `Shape` the type of a value with its lists and nulls, a `Place` a place
of the response, by row and indexes.

Values are completed in one of two ways: *as a whole*, when a check in C of all values' classes says
that there is nothing special among them, or *closely*, value by value, with the functions and
messages of graphql-core. Nulls that may not be null are FAILED: laying a level into the one above
sees them and hands them on to the nearest place that may be null.

To add
    a way to resolve   PlannedField._choose_how_to_resolve, resolve.start, explain.Way
    a faster scalar    app/encoding.py, ENCODERS: values -> values, or None for a closer look
    a limit            of plans: plan.py's constants; of a response: plan.MAX_DEPTH; of a request:
                       app/settings.py

What differs from graphql-core. For clients: errors stand in the order of the document, also where
something had to be waited for, and a response is at most MAX_DEPTH objects and lists deep. For
resolvers: fields are called in the order of levels, the siblings of a failed field too; nothing
below a level begins before all of the level is there; awaitables that are attributes, or within
lists, are waited for one field after the other (those that functions return, all at once); an
async iterable is read to its end. Subscriptions, `@defer` and `@stream`, middleware, an abort
signal, hooks, a test of awaitables of one's own, fragment variables and operations without error
propagation are left to graphql-core's own executor.
"""

from collections.abc import Coroutine
from functools import cached_property
from typing import Any, ClassVar

from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution.execute import assume_not_awaitable
from graphql.execution.executor import SELECTIONS_NESTED_TOO_DEEPLY
from graphql.pyutils.is_awaitable import is_awaitable as default_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app.executor.errors import Errors
from app.executor.handover import HandOver
from app.executor.leaves import Encoders, Values
from app.executor.plan import OperationPlans, PlanCache, PlannedField
from app.executor.resolve import start
from app.executor.rows import Rows
from app.executor.run import data_of

DEFAULT_PLANS = 1_000


class BreadthFirstExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, but for how an operation's fields are run.

    For `graphql.execute(..., executor_class=...)`, and as Strawberry's `execution_context_class`.
    A subclass may keep other `plans`, and set `encoders`: by the name of a scalar, what to do with
    its values where the response is to hold something else than graphql-core's coercion gives.
    """

    plans: ClassVar = PlanCache(DEFAULT_PLANS)
    encoders: ClassVar[Encoders] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.errors = Errors()
        self.handed_over = HandOver()

    @cached_property
    def operation_plans(self) -> OperationPlans:
        """The plans of the operation that is run."""
        return self.plans.get(self)

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
        return self.handed_over.begun(self._result(serially))

    def start(self, rows: Rows, field: PlannedField) -> Values | Coroutine[Any, Any, Values]:
        """A field's values for all its objects, or what will give them."""
        return start(self, rows, field)

    def _is_left_to_graphql_core(self) -> bool:
        kind = self.operation.operation
        return (
            kind is OperationType.SUBSCRIPTION
            or self.schema.get_root_type(kind) is None
            or self.abort_signal is not None
            or self.hooks is not None
            or self.is_awaitable not in (default_is_awaitable, assume_not_awaitable)
            or not self.error_propagation
            or bool(self.middleware_manager and self.middleware_manager.middlewares)
            or any(fragment.variable_signatures for fragment in self.fragments.values())
            or self.operation_plans.is_incremental
        )

    async def _result(self, serially: bool) -> ExecutionResult:
        try:
            plan = self.operation_plans.plan(self)
        except RecursionError:
            return _refused(GraphQLError(SELECTIONS_NESTED_TOO_DEEPLY, self.operation))
        except GraphQLError as error:
            return _refused(error)
        data = await data_of(self, plan, serially)
        return ExecutionResult(data, self.errors.in_order() if self.errors else None)


def _refused(error: GraphQLError) -> ExecutionResult:
    return ExecutionResult(None, [error])
