"""A requirement's contacts come in their order from one index, however many there are."""

import uuid
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Table, delete, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database
from models.aggregate import NEVER
from models.clock import ManualClock
from models.ids import HexId, hex_id, id_array
from models.interaction import (
    INTERACTIONS,
    Interaction,
    InteractionRequirement,
)
from models.interaction_reads import INTERACTIONS_OF_REQUIREMENT
from models.listing import Shape, page_query
from models.requirement import Requirement
from tests.conftest import START
from tests.factories import create_account, create_runner, open_requirement, publish_program
from tests.models.list_plans import PAGE, Looker, Plan, Store

MANY, SHARED = 10_000, 90
DEEP = MANY * 8 // 10
# Contacts that began at once: fewer than a page, and more.
TIED = (7, 3 * PAGE)
MOST_BUFFERS_MORE = 8
COLUMNS = tuple(column.name for column in INTERACTIONS.table.columns)
BOTH_WAYS = pytest.mark.parametrize("descending", [False, True], ids=["first", "last"])
Row = dict[str, Any]
Key = tuple[datetime, HexId]


class Contacts:
    """Requirements of one account: one with many contacts, one that shares a few of them.

    As many again, earlier and later ones, are about a third.
    """

    def __init__(
        self, store: Store, one: Requirement, other: Requirement, third: Requirement
    ) -> None:
        self.store, self.one, self.other, self.third = store, one, other, third
        self.rows = [self._row(n, n // TIED[n >= MANY // 2]) for n in range(MANY)]
        apart = range(MANY, 2 * MANY)
        self.elsewhere = [self._row(n, n if n % 2 else -n) for n in apart]

    def _row(self, number: int, minutes: int) -> Row:
        began = START + timedelta(minutes=minutes)
        # Due in another order than that in which they began; some never.
        due = None if number % 3 == 0 else START + timedelta(minutes=number % 11)
        return {
            **{"account_id": self.one.account_id, "platform_id": self.one.platform_id},
            **{"id": uuid.uuid5(self.one.id, str(number)), "version": 1},
            **{"created_at": began, "updated_at": began, "scheduled_for": due},
            **{"purpose": "MESSAGE", "channel": "EMAIL", "direction": "OUTBOUND"},
            **{"state": "DRAFT", "subject": "Hello", "body": "Hello", "first_sent_at": began},
            **{"author_kind": "REVIEWER", "author_id": "rita"},
        }

    @property
    def shared(self) -> list[Row]:
        """Those that are about both, from where ties become longer than a page."""
        return self.rows[(MANY - SHARED) // 2 :][:SHARED]

    def links(self) -> list[Row]:
        """What each of the contacts is about."""
        of_all = ((self.one, self.rows), (self.other, self.shared), (self.third, self.elsewhere))
        return [
            {
                **{"account_id": row["account_id"], "platform_id": row["platform_id"]},
                **{"interaction_id": row["id"], "requirement_id": about.id},
                **{"interaction_created_at": row["created_at"]},
            }
            for about, rows in of_all
            for row in rows
        ]

    def key(self, row: Row, order: str) -> Key:
        """A row's place in an order."""
        due = row["scheduled_for"] or datetime.fromisoformat(NEVER)
        return row["created_at"] if order == "CREATED_AT" else due, hex_id(row["id"])

    def place(self, number: int, descending: bool) -> Row:
        """The keyset of the row at a place in the order in which they began."""
        keys = sorted((self.key(row, "CREATED_AT") for row in self.rows), reverse=descending)
        return place(keys[number])

    def values(self, *about: Requirement) -> Row:
        """The parameters of a page of each of these."""
        return {
            "accounts": [self.one.account_id],
            "ids": id_array(hex_id(row.id) for row in about),
            "limit": PAGE + 1,
        }


@pytest.fixture(scope="module")
async def contacts(database: Database, owner_engine: AsyncEngine) -> Contacts:
    run = await create_runner(database, ManualClock(START))
    account = await create_account(run)
    about = [await open_requirement(run, account, await publish_program(run)) for _ in range(3)]
    found = Contacts(
        Store(database.read_pool_for(run.reviewer), run.reviewer, START, MANY, {}), *about
    )
    links = cast(Table, InteractionRequirement.__table__)
    async with owner_engine.begin() as connection:
        # But for the notices that the requirements were opened with.
        for table in (links, INTERACTIONS.table):
            of_account = table.c.account_id == account.account_id
            await connection.execute(delete(table).where(of_account))
        await connection.execute(
            insert(cast(Table, Interaction.__table__)), found.rows + found.elsewhere
        )
        await connection.execute(insert(links), found.links())
    async with owner_engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"VACUUM (ANALYZE) {INTERACTIONS.table}, {links}"))
    return found


def shape(descending: bool, *conditions: str, order: str = "CREATED_AT", after: bool) -> Shape:
    return Shape(
        spec=INTERACTIONS,
        columns=COLUMNS,
        order=order,
        descending=descending,
        keyset=after,
        conditions=conditions,
        link=INTERACTIONS_OF_REQUIREMENT,
    )


async def plans(look: Looker, shape: Shape, values: Row) -> list[Plan]:
    query = page_query(shape)
    return [await look.plan(query, values), await look.general_plan(query, values)]


def read_in_order(plan: Plan) -> bool:
    """Whether no more was read than the page shows, and nothing sorted."""
    sorts = [node for node in plan.nodes if "Sort" in node["Node Type"]]
    # The requirement, and for each row of the page the link and the contact.
    return not sorts and not plan.sequential and plan.read_rows <= 1 + 2 * (PAGE + 1)


@BOTH_WAYS
async def test_a_page_of_many_contacts_reads_what_it_shows_and_a_deep_one_no_more(
    contacts: Contacts, descending: bool
) -> None:
    values = contacts.values(contacts.one)
    place = contacts.place(DEEP, descending)
    async with contacts.store.looking() as look:
        first = await plans(look, shape(descending, after=False), values)
        deep = await plans(look, shape(descending, after=True), values | place)
    assert all(map(read_in_order, (*first, *deep)))
    for one, other in zip(first, deep, strict=True):
        less, more = sorted((one.buffers, other.buffers))
        assert more <= less + MOST_BUFFERS_MORE


@pytest.mark.parametrize("after", [False, True], ids=["page 1", "with a cursor"])
@BOTH_WAYS
async def test_a_page_begins_at_the_bound_of_its_filter(
    contacts: Contacts, descending: bool, after: bool
) -> None:
    name = "created_before" if descending else "created_after"
    values = contacts.values(contacts.one) | contacts.place(PAGE, descending)
    values[name] = contacts.rows[MANY // 2]["created_at"]
    async with contacts.store.looking() as look:
        found = await plans(look, shape(descending, name, after=after), values)
    assert all(map(read_in_order, found))


@pytest.mark.parametrize("order", INTERACTIONS.orders)
@BOTH_WAYS
async def test_pages_are_those_of_the_sorted_list_through_ties(
    contacts: Contacts, order: str, descending: bool
) -> None:
    found: list[Key] = []
    async with contacts.store.looking() as look:
        for _ in range(0, SHARED, PAGE):
            asked = shape(descending, order=order, after=bool(found))
            values = contacts.values(contacts.other) | (place(found[-1]) if found else {})
            rows = await page(look, asked, values)
            found += [key(row, order) for row in rows][:PAGE]
    assert found == sorted(
        (contacts.key(row, order) for row in contacts.shared), reverse=descending
    )


@BOTH_WAYS
async def test_each_of_several_parents_has_its_own_page(
    contacts: Contacts, descending: bool
) -> None:
    async with contacts.store.looking() as look:
        values = contacts.values(contacts.one, contacts.other)
        rows = await page(look, shape(descending, after=False), values)
    for about, of_it in ((contacts.one, contacts.rows), (contacts.other, contacts.shared)):
        keys = sorted((contacts.key(row, "CREATED_AT") for row in of_it), reverse=descending)
        found = [key(row, "CREATED_AT") for row in rows if row["parent_id"] == about.id.hex]
        assert found == keys[: PAGE + 1]


async def page(look: Looker, shape: Shape, values: Row) -> list[Any]:
    query = page_query(shape)
    return list(await look.driver.fetch(query.sql, *(values[name] for name in query.parameters)))


def key(row: Any, order: str) -> Key:
    """A row's place in an order: what its cursor holds."""
    return row[INTERACTIONS.orders[order]], row["id"]


def place(key: Key) -> Row:
    return {f"after_{n}": value for n, value in enumerate(key)}
