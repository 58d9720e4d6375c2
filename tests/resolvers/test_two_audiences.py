"""What is for staff reaches no account user: not by any way through the schema, not by SQL.

All that is between staff holds a mark, in every row of an account that has something of everything.
An account user then asks for all values at the end of every way, and for every object by its id.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Integer, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from models import decision, delivery
from models import requirement_operations as requirements
from models.actor import Actor, Role
from models.aggregate import Account
from models.base import staff_only_columns
from models.decision import DeclineResolution
from models.delivery import ReportInteraction
from models.ids import hex_id
from models.interaction_steps import Failure
from models.requirement_operations import Assign
from models.resolution import ResolutionOutcome
from models.sending import DueInteraction, Letter, Mailed, settle
from models.session import settings_sql
from models.tables import METADATA
from resolvers import ids
from resolvers.schema import ROWS
from tests.factories import (
    Runner,
    add_note,
    contact_key,
    create_interaction,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    place_hold,
)
from tests.resolvers.api import Answer, Api, Caller, Platform
from tests.resolvers.scene import create_full_account
from tests.resolvers.walk import (
    GRAPHQL,
    Coverage,
    Path,
    named,
    object_type,
    paths,
    query_of,
    rows_of,
    values_of,
)

# In what staff write, in who of the staff it was, and in what is counted for them.
SECRET, WHO, COUNT = "zzsecret", "zzsomebody", 987_654_321
MARKS = re.compile(f"{SECRET}[a-z_-]*|{WHO}|{COUNT}", re.IGNORECASE)
DEPTH = 3
FIRST = 100
# Rows that account users don't see, by a column's values, and the texts in them.
HIDDEN_ROWS = {
    "interactions": ("first_sent_at IS NULL", ("subject", "body")),
    "resolutions": ("state IN ('PROPOSED', 'DECLINED')", ("facts", "redress")),
    "notes": ("true", ("text",)),
}
# Columns that not every row may fill.
SOME_ROWS = {"failure_said": "state = 'FAILED'"}
# What nobody reads through the schema.
IN_NO_SCHEMA = {f"{SECRET}-accounts-import_state", str(COUNT)}
# Who it was, where that may be somebody of the account as well: the database gives these to
# account users' role, and the schema shows them of staff the kind alone.
OF_BOTH_SIDES = ("actor_", "appealed_by_", "author_", "opened_by_", "submitted_by_")


class Marked(Runner):
    """A runner whose staff bear a mark in their ids and names."""

    def staff(self, role: Role, name: str) -> Actor:
        """Somebody of the platform, with the mark."""
        return super().staff(role, f"{WHO}-{name}")


@dataclass(frozen=True)
class Scene:
    """A platform with marks on it, and an account there; `planted` are those in texts of staff."""

    platform: Platform
    account: Account
    planted: frozenset[str]

    @property
    def user(self) -> Caller:
        """Somebody of the account."""
        return self.platform.user(self.account)


@pytest.fixture(scope="module")
async def scene(api: Api, owner_engine: AsyncEngine) -> Scene:
    platform = await api.platform()
    run = Marked(platform.run.database, platform.run.clock, platform.run.platform_id)
    account = await create_full_account(run)
    await write_between_staff(run, account)
    await mail_often(run, account, owner_engine)
    planted = await plant(owner_engine, account)
    return Scene(replace(platform, run=run), account, frozenset(planted))


async def write_between_staff(run: Runner, account: Account) -> None:
    """By the operations, so that whatever they write elsewhere bears the mark as well."""
    row = await create_requirement(run, "IN_REVIEW", account)
    await add_note(run, row, f"{SECRET}-operation note")
    await place_hold(run, account, note=f"{SECRET}-operation hold")
    who = f"{SECRET}-operation"
    command = Assign(**key_of(row), assignee_id=who, assignee_name=who)
    await run(requirements.assign, run.reviewer, command)
    proposal = await decide(run, row, ResolutionOutcome.WAIVED)
    await run(
        decision.decline_resolution,
        run.second_reviewer,
        DeclineResolution(
            account_id=account.account_id,
            resolution_id=proposal.id,
            reason=f"{SECRET}-operation decline",
        ),
    )
    await decide(run, row, ResolutionOutcome.WAIVED)
    contact = await create_interaction(run, "SENT", row)
    failure = Failure("smtp_451", f"{SECRET}-operation mx-7.corp.internal: LDAP bind failed")
    failed = ReportInteraction(**contact_key(contact), report="FAILED", failure=failure)
    await run(delivery.report, run.integrator, failed)


async def mail_often(run: Runner, account: Account, owner: AsyncEngine) -> None:
    """Let a letter be mailed that was tried as often as the mark says, by the operations."""
    row = await open_requirement(run, account)
    letter = await create_interaction(run, "SENT", row)
    until = run.clock.now()
    async with owner.begin() as connection:
        statement = "UPDATE interactions SET attempts = :count, attempt_number = :count, "
        statement += "attempt_at = :until WHERE id = :id"
        values = {"count": COUNT, "until": until, "id": letter.id}
        await connection.execute(text(statement), values)
    due = DueInteraction(account.account_id, account.platform_id, letter.id)
    async with run.database.session_for(run.system) as session:
        mail = Letter(due, COUNT, until, "a@cafe.example", "Hello", "Hello")
        await settle(session, run.clock, mail, Mailed())


async def plant(owner: AsyncEngine, account: Account) -> set[str]:
    """Write a mark into every text and number that is for staff; gives the marks."""
    found = set()
    async with owner.begin() as connection:
        make_drafts = "UPDATE interactions SET state = 'DRAFT', failure = NULL, subject = 'x', "
        make_drafts += "sent_at = NULL, first_sent_at = NULL "
        make_drafts += "WHERE direction = 'OUTBOUND' AND channel = 'SMS'"
        await connection.execute(text(make_drafts))
        for table, column, where in places():
            mark = f"{SECRET}-{table.name}-{column}"
            value = f"'{mark}'"
            if isinstance(table.c[column].type, Integer):
                mark = value = str(COUNT)
            if str(table.c[column].type) == "JSONB":
                value = f"""jsonb_build_object('mark', {value})"""
            statement = f"UPDATE {table.name} SET {column} = {value} WHERE account_id = :a AND "
            changed = await connection.execute(text(statement + where), {"a": account.account_id})
            assert changed.rowcount > 0, mark
            found.add(mark)
        for table in METADATA.tables.values():
            names = [column.name for column in table.columns]
            for kind in (name for name in names if name.endswith("_kind")):
                own = kind.replace("_kind", "_id")
                name = kind.replace("_kind", "_name")
                # The kind of a ground is nobody's.
                if own not in names:
                    continue
                # Not twice the same: four eyes are two people's.
                statement = f"UPDATE {table.name} SET {own} = '{WHO}-{own}', {name} = '{WHO}' "
                statement += f"WHERE {kind} IN ('REVIEWER', 'SERVICE')"
                await connection.execute(text(statement))
    return found


def places() -> Iterator[tuple[Table, str, str]]:
    """Every column that only staff may read, and the texts of rows that only staff see."""
    for table in METADATA.tables.values():
        for name in sorted(staff_only_columns(table)):
            column = table.c[name]
            holds_mark = isinstance(column.type, String | Text | JSONB | Integer)
            # Who it was is marked elsewhere.
            if name == "proposed_outcome" or name.endswith(("_by_id", "_by_name")):
                continue
            if holds_mark and column.computed is None:
                yield table, name, SOME_ROWS.get(name, "true")
    for name, (where, columns) in HIDDEN_ROWS.items():
        for column_name in columns:
            yield METADATA.tables[name], column_name, where


def marks(answer: Answer) -> set[str]:
    """The marks anywhere in an answer, its errors included."""
    return {mark.lower() for mark in MARKS.findall(str(answer.body))}


def follows(path: Path) -> bool:
    """What one id leads to is on the lists as well: such ways end sooner."""
    by_id = not path[0].connection and path[0].field not in ("viewer", "account")
    return len(path) < (DEPTH - 1 if by_id else DEPTH)


async def ask(scene: Scene, caller: Caller, path: Path, known: dict[str, list[str]]) -> set[str]:
    """The marks at the end of one way, for as many beginnings as there are ids."""
    found: set[str] = set()
    coverage: Coverage = set()
    query = query_of(path, coverage)
    first = known.get(path[0].type, [""])
    for own in first if "$id:" in query else first[:1]:
        given = {"first": FIRST, "id": own, "ids": first[:FIRST], "code": known["code"][0]}
        found |= marks(await scene.platform.api.call(caller, query, given))
    return found


async def ids_of_all(owner: AsyncEngine, scene: Scene, most: int) -> dict[str, list[str]]:
    """The global ids of the account's objects by type, whoever may see them; at most so many."""
    found = {"Account": [ids.encode_one(ids.ACCOUNT, hex_id(scene.account.account_id))]}
    async with owner.connect() as connection:
        for prefix, (name, table) in ROWS.items():
            query = f"SELECT id FROM {table.name} WHERE account_id = :a ORDER BY id DESC LIMIT :n"
            values = {"a": scene.account.account_id, "n": most}
            rows = await connection.scalars(text(query), values)
            own = scene.account.account_id.hex
            found[name] = [f"{prefix}_{own}{row.hex}" for row in rows]
        query = "SELECT code, id FROM programs WHERE platform_id = :p ORDER BY published_at"
        platform_id = scene.platform.run.platform_id
        programs = (await connection.execute(text(query), {"p": platform_id})).all()
    found["Program"] = [f"{ids.PROGRAM}_{platform_id.hex}{row.id.hex}" for row in programs]
    found["code"] = [programs[0].code]
    return found


