"""The fair clock as clients see it."""

from datetime import timedelta

import pytest

from resolvers.scalars import write_instant
from tests.factories import create_account, open_requirement, submit
from tests.resolvers.api import Api, Platform
from tests.resolvers.inputs import requirement_id

QUERY = """query($id: ID!) { requirement(id: $id) {
  clock { heldBy spans { party from to } totals { party duration } } } }"""


@pytest.mark.parametrize("audience", ["staff", "user"])
async def test_both_sides_see_who_has_held_it(api: Api, own: Platform, audience: str) -> None:
    account = await create_account(own.run)
    row = await open_requirement(own.run, account)
    start = api.clock.now()
    api.clock.advance(timedelta(days=1, hours=2))
    await submit(own.run, row)
    api.clock.advance(timedelta(minutes=30))
    caller = own.reviewer if audience == "staff" else own.user(account)
    answer = await api.call(caller, QUERY, {"id": requirement_id(row)})
    handed_over = write_instant(start + timedelta(days=1, hours=2))
    assert answer.data["requirement"]["clock"] == {
        "heldBy": "RISK",
        "spans": [
            {"party": "ACCOUNT", "from": write_instant(start), "to": handed_over},
            {"party": "RISK", "from": handed_over, "to": None},
        ],
        "totals": [
            {"party": "ACCOUNT", "duration": "P1DT2H"},
            {"party": "RISK", "duration": "PT30M"},
            {"party": "THIRD_PARTY", "duration": "P0D"},
            {"party": "NOBODY", "duration": "P0D"},
        ],
    }
