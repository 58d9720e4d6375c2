"""Nulls where none may be: how far up they go, and what stays beside them."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.executor.core_facts import Fact, Problem, fails, later, schema

NODE = """
  text: String  sureText: String!
  maybe: Node  sure: Node!
  maybes: [Node]  sures: [Node!]  allSures: [Node!]!
"""
UNPROPAGATING = "directive @experimental_disableErrorPropagation on QUERY | MUTATION"
SCHEMA = schema(f"{UNPROPAGATING} type Query {{ {NODE} }} type Node {{ {NODE} }}")
BOOM = ValueError("Boom")


def null(parent: str, name: str, path: str, at: str) -> Problem:
    """A null in a field that may not be null."""
    return Problem(f"Cannot return null for non-nullable field {parent}.{name}.", path, at)


def chained(chain: tuple[str, ...], leaf: str, value: Any) -> tuple[str, dict[str, Any]]:
    """A document with one field in another, and its root."""
    document, root = leaf, {leaf: value}
    for name in reversed(chain):
        document, root = f"{name} {{ {document} }}", {name: root}
    return f"{{ {document} }}", root


def answered(chain: tuple[str, ...], rests_at: int, leaf: str) -> Any:
    """The data of a chain whose field at an index is null; at -1 there is no data."""
    if rests_at < 0:
        return None
    names = (*chain, leaf)[: rests_at + 1]
    data: Any = None
    for name in reversed(names):
        data = {name: data}
    return data


def chain_facts() -> Iterator[Fact]:
    """A null or an error at the end of every chain of four fields, nullable or not."""
    for *chain, leaf in product(*[("maybe", "sure")] * 3, ("text", "sureText")):
        names = tuple(chain)
        rests_at = max(
            (i for i, n in enumerate((*names, leaf)) if n in ("maybe", "text")), default=-1
        )
        for what, value in {"null": None, "error": BOOM}.items():
            document, root = chained(names, leaf, value)
            path, at = ".".join((*names, leaf)), f"1:{document.index(leaf) + 1}"
            problem = Problem("Boom", path, at) if value else null("Node", leaf, path, at)
            quiet = leaf == "text" and value is None
            yield Fact(
                f"a {what} at {path} rests at the nearest field that may be null",
                SCHEMA,
                document,
                answered(names, rests_at, leaf),
                () if quiet else (problem,),
                root,
            )


def row(
    name: str, document: str, root: dict[str, Any], data: Any, *errors: Problem, **more: Any
) -> Fact:
    """A fact on the schema of this table."""
    return Fact(name, SCHEMA, document, data, errors, root, **more)


SIBLINGS = (
    row(
        "a null where it may be is no error",
        "{ maybe { text } text }",
        {"maybe": None, "text": None},
        {"maybe": None, "text": None},
    ),
    row(
        "a field that is missing is null",
        "{ maybe { text sureText } }",
        {"maybe": {"sureText": "a"}},
        {"maybe": {"text": None, "sureText": "a"}},
    ),
    row(
        "a missing field that must be there is an error",
        "{ maybe { sureText } }",
        {"maybe": {}},
        {"maybe": None},
        null("Node", "sureText", "maybe.sureText", "1:11"),
    ),
    row(
        "what stands beside a fallen object stays",
        "{ text maybe { text sureText } sureText }",
        {"text": "a", "maybe": {"text": "b"}, "sureText": "c"},
        {"text": "a", "maybe": None, "sureText": "c"},
        null("Node", "sureText", "maybe.sureText", "1:21"),
    ),
    row(
        "the same object under two names falls twice",
        "{ one: maybe { sureText } two: maybe { sureText } }",
        {"maybe": {}},
        {"one": None, "two": None},
        null("Node", "sureText", "one.sureText", "1:16"),
        null("Node", "sureText", "two.sureText", "1:40"),
    ),
    row(
        "one name falls, the other does not ask",
        "{ one: maybe { sureText } two: maybe { text } }",
        {"maybe": {"text": "a"}},
        {"one": None, "two": {"text": "a"}},
        null("Node", "sureText", "one.sureText", "1:16"),
    ),
    row(
        "a null under a second name says the field's own name",
        "{ maybe { other: sureText } }",
        {"maybe": {}},
        {"maybe": None},
        null("Node", "sureText", "maybe.other", "1:11"),
    ),
    row(
        "a null at the root takes all data",
        "{ text sureText }",
        {"text": "a"},
        None,
        null("Query", "sureText", "sureText", "1:8"),
    ),
    row(
        "an error at the root takes all data",
        "{ text sureText maybe { text } }",
        {"text": "a", "sureText": BOOM, "maybe": {}},
        None,
        Problem("Boom", "sureText", "1:8"),
    ),
    row(
        "an object that must be there and is not takes its parent",
        "{ maybe { sure { text } } }",
        {"maybe": {}},
        {"maybe": None},
        null("Node", "sure", "maybe.sure", "1:11"),
    ),
    row(
        "every field that fails has its error, in the order of the document",
        "{ maybe { sure { text } text } text }",
        {"maybe": {"sure": {"text": BOOM}, "text": ValueError("Bang")}, "text": ValueError("Bam")},
        {"maybe": {"sure": {"text": None}, "text": None}, "text": None},
        Problem("Boom", "maybe.sure.text", "1:18"),
        Problem("Bang", "maybe.text", "1:25"),
        Problem("Bam", "text", "1:32"),
    ),
    row(
        "errors come in the order of the document, not of depth",
        "{ text maybe { maybe { maybe { text } } text } other: text }",
        {"text": BOOM, "maybe": {"text": BOOM, "maybe": {"maybe": {"text": BOOM}}}},
        {"text": None, "maybe": {"maybe": {"maybe": {"text": None}}, "text": None}, "other": None},
        Problem("Boom", "text", "1:3"),
        Problem("Boom", "maybe.maybe.maybe.text", "1:32"),
        Problem("Boom", "maybe.text", "1:41"),
        Problem("Boom", "other", "1:48"),
    ),
    row(
        "an error in a field that may be null stays when the next one takes the parent",
        "{ maybe { text sureText } }",
        {"maybe": {"text": BOOM, "sureText": ValueError("Bang")}},
        {"maybe": None},
        Problem("Boom", "maybe.text", "1:11"),
        Problem("Bang", "maybe.sureText", "1:16"),
    ),
    row(
        "an error after the one that took the parent is not reported",
        "{ maybe { sureText text } }",
        {"maybe": {"text": BOOM, "sureText": ValueError("Bang")}},
        {"maybe": None},
        Problem("Bang", "maybe.sureText", "1:11"),
        races=True,
    ),
    row(
        "of two fields that take the parent the first is reported",
        "{ maybe { sureText again: sureText } }",
        {"maybe": {"sureText": BOOM}},
        {"maybe": None},
        Problem("Boom", "maybe.sureText", "1:11"),
        races=True,
    ),
    row(
        "of two nulls that take all data the first is reported",
        "{ sureText again: sureText maybe { text } }",
        {"maybe": {"text": BOOM}},
        None,
        null("Query", "sureText", "sureText", "1:3"),
        races=True,
    ),
    row(
        "an error deep in a fallen object stays if it came before",
        "{ maybe { maybe { text } sureText } }",
        {"maybe": {"maybe": {"text": BOOM}}},
        {"maybe": None},
        Problem("Boom", "maybe.maybe.text", "1:19"),
        null("Node", "sureText", "maybe.sureText", "1:26"),
        races=True,
    ),
    row(
        "two objects fall, each by itself",
        "{ maybe { maybe { sureText } text } other: maybe { sureText } }",
        {"maybe": {"maybe": {}, "text": "a"}},
        {"maybe": {"maybe": None, "text": "a"}, "other": None},
        null("Node", "sureText", "maybe.maybe.sureText", "1:19"),
        null("Node", "sureText", "other.sureText", "1:52"),
    ),
    row(
        "an object fell before its neighbour took them both",
        "{ maybe { maybe { sureText } sure { sureText } } }",
        {"maybe": {"maybe": {}, "sure": {}}},
        {"maybe": None},
        null("Node", "sureText", "maybe.maybe.sureText", "1:19"),
        null("Node", "sureText", "maybe.sure.sureText", "1:37"),
        races=True,
    ),
)
FALLING = {"sureText": None, "text": "b"}
STANDING = {"sureText": "a", "text": "b"}
IN_LISTS = (
    row(
        "an object of a list falls by itself",
        "{ maybes { sureText } }",
        {"maybes": [STANDING, FALLING, None, STANDING]},
        {"maybes": [{"sureText": "a"}, None, None, {"sureText": "a"}]},
        null("Node", "sureText", "maybes.1.sureText", "1:12"),
    ),
    row(
        "an object that must be in a list takes the list",
        "{ text sures { sureText } }",
        {"text": "t", "sures": [STANDING, FALLING, STANDING]},
        {"text": "t", "sures": None},
        null("Node", "sureText", "sures.1.sureText", "1:16"),
    ),
    row(
        "an object that must be in a list that must be takes the parent",
        "{ maybe { text allSures { sureText } } }",
        {"maybe": {"text": "t", "allSures": [STANDING, FALLING]}},
        {"maybe": None},
        null("Node", "sureText", "maybe.allSures.1.sureText", "1:27"),
    ),
    row(
        "and at the root all data",
        "{ text allSures { sureText } }",
        {"text": "t", "allSures": [FALLING]},
        None,
        null("Node", "sureText", "allSures.0.sureText", "1:19"),
    ),
    row(
        "a null in a list of objects that must be there",
        "{ sures { text } }",
        {"sures": [STANDING, None]},
        {"sures": None},
        null("Query", "sures", "sures.1", "1:3"),
    ),
    row(
        "an empty list of objects that must be there is well",
        "{ sures { sureText } allSures { sureText } }",
        {"sures": [], "allSures": []},
        {"sures": [], "allSures": []},
    ),
    row(
        "objects of a list fall one by one, each with its error",
        "{ maybes { sureText } }",
        {"maybes": [FALLING, STANDING, FALLING]},
        {"maybes": [None, {"sureText": "a"}, None]},
        null("Node", "sureText", "maybes.0.sureText", "1:12"),
        null("Node", "sureText", "maybes.2.sureText", "1:12"),
    ),
    row(
        "of two objects that take the list the first is reported",
        "{ sures { sureText } }",
        {"sures": [FALLING, FALLING]},
        {"sures": None},
        null("Node", "sureText", "sures.0.sureText", "1:11"),
        races=True,
    ),
    row(
        "errors of a list come object by object, not field by field",
        "{ maybes { text other: text } }",
        {"maybes": [{"text": BOOM}, {"text": BOOM}]},
        {"maybes": [{"text": None, "other": None}, {"text": None, "other": None}]},
        Problem("Boom", "maybes.0.text", "1:12"),
        Problem("Boom", "maybes.0.other", "1:17"),
        Problem("Boom", "maybes.1.text", "1:12"),
        Problem("Boom", "maybes.1.other", "1:17"),
    ),
    row(
        "a list of a list falls inside its own object",
        "{ maybes { text sures { sureText } } }",
        {"maybes": [{"text": "t", "sures": [FALLING]}, {"text": "u", "sures": [STANDING]}]},
        {
            "maybes": [
                {"text": "t", "sures": None},
                {"text": "u", "sures": [{"sureText": "a"}]},
            ]
        },
        null("Node", "sureText", "maybes.0.sures.0.sureText", "1:25"),
    ),
    row(
        "an object of an inner list takes the object of the outer one",
        "{ maybes { allSures { sureText } } }",
        {"maybes": [{"allSures": [STANDING]}, {"allSures": [STANDING, FALLING]}, {"allSures": []}]},
        {"maybes": [{"allSures": [{"sureText": "a"}]}, None, {"allSures": []}]},
        null("Node", "sureText", "maybes.1.allSures.1.sureText", "1:23"),
    ),
    row(
        "through lists that must be it takes the first that may be null",
        "{ sures { sure { allSures { sureText } } } text }",
        {"sures": [{"sure": {"allSures": [FALLING]}}], "text": "t"},
        {"sures": None, "text": "t"},
        null("Node", "sureText", "sures.0.sure.allSures.0.sureText", "1:29"),
    ),
    row(
        "objects that stay keep their errors when a later one takes the list",
        "{ sures { text sureText } }",
        {"sures": [{"text": BOOM, "sureText": "a"}, FALLING]},
        {"sures": None},
        Problem("Boom", "sures.0.text", "1:11"),
        null("Node", "sureText", "sures.1.sureText", "1:16"),
    ),
    row(
        "objects after the one that took the list leave no error",
        "{ sures { text sureText } }",
        {"sures": [FALLING, {"text": BOOM, "sureText": "a"}]},
        {"sures": None},
        null("Node", "sureText", "sures.0.sureText", "1:16"),
        races=True,
    ),
    row(
        "an error for an object of a list",
        "{ maybes { text } }",
        {"maybes": [STANDING, BOOM, STANDING]},
        {"maybes": [{"text": "b"}, None, {"text": "b"}]},
        Problem("Boom", "maybes.1", "1:3"),
    ),
)
WAITING = (
    row(
        "a field that waits and is null takes its parent",
        "{ text maybe { sureText } }",
        {"text": "t", "maybe": {"sureText": later(None)}},
        {"text": "t", "maybe": None},
        null("Node", "sureText", "maybe.sureText", "1:16"),
        waits=True,
    ),
    row(
        "a field that waits and fails takes all data",
        "{ text sure { sureText } }",
        {"text": "t", "sure": later({"sureText": later(BOOM)})},
        None,
        Problem("Boom", "sure.sureText", "1:15"),
        waits=True,
    ),
    row(
        "a waiting field that fails leaves its neighbours",
        "{ text other: text maybe { text } }",
        {"text": later("t"), "maybe": {"text": later(BOOM)}},
        {"text": "t", "other": "t", "maybe": {"text": None}},
        Problem("Boom", "maybe.text", "1:28"),
        waits=True,
    ),
    row(
        "waiting and plain fields fail side by side",
        "{ one: text maybe { text two: text } }",
        {"text": fails("Bang"), "maybe": {"text": later(BOOM)}},
        {"one": None, "maybe": {"text": None, "two": None}},
        Problem("Bang", "one", "1:3"),
        Problem("Boom", "maybe.text", "1:21"),
        Problem("Boom", "maybe.two", "1:26"),
        waits=True,
    ),
    row(
        "keys keep the order of the document, whatever arrives first",
        "{ one: text maybe { text sureText } two: sureText }",
        {
            "text": later("a"),
            "maybe": later({"text": later("b"), "sureText": "c"}),
            "sureText": "d",
        },
        {"one": "a", "maybe": {"text": "b", "sureText": "c"}, "two": "d"},
        waits=True,
    ),
    row(
        "an object that waits in a list takes the list",
        "{ sures { sureText } }",
        {"sures": lambda *_: [STANDING, later(FALLING)()]},
        {"sures": None},
        null("Node", "sureText", "sures.1.sureText", "1:11"),
        waits=True,
    ),
)
UNPROPAGATED = (
    row(
        "without propagation a null stays where it is",
        "query @experimental_disableErrorPropagation { sure { sureText text } }",
        {"sure": {"text": "t"}},
        {"sure": {"sureText": None, "text": "t"}},
        null("Node", "sureText", "sure.sureText", "1:54"),
    ),
    row(
        "without propagation an error stays where it is",
        "query @experimental_disableErrorPropagation { allSures { sureText } }",
        {"allSures": [{"sureText": BOOM}, STANDING]},
        {"allSures": [{"sureText": None}, {"sureText": "a"}]},
        Problem("Boom", "allSures.0.sureText", "1:58"),
    ),
)
NONNULL = (*chain_facts(), *SIBLINGS, *IN_LISTS, *WAITING, *UNPROPAGATED)
