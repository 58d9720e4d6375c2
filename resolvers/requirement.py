"""Requirements: what accounts are asked for.

How they are listed is in `requirement_list.py`, the mutations are in `requirement_mutations.py`.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.permission import Permission
from models.program import RequirementCategory
from models.reading import Record
from models.requirement import Priority, closed_reason_code
from models.requirement_permissions import permissions
from models.requirement_reads import REQUIREMENTS, alternatives_of
from models.resolution import ResolutionOutcome, current_resolutions
from models.review_target import ReviewTargetStatus, target_status
from models.status import (
    AwaitingActionFrom,
    DueStatus,
    RequirementState,
    awaiting,
    due_status,
)
from resolvers import ids
from resolvers.audiences import shows
from resolvers.batching import Parents, batched
from resolvers.clock import Clock, clocks_of_requirements
from resolvers.context import Info
from resolvers.evidence import Evidence, evidence_of_requirements
from resolvers.impact import IMPACT, RequirementImpact, impacts
from resolvers.interaction import Interaction, interactions_of_requirements
from resolvers.loading import account_field, programs_of
from resolvers.node import Actor, Node, actor_field, node_id, rows_of
from resolvers.note import Note, notes_of_requirements
from resolvers.pagination import Connection
from resolvers.permission import RequirementActionPermission
from resolvers.program import Program
from resolvers.resolution import Resolution, resolutions_of_requirements
from resolvers.selection import asked_columns, register_columns

if TYPE_CHECKING:
    from resolvers.account import Account


@strawberry.type(description="Why a requirement was opened.")
class RequestedReason:
    """A code and words."""

    code: str = strawberry.field(description="The code of the reason.")
    message: str = strawberry.field(description="The reason, in words for the account's user.")


@strawberry.type(description="What is wrong with what was submitted.")
class RequirementError:
    """A code of the program, words, and the place."""

    code: str = strawberry.field(description="The code, one of the program's registry.")
    message: str = strawberry.field(description="What is wrong, in words for the account's user.")
    field: str | None = strawberry.field(description="The place in the evidence.")
    remedy: str | None = strawberry.field(description="What to do about it.")


def _reasons(parents: Parents) -> list[list[RequestedReason]]:
    return [[RequestedReason(**entry) for entry in row["requested_reasons"]] for row in parents]


def _errors(parents: Parents) -> list[list[RequirementError]]:
    return [[RequirementError(**e) for e in row["errors"]] for row in parents]


def _due_statuses(parents: Parents, info: Info) -> list[DueStatus]:
    now = info.context.now
    return [
        due_status(row["state"], row["currently_due_at"], row["deadline"], now) for row in parents
    ]


def _target_statuses(parents: Parents, info: Info) -> list[ReviewTargetStatus | None]:
    now = info.context.now
    return [
        target_status(
            row["review_due_at"], row["review_at_risk_at"], row["review_left_seconds"], now
        )
        for row in parents
    ]


def _awaiting(parents: Parents) -> list[AwaitingActionFrom | None]:
    return [awaiting(row["state"], row["unanswered_since"]) for row in parents]


def _closed_reason_codes(parents: Parents) -> list[str | None]:
    return [closed_reason_code(row["state"], row["closed_reason"]) for row in parents]


def _assignees(parents: Parents, info: Info) -> list[Actor | None]:
    if not shows(info, "Requirement", "assignee"):
        return [None for _ in parents]
    return [
        None
        if row["assignee_id"] is None
        else Actor(kind="REVIEWER", id=row["assignee_id"], display_name=row["assignee_name"])  # type: ignore[arg-type]
        for row in parents
    ]


def _proposed_outcomes(parents: Parents, info: Info) -> list[ResolutionOutcome | None]:
    shown = shows(info, "Requirement", "proposedOutcome")
    return [row["proposed_outcome"] if shown else None for row in parents]


def _permissions(parents: Parents, info: Info) -> list[list[Permission]]:
    actor, now = info.context.actor, info.context.now
    return [permissions(row, actor, now) for row in parents]


async def _alternatives(parents: Parents, info: Info) -> list[list[Record]]:
    groups = [(row["account_id"], row["alternative_group"]) for row in parents]
    columns = asked_columns(info, "Requirement")
    found = await alternatives_of(info.context.reader, groups, columns)
    return [
        [other for other in rows if other["id"] != row["id"]]
        for row, rows in zip(parents, found, strict=True)
    ]


async def _current_resolutions(parents: Parents, info: Info) -> list[Record | None]:
    keys = [(row["account_id"], row["id"]) for row in parents]
    columns = asked_columns(info, "Resolution")
    return await current_resolutions(info.context.reader, keys, columns)


@strawberry.type(description="One thing that one account must provide or fix.")
class Requirement(Node):
    """A requirement under a program version."""

    is_type_of = rows_of(REQUIREMENTS.record, "Requirement")

    id: strawberry.ID = node_id(ids.REQUIREMENT, "requirement")
    account: Annotated["Account", strawberry.lazy("resolvers.account")] = account_field()
    program: Program = batched(
        programs_of,
        description="The program version that it lives under.",
        needs=("program_code", "program_version"),
    )
    title: str = strawberry.field(description="The title, for the account's user.")
    description: str = strawberry.field(description="The description, for the account's user.")
    category: RequirementCategory = strawberry.field(description="What it is about.")
    requested_reasons: list[RequestedReason] = batched(
        _reasons, description="Why it was opened.", needs=("requested_reasons",)
    )
    state: RequirementState = strawberry.field(description="Where it stands.")
    due_status: DueStatus = batched(
        _due_statuses,
        description="How it stands to the clock.",
        needs=("state", "currently_due_at", "deadline"),
    )
    awaiting_action_from: AwaitingActionFrom | None = batched(
        _awaiting,
        description=(
            "Who has to move next; nobody once it has ended. It is RISK while what was submitted "
            "waits for the platform, also where that waits for a third party (`referredTo`), and "
            "while a message of the account's user waits for an answer (`unansweredSince`). A "
            "message changes nothing else: the state, the due status, the deadline and the clock "
            "stay as they are, and a deadline passes whoever was asked what."
        ),
        needs=("state", "unanswered_since"),
    )
    unanswered_since: datetime | None = strawberry.field(
        description=(
            "The instant of the first message of the account's user about it that nobody has "
            "answered: no contact about it that a person of the platform wrote has gone out "
            "since, and its state is still the same."
        )
    )
    referred_to: str | None = strawberry.field(
        description=(
            "Whom the platform waits for about it: a bank, a register, an authority. Null where "
            "it waits for nobody else."
        )
    )
    referred_at: datetime | None = strawberry.field(
        description="The instant since which it waits for them."
    )
    currently_due_at: datetime | None = strawberry.field(
        description="The instant at which it becomes currently due."
    )
    deadline: datetime | None = strawberry.field(
        description="The instant at which it becomes past due."
    )
    latest_deadline: datetime | None = strawberry.field(
        description="As far as extensions may move the deadline; missing where nothing limits them."
    )
    notice_at: datetime | None = strawberry.field(
        description="The instant from which its deadline, if it restricts, makes the account "
        "RESTRICTED_SOON; missing where its program gives no notice."
    )
    appeal_deadline: datetime | None = strawberry.field(
        description="The instant at which the time for an appeal ends, once it is rejected."
    )
    appealed_at: datetime | None = strawberry.field(
        description="The instant at which its rejection was appealed; that may be done once."
    )
    impact: list[RequirementImpact] = batched(
        impacts,
        description="What it does to capabilities if nobody acts; while an alternative to it waits "
        "for the platform, its deadline restricts nothing.",
        needs=IMPACT,
    )
    errors: list[RequirementError] = batched(
        _errors, description="What is wrong with what was submitted.", needs=("errors",)
    )
    alternatives: list[Annotated["Requirement", strawberry.lazy("resolvers.requirement")]] = (
        batched(
            _alternatives,
            description="The other requirements of its group: providing one of them ends it.",
            needs=("account_id", "id", "alternative_group"),
        )
    )
    evidence: Connection[Evidence] = batched(
        evidence_of_requirements,
        description="What was submitted, the oldest first.",
        needs=("account_id", "id"),
    )
    interactions: Connection[Interaction] = batched(
        interactions_of_requirements,
        description="The contacts about it.",
        needs=("account_id", "id"),
    )
    resolutions: Connection[Resolution] = batched(
        resolutions_of_requirements,
        description="The decisions on it.",
        needs=("account_id", "id"),
    )
    internal_notes: Connection[Note] | None = batched(
        notes_of_requirements,
        description="What staff noted about it, the oldest first; null for account users.",
        needs=("account_id", "id"),
    )
    current_resolution: Resolution | None = batched(
        _current_resolutions,
        description="The latest decision on it that has taken effect.",
        needs=("account_id", "id"),
    )
    proposed_outcome: ResolutionOutcome | None = batched(
        _proposed_outcomes,
        description="The outcome that waits for a second pair of eyes; not shown to account users.",
        needs=("proposed_outcome",),
    )
    assignee: Actor | None = batched(
        _assignees,
        description="The reviewer it is handed to; not shown to account users.",
        needs=("assignee_id", "assignee_name"),
    )
    clock: Clock = batched(
        clocks_of_requirements,
        description="Who has held it, and for how long.",
        needs=("account_id", "id", "state", "referred_at"),
    )
    review_due_at: datetime | None = strawberry.field(
        description=(
            "The instant by which the platform promises to have reviewed what was submitted; null "
            "where nothing waits for a review, a third party is waited for, or the program "
            "promises nothing."
        )
    )
    review_target_status: ReviewTargetStatus | None = batched(
        _target_statuses,
        description="How that promise stands to the clock; null where there is none.",
        needs=("review_due_at", "review_at_risk_at", "review_left_seconds"),
    )
    priority: Priority = strawberry.field(description="How soon risk should look at it.")
    opened_by: Actor = actor_field("opened_by", "Who opened it.")
    version: int = strawberry.field(description="How often it has changed, from 1.")
    allowed_actions: list[RequirementActionPermission] = batched(
        _permissions,
        description="What the viewer may do with it now, and why not otherwise.",
        needs=(
            *("state", "deadline", "latest_deadline", "appeal_deadline", "appealed_at"),
            *("referred_at", "opened_by_kind", "opened_by_id", "proposed_outcome"),
        ),
    )
    created_at: datetime = strawberry.field(description="The instant at which it was opened.")
    updated_at: datetime = strawberry.field(description="The instant of its last change.")
    submitted_at: datetime | None = strawberry.field(
        description="The instant of the latest submission."
    )
    closed_at: datetime | None = strawberry.field(description="The instant at which it ended.")
    closed_reason: str | None = strawberry.field(
        description="Why it ended: a code, or words of whoever canceled it; `closedReasonCode` "
        "says which."
    )
    closed_reason_code: str | None = batched(
        _closed_reason_codes,
        description="The code of why it ended: the decision's reason code, `appeal_overturned`, or "
        "`ALTERNATIVE_SATISFIED`; missing while it is open, and where it was canceled in words.",
        needs=("state", "closed_reason"),
    )


register_columns(Requirement, REQUIREMENTS.table)
