"""A process that lets time pass and dies on the way: `python -m tests.app.killed_clock`.

Its arguments are the owner's URL of the database, the instant that its clock shows, and where it
dies: BEFORE it has written what time has brought, or AFTER that, but before it is committed.
"""

import asyncio
import os
import signal
import sys
from datetime import datetime

import models.tables  # noqa: F401 (the server imports them all)
from app.clock_loop import ClockLoop
from app.database import Database
from models import operation
from models.aggregate import Unit
from models.clock import ManualClock


async def main(url: str, now: str, where: str) -> None:
    database, clock = Database.connect(url), ManualClock(datetime.fromisoformat(now))
    write = operation.write

    async def write_and_die(unit: Unit) -> None:
        if where == "AFTER":
            await write(unit)
        os.kill(os.getpid(), signal.SIGKILL)

    operation.write = write_and_die
    await ClockLoop(database, clock, 1).catch_up()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
