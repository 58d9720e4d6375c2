"""Values: how fields are read, what leaves become, and how errors are told."""

from collections import OrderedDict, UserDict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from math import inf, nan
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
)

from tests.executor.core_facts import Fact, Info, Problem, fails, later, schema, wait_for


class Colour(Enum):
    """An enum whose members stand for the values of a GraphQL enum."""

    RED = "r"
    GREEN = "g"


class Size(IntEnum):
    """Numbers with names."""

    BIG = 10


class Text(str):
    """A text of one's own."""

    __slots__ = ()


BY_VALUE = GraphQLEnumType(
    "ByValue", {"ONE": GraphQLEnumValue(1), "LIST": GraphQLEnumValue("l"), "NONE": None}
)


def said(value: Any) -> Any:
    """What a scalar of one's own makes of a value."""
    if value == "fail":
        raise ValueError("Boom")
    if value == "refuse":
        raise GraphQLError("Refused.", extensions={"code": "REFUSED"})
    return {"'null'": None, "'undefined'": Undefined}.get(repr(value), f"<{value}>")


LEAVES: dict[str, Any] = {
    "colour": GraphQLEnumType("Colour", Colour, names_as_values=None),
    "letter": GraphQLEnumType("Letter", Colour),
    "named": GraphQLEnumType("Named", {"RED": "RED", "BLUE": "BLUE"}),
    "byValue": BY_VALUE,
    "sureByValue": GraphQLNonNull(BY_VALUE),
    "byValues": GraphQLList(GraphQLNonNull(BY_VALUE)),
    "own": GraphQLScalarType("Own", coerce_output_value=said),
    "any": GraphQLScalarType("Any"),
}
BUILT = schema(
    """
    type Query { int: Int float: Float text: String yes: Boolean id: ID sureInt: Int! ints: [Int] }
    """
)
OWN = GraphQLSchema(
    GraphQLObjectType("Query", {name: GraphQLField(kind) for name, kind in LEAVES.items()})
)
TREE = schema(
    """
    type Query {
      a(n: Int): String b: String class: String
      tree: Tree trees: [Tree] sureTree: Tree! count(n: Int = 3, m: Int): Int
    }
    type Tree { a(n: Int): String b: String tree: Tree }
    """
)

