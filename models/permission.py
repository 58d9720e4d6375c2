"""What an actor may do with an object now, and why not otherwise."""

from dataclasses import dataclass
from enum import StrEnum

from models.errors import ErrorCode


@dataclass(frozen=True)
class Refusal:
    """One reason why an action would be refused, with the code of the error it would raise."""

    code: ErrorCode
    message: str


@dataclass(frozen=True)
class Permission:
    """One action of a lifecycle; it is allowed where nothing refuses it."""

    action: StrEnum
    refusals: tuple[Refusal, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the action would be taken now."""
        return not self.refusals
