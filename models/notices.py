"""Notices: what an account's user is told when something happens to a requirement of theirs.

The texts are the program's, else those of `notice_texts.py`. A notice is written and scheduled by
the operation that it tells of, in its transaction; the sending loop sends it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from models.actor import system
from models.aggregate import Unit
from models.appeal_rules import APPEAL_OVERTURNED
from models.base import stamp
from models.delivery import new_interaction, record_new, schedule_at
from models.events import EventType
from models.interaction import Interaction, InteractionChannel, InteractionPurpose
from models.notice_texts import (
    CUT,
    DEFAULTS,
    MAX_NOTICE_LENGTH,
    MAX_NOTICE_SUBJECT_LENGTH,
    NoticeKind,
    NoticeText,
)
from models.program import Program
from models.resolution import ResolutionOutcome, ResolutionState
from models.templates import render
from models.text import is_address, is_blank, one_line

if TYPE_CHECKING:
    from models.requirement import Requirement
    from models.resolution import Resolution

AUTHOR = "notices"
PURPOSES = {
    NoticeKind.REQUESTED: InteractionPurpose.REQUEST,
    NoticeKind.CHANGES_REQUESTED: InteractionPurpose.REQUEST,
    NoticeKind.EXTENDED: InteractionPurpose.NOTICE,
    NoticeKind.DECIDED: InteractionPurpose.DECISION,
}


def notify(
    unit: Unit,
    kind: NoticeKind,
    requirement: "Requirement",
    program: Program,
    decision: "Resolution | None" = None,
) -> Interaction:
    """Write a notice about a requirement and let it go out now, within an open unit.

    By e-mail where the account has an address, else in the dashboard.
    """
    text, values = text_of(program, kind), _values(unit, requirement, decision)
    subject = one_line(render(text.subject, values, MAX_NOTICE_SUBJECT_LENGTH))
    body = render(text.body, values, MAX_NOTICE_LENGTH, CUT)
    by_mail = unit.account.email is not None and is_address(unit.account.email)
    row = new_interaction(
        unit,
        [requirement.id],
        purpose=PURPOSES[kind].value,
        channel=(InteractionChannel.EMAIL if by_mail else InteractionChannel.DASHBOARD).value,
        # A template may come to nothing; a contact says something.
        subject=one_line(requirement.title) if is_blank(subject) else subject,
        body=requirement.title if is_blank(body) else body,
    )
    stamp(row, "author", system(unit.account.platform_id, AUTHOR))
    record_new(unit, row, EventType.INTERACTION_DRAFTED, [requirement.id])
    schedule_at(unit, row, unit.now)
    return row


def text_of(program: Program, kind: NoticeKind) -> NoticeText:
    """The program's templates of this kind, else the default ones."""
    for entry in program.notices:
        if entry["kind"] == kind:
            return NoticeText(**entry)
    return DEFAULTS[kind]


def _values(
    unit: Unit, requirement: "Requirement", decision: "Resolution | None"
) -> Mapping[str, Any]:
    """What the fields of `templates.FIELDS` are; all of them, so that none is undefined."""
    return {
        "account": {
            "businessName": unit.account.business_name,
            "externalId": unit.account.external_id,
        },
        "requirement": {
            "title": requirement.title,
            "description": requirement.description,
            "currentlyDueAt": _shown(requirement.currently_due_at),
            "deadline": _shown(requirement.deadline),
            "requestedReasons": _entries(requirement.requested_reasons),
            "errors": _entries(requirement.errors),
        },
        "decision": _decided(decision),
    }


def _decided(decision: "Resolution | None") -> dict[str, str]:
    """What was decided and why; of an appeal that has ended, what came of it."""
    if decision is None:
        return dict.fromkeys(("outcome", "reasonCode", "facts", "ground", "redress"), "")
    said = {"outcome": decision.outcome, "reasonCode": decision.reason_code}
    if decision.appeal_reasons is not None:
        if decision.state == ResolutionState.OVERTURNED:
            said = {"outcome": ResolutionOutcome.SATISFIED.value, "reasonCode": APPEAL_OVERTURNED}
            return {**said, "facts": decision.appeal_reasons, "ground": "", "redress": ""}
        # Nobody appeals twice: what the rejection said of redress is over.
        return {
            **said,
            "facts": decision.appeal_reasons,
            "ground": decision.ground or "",
            "redress": "",
        }
    return {
        **said,
        "facts": decision.facts or "",
        "ground": decision.ground or "",
        "redress": decision.redress or "",
    }


def _entries(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{name: row.get(name) or "" for name in ("code", "message", "remedy")} for row in rows]


def _shown(at: datetime | None) -> str:
    """An instant as people read it, the same in every locale."""
    if at is None:
        return ""
    in_utc = at.astimezone(UTC)
    return f"{in_utc.day} {_MONTHS[in_utc.month - 1]} {in_utc:%Y, %H:%M} UTC"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
