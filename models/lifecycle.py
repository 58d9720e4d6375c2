"""The mechanism of all lifecycles: a table of (state, action) -> state, and the one write of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import CheckConstraint

from models.errors import IllegalTransition, StaleVersion


class Stateful(Protocol):
    """What a lifecycle moves: rows with a state, a version and the time of the last change."""

    state: str
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class Lifecycle:
    """One noun's states and arrows. `transitions` maps (from, action) to the state after it."""

    noun: str
    states: Sequence[str]
    transitions: Mapping[tuple[str, str], str]

    def actions_from(self, state: str) -> tuple[str, ...]:
        """The actions allowed from `state`, in the order of the table."""
        return tuple(action for start, action in self.transitions if start == state)

    def target(self, state: str, action: str) -> str:
        """The state after `action`; raises `IllegalTransition` naming what is allowed instead."""
        try:
            return self.transitions[state, action]
        except KeyError:
            allowed = self.actions_from(state)
            raise IllegalTransition(self.noun, state, action, allowed) from None

    def advance(self, row: Stateful, action: str, now: datetime) -> tuple[str, str]:
        """Move `row` by `action`; returns (from, to).

        The write itself is conditional: the mapper updates only where the version is the one read.
        """
        before, after = row.state, self.target(row.state, action)
        row.state = after
        touch(row, now)
        return before, after

    def check(self) -> CheckConstraint:
        """The database's copy of the list of states."""
        return one_of("state", self.states)

    def markdown(self) -> str:
        """The table of arrows, for the documentation."""
        rows = [f"| `{a}` | {action} | `{b}` |" for (a, action), b in self.transitions.items()]
        return "\n".join(["| from | action | to |", "| --- | --- | --- |", *rows])

    def mermaid(self) -> str:
        """The arrows as a Mermaid state diagram."""
        rows = [f"    {a} --> {b}: {action}" for (a, action), b in self.transitions.items()]
        return "\n".join(["stateDiagram-v2", *rows])


class Versioned(Protocol):
    """Rows that count their changes."""

    version: int
    updated_at: datetime


def touch(row: Versioned, now: datetime) -> None:
    """Count one change of `row`."""
    row.version += 1
    row.updated_at = now


def expect_version(row: Versioned, expected: int | None) -> None:
    """Raise `StaleVersion` if the caller saw another version than the present one."""
    if expected is not None and row.version != expected:
        raise StaleVersion(row.version, expected)


def some_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """A check that the array `column` holds nothing but `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} <@ ARRAY[{listed}]", name=f"{column}_of_known_kinds")


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """A check that `column` is one of `values`; as text, so that a new value is no type change."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
