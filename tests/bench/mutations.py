"""What mutations cost: a mix of four, each of them once on each of many accounts."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.database import Database
from models.account import CreateAccount, create
from models.actor import Actor, Role
from models.clock import Clock
from models.ids import account_id_for, hex_id
from models.requirement_operations import OpenRequirement, Submit, open_requirement, submit
from resolvers import ids
from tests.bench.data import PLATFORM_ID
from tests.bench.measure import Bench, Cell
from tests.bench.queries import Ask, Server

NAME = "mutations: submit, start review, update account, place hold"
PROGRAM, PAYLOAD = "terms.acceptance", {"accepted": True, "accepted_on": "2026-01-01"}
REVIEWED, SENT = "bank_account.ownership", {"account_holder": "Quiet Mill Ltd", "last4": "1234"}
DOCUMENT = """
mutation Change($input: {Field}Input!) {{
  {field}(input: $input) {{
    {fields}
    userErrors {{ code message field }}
  }}
}}
"""
REQUIREMENT = "requirement { id state version dueStatus }"
EFFECTS = ("evidence", "holds", "events", "requirements WHERE state = 'IN_REVIEW'")


class Target:
    """An account with a requirement that can be submitted, and one that was."""

    def __init__(self, number: int) -> None:
        self.external_id = f"acct_change_{number:05}"
        self.account_id = account_id_for(PLATFORM_ID, self.external_id)
        self.account = ids.encode_one(ids.ACCOUNT, hex_id(self.account_id))
        self.opened = self.submitted = ""

    async def make(self, database: Database, clock: Clock) -> None:
        """Make it as the domain does: what its mutations cost depends on what is there."""
        actor = Actor(Role.ADMIN, "bench", PLATFORM_ID)
        command = CreateAccount(
            external_id=self.external_id, business_name="Quiet Mill Ltd", country="GB"
        )
        async with database.session_for(actor) as session:
            await create(session, actor, clock, command)
        self.opened = await self._open(database, clock, actor, PROGRAM)
        self.submitted = await self._open(database, clock, actor, REVIEWED)
        _, requirement_id = ids.decode(self.submitted, ids.REQUIREMENT)
        evidence = Submit(account_id=self.account_id, requirement_id=requirement_id, payload=SENT)
        async with database.session_for(actor) as session:
            await submit(session, actor, clock, evidence)

    async def _open(self, database: Database, clock: Clock, actor: Actor, program: str) -> str:
        command = OpenRequirement(account_id=self.account_id, program=program)
        async with database.session_for(actor) as session:
            opened = await open_requirement(session, actor, clock, command)
        return ids.encode(ids.REQUIREMENT, hex_id(self.account_id), hex_id(opened.value.id))

    def asks(self) -> list[Ask]:
        """The four mutations of it."""
        hold = {"accountId": self.account, "capabilities": ["PAYOUTS"], "reason": "UNDER_REVIEW"}
        return [
            ask("requirementSubmit", REQUIREMENT, "/submit", id=self.opened, payload=PAYLOAD),
            ask("requirementStartReview", REQUIREMENT, "/start-review", id=self.submitted),
            ask(
                "accountUpdate",
                "account { id email }",
                "/update",
                id=self.account,
                email="a@b.example",
            ),
            ask("holdPlace", "hold { id capabilities reason version }", "/place", **hold),
        ]


def ask(field: str, fields: str, path: str, **given: Any) -> Ask:
    """One mutation."""
    document = DOCUMENT.format(Field=field[0].upper() + field[1:], field=field, fields=fields)
    return Ask(document, {"input": given}, path, given)


def mixed(targets: Sequence[Target]) -> list[Ask]:
    """All mutations of some accounts, those of one account far from each other."""
    asks = [target.asks() for target in targets]
    count = len(asks)
    return [
        asks[(number + place * count // 4) % count][place]
        for number in range(count)
        for place in range(4)
    ]


def compare(
    bench: Bench,
    servers: Sequence[Server],
    targets: Sequence[Target],
    connections: Sequence[int],
    per_round: int,
) -> list[Cell]:
    """Each server's figures, taken in turn; the first round only warms."""
    left = iter(targets)
    assert_same(servers, [next(left) for _ in servers])
    cells = [
        (Cell(NAME, server.name, count), server) for count in connections for server in servers
    ]
    for round in range(1 + bench.rounds):
        for cell, server in cells:
            requests = list(map(server.write, mixed(list(islice(left, per_round)))))
            taken = cell if round else Cell(NAME, server.name, cell.connections)
            bench.add(taken, server, requests, seconds=60, once=True)
    return [cell for cell, _ in cells]


def needed(servers: int, connections: int, rounds: int, per_round: int) -> int:
    """How many accounts `compare` takes."""
    return servers + servers * connections * (1 + rounds) * per_round


def assert_same(servers: Sequence[Server], targets: Sequence[Target]) -> None:
    """That all servers give the same JSON but for the ids, without errors."""
    answers = [
        [without_ids(server.answer(ask)) for ask in target.asks()]
        for server, target in zip(servers, targets, strict=True)
    ]
    for answer in answers[0]:
        [payload] = answer["data"].values()
        assert payload["userErrors"] == [], answer
    for other, server in zip(answers, servers, strict=True):
        assert other == answers[0], f"{server.name}: the answers differ"


def without_ids(value: Any) -> Any:
    """An answer without what differs from account to account."""
    if isinstance(value, list):
        return list(map(without_ids, value))
    if isinstance(value, dict):
        return {key: without_ids(item) for key, item in value.items() if key != "id"}
    return value


async def effects(url: str) -> list[int]:
    """How many rows there are of what the four mutations add, in the order of `EFFECTS`."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return [
                await connection.scalar(text("SELECT count(*) FROM " + table)) or 0
                for table in EFFECTS
            ]
    finally:
        await engine.dispose()


def assert_done(before: Sequence[int], after: Sequence[int], targets: int) -> None:
    """That every mutation of every account has had its effect."""
    evidence, holds, events, reviews = (
        there - then for there, then in zip(after, before, strict=True)
    )
    assert evidence == holds == reviews == targets, (evidence, holds, reviews, targets)
    assert events >= 4 * targets, events
