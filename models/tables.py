"""All tables, for those who need the whole: migrations, tests of the schema, loaders."""

from models import (
    account,
    aggregate,
    api_key,
    capability,
    events,
    evidence,
    fair_clock,
    hold,
    idempotency,
    interaction,
    note,
    platform,
    program,
    program_reads,
    requirement,
    requirement_reads,
    resolution,
    search,
)
from models.base import Base

__all__ = ["METADATA", "NOUNS"]

NOUNS = (
    account,
    aggregate,
    api_key,
    capability,
    events,
    evidence,
    fair_clock,
    hold,
    idempotency,
    interaction,
    note,
    platform,
    program,
    program_reads,
    requirement,
    requirement_reads,
    resolution,
    search,
)
METADATA = Base.metadata
