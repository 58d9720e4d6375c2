"""What the demo's programs tell businesses, in words that a business owner understands.

As in the default texts nobody is greeted: all letters of an account are in one manner.
"""

from models.notice_texts import NoticeKind, NoticeText

# What takes people longest to find, by program.
_HINTS = {
    "identity.representative": "A photo taken with a phone is enough, if all four corners show.",
    "business.registration": "Most registers let you download an extract within minutes.",
    "ownership.beneficial_owners": "If nobody holds 25 % or more, tell us that.",
    "documents.proof_of_address": "A bill as a PDF is fine; a screenshot is not.",
    "bank_account.ownership": "The first page of a statement shows all that we need.",
    "terms.acceptance": "It takes a minute: what is new is marked.",
    "tax.identification": "You find it on letters of the tax authority.",
    "business_model.website": "If your website is not ready yet, tell us what you will sell.",
    "supportability.appeal": "Tell us who buys the product, and what is in it.",
    "restricted_industry.licence": "If you have applied for it, send the receipt.",
    "credit.financial_statements": "What you have sent to the tax authority will do.",
    "credit.dispute_plan": "Three sentences are enough, if they say what changes and when.",
    "sanctions.name_match": "Most such matches are a coincidence, and are over within a day.",
}
_REACHED_OUT = (
    "{% if requirement.restricts %} From then on, {{ requirement.restricts }} would stop until we "
    "have it.{% endif %}"
)


def notices_of(code: str) -> tuple[NoticeText, ...]:
    """The texts of one program, by its code."""
    hint = _HINTS[code]
    return (
        NoticeText(
            NoticeKind.REMINDER,
            "Still to do: {{ requirement.title }}",
            "This is still open, and due by {{ requirement.deadline }}."
            f"{_REACHED_OUT}\n\n{{{{ requirement.description }}}}"
            f"\n\n{hint} If something keeps you from it, answer this message.",
        ),
        NoticeText(
            NoticeKind.RESTRICTED,
            "{{ requirement.restricts | capitalize }}: stopped for now",
            "{{ requirement.restricts | capitalize }} have stopped: "
            '{% if restriction.reason == "REJECTED" %}we could not accept what you sent: '
            '"{{ requirement.title }}".{% if requirement.appealDeadline %} You may object until '
            "{{ requirement.appealDeadline }}.{% endif %}"
            '{% else %}"{{ requirement.title }}" was due by {{ requirement.deadline }} and is not '
            f"here yet.\n\nSend it now, and we lift this at once. {hint}"
            "{% endif %}",
        ),
        NoticeText(
            NoticeKind.APPEAL_RECEIVED,
            "We have your objection: {{ requirement.title }}",
            "Thank you for telling us why you disagree. A colleague who has not seen this before "
            "looks at it now, and you will hear from us either way. Until then nothing changes.",
        ),
        NoticeText(
            NoticeKind.APPEAL_DECIDED,
            "Our answer to your objection: {{ requirement.title }}",
            '{% if appeal.outcome == "OVERTURNED" %}You were right, and this is settled: there is '
            "nothing left for you to do.{% else %}We have looked at it once more, and have to stay "
            "with our decision.{% endif %}\n\n{{ appeal.reasons }}",
        ),
    )
