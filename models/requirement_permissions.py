"""What an actor may do with a requirement now, and why not otherwise."""

from datetime import datetime
from typing import Any

from models.actor import Actor
from models.appeal_rules import AppealPending, appeal_refusal
from models.authorisation import operation_of, refusal, refusal_of
from models.deadlines import extension_refusal
from models.errors import ErrorCode
from models.permission import Permission, Refusal
from models.referral_rules import referral_refusal
from models.requirement import (
    ACTION_OF_OUTCOME,
    LIFECYCLE,
    ProposalPending,
    RequirementAction,
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
    operation = operation_of("requirement", action)
    forbidden = refusal(actor, operation) or refusal_of(actor, operation, row)
    if forbidden is not None:
        found.append(forbidden)
    if action is RequirementAction.EXTEND and (limit := extension_refusal(row, now)) is not None:
        found.append(limit)
    # What is proposed is not for account users to know: their role may not read it.
    if not actor.is_staff or action not in ACTION_OF_OUTCOME.values():
        return found
    if row.proposed_outcome is not None:
        proposed = ProposalPending(row.proposed_outcome)
        found.append(Refusal(proposed.code, proposed.message))
    return found
