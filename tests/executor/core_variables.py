"""Variables and arguments: what is taken, what is refused, and what a resolver gets."""

from collections.abc import Iterator
from math import inf, nan
from typing import Any

from graphql import Undefined

from tests.executor.core_facts import Fact, Info, Problem, schema


def echo(_: Any, info: Info, **arguments: Any) -> str:
    """The arguments that a resolver was called with, sorted by name."""
    return ", ".join(f"{name}={arguments[name]!r}" for name in sorted(arguments))


FIELDS = {
    "int": "Int",
    "sureInt": "Int!",
    "ints": "[Int]",
    "sureInts": "[Int!]!",
    "grid": "[[Int!]]",
    "float": "Float",
    "text": "String",
    "yes": "Boolean",
    "id": "ID",
    "colour": "Colour",
    "colours": "[Colour!]",
    "point": "Point",
    "points": "[Point!]",
    "one": "One",
    "any": "Any",
}
TAKES = "".join(f"{name}(it: {kind}): String " for name, kind in FIELDS.items())
SCHEMA = schema(
    f"""
    scalar Any
    enum Colour {{ RED GREEN }}
    input Point {{ x: Int! y: Int = 7 name: String next: Point }}
    input One @oneOf {{ int: Int text: String point: Point }}
    type Query {{
      {TAKES}
      byDefault(it: Int = 5): String
      sureByDefault(it: Int! = 5): String
      nullByDefault(it: Int = null): String
      listByDefault(it: [Int!] = [1, 2]): String
      pointByDefault(it: Point = {{ x: 1 }}): String
      colourByDefault(it: Colour = GREEN): String
      two(a: Int, b: Int! = 2): String
      parent: Query
      parents: [Query]
    }}
    """,
    {
        f"Query.{name}": echo
        for name in (
            *FIELDS,
            *("byDefault", "sureByDefault", "nullByDefault", "listByDefault", "pointByDefault"),
            *("colourByDefault", "two"),
        )
    },
)
VALUE = "Variable '$it' has invalid value: "
VALUE_AT = "Variable '$it' has invalid value at "
ARGUMENT = "Argument 'it' has invalid value: "
ARGUMENT_AT = "Argument 'it' has invalid value at "
ONE_OF = (
    "Within OneOf Input Object type 'One', exactly one field must be specified,"
    " and the value for that field must be non-null."
)
NO_NULL = "Expected value of non-null type 'Int!' not to be None."
NEEDS_X = "Expected value of type 'Point' to include required field 'x', found: "
NO_Z = (
    "Expected value of type 'Point' not to include unknown field 'z'."
    " Did you mean 'x' or 'y'? Found: "
)
UNGIVEN = "Expected variable '$it' provided to type 'Int!' to provide a runtime value."
NULLED = "Expected variable '$it' provided to non-null type 'Int!' not to be None."
ROOT: dict[str, Any] = {"parent": {"parent": {}}, "parents": [{}, None, {}]}


def row(name: str, document: str, data: Any, *errors: Problem, **more: Any) -> Fact:
    """A fact on the schema of this table."""
    return Fact(name, SCHEMA, document, data, errors, ROOT, **more)


