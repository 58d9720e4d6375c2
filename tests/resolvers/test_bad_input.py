"""Bad input: a clear error with a stable code, never a failure of ours, and nothing written.

The schema is walked: every place of every argument of every field is given what it can't be.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from string import ascii_letters, digits
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from models.aggregate import Account
from models.ids import hex_id
from resolvers import ids
from tests.factories import create_api_key, create_requirement, open_requirement, publish_program
from tests.resolvers.api import Answer, Api, Caller, Platform
from tests.resolvers.inputs import MAKERS, Inputs, requirement_id
from tests.resolvers.lists import LISTS, Listing
from tests.resolvers.poison import MISSING, Place, at, places, put, shown
from tests.resolvers.scene import create_full_account
from tests.resolvers.store import contents
from tests.resolvers.walk import GRAPHQL, named, object_type

CODE = re.compile(r"[A-Z]+(_[A-Z]+)*")
LEAKS = re.compile(
    r"Traceback|asyncpg|sqlalchemy|site-packages|\bSELECT\b|\bINSERT\b|object at 0x|"
    r"<class|[a-z]Error\b|[a-z]Exception\b|\.py\b"
)
MOST_BYTES_OF_AN_ERROR = 10_000
PAGED = ("first", "last", "after", "before")


def problems(answer: Answer) -> list[dict[str, Any]]:
    """What is wrong with the input: errors of the request, and data of mutations."""
    found = [{**error, "code": error["extensions"]["code"]} for error in answer.errors]
    for payload in (answer.body.get("data") or {}).values():
        if isinstance(payload, dict):
            found += payload.get("userErrors", [])
    return found


def complaint(answer: Answer, refused: bool) -> str | None:
    """What is wrong with the answer to bad input; None where it is as it should be."""
    if answer.status not in (200, 400, 413):
        return f"status {answer.status}"
    found = problems(answer)
    if refused and not found:
        return "taken"
    if refused and len(orjson.dumps(answer.body)) > MOST_BYTES_OF_AN_ERROR:
        return "a long answer"
    for problem in found:
        code, message = problem["code"], problem["message"]
        if code == "INTERNAL_ERROR" or not CODE.fullmatch(code):
            return str(code)
        if not message.strip() or LEAKS.search(message):
            return f"message {message}"
    return None


@dataclass(frozen=True)
class Field:
    """A field that takes arguments: its type, its name, and arguments that it takes."""

    parent: str
    name: str
    given: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.parent}.{self.name}({', '.join(self.given)})"

    def document(self) -> str:
        """The field with its arguments as variables, on the object with the id `$self`."""
        field = object_type(self.parent).fields[self.name]
        declared = ", ".join(f"${name}: {field.args[name].type}" for name in self.given)
        passed = ", ".join(f"{name}: ${name}" for name in self.given)
        given = f"({passed})" if passed else ""
        selection = f"{self.name}{given} {_selection(named(field).name)}"
        if self.parent == "Mutation":
            return f"mutation({declared}) {{ {selection} }}"
        if self.parent == "Query":
            return f"query{f'({declared})' if declared else ''} {{ {selection} }}"
        inner = f"node(id: $self) {{ ... on {self.parent} {{ {selection} }} }}"
        return f"query($self: ID! {declared}) {{ {inner} }}"

    def places(self) -> Iterator[Place]:
        """All places of the arguments."""
        for name, value in self.given.items():
            kind = object_type(self.parent).fields[self.name].args[name].type
            for place in places(kind, value):
                yield Place((name, *place.path), place.type)


def _selection(name: str) -> str:
    """A little of what a field gives."""
    found = GRAPHQL.type_map[name]
    if is_leaf_type(found):
        return ""
    if not isinstance(found, GraphQLObjectType):
        return "{ __typename }"
    if name.endswith("Payload"):
        return "{ userErrors { code message field } }"
    return (
        "{ pageInfo { endCursor } totalCount }" if "pageInfo" in found.fields else "{ __typename }"
    )


@dataclass(frozen=True)
class Scene:
    """A platform, and an account on it that has something of everything."""

    platform: Platform
    account: Account
    requirement: str
    interaction: str

    @property
    def account_id(self) -> str:
        """The global id of the account."""
        return ids.encode_one(ids.ACCOUNT, hex_id(self.account.account_id))

    def id_of(self, kind: str) -> str:
        """The global id of an object of a type that has lists."""
        return {
            "Account": self.account_id,
            "Interaction": self.interaction,
            "Requirement": self.requirement,
        }[kind]

    async def ask(self, field: Field, given: Mapping[str, Any], caller: Caller) -> Answer:
        """Ask for a field with these arguments."""
        variables = {k: v for k, v in given.items() if v is not MISSING}
        if field.parent not in ("Query", "Mutation"):
            variables["self"] = self.id_of(field.parent)
        body = {"query": field.document(), "variables": variables}
        return await self.platform.api.send(caller, orjson.dumps(body))


@pytest.fixture(scope="module")
async def scene(api: Api) -> Scene:
    """The platform that everything bad is sent to."""
    platform = await api.platform()
    account = await create_full_account(platform.run)
    for _ in range(2):
        await create_api_key(platform.run)
    query = "{ resolutions(first: 1) { nodes { requirement { id } } } }"
    [first] = (await platform.api.call(platform.admin, query)).data["resolutions"]["nodes"]
    query = "{ interactions(first: 50) { nodes { inReplyTo { id } } } }"
    contacts = (await platform.api.call(platform.admin, query)).data["interactions"]["nodes"]
    last = next(contact for contact in contacts if contact["inReplyTo"] is not None)
    return Scene(platform, account, first["requirement"]["id"], last["inReplyTo"]["id"])


def reading_fields() -> list[tuple[str, str]]:
    """Every field that takes arguments, outside of mutations, by type and name."""
    return [
        (one.name, name)
        for one in GRAPHQL.type_map.values()
        if isinstance(one, GraphQLObjectType) and not one.name.startswith("__")
        for name, field in one.fields.items()
        if field.args and one.name != "Mutation"
    ]


def _readings(parent: str, name: str, scene: Scene) -> list[Field]:
    """The field with arguments that it takes; several where some exclude others."""
    arguments = object_type(parent).fields[name].args
    if name == "account":
        by_external_id = {"externalId": scene.account.external_id}
        return [Field(parent, name, {"id": scene.account_id}), Field(parent, name, by_external_id)]
    given = {
        n: _value(argument.type, n, scene) for n, argument in arguments.items() if n not in PAGED
    }
    if name in ("requirement", "interaction", "resolution"):
        given = {"id": scene.requirement}
    if "first" not in arguments:
        return [Field(parent, name, given)]
    return [
        Field(parent, name, {**given, "first": 2}),
        Field(parent, name, {"last": 2}),
    ]


def _value(kind: Any, name: str, scene: Scene) -> Any:
    """A value that an argument takes, with all that may be in it."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        return [_value(inner.of_type, name, scene)]
    if isinstance(inner, GraphQLInputObjectType):
        return {n: _value(field.type, n, scene) for n, field in inner.fields.items()}
    if isinstance(inner, GraphQLEnumType):
        return next(iter(inner.values))
    values = {
        "ID": scene.account_id,
        "Boolean": False,
        "Int": 1,
        "String": "acct",
        "DateTime": "2026-03-02T09:30:00Z",
        "CountryCode": "DE",
    }
    return values[inner.name]


