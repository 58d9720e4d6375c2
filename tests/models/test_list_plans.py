"""Every filter and order of every list has its index, on page 1 and far into the list.

With `--requirements 1000000 --slow` it takes half an hour or so, and times count as well.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

import models.tables
from app.database import Database
from app.seeding import seed
from models.account import ACCOUNTS
from models.actor import Actor, Role
from models.api_key import API_KEYS
from models.clock import ManualClock
from models.events import TIMELINE
from models.evidence import EVIDENCE
from models.ids import HexId, account_id_for, hex_id, id_array, platform_id_for
from models.interaction import (
    INTERACTIONS,
    REPLIES,
)
from models.interaction_reads import INTERACTIONS_OF_REQUIREMENT, requirements_of_interactions
from models.listing import COUNT_LIMIT, Link, ListSpec, Shape, count_query, page_query
from models.lookup import accounts_by_id, rows_by_account, rows_by_key
from models.note import NOTES
from models.program_reads import PROGRAMS
from models.reading import Reader
from models.requirement_reads import (
    BRANCHES_OF_DUE_STATUS,
    REQUIREMENTS,
    alternatives_of,
    live_requirements,
    requirement_summaries,
)
from models.resolution import RESOLUTIONS, current_resolutions
from models.seeding import external_id
from models.status import due_status
from models.tables import METADATA
from tests.conftest import START
from tests.models.list_oracle import Oracle, after, in_branch, key_of
from tests.models.list_plans import (
    INSTANTS,
    LISTS,
    PAGE,
    Case,
    ExplainingReader,
    Filter,
    Looker,
    Plan,
    Store,
    cases_of,
    filters_of,
    pairs_of,
)

PLATFORM = "plans"
REQUIREMENTS_PER_ACCOUNT = 5
SINGLES = [case for spec in LISTS for case in cases_of(spec, filters_of(spec))]
DIRECT = [case for case in SINGLES if not case.crosses and not case.searches]
INDIRECT = [case for case in SINGLES if case.crosses or case.searches]
PAIRS = [case for spec in LISTS for case in cases_of(spec, pairs_of(spec)) if not case.descending]
OF_ONE_ACCOUNT = [
    case
    for spec in LISTS
    if "account_id" in spec.table.c
    for case in cases_of(spec, filters_of(spec), account=True)
    if not set(case.filter.dimensions) & {"assignee"}
]
FEW_ACCOUNTS = 400
SMALL = frozenset({"api_keys", "programs", "platforms"})
# A plan may also find few rows by the filter's index and sort these: this share of all, at most.
FEW_SORTED = 0.05
MOST_BUFFERS_MORE = 8
MOST_MILLISECONDS_MORE = 0.5
INDIRECT_LIMIT_MILLISECONDS = 250
PARENTS = 100
# More than any account of the seed has of anything.
ROWS_PER_ACCOUNT = 200
OF_ACCOUNT = Link(parent=ACCOUNTS.table)
OF_REQUIREMENT = Link(parent=REQUIREMENTS.table, column="requirement_id")
NESTED = [
    (REQUIREMENTS, OF_ACCOUNT),
    (INTERACTIONS, OF_ACCOUNT),
    (RESOLUTIONS, OF_ACCOUNT),
    (TIMELINE, OF_ACCOUNT),
    (INTERACTIONS, INTERACTIONS_OF_REQUIREMENT),
    (INTERACTIONS, REPLIES),
    (RESOLUTIONS, OF_REQUIREMENT),
    (EVIDENCE, OF_REQUIREMENT),
    (NOTES, OF_REQUIREMENT),
]
# Of the open ones that the account has to act on, so many wait for an answer: 2 % of them.
UNANSWERED = """
    UPDATE requirements SET unanswered_since = created_at
    WHERE state IN ('OPEN', 'ACTION_REQUIRED') AND hashtext(id::text) % 50 = 0"""
# The seed writes none.
A_NOTE_ON_EACH = """
    INSERT INTO notes (account_id, platform_id, id, requirement_id, text, author_kind, author_id,
        created_at)
    SELECT account_id, platform_id, gen_random_uuid(), id, 'Seen before.', 'REVIEWER', 'rita',
        created_at FROM requirements"""
Look = Callable[[Reader, list[Any], list[Any]], Awaitable[Any]]


@pytest.fixture(scope="module")
async def store(
    request: pytest.FixtureRequest, database: Database, database_url: str, owner_engine: AsyncEngine
) -> Store:
    """As many requirements as the option says, as a reviewer sees them."""
    requirements = int(request.config.getoption("--requirements"))
    accounts = requirements // REQUIREMENTS_PER_ACCOUNT
    await seed(database_url, PLATFORM, ManualClock(START), accounts, REQUIREMENTS_PER_ACCOUNT)
    async with owner_engine.begin() as connection:
        await connection.execute(text(A_NOTE_ON_EACH))
        await connection.execute(text(UNANSWERED))
    async with owner_engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        names = ", ".join(table.name for table in METADATA.sorted_tables)
        await connection.execute(text(f"VACUUM (ANALYZE) {names}"))
    actor = Actor(Role.REVIEWER, "rita", platform_id_for(PLATFORM))
    values = {
        (spec.name, name): await _by_number(owner_engine, spec.table.name, column)
        for spec in LISTS
        for name, column in spec.dimensions.items()
    }
    return Store(database.read_pool_for(actor), actor, START, requirements, values)


@pytest.fixture(scope="module")
async def few(store: Store, database_url: str, owner_engine: AsyncEngine) -> Store:
    """Another platform beside it, small enough to be looked at row by row."""
    await seed(database_url, "few", ManualClock(START), FEW_ACCOUNTS, REQUIREMENTS_PER_ACCOUNT)
    async with owner_engine.begin() as connection:
        await connection.execute(text(UNANSWERED))
    actor = Actor(Role.REVIEWER, "rita", platform_id_for("few"))
    requirements = FEW_ACCOUNTS * REQUIREMENTS_PER_ACCOUNT
    return Store(store.pool, actor, store.now, requirements, store.values)


@pytest.fixture(scope="module")
async def oracle(few: Store, owner_engine: AsyncEngine) -> Oracle:
    """All that there is on the small platform, in memory."""
    rows = {spec.name: await _all_rows(owner_engine, spec.table, few) for spec in LISTS}
    terms: dict[HexId, list[str]] = {}
    for row in await _all_rows(owner_engine, METADATA.tables["account_terms"], few):
        terms.setdefault(row["account_id"], []).append(row["term"])
    return Oracle(rows, terms)


async def _all_rows(owner: AsyncEngine, table: Table, store: Store) -> list[dict[str, Any]]:
    """The rows of the platform, with ids as the service reads them."""
    async with owner.connect() as connection:
        query = select(table).where(table.c.platform_id == store.actor.platform_id)
        rows = (await connection.execute(query)).mappings()
    return [{name: _as_read(value) for name, value in row.items()} for row in rows]


def _as_read(value: Any) -> Any:
    return hex_id(value) if isinstance(value, uuid.UUID) else value


@pytest.fixture(scope="module")
def account_store(store: Store, database: Database) -> Store:
    """The same as the user of one account sees it."""
    account_id = account_id_for(store.actor.platform_id, external_id(0))
    actor = Actor(Role.ACCOUNT_USER, "uma", store.actor.platform_id, account_id)
    return Store(database.read_pool_for(actor), actor, store.now, store.requirements, store.values)


async def _by_number(owner: AsyncEngine, table: str, column: str) -> list[Any]:
    """The values of a column, the most frequent first."""
    async with owner.connect() as connection:
        sql = f"SELECT {column} FROM {table} GROUP BY 1 ORDER BY count(*) DESC, 1"
        return list((await connection.execute(text(sql))).scalars())


def test_every_list_and_filter_is_tried() -> None:
    found = {
        id(value): value
        for noun in models.tables.NOUNS
        for value in vars(noun).values()
        if isinstance(value, ListSpec)
    }
    # A list on its own, as nested below, or too small to need an index.
    tried = {id(spec) for spec in (*LISTS, *(spec for spec, _ in NESTED), API_KEYS, PROGRAMS)}
    assert set(found) == tried
    asked = {(case.spec.name, name) for case in SINGLES for name in _names(case.filter)}
    declared = {(s.name, name) for s in LISTS for name in (*s.dimensions, *s.conditions)}
    searched = {(s.name, name) for s in LISTS for name in s.searches[2:]}
    assert asked == declared - searched
    assert set(INSTANTS) <= {name for spec in LISTS for name in spec.conditions}


def _names(filter: Filter) -> set[str]:
    conditions = {name for branch in filter.branches or () for name in branch.conditions}
    return {*filter.dimensions, *filter.conditions, *conditions}


@pytest.mark.parametrize("case", DIRECT, ids=str)
async def test_a_page_reads_what_it_shows_and_a_deep_one_no_more(
    store: Store, case: Case, request: pytest.FixtureRequest
) -> None:
    times = 5 if request.config.getoption("--slow") else 1
    async with store.looking() as look:
        first = await plans(look, case, store, (), times)
        key = await deep_key(look, case, store)
        deep = await plans(look, case, store, key, times) if key else []
    most = 2 * case.branches(store) * (PAGE + 1)
    for plan in (*first, *deep):
        assert not plan.sequential - SMALL
        assert plan.sorted_rows <= max(most, FEW_SORTED * store.requirements)
        assert plan.read_rows <= most
    for one, other in zip(first, deep, strict=False):
        less, more = sorted((one.buffers, other.buffers))
        assert more <= 2 * less + MOST_BUFFERS_MORE
        less_ms, more_ms = sorted((one.milliseconds, other.milliseconds))
        assert times == 1 or more_ms <= 2 * less_ms + MOST_MILLISECONDS_MORE


@pytest.mark.parametrize("case", INDIRECT, ids=str)
async def test_a_filter_that_is_not_the_order_s_drops_rows_unread(
    store: Store, case: Case, request: pytest.FixtureRequest
) -> None:
    async with store.looking() as look:
        first = await plans(look, case, store)
        key = await deep_key(look, case, store)
        deep = await plans(look, case, store, key) if key else []
    few = FEW_SORTED * store.requirements
    for plan in (*first, *deep):
        assert not plan.sequential - SMALL
        assert plan.sorted_rows <= max(case.branches(store) * (PAGE + 1), few)
        if not case.searches:
            assert plan.read_rows <= 2 * case.branches(store) * (PAGE + 1) + few
        if request.config.getoption("--slow"):
            assert plan.milliseconds <= INDIRECT_LIMIT_MILLISECONDS


@pytest.mark.parametrize("case", PAIRS, ids=str)
async def test_two_filters_at_once_sort_no_whole_list(store: Store, case: Case) -> None:
    async with store.looking() as look:
        for plan in await plans(look, case, store):
            assert not plan.sequential - SMALL
            few = FEW_SORTED * store.requirements
            assert plan.sorted_rows <= max(case.branches(store) * (PAGE + 1), few)


@pytest.mark.parametrize("case", OF_ONE_ACCOUNT, ids=str)
async def test_a_list_of_one_account_reads_only_its_rows(account_store: Store, case: Case) -> None:
    async with account_store.looking() as look:
        for plan in await plans(look, case, account_store):
            assert not plan.sequential - SMALL
            assert plan.read_rows <= ROWS_PER_ACCOUNT


@pytest.mark.parametrize("case", SINGLES, ids=str)
async def test_pages_hold_what_the_filter_says_in_the_order_asked_for(
    few: Store, oracle: Oracle, case: Case
) -> None:
    keys, everything = oracle.keys(case, few), oracle.all_keys(case)
    async with few.looking() as look:
        assert await page(look, case, few) == keys[:PAGE]
        # A cursor within the list, and cursors that the filter leaves out.
        places = [*keys[PAGE - 1 :: len(keys) // 2 + 1], *everything[:: len(everything) // 3]]
        for place in places:
            assert await page(look, case, few, place) == after(case, keys, place)[:PAGE]
        query = count_query(case.shape(few, keyset=False, columns=()))
        values = case.values(few)
        arguments = [values[name] for name in query.parameters]
        total = await look.driver.fetchval(query.sql, *arguments)
        assert total == min(len(keys), COUNT_LIMIT + 1)


def test_due_statuses_share_the_requirements_out(few: Store, oracle: Oracle) -> None:
    case = SINGLES[0]
    values = case.values(few)
    for row in oracle.rows[REQUIREMENTS.name]:
        status = due_status(row["state"], row["currently_due_at"], row["deadline"], few.now)
        found = [
            other
            for other, branches in BRANCHES_OF_DUE_STATUS.items()
            for branch in branches
            if in_branch(case, branch, row, values)
        ]
        assert found == [status]


@pytest.mark.parametrize("case", [c for c in SINGLES if not c.descending], ids=str)
async def test_a_count_ends_at_its_limit(store: Store, case: Case) -> None:
    query = count_query(case.shape(store, keyset=False, columns=()))
    async with store.looking() as look:
        plan = await look.plan(query, case.values(store))
        # Of few rows a sequential scan may be the shortest way.
        if store.requirements > 10 * COUNT_LIMIT:
            assert not plan.sequential - SMALL
        if not case.crosses and not case.searches:
            assert plan.read_rows <= 2 * (COUNT_LIMIT + 1)


@pytest.mark.parametrize(("spec", "link"), NESTED, ids=lambda value: getattr(value, "name", ""))
async def test_lists_of_many_parents_read_only_their_rows(
    store: Store, spec: ListSpec, link: Link
) -> None:
    keys = await some_requirements(store)
    accounts, ids = zip(*keys, strict=True)
    columns = tuple(column.name for column in spec.table.columns)
    values = {"accounts": list(set(accounts)), "ids": id_array(ids), "limit": PAGE + 1}
    for order in spec.orders:
        for descending in (False, True):
            shape = Shape(spec, columns, order, descending, link=link)
            async with store.looking() as look:
                for query in (page_query(shape), count_query(shape)):
                    plan = await look.plan(query, values)
                    assert not plan.sequential - SMALL
                    assert plan.read_rows <= PARENTS * ROWS_PER_ACCOUNT


LOOK_UPS: dict[str, Look] = {
    "accounts by id": lambda reader, accounts, keys: accounts_by_id(
        reader, ACCOUNTS.table, accounts, ("business_name",)
    ),
    "requirements by key": lambda reader, accounts, keys: rows_by_key(
        reader, REQUIREMENTS.table, keys, ("title",)
    ),
    "capabilities": lambda reader, accounts, keys: rows_by_account(
        reader, METADATA.tables["capabilities"], accounts, ("kind", "status"), ("kind",)
    ),
    "holds": lambda reader, accounts, keys: rows_by_account(
        reader, METADATA.tables["holds"], accounts, ("id", "reason"), ("id",)
    ),
    "summaries": lambda reader, accounts, keys: requirement_summaries(reader, accounts, START),
    "live requirements": lambda reader, accounts, keys: live_requirements(
        reader, accounts, ("state",)
    ),
    "alternatives": lambda reader, accounts, keys: alternatives_of(
        reader, [(account, "place_of_business") for account in accounts], ("state",)
    ),
    "current resolutions": lambda reader, accounts, keys: current_resolutions(
        reader, keys, ("outcome",)
    ),
    "requirements of interactions": lambda reader, accounts, keys: requirements_of_interactions(
        reader, keys, ("title",)
    ),
}


@pytest.mark.parametrize("look_up", LOOK_UPS.values(), ids=LOOK_UPS)
async def test_a_look_up_reads_only_the_rows_of_its_accounts(store: Store, look_up: Look) -> None:
    keys = await some_requirements(store)
    reader = ExplainingReader(store.pool, store.actor)
    try:
        await look_up(reader, list({account_id for account_id, _ in keys}), keys)
    finally:
        await reader.close()
    assert reader.plans
    for plan in reader.plans:
        assert not plan.sequential - SMALL
        assert plan.read_rows <= PARENTS * ROWS_PER_ACCOUNT


async def plans(
    look: Looker, case: Case, store: Store, key: Sequence[Any] = (), times: int = 1
) -> list[Plan]:
    """How the page after `key` is read: for its values, and, where that is kept, for any."""
    query = page_query(case.shape(store, keyset=bool(key), columns=case.columns(store)))
    values = case.values(store, key)
    found = [await look.plan(query, values, times)]
    if not query.varied:
        found.append(await look.general_plan(query, values, times))
    return found


async def page(
    look: Looker, case: Case, store: Store, key: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """The keys of the rows of the page after `key`."""
    query = page_query(case.shape(store, keyset=bool(key), columns=case.key_columns))
    values = case.values(store, key)
    rows = await look.driver.fetch(query.sql, *(values[name] for name in query.parameters))
    return [key_of(case, row) for row in rows[:PAGE]]


async def deep_key(look: Looker, case: Case, store: Store) -> Sequence[Any]:
    """The key before a page far into the list; none where the list is short."""
    length = await look.length(case, store, store.deep_place + 1)
    if length < 3 * PAGE:
        return ()
    place = store.deep_place if length > store.deep_place else length * 8 // 10
    return await look.key_at(case, store, place)


async def some_requirements(store: Store) -> list[Any]:
    """The keys of requirements of many accounts."""
    sql = f"SELECT account_id, id FROM requirements ORDER BY id LIMIT {PARENTS}"
    async with store.looking() as look:
        return [tuple(row) for row in await look.driver.fetch(sql)]
