"""The queries of a dashboard, and how each server is asked them."""

import socket
from collections.abc import Callable, Iterable, Sequence
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
class Ask:
    """One request, as GraphQL says it and as the hand-written endpoint does."""

    document: str
    variables: dict[str, Any]
    path: str
    body: Any = None

    def graphql(self, token: str) -> bytes:
        """The request to a GraphQL server."""
        body = {"query": self.document, "variables": self.variables}
        return request("POST", "/graphql", token, body)

    def by_hand(self, flavour: str, token: str) -> bytes:
        """The request to the hand-written endpoint."""
        method = "GET" if self.body is None else "POST"
        return request(method, f"/{flavour}{self.path}", token, self.body)


@dataclass(frozen=True)
class Question:
    """One query, with each of some variables, and how many objects its answer holds."""

    name: str
    asks: Sequence[Ask]
    objects: int


def questions(ids: Ids) -> list[Question]:
    """The three queries over the data of the benchmark."""
    accounts, requirements = ACCOUNTS_PER_PAGE, REQUIREMENTS_PER_PAGE
    return [
        Question(
            "one account with 5 requirements",
            [
                Ask(ACCOUNT_DOCUMENT, {"id": text}, f"/accounts/{text}")
                for text in ids.accounts[:ACCOUNTS_ASKED_FOR]
            ],
            objects=6,
        ),
        Question(
            "50 accounts x 5 requirements x 2 interactions and 1 resolution",
            [Ask(DASHBOARD_DOCUMENT, {"first": accounts}, f"/dashboard?first={accounts}")],
            objects=50 * (1 + 5 * (1 + 2 + 1)),
        ),
        Question(
            "500 requirements with their account",
            [Ask(QUEUE_DOCUMENT, {"first": requirements}, f"/queue?first={requirements}")],
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


def assert_same(question: Question, servers: Iterable["Server"]) -> None:
    """That all servers give the same JSON, without errors, and as much of it as it says."""
    answers = [[server.answer(ask) for ask in question.asks[:3]] for server in servers]
    for one in answers[0]:
        assert "errors" not in one, one["errors"]
        assert count_objects(one["data"]) == question.objects, question.name
    for other in answers[1:]:
        assert other == answers[0], f"{question.name}: the answers differ"


@dataclass(frozen=True)
class Server:
    """Something that answers: its port, its process, and how it is asked."""

    name: str
    port: int
    pid: int
    write: Callable[[Ask], bytes]

    def answer(self, ask: Ask) -> Any:
        """The JSON that it answers with."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(self.write(ask))
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
