"""Programs: what kinds of requirements there are."""

from datetime import datetime
from typing import Annotated

import strawberry

from models.errors import NotFound
from models.notice_texts import NoticeKind
from models.permission import Permission
from models.program import GroundKind, ProgramState, RequirementCategory, permissions
from models.program_checks import MAX_CODE_LENGTH
from models.program_reads import PROGRAMS, latest_program, programs_by_version
from models.reading import Record
from models.status import CapabilityKind
from models.text import check_text
from resolvers import ids
from resolvers.batching import Parents, batched
from resolvers.context import Info
from resolvers.errors import query_error
from resolvers.lists import Listing
from resolvers.node import Actor, Node, actor_field, rows_of
from resolvers.pagination import Filtered
from resolvers.permission import ProgramActionPermission
from resolvers.scalars import Duration, Json
from resolvers.selection import asked_columns, register_columns


@strawberry.type(description="A reason that decisions under a program may give.")
class ReasonCode:
    """One entry of the program's registry."""

    code: str = strawberry.field(description="The code, as decisions give it.")
    description: str = strawberry.field(description="What it means.")


@strawberry.type(description="An error that reviewers under a program may point out.")
class ErrorCodeEntry:
    """One entry of the program's registry."""

    code: str = strawberry.field(description="The code, as reviewers give it.")
    description: str = strawberry.field(description="What it means.")


def _ids(parents: Parents) -> list[str]:
    return [ids.encode(ids.PROGRAM, row["platform_id"], row["id"]) for row in parents]


def _reason_codes(parents: Parents) -> list[list[ReasonCode]]:
    return [[ReasonCode(**e) for e in row["reason_codes"]] for row in parents]


def _error_codes(parents: Parents) -> list[list[ErrorCodeEntry]]:
    return [[ErrorCodeEntry(**e) for e in row["error_codes"]] for row in parents]


@strawberry.type(
    description=(
        "Where working time is counted: a working day is a whole day of the place's clock that is "
        "neither on its weekend nor one of its public holidays."
    )
)
class BusinessCalendar:
    """A place and its clock."""

    region: str = strawberry.field(
        description="Whose weekends and public holidays don't count, as ISO 3166 has it: DE, DE-BY."
    )
    time_zone: str = strawberry.field(
        description="By whose clock days begin, as IANA has it: Europe/Berlin."
    )


def _calendars(parents: Parents) -> list[BusinessCalendar | None]:
    return [
        None
        if row["calendar_region"] is None
        else BusinessCalendar(region=row["calendar_region"], time_zone=row["calendar_time_zone"])
        for row in parents
    ]


@strawberry.type(description="The texts of one kind of notice.")
class ProgramNotice:
    """Templates."""

    kind: NoticeKind = strawberry.field(description="What it tells.")
    subject: str = strawberry.field(description="The template of the subject.")
    body: str = strawberry.field(description="The template of the text.")


def _notices(parents: Parents) -> list[list[ProgramNotice]]:
    return [
        [
            ProgramNotice(kind=NoticeKind(e["kind"]), subject=e["subject"], body=e["body"])
            for e in row["notices"]
        ]
        for row in parents
    ]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    return [permissions(row, info.context.actor) for row in parents]


