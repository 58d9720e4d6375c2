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