# A value as it stands in a document, and what the resolver gets for it.
LITERALS: dict[str, dict[str, str]] = {
    "int": {"1": "it=1", "-3": "it=-3", "0": "it=0", "null": "it=None"},
    "sureInt": {"1": "it=1"},
    "ints": {
        "[1, 2]": "it=[1, 2]",
        "[]": "it=[]",
        "[1, null]": "it=[1, None]",
        "1": "it=[1]",
        "null": "it=None",
    },
    "sureInts": {"[1]": "it=[1]", "[]": "it=[]", "3": "it=[3]"},
    "grid": {
        "[[1], [2, 3]]": "it=[[1], [2, 3]]",
        "[[1], null]": "it=[[1], None]",
        "1": "it=[[1]]",
        "[1, 2]": "it=[[1], [2]]",
    },
    "float": {"1.5": "it=1.5", "1": "it=1.0", "1e3": "it=1000.0", "-0.5": "it=-0.5"},
    "text": {'"a"': "it='a'", '""': "it=''", '"\\u00e9\\n"': "it='é\\n'", '"""b"""': "it='b'"},
    "yes": {"true": "it=True", "false": "it=False"},
    "id": {'"a"': "it='a'", "7": "it='7'"},
    "colour": {"RED": "it='RED'", "null": "it=None"},
    "colours": {"[RED, GREEN]": "it=['RED', 'GREEN']", "RED": "it=['RED']"},
    "point": {
        "{ x: 1 }": "it={'x': 1, 'y': 7}",
        "{ x: 1, y: 2 }": "it={'x': 1, 'y': 2}",
        "{ y: null, x: 1 }": "it={'x': 1, 'y': None}",
        "{ x: 1, next: { x: 2 } }": "it={'x': 1, 'y': 7, 'next': {'x': 2, 'y': 7}}",
        '{ name: "n", x: 1 }': "it={'x': 1, 'y': 7, 'name': 'n'}",
    },
    "points": {"[{ x: 1 }]": "it=[{'x': 1, 'y': 7}]", "{ x: 1 }": "it=[{'x': 1, 'y': 7}]"},
    "one": {"{ int: 1 }": "it={'int': 1}", "{ point: { x: 1 } }": "it={'point': {'x': 1, 'y': 7}}"},
    "any": {
        '{ a: [1, "b", true, null, 1.5] }': "it={'a': [1, 'b', True, None, 1.5]}",
        "3": "it=3",
    },
}
# A value of a variable, and what the resolver gets for it.
GIVEN: dict[str, tuple[tuple[Any, str], ...]] = {
    "int": ((1, "it=1"), (1.0, "it=1"), (None, "it=None"), (Undefined, "")),
    "sureInt": ((1, "it=1"),),
    "ints": (
        ([1, 2], "it=[1, 2]"),
        ([], "it=[]"),
        ([1, None], "it=[1, None]"),
        (1, "it=[1]"),
        ((1, 2), "it=[1, 2]"),
        (None, "it=None"),
    ),
    "sureInts": (([1], "it=[1]"), (4, "it=[4]")),
    "grid": (([[1], [2]], "it=[[1], [2]]"), (1, "it=[[1]]"), ([1, None], "it=[[1], None]")),
    "float": ((1.5, "it=1.5"), (1, "it=1.0")),
    "text": (("a", "it='a'"), ("", "it=''")),
    "yes": ((True, "it=True"), (False, "it=False")),
    "id": (("a", "it='a'"), (7, "it='7'")),
    "colour": (("RED", "it='RED'"), (None, "it=None")),
    "colours": ((["RED"], "it=['RED']"), ("GREEN", "it=['GREEN']")),
    "point": (
        ({"x": 1}, "it={'x': 1, 'y': 7}"),
        ({"y": None, "x": 1}, "it={'x': 1, 'y': None}"),
        ({"x": 1, "next": {"x": 2, "y": 3}}, "it={'x': 1, 'y': 7, 'next': {'x': 2, 'y': 3}}"),
    ),
    "points": (([{"x": 1}], "it=[{'x': 1, 'y': 7}]"), ({"x": 1}, "it=[{'x': 1, 'y': 7}]")),
    "one": (({"int": 1}, "it={'int': 1}"), ({"text": "a"}, "it={'text': 'a'}")),
    "any": (({"a": [1, "b"]}, "it={'a': [1, 'b']}"), (3, "it=3")),
}


