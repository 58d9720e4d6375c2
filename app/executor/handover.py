"""From a caller that does not wait to a task that does: a run may need no event loop at all.

graphql-core gives a result at once where nothing has to be waited for. So a run begins in the call
itself, and pauses before the first thing that it has to wait for: that begins in the task that
awaits the rest of the run, and stays in it.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any


class HandOver:
    """To be awaited before anything else is: pauses a run until a task has taken it over."""

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done = False

    def __await__(self) -> Generator[Any, Any, None]:
        if not self._done:
            self._done = True
            yield

    @staticmethod
    def begun(coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What the coroutine returns, if it has nothing to wait for; else the rest of it."""
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        return _Rest(coroutine)


class _Rest(Awaitable[Any]):
    """A coroutine that has paused, to be awaited once."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = self._coroutine.send
        given: Any = None
        while True:
            try:
                waited_for = step(given)
            except StopIteration as end:
                return end.value
            try:
                given = yield waited_for
                step = self._coroutine.send
            except BaseException as error:
                given, step = error, self._coroutine.throw
