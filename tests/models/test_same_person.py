"""Who counts as the same: for four eyes, and for what one did oneself."""

import pytest

from models import decision
from models import requirement_operations as requirements
from models.actor import Role, same_caller, same_person
from models.decision import ApproveResolution
from models.errors import Forbidden, FourEyes
from models.requirement_operations import Cancel
from models.requirement_permissions import permissions
from models.resolution import ResolutionOutcome
from tests.factories import (
    Runner,
    create_account,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    publish_program,
)


def test_a_person_is_known_by_the_id_and_a_caller_by_kind_and_id(run: Runner) -> None:
    service, reviewer = run.staff(Role.INTEGRATOR, "svc"), run.staff(Role.REVIEWER, "svc")
    assert same_person(service, None, reviewer.id)
    assert not same_person(service, None, "another")
    assert same_caller(service, "SERVICE", "svc")
    assert not same_caller(service, "REVIEWER", "svc")


async def test_a_service_cancels_nothing_that_a_reviewer_of_its_name_has_opened(
    run: Runner,
) -> None:
    service, namesake = run.staff(Role.INTEGRATOR, "svc"), run.staff(Role.REVIEWER, "svc")
    account, program = await create_account(run), await publish_program(run, owner="svc")
    theirs = await open_requirement(run, account, program, actor=namesake)
    own = await open_requirement(run, account, program, actor=service)
    command = Cancel(**key_of(theirs), reason="Not needed.")
    with pytest.raises(Forbidden):
        await run(requirements.cancel, service, command)
    for row, allowed in ((theirs, False), (own, True)):
        found = permissions(row, service, run.clock.now())
        assert [one.allowed for one in found if one.action == "CANCEL"] == [allowed]
    await run(requirements.cancel, service, Cancel(**key_of(own), reason="Not needed."))


async def test_nobody_confirms_their_own_proposal_by_another_token(run: Runner) -> None:
    program = await publish_program(run, four_eyes=True)
    row = await create_requirement(run, "SUBMITTED", program=program)
    proposal = await decide(run, row, ResolutionOutcome.SATISFIED, run.staff(Role.SYSTEM, "svc"))
    command = ApproveResolution(account_id=row.account_id, resolution_id=proposal.id)
    with pytest.raises(FourEyes):
        await run(decision.approve_resolution, run.staff(Role.ADMIN, "svc"), command)