def taken_facts() -> Iterator[Fact]:
    """What is taken as a literal, and what as a variable."""
    for name, literals in LITERALS.items():
        for literal, got in literals.items():
            yield row(
                f"{FIELDS[name]} takes {literal}", f"{{ {name}(it: {literal}) }}", {name: got}
            )
    for name, values in GIVEN.items():
        for value, got in values:
            yield row(
                f"a variable of {FIELDS[name]} takes {value!r}",
                f"query ($it: {FIELDS[name]}) {{ {name}(it: $it) }}",
                {name: got},
                variables={"it": value},
            )


def refused(name: str, value: Any, message: str) -> Fact:
    """A variable that is refused: the whole operation is."""
    return row(
        f"a variable of {FIELDS[name]} refuses {value!r}",
        f"query ($it: {FIELDS[name]}) {{ {name}(it: $it) }}",
        None,
        Problem(message, "", "1:8"),
        variables={"it": value},
    )


REFUSED = (
    refused("int", "1", VALUE + "Int cannot represent non-integer value: '1'"),
    refused("int", 1.5, VALUE + "Int cannot represent non-integer value: 1.5"),
    refused("int", True, VALUE + "Int cannot represent non-integer value: True"),
    refused(
        "int", 2**31, VALUE + "Int cannot represent non 32-bit signed integer value: 2147483648"
    ),
    refused("int", inf, VALUE + "Int cannot represent non-integer value: inf"),
    refused("int", [1], VALUE + "Int cannot represent non-integer value: [1]"),
    refused("sureInt", None, VALUE + NO_NULL),
    refused(
        "sureInt", Undefined, VALUE + "Expected a value of non-null type 'Int!' to be provided."
    ),
    refused("ints", [1, "2"], VALUE_AT + "[1]: Int cannot represent non-integer value: '2'"),
    refused("ints", {"x": 1}, VALUE + "Int cannot represent non-integer value: {'x': 1}"),
    refused("sureInts", None, VALUE + "Expected value of non-null type '[Int!]!' not to be None."),
    refused("sureInts", [None], VALUE_AT + "[0]: " + NO_NULL),
    refused("grid", [[1, None]], VALUE_AT + "[0][1]: " + NO_NULL),
    refused("float", "1.5", VALUE + "Float cannot represent non numeric value: '1.5'"),
    refused("float", nan, VALUE + "Float cannot represent non numeric value: nan"),
    refused("float", True, VALUE + "Float cannot represent non numeric value: True"),
    refused("text", 1, VALUE + "String cannot represent a non string value: 1"),
    refused("text", ["a"], VALUE + "String cannot represent a non string value: ['a']"),
    refused("yes", 1, VALUE + "Boolean cannot represent a non boolean value: 1"),
    refused("yes", "true", VALUE + "Boolean cannot represent a non boolean value: 'true'"),
    refused("id", 1.5, VALUE + "ID cannot represent value: 1.5"),
    refused("id", True, VALUE + "ID cannot represent value: True"),
    refused("colour", "BLUE", VALUE + "Value 'BLUE' does not exist in 'Colour' enum."),
    refused(
        "colour",
        "red",
        VALUE + "Value 'red' does not exist in 'Colour' enum. Did you mean the enum value 'RED'?",
    ),
    refused("colour", 1, VALUE + "Enum 'Colour' cannot represent non-string value: 1."),
    refused(
        "colours",
        ["RED", None],
        VALUE_AT + "[1]: Expected value of non-null type 'Colour!' not to be None.",
    ),
    refused("point", {}, VALUE + NEEDS_X + "{}."),
    refused("point", {"x": None}, VALUE_AT + ".x: " + NO_NULL),
    refused("point", {"x": "1"}, VALUE_AT + ".x: Int cannot represent non-integer value: '1'"),
    refused("point", {"x": 1, "z": 2}, VALUE + NO_Z + "{'x': 1, 'z': 2}."),
    refused("point", {"x": 1, "next": {}}, VALUE_AT + ".next: " + NEEDS_X + "{}."),
    refused("point", 1, VALUE + "Expected value of type 'Point' to be an object, found: 1."),
    refused("points", [{"x": 1}, {}], VALUE_AT + "[1]: " + NEEDS_X + "{}."),
    refused("one", {}, VALUE + ONE_OF),
    refused("one", {"int": None}, VALUE_AT + ".int: " + ONE_OF),
    refused("one", {"int": 1, "text": "a"}, VALUE + ONE_OF),
    refused("one", {"int": 1, "text": None}, VALUE + ONE_OF),
    refused(
        "one",
        {"int": 1, "other": 2},
        VALUE + "Expected value of type 'One' not to include unknown field 'other',"
        " found: {'int': 1, 'other': 2}.",
    ),
)


