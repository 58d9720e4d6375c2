"""The templates of notices: what an integrating team may write, and what comes out.

A template comes from a team and runs on the server, so it is held to what ends by itself: it shows
fields, asks whether they are there, and goes through the lists that a requirement has. It calls
nothing, computes nothing, and no list stands within another; so how long it takes is bounded by its
length and the lists'. How deep it goes and how many filters it has are bounded as well: what passes
when its program is published must neither fail nor take long when a notice is due. Which fields
there are is known, so one that names another is refused when its program is published.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.errors import InvalidInput
from models.text import is_storable

# What a template may name: a field is a text or nothing, a list has entries with fields.
Fields = Mapping[str, "Fields | list[str] | None"]
ENTRY = ["code", "message"]
FIELDS: Fields = MappingProxyType(
    {
        "account": {"businessName": None, "externalId": None},
        "requirement": {
            "title": None,
            "description": None,
            "currentlyDueAt": None,
            "deadline": None,
            "appealDeadline": None,
            "restricts": None,
            "gates": None,
            "alternatives": ["title"],
            "requestedReasons": ENTRY,
            "errors": [*ENTRY, "remedy"],
        },
        "decision": {
            "outcome": None,
            "reasonCode": None,
            "facts": None,
            "ground": None,
            "redress": None,
        },
        "restriction": {"reason": None, "begins": None, "ends": None},
        "appeal": {"outcome": None, "reasons": None},
        "cancellation": {"reason": None},
    }
)
FILTERS = frozenset({"upper", "lower", "title", "capitalize", "trim"})
MAX_FILTERS = 20
# Of parts within parts, and of brackets within brackets.
MAX_DEPTH = 20
_PLAIN = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const),
    *(nodes.And, nodes.Or, nodes.Not),
)
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    # Plain text: nothing reads it as HTML.
    autoescape=False,
)


def check_template(text: str, known: Collection[str], *field: str) -> None:
    """Raise `InvalidInput` of `field` for a template that is none, or goes beyond the fields.

    `known` are those of the fields' nouns that there is something to say of.
    """
    try:
        _check_brackets(text)
        tree = _ENVIRONMENT.parse(text)
        _check_size(tree)
        problem = next(_problems(tree, {}), None) or _problem_of_nouns(tree, known)
        if problem is None:
            _ENVIRONMENT.from_string(text)
    except TemplateSyntaxError as error:
        message = f"Not a template (line {error.lineno}): {error.message}"
        raise InvalidInput(message[:500], field) from None
    # Python's own limits, on what is made of it.
    except (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError, _TooLarge):
        raise InvalidInput("A template is not as deep or as large as this.", field) from None
    if problem is not None:
        raise InvalidInput(problem, field)


def render(text: str, values: Mapping[str, Any], longest: int, ending: str = "") -> str:
    """The text that a checked template gives; what is longer than `longest` is cut, and ends so.

    `values` has all of `FIELDS`: texts, empty where there is none, and lists of entries.
    """
    made, length = [], 0
    # It is not asked for more than what is kept.
    for piece in _compiled(text).generate(values):
        made.append(piece)
        length += len(piece)
        if length > longest:
            return "".join(made)[: longest - len(ending)].strip() + ending
    return "".join(made).strip()


@lru_cache(maxsize=1_000)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


class _TooLarge(Exception):
    """A template goes beyond what may be."""


def _check_brackets(text: str) -> None:
    """Raise `_TooLarge` for brackets that go too deep: the tree does not have them any more."""
    depth = 0
    for _, kind, value in _ENVIRONMENT.lex(text):
        if kind == "operator":
            depth += (value in ("(", "[", "{")) - (value in (")", "]", "}"))
        if depth > MAX_DEPTH:
            raise _TooLarge


def _check_size(tree: nodes.Template) -> None:
    """Raise `_TooLarge` for a tree that goes too deep, or has too many filters."""
    level: list[nodes.Node] = [tree]
    filters = 0
    for _ in range(MAX_DEPTH):
        filters += sum(isinstance(node, nodes.Filter) for node in level)
        level = [child for node in level for child in node.iter_child_nodes()]
    if level or filters > MAX_FILTERS:
        raise _TooLarge


def _problem_of_nouns(tree: nodes.Template, known: Collection[str]) -> str | None:
    """What is said of something that there is none of."""
    strange = sorted(find_undeclared_variables(tree) - set(known))
    return f"A notice of this kind knows no {strange[0]}." if strange else None


def _problems(node: nodes.Node, entries: Mapping[str, list[str]]) -> Iterator[str]:
    """What is wrong with a part; `entries` are the names of a list's entries, with their fields."""
    if isinstance(node, nodes.For):
        yield from _problems_of_list(node, entries)
    elif isinstance(node, nodes.If | nodes.CondExpr):
        for child in node.iter_child_nodes():
            asked = child is node.test
            yield from (_problems_of_condition if asked else _problems)(child, entries)
    elif isinstance(node, nodes.Compare):
        if any(operand.op not in ("eq", "ne") for operand in node.ops):
            yield "A template asks whether a field is equal to something, or not."
        for child in (node.expr, *(operand.expr for operand in node.ops)):
            yield from _problems(child, entries)
    elif isinstance(node, nodes.Getattr | nodes.Name):
        yield from _problems_of_field(node, entries)
    elif isinstance(node, nodes.Filter):
        if node.name not in FILTERS or node.args or node.kwargs or node.node is None:
            yield f"A template has these filters: {', '.join(sorted(FILTERS))}."
        else:
            yield from _problems(node.node, entries)
    elif isinstance(node, nodes.Const) and not is_storable(str(node.value)):
        yield "Text can't hold a NUL character or half of a surrogate pair."
    elif isinstance(node, _PLAIN):
        for child in node.iter_child_nodes():
            yield from _problems(child, entries)
    else:
        yield f"A template can't hold this ({type(node).__name__.lower()})."