def test_fields_with_arguments_are_found() -> None:
    found = reading_fields()
    assert len(found) > 20
    assert ("Query", "nodes") in found
    assert ("Account", "holds") in found
    assert ("Requirement", "evidence") in found


@pytest.mark.parametrize(("parent", "name"), reading_fields())
async def test_no_query_takes_what_an_argument_can_not_be(
    scene: Scene, owner_engine: AsyncEngine, parent: str, name: str
) -> None:
    before = await contents(owner_engine)
    for field in _readings(parent, name, scene):
        taken = await _taken(scene, field, scene.platform.admin)
        assert not taken, "\n".join(taken)
    assert await contents(owner_engine) == before


@pytest.mark.parametrize("name", sorted(MAKERS))
async def test_no_mutation_takes_what_an_argument_can_not_be(
    scene: Scene, owner_engine: AsyncEngine, name: str
) -> None:
    made = await Inputs(scene.platform).make(name)
    field = Field("Mutation", name, {"input": made.input})
    before = await contents(owner_engine)
    taken = await _taken(scene, field, made.caller)
    assert not taken, "\n".join(taken)
    assert await contents(owner_engine) == before
    # So it was but for the bad values that nothing was written.
    assert problems(await scene.ask(field, field.given, made.caller)) == []


async def _taken(scene: Scene, field: Field, caller: Caller) -> list[str]:
    """What was wrong with the answers to bad values, one at a time."""
    found = []
    for place in field.places():
        for poison in place.refused():
            answer = await scene.ask(field, put(field.given, place.path, poison), caller)
            if (wrong := complaint(answer, refused=True)) is not None:
                found.append(f"{field} {place.path} {shown(poison)}: {wrong}")
    return found


