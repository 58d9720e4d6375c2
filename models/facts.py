"""What an operation reads under its account's lock: one statement, however many tables it takes."""

from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, bindparam, or_, select, union_all

from models.base import Base
from models.listing import is_any, is_any_id, word
from models.program import ProgramState
from models.reading import Query, compile_query
from models.status import LIVE_STATES
from models.writing import part


@lru_cache(maxsize=64)
def facts_query(named: frozenset[str], staff: bool) -> Query:
    """The account, all that its status follows from, and what the operation names.

    `key` with `caller` names an idempotency key, `requirement` a requirement and its program
    version, `evidence` with it some of what was submitted to it, `rejection` with it its final
    rejection, `purposes` with it the contacts about it that are for one of these; `resolution` a
    resolution and its requirement's, `program` the published version, `terms` the words under which
    the account is found, `interaction` an interaction, what that is about and what it answers,
    `answered` another one with what that is about, `about` requirements (`id_array`).
    """
    table = Base.metadata.tables
    requirements = table["requirements"].c
    live = requirements.state.in_([word(state) for state in LIVE_STATES])
    parts = [
        _of_account("accounts", staff),
        _of_account("capabilities", staff),
        _of_account("requirements", staff, live),
        _of_account("holds", staff, table["holds"].c.released_at.is_(None)),
    ]
    if "key" in named:
        keys = table["idempotency_keys"].c
        same_key = (keys.caller == bindparam("caller"), keys.key == bindparam("key"))
        parts.append(_of_account("idempotency_keys", staff, *same_key))
    if "requirement" in named:
        same = requirements.id == bindparam("requirement")
        parts.append(_of_account("requirements", staff, same, ~live))
        parts.append(_program_of(staff, same))
    if "evidence" in named:
        evidence = table["evidence"].c
        cited = (
            evidence.requirement_id == bindparam("requirement"),
            is_any(evidence.id, "evidence"),
        )
        parts.append(_of_account("evidence", staff, *cited))
    if "rejection" in named:
        resolutions = table["resolutions"].c
        rejecting = (
            resolutions.requirement_id == bindparam("requirement"),
            resolutions.outcome == word("REJECTED"),
            resolutions.state == word("FINAL"),
        )
        parts.append(_of_account("resolutions", staff, *rejecting))
    if "purposes" in named:
        parts.append(_contacts_about(staff))
    if "resolution" in named:
        resolutions = table["resolutions"].c
        same = resolutions.id == bindparam("resolution")
        decided = (
            resolutions.account_id == requirements.account_id,
            resolutions.requirement_id == requirements.id,
        )
        parts.append(_of_account("resolutions", staff, same))
        parts.append(_program_of(staff, same, *decided))
    if "interaction" in named:
        links = table["interaction_requirements"].c
        parts.append(_interaction_and_answered(staff))
        parts.append(
            _of_account(
                "interaction_requirements", staff, links.interaction_id == bindparam("interaction")
            )
        )
    if "answered" in named:
        parts += _answered(staff)
    if "about" in named:
        parts.append(_of_account("requirements", staff, is_any_id(requirements.id, "about"), ~live))
    if "terms" in named:
        parts.append(_of_account("account_terms", staff))
    if "program" in named:
        parts.append(_published(staff))
    return compile_query(cast(Select[Any], union_all(*parts)))


def _of_account(name: str, staff: bool, *where: ColumnElement[bool]) -> Select[Any]:
    table = Base.metadata.tables[name]
    return part(table, staff, table.c.account_id == bindparam("account"), *where)


def _program_of(staff: bool, *where: ColumnElement[bool]) -> Select[Any]:
    """The program version that a requirement lives under."""
    programs, requirements = (Base.metadata.tables[n] for n in ("programs", "requirements"))
    return part(
        programs,
        staff,
        requirements.c.account_id == bindparam("account"),
        programs.c.platform_id == requirements.c.platform_id,
        programs.c.code == requirements.c.program_code,
        programs.c.version == requirements.c.program_version,
        *where,
    )


def _contacts_about(staff: bool) -> Select[Any]:
    links, interactions = (
        Base.metadata.tables[name].c for name in ("interaction_requirements", "interactions")
    )
    return _of_account(
        "interactions",
        staff,
        links.account_id == bindparam("account"),
        links.requirement_id == bindparam("requirement"),
        interactions.id == links.interaction_id,
        is_any(interactions.purpose, "purposes"),
    )


def _interaction_and_answered(staff: bool) -> Select[Any]:
    table = Base.metadata.tables["interactions"]
    this = table.alias("this")
    answered = select(this.c.in_reply_to_id).where(
        this.c.account_id == bindparam("account"), this.c.id == bindparam("interaction")
    )
    either = or_(table.c.id == bindparam("interaction"), table.c.id == answered.scalar_subquery())
    return _of_account("interactions", staff, either)


def _answered(staff: bool) -> list[Select[Any]]:
    tables = Base.metadata.tables
    interactions, links = tables["interactions"].c, tables["interaction_requirements"].c
    answered: ColumnElement[Any] = bindparam("answered")
    return [
        _of_account("interactions", staff, interactions.id == answered),
        _of_account("interaction_requirements", staff, links.interaction_id == answered),
    ]


def _published(staff: bool) -> Select[Any]:
    programs = Base.metadata.tables["programs"]
    return part(
        programs,
        staff,
        programs.c.platform_id == bindparam("platform"),
        programs.c.code == bindparam("program"),
        programs.c.state == word(ProgramState.PUBLISHED),
    )
