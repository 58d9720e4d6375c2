"""The demo's programs: one or more of every category, as integrating teams would publish them."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from models.demo.notices import notices_of
from models.program import CodeText, GroundKind, Publish
from models.status import CapabilityKind

ALL = tuple(kind.value for kind in CapabilityKind)
PAYMENTS = (CapabilityKind.CARD_PAYMENTS.value,)
PAYOUTS = (CapabilityKind.PAYOUTS.value,)
TRANSFERS = (CapabilityKind.TRANSFERS.value,)
DAY = {"type": "string", "format": "date"}
# Why the demo accepts and refuses, by program; it waives under all of them for one reason.
REASONS = {
    "identity.representative": ("identity_confirmed", "document_forged"),
    "business.registration": ("registration_confirmed", "business_dissolved"),
    "ownership.beneficial_owners": ("owners_confirmed", "owners_concealed"),
    "documents.proof_of_address": ("address_confirmed", "address_unreachable"),
    "bank_account.ownership": ("holder_confirmed", "holder_is_third_party"),
    "terms.acceptance": ("terms_accepted", "signatory_unknown"),
    "tax.identification": ("tax_id_confirmed", "tax_id_unknown"),
    "business_model.website": ("website_complete", "business_not_supported"),
    "supportability.appeal": ("product_supported", "product_prohibited"),
    "restricted_industry.licence": ("licence_valid", "licence_not_found"),
    "credit.financial_statements": ("exposure_acceptable", "exposure_too_high"),
    "credit.dispute_plan": ("plan_accepted", "plan_insufficient"),
    "sanctions.name_match": ("false_match", "true_match"),
}
WAIVING = "low_exposure"
MONEY = {"type": "integer", "minimum": 0, "description": "In the smallest unit of the currency"}


def programs() -> tuple[Publish, ...]:
    """What the demo publishes, in the order in which a business tends to meet it."""
    declared = (
        _identity(),
        _registration(),
        _owners(),
        _address(),
        _bank_account(),
        _terms(),
        _tax(),
        _website(),
        _product_appeal(),
        _licence(),
        _financials(),
        _disputes(),
        _sanctions(),
    )
    return tuple(replace(program, notices=notices_of(program.code)) for program in declared)


def example_payload(code: str, rng: Random, person: str, business: str) -> dict[str, Any]:
    """Evidence that the program's schema accepts, as somebody of the business would give it."""
    return _PAYLOADS[code](f"{rng.randrange(10**9):09}", person, business)


# Each makes a payload of nine random digits and the names of a person and a business.
_PAYLOADS: dict[str, Callable[[str, str, str], dict[str, Any]]] = {
    "identity.representative": lambda digits, person, business: {
        "full_name": person,
        "date_of_birth": _born(digits),
        "document_type": "passport" if digits < "5" else "identity_card",
    },
    "business.registration": lambda digits, person, business: {
        "registration_number": f"HR-{digits[:6]}"
    },
    "ownership.beneficial_owners": lambda digits, person, business: {
        "owners": [{"name": person, "share_percent": 26 + int(digits[:2]) % 75}]
    },
    "documents.proof_of_address": lambda digits, person, business: {
        "line1": f"{digits[:2]} Market Street"
    },
    "bank_account.ownership": lambda digits, person, business: {
        "account_holder": business,
        "last4": digits[:4],
    },
    "terms.acceptance": lambda digits, person, business: {
        "accepted": True,
        "accepted_on": "2026-01-01",
    },
    "tax.identification": lambda digits, person, business: {
        "tax_id": digits,
        "vat_registered": digits < "5",
    },
    "business_model.website": lambda digits, person, business: {
        "url": f"https://shop-{digits[:5]}.example/",
        "what_is_sold": f"{business} sells what it makes, in its shop and online.",
    },
    "supportability.appeal": lambda digits, person, business: {
        "explanation": "The product is sold to adults only, and contains nothing forbidden."
    },
    "restricted_industry.licence": lambda digits, person, business: {
        "industry": "alcohol",
        "licence_number": f"L-{digits}",
    },
    "credit.financial_statements": lambda digits, person, business: {
        "year": 2021 + int(digits[0]) % 5,
        "revenue": int(digits),
        "currency": "EUR",
    },
    "credit.dispute_plan": lambda digits, person, business: {
        "cause": "Parcels of one carrier arrived late.",
        "measures": ["Another carrier", "Refunds within two days"],
    },
    "sanctions.name_match": lambda digits, person, business: {
        "full_name": person,
        "date_of_birth": _born(digits),
        "place_of_birth": "Springfield",
    },
}


