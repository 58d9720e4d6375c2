"""Inputs of one's own kind: scalars, enums with values behind them, names and types for Python."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    IntValueNode,
    ValueNode,
)

from tests.executor.core_facts import Fact, Problem, schema
from tests.executor.core_variables import ARGUMENT, VALUE, echo


class Spot(NamedTuple):
    """What an input object becomes."""

    x: int
    y: int = 0


def even(value: Any) -> int:
    """A number that is even, from a variable."""
    if value == "code":
        raise GraphQLError("No code.", extensions={"code": "NO_CODE"})
    if not isinstance(value, int) or value % 2:
        raise ValueError(f"{value!r} is odd.")
    return value


def even_literal(node: ValueNode, *_: Any) -> int:
    """A number that is even, as it is written."""
    if not isinstance(node, IntValueNode):
        raise GraphQLError("No number.", node, extensions={"code": "NO_NUMBER"})
    return even(int(node.value))


ODD = "Expected value of type 'Even', but encountered error '3 is odd.'; found: 3."
EVEN = GraphQLScalarType("Even", coerce_input_value=even, coerce_input_literal=even_literal)
LEVEL = GraphQLEnumType("Level", {"LOW": 1, "HIGH": 10, "LIST": (1, 2)})
POINT = GraphQLInputObjectType(
    "Spot",
    {
        "x": GraphQLInputField(GraphQLNonNull(GraphQLInt)),
        "upwards": GraphQLInputField(GraphQLInt, default_value=5, out_name="y"),
    },
    out_type=lambda values: Spot(**values),
)
TAKEN: dict[str, Any] = {"even": EVEN, "level": LEVEL, "point": POINT, "points": GraphQLList(POINT)}
FIELDS = {
    name: GraphQLField(GraphQLString, {"it": GraphQLArgument(kind)}, resolve=echo)
    for name, kind in TAKEN.items()
}
FIELDS["renamed"] = GraphQLField(
    GraphQLString,
    {
        "from": GraphQLArgument(GraphQLInt, out_name="from_"),
        "upTo": GraphQLArgument(GraphQLInt, default_value=9, out_name="up_to"),
    },
    resolve=echo,
)
FIELDS["byDefault"] = GraphQLField(
    GraphQLString, {"it": GraphQLArgument(LEVEL, default_value=10)}, resolve=echo
)
FIELDS["number"] = GraphQLField(
    GraphQLFloat, {"it": GraphQLArgument(GraphQLFloat)}, resolve=lambda *_, it: it
)
SCHEMA = GraphQLSchema(GraphQLObjectType("Query", FIELDS))


def row(name: str, document: str, data: Any, *errors: Problem, **more: Any) -> Fact:
    """A fact on the schema of this table."""
    return Fact(name, SCHEMA, document, data, errors, **more)


def both(name: str, kind: str, literal: str, value: Any, got: str) -> Iterator[Fact]:
    """A value that is taken as a literal and as a variable."""
    yield row(f"{kind} takes {literal}", f"{{ {name}(it: {literal}) }}", {name: got})
    yield row(
        f"a variable of {kind} takes {value!r}",
        f"query ($it: {kind}) {{ {name}(it: $it) }}",
        {name: got},
        variables={"it": value},
    )


TAKES = (
    *both("even", "Even", "4", 4, "it=4"),
    *both("level", "Level", "HIGH", "HIGH", "it=10"),
    *both("level", "Level", "LIST", "LIST", "it=(1, 2)"),
    *both("point", "Spot", "{ x: 1 }", {"x": 1}, "it=Spot(x=1, y=5)"),
    *both("point", "Spot", "{ x: 1, upwards: 2 }", {"x": 1, "upwards": 2}, "it=Spot(x=1, y=2)"),
    *both("points", "[Spot]", "[{ x: 1 }, null]", [{"x": 1}, None], "it=[Spot(x=1, y=5), None]"),
)
NAMES = (
    row(
        "an argument goes by its name in Python",
        "{ renamed(from: 1, upTo: 2) }",
        {"renamed": "from_=1, up_to=2"},
    ),
    row("a default goes by its name in Python", "{ renamed }", {"renamed": "up_to=9"}),
    row(
        "a variable goes by its argument's name in Python",
        "query ($n: Int) { renamed(from: $n, upTo: $n) }",
        {"renamed": "from_=3, up_to=3"},
        variables={"n": 3},
    ),
    row("a default is the value behind an enum's name", "{ byDefault }", {"byDefault": "it=10"}),
    row(
        "the name in Python is none in GraphQL",
        "{ point(it: { x: 1, y: 2 }) }",
        {"point": None},
        Problem(
            ARGUMENT + "Expected value of type 'Spot' not to include unknown field 'y'."
            " Did you mean 'x'? Found: { x: 1, y: 2 }.",
            "point",
            "1:21",
        ),
        unvalidated=True,
    ),
    row(
        "a whole number for a float arrives as one",
        "query ($it: Float) { number(it: $it) other: number(it: 2) }",
        {"number": 1.0, "other": 2.0},
        variables={"it": 1},
    ),
)
REFUSES = (
    row(
        "a scalar of one's own refuses a literal",
        "{ even(it: 3) level(it: LOW) }",
        {"even": None, "level": "it=1"},
        Problem(ARGUMENT + ODD, "even", "1:12"),
        unvalidated=True,
    ),
    row(
        "a scalar of one's own refuses another kind of literal, with extensions",
        "{ even(it: true) }",
        {"even": None},
        Problem(ARGUMENT + "No number.", "even", "1:12", extensions={"code": "NO_NUMBER"}),
        unvalidated=True,
    ),
    row(
        "a scalar of one's own refuses a variable",
        "query ($it: Even) { even(it: $it) }",
        None,
        Problem(VALUE + ODD, "", "1:8"),
        variables={"it": 3},
    ),
    row(
        "a scalar of one's own refuses a variable, with extensions",
        "query ($it: Even) { even(it: $it) }",
        None,
        Problem(VALUE + "No code.", "", "1:8", extensions={"code": "NO_CODE"}),
        variables={"it": "code"},
    ),
    row(
        "the value behind an enum's name is not taken for it",
        "query ($it: Level) { level(it: $it) }",
        None,
        Problem(VALUE + "Enum 'Level' cannot represent non-string value: 10.", "", "1:8"),
        variables={"it": 10},
    ),
    row(
        "an enum's name in a text is not taken for it",
        '{ level(it: "LOW") }',
        {"level": None},
        Problem(
            ARGUMENT + "Enum 'Level' cannot represent non-enum value: \"LOW\"."
            " Did you mean the enum value 'LOW'?",
            "level",
            "1:13",
        ),
        unvalidated=True,
    ),
)
PLAIN = schema(
    "type Query { a: String node: Node nodes: [Node] } type Node { a: String b: String }",
)
DELIVERED_AT_ONCE = (
    Fact(
        "what is not deferred after all comes at once",
        PLAIN,
        "query ($yes: Boolean!)"
        " { a ... @defer(if: $yes) { node { a ... @defer(if: false) { b } } } }",
        {"a": "A", "node": {"a": "x", "b": "y"}},
        root={"a": "A", "node": {"a": "x", "b": "y"}},
        variables={"yes": False},
        unvalidated=True,
    ),
    Fact(
        "what is not streamed after all comes at once",
        PLAIN,
        "{ nodes @stream(if: false) { a } }",
        {"nodes": [{"a": "x"}, {"a": "y"}]},
        root={"nodes": [{"a": "x"}, {"a": "y"}]},
        unvalidated=True,
    ),
)
INPUTS = (*TAKES, *NAMES, *REFUSES, *DELIVERED_AT_ONCE)