@pytest.mark.parametrize(("parent", "name"), reading_fields())
async def test_every_query_survives_what_an_argument_may_be(
    scene: Scene, parent: str, name: str
) -> None:
    for field in _readings(parent, name, scene):
        fallen = await _fallen(scene, field, scene.platform.admin)
        assert not fallen, "\n".join(fallen)


@pytest.mark.parametrize("name", sorted(MAKERS))
async def test_every_mutation_survives_what_an_argument_may_be(scene: Scene, name: str) -> None:
    inputs = Inputs(scene.platform)
    made = await inputs.make(name)
    found = []
    for place in Field("Mutation", name, {"input": made.input}).places():
        for poison in place.survived(at({"input": made.input}, place.path)):
            field = Field("Mutation", name, {"input": made.input})
            answer = await scene.ask(field, put(field.given, place.path, poison), made.caller)
            if (wrong := complaint(answer, refused=False)) is not None:
                found.append(f"{field} {place.path} {shown(poison)}: {wrong}")
            if not problems(answer):
                made = await inputs.make(name)
    assert not found, "\n".join(found)


async def _fallen(scene: Scene, field: Field, caller: Caller) -> list[str]:
    found = []
    for place in field.places():
        for poison in place.survived(at(field.given, place.path)):
            answer = await scene.ask(field, put(field.given, place.path, poison), caller)
            if (wrong := complaint(answer, refused=False)) is not None:
                found.append(f"{field} {place.path} {shown(poison)}: {wrong}")
    return found


async def test_an_id_is_taken_as_it_was_given_out_or_not_at_all(scene: Scene) -> None:
    given = {kind: await _an_id(scene, kind) for kind in NOUNS_OF_TYPES}
    for kind, good in given.items():
        assert (await _node(scene, good)).data["node"]["__typename"] == kind
        answers = {bad: await _node(scene, bad) for bad in tampered(good)}
        wrong = {bad: a.body for bad, a in answers.items() if a.codes not in (["INVALID_ID"],)}
        assert wrong == {}
        unknown = re.sub("[0-9a-f]{32}$", "0" * 32, good)
        assert (await _node(scene, unknown)).codes == ["NOT_FOUND"]


