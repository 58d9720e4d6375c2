"""Rejecting an account, and taking it back.

A rejected account may do nothing; what is asked of it stays asked, and counts again once it is
reinstated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.account import AccountAction, illegal_action
from models.actor import Actor
from models.aggregate import (
    MAX_REINSTATEMENT_LENGTH,
    MAX_REJECTION_LENGTH,
    Account,
    AccountCommand,
    Unit,
)
from models.base import stamp
from models.clock import Clock
from models.errors import IllegalTransition
from models.events import EventType
from models.lifecycle import touch
from models.notice_texts import AccountNotice
from models.notices import notify_account
from models.operation import operate
from models.outcome import Outcome
from models.text import check_text


class RejectionReason(StrEnum):
    """Why an account is rejected."""

    FRAUD = "FRAUD"
    TERMS_OF_SERVICE = "TERMS_OF_SERVICE"
    LISTED = "LISTED"
    OTHER = "OTHER"

    @property
    def disabled_reason(self) -> str:
        """The reason in Stripe's word."""
        return f"rejected.{self.lower()}"


@dataclass(frozen=True, kw_only=True)
class RejectAccount(AccountCommand):
    """What `reject` takes: a reason, and a statement for the account's user."""

    named = ("account", "id")

    reason: str
    statement: str


@dataclass(frozen=True, kw_only=True)
class ReinstateAccount(AccountCommand):
    """What `reinstate` takes: why, in words for the account's user."""

    named = ("account", "id")

    reason: str


async def reject(
    session: AsyncSession, actor: Actor, clock: Clock, command: RejectAccount
) -> Outcome[Account]:
    """End the relation with an account. Raises `IllegalTransition` where it has ended."""
    check_text(command.statement, MAX_REJECTION_LENGTH, "statement")

    async def step(unit: Unit) -> Account:
        unit.expect_version(command.expected_version)
        _check_legal(unit.account, AccountAction.REJECT)
        reason = RejectionReason(command.reason).disabled_reason
        set_rejection(unit, reason, command.statement)
        notify_account(unit, AccountNotice.REJECTED, command.statement, unit.requested)
        return unit.account

    return await operate(session, actor, clock, "accountReject", command, Account, step)


async def reinstate(
    session: AsyncSession, actor: Actor, clock: Clock, command: ReinstateAccount
) -> Outcome[Account]:
    """Take a rejection back. Raises `IllegalTransition` where the account is not rejected."""
    check_text(command.reason, MAX_REINSTATEMENT_LENGTH, "reason")

    async def step(unit: Unit) -> Account:
        unit.expect_version(command.expected_version)
        _check_legal(unit.account, AccountAction.REINSTATE)
        end_rejection(unit, command.reason)
        notify_account(unit, AccountNotice.REINSTATED, command.reason, unit.requested)
        return unit.account

    return await operate(session, actor, clock, "accountReinstate", command, Account, step)


def set_rejection(unit: Unit, reason: str, statement: str) -> None:
    """Reject the account, for one of Stripe's reasons, within an open unit."""
    account = unit.account
    changes: Mapping[str, Any] = {
        "rejectedReason": {"from": account.rejected_reason, "to": reason},
        "statement": statement,
    }
    account.rejected_reason, account.rejection_statement = reason, statement
    account.rejected_at = unit.now
    stamp(account, "rejected_by", unit.actor)
    account.reinstatement_reason = account.reinstated_at = None
    account.reinstated_by_kind = account.reinstated_by_id = account.reinstated_by_name = None
    touch(account, unit.now)
    unit.record_derived(EventType.ACCOUNT_REJECTED, changes)


def end_rejection(unit: Unit, reason: str) -> None:
    """Reinstate the account within an open unit."""
    account = unit.account
    changes = {"rejectedReason": {"from": account.rejected_reason, "to": None}, "reason": reason}
    account.rejected_reason = account.rejection_statement = account.rejected_at = None
    account.rejected_by_kind = account.rejected_by_id = account.rejected_by_name = None
    account.reinstatement_reason, account.reinstated_at = reason, unit.now
    stamp(account, "reinstated_by", unit.actor)
    touch(account, unit.now)
    unit.record_derived(EventType.ACCOUNT_REINSTATED, changes)


def _check_legal(account: Account, action: AccountAction) -> None:
    if illegal_action(account, action):
        (other,) = {AccountAction.REJECT, AccountAction.REINSTATE} - {action}
        raise IllegalTransition("account", account.status, action, (other,))
