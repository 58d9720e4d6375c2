"""The texts of notices: which there are, what a program may say of them, and what else is said.

What concerns the account itself is said in the words of the house: no program has a say in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.errors import InvalidInput
from models.status import CapabilityKind, HoldReason
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
    REMINDER = "REMINDER"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    EXTENDED = "EXTENDED"
    RESTRICTED = "RESTRICTED"
    DECIDED = "DECIDED"
    CANCELED = "CANCELED"
    APPEAL_RECEIVED = "APPEAL_RECEIVED"
    APPEAL_DECIDED = "APPEAL_DECIDED"


class AccountNotice(StrEnum):
    """What has happened to the account itself."""

    REJECTED = "REJECTED"
    REINSTATED = "REINSTATED"
    HELD = "HELD"
    RELEASED = "RELEASED"


@dataclass(frozen=True)
class NoticeText:
    """The templates of one kind of notice."""

    kind: str
    subject: str
    body: str


# Of which nouns of a template a kind of notice has something to say.
_ALWAYS = frozenset({"account", "requirement"})
_OF_DECISIONS = _ALWAYS | {"decision", "restriction"}
KNOWN: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(NoticeKind, _ALWAYS),
    NoticeKind.RESTRICTED: _ALWAYS | {"restriction"},
    NoticeKind.DECIDED: _OF_DECISIONS,
    NoticeKind.CANCELED: _ALWAYS | {"cancellation"},
    NoticeKind.APPEAL_RECEIVED: _OF_DECISIONS,
    NoticeKind.APPEAL_DECIDED: _OF_DECISIONS | {"appeal"},
}
_UNTIL = "{% if requirement.deadline %}\n\nPlease send it by {{ requirement.deadline }}.{% endif %}"
_WRONG = (
    "{% for error in requirement.errors %}"
    "\n- {{ error.message }}{% if error.remedy %} {{ error.remedy }}{% endif %}{% endfor %}"
)
_WHY = (
    "{% if requirement.requestedReasons %}\n\nWhy we ask:\n"
    "{% for reason in requirement.requestedReasons %}\n- {{ reason.message }}{% endfor %}"
    "{% endif %}"
)
_INSTEAD = (
    "{% if requirement.alternatives %}\n\nOne of these is enough. Instead of this you may send:\n"
    "{% for other in requirement.alternatives %}\n- {{ other.title }}{% endfor %}{% endif %}"
)
_OTHERWISE = (
    "{% if requirement.deadline and requirement.restricts %} After that, "
    "{{ requirement.restricts }} will be restricted for your account.{% endif %}"
)
_WAITING = (
    "{% if requirement.gates %}\n\nUntil we have accepted it, {{ requirement.gates }} can't begin."
    "{% endif %}"
)
_RESTRICTS = (
    "{% if requirement.restricts %}\n\nFrom {% if restriction.begins %}{{ restriction.begins }}"
    "{% else %}now{% endif %} on, {{ requirement.restricts }} are restricted for your account"
    "{% if restriction.ends %}, until {{ restriction.ends }}{% endif %}.{% endif %}"
)
_APPEAL_BY = (
    "{% if requirement.appealDeadline %}\n\nYou may appeal until {{ requirement.appealDeadline }}."
    "{% endif %}"
)
DEFAULTS = {
    text.kind: text
    for text in (
        NoticeText(
            NoticeKind.REQUESTED,
            "{{ requirement.title }}",
            "{{ requirement.description }}" + _WHY + _INSTEAD + _UNTIL + _OTHERWISE + _WAITING,
        ),
        NoticeText(
            NoticeKind.CHANGES_REQUESTED,
            "{{ requirement.title }}: please send it again",
            "What you sent can't be used yet.\n" + _WRONG + _UNTIL + _OTHERWISE,
        ),
        NoticeText(
            NoticeKind.REMINDER,
            "{{ requirement.title }}: please remember",
            "We still wait for this from you.\n\n{{ requirement.description }}"
            "{% if requirement.errors %}\n\nWhat you sent before can't be used:\n"
            + _WRONG
            + "{% endif %}"
            + _INSTEAD
            + _UNTIL
            + _OTHERWISE
            + _WAITING,
        ),
        NoticeText(
            NoticeKind.EXTENDED,
            "{{ requirement.title }}: you have more time",
            "The deadline has moved to {{ requirement.deadline }}.",
        ),
        NoticeText(
            NoticeKind.RESTRICTED,
            "{{ requirement.title }}: restricted from now on",
            "From now on, {{ requirement.restricts }} are restricted for your account"
            '{% if restriction.reason == "REJECTED" %}, since what you sent was refused.'
            + _APPEAL_BY
            + "{% else %}, since what we have asked for is not here, and its deadline "
            "({{ requirement.deadline }}) has passed.\n\n{{ requirement.description }}"
            "{% if requirement.errors %}\n\nWhat you sent before can't be used:\n"
            + _WRONG
            + "{% endif %}\n\nSend it now: this restriction ends as soon as it has arrived."
            "{% endif %}",
        ),
        NoticeText(
            NoticeKind.DECIDED,
            '{{ requirement.title }}: {% if decision.outcome == "REJECTED" %}refused'
            '{% elif decision.outcome == "WAIVED" %}no longer needed{% else %}accepted{% endif %}',
            '{% if decision.outcome == "REJECTED" %}What you sent was refused.'
            "{% if decision.facts %}\n\n{{ decision.facts }}{% endif %}"
            "{% if decision.ground %}\n\nWhat this rests on: {{ decision.ground }}{% endif %}"
            + _RESTRICTS
            + "{% if decision.redress %}\n\n{{ decision.redress }}{% endif %}"
            + _APPEAL_BY
            + '{% elif decision.outcome == "WAIVED" %}You need not send it any more.'
            "{% else %}Thank you. What you sent was accepted.{% endif %}",
        ),
        NoticeText(
            NoticeKind.CANCELED,
            "{{ requirement.title }}: no longer needed",
            "You need not send this any more."
            "{% if cancellation.reason %}\n\n{{ cancellation.reason }}{% endif %}",
        ),
        NoticeText(
            NoticeKind.APPEAL_RECEIVED,
            "{{ requirement.title }}: we have your appeal",
            "We have received your appeal. Somebody who took no part in the decision will look at "
            "it again, decide, and tell you why. Until then the decision stands.",
        ),
        NoticeText(
            NoticeKind.APPEAL_DECIDED,
            '{{ requirement.title }}: {% if appeal.outcome == "OVERTURNED" %}your appeal has '
            "changed the decision{% else %}the decision stands{% endif %}",
            '{% if appeal.outcome == "OVERTURNED" %}Your appeal has changed the decision: what you '
            "sent is accepted after all, and you need not do anything more."
            "{% if requirement.restricts %} It no longer restricts {{ requirement.restricts }}."
            "{% endif %}"
            "{% else %}We have looked at it again, and the decision stands.{% endif %}"
            "\n\n{{ appeal.reasons }}",
        ),
    )
}
# The words of the house. Beside the account they have what its operation says.
HOUSE_TEXTS = {
    text.kind: text
    for text in (
        NoticeText(
            AccountNotice.REJECTED,
            "We can no longer work with {{ account.businessName }}",
            "We have ended our relation with your business."
            "{% if capabilities %} From now on, {{ capabilities }} are not possible any more."
            "{% endif %}\n\n{{ words }}\n\nIf you think that this is wrong, "
            "write to us and say why: we will look at it again.",
        ),
        NoticeText(
            AccountNotice.REINSTATED,
            "Your account is open again: {{ account.businessName }}",
            "We have opened your account again.\n\n{{ words }}\n\nWhat we had asked you for is "
            "still asked for.",
        ),
        NoticeText(
            AccountNotice.HELD,
            "Restricted for now: {{ capabilities }}",
            "For now, {{ capabilities }} are restricted for your account"
            "{% if until %}, until {{ until }}{% endif %}.{% if words %} {{ words }}{% endif %}"
            "\n\nIf you have questions, or think that this is wrong, write to us.",
        ),
        NoticeText(
            AccountNotice.RELEASED,
            "No longer held back: {{ capabilities }}",
            "We held back {{ capabilities }} for your account. This has ended.",
        ),
    )
}
# Of the other reasons nothing is said: whether somebody is on a list is not for a letter.
_WORDS_OF_HOLDS = {
    HoldReason.PLATFORM_PAUSED: "We have paused your account.",
    HoldReason.UNDER_REVIEW: "We are reviewing your account.",
}
_WORDS = {
    CapabilityKind.CARD_PAYMENTS: "card payments",
    CapabilityKind.PAYOUTS: "payouts",
    CapabilityKind.TRANSFERS: "transfers",
}


def words_of_hold(reason: str) -> str:
    """What the account's user is told of why a hold was placed, if anything."""
    return _WORDS_OF_HOLDS.get(HoldReason(reason), "")


def in_words(kinds: Collection[str]) -> str:
    """Capabilities as people say it, in a fixed order: card payments, payouts and transfers."""
    *others, last = [words for kind, words in _WORDS.items() if kind in kinds] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def check_notices(texts: Sequence[NoticeText], field: str) -> None:
    """Raise `InvalidInput` unless each kind stands there once, with templates that may run."""
    if len({text.kind for text in texts}) < len(texts):
        raise InvalidInput("A kind of notice stands here twice.", (field,))
    for index, text in enumerate(texts):
        where = (field, str(index))
        check_text(text.subject, MAX_SUBJECT_TEMPLATE_LENGTH, *where, "subject")
        check_text(text.body, MAX_BODY_TEMPLATE_LENGTH, *where, "body")
        check_template(text.subject, KNOWN[text.kind], *where, "subject")
        check_template(text.body, KNOWN[text.kind], *where, "body")