def tampered(good: str) -> list[str]:
    """Ids that are almost one."""
    prefix, _, digits = good.partition("_")
    return [
        f"{prefix}_{digits.upper()}" if digits.upper() != digits else f"{prefix}_{'A' * 32}",
        good.upper(),
        digits,
        f"{prefix}{digits}",
        f"{prefix}-{digits}",
        f"{prefix}_",
        f"{prefix}_{digits[:-1]}",
        f"{prefix}_{digits}0",
        f"{prefix}_{digits[:-1]}g",
        f"{prefix}_{digits}{digits}{digits}",
        f" {good}",
        f"{good} ",
        f"{good}\n",
        f"{prefix}__{digits}",
        f"{prefix}_{prefix}_{digits}",
        f"{prefix}_{digits[:-1]}\u0660",
        f"{prefix}_-{digits[1:]}",
        f"{prefix}_0x{digits[2:]}",
        f"xyz_{digits}",
    ]


NOUNS_OF_TYPES = {
    "Account": "account",
    "Requirement": "requirement",
    "Interaction": "interaction",
    "Resolution": "resolution",
}


async def _an_id(scene: Scene, kind: str) -> str:
    """The id of any object of a type that has a list."""
    query = f"{{ {NOUNS_OF_TYPES[kind]}s(first: 1) {{ nodes {{ id }} }} }}"
    data = (await scene.platform.api.call(scene.platform.admin, query)).data
    own: str = data[f"{NOUNS_OF_TYPES[kind]}s"]["nodes"][0]["id"]
    return own


async def _node(scene: Scene, own: str) -> Answer:
    query = "query($id: ID!) { node(id: $id) { __typename } }"
    return await scene.platform.api.call(scene.platform.admin, query, {"id": own})


async def test_an_id_of_another_type_is_no_id_here(scene: Scene) -> None:
    given = {kind: await _an_id(scene, kind) for kind in NOUNS_OF_TYPES}
    for kind, noun in NOUNS_OF_TYPES.items():
        query = f"query($id: ID!) {{ {noun}(id: $id) {{ id }} }}"
        for other, own in given.items():
            answer = await scene.platform.api.call(scene.platform.admin, query, {"id": own})
            assert answer.codes == ([] if other == kind else ["INVALID_ID"])
            assert answer.body["data"] == {noun: {"id": own} if other == kind else None}


async def test_many_ids_at_once_answer_for_each(scene: Scene) -> None:
    good = await _an_id(scene, "Requirement")
    unknown = good[:-4] + "0000"
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    asked = [good, "nonsense", unknown, good, scene.account_id, good.upper()]
    answer = await scene.platform.api.call(scene.platform.admin, query, {"ids": asked})
    nodes = answer.body["data"]["nodes"]
    assert nodes == [{"id": good}, None, None, {"id": good}, {"id": scene.account_id}, None]
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["nodes", 1], "INVALID_ID"),
        (["nodes", 2], "NOT_FOUND"),
        (["nodes", 5], "INVALID_ID"),
    ]
    places = [error["extensions"]["field"] for error in answer.errors]
    assert places == [["ids", "1"], ["ids", "2"], ["ids", "5"]]
    many = await scene.platform.api.call(scene.platform.admin, query, {"ids": [good] * 101})
    assert many.codes == ["INVALID_INPUT"]


@pytest.mark.parametrize("listing", LISTS, ids=lambda one: one.name)
async def test_a_page_has_one_clear_size(scene: Scene, listing: Listing) -> None:
    field = Field(listing.parent, listing.field, {"first": 1})
    bad: list[dict[str, Any]] = [
        {},
        {"first": None},
        {"first": 1, "last": 1},
        {"first": 1_000_000},
        {"last": 1_000_000},
        {"first": 101},
        {"first": -1},
        {"last": -1},
        {"first": 1, "before": "x"},
        {"last": 1, "after": "x"},
    ]
    for given in bad:
        asked = Field(field.parent, field.name, given)
        answer = await scene.ask(asked, given, scene.platform.admin)
        assert answer.codes == ["INVALID_INPUT"], given
        assert answer.errors[0]["extensions"]["field"][0] in ("first", "last")


