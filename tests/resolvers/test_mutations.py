"""Mutations through the API: their effect, their replays, and who may not."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type, is_leaf_type
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from models import requirement_operations as requirements
from models.actor import Role
from models.aggregate import Account
from models.authorisation import CALLERS
from models.ids import hex_id
from models.requirement_operations import Assign
from models.session import transaction
from models.status import RequirementState
from resolvers import ids
from resolvers.schema import MAX_NODES, ROWS, SCHEMA
from tests.factories import (
    create_account,
    create_requirement,
    key_of,
    open_requirement,
    publish_program,
)
from tests.resolvers.api import Answer, Api, Caller, Platform
from tests.resolvers.inputs import (
    MAKERS,
    STATEMENT,
    Input,
    Inputs,
    Made,
    account_id,
    requirement_id,
)
from tests.resolvers.scene import create_full_account
from tests.resolvers.store import contents
from tests.resolvers.walk import named, object_type, values_of

COUNTS = "totalCount nodes { id }"
SDL = SCHEMA.as_str()
MUTATIONS = sorted(MAKERS)
each_mutation = pytest.mark.parametrize("mutation", MUTATIONS)

# What belongs to no account, and writes no event.
OF_NO_ACCOUNT = ("program", "apiKey")
NO_OBJECTS = ("userErrors", "replayed", "secret")
# What a mutation does not take, because of another field.
NOT_OF = {key: {"statement.restrictsUntil"} for key in ("requirementApprove", "requirementWaive")}


@pytest.fixture
async def inputs(own: Platform) -> Inputs:
    """Inputs on a platform of the test's own."""
    return Inputs(own)


def document_of(mutation: str) -> str:
    """The mutation with all values of its payload and of the objects in it."""
    field = object_type("Mutation").fields[mutation]
    payload = object_type(named(field).name)
    objects = [
        name if is_leaf_type(named(inner)) else f"{name} {{ {values_of(named(inner).name)} }}"
        for name, inner in payload.fields.items()
        if name not in ("userErrors", "replayed")
    ]
    shown = f"userErrors {{ code message field }} replayed {' '.join(objects)}"
    given = field.args["input"].type
    return f"mutation($input: {given}) {{ {mutation}(input: $input) {{ {shown} }} }}"


async def mutate(api: Api, mutation: str, made: Made, **changes: Any) -> dict[str, Any]:
    """The payload of a mutation, with some of its input changed."""
    given = {"input": {**made.input, **changes}}
    answer = await api.call(made.caller, document_of(mutation), given)
    payload: dict[str, Any] = answer.data[mutation]
    return payload


def test_these_are_all_mutations_and_all_of_their_input() -> None:
    assert set(MAKERS) == set(object_type("Mutation").fields)


@each_mutation
async def test_the_input_here_gives_every_field(inputs: Inputs, mutation: str) -> None:
    made = await inputs.make(mutation)
    field = object_type("Mutation").fields[mutation]
    kind = get_named_type(field.args["input"].type)
    assert set(_not_given(kind, made.input)) == NOT_OF.get(mutation, set())


def _not_given(kind: Any, value: Any, *path: str) -> list[str]:
    """The fields of an input type that a value does not give."""
    if isinstance(value, list):
        assert value, path
        return [name for item in value for name in _not_given(kind, item, *path)]
    if not isinstance(kind, GraphQLInputObjectType):
        return []
    missing = [".".join((*path, name)) for name in kind.fields if value.get(name) is None]
    for name, inner in kind.fields.items():
        if value.get(name) is not None:
            missing += _not_given(get_named_type(inner.type), value[name], *path, name)
    return missing


@each_mutation
async def test_it_does_its_work_and_answers_with_what_is_stored(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine, mutation: str
) -> None:
    made, before = await inputs.make(mutation), await contents(owner_engine)
    payload = await mutate(api, mutation, made)
    assert payload["userErrors"] == []
    assert payload["replayed"] is False
    after = await contents(owner_engine)
    assert after["events"] != before["events"] or mutation.startswith(OF_NO_ACCOUNT)
    objects = {n: v for n, v in payload.items() if n not in NO_OBJECTS}
    assert objects
    for one in objects.values():
        assert one == await _read(api, made.caller, one)


