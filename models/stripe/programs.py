"""The programs that Stripe's requirements live under: which one a field belongs to, and its title.

Their registries of error and reason codes are open: Stripe adds codes when it likes.
"""

import re
from typing import Any

from models.program import GroundKind, Publish
from models.status import CapabilityKind

OWNER = "stripe-import"
EVIDENCE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "value": {
            "description": "What was asked for. Documents alone will do as well.",
            "type": ["string", "number", "boolean", "object"],
            "minLength": 1,
            "minProperties": 1,
        }
    },
    "additionalProperties": False,
}
# Code, category, title, description.
PROGRAMS = (
    (
        "stripe.identity",
        "IDENTITY",
        "Confirm who you are",
        "We must know the business and the people who act for it before it may be paid.",
    ),
    (
        "stripe.ownership",
        "OWNERSHIP",
        "Tell us who owns and runs your business",
        "We must know the owners, directors and executives of a business.",
    ),
    (
        "stripe.business_model",
        "BUSINESS_MODEL",
        "Tell us about your business",
        "We must know what a business sells and how its customers reach it.",
    ),
    (
        "stripe.bank_account",
        "BANK_ACCOUNT",
        "Add an account for payouts",
        "Without a bank account or debit card we can't pay out what you earn.",
    ),
    (
        "stripe.terms",
        "TERMS",
        "Accept the terms of service",
        "A business can be served only under terms that it has accepted.",
    ),
    (
        "stripe.document",
        "DOCUMENT",
        "Send a document",
        "A document lets us check what you told us about the business.",
    ),
    (
        "stripe.restricted_industry",
        "RESTRICTED_INDUSTRY",
        "Show that you may sell this",
        "Some goods and services may be sold under conditions only.",
    ),
    (
        "stripe.supportability_appeal",
        "SUPPORTABILITY_APPEAL",
        "Appeal against a decision about your business",
        "If you think that the decision about your business is wrong, tell us why.",
    ),
    (
        "stripe.credit",
        "CREDIT",
        "Answer questions about your finances",
        "We must know whether refunds and disputes could exceed what the business can pay.",
    ),
    (
        "stripe.sanctions",
        "SANCTIONS",
        "Help us to tell you from somebody else",
        "A name of your business resembles one on a sanctions list.",
    ),
    (
        "stripe.other",
        "OTHER",
        "Provide what is missing",
        "We need this to keep your account open.",
    ),
)
# The first that matches a field says which program it belongs to.
_PROGRAM_OF_FIELD = tuple(
    (re.compile(pattern), f"stripe.{name}")
    for pattern, name in (
        (r"interv_[^.]*\.[^.]*identity", "identity"),
        (r"interv_[^.]*\.[^.]*(rejection|appeal)", "supportability_appeal"),
        (r"interv_[^.]*\.[^.]*(restricted|industry)", "restricted_industry"),
        (r"interv_[^.]*\.[^.]*(business_model|website|url)", "business_model"),
        (r"interv_[^.]*\.[^.]*(credit|financial|reserve)", "credit"),
        (r"interv_[^.]*\.[^.]*sanction", "sanctions"),
        (r"interv_[^.]*\.[^.]*(owner|director)", "ownership"),
        (r"interv_[^.]*\.[^.]*document", "document"),
        (r"interv_", "other"),
        (r"external_account|bank_account", "bank_account"),
        (r"tos_acceptance|([^.]*\.)?[a-z_]*terms_of_service", "terms"),
        (r"business_profile|business_type", "business_model"),
        (r"(owners|directors|executives|authorizers)(\.|$)", "ownership"),
        (r"company\.(owners|directors|executives|ownership)", "ownership"),
        (r"relationship\.(owner|director|executive)", "ownership"),
        (r"documents\.|company\.verification\.document", "document"),
        (r"individual|representative|person_|company|relationship\.representative", "identity"),
    )
)
_TITLES = {
    "business_profile.mcc": "Industry of your business",
    "business_profile.name": "Name of your business",
    "business_profile.product_description": "Description of what you sell",
    "business_profile.support_address": "Address for your customers",
    "business_profile.support_email": "Support email address",
    "business_profile.support_phone": "Support phone number",
    "business_profile.support_url": "Support website",
    "business_profile.url": "Business website",
    "business_type": "Type of your business",
    "external_account": "Bank account or debit card for payouts",
    "tos_acceptance.date": "Acceptance of the terms of service: date",
    "tos_acceptance.ip": "Acceptance of the terms of service: IP address",
    "company.owners_provided": "Confirmation that all owners are listed",
    "company.directors_provided": "Confirmation that all directors are listed",
    "company.executives_provided": "Confirmation that all executives are listed",
}
_RISK_TITLES = {
    "business_model_verification": "Questions about your business model",
    "identity_verification": "Verification of your identity",
    "credit_review": "Review of your finances",
    "supportability_rejection_appeal": "Appeal: your business can't be supported",
    "rejection_appeal": "Appeal against the rejection of your account",
}
_WORDS = {
    "dob": "date of birth",
    "id number": "ID number",
    "ssn last 4": "last four digits of the social security number",
    "tax id": "tax ID",
    "vat id": "VAT ID",
    "mcc": "industry",
    "ip": "IP address",
    "url": "website",
    "phone": "phone number",
    "email": "email address",
    "line1": "street and number",
    "verification document": "identity document",
    "verification additional document": "second document",
}
_PARTIES = {
    "individual": "You",
    "representative": "Representative",
    "company": "Company",
    "owners": "Owner",
    "directors": "Director",
    "executives": "Executive",
    "documents": "Document",
}
_PERSON = re.compile(r"(person_\w+)\.(.+)")
_RISK = re.compile(r"interv_[^.]*\.([^.]+)")


def programs() -> tuple[Publish, ...]:
    """What the import publishes, where a platform does not have it."""
    return tuple(
        Publish(
            code=code,
            name=f"Stripe: {title}",
            owner=OWNER,
            category=category,
            title=title,
            description=description,
            evidence_schema=EVIDENCE,
            notice_period="P7D",
            reminders=("P7D", "P1D"),
            restricts=tuple(kind.value for kind in CapabilityKind),
            # The deadlines are Stripe's, and it waits for nobody.
            pauses_deadline=False,
            review_within="P3D",
            legal_ground="Stripe asks platforms for this before it pays (Connect agreement).",
            legal_ground_kind=GroundKind.CONTRACTUAL,
        )
        for code, category, title, description in PROGRAMS
    )


def program_of(field: str) -> str:
    """The code of the program that a requirement on this field lives under."""
    matching = (code for pattern, code in _PROGRAM_OF_FIELD if pattern.match(field))
    return next(matching, "stripe.other")


def title_of(field: str) -> str:
    """What an account's user calls the field."""
    if field in _TITLES:
        return _TITLES[field]
    if (risk := _RISK.match(field)) is not None:
        return _RISK_TITLES.get(risk[1], _capital(risk[1].replace("_", " ")))
    if (person := _PERSON.fullmatch(field)) is not None:
        return f"{person[1]}: {_words(person[2])}"
    party, _, rest = field.partition(".")
    if party in _PARTIES and rest:
        return f"{_PARTIES[party]}: {_words(rest)}"
    return f"Provide: {field}"


def _words(path: str) -> str:
    text = path.replace(".", " ").replace("_", " ")
    if text in _WORDS:
        return _WORDS[text]
    first, _, rest = text.partition(" ")
    if rest and first in ("address", "dob"):
        return f"{_WORDS.get(first, first)} ({_WORDS.get(rest, rest)})"
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
