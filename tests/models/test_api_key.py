"""API keys: made, rotated with an overlap, revoked; what is kept of them, and who keeps them."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database
from models import api_key
from models.actor import Actor, Role, Scope
from models.api_key import (
    KEY_ROLES,
    LIFECYCLE,
    ApiKey,
    ApiKeyAction,
    ApiKeyState,
    CreateApiKey,
    Issued,
    RevokeApiKey,
    RotateApiKey,
    hash_of,
    ids_in,
    permissions,
)
from models.api_key_use import find_key
from models.clock import ManualClock
from models.errors import (
    ErrorCode,
    Forbidden,
    IdempotencyKeyReused,
    IllegalTransition,
    InvalidInput,
    NotFound,
    RecourseError,
    StaleVersion,
)
from tests.conftest import START
from tests.factories import Runner, create_api_key, create_runner, revoke_api_key, rotate_api_key

WAIVE = Scope.REQUIREMENT_WAIVE
# The table, written a second time: the code's must be this one.
ARROWS = {
    ("ACTIVE", "ROTATE"): "ROTATED",
    ("ACTIVE", "REVOKE"): "REVOKED",
    ("ROTATED", "REVOKE"): "REVOKED",
}


@pytest.fixture
async def run(database: Database) -> Runner:
    return await create_runner(database, ManualClock(START))


async def stored(run: Runner, key: ApiKey) -> ApiKey:
    """The key as the store has it."""
    return await run.fetch(ApiKey, key.platform_id, key.id)


async def known(run: Runner, secret: str | None) -> Actor | None:
    """Whom the key speaks for at this instant, if it is good."""
    assert secret is not None
    ids = ids_in(secret)
    assert ids is not None
    async with run.database.worker.connect() as connection:
        found = await find_key(connection, *ids)
    assert found is not None
    good = found.hash == hash_of(secret) and found.is_good_at(run.clock.now())
    return found.actor if good else None


async def test_a_key_speaks_for_its_service(run: Runner) -> None:
    issued = await create_api_key(run, name="Monitoring", scopes=(WAIVE, WAIVE))
    key = await stored(run, issued.key)
    assert (key.state, key.version, key.created_at) == (ApiKeyState.ACTIVE, 1, START)
    assert (key.created_by_kind, key.created_by_id) == ("REVIEWER", run.admin.id)
    assert (key.expires_at, key.last_used_at) == (None, None)
    assert await known(run, issued.secret) == Actor(
        Role.INTEGRATOR,
        f"service:{key.service_id}",
        run.platform_id,
        name="Monitoring",
        scopes=frozenset({WAIVE}),
    )


async def test_the_secret_is_nowhere_but_in_what_is_given_back(
    run: Runner, owner_engine: AsyncEngine
) -> None:
    issued = await create_api_key(run, idempotency_key="once")
    assert issued.secret is not None
    assert re.fullmatch(r"rk_[0-9a-f]{32}_[0-9a-f]{32}_[0-9a-f]{64}", issued.secret)
    secret = issued.secret.rpartition("_")[2]
    assert secret not in repr(issued)
    assert secret not in repr(vars(issued.key))
    async with owner_engine.connect() as connection:
        for table in ("api_keys", "platform_idempotency_keys", "events", "outbox"):
            rows = await connection.scalars(text(f"SELECT t::text FROM {table} t"))
            assert not [row for row in rows if secret in row], table


async def test_a_replay_gives_the_key_without_its_secret(run: Runner) -> None:
    command = CreateApiKey("Monitoring", Role.INTEGRATOR, idempotency_key="once")
    first = await run(api_key.create, run.admin, command)
    second = await run(api_key.create, run.admin, command)
    assert (first.replayed, second.replayed) == (False, True)
    assert second.value.key.id == first.value.key.id
    assert (first.value.secret is None, second.value.secret) == (False, None)
    again = RotateApiKey(first.value.key.id, idempotency_key="twice")
    rotated = await run(api_key.rotate, run.admin, again)
    replay = await run(api_key.rotate, run.admin, again)
    assert (replay.replayed, replay.value.secret) == (True, None)
    assert replay.value.key.id == rotated.value.key.id
    with pytest.raises(IdempotencyKeyReused):
        await run(api_key.rotate, run.admin, replace(again, overlap="P2D"))


async def test_a_rotated_key_lives_on_beside_the_new_one_for_the_overlap(run: Runner) -> None:
    first = await create_api_key(run, scopes=(WAIVE,))
    run.clock.advance(timedelta(days=3))
    second = await rotate_api_key(run, first.key, overlap="PT2H")
    service = await known(run, first.secret)
    assert service is not None
    assert await known(run, second.secret) == service
    old, new = await stored(run, first.key), await stored(run, second.key)
    assert (old.state, old.replaced_by, old.version) == (ApiKeyState.ROTATED, new.id, 2)
    assert old.expires_at == run.clock.now() + timedelta(hours=2)
    kept = ("service_id", "name", "role", "scopes")
    assert [getattr(new, name) for name in kept] == [getattr(old, name) for name in kept]
    run.clock.advance(timedelta(hours=2))
    assert await known(run, first.secret) is None
    assert await known(run, second.secret) is not None


async def test_an_overlap_lengthens_no_life(run: Runner) -> None:
    end = START + timedelta(hours=1)
    issued = await create_api_key(run, expires_at=end)
    await rotate_api_key(run, issued.key, overlap="P1D")
    assert (await stored(run, issued.key)).expires_at == end


async def test_a_key_expires(run: Runner) -> None:
    issued = await create_api_key(run, expires_at=START + timedelta(hours=1))
    run.clock.advance(timedelta(minutes=59))
    assert await known(run, issued.secret) is not None
    run.clock.advance(timedelta(minutes=1))
    assert await known(run, issued.secret) is None


async def test_a_revoked_key_is_good_no_more_whatever_a_lagging_clock_says(run: Runner) -> None:
    issued = await create_api_key(run)
    await revoke_api_key(run, issued.key)
    key = await stored(run, issued.key)
    assert (key.state, key.revoked_at, key.version) == (ApiKeyState.REVOKED, START, 2)
    assert (key.revoked_by_kind, key.revoked_by_id) == ("REVIEWER", run.admin.id)
    run.clock.advance(timedelta(days=-1))
    assert await known(run, issued.secret) is None


async def in_state(run: Runner, state: str) -> Issued:
    issued = await create_api_key(run)
    if state == "ROTATED":
        await rotate_api_key(run, issued.key)
    elif state == "REVOKED":
        await revoke_api_key(run, issued.key)
    return issued


@pytest.mark.parametrize(("state", "action"), list(product(ApiKeyState, ApiKeyAction)))
async def test_the_lifecycle_is_the_one_of_the_table(
    run: Runner, state: ApiKeyState, action: ApiKeyAction
) -> None:
    assert LIFECYCLE.transitions == ARROWS
    key = (await in_state(run, state)).key
    done = rotate_api_key if action is ApiKeyAction.ROTATE else revoke_api_key
    [shown] = [p for p in permissions(await stored(run, key), run.admin) if p.action == action]
    assert shown.allowed == ((state, action) in ARROWS)
    if shown.allowed:
        await done(run, key)
        assert (await stored(run, key)).state == ARROWS[state, action]
        return
    with pytest.raises(IllegalTransition) as caught:
        await done(run, key)
    assert caught.value.message.startswith(f"An API key that is {state} does not allow {action}.")
    assert (await stored(run, key)).state == state


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_administrators_keep_keys(run: Runner, role: Role) -> None:
    if role is Role.SYSTEM:
        return
    actor = Actor(role, "eve", run.platform_id, scopes=frozenset(Scope))
    issued = await create_api_key(run)
    for operation, command in (
        (api_key.create, CreateApiKey("Monitoring", Role.INTEGRATOR)),
        (api_key.rotate, RotateApiKey(issued.key.id)),
        (api_key.revoke, RevokeApiKey(issued.key.id)),
    ):
        with pytest.raises(Forbidden):
            await run(operation, actor, command)  # type: ignore[arg-type]
    key = await stored(run, issued.key)
    codes = {refusal.code for p in permissions(key, actor) for refusal in p.refusals}
    assert codes == {ErrorCode.FORBIDDEN}


async def test_nobody_gives_a_scope_that_is_not_theirs(run: Runner) -> None:
    without = Actor(Role.ADMIN, "ada", run.platform_id)
    for scopes in ((WAIVE,), ("requirement:waive", "requirement:waive")):
        with pytest.raises(Forbidden) as caught:
            await run(api_key.create, without, CreateApiKey("M", Role.INTEGRATOR, scopes))
        assert caught.value.field == ("scopes", "0")
    issued = await create_api_key(run, scopes=(WAIVE,))
    with pytest.raises(Forbidden):
        await run(api_key.rotate, without, RotateApiKey(issued.key.id))
    [rotate, revoke] = permissions(await stored(run, issued.key), without)
    assert (rotate.allowed, revoke.allowed) == (False, True)
    await run(api_key.revoke, without, RevokeApiKey(issued.key.id))


@pytest.mark.parametrize("role", [*(r for r in Role if r not in KEY_ROLES), "root", ""])
async def test_a_key_stands_for_no_person(run: Runner, role: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await create_api_key(run, role=role)
    assert caught.value.field == ("role",)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, ("name",)),
        ({"name": "a\nb"}, ("name",)),
        ({"name": "a" * 201}, ("name",)),
        ({"scopes": ("root",)}, ("scopes", "0")),
        ({"scopes": (WAIVE,) * 21}, ("scopes",)),
        ({"expires_at": START}, ("expiresAt",)),
        ({"idempotency_key": ""}, ("idempotencyKey",)),
    ],
)
async def test_what_can_not_be_is_refused(
    run: Runner, values: dict[str, object], field: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await create_api_key(run, **values)
    assert caught.value.field == field


@pytest.mark.parametrize("overlap", ["PT0S", "-P1D", "P11Y", "a day"])
async def test_an_overlap_is_a_duration(run: Runner, overlap: str) -> None:
    issued = await create_api_key(run)
    with pytest.raises(InvalidInput) as caught:
        await rotate_api_key(run, issued.key, overlap=overlap)
    assert caught.value.field == ("overlap",)
    assert (await stored(run, issued.key)).state == ApiKeyState.ACTIVE


async def test_a_key_of_another_platform_is_not_there(run: Runner, database: Database) -> None:
    other = await create_runner(database, ManualClock(START))
    issued = await create_api_key(run)
    for change in (rotate_api_key, revoke_api_key):
        with pytest.raises(NotFound):
            await change(other, issued.key)
    assert await known(run, issued.secret) is not None


async def test_who_has_seen_another_version_changes_nothing(run: Runner) -> None:
    issued = await create_api_key(run)
    for change in (rotate_api_key, revoke_api_key):
        with pytest.raises(StaleVersion):
            await change(run, issued.key, expected_version=2)
    await revoke_api_key(run, issued.key, expected_version=1)


async def test_of_two_who_rotate_at_once_one_does(run: Runner) -> None:
    issued = await create_api_key(run)
    done = await asyncio.gather(
        *(rotate_api_key(run, issued.key) for _ in range(4)), return_exceptions=True
    )
    assert len([one for one in done if isinstance(one, Issued)]) == 1
    assert all(isinstance(one, Issued | RecourseError) for one in done)
    async with run.database.session_for(run.system) as session:
        query = select(ApiKey.state).where(ApiKey.platform_id == run.platform_id)
        assert sorted(await session.scalars(query)) == ["ACTIVE", "ROTATED"]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "rk_",
        "rk_1_2_3",
        "RK_" + "0" * 32,
        f"rk_{'0' * 32}_{'0' * 32}_{'0' * 63}",
        f"rk_{'0' * 32}_{'0' * 32}_{'0' * 64}\n",
        f"rk_{'0' * 32}_{'0' * 32}_{'g' * 64}",
    ],
)
def test_what_has_not_the_form_of_a_key_is_none(given: str) -> None:
    assert ids_in(given) is None
