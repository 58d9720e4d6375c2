"""The process that makes requests: jobs come in as lines of JSON, figures go out likewise.

It is a process of its own, so that what it costs is not counted as the server's. Each connection
sends its next request once the last was answered (HTTP/1.1, kept alive).
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One kept-alive connection: asks until there is nothing left to ask, or no time."""

    def __init__(self, requests: Iterator[bytes], stop_at: float, seconds: list[float]) -> None:
        self.requests, self.stop_at, self.seconds = requests, stop_at, seconds
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()
        self.wanted = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.wanted:
            end = self.buffer.find(HEAD_END)
            if end < 0:
                return
            self._read_head(bytes(self.buffer[:end]), end + len(HEAD_END))
        if len(self.buffer) >= self.wanted:
            self.seconds.append(time.perf_counter() - self.asked)
            self.buffer.clear()
            self.wanted = 0
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def _read_head(self, head: bytes, size: int) -> None:
        length = LENGTH.search(head)
        if head[9:12] != b"200" or length is None:
            self.connection_lost(ValueError(head.decode()))
            self.transport.close()
            return
        self.wanted = size + int(length[1])

    def _ask(self) -> None:
        request = next(self.requests, None) if time.perf_counter() < self.stop_at else None
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self.transport.close()
            return
        self.asked = time.perf_counter()
        self.transport.write(request)


async def run(job: dict[str, Any]) -> dict[str, Any]:
    """Make the job's requests; the figures are in seconds."""
    requests: Sequence[bytes] = [text.encode() for text in job["requests"]]
    source = iter(requests) if job["once"] else cycle(requests)
    seconds: list[float] = []
    started = time.perf_counter()
    connections = []
    loop = asyncio.get_running_loop()
    for _ in range(job["connections"]):
        _, connection = await loop.create_connection(
            lambda: Connection(source, started + job["seconds"], seconds), "127.0.0.1", job["port"]
        )
        connections.append(connection)
    await asyncio.gather(*(connection.done for connection in connections))
    return {"elapsed": time.perf_counter() - started, "seconds": seconds}


def main() -> None:
    """Run one job after another until there are no more."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
