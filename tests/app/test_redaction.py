"""What is wrong with a variable is said with its reason, and never with its value."""

from typing import Any

import pytest
from graphql import parse
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode

from app.redaction import without_values
from resolvers.schema import SCHEMA

SECRET = "Wilhelmina: 'Geheim', found: value: x"


def messages(kind: str, given: Any) -> list[str]:
    """What GraphQL says of a variable of this type, without its values."""
    [operation] = parse(f"query A($v: {kind}) {{ viewer {{ id }} }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    variables = {} if given is ... else {"v": given}
    errors = get_variable_values(SCHEMA._schema, operation.variable_definitions or (), variables)
    assert isinstance(errors, list)
    return [without_values(error.message, variables) for error in errors]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("ID!", ..., ": Expected a value of non-null type 'ID!' to be provided."),
        ("ID!", None, ": Expected value of non-null type 'ID!' not to be None."),
        ("Int", SECRET, ": Int cannot represent non-integer value."),
        ("Int", 2**40, ": Int cannot represent non 32-bit signed integer value."),
        ("Boolean", [SECRET], ": Boolean cannot represent a non boolean value."),
        ("String", {"a": SECRET}, ": String cannot represent a non string value."),
        ("[[Int]]", [[1, SECRET]], " at [0][1]: Int cannot represent non-integer value."),
        ("DueStatus", SECRET, ": No such value in the enum 'DueStatus'."),
        ("DueStatus", "PAST_DU", ": No such value in the enum 'DueStatus'."),
        ("DueStatus", 5, ": Enum 'DueStatus' cannot represent non-string value."),
        (
            "RequirementFilter",
            SECRET,
            ": Expected value of type 'RequirementFilter' to be an object.",
        ),
        (
            "RequirementFilter",
            {"nope": SECRET},
            ": Expected value of type 'RequirementFilter' not to include unknown field 'nope'.",
        ),
        (
            "CountryCode",
            SECRET,
            ": A country must be one of ISO 3166-1, as two capital letters, such as DE.",
        ),
    ],
)
def test_the_reason_is_said_without_the_value(kind: str, given: Any, expected: str) -> None:
    [message] = messages(kind, given)
    assert message == f"Variable '$v' has invalid value{expected}"
    assert "Geheim" not in message


def test_a_message_of_another_kind_that_repeats_a_value_is_cut() -> None:
    message = "Variable '$v' has invalid value: We do not like Geheim here."
    assert without_values(message, {"v": ["Geheim"]}) == "Variable '$v' has invalid value"
    assert without_values(message, {"v": "geh"}) == message
    assert without_values(message, {"v": ""}) == message
