"""A run: down the levels with columns of values, then back up with the objects made of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.executor.complete import complete
from app.executor.leaves import Values
from app.executor.plan import PlannedField, Scope
from app.executor.resolve import together
from app.executor.rows import Fold, Rows

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor

# Objects, and which of their fields to resolve.
Level = list[tuple[Rows, Sequence[PlannedField]]]


async def data_of(
    run: "BreadthFirstExecutor", plan: Scope, serially: bool
) -> dict[str, Any] | None:
    """The response's data; None where an error has nulled it as a whole."""
    root = Rows(plan, [run.root_value])
    fields = plan.fields
    for part in [[field] for field in fields] if serially else [fields]:
        await _fill(run, root, part)
        if root.failed:
            return None
    data: dict[str, Any] = root.built()[0]
    return data


async def _fill(run: "BreadthFirstExecutor", root: Rows, fields: Sequence[PlannedField]) -> None:
    """Resolve these fields and all below them, and give the root their values."""
    folds: list[Fold] = []
    level: Level = [(root, fields)]
    while level:
        found = await _resolve(run, level)
        folds += found
        level = [(rows, rows.scope.fields) for fold in found for rows in fold.children]
    for fold in reversed(folds):
        fold.finish()


async def _resolve(run: "BreadthFirstExecutor", level: Level) -> list[Fold]:
    """Resolve and complete the fields of a level; the folds of those that are objects, in order."""
    places = [(rows, field) for rows, fields in level for field in fields]
    columns = await _arrived(run, [run.start(rows, field) for rows, field in places])
    folds = []
    for (rows, field), values in zip(places, columns, strict=True):
        fold = await complete(run, rows, field, values)
        if fold is not None:
            folds.append(fold)
    return folds


async def _arrived(run: "BreadthFirstExecutor", started: list[Any]) -> list[Values]:
    """The columns, when all that have to be waited for are there."""
    waiting = [number for number, values in enumerate(started) if type(values) is not list]
    if waiting:
        found = await together(run, [started[number] for number in waiting])
        for number, values in zip(waiting, found, strict=True):
            started[number] = values
    return started
