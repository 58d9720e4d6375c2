"""API keys: looked up by the ids in them, compared by their hash.

A key is looked up once in `REMEMBERED`, so that one that is revoked is taken no longer than that.
What is not there is remembered as well. Whether an id is unknown or a secret wrong, the same is
done: one look-up, one hash, one comparison in constant time.
"""

import asyncio
import hmac
import uuid
from datetime import datetime, timedelta

import structlog

from app.authentication.memory import Memory
from app.authentication.refusals import AuthenticationUnavailable, TokenRefused
from app.database import REFUSALS, Database
from models.actor import Actor
from models.api_key import hash_of, ids_in
from models.api_key_use import USE_RESOLUTION, KnownKey, find_key, note_use
from models.clock import Clock

REMEMBERED = timedelta(seconds=5)
MAX_KEYS = 10_000
MAX_MISSING = 10_000
# The platform's id and the key's own.
Ids = tuple[uuid.UUID, uuid.UUID]
# No key has this hash.
NOBODYS = "0" * 64

log = structlog.get_logger()


class ApiKeys:
    """Checks API keys against the store."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # With the instant of the look.
        self._found: Memory[Ids, tuple[KnownKey, datetime]] = Memory(MAX_KEYS)
        self._missing: Memory[Ids, datetime] = Memory(MAX_MISSING)
        self._looking: dict[Ids, asyncio.Task[KnownKey | None]] = {}
        self._used: Memory[Ids, datetime] = Memory(MAX_KEYS)
        self._writing: set[asyncio.Task[None]] = set()

    def knows(self, text: str) -> bool:
        """Whether the key was found good before."""
        ids = ids_in(text)
        found = None if ids is None else self._found.get(ids)
        return found is not None and hmac.compare_digest(found[0].hash, hash_of(text))

    async def read(self, text: str) -> Actor:
        """The service whose key it is; raises `TokenRefused` or `AuthenticationUnavailable`."""
        ids = ids_in(text)
        if ids is None:
            raise TokenRefused
        hashed = hash_of(text)
        key = await self._look_up(ids)
        is_genuine = hmac.compare_digest(NOBODYS if key is None else key.hash, hashed)
        now = self._clock.now()
        if key is None or not is_genuine or not key.is_good_at(now):
            raise TokenRefused
        self._note_use(ids, key, now)
        return key.actor

    async def close(self) -> None:
        """Finish what is being written."""
        await asyncio.gather(*self._writing, *self._looking.values(), return_exceptions=True)

    async def _look_up(self, ids: Ids) -> KnownKey | None:
        """The key as the store had it a moment ago."""
        since = self._clock.now() - REMEMBERED
        found = self._found.get(ids)
        if found is not None and found[1] > since:
            return found[0]
        missed_at = self._missing.get(ids)
        if missed_at is not None and missed_at > since:
            return None
        task = self._looking.get(ids)
        if task is None:
            task = self._looking[ids] = asyncio.create_task(self._find(ids))
        # Who goes away takes nobody else's answer along.
        return await asyncio.shield(task)

    async def _find(self, ids: Ids) -> KnownKey | None:
        # Taken before the look: what is revoked meanwhile is not remembered for longer.
        looked_at = self._clock.now()
        try:
            async with self._database.worker.connect() as connection:
                key = await find_key(connection, *ids)
        except REFUSALS as error:
            log.warning("API key not looked up", error=type(error).__name__)
            raise AuthenticationUnavailable from error
        finally:
            del self._looking[ids]
        if key is None:
            self._found.forget(ids)
            self._missing.put(ids, looked_at)
        else:
            self._found.put(ids, (key, looked_at))
        return key

    def _note_use(self, ids: Ids, key: KnownKey, now: datetime) -> None:
        """Have the use written, if that was not done a moment ago; nobody waits for it."""
        noted_at = self._used.get(ids)
        if noted_at is not None and now < noted_at + USE_RESOLUTION:
            return
        self._used.put(ids, now)
        task = asyncio.create_task(self._write_use(key, now))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write_use(self, key: KnownKey, now: datetime) -> None:
        try:
            async with self._database.worker.begin() as connection:
                await note_use(connection, key, now)
        except REFUSALS as error:
            log.warning("use of an API key not written", error=type(error).__name__)
