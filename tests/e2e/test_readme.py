"""The README's queries run, and their answers are the ones that it shows."""

import json
import re
from itertools import pairwise
from typing import Any

from tests.e2e.process import ROOT, Recourse

BLOCK = re.compile(r"^```(graphql|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEMO_ACCOUNTS = 20


def shown() -> list[tuple[str, Any]]:
    """Each query with the next answer."""
    found = BLOCK.findall((ROOT / "README.md").read_text())
    return [
        (query, json.loads(answer))
        for (kind, query), (next_kind, answer) in pairwise(found)
        if (kind, next_kind) == ("graphql", "json")
    ]


def opaque(value: Any) -> Any:
    """The same with every id shortened, as the README does."""
    text = json.dumps(value)
    return json.loads(re.sub(r'"([a-z]{3})_[0-9a-f]{32,64}"', r'"\1_..."', text))


def ids(value: Any) -> list[str]:
    return re.findall(r'"(req_[0-9a-f]{64})"', json.dumps(value))


def test_the_first_query_and_the_first_mutation_answer_as_shown(fresh: Recourse) -> None:
    pairs = shown()
    assert len(pairs) >= 2, "show a query and a mutation with their answers in README.md"
    known: list[str] = []
    with fresh.having(demo_accounts=str(DEMO_ACCOUNTS)).serving() as server:
        for query, answer in pairs:
            variables = {"id": known[0]} if known and "$id" in query else None
            found = server.answer("admin", query, variables)
            assert opaque(found) == answer
            known = ids(found) or known
