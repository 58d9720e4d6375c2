"""Selections: names, merging, fragments, @skip and @include, and which operation is run."""

from collections.abc import Iterator
from typing import Any

from tests.executor.core_facts import Fact, Problem, schema

SCHEMA = schema(
    """
    type Query {
      a: String b: String c: String echo(text: String = "none"): String
      node: Node sureNode: Node! nodes: [Node]
    }
    type Node { a: String b: String c: String echo(text: String): String node: Node nodes: [Node] }
    type Mutation { a: String }
    type Subscription { a: String }
    """,
    {
        "Query.echo": lambda _, __, text=None: text,
        "Node.echo": lambda _, __, text=None: text,
    },
)
INNER = {"a": "x", "b": "y", "c": "z"}
ROOT = {
    "a": "A",
    "b": "B",
    "c": "C",
    "node": {**INNER, "node": INNER, "nodes": [INNER, {"a": "w"}]},
    "nodes": [INNER, {"a": "w", "node": INNER}, None],
}


def row(name: str, document: str, data: Any, *errors: Problem, **more: Any) -> Fact:
    """A fact on the schema of this table."""
    return Fact(name, SCHEMA, document, data, errors, more.pop("root", ROOT), **more)


NAMES = (
    row("fields come in the order asked", "{ c a b }", {"c": "C", "a": "A", "b": "B"}),
    row("a field under another name", "{ first: a }", {"first": "A"}),
    row("a field under two names", "{ first: a second: a }", {"first": "A", "second": "A"}),
    row("names may be swapped", "{ a: b b: a }", {"a": "B", "b": "A"}),
    row("a name of the language's own", "{ query: a null: b }", {"query": "A", "null": "B"}),
    row("a field asked twice comes once", "{ a b a }", {"a": "A", "b": "B"}),
    row(
        "arguments under several names",
        '{ echo one: echo(text: "1") two: echo(text: "2") }',
        {"echo": "none", "one": "1", "two": "2"},
    ),
    row("the name of the root type", "{ __typename }", {"__typename": "Query"}),
    row(
        "the name of a type beside its fields",
        "{ node { __typename kind: __typename a } }",
        {"node": {"__typename": "Node", "kind": "Node", "a": "x"}},
    ),
    row(
        "the name of a type in a list",
        "{ nodes { __typename } }",
        {"nodes": [{"__typename": "Node"}, {"__typename": "Node"}, None]},
    ),
    row("comments and commas mean nothing", "{ a, # b\n , b }", {"a": "A", "b": "B"}),
)
MERGING = (
    row(
        "selections of one field merge",
        "{ node { a } node { b } }",
        {"node": {"a": "x", "b": "y"}},
    ),
    row(
        "merged fields keep the place of the first",
        "{ node { c } a node { a c b } }",
        {"node": {"c": "z", "a": "x", "b": "y"}, "a": "A"},
    ),
    row(
        "selections merge on every level",
        "{ node { node { a } } node { node { b } a } }",
        {"node": {"node": {"a": "x", "b": "y"}, "a": "x"}},
    ),
    row(
        "fields of different names do not merge",
        "{ node { a } other: node { b } }",
        {"node": {"a": "x"}, "other": {"b": "y"}},
    ),
    row(
        "selections merge across fragments",
        "{ node { a } ...F ... { node { c } } } fragment F on Query { node { b } }",
        {"node": {"a": "x", "b": "y", "c": "z"}},
    ),
    row(
        "a list's selections merge for each item",
        "{ nodes { a } nodes { b } }",
        {"nodes": [{"a": "x", "b": "y"}, {"a": "w", "b": None}, None]},
    ),
    row(
        "a field asked twice with equal arguments comes once",
        '{ echo(text: "1") echo(text: "1") }',
        {"echo": "1"},
    ),
    row(
        "of unequal arguments the first count",
        '{ echo(text: "1") echo(text: "2") }',
        {"echo": "1"},
        unvalidated=True,
    ),
    row(
        "an error of a merged field names every place",
        "{ a node { a } a }",
        {"a": None, "node": {"a": "x"}},
        Problem("Boom", "a", "1:3 1:16"),
        root={**ROOT, "a": ValueError("Boom")},
    ),
    row(
        "an error in merged selections names every place",
        "{ node { a } node { b a } }",
        {"node": {"a": None, "b": "y"}},
        Problem("Boom", "node.a", "1:10 1:23"),
        root={"node": {**INNER, "a": ValueError("Boom")}},
    ),
    row(
        "a null of a merged field names every place",
        "{ sureNode { a } sureNode { b } }",
        None,
        Problem(
            "Cannot return null for non-nullable field Query.sureNode.", "sureNode", "1:3 1:18"
        ),
    ),
    row(
        "a field that merges with itself through a fragment names both places",
        "{ ...F a } fragment F on Query { a }",
        {"a": None},
        Problem("Boom", "a", "1:34 1:8"),
        root={"a": ValueError("Boom")},
    ),
)
FRAGMENTS = (
    row("a fragment", "{ ...F } fragment F on Query { a b }", {"a": "A", "b": "B"}),
    row(
        "a fragment is spread once, where it stands first",
        "{ ...F c ...F } fragment F on Query { a }",
        {"a": "A", "c": "C"},
    ),
    row("an inline fragment", "{ ... on Query { a } }", {"a": "A"}),
    row("an inline fragment without a type", "{ ... { a } b }", {"a": "A", "b": "B"}),
    row(
        "fragments in fragments",
        "{ ...F } fragment F on Query { a ...G } fragment G on Query { b node { ...N } }"
        " fragment N on Node { a }",
        {"a": "A", "b": "B", "node": {"a": "x"}},
    ),
    row(
        "one fragment in two places",
        "{ node { ...N node { ...N } } } fragment N on Node { a b }",
        {"node": {"a": "x", "b": "y", "node": {"a": "x", "b": "y"}}},
    ),
    row(
        "a fragment before the operation",
        "fragment F on Query { a } { ...F }",
        {"a": "A"},
    ),
    row(
        "an unknown fragment is left out",
        "{ a ...F }",
        {"a": "A"},
        unvalidated=True,
    ),
    row(
        "a fragment that spreads itself ends",
        "{ ...F } fragment F on Query { a ...F }",
        {"a": "A"},
        unvalidated=True,
    ),
    row(
        "a fragment that spreads itself through a field ends with the data",
        "{ ...F } fragment F on Query { node { ...G } } fragment G on Node { a node { ...G } }",
        {"node": {"a": "x", "node": {"a": "x", "node": None}}},
        unvalidated=True,
    ),
    row(
        "a fragment on another type is left out",
        "{ a ... on Node { b } }",
        {"a": "A"},
        unvalidated=True,
    ),
    row("an unknown field is left out", "{ a nothing }", {"a": "A"}, unvalidated=True),
    row(
        "an object of which nothing is asked is empty",
        "{ node }",
        {"node": {}},
        unvalidated=True,
    ),
    row(
        "an object of which only the unknown is asked is empty",
        "{ node { nothing } }",
        {"node": {}},
        unvalidated=True,
    ),
    row(
        "definitions of types beside an operation are passed over",
        "{ a } type Other { b: Int }",
        {"a": "A"},
        unvalidated=True,
    ),
)
DIRECTIVES = {
    "nothing": "",
    "@include(if: true)": "@include(if: true)",
    "@skip(if: false)": "@skip(if: false)",
    "both that let it stay": "@skip(if: false) @include(if: true)",
    "@include by a variable": "@include(if: $yes)",
    "@skip by a variable": "@skip(if: $no)",
}
LEFT_OUT = {
    "@include(if: false)": "@include(if: false)",
    "@skip(if: true)": "@skip(if: true)",
    "@skip, whatever @include says": "@include(if: true) @skip(if: true)",
    "@include, whatever @skip says": "@skip(if: false) @include(if: false)",
    "@include by a variable": "@include(if: $no)",
    "@skip by a variable": "@skip(if: $yes)",
}
PLACES = {
    "a field": "{{ a b {} }}",
    "a fragment spread": "{{ a ...F {} }} fragment F on Query {{ b }}",
    "an inline fragment": "{{ a ... on Query {} {{ b }} }}",
    "an inline fragment without a type": "{{ a ... {} {{ b }} }}",
}