async def test_no_way_through_the_schema_leads_an_account_user_to_a_mark(
    scene: Scene, owner_engine: AsyncEngine
) -> None:
    known = await ids_of_all(owner_engine, scene, 1)
    leaks = {}
    for path in paths(DEPTH, follows):
        if found := await ask(scene, scene.user, path, known):
            leaks[".".join(map(str, path))] = found
    assert leaks == {}


async def test_no_id_leads_an_account_user_to_a_mark(
    scene: Scene, owner_engine: AsyncEngine
) -> None:
    known = await ids_of_all(owner_engine, scene, 1_000)
    del known["code"]
    for name, owns in known.items():
        query = f"query($id: ID!) {{ node(id: $id) {{ ... on {name} {{ {values_of(name)} }} }} }}"
        for own in owns:
            answer = await scene.platform.api.call(scene.user, query, {"id": own})
            assert marks(answer) == set(), own
            if name == "Note":
                assert answer.codes == ["NOT_FOUND"]


async def test_staff_find_every_mark(scene: Scene, owner_engine: AsyncEngine) -> None:
    """So each is where somebody could have come upon it."""
    known = await ids_of_all(owner_engine, scene, 1)
    found: set[str] = set()
    for path in paths(2):
        found |= await ask(scene, scene.platform.admin, path, known)
    operation = {f"{SECRET}-operation"}
    assert found >= {WHO, *operation, *scene.planted} - IN_NO_SCHEMA