async def _read(api: Api, caller: Caller, one: dict[str, Any]) -> dict[str, Any]:
    """An object as a query shows it."""
    kind = one["__typename"]
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {values_of(kind)} }} }} }}"
    found: dict[str, Any] = (await api.call(caller, query, {"id": one["id"]})).data["node"]
    return found


@each_mutation
async def test_the_same_again_with_its_key_is_a_replay(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine, mutation: str
) -> None:
    made = await inputs.make(mutation)
    first = await mutate(api, mutation, made)
    before = await contents(owner_engine)
    api.clock.advance(timedelta(minutes=1))
    again = await mutate(api, mutation, made)
    for payload in (first, again):
        # Its clock has run on.
        (payload.get("requirement") or {}).pop("clock", None)
    # What is secret is shown once.
    shown_once = {"secret": None} if first.get("secret") else {}
    assert again == {**first, **shown_once, "replayed": True}
    assert await contents(owner_engine) == before


@each_mutation
async def test_a_key_with_other_input_is_refused(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine, mutation: str
) -> None:
    made = await inputs.make(mutation)
    await mutate(api, mutation, made)
    before = await contents(owner_engine)
    changes = {"expectedVersion": 17, "country": "IT", "name": "Another"}
    name = next(name for name in changes if name in made.input)
    other = {name: changes[name]}
    payload = await mutate(api, mutation, made, **other)
    assert _codes(payload) == ["IDEMPOTENCY_KEY_REUSED"]
    assert await contents(owner_engine) == before


@pytest.mark.parametrize("mutation", [one for one in MUTATIONS if not one.endswith("Create")])
async def test_a_stale_version_changes_nothing(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine, mutation: str
) -> None:
    made, before = await inputs.make(mutation), await contents(owner_engine)
    current = made.input["expectedVersion"]
    payload = await mutate(api, mutation, made, expectedVersion=current + 1)
    assert _codes(payload) == ["STALE_VERSION"]
    assert str(current) in payload["userErrors"][0]["message"]
    assert _objects(payload) == set()
    assert await contents(owner_engine) == before
    # The key of what was refused is free.
    assert _codes(await mutate(api, mutation, made)) == []


async def test_an_account_comes_once(inputs: Inputs, api: Api) -> None:
    made = await inputs.make("accountCreate")
    await mutate(api, "accountCreate", made)
    payload = await mutate(api, "accountCreate", made, idempotencyKey="another")
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        ("ALREADY_EXISTS", ["externalId"])
    ]


def _codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def _objects(payload: dict[str, Any]) -> set[str]:
    """The names of the objects that a payload holds."""
    return {n for n, one in payload.items() if n not in NO_OBJECTS and one}


@pytest.mark.parametrize("role", CALLERS)
@each_mutation
async def test_only_the_roles_that_it_needs_may_use_it(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine, mutation: str, role: Role
) -> None:
    made = await inputs.make(mutation)
    caller = inputs.platform.staff(role, made.caller.subject)
    if role is Role.ACCOUNT_USER:
        made = replace(made, input=_without_what_staff_say(mutation, made.input))
        account_id = _account_of(made) or (await create_account(inputs.platform.run)).account_id
        caller = inputs.platform.user(account_id)
    if role is Role.INTEGRATOR:
        # Under a program of its own, what it opened itself.
        caller = inputs.platform.integrator
    before = await contents(owner_engine)
    payload = await mutate(api, mutation, replace(made, caller=caller))
    if role in _roles_of(mutation):
        assert _codes(payload) == []
    else:
        assert _codes(payload) == ["FORBIDDEN"]
        assert await contents(owner_engine) == before
    viewer = await api.call(caller, "{ viewer { allowedMutations } }")
    allowed = mutation in viewer.data["viewer"]["allowedMutations"]
    assert allowed == (role in _roles_of(mutation))


def _without_what_staff_say(mutation: str, given: Input) -> Input:
    """The input without what nobody but staff may say of a message that they pass on."""
    said = ("channel", "sender") if mutation == "interactionReceive" else ()
    return {name: value for name, value in given.items() if name not in said}


