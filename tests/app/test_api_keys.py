"""API keys at the door: taken, remembered for a moment, refused within seconds of their end."""

import asyncio
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from app.authentication import api_keys
from app.authentication.api_keys import REMEMBERED, ApiKeys
from app.authentication.refusals import AuthenticationUnavailable, TokenRefused
from app.database import Database
from models.actor import Role
from models.api_key import ApiKey, Issued, hash_of, prefix_of
from models.clock import ManualClock
from models.ids import HexId
from tests.conftest import START
from tests.factories import Runner, create_api_key, create_runner, revoke_api_key, rotate_api_key

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def run(database: Database) -> Runner:
    return await create_runner(database, ManualClock(START))


@pytest.fixture
def keys(run: Runner) -> ApiKeys:
    return ApiKeys(run.database, run.clock)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is sent on the connections that check keys."""
    sent: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engine = database.worker.sync_engine
    event.listen(engine, "before_cursor_execute", heard)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", heard)


def secret_of(issued: Issued) -> str:
    assert issued.secret is not None
    return issued.secret


async def refused(keys: ApiKeys, text: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        await keys.read(text)
    assert str(caught.value) == "The token is not valid, or no longer."


def with_secret(issued: Issued, secret: str) -> str:
    """The key with another secret."""
    return f"{secret_of(issued).rpartition('_')[0]}_{secret}"


async def test_a_key_is_its_service(run: Runner, keys: ApiKeys) -> None:
    issued = await create_api_key(run, name="Monitoring")
    actor = await keys.read(secret_of(issued))
    assert (actor.role, actor.platform_id) == (Role.INTEGRATOR, run.platform_id)
    assert (actor.id, actor.name) == (f"service:{issued.key.service_id}", "Monitoring")


async def test_a_wrong_secret_an_unknown_id_and_another_platform_read_the_same(
    run: Runner, keys: ApiKeys
) -> None:
    issued = await create_api_key(run)
    other = await create_runner(run.database, run.clock)
    secret = secret_of(issued).rpartition("_")[2]
    own = HexId(issued.key.id.hex)
    for text in (
        with_secret(issued, secrets.token_hex(32)),
        with_secret(issued, secret[::-1]),
        f"{prefix_of(HexId(run.platform_id.hex), HexId('0' * 32))}_{secret}",
        f"{prefix_of(HexId(other.platform_id.hex), own)}_{secret}",
        secret_of(issued).upper(),
        secret_of(issued) + "0",
        secret_of(issued)[:-1],
        issued.key.id.hex,
        "rk_",
    ):
        await refused(keys, text)
    assert (await keys.read(secret_of(issued))).id


async def test_unknown_ids_and_wrong_secrets_take_the_same_steps(
    run: Runner, keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement the first time, none the second; one hash and one comparison each time."""
    steps: list[str] = []
    compare = hmac.compare_digest

    def compared(one: str, other: str) -> bool:
        steps.append("=")
        return compare(one, other)

    def hashed(text: str) -> str:
        steps.append("#")
        return hash_of(text)

    monkeypatch.setattr("app.authentication.api_keys.hmac.compare_digest", compared)
    monkeypatch.setattr("app.authentication.api_keys.hash_of", hashed)
    issued = await create_api_key(run)
    unknown = prefix_of(HexId(run.platform_id.hex), HexId("1" * 32))
    taken = []
    for text in (with_secret(issued, "0" * 64), f"{unknown}_{'0' * 64}"):
        for _ in range(2):
            steps.clear()
            with statements(run.database) as sent:
                await refused(keys, text)
            taken.append((len(sent), "".join(steps)))
    assert taken == [(1, "#="), (0, "#="), (1, "#="), (0, "#=")]


async def test_a_key_is_looked_up_once_in_five_seconds_by_all_at_once(
    run: Runner, keys: ApiKeys
) -> None:
    secret = secret_of(await create_api_key(run))
    with statements(run.database) as sent:
        await asyncio.gather(*(keys.read(secret) for _ in range(50)))
        await keys.close()
    assert len([one for one in sent if one.startswith("SELECT")]) == 1
    run.clock.advance(REMEMBERED - timedelta(milliseconds=1))
    with statements(run.database) as sent:
        await keys.read(secret)
    assert sent == []
    run.clock.advance(timedelta(milliseconds=1))
    with statements(run.database) as sent:
        await keys.read(secret)
    assert len(sent) == 1


