"""A capability: what an account may do. Its status is derived, never set; see `status.py`."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AccountScoped, Base, account_key
from models.lifecycle import one_of
from models.status import CapabilityKind, CapabilityStatus


class Capability(AccountScoped, Base):
    """One kind of thing that one account may do."""

    __tablename__ = "capabilities"
    __table_args__ = (
        account_key(),
        one_of("kind", list(CapabilityKind)),
        one_of("status", list(CapabilityStatus)),
        # What is not asked for is inactive, and only that.
        CheckConstraint("requested = (status <> 'INACTIVE')", name="inactive_unless_requested"),
        # What may not be done says why, and nothing else does.
        CheckConstraint(
            "(status IN ('RESTRICTED', 'PENDING')) = (disabled_reason IS NOT NULL)",
            name="restricted_with_reason",
        ),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    requested: Mapped[bool]
    status: Mapped[str]
    disabled_reason: Mapped[str | None]
    restricts_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