def _born(digits: str) -> str:
    return f"{1950 + int(digits[:2]) % 50}-{1 + int(digits[2:4]) % 12:02}-1{digits[4]}"


def _text(longest: int = 500, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest, **more}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


def _codes(**texts: str) -> tuple[CodeText, ...]:
    return tuple(CodeText(code, text) for code, text in texts.items())


def _reasons(**texts: str) -> tuple[CodeText, ...]:
    """A registry of reasons: the first is one to accept, the last to refuse; then one to waive."""
    return _codes(**texts, low_exposure="The exposure is too small to ask for this now")


def _identity() -> Publish:
    return Publish(
        code="identity.representative",
        name="Identity of the representative",
        owner="Identity team",
        category="IDENTITY",
        title="Verify the identity of your representative",
        description="Tell us who opened this account for the business, and send a photo of a "
        "passport, identity card or driving licence. We compare the name, the date of birth and "
        "the picture, and nobody else sees it.",
        evidence_schema=_object(
            ("full_name", "date_of_birth", "document_type"),
            full_name=_text(200),
            date_of_birth=DAY,
            document_type={"enum": ["passport", "identity_card", "driving_licence"]},
        ),
        proves=("identity",),
        due_after="P3D",
        deadline_after="P21D",
        notice_period="P7D",
        reminders=("P7D", "P2D"),
        restricts=(*PAYMENTS, *PAYOUTS),
        review_within="P2D",
        legal_ground="Anti-money-laundering law asks us to know who acts for a business "
        "(terms of service, section 4.2).",
        legal_ground_kind=GroundKind.LEGAL,
        reason_codes=_reasons(
            identity_confirmed="Document and details belong to the same person",
            identity_mismatch="Document and details belong to different people",
            document_forged="The document shows signs of forgery",
        ),
        error_codes=_codes(
            verification_document_expired="The document has expired",
            verification_document_not_readable="The document can't be read",
            verification_document_name_mismatch="The name is not the one on the document",
            verification_document_missing_back="The back of the document is missing",
        ),
    )


def _registration() -> Publish:
    return Publish(
        code="business.registration",
        name="Proof of registration",
        owner="Onboarding team",
        category="DOCUMENT",
        title="Send proof that your business is registered",
        description="An extract from the commercial register, a trade licence or a certificate "
        "of incorporation, no older than six months.",
        evidence_schema=_object((), registration_number=_text(50), registered_on=DAY),
        proves=("registration", "business_name"),
        due_after="P7D",
        deadline_after="P45D",
        notice_period="P10D",
        reminders=("P14D", "P5D"),
        restricts=PAYOUTS,
        review_within="P3D",
        legal_ground="We may serve registered businesses only (terms of service, section 2.1).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            registration_confirmed="The register confirms the business",
            not_registered="The register does not know the business",
            business_dissolved="The business was dissolved",
        ),
        error_codes=_codes(
            document_outdated="The document is older than six months",
            document_unreadable="The document can't be read",
            name_differs="The name is not the one of the account",
        ),
    )


