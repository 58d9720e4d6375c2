"""Introspection: a schema is asked about itself as anything else is asked."""

from typing import Any

from tests.executor.core_facts import Fact, Problem, schema

SCHEMA = schema(
    """
    directive @mark(why: String = "none", count: Int!) repeatable on FIELD | QUERY
    "What is asked."
    type Query {
      node(id: ID! = "n", old: Int @deprecated(reason: "Unused.")): Node
      any: Any
      self: Query
    }
    "A thing."
    interface Thing { name: String! }
    type Node implements Thing {
      "Its name."
      name: String!
      tags: [String!]!
      gone: Int @deprecated
      late: Int @deprecated(reason: "Use name.")
    }
    type Leaf implements Thing { name: String! }
    union Any = Node | Leaf
    enum Colour { "Like blood." RED GREEN @deprecated(reason: "Use RED.") }
    input Filter { name: String = "all" sizes: [Int!] = [1, 2] colour: Colour = RED nested: Filter }
    input One @oneOf { a: Int b: Int }
    scalar Link @specifiedBy(url: "https://links.example")
    type Mutation { take(filter: Filter, one: One, link: Link): Boolean }
    """
)


def row(name: str, document: str, data: Any, *errors: Problem, **more: Any) -> Fact:
    """A fact on the schema of this table."""
    return Fact(name, SCHEMA, document, data, errors, **more)


def of_type(name: str, kind: str, selection: str, data: Any) -> Fact:
    """A fact about one type."""
    return row(name, f'{{ __type(name: "{kind}") {{ {selection} }} }}', {"__type": data})


def directive(
    name: str, *arguments: tuple[str, str | None], repeatable: bool = False
) -> dict[str, Any]:
    """A directive as it shows itself."""
    shown = [{"name": argument, "defaultValue": value} for argument, value in arguments]
    return {"name": name, "isRepeatable": repeatable, "args": shown}


