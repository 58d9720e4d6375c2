"""Mutations of accounts."""

from typing import Any

import strawberry

from models import account as operations
from models.account import ACCOUNTS
from models.aggregate import RiskTier
from models.errors import InvalidInput
from models.events import DERIVED, TOLD, EventType
from models.ids import hex_id
from models.lookup import accounts_by_id
from models.reading import Record
from models.status import CapabilityKind
from resolvers import ids
from resolvers.account import Account
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.mutation import KeyedInput, Payload, VersionedInput, mutation, version_of
from resolvers.pagination import plain
from resolvers.scalars import CountryCode
from resolvers.selection import asked_columns

# What every account has, by its column: null in an update is no value of it.
NEVER_NULL = {
    "business_name": "businessName",
    "country": "country",
    "risk_tier": "riskTier",
    "capabilities": "capabilities",
}


async def _accounts(parents: Parents, info: Info) -> list[Record | None]:
    columns = asked_columns(info, "Account")
    changed = [
        None if result.changed is None else hex_id(result.changed.account_id) for result in parents
    ]
    keys = [key for key in changed if key is not None]
    if not keys:
        return [None for _ in parents]
    rows = await accounts_by_id(info.context.reader, ACCOUNTS.table, keys, columns)
    found = dict(zip(keys, rows, strict=True))
    return [None if key is None else found[key] for key in changed]


def account_of_payload() -> Any:
    """A payload's field: the account of the changed object."""
    return batched(_accounts, description="The account, as it is now.")


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
class AccountUpdateInput(VersionedInput):
    """New values."""

    expected_version: int | None = version_of("the account")
    id: strawberry.ID = strawberry.field(description="The account.")
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
            "risk_tier": self.risk_tier,
            "capabilities": self.capabilities,
        }
        changes = {k: _plain(v) for k, v in given.items() if v is not strawberry.UNSET}
        _check_not_null(changes)
        account_id = ids.decode_account(self.id, "id")
        return operations.UpdateAccount(account_id=account_id, changes=changes, **self.shared())


@strawberry.type(description="The changed account.")
class AccountUpdatePayload(Payload):
    """What accountUpdate answers."""

    account: Account | None = account_of_payload()


def _check_not_null(changes: dict[str, Any]) -> None:
    for name, shown in NEVER_NULL.items():
        if name in changes and changes[name] is None:
            raise InvalidInput("This can't be null; leave it out to keep it.", (shown,))


def _plain(value: Any) -> Any:
    return [plain(item) for item in value] if isinstance(value, list) else plain(value)


@strawberry.type(description="Mutations of accounts.")
class AccountMutations:
    """The fields of the root type Mutation that concern accounts."""

    account_create: AccountCreatePayload = mutation(
        operations.create,
        AccountCreateInput,
        "Make an account.",
        operations.CREATORS,
        (EventType.ACCOUNT_CREATED,),
        argument="The new account.",
    )
    account_update: AccountUpdatePayload = mutation(
        operations.update,
        AccountUpdateInput,
        "Change what is known of an account.",
        operations.KEEPERS,
        (EventType.ACCOUNT_UPDATED, *TOLD, *DERIVED),
        argument="The changes.",
    )