# Of a field: a value, and what it becomes.
BECOMES: dict[str, tuple[tuple[Any, Any], ...]] = {
    "int": (
        (1, 1),
        (0, 0),
        (-5, -5),
        (2**31 - 1, 2**31 - 1),
        (-(2**31), -(2**31)),
        (1.0, 1),
        ("12", 12),
        (True, 1),
        (False, 0),
        (Size.BIG, 10),
        (Decimal(3), 3),
        (None, None),
        (Undefined, None),
    ),
    "float": (
        (1.5, 1.5),
        (1, 1.0),
        ("1.5", 1.5),
        (True, 1),
        (-0.0, -0.0),
        (Decimal("1.5"), 1.5),
        (Size.BIG, 10.0),
        (None, None),
    ),
    "text": (
        ("a", "a"),
        ("", ""),
        (1, "1"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        (Text("t"), "t"),
        (date(2026, 3, 2), "2026-03-02"),
        (None, None),
    ),
    "yes": ((True, True), (False, False), (1, True), (0, False), (0.0, False), (None, None)),
    "id": (("a", "a"), (7, "7"), (7.0, "7"), ("", ""), (None, None)),
    "colour": ((Colour.RED, "RED"), (Colour.GREEN, "GREEN"), (None, None)),
    "letter": (("r", "RED"), ("g", "GREEN"), (None, None)),
    "named": (("RED", "RED"), ("BLUE", "BLUE")),
    "byValue": ((1, "ONE"), ("l", "LIST"), (True, "ONE"), (1.0, "ONE")),
    "own": (("x", "<x>"), (3, "<3>"), ([1], "<[1]>")),
    "any": (({"a": [1, None]}, {"a": [1, None]}), ([1], [1]), ("x", "x"), (0, 0)),
}
# Of a field: a value that it can't be, and what is said of it.
IS_NOT: dict[str, tuple[tuple[Any, str], ...]] = {
    "int": (
        (1.5, "Int cannot represent non-integer value: 1.5"),
        ("x", "Int cannot represent non-integer value: 'x'"),
        ("", "Int cannot represent non-integer value: ''"),
        (2**31, "Int cannot represent non 32-bit signed integer value: 2147483648"),
        (-(2**31) - 1, "Int cannot represent non 32-bit signed integer value: -2147483649"),
        (nan, "Int cannot represent non-integer value: nan"),
        (inf, "Int cannot represent non-integer value: inf"),
        ([1], "Int cannot represent non-integer value: [1]"),
        ({"a": 1}, "Int cannot represent non-integer value: {'a': 1}"),
        (date(2026, 3, 2), "Int cannot represent non-integer value: <date instance>"),
    ),
    "float": (
        (nan, "Float cannot represent non numeric value: nan"),
        (inf, "Float cannot represent non numeric value: inf"),
        ("x", "Float cannot represent non numeric value: 'x'"),
        ("", "Float cannot represent non numeric value: ''"),
        ([1.5], "Float cannot represent non numeric value: [1.5]"),
    ),
    "text": (
        (["a"], "String cannot represent value: ['a']"),
        ({"a": 1}, "String cannot represent value: {'a': 1}"),
        (b"a", "String cannot represent value: b'a'"),
        (nan, "String cannot represent value: nan"),
    ),
    "yes": (
        ("true", "Boolean cannot represent a non boolean value: 'true'"),
        ("", "Boolean cannot represent a non boolean value: ''"),
        (nan, "Boolean cannot represent a non boolean value: nan"),
        ([], "Boolean cannot represent a non boolean value: []"),
    ),
    "id": (
        (1.5, "ID cannot represent value: 1.5"),
        (True, "ID cannot represent value: True"),
        ([1], "ID cannot represent value: [1]"),
        ({}, "ID cannot represent value: {}"),
    ),
    "letter": (
        (Colour.RED, "Enum 'Letter' cannot represent value: <Colour instance>"),
        ("RED", "Enum 'Letter' cannot represent value: 'RED'"),
    ),
    "colour": (
        ("RED", "Enum 'Colour' cannot represent value: 'RED'"),
        ("x", "Enum 'Colour' cannot represent value: 'x'"),
        (1, "Enum 'Colour' cannot represent value: 1"),
        ([], "Enum 'Colour' cannot represent value: []"),
    ),
    "named": (
        ("GREEN", "Enum 'Named' cannot represent value: 'GREEN'"),
        ("red", "Enum 'Named' cannot represent value: 'red'"),
        (0, "Enum 'Named' cannot represent value: 0"),
    ),
    "byValue": (
        (2, "Enum 'ByValue' cannot represent value: 2"),
        ("ONE", "Enum 'ByValue' cannot represent value: 'ONE'"),
        ({}, "Enum 'ByValue' cannot represent value: {}"),
    ),
    "own": (
        ("fail", "Boom"),
        (
            "null",
            "Expected `Own.coerce_output_value('null')` to return non-nullable value,"
            " returned: None",
        ),
        (
            "undefined",
            "Expected `Own.coerce_output_value('undefined')` to return non-nullable value,"
            " returned: Undefined",
        ),
    ),
}


def schema_of(name: str) -> GraphQLSchema:
    return OWN if name in LEAVES else BUILT


def leaf_facts() -> Iterator[Fact]:
    """What leaves become, and what they can't."""
    for name, pairs in BECOMES.items():
        for value, become in pairs:
            yield Fact(
                f"{name} of {value!r} becomes {become!r}",
                schema_of(name),
                f"{{ {name} }}",
                {name: become},
                root={name: value},
            )
    for name, refusals in IS_NOT.items():
        for value, message in refusals:
            yield Fact(
                f"{name} is not {value!r}",
                schema_of(name),
                f"{{ {name} }}",
                {name: None},
                (Problem(message, name),),
                {name: value},
            )


LEAF_ERRORS = (
    Fact(
        "a null is no value of an enum, whatever its names",
        OWN,
        "{ byValue byValues }",
        {"byValue": None, "byValues": None},
        (
            Problem(
                "Cannot return null for non-nullable field Query.byValues.", "byValues.1", "1:11"
            ),
        ),
        {"byValue": None, "byValues": [1, None]},
    ),
    Fact(
        "a null of an enum takes what may not be null",
        OWN,
        "{ sureByValue }",
        None,
        (Problem("Cannot return null for non-nullable field Query.sureByValue.", "sureByValue"),),
        {"sureByValue": None},
    ),
    Fact(
        "what a scalar refuses keeps its extensions",
        OWN,
        "{ own }",
        {"own": None},
        (Problem("Refused.", "own", extensions={"code": "REFUSED"}),),
        {"own": "refuse"},
    ),
    Fact(
        "what can't be takes what may not be null",
        BUILT,
        "{ text sureInt }",
        None,
        (Problem("Int cannot represent non-integer value: 'x'", "sureInt", "1:8"),),
        {"text": "a", "sureInt": "x"},
    ),
    Fact(
        "of many values only those that can't be are null",
        BUILT,
        "{ ints }",
        {"ints": [1, None, 3, None]},
        (
            Problem("Int cannot represent non-integer value: 'x'", "ints.1"),
            Problem("Int cannot represent non-integer value: 1.5", "ints.3"),
        ),
        {"ints": [1, "x", "3", 1.5]},
    ),
    Fact(
        "leaves wait",
        BUILT,
        "{ int text yes id float }",
        {"int": 1, "text": "2", "yes": True, "id": "4", "float": 5.0},
        root={
            "int": later(1),
            "text": later(2),
            "yes": later(1),
            "id": later(4),
            "float": later(5),
        },
        waits=True,
    ),
)


class Plain:
    """An object with attributes, a property and methods."""

    a = "attribute"

    @property
    def b(self) -> str:
        return "property"

    def tree(self, _: Info) -> "Plain":
        return Plain()

    def count(self, _: Info, n: int, m: int | None = None) -> int:
        return n + (m or 0)


class Breaking:
    """An object whose property raises."""

    @property
    def a(self) -> str:
        raise ValueError("Boom")

    @property
    def b(self) -> str:
        raise AttributeError("none")


class Pair(NamedTuple):
    """A tuple with names."""

    a: str
    b: str


class Slots:
    """An object without a dictionary."""

    __slots__ = ("a",)

    def __init__(self) -> None:
        self.a = "slot"


class Answering:
    """An object that answers to every name but those of Python's own."""

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return f"any {name}"


class Called:
    """An object that can be called."""

    def __call__(self, info: Info) -> str:
        return f"called for {info.field_name}"


class Incomparable:
    """An object that can't be compared, nor be a key."""

    a = "A"
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ValueError("not comparable")

    def __repr__(self) -> str:
        return "<incomparable>"


class Ambiguous:
    """An object of which nobody can say whether it is true."""

    a = "A"

    def __eq__(self, other: object) -> Any:
        return self

    def __hash__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    def __repr__(self) -> str:
        return "<ambiguous>"


ODD_ONES = (Incomparable(), None, Ambiguous())


def read(name: str, value: Any, data: Any, *errors: Problem, document: str = "") -> Fact:
    """A fact about how the fields of a value are read."""
    return Fact(
        name,
        TREE,
        document or "{ tree { a b } }",
        data if document else {"tree": data},
        errors,
        value if document else {"tree": value},
    )


READING = (
    read("a dictionary is read by keys", {"a": "A", "b": "B"}, {"a": "A", "b": "B"}),
    read("an ordered dictionary too", OrderedDict(a="A"), {"a": "A", "b": None}),
    read("a dictionary of one's own too", UserDict(a="A"), {"a": "A", "b": None}),
    read("a view of a dictionary too", MappingProxyType({"a": "A"}), {"a": "A", "b": None}),
    read("an empty dictionary has only nulls", {}, {"a": None, "b": None}),
    read("an object is read by attributes", SimpleNamespace(a="A"), {"a": "A", "b": None}),
    read("properties and attributes of a class", Plain(), {"a": "attribute", "b": "property"}),
    read("a tuple with names", Pair("A", "B"), {"a": "A", "b": "B"}),
    read("an object without a dictionary", Slots(), {"a": "slot", "b": None}),
    read("an object that answers to every name", Answering(), {"a": "any a", "b": "any b"}),
    read(
        "a property that raises is an error, one without an attribute a null",
        Breaking(),
        {"a": None, "b": None},
        Problem("Boom", "tree.a", "1:10"),
    ),
    read(
        "objects that can't be compared are objects",
        {"trees": ODD_ONES},
        {"trees": [{"a": "A"}, None, {"a": "A"}]},
        document="{ trees { a } }",
    ),
    read("a text has no fields", "tree", {"a": None, "b": None}),
    read("a number has no fields", 7, {"a": None, "b": None}),
    read("zero is an object as well", 0, {"a": None, "b": None}),
    read("an empty text is an object as well", "", {"a": None, "b": None}),
    read("false is an object as well", False, {"a": None, "b": None}),
    read("a list has no fields", [1], {"a": None, "b": None}),
    read("a function in a dictionary is called", {"a": lambda _: "A"}, {"a": "A", "b": None}),
    read(
        "an object in a dictionary that can be called is called",
        {"a": Called(), "b": Called()},
        {"a": "called for a", "b": "called for b"},
    ),
    read(
        "a method is called with its arguments",
        Plain(),
        {"count": 3, "other": 7, "tree": {"a": "attribute"}},
        document="{ count other: count(n: 5, m: 2) tree { a } }",
    ),
    read(
        "a function is called with the arguments given",
        {"a": lambda _, n=0: f"n is {n}"},
        {"a": "n is 0", "other": "n is 4", "null": "n is None"},
        document="{ a other: a(n: 4) null: a(n: null) }",
    ),
    read(
        "a function that does not take an argument fails",
        {"a": lambda _: "A"},
        {"a": "A", "other": None},
        Problem("<lambda>() got an unexpected keyword argument 'n'", "other", "1:5"),
        document="{ a other: a(n: 4) }",
    ),
    read("no root is read as nulls", None, {"a": None, "tree": None}, document="{ a tree { a } }"),
    read("a root may be an object", Plain(), {"a": "attribute"}, document="{ a }"),
    read("a root may be a text", "root", {"a": None}, document="{ a }"),
    read(
        "a field may have a name that Python keeps",
        {"class": "C"},
        {"class": "C"},
        document="{ class }",
    ),
    read(
        "a tree is read down to its end",
        {"tree": {"a": "1", "tree": SimpleNamespace(a="2", tree={"a": "3"})}},
        {"tree": {"a": "1", "tree": {"a": "2", "tree": {"a": "3", "tree": None}}}},
        document="{ tree { a tree { a tree { a tree { a } } } } }",
    ),
    read(
        "objects of several kinds in one list",
        {"trees": [{"a": "1"}, SimpleNamespace(a="2"), None, Plain(), Pair("3", "4")]},
        {"trees": [{"a": "1"}, {"a": "2"}, None, {"a": "attribute"}, {"a": "3"}]},
        document="{ trees { a } }",
    ),
    read(
        "values and functions in one list",
        {"trees": [{"a": "1"}, {"a": lambda _: "2"}, {"a": None}, {"a": fails()}]},
        {"trees": [{"a": "1"}, {"a": "2"}, {"a": None}, {"a": None}]},
        Problem("Boom", "trees.3.a", "1:11"),
        document="{ trees { a } }",
    ),
    Fact(
        "a resolver for all fields that have none",
        TREE,
        "{ a tree { b } }",
        {"a": "a of Query", "tree": {"b": "b of Tree"}},
        options={"field_resolver": lambda _, info: f"{info.field_name} of {info.parent_type}"},
    ),
    Fact(
        "a function that returns what waits",
        TREE,
        "{ trees { a } }",
        {"trees": [{"a": "1"}, {"a": "2"}]},
        root={"trees": [{"a": later("1")}, {"a": lambda _: wait_for("2")}]},
        waits=True,
    ),
)


class Coded(Exception):
    """An error with extensions that is none of GraphQL's."""

    def __init__(self) -> None:
        super().__init__("Coded")
        self.extensions = {"code": "CODED"}


class Silent(Exception):
    """An error with nothing to say."""


class Typed(GraphQLError):
    """An error of GraphQL's with a class of its own."""


def raises(error: Exception) -> Any:
    """A resolver that raises this."""

    def resolve(*_: Any) -> Any:
        raise error

    return resolve


PLACED = GraphQLError("Placed", path=["elsewhere", 1])
RAISED: dict[str, tuple[Exception, Problem]] = {
    "an error": (ValueError("Boom"), Problem("Boom", "a")),
    "an error without a message": (Silent(), Problem("An unknown error occurred.", "a")),
    "an error of a key": (KeyError("k"), Problem("'k'", "a")),
    "an error with several arguments": (ValueError("a", 1), Problem("('a', 1)", "a")),
    "an error of GraphQL's": (GraphQLError("Mine"), Problem("Mine", "a")),
    "an error of GraphQL's with extensions": (
        GraphQLError("Mine", extensions={"code": "X", "more": [1]}),
        Problem("Mine", "a", extensions={"code": "X", "more": [1]}),
    ),
    "an error with extensions": (Coded(), Problem("Coded", "a", extensions={"code": "CODED"})),
    "an error of GraphQL's around another": (
        GraphQLError("Mine", original_error=Coded()),
        Problem("Mine", "a", extensions={"code": "CODED"}),
    ),
    "an error that has a path": (PLACED, Problem("Placed", "elsewhere.1", "")),
    "an error of a class of GraphQL's": (Typed("Typed"), Problem("Typed", "a")),
    "an error of recursion": (RecursionError("deep"), Problem("deep", "a")),
    "an error of an iteration's end": (StopAsyncIteration("end"), Problem("end", "a")),
    "an error that claims to be of time": (TimeoutError("late"), Problem("late", "a")),
}


def raised_facts() -> Iterator[Fact]:
    """Each error raised, returned, and raised after a wait: it is told the same."""
    for what, (error, problem) in RAISED.items():
        ways = {"raised": raises(error), "returned": error, "awaited": later(error)}
        for how, value in ways.items():
            yield Fact(
                f"{what}, {how}",
                TREE,
                "{ a b }",
                {"a": None, "b": "B"},
                (problem,),
                {"a": value, "b": "B"},
                waits=how == "awaited",
            )


ENDS = (
    Fact(
        "a function that raises the end of an iteration fails",
        TREE,
        "{ a }",
        {"a": None},
        (Problem("end", "a"),),
        options={"field_resolver": raises(StopIteration("end"))},
    ),
    Fact(
        "an end of an iteration among objects is an error",
        TREE,
        "{ trees { a } }",
        {"trees": [{"a": "A"}, None, {"a": "A"}]},
        (Problem("end", "trees.1"),),
        {"trees": [{"a": "A"}, StopIteration("end"), {"a": "A"}]},
    ),
    Fact(
        "a function that waits and raises the end of an iteration fails",
        TREE,
        "{ a b }",
        {"a": None, "b": "B"},
        (Problem("coroutine raised StopIteration", "a"),),
        {"a": later(StopIteration("end")), "b": "B"},
        waits=True,
    ),
    Fact(
        "several errors in one are one",
        TREE,
        "{ a }",
        {"a": None},
        (Problem("many", "a"),),
        {"a": raises(ExceptionGroup("many", [ValueError("One"), KeyError("two")]))},
    ),
    *(
        Fact(
            f"{odd!r} is anything as it is",
            OWN,
            "{ any }",
            {"any": odd},
            root={"any": odd},
        )
        for odd in ODD_ONES
        if odd is not None
    ),
)
DEEP_ERRORS = (
    Fact(
        "an error returned for an object",
        TREE,
        "{ tree { a } b }",
        {"tree": None, "b": "B"},
        (Problem("Boom", "tree"),),
        {"tree": ValueError("Boom"), "b": "B"},
    ),
    Fact(
        "an error returned for an object that must be there",
        TREE,
        "{ sureTree { a } b }",
        None,
        (Problem("Boom", "sureTree"),),
        {"sureTree": ValueError("Boom")},
    ),
    Fact(
        "an error returned by a function in an object of a list",
        TREE,
        "{ trees { tree { a } } }",
        {"trees": [{"tree": None}, {"tree": {"a": "A"}}]},
        (Problem("Boom", "trees.0.tree", "1:11"),),
        {"trees": [{"tree": lambda _: ValueError("Boom")}, {"tree": {"a": "A"}}]},
    ),
)
VALUES = (*leaf_facts(), *LEAF_ERRORS, *READING, *raised_facts(), *ENDS, *DEEP_ERRORS)
