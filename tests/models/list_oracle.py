"""What a list holds, worked out in Python from all rows of its table."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bounds import Bound, Bounds, Present
from models.ids import HexId
from models.listing import Branch
from tests.models.list_plans import Case, Store

Row = Mapping[str, Any]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Oracle:
    """All rows of each table, and the words under which each account is found."""

    rows: Mapping[str, Sequence[Row]]
    terms: Mapping[HexId, Sequence[str]]

    def keys(self, case: Case, store: Store) -> list[tuple[Any, ...]]:
        """The keys of the list's rows, in its order."""
        found = [key_of(case, row) for row in self._matching(case, store)]
        return sorted(found, reverse=case.descending)

    def all_keys(self, case: Case) -> list[tuple[Any, ...]]:
        """The keys of all rows of the table, in the list's order."""
        found = [key_of(case, row) for row in self.rows[case.spec.name]]
        return sorted(found, reverse=case.descending)

    def _matching(self, case: Case, store: Store) -> Iterator[Row]:
        values = case.values(store)
        asked = {
            case.spec.dimensions[name]: set(store.picked(case.spec, name, pick))
            for name, pick in case.filter.dimensions.items()
        }
        for row in self.rows[case.spec.name]:
            if (
                all(row[column] in known for column, known in asked.items())
                and _in_branches(case, row, values)
                and all(self._holds(case, name, row, values) for name in case.filter.conditions)
            ):
                yield row

    def _holds(self, case: Case, name: str, row: Row, values: Mapping[str, Any]) -> bool:
        condition = case.spec.conditions[name]
        if isinstance(condition, Bounds):
            return within(condition, row, values)
        return any(term.startswith(values[name]) for term in self.terms[row["account_id"]])


def key_of(case: Case, row: Row) -> tuple[Any, ...]:
    """The columns that the list is ordered by."""
    return tuple(
        row[name] for name in dict.fromkeys([case.spec.orders[case.order], *case.spec.tie])
    )


def after(case: Case, keys: Sequence[tuple[Any, ...]], key: tuple[Any, ...]) -> list[Any]:
    """Those of the keys that come after one, which need not be among them."""
    if case.descending:
        return [other for other in keys if other < key]
    return [other for other in keys if other > key]


def _in_branches(case: Case, row: Row, values: Mapping[str, Any]) -> bool:
    branches = case.filter.branches
    return branches is None or any(in_branch(case, branch, row, values) for branch in branches)


def in_branch(case: Case, branch: Branch, row: Row, values: Mapping[str, Any]) -> bool:
    """Whether a row is one of a branch."""
    if row[case.spec.state_column] != branch.state:
        return False
    conditions = [case.spec.conditions[name] for name in branch.conditions]
    return all(within(one, row, values) for one in conditions if isinstance(one, Bounds))


def within(bounds: Bounds, row: Row, values: Mapping[str, Any]) -> bool:
    """Whether a row lies within bounds."""
    for bound in bounds.bounds:
        value: datetime | None = row[bound.column]
        if not isinstance(bound, Bound):
            if (value is None) == isinstance(bound, Present):
                return False
        elif value is None or not COMPARE[bound.operator](value, values[bound.parameter]):
            return False
    return True
