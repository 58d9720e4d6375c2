"""Loads that several types share: from a row to the rows it names, for a whole level at once."""

from typing import Any

from sqlalchemy import Table

from models.account import ACCOUNTS
from models.errors import NotFound
from models.listing import Link
from models.lookup import accounts_by_id, rows_by_key
from models.program_reads import programs_by_version
from models.reading import Record
from models.requirement_reads import REQUIREMENTS
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.errors import query_error
from resolvers.selection import asked_columns

# How an account's lists hang on it.
OF_ACCOUNT = Link(parent=ACCOUNTS.table)
# How evidence and resolutions hang on their requirement.
OF_REQUIREMENT = Link(parent=REQUIREMENTS.table, column="requirement_id")


async def accounts_of(parents: Parents, info: Info) -> list[Record | None]:
    """The account of each row."""
    columns = asked_columns(info, "Account")
    keys = [parent["account_id"] for parent in parents]
    return await accounts_by_id(info.context.reader, ACCOUNTS.table, keys, columns)


def account_field() -> Any:
    """The field `account` of an account's object."""
    return batched(
        accounts_of, description="The account that it belongs to.", needs=("account_id",)
    )


def reference_field(type_name: str, table: Table, own: str, description: str) -> Any:
    """A field that is another row of the same account, the one that the column `own` names."""

    async def resolve(parents: Parents, info: Info) -> list[Record | None]:
        columns = asked_columns(info, type_name)
        keys = [(row["account_id"], row[own]) for row in parents if row[own] is not None]
        rows = await rows_by_key(info.context.reader, table, keys, columns)
        found = dict(zip(keys, rows, strict=True))
        return [found.get((row["account_id"], row[own])) for row in parents]

    return batched(resolve, description=description, needs=("account_id", own))


async def programs_of(parents: Parents, info: Info) -> list[Record | None]:
    """The program version of each requirement."""
    versions = [(parent["program_code"], parent["program_version"]) for parent in parents]
    columns = asked_columns(info, "Program")
    return await programs_by_version(info.context.reader, versions, columns)


async def rows_by_global_id(
    info: Info, type_name: str, prefix: str, table: Table, texts: list[str]
) -> list[Record | None]:
    """The rows that global ids of one type name, in their order; None in a missing one's place.

    Raises `InvalidId` for an id of another type.
    """
    columns = asked_columns(info, type_name)
    keys = [ids.key_of(text, prefix, "id") for text in texts]
    return await rows_by_key(info.context.reader, table, keys, columns)


def found_or_error(row: Any, noun: str, *field: str) -> Any:
    """The row, or the error that takes its place where there is none, naming the argument."""
    return row if row is not None else query_error(NotFound(noun, field))
