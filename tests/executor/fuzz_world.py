"""A schema that can be run, and the making of objects for it."""

from abc import ABC, abstractmethod
from random import Random
from typing import Any

from graphql import GraphQLSchema, Undefined

from tests.executor.fuzz_spec import Field, Kind, Spec
from tests.executor.fuzz_values import Raise

# A value of a custom scalar that is more than a leaf.
NESTED = [1, {"a": None}]


class World(ABC):
    """A schema made from a spec."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.waits = spec.waits
        # What else `execute` is told.
        self.options: dict[str, Any] = {}
        # Strawberry's schema around the one of graphql-core, if it is one of Strawberry.
        self.strawberry_schema: Any = None
        self.schema = self._make_schema()

    @abstractmethod
    def _make_schema(self) -> GraphQLSchema:
        """The schema, with its resolvers."""

    @abstractmethod
    def record(self, type_name: str, random: Random) -> Any:
        """An object of a type, without its values."""

    def fill(self, record: Any, field: Field, answer: Any) -> None:
        """Say what an object's field is."""
        if field.kind is Kind.ATTRIBUTE:
            set_attribute(record, field.python_name, answer)
        else:
            vars(record)["answers"][field.name] = answer

    @abstractmethod
    def enum_value(self, enum: str, name: str) -> Any:
        """What Python has for a value of an enum."""


class Odd:
    """An object that may not be compared, as arrays of some libraries are."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        raise ValueError("These can't be compared.")


class Raising:
    """The attributes of an object, some of which raise when read."""

    def __getattr__(self, name: str) -> Any:
        error = vars(self).get("raised", {}).get(name)
        if error is None:
            raise AttributeError(f"no attribute {name}")
        raise error


def prepare(record: Any) -> Any:
    """Room for the values of a record."""
    vars(record).update(answers={}, raised={})
    return record


def set_attribute(record: Any, name: str, value: Any) -> None:
    """Give an attribute of a record a value, or let it raise."""
    if isinstance(value, Raise):
        vars(record)["raised"][name] = value.error
    else:
        vars(record)[name] = value


def serialize(value: Any) -> Any:
    """Custom scalars show that they were asked, and refuse some values."""
    if not isinstance(value, str):
        # Objects that got here by mistake are not shown: they hold what the twin has otherwise.
        return value if isinstance(value, (int, float)) or value is NESTED else type(value).__name__
    if value == "unserializable":
        raise ValueError("This can't be serialized.")
    if value in ("nothing", "undefined"):
        return None if value == "nothing" else Undefined
    return f"<{value}>"


def parse(value: Any) -> Any:
    """Custom scalars in arguments refuse the word that no type takes."""
    if value == "unreadable":
        raise ValueError("This can't be read.")
    return ("parsed", value)
