"""What was refused, by where it came from: who sends many wrong tokens has to wait."""

import math
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from app.authentication.memory import Memory
from models.clock import Clock

WINDOW = timedelta(minutes=1)
MAX_ADDRESSES = 10_000
# One customer's part of an IPv6 address.
NETWORK_BITS = 64


class Failures:
    """Counts refusals of the last minute or so; at most `largest` in one are let pass."""

    def __init__(self, clock: Clock, largest: int) -> None:
        self._clock = clock
        self._largest = largest
        self._counts: Memory[str, tuple[datetime, int]] = Memory(MAX_ADDRESSES)

    def wait_seconds(self, address: str) -> int:
        """How long what comes from this address has to wait; 0 where it has not."""
        if not self._counts:
            return 0
        began, count = self._current(address, self._clock.now())
        if count < self._largest:
            return 0
        return max(1, math.ceil((began + WINDOW - self._clock.now()).total_seconds()))

    def note(self, address: str) -> None:
        """Count one refusal."""
        began, count = self._current(address, self._clock.now())
        self._counts.put(_source(address), (began, count + 1))

    def _current(self, address: str, now: datetime) -> tuple[datetime, int]:
        began, count = self._counts.get(_source(address)) or (now, 0)
        return (now, 0) if now >= began + WINDOW else (began, count)


def _source(address: str) -> str:
    """The address, or the network that one customer has of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> (128 - NETWORK_BITS):x}/{NETWORK_BITS}"
