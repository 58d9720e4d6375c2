"""Plans: an operation compiled once, so that a run has nothing to look up.

A `Scope` is a selection set on one object type at one place of the operation, with its fields
merged as the specification has it. A `PlannedField` knows how its values are read and what shape
they have. Scopes are compiled when a run first gets to them: an operation whose lists are empty
costs less, and of an interface only the types that turn up.

The private names of the libraries that the executor relies on are used in this file, in
`__init__.py` and, for Strawberry's info, in `resolve.py`.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    ListValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    default_field_resolver,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.executor import SELECTIONS_NESTED_TOO_DEEPLY
from graphql.pyutils import Path
from strawberry.schema import schema_converter
from strawberry.types.field import StrawberryField

from app.executor.leaves import Encoder, Encoders, encoder_of
from models.errors import ErrorCode
from resolvers.batching import BatchedField
from resolvers.selection import PlannedNodes

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor

TYPENAME = "__typename"
QUERY_TOO_COSTLY = ErrorCode.QUERY_TOO_COSTLY.value
STEERING = ("skip", "include")
INCREMENTAL = ("defer", "stream")
# As the parser has it for a document; fragments can nest further. JSON's writer ends at 254.
MAX_DEPTH = 200
# A document longer than this is not met again, or should not be held for it.
MAX_KEPT_LENGTH = 20_000
# `@skip` and `@include` on ten variables make 1,024 plans of one operation.
MAX_PLANS_OF_OPERATION = 16
# Fragments multiply places: 1,800 characters can stand for 100,000 fields, 1.5 kB each.
MAX_FIELDS = 10_000
MAX_KEPT_FIELDS_OF_OPERATION = 2_000
MAX_KEPT_FIELDS = 50_000


class Shape:
    """The type of a value: whether it may be null, and of a list the shape of its items.

    `encode` turns many leaf values at once into what the response holds, or gives None where one of
    them needs a closer look.
    """

    __slots__ = ("encode", "is_leaf", "item", "nullable", "type")

    def __init__(self, kind: GraphQLOutputType, encoders: Encoders) -> None:
        self.nullable = not is_non_null_type(kind)
        self.type: Any = kind if self.nullable else kind.of_type  # type: ignore[union-attr]
        self.item = Shape(self.type.of_type, encoders) if is_list_type(self.type) else None
        self.is_leaf: bool = self.item.is_leaf if self.item else is_leaf_type(self.type)
        self.encode: Encoder | None = None
        if self.item is None and self.is_leaf:
            self.encode = encoder_of(self.type, self.nullable, encoders)

    @property
    def lists(self) -> int:
        """How many lists its values are in."""
        return 0 if self.item is None else 1 + self.item.lists

    @property
    def innermost(self) -> Any:
        """The named type within all lists."""
        return self.type if self.item is None else self.item.innermost


class PlannedField:
    """One field of a scope: how its values are read, and the shape of them.

    Of `read`, `batch`, `declared` and `resolve` one is set, or none: for `__typename`, and where
    the schema names no function.
    """

    __slots__ = (
        "batch",
        "constant_arguments",
        "declared",
        "definition",
        "depth",
        "details",
        "has_arguments",
        "has_variables",
        "is_default",
        "name",
        "nodes",
        "order",
        "parent_type",
        "place",
        "read",
        "resolve",
        "scopes",
        "shape",
        "types_by_class",
    )

    def __init__(
        self,
        run: "BreadthFirstExecutor",
        definition: GraphQLField,
        details: FieldDetailsList,
        parent_type: GraphQLObjectType,
        place: Path,
        order: int,
        depth: int,
    ) -> None:
        self.name = str(place.key)
        self.definition = definition
        self.details = details
        self.nodes = PlannedNodes(detail.node for detail in details)
        self.parent_type = parent_type
        self.place = place
        self.order = order
        self.has_arguments = bool(definition.args or self.nodes[0].arguments)
        self.has_variables = any(map(_names_variable, self.nodes[0].arguments or ()))
        # Converted once, where the operation's variables don't matter.
        self.constant_arguments: dict[str, Any] | None = None
        self.shape = Shape(definition.type, run.encoders)
        # In how many objects and lists its objects are.
        self.depth = depth + 1 + self.shape.lists
        # By the type of the object, for those met so far.
        self.scopes: dict[GraphQLObjectType, Scope] = {}
        # Where an object's class decides on its type; for the classes met so far.
        self.types_by_class: dict[type, GraphQLObjectType] = {}
        self.batch: BatchedField | None = None
        self.declared: StrawberryField | None = None
        self.read: Callable[[Any], Any] | None = None
        self.resolve: Callable[..., Any] | None = None
        self.is_default = False
        self._choose_how_to_resolve(run)

    @property
    def field_name(self) -> str:
        """The name in the schema, where `name` may be an alias."""
        return self.nodes[0].name.value

    def resolve_in(self, run: "BreadthFirstExecutor") -> Callable[..., Any]:
        """The function that graphql-core would call for each object."""
        return self.resolve or run.field_resolver

    @property
    def is_typename(self) -> bool:
        """Whether the field is `__typename`."""
        return self.field_name == TYPENAME

    def _choose_how_to_resolve(self, run: "BreadthFirstExecutor") -> None:
        if self.is_typename:
            return
        declared = _unwrapped(run, self.definition)
        if isinstance(declared, BatchedField):
            self.batch = declared
        elif declared is not None and declared.base_resolver is None:
            self.read = _getter(declared)
        elif declared is not None:
            self.declared = declared
        else:
            self.resolve = self.definition.resolve
            may_be_default = self.resolve in (None, default_field_resolver)
            self.is_default = may_be_default and not self.has_arguments


class Scope:
    """A selection set on one object type: its fields, in the order of the response."""

    __slots__ = ("fields", "names", "type")

    def __init__(self, kind: GraphQLObjectType, fields: list[PlannedField]) -> None:
        self.type = kind
        self.fields = fields
        self.names = tuple(field.name for field in fields)


class OperationPlans:
    """The plans of one operation on one schema, by the values of its steering variables."""

    __slots__ = ("fields", "held", "is_incremental", "key", "plans", "steering")

    def __init__(self, run: "BreadthFirstExecutor", key: tuple[int, ...]) -> None:
        self.key = key
        # How many there are in all plans.
        self.fields = 0
        directives = list(_directives(run))
        names = [node.name.value for node in directives]
        self.is_incremental = any(name in INCREMENTAL for name in names)
        self.steering = tuple(sorted(set(_steering_variables(directives))))
        # Nothing else may take the ids by which the cache knows them.
        self.held = (run.schema, run.operation, run.encoders, *run.fragment_definitions.values())
        self.plans: dict[tuple[Any, ...], Scope] = {}

    def plan(self, run: "BreadthFirstExecutor") -> Scope:
        """The scope of the operation for this run's variables, made where there is none yet."""
        coerced = run.variable_values.coerced
        key = tuple(_steers(coerced, name) for name in self.steering)
        plan = self.plans.get(key)
        if plan is None:
            plan = root_scope(run)
            if len(self.plans) < MAX_PLANS_OF_OPERATION:
                self.plans[key] = plan
        return plan


