"""Between interactions and what they are about: either's rows for the other."""

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from sqlalchemy import Table, select

from models.ids import Key, id_array
from models.interaction import InteractionRequirement
from models.listing import Link, is_any, is_any_id, record_class
from models.reading import Query, Reader, Record, compile_query
from models.requirement import Requirement

INTERACTIONS_OF_REQUIREMENT = Link(
    parent=cast(Table, Requirement.__table__),
    through=cast(Table, InteractionRequirement.__table__),
    through_parent="requirement_id",
    through_child="interaction_id",
    mirrored={"created_at": "interaction_created_at", "id": "interaction_id"},
)


async def requirements_of_interactions(
    reader: Reader, keys: Sequence[Key], columns: Sequence[str]
) -> list[list[Record]]:
    """For each interaction, by (account id, id): what it is about, in the order of the ids."""
    names = dict.fromkeys(["account_id", "id", *columns])
    values = {
        "accounts": list({account_id for account_id, _ in keys}),
        "ids": id_array(interaction_id for _, interaction_id in keys),
    }
    found: dict[Key, list[Record]] = {key: [] for key in keys}
    record = record_class(cast(Table, Requirement.__table__))
    for row in await reader.fetch(_requirements_query(tuple(names)), values, record):
        found[row["account_id"], row["parent_id"]].append(row)
    return [found[key] for key in keys]


@lru_cache(maxsize=256)
def _requirements_query(columns: tuple[str, ...]) -> Query:
    table = cast(Table, Requirement.__table__)
    link = cast(Table, InteractionRequirement.__table__)
    return compile_query(
        select(link.c.interaction_id.label("parent_id"), *(table.c[name] for name in columns))
        .where(
            is_any(link.c.account_id, "accounts"),
            is_any_id(link.c.interaction_id, "ids"),
            table.c.account_id == link.c.account_id,
            table.c.id == link.c.requirement_id,
        )
        .order_by(table.c.account_id, table.c.id)
    )
