"""The queries of a dashboard, as GraphQL and as paths of the hand-written endpoint."""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import orjson

from tests.bench.data import ACCOUNTS_PER_PAGE, REQUIREMENTS_PER_PAGE, Ids

# One after another, so that no answer is of the row that was just read.
ACCOUNTS_ASKED_FOR = 200
ACCOUNT_DOCUMENT = """
query Account($id: ID!) {
  account(id: $id) {
    id externalId businessName country riskTier status createdAt
    requirements(first: 5) {
      nodes { id title category state dueStatus deadline priority version }
    }
  }
}
"""
DASHBOARD_DOCUMENT = """
query Dashboard($first: Int!) {
  accounts(first: $first) {
    nodes {
      id externalId businessName country riskTier status createdAt
      requirements(first: 5) {
        nodes {
          id title category state dueStatus deadline priority version
          interactions(first: 2) { nodes { id purpose channel state subject createdAt } }
          resolutions(first: 1) { nodes { id outcome state reasonCode decidedAt } }
        }
      }
    }
  }
}
"""
QUEUE_DOCUMENT = """
query Queue($first: Int!) {
  requirements(first: $first, filter: {state: [IN_REVIEW]}) {
    nodes {
      id title category state dueStatus deadline priority version
      account { id externalId businessName country riskTier status createdAt }
    }
  }
}
"""


@dataclass(frozen=True)
class Question:
    """One query: what is asked in GraphQL with each of some variables, and where by hand."""

    name: str
    document: str
    variables: Sequence[dict[str, Any]]
    paths: Sequence[str]
    objects: int

    def graphql(self, token: str) -> list[bytes]:
        """The requests to Recourse."""
        return [
            request("POST", "/graphql", token, {"query": self.document, "variables": variables})
            for variables in self.variables
        ]

    def by_hand(self, flavour: str, token: str) -> list[bytes]:
        """The requests to the hand-written endpoint."""
        return [request("GET", f"/{flavour}{path}", token) for path in self.paths]


def questions(ids: Ids) -> list[Question]:
    """The three queries over the data of the benchmark."""
    some = ids.accounts[:ACCOUNTS_ASKED_FOR]
    return [
        Question(
            "one account with 5 requirements",
            ACCOUNT_DOCUMENT,
            [{"id": text} for text in some],
            [f"/accounts/{text}" for text in some],
            objects=6,
        ),
        Question(
            "50 accounts x 5 requirements x 2 interactions and 1 resolution",
            DASHBOARD_DOCUMENT,
            [{"first": ACCOUNTS_PER_PAGE}],
            [f"/dashboard?first={ACCOUNTS_PER_PAGE}"],
            objects=50 * (1 + 5 * (1 + 2 + 1)),
        ),
        Question(
            "500 requirements with their account",
            QUEUE_DOCUMENT,
            [{"first": REQUIREMENTS_PER_PAGE}],
            [f"/queue?first={REQUIREMENTS_PER_PAGE}"],
            objects=2 * 500,
        ),
    ]


def request(method: str, path: str, token: str, body: Any = None) -> bytes:
    """One HTTP/1.1 request, as it goes over the wire."""
    content = b"" if body is None else orjson.dumps(body)
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def assert_same(question: Question, asked: Iterable[tuple[int, Sequence[bytes]]]) -> None:
    """That all servers give the same JSON, without errors, and as much of it as it says."""
    answers = [[answer(port, one) for one in requests[:3]] for port, requests in asked]
    for one in answers[0]:
        assert "errors" not in one, one["errors"]
        assert count_objects(one["data"]) == question.objects, question.name
    for other in answers[1:]:
        assert other == answers[0], f"{question.name}: the answers differ"


def answer(port: int, sent: bytes) -> Any:
    """The JSON that a server answers one request with."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        response = HTTPResponse(connection)
        response.begin()
        body = response.read()
    assert response.status == 200, body
    return orjson.loads(body)


def count_objects(value: Any) -> int:
    """How many objects with an id there are in an answer."""
    if isinstance(value, list):
        return sum(map(count_objects, value))
    if isinstance(value, dict):
        return ("id" in value) + sum(map(count_objects, value.values()))
    return 0