def _problems_of_condition(node: nodes.Node, entries: Mapping[str, list[str]]) -> Iterator[str]:
    """Whether a list is empty may be asked; shown as it is, it would be no text."""
    if isinstance(node, nodes.Not | nodes.And | nodes.Or):
        for child in node.iter_child_nodes():
            yield from _problems_of_condition(child, entries)
    elif not isinstance(_lookup(_field(node)), list):
        yield from _problems(node, entries)


def _problems_of_list(node: nodes.For, entries: Mapping[str, list[str]]) -> Iterator[str]:
    fields = _lookup(_field(node.iter))
    if entries or node.recursive or node.else_ or node.test or not isinstance(fields, list):
        yield "A template goes through a list of the requirement, one at a time."
        return
    if not isinstance(node.target, nodes.Name) or node.target.name in FIELDS:
        yield "An entry of a list has a name of its own."
        return
    for child in node.body:
        yield from _problems(child, {node.target.name: fields})


def _problems_of_field(
    node: nodes.Getattr | nodes.Name, entries: Mapping[str, list[str]]
) -> Iterator[str]:
    path = _field(node)
    if path is None:
        yield "A field is named by its path, such as requirement.title."
    elif path[0] in entries:
        if len(path) != 2 or path[1] not in entries[path[0]]:
            yield f"An entry of this list has: {', '.join(entries[path[0]])}."
    elif isinstance(_lookup(path), list):
        yield f"{'.'.join(path)} is a list: go through it, or ask whether there is something in it."
    elif _lookup(path) is not None:
        yield f"There is no field {'.'.join(path)[:100]}."


UNKNOWN = object()


def _lookup(path: tuple[str, ...] | None) -> Any:
    """What stands at a path: None for a text, the entries' fields for a list, else `UNKNOWN`."""
    if path is None:
        return UNKNOWN
    found: Any = FIELDS
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return UNKNOWN
        found = found[name]
    return found


def _field(node: nodes.Node) -> tuple[str, ...] | None:
    """The path of names that a part is; None where it is anything else."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        before = _field(node.node)
        return None if before is None else (*before, node.attr)
    return None
