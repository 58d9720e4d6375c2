"""Who reads what: one table of the schema's types and fields, and what asks it.

It says which fields of an object that somebody sees are shown to them. Which objects those are,
row-level security says. The changing side is `models/authorisation.py`.
"""

from collections.abc import Mapping
from enum import StrEnum

from models.actor import Role
from resolvers.context import Info


class Audience(StrEnum):
    """To whom a field is shown, of those who see its object."""

    ALL = "everybody"
    STAFF = "staff; account users get null"
    ADMIN = "administrators; others get null"
    # Of an account's user all is shown to both sides.
    NAMES = "staff; account users see of staff the kind alone"
    VIEWER = "each caller sees their own"


Fields = Mapping[str, Audience]


def _fields(
    everybody: str = "", staff: str = "", admin: str = "", names: str = "", viewer: str = ""
) -> Fields:
    found: dict[str, Audience] = {}
    for audience, listed in zip(Audience, (everybody, staff, admin, names, viewer), strict=True):
        found |= dict.fromkeys(listed.split(), audience)
    return found


# What every type of these endings has.
SHAPES: Mapping[str, Fields] = {
    "Connection": _fields("edges nodes pageInfo totalCount totalCountIsCapped"),
    "Edge": _fields("cursor node"),
    "ActionPermission": _fields(viewer="action allowed refusals"),
    # Of what a mutation has changed, to whoever may send it.
    "Payload": _fields(
        "userErrors replayed account hold interaction note program requirement resolution apiKey "
        "secret"
    ),
}
# Each type with all its fields: one that does not stand here fails a test. A type whose fields are
# all for staff is to account users one of which there is nothing.
FIELDS: Mapping[str, Fields] = {
    "Query": _fields(
        "node nodes account accounts requirement requirements interaction interactions resolution "
        "resolutions program programs events",
        admin="apiKeys",
        viewer="viewer",
    ),
    "Viewer": _fields(viewer="id kind role displayName scopes platformId account allowedMutations"),
    "Actor": _fields("kind", names="id displayName"),
    "PageInfo": _fields("hasNextPage hasPreviousPage startCursor endCursor"),
    "UserError": _fields("code message field"),
    "Refusal": _fields(viewer="code message"),
    "Account": _fields(
        "id externalId businessName email country riskTier status disabledReason rejection "
        "reinstatement capabilities requirementSummary requirements interactions resolutions holds "
        "timeline version createdAt updatedAt",
        viewer="allowedActions",
    ),
    "AccountRejection": _fields("reason statement rejectedAt rejectedBy"),
    "AccountReinstatement": _fields("reason reinstatedAt reinstatedBy"),
    "Capability": _fields(
        "kind status disabledReason restrictedBy gatedBy restrictsAt restrictsNext updatedAt"
    ),
    "RequirementSummary": _fields(
        "currentlyDue eventuallyDue pastDue pendingVerification nextDeadline"
    ),
    "Hold": _fields(
        "id account capabilities reason active expiresAt placedBy releasedBy releasedAt version "
        "createdAt updatedAt",
        staff="note",
        viewer="allowedActions",
    ),
    "Program": _fields(
        "id code version name state owner category title description evidenceSchema proves "
        "dueAfter deadlineAfter noticePeriod maxExtension reminders restricts gates fourEyes "
        "pausesDeadline reviewWithin businessCalendar appealWithin terminationNotice legalGround "
        "legalGroundKind reasonCodes errorCodes notices publishedAt publishedBy retiredAt",
        viewer="allowedActions",
    ),
    "BusinessCalendar": _fields("region timeZone"),
    "ReasonCode": _fields("code description"),
    "ErrorCodeEntry": _fields("code description"),
    "ProgramNotice": _fields("kind subject body"),
    "Requirement": _fields(
        "id account program title description category requestedReasons state dueStatus "
        "awaitingActionFrom unansweredSince referredTo referredAt currentlyDueAt deadline "
        "latestDeadline noticeAt appealDeadline appealedAt impact errors alternatives evidence "
        "interactions resolutions currentResolution clock reviewDueAt reviewTargetStatus priority "
        "openedBy version createdAt updatedAt submittedAt closedAt closedReason closedReasonCode",
        staff="internalNotes proposedOutcome assignee",
        viewer="allowedActions",
    ),
    "RequestedReason": _fields("code message"),
    "RequirementError": _fields("code message field remedy"),
    "RequirementImpact": _fields("capability status since until"),
    "Clock": _fields("heldBy spans totals"),
    "ClockSpan": _fields("party from to"),
    "ClockTotal": _fields("party duration"),
    "Evidence": _fields("id account requirement payload documents submittedBy submittedAt"),
    "Document": _fields("uri sha256 mediaType bytes name"),
    "Interaction": _fields(
        "id account requirements purpose channel direction state subject body author attachments "
        "inReplyTo replies scheduledFor sentAt firstSentAt deliveredAt viewedAt respondedAt "
        "failure mailedAt dashboardOnly version createdAt updatedAt",
        staff="nextAttemptAt",
        viewer="allowedActions",
    ),
    "InteractionFailure": _fields("code message", staff="detail"),
    "Resolution": _fields(
        "id account requirement outcome state reasonCode statement fourEyes proposedBy approvedBy "
        "decidedBy declineReason appeal version createdAt updatedAt decidedAt",
        viewer="allowedActions",
    ),
    "StatementOfReasons": _fields(
        "facts ground groundKind source citedEvidence citedFact automatedDetection "
        "automatedDecision territories restrictsFrom restrictsUntil redress"
    ),
    "Appeal": _fields("statement submittedAt submittedBy decidedAt decidedBy reasons"),
    "ApiKey": _fields(
        admin="id prefix name role scopes state createdAt createdBy expiresAt replacedBy revokedAt "
        "revokedBy lastUsedAt version updatedAt allowedActions"
    ),
    "Note": _fields(staff="id account requirement text author createdAt"),
    "Event": _fields("id account sequence type at actor subject changes hash previousHash"),
}