@strawberry.type(description="One version of one kind of requirement, as a team declared it.")
class Program(Node):
    """A version never changes; publishing again makes the next one."""

    is_type_of = rows_of(PROGRAMS.record, "Program")

    id: strawberry.ID = batched(
        _ids,
        description="The global id of the program version, opaque.",
        needs=("platform_id", "id"),
    )
    code: str = strawberry.field(description="The code of the program.")
    version: int = strawberry.field(description="The number of the version, from 1.")
    name: str = strawberry.field(description="The name of the program, for staff.")
    state: ProgramState = strawberry.field(
        description="Whether new requirements may be opened under this version."
    )
    owner: str = strawberry.field(
        description=(
            "The team that owns the program. To an integrator, its own are those that have its id "
            "here, and the versions that it published."
        )
    )
    category: RequirementCategory = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="The title of its requirements, for the account.")
    description: str = strawberry.field(
        description="The description of its requirements, for the account."
    )
    evidence_schema: Json = strawberry.field(
        description="The JSON Schema (Draft 2020-12) of the evidence."
    )
    proves: list[str] = strawberry.field(description="What its evidence proves, such as address.")
    due_after: Duration | None = strawberry.field(
        description="How long after opening its requirements become due; at once where missing."
    )
    deadline_after: Duration | None = strawberry.field(
        description="How long after opening their deadline is; none where missing."
    )
    notice_period: Duration | None = strawberry.field(
        description="How long before the deadline the account counts as restricted soon."
    )
    max_extension: Duration | None = strawberry.field(
        description=(
            "How much later than at first a deadline may become by extensions; any where missing."
        )
    )
    reminders: list[Duration] = strawberry.field(
        description=(
            "How long before the deadline the account's user is reminded, while the requirement "
            "awaits the account; what is missed is made up for once."
        )
    )
    restricts: list[CapabilityKind] = strawberry.field(
        description="The capabilities that it restricts when past due or rejected."
    )
    gates: list[CapabilityKind] = strawberry.field(
        description="The capabilities that are pending until it is satisfied."
    )
    four_eyes: bool = strawberry.field(
        description="Whether approving and rejecting take a second pair of eyes."
    )
    pauses_deadline: bool = strawberry.field(
        description="Whether the time that the platform takes moves the account's deadline on."
    )
    review_within: Duration | None = strawberry.field(
        description=(
            "How soon the platform promises to review: in working time where the program has a "
            "business calendar."
        )
    )
    business_calendar: BusinessCalendar | None = batched(
        _calendars,
        description="Where working time is counted; all time counts where missing.",
        needs=("calendar_region", "calendar_time_zone"),
    )
    appeal_within: Duration | None = strawberry.field(
        description="How long after a rejection the account may appeal; P6M where missing."
    )
    termination_notice: Duration | None = strawberry.field(
        description="How long after a rejection it restricts; at once where missing."
    )
    legal_ground: str | None = strawberry.field(
        description="The legal or contractual ground of its decisions."
    )
    legal_ground_kind: GroundKind | None = strawberry.field(
        description="Whether that ground is a law or the contract with the account."
    )
    reason_codes: list[ReasonCode] = batched(
        _reason_codes,
        description="The reasons that its decisions may give; any where the list is empty.",
        needs=("reason_codes",),
    )
    error_codes: list[ErrorCodeEntry] = batched(
        _error_codes,
        description="The errors that its reviewers may point out; any where the list is empty.",
        needs=("error_codes",),
    )
    notices: list[ProgramNotice] = batched(
        _notices,
        description="The texts of its notices; those that Recourse has where one is missing.",
        needs=("notices",),
    )
    published_at: datetime = strawberry.field(description="The instant of its publication.")
    published_by: Actor = actor_field("published_by", "Who published it.")
    retired_at: datetime | None = strawberry.field(
        description="The instant at which it was retired."
    )
    allowed_actions: list[ProgramActionPermission] = batched(
        _permissions,
        description="What the viewer may do with the version now, and why not otherwise.",
        needs=("state", "owner", "published_by_kind", "published_by_id"),
    )


register_columns(Program, PROGRAMS.table)


@strawberry.input(description="Which programs; conditions combine with AND.")
class ProgramFilter:
    """A filter of program versions."""

    code: list[str] | None = strawberry.field(
        default=None, description="Versions of one of these programs."
    )
    state: list[ProgramState] | None = strawberry.field(
        default=None, description="Versions in one of these states."
    )
    category: list[RequirementCategory] | None = strawberry.field(
        default=None, description="Versions in one of these categories."
    )


ProgramFilterArgument = Annotated[
    ProgramFilter | None, strawberry.argument(description="Which program versions.")
]


def _filtered(_info: Info, given: ProgramFilter) -> Filtered:
    found = Filtered()
    found.states(given.state)
    found.among("code", given.code, "code")
    found.among("category", given.category, "category")
    return found


async def program(
    info: Info,
    code: Annotated[str, strawberry.argument(description="The code of the program.")],
    version: Annotated[
        int | None, strawberry.argument(description="The version; the latest if left out.")
    ] = None,
) -> Record | None:
    """One version of a program."""
    check_text(code, MAX_CODE_LENGTH, "code")
    info.context.spend(1)
    columns = asked_columns(info, "Program")
    found: Record | None
    if version is None:
        found = await latest_program(info.context.reader, code, columns)
    else:
        [found] = await programs_by_version(info.context.reader, [(code, version)], columns)
    if found is None:
        raise query_error(NotFound("program", ("code",)))
    return found


programs = Listing(PROGRAMS, "Program", ProgramFilterArgument, _filtered).at_root("programs")
