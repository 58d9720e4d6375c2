"""Documents whose fragments are each spread twice by the next: small to send, huge written out."""

import pytest

from tests.factories import create_account, create_requirement
from tests.resolvers.api import Platform

# Looking into each of them each time would take longer than there is.
LEVELS = 100


def doubling(kind: str, last: str) -> str:
    """Fragments that double what the one before selects."""
    each = [f"fragment F{n} on {kind} {{ ...F{n + 1} ...F{n + 1} }}" for n in range(LEVELS)]
    return "\n".join([*each, f"fragment F{LEVELS} on {kind} {{ {last} }}"])


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("{ accounts(first: 1) { nodes { ...F0 } } }", "Account"),
        ("{ events(first: 1) { nodes { subject { ...F0 } } } }", "Node"),
    ],
)
async def test_fragments_that_double_take_no_longer(own: Platform, query: str, kind: str) -> None:
    await create_account(own.run)
    answer = await own.api.call(own.admin, f"{query}\n{doubling(kind, 'id')}")
    [nodes] = [page["nodes"] for page in answer.data.values()]
    assert nodes[0].get("subject", nodes[0])["id"].startswith("acc_")


async def test_more_fields_than_a_request_may_have_are_refused(own: Platform) -> None:
    await create_requirement(own.run)
    wide = " ".join(f"f{n}: id" for n in range(100))
    nested = "requirements(first: 1) { nodes { account { ...F%d } } }"
    each = [
        f"fragment F{n} on Account {{ {wide} a: {nested % (n + 1)} b: {nested % (n + 1)} }}"
        for n in range(12)
    ]
    query = "\n".join(
        ["{ accounts(first: 1) { nodes { ...F0 } } }", *each, "fragment F12 on Account { id }"]
    )
    answer = await own.api.call(own.admin, query)
    assert answer.status == 200
    assert set(answer.codes) == {"QUERY_TOO_COSTLY"}
