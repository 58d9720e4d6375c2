"""What a mutation costs: `requirementSubmit`, each on an account of its own."""

from collections.abc import Iterator, Sequence

from tests.bench.measure import Bench, Cell, Server
from tests.bench.queries import request
from tests.e2e.process import Serving

NAME = "requirementSubmit"
PROGRAM, PAYLOAD = "terms.acceptance", {"accepted": True, "accepted_on": "2026-01-01"}
CREATE = """
mutation Create($input: AccountCreateInput!) {
  accountCreate(input: $input) { account { id } userErrors { code message } }
}
"""
OPEN = """
mutation Open($input: RequirementOpenInput!) {
  requirementOpen(input: $input) { requirement { id } userErrors { code message } }
}
"""
SUBMIT = """
mutation Submit($input: RequirementSubmitInput!) {
  requirementSubmit(input: $input) {
    requirement { id state version dueStatus }
    userErrors { code message field }
  }
}
"""


def submissions(
    bench: Bench, serving: Serving, server: Server, connections: Sequence[int], count: int
) -> list[Cell]:
    """Submit evidence `count` times at each number of connections."""
    token = serving.token("reviewer")
    prepared = iter(list(_opened(serving, count * len(connections) + 1)))
    _check(serving, next(prepared))
    cells = []
    for number in connections:
        inputs = [{"id": next(prepared), "payload": PAYLOAD} for _ in range(count)]
        requests = [
            request("POST", "/graphql", token, {"query": SUBMIT, "variables": {"input": one}})
            for one in inputs
        ]
        cell = Cell(NAME, server.name, number)
        bench.add(cell, server, requests, seconds=60, once=True)
        cells.append(cell)
    return cells


def _opened(serving: Serving, count: int) -> Iterator[str]:
    """The ids of open requirements, each on a new account."""
    for number in range(count):
        account = {
            "externalId": f"acct_submit_{number:05}",
            "businessName": f"Quiet Mill {number} Ltd",
            "country": "GB",
        }
        created = serving.ask("integrator", CREATE, {"input": account})["accountCreate"]
        asked = {"accountId": created["account"]["id"], "program": PROGRAM}
        opened = serving.ask("integrator", OPEN, {"input": asked})["requirementOpen"]
        yield opened["requirement"]["id"]


def _check(serving: Serving, requirement_id: str) -> None:
    given = {"input": {"id": requirement_id, "payload": PAYLOAD}}
    submitted = serving.ask("reviewer", SUBMIT, given)["requirementSubmit"]
    assert submitted["requirement"]["state"] == "SUBMITTED", submitted
