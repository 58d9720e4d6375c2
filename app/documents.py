"""Documents: parsed and validated once, then kept."""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)

from app.executor.plan import MAX_KEPT_LENGTH
from resolvers.codes import RequestCode

PARSE_FAILED = RequestCode.GRAPHQL_PARSE_FAILED
VALIDATION_FAILED = RequestCode.GRAPHQL_VALIDATION_FAILED
MAX_ERRORS = 20
MAX_NAME_LENGTH = 100


@dataclass(frozen=True)
class Document:
    """A document that may be run, or what is wrong with it."""

    node: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation that would run; None where the name does not pick one."""
        return None if self.node is None else get_operation_ast(self.node, name)

    def name(self, name: str | None) -> str | None:
        """The name of the operation that would run, short enough for a line of the log."""
        operation = self.operation(name)
        if operation is None or operation.name is None:
            return None
        return operation.name.value[:MAX_NAME_LENGTH]

    def is_mutation(self, name: str | None) -> bool:
        """Whether the operation that would run is a mutation."""
        operation = self.operation(name)
        return operation is not None and operation.operation is OperationType.MUTATION


class DocumentCache:
    """The documents seen last, bounded in number and in the length of each.

    With `hide_suggestions`, errors tell no names of the schema that were not given.
    """

    def __init__(
        self, schema: GraphQLSchema, size: int, max_tokens: int, hide_suggestions: bool = False
    ) -> None:
        self._schema = schema
        self._size = size
        self._max_tokens = max_tokens
        self._hide_suggestions = hide_suggestions
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def get(self, text: str) -> Document:
        """The document of a text, from the cache or made now."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        document = self._make(text)
        if len(text) <= MAX_KEPT_LENGTH and self._size > 0:
            self._kept[text] = document
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return document

    def _make(self, text: str) -> Document:
        try:
            node = parse(text, max_tokens=self._max_tokens)
        except (GraphQLError, RecursionError) as error:
            message = error.message if isinstance(error, GraphQLError) else "Nested too deeply."
            locations = error if isinstance(error, GraphQLError) else None
            return Document(None, (_coded(message, PARSE_FAILED, locations),))
        errors = validate(
            self._schema,
            node,
            max_errors=MAX_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )
        if errors:
            return Document(None, tuple(_coded(e.message, VALIDATION_FAILED, e) for e in errors))
        return Document(node)


def _coded(message: str, code: str, of: GraphQLError | None) -> GraphQLError:
    if of is None:
        return GraphQLError(message, extensions={"code": code})
    return GraphQLError(message, of.nodes, of.source, of.positions, extensions={"code": code})
