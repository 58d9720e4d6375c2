"""Lists: what they may be made of, and where a null or an error in them comes to rest."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from tests.executor.core_facts import Fact, Problem, Resolver, fails, later, schema, wait_for

LOST: Any = object()  # the null went all the way up
Outcome = tuple[Any, Problem | None]
Way = Callable[[Any], Resolver]
NULL = "Cannot return null for non-nullable field Query.list."
NO_LIST = "Expected Iterable, but did not find one for field 'Query.list'."
BOOM = ValueError("Boom")
ONE_DEEP = ("[Int]", "[Int]!", "[Int!]", "[Int!]!")
TWO_DEEP = (
    *("[[Int]]", "[[Int]]!", "[[Int]!]", "[[Int]!]!"),
    *("[[Int!]]", "[[Int!]]!", "[[Int!]!]", "[[Int!]!]!"),
)
SCHEMAS = {kind: schema(f"type Query {{ list: {kind} }}") for kind in (*ONE_DEEP, *TWO_DEEP)}


def ok(value: Any) -> Outcome:
    """The list comes out as this."""
    return value, None


def null(value: Any, path: str = "list") -> Outcome:
    """The list comes out as this, because of a null that may not be."""
    return value, Problem(NULL, path)


def boom(value: Any, path: str = "list") -> Outcome:
    """The list comes out as this, because of an error."""
    return value, Problem("Boom", path)


# In the order of ONE_DEEP.
OF_VALUES: dict[str, tuple[Any, tuple[Outcome, ...]]] = {
    "values": ([1, 2], (ok([1, 2]),) * 4),
    "one value": ([1], (ok([1]),) * 4),
    "no values": ([], (ok([]),) * 4),
    "a null between values": (
        [1, None, 2],
        (ok([1, None, 2]), ok([1, None, 2]), null(None, "list.1"), null(LOST, "list.1")),
    ),
    "a null at the end": (
        [1, None],
        (ok([1, None]), ok([1, None]), null(None, "list.1"), null(LOST, "list.1")),
    ),
    "nothing but a null": (
        [None],
        (ok([None]), ok([None]), null(None, "list.0"), null(LOST, "list.0")),
    ),
    "an error between values": (
        [1, BOOM, 2],
        (
            boom([1, None, 2], "list.1"),
            boom([1, None, 2], "list.1"),
            boom(None, "list.1"),
            boom(LOST, "list.1"),
        ),
    ),
    "an error at the start": (
        [BOOM, 1],
        (
            boom([None, 1], "list.0"),
            boom([None, 1], "list.0"),
            boom(None, "list.0"),
            boom(LOST, "list.0"),
        ),
    ),
}
NO_VALUES: dict[str, tuple[Any, tuple[Outcome, ...]]] = {
    "a null": (None, (ok(None), null(LOST), ok(None), null(LOST))),
    "an error": (BOOM, (boom(None), boom(LOST), boom(None), boom(LOST))),
}
# In the order of TWO_DEEP.
OF_LISTS: dict[str, tuple[Any, tuple[Outcome, ...]]] = {
    "lists": ([[1, 2], [3]], (ok([[1, 2], [3]]),) * 8),
    "empty lists": ([[], []], (ok([[], []]),) * 8),
    "a null in an inner list": (
        [[1, None], [2]],
        (
            *(ok([[1, None], [2]]),) * 4,
            null([None, [2]], "list.0.1"),
            null([None, [2]], "list.0.1"),
            null(None, "list.0.1"),
            null(LOST, "list.0.1"),
        ),
    ),
    "an error in an inner list": (
        [[1], [2, BOOM]],
        (
            *(boom([[1], [2, None]], "list.1.1"),) * 4,
            boom([[1], None], "list.1.1"),
            boom([[1], None], "list.1.1"),
            boom(None, "list.1.1"),
            boom(LOST, "list.1.1"),
        ),
    ),
    "a null for an inner list": (
        [[1], None],
        (
            ok([[1], None]),
            ok([[1], None]),
            null(None, "list.1"),
            null(LOST, "list.1"),
        )
        * 2,
    ),
    "an error for an inner list": (
        [BOOM, [1]],
        (
            boom([None, [1]], "list.0"),
            boom([None, [1]], "list.0"),
            boom(None, "list.0"),
            boom(LOST, "list.0"),
        )
        * 2,
    ),
}
NO_LISTS: dict[str, tuple[Any, tuple[Outcome, ...]]] = {
    name: (content, outcomes[:2] * 4) for name, (content, outcomes) in NO_VALUES.items()
}


def as_it_is(content: Any) -> Resolver:
    return lambda *_: content


def as_a_tuple(content: Any) -> Resolver:
    return lambda *_: tuple(content)


def as_a_generator(content: Any) -> Resolver:
    return lambda *_: (item for item in content)


def as_items_that_wait(content: Any) -> Resolver:
    return lambda *_: [wait_for(item) for item in content]


def as_a_stream(content: Any) -> Resolver:
    async def stream(*_: Any) -> AsyncIterator[Any]:
        for item in content:
            yield await wait_for(item) if not isinstance(item, Exception) else item

    return stream


def as_every_second_waits(content: Any) -> Resolver:
    return lambda *_: [wait_for(item) if i % 2 else item for i, item in enumerate(content)]


def as_inner_items_that_wait(content: Any) -> Resolver:
    def waiting(item: Any) -> Any:
        return [wait_for(inner) for inner in item] if isinstance(item, list) else item

    return lambda *_: [waiting(item) for item in content]


def as_generators_in_a_tuple(content: Any) -> Resolver:
    def generated(item: Any) -> Any:
        return (inner for inner in item) if isinstance(item, list) else item

    return lambda *_: tuple(generated(item) for item in content)


WAYS: dict[str, tuple[Way, bool]] = {
    "as it is": (as_it_is, False),
    "as a tuple": (as_a_tuple, False),
    "as a generator": (as_a_generator, False),
    "waited for": (later, True),
    "with items that wait": (as_items_that_wait, True),
    "with every second item waiting": (as_every_second_waits, True),
    "as a stream": (as_a_stream, True),
}
INNER_WAYS: dict[str, tuple[Way, bool]] = {
    **WAYS,
    "with inner items that wait": (as_inner_items_that_wait, True),
    "as generators in a tuple": (as_generators_in_a_tuple, False),
}


def facts_of(
    kinds: tuple[str, ...],
    contents: dict[str, tuple[Any, tuple[Outcome, ...]]],
    ways: dict[str, tuple[Way, bool]],
) -> Iterator[Fact]:
    """Every content in every way under every kind of list."""
    for name, (content, outcomes) in contents.items():
        for kind, (value, problem) in zip(kinds, outcomes, strict=True):
            for how, (way, waits) in ways.items():
                yield Fact(
                    f"{kind} of {name}, {how}",
                    SCHEMAS[kind],
                    "{ list }",
                    None if value is LOST else {"list": value},
                    (problem,) if problem else (),
                    {"list": way(content)},
                    waits=waits,
                )


WHOLE = {how: WAYS[how] for how in ("as it is", "waited for")}
NULLABILITY = (
    *facts_of(ONE_DEEP, OF_VALUES, WAYS),
    *facts_of(ONE_DEEP, NO_VALUES, WHOLE),
    *facts_of(TWO_DEEP, OF_LISTS, INNER_WAYS),
    *facts_of(TWO_DEEP, NO_LISTS, WHOLE),
)


class Countdown:
    """An iterable of its own making."""

    def __iter__(self) -> Iterator[int]:
        return iter((2, 1, 0))


class Indexed:
    """A sequence by index alone, which is no iterable to GraphQL."""

    def __getitem__(self, index: int) -> int:
        return (7, 8)[index]


def breaks_half_way(*_: Any) -> Iterator[int]:
    yield 1
    yield 2
    raise ValueError("Boom")


async def streams_half_way(*_: Any) -> AsyncIterator[int]:
    yield 1
    yield 2
    raise ValueError("Boom")


async def streams_what_waits(*_: Any) -> AsyncIterator[Any]:
    yield wait_for(1)
    yield wait_for(2)


async def waits_for_a_generator(*_: Any) -> Iterator[int]:
    await wait_for(None)
    return breaks_half_way()


async def waits_for_a_stream(*_: Any) -> AsyncIterator[int]:
    await wait_for(None)
    return streams_half_way()


def waits_then_breaks(*_: Any) -> Iterator[Any]:
    yield wait_for(1)
    raise ValueError("Boom")


def breaks_at_once(*_: Any) -> Iterator[int]:
    if not _:
        yield 1
    raise ValueError("Boom")


def of_ints(name: str, root: Any, outcome: Outcome, waits: bool = False) -> Fact:
    """A fact about `[Int]`."""
    value, problem = outcome
    errors = (problem,) if problem else ()
    return Fact(
        name, SCHEMAS["[Int]"], "{ list }", {"list": value}, errors, {"list": root}, waits=waits
    )


ITERABLES = (
    of_ints("a set is a list", {5}, ok([5])),
    of_ints("a range is a list", range(3), ok([0, 1, 2])),
    of_ints("the values of a dictionary are a list", {"a": 1}.values(), ok([1])),
    of_ints("an iterable of one's own is a list", Countdown(), ok([2, 1, 0])),
    of_ints("a map is a list", lambda *_: map(int, "12"), ok([1, 2])),
    of_ints("a frozen set is a list", frozenset({4}), ok([4])),
    of_ints("the arguments of a function are a list", (lambda *a: lambda *_: a)(1, 2), ok([1, 2])),
    of_ints("a text is no list", "12", (None, Problem(NO_LIST, "list"))),
    of_ints("bytes are no list", b"12", (None, Problem(NO_LIST, "list"))),
    of_ints("a number is no list", 12, (None, Problem(NO_LIST, "list"))),
    of_ints("a dictionary is no list", {"a": 1}, (None, Problem(NO_LIST, "list"))),
    of_ints("an object is no list", object(), (None, Problem(NO_LIST, "list"))),
    of_ints(
        "what is waited for is no list either", later(12), (None, Problem(NO_LIST, "list")), True
    ),
    of_ints("a generator that breaks nulls the list", breaks_half_way, boom(None)),
    of_ints("a generator that breaks at once nulls the list", breaks_at_once, boom(None)),
    of_ints("a stream that breaks nulls the list", streams_half_way, boom(None), True),
    of_ints(
        "items that wait are left behind when the rest breaks", waits_then_breaks, boom(None), True
    ),
    of_ints("a resolver that fails has no list", fails(), boom(None)),
    of_ints(
        "an item that is no number is null, and its neighbours stay",
        [1, "x", 3],
        ([1, None, 3], Problem("Int cannot represent non-integer value: 'x'", "list.1")),
    ),
    of_ints(
        "a list among numbers is null",
        [1, [2]],
        ([1, None], Problem("Int cannot represent non-integer value: [2]", "list.1")),
    ),
    of_ints("a stream may hand out values that wait", streams_what_waits, ok([1, 2]), True),
    of_ints(
        "what is indexed but never iterated is no list", Indexed(), (None, Problem(NO_LIST, "list"))
    ),
)
TWO_ERRORS = (Problem("Boom", "list.0"), Problem("Bang", "list.2"))
SEVERAL = (
    Fact(
        "every item that fails has its error, in the order of the list",
        SCHEMAS["[Int]"],
        "{ list }",
        {"list": [None, 1, None]},
        TWO_ERRORS,
        {"list": [BOOM, 1, ValueError("Bang")]},
    ),
    Fact(
        "every waiting item that fails has its error",
        SCHEMAS["[Int]"],
        "{ list }",
        {"list": [None, 1, None]},
        TWO_ERRORS,
        {"list": as_items_that_wait([BOOM, 1, ValueError("Bang")])},
        waits=True,
    ),
    Fact(
        "the first item that fails takes the list with it, and is its only error",
        SCHEMAS["[Int!]"],
        "{ list }",
        {"list": None},
        TWO_ERRORS[:1],
        {"list": [BOOM, 1, ValueError("Bang")]},
    ),
    Fact(
        "the first null takes the data with it, and is the only error",
        SCHEMAS["[Int!]!"],
        "{ list }",
        None,
        (Problem(NULL, "list.0"),),
        {"list": [None, None]},
    ),
    Fact(
        "each inner list falls by itself",
        SCHEMAS["[[Int!]]"],
        "{ list }",
        {"list": [None, [1], None]},
        (Problem(NULL, "list.0.0"), Problem("Boom", "list.2.1")),
        {"list": [[None], [1], [2, BOOM]]},
    ),
)
LISTS = (*NULLABILITY, *ITERABLES, *SEVERAL)
