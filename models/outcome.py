"""What an operation gives back."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """The changed object, and whether an earlier request with the same key had changed it."""

    value: T
    replayed: bool = False
