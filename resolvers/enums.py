"""The enums of the domain, with a sentence for each value; those of actions: `permission.py`."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import strawberry

from models.account_rejection import RejectionReason
from models.actor import ActorKind, Role
from models.aggregate import RiskTier
from models.errors import ErrorCode
from models.events import EventType
from models.fair_clock import Party
from models.interaction import (
    DashboardOnly,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionState,
)
from models.interaction_steps import Report
from models.notice_texts import NoticeKind
from models.program import GroundKind, ProgramState, RequirementCategory
from models.requirement import Priority
from models.resolution import ResolutionOutcome, ResolutionState
from models.review_target import ReviewTargetStatus
from models.statement import AutomatedDecision, InformationSource
from models.status import (
    AccountStatus,
    AwaitingActionFrom,
    CapabilityKind,
    CapabilityStatus,
    DueStatus,
    HoldReason,
    RequirementState,
)

E = TypeVar("E", bound=type[Enum])


def describe(enum: E, description: str, values: Mapping[str, str], name: str | None = None) -> E:
    """Make `enum` one of the schema's; `values` says of each value what it means."""
    described = strawberry.enum(enum, name=name, description=description)
    for value in described.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]
    return described


describe(
    AccountStatus,
    "The account as a whole.",
    {
        "ENABLED": "Nothing restricts it, or is about to; capabilities may still be PENDING.",
        "RESTRICTED_SOON": "A deadline that restricts lies within its notice period (from the "
        "requirement's `noticeAt`), or a rejection is to take effect; `restrictsNext` of the "
        "capabilities says what comes first.",
        "RESTRICTED": "At least one requested capability is restricted.",
        "UNDER_REVIEW": "The platform is looking at it.",
        "REJECTED": "The platform has ended the relation.",
    },
)
describe(
    CapabilityKind,
    "What an account may do.",
    {
        "CARD_PAYMENTS": "Take card payments.",
        "PAYOUTS": "Have its balance paid out.",
        "TRANSFERS": "Receive transfers from the platform.",
    },
)
describe(
    CapabilityStatus,
    "Whether an account may do it now.",
    {
        "ACTIVE": "It may.",
        "PENDING": "It may once the requirements that gate it, `gatedBy`, are satisfied.",
        "RESTRICTED": "It may not; `disabledReason` and `restrictedBy` say why, or the account's "
        "`rejection`.",
        "INACTIVE": "It was not asked for.",
    },
)
describe(
    RiskTier,
    "How closely an account is watched.",
    {"LOW": "As usual.", "MEDIUM": "More closely.", "HIGH": "Most closely."},
)
describe(
    HoldReason,
    "Why a hold was placed.",
    {
        "PLATFORM_PAUSED": "The platform has paused the account.",
        "UNDER_REVIEW": "The platform is looking into something.",
        "LISTED": "The account may be on a list of prohibited persons or companies.",
        "OTHER": "Another reason.",
    },
)
describe(
    RequirementState,
    "Where a requirement stands.",
    {
        "OPEN": "The account has been asked.",
        "ACTION_REQUIRED": "What was submitted was not enough: the account has to act again.",
        "SUBMITTED": "The account has submitted evidence.",
        "IN_REVIEW": "A reviewer is looking at it, for the first time or because of an appeal.",
        "SATISFIED": "The evidence was accepted.",
        "REJECTED": "The evidence was refused; an appeal may reverse that.",
        "WAIVED": "The platform does without.",
        "CANCELED": "It is no longer asked for.",
    },
)
describe(
    DueStatus,
    "How a requirement stands to the clock.",
    {
        "EVENTUALLY_DUE": "It is not due yet.",
        "CURRENTLY_DUE": "It is due now.",
        "PAST_DUE": "Its deadline has passed.",
        "PENDING_VERIFICATION": "It was submitted and waits for the platform.",
        "NONE": "It has ended.",
    },
)
describe(
    AwaitingActionFrom,
    "Who has to move next.",
    {
        "ACCOUNT": "The account's user.",
        "RISK": "The platform's risk team, also where that waits for a third party.",
    },
)
describe(
    Party,
    "Who holds a requirement, so that time passes on their side.",
    {
        "ACCOUNT": "The account's user has to act.",
        "RISK": "The platform's risk team has to act.",
        "THIRD_PARTY": "The platform waits for somebody else: a bank, a register, an authority.",
        "NOBODY": "It had ended.",
    },
)
describe(
    ReviewTargetStatus,
    "How the promise to review stands to the clock.",
    {
        "ON_TRACK": "There is time.",
        "AT_RISK": "A quarter of the time, or less, is left.",
        "BREACHED": "The time is over.",
        "PAUSED": "It is the account's or a third party's turn: what is left runs on afterwards.",
    },
)
describe(
    Priority,
    "How soon risk should look at it.",
    {
        "LOW": "When there is time.",
        "NORMAL": "In its turn.",
        "HIGH": "Before others.",
        "URGENT": "At once.",
    },
)
describe(
    RequirementCategory,
    "What a requirement is about.",
    {
        "IDENTITY": "Who somebody is.",
        "BUSINESS_MODEL": "What the business does and how.",
        "RESTRICTED_INDUSTRY": "Whether the business may operate in a restricted industry.",
        "SUPPORTABILITY_APPEAL": "An objection to being told that it can't be supported.",
        "DOCUMENT": "A document.",
        "CREDIT": "Whether the business can bear the risk of refunds.",
        "SANCTIONS": "Lists of prohibited persons and companies.",
        "OWNERSHIP": "Who owns and directs the business.",
        "BANK_ACCOUNT": "The account that payouts go to.",
        "TERMS": "The acceptance of terms.",
        "OTHER": "Something else.",
    },
)
describe(
    ResolutionOutcome,
    "How a requirement ends.",
    {
        "SATISFIED": "The evidence was accepted.",
        "REJECTED": "The evidence was refused.",
        "WAIVED": "The platform does without.",
    },
)
describe(
    ResolutionState,
    "Where a decision stands.",
    {
        "PROPOSED": "It waits for a second pair of eyes.",
        "FINAL": "It has taken effect.",
        "DECLINED": "The second pair of eyes did not agree.",
        "APPEALED": "It has taken effect, and the account objects to it.",
        "UPHELD": "It stands, after an appeal.",
        "OVERTURNED": "It was reversed, after an appeal.",
    },
)
describe(
    GroundKind,
    "What a decision is founded on.",
    {"LEGAL": "A law.", "CONTRACTUAL": "The contract between the platform and the account."},
)
describe(
    InformationSource,
    "Where the information came from that led to a decision.",
    {
        "EVIDENCE": "From what the account has submitted.",
        "OWN_INVESTIGATION": "The platform found it of its own accord.",
        "NOTICE": "Somebody has told the platform.",
        "THIRD_PARTY": "From a register, a card network or another service.",
    },
)
describe(
    RejectionReason,
    "Why an account is rejected.",
    {
        "FRAUD": "It has deceived, or was made to.",
        "TERMS_OF_SERVICE": "It has broken the platform's terms.",
        "LISTED": "It is on a list of prohibited persons or companies.",
        "OTHER": "Another reason.",
    },
)
describe(
    AutomatedDecision,
    "How far a decision was taken without a person.",
    {"NONE": "Not at all.", "PARTIAL": "In part.", "FULL": "Wholly."},
)
describe(
    InteractionState,
    "Where a contact stands.",
    {
        "DRAFT": "It is being written.",
        "SCHEDULED": "It is to go out at an instant.",
        "SENT": "It went out.",
        "DELIVERED": "It arrived.",
        "VIEWED": "It was read.",
        "RESPONDED": "It was answered.",
        "FAILED": "It could not be sent.",
        "CANCELED": "It won't be sent.",
    },
)
describe(
    InteractionPurpose,
    "What a contact is for.",
    {
        "REQUEST": "It asks for something.",
        "REMINDER": "It reminds of what is due.",
        "NOTICE": "It tells what will happen.",
        "MESSAGE": "It is part of a conversation.",
        "DECISION": "It tells what was decided.",
    },
)
describe(
    InteractionChannel,
    "How a contact travels.",
    {
        "EMAIL": "By e-mail.",
        "SMS": "By text message.",
        "DASHBOARD": "In the platform's dashboard.",
        "PHONE": "By telephone.",
        "API": "Through the API.",
    },
)
describe(
    InteractionDirection,
    "From whom to whom.",
    {"OUTBOUND": "From the platform to the account's user.", "INBOUND": "From them."},
)
describe(
    DashboardOnly,
    "Why an e-mail is shown in the dashboard and was not mailed.",
    {
        "NO_MAIL_SERVER": "No mail server is set up.",
        "NO_ADDRESS": "The account has no e-mail address that mail could go to.",
    },
    name="DashboardOnlyReason",
)
describe(
    Report,
    "What somebody outside has seen happen to a contact.",
    {
        "SENT": "It went out.",
        "DELIVERED": "It arrived.",
        "VIEWED": "It was read.",
        "RESPONDED": "It was answered.",
        "FAILED": "It could not be sent.",
    },
    name="InteractionReport",
)
describe(
    NoticeKind,
    "What an account's user is told of a requirement.",
    {
        "REQUESTED": "It was opened, or asked for again.",
        "REMINDER": "It still awaits the account, and one of the program's reminders has come.",
        "CHANGES_REQUESTED": "What was submitted was sent back.",
        "EXTENDED": "Its deadline was moved.",
        "RESTRICTED": (
            "It begins to restrict capabilities: its deadline has passed, or the notice of a "
            "rejection is over. A rejection that restricts at once is told by DECIDED alone."
        ),
        "DECIDED": "A decision on it took effect.",
        "CANCELED": "It is no longer asked for: by a decision, or since an alternative is enough.",
        "APPEAL_RECEIVED": "The account has appealed against its rejection.",
        "APPEAL_DECIDED": "The appeal was decided: the rejection stands, or was reversed.",
    },
)
describe(
    ProgramState,
    "Whether new requirements may be opened under a version of a program.",
    {
        "PUBLISHED": "They may.",
        "SUPERSEDED": "A later version has taken its place.",
        "RETIRED": "They may not.",
    },
)
describe(
    ActorKind,
    "What kind of someone acted.",
    {
        "ACCOUNT_USER": "A person of the account.",
        "REVIEWER": "A person of the platform.",
        "SERVICE": "A program of the platform or of an integrating team.",
        "SYSTEM": "Recourse itself.",
    },
)
describe(
    Role,
    "What a caller is to the platform.",
    {
        "ACCOUNT_USER": "A person of one account.",
        "REVIEWER": "A person of the risk team.",
        "SENIOR_REVIEWER": "A reviewer who may cancel any requirement, too.",
        "INTEGRATOR": "A team's service: it publishes programs, opens requirements under its own.",
        "ADMIN": "A person who may do what reviewers and integrators may, under any program.",
        "AUDITOR": "A person who reads all that staff reads, and changes nothing.",
        "SYSTEM": "Recourse itself.",
    },
)
describe(
    EventType,
    "What happened. New types may be added.",
    {
        "ACCOUNT_CREATED": "An account was made.",
        "ACCOUNT_UPDATED": "What is known of an account changed.",
        "ACCOUNT_REJECTED": "The platform ended the relation with an account.",
        "ACCOUNT_REINSTATED": "The platform took a rejected account back.",
        "ACCOUNT_STATUS_CHANGED": "An account's status changed.",
        "CAPABILITY_STATUS_CHANGED": "A capability's status changed.",
        "HOLD_PLACED": "A hold was placed.",
        "HOLD_RELEASED": "A hold was released.",
        "HOLD_EXPIRED": "A hold ended by itself.",
        "REQUIREMENT_OPENED": "Something was asked of an account.",
        "REQUIREMENT_UPDATED": "What is asked changed.",
        "REQUIREMENT_SUBMITTED": "Evidence was submitted.",
        "REQUIREMENT_REVIEW_STARTED": "A review began.",
        "REQUIREMENT_REFERRED": "The platform waits for somebody else about it.",
        "REQUIREMENT_RECALLED": "The platform no longer waits for somebody else about it.",
        "REQUIREMENT_CHANGES_REQUESTED": "What was submitted was sent back.",
        "REQUIREMENT_APPROVED": "Evidence was accepted, be it after an appeal.",
        "REQUIREMENT_REJECTED": "Evidence was refused, or an appeal against that was.",
        "REQUIREMENT_APPEALED": "The account objected to a rejection.",
        "REQUIREMENT_WAIVED": "The platform does without.",
        "REQUIREMENT_CANCELED": "It is no longer asked for.",
        "REQUIREMENT_EXTENDED": "A deadline was moved.",
        "REQUIREMENT_DEADLINE_MOVED": "It moved on by the time that the platform had taken.",
        "REQUIREMENT_REOPENED": "It was asked for again.",
        "REQUIREMENT_ASSIGNED": "It was handed to a reviewer, or back.",
        "REQUIREMENT_CURRENTLY_DUE": "It became due.",
        "REQUIREMENT_PAST_DUE": "Its deadline passed.",
        "RESOLUTION_PROPOSED": "A decision was proposed.",
        "RESOLUTION_FINAL": "A decision took effect.",
        "RESOLUTION_DECLINED": "A proposed decision was turned down.",
        "RESOLUTION_UPHELD": "An appealed rejection was left as it is.",
        "RESOLUTION_OVERTURNED": "An appealed rejection was reversed.",
        "NOTE_ADDED": "Staff noted something about it; not shown to account users.",
        "INTERACTION_DRAFTED": "A contact was written; it has not gone out yet.",
        "INTERACTION_UPDATED": "A contact that is to go out was changed.",
        "INTERACTION_SCHEDULED": "A contact will go out at an instant.",
        "INTERACTION_SENT": "A contact went out: the account's user sees it.",
        "INTERACTION_MAILED": (
            "A mail server took an e-mail, be it of an attempt that was given up meanwhile; or it "
            "is shown in the dashboard only."
        ),
        "INTERACTION_DELIVERED": "A contact arrived.",
        "INTERACTION_VIEWED": "A contact was read.",
        "INTERACTION_RESPONDED": "A contact was answered.",
        "INTERACTION_FAILED": "A contact could not be sent.",
        "INTERACTION_RECEIVED": "The account's user has written.",
        "INTERACTION_CANCELED": "A contact won't go out.",
    },
)
describe(
    ErrorCode,
    "What went wrong, as a stable code. New codes may be added.",
    {
        "INVALID_INPUT": "A value breaks a rule of its field.",
        "INVALID_ID": "An id is malformed or of another type.",
        "INVALID_CURSOR": "A cursor is malformed or of another list.",
        "EVIDENCE_INVALID": "The program's JSON Schema refuses the evidence.",
        "NOT_FOUND": "There is no such object, or it is not the caller's.",
        "ALREADY_EXISTS": "The key is taken.",
        "FORBIDDEN": "The caller's role or scopes do not allow it.",
        "FOUR_EYES": "A second person must do it.",
        "ILLEGAL_TRANSITION": "The state does not allow the action.",
        "STALE_VERSION": "The object has changed since it was read.",
        "IDEMPOTENCY_KEY_REUSED": (
            "The caller used the key before with other input, on the same account; for programs, "
            "on the same platform."
        ),
        "EXTENSION_LIMIT": "The program gives no more time than that.",
        "PROPOSAL_PENDING": "A proposed decision waits for its second reviewer.",
        "APPEAL_PENDING": "An appeal is open: it is upheld or overturned first.",
        "APPEAL_WINDOW_CLOSED": "The time to appeal is over.",
        "ALREADY_APPEALED": "The rejection was appealed before, and upheld.",
        "ALREADY_REFERRED": "Somebody else is waited for already: recall it first.",
        "NOT_REFERRED": "Nobody else is waited for: there is nothing to recall.",
        "QUERY_TOO_COSTLY": "The query reads more objects than one request may.",
        "ALREADY_SENT": (
            "The contact has gone out once and stays as it was read; write a new one instead."
        ),
    },
)
