"""Objects in lists of lists, and objects of several types in one list: errors keep their order."""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLSchema

from tests.executor.core_facts import Fact, Problem, later, schema, wait_for

CELL = "id: Int  sure: Int!  cells: [Cell]  grid: [[Cell]]"
GRIDS = schema(
    f"""
    enum Colour {{ RED GREEN }}
    scalar Any
    type Cell {{ {CELL} }}
    type Query {{
      grid: [[Cell]] sureCells: [[Cell!]] sureRows: [[Cell]!] sureGrid: [[Cell!]!]!
      cube: [[[Cell]]] sureCube: [[[Cell!]!]!] numbers: [[[Int]]] sureNumbers: [[[Int!]!]!]
      colours: [Colour] sureColours: [Colour!] colourGrid: [[Colour]] anys: [Any] floats: [[Float!]]
      texts: [[String]]
    }}
    """
)
BOOM = ValueError("Boom")
ONE, TWO = {"id": 1, "sure": 1}, {"id": 2, "sure": 2}
BAD = {"id": 3}


def row(
    name: str, document: str, root: dict[str, Any], data: Any, *errors: Problem, **more: Any
) -> Fact:
    """A fact on the schema of grids."""
    return Fact(name, GRIDS, document, data, errors, root, **more)


def no_null(field: str, path: str, at: str = "1:3") -> Problem:
    """A null where none may be."""
    return Problem(f"Cannot return null for non-nullable field {field}.", path, at)


CELLS = (
    row(
        "objects in lists of lists",
        "{ grid { id } }",
        {"grid": [[ONE, TWO], [], [TWO]]},
        {"grid": [[{"id": 1}, {"id": 2}], [], [{"id": 2}]]},
    ),
    row(
        "nulls among objects and among their lists",
        "{ grid { id } }",
        {"grid": [None, [ONE, None], [None]]},
        {"grid": [None, [{"id": 1}, None], [None]]},
    ),
    row(
        "errors among objects and among their lists, in the order of the lists",
        "{ grid { id } }",
        {"grid": [[ONE, ValueError("One")], ValueError("Two"), [ValueError("Three"), TWO]]},
        {"grid": [[{"id": 1}, None], None, [None, {"id": 2}]]},
        Problem("One", "grid.0.1"),
        Problem("Two", "grid.1"),
        Problem("Three", "grid.2.0"),
    ),
    row(
        "fields that fail in objects of lists of lists, in the order of the lists",
        "{ grid { id sure } }",
        {"grid": [[{"id": BOOM, "sure": 1}, BAD], [{"id": BOOM, "sure": 2}]]},
        {"grid": [[{"id": None, "sure": 1}, None], [{"id": None, "sure": 2}]]},
        Problem("Boom", "grid.0.0.id", "1:10"),
        no_null("Cell.sure", "grid.0.1.sure", "1:13"),
        Problem("Boom", "grid.1.0.id", "1:10"),
    ),
    row(
        "an object that falls takes its list",
        "{ sureCells { sure } }",
        {"sureCells": [[ONE, BAD], [TWO]]},
        {"sureCells": [None, [{"sure": 2}]]},
        no_null("Cell.sure", "sureCells.0.1.sure", "1:15"),
    ),
    row(
        "every list falls by itself",
        "{ sureCells { sure } }",
        {"sureCells": [[BAD], [TWO], [None], BOOM]},
        {"sureCells": [None, [{"sure": 2}], None, None]},
        no_null("Cell.sure", "sureCells.0.0.sure", "1:15"),
        no_null("Query.sureCells", "sureCells.2.0"),
        Problem("Boom", "sureCells.3"),
        races=True,
    ),
    row(
        "a list that is null takes the lists",
        "{ sureRows { id } }",
        {"sureRows": [[ONE], None]},
        {"sureRows": None},
        no_null("Query.sureRows", "sureRows.1"),
    ),
    row(
        "an object that falls in lists that must be takes all data",
        "{ sureGrid { id sure } }",
        {"sureGrid": [[ONE], [TWO, BAD]]},
        None,
        no_null("Cell.sure", "sureGrid.1.1.sure", "1:17"),
    ),
    row(
        "lists of lists of lists",
        "{ cube { id } }",
        {"cube": [[[ONE, None], None], None, [[], [TWO]]]},
        {"cube": [[[{"id": 1}, None], None], None, [[], [{"id": 2}]]]},
    ),
    row(
        "an object that falls takes three lists",
        "{ sureCube { sure } grid { id } }",
        {"sureCube": [[[ONE]], [[TWO, BAD]]], "grid": [[ONE]]},
        {"sureCube": None, "grid": [[{"id": 1}]]},
        no_null("Cell.sure", "sureCube.1.0.1.sure", "1:14"),
    ),
    row(
        "lists of lists in lists of lists",
        "{ grid { id grid { id cells { id } } } }",
        {"grid": [[{"id": 1, "grid": [[{"id": 2, "cells": [ONE, None]}], None]}], [TWO]]},
        {
            "grid": [
                [{"id": 1, "grid": [[{"id": 2, "cells": [{"id": 1}, None]}], None]}],
                [{"id": 2, "grid": None}],
            ]
        },
    ),
    row(
        "an object that falls deep below takes only the next that may be null",
        "{ grid { cells { sure } } }",
        {"grid": [[{"cells": [ONE, BAD]}, {"cells": None}], [{"cells": [BAD, TWO]}]]},
        {
            "grid": [
                [{"cells": [{"sure": 1}, None]}, {"cells": None}],
                [{"cells": [None, {"sure": 2}]}],
            ]
        },
        no_null("Cell.sure", "grid.0.0.cells.1.sure", "1:18"),
        no_null("Cell.sure", "grid.1.0.cells.0.sure", "1:18"),
    ),
    row(
        "tuples and generators of objects",
        "{ grid { id } }",
        {"grid": lambda *_: ((cell for cell in cells) for cells in ([ONE], [TWO, None]))},
        {"grid": [[{"id": 1}], [{"id": 2}, None]]},
    ),
    row(
        "objects that wait in lists that wait",
        "{ grid { id } }",
        {"grid": lambda *_: [wait_for([wait_for(ONE), TWO]), [wait_for(None)], wait_for(BOOM)]},
        {"grid": [[{"id": 1}, {"id": 2}], [None], None]},
        Problem("Boom", "grid.2"),
        waits=True,
    ),
    row(
        "an inner generator that breaks takes its list",
        "{ grid { id } }",
        {"grid": lambda *_: [[ONE], breaks_after(TWO), [TWO]]},
        {"grid": [[{"id": 1}], None, [{"id": 2}]]},
        Problem("Boom", "grid.1"),
    ),
    row(
        "objects of a generator that breaks keep the errors of what they were",
        "{ sureCells { id } }",
        {"sureCells": lambda *_: [breaks_after({"id": ValueError("Early")})]},
        {"sureCells": [None]},
        Problem("Early", "sureCells.0.0.id", "1:15"),
        Problem("Boom", "sureCells.0"),
        races=True,
    ),
    row(
        "what is no list among lists",
        "{ grid { id } }",
        {"grid": [[ONE], 7, "text", {"id": 1}]},
        {"grid": [[{"id": 1}], None, None, None]},
        *(
            Problem(
                "Expected Iterable, but did not find one for field 'Query.grid'.", f"grid.{index}"
            )
            for index in (1, 2, 3)
        ),
    ),
)