async def _cursor(scene: Scene, listing: Listing, order: Mapping[str, str] | None) -> str:
    """A cursor of a list in one order."""
    given: dict[str, Any] = {"first": 1, **({} if order is None else {"orderBy": order})}
    field = Field(listing.parent, listing.field, given)
    answer = await scene.ask(field, given, scene.platform.admin)
    data = answer.data if listing.parent == "Query" else answer.data["node"]
    cursor: str = data[listing.field]["pageInfo"]["endCursor"]
    return cursor


def _orders(listing: Listing) -> list[dict[str, str] | None]:
    """Every order of a list; None where it has but one."""
    if not listing.ordered:
        return [None]
    return [{"field": o, "direction": d} for o in listing.orders for d in ("ASC", "DESC")]


async def test_a_cursor_is_of_one_list_in_one_order(scene: Scene) -> None:
    cursors = {
        (listing.name, str(order)): await _cursor(scene, listing, order)
        for listing in LISTS
        for order in _orders(listing)
    }
    assert len({*cursors.values()}) == len(cursors)
    for listing in LISTS:
        for order in _orders(listing)[::3]:
            for where, cursor in cursors.items():
                answer = await _after(scene, listing, order, cursor)
                own = where == (listing.name, str(order))
                assert answer.codes == ([] if own else ["INVALID_CURSOR"]), (where, listing.name)


async def _after(
    scene: Scene, listing: Listing, order: Mapping[str, str] | None, cursor: Any
) -> Answer:
    """A page after a cursor, and with it the one before it."""
    given: dict[str, Any] = {"first": 1, "after": cursor}
    if order is not None:
        given["orderBy"] = order
    return await scene.ask(Field(listing.parent, listing.field, given), given, scene.platform.admin)


@pytest.mark.parametrize("listing", LISTS, ids=lambda one: one.name)
async def test_a_cursor_that_was_not_given_out_is_refused(scene: Scene, listing: Listing) -> None:
    order = _orders(listing)[0]
    good = await _cursor(scene, listing, order)
    bad = [
        *("", "x", "=", good[:-1], f"{good}A", f"{good}=", f" {good}", f"{good}\n", good[::-1]),
        *("\x00", "\u0660", good.upper(), good * 50, "A" * 1_000_000),
        *map(_encode, ODD_CONTENTS),
    ]
    for cursor in bad:
        answer = await _after(scene, listing, order, cursor)
        assert answer.codes in (["INVALID_CURSOR"], ["REQUEST_TOO_LARGE"]), cursor[:100]


@pytest.mark.parametrize("listing", LISTS, ids=lambda one: one.name)
async def test_a_cursor_with_anything_inside_is_survived(scene: Scene, listing: Listing) -> None:
    order = _orders(listing)[0]
    parts = _decode(await _cursor(scene, listing, order))
    wrong = [_encode(parts[:-1]), _encode([*parts, 1])]
    odd = []
    for place in range(len(parts)):
        wrong += [_encode(put(parts, (place,), value)) for value in NEVER_IN_CURSORS]
        odd += [_encode(put(parts, (place,), value)) for value in PERHAPS_IN_CURSORS]
    for cursor in wrong:
        answer = await _after(scene, listing, order, cursor)
        assert answer.codes == ["INVALID_CURSOR"], _decode(cursor)
    for cursor in odd:
        answer = await _after(scene, listing, order, cursor)
        assert answer.codes in ([], ["INVALID_CURSOR"]), _decode(cursor)


