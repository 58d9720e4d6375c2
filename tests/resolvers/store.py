"""What is in the store, to see that nothing was written."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.tables import METADATA

_TABLES = " UNION ALL ".join(
    f"SELECT '{table.name}', count(*), "
    f"coalesce(sum(hashtextextended({table.name}::text, 0)::numeric), 0) FROM {table.name}"
    for table in METADATA.sorted_tables
)
Contents = dict[str, tuple[int, str]]


async def contents(owner: AsyncEngine) -> Contents:
    """For each table how many rows it has, and a sum over all that is in them."""
    async with owner.connect() as connection:
        rows = await connection.execute(text(_TABLES))
        return {name: (count, str(total)) for name, count, total in rows}