def _roles_of(mutation: str) -> set[str]:
    """The roles that the schema's text says it needs."""
    [applied] = re.findall(rf"^  {mutation}\(.*?@requires\(roles: \[(.*?)\]", SDL, re.S | re.M)
    return set(applied.split(", "))


def _account_of(made: Made) -> uuid.UUID | None:
    """The account that the input names."""
    text = made.input.get("accountId") or made.input.get("id")
    return None if text is None else uuid.UUID(text.partition("_")[2][:32])


async def test_each_field_of_a_request_sees_what_those_before_it_did(
    own: Platform, api: Api
) -> None:
    row = await create_requirement(own.run, RequirementState.SUBMITTED)
    shown = "userErrors { code } requirement { state version account { status version } }"
    query = f"""mutation($id: ID!, $hold: HoldPlaceInput!) {{
      review: requirementStartReview(input: {{id: $id}}) {{ {shown} }}
      hold: holdPlace(input: $hold) {{ account {{ status holds {{ active }} }} }}
      approve: requirementApprove(input: {{id: $id}}) {{ {shown} }}
      again: requirementApprove(input: {{id: $id}}) {{ {shown} }}
      reopen: requirementReopen(input: {{id: $id, reason: "It has expired."}}) {{ {shown} }}
    }}"""
    account_id = ids.encode_one(ids.ACCOUNT, hex_id(row.account_id))
    hold = {"accountId": account_id, "capabilities": "PAYOUTS", "reason": "PLATFORM_PAUSED"}
    given = {"id": requirement_id(row), "hold": hold}
    data = (await api.call(own.admin, query, given)).data
    steps = [data[name]["requirement"] for name in ("review", "approve", "reopen")]
    assert [one["state"] for one in steps] == ["IN_REVIEW", "SATISFIED", "ACTION_REQUIRED"]
    assert [one["version"] for one in steps] == [row.version + n for n in (1, 2, 3)]
    assert data["hold"]["account"] == {"status": "RESTRICTED", "holds": [{"active": True}]}
    assert data["again"] == {"userErrors": [{"code": "ILLEGAL_TRANSITION"}], "requirement": None}


async def test_nobody_makes_their_own_proposal_final(own: Platform, api: Api) -> None:
    inputs = Inputs(own)
    proposed = await mutate(api, "requirementWaive", await inputs.make("requirementWaive"))
    given = {"id": proposed["resolution"]["id"]}
    same_person = [own.reviewer, own.staff(Role.ADMIN, own.reviewer.subject)]
    for mutation in ("resolutionApprove", "resolutionDecline"):
        for caller in same_person:
            payload = await mutate(api, mutation, Made(caller, given))
            assert _codes(payload) == ["FOUR_EYES"]
    payload = await mutate(api, "resolutionApprove", Made(own.second_reviewer, given))
    assert payload["requirement"]["state"] == "WAIVED"
    assert payload["resolution"]["approvedBy"]["id"] == own.second_reviewer.subject
    assert payload["resolution"]["proposedBy"]["id"] == own.reviewer.subject


async def test_where_the_program_asks_for_four_eyes_a_decision_waits(
    own: Platform, api: Api
) -> None:
    program = await publish_program(own.run, four_eyes=True)
    for mutation in ("requirementApprove", "requirementReject"):
        row = await create_requirement(own.run, RequirementState.SUBMITTED, program=program)
        given = {"id": requirement_id(row), "reasonCode": "checked", "statement": STATEMENT}
        payload = await mutate(api, mutation, Made(own.reviewer, given))
        assert payload["resolution"]["state"] == "PROPOSED"
        assert payload["requirement"]["state"] == "SUBMITTED"
        assert _codes(await mutate(api, mutation, Made(own.second_reviewer, given))) == [
            "PROPOSAL_PENDING"
        ]


