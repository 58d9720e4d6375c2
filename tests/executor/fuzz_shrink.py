"""Makes a failing case smaller, and says all that it takes to make a test of it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    REMOVE,
    DocumentNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from tests.executor.fuzz_case import Case
from tests.executor.fuzz_spec import Kind

MAX_RUNS = 500


async def report(case: Case, executor: Any) -> str:
    """The smallest failing case found, with both results."""
    small = await shrunk(case, executor)
    found = await small.difference(executor)
    assert found is not None
    request, differs = found
    return "\n\n".join(
        (
            f"Seed {case.seed}, case {case.number}: {differs.what}",
            case.world.spec.sdl(),
            _how_filled(small),
            print_ast(small.node),
            f"Operation {request.operation}, variables {request.variables},"
            f" values of all runs {small.document.variables}",
            f"graphql-core:\n{differs.expected}",
            f"Breadth first:\n{differs.found}",
        )
    )


def _how_filled(case: Case) -> str:
    """Which fields of those in the document are filled by functions, and what kind of them."""
    text = print_ast(case.node)
    return "\n".join(
        f"{kind.name}.{field.name}: {field.kind.value}{' with an extension' * field.extended}"
        for kind in case.world.spec.objects.values()
        for field in kind.fields.values()
        if field.kind is not Kind.ATTRIBUTE or field.extended
        if re.search(rf"\b{field.name}\b", text)
    )


async def shrunk(case: Case, executor: Any) -> Case:
    """The case with parts of the document left out, one at a time, as long as it still fails."""
    left = MAX_RUNS
    while left > 0:
        for smaller in _smaller(case):
            left -= 1
            if smaller.is_valid and await smaller.difference(executor) is not None:
                case = smaller
                break
        else:
            return case
    return case


def _smaller(case: Case) -> Iterator[Case]:
    if len(case.document.variables) > 1:
        for values in case.document.variables:
            yield replace(case, document=replace(case.document, variables=[values]))
    for node in _smaller_documents(case.node):
        text = print_ast(_without_unused(node))
        operations = re.findall(r"^(?:query|mutation) (\w+)", text, re.MULTILINE)
        document = replace(case.document, text=text, operations=operations)
        yield replace(case, document=document, node=parse(text))


def _smaller_documents(node: DocumentNode) -> Iterator[DocumentNode]:
    for kept in node.definitions:
        others = [each for each in node.definitions if isinstance(each, FragmentDefinitionNode)]
        if isinstance(kept, OperationDefinitionNode) and len(others) + 1 < len(node.definitions):
            yield DocumentNode(definitions=(kept, *others))
    for cutter in (_Selections, _Opened, _Directives):
        counter = cutter(-1)
        visit(node, counter)
        for number in range(counter.seen):
            smaller = visit(node, cutter(number))
            if smaller is not node:
                yield smaller


class _Cutter(Visitor):
    """Counts parts of a document, and cuts the one of a number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.seen = 0

    def is_it(self) -> bool:
        """Whether the next part is the one to cut."""
        self.seen += 1
        return self.seen - 1 == self.number


class _Selections(_Cutter):
    """Leaves out a selection, unless it is the only one of its set."""

    def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
        """The set without the selection, if it is in this one."""
        kept = tuple(each for each in node.selections if not self.is_it())
        return SelectionSetNode(selections=kept) if 0 < len(kept) < len(node.selections) else None


class _Opened(_Cutter):
    """Puts what an inline fragment holds in its place."""

    def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
        """The set with the content of the fragment, if it is in this one."""
        opened: list[Any] = []
        for each in node.selections:
            is_opened = isinstance(each, InlineFragmentNode) and self.is_it()
            opened += each.selection_set.selections if is_opened else [each]  # type: ignore[attr-defined]
        return SelectionSetNode(selections=tuple(opened)) if opened != [*node.selections] else None


class _Directives(_Cutter):
    """Leaves out a directive."""

    def enter_directive(self, _node: Node, *_: Any) -> Any:
        """Nothing in its place, if it is this one."""
        return REMOVE if self.is_it() else None


def _without_unused(node: DocumentNode) -> DocumentNode:
    """Without the fragments and variables that nothing uses any more."""
    texts = {
        definition.name.value: print_ast(definition.selection_set)
        for definition in node.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    kept: list[Any] = []
    used: set[str] = set()
    for definition in node.definitions:
        if isinstance(definition, OperationDefinitionNode):
            reached = _reached(print_ast(definition.selection_set), texts)
            used |= reached.keys()
            kept.append(_with_used_variables(definition, " ".join(reached.values())))
    kept += [
        each
        for each in node.definitions
        if isinstance(each, FragmentDefinitionNode) and each.name.value in used
    ]
    return DocumentNode(definitions=tuple(kept))


def _reached(text: str, texts: dict[str, str]) -> dict[str, str]:
    """The text itself, and those of the fragments that it spreads, and so on."""
    found: dict[str, str] = {"": text}
    waiting = [text]
    while waiting:
        for name in re.findall(r"\.\.\.(F\d)", waiting.pop()):
            if name not in found:
                found[name] = texts[name]
                waiting.append(texts[name])
    return found


def _with_used_variables(node: OperationDefinitionNode, text: str) -> OperationDefinitionNode:
    used = set(re.findall(r"\$(\w+)", text))
    return OperationDefinitionNode(
        operation=node.operation,
        name=node.name,
        variable_definitions=tuple(
            each for each in node.variable_definitions or () if each.variable.name.value in used
        ),
        directives=node.directives,
        selection_set=node.selection_set,
    )
