"""Notices: what an account's user is told when something happens to their account.

Of a requirement, the texts are its program's, else those of `notice_texts.py`. A notice is written
and scheduled by the operation that it tells of, in its transaction; the sending loop sends it.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from models.actor import system
from models.aggregate import Unit
from models.appeal_rules import appeal_refusal
from models.base import stamp
from models.events import EventType
from models.interaction import Interaction, InteractionChannel, InteractionPurpose
from models.interaction_steps import new_interaction, record_new, schedule_at
from models.notice_texts import (
    CUT,
    DEFAULTS,
    HOUSE_TEXTS,
    MAX_NOTICE_LENGTH,
    MAX_NOTICE_SUBJECT_LENGTH,
    AccountNotice,
    NoticeKind,
    NoticeText,
    in_words,
)
from models.program import Program
from models.requirement import ALTERNATIVE_SATISFIED, Requirement
from models.resolution import ResolutionState
from models.status import AWAITING_ACCOUNT, Effects, RequirementState, rejection_is_over
from models.templates import render
from models.text import is_address, is_blank, one_line

if TYPE_CHECKING:
    from models.resolution import Resolution

# How the account's user is told of something that has happened to a requirement.
Tell = Callable[[Unit, NoticeKind, Requirement, Program], object]
AUTHOR = "notices"
# Of its alternatives, a letter names so many.
MAX_ALTERNATIVES = 10
OVERTAKEN = "Another of the things that we had asked you for is enough."
_P = InteractionPurpose
PURPOSES: Mapping[NoticeKind | AccountNotice, InteractionPurpose] = {
    NoticeKind.REQUESTED: _P.REQUEST,
    NoticeKind.REMINDER: _P.REMINDER,
    NoticeKind.CHANGES_REQUESTED: _P.REQUEST,
    NoticeKind.EXTENDED: _P.NOTICE,
    NoticeKind.RESTRICTED: _P.NOTICE,
    NoticeKind.DECIDED: _P.DECISION,
    NoticeKind.CANCELED: _P.NOTICE,
    NoticeKind.APPEAL_RECEIVED: _P.NOTICE,
    NoticeKind.APPEAL_DECIDED: _P.DECISION,
    AccountNotice.REJECTED: _P.DECISION,
    AccountNotice.REINSTATED: _P.DECISION,
    AccountNotice.HELD: _P.NOTICE,
    AccountNotice.RELEASED: _P.NOTICE,
}


def notify(
    unit: Unit,
    kind: NoticeKind,
    requirement: Requirement,
    program: Program,
    decision: "Resolution | None" = None,
) -> Interaction:
    """Write a notice about a requirement and let it go out now, within an open unit.

    By e-mail where the account has an address, else in the dashboard.
    """
    subject, body = words_of(unit, kind, requirement, program, decision)
    return _let_go(unit, PURPOSES[kind], [requirement.id], subject, body)


def notify_account(
    unit: Unit, kind: AccountNotice, words: str, kinds: Sequence[str], until: datetime | None = None
) -> Interaction:
    """Write a notice about the account itself and let it go out now, within an open unit.

    `words` are those of its operation for the user, `kinds` the capabilities that it is about.
    """
    subject, body = house_words(unit, kind, words, kinds, until)
    return _let_go(unit, PURPOSES[kind], [], subject, body)


def house_words(
    unit: Unit, kind: AccountNotice, words: str, kinds: Sequence[str], until: datetime | None = None
) -> tuple[str, str]:
    """The subject and the text of a notice about the account itself."""
    text = HOUSE_TEXTS[kind]
    values = {
        "account": _account(unit),
        "words": words,
        "capabilities": in_words(kinds),
        "until": _shown(until),
    }
    subject = one_line(render(text.subject, values, MAX_NOTICE_SUBJECT_LENGTH))
    return subject, render(text.body, values, MAX_NOTICE_LENGTH, CUT)


def words_of(
    unit: Unit,
    kind: NoticeKind,
    requirement: Requirement,
    program: Program,
    decision: "Resolution | None" = None,
) -> tuple[str, str]:
    """The subject and the text of a notice, in the program's words, else in the default ones."""
    text, values = text_of(program, kind), _values(unit, requirement, decision)
    subject = one_line(render(text.subject, values, MAX_NOTICE_SUBJECT_LENGTH))
    body = render(text.body, values, MAX_NOTICE_LENGTH, CUT)
    # A template may come to nothing; a contact says something.
    return (
        one_line(requirement.title) if is_blank(subject) else subject,
        requirement.title if is_blank(body) else body,
    )


def text_of(program: Program, kind: NoticeKind) -> NoticeText:
    """The program's templates of this kind, else the default ones."""
    for entry in program.notices:
        if entry["kind"] == kind:
            return NoticeText(**entry)
    return DEFAULTS[kind]


