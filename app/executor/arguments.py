"""Arguments: coerced by graphql-core, and converted to what Strawberry's functions take."""

from enum import Enum
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any

from graphql.execution.values import get_argument_values
from strawberry.schema.schema_converter import get_arguments
from strawberry.types.field import StrawberryField

from app.executor.plan import PlannedField

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor


def arguments(run: "BreadthFirstExecutor", field: PlannedField) -> dict[str, Any]:
    """A field's arguments by their names in the schema; raises what graphql-core raises of them."""
    if not field.has_arguments or field.constant_arguments is not None:
        return {}
    return get_argument_values(
        field.definition, field.nodes[0], run.variable_values, None, run.hide_suggestions
    )


def converted_arguments(
    run: "BreadthFirstExecutor",
    field: PlannedField,
    declared: StrawberryField,
    source: Any,
    info: Any,
    given: dict[str, Any],
) -> tuple[list[Any], dict[str, Any]]:
    """What a Strawberry function is called with: positional arguments, and named ones.

    They are the same for all runs where no variable is in them, none is an input object (whose
    class may make what it likes, by the info too), and nobody can change them: then they are kept
    in the plan (converting six takes 8 microseconds).
    """
    schema = run.strawberry_schema
    positional, named = get_arguments(
        field=declared,
        source=source,
        info=info,
        kwargs=given,
        config=schema.config,
        scalar_registry=schema.schema_converter.scalar_registry,
    )
    if field.constant_arguments is not None:
        named.update(field.constant_arguments)
    elif not field.has_variables:
        own = {argument.python_name for argument in declared.arguments}
        constant = {name: value for name, value in named.items() if name in own}
        if all(map(is_shareable, chain(given.values(), constant.values()))):
            field.constant_arguments = constant
    return positional, named


def is_shareable(value: Any) -> bool:
    """Whether an argument may be given to many functions: nobody can change it."""
    return isinstance(value, (str, int, float, NoneType, Enum))