async def test_a_waiver_needs_its_scope(
    own: Platform, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await Inputs(own).make("requirementWaive")
    proposal = await Inputs(own).make("resolutionApprove")
    monkeypatch.setattr("app.tokens.DEFAULT_SCOPES", {})
    assert _codes(await mutate(api, "requirementWaive", made)) == ["FORBIDDEN"]
    assert _codes(await mutate(api, "resolutionApprove", proposal)) == ["FORBIDDEN"]


@pytest.mark.parametrize("mutation", ["accountCreate", "accountUpdate"])
async def test_an_e_mail_address_has_to_look_like_one(
    inputs: Inputs, api: Api, mutation: str
) -> None:
    made = await inputs.make(mutation)
    payload = await mutate(api, mutation, made, email="not an email")
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        ("INVALID_INPUT", ["email"])
    ]


NULLED = ("businessName", "country", "riskTier", "capabilities")


@pytest.mark.parametrize("name", NULLED)
async def test_null_is_no_value_of_what_an_account_always_has(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine, name: str
) -> None:
    made, before = await inputs.make("accountUpdate"), await contents(owner_engine)
    payload = await mutate(api, "accountUpdate", made, **{name: None})
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        ("INVALID_INPUT", [name])
    ]
    assert await contents(owner_engine) == before


async def test_what_is_left_out_stays_and_null_takes_away(inputs: Inputs, api: Api) -> None:
    made = await inputs.make("accountUpdate")
    before = (await mutate(api, "accountUpdate", made))["account"]
    only = Made(made.caller, {"id": made.input["id"], "email": None})
    after = (await mutate(api, "accountUpdate", only))["account"]
    assert before["email"] == "owner@cafe.example"
    assert after == {**before, "email": None, "version": before["version"] + 1}
    nothing = Made(made.caller, {"id": made.input["id"]})
    assert (await mutate(api, "accountUpdate", nothing))["account"] == after


# What staff see and account users don't, by type; what both see is the same for both.
STAFF_ONLY = {
    "Requirement": {"assignee", "proposedOutcome"},
    "Hold": {"note"},
}
VIEWERS_OWN = {"allowedActions"}
HIDDEN = {
    "Resolution": ("state", {"PROPOSED", "DECLINED"}),
    "Event": (
        "type",
        {
            *("REQUIREMENT_ASSIGNED", "RESOLUTION_PROPOSED", "RESOLUTION_DECLINED"),
            *("INTERACTION_DRAFTED", "INTERACTION_SCHEDULED", "NOTE_ADDED"),
        },
    ),
    "Interaction": ("state", {"SCHEDULED"}),
}


@dataclass(frozen=True)
class Full:
    """An account with something of everything, and the ids of all that it has, by type."""

    platform: Platform
    account: Account
    ids: dict[str, list[str]]


@pytest.fixture(scope="module")
async def full(api: Api) -> Full:
    """The account, on a platform of its own."""
    platform = await api.platform()
    account = await create_full_account(platform.run)
    row = await open_requirement(platform.run, account)
    assign = Assign(**key_of(row), assignee_id="rita", assignee_name="Rita")
    await platform.run(requirements.assign, platform.run.reviewer, assign)
    found = {"Account": [account_id(account)]}
    admin = platform.run.admin
    async with platform.run.database.session_for(admin) as session, transaction(session, admin):
        for prefix, (name, table) in ROWS.items():
            rows = await session.execute(select(table.c.account_id, table.c.id))
            found[name] = [ids.encode(prefix, *map(hex_id, row)) for row in rows]
    return Full(platform, account, found)


async def _nodes(api: Api, caller: Caller, kind: str, asked: Sequence[str]) -> Answer:
    """All values of many objects of one type."""
    query = (
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {values_of(kind)} }} }} }}"
    )
    return await api.call(caller, query, {"ids": asked})


def _as_users_see(value: Any) -> Any:
    """What account users see of a value: of an actor of the staff, nothing but the kind."""
    if not isinstance(value, dict) or value.get("__typename") != "Actor":
        return value
    if value["kind"] == "ACCOUNT_USER":
        return value
    return {**value, "id": value["kind"].lower(), "displayName": None}


