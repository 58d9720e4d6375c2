"""The schema as its readers meet it, and `allowedActions` held against what is then allowed."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    introspection_types,
    is_non_null_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from app.schema_file import check
from models.actor import Role
from models.authorisation import CALLERS
from models.ids import hex_id
from models.requirement import Requirement, RequirementAction
from models.resolution import OF_APPEALS, ResolutionAction, ResolutionState
from models.status import RequirementState
from resolvers import ids
from tests.factories import (
    create_account,
    create_requirement,
    create_resolution,
    open_requirement,
    place_hold,
    publish_program,
    refer,
)
from tests.resolvers.api import Answer, Caller, Platform
from tests.resolvers.inputs import STATEMENT, account_id, requirement_id
from tests.resolvers.walk import GRAPHQL, is_connection, is_list, leads_to_nodes, named, object_type

SCHEMA_FILE = Path(__file__).parents[2] / "schema.graphql"
# An account has at most one per kind of these, or a few.
FEW = {"Account.capabilities", "Account.holds", "Capability.restrictedBy", "Query.nodes"}
FEW_OTHERS = {
    "Capability.gatedBy",
    "Capability.restrictsNext",
    "Interaction.requirements",
    "Requirement.alternatives",
    "StatementOfReasons.citedEvidence",
}


def parts() -> Iterator[tuple[str, Any]]:
    """Everything in the schema that has a description, by its coordinate."""
    for directive in GRAPHQL.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive
    for kind in GRAPHQL.type_map.values():
        if kind.name in introspection_types or is_specified_scalar_type(kind):
            continue
        yield kind.name, kind
        yield from _parts_of(kind)


def _parts_of(kind: GraphQLNamedType) -> Iterator[tuple[str, Any]]:
    if isinstance(kind, GraphQLEnumType):
        yield from ((f"{kind.name}.{name}", value) for name, value in kind.values.items())
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field
            for argument, one in getattr(field, "args", {}).items():
                yield f"{kind.name}.{name}({argument}:)", one


def test_everything_is_described_in_sentences() -> None:
    found = dict(parts())
    assert len(found) > 500
    bad = {}
    for where, part in found.items():
        text = (part.description or "").strip()
        plain = re.sub(r"[^a-z]", "", text.lower())
        name = re.sub(r"[^a-z]", "", where.rpartition(".")[2].partition("(")[0].lower())
        if not text.endswith(".") or plain in ("", name, f"the{name}") or not text[0].isupper():
            bad[where] = text
    assert not bad, bad


def test_what_leaves_says_why() -> None:
    deprecated = {w: p for w, p in parts() if getattr(p, "deprecation_reason", None) is not None}
    for where, part in deprecated.items():
        assert re.match(r"Use .+\..*\d{4}-\d{2}-\d{2}", part.deprecation_reason), where


def test_the_file_is_the_schema() -> None:
    assert check(SCHEMA_FILE) == []


def test_scalars_of_our_own_say_what_they_are() -> None:
    ours = [k for k in GRAPHQL.type_map.values() if isinstance(k, GraphQLScalarType)]
    assert {kind.name for kind in ours if not is_specified_scalar_type(kind)} >= {
        "DateTime",
        "JSON",
    }


NOUN = re.compile("apiKey|[a-z]+")


def test_mutations_are_a_noun_and_a_verb_with_one_input_and_a_payload() -> None:
    nouns = {
        "account",
        "apiKey",
        "hold",
        "note",
        "program",
        "requirement",
        "resolution",
        "interaction",
    }
    for name, field in object_type("Mutation").fields.items():
        noun = NOUN.match(name)
        assert noun is not None
        assert noun.group() in nouns, name
        title = name[0].upper() + name[1:]
        assert list(field.args) == ["input"]
        assert str(field.args["input"].type) == f"{title}Input!"
        assert str(field.type) == f"{title}Payload!"
        payload = object_type(f"{title}Payload").fields
        assert str(payload["userErrors"].type) == "[UserError!]!"
        assert str(payload["replayed"].type) == "Boolean!"
        rest = [inner for own, inner in payload.items() if own not in ("userErrors", "replayed")]
        assert rest, name
        assert not any(is_non_null_type(inner.type) for inner in rest), name
        given = get_named_type(field.args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        assert "idempotencyKey" in given.fields
        assert ("expectedVersion" in given.fields) == (not name.endswith("Create"))


VERSION_OF = {
    **dict.fromkeys(("apiKeyRotate", "apiKeyRevoke"), "API key"),
    **dict.fromkeys(("holdPlace", "requirementOpen"), "account"),
    **dict.fromkeys(("interactionDraft", "interactionReceive"), "account"),
    "noteAdd": "requirement",
}


def test_an_expected_version_says_of_what() -> None:
    for name, field in object_type("Mutation").fields.items():
        given = get_named_type(field.args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        if "expectedVersion" in given.fields:
            noun = VERSION_OF.get(name) or re.match(r"[a-z]+", name).group()  # type: ignore[union-attr]
            text = given.fields["expectedVersion"].description or ""
            assert text.startswith(f"The version of the {noun} "), name


def test_a_list_that_can_grow_has_pages() -> None:
    plain = set()
    for kind in GRAPHQL.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name in introspection_types:
            continue
        for name, field in kind.fields.items():
            if is_connection(named(field)):
                assert {"first", "after", "last", "before"} <= set(field.args), f"{kind}.{name}"
            elif is_list(field) and leads_to_nodes(named(field).name):
                plain.add(f"{kind.name}.{name}")
    pages = {one for one in plain if one.partition(".")[0].endswith("Connection")}
    assert plain - pages == FEW | FEW_OTHERS


def test_every_type_with_a_global_id_is_a_node() -> None:
    node = GRAPHQL.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    possible = {one.name for one in GRAPHQL.get_possible_types(node)}
    assert possible == {
        *("Account", "ApiKey", "Event", "Evidence", "Hold", "Interaction", "Note", "Program"),
        *("Requirement", "Resolution"),
    }
    for name in possible - {"Event", "Evidence", "Note", "Program", "Interaction"}:
        assert {"version", "allowedActions", "createdAt", "updatedAt"} <= set(
            object_type(name).fields
        )
    assert "allowedActions" in object_type("Program").fields


ACTIONS: dict[RequirementAction, tuple[str, dict[str, Any]]] = {
    RequirementAction.SUBMIT: ("requirementSubmit", {"payload": {"name": "Ada"}}),
    RequirementAction.START_REVIEW: ("requirementStartReview", {}),
    RequirementAction.APPROVE: ("requirementApprove", {}),
    RequirementAction.REQUEST_CHANGES: (
        "requirementRequestChanges",
        {"errors": [{"code": "blurred", "message": "It can't be read."}]},
    ),
    RequirementAction.REJECT: (
        "requirementReject",
        {"reasonCode": "checked", "statement": STATEMENT},
    ),
    RequirementAction.APPEAL: ("requirementAppeal", {"statement": "It is me."}),
    RequirementAction.WAIVE: ("requirementWaive", {"reasonCode": "checked"}),
    RequirementAction.CANCEL: ("requirementCancel", {"reason": "Opened in error."}),
    RequirementAction.EXTEND: ("requirementExtend", {"deadline": "2026-06-01T00:00:00Z"}),
    RequirementAction.ASSIGN: ("requirementAssign", {"assigneeId": "rita"}),
    RequirementAction.PRIORITIZE: ("requirementPrioritize", {"priority": "URGENT"}),
    RequirementAction.REFER: ("requirementRefer", {"to": "Commerzbank"}),
    RequirementAction.RECALL: ("requirementRecall", {}),
    RequirementAction.REOPEN: ("requirementReopen", {"reason": "It has expired."}),
}
PERMISSIONS = "allowedActions { action allowed refusals { code message } }"
# The states in which a proposal may wait for its second reviewer, and what an appeal makes of them.
STATES = [
    *RequirementState,
    "SUBMITTED with a proposal",
    "OPEN with a proposal",
    "IN_REVIEW by appeal",
    "REJECTED after an appeal",
    "REJECTED too long ago",
    "SUBMITTED and referred",
    "IN_REVIEW by appeal and referred",
]


def test_these_are_all_actions_on_requirements() -> None:
    assert set(ACTIONS) == set(RequirementAction)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", [*CALLERS, "ANOTHER_INTEGRATOR"])
async def test_what_is_allowed_on_a_requirement_is_what_then_happens(
    own: Platform, role: str, state: str
) -> None:
    row = await _requirement(own, state)
    for action, (mutation, given) in ACTIONS.items():
        caller = _caller(own, role, row)
        [permission] = [
            one
            for one in await _permissions(own, caller, requirement_id(row))
            if one["action"] == action
        ]
        codes = await _try(own, caller, mutation, {"id": requirement_id(row), **given})
        refusals = {one["code"] for one in permission["refusals"]}
        where = f"{action} by {role} on {state}"
        assert permission["allowed"] == (not refusals) == (not codes), where
        assert set(codes) <= refusals, where
        if not codes:
            row = await _requirement(own, state)


async def _requirement(platform: Platform, state: str) -> Requirement:
    """A requirement that the integrator opened, in a state, with what follows that word."""
    found, _, more = state.partition(" ")
    run = platform.run
    if "appeal" in more:
        row = await open_requirement(run)
        by_appeal = "UPHELD" if found == RequirementState.REJECTED else "APPEALED"
        await create_resolution(run, by_appeal, row)
        if "referred" in more:
            await refer(run, row)
        return await run.fetch(Requirement, row.account_id, row.id)
    program = await publish_program(run, appeal_within="P1D")
    row = await create_requirement(run, found, program=program)
    if more == "with a proposal":
        await create_resolution(run, ResolutionState.PROPOSED, row)
    if more == "and referred":
        await refer(run, row)
    if more == "too long ago":
        run.clock.advance(timedelta(days=1))
    return row


def _caller(platform: Platform, role: str, row: Requirement) -> Caller:
    if role == Role.ACCOUNT_USER:
        return platform.user(row.account_id)
    if role == "ANOTHER_INTEGRATOR":
        return platform.staff(Role.INTEGRATOR, "another-team")
    subject = platform.integrator.subject if role == Role.INTEGRATOR else "olga"
    return platform.staff(Role(role), subject)


async def _permissions(platform: Platform, caller: Caller, own: str) -> list[dict[str, Any]]:
    """The allowed actions of an object, each with a reason where it is not allowed."""
    kinds = ("Account", "Hold", "Requirement", "Resolution", "Program")
    prefixes = {ids.ACCOUNT: 0, ids.HOLD: 1, ids.REQUIREMENT: 2, ids.RESOLUTION: 3, ids.PROGRAM: 4}
    kind = kinds[prefixes[own.partition("_")[0]]]
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {PERMISSIONS} }} }} }}"
    data = (await platform.api.call(caller, query, {"id": own})).data
    found: list[dict[str, Any]] = data["node"]["allowedActions"]
    assert all(refusal["message"] for one in found for refusal in one["refusals"])
    return found


async def _try(
    platform: Platform, caller: Caller, mutation: str, given: dict[str, Any]
) -> list[str]:
    """The codes of what was wrong with a mutation."""
    kind = object_type("Mutation").fields[mutation].args["input"].type
    query = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
    answer: Answer = await platform.api.call(caller, query, {"input": given})
    return [error["code"] for error in answer.data[mutation]["userErrors"]]


@pytest.mark.parametrize("state", list(ResolutionState))
@pytest.mark.parametrize("who", ["rita", "sam", "risk-engine"])
async def test_what_is_allowed_on_a_resolution_is_what_then_happens(
    own: Platform, who: str, state: ResolutionState
) -> None:
    for action in ResolutionAction:
        row = await create_resolution(own.run, state)
        role = Role.INTEGRATOR if who == "risk-engine" else Role.REVIEWER
        caller, own_id = (
            own.staff(role, who),
            ids.encode(ids.RESOLUTION, hex_id(row.account_id), hex_id(row.id)),
        )
        found = await _permissions(own, caller, own_id)
        [permission] = [one for one in found if one["action"] == action]
        given = {"reasons": "We have looked."} if action in OF_APPEALS else {}
        codes = await _try(own, caller, f"resolution{action.title()}", {"id": own_id, **given})
        refusals = {one["code"] for one in permission["refusals"]}
        assert permission["allowed"] == (not refusals) == (not codes)
        assert set(codes) <= refusals
        waits = ResolutionState.APPEALED if action in OF_APPEALS else ResolutionState.PROPOSED
        assert permission["allowed"] == (who == "sam" and state == waits)


@pytest.mark.parametrize("rejected", [False, True])
@pytest.mark.parametrize("role", CALLERS)
async def test_what_is_allowed_on_an_account_is_what_then_happens(
    own: Platform, role: Role, rejected: bool
) -> None:
    account, program = await create_account(own.run), await publish_program(own.run, owner="olga")
    asked = account_id(account)
    reject = ("accountReject", {"id": asked, "reason": "FRAUD", "statement": "It is fraud."})
    reinstate = ("accountReinstate", {"id": asked, "reason": "It was none."})
    if rejected:
        assert await _try(own, own.reviewer, *reject) == []
    caller = own.user(account) if role is Role.ACCOUNT_USER else own.staff(role, "olga")
    mutations: dict[str, tuple[str, dict[str, Any]]] = {
        "UPDATE": ("accountUpdate", {"id": asked, "businessName": "Acme AG"}),
        "PLACE_HOLD": (
            "holdPlace",
            {"accountId": asked, "capabilities": ["PAYOUTS"], "reason": "OTHER"},
        ),
        "OPEN_REQUIREMENT": ("requirementOpen", {"accountId": asked, "program": program.code}),
        "REJECT": reject,
        "REINSTATE": reinstate,
    }
    found = await _permissions(own, caller, asked)
    assert {one["action"] for one in found} == set(mutations)
    for permission in found:
        codes = await _try(own, caller, *mutations[permission["action"]])
        refusals = {one["code"] for one in permission["refusals"]}
        assert permission["allowed"] == (not refusals) == (not codes)
        assert set(codes) <= refusals
        if not codes and permission["action"] == "REJECT":
            assert await _try(own, own.reviewer, *reinstate) == []


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("role", CALLERS)
async def test_what_is_allowed_on_a_hold_is_what_then_happens(
    own: Platform, role: Role, released: bool
) -> None:
    account = await create_account(own.run)
    hold = await place_hold(own.run, account)
    asked = ids.encode(ids.HOLD, hex_id(hold.account_id), hex_id(hold.id))
    if released:
        assert await _try(own, own.reviewer, "holdRelease", {"id": asked}) == []
    caller = own.user(account) if role is Role.ACCOUNT_USER else own.staff(role, "olga")
    [permission] = await _permissions(own, caller, asked)
    codes = await _try(own, caller, "holdRelease", {"id": asked})
    assert permission["allowed"] == (not codes)
    assert set(codes) <= {one["code"] for one in permission["refusals"]}


@pytest.mark.parametrize("state", ["PUBLISHED", "SUPERSEDED", "RETIRED"])
@pytest.mark.parametrize("owner", ["olga", "identity-team"])
@pytest.mark.parametrize("role", CALLERS)
async def test_what_is_allowed_on_a_program_is_what_then_happens(
    own: Platform, role: Role, owner: str, state: str
) -> None:
    program = await publish_program(own.run, owner=owner)
    if state == "SUPERSEDED":
        await publish_program(own.run, code=program.code, owner=owner)
    given = {"code": program.code, "expectedVersion": 1}
    if state == "RETIRED":
        assert await _try(own, own.integrator, "programRetire", given) == []
    account = await create_account(own.run)
    caller = own.user(account) if role is Role.ACCOUNT_USER else own.staff(role, "olga")
    asked = ids.encode(ids.PROGRAM, hex_id(program.platform_id), hex_id(program.id))
    [permission] = await _permissions(own, caller, asked)
    codes = await _try(own, caller, "programRetire", given)
    assert permission["allowed"] == (not codes)
    if state != "SUPERSEDED":
        assert set(codes) <= {one["code"] for one in permission["refusals"]}