def audience_of(type_name: str, field: str) -> Audience:
    """To whom the field is shown. Raises `KeyError` for one that the table does not know."""
    return fields_of(type_name)[field]


def fields_of(type_name: str) -> Fields:
    """The table's line of a type. Raises `KeyError` for one that the table does not know."""
    if type_name in FIELDS:
        return FIELDS[type_name]
    return next(fields for end, fields in SHAPES.items() if type_name.endswith(end))


def shows(info: Info, type_name: str, field: str) -> bool:
    """Whether a field is shown to the caller at all."""
    return _is_shown(info, audience_of(type_name, field))


def shows_type(info: Info, type_name: str) -> bool:
    """Whether there is anything of the type to the caller."""
    return any(_is_shown(info, audience) for audience in FIELDS[type_name].values())


def _is_shown(info: Info, audience: Audience) -> bool:
    actor = info.context.actor
    if audience is Audience.ADMIN:
        return actor.role is Role.ADMIN
    return actor.is_staff or audience is not Audience.STAFF


def markdown() -> str:
    """What is not for everybody, for the documentation."""
    lines = ["| field | shown to |", "| --- | --- |"]
    for type_name, fields in FIELDS.items():
        if set(fields.values()) in ({Audience.STAFF}, {Audience.ADMIN}):
            lines.append(f"| `{type_name}` | {next(iter(fields.values()))}, or `NOT_FOUND` |")
            continue
        for audience in (Audience.STAFF, Audience.ADMIN, Audience.NAMES):
            found = [f"`{type_name}.{name}`" for name, own in fields.items() if own is audience]
            if found:
                lines.append(f"| {', '.join(found)} | {audience} |")
    return "\n".join(lines)
