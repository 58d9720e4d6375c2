"""The connections that reads go over: the driver's own pool, and UUIDs as their hex digits.

Of a UUID the driver makes an object, which takes 90 nanoseconds and 170 more when it is first a
key; as text it takes 40 and 15. A response of a thousand objects has three thousand of them, as
keys of rows and parents, and shows them in hex.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import asyncpg
import orjson

from models.ids import id_bytes

# After so long without use a connection is closed: others may need its place.
UNUSED_SECONDS = 300
# PostgreSQL's jsonb_send puts the version of the format in front of the text.
JSONB_VERSION = b"\x01"


class ReadPool:
    """Up to `size` connections with the same options, opened when they are needed.

    `options` are those of `asyncpg.connect`. Who finds none free waits for `wait_seconds`.
    """

    def __init__(self, options: Mapping[str, Any], size: int, wait_seconds: float) -> None:
        self._options = options
        self._size = size
        self._wait_seconds = wait_seconds
        self._pool: Any = None
        self._opening = asyncio.Lock()

    async def acquire(self) -> Any:
        """A connection outside of any transaction; raises TimeoutError where none comes free."""
        pool = self._pool or await self._open()
        async with asyncio.timeout(self._wait_seconds):
            return await pool.acquire()

    async def release(self, connection: Any) -> None:
        """Give a connection back; it is outside of any transaction, or closed."""
        await self._pool.release(connection)

    def discard(self, connection: Any) -> None:
        """Close a connection of which nobody knows what state it is in; another takes its place."""
        # One that has gone by itself has left the pool, and refuses everything.
        with suppress(asyncpg.InterfaceError):
            connection.terminate()

    async def close(self) -> None:
        """Close all connections; those in use too, if they don't come back in time."""
        if self._pool is None:
            return
        # The driver ends what is left when its closing is cut short.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wait_seconds):
                await self._pool.close()

    async def _open(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    **self._options,
                    min_size=0,
                    max_size=self._size,
                    max_inactive_connection_lifetime=UNUSED_SECONDS,
                    init=_set_codecs,
                    reset=_leave_as_it_is,
                )
            return self._pool


async def _set_codecs(connection: Any) -> None:
    for name, encode, decode in (
        ("uuid", id_bytes, bytes.hex),
        ("json", orjson.dumps, orjson.loads),
        ("jsonb", _binary_json, _json_of_binary),
    ):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encode, decoder=decode, format="binary"
        )


def _binary_json(value: Any) -> bytes:
    return JSONB_VERSION + orjson.dumps(value)


def _json_of_binary(data: bytes) -> Any:
    return orjson.loads(data.removeprefix(JSONB_VERSION))


async def _leave_as_it_is(_: Any) -> None:
    """A reader has rolled back, and all it sets is local: the driver need not reset anything."""
