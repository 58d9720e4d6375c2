"""A token whose signature was found good: whom it is for, and when."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.authentication.refusals import TokenRefused
from models.actor import Actor


@dataclass(frozen=True)
class Verified:
    """What a token says; the times are seconds since 1970.

    `generation` is that of the keys under which its signature was checked.
    """

    actor: Actor
    begins: float
    expires: float
    generation: int = 0

    def actor_at(self, now: datetime, leeway_seconds: float) -> Actor:
        """Whom it is for; raises `TokenRefused` before and after its time."""
        seconds = now.timestamp()
        if not self.begins - leeway_seconds <= seconds < self.expires + leeway_seconds:
            raise TokenRefused
        return self.actor


def times_in(claims: Mapping[str, Any]) -> tuple[float, float]:
    """From when and until when a token is good; raises ValueError where a time is none."""
    begins = max(_seconds(claims["iat"]), _seconds(claims.get("nbf", claims["iat"])))
    return begins, _seconds(claims["exp"])


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a time")
    return float(value)
