"""A memory of bounded size: what is put in first is forgotten first."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """At most `largest` entries."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._entries: dict[K, V] = {}
        self.get = self._entries.get

    def put(self, key: K, value: V) -> None:
        """Remember `value`, as the newest entry."""
        self._entries.pop(key, None)
        if len(self._entries) >= self._largest:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = value

    def forget(self, key: K) -> None:
        """Let go of an entry, if it is there."""
        self._entries.pop(key, None)

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)
