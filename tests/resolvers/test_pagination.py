"""Lists: each row exactly once, in a stable order, whichever way and however fast they change.

`lists.py` says in plain Python what each list holds; here the API is held against it.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.seeding import analyze, seed
from models import requirement_operations as requirements
from models.actor import Actor, Role
from models.aggregate import Account
from models.api_key import API_KEYS
from models.ids import hex_id
from models.interaction import Interaction
from models.listing import COUNT_LIMIT
from models.program import Program
from models.requirement import Requirement
from models.requirement_operations import Cancel, Extend, RequestChanges
from models.resolution import ResolutionOutcome
from models.session import transaction
from models.status import OPEN_STATES
from resolvers import ids
from tests.factories import (
    ERROR,
    add_note,
    create_account,
    create_api_key,
    create_interaction,
    decide,
    key_of,
    open_requirement,
    publish_program,
    receive_message,
    settle,
    submit,
    unique,
)
from tests.resolvers.api import Api, Caller, Platform
from tests.resolvers.lists import LISTS, Data, Listing, Predicate, Row, read
from tests.resolvers.scene import create_full_account, write_contacts
from tests.resolvers.walk import GRAPHQL, is_connection, named

PAGE = """
edges { cursor node { id } } nodes { id } totalCount totalCountIsCapped
pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
"""
ARGUMENTS = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
TRIALS = 30
MOST_PAGES = 60
CHANGES_BETWEEN_PAGES = 3
by_name = pytest.mark.parametrize("listing", LISTS, ids=lambda one: one.name)
PREFIXES = {
    "Account": ids.ACCOUNT,
    "Interaction": ids.INTERACTION,
    "Requirement": ids.REQUIREMENT,
}
Page = dict[str, Any]


def everything(_: Row) -> bool:
    """The predicate of no filter."""
    return True


@dataclass
class Scene:
    """A platform and all that is on it."""

    platform: Platform
    owner: AsyncEngine
    data: Data

    async def look(self) -> None:
        """See what has changed."""
        run = self.platform.run
        self.data = await read(self.owner, run.platform_id, run.clock.now())

    def parents(self, listing: Listing) -> list[Row | None]:
        """The objects that have the list, those with the longest one first."""
        if listing.parent == "Query":
            return [None]
        table = next(one.table for one in LISTS if one.field == f"{listing.parent.lower()}s")
        sizes = Counter(
            n
            for row in self.data.of(listing.table)
            for n, parent in enumerate(self.data.of(table))
            if listing.belongs(row, parent, self.data)
        )
        return [self.data.of(table)[n] for n, _ in sizes.most_common()]


async def _look(platform: Platform, owner: AsyncEngine) -> Scene:
    run = platform.run
    return Scene(platform, owner, await read(owner, run.platform_id, run.clock.now()))


@pytest.fixture(scope="module")
async def scene(api: Api, database_url: str, owner_engine: AsyncEngine) -> Scene:
    """Demo accounts, and one that has much that came at the same instant. Nobody changes them."""
    platform = await api.platform()
    await seed(database_url, platform.slug, api.clock, 40)
    for n in range(3):
        await create_account(platform.run, business_name=f"Café Zoë {n} GmbH")
    await publish_program(platform.run, code="identity.document")
    for _ in range(7):
        await create_api_key(platform.run)
    await create_full_account(platform.run, 40)
    await analyze(database_url)
    return await _look(platform, owner_engine)


@dataclass(frozen=True)
class Question:
    """One list, of one parent, in one order."""

    caller: Caller
    api: Api
    listing: Listing
    parent: Row | None = None
    filter: dict[str, Any] | None = None
    order: str = ""
    descending: bool = False

    async def ask(self, **arguments: Any) -> Page:
        """One page."""
        given = dict(arguments)
        if self.listing.filters is not None:
            given["filter"] = self.filter
        if self.listing.ordered:
            direction = "DESC" if self.descending else "ASC"
            given["orderBy"] = {"field": self.order, "direction": direction}
        answer = await self.api.call(self.caller, self._query(given), {**given, "id": self._id()})
        data = answer.data["node"] if self.parent is not None else answer.data
        page: Page = data[self.listing.field]
        return page

    async def walk(self, size: int, backward: bool) -> list[Page]:
        """All pages, in the order of the list."""
        pages = [page async for page in self.pages(size, backward)]
        return pages[::-1] if backward else pages

    async def pages(self, size: int, backward: bool = False) -> AsyncIterator[Page]:
        """One page after another."""
        cursor, more = None, True
        for _ in range(MOST_PAGES):
            if not more:
                return
            given = (
                {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
            )
            page = await self.ask(**given)
            yield page
            info = page["pageInfo"]
            more = info["hasPreviousPage" if backward else "hasNextPage"]
            cursor = info["startCursor" if backward else "endCursor"]
        raise AssertionError("the list does not end")

    def _id(self) -> str | None:
        if self.parent is None:
            return None
        prefix = PREFIXES[self.listing.parent]
        if prefix == ids.ACCOUNT:
            return ids.encode_one(prefix, hex_id(self.parent["account_id"]))
        return ids.encode(prefix, hex_id(self.parent["account_id"]), hex_id(self.parent["id"]))

    def _query(self, given: dict[str, Any]) -> str:
        definition = _fields()[self.listing.name]
        types = {name: definition.args[name].type for name in given}
        declared = ", ".join(f"${name}: {kind}" for name, kind in types.items())
        passed = ", ".join(f"{name}: ${name}" for name in given)
        selection = f"{self.listing.field}({passed}) {{ {PAGE} }}"
        if self.parent is None:
            return f"query({declared}) {{ {selection} }}"
        inner = f"... on {self.listing.parent} {{ {selection} }}"
        return f"query($id: ID!, {declared}) {{ node(id: $id) {{ {inner} }} }}"


def _fields() -> dict[str, Any]:
    """Every list of the schema that has pages, by type and name."""
    return {
        f"{one.name}.{name}": field
        for one in GRAPHQL.type_map.values()
        if isinstance(one, GraphQLObjectType)
        for name, field in one.fields.items()
        if is_connection(named(field))
    }


def rows_of(pages: list[Page]) -> list[str]:
    """The ids of the rows of all pages."""
    return [node["id"] for page in pages for node in page["nodes"]]


def check_pages(pages: list[Page], size: int, backward: bool) -> None:
    """Each page says where it stands, and only the last one in its direction is not full."""
    for n, page in enumerate(pages):
        info, cursors = page["pageInfo"], [edge["cursor"] for edge in page["edges"]]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert [info["startCursor"], info["endCursor"]] == (
            [cursors[0], cursors[-1]] if cursors else [None, None]
        )
        assert info["hasPreviousPage"] == (n > 0)
        assert info["hasNextPage"] == (n < len(pages) - 1)
        assert len(cursors) == len({*cursors})
        short = 0 if backward else len(pages) - 1
        assert len(cursors) == size or n == short


def test_these_are_all_lists() -> None:
    assert {one.name for one in LISTS} == set(_fields())
    for listing in LISTS:
        arguments = _fields()[listing.name].args
        assert set(ARGUMENTS) <= set(arguments)
        assert ("filter" in arguments) == (listing.filters is not None)
        assert ("orderBy" in arguments) == listing.ordered
        if listing.ordered:
            fields = arguments["orderBy"].type.fields["field"].type.of_type
            assert set(fields.values) == set(listing.orders)


@by_name
async def test_random_filters_give_just_the_rows_that_a_predicate_gives(
    scene: Scene, listing: Listing
) -> None:
    rng, found = Random(listing.name), 0
    for parent in (scene.parents(listing) * TRIALS)[:TRIALS]:
        given, keep = listing.filters(rng, scene.data) if listing.filters else ({}, everything)
        found += await _compare(scene, listing, rng, parent, given, keep)
    assert found > 0


@by_name
async def test_without_a_filter_all_rows_come_once_in_every_order(
    scene: Scene, listing: Listing
) -> None:
    [parent, *_] = scene.parents(listing)
    for turn in range(2 * len(listing.orders)):
        rng = Random(turn)
        assert await _compare(scene, listing, rng, parent, None, everything, turn) > 1


async def _compare(
    scene: Scene,
    listing: Listing,
    rng: Random,
    parent: Row | None,
    given: dict[str, Any] | None,
    keep: Predicate,
    turn: int | None = None,
) -> int:
    """Walk one list and hold it against what it should be; returns how many rows that were."""
    turn = rng.randrange(100) if turn is None else turn
    order = list(listing.orders)[turn // 2 % len(listing.orders)]
    descending = listing.ordered and turn % 2 == 1
    rows = listing.expected(scene.data, parent, keep, order, descending)
    size, backward = max(1, len(rows) // 6 + rng.randrange(4)), rng.random() < 0.5
    size = min(size, 100)
    platform = scene.platform
    question = Question(platform.admin, platform.api, listing, parent, given, order, descending)
    pages = await question.walk(size, backward)
    asked = f"{given} {order} {'descending' if descending else ''} by {size}"
    assert rows_of(pages) == [listing.id_of(row) for row in rows], asked
    assert {page["totalCount"] for page in pages} == {len(rows)}, asked
    assert not any(page["totalCountIsCapped"] for page in pages)
    check_pages(pages, size, backward)
    return len(rows)


@pytest.mark.parametrize("order", ["DEADLINE", "CREATED_AT", "REVIEW_DUE_AT"])
async def test_the_scene_has_ties_over_the_bounds_of_pages(scene: Scene, order: str) -> None:
    listing = next(one for one in LISTS if one.name == "Account.requirements")
    [parent, *_] = scene.parents(listing)
    rows = listing.expected(scene.data, parent, everything, order)
    column = listing.orders[order]
    assert sum(one[column] == other[column] for one, other in pairwise(rows)) > 20


@by_name
async def test_a_page_of_one_row_steps_through_ties_both_ways(
    scene: Scene, listing: Listing
) -> None:
    [parent, *_] = scene.parents(listing)
    platform = scene.platform
    for order in listing.orders:
        question = Question(platform.admin, platform.api, listing, parent, order=order)
        rows = listing.expected(scene.data, parent, everything, order)
        shown = [listing.id_of(row) for row in rows]
        middle = len(rows) // 2
        page = await question.ask(first=min(100, middle))
        cursor, stand = page["pageInfo"]["endCursor"], len(page["nodes"])
        for there in range(stand, min(stand + 4, len(rows))):
            page = await question.ask(first=1, after=cursor)
            assert rows_of([page]) == [shown[there]]
            cursor = page["pageInfo"]["endCursor"]
        for back in range(there - 1, max(there - 4, -1), -1):
            page = await question.ask(last=1, before=cursor)
            assert rows_of([page]) == [shown[back]]
            cursor = page["pageInfo"]["startCursor"]


@by_name
async def test_a_page_of_no_rows_counts(scene: Scene, listing: Listing) -> None:
    [parent, *_] = scene.parents(listing)
    platform = scene.platform
    order = next(iter(listing.orders))
    question = Question(platform.admin, platform.api, listing, parent, order=order)
    total = len(listing.expected(scene.data, parent, everything, order))
    for side, more in (("first", "hasNextPage"), ("last", "hasPreviousPage")):
        page = await question.ask(**{side: 0})
        assert page["nodes"] == page["edges"] == []
        assert page["totalCount"] == total
        assert page["pageInfo"][more] is True
        assert page["pageInfo"]["endCursor"] is page["pageInfo"]["startCursor"] is None


@pytest.mark.parametrize(
    "listing", [one for one in LISTS if one.parent == "Account"], ids=lambda one: one.name
)
async def test_pages_of_many_parents_are_those_of_each(scene: Scene, listing: Listing) -> None:
    platform, order = scene.platform, next(iter(listing.orders))
    page = f"{listing.field}(first: 2) {{ {PAGE} }}"
    query = f"{{ accounts(first: 100) {{ nodes {{ id {page} }} }} }}"
    answer = await platform.api.call(platform.admin, query)
    accounts = answer.data["accounts"]["nodes"]
    parents = {
        ids.encode_one(ids.ACCOUNT, hex_id(r["account_id"])): r for r in scene.data.rows["accounts"]
    }
    assert len(accounts) == len(parents) > 40
    for account in accounts:
        rows = listing.expected(scene.data, parents[account["id"]], everything, order)
        shown = account[listing.field]
        assert rows_of([shown]) == [listing.id_of(row) for row in rows[:2]]
        assert shown["totalCount"] == len(rows)
        assert shown["pageInfo"]["hasNextPage"] == (len(rows) > 2)


@pytest.mark.parametrize(
    "listing",
    [one for one in LISTS if one.parent == "Query" and one.field != "apiKeys"],
    ids=lambda one: one.name,
)
async def test_account_users_walk_what_they_may_see(scene: Scene, listing: Listing) -> None:
    accounts = next(one for one in LISTS if one.name == "Account.requirements")
    mine = scene.parents(accounts)[0]
    assert mine is not None
    platform, order = scene.platform, next(iter(listing.orders))
    actor = Actor(Role.ACCOUNT_USER, "uma", platform.run.platform_id, mine["account_id"])
    seen = await _seen(platform, actor, listing)
    rows = listing.expected(scene.data, None, lambda row: listing.id_of(row) in seen, order)
    user = platform.user(mine["account_id"])
    pages = await Question(user, platform.api, listing, order=order).walk(20, backward=True)
    assert rows_of(pages) == [listing.id_of(row) for row in rows]
    assert pages[0]["totalCount"] == len(rows) > 0
    if listing.field != "programs":
        assert {row["account_id"] for row in rows} == {mine["account_id"]}


async def test_api_keys_are_shown_to_administrators_only(scene: Scene) -> None:
    platform = scene.platform
    [mine, *_] = scene.parents(next(one for one in LISTS if one.name == "Account.requirements"))
    assert mine is not None
    [key, *_] = scene.data.of(API_KEYS.table)
    own = ids.encode(ids.API_KEY, hex_id(key["platform_id"]), hex_id(key["id"]))
    query = f'{{ apiKeys(first: 1) {{ totalCount }} node(id: "{own}") {{ id }} }}'
    found = (await platform.api.call(platform.admin, query)).data
    assert found == {"apiKeys": {"totalCount": 7}, "node": {"id": own}}
    other = await platform.api.platform()
    answer = await platform.api.call(other.admin, query)
    assert answer.body["data"] == {"apiKeys": {"totalCount": 0}, "node": None}
    for caller in (platform.user(mine["account_id"]), platform.reviewer, platform.integrator):
        answer = await platform.api.call(caller, query)
        assert answer.body["data"] == {"apiKeys": None, "node": None}
        assert answer.codes == ["NOT_FOUND"]
        # Their roles have no right to the table: nothing is asked of it.
        assert [one for one in answer.statements if "api_keys" in one] == []


async def _seen(platform: Platform, user: Actor, listing: Listing) -> set[str]:
    """The ids of the rows that row security shows to the account's user."""
    columns = [
        listing.table.c[n] for n in ("account_id", "platform_id", "id") if n in listing.table.c
    ]
    async with platform.run.database.session_for(user) as session, transaction(session, user):
        rows = await session.execute(select(*columns))
        return {listing.id_of({**row}) for row in rows.mappings()}