def unfit(name: str, literal: str, message: str, at: str) -> Fact:
    """A literal that is refused when its field is executed: the field is null."""
    return row(
        f"{FIELDS[name]} refuses {literal}",
        f"{{ {name}(it: {literal}) }}",
        {name: None},
        Problem(message, name, at),
        unvalidated=True,
    )


UNFIT = (
    unfit("int", '"1"', ARGUMENT + 'Int cannot represent non-integer value: "1"', "1:11"),
    unfit("int", "1.5", ARGUMENT + "Int cannot represent non-integer value: 1.5", "1:11"),
    unfit("int", "RED", ARGUMENT + "Int cannot represent non-integer value: RED", "1:11"),
    unfit(
        "int",
        "2147483648",
        ARGUMENT + "Int cannot represent non 32-bit signed integer value: 2147483648",
        "1:11",
    ),
    unfit("sureInt", "null", ARGUMENT + NO_NULL, "1:15"),
    unfit(
        "ints", '[1, "2"]', ARGUMENT_AT + '[1]: Int cannot represent non-integer value: "2"', "1:16"
    ),
    unfit(
        "sureInts",
        "null",
        ARGUMENT + "Expected value of non-null type '[Int!]!' not to be None.",
        "1:16",
    ),
    unfit("sureInts", "[null]", ARGUMENT_AT + "[0]: " + NO_NULL, "1:17"),
    unfit("float", '"1.5"', ARGUMENT + 'Float cannot represent non numeric value: "1.5"', "1:13"),
    unfit("text", "1", ARGUMENT + "String cannot represent a non string value: 1", "1:12"),
    unfit("yes", "1", ARGUMENT + "Boolean cannot represent a non boolean value: 1", "1:11"),
    unfit(
        "id",
        "1.5",
        ARGUMENT + "ID cannot represent a non-string and non-integer value: 1.5",
        "1:10",
    ),
    unfit(
        "colour",
        '"RED"',
        ARGUMENT + "Enum 'Colour' cannot represent non-enum value: \"RED\"."
        " Did you mean the enum value 'RED' or 'GREEN'?",
        "1:14",
    ),
    unfit("colour", "BLUE", ARGUMENT + "Value 'BLUE' does not exist in 'Colour' enum.", "1:14"),
    unfit("point", "{}", ARGUMENT + NEEDS_X + "{  }.", "1:13"),
    unfit("point", "{ x: null }", ARGUMENT_AT + ".x: " + NO_NULL, "1:18"),
    unfit("point", "{ x: 1, z: 2 }", ARGUMENT + NO_Z + "{ x: 1, z: 2 }.", "1:21"),
    unfit(
        "point", "1", ARGUMENT + "Expected value of type 'Point' to be an object, found: 1.", "1:13"
    ),
    unfit("one", "{}", ARGUMENT + ONE_OF, "1:11"),
    unfit("one", '{ int: 1, text: "a" }', ARGUMENT + ONE_OF, "1:11"),
    unfit("one", "{ int: null }", ARGUMENT_AT + ".int: " + ONE_OF, "1:11"),
)
MISSING = (
    row("an argument that is not given is not there", "{ int }", {"int": ""}),
    row("a null that is given is there", "{ int(it: null) }", {"int": "it=None"}),
    row("what is not given has its default", "{ byDefault }", {"byDefault": "it=5"}),
    row("a null goes before a default", "{ byDefault(it: null) }", {"byDefault": "it=None"}),
    row("a default may be a null", "{ nullByDefault }", {"nullByDefault": "it=None"}),
    row("a default may be a list", "{ listByDefault }", {"listByDefault": "it=[1, 2]"}),
    row(
        "a default may be an object, whose fields have theirs",
        "{ pointByDefault }",
        {"pointByDefault": "it={'x': 1, 'y': 7}"},
    ),
    row("a default may be an enum", "{ colourByDefault }", {"colourByDefault": "it='GREEN'"}),
    row(
        "a variable that is not given is as no argument",
        "query ($it: Int) { int(it: $it) byDefault(it: $it) nullByDefault(it: $it) }",
        {"int": "", "byDefault": "it=5", "nullByDefault": "it=None"},
    ),
    row(
        "a variable that is null goes before a default",
        "query ($it: Int) { int(it: $it) byDefault(it: $it) }",
        {"int": "it=None", "byDefault": "it=None"},
        variables={"it": None},
    ),
    row(
        "a variable has its own default",
        "query ($it: Int = 3) { int(it: $it) byDefault(it: $it) }",
        {"int": "it=3", "byDefault": "it=3"},
    ),
    row(
        "a variable's default gives way to a null",
        "query ($it: Int = 3) { int(it: $it) }",
        {"int": "it=None"},
        variables={"it": None},
    ),
    row(
        "a variable's default gives way to a value",
        "query ($it: Int = 3) { int(it: $it) }",
        {"int": "it=4"},
        variables={"it": 4},
    ),
    row(
        "a variable's default may be null",
        "query ($it: Int = null) { int(it: $it) byDefault(it: $it) }",
        {"int": "it=None", "byDefault": "it=None"},
    ),
    row(
        "a default lets a variable that may be null be where none may be",
        "query ($it: Int = 3) { sureInt(it: $it) }",
        {"sureInt": "it=3"},
    ),
    row(
        "an argument's default lets a variable be missing where no null may be",
        "query ($it: Int) { sureByDefault(it: $it) }",
        {"sureByDefault": "it=5"},
    ),
    row(
        "but not be null",
        "query ($it: Int) { sureByDefault(it: $it) }",
        {"sureByDefault": None},
        Problem(ARGUMENT + NULLED, "sureByDefault", "1:38"),
        variables={"it": None},
    ),
    row(
        "an argument that must be given and is not",
        "{ sureInt }",
        {"sureInt": None},
        Problem("Argument 'it' of required type 'Int!' was not provided.", "sureInt"),
        unvalidated=True,
    ),
    row(
        "an argument that must be given and whose variable is not",
        "query ($it: Int) { sureInt(it: $it) int(it: 1) }",
        {"sureInt": None, "int": "it=1"},
        Problem(ARGUMENT + UNGIVEN, "sureInt", "1:32"),
        unvalidated=True,
    ),
    row(
        "an argument that must be given and whose variable is null",
        "query ($it: Int) { sureInt(it: $it) }",
        {"sureInt": None},
        Problem(ARGUMENT + NULLED, "sureInt", "1:32"),
        variables={"it": None},
        unvalidated=True,
    ),
    row(
        "a variable that is not declared is as none given",
        "{ int(it: $it) }",
        {"int": ""},
        unvalidated=True,
    ),
    row(
        "an argument that is unknown is passed over",
        "{ int(it: 1, other: 2) }",
        {"int": "it=1"},
        unvalidated=True,
    ),
    row("several arguments", "{ two(b: 3, a: 1) other: two }", {"two": "a=1, b=3", "other": "b=2"}),
    row(
        "a variable that nobody uses may be of any kind",
        "query ($it: Int, $other: Point) { int(it: $it) }",
        {"int": "it=1"},
        variables={"it": 1, "other": {"x": 1}},
        unvalidated=True,
    ),
    row(
        "a variable that nobody declares is passed over",
        "{ int(it: 1) }",
        {"int": "it=1"},
        variables={"it": "x"},
    ),
)
INSIDE = (
    row(
        "a variable in a list",
        "query ($it: Int) { ints(it: [1, $it, 3]) }",
        {"ints": "it=[1, 2, 3]"},
        variables={"it": 2},
    ),
    row(
        "a variable in a list that is not given is null",
        "query ($it: Int) { ints(it: [1, $it]) }",
        {"ints": "it=[1, None]"},
    ),
    row(
        "a variable in an object",
        "query ($it: Int!) { point(it: { x: $it }) }",
        {"point": "it={'x': 2, 'y': 7}"},
        variables={"it": 2},
    ),
    row(
        "a variable in an object that is not given leaves the default",
        "query ($it: Int) { point(it: { x: 1, y: $it }) }",
        {"point": "it={'x': 1, 'y': 7}"},
    ),
    row(
        "a variable in an object that is null",
        "query ($it: Int) { point(it: { x: 1, y: $it }) }",
        {"point": "it={'x': 1, 'y': None}"},
        variables={"it": None},
    ),
    row(
        "a variable in an object that must be there and is not",
        "query ($it: Int) { point(it: { x: $it }) }",
        {"point": None},
        Problem(ARGUMENT_AT + ".x: " + UNGIVEN, "point", "1:35"),
        unvalidated=True,
    ),
    row(
        "a variable in a list of those that must be there",
        "query ($it: Int) { sureInts(it: [1, $it]) }",
        {"sureInts": None},
        Problem(ARGUMENT_AT + "[1]: " + NULLED, "sureInts", "1:37"),
        variables={"it": None},
        unvalidated=True,
    ),
    row(
        "a variable in an object of which one must be",
        "query ($it: Int!) { one(it: { int: $it }) }",
        {"one": "it={'int': 2}"},
        variables={"it": 2},
    ),
    row(
        "a variable that is missing in an object of which one must be",
        "query ($it: Int) { one(it: { int: $it }) }",
        {"one": None},
        Problem(
            ARGUMENT + "Expected variable '$it' provided to field 'int'"
            " for OneOf Input Object type 'One' to provide a runtime value.",
            "one",
            "1:28",
        ),
        unvalidated=True,
    ),
    row(
        "a variable in a scalar of one's own",
        "query ($it: Int) { any(it: { a: [$it] }) }",
        {"any": "it={'a': [2]}"},
        variables={"it": 2},
    ),
    row(
        "one variable in many places",
        "query ($it: Int!)"
        " { a: int(it: $it) parent { b: int(it: $it) parent { c: int(it: $it) } } }",
        {"a": "it=2", "parent": {"b": "it=2", "parent": {"c": "it=2"}}},
        variables={"it": 2},
    ),
    row(
        "a variable in a fragment",
        "query ($it: Int!) { parent { ...F } } fragment F on Query { int(it: $it) }",
        {"parent": {"int": "it=2"}},
        variables={"it": 2},
    ),
    row(
        "arguments are the same for every object of a list",
        "query ($it: Int!) { parents { int(it: $it) two(a: $it) } }",
        {
            "parents": [
                {"int": "it=2", "two": "a=2, b=2"},
                None,
                {"int": "it=2", "two": "a=2, b=2"},
            ]
        },
        variables={"it": 2},
    ),
    row(
        "an argument that is refused fails the field of every object of a list",
        '{ parents { int(it: "x") yes(it: true) } }',
        {"parents": [{"int": None, "yes": "it=True"}, None, {"int": None, "yes": "it=True"}]},
        Problem(ARGUMENT + 'Int cannot represent non-integer value: "x"', "parents.0.int", "1:21"),
        Problem(ARGUMENT + 'Int cannot represent non-integer value: "x"', "parents.2.int", "1:21"),
        unvalidated=True,
    ),
)
SEVERAL = (
    row(
        "every variable that is refused has its error",
        "query ($a: Int!, $b: Int, $c: [Int!]) { int(it: $a) b: int(it: $b) ints(it: $c) }",
        None,
        Problem(
            "Variable '$a' has invalid value:"
            " Expected a value of non-null type 'Int!' to be provided.",
            "",
            "1:8",
        ),
        Problem(
            "Variable '$b' has invalid value: Int cannot represent non-integer value: 'x'",
            "",
            "1:18",
        ),
        Problem(
            "Variable '$c' has invalid value at [0]: " + NO_NULL,
            "",
            "1:27",
        ),
        variables={"b": "x", "c": [None]},
    ),
    row(
        "a variable has an error for everything that is wrong in it",
        "query ($it: Point) { point(it: $it) }",
        None,
        Problem(VALUE + NEEDS_X + "{'z': 1, 'y': 'x'}.", "", "1:8"),
        Problem(VALUE_AT + ".y: Int cannot represent non-integer value: 'x'", "", "1:8"),
        Problem(VALUE + NO_Z + "{'z': 1, 'y': 'x'}.", "", "1:8"),
        variables={"it": {"z": 1, "y": "x"}},
    ),
    row(
        "errors of variables are counted only so far",
        "query ($a: Int, $b: Int, $c: Int) { a: int(it: $a) b: int(it: $b) c: int(it: $c) }",
        None,
        Problem(
            "Variable '$a' has invalid value: Int cannot represent non-integer value: 'x'",
            "",
            "1:8",
        ),
        Problem(
            "Variable '$b' has invalid value: Int cannot represent non-integer value: 'y'",
            "",
            "1:17",
        ),
        Problem(
            "Too many errors processing variables, error limit reached. Execution aborted.", "", ""
        ),
        variables={"a": "x", "b": "y", "c": "z"},
        options={"max_coercion_errors": 2},
    ),
    row(
        "suggestions can be hidden",
        "query ($it: Colour) { colour(it: $it) }",
        None,
        Problem(VALUE + "Value 'REDD' does not exist in 'Colour' enum.", "", "1:8"),
        variables={"it": "REDD"},
        options={"hide_suggestions": True},
    ),
    row(
        "suggestions of an argument can be hidden",
        "{ colour(it: REDD) }",
        {"colour": None},
        Problem(ARGUMENT + "Value 'REDD' does not exist in 'Colour' enum.", "colour", "1:14"),
        unvalidated=True,
        options={"hide_suggestions": True},
    ),
    row(
        "suggestions of an argument are shown",
        "{ colour(it: REDD) }",
        {"colour": None},
        Problem(
            ARGUMENT
            + "Value 'REDD' does not exist in 'Colour' enum. Did you mean the enum value 'RED'?",
            "colour",
            "1:14",
        ),
        unvalidated=True,
    ),
    row(
        "a variable of a type that is no input",
        "query ($it: Query) { int(it: 1) }",
        None,
        Problem(
            "Variable '$it' expected value of type 'Query' which cannot be used as an input type.",
            "",
            "1:13",
        ),
        variables={"it": {}},
        unvalidated=True,
    ),
    row(
        "a variable of a type that is unknown",
        "query ($it: Nothing!) { int(it: 1) }",
        None,
        Problem(
            "Variable '$it' expected value of type 'Nothing!'"
            " which cannot be used as an input type.",
            "",
            "1:13",
        ),
        variables={"it": 1},
        unvalidated=True,
    ),
)
VARIABLES = (*taken_facts(), *REFUSED, *UNFIT, *MISSING, *INSIDE, *SEVERAL)
