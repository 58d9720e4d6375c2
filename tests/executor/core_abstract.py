"""Interfaces and unions: how the type of a value is told, rightly and wrongly."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import GraphQLSchema

from tests.executor.core_facts import Fact, Problem, later, schema, wait_for

SDL = """
interface Pet { name: String }
interface Loud implements Pet { name: String volume: Int }
type Dog implements Pet & Loud { name: String volume: Int barks: Boolean friend: Pet home: Home }
type Cat implements Pet { name: String meows: Boolean friend: Pet home: Home }
type Fish { name: String }
union Home = Dog | Cat
enum Colour { RED }
input Size { metres: Int }
type Query {
  pet: Pet surePet: Pet! pets: [Pet] surePets: [Pet!] loud: Loud
  home: Home sureHome: Home! homes: [Home]
  dog: Dog sureDog: Dog! dogs: [Dog] cat: Cat
}
"""
REX = {"name": "Rex", "barks": True, "volume": 9}
TOM = {"name": "Tom", "meows": False}
Predicate = Callable[..., Any]


class Named:
    """A value that messages name after its class."""

    name = "Rex"
    barks = True


ANY = Named()


def tells(answer: Any) -> Predicate:
    """Tells a type at once, or fails to."""

    def tell(*_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return tell


def unfit(kind: str, field: str, value: str, received: str) -> str:
    return (
        f"Abstract type '{kind}' must resolve to an Object type at runtime for field"
        f" 'Query.{field}' with value {value}, received '{received}',"
        " which is not a valid Object type name."
    )


def untold(kind: str, field: str) -> str:
    return (
        f"Abstract type '{kind}' must resolve to an Object type at runtime for field"
        f" 'Query.{field}'. Either the '{kind}' type should provide a 'resolve_type' function"
        " or each possible type should provide an 'is_type_of' function."
    )


def wrong_answers(kind: str, field: str) -> dict[str, tuple[Any, str]]:
    """What may be told instead of a type, and what is said of it."""
    return {
        "nothing": (None, untold(kind, field)),
        "a number": (7, unfit(kind, field, "<Named instance>", "7")),
        "a list": (["Dog"], unfit(kind, field, "<Named instance>", "['Dog']")),
        "a type itself": (
            BOTH.type_map["Dog"],
            unfit(kind, field, "<Named instance>", "Dog"),
        ),
        "an unknown type": (
            "Bird",
            f"Abstract type '{kind}' was resolved to a type 'Bird'"
            " that does not exist inside the schema.",
        ),
        "no name at all": (
            "",
            f"Abstract type '{kind}' was resolved to a type ''"
            " that does not exist inside the schema.",
        ),
        "an object type that is not one of it": (
            "Fish",
            f"Runtime Object type 'Fish' is not a possible type for '{kind}'.",
        ),
        "an enum": (
            "Colour",
            f"Abstract type '{kind}' was resolved to a non-object type 'Colour'.",
        ),
        "an input": ("Size", f"Abstract type '{kind}' was resolved to a non-object type 'Size'."),
        "a scalar": ("Int", f"Abstract type '{kind}' was resolved to a non-object type 'Int'."),
        "an interface": ("Pet", f"Abstract type '{kind}' was resolved to a non-object type 'Pet'."),
        "an error": (ValueError("Boom"), "Boom"),
    }


BOTH = schema(SDL)
HOW: dict[str, tuple[Callable[[Any], Predicate], bool]] = {
    "at once": (tells, False),
    "after a wait": (later, True),
}


def told(answer: Any, way: Callable[[Any], Predicate]) -> GraphQLSchema:
    """A schema whose interface and union tell this."""
    return schema(SDL, types={"Pet": way(answer), "Home": way(answer)})


def resolve_type_facts() -> Iterator[Fact]:
    """`resolve_type` of an interface and of a union: right, wrong, at once and later."""
    for kind, field, sure in (("Pet", "pet", "surePet"), ("Home", "home", "sureHome")):
        for how, (way, waits) in HOW.items():
            yield Fact(
                f"{kind} tells a type {how}",
                told("Dog", way),
                f"{{ {field} {{ __typename ... on Dog {{ barks }} ... on Cat {{ meows }} }} }}",
                {field: {"__typename": "Dog", "barks": True}},
                root={field: ANY},
                waits=waits,
            )
            for name in (field, sure):
                for what, (answer, message) in wrong_answers(kind, name).items():
                    yield Fact(
                        f"{kind} of {name} tells {what} {how}",
                        told(answer, way),
                        f"{{ {name} {{ __typename }} }}",
                        None if name == sure else {name: None},
                        (Problem(message, name),),
                        {name: ANY},
                        waits=waits,
                    )


def knows(key: str, way: Callable[[Any], Predicate] = tells) -> Predicate:
    """`is_type_of` by a key that only such a value has."""

    def is_type_of(value: Any, *_: Any) -> Any:
        return way(key in value)()

    return is_type_of


QUICK = schema(SDL, types={"Dog": knows("barks"), "Cat": knows("meows")})
SLOW = schema(SDL, types={"Dog": knows("barks", later), "Cat": knows("meows", later)})
MIXED = schema(SDL, types={"Dog": knows("barks", later), "Cat": knows("meows")})
ONLY_CAT = schema(SDL, types={"Cat": knows("meows")})
BOOMS = schema(SDL, types={"Dog": tells(ValueError("Boom")), "Cat": knows("meows")})
BOOMS_LATER = schema(SDL, types={"Dog": later(ValueError("Boom")), "Cat": knows("meows", later)})
BOTH_CLAIM = schema(SDL, types={"Dog": tells(True), "Cat": tells(True)})
TRUTHY = schema(SDL, types={"Dog": tells(0), "Cat": tells("yes")})
KINDS: dict[str, tuple[GraphQLSchema, bool]] = {
    "at once": (QUICK, False),
    "after a wait": (SLOW, True),
    "one at once, one after a wait": (MIXED, True),
}
NOT_A_DOG = "Expected value of type 'Dog' but got: {'name': 'Tom', 'meows': False}."


def is_type_of_facts() -> Iterator[Fact]:
    """Every possible type is asked whether a value is of it."""
    pets = {"pets": [REX, TOM, REX], "homes": [TOM, REX], "dog": REX}
    for how, (built, waits) in KINDS.items():
        yield Fact(
            f"types say of each value of an interface whether it is theirs, {how}",
            built,
            "{ pets { __typename name ... on Dog { barks } ... on Cat { meows } } }",
            {
                "pets": [
                    {"__typename": "Dog", "name": "Rex", "barks": True},
                    {"__typename": "Cat", "name": "Tom", "meows": False},
                    {"__typename": "Dog", "name": "Rex", "barks": True},
                ]
            },
            root=pets,
            waits=waits,
        )
        yield Fact(
            f"types say of each value of a union whether it is theirs, {how}",
            built,
            "{ homes { __typename ... on Dog { barks } ... on Cat { meows } } }",
            {
                "homes": [
                    {"__typename": "Cat", "meows": False},
                    {"__typename": "Dog", "barks": True},
                ]
            },
            root=pets,
            waits=waits,
        )
        yield Fact(
            f"a type that is no type of the value is asked of plain fields too, {how}",
            built,
            "{ dog { barks } other: dog { name } }",
            {"dog": {"barks": True}, "other": {"name": "Rex"}},
            root=pets,
            waits=waits,
        )
        yield Fact(
            f"a value of another type than its field is an error, {how}",
            built,
            "{ dog { name } }",
            {"dog": None},
            (Problem(NOT_A_DOG, "dog"),),
            {"dog": TOM},
            waits=waits,
        )
        yield Fact(
            f"a value of another type takes what may not be null, {how}",
            built,
            "{ cat { meows } sureDog { name } }",
            None,
            (Problem(NOT_A_DOG, "sureDog", "1:17"),),
            {"sureDog": TOM, "cat": TOM},
            waits=waits,
        )
        yield Fact(
            f"of a list only the value of another type is null, {how}",
            built,
            "{ dogs { name } }",
            {"dogs": [{"name": "Rex"}, None]},
            (Problem(NOT_A_DOG, "dogs.1"),),
            {"dogs": [REX, TOM]},
            waits=waits,
        )
        yield Fact(
            f"a value that no type claims is an error, {how}",
            built,
            "{ pet { name } }",
            {"pet": None},
            (Problem(untold("Pet", "pet"), "pet"),),
            {"pet": {"name": "Ada"}},
            waits=waits,
        )
        yield Fact(
            f"a value that no type claims takes the list of those that must be, {how}",
            built,
            "{ surePets { name } }",
            {"surePets": None},
            (Problem(untold("Pet", "surePets"), "surePets.1"),),
            {"surePets": [REX, {"name": "Ada"}]},
            waits=waits,
        )


CLAIMS = (
    Fact(
        "the first type that claims a value has it",
        BOTH_CLAIM,
        "{ pet { __typename } home { __typename } }",
        {"pet": {"__typename": "Dog"}, "home": {"__typename": "Dog"}},
        root={"pet": ANY, "home": ANY},
    ),
    Fact(
        "a claim is whatever is true in Python",
        TRUTHY,
        "{ pet { __typename } }",
        {"pet": {"__typename": "Cat"}},
        root={"pet": ANY},
    ),
    Fact(
        "a type without a say is never told",
        ONLY_CAT,
        "{ pets { __typename } }",
        {"pets": [{"__typename": "Cat"}, None]},
        (Problem(untold("Pet", "pets"), "pets.1"),),
        {"pets": [TOM, REX]},
    ),
    Fact(
        "a type that fails to say is an error of the value",
        BOOMS,
        "{ pets { __typename } }",
        {"pets": [None, None]},
        (Problem("Boom", "pets.0"), Problem("Boom", "pets.1")),
        {"pets": [TOM, REX]},
    ),
    Fact(
        "a type that fails to say after a wait is an error of the value",
        BOOMS_LATER,
        "{ pet { __typename } }",
        {"pet": None},
        (Problem("Boom", "pet"),),
        {"pet": TOM},
        waits=True,
    ),
    Fact(
        "a type that fails to say is an error of a plain field",
        BOOMS,
        "{ dog { name } cat { name } }",
        {"dog": None, "cat": {"name": "Tom"}},
        (Problem("Boom", "dog"),),
        {"dog": REX, "cat": TOM},
    ),
    Fact(
        "a type that fails to say after a wait is an error of a plain field",
        BOOMS_LATER,
        "{ dog { name } cat { name } }",
        {"dog": None, "cat": {"name": "Tom"}},
        (Problem("Boom", "dog"),),
        {"dog": REX, "cat": TOM},
        waits=True,
    ),
)


class Dog:
    """Says its type in a private attribute."""

    __typename = "Dog"
    name = "Rex"
    barks = True


class Puppy(Dog):
    """A subclass says what its parent says."""


class Unnamed:
    """Says nothing."""

    name = "Ada"


def by_name(
    name: str, value: Any, data: Any, *errors: Problem, document: str | None = None
) -> Fact:
    """A fact of values that say their own type, one of an interface."""
    text = document or "{ pet { __typename name } }"
    return Fact(name, BOTH, text, data, errors, {"pet": value, "home": value, "pets": value})


REX_AS_DOG = {"__typename": "Dog", "name": "Rex"}
BY_NAME = (
    by_name("a dictionary says its type", {"__typename": "Dog", **REX}, {"pet": REX_AS_DOG}),
    by_name("an object says its type", Dog(), {"pet": REX_AS_DOG}),
    by_name("an object of a subclass says its parent's type", Puppy(), {"pet": REX_AS_DOG}),
    by_name(
        "a dictionary says its type to a union",
        {"__typename": "Dog", **REX},
        {"home": {"__typename": "Dog", "barks": True}},
        document="{ home { __typename ... on Dog { barks } } }",
    ),
    by_name(
        "an object says its type to a union",
        Dog(),
        {"home": {"__typename": "Dog", "barks": True}},
        document="{ home { __typename ... on Dog { barks } } }",
    ),
    by_name(
        "values of several kinds say their types in one list",
        [Dog(), {"__typename": "Cat", **TOM}, None, Puppy()],
        {"pets": [REX_AS_DOG, {"__typename": "Cat", "name": "Tom"}, None, REX_AS_DOG]},
        document="{ pets { __typename name } }",
    ),
    by_name(
        "an object that says nothing has no type",
        Unnamed(),
        {"pet": None},
        Problem(untold("Pet", "pet"), "pet"),
    ),
    by_name(
        "a dictionary that says nothing has no type",
        {"name": "Ada"},
        {"pet": None},
        Problem(untold("Pet", "pet"), "pet"),
    ),
    by_name(
        "a dictionary that says a number has no type",
        {"__typename": 7},
        {"pet": None},
        Problem(untold("Pet", "pet"), "pet"),
    ),
    by_name(
        "a dictionary that says an unknown type",
        {"__typename": "Bird"},
        {"pet": None},
        Problem(
            "Abstract type 'Pet' was resolved to a type 'Bird'"
            " that does not exist inside the schema.",
            "pet",
        ),
    ),
    by_name(
        "a dictionary that says a type that is not one of it",
        {"__typename": "Fish"},
        {"pet": None},
        Problem("Runtime Object type 'Fish' is not a possible type for 'Pet'.", "pet"),
    ),
    by_name(
        "in a list each value is told by itself",
        [{"__typename": "Bird"}, {"__typename": "Dog", **REX}, {"name": "Ada"}],
        {"pets": [None, REX_AS_DOG, None]},
        Problem(
            "Abstract type 'Pet' was resolved to a type 'Bird'"
            " that does not exist inside the schema.",
            "pets.0",
        ),
        Problem(untold("Pet", "pets"), "pets.2"),
        document="{ pets { __typename name } }",
    ),
    by_name(
        "a text has no type",
        "Rex",
        {"pet": None},
        Problem(untold("Pet", "pet"), "pet"),
    ),
    by_name("a null has no type and needs none", None, {"pet": None}),
)
TELLING = (*resolve_type_facts(), *is_type_of_facts(), *CLAIMS, *BY_NAME)


def dressed(value: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A value that says its type."""
    return {"__typename": kind, **value}