def _owners() -> Publish:
    return Publish(
        code="ownership.beneficial_owners",
        name="Beneficial owners",
        owner="Identity team",
        category="OWNERSHIP",
        title="Tell us who owns your business",
        description="List everybody who holds 25 % or more of the business, directly or through "
        "another company. If nobody does, say so.",
        evidence_schema=_object(
            ("owners",),
            owners={
                "type": "array",
                "maxItems": 4,
                "items": {
                    "type": "object",
                    "required": ["name", "share_percent"],
                    "properties": {
                        "name": _text(200),
                        "share_percent": {"type": "integer", "minimum": 25, "maximum": 100},
                    },
                },
            },
        ),
        proves=("ownership",),
        due_after="P14D",
        deadline_after="P60D",
        notice_period="P14D",
        reminders=("P30D", "P14D", "P3D"),
        restricts=PAYOUTS,
        gates=TRANSFERS,
        review_within="P5D",
        legal_ground="The law asks us to know the beneficial owners of a company "
        "(terms of service, section 4.3).",
        legal_ground_kind=GroundKind.LEGAL,
        reason_codes=_reasons(
            owners_confirmed="The register confirms the owners",
            owners_concealed="An owner in the register was left out",
        ),
        error_codes=_codes(
            owner_missing="An owner in the register is missing here",
            shares_exceed_total="The shares come to more than 100 %",
        ),
    )


def _address() -> Publish:
    return Publish(
        code="documents.proof_of_address",
        name="Proof of address",
        owner="Onboarding team",
        category="DOCUMENT",
        title="Confirm the address of your business",
        description="A utility bill, a bank statement or a letter from an authority of the last "
        "three months, which shows the name and the address of the business.",
        evidence_schema=_object((), line1=_text(200), city=_text(100), postal_code=_text(20)),
        proves=("address",),
        deadline_after="P30D",
        notice_period="P7D",
        reminders=("P7D",),
        restricts=TRANSFERS,
        review_within="P3D",
        legal_ground="We must know where to reach a business (terms of service, section 4.4).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            address_confirmed="The document confirms the address",
            address_unreachable="Nobody can be reached at the address",
        ),
        error_codes=_codes(
            document_outdated="The document is older than three months",
            address_differs="The address is not the one of the account",
            document_unreadable="The document can't be read",
        ),
    )


def _bank_account() -> Publish:
    return Publish(
        code="bank_account.ownership",
        name="Ownership of the bank account",
        owner="Payouts team",
        category="BANK_ACCOUNT",
        title="Show that the bank account is yours",
        description="A payout to the account was returned, or its holder has another name. Send "
        "the first page of a statement, or give us another account.",
        evidence_schema=_object(
            ("account_holder", "last4"),
            account_holder=_text(200),
            last4={"type": "string", "pattern": "^[0-9A-Z]{4}$"},
            bank_name=_text(200),
        ),
        proves=("bank_account",),
        deadline_after="P10D",
        notice_period="P5D",
        reminders=("P3D",),
        restricts=PAYOUTS,
        gates=PAYOUTS,
        review_within="P1D",
        legal_ground="We pay out to the business alone (terms of service, section 6.1).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            holder_confirmed="The bank confirms the holder",
            holder_is_third_party="The account belongs to somebody else",
        ),
        error_codes=_codes(
            holder_differs="The holder is not the business",
            account_closed="The bank says that the account is closed",
        ),
    )


def _terms() -> Publish:
    return Publish(
        code="terms.acceptance",
        name="Acceptance of the terms",
        owner="Legal team",
        category="TERMS",
        title="Accept the new terms of service",
        description="Our terms change. Read what is new, and tell us that you accept.",
        evidence_schema=_object(
            ("accepted", "accepted_on"), accepted={"const": True}, accepted_on=DAY
        ),
        due_after="P1D",
        deadline_after="P60D",
        notice_period="P14D",
        reminders=("P30D", "P14D", "P7D", "P1D"),
        restricts=ALL,
        review_within="PT1H",
        legal_ground="Nobody can be served without terms in force (terms of service, section 1).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            terms_accepted="The terms were accepted",
            terms_declined="The terms were declined",
            signatory_unknown="Whoever accepted may not sign for the business",
        ),
        error_codes=_codes(accepted_too_early="The day of acceptance is before the terms were out"),
    )


