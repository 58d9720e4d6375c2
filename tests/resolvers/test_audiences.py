"""What each role reads is what the table of audiences says, of every field of the schema.

Two accounts with something of everything are read by every role, each object by its id. All of what
an administrator sees is held against what the others do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLNamedType, GraphQLObjectType, is_leaf_type
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from models import delivery
from models import requirement_operations as requirements
from models.account_rejection import ReinstateAccount, RejectAccount, reinstate, reject
from models.actor import Role
from models.aggregate import Account
from models.authorisation import CALLERS, MUTATIONS
from models.delivery import ReportInteraction
from models.ids import hex_id
from models.interaction_steps import Failure
from models.program import BusinessCalendar
from models.requirement_operations import Assign
from models.resolution import ResolutionOutcome
from resolvers import ids
from resolvers.audiences import FIELDS, Audience, audience_of, fields_of, markdown
from resolvers.schema import ROWS
from tests.factories import (
    REJECTION,
    Runner,
    contact_key,
    create_interaction,
    create_requirement,
    decide,
    key_of,
    object_to,
)
from tests.resolvers.api import Api, Caller, Platform
from tests.resolvers.scene import create_full_account, publish_full_program
from tests.resolvers.walk import (
    GRAPHQL,
    is_connection,
    named,
    object_type,
)

PAGE = Path(__file__).parents[2] / "resolvers" / "README.md"
BEGIN, END = "<!-- audiences:", "<!-- /audiences -->"
STAFF = [role for role in CALLERS if role is not Role.ACCOUNT_USER]
MOST = 40
# Read elsewhere: who asks, what mutations answer, pages, errors; API keys, on no account.
NO_VALUES = {"ApiKey", "Query", "Viewer", "Refusal", "UserError", "PageInfo"}


def object_types() -> Iterable[GraphQLObjectType]:
    for name, found in GRAPHQL.type_map.items():
        if isinstance(found, GraphQLObjectType) and not name.startswith("__"):
            yield found


def test_the_table_knows_every_field_and_no_other() -> None:
    for found in object_types():
        if found.name == "Mutation":
            assert set(found.fields) == set(MUTATIONS)
            continue
        known, shown = set(fields_of(found.name)), set(found.fields)
        unknown = sorted(shown - known)
        assert not unknown, f"say in resolvers/audiences.py who reads {unknown} of {found.name}"
        assert found.name.endswith("Payload") or known == shown, found.name
    assert set(FIELDS) <= {found.name for found in object_types()}


def test_a_field_for_staff_says_so() -> None:
    for name, fields in FIELDS.items():
        for own, audience in fields.items():
            if audience is Audience.STAFF:
                found = object_type(name)
                words = f"{found.description} {found.fields[own].description}"
                assert "staff" in words or "account users" in words, f"{name}.{own}"


def test_the_page_shows_what_is_not_for_everybody() -> None:
    between = PAGE.read_text().partition(BEGIN)[2].partition("-->\n")[2].partition(END)[0]
    assert between.strip() == markdown(), f"put this between the marks of {PAGE}:\n{markdown()}"


@dataclass
class Compared:
    """Fields of which an administrator's value was held against another's; `told` had one."""

    seen: set[tuple[str, str]] = field(default_factory=set)
    told: set[tuple[str, str]] = field(default_factory=set)
    otherwise: list[str] = field(default_factory=list)

    def objects(self, role: Role, kind: str, by_admin: Any, by_other: Any) -> None:
        """Hold an object as one role sees it against the administrator's view."""
        for name, value in by_admin.items():
            if name == "__typename":
                continue
            self._field(role, kind, name, value, by_other)

    def _field(self, role: Role, kind: str, name: str, value: Any, by_other: Any) -> None:
        audience, other = audience_of(kind, name), by_other[name]
        if audience is Audience.VIEWER:
            return
        self.seen.add((kind, name))
        if value is not None:
            self.told.add((kind, name))
        user = role is Role.ACCOUNT_USER
        inner = named(object_type(kind).fields[name])
        if user and audience is Audience.STAFF:
            good = other is None
        elif user and audience is Audience.NAMES and by_other["kind"] != "ACCOUNT_USER":
            good = other == (by_other["kind"].lower() if name == "id" else None)
        elif not _is_value(inner) or value is None or other is None:
            good = other == value
        else:
            pairs = zip(value, other, strict=True) if isinstance(value, list) else [(value, other)]
            for one, another in pairs:
                self.objects(role, inner.name, one, another)
            return
        if not good:
            self.otherwise.append(f"{kind}.{name} to {role}: {other!r}, not {value!r}")


@dataclass(frozen=True)
class Scene:
    """A platform with two accounts, and the global ids of their objects by type."""

    platform: Platform
    accounts: tuple[Account, Account]
    known: tuple[Mapping[str, list[str]], Mapping[str, list[str]]]

    def caller(self, role: Role, account: Account) -> Caller:
        """Somebody of the role; of the account, if it is an account user's."""
        if role is Role.ACCOUNT_USER:
            return self.platform.user(account)
        return self.platform.staff(role, "olga")