async def test_cursors_say_nothing_to_clients(scene: Scene) -> None:
    platform = scene.platform
    for listing in LISTS:
        [parent, *_] = scene.parents(listing)
        order = next(iter(listing.orders))
        page = await Question(platform.admin, platform.api, listing, parent, order=order).ask(
            first=3
        )
        for edge in page["edges"]:
            assert re.fullmatch(r"[A-Za-z0-9_-]+", edge["cursor"])
            assert edge["node"]["id"] not in edge["cursor"]


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "back"])
@by_name
async def test_what_is_there_throughout_comes_once_while_the_list_changes(
    api: Api, owner_engine: AsyncEngine, listing: Listing, backward: bool
) -> None:
    rng = Random(f"{listing.name}:{backward}")
    platform = await api.platform()
    changes = await Changes.begin(platform, rng)
    scene = await _look(platform, owner_engine)
    [parent, *_] = scene.parents(listing)
    for order in listing.orders:
        await scene.look()
        before = listing.expected(scene.data, parent, everything, order)
        question = Question(platform.admin, api, listing, parent, order=order)
        pages = []
        async for page in question.pages(max(2, len(before) // 5), backward):
            pages.append(page)
            for _ in range(CHANGES_BETWEEN_PAGES):
                await changes.make()
        await scene.look()
        after = listing.expected(scene.data, parent, everything, order)
        key = listing.key(order)
        kept = {listing.id_of(row): key(row) for row in before}
        stayed = [one for row in after if kept.get(one := listing.id_of(row)) == key(row)]
        found = rows_of(pages[::-1] if backward else pages)
        assert [one for one in found if one in set(stayed)] == stayed
        assert len(stayed) > 3
        assert len(after) >= len(before)


@dataclass
class Changes:
    """What happens to one account, and beside it, while somebody reads."""

    platform: Platform
    rng: Random
    account: Account
    program: Program
    rows: list[Requirement]
    asked: Interaction | None = None

    @classmethod
    async def begin(cls, platform: Platform, rng: Random) -> "Changes":
        """An account to which everything has happened a few times, mostly at one instant."""
        run = platform.run
        account, program = await create_account(run), await publish_program(run)
        made = cls(platform, rng, account, program, [])
        for _ in range(8):
            for change in made.kinds():
                await change()
            run.clock.advance(timedelta(seconds=rng.choice((0, 0, 1))))
        return made

    def kinds(self) -> list[Callable[[], Awaitable[None]]]:
        """All that may happen."""
        return [
            *(self._open, self._extend, self._cancel, self._submit, self._propose),
            *(self._write, self._create, self._note, self._answer),
        ]

    async def make(self) -> None:
        """Let one thing happen, at the same instant as the last or later."""
        self.platform.run.clock.advance(timedelta(minutes=self.rng.choice((0, 0, 1))))
        await self.rng.choice(self.kinds())()

    async def _open(self) -> None:
        run = self.platform.run
        deadline = run.clock.now() + timedelta(days=self.rng.randrange(10, 20))
        row = await open_requirement(run, self.account, self.program, deadline=deadline)
        self.rows.append(row)

    async def _extend(self) -> None:
        row = await self._any_open()
        assert row.deadline is not None
        later = Extend(**key_of(row), deadline=row.deadline + timedelta(days=1))
        await self.platform.run(requirements.extend, self.platform.run.reviewer, later)

    async def _cancel(self) -> None:
        row = await self._any_open()
        if row.id != self.rows[0].id:
            end = Cancel(**key_of(row), reason="Opened in error.")
            await self.platform.run(requirements.cancel, self.platform.run.admin, end)

    async def _submit(self) -> None:
        run = self.platform.run
        await submit(run, self.rows[0])
        back = RequestChanges(**key_of(self.rows[0]), errors=(ERROR,))
        await run(requirements.request_changes, run.reviewer, back)

    async def _propose(self) -> None:
        run = self.platform.run
        await settle(run, await decide(run, self.rows[0], ResolutionOutcome.WAIVED), approve=False)

    async def _write(self) -> None:
        await write_contacts(self.platform.run, [self.rows[0], self.rng.choice(self.rows)])

    async def _note(self) -> None:
        await add_note(self.platform.run, self.rows[0])

    async def _answer(self) -> None:
        if self.asked is None:
            self.asked = await create_interaction(self.platform.run, "SENT", self.rows[0])
        await receive_message(self.platform.run, self.rows[0], in_reply_to_id=self.asked.id)

    async def _create(self) -> None:
        await create_account(self.platform.run)
        await publish_program(self.platform.run, code=unique(self.rng.choice("abc")))
        await create_api_key(self.platform.run)

    async def _any_open(self) -> Requirement:
        run, row = self.platform.run, self.rng.choice(self.rows)
        found = await run.fetch(Requirement, row.account_id, row.id)
        is_open = found.state in OPEN_STATES
        return found if is_open else await run.fetch(Requirement, *key_of(self.rows[0]).values())


async def test_a_count_is_exact_to_its_limit_and_says_when_it_stops(
    own: Platform, owner_engine: AsyncEngine, database_url: str
) -> None:
    row = await open_requirement(own.run)
    [first] = await write_contacts(own.run, [row])
    # One more is the notice that the requirement was opened with.
    await _multiply(owner_engine, first, COUNT_LIMIT - 2)
    await analyze(database_url)
    assert await _counts(own, row) == [(COUNT_LIMIT, False)] * 3
    await _multiply(owner_engine, first, 1)
    assert await _counts(own, row) == [(COUNT_LIMIT, True)] * 3


async def _multiply(owner: AsyncEngine, first: Interaction, by: int) -> None:
    """More of the same, about the same."""
    names = [c.name for c in Interaction.__table__.columns if c.computed is None and c.name != "id"]
    copied = ", ".join(names)
    copies = (
        f"WITH copies AS (INSERT INTO interactions (id, {copied}) "
        f"SELECT gen_random_uuid(), {copied} FROM interactions, generate_series(1, :by) "
        "WHERE id = :id RETURNING account_id, platform_id, id, created_at) "
        "INSERT INTO interaction_requirements "
        "(account_id, platform_id, interaction_id, requirement_id, interaction_created_at) "
        "SELECT copies.account_id, copies.platform_id, copies.id, link.requirement_id, "
        "copies.created_at "
        "FROM copies, interaction_requirements AS link WHERE link.interaction_id = :id"
    )
    async with owner.begin() as connection:
        await connection.execute(text(copies), {"by": by, "id": first.id})


async def _counts(platform: Platform, row: Requirement) -> list[tuple[int, bool]]:
    """The count of one long list: of the platform, of its account and of its requirement."""
    page = "interactions(first: 1) { totalCount totalCountIsCapped }"
    query = (
        f"query($account: ID!, $requirement: ID!) {{ {page} account(id: $account) {{ {page} }} "
        f"requirement(id: $requirement) {{ {page} }} }}"
    )
    given = {
        "account": ids.encode_one(ids.ACCOUNT, hex_id(row.account_id)),
        "requirement": ids.encode(ids.REQUIREMENT, hex_id(row.account_id), hex_id(row.id)),
    }
    data = (await platform.api.call(platform.admin, query, given)).data
    shown = [one["interactions"] for one in (data, data["account"], data["requirement"])]
    return [(one["totalCount"], one["totalCountIsCapped"]) for one in shown]
