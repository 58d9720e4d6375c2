"""Resolving: the values of one field for all its parents, by the way that the plan has chosen."""

from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Sequence
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from graphql import default_field_resolver
from graphql.pyutils import Path, gather_with_cancel, is_iterable
from strawberry.types.field import StrawberryField

from app.executor.arguments import arguments, converted_arguments, is_shareable
from app.executor.errors import Place
from app.executor.leaves import Values, is_plain
from app.executor.paths import path_of
from app.executor.plan import PlannedField, Shape
from app.executor.rows import Broken, Rows

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor

_DICTIONARIES = frozenset((dict,))


def start(
    run: "BreadthFirstExecutor", rows: Rows, field: PlannedField
) -> Values | Coroutine[Any, Any, Values]:
    """A field's values, or what will give them."""
    if field.read is not None:
        return _read(field.read, rows.sources)
    if field.batch is not None:
        return _start_batch(run, rows, field)
    if field.is_typename:
        return [rows.scope.type.name] * len(rows.sources)
    if field.is_default and field.resolve_in(run) is default_field_resolver:
        values = _read_entries(rows, field)
        if values is not None:
            return values
    return _start_each(run, rows, field)


def _read(read: Callable[[Any], Any], sources: list[Any]) -> Values:
    try:
        values = list(map(read, sources))
    except Exception:
        values = []
    # A StopIteration ends a map without a word.
    if len(values) == len(sources):
        return values
    return [attempt(read, source) for source in sources]


def info_of(run: "BreadthFirstExecutor", field: PlannedField, path: Path) -> Any:
    """graphql-core's info for a field at a path."""
    return run.build_resolve_info(field.definition, field.nodes, field.parent_type, path)


def info_of_declared(
    run: "BreadthFirstExecutor", field: PlannedField, path: Path, declared: StrawberryField
) -> Any:
    """Strawberry's info for a field at a path."""
    info_class = run.strawberry_schema.config.info_class
    return info_class(_raw_info=info_of(run, field, path), _field=declared)


async def awaited(run: "BreadthFirstExecutor", values: Values, shape: Shape) -> Values:
    """The values when nothing in them has to be waited for any more; what raised is an exception.

    Of lists, the items too; these are then lists indeed, however they were given.
    """
    values = await waited_for(run, values)
    if shape.item is None:
        return values
    lists = [await _listed(run, value) for value in values]
    flat = [item for value in lists if isinstance(value, list) for item in value]
    if all(map(is_plain, set(map(type, flat)))) and shape.item.item is None:
        return lists
    rest = iter(await awaited(run, flat, shape.item))
    return [_refilled(value, rest) if isinstance(value, list) else value for value in lists]


def _refilled(value: list[Any], rest: Any) -> list[Any]:
    items = [next(rest) for _ in value]
    return Broken(items, value.error) if isinstance(value, Broken) else items


async def waited_for(run: "BreadthFirstExecutor", values: Values) -> Values:
    """The values, with the results of those that had to be waited for; all at once."""
    waiting = [place for place, value in enumerate(values) if run.is_awaitable(value)]
    if not waiting:
        return values
    found = await together(run, [_caught(values[place]) for place in waiting])
    values = list(values)
    for place, value in zip(waiting, found, strict=True):
        values[place] = value
    return values


async def together(run: "BreadthFirstExecutor", coroutines: Sequence[Awaitable[Any]]) -> list[Any]:
    """The results of all; a single one needs no task of its own."""
    await run.handed_over
    if len(coroutines) == 1:
        return [await coroutines[0]]
    return list(await gather_with_cancel(*coroutines))


async def _caught(value: Awaitable[Any]) -> Any:
    try:
        return await value
    except Exception as error:
        return error


async def _listed(run: "BreadthFirstExecutor", value: Any) -> Any:
    """An iterable as a list; Broken where it raised half way."""
    if run.is_async_iterable(value):
        return await _listed_asynchronously(run, value)
    if type(value) in (list, Broken) or not is_iterable(value):
        return value
    items = []
    try:
        for item in value:
            items.append(item)
    except Exception as error:
        return Broken(items, error)
    return items


async def _listed_asynchronously(run: "BreadthFirstExecutor", value: AsyncIterable[Any]) -> Any:
    await run.handed_over
    items = []
    try:
        async for item in value:
            items.append(item)
    except Exception as error:
        return Broken(items, error)
    return items


def _start_batch(
    run: "BreadthFirstExecutor", rows: Rows, field: PlannedField
) -> Values | Coroutine[Any, Any, Values]:
    batch, count = field.batch, len(rows.sources)
    assert batch is not None
    try:
        info = info_of_declared(run, field, field.place, batch)
        given = arguments(run, field)
        _, converted = converted_arguments(run, field, batch, rows.sources, info, given)
        values = batch.call(info, rows.sources, converted)
    except Exception as error:
        return [error] * count
    # A list is no awaitable, and to ask it takes longer than to look.
    if type(values) is not list and isawaitable(values):
        return _finish_batch(values, count)
    return _checked(values, count)


async def _finish_batch(values: Awaitable[Any], count: int) -> Values:
    try:
        return _checked(await values, count)
    except Exception as error:
        return [error] * count


def _checked(values: Any, count: int) -> Values:
    """The values as a list; an error for each parent where they are not one for each."""
    is_column = isinstance(values, (list, tuple))
    if not is_column or len(values) != count:
        found = f"{len(values)} values" if is_column else type(values).__name__
        error = TypeError(f"A batched field gave {found} for {count} parents.")
        return [error] * count
    return values if type(values) is list else list(values)


def _start_each(
    run: "BreadthFirstExecutor", rows: Rows, field: PlannedField
) -> Values | Coroutine[Any, Any, Values]:
    """Call the function of each object, as graphql-core does."""
    values: Values = []
    shared: dict[str, Any] | None = None
    for row, source in enumerate(rows.sources):
        path = path_of(Place(rows, row, field))
        try:
            given = arguments(run, field) if shared is None else shared
            if all(map(is_shareable, given.values())):
                shared = given
            values.append(_call(run, field, source, path, given))
        except Exception as error:
            values.append(error)
    if any(map(run.is_awaitable, values)):
        return awaited(run, values, field.shape)
    return values


def _call(
    run: "BreadthFirstExecutor", field: PlannedField, source: Any, path: Path, given: dict[str, Any]
) -> Any:
    declared = field.declared
    if declared is None:
        return field.resolve_in(run)(source, info_of(run, field, path), **given)
    info = info_of_declared(run, field, path, declared)
    positional, named = converted_arguments(run, field, declared, source, info, given)
    return declared.get_result(source, info, positional, named)


def _read_entries(rows: Rows, field: PlannedField) -> Values | None:
    """What graphql-core's default resolver finds in dictionaries, where that is all they are."""
    if not _DICTIONARIES.issuperset(map(type, rows.sources)):
        return None
    name = field.field_name
    values = [source.get(name) for source in rows.sources]
    return None if any(map(callable, values)) else values


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function gives, or the exception that it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return error