def breaks_after(*items: Any) -> Iterator[Any]:
    yield from items
    raise ValueError("Boom")


LEAVES = (
    row(
        "numbers in lists of lists of lists",
        "{ numbers }",
        {"numbers": [[[1, 2], []], [], [[3, None], None], None]},
        {"numbers": [[[1, 2], []], [], [[3, None], None], None]},
    ),
    row(
        "lists of several kinds hold numbers",
        "{ numbers }",
        {"numbers": ([(1, 2), {3}], ((4,), range(2)))},
        {"numbers": [[[1, 2], [3]], [[4], [0, 1]]]},
    ),
    row(
        "a number that can't be takes three lists",
        "{ sureNumbers numbers }",
        {"sureNumbers": [[[1]], [[2, "x"]]], "numbers": [[[1, "x"]]]},
        {"sureNumbers": None, "numbers": [[[1, None]]]},
        Problem("Int cannot represent non-integer value: 'x'", "sureNumbers.1.0.1"),
        Problem("Int cannot represent non-integer value: 'x'", "numbers.0.0.1", "1:15"),
    ),
    row(
        "numbers that wait in lists of lists of lists",
        "{ numbers }",
        {"numbers": lambda *_: [[[wait_for(1)], wait_for([2])], wait_for([[wait_for(3)]])]},
        {"numbers": [[[1], [2]], [[3]]]},
        waits=True,
    ),
    row(
        "enums in a list, of which one is none",
        "{ colours sureColours }",
        {"colours": ["RED", None, "BLUE", "GREEN"], "sureColours": ["RED", "BLUE"]},
        {"colours": ["RED", None, None, "GREEN"], "sureColours": None},
        Problem("Enum 'Colour' cannot represent value: 'BLUE'", "colours.2"),
        Problem("Enum 'Colour' cannot represent value: 'BLUE'", "sureColours.1", "1:11"),
    ),
    row(
        "enums in lists of lists",
        "{ colourGrid }",
        {"colourGrid": [["RED"], [None, "GREEN"], None, [["RED"]]]},
        {"colourGrid": [["RED"], [None, "GREEN"], None, [None]]},
        Problem("Enum 'Colour' cannot represent value: ['RED']", "colourGrid.3.0"),
    ),
    row(
        "anything in a list of anything",
        "{ anys }",
        {"anys": [1, "a", None, [2, None], {"b": [3]}, True]},
        {"anys": [1, "a", None, [2, None], {"b": [3]}, True]},
    ),
    row(
        "whole numbers among floats become floats",
        "{ floats }",
        {"floats": [[1, 2.5], [True], ["3"]]},
        {"floats": [[1.0, 2.5], [1], [3.0]]},
    ),
    row(
        "a text or a dictionary is no list of texts",
        "{ texts }",
        {"texts": ["ab", ["a"], {"a": "b"}]},
        {"texts": [None, ["a"], None]},
        Problem("Expected Iterable, but did not find one for field 'Query.texts'.", "texts.0"),
        Problem("Expected Iterable, but did not find one for field 'Query.texts'.", "texts.2"),
    ),
    row(
        "texts among what becomes one",
        "{ texts }",
        {"texts": [["a", 1, True, 1.5], [None]]},
        {"texts": [["a", "1", "true", "1.5"], [None]]},
    ),
)


