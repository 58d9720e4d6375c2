"""Walking the schema: every way from a root field to objects, and a query for each of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)

from resolvers.schema import SCHEMA

GRAPHQL = SCHEMA._schema
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
Coverage = set[tuple[str, str]]


@dataclass(frozen=True)
class Step:
    """A field that leads to objects, and the type of those that are followed."""

    parent: str
    field: str
    type: str

    def __str__(self) -> str:
        shown = named(self.definition)
        return self.field if rows_of(shown).name == self.type else f"{self.field}:{self.type}"

    @property
    def definition(self) -> GraphQLField:
        """The field in the schema."""
        found: GraphQLField = object_type(self.parent).fields[self.field]
        return found

    @property
    def connection(self) -> bool:
        """Whether the field is a page of a list."""
        return is_connection(named(self.definition))

    @property
    def many(self) -> bool:
        """Whether the field has more than one object."""
        return self.connection or is_list(self.definition)


Path = tuple[Step, ...]


def named(field: GraphQLField) -> GraphQLNamedType:
    """The type of a field without what wraps it."""
    return get_named_type(field.type)


def object_type(name: str) -> GraphQLObjectType:
    """An object type of the schema."""
    found = GRAPHQL.type_map[name]
    assert isinstance(found, GraphQLObjectType), name
    return found


def is_list(field: GraphQLField) -> bool:
    """Whether the field is a plain list."""
    inner = field.type.of_type if is_non_null_type(field.type) else field.type
    return bool(is_list_type(inner))


def is_connection(found: GraphQLNamedType) -> bool:
    """Whether the type is a page of a list, as Relay has it."""
    return isinstance(found, GraphQLObjectType) and {"edges", "pageInfo"} <= set(found.fields)


def rows_of(found: GraphQLNamedType) -> GraphQLNamedType:
    """The type of a connection's rows; any other type itself."""
    if is_connection(found):
        assert isinstance(found, GraphQLObjectType)
        return named(found.fields["nodes"])
    return found


def concrete(found: GraphQLNamedType) -> list[GraphQLObjectType]:
    """The object types that a type can be."""
    if isinstance(found, GraphQLInterfaceType | GraphQLUnionType):
        return sorted(GRAPHQL.get_possible_types(found), key=lambda one: one.name)
    assert isinstance(found, GraphQLObjectType)
    return [found]


@lru_cache
def leads_to_nodes(name: str) -> bool:
    """Whether objects with a global id can be reached from the type: else it is a mere value."""
    node = GRAPHQL.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    seen, todo = set[str](), [GRAPHQL.type_map[name]]
    while todo:
        found = todo.pop()
        if found.name in seen or not is_composite_type(found):
            continue
        seen.add(found.name)
        if is_abstract_type(found) or GRAPHQL.is_sub_type(node, found):
            return True
        todo += [named(field) for field in found.fields.values()]  # type: ignore[union-attr]
    return False


def steps_from(parent: GraphQLObjectType) -> Iterator[Step]:
    """Every field of a type that leads to objects, for each type that these can be."""
    for name, field in parent.fields.items():
        if leads_to_nodes(named(field).name):
            for one in concrete(rows_of(named(field))):
                yield Step(parent.name, name, one.name)


def paths(depth: int, follow: Callable[[Path], bool] = lambda path: True) -> Iterator[Path]:
    """Every way of at most `depth` steps from the root; those that `follow` refuses end there."""
    level: list[Path] = [()]
    for _ in range(depth):
        level = [
            (*path, step)
            for path in level
            if not path or follow(path)
            for step in steps_from(object_type(path[-1].type if path else "Query"))
        ]
        yield from level


def values_of(name: str, coverage: Coverage | None = None) -> str:
    """A selection of all that an object holds itself: scalars, and values made of them."""
    found = []
    for field_name, field in object_type(name).fields.items():
        inner = named(field)
        if is_leaf_type(inner):
            found.append(field_name)
        elif not leads_to_nodes(inner.name):
            found.append(f"{field_name} {{ {values_of(inner.name, coverage)} }}")
        else:
            continue
        if coverage is not None:
            coverage.add((name, field_name))
    return " ".join(["__typename", *found])


def query_of(path: Path, coverage: Coverage, whole: bool = True) -> str:
    """A query for all values at the end of a path; unless `whole`, for nothing of them."""
    selection = values_of(path[-1].type, coverage) if whole else "__typename"
    for step in reversed(path):
        coverage.add((step.parent, step.field))
        selection = _field(step, selection, coverage, last=step is path[-1])
    declared = ", ".join(f"${name}: {kind}" for name, kind in sorted(_variables(path).items()))
    return f"query({declared}) {{ {selection} }}" if declared else f"{{ {selection} }}"


def _field(step: Step, selection: str, coverage: Coverage, last: bool) -> str:
    shown = named(step.definition)
    if is_abstract_type(rows_of(shown)):
        selection = f"__typename ... on {step.type} {{ {selection} }}"
    if is_connection(shown):
        selection = _page(shown.name, selection, coverage) if last else f"nodes {{ {selection} }}"
    given = ", ".join(f"{name}: ${name}" for name in sorted(_arguments(step)))
    return f"{step.field}{f'({given})' if given else ''} {{ {selection} }}"


def _page(name: str, selection: str, coverage: Coverage) -> str:
    """All of a connection: its rows, as nodes and in edges, and what it says of itself."""
    found = [values_of(name, coverage)]
    for field_name, field in object_type(name).fields.items():
        inner = named(field)
        if leads_to_nodes(inner.name):
            coverage.add((name, field_name))
            edge = inner.name.endswith("Edge")
            rows = _page(inner.name, selection, coverage) if edge else selection
            found.append(f"{field_name} {{ {rows} }}")
    return " ".join(found)


def _arguments(step: Step) -> dict[str, str]:
    """The arguments that a step gives, with their types: those it must, and those of a page."""
    found = {}
    for name, argument in step.definition.args.items():
        if is_required_argument(argument) or name in ("first", "id"):
            found[name] = str(argument.type)
    return found


def _variables(path: Path) -> Mapping[str, str]:
    return {name: kind for step in path for name, kind in _arguments(step).items()}


def ends(data: Mapping[str, Any], path: Path) -> list[list[Mapping[str, Any]]]:
    """The objects at the end of a path, one list for each object before them."""
    before: Iterable[Any] = [data]
    groups: list[list[Mapping[str, Any]]] = []
    for step in path:
        groups = [_rows(one[step.field], step) for one in before]
        before = [row for group in groups for row in group]
    return groups


def _rows(value: Any, step: Step) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    rows = value["nodes"] if step.connection else value if step.many else [value]
    return [
        row for row in rows if row is not None and row.get("__typename", step.type) == step.type
    ]


def measure_lists(type_name: str, value: Any, longest: dict[tuple[str, str], int]) -> None:
    """Note of every list in an answer, by type and field, how long the longest is."""
    for field_name, inner in value.items():
        type_name = value.get("__typename", type_name)
        if field_name == "__typename" or inner is None:
            continue
        field = object_type(type_name).fields[field_name]
        if is_list(field):
            key = (type_name, field_name)
            longest[key] = max(longest.get(key, 0), len(inner))
        if is_composite_type(named(field)):
            for one in inner if is_list(field) else [inner]:
                if one is not None:
                    measure_lists(named(field).name, one, longest)