async def test_a_revoked_key_is_taken_for_five_seconds_at_most(run: Runner, keys: ApiKeys) -> None:
    issued = await create_api_key(run)
    await keys.read(secret_of(issued))
    await revoke_api_key(run, issued.key)
    run.clock.advance(REMEMBERED)
    await refused(keys, secret_of(issued))
    # Who had not heard of it never takes it.
    await refused(ApiKeys(run.database, run.clock), secret_of(issued))
    assert timedelta(seconds=5) == REMEMBERED


async def test_a_key_that_is_made_is_taken_within_five_seconds_of_being_asked_for(
    run: Runner, keys: ApiKeys
) -> None:
    issued = await create_api_key(run)
    with_typo = with_secret(issued, "0" * 64)
    await refused(keys, with_typo)
    await keys.read(secret_of(issued))


async def test_a_key_expires_at_its_instant_though_it_is_remembered(
    run: Runner, keys: ApiKeys
) -> None:
    issued = await create_api_key(run, expires_at=START + timedelta(seconds=2))
    await keys.read(secret_of(issued))
    run.clock.advance(timedelta(seconds=2))
    with statements(run.database) as sent:
        await refused(keys, secret_of(issued))
    assert sent == []


async def test_both_keys_are_taken_while_they_overlap(run: Runner, keys: ApiKeys) -> None:
    old = await create_api_key(run)
    new = await rotate_api_key(run, old.key, overlap="PT1H")
    assert await keys.read(secret_of(old)) == await keys.read(secret_of(new))
    run.clock.advance(timedelta(hours=1))
    await refused(keys, secret_of(old))
    await keys.read(secret_of(new))


async def last_used(run: Runner, issued: Issued) -> Any:
    return (await run.fetch(ApiKey, issued.key.platform_id, issued.key.id)).last_used_at


async def test_the_last_use_is_written_once_a_minute_and_changes_nothing_else(
    run: Runner, keys: ApiKeys
) -> None:
    issued = await create_api_key(run)
    assert await last_used(run, issued) is None
    for seconds, expected in ((0, 0), (59, 0), (1, 60), (30, 60)):
        run.clock.advance(timedelta(seconds=seconds))
        with statements(run.database) as sent:
            await keys.read(secret_of(issued))
            await keys.close()
        assert await last_used(run, issued) == START + timedelta(seconds=expected)
        assert len([one for one in sent if one.startswith("UPDATE")]) == (seconds in (0, 1))
    key = await run.fetch(ApiKey, issued.key.platform_id, issued.key.id)
    assert (key.version, key.updated_at) == (1, START)


async def test_what_is_refused_is_no_use(run: Runner, keys: ApiKeys) -> None:
    issued = await create_api_key(run)
    await refused(keys, with_secret(issued, "0" * 64))
    await keys.close()
    assert await last_used(run, issued) is None


async def test_a_store_that_is_away_refuses_nobody(
    run: Runner, keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, OSError("gone"))

    issued = await create_api_key(run)
    monkeypatch.setattr(api_keys, "find_key", away)
    with pytest.raises(AuthenticationUnavailable):
        await keys.read(secret_of(issued))
    monkeypatch.undo()
    await keys.read(secret_of(issued))


async def test_made_up_keys_push_no_good_one_out_of_memory(
    run: Runner, keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MAX_MISSING", 10)
    keys = ApiKeys(run.database, run.clock)
    secret = secret_of(await create_api_key(run))
    await keys.read(secret)
    for number in range(30):
        made_up = prefix_of(HexId(run.platform_id.hex), HexId(f"{number:032x}"))
        await refused(keys, f"{made_up}_{'0' * 64}")
    assert len(keys._missing) == 10
    with statements(run.database) as sent:
        await keys.read(secret)
    assert sent == []
