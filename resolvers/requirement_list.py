"""How requirements are listed: their orders, their filter, and the lists themselves."""

from enum import Enum
from typing import Annotated

import strawberry

from models.errors import Forbidden
from models.listing import Branch
from models.program import RequirementCategory
from models.requirement import Priority
from models.requirement_reads import BRANCHES_OF_DUE_STATUS, REQUIREMENTS, awaiting_branches
from models.status import AWAITING_RISK, AwaitingActionFrom, DueStatus, RequirementState
from resolvers import ids
from resolvers.context import Info
from resolvers.lists import Listing
from resolvers.loading import OF_ACCOUNT
from resolvers.pagination import DateTimeRange, Filtered, OrderDirection


@strawberry.enum(description="What requirements are sorted by.")
class RequirementOrderField(Enum):
    """The orders of requirements."""

    DEADLINE = strawberry.enum_value(
        "DEADLINE", description="The deadline; what has none comes last."
    )
    CREATED_AT = strawberry.enum_value("CREATED_AT", description="When it was opened.")
    REVIEW_DUE_AT = strawberry.enum_value(
        "REVIEW_DUE_AT",
        description=(
            "By when the platform promises to have reviewed it; what has no such promise now "
            "comes last."
        ),
    )


@strawberry.input(description="The order of requirements.")
class RequirementOrder:
    """A field and a direction."""

    field: RequirementOrderField = strawberry.field(description="What to sort by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way."
    )


@strawberry.input(description="Which requirements; conditions combine with AND.")
class RequirementFilter:
    """A filter of requirements."""

    account_id: strawberry.ID | None = strawberry.field(
        default=None, description="Those of this account."
    )
    state: list[RequirementState] | None = strawberry.field(
        default=None, description="Those in one of these states."
    )
    due_status: list[DueStatus] | None = strawberry.field(
        default=None, description="Those that stand so to the clock."
    )
    awaiting_action_from: AwaitingActionFrom | None = strawberry.field(
        default=None,
        description=(
            "Those in which this side has to move next, as `Requirement.awaitingActionFrom` says."
        ),
    )
    category: list[RequirementCategory] | None = strawberry.field(
        default=None, description="Those in one of these categories."
    )
    program: list[str] | None = strawberry.field(
        default=None, description="Those under one of these programs, by code."
    )
    assignee_id: list[str] | None = strawberry.field(
        default=None, description="Those handed to one of these reviewers; staff only."
    )
    unassigned: bool | None = strawberry.field(
        default=None, description="True: those handed to nobody; staff only."
    )
    priority: list[Priority] | None = strawberry.field(
        default=None, description="Those with one of these priorities."
    )
    deadline: DateTimeRange | None = strawberry.field(
        default=None, description="Those with a deadline in this span of time."
    )
    created_at: DateTimeRange | None = strawberry.field(
        default=None, description="Those opened in this span of time."
    )
    review_due_at: DateTimeRange | None = strawberry.field(
        default=None,
        description=(
            "Those whose review is promised by an instant in this span of time; what ends before "
            "now are the promises that were broken."
        ),
    )


RequirementFilterArgument = Annotated[
    RequirementFilter | None, strawberry.argument(description="Which requirements.")
]
RequirementOrderArgument = Annotated[
    RequirementOrder | None,
    strawberry.argument(description="The order; without it, by deadline."),
]


def _filtered(info: Info, given: RequirementFilter) -> Filtered:
    found = Filtered()
    if given.account_id is not None:
        found.account_id = ids.account_of(given.account_id, "filter", "accountId")
    found.branches = _branches(given)
    found.among("category", given.category, "category")
    found.among("program", given.program, "program")
    found.among("priority", given.priority, "priority")
    if _assignee_keys(given) is not None:
        if not info.context.actor.is_staff:
            raise Forbidden("Only staff may filter by assignee.")
        found.among("assignee", _assignee_keys(given), "assigneeId")
    found.between("deadline", given.deadline, missing_last=True)
    found.between("created", given.created_at)
    found.between("review_due", given.review_due_at, missing_last=True)
    return found


def _assignee_keys(given: RequirementFilter) -> list[str] | None:
    """What the column behind the assignee may be: ids, or nothing for nobody."""
    # Nobody has an empty id, which would mean nobody.
    asked = None if given.assignee_id is None else [own for own in given.assignee_id if own]
    if not given.unassigned:
        return asked
    return [""] if asked is None else []


def _branches(given: RequirementFilter) -> tuple[Branch, ...] | None:
    """The branches that state, due status, a review's promise and who is awaited leave.

    None for all.
    """
    asked = (given.due_status, given.state, given.awaiting_action_from)
    if all(one is None for one in asked) and not given.review_due_at:
        return None
    if given.due_status is None:
        found = [Branch(state.value) for state in RequirementState]
    else:
        statuses = dict.fromkeys(given.due_status)
        found = [branch for status in statuses for branch in BRANCHES_OF_DUE_STATUS[status]]
    if given.state is not None:
        found = [branch for branch in found if branch.state in given.state]
    if given.review_due_at:
        found = [branch for branch in found if branch.state in AWAITING_RISK]
    if given.awaiting_action_from is not None:
        return awaiting_branches(found, given.awaiting_action_from)
    return tuple(found)


_LISTED = Listing(
    REQUIREMENTS, "Requirement", RequirementFilterArgument, _filtered, RequirementOrderArgument
)
requirements = _LISTED.at_root("requirements")
requirements_of_accounts = _LISTED.of_each("account.requirements", OF_ACCOUNT)
