"""The table of authorisation holds at the operations themselves, and of readers in the database.

That it holds of every mutation for every role is seen in `tests/resolvers/test_mutations.py`.
"""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models import account as accounts
from models import note, program
from models import requirement_operations as requirements
from models.account import UpdateAccount
from models.actor import Actor, Role, Scope
from models.authorisation import CALLERS, MUTATIONS, OPERATIONS, READERS, markdown, refusal
from models.errors import Forbidden
from models.note import AddNote
from models.program import Program, Retire
from models.requirement_operations import Cancel, OpenRequirement
from models.session import transaction
from tests.factories import (
    Runner,
    create_account,
    key_of,
    open_requirement,
    program_values,
    publish_program,
)

PAGE = Path(__file__).parents[2] / "models" / "README.md"
BEGIN, END = "<!-- authorisation:", "<!-- /authorisation -->"
# What the role that the database knows an auditor by may do in a transaction that may write.
WRITES = (
    "UPDATE accounts SET country = 'FR' WHERE account_id = :account",
    "DELETE FROM account_terms WHERE account_id = :account",
    "SELECT 1 FROM accounts WHERE account_id = :account FOR UPDATE",
    "INSERT INTO account_terms (account_id, platform_id, term) VALUES (:account, :platform, 'x')",
)


def test_the_page_shows_the_table() -> None:
    between = PAGE.read_text().partition(BEGIN)[2].partition("-->\n")[2].partition(END)[0]
    assert between.strip() == markdown(), f"put this between the marks of {PAGE}:\n{markdown()}"


def test_the_readme_shows_every_role() -> None:
    page = (PAGE.parents[1] / "README.md").read_text()
    section = page.partition("## Who may do what")[2].partition("\n## ")[0]
    shown = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(shown) == sorted(role.lower() for role in CALLERS)


def test_auditors_are_those_who_change_nothing() -> None:
    assert {Role.AUDITOR} == READERS


def test_seniors_may_all_that_reviewers_may_and_cancel(run: Runner) -> None:
    may = {
        role: {name for name in MUTATIONS if refusal(run.staff(role, "olga"), name) is None}
        for role in CALLERS
    }
    assert may[Role.SENIOR_REVIEWER] == may[Role.REVIEWER] | {"requirementCancel"}
    assert may[Role.ADMIN] == set(MUTATIONS)
    assert may[Role.AUDITOR] == set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_recourse_itself_may_all_but_decide_on_appeals(run: Runner, operation: str) -> None:
    scoped = Actor(Role.SYSTEM, "recourse", run.platform_id, scopes=frozenset(Scope))
    of_people = operation in ("resolutionUphold", "resolutionOverturn")
    assert (refusal(scoped, operation) is not None) == of_people


@pytest.mark.parametrize("statement", WRITES)
async def test_the_database_lets_an_auditor_write_nothing(run: Runner, statement: str) -> None:
    account = await create_account(run)
    values = {"account": account.account_id, "platform": account.platform_id}

    async def attempt(actor: Actor) -> None:
        async with (
            run.database.session_for(actor) as session,
            transaction(session, actor),
        ):
            found = await session.execute(text(statement), values)
            assert found.rowcount != 0  # type: ignore[attr-defined]

    with pytest.raises(DBAPIError, match="in a read-only transaction"):
        await attempt(run.staff(Role.AUDITOR, "olga"))
    await attempt(run.reviewer)


async def test_an_auditors_operation_is_refused_even_where_nobody_asks_the_table(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, auditor = await create_account(run), run.staff(Role.AUDITOR, "olga")
    command = UpdateAccount(account_id=account.account_id, changes={"country": "FR"})
    with pytest.raises(Forbidden, match="The role AUDITOR may not update accounts"):
        await run(accounts.update, auditor, command)
    monkeypatch.setattr("models.operation.authorise", lambda *_: None)
    with pytest.raises(Exception, match="in a read-only transaction"):
        await run(accounts.update, auditor, command)


async def test_a_senior_cancels_what_others_opened(run: Runner) -> None:
    row = await open_requirement(run)
    command = Cancel(**key_of(row), reason="Opened in error.")
    with pytest.raises(Forbidden, match="may not cancel requirements"):
        await run(requirements.cancel, run.reviewer, command)
    canceled = await run(requirements.cancel, run.staff(Role.SENIOR_REVIEWER, "olga"), command)
    assert canceled.value.state == "CANCELED"


async def try_all(run: Runner, by: Actor, made: Program) -> set[str]:
    """Which of the operations that are about a program `by` may not use on this one."""
    account = await create_account(run)
    row = await open_requirement(run, account, made, actor=run.admin)
    opening = OpenRequirement(account_id=account.account_id, program=made.code)
    commands: dict[str, tuple[Any, Any]] = {
        "open": (requirements.open_requirement, opening),
        "note": (note.add, AddNote(**key_of(row), text="Seen before.")),
        "publish": (program.publish, program_values(code=made.code, owner=made.owner)),
        "retire": (program.retire, Retire(code=made.code)),
    }
    refused = {}
    for name, (operation, command) in commands.items():
        try:
            await run(operation, by, command)
        except Forbidden as error:
            refused[name] = error.message
    assert all("only under its own programs" in message for message in refused.values())
    return set(refused)


async def test_an_integrator_is_kept_to_its_own_programs(run: Runner) -> None:
    other = run.staff(Role.INTEGRATOR, "credit-risk")
    everything = {"open", "note", "publish", "retire"}
    # As it published the version; as it is the owner, whoever published it.
    assert await try_all(run, run.integrator, await publish_program(run)) == set()
    assert await try_all(run, other, await publish_program(run)) == everything
    assert await try_all(run, other, await publish_program(run, owner=other.id)) == set()
    # Nor is a reviewer of its name the one who published it.
    namesake = run.staff(Role.INTEGRATOR, run.admin.id)
    command = program_values()
    made = (await run(program.publish, run.admin, command)).value
    assert await try_all(run, namesake, made) == everything
    assert await try_all(run, run.admin, made) == set()


async def test_an_administrator_gives_a_program_to_another_team(run: Runner) -> None:
    other = run.staff(Role.INTEGRATOR, "credit-risk")
    first = await publish_program(run)
    command = program_values(code=first.code, owner=other.id)
    second = (await run(program.publish, run.admin, command)).value
    assert await try_all(run, run.integrator, second) == {"open", "note", "publish", "retire"}
    assert await try_all(run, other, second) == set()
