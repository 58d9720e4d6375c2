"""Mutations of accounts."""

from typing import Any

import strawberry

from models import account as operations
from models.aggregate import RiskTier
from models.events import DERIVED, TOLD, EventType
from models.status import CapabilityKind
from resolvers.account import Account
from resolvers.mutation import (
    AccountInput,
    KeyedInput,
    Payload,
    account_of_payload,
    changes_in,
    mutation,
)
from resolvers.scalars import CountryCode, plain

# What every account has: null in an update is no value of it.
NEVER_NULL = ("business_name", "country", "risk_tier", "capabilities")


@strawberry.input(description="A new account.")
class AccountCreateInput(KeyedInput):
    """What an account is made of."""

    external_id: str = strawberry.field(
        description="The platform's own id of it, which never changes; at most 200 characters."
    )
    business_name: str = strawberry.field(
        description="The name of the business; at most 300 characters."
    )
    country: CountryCode = strawberry.field(description="The country of the business.")
    email: str | None = strawberry.field(
        default=None,
        description="The e-mail address of the business: one @, no spaces, at most 254 characters.",
    )
    risk_tier: RiskTier = strawberry.field(
        default=RiskTier.LOW, description="How closely it is watched."
    )
    capabilities: list[CapabilityKind] | None = strawberry.field(
        default=None, description="What it asks to do; all kinds if left out."
    )

    def command(self) -> operations.CreateAccount:
        asked = list(CapabilityKind) if self.capabilities is None else self.capabilities
        return operations.CreateAccount(
            external_id=self.external_id,
            business_name=self.business_name,
            country=self.country,
            email=self.email,
            risk_tier=plain(self.risk_tier),
            capabilities=tuple(dict.fromkeys(plain(kind) for kind in asked)),
            **self.shared(),
        )


@strawberry.type(description="The new account.")
class AccountCreatePayload(Payload):
    """What accountCreate answers."""

    account: Account | None = account_of_payload()


@strawberry.input(description="Changes of an account; what is left out stays as it is.")
class AccountUpdateInput(AccountInput):
    """New values."""

    business_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The new name."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The new e-mail address: one @, no spaces, at most 254 characters; null for none."
        ),
    )
    country: CountryCode | None = strawberry.field(
        default=strawberry.UNSET, description="The new country."
    )
    risk_tier: RiskTier | None = strawberry.field(
        default=strawberry.UNSET, description="The new risk tier."
    )
    capabilities: list[CapabilityKind] | None = strawberry.field(
        default=strawberry.UNSET, description="What it asks to do from now on."
    )

    def command(self) -> operations.UpdateAccount:
        given = {
            "business_name": self.business_name,
            "email": self.email,
            "country": self.country,
            "risk_tier": plain(self.risk_tier),
            "capabilities": _plain(self.capabilities),
        }
        return operations.UpdateAccount(changes=changes_in(given, NEVER_NULL), **self.shared())


@strawberry.type(description="The changed account.")
class AccountUpdatePayload(Payload):
    """What accountUpdate answers."""

    account: Account | None = account_of_payload()


def _plain(kinds: Any) -> Any:
    """The texts behind the kinds; null or UNSET as it is."""
    return [plain(kind) for kind in kinds] if isinstance(kinds, list) else kinds


@strawberry.type(description="Mutations of accounts.")
class AccountMutations:
    """The fields of the root type Mutation that concern accounts."""

    account_create: AccountCreatePayload = mutation(
        "accountCreate",
        operations.create,
        AccountCreateInput,
        "Make an account.",
        (EventType.ACCOUNT_CREATED,),
        argument="The new account.",
    )
    account_update: AccountUpdatePayload = mutation(
        "accountUpdate",
        operations.update,
        AccountUpdateInput,
        "Change what is known of an account.",
        (EventType.ACCOUNT_UPDATED, *TOLD, *DERIVED),
        argument="The changes.",
    )
