"""The number of statements of a query depends on its shape, never on how many rows there are.

The schema is walked: every way from a root field through three fields to objects is asked for on a
platform that has one of everything and on one that has a hundred, by staff and by an account user.
So a new field is tested by being there.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import is_leaf_type
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.seeding import seed
from models.account import ACCOUNTS
from models.aggregate import Account
from models.evidence import EVIDENCE
from models.program import PROGRAMS
from resolvers import ids
from resolvers.schema import ROWS
from tests.resolvers.api import Api, Caller, Platform
from tests.resolvers.scene import create_full_account
from tests.resolvers.walk import (
    GRAPHQL,
    Coverage,
    Path,
    ends,
    leads_to_nodes,
    named,
    object_type,
    paths,
    query_of,
)

FIRST = 100
DEPTH = 3
# Nothing happens yet to these that an event could be about.
NO_SUBJECTS = {"Event", "Evidence", "Interaction", "Program"}


@dataclass(frozen=True)
class Stage:
    """A platform, and an account on it that has something of everything."""

    platform: Platform
    account: Account
    ids: dict[str, list[str]]

    def callers(self) -> dict[str, Caller]:
        """Who asks, by the name of the test's parameter."""
        return {"admin": self.platform.admin, "user": self.platform.user(self.account)}


@pytest.fixture(scope="module")
async def one(api: Api, owner_engine: AsyncEngine) -> Stage:
    """One of everything."""
    return await _stage(await api.platform(), owner_engine)


@pytest.fixture(scope="module")
async def hundred(api: Api, owner_engine: AsyncEngine, one: Stage, database_url: str) -> Stage:
    """A hundred accounts, one of which has a hundred requirements."""
    platform = await api.platform()
    await seed(database_url, platform.slug, api.clock, 99)
    return await _stage(platform, owner_engine, more_requirements=100)


async def _stage(platform: Platform, owner: AsyncEngine, more_requirements: int = 0) -> Stage:
    account = await create_full_account(platform.run, more_requirements)
    found = {"Account": (ids.ACCOUNT, ACCOUNTS.table), "Program": (ids.PROGRAM, PROGRAMS.table)}
    found |= {name: (prefix, table) for prefix, (name, table) in ROWS.items()}
    shown = {}
    for name, (prefix, table) in found.items():
        shown[name] = await _ids(owner, prefix, table, account)
    return Stage(platform, account, shown)


async def _ids(owner: AsyncEngine, prefix: str, table: Table, account: Account) -> list[str]:
    """The global ids of the platform's rows, those of the account first."""
    first = "account_id" if "account_id" in table.c else "platform_id"
    columns = f"{first}, id" if "id" in table.c else first
    order = "(account_id = :account) DESC," if "account_id" in table.c else ""
    query = f"SELECT {columns} FROM {table.name} WHERE platform_id = :platform ORDER BY {order} 1"
    given = {"platform": account.platform_id, "account": account.account_id}
    async with owner.connect() as connection:
        rows = await connection.execute(text(query), given)
        return [f"{prefix}_{''.join(key.hex for key in row)}" for row in rows]
