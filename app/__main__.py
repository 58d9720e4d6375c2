"""Where `recourse` begins: what is imported takes a second, in which Ctrl-C ends it quietly."""

import os
import signal
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Import the command line and run it."""
    usual = signal.getsignal(signal.SIGINT)
    # Whoever has it ignored, as a shell does for what runs in the background, keeps it so.
    if usual is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)
    from app.cli import main as run

    signal.signal(signal.SIGINT, usual)
    run()


def _end(_number: int, _frame: FrameType | None) -> None:
    # Nothing is open yet. An exception could be taken for a failed import, and be shown.
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