@pytest.mark.parametrize("kind", sorted(name for name, _ in ROWS.values()))
async def test_account_users_see_all_of_their_account_but_what_is_for_staff(
    full: Full, api: Api, kind: str
) -> None:
    every, shown = full.ids[kind], set[str]()
    staff, hidden, codes = list[Any](), list[Any](), list[str]()
    for start in range(0, len(every), MAX_NODES):
        asked = every[start : start + MAX_NODES]
        given = (await _nodes(api, full.platform.admin, kind, asked)).data["nodes"]
        answer = await _nodes(api, full.platform.user(full.account), kind, asked)
        staff += given
        codes += answer.codes
        for one, seen in zip(given, answer.body["data"]["nodes"], strict=True):
            if seen is None:
                hidden.append(one)
                continue
            one = {name: _as_users_see(value) for name, value in one.items()}
            known = {name: _as_users_know(value) for name, value in one.items()}
            differing = {name for name in one if known[name] != seen[name]} - VIEWERS_OWN
            assert all(seen[name] is None for name in differing)
            shown |= differing
    assert shown == STAFF_ONLY.get(kind, set())
    assert codes == ["NOT_FOUND"] * len(hidden)
    if kind == "Note":
        assert hidden == staff != []
        return
    field, values = HIDDEN.get(kind, ("id", set()))
    assert {one[field] for one in hidden} == values


