"""Bounds: filters by a range of a column, and how they join with the place that a page begins at.

A walk of an index begins at one condition on its order, and drops what fails the others row by row.
Given a cursor and a bound at that same end, PostgreSQL begins at the bound and reads all that lies
between: page 10,000 would cost 10,000 pages. So of the two only the one that lies further on is
asked for.
"""

import operator
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, bindparam, case, literal_column, select

# Before and after every value that a column of ties has.
EDGES: dict[type, tuple[str, str]] = {
    uuid.UUID: (f"'{uuid.UUID(int=0)}'::uuid", f"'{uuid.UUID(int=2**128 - 1)}'::uuid"),
    int: ("0::bigint", f"{2**63 - 1}::bigint"),
}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Columns(Protocol):
    """The columns of rows, by name."""

    def __getitem__(self, name: str, /) -> ColumnElement[Any]: ...


@dataclass(frozen=True)
class Bound:
    """That a column compares so with the parameter of this name."""

    column: str
    operator: str
    parameter: str

    def begins(self, column: str, descending: bool) -> bool:
        """Whether it is where a walk in the order of `column` begins."""
        return self.column == column and self.operator in (
            ("<", "<=") if descending else (">", ">=")
        )

    def holds(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """That a value lies within the bound."""
        found: ColumnElement[bool] = _OPERATORS[self.operator](
            value, bindparam(self.parameter, type_=value.type)
        )
        return found

    @property
    def edge(self) -> int:
        """Which of the `EDGES` of what ties at the bound the walk begins at."""
        return 0 if self.operator in ("<", ">=") else 1


@dataclass(frozen=True)
class Missing:
    """That a column has no value."""

    column: str

    def holds(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """That a value is none."""
        return value.is_(None)


@dataclass(frozen=True)
class Present:
    """That a column has a value."""

    column: str

    def holds(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """That a value is one."""
        return value.is_not(None)


@dataclass(frozen=True)
class Bounds:
    """Several bounds that all hold, as one filter."""

    bounds: tuple[Bound | Missing | Present, ...]

    def __call__(self, columns: Columns) -> ColumnElement[bool]:
        return and_(*(bound.holds(columns[bound.column]) for bound in self.bounds))


def beginning(
    keys: Sequence[ColumnElement[Any]], bounds: Sequence[Bound]
) -> list[ColumnElement[Any]]:
    """The place after which a page begins: the cursor's, or a bound's that lies further on.

    The values are hidden from the planner: it sees a cursor's first column only, and would believe
    that nothing follows where many rows tie there.
    """
    place = list(keys)
    for bound in bounds:
        within = bound.holds(place[0])
        edges = [EDGES[key.type.python_type][bound.edge] for key in place[1:]]
        ends = [bindparam(bound.parameter, type_=place[0].type), *map(literal_column, edges)]
        place = [case((within, key), else_=end) for key, end in zip(place, ends, strict=True)]
    return [select(value).scalar_subquery() for value in place]


CREATED_AFTER = Bounds((Bound("created_at", ">=", "created_after"),))
CREATED_BEFORE = Bounds((Bound("created_at", "<", "created_before"),))
