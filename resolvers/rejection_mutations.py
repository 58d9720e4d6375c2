"""Mutations that reject accounts, and take them back."""

import strawberry

from models import account_rejection as operations
from models.account_rejection import RejectionReason
from models.actor import DECIDERS
from models.events import DERIVED, TOLD, EventType
from resolvers import ids
from resolvers.account import Account
from resolvers.account_mutations import account_of_payload
from resolvers.mutation import Payload, VersionedInput, mutation, version_of
from resolvers.pagination import plain


@strawberry.input(description="Which account to reject, and why.")
class AccountRejectInput(VersionedInput):
    """A reason and a statement."""

    expected_version: int | None = version_of("the account")
    id: strawberry.ID = strawberry.field(description="The account.")
    reason: RejectionReason = strawberry.field(description="Why, in one word.")
    statement: str = strawberry.field(
        description="Why, in words for the account's user; at most 5,000 characters."
    )

    def command(self) -> operations.RejectAccount:
        return operations.RejectAccount(
            account_id=ids.decode_account(self.id, "id"),
            reason=plain(self.reason),
            statement=self.statement,
            **self.shared(),
        )


@strawberry.type(description="The rejected account.")
class AccountRejectPayload(Payload):
    """What accountReject answers."""

    account: Account | None = account_of_payload()


@strawberry.input(description="Which account to take back, and why.")
class AccountReinstateInput(VersionedInput):
    """A reason."""

    expected_version: int | None = version_of("the account")
    id: strawberry.ID = strawberry.field(description="The account.")
    reason: str = strawberry.field(
        description="Why, in words for the account's user; at most 2,000 characters."
    )

    def command(self) -> operations.ReinstateAccount:
        return operations.ReinstateAccount(
            account_id=ids.decode_account(self.id, "id"), reason=self.reason, **self.shared()
        )


@strawberry.type(description="The reinstated account.")
class AccountReinstatePayload(Payload):
    """What accountReinstate answers."""

    account: Account | None = account_of_payload()


@strawberry.type(description="Mutations that reject accounts, and take them back.")
class RejectionMutations:
    """The fields of the root type Mutation that concern the rejection of accounts."""

    account_reject: AccountRejectPayload = mutation(
        operations.reject,
        AccountRejectInput,
        "End the relation with an account: it may do nothing any more. What it was asked for stays "
        "asked.",
        DECIDERS,
        (EventType.ACCOUNT_REJECTED, *TOLD, *DERIVED),
        argument="Which account.",
    )
    account_reinstate: AccountReinstatePayload = mutation(
        operations.reinstate,
        AccountReinstateInput,
        "Take a rejected account back: it may do what its requirements and holds allow.",
        DECIDERS,
        (EventType.ACCOUNT_REINSTATED, *TOLD, *DERIVED),
        argument="Which account.",
    )