DOG = dressed(REX, "Dog")
CAT = dressed(TOM, "Cat")
PETS = {
    "pet": dressed({**REX, "friend": CAT, "home": DOG}, "Dog"),
    "loud": DOG,
    "pets": [DOG, CAT],
    "homes": [DOG, CAT],
    "dog": {**REX, "friend": dressed({**TOM, "friend": DOG}, "Cat")},
    "cat": TOM,
}


def among(name: str, document: str, data: Any, **more: Any) -> Fact:
    """A fact about fragments on abstract types."""
    return Fact(name, BOTH, document, data, root=PETS, **more)


FRAGMENTS = (
    among(
        "a fragment on the interface itself always applies",
        "{ pets { ... on Pet { name } } }",
        {"pets": [{"name": "Rex"}, {"name": "Tom"}]},
    ),
    among(
        "a fragment on an interface below applies to those that implement it",
        "{ pets { ... on Loud { volume } } }",
        {"pets": [{"volume": 9}, {}]},
    ),
    among(
        "a fragment on an interface above applies",
        "{ loud { ... on Pet { name } volume } }",
        {"loud": {"name": "Rex", "volume": 9}},
    ),
    among(
        "a fragment on a union applies to its members behind an interface",
        "{ pets { ... on Home { ... on Cat { meows } } name } }",
        {"pets": [{"name": "Rex"}, {"meows": False, "name": "Tom"}]},
    ),
    among(
        "a fragment on an interface applies to the members of a union",
        "{ homes { ... on Pet { name } ... on Loud { volume } } }",
        {"homes": [{"name": "Rex", "volume": 9}, {"name": "Tom"}]},
    ),
    among(
        "fragments in fragments narrow the type step by step",
        "{ pets { ... on Pet { ... on Loud { ... on Dog { barks } } } } }",
        {"pets": [{"barks": True}, {}]},
    ),
    among(
        "named fragments on types",
        "{ pets { ...D ...C } } fragment D on Dog { barks } fragment C on Cat { meows }",
        {"pets": [{"barks": True}, {"meows": False}]},
    ),
    among(
        "a union knows its name without any field of its members",
        "{ homes { __typename } }",
        {"homes": [{"__typename": "Dog"}, {"__typename": "Cat"}]},
    ),
    among(
        "a name under another name",
        "{ homes { kind: __typename } }",
        {"homes": [{"kind": "Dog"}, {"kind": "Cat"}]},
    ),
    among(
        "types of one name may mean other fields",
        "{ pets { ... on Dog { says: barks } ... on Cat { says: meows } } }",
        {"pets": [{"says": True}, {"says": False}]},
    ),
    among(
        "the order of keys is that of the fragments that apply",
        "{ pets { ... on Dog { barks name } name __typename ... on Cat { meows } } }",
        {
            "pets": [
                {"barks": True, "name": "Rex", "__typename": "Dog"},
                {"name": "Tom", "__typename": "Cat", "meows": False},
            ]
        },
    ),
    among(
        "abstract fields in abstract fields",
        "{ pet { ... on Dog { friend { __typename name } home { ... on Dog { volume } } } } }",
        {"pet": {"friend": {"__typename": "Cat", "name": "Tom"}, "home": {"volume": 9}}},
    ),
    among(
        "selections of a fragment and of the field merge below an interface",
        "{ dog { friend { name } ... on Pet { ... on Dog { friend { __typename } } } } }",
        {"dog": {"friend": {"name": "Tom", "__typename": "Cat"}}},
    ),
    among(
        "a fragment that can't apply is left out",
        "{ cat { ... on Dog { barks } name } }",
        {"cat": {"name": "Tom"}},
        unvalidated=True,
    ),
    among(
        "a fragment on a type that is none is left out",
        "{ cat { ... on Bird { name } name } }",
        {"cat": {"name": "Tom"}},
        unvalidated=True,
    ),
    among(
        "a list of an interface with nothing asked of one member",
        "{ pets { ... on Dog { name } } homes { ... on Cat { name } } }",
        {"pets": [{"name": "Rex"}, {}], "homes": [{}, {"name": "Tom"}]},
    ),
    Fact(
        "a resolver of types given for all types is asked",
        BOTH,
        "{ pets { __typename } }",
        {"pets": [{"__typename": "Cat"}, {"__typename": "Cat"}]},
        root=PETS,
        options={"type_resolver": lambda *_: "Cat"},
    ),
    Fact(
        "a type's own resolver goes before the one for all",
        told("Dog", tells),
        "{ pets { __typename } }",
        {"pets": [{"__typename": "Dog"}, {"__typename": "Dog"}]},
        root=PETS,
        options={"type_resolver": lambda *_: "Cat"},
    ),
)
SAME_TIME = schema(SDL, types={"Pet": lambda value, *_: wait_for(value["__typename"])})
WAITING = (
    Fact(
        "types that wait keep the order of the list",
        SAME_TIME,
        "{ pets { __typename name } dog { friend { name } } }",
        {
            "pets": [REX_AS_DOG, {"__typename": "Cat", "name": "Tom"}],
            "dog": {"friend": {"name": "Tom"}},
        },
        root=PETS,
        waits=True,
    ),
    Fact(
        "values and their types wait",
        SAME_TIME,
        "{ pets { __typename ... on Cat { meows } } }",
        {"pets": [{"__typename": "Dog"}, None, {"__typename": "Cat", "meows": False}]},
        root={"pets": lambda *_: [wait_for(DOG), wait_for(None), wait_for(CAT)]},
        waits=True,
    ),
)
ABSTRACT = (*TELLING, *FRAGMENTS, *WAITING)
