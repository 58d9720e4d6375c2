"""The platform: the tenant that accounts belong to. A small table that every shard has."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.clock import Clock
from models.ids import platform_id_for
from models.text import check_text

MAX_SLUG_LENGTH = 100


class Platform(Base):
    """One tenant, known to people by its slug."""

    __tablename__ = "platforms"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[datetime]


async def ensure_platform(session: AsyncSession, clock: Clock, slug: str) -> Platform:
    """The platform with this slug, made if it is not there. Needs the worker's role."""
    check_text(slug, MAX_SLUG_LENGTH, "platform")
    async with session.begin():
        found = await session.scalar(select(Platform).where(Platform.slug == slug))
        if found is None:
            found = Platform(id=platform_id_for(slug), slug=slug, name=slug, created_at=clock.now())
            session.add(found)
        return found
