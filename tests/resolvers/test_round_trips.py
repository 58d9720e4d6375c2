"""What a mutation costs: the messages that PostgreSQL is sent, one after the other."""

from typing import Any

import pytest
from sqlalchemy import event

from tests.resolvers.api import Api, Platform, hear_of
from tests.resolvers.inputs import MAKERS, Inputs
from tests.resolvers.test_mutations import mutate

SENDS = frozenset({"query", "prepare", "bind_execute", "bind_execute_many", "execute", "copy_in"})
# An operation takes four: BEGIN with the settings and the lock, the read, the write, COMMIT. What
# the payload shows takes three: BEGIN with the settings, a statement, ROLLBACK; and one for each
# further table in it, and for the alternatives that a requirement's impact looks at. A new account
# is made before it is locked; programs belong to no account.
MOST = {
    "accountCreate": 10,
    "accountUpdate": 8,
    "accountReject": 8,
    "accountReinstate": 8,
    "apiKeyCreate": 9,
    "apiKeyRotate": 11,
    "apiKeyRevoke": 10,
    "holdPlace": 9,
    "holdRelease": 9,
    "noteAdd": 10,
    "interactionDraft": 7,
    "interactionUpdate": 7,
    "interactionSchedule": 7,
    "interactionSend": 7,
    "interactionReport": 7,
    "interactionReceive": 7,
    "interactionCancel": 7,
    "programPublish": 10,
    "programRetire": 10,
    "requirementOpen": 9,
    "requirementSubmit": 8,
    "requirementStartReview": 9,
    "requirementRefer": 9,
    "requirementRecall": 9,
    "requirementApprove": 10,
    "requirementRequestChanges": 9,
    "requirementReject": 10,
    "requirementAppeal": 9,
    "requirementWaive": 10,
    "requirementCancel": 9,
    "requirementExtend": 9,
    "requirementAssign": 9,
    "requirementPrioritize": 9,
    "requirementReopen": 9,
    "resolutionApprove": 10,
    "resolutionDecline": 10,
    "resolutionUphold": 10,
    "resolutionOverturn": 10,
}


def test_these_are_all_mutations() -> None:
    assert set(MOST) == set(MAKERS)


class Counted:
    """The driver's protocol, with a count of what is sent through it."""

    def __init__(self, protocol: Any, sent: list[str]) -> None:
        self._protocol, self._sent = protocol, sent

    def __getattr__(self, name: str) -> Any:
        if name in SENDS:
            self._sent.append(name)
        return getattr(self._protocol, name)


@pytest.fixture
def sent(api: Api) -> list[str]:
    """What is sent on all connections from now on."""
    found: list[str] = []

    def checked_out(connection: Any, *_: Any) -> None:
        count(connection.driver_connection)

    def count(driver: Any) -> None:
        if not isinstance(driver._protocol, Counted):
            driver._protocol = Counted(driver._protocol, found)
        driver._protocol._sent = found

    event.listen(api.database.staff.sync_engine, "checkout", checked_out)
    event.listen(api.database.account_user.sync_engine, "checkout", checked_out)
    hear_of(api.database.staff_reads, count)
    return found


@pytest.mark.parametrize(("mutation", "most"), MOST.items())
async def test_a_mutation_takes_no_more_round_trips(
    api: Api, own: Platform, sent: list[str], mutation: str, most: int
) -> None:
    inputs = Inputs(own)
    # At first the driver prepares the statements, and asks for the types in them.
    for _ in range(2):
        await mutate(api, mutation, await inputs.make(mutation))
    made = await inputs.make(mutation)
    sent.clear()
    payload = await mutate(api, mutation, made)
    assert payload["userErrors"] == []
    assert len(sent) <= most, sent