def _as_users_know(value: Any) -> Any:
    """A value in which staff have no names."""
    if isinstance(value, list):
        return [_as_users_know(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("__typename") == "Actor" and value["kind"] != "ACCOUNT_USER":
        return {**value, "id": value["kind"].lower(), "displayName": None}
    return {name: _as_users_know(inner) for name, inner in value.items()}


@pytest.mark.parametrize("kind", ["Account", *sorted(name for name, _ in ROWS.values())])
async def test_nobody_else_sees_any_of_it(full: Full, api: Api, own: Platform, kind: str) -> None:
    asked = full.ids[kind]
    neighbour = full.platform.user(await create_account(full.platform.run))
    for stranger in (neighbour, own.admin, own.user(await create_account(own.run))):
        answer = await _nodes(api, stranger, kind, asked[:MAX_NODES])
        assert answer.body["data"]["nodes"] == [None] * len(asked[:100])
        assert set(answer.codes) == {"NOT_FOUND"}


async def test_lists_of_another_account_are_empty(full: Full, api: Api, own: Platform) -> None:
    [asked] = full.ids["Account"]
    neighbour = full.platform.user(await create_account(full.platform.run))
    for stranger in (neighbour, own.admin):
        for name, field in object_type("Query").fields.items():
            if "filter" not in field.args or "accountId" not in field.args["filter"].type.fields:
                continue
            query = (
                f"query($id: ID!) {{ {name}(first: 9, filter: {{accountId: $id}}) {{ {COUNTS} }} }}"
            )
            data = (await api.call(stranger, query, {"id": asked})).data
            assert data[name] == {"totalCount": 0, "nodes": []}
            mine = (await api.call(full.platform.admin, query, {"id": asked})).data
            assert mine[name]["totalCount"] > 0


async def test_evidence_is_for_ones_own_requirements(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine
) -> None:
    made = await inputs.make("requirementSubmit")
    neighbour = inputs.platform.user(await create_account(inputs.platform.run))
    before = await contents(owner_engine)
    payload = await mutate(api, "requirementSubmit", replace(made, caller=neighbour))
    assert _codes(payload) == ["NOT_FOUND"]
    # In the same words as for what is nowhere.
    unknown = made.input["id"][:-32] + "0" * 32
    nowhere = await mutate(api, "requirementSubmit", made, id=unknown)
    assert payload["userErrors"] == nowhere["userErrors"]
    assert payload["userErrors"][0]["message"] == "There is no such requirement."
    assert await contents(owner_engine) == before


NAMED = {
    "API key": ("apiKeyRotate", "apiKeyRevoke"),
    "account": (
        *("accountUpdate", "accountReject", "accountReinstate", "holdPlace", "requirementOpen"),
        *("interactionDraft", "interactionReceive"),
    ),
    "hold": ("holdRelease",),
    "interaction": (
        *("interactionUpdate", "interactionSchedule", "interactionSend"),
        *("interactionReport", "interactionCancel"),
    ),
    "resolution": (
        *("resolutionApprove", "resolutionDecline", "resolutionUphold", "resolutionOverturn"),
    ),
}


@pytest.mark.parametrize("mutation", [one for one in MUTATIONS if not one.endswith("Create")])
async def test_what_is_not_there_is_named_as_the_input_does(
    inputs: Inputs, api: Api, mutation: str
) -> None:
    if mutation.startswith("program"):
        return
    made = await inputs.make(mutation)
    noun = next((n for n, names in NAMED.items() if mutation in names), "requirement")
    place = "accountId" if "accountId" in made.input else "id"
    prefix, _, digits = made.input[place].partition("_")
    elsewhere = f"{prefix}_{'0' * len(digits)}"
    # What is of the account is looked for there.
    nothing: dict[str, Any] = {"inReplyTo": None, "requirementIds": []}
    names = {name: none for name, none in nothing.items() if name in made.input}
    if "citedEvidence" in made.input.get("statement", {}):
        names["statement"] = {**made.input["statement"], "citedEvidence": []}
    payload = await mutate(api, mutation, made, **{place: elsewhere}, **names)
    assert payload["userErrors"] == [
        {"code": "NOT_FOUND", "message": f"There is no such {noun}.", "field": [place]}
    ]


async def test_a_key_counts_for_one_account(inputs: Inputs, api: Api) -> None:
    made = await inputs.make("accountCreate")
    first = await mutate(api, "accountCreate", made)
    second = await mutate(api, "accountCreate", made, externalId="another")
    assert not second["replayed"]
    assert first["account"]["id"] != second["account"]["id"]


async def test_ids_in_the_changes_of_events_are_global(own: Platform, api: Api) -> None:
    row = await create_requirement(own.run, RequirementState.SATISFIED)
    query = """query($id: ID!) { node(id: $id) { ... on Requirement {
      id evidence(first: 1) { nodes { id } } account { timeline(first: 99) { nodes {
        type changes } } } } } }"""
    found = (await api.call(own.admin, query, {"id": requirement_id(row)})).data["node"]
    changes = {one["type"]: one["changes"] for one in found["account"]["timeline"]["nodes"]}
    [evidence] = found["evidence"]["nodes"]
    assert changes["REQUIREMENT_SUBMITTED"]["evidenceId"] == evidence["id"]
    assert changes["RESOLUTION_FINAL"]["requirementId"] == found["id"]
    assert changes["REQUIREMENT_OPENED"]["program"]["code"] == row.program_code
    drafted = changes["INTERACTION_DRAFTED"]
    assert (drafted["requirementIds"], drafted["inReplyTo"]) == ([found["id"]], None)


async def test_what_a_draft_is_about_is_shown_with_what_it_was_about(
    own: Platform, inputs: Inputs, api: Api
) -> None:
    made = await inputs.make("interactionUpdate")
    query = "query($id: ID!) { node(id: $id) { ... on Interaction { requirements { id } } } }"
    told = """query($id: ID!) { node(id: $id) { ... on Interaction { requirements { id }
      account { timeline(last: 1) { nodes { type changes } } } } } }"""
    values = {"id": made.input["id"]}
    before = (await api.call(own.admin, query, values)).data["node"]["requirements"]
    assert (await mutate(api, "interactionUpdate", made))["userErrors"] == []
    found = (await api.call(own.admin, told, values)).data["node"]
    [event] = found["account"]["timeline"]["nodes"]
    assert [one["id"] for one in found["requirements"]] == made.input["requirementIds"]
    assert event["type"] == "INTERACTION_UPDATED"
    assert event["changes"]["requirementIds"] == {
        "from": [one["id"] for one in before],
        "to": made.input["requirementIds"],
    }


@pytest.mark.parametrize(
    "mutation", [one for one in MUTATIONS if not one.endswith("Create") and one != "programPublish"]
)
async def test_no_mutation_reaches_another_platform(
    inputs: Inputs, api: Api, owner_engine: AsyncEngine, mutation: str
) -> None:
    made, other = await inputs.make(mutation), await api.platform()
    caller = replace(made.caller, platform=other.slug)
    before = await contents(owner_engine)
    payload = await mutate(api, mutation, replace(made, caller=caller))
    assert _codes(payload) == ["NOT_FOUND"]
    assert await contents(owner_engine) == before
