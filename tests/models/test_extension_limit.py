"""How far a deadline may be moved on: from where it was at first, as the program says."""

from datetime import datetime, timedelta

import pytest

from models import requirement_operations as requirements
from models.clock import ManualClock
from models.deadlines import ExtensionLimit
from models.errors import ErrorCode, InvalidInput
from models.program import Program
from models.requirement import Requirement, RequirementAction
from models.requirement_operations import Extend, Reopen, RequestChanges
from models.requirement_permissions import permissions
from models.resolution import ResolutionOutcome
from tests.conftest import START
from tests.factories import (
    ERROR,
    Runner,
    decide,
    key_of,
    open_requirement,
    publish_program,
    submit,
)

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# The program's deadline is after fourteen days.
LATEST = START + 24 * DAY


@pytest.fixture
async def program(run: Runner) -> Program:
    return await publish_program(run, max_extension="P10D")


async def extend(run: Runner, row: Requirement, deadline: datetime) -> Requirement:
    command = Extend(**key_of(row), deadline=deadline)
    return (await run(requirements.extend, run.reviewer, command)).value


def refusals(row: Requirement, run: Runner) -> list[ErrorCode]:
    found = {one.action: one.refusals for one in permissions(row, run.reviewer, run.clock.now())}
    return [refusal.code for refusal in found[RequirementAction.EXTEND]]


async def test_extensions_end_at_the_limit_however_many_they_are(
    run: Runner, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    await extend(run, row, START + 20 * DAY)
    with pytest.raises(ExtensionLimit) as caught:
        await extend(run, row, LATEST + SECOND)
    assert caught.value.code is ErrorCode.EXTENSION_LIMIT
    assert caught.value.field == ("deadline",)
    assert "2026-03-26T09:30:00.000000Z" in caught.value.message
    assert (await run.fetch(Requirement, row.account_id, row.id)).deadline == START + 20 * DAY
    assert refusals(await run.fetch(Requirement, row.account_id, row.id), run) == []
    await extend(run, row, LATEST)
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert stored.deadline == LATEST
    assert refusals(stored, run) == [ErrorCode.EXTENSION_LIMIT]


async def test_a_limit_that_has_passed_leaves_no_extension(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    clock.set(LATEST - SECOND)
    assert refusals(row, run) == []
    clock.set(LATEST)
    assert refusals(row, run) == [ErrorCode.EXTENSION_LIMIT]
    with pytest.raises(ExtensionLimit):
        await extend(run, row, LATEST + DAY)


async def test_the_time_that_risk_took_moves_the_limit_on(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    await extend(run, row, LATEST)
    await submit(run, row)
    clock.advance(40 * DAY)
    command = RequestChanges(**key_of(row), errors=(ERROR,))
    await run(requirements.request_changes, run.reviewer, command)
    stored = await run.fetch(Requirement, row.account_id, row.id)
    assert stored.deadline == stored.latest_deadline == LATEST + 40 * DAY
    with pytest.raises(ExtensionLimit):
        await extend(run, row, LATEST + 40 * DAY + SECOND)


async def test_a_reopened_one_counts_from_its_new_deadline(
    run: Runner, clock: ManualClock, program: Program
) -> None:
    row = await open_requirement(run, program=program)
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.SATISFIED)
    clock.advance(9 * DAY)
    again = Reopen(**key_of(row), reason="It expired.", deadline=clock.now() + DAY)
    await run(requirements.reopen, run.reviewer, again)
    await extend(run, row, clock.now() + 11 * DAY)
    with pytest.raises(ExtensionLimit):
        await extend(run, row, clock.now() + 11 * DAY + SECOND)


async def test_without_a_limit_there_is_none(run: Runner) -> None:
    row = await open_requirement(run)
    row = await extend(run, row, START + 3_000 * DAY)
    assert refusals(row, run) == []


async def test_what_has_no_deadline_is_not_extended(run: Runner) -> None:
    program = await publish_program(run, max_extension="P10D", deadline_after=None)
    row = await open_requirement(run, program=program)
    assert refusals(row, run) == [ErrorCode.INVALID_INPUT]
    with pytest.raises(InvalidInput):
        await extend(run, row, START + DAY)