REF = "kind name ofType { kind name ofType { kind name ofType { kind name } } }"
TYPES = (
    of_type(
        "an object type",
        "Node",
        "kind name description specifiedByURL interfaces { name } possibleTypes { name }"
        " enumValues { name } inputFields { name } ofType { name }",
        {
            "kind": "OBJECT",
            "name": "Node",
            "description": None,
            "specifiedByURL": None,
            "interfaces": [{"name": "Thing"}],
            "possibleTypes": None,
            "enumValues": None,
            "inputFields": None,
            "ofType": None,
        },
    ),
    of_type(
        "fields without those that are deprecated",
        "Node",
        "fields { name description isDeprecated deprecationReason }",
        {
            "fields": [
                {
                    "name": "name",
                    "description": "Its name.",
                    "isDeprecated": False,
                    "deprecationReason": None,
                },
                {
                    "name": "tags",
                    "description": None,
                    "isDeprecated": False,
                    "deprecationReason": None,
                },
            ]
        },
    ),
    of_type(
        "fields with those that are deprecated",
        "Node",
        "fields(includeDeprecated: true) { name deprecationReason }",
        {
            "fields": [
                {"name": "name", "deprecationReason": None},
                {"name": "tags", "deprecationReason": None},
                {"name": "gone", "deprecationReason": "No longer supported"},
                {"name": "late", "deprecationReason": "Use name."},
            ]
        },
    ),
    of_type(
        "types in types, down to the innermost",
        "Node",
        f"fields {{ name type {{ {REF} }} }}",
        {
            "fields": [
                {
                    "name": "name",
                    "type": {
                        "kind": "NON_NULL",
                        "name": None,
                        "ofType": {"kind": "SCALAR", "name": "String", "ofType": None},
                    },
                },
                {
                    "name": "tags",
                    "type": {
                        "kind": "NON_NULL",
                        "name": None,
                        "ofType": {
                            "kind": "LIST",
                            "name": None,
                            "ofType": {
                                "kind": "NON_NULL",
                                "name": None,
                                "ofType": {"kind": "SCALAR", "name": "String"},
                            },
                        },
                    },
                },
            ]
        },
    ),
    of_type(
        "an interface",
        "Thing",
        "kind description possibleTypes { name } interfaces { name } fields { name }",
        {
            "kind": "INTERFACE",
            "description": "A thing.",
            "possibleTypes": [{"name": "Node"}, {"name": "Leaf"}],
            "interfaces": [],
            "fields": [{"name": "name"}],
        },
    ),
    of_type(
        "a union",
        "Any",
        "kind possibleTypes { name } fields { name } interfaces { name }",
        {
            "kind": "UNION",
            "possibleTypes": [{"name": "Node"}, {"name": "Leaf"}],
            "fields": None,
            "interfaces": None,
        },
    ),
    of_type(
        "an enum",
        "Colour",
        "kind enumValues { name description } all: enumValues(includeDeprecated: true)"
        " { name isDeprecated deprecationReason }",
        {
            "kind": "ENUM",
            "enumValues": [{"name": "RED", "description": "Like blood."}],
            "all": [
                {"name": "RED", "isDeprecated": False, "deprecationReason": None},
                {"name": "GREEN", "isDeprecated": True, "deprecationReason": "Use RED."},
            ],
        },
    ),
    of_type(
        "an input object, with defaults as they are written",
        "Filter",
        "kind isOneOf inputFields { name defaultValue type { name } }",
        {
            "kind": "INPUT_OBJECT",
            "isOneOf": False,
            "inputFields": [
                {"name": "name", "defaultValue": '"all"', "type": {"name": "String"}},
                {"name": "sizes", "defaultValue": "[1, 2]", "type": {"name": None}},
                {"name": "colour", "defaultValue": "RED", "type": {"name": "Colour"}},
                {"name": "nested", "defaultValue": None, "type": {"name": "Filter"}},
            ],
        },
    ),
    of_type(
        "a scalar that says where it is specified",
        "Link",
        "kind specifiedByURL",
        {"kind": "SCALAR", "specifiedByURL": "https://links.example"},
    ),
    of_type(
        "arguments with defaults, and without those that are deprecated",
        "Query",
        "fields { name args { name defaultValue } all: args(includeDeprecated: true)"
        " { name isDeprecated deprecationReason } }",
        {
            "fields": [
                {
                    "name": "node",
                    "args": [{"name": "id", "defaultValue": '"n"'}],
                    "all": [
                        {"name": "id", "isDeprecated": False, "deprecationReason": None},
                        {"name": "old", "isDeprecated": True, "deprecationReason": "Unused."},
                    ],
                },
                {"name": "any", "args": [], "all": []},
                {"name": "self", "args": [], "all": []},
            ]
        },
    ),
    row(
        "a type that is unknown is null",
        '{ __type(name: "Nothing") { name } }',
        {"__type": None},
    ),
    row(
        "a type of introspection",
        '{ __type(name: "__TypeKind") { kind enumValues { name } } }',
        {
            "__type": {
                "kind": "ENUM",
                "enumValues": [
                    {"name": name}
                    for name in (
                        *("SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM"),
                        *("INPUT_OBJECT", "LIST", "NON_NULL"),
                    )
                ],
            }
        },
    ),
    row(
        "a type by a variable",
        "query ($name: String!) { __type(name: $name) { name } }",
        {"__type": {"name": "Leaf"}},
        variables={"name": "Leaf"},
    ),
    row(
        "a type without a name",
        "{ __type { name } }",
        {"__type": None},
        Problem("Argument 'name' of required type 'String!' was not provided.", "__type", "1:3"),
        unvalidated=True,
    ),
)
WHOLE = (
    row(
        "the root types",
        "{ __schema { queryType { name } mutationType { name fields { name } }"
        " subscriptionType { name } description } }",
        {
            "__schema": {
                "queryType": {"name": "Query"},
                "mutationType": {"name": "Mutation", "fields": [{"name": "take"}]},
                "subscriptionType": None,
                "description": None,
            }
        },
    ),
    row(
        "the directives",
        "{ __schema { directives { name isRepeatable args { name defaultValue } } } }",
        {
            "__schema": {
                "directives": [
                    directive("mark", ("why", '"none"'), ("count", None), repeatable=True),
                    directive("include", ("if", None)),
                    directive("skip", ("if", None)),
                    directive("deprecated", ("reason", '"No longer supported"')),
                    directive("specifiedBy", ("url", None)),
                    directive("oneOf"),
                ]
            }
        },
    ),
    row(
        "introspection beside data",
        '{ self { __typename } __schema { __typename } __type(name: "Leaf") { __typename } }',
        {
            "self": {"__typename": "Query"},
            "__schema": {"__typename": "__Schema"},
            "__type": {"__typename": "__Type"},
        },
        root={"self": {}},
    ),
    row(
        "a schema under another name, and by a fragment",
        "{ s: __schema { ...S queryType { kind } } } fragment S on __Schema"
        " { queryType { ...T } } fragment T on __Type { name }",
        {"s": {"queryType": {"name": "Query", "kind": "OBJECT"}}},
    ),
    row(
        "a schema can be asked wherever the query type is",
        '{ self { __schema { description } __type(name: "Leaf") { name } a: __typename } }',
        {"self": {"__schema": {"description": None}, "__type": {"name": "Leaf"}, "a": "Query"}},
        root={"self": {}},
    ),
    row(
        "a schema can't be asked of another type",
        "{ node { __schema { description } name } }",
        {"node": {"name": "n"}},
        root={"node": {"name": "n"}},
        unvalidated=True,
    ),
    row(
        "a schema can't be asked of a mutation",
        "mutation { __schema { description } __typename }",
        {"__typename": "Mutation"},
        unvalidated=True,
    ),
)
INTROSPECTION = (*TYPES, *WHOLE)
