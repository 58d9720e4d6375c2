"""Checks that several tables have: what every text, id, instant and count of a row keeps to."""

from sqlalchemy import CheckConstraint

# What Python, too, holds to be blank: what operations take, no check refuses.
_BLANK = r"E' \t\n\r\f\v'"


def says_something(name: str, *columns: str) -> CheckConstraint:
    """A check that each of the texts, where it is there, is not blank."""
    rules = (f"coalesce(btrim({column}, {_BLANK}) <> '', true)" for column in columns)
    return CheckConstraint(" AND ".join(rules), name=name)


def are_finite(name: str, *columns: str) -> CheckConstraint:
    """A check that each of the instants, where it is there, is one: `infinity` is none."""
    rules = (f"coalesce(isfinite({column}), true)" for column in columns)
    return CheckConstraint(" AND ".join(rules), name=name)


def counts_changes() -> CheckConstraint:
    """A check that a row's version counts from 1, and that it changed no sooner than it was."""
    return CheckConstraint("version > 0 AND updated_at >= created_at", name="changes_counted")