def _steers(coerced: Mapping[str, Any], name: str) -> str | bool:
    """What a variable says to `@skip` and `@include`, which ask whether its value is true."""
    if name not in coerced:
        return "missing"
    return "null" if coerced[name] is None else bool(coerced[name])


class PlanCache:
    """The operations planned last, bounded in number and in the number of their fields.

    They are known by the identity of what goes into them: whoever keeps parsed documents finds
    their plans.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._fields = 0
        self._kept: OrderedDict[tuple[int, ...], OperationPlans] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, run: "BreadthFirstExecutor") -> OperationPlans:
        """The plans of the operation that is run."""
        fragments = run.fragment_definitions.values()
        key = (id(run.schema), id(run.operation), id(run.encoders), *map(id, fragments))
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        found = OperationPlans(run, key)
        if _length(run.operation) <= MAX_KEPT_LENGTH:
            self._kept[key] = found
            if len(self._kept) > self._size:
                self._drop(next(iter(self._kept)))
        return found

    def grown(self, plans: OperationPlans, fields: int) -> None:
        """Count the fields that an operation's plans have got; too many are a GraphQLError."""
        plans.fields += fields
        if self._kept.get(plans.key) is plans:
            self._fields += fields
            if plans.fields > MAX_KEPT_FIELDS_OF_OPERATION:
                self._drop(plans.key)
            while self._fields > MAX_KEPT_FIELDS:
                self._drop(next(iter(self._kept)))
        if plans.fields > MAX_FIELDS:
            raise GraphQLError(
                f"The operation has more than {MAX_FIELDS} fields, fragments written out.",
                extensions={"code": QUERY_TOO_COSTLY},
            )

    def _drop(self, key: tuple[int, ...]) -> None:
        self._fields -= self._kept.pop(key).fields


