"""Who acts: a person of the account, a person of the platform, a service, or Recourse itself."""

import uuid
from dataclasses import dataclass, field
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of someone acted."""

    ACCOUNT_USER = "ACCOUNT_USER"
    REVIEWER = "REVIEWER"
    SERVICE = "SERVICE"
    SYSTEM = "SYSTEM"


class Role(StrEnum):
    """What a caller is to the platform. SYSTEM is Recourse's own clock and importers."""

    ACCOUNT_USER = "ACCOUNT_USER"
    REVIEWER = "REVIEWER"
    SENIOR_REVIEWER = "SENIOR_REVIEWER"
    INTEGRATOR = "INTEGRATOR"
    ADMIN = "ADMIN"
    AUDITOR = "AUDITOR"
    SYSTEM = "SYSTEM"


class Scope(StrEnum):
    """Rights that a role does not carry by itself."""

    REQUIREMENT_WAIVE = "requirement:waive"


KIND_OF_ROLE = {
    Role.ACCOUNT_USER: ActorKind.ACCOUNT_USER,
    Role.REVIEWER: ActorKind.REVIEWER,
    Role.SENIOR_REVIEWER: ActorKind.REVIEWER,
    Role.INTEGRATOR: ActorKind.SERVICE,
    Role.ADMIN: ActorKind.REVIEWER,
    Role.AUDITOR: ActorKind.REVIEWER,
    Role.SYSTEM: ActorKind.SYSTEM,
}


@dataclass(frozen=True)
class Actor:
    """An authenticated caller. `account_id` is set for account users, and only for them."""

    role: Role
    id: str
    platform_id: uuid.UUID
    account_id: uuid.UUID | None = None
    name: str | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def kind(self) -> ActorKind:
        """The kind that events and nodes show for this caller."""
        return KIND_OF_ROLE[self.role]

    @property
    def is_staff(self) -> bool:
        """Whether the caller is of the platform, and may read what is for staff only."""
        return self.account_id is None

    @property
    def caller(self) -> str:
        """The key under which this caller's idempotency keys live."""
        return f"{self.kind}:{self.id}"


def same_person(actor: Actor, *ids: str | None) -> bool:
    """Whether the actor is one of those who did something: by the id alone, whatever the kind.

    What takes somebody else asks this, so that nobody is somebody else by another token.
    """
    return actor.id in ids


def same_caller(actor: Actor, kind: str, own: str) -> bool:
    """Whether it was just this actor who did something: by kind and id.

    What is allowed to who did it asks this, so that nobody gains by a name that is theirs too.
    """
    return (actor.kind, actor.id) == (kind, own)


def system(platform_id: uuid.UUID, name: str = "recourse") -> Actor:
    """Recourse itself: the clock loop, the importer, the seed."""
    return Actor(role=Role.SYSTEM, id=name, platform_id=platform_id, name=name)
