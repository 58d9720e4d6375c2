"""What an actor may do with a requirement now, and why not otherwise."""

from datetime import datetime
from typing import Any

from models.actor import Actor, Role, same_caller
from models.appeal_rules import AppealPending, appeal_refusal
from models.deadlines import extension_refusal
from models.errors import ErrorCode
from models.permission import Permission, Refusal
from models.referral_rules import referral_refusal
from models.requirement import (
    ACTION_OF_OUTCOME,
    LIFECYCLE,
    ProposalPending,
    RequirementAction,
    role_refusal,
    waits_for_appeal,
)


def permissions(row: Any, actor: Actor, now: datetime) -> list[Permission]:
    """What the actor may do with the requirement at `now`, one entry per action, with refusals.

    `row` is a requirement or a record of its state, deadline, latest_deadline, appeal_deadline,
    appealed_at, referred_at, opened_by_kind and _id and, for staff, proposed_outcome.
    """
    return [
        Permission(action, tuple(_refusals(row, actor, action, now)))
        for action in RequirementAction
    ]


def _refusals(row: Any, actor: Actor, action: RequirementAction, now: datetime) -> list[Refusal]:
    found = []
    if action not in LIFECYCLE.actions_from(row.state):
        message = f"The requirement is {row.state}."
        found.append(Refusal(ErrorCode.ILLEGAL_TRANSITION, message))
    elif waits_for_appeal(row, action):
        pending = AppealPending()
        found.append(Refusal(pending.code, pending.message))
    elif action is RequirementAction.APPEAL and (late := appeal_refusal(row, now)) is not None:
        found.append(Refusal(late.code, late.message))
    elif (standing := referral_refusal(row, action)) is not None:
        found.append(Refusal(standing.code, standing.message))
    if (forbidden := role_refusal(actor, action)) is not None:
        found.append(forbidden)
    elif action is RequirementAction.CANCEL and is_another_teams(row, actor):
        message = "An integrator may cancel only what it opened itself."
        found.append(Refusal(ErrorCode.FORBIDDEN, message))
    if action is RequirementAction.EXTEND and (limit := extension_refusal(row, now)) is not None:
        found.append(limit)
    # What is proposed is not for account users to know: their role may not read it.
    if not actor.is_staff or action not in ACTION_OF_OUTCOME.values():
        return found
    if row.proposed_outcome is not None:
        proposed = ProposalPending(row.proposed_outcome)
        found.append(Refusal(proposed.code, proposed.message))
    return found


def is_another_teams(row: Any, actor: Actor) -> bool:
    """Whether the actor is an integrator and somebody else opened it: another's to cancel."""
    opened_it = same_caller(actor, row.opened_by_kind, row.opened_by_id)
    return actor.role is Role.INTEGRATOR and not opened_it
