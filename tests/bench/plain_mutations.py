"""The plain application's mutations, each of them one transaction under the account's lock.

They leave out what makes up most of the real ones: schemas of evidence, rights, idempotency keys,
expected versions, the status that follows from requirements and holds, and the outbox.
"""

import uuid
from dataclasses import field
from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.scalars import JSON

from models.status import CapabilityKind, HoldReason, RequirementState
from tests.bench.handwritten_mutations import BARE_CALLER, next_hash
from tests.bench.plain_schema import Account, Info, Requirement, global_id
from tests.bench.plain_tables import AccountRow, EventRow, EvidenceRow, HoldRow, RequirementRow

for kind in (CapabilityKind, HoldReason):
    strawberry.enum(kind)


@strawberry.type
class UserError:
    code: str
    message: str
    field: list[str] | None


@strawberry.type
class RequirementPayload:
    requirement: Requirement
    user_errors: list[UserError] = field(default_factory=list)


@strawberry.type
class AccountPayload:
    account: Account
    user_errors: list[UserError] = field(default_factory=list)


@strawberry.type
class Hold:
    id: strawberry.ID
    capabilities: list[CapabilityKind]
    reason: HoldReason
    version: int


@strawberry.type
class HoldPayload:
    hold: Hold
    user_errors: list[UserError] = field(default_factory=list)


@strawberry.input
class RequirementSubmitInput:
    id: strawberry.ID
    payload: JSON


@strawberry.input
class RequirementStartReviewInput:
    id: strawberry.ID


@strawberry.input
class AccountUpdateInput:
    id: strawberry.ID
    email: str


@strawberry.input
class HoldPlaceInput:
    account_id: strawberry.ID
    capabilities: list[CapabilityKind]
    reason: HoldReason


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def requirement_submit(
        self, info: Info, input: RequirementSubmitInput
    ) -> RequirementPayload:
        session, now = info.context.session, info.context.now
        async with session.begin():
            account, row = await requirement_under_lock(session, input.id)
            move(row, RequirementState.OPEN, RequirementState.SUBMITTED, now)
            row.submitted_at = now
            row.remind_at = None
            evidence = EvidenceRow(
                account_id=account.account_id,
                id=uuid.uuid4(),
                platform_id=account.platform_id,
                requirement_id=row.id,
                payload=input.payload,
                documents=[],
                submitted_by_kind=BARE_CALLER.kind,
                submitted_by_id=BARE_CALLER.id,
                submitted_at=now,
            )
            changes = {"evidenceId": str(evidence.id)}
            event = record(account, "REQUIREMENT_SUBMITTED", "Requirement", row.id, changes, now)
            session.add_all([evidence, event])
        return RequirementPayload(requirement=Requirement.of(row, now))

    @strawberry.mutation
    async def requirement_start_review(
        self, info: Info, input: RequirementStartReviewInput
    ) -> RequirementPayload:
        session, now = info.context.session, info.context.now
        async with session.begin():
            account, row = await requirement_under_lock(session, input.id)
            move(row, RequirementState.SUBMITTED, RequirementState.IN_REVIEW, now)
            kind = "REQUIREMENT_REVIEW_STARTED"
            session.add(record(account, kind, "Requirement", row.id, {}, now))
        return RequirementPayload(requirement=Requirement.of(row, now))

    @strawberry.mutation
    async def account_update(self, info: Info, input: AccountUpdateInput) -> AccountPayload:
        session, now = info.context.session, info.context.now
        async with session.begin():
            account = await under_lock(session, uuid.UUID(input.id[-32:]))
            changes = {"email": {"from": account.email, "to": input.email}}
            account.email, account.updated_at = input.email, now
            account.version += 1
            kind = "ACCOUNT_UPDATED"
            session.add(record(account, kind, "Account", account.account_id, changes, now))
        return AccountPayload(account=Account.of(account))

    @strawberry.mutation
    async def hold_place(self, info: Info, input: HoldPlaceInput) -> HoldPayload:
        session, now = info.context.session, info.context.now
        async with session.begin():
            account = await under_lock(session, uuid.UUID(input.account_id[-32:]))
            row = HoldRow(
                account_id=account.account_id,
                id=uuid.uuid4(),
                platform_id=account.platform_id,
                capabilities=[kind.value for kind in input.capabilities],
                reason=input.reason,
                placed_by_kind=BARE_CALLER.kind,
                placed_by_id=BARE_CALLER.id,
                version=1,
                created_at=now,
                updated_at=now,
            )
            changes = {"capabilities": row.capabilities, "reason": row.reason.value}
            session.add_all([row, record(account, "HOLD_PLACED", "Hold", row.id, changes, now)])
        hold = Hold(
            id=global_id("hld", row.account_id, row.id),
            capabilities=input.capabilities,
            reason=row.reason,
            version=row.version,
        )
        return HoldPayload(hold=hold)


async def under_lock(session: AsyncSession, account_id: uuid.UUID) -> AccountRow:
    """The account, locked until the transaction ends."""
    return await session.get_one(AccountRow, account_id, with_for_update=True)


async def requirement_under_lock(
    session: AsyncSession, id: str
) -> tuple[AccountRow, RequirementRow]:
    """A requirement, and its account, locked."""
    account_id, own = uuid.UUID(id[-64:-32]), uuid.UUID(id[-32:])
    account = await under_lock(session, account_id)
    return account, await session.get_one(RequirementRow, (account_id, own))


def move(row: RequirementRow, before: RequirementState, to: RequirementState, at: datetime) -> None:
    """Change the state, from the one that it must have."""
    if row.state is not before:
        raise ValueError(f"The requirement is {row.state.value}.")
    row.state, row.updated_at = to, at


def record(
    account: AccountRow,
    type: str,
    subject_type: str,
    subject_id: uuid.UUID,
    changes: dict[str, Any],
    at: datetime,
) -> EventRow:
    """The account's next event; the account's row moves on with it."""
    previous = account.event_hash
    account.event_sequence += 1
    account.event_hash = next_hash(previous, type, changes)
    return EventRow(
        account_id=account.account_id,
        id=uuid.uuid4(),
        platform_id=account.platform_id,
        sequence=account.event_sequence,
        type=type,
        at=at,
        actor_kind=BARE_CALLER.kind,
        actor_id=BARE_CALLER.id,
        subject_type=subject_type,
        subject_id=subject_id,
        changes=changes,
        previous_hash=previous,
        hash=account.event_hash,
    )