def type_of(value: Any, *_: Any) -> Any:
    kind = value["kind"]
    if isinstance(kind, Exception):
        raise kind
    return kind


def later_type_of(value: Any, *_: Any) -> Any:
    return wait_for(value["kind"])


ZOO = """
interface Animal { name: String sure: Int! friends: [Animal] }
type Dog implements Animal {
  name: String sure: Int! barks: Int friends: [Animal] sureFriends: [Animal!]
}
type Cat implements Animal { name: String sure: Int! meows: Int! friends: [Animal] }
union Any = Dog | Cat
type Query { animals: [Animal] sureAnimals: [Animal!] grid: [[Animal]] anys: [Any] animal: Animal }
"""
QUICK = schema(ZOO, types={"Animal": type_of, "Any": type_of})
SLOW = schema(ZOO, types={"Animal": later_type_of, "Any": later_type_of})


def dog(number: int, **more: Any) -> dict[str, Any]:
    return {"kind": "Dog", "name": f"dog {number}", "sure": number, "barks": number, **more}


def cat(number: int, **more: Any) -> dict[str, Any]:
    return {"kind": "Cat", "name": f"cat {number}", "sure": number, "meows": number, **more}


def mixed(how: str, built: GraphQLSchema, waits: bool) -> Iterator[Fact]:
    """Facts of lists with objects of several types, whose types are told at once or later."""

    def fact(name: str, document: str, root: dict[str, Any], data: Any, *errors: Problem) -> Fact:
        return Fact(f"{name}, {how}", built, document, data, errors, root, waits=waits)

    yield fact(
        "objects of several types keep their places",
        "{ animals { name ... on Dog { barks } ... on Cat { meows } } }",
        {"animals": [cat(1), dog(2), None, cat(3), dog(4)]},
        {
            "animals": [
                {"name": "cat 1", "meows": 1},
                {"name": "dog 2", "barks": 2},
                None,
                {"name": "cat 3", "meows": 3},
                {"name": "dog 4", "barks": 4},
            ]
        },
    )
    yield fact(
        "errors of several types come in the order of the list",
        "{ animals { name ... on Dog { barks } } }",
        {
            "animals": [
                dog(1, barks=ValueError("One")),
                cat(2, name=ValueError("Two")),
                dog(3, name=ValueError("Three"), barks=ValueError("Four")),
                cat(4, name=ValueError("Five")),
            ]
        },
        {
            "animals": [
                {"name": "dog 1", "barks": None},
                {"name": None},
                {"name": None, "barks": None},
                {"name": None},
            ]
        },
        Problem("One", "animals.0.barks", "1:31"),
        Problem("Two", "animals.1.name", "1:13"),
        Problem("Three", "animals.2.name", "1:13"),
        Problem("Four", "animals.2.barks", "1:31"),
        Problem("Five", "animals.3.name", "1:13"),
    )
    yield fact(
        "only objects of the type that asks for what is missing fall",
        "{ animals { name ... on Cat { meows } } }",
        {"animals": [dog(1), cat(2, meows=None), cat(3)]},
        {"animals": [{"name": "dog 1"}, None, {"name": "cat 3", "meows": 3}]},
        no_null("Cat.meows", "animals.1.meows", "1:31"),
    )
    yield fact(
        "an object of one type takes a list of several",
        "{ sureAnimals { name ... on Cat { meows } } }",
        {"sureAnimals": [dog(1), cat(2, meows=None), dog(3)]},
        {"sureAnimals": None},
        no_null("Cat.meows", "sureAnimals.1.meows", "1:35"),
    )
    yield fact(
        "objects without a type beside those with one",
        "{ animals { name } }",
        {"animals": [dog(1), {"kind": ValueError("Boom")}, cat(2), {"kind": "Bird"}]},
        {"animals": [{"name": "dog 1"}, None, {"name": "cat 2"}, None]},
        Problem("Boom", "animals.1"),
        Problem(
            "Abstract type 'Animal' was resolved to a type 'Bird'"
            " that does not exist inside the schema.",
            "animals.3",
        ),
    )
    yield fact(
        "objects of several types in lists of lists",
        "{ grid { __typename name } }",
        {"grid": [[cat(1), dog(2)], None, [], [dog(3), None, cat(4)]]},
        {
            "grid": [
                [
                    {"__typename": "Cat", "name": "cat 1"},
                    {"__typename": "Dog", "name": "dog 2"},
                ],
                None,
                [],
                [
                    {"__typename": "Dog", "name": "dog 3"},
                    None,
                    {"__typename": "Cat", "name": "cat 4"},
                ],
            ]
        },
    )
    yield fact(
        "objects of several types below objects of several types",
        "{ animals { name friends { __typename sure } } }",
        {
            "animals": [
                cat(1, friends=[dog(2, sure=None), cat(3)]),
                dog(4, friends=[cat(5)]),
                cat(6, friends=[cat(7, sure=None)]),
            ]
        },
        {
            "animals": [
                {"name": "cat 1", "friends": [None, {"__typename": "Cat", "sure": 3}]},
                {"name": "dog 4", "friends": [{"__typename": "Cat", "sure": 5}]},
                {"name": "cat 6", "friends": [None]},
            ]
        },
        no_null("Dog.sure", "animals.0.friends.0.sure", "1:39"),
        no_null("Cat.sure", "animals.2.friends.0.sure", "1:39"),
    )
    yield fact(
        "lists that one type has fall inside objects of that type",
        "{ anys { ... on Dog { sureFriends { sure } } ... on Cat { meows } } }",
        {"anys": [cat(1), dog(2, sureFriends=[cat(3), dog(4, sure=None)]), cat(5)]},
        {"anys": [{"meows": 1}, {"sureFriends": None}, {"meows": 5}]},
        no_null("Dog.sure", "anys.1.sureFriends.1.sure", "1:37"),
    )


