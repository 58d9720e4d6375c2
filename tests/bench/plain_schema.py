"""The plain application's types, loaders and queries."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

import strawberry
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from models.aggregate import RiskTier
from models.interaction import InteractionChannel, InteractionPurpose, InteractionState
from models.program import RequirementCategory
from models.requirement import Priority
from models.resolution import ResolutionOutcome, ResolutionState
from models.status import AccountStatus, DueStatus, RequirementState
from tests.bench.plain_tables import (
    AccountRow,
    InteractionRequirementRow,
    InteractionRow,
    RequirementRow,
    ResolutionRow,
)

T = TypeVar("T")
ENUMS = (
    *(AccountStatus, DueStatus, RequirementState, RiskTier, RequirementCategory, Priority),
    *(InteractionChannel, InteractionPurpose, InteractionState, ResolutionOutcome, ResolutionState),
)
for kind in ENUMS:
    strawberry.enum(kind)


class Context:
    """One request: its session, its instant, and a loader for each relation."""

    def __init__(self, session: AsyncSession) -> None:
        self.session, self.now = session, datetime.now(UTC)
        self.turn = asyncio.Lock()
        self.accounts = DataLoader(load_fn=self._accounts)
        self.requirements = DataLoader(load_fn=self._requirements)
        self.interactions = DataLoader(load_fn=self._interactions)
        self.resolutions = DataLoader(load_fn=self._resolutions)

    async def rows(self, statement: Any) -> Sequence[Any]:
        """The rows of a statement; a session runs one at a time."""
        async with self.turn:
            rows: Sequence[Any] = (await self.session.execute(statement)).all()
            return rows

    async def objects(self, statement: Any) -> Sequence[Any]:
        """The objects of a statement that selects one class."""
        async with self.turn:
            found: Sequence[Any] = (await self.session.scalars(statement)).all()
            return found

    async def _accounts(self, keys: list[uuid.UUID]) -> list[AccountRow | None]:
        found = await self.objects(select(AccountRow).where(AccountRow.account_id.in_(keys)))
        by_id = {row.account_id: row for row in found}
        return [by_id.get(key) for key in keys]

    async def _requirements(self, keys: list[uuid.UUID]) -> list[list[RequirementRow]]:
        found = await self.objects(
            select(RequirementRow)
            .where(RequirementRow.account_id.in_(keys))
            .order_by(RequirementRow.account_id, RequirementRow.sort_deadline, RequirementRow.id)
        )
        return grouped(keys, found, lambda row: row.account_id)

    async def _interactions(self, keys: list["Key"]) -> list[list[InteractionRow]]:
        link = InteractionRequirementRow
        found = await self.rows(
            select(InteractionRow, link.account_id, link.requirement_id)
            .join(
                link,
                (link.account_id == InteractionRow.account_id)
                & (link.interaction_id == InteractionRow.id),
            )
            .where(*among(link.account_id, link.requirement_id, keys))
            .order_by(InteractionRow.created_at, InteractionRow.id)
        )
        by_key = grouped(keys, found, lambda row: (row[1], row[2]))
        return [[row[0] for row in rows] for rows in by_key]

    async def _resolutions(self, keys: list["Key"]) -> list[list[ResolutionRow]]:
        table = ResolutionRow
        found = await self.objects(
            select(table)
            .where(*among(table.account_id, table.requirement_id, keys))
            .order_by(table.created_at, table.id)
        )
        return grouped(keys, found, lambda row: (row.account_id, row.requirement_id))


Key = tuple[uuid.UUID, uuid.UUID]
Info = strawberry.Info[Context, None]


def grouped(keys: Sequence[Any], rows: Sequence[Any], key: Callable[[Any], Any]) -> list[list[Any]]:
    """The rows of each key, in the order of the keys."""
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return [found.get(one, []) for one in keys]


def among(account_id: Any, requirement_id: Any, keys: Sequence[Key]) -> tuple[Any, Any]:
    """The conditions that pick what hangs on some requirements."""
    accounts, requirements = {key[0] for key in keys}, [key[1] for key in keys]
    return account_id.in_(accounts), requirement_id.in_(requirements)


def global_id(prefix: str, *parts: uuid.UUID) -> strawberry.ID:
    """The id that clients see."""
    return strawberry.ID(f"{prefix}_{''.join(part.hex for part in parts)}")


@strawberry.type
class Connection(Generic[T]):
    nodes: list[T]


@strawberry.type
class Interaction:
    id: strawberry.ID
    purpose: InteractionPurpose
    channel: InteractionChannel
    state: InteractionState
    subject: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: InteractionRow) -> Self:
        return cls(
            id=global_id("int", row.account_id, row.id),
            purpose=row.purpose,
            channel=row.channel,
            state=row.state,
            subject=row.subject,
            created_at=row.created_at,
        )


@strawberry.type
class Resolution:
    id: strawberry.ID
    outcome: ResolutionOutcome
    state: ResolutionState
    reason_code: str
    decided_at: datetime | None

    @classmethod
    def of(cls, row: ResolutionRow) -> Self:
        return cls(
            id=global_id("res", row.account_id, row.id),
            outcome=row.outcome,
            state=row.state,
            reason_code=row.reason_code,
            decided_at=row.decided_at,
        )


@strawberry.type
class Requirement:
    key: strawberry.Private[Key]
    id: strawberry.ID
    title: str
    category: RequirementCategory
    state: RequirementState
    due_status: DueStatus
    deadline: datetime | None
    priority: Priority
    version: int

    @classmethod
    def of(cls, row: RequirementRow, now: datetime) -> Self:
        return cls(
            key=(row.account_id, row.id),
            id=global_id("req", row.account_id, row.id),
            title=row.title,
            category=row.category,
            state=row.state,
            due_status=row.due_status(now),
            deadline=row.deadline,
            priority=row.priority,
            version=row.version,
        )

    @strawberry.field
    async def account(self, info: Info) -> "Account":
        return Account.of(await info.context.accounts.load(self.key[0]))

    @strawberry.field
    async def interactions(self, info: Info, first: int) -> Connection[Interaction]:
        rows = await info.context.interactions.load(self.key)
        return Connection(nodes=[Interaction.of(row) for row in rows[:first]])

    @strawberry.field
    async def resolutions(self, info: Info, first: int) -> Connection[Resolution]:
        rows = await info.context.resolutions.load(self.key)
        return Connection(nodes=[Resolution.of(row) for row in rows[:first]])


@strawberry.type
class Account:
    key: strawberry.Private[uuid.UUID]
    id: strawberry.ID
    external_id: str
    business_name: str
    email: str | None
    country: str
    risk_tier: RiskTier
    status: AccountStatus
    version: int
    created_at: datetime

    @classmethod
    def of(cls, row: AccountRow | None) -> Self:
        assert row is not None
        return cls(
            key=row.account_id,
            id=global_id("acc", row.account_id),
            external_id=row.external_id,
            business_name=row.business_name,
            email=row.email,
            country=row.country,
            risk_tier=row.risk_tier,
            status=row.status,
            version=row.version,
            created_at=row.created_at,
        )

    @strawberry.field
    async def requirements(self, info: Info, first: int) -> Connection[Requirement]:
        rows = await info.context.requirements.load(self.key)
        now = info.context.now
        return Connection(nodes=[Requirement.of(row, now) for row in rows[:first]])


@strawberry.input
class RequirementFilter:
    state: list[RequirementState]


def query_of(platform_id: uuid.UUID) -> type[Any]:
    """The root type for one platform."""

    @strawberry.type
    class Query:
        @strawberry.field
        async def account(self, info: Info, id: strawberry.ID) -> Account:
            return Account.of(await info.context.accounts.load(uuid.UUID(id[-32:])))

        @strawberry.field
        async def accounts(self, info: Info, first: int) -> Connection[Account]:
            rows = await info.context.objects(
                select(AccountRow)
                .where(AccountRow.platform_id == platform_id)
                .order_by(AccountRow.created_at, AccountRow.account_id)
                .limit(first)
            )
            return Connection(nodes=[Account.of(row) for row in rows])

        @strawberry.field
        async def requirements(
            self, info: Info, first: int, filter: RequirementFilter
        ) -> Connection[Requirement]:
            table = RequirementRow
            rows = await info.context.objects(
                select(table)
                .where(table.platform_id == platform_id, table.state.in_(filter.state))
                .order_by(table.sort_deadline, table.account_id, table.id)
                .limit(first)
            )
            return Connection(nodes=[Requirement.of(row, info.context.now) for row in rows])

    return Query
