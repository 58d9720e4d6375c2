"""Mutations that reject accounts, and take them back."""

import strawberry

from models import account_rejection as operations
from models.account_rejection import RejectionReason
from models.events import DERIVED, TOLD, EventType
from resolvers.account import Account
from resolvers.mutation import AccountInput, Payload, account_of_payload, mutation
from resolvers.scalars import plain


@strawberry.input(description="Which account to reject, and why.")
class AccountRejectInput(AccountInput):
    """A reason and a statement."""

    reason: RejectionReason = strawberry.field(description="Why, in one word.")
    statement: str = strawberry.field(
        description="Why, in words for the account's user; at most 5,000 characters."
    )

    def command(self) -> operations.RejectAccount:
        return operations.RejectAccount(
            reason=plain(self.reason),
            statement=self.statement,
            **self.shared(),
        )


@strawberry.type(description="The rejected account.")
class AccountRejectPayload(Payload):
    """What accountReject answers."""

    account: Account | None = account_of_payload()


@strawberry.input(description="Which account to take back, and why.")
class AccountReinstateInput(AccountInput):
    """A reason."""

    reason: str = strawberry.field(
        description="Why, in words for the account's user; at most 2,000 characters."
    )

    def command(self) -> operations.ReinstateAccount:
        return operations.ReinstateAccount(reason=self.reason, **self.shared())


@strawberry.type(description="The reinstated account.")
class AccountReinstatePayload(Payload):
    """What accountReinstate answers."""

    account: Account | None = account_of_payload()


@strawberry.type(description="Mutations that reject accounts, and take them back.")
class RejectionMutations:
    """The fields of the root type Mutation that concern the rejection of accounts."""

    account_reject: AccountRejectPayload = mutation(
        "accountReject",
        operations.reject,
        AccountRejectInput,
        "End the relation with an account: it may do nothing any more. What it was asked for stays "
        "asked.",
        (EventType.ACCOUNT_REJECTED, *TOLD, *DERIVED),
        argument="Which account.",
    )
    account_reinstate: AccountReinstatePayload = mutation(
        "accountReinstate",
        operations.reinstate,
        AccountReinstateInput,
        "Take a rejected account back: it may do what its requirements and holds allow.",
        (EventType.ACCOUNT_REINSTATED, *TOLD, *DERIVED),
        argument="Which account.",
    )
