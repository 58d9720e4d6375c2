"""Which columns a query needs: the fields asked for, and the columns that each of them reads."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)
from sqlalchemy import Table
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from models.base import staff_only_columns
from resolvers.batching import NEEDS
from resolvers.context import Info

# The field's name in the schema -> the columns that it reads.
ColumnMap = Mapping[str, tuple[str, ...]]
CURSORS = frozenset(("startCursor", "endCursor"))
ROWS_OF_CONNECTION = (("nodes",), ("edges", "node"))


class PlannedNodes(list[FieldNode]):
    """A field's nodes in a plan that is kept: what is derived of them is kept in `memo`."""

    __slots__ = ("memo",)

    def __init__(self, nodes: Iterable[FieldNode]) -> None:
        super().__init__(nodes)
        self.memo: dict[Any, Any] = {}


# The type's name in the schema -> its columns, and those that only staff may read. Filled as the
# types are declared.
COLUMNS: dict[str, ColumnMap] = {}
STAFF_ONLY: dict[str, frozenset[str]] = {}


def register_columns(schema_type: type, table: Table) -> ColumnMap:
    """Remember which columns are behind each field of a type whose objects are rows of `table`."""
    definition = get_object_definition(schema_type, strict=True)
    found = {}
    for field in definition.fields:
        own = (field.python_name,) if field.python_name in table.c else ()
        needs = field.metadata.get(NEEDS, own)
        found[field.graphql_name or to_camel_case(field.python_name)] = tuple(needs)
    COLUMNS[definition.name] = found
    STAFF_ONLY[definition.name] = staff_only_columns(table)
    return found


def asked_columns(
    info: Info, type_name: str, paths: tuple[tuple[str, ...], ...] = ((),)
) -> tuple[str, ...]:
    """The columns behind a type's fields selected at `paths` below this field, in stable order."""
    key = (type_name, paths, info.context.actor.is_staff)
    found: tuple[str, ...] = _remembered(
        info, key, lambda: columns_behind(info, type_name, asked_fields(info, paths))
    )
    return found


def asks_for_cursors(info: Info) -> bool:
    """Whether cursors are selected below this field, which is a connection."""

    def find() -> bool:
        of_page = asked_fields(info, (("pageInfo",),))
        return "cursor" in asked_fields(info, (("edges",),)) or bool(CURSORS & of_page)

    found: bool = _remembered(info, "cursors", find)
    return found


def columns_behind(info: Info, type_name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The columns behind these fields of a type, sorted, so that equal ones share a statement.

    For account users, without what only staff may read.
    """
    columns = COLUMNS[type_name]
    found = {column for name in names for column in columns.get(name, ())}
    if not info.context.actor.is_staff:
        found -= STAFF_ONLY[type_name]
    return tuple(sorted(found))


def asked_fields(info: Info, paths: Iterable[Sequence[str]] = ((),)) -> set[str]:
    """The names of the fields selected at `paths` below this field, through all fragments.

    A field that `@skip` leaves out counts too: a column more is no harm.
    """
    raw = info._raw_info
    starts = [node.selection_set for node in raw.field_nodes]
    found: set[str] = set()
    for path in paths:
        sets = starts
        for step in path:
            nodes = _fields(sets, raw.fragments)
            sets = [node.selection_set for node in nodes if node.name.value == step]
        found.update(node.name.value for node in _fields(sets, raw.fragments))
    return found


def _fields(
    sets: Iterable[SelectionSetNode | None], fragments: Mapping[str, Any]
) -> Iterator[FieldNode]:
    """The fields of selection sets; each fragment once, however often it is spread."""
    seen: set[str] = set()
    todo = list(sets)
    for selected in todo:
        for node in selected.selections if selected is not None else ():
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                todo.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                todo.append(fragments[node.name.value].selection_set)


def asked_types(info: Info) -> dict[str, set[str]]:
    """The fields selected below this field of an interface or union, by the type they stand under.

    Types that no fragment names are left out: of them, the interface's own fields are asked.
    """
    raw = info._raw_info

    def find() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        seen: set[tuple[str, str | None]] = set()
        for node in raw.field_nodes:
            _by_type(node.selection_set, raw.fragments, None, found, seen)
        return found

    found: dict[str, set[str]] = _remembered(info, "types", find)
    return found


def _remembered(info: Info, key: Any, find: Callable[[], Any]) -> Any:
    """What `find` gives of the field's selections: once for a plan, if there is one."""
    memo = getattr(info._raw_info.field_nodes, "memo", None)
    if memo is None:
        return find()
    if key not in memo:
        memo[key] = find()
    return memo[key]


def _by_type(
    selected: SelectionSetNode | None,
    fragments: Mapping[str, Any],
    under: str | None,
    found: dict[str, set[str]],
    seen: set[tuple[str, str | None]],
) -> None:
    for node in selected.selections if selected is not None else ():
        if isinstance(node, FieldNode):
            if under is not None:
                found.setdefault(under, set()).add(node.name.value)
            continue
        fragment: Any = node
        if isinstance(node, FragmentSpreadNode):
            if (node.name.value, under) in seen:
                continue
            seen.add((node.name.value, under))
            fragment = fragments[node.name.value]
        condition = fragment.type_condition
        name = condition.name.value if condition is not None else under
        _by_type(fragment.selection_set, fragments, name, found, seen)
