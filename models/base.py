"""The declarative base and the columns that every table of an account shares."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKeyConstraint, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, declared_attr, mapped_column

from models.actor import Actor

Json = Any
STAFF_ONLY = "staff_only"


class Base(DeclarativeBase):
    """The base of all tables; names of keys and checks follow one convention."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it so)
        str: Text,
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid,
        list[str]: ARRAY(Text),
        Json: JSONB,
    }


class AccountScoped:
    """A row of one account: `account_id` leads its key, `platform_id` its row security."""

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-20)
    platform_id: Mapped[uuid.UUID] = mapped_column(sort_order=-10)


class OwnId:
    """A row that has an id of its own within its account."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-15)


class Changing:
    """A row that changes: it counts its changes and knows the first and the last instant."""

    version: Mapped[int] = mapped_column(sort_order=90)
    created_at: Mapped[datetime] = mapped_column(sort_order=91)
    updated_at: Mapped[datetime] = mapped_column(sort_order=92)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        """Every update is conditional on the version that was read."""
        return {"version_id_col": cls.version, "version_id_generator": False}


def account_key() -> ForeignKeyConstraint:
    """The key to the row's account; it repeats the platform, so that the two can't disagree."""
    return ForeignKeyConstraint(
        ["account_id", "platform_id"], ["accounts.account_id", "accounts.platform_id"]
    )


def own_key(column: str, table: str) -> ForeignKeyConstraint:
    """The key to another row of the same account."""
    return ForeignKeyConstraint(["account_id", column], [f"{table}.account_id", f"{table}.id"])


def program_key() -> ForeignKeyConstraint:
    """The key to the program version that a row lives under."""
    return ForeignKeyConstraint(
        ["platform_id", "program_code", "program_version"],
        ["programs.platform_id", "programs.code", "programs.version"],
    )


def staff_only(*arguments: Any, **options: Any) -> MappedColumn[Any]:
    """A column that account users' role may not read; the mapper loads it for staff."""
    return mapped_column(*arguments, **options, deferred=True, deferred_group=STAFF_ONLY)


def staff_only_columns(table: Table) -> frozenset[str]:
    """The names of the table's columns that only staff may read."""
    mapper = next(m for m in Base.registry.mappers if m.local_table is table)
    return frozenset(
        attribute.columns[0].name
        for attribute in mapper.column_attrs
        if attribute.group == STAFF_ONLY
    )


def stamp(row: object, prefix: str, actor: Actor) -> None:
    """Write who it was into `<prefix>_kind`, `<prefix>_id` and `<prefix>_name`."""
    setattr(row, f"{prefix}_kind", actor.kind)
    setattr(row, f"{prefix}_id", actor.id)
    setattr(row, f"{prefix}_name", actor.name)