def _tax() -> Publish:
    return Publish(
        code="tax.identification",
        name="Tax identification",
        owner="Tax team",
        category="OTHER",
        title="Give us your tax number",
        description="We report what sellers earn to the tax authority once a year, and need the "
        "number under which it knows your business.",
        evidence_schema=_object(("tax_id",), tax_id=_text(30), vat_registered={"type": "boolean"}),
        proves=("tax_id",),
        due_after="P30D",
        deadline_after="P90D",
        notice_period="P14D",
        reminders=("P60D", "P30D", "P7D"),
        restricts=PAYOUTS,
        review_within="P5D",
        legal_ground="Tax law asks platforms to report (terms of service, section 7.3).",
        legal_ground_kind=GroundKind.LEGAL,
        reason_codes=_reasons(
            tax_id_confirmed="The authority confirms the number",
            tax_id_unknown="The authority knows no number of this business",
        ),
        error_codes=_codes(tax_id_invalid="The authority does not know this number"),
    )


def _website() -> Publish:
    return Publish(
        code="business_model.website",
        name="Website review",
        owner="Supportability team",
        category="BUSINESS_MODEL",
        title="Show us what you sell",
        description="We could not see on your website what you sell, at what price, or how "
        "customers get their money back. Tell us where to look, or what you have changed.",
        evidence_schema=_object(
            ("url", "what_is_sold"),
            url={"type": "string", "format": "uri"},
            what_is_sold=_text(2_000),
            refund_policy_url={"type": "string", "format": "uri"},
        ),
        proves=("business_model",),
        due_after="P2D",
        deadline_after="P14D",
        notice_period="P4D",
        reminders=("P5D", "P1D"),
        restricts=PAYMENTS,
        review_within="P2D",
        legal_ground="We must know what is paid for (terms of service, section 3.1).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            website_complete="The website shows what customers must know",
            business_not_supported="What is sold can't be sold here",
        ),
        error_codes=_codes(
            invalid_url_website_inaccessible="The website can't be reached",
            invalid_url_website_incomplete="The website does not say what is sold",
            invalid_url_website_incomplete_refund_policy="There is no refund policy",
        ),
    )


def _product_appeal() -> Publish:
    return Publish(
        code="supportability.appeal",
        name="Appeal against a product decision",
        owner="Supportability team",
        category="SUPPORTABILITY_APPEAL",
        title="Tell us why this product may be sold",
        description="We think that a product of yours is on the list of what can't be sold here. "
        "If that is wrong, explain it. Somebody who did not take the decision reads it.",
        evidence_schema=_object(
            ("explanation",),
            explanation=_text(5_000),
            product_url={"type": "string", "format": "uri"},
        ),
        deadline_after="P21D",
        notice_period="P7D",
        reminders=("P7D",),
        restricts=PAYMENTS,
        four_eyes=True,
        review_within="P4D",
        legal_ground="Some products can't be sold here (list of restricted businesses).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            product_supported="The product may be sold",
            product_prohibited="The product is on the list",
            product_removed="The product is no longer sold",
        ),
        error_codes=_codes(product_unclear="It is not clear which product is meant"),
    )


