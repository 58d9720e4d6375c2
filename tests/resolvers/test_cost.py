"""What a request reads is counted, wherever it is read, and is bounded.

A field that loads counts one for each object that it is asked of, and one for each object in the
lists that it gives; both executors count the same.
"""

from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from graphql import GraphQLObjectType, introspection_types

from app.application import build_application
from app.running import context_of
from app.settings import ExecutorName, Settings
from models.ids import hex_id
from resolvers import ids
from resolvers.batching import BatchedField
from resolvers.context import Context
from tests.factories import create_account, open_requirement, place_hold, publish_program
from tests.resolvers.api import Answer, Api, Platform
from tests.resolvers.inputs import account_id, requirement_id
from tests.resolvers.walk import GRAPHQL, is_list

ACCOUNTS, EACH, HOLDS = 3, 2, 2
REQUIREMENTS = ACCOUNTS * EACH
LEAST_LIMIT = 100


@dataclass(frozen=True)
class Scene:
    """A platform with so many accounts, and so many requirements and holds on each."""

    platform: Platform
    values: dict[str, str]


@pytest.fixture(scope="module")
async def scene(api: Api) -> Scene:
    """The platform, and what queries name."""
    platform = await api.platform()
    run, program = platform.run, await publish_program(platform.run)
    accounts = [await create_account(run) for _ in range(ACCOUNTS)]
    rows = [await open_requirement(run, one, program) for one in accounts for _ in range(EACH)]
    for one in [*accounts] * HOLDS:
        await place_hold(run, one)
    values = {
        "ACCOUNT": account_id(accounts[0]),
        "EXTERNAL": accounts[0].external_id,
        "REQUIREMENT": requirement_id(rows[0]),
        "PROGRAM": ids.encode(ids.PROGRAM, hex_id(program.platform_id), hex_id(program.id)),
        "CODE": program.code,
    }
    return Scene(platform, values)


@pytest.fixture(params=list(ExecutorName))
async def executor(request: pytest.FixtureRequest) -> ExecutorName:
    """Each of the executors."""
    found: ExecutorName = request.param
    return found


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Context]:
    """The contexts of the requests that are answered meanwhile."""
    seen: list[Context] = []

    def kept(*given: Any) -> Context:
        seen.append(context_of(*given))
        return seen[-1]

    monkeypatch.setattr("app.http.context_of", kept)
    return seen


async def ask(scene: Scene, query: str, executor: ExecutorName, limit: int) -> Answer:
    """The answer of a server that lets a request read so many objects."""
    api = scene.platform.api
    settings = Settings(executor=executor, max_nodes=limit)
    application = build_application(settings, api.database, api.signer, api.clock)
    for name, value in scene.values.items():
        query = query.replace(f"${name}", f'"{value}"')
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
        return await replace(api, client=client).call(scene.platform.admin, query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ viewer { id } }", 0),
        ("{ node(id: $ACCOUNT) { id } }", 1),
        ("{ account(externalId: $EXTERNAL) { id } }", 1),
        ("{ requirement(id: $REQUIREMENT) { id } }", 1),
        ("{ program(code: $CODE) { id } }", 1),
        ("{ nodes(ids: [$ACCOUNT, $REQUIREMENT, $PROGRAM]) { id } }", 1 + 3),
        ("{ accounts(first: 50) { nodes { id } } }", 1 + ACCOUNTS),
        ("{ accounts(first: 50) { edges { cursor node { id } } } }", 1 + ACCOUNTS),
        # The row that tells that the list goes on is not shown.
        ("{ requirements(first: 2) { nodes { id } } }", 1 + 2),
        ("{ requirements(last: 2) { nodes { id } } }", 1 + 2),
        ("{ requirements(first: 0) { totalCount } }", 1 + 1),
        (
            "{ a: accounts(first: 9) { nodes { id } } b: accounts(first: 1) { nodes { id } } }",
            (1 + ACCOUNTS) + (1 + 1),
        ),
        (
            "{ requirements(first: 50) { nodes { account { id } } } }",
            (1 + REQUIREMENTS) + REQUIREMENTS,
        ),
        (
            "{ accounts(first: 50) { nodes { requirements(first: 50) { nodes { id } } } } }",
            (1 + ACCOUNTS) + (ACCOUNTS + REQUIREMENTS),
        ),
        (
            "{ accounts(first: 50) { nodes { requirements(first: 1) { nodes { id } } } } }",
            (1 + ACCOUNTS) + (ACCOUNTS + ACCOUNTS),
        ),
        ("{ account(id: $ACCOUNT) { holds { id } } }", 1 + (1 + HOLDS)),
        ("{ account(id: $ACCOUNT) { capabilities { kind } } }", 1 + (1 + 3)),
        (
            "{ account(id: $ACCOUNT) { capabilities { restrictedBy { __typename } } } }",
            1 + (1 + 3) + (3 + HOLDS),
        ),
        (
            "{ requirements(first: 3) { nodes { account { holds { id } } } } }",
            (1 + 3) + 3 + (3 + 3 * HOLDS),
        ),
    ],
)
async def test_what_is_loaded_counts_wherever_it_is(
    scene: Scene, counted: list[Context], executor: ExecutorName, query: str, expected: int
) -> None:
    answer = await ask(scene, query, executor, LEAST_LIMIT)
    assert answer.errors == []
    [context] = counted
    assert context.nodes == expected


def test_every_list_that_is_loaded_is_known_for_one() -> None:
    found = {}
    for kind in GRAPHQL.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind.name not in introspection_types:
            for name, field in kind.fields.items():
                declared = field.extensions.get("strawberry-definition")
                if isinstance(declared, BatchedField) and declared.waits:
                    found[f"{kind.name}.{name}"] = (declared.gives_lists, is_list(field))
    assert found["Interaction.requirements"] == (True, True)
    assert {where: pair for where, pair in found.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize(
    ("many", "each"),
    [
        ("requirements(first: 100) { nodes { id title state } }", 1 + REQUIREMENTS),
        ("nodes(ids: [$ACCOUNT, $REQUIREMENT, $PROGRAM]) { id }", 1 + 3),
        ("node(id: $ACCOUNT) { id }", 1),
        ("account(id: $ACCOUNT) { holds { id } }", 1 + (1 + HOLDS)),
        ("program(code: $CODE) { id }", 1),
    ],
)
async def test_many_root_fields_are_bounded_together(
    scene: Scene, executor: ExecutorName, many: str, each: int
) -> None:
    fits = LEAST_LIMIT // each
    for times, codes in ((fits, set()), (fits + 1, {"QUERY_TOO_COSTLY"})):
        query = " ".join(f"a{n}: {many}" for n in range(times))
        answer = await ask(scene, f"{{ {query} }}", executor, LEAST_LIMIT)
        assert set(answer.codes) == codes