NAMES = {count: [f"n{number}" for number in range(count)] for count in (1, 2, 63, 64, 65, 200)}


def wide() -> Iterator[Fact]:
    """Objects with few and with very many fields."""
    for count, names in NAMES.items():
        selection = " ".join(f"{name}: id" for name in names)
        yield row(
            f"objects with {count} fields",
            f"{{ grid {{ {selection} }} }}",
            {"grid": [[ONE, None], [TWO]]},
            {"grid": [[dict.fromkeys(names, 1), None], [dict.fromkeys(names, 2)]]},
        )
    odd = ("names", "rows", "k0", "v0", "build", "self", "None_", "print", "__a")
    yield row(
        "fields under names that code might use",
        f"{{ grid {{ {' '.join(f'{name}: id' for name in odd)} }} }}",
        {"grid": [[ONE]]},
        {"grid": [[dict.fromkeys(odd, 1)]]},
    )


def deep(levels: int) -> Fact:
    """One object in another, many times."""
    document = "id"
    root: dict[str, Any] = ONE
    data: dict[str, Any] = {"id": 1}
    for _ in range(levels):
        document = f"cells {{ {document} }}"
        root, data = {"cells": [root]}, {"cells": [data]}
    return row(
        f"objects {levels} levels below",
        f"{{ grid {{ {document} }} }}",
        {"grid": [[root]]},
        {"grid": [[data]]},
    )


MIXED: tuple[Fact, ...] = (
    *mixed("told at once", QUICK, False),
    *mixed("told later", SLOW, True),
)
WAITING_CELLS = (
    row(
        "the fields of many objects wait",
        "{ grid { id sure } }",
        {"grid": [[{"id": later(n), "sure": later(n + 1)} for n in range(3)]]},
        {"grid": [[{"id": n, "sure": n + 1} for n in range(3)]]},
        waits=True,
    ),
    row(
        "some fields of some objects wait, and some fail",
        "{ grid { id sure } }",
        {"grid": [[{"id": later(BOOM), "sure": 1}, {"id": 2, "sure": later(None)}, ONE]]},
        {"grid": [[{"id": None, "sure": 1}, None, {"id": 1, "sure": 1}]]},
        Problem("Boom", "grid.0.0.id", "1:10"),
        no_null("Cell.sure", "grid.0.1.sure", "1:13"),
        waits=True,
    ),
)
GRID_FACTS = (*CELLS, *LEAVES, *MIXED, *wide(), deep(5), deep(60), *WAITING_CELLS)
