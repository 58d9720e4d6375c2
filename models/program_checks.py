"""What the declaration of a program may be: its limits, and what is wrong with one."""

import re
from typing import TYPE_CHECKING

from models.durations import DAY, MINUTE, SECOND, check_duration, is_longer
from models.errors import InvalidInput
from models.evidence_schema import check_schema
from models.idempotency import MAX_KEY_LENGTH
from models.notice_texts import check_notices
from models.status import CapabilityKind
from models.text import check_optional_text, check_text
from models.working_time import check_region, check_time_zone, check_without_months

if TYPE_CHECKING:
    from models.program import Publish

MAX_CODE_LENGTH = 100
MAX_TITLE_LENGTH = 200
MAX_TEXT_LENGTH = 5_000
MAX_LIST_LENGTH = 100
_CODE = re.compile(r"[a-z0-9][a-z0-9_.:-]*")


def check_declaration(command: "Publish") -> None:
    """Raise `InvalidInput` for a text, duration, list, JSON Schema or notice that can't be."""
    check_text(command.code, MAX_CODE_LENGTH, "code")
    if not _CODE.fullmatch(command.code):
        raise InvalidInput("A code must be made of a-z, 0-9 and _ . : -", ("code",))
    check_text(command.name, MAX_TITLE_LENGTH, "name")
    check_text(command.owner, MAX_TITLE_LENGTH, "owner")
    check_text(command.title, MAX_TITLE_LENGTH, "title")
    check_text(command.description, MAX_TEXT_LENGTH, "description")
    check_optional_text(command.legal_ground, MAX_TEXT_LENGTH, "legalGround")
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    _check_durations(command)
    _check_lists(command)
    check_schema(command.evidence_schema)
    check_notices(command.notices, "notices")


def _check_durations(command: "Publish") -> None:
    for name, (value, least) in {
        "dueAfter": (command.due_after, SECOND),
        "deadlineAfter": (command.deadline_after, SECOND),
        "noticePeriod": (command.notice_period, SECOND),
        "maxExtension": (command.max_extension, SECOND),
        "reviewWithin": (command.review_within, MINUTE),
        # Time in which somebody has to read, and to write.
        "appealWithin": (command.appeal_within, DAY),
        "terminationNotice": (command.termination_notice, DAY),
    }.items():
        if value is not None:
            check_duration(value, name, least=least)
    due, deadline = command.due_after, command.deadline_after
    if due is not None and deadline is not None and is_longer(due, deadline):
        raise InvalidInput("What is due must come before its deadline.", ("dueAfter",))
    for index, value in enumerate(command.reminders):
        check_duration(value, "reminders", str(index), least=MINUTE)
    if command.business_calendar is not None:
        calendar, where = command.business_calendar, "businessCalendar"
        check_region(calendar.region, where, "region")
        check_time_zone(calendar.time_zone, where, "timeZone")
        if command.review_within is not None:
            check_without_months(command.review_within, "reviewWithin")


def _check_lists(command: "Publish") -> None:
    lists = {
        "proves": command.proves,
        "reminders": command.reminders,
        "restricts": command.restricts,
        "gates": command.gates,
        "reasonCodes": command.reason_codes,
        "errorCodes": command.error_codes,
    }
    for name, entries in lists.items():
        if len(entries) > MAX_LIST_LENGTH:
            raise InvalidInput(f"At most {MAX_LIST_LENGTH} entries.", (name,))
    for index, value in enumerate(command.proves):
        check_text(value, MAX_CODE_LENGTH, "proves", str(index))
    for kind in (*command.restricts, *command.gates):
        CapabilityKind(kind)
    for name, entries in (
        ("reasonCodes", command.reason_codes),
        ("errorCodes", command.error_codes),
    ):
        if len({entry.code for entry in entries}) < len(entries):
            raise InvalidInput("A code stands here twice.", (name,))
        for index, entry in enumerate(entries):
            check_text(entry.code, MAX_CODE_LENGTH, name, str(index), "code")
            check_text(entry.description, MAX_TEXT_LENGTH, name, str(index), "description")
