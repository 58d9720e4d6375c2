"""The number of statements of a query depends on its shape, never on how many rows there are.

The schema is walked: every way from a root field through three fields to objects is asked for on a
platform that has one of everything and on one that has a hundred, by staff and by an account user.
So a new field is tested by being there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import select

from app.seeding import analyze, seed
from models.account import ACCOUNTS
from models.actor import Actor
from models.aggregate import Account
from models.api_key import API_KEYS
from models.clock import ManualClock
from models.program_reads import PROGRAMS
from models.session import transaction
from resolvers import ids
from resolvers.schema import ROWS
from tests.conftest import START
from tests.factories import create_api_key, rotate_api_key
from tests.resolvers.api import Answer, Api, Caller, Platform
from tests.resolvers.scene import create_full_account
from tests.resolvers.walk import (
    GRAPHQL,
    Coverage,
    Path,
    Step,
    ends,
    is_list,
    leads_to_nodes,
    measure_lists,
    named,
    paths,
    query_of,
)

FIRST = 100
# As many are enough further away, and take less long.
FIRST_FAR_AWAY = 36
DEPTH = 3
# The values of what is this far away are asked for on shorter ways already.
WHOLE_DEPTH = 2
TRIES = 100
# Rows of then come first in every order.
LONG_AGO = START - timedelta(days=1_000)
# No event is about these.
NO_SUBJECTS = {"ApiKey", "Event", "Evidence", "Interaction", "Note", "Program"}
# Account users reach nothing of these.
STAFF_ONLY_TYPES = {"ApiKey", "Note"}
# These depend on who asks, not on rows; and an account user sees one account.
MAY_BE_SHORT = {"refusals", "allowedActions", "allowedMutations", "scopes"}
SHORT_FOR_USERS = {"AccountConnection", "ApiKeyConnection", "NoteConnection"}


@dataclass(frozen=True)
class Stage:
    """A platform, and an account on it that has something of everything."""

    platform: Platform
    account: Account
    ids: dict[str, dict[str, list[str]]]
    code: str

    def callers(self) -> dict[str, Caller]:
        """Who asks, by the name of the test's parameter."""
        return {"admin": self.platform.admin, "user": self.platform.user(self.account)}


@pytest.fixture(scope="module")
async def one(api: Api) -> Stage:
    """One of everything."""
    return await _stage(await api.platform())


@pytest.fixture(scope="module")
async def hundred(api: Api, one: Stage, database_url: str) -> Stage:
    """A hundred accounts, one of which has a hundred requirements."""
    platform = await api.platform()
    await seed(database_url, platform.slug, api.clock, 99)
    stage = await _stage(platform, more_requirements=100)
    await analyze(database_url)
    return stage


@dataclass
class Walk:
    """What one caller saw on all ways, and the statements that it took."""

    who: str
    counts: dict[Path, tuple[int, int]] = field(default_factory=dict)
    ends: dict[Path, tuple[int, int]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)
    coverage: Coverage = field(default_factory=set)
    longest: dict[tuple[str, str], int] = field(default_factory=dict)


@pytest.fixture(scope="module", params=["admin", "user"])
async def walk(
    request: pytest.FixtureRequest, api: Api, core_api: Api, one: Stage, hundred: Stage
) -> Walk:
    """Every way, walked by one caller on both platforms, and on one under both executors."""
    found = Walk(request.param)
    for path in paths(DEPTH, _goes_on):
        by_id = not path[0].connection
        if found.who == "user" and by_id and path[0].type in STAFF_ONLY_TYPES:
            # They have no id of one.
            continue
        answers = [
            await _ask(api, stage, request.param, path, found.coverage) for stage in (one, hundred)
        ]
        if answers[0] != await _ask(core_api, one, request.param, path, found.coverage):
            found.otherwise.append(_shown(path))
        for answer in answers:
            found.errors += [f"{_shown(path)}: {error}" for error in answer.errors]
        if not any(answer.errors for answer in answers):
            few, many = answers
            found.counts[path] = len(few.statements), len(many.statements)
            found.ends[path] = _count(few, path), _count(many, path)
            measure_lists("Query", many.data, found.longest)
    return found


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(walk: Walk) -> None:
    grown = {_shown(path): counts for path, counts in walk.counts.items() if len({*counts}) > 1}
    assert grown == {}


def test_both_executors_give_the_same_bodies_by_the_same_statements(walk: Walk) -> None:
    assert walk.otherwise == []


def test_every_way_can_be_asked_for(walk: Walk) -> None:
    assert walk.errors == []