@pytest.fixture(scope="module")
async def scene(api: Api, owner_engine: AsyncEngine) -> Scene:
    platform = await api.platform()
    run = platform.run
    first, second = await create_full_account(run), await create_full_account(run)
    for account in (first, second):
        await _write_more(run, account)
    await _reject(run, first)
    await _reject(run, second)
    again = ReinstateAccount(account_id=second.account_id, reason="It was none.")
    await run(reinstate, run.reviewer, again)
    known = [await _known(owner_engine, run, account) for account in (first, second)]
    return Scene(platform, (first, second), (known[0], known[1]))


async def _write_more(run: Runner, account: Account) -> None:
    """What the account has not yet: an assignee, a failure in staff's words, an open appeal."""
    place = BusinessCalendar("DE", "Europe/Berlin")
    program = await publish_full_program(run, business_calendar=place)
    row = await create_requirement(run, "IN_REVIEW", account, program)
    command = Assign(**key_of(row), assignee_id="rita", assignee_name="Rita")
    await run(requirements.assign, run.reviewer, command)
    await decide(run, row, ResolutionOutcome.WAIVED)
    await create_interaction(run, "SENT", row)
    failed = await create_interaction(run, "SENT", row)
    failure = Failure("smtp_451", "LDAP bind failed")
    report = ReportInteraction(**contact_key(failed), report="FAILED", failure=failure)
    await run(delivery.report, run.integrator, report)
    refused = await create_requirement(run, "IN_REVIEW", account, program)
    await decide(run, refused, ResolutionOutcome.REJECTED)
    await object_to(run, refused)


async def _reject(run: Runner, account: Account) -> None:
    command = RejectAccount(
        account_id=account.account_id, reason="FRAUD", statement=REJECTION.facts or ""
    )
    await run(reject, run.reviewer, command)


async def _known(owner: AsyncEngine, run: Runner, account: Account) -> dict[str, list[str]]:
    found = {"Account": [ids.encode_one(ids.ACCOUNT, hex_id(account.account_id))]}
    async with owner.connect() as connection:
        for prefix, (name, table) in ROWS.items():
            rows = select(table.c.id).where(table.c.account_id == account.account_id)
            own = await connection.scalars(rows.order_by(table.c.id.desc()).limit(MOST))
            found[name] = [f"{prefix}_{account.account_id.hex}{one.hex}" for one in own]
        of_platform = text("SELECT id FROM programs WHERE platform_id = :p")
        own = await connection.scalars(of_platform, {"p": run.platform_id})
        found["Program"] = [f"{ids.PROGRAM}_{run.platform_id.hex}{one.hex}" for one in own]
    return found


def selection(kind: str) -> str:
    """All fields of an object; of what has an id of its own, only whether it is there."""
    found = ["__typename"]
    for name, own in object_type(kind).fields.items():
        inner = named(own)
        page = "(first: 1)" if is_connection(inner) else ""
        if is_leaf_type(inner):
            found.append(name)
        elif _is_value(inner):
            found.append(f"{name} {{ {selection(inner.name)} }}")
        else:
            found.append(f"{name}{page} {{ __typename }}")
    return " ".join(found)


def _is_value(found: GraphQLNamedType) -> bool:
    """Whether objects of the type are part of another, without an id of their own."""
    if not isinstance(found, GraphQLObjectType) or is_connection(found):
        return False
    return all(own.name != "Node" for own in found.interfaces)


async def read(scene: Scene, caller: Caller, kind: str, known: list[str]) -> dict[str, Any]:
    """The objects that the caller sees of these, by id."""
    query = (
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {selection(kind)} }} }} }}"
    )
    answer = await scene.platform.api.call(caller, query, {"ids": known})
    assert set(answer.codes) <= {"NOT_FOUND"}, answer.body
    return {one["id"]: one for one in answer.body["data"]["nodes"] if one is not None}


@pytest.fixture(scope="module", params=CALLERS)
async def compared(request: pytest.FixtureRequest, scene: Scene) -> tuple[Role, Compared]:
    """All of both accounts, as one role sees it."""
    found = Compared()
    for account, known in zip(scene.accounts, scene.known, strict=True):
        for kind, own in known.items():
            by_admin = await read(scene, scene.platform.admin, kind, own)
            assert len(by_admin) == len(own) > 0, kind
            by_other = await read(scene, scene.caller(request.param, account), kind, own)
            if request.param in STAFF:
                assert set(by_other) == set(by_admin), kind
            elif kind == "Note":
                assert by_other == {}
            else:
                assert by_other, kind
            for one, shown in by_other.items():
                found.objects(request.param, kind, by_admin[one], shown)
    return request.param, found


def test_each_role_reads_what_the_table_says(compared: tuple[Role, Compared]) -> None:
    _, found = compared
    assert found.otherwise == []


def test_every_field_was_read_with_a_value(compared: tuple[Role, Compared]) -> None:
    role, found = compared
    wanted = {
        (kind, name)
        for kind, fields in FIELDS.items()
        if kind not in NO_VALUES and (role is not Role.ACCOUNT_USER or kind != "Note")
        for name, audience in fields.items()
        if audience is not Audience.VIEWER
    }
    assert found.seen == wanted
    for_staff = {(k, n) for k, n in wanted if audience_of(k, n) is not Audience.ALL}
    assert for_staff - found.told == set()
