"""What an account's user wrote about a requirement and nobody has answered yet.

A message is no evidence: it changes neither the requirement's state nor its due status, deadline or
clock, which follow from states only. It says that risk has to answer, and since when.
"""

import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint

from models.actor import ActorKind
from models.aggregate import Unit
from models.lifecycle import touch
from models.status import OPEN_STATES

if TYPE_CHECKING:
    from models.interaction import Interaction
    from models.requirement import Requirement


def unanswered_check() -> CheckConstraint:
    """What holds of the instant, for the requirement's table."""
    # What has ended waits for nobody.
    return CheckConstraint(
        "unanswered_since IS NULL "
        "OR state IN ('OPEN', 'ACTION_REQUIRED', 'SUBMITTED', 'IN_REVIEW')",
        name="unanswered_while_open",
    )


def note_message(unit: Unit, about: Collection[uuid.UUID]) -> None:
    """Note that the account's user has written about these requirements, within an open unit.

    The first that nobody has answered counts.
    """
    for requirement in unit.requirements:
        waits = requirement.state in OPEN_STATES and requirement.unanswered_since is None
        if waits and requirement.id in about:
            requirement.unanswered_since = unit.now
            touch(requirement, unit.now)


def note_answer(unit: Unit, row: "Interaction", about: Collection[uuid.UUID]) -> None:
    """Note that a contact about these requirements goes out now, within an open unit."""
    # What a mail server is given once more was an answer when it went out first.
    if row.author_kind != ActorKind.REVIEWER or row.attempts:
        return
    for requirement in unit.requirements:
        if requirement.id in about and _answers(unit, row, requirement):
            requirement.unanswered_since = None
            touch(requirement, unit.now)


def _answers(unit: Unit, row: "Interaction", requirement: "Requirement") -> bool:
    """Whether somebody sends it who knows the message, or has touched it since that came."""
    since = requirement.unanswered_since
    return since is not None and (unit.actor.kind is ActorKind.REVIEWER or row.updated_at >= since)
