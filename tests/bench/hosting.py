"""How the applications that Recourse is compared with are served: as `recourse serve` serves."""

import asyncio
import gc
import socket
from typing import Any

import uvicorn

URL_VARIABLE, SECRET_VARIABLE = "BENCH_DATABASE_URL", "BENCH_TOKEN_SECRET"
POOL_SIZE = 10


def serve(application: Any) -> None:
    """Serve on a free port, and print it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2_048)
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    print(listener.getsockname()[1], flush=True)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listener]))


def freeze() -> None:
    """Spare the collector what is there once the application has started, and will stay."""
    gc.collect()
    gc.freeze()
    # As `recourse serve` has them.
    gc.set_threshold(50_000, 20, 50)