def test_every_way_leads_to_rows(walk: Walk) -> None:
    empty = [
        _shown(path)
        for path, found in walk.ends.items()
        if not all(found) and not any(map(_is_no_subject, path))
        if not (walk.who == "admin" and path[0].field == "viewer")
        if not (walk.who == "user" and any(step.type in STAFF_ONLY_TYPES for step in path))
    ]
    assert empty == [], empty


def test_every_list_holds_several_rows_somewhere(walk: Walk) -> None:
    lists = [
        (one.name, name)
        for one in _readable()
        for name, found in one.fields.items()
        if is_list(found) and name not in MAY_BE_SHORT
        if walk.who == "admin" or one.name not in SHORT_FOR_USERS
    ]
    short = [key for key in lists if walk.longest.get(key, 0) < 2]
    assert short == [], short


def test_every_field_is_asked_for(walk: Walk) -> None:
    known = {(one.name, name) for one in _readable() for name in one.fields}
    assert known - walk.coverage == set()


def _readable() -> Iterable[GraphQLObjectType]:
    """The object types that queries can reach."""
    seen, todo = set[str](), ["Query"]
    while todo:
        found = GRAPHQL.type_map[todo.pop()]
        if found.name in seen:
            continue
        seen.add(found.name)
        if isinstance(found, GraphQLObjectType):
            yield found
            todo += [named(inner).name for inner in found.fields.values()]
        elif leads_to_nodes(found.name):
            todo += [one.name for one in GRAPHQL.get_possible_types(found)]  # type: ignore[arg-type]


def _goes_on(path: Path) -> bool:
    """Whether a way is followed: from objects that are named by ids, less far than from lists."""
    by_id = not path[0].connection and path[0].field != "viewer"
    return len(path) < (DEPTH - 1 if by_id else DEPTH) and not _is_no_subject(path[-1])


def _is_no_subject(step: Step) -> bool:
    return step.field == "subject" and step.type in NO_SUBJECTS


async def _ask(api: Api, stage: Stage, who: str, path: Path, coverage: Coverage) -> Answer:
    """The answer on one way; where it begins with one object, with one for which it goes on."""
    near = len(path) <= WHOLE_DEPTH
    query = query_of(path, coverage, whole=near)
    known = stage.ids[who].get(path[0].type, [""])
    tries = 1 if any(map(_is_no_subject, path)) else TRIES
    for one in known[:tries]:
        given = {
            "first": FIRST if near else FIRST_FAR_AWAY,
            "id": one,
            "ids": known[:FIRST],
            "code": stage.code,
        }
        answer = await api.call(stage.callers()[who], query, given)
        if "$id:" not in query or answer.errors or _count(answer, path) > 0:
            break
    return answer


def _count(answer: Answer, path: Path) -> int:
    return sum(map(len, ends(answer.data, path)))


def _shown(path: Path) -> str:
    return ".".join(map(str, path))


async def _stage(platform: Platform, more_requirements: int = 0) -> Stage:
    run = replace(platform.run, clock=ManualClock(LONG_AGO))
    account = await create_full_account(run, more_requirements)
    second = await rotate_api_key(run, (await create_api_key(run)).key)
    await rotate_api_key(run, second.key)
    actors = {"admin": platform.run.admin, "user": platform.run.account_user(account)}
    shown = {who: await _ids(platform, actor, account) for who, actor in actors.items()}
    row = await platform.api.call(platform.admin, "{ programs(first: 1) { nodes { code } } }")
    return Stage(platform, account, shown, row.data["programs"]["nodes"][0]["code"])


async def _ids(platform: Platform, actor: Actor, account: Account) -> dict[str, list[str]]:
    """The global ids of all rows that the actor sees, by type, those of the account first."""
    tables = {"Account": (ids.ACCOUNT, ACCOUNTS.table), "Program": (ids.PROGRAM, PROGRAMS.table)}
    tables["ApiKey"] = (ids.API_KEY, API_KEYS.table)
    tables |= {name: (prefix, table) for prefix, (name, table) in ROWS.items()}
    found = {}
    async with platform.run.database.session_for(actor) as session, transaction(session, actor):
        for name, (prefix, table) in tables.items():
            if name in STAFF_ONLY_TYPES and not actor.is_staff:
                continue
            scope = table.c.get("account_id", table.c.platform_id)
            keys = [scope, *([table.c.id] if "id" in table.c else [])]
            rows = await session.execute(select(*keys).order_by(scope != account.account_id, *keys))
            found[name] = [f"{prefix}_{''.join(key.hex for key in row)}" for row in rows]
    return found
