"""The schema's file: what clients build on, and the check that it neither lies nor breaks them."""

import subprocess
from pathlib import Path

from graphql import GraphQLError, build_schema, find_breaking_changes

from resolvers.schema import SCHEMA

RELEASE_TAGS = "v[0-9]*"


def write(file: Path) -> list[str]:
    """Write the schema; what is wrong with that."""
    try:
        file.write_text(_text())
    except OSError as error:
        return [f"{file} can't be written: {error.strerror}."]
    return []


def check(file: Path) -> list[str]:
    """What is wrong: a file that differs, breaking changes against the last release."""
    problem = _difference(file)
    problems = [] if problem is None else [problem]
    released = _released(file)
    return problems + ([] if released is None else breaking_changes(released, _text()))


def breaking_changes(before: str, after: str) -> list[str]:
    """How a schema breaks the clients of another, one sentence for each way."""
    try:
        changes = find_breaking_changes(build_schema(before), build_schema(after))
    except (GraphQLError, TypeError) as error:
        return [f"The schema can't be compared: {error}"]
    return [f"Breaking change: {change.description}" for change in changes]


def _difference(file: Path) -> str | None:
    """How the file differs from what the code says."""
    try:
        if file.read_text() == _text():
            return None
    except OSError as error:
        return f"{file} can't be read: {error.strerror}. `recourse schema` writes it."
    except UnicodeDecodeError:
        pass
    return f"{file} is not what the code says. Run scripts/schema, look at the diff."


def _text() -> str:
    return SCHEMA.as_str().rstrip() + "\n"


def _released(file: Path) -> str | None:
    """The schema of the last release, by its tag; None where there was none."""
    folder = file.absolute().parent
    tag = _git(folder, "describe", "--tags", "--abbrev=0", f"--match={RELEASE_TAGS}")
    return None if tag is None else _git(folder, "show", f"{tag.strip()}:./{file.name}")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
