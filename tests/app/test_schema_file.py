"""The schema's file: it says what the code does, and it breaks no client unnoticed."""

import subprocess
from pathlib import Path

import pytest

from app import schema_file
from app.schema_file import breaking_changes, check, write

BEFORE = """
type Query {
  account(id: ID!): Account
  accounts(first: Int, after: String): [Account!]!
}
type Account {
  id: ID!
  name: String
  status: Status!
}
enum Status { ENABLED RESTRICTED }
input Filter { status: Status }
"""
BREAKING = {
    "a field removed": ("  name: String\n", "", "Account.name"),
    "a field's type changed": ("name: String", "name: Int", "Account.name"),
    "a field may be null": ("status: Status!", "status: Status", "Account.status"),
    "an enum value removed": ("ENABLED RESTRICTED", "ENABLED", "RESTRICTED"),
    "an argument removed": (", after: String", "", "after"),
    "an argument required": ("first: Int,", "first: Int!,", "first"),
    "a required argument added": ("first: Int,", "first: Int, by: Int!,", "by"),
    "an input field required": ("{ status: Status }", "{ status: Status! }", "Filter.status"),
    "a type removed": ("input Filter { status: Status }\n", "", "Filter"),
}
HARMLESS = {
    "nothing": ("", ""),
    "a field added": ("  name: String\n", "  name: String\n  email: String\n"),
    "an enum value added": ("ENABLED RESTRICTED", "ENABLED RESTRICTED REJECTED"),
    "an optional argument added": ("first: Int,", "first: Int, by: Int,"),
    "an optional input field added": ("{ status: Status }", "{ status: Status, name: String }"),
    "never null": ("name: String", "name: String!"),
    "deprecated": ("name: String", 'name: String @deprecated(reason: "Use id.")'),
    "described": ("type Account", '"A business."\ntype Account'),
}


@pytest.mark.parametrize("what", BREAKING)
def test_what_breaks_a_client_is_found(what: str) -> None:
    old, new, named = BREAKING[what]
    assert old in BEFORE
    problems = breaking_changes(BEFORE, BEFORE.replace(old, new))
    assert len(problems) == 1
    assert problems[0].startswith("Breaking change: ")
    assert named in problems[0]


@pytest.mark.parametrize("what", HARMLESS)
def test_what_breaks_no_client_passes(what: str) -> None:
    old, new = HARMLESS[what]
    assert breaking_changes(BEFORE, BEFORE.replace(old, new) if old else BEFORE) == []


def test_two_breaks_are_two_sentences() -> None:
    after = BEFORE.replace("  name: String\n", "").replace("ENABLED RESTRICTED", "ENABLED")
    assert len(breaking_changes(BEFORE, after)) == 2


def test_what_is_no_schema_is_a_problem_not_an_accident() -> None:
    [problem] = breaking_changes("type Query {", BEFORE)
    assert "can't be compared" in problem


def test_what_is_written_passes_the_check(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    [problem] = check(file)
    assert (
        problem == f"{file} can't be read: No such file or directory. `recourse schema` writes it."
    )
    assert write(file) == []
    assert check(file) == []
    assert file.read_text().endswith("}\n")


def test_a_file_that_lies_is_found(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    write(file)
    file.write_text(file.read_text().replace("businessName", "companyName"))
    [problem] = check(file)
    assert "scripts/schema" in problem


class Repository:
    """A repository of its own, to release from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "api/schema.graphql"
        self.file.parent.mkdir()
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> None:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        who += ["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"]
        command = ["git", "-C", str(self.folder), *who, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def release(self, schema: str, tag: str) -> None:
        self.file.write_text(schema)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", tag)
        self.git("tag", tag)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def present() -> str:
    return schema_file._text()


def with_more(field: str) -> str:
    """The schema as it was when accounts had one more field."""
    text = present().replace(
        "type Account implements Node {", f"type Account implements Node {{\n  {field}: Int\n"
    )
    assert field in text
    return text


def test_the_last_release_is_what_counts(repository: Repository) -> None:
    repository.release(with_more("first"), "v0.1.0")
    repository.release(with_more("second"), "v0.2.0")
    repository.release(with_more("third"), "experiment")
    write(repository.file)
    problems = check(repository.file)
    assert problems == ["Breaking change: Field Account.second was removed."]


def test_a_release_that_has_less_is_no_problem(repository: Repository) -> None:
    repository.release(
        "type Query { viewer: Viewer! } type Viewer { role: Role! } enum Role { ADMIN }", "v1"
    )
    write(repository.file)
    assert check(repository.file) == []


def test_before_the_first_release_nothing_can_break(repository: Repository) -> None:
    repository.release(with_more("first"), "draft")
    write(repository.file)
    assert check(repository.file) == []