ODD_CONTENTS: list[Any] = [None, 5, "x", {}, [], [[]], ["accounts"]]
NEVER_IN_CURSORS = [
    *(None, True, 1.5, -1, 2**63, [], {}, ["x"], {"a": 1}),
    *("\x00", "a\x00", orjson.Fragment(b"NaN"), orjson.Fragment(b"1e400")),
]
PERHAPS_IN_CURSORS = [
    *(0, 5, 2**31, 2**62, "", "x", "x" * 200, "0" * 32, "{" + "0" * 32 + "}", "infinity"),
    *("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    *("2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00:30", "2026-W01-1T00:00:00Z"),
]


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def _decode(cursor: str) -> list[Any]:
    try:
        parts: list[Any] = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except orjson.JSONDecodeError:
        return [cursor]
    return parts


async def test_evidence_of_the_wrong_shape_names_its_places(
    scene: Scene, owner_engine: AsyncEngine
) -> None:
    made = await Inputs(scene.platform).make("requirementSubmit")
    before = await contents(owner_engine)
    payload = {"born": "yesterday", "owners": [{"share": 5}, {"share": 101}]}
    field = Field("Mutation", "requirementSubmit", {"input": {**made.input, "payload": payload}})
    found = problems(await scene.ask(field, field.given, made.caller))
    assert {problem["code"] for problem in found} == {"EVIDENCE_INVALID"}
    assert {tuple(problem["field"]) for problem in found} == {
        ("payload", "name"),
        ("payload", "born"),
        ("payload", "owners", "1", "share"),
    }
    no_documents: tuple[Any, ...] = (None, [])
    for documents in no_documents:
        given = {"input": {**made.input, "payload": None, "documents": documents}}
        assert [one["code"] for one in problems(await scene.ask(field, given, made.caller))] == [
            "INVALID_INPUT"
        ]
    assert await contents(owner_engine) == before


DEEP = 3_000
OPENING, CLOSING = "{ account { " * DEEP, "} }" * DEEP
DOCUMENTS = {
    "nothing": ("", "GRAPHQL_PARSE_FAILED"),
    "a comment": ("# nothing", "GRAPHQL_PARSE_FAILED"),
    "not GraphQL": ("hello world", "GRAPHQL_PARSE_FAILED"),
    "half": ("{ viewer { id }", "GRAPHQL_PARSE_FAILED"),
    "NUL": ("{ viewer { id } }\x00", "GRAPHQL_PARSE_FAILED"),
    "half a surrogate pair": ('{ node(id: "\\ud800") { id } }', "GRAPHQL_PARSE_FAILED"),
    "an escaped half": ('{ node(id: "\\u{d800}") { id } }', "GRAPHQL_PARSE_FAILED"),
    "fields thousands deep": (f"{OPENING}{CLOSING}", "GRAPHQL_PARSE_FAILED"),
    "lists thousands deep": (
        f"{{ nodes(ids: {'[' * DEEP}{']' * DEEP}) {{ id }} }}",
        "GRAPHQL_PARSE_FAILED",
    ),
    "a million fields": ("{" + "a " * 400_000 + "}", "GRAPHQL_PARSE_FAILED"),
    "no such field": ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
    "no selection": ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
    "no such argument": ("{ viewer(a: 1) { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "no such enum value": (
        "{ accounts(first: 1, filter: {status: NOPE}) { totalCount } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "no number": ("{ accounts(first: 1e400) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
    "too large a number": (
        "{ accounts(first: 2147483648) { totalCount } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "no such directive": ("{ viewer @nothing { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "no such type": ("query($a: Nothing) { viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "only a fragment": ("fragment a on Viewer { id }", "GRAPHQL_VALIDATION_FAILED"),
    "a fragment in itself": (
        "{ viewer { ...a } } fragment a on Viewer { ...a }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "fragments in a ring": (
        "{ viewer { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { ...a }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "no such fragment": ("{ viewer { ...a } }", "GRAPHQL_VALIDATION_FAILED"),
    "a subscription": ("subscription { viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "a type": ("type A { a: Int }", "GRAPHQL_VALIDATION_FAILED"),
    "the same name twice": (
        "query a { viewer { id } } query a { viewer { id } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_bad_document_is_refused(
    scene: Scene, owner_engine: AsyncEngine, name: str
) -> None:
    document, code = DOCUMENTS[name]
    before = await contents(owner_engine)
    answer = await scene.platform.api.call(scene.platform.admin, document)
    assert answer.status == 400
    assert set(answer.codes) == {code}
    assert "data" not in answer.body
    assert complaint(answer, refused=True) is None
    assert answer.statements == ()
    assert await contents(owner_engine) == before


@pytest.mark.parametrize("depth", [20, 50, 100, 150, 200, 250, 300, 400, 600, 900])
async def test_a_document_of_any_depth_is_answered_or_refused(scene: Scene, depth: int) -> None:
    links = f"{'{ inReplyTo ' * depth}{{ id }}{' }' * depth}"
    chain = f"query($id: ID!) {{ interaction(id: $id) {links} }}"
    given = {"id": await _an_id(scene, "Interaction")}
    answer = await scene.platform.api.call(scene.platform.admin, chain, given)
    assert complaint(answer, refused=False) is None
    payload = f"{'[' * depth}{']' * depth}"
    submit = f"requirementSubmit(input: {{id: $id, payload: {payload}}})"
    values = f"mutation($id: ID!) {{ {submit} {{ userErrors {{ code message }} }} }}"
    answer = await scene.platform.api.call(scene.platform.admin, values, {"id": scene.requirement})
    assert complaint(answer, refused=True) is None
    fragments = " ".join(f"fragment f{n} on Viewer {{ ...f{n + 1} }}" for n in range(depth))
    text = f"{{ viewer {{ ...f0 }} }} {fragments} fragment f{depth} on Viewer {{ id }}"
    answer = await scene.platform.api.call(scene.platform.admin, text)
    assert complaint(answer, refused=False) is None


async def test_more_bytes_than_a_request_may_have_are_not_read(scene: Scene) -> None:
    body = orjson.dumps({"query": "{ viewer { id } }", "variables": {"a": "x" * 10_000_000}})
    answer = await scene.platform.api.send(scene.platform.admin, body)
    assert (answer.status, answer.codes) == (413, ["REQUEST_TOO_LARGE"])


async def test_variables_are_what_the_operation_declares(scene: Scene) -> None:
    api, admin = scene.platform.api, scene.platform.admin
    query = "query($first: Int!, $status: [AccountStatus!]) "
    query += "{ accounts(first: $first, filter: {status: $status}) { totalCount } }"
    bad: list[dict[str, Any] | None] = [
        *(None, {}, {"first": None}, {"first": "1"}, {"first": 1.5}, {"first": [1]}),
        *({"first": 1, "status": "NOPE"}, {"first": 1, "status": [None]}, {"First": 1}),
    ]
    for variables in bad:
        answer = await api.call(admin, query, variables)
        assert (answer.status, answer.codes) == (400, ["BAD_USER_INPUT"]), variables
        assert "data" not in answer.body
    for junk in (
        b"",
        b"true",
        b"5",
        b"{",
        b"\xff",
        b'{"query": 5}',
        b'{"query": "{a}", "variables": 5}',
    ):
        answer = await api.send(admin, junk)
        assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"]), junk


BAD_SCALARS = {
    "CountryCode!": ("accountCreate(input: {{country: {}, {}}})", "Germany"),
    "Duration!": ("programPublish(input: {{dueAfter: {}, {}}})", "14 days"),
    "DateTime!": ("requirementExtend(input: {{deadline: {}, {}}})", "tomorrow"),
    "Int!": ("accountUpdate(input: {{expectedVersion: {}, {}}})", "one"),
}
REST = {
    "CountryCode!": 'externalId: "x", businessName: "x"',
    "Duration!": 'code: "x", name: "x", owner: "x", category: OTHER, title: "x", '
    'description: "x", evidenceSchema: {}',
    "DateTime!": 'id: "x"',
    "Int!": 'id: "x"',
}


@pytest.mark.parametrize("kind", sorted(BAD_SCALARS))
async def test_our_scalars_refuse_as_graphqls_own_do(scene: Scene, kind: str) -> None:
    api, admin = scene.platform.api, scene.platform.admin
    field, bad = BAD_SCALARS[kind]
    query = f"mutation {{ {field.format(orjson.dumps(bad).decode(), REST[kind])} {{ replayed }} }}"
    answer = await api.call(admin, query)
    assert (answer.status, answer.codes) == (400, ["GRAPHQL_VALIDATION_FAILED"])
    [error] = answer.errors
    assert error["locations"] == [{"line": 1, "column": query.index(bad)}]
    query = f"mutation($it: {kind}) {{ {field.format('$it', REST[kind])} {{ replayed }} }}"
    answer = await api.call(admin, query, {"it": bad})
    assert (answer.status, answer.codes) == (400, ["BAD_USER_INPUT"])
    [error] = answer.errors
    assert error["locations"] == [{"line": 1, "column": query.index("$it") + 1}]
    assert "$it" in error["message"]


async def test_a_variable_within_json_is_read(own: Platform, api: Api) -> None:
    row = await open_requirement(own.run)
    query = """mutation($id: ID!, $name: String!, $born: String) {
      requirementSubmit(input: {id: $id, payload: {name: $name, born: $born}}) {
        userErrors { field } requirement { evidence(first: 1) { nodes { payload } } } } }"""
    given = {"id": requirement_id(row), "name": "Ada", "born": "yesterday"}
    payload = (await api.call(own.reviewer, query, given)).data["requirementSubmit"]
    assert payload["userErrors"] == [{"field": ["payload", "born"]}]
    given["born"] = "1815-12-10"
    payload = (await api.call(own.reviewer, query, given)).data["requirementSubmit"]
    [kept] = payload["requirement"]["evidence"]["nodes"]
    assert kept["payload"] == {"name": "Ada", "born": "1815-12-10"}


@pytest.mark.parametrize("name", ["id", "externalId"])
async def test_an_account_that_is_not_there_is_missed_by_the_id_that_was_given(
    scene: Scene, name: str
) -> None:
    given = {"id": scene.account_id[:-4] + "0000", "externalId": "nobody"}[name]
    query = f'{{ account({name}: "{given}") {{ id }} }}'
    answer = await scene.platform.api.call(scene.platform.admin, query)
    assert answer.codes == ["NOT_FOUND"]
    assert answer.errors[0]["extensions"]["field"] == [name]


async def test_an_operation_is_named_where_there_are_several(scene: Scene) -> None:
    api, admin = scene.platform.api, scene.platform.admin
    query = "query a { viewer { id } } query b { viewer { role } }"
    for name in (None, "c", "A", "a\x00", ""):
        answer = await api.call(admin, query, operation_name=name)
        assert answer.status == 400
        assert answer.codes == ["BAD_USER_INPUT"]
    assert (await api.call(admin, query, operation_name="b")).data == {"viewer": {"role": "ADMIN"}}


@pytest.mark.parametrize("name", ["requirementApprove", "requirementReject", "requirementWaive"])
async def test_a_reason_code_has_the_length_of_a_code_where_any_is_taken(
    scene: Scene, name: str
) -> None:
    made = await Inputs(scene.platform).make(name)
    run = scene.platform.run
    row = await create_requirement(run, "IN_REVIEW", program=await publish_program(run))
    statement = {**made.input["statement"], "citedEvidence": []}
    on = {"id": requirement_id(row), "expectedVersion": row.version, "statement": statement}
    field = Field("Mutation", name, {"input": {**made.input, **on}})
    # Of equal letters, any number fits into an index.
    random = Random(7)
    code = "".join(random.choices(ascii_letters + digits, k=5_000))
    for longer in (code, code[:101]):
        given = put(field.given, ("input", "reasonCode"), longer)
        [problem] = problems(await scene.ask(field, given, made.caller))
        assert (problem["code"], problem["field"]) == ("INVALID_INPUT", ["reasonCode"])
    given = put(field.given, ("input", "reasonCode"), code[:100])
    assert problems(await scene.ask(field, given, made.caller)) == []