async def test_account_users_learn_of_no_note(scene: Scene) -> None:
    query = """{
      events(first: 100) { nodes { type } }
      requirements(first: 100) { nodes { internalNotes(first: 1) { totalCount } } } }"""
    api = scene.platform.api
    data = (await api.call(scene.user, query)).data
    assert "NOTE_ADDED" not in {event["type"] for event in data["events"]["nodes"]}
    assert {str(row["internalNotes"]) for row in data["requirements"]["nodes"]} == {"None"}
    for_staff = (await api.call(scene.platform.reviewer, query)).data
    counts = {row["internalNotes"]["totalCount"] for row in for_staff["requirements"]["nodes"]}
    assert max(counts) >= 2
    timeline = """query($id: ID!) {
      account(id: $id) { timeline(last: 100) { nodes { type changes } } } }"""
    given = {"id": ids.encode_one(ids.ACCOUNT, hex_id(scene.account.account_id))}
    shown = (await api.call(scene.platform.reviewer, timeline, given)).data
    events = shown["account"]["timeline"]["nodes"]
    told = [set(event["changes"]) for event in events if event["type"] == "NOTE_ADDED"]
    # The text stands in no event, which can't be taken back.
    assert told
    assert all(names == {"noteId"} for names in told)


async def test_an_account_user_writes_no_note(scene: Scene, owner_engine: AsyncEngine) -> None:
    known = await ids_of_all(owner_engine, scene, 1)
    query = """mutation($id: ID!) { noteAdd(input: { id: $id, text: "Hello" }) {
      note { id } userErrors { code } } }"""
    answer = await scene.platform.api.call(scene.user, query, {"id": known["Requirement"][0]})
    payload = answer.data["noteAdd"]
    assert payload == {"note": None, "userErrors": [{"code": "FORBIDDEN"}]}


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=str)
async def test_the_database_gives_no_mark_to_the_role_of_account_users(
    scene: Scene, table: Table
) -> None:
    settings = settings_sql(scene.account.platform_id, scene.account.account_id)
    granted = "SELECT has_column_privilege(:table, :column, 'SELECT')"
    readable = set()
    for column in [column.name for column in table.columns]:
        async with scene.platform.run.database.account_user.connect() as connection:
            for statement in settings.split("; "):
                await connection.execute(text(statement))
            query = text(f"SELECT {column}::text FROM {table.name}")
            if not await connection.scalar(text(granted), {"table": table.name, "column": column}):
                with pytest.raises(DBAPIError, match="permission denied"):
                    await connection.execute(query)
                continue
            values = list(await connection.scalars(query))
        readable.add(column)
        secrets = [SECRET, str(COUNT)]
        if not column.startswith(OF_BOTH_SIDES):
            secrets.append(WHO)
        told = [value.lower() for value in values if value is not None]
        assert not [value for value in told if any(secret in value for secret in secrets)], column
    assert not readable & staff_only_columns(table)
    assert not (readable and table.name == "notes")


def test_notes_are_reached_through_requirements_only() -> None:
    leading = {
        f"{kind.name}.{name}"
        for kind in GRAPHQL.type_map.values()
        if hasattr(kind, "fields") and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if rows_of(named(field)).name in ("Note", "NoteConnection", "NoteEdge")
    }
    assert leading == {
        "Requirement.internalNotes",
        "NoteAddPayload.note",
        "NoteConnection.nodes",
        "NoteConnection.edges",
        "NoteEdge.node",
    }
    assert "text" in object_type("Note").fields