def root_scope(run: "BreadthFirstExecutor") -> Scope:
    """The scope of the operation itself; raises what graphql-core raises of its selections."""
    root_type = run.schema.get_root_type(run.operation.operation)
    assert root_type is not None
    collected = collect_fields(
        run.schema,
        run.fragments,
        run.variable_values,
        root_type,
        run.operation,
        run.hide_suggestions,
    )
    return _scope(run, root_type, collected.grouped_field_set, None, 0)


def scope_of(run: "BreadthFirstExecutor", field: PlannedField, kind: GraphQLObjectType) -> Scope:
    """The scope of a field's objects of one type; raises what graphql-core raises of it."""
    scope = field.scopes.get(kind)
    if scope is None:
        if field.depth > MAX_DEPTH:
            raise GraphQLError(SELECTIONS_NESTED_TOO_DEEPLY, field.nodes)
        collected = collect_subfields(
            run.schema,
            run.fragments,
            run.variable_values,
            run.operation,
            kind,
            field.details,
            run.hide_suggestions,
        )
        scope = _scope(run, kind, collected.grouped_field_set, field.place, field.depth)
        field.scopes[kind] = scope
    return scope


def _scope(
    run: "BreadthFirstExecutor",
    kind: GraphQLObjectType,
    grouped: GroupedFieldSet,
    place: Path | None,
    depth: int,
) -> Scope:
    run.plans.grown(run.operation_plans, len(grouped))
    fields: list[PlannedField] = []
    for name, details in grouped.items():
        definition = run.schema.get_field(kind, details[0].node.name.value)
        if definition is not None:
            own_place = Path(place, name, kind.name)
            fields.append(
                PlannedField(run, definition, details, kind, own_place, len(fields), depth)
            )
    return Scope(kind, fields)


def _unwrapped(run: "BreadthFirstExecutor", definition: GraphQLField) -> StrawberryField | None:
    """The Strawberry field, where its wrapper would only convert arguments and call the field."""
    declared = definition.extensions.get("strawberry-definition")
    # Somebody may have put a function of their own over Strawberry's.
    code = getattr(definition.resolve, "__code__", None)
    if not isinstance(declared, StrawberryField) or code is None or declared.extensions:
        return None
    known = (StrawberryField.get_result, BatchedField.get_result)
    if code.co_filename != schema_converter.__file__ or type(declared).get_result not in known:
        return None
    handlers = run.strawberry_schema.schema_converter._exception_handler_specs
    return None if declared.is_subscription or handlers else declared


def _names_variable(node: Any) -> bool:
    """Whether an argument, or a value in it, is a variable."""
    value = node.value if isinstance(node, (ArgumentNode, ObjectFieldNode)) else node
    if isinstance(value, ListValueNode):
        return any(map(_names_variable, value.values))
    if isinstance(value, ObjectValueNode):
        return any(map(_names_variable, value.fields))
    return isinstance(value, VariableNode)


def _getter(declared: StrawberryField) -> Callable[[Any], Any]:
    default, name = declared.default_resolver, declared.python_name
    if default is getattr:
        return attrgetter(name)
    return lambda source: default(source, name)


def _directives(run: "BreadthFirstExecutor") -> Iterator[DirectiveNode]:
    """The directives in the operation and in the fragments of its document."""
    sets: list[SelectionSetNode] = [run.operation.selection_set]
    sets += [fragment.selection_set for fragment in run.fragment_definitions.values()]
    while sets:
        for node in sets.pop().selections:
            yield from node.directives or ()
            if not isinstance(node, FragmentSpreadNode):
                nested: FieldNode | Any = node
                if nested.selection_set:
                    sets.append(nested.selection_set)


def _steering_variables(directives: list[DirectiveNode]) -> Iterator[str]:
    for directive in directives:
        if directive.name.value in STEERING:
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value


def _length(operation: OperationDefinitionNode) -> int:
    """How long the operation's document is, in characters."""
    return len(operation.loc.source.body) if operation.loc else 0