def directive_facts() -> Iterator[Fact]:
    """@skip and @include at every place they may stand."""
    for table, data in ((DIRECTIVES, {"a": "A", "b": "B"}), (LEFT_OUT, {"a": "A"})):
        for what, directives in table.items():
            uses = [v for v in ("$yes", "$no") if v in directives]
            head = f"query ({' '.join(f'{v}: Boolean!' for v in uses)}) " if uses else ""
            for where, document in PLACES.items():
                yield row(
                    f"{where} under {what} {'stays' if 'b' in data else 'goes'}",
                    head + document.format(directives),
                    data,
                    variables={"yes": True, "no": False},
                )


NO_VALUE = (
    "Argument 'if' has invalid value: Expected variable '$yes' provided to type 'Boolean!'"
    " to provide a runtime value."
)
CONDITIONS = (
    row(
        "a field that goes in one place stays in another",
        "{ a @skip(if: true) b a }",
        {"b": "B", "a": "A"},
    ),
    row(
        "selections that go do not merge",
        "{ node { a } node @skip(if: true) { b } node { c @include(if: false) } }",
        {"node": {"a": "x"}},
    ),
    row("nothing is left", "{ a @skip(if: true) }", {}),
    row(
        "nothing is left of an object",
        "{ node { a @skip(if: true) } }",
        {"node": {}},
    ),
    row(
        "a fragment that goes once may come again",
        "{ ...F @skip(if: true) ...F } fragment F on Query { a }",
        {"a": "A"},
    ),
    row(
        "a name is skipped too",
        "{ node { __typename @skip(if: true) a } }",
        {"node": {"a": "x"}},
    ),
    row(
        "a condition by a variable's default",
        "query ($yes: Boolean = false) { a @include(if: $yes) b @skip(if: $yes) }",
        {"b": "B"},
    ),
    row(
        "a condition by a variable given over its default",
        "query ($yes: Boolean = false) { a @include(if: $yes) b @skip(if: $yes) }",
        {"a": "A"},
        variables={"yes": True},
    ),
    row(
        "conditions inside a list",
        "query ($yes: Boolean!) { nodes { a @include(if: $yes) node { b @skip(if: $yes) c } } }",
        {"nodes": [{"a": "x", "node": None}, {"a": "w", "node": {"c": "z"}}, None]},
        variables={"yes": True},
    ),
    row(
        "a condition that is a null fails the operation",
        "query ($yes: Boolean) { a @include(if: $yes) }",
        None,
        Problem(
            "Argument 'if' has invalid value: Expected variable '$yes'"
            " provided to non-null type 'Boolean!' not to be None.",
            "",
            "1:40",
        ),
        variables={"yes": None},
        unvalidated=True,
    ),
    row(
        "a condition without a value fails the operation",
        "query ($yes: Boolean) { a @include(if: $yes) }",
        None,
        Problem(
            NO_VALUE,
            "",
            "1:40",
        ),
        unvalidated=True,
    ),
    row(
        "a condition that is no boolean fails the operation",
        '{ a @skip(if: "yes") }',
        None,
        Problem(
            "Argument 'if' has invalid value: Boolean cannot represent a non boolean value: "
            '"yes"',
            "",
            "1:15",
        ),
        unvalidated=True,
    ),
    row(
        "a condition that is missing fails the operation",
        "{ a @skip }",
        None,
        Problem("Argument 'if' of required type 'Boolean!' was not provided.", "", "1:5"),
        unvalidated=True,
    ),
    row(
        "a condition without a value below a field fails that field",
        "query ($yes: Boolean) { a node { b @include(if: $yes) } }",
        {"a": "A", "node": None},
        Problem(
            NO_VALUE,
            "node",
            "1:49",
        ),
        unvalidated=True,
    ),
    row(
        "a condition without a value below a list fails every object of it",
        "query ($yes: Boolean) { nodes { b @include(if: $yes) } }",
        {"nodes": [None, None, None]},
        Problem(
            NO_VALUE,
            "nodes.0",
            "1:48",
        ),
        Problem(
            NO_VALUE,
            "nodes.1",
            "1:48",
        ),
        unvalidated=True,
    ),
    row(
        "a condition by a variable that is a list is as true as the list",
        "query ($yes: [String]) { a @skip(if: $yes) node { b @skip(if: $yes) c } }",
        {"node": {"c": "z"}},
        variables={"yes": ["x"]},
        unvalidated=True,
    ),
    row(
        "a directive that is unknown is passed over",
        "{ a @whatever(x: 1) }",
        {"a": "A"},
        unvalidated=True,
    ),
)
TWO = "query One { a } query Two { b } mutation Three { a }"
OPERATIONS = (
    row("the only operation needs no name", "{ a }", {"a": "A"}),
    row("the only operation may have one", "query One { a }", {"a": "A"}),
    row("an operation by its name", TWO, {"a": "A"}, operation="One"),
    row("another operation by its name", TWO, {"b": "B"}, operation="Two"),
    row("a mutation by its name", TWO, {"a": "A"}, operation="Three"),
    row("a subscription is executed as one event", "subscription { a }", {"a": "A"}),
    row(
        "several operations and no name",
        TWO,
        None,
        Problem("Must provide operation name if query contains multiple operations.", "", ""),
    ),
    row(
        "a name that none has",
        TWO,
        None,
        Problem("Unknown operation named 'Four'.", "", ""),
        operation="Four",
    ),
    row(
        "an empty name is a name that none has",
        "{ a }",
        None,
        Problem("Unknown operation named ''.", "", ""),
        operation="",
    ),
    row(
        "no operation at all",
        "fragment F on Query { a }",
        None,
        Problem("Must provide an operation.", "", ""),
        unvalidated=True,
    ),
    row(
        "a fragment's name is no operation's",
        "{ ...F } fragment F on Query { a }",
        None,
        Problem("Unknown operation named 'F'.", "", ""),
        operation="F",
    ),
)
QUERIES_ONLY = schema("type Query { a: String }")
NO_ROOTS = tuple(
    Fact(
        f"a schema without {kind} has none to run",
        QUERIES_ONLY,
        f"{kind} {{ a }}",
        None,
        (Problem(f"Schema is not configured to execute {kind} operation.", "", "1:1"),),
        unvalidated=True,
    )
    for kind in ("mutation", "subscription")
)
RENAMED = schema(
    """
    schema { query: Ask mutation: Change }
    type Ask { a: String self: Ask }
    type Change { a: String ask: Ask }
    """
)
ROOT_TYPES = (
    *NO_ROOTS,
    Fact(
        "the root type may have any name",
        RENAMED,
        "{ __typename a self { __typename a } }",
        {"__typename": "Ask", "a": "A", "self": {"__typename": "Ask", "a": "B"}},
        root={"a": "A", "self": {"a": "B"}},
    ),
    Fact(
        "a mutation runs on its own root type",
        RENAMED,
        "mutation { __typename a ask { __typename a } }",
        {"__typename": "Change", "a": "A", "ask": {"__typename": "Ask", "a": "B"}},
        root={"a": "A", "ask": {"a": "B"}},
    ),
    Fact(
        "a field is looked up in the type of its operation",
        RENAMED,
        "mutation { self { a } a }",
        {"a": "A"},
        root={"a": "A"},
        unvalidated=True,
    ),
)
SELECTION = (
    *NAMES,
    *MERGING,
    *FRAGMENTS,
    *directive_facts(),
    *CONDITIONS,
    *OPERATIONS,
    *ROOT_TYPES,
)
