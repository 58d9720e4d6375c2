"""Documents: parsed and validated once, kept within bounds, refused with a code."""

import pytest
from graphql import GraphQLSchema

from app.documents import (
    PARSE_FAILED,
    VALIDATION_FAILED,
    Document,
    DocumentCache,
)
from app.executor.plan import MAX_KEPT_LENGTH
from resolvers.schema import SCHEMA

ROLE = "{ viewer { role } }"
CREATE = """mutation M {
  accountCreate(input: {externalId: "a", businessName: "b", country: "DE"}) { replayed }
}"""


def cache(size: int = 10, max_tokens: int = 1_000) -> DocumentCache:
    return DocumentCache(schema(), size, max_tokens)


def schema() -> GraphQLSchema:
    return SCHEMA._schema


def codes(document: Document) -> list[str]:
    return [(error.extensions or {})["code"] for error in document.errors]


def test_a_document_is_made_once() -> None:
    documents = cache()
    first = documents.get(ROLE)
    assert first.node is not None
    assert documents.get(ROLE) is first
    assert documents.get(ROLE + " ") is not first


def test_what_is_wrong_is_remembered_too() -> None:
    documents = cache()
    assert documents.get("{") is documents.get("{")


def test_the_one_not_asked_for_longest_leaves() -> None:
    documents = cache(size=2)
    first = documents.get(ROLE)
    second = documents.get(ROLE + "#2")
    assert documents.get(ROLE) is first
    documents.get(ROLE + "#3")
    assert documents.get(ROLE) is first
    assert documents.get(ROLE + "#2") is not second


def test_without_a_size_nothing_is_kept() -> None:
    documents = cache(size=0)
    assert documents.get(ROLE) is not documents.get(ROLE)


def test_a_long_document_is_answered_but_not_kept() -> None:
    documents = cache()
    text = ROLE.ljust(MAX_KEPT_LENGTH)
    assert documents.get(text) is documents.get(text)
    assert documents.get(text + " ").node is not None
    assert documents.get(text + " ") is not documents.get(text + " ")


def test_tokens_are_counted() -> None:
    fitting = "{ " + "viewer { role } " * 4 + "}"
    documents = cache(max_tokens=18)
    assert documents.get(fitting).node is not None
    refused = documents.get(fitting.replace("role", "role role", 1))
    assert codes(refused) == [PARSE_FAILED]
    assert "18 tokens" in refused.errors[0].message


def test_errors_say_where_and_of_what_kind() -> None:
    [syntax] = cache().get("{\n  viewer {").errors
    assert syntax.extensions == {"code": PARSE_FAILED}
    assert syntax.locations is not None
    assert syntax.locations[0].line == 2
    wrong = cache().get("{\n  one\n  two\n}")
    assert codes(wrong) == [VALIDATION_FAILED] * 2
    assert [error.locations[0].line for error in wrong.errors if error.locations] == [2, 3]


def test_a_document_full_of_mistakes_gets_a_bounded_answer() -> None:
    text = "{ " + " ".join(f"no{n}" for n in range(300)) + " }"
    assert len(cache().get(text).errors) < 30


@pytest.mark.parametrize(
    "text",
    [
        "{" * 900,
        "{ ... " * 450 + ROLE + " }" * 450,
        "{ node(id: " + "[" * 450 + "]" * 450 + ") { id } }",
        "query ($a: " + "[" * 450 + "Int" + "]" * 450 + ") " + ROLE,
    ],
)
def test_depth_is_an_error_not_an_accident(text: str) -> None:
    assert codes(cache(max_tokens=5_000).get(text)) == [PARSE_FAILED]


def test_which_operation_is_meant() -> None:
    document = cache().get(f"query Q {ROLE} {CREATE}")
    assert document.is_mutation("M")
    assert not document.is_mutation("Q")
    assert not document.is_mutation("X")
    assert not document.is_mutation(None)
    assert document.operation(None) is None
    assert cache().get(CREATE).is_mutation(None)
    assert not cache().get("{").is_mutation(None)
