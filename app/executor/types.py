"""Types of objects: which one each object of a field is, and the rows of each type.

A type's `is_type_of` may say by `decides_by_class = True` that an object's class decides: it is
then asked once per class, not once per object, and the `resolve_type` of an interface or union
whose types all say so is not asked at all.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, is_object_type
from graphql.execution.executor import invalid_return_type_error

from app.executor.paths import path_of
from app.executor.plan import PlannedField, scope_of
from app.executor.resolve import attempt, info_of, waited_for
from app.executor.rows import Fold, Rows

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor

# A type, or the error that there is none.
Found = GraphQLObjectType | Exception


async def divide(run: "BreadthFirstExecutor", fold: Fold, objects: list[Any]) -> None:
    """Give the fold the rows of its objects, for each type that there is among them."""
    if not objects:
        return
    kind = fold.field.shape.innermost
    if is_object_type(kind) and kind.is_type_of is None:
        _add_rows(run, fold, kind, objects, None)
        return
    types = _by_class(run, fold, objects)
    if isinstance(types, GraphQLObjectType):
        _add_rows(run, fold, types, objects, None)
    else:
        each = await _each_by_itself(run, fold, objects) if types is None else types
        _add_rows_by_type(run, fold, each, objects)


def _add_rows_by_type(
    run: "BreadthFirstExecutor", fold: Fold, types: Sequence[Found], objects: list[Any]
) -> None:
    ordinals: dict[GraphQLObjectType, list[int]] = {}
    for ordinal, found in enumerate(types):
        if isinstance(found, Exception):
            _lose(run, fold, (ordinal,), found)
        else:
            ordinals.setdefault(found, []).append(ordinal)
    for own_type, own in ordinals.items():
        if len(own) == len(objects):
            _add_rows(run, fold, own_type, objects, None)
        else:
            _add_rows(run, fold, own_type, [objects[ordinal] for ordinal in own], own)


def _add_rows(
    run: "BreadthFirstExecutor",
    fold: Fold,
    kind: GraphQLObjectType,
    objects: list[Any],
    ordinals: list[int] | None,
) -> None:
    try:
        scope = scope_of(run, fold.field, kind)
    except Exception as error:
        _lose(run, fold, range(len(objects)) if ordinals is None else ordinals, error)
    else:
        fold.children.append(Rows(scope, objects, fold, ordinals))


def _lose(
    run: "BreadthFirstExecutor", fold: Fold, ordinals: Iterable[int], error: Exception
) -> None:
    fold.lost = True
    for ordinal in ordinals:
        run.errors.add(fold.place_of(ordinal), error)


def _by_class(
    run: "BreadthFirstExecutor", fold: Fold, objects: list[Any]
) -> GraphQLObjectType | list[GraphQLObjectType] | None:
    """The type of all objects, or of each, where their classes decide; None where they don't."""
    known = fold.field.types_by_class
    classes = set(map(type, objects))
    if not classes.issubset(known) and not _learn(run, fold, objects, classes):
        return None
    if len(classes) == 1:
        return known[classes.pop()]
    return [known[type(value)] for value in objects]


def _learn(run: "BreadthFirstExecutor", fold: Fold, objects: list[Any], classes: set[type]) -> bool:
    """Find the types that the classes stand for; whether there is one for each."""
    kind = fold.field.shape.innermost
    possible = [kind] if is_object_type(kind) else run.schema.get_possible_types(kind)
    checks = {one: one.is_type_of for one in possible if one.is_type_of is not None}
    if len(checks) < len(possible) or not all(map(_decides_by_class, checks.values())):
        return False
    info = _infos(run, fold)(0)
    for own_class in classes:
        sample = next(value for value in objects if type(value) is own_class)
        # What raises, or has to be waited for, is left to the closer look.
        fitting = [one for one, check in checks.items() if attempt(check, sample, info) is True]
        if len(fitting) != 1:
            return False
        fold.field.types_by_class[own_class] = fitting[0]
    return True


async def _each_by_itself(
    run: "BreadthFirstExecutor", fold: Fold, objects: list[Any]
) -> list[Found]:
    kind = fold.field.shape.innermost
    info = _infos(run, fold)
    types: list[Any] = [kind] * len(objects)
    if not is_object_type(kind):
        resolve = kind.resolve_type or run.type_resolver
        names = await waited_for(
            run,
            [attempt(resolve, value, info(ordinal), kind) for ordinal, value in enumerate(objects)],
        )
        types = [
            name
            if isinstance(name, Exception)
            else attempt(
                run.ensure_valid_runtime_type, name, kind, fold.field.details, info(ordinal), value
            )
            for ordinal, (name, value) in enumerate(zip(names, objects, strict=True))
        ]
    return await _confirmed(run, fold.field, types, objects, info)


async def _confirmed(
    run: "BreadthFirstExecutor",
    field: PlannedField,
    types: list[Found],
    objects: list[Any],
    info: Callable[[int], Any],
) -> list[Found]:
    """The types, with an error where the type itself says that the object is none of it."""
    said = await waited_for(
        run,
        [
            True
            if isinstance(kind, Exception) or kind.is_type_of is None
            else attempt(kind.is_type_of, value, info(ordinal))
            for ordinal, (kind, value) in enumerate(zip(types, objects, strict=True))
        ],
    )
    return [
        kind if isinstance(kind, Exception) else attempt(_verdict, answer, kind, value, field)
        for answer, kind, value in zip(said, types, objects, strict=True)
    ]


def _decides_by_class(check: Callable[..., Any]) -> bool:
    return getattr(check, "decides_by_class", False)


def _verdict(answer: Any, kind: GraphQLObjectType, value: Any, field: PlannedField) -> Found:
    if isinstance(answer, Exception):
        return answer
    return kind if answer else invalid_return_type_error(kind, value, field.details)


def _infos(run: "BreadthFirstExecutor", fold: Fold) -> Callable[[int], Any]:
    """graphql-core's info for the field of an object's parent, by the object's number."""
    made: dict[int, Any] = {}

    def info(ordinal: int) -> Any:
        place = fold.place_of(ordinal)._replace(indexes=())
        if place.row not in made:
            made[place.row] = info_of(run, fold.field, path_of(place))
        return made[place.row]

    return info
