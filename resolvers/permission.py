"""What the viewer may do with an object, and why not otherwise: dashboards draw buttons from it."""

from typing import Generic, TypeVar

import strawberry

from models.account import AccountAction
from models.errors import ErrorCode
from models.hold import HoldAction
from models.interaction import InteractionAction
from models.program import ProgramAction
from models.requirement import RequirementAction
from models.resolution import ResolutionAction
from resolvers.enums import describe

describe(
    AccountAction,
    "What may be done with an account.",
    {
        "UPDATE": "Change what is known of it.",
        "PLACE_HOLD": "Restrict capabilities of it.",
        "OPEN_REQUIREMENT": "Ask something of it.",
        "REJECT": "End the relation with it.",
        "REINSTATE": "Take it back.",
    },
)
describe(HoldAction, "What may be done with a hold.", {"RELEASE": "End it."})
describe(
    InteractionAction,
    "What may be done with a contact.",
    {
        "UPDATE": (
            "Change what it says, or when it goes out; of what has gone out before, only the "
            "latter."
        ),
        "SCHEDULE": "Let it go out at an instant.",
        "SEND": "Let it go out at once, or report that it went out.",
        "REPORT_DELIVERED": "Report that it arrived.",
        "REPORT_VIEWED": "Report that it was read.",
        "REPORT_RESPONDED": "Report that it was answered.",
        "REPORT_FAILED": "Report that it could not be sent.",
        "CANCEL": "Don't let it go out.",
    },
)
describe(
    ProgramAction,
    "What may be done with a program.",
    {"RETIRE": "Open nothing new under it."},
)
describe(
    RequirementAction,
    "What may be done with a requirement.",
    {
        "SUBMIT": "Hand in evidence.",
        "START_REVIEW": "Take it into review.",
        "APPROVE": "Accept the evidence, or propose to.",
        "REQUEST_CHANGES": "Send it back with what is wrong.",
        "REJECT": "Refuse the evidence, or propose to.",
        "APPEAL": "Object to the rejection.",
        "WAIVE": "Propose to do without.",
        "CANCEL": "End it without a decision.",
        "EXTEND": "Give it a later deadline.",
        "ASSIGN": "Hand it to a reviewer.",
        "PRIORITIZE": "Say how soon risk should look at it.",
        "REFER": "Say that somebody else is waited for.",
        "RECALL": "Say that nobody else is waited for any more.",
        "REOPEN": "Ask again.",
    },
)
describe(
    ResolutionAction,
    "What may be done with a decision.",
    {
        "APPROVE": "Make somebody else's proposal final.",
        "DECLINE": "Turn it down.",
        "UPHOLD": "Let it stand, though the account objects to it.",
        "OVERTURN": "Reverse it, since the account objects to it.",
    },
)


@strawberry.type(description="Why an action would be refused.")
class Refusal:
    """One reason."""

    code: ErrorCode = strawberry.field(
        description="The code of the error that the action would raise."
    )
    message: str = strawberry.field(description="The reason, in words for a person.")


Action = TypeVar("Action")


@strawberry.type(description="Whether an action would be taken now.")
class ActionPermission(Generic[Action]):
    """One action on an object; each kind of object has a type of its own."""

    action: Action = strawberry.field(description="What would be done.")
    allowed: bool = strawberry.field(description="Whether nothing refuses it.")
    refusals: list[Refusal] = strawberry.field(description="What refuses it.")


@strawberry.type(description="Whether an action on an account would be taken now.")
class AccountActionPermission(ActionPermission[AccountAction]):
    """One action on an account."""


@strawberry.type(description="Whether an action on a hold would be taken now.")
class HoldActionPermission(ActionPermission[HoldAction]):
    """One action on a hold."""


@strawberry.type(description="Whether an action on a program would be taken now.")
class ProgramActionPermission(ActionPermission[ProgramAction]):
    """One action on a program version."""


@strawberry.type(description="Whether an action on a requirement would be taken now.")
class RequirementActionPermission(ActionPermission[RequirementAction]):
    """One action on a requirement."""


@strawberry.type(description="Whether an action on a resolution would be taken now.")
class ResolutionActionPermission(ActionPermission[ResolutionAction]):
    """One action on a resolution."""


@strawberry.type(description="Whether an action on an interaction would be taken now.")
class InteractionActionPermission(ActionPermission[InteractionAction]):
    """One action on an interaction."""