def _licence() -> Publish:
    return Publish(
        code="restricted_industry.licence",
        name="Licence for a regulated industry",
        owner="Supportability team",
        category="RESTRICTED_INDUSTRY",
        title="Send the licence for what you sell",
        description="Alcohol, medicine, financial services and some others may be sold with a "
        "licence only. Send yours; it must name the business and the country.",
        evidence_schema=_object(
            ("industry", "licence_number"),
            industry={
                "enum": ["alcohol", "pharmacy", "financial_services", "gambling", "cannabis"]
            },
            licence_number=_text(100),
            valid_until=DAY,
        ),
        proves=("licence",),
        due_after="P3D",
        deadline_after="P28D",
        notice_period="P7D",
        reminders=("P14D", "P3D"),
        restricts=(*PAYMENTS, *PAYOUTS),
        four_eyes=True,
        review_within="P5D",
        legal_ground="Regulated goods take a licence (list of restricted businesses, part B).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            licence_valid="The authority confirms the licence",
            licence_revoked="The authority has revoked the licence",
            licence_not_found="The authority does not know the licence",
        ),
        error_codes=_codes(
            licence_expired="The licence has expired",
            licence_other_country="The licence is for another country",
        ),
    )


def _financials() -> Publish:
    return Publish(
        code="credit.financial_statements",
        name="Financial statements",
        owner="Credit team",
        category="CREDIT",
        title="Send your latest financial statements",
        description="You take payment long before you deliver. To go on without a reserve we "
        "look at your accounts of the last business year.",
        evidence_schema=_object(
            ("year", "revenue", "currency"),
            year={"type": "integer", "minimum": 2000, "maximum": 2100},
            revenue=MONEY,
            currency={"type": "string", "pattern": "^[A-Z]{3}$"},
        ),
        due_after="P10D",
        deadline_after="P40D",
        notice_period="P10D",
        reminders=("P20D", "P7D"),
        restricts=PAYOUTS,
        review_within="P7D",
        legal_ground="We may ask for security where refunds could exceed the balance "
        "(terms of service, section 8.2).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            exposure_acceptable="The exposure is acceptable",
            exposure_too_high="The exposure is too high",
        ),
        error_codes=_codes(statement_incomplete="Balance sheet or income statement is missing"),
    )


def _disputes() -> Publish:
    return Publish(
        code="credit.dispute_plan",
        name="Plan against disputes",
        owner="Credit team",
        category="CREDIT",
        title="Tell us how you will bring disputes down",
        description="More of your customers dispute payments than the card networks allow. "
        "Write down what you do about it, and by when.",
        evidence_schema=_object(
            ("cause", "measures"),
            cause=_text(2_000),
            measures={"type": "array", "minItems": 1, "maxItems": 10, "items": _text(500)},
        ),
        deadline_after="P14D",
        notice_period="P3D",
        reminders=("P3D",),
        restricts=PAYMENTS,
        review_within="P3D",
        legal_ground="Card networks limit disputes (terms of service, section 5.4).",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=_reasons(
            plan_accepted="The plan is likely to work",
            plan_insufficient="The plan does not address the cause",
        ),
        error_codes=_codes(dates_missing="The plan does not say by when"),
    )


def _sanctions() -> Publish:
    return Publish(
        code="sanctions.name_match",
        name="Name on a sanctions list",
        owner="Financial crime team",
        category="SANCTIONS",
        title="Help us to tell you from somebody else",
        description="A person of your business has the same name as somebody on a sanctions "
        "list. This is often a coincidence: tell us the date and the place of birth.",
        evidence_schema=_object(
            ("full_name", "date_of_birth", "place_of_birth"),
            full_name=_text(200),
            date_of_birth=DAY,
            place_of_birth=_text(200),
        ),
        due_after="PT12H",
        deadline_after="P5D",
        notice_period="P2D",
        reminders=("P2D", "P1D"),
        restricts=ALL,
        four_eyes=True,
        review_within="P1D",
        legal_ground="Nobody on a sanctions list may be paid (sanctions law; terms of service, "
        "section 4.1).",
        legal_ground_kind=GroundKind.LEGAL,
        reason_codes=_reasons(
            false_match="It is another person of the same name",
            true_match="It is the person on the list",
        ),
        error_codes=_codes(details_incomplete="Date or place of birth is missing"),
    )
