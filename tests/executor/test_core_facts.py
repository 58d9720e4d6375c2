"""What is known of GraphQL's execution holds for graphql-core's executor, and so for ours."""

from inspect import isawaitable

import pytest
from graphql import validate

from tests.executor.core_abstract import ABSTRACT
from tests.executor.core_facts import (
    Fact,
    Kind,
    each_executor,
    expected,
    named_once,
    seen,
    settled,
    waiting,
)
from tests.executor.core_grids import GRID_FACTS
from tests.executor.core_inputs import INPUTS
from tests.executor.core_introspection import INTROSPECTION
from tests.executor.core_lists import LISTS
from tests.executor.core_mutations import MUTATIONS
from tests.executor.core_nonnull import NONNULL
from tests.executor.core_selection import SELECTION
from tests.executor.core_values import VALUES
from tests.executor.core_variables import VARIABLES

FACTS = named_once(
    (
        *LISTS,
        *GRID_FACTS,
        *NONNULL,
        *ABSTRACT,
        *SELECTION,
        *VARIABLES,
        *INPUTS,
        *VALUES,
        *MUTATIONS,
        *INTROSPECTION,
    )
)
# Where a resolver for all fields is given, it is a part of the fact.
OF_ANY_RESOLVER = [
    fact
    for fact in FACTS
    if not fact.waits and not fact.races and "field_resolver" not in fact.options
]


def name(fact: Fact) -> str:
    """How a test of the fact is called."""
    return fact.name


@each_executor
@pytest.mark.parametrize("fact", FACTS, ids=name)
async def test_it_is_so(fact: Fact, executor: Kind) -> None:
    answer = fact.run(executor)
    waits = isawaitable(answer)
    assert fact.waits or not waits, "nothing waits: the answer should be there"
    # graphql-core tells errors as they arrive, ours in the order of the document.
    in_order = executor is not None or not waits
    assert seen(await settled(answer), in_order) == expected(fact, in_order)
    if not fact.waits:
        assert seen(fact.run_without_waiting(executor)) == expected(fact)


@each_executor
@pytest.mark.parametrize("fact", OF_ANY_RESOLVER, ids=name)
async def test_it_is_so_where_every_field_waits(fact: Fact, executor: Kind) -> None:
    answer = await settled(fact.run(executor, field_resolver=waiting))
    in_order = executor is not None
    assert seen(answer, in_order) == expected(fact, in_order)


def test_documents_are_as_valid_as_their_facts_say() -> None:
    wrong = [
        fact.name for fact in FACTS if bool(validate(fact.schema, fact.parsed)) != fact.unvalidated
    ]
    assert not wrong