def _let_go(
    unit: Unit, purpose: InteractionPurpose, about: list[uuid.UUID], subject: str, body: str
) -> Interaction:
    by_mail = unit.account.email is not None and is_address(unit.account.email)
    row = new_interaction(
        unit,
        about,
        purpose=purpose.value,
        channel=(InteractionChannel.EMAIL if by_mail else InteractionChannel.DASHBOARD).value,
        subject=subject,
        body=body,
    )
    stamp(row, "author", system(unit.account.platform_id, AUTHOR))
    record_new(unit, row, EventType.INTERACTION_DRAFTED, about)
    schedule_at(unit, row, unit.now)
    return row


def _values(
    unit: Unit, requirement: Requirement, decision: "Resolution | None"
) -> Mapping[str, Any]:
    """What the fields of `templates.FIELDS` are; all of them, so that none is undefined."""
    return {
        "account": _account(unit),
        "requirement": {
            "title": requirement.title,
            "description": requirement.description,
            "currentlyDueAt": _shown(requirement.currently_due_at),
            "deadline": _shown(requirement.deadline),
            "appealDeadline": _shown(_appealable_until(unit, requirement)),
            "restricts": in_words(_touched(unit, requirement)),
            "gates": in_words([kind for kind in requirement.gates if kind in unit.requested]),
            "alternatives": _instead_of(unit, requirement),
            "requestedReasons": _entries(requirement.requested_reasons),
            "errors": _entries(requirement.errors),
        },
        "decision": _decided(decision),
        "restriction": _restriction(unit, requirement),
        "appeal": _appealed(decision),
        "cancellation": {"reason": _why_canceled(requirement)},
    }


def _account(unit: Unit) -> dict[str, str]:
    account = unit.account
    return {"businessName": account.business_name, "externalId": account.external_id}


def _decided(decision: "Resolution | None") -> dict[str, str]:
    """What was decided and why; of an appeal, what it objects to."""
    if decision is None:
        return dict.fromkeys(("outcome", "reasonCode", "facts", "ground", "redress"), "")
    return {
        "outcome": decision.outcome,
        "reasonCode": decision.reason_code,
        "facts": decision.facts or "",
        "ground": decision.ground or "",
        "redress": decision.redress or "",
    }


def _appealed(decision: "Resolution | None") -> dict[str, str]:
    """What came of the decision's appeal, and why; nothing while there is none, or it is open."""
    ended = (ResolutionState.UPHELD, ResolutionState.OVERTURNED)
    if decision is None or decision.state not in ended:
        return {"outcome": "", "reasons": ""}
    return {"outcome": decision.state, "reasons": decision.appeal_reasons or ""}


def _touched(unit: Unit, requirement: Requirement) -> list[str]:
    """What is asked for and the requirement restricts, by now or if nobody acts."""
    if rejection_is_over(requirement, unit.now):
        return []
    kinds = requirement.restricts
    if requirement.restricts_from is not None:
        kinds = [*kinds, *requirement.gates]
    return [kind for kind in kinds if kind in unit.requested]


def _instead_of(unit: Unit, requirement: Requirement) -> list[dict[str, str]]:
    """The titles of its group's other options, so far as they still wait for the account."""
    group, option = requirement.alternative_group, requirement.alternative_option
    others = [
        row
        for row in unit.requirements
        if group is not None and row.alternative_group == group and row is not requirement
    ]
    return [
        {"title": row.title}
        for row in others
        if row.state in AWAITING_ACCOUNT and (option is None or row.alternative_option != option)
    ][:MAX_ALTERNATIVES]


def _why_canceled(requirement: Requirement) -> str:
    """The reason in words; empty for what is not canceled."""
    if requirement.state != RequirementState.CANCELED:
        return ""
    overtaken = requirement.closed_reason == ALTERNATIVE_SATISFIED
    return OVERTAKEN if overtaken else requirement.closed_reason or ""


def _restriction(unit: Unit, requirement: Requirement) -> dict[str, str]:
    """Why it restricts by now, if it does; when a rejection is yet to begin to, and when to end."""
    begins = requirement.restricts_from
    ahead = begins is not None and begins > unit.now
    return {
        "reason": _reason(unit, requirement),
        "begins": _shown(begins if ahead else None),
        "ends": _shown(requirement.restricts_until),
    }


def _reason(unit: Unit, requirement: Requirement) -> str:
    """Why the requirement restricts by now; empty where it does not."""
    effects = Effects(unit.requirements, unit.now)
    if not any(requirement in effects.restricting(kind) for kind in unit.requested):
        return ""
    return "PAST_DUE" if requirement.restricts_from is None else "REJECTED"


def _appealable_until(unit: Unit, requirement: Requirement) -> datetime | None:
    rejected = requirement.state == RequirementState.REJECTED
    may = rejected and appeal_refusal(requirement, unit.now) is None
    return requirement.appeal_deadline if may else None


def _entries(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{name: row.get(name) or "" for name in ("code", "message", "remedy")} for row in rows]


def _shown(at: datetime | None) -> str:
    """An instant as people read it, the same in every locale; empty for none."""
    if at is None:
        return ""
    in_utc = at.astimezone(UTC)
    return f"{in_utc.day} {_MONTHS[in_utc.month - 1]} {in_utc:%Y, %H:%M} UTC"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
