"""The texts of notices: which there are, what a program may say of them, and what else is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.errors import InvalidInput
from models.templates import check_template
from models.text import check_text

MAX_SUBJECT_TEMPLATE_LENGTH = 500
MAX_BODY_TEMPLATE_LENGTH = 5_000
# Filled in. The default texts have room in these for the longest values of all that they show
# (50 errors, each with a remedy; a title), so that none of a decision's reasons is ever cut.
MAX_NOTICE_SUBJECT_LENGTH = 300
MAX_NOTICE_LENGTH = 110_000
# How a program's own text ends where more comes of it.
CUT = "\n\nThis message was too long and ends here. Your dashboard shows all that it is about."


class NoticeKind(StrEnum):
    """What has happened to a requirement."""

    REQUESTED = "REQUESTED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    EXTENDED = "EXTENDED"
    DECIDED = "DECIDED"


@dataclass(frozen=True)
class NoticeText:
    """The templates of one kind of notice."""

    kind: str
    subject: str
    body: str


_UNTIL = "{% if requirement.deadline %}\n\nPlease send it by {{ requirement.deadline }}.{% endif %}"
DEFAULTS = {
    text.kind: text
    for text in (
        NoticeText(
            NoticeKind.REQUESTED,
            "{{ requirement.title }}",
            "{{ requirement.description }}" + _UNTIL,
        ),
        NoticeText(
            NoticeKind.CHANGES_REQUESTED,
            "{{ requirement.title }}: please send it again",
            "What you sent can't be used yet.\n{% for error in requirement.errors %}"
            "\n- {{ error.message }}{% if error.remedy %} {{ error.remedy }}{% endif %}"
            "{% endfor %}" + _UNTIL,
        ),
        NoticeText(
            NoticeKind.EXTENDED,
            "{{ requirement.title }}: you have more time",
            "The deadline has moved to {{ requirement.deadline }}.",
        ),
        NoticeText(
            NoticeKind.DECIDED,
            "{{ requirement.title }}: we have decided",
            '{% if decision.outcome == "REJECTED" %}What you sent was refused.'
            "{% if decision.facts %}\n\n{{ decision.facts }}{% endif %}"
            "{% if decision.ground %}\n\nGround: {{ decision.ground }}{% endif %}"
            "{% if decision.redress %}\n\n{{ decision.redress }}{% endif %}"
            '{% elif decision.outcome == "WAIVED" %}You need not send it any more.'
            "{% else %}Thank you. What you sent was accepted.{% endif %}",
        ),
    )
}


def check_notices(texts: Sequence[NoticeText], field: str) -> None:
    """Raise `InvalidInput` unless each kind stands there once, with templates that may run."""
    if len({text.kind for text in texts}) < len(texts):
        raise InvalidInput("A kind of notice stands here twice.", (field,))
    for index, text in enumerate(texts):
        where = (field, str(index))
        check_text(text.subject, MAX_SUBJECT_TEMPLATE_LENGTH, *where, "subject")
        check_text(text.body, MAX_BODY_TEMPLATE_LENGTH, *where, "body")
        check_template(text.subject, *where, "subject")
        check_template(text.body, *where, "body")
