"""Mutations of requirements."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from models import decision as decisions
from models import requirement as operations
from models.actor import Scope
from models.events import DERIVED, EventType
from models.evidence import DocumentReference
from models.requirement import Priority, RequirementAction
from models.requirement import Requirement as RequirementRow
from models.resolution import EVIDENCE_ACCEPTED, AutomatedDecision, Statement
from resolvers import ids
from resolvers.context import Info
from resolvers.evidence import DocumentInput
from resolvers.mutation import (
    Payload,
    Result,
    VersionedInput,
    changed_field,
    keyed,
    mutate,
    mutation,
)
from resolvers.pagination import plain
from resolvers.requirement import Requirement
from resolvers.resolution import Resolution
from resolvers.resolution_mutations import (
    DECIDED,
    requirement_of_resolution,
    resolution_of_payload,
)
from resolvers.scalars import Json


def _requirement() -> Any:
    return changed_field("Requirement", RequirementRow, "The requirement, as it is now.")


@strawberry.input(description="What every mutation of a requirement takes.")
class RequirementInput(VersionedInput):
    """Which requirement."""

    id: strawberry.ID = strawberry.field(description="The requirement.")


def _named(given: RequirementInput) -> dict[str, Any]:
    account_id, requirement_id = ids.decode(given.id, ids.REQUIREMENT, "id")
    return {"account_id": account_id, "requirement_id": requirement_id, **keyed(given)}


@strawberry.input(description="Why a requirement is opened.")
class RequestedReasonInput:
    """A code and words."""

    code: str = strawberry.field(description="The code; at most 100 characters.")
    message: str = strawberry.field(
        description="The reason, in words for the account's user; at most 1,000 characters."
    )


@strawberry.input(description="What to ask of whom.")
class RequirementOpenInput(VersionedInput):
    """An account and a program; `expectedVersion` is the account's."""

    account_id: strawberry.ID = strawberry.field(description="The account.")
    program: str = strawberry.field(
        description="The code of the program, whose published version it will live under."
    )
    requested_reasons: list[RequestedReasonInput] | None = strawberry.field(
        default=None, description="Why it is asked."
    )
    currently_due_at: datetime | None = strawberry.field(
        default=None, description="When it becomes due; as the program says if left out."
    )
    deadline: datetime | None = strawberry.field(
        default=None, description="When it becomes past due; as the program says if left out."
    )
    alternative_group: str | None = strawberry.field(
        default=None,
        description="A name shared by requirements of which providing one ends the others.",
    )
    priority: Priority = strawberry.field(
        default=Priority.NORMAL, description="How soon risk should look at it."
    )


@strawberry.type(description="The opened requirement.")
class RequirementOpenPayload(Payload):
    """What requirementOpen answers."""

    requirement: Requirement | None = _requirement()


async def requirement_open(
    info: Info,
    input: Annotated[RequirementOpenInput, strawberry.argument(description="What to ask.")],
) -> Result:
    """Ask something of an account."""

    def build() -> operations.OpenRequirement:
        reasons = input.requested_reasons or ()
        return operations.OpenRequirement(
            account_id=ids.decode_account(input.account_id, "accountId"),
            program=input.program,
            requested_reasons=tuple(operations.Reason(r.code, r.message) for r in reasons),
            currently_due_at=input.currently_due_at,
            deadline=input.deadline,
            alternative_group=input.alternative_group,
            priority=plain(input.priority),
            **keyed(input),
        )

    return await mutate(info, operations.open_requirement, build)


@strawberry.input(description="Evidence.")
class RequirementSubmitInput(RequirementInput):
    """A payload, documents, or both."""

    payload: Json | None = strawberry.field(
        default=None, description="What the program's JSON Schema asks for."
    )
    documents: list[DocumentInput] | None = strawberry.field(
        default=None, description="References to documents; at most 20."
    )


@strawberry.type(description="The requirement that was submitted to.")
class RequirementSubmitPayload(Payload):
    """What requirementSubmit answers."""

    requirement: Requirement | None = _requirement()


async def requirement_submit(
    info: Info,
    input: Annotated[RequirementSubmitInput, strawberry.argument(description="The evidence.")],
) -> Result:
    """Hand in evidence."""

    def build() -> operations.Submit:
        return operations.Submit(
            payload=input.payload,
            documents=tuple(_document(given) for given in input.documents or ()),
            **_named(input),
        )

    return await mutate(info, operations.submit, build)


def _document(given: DocumentInput) -> DocumentReference:
    return DocumentReference(
        uri=given.uri,
        sha256=given.sha256,
        media_type=given.media_type,
        bytes=given.bytes,
        name=given.name,
    )


@strawberry.input(description="What to take into review.")
class RequirementStartReviewInput(RequirementInput):
    """Which requirement."""


@strawberry.type(description="The requirement in review.")
class RequirementStartReviewPayload(Payload):
    """What requirementStartReview answers."""

    requirement: Requirement | None = _requirement()


async def requirement_start_review(
    info: Info,
    input: Annotated[
        RequirementStartReviewInput, strawberry.argument(description="Which requirement.")
    ],
) -> Result:
    """Take what was submitted into review."""
    return await mutate(
        info, operations.start_review, lambda: operations.StartReview(**_named(input))
    )


@strawberry.input(description="What is wrong with what was submitted.")
class RequirementErrorInput:
    """A code of the program, words, and the place."""

    code: str = strawberry.field(description="The code, one of the program's registry.")
    message: str = strawberry.field(
        description="What is wrong, in words for the account's user; at most 1,000 characters."
    )
    field: str | None = strawberry.field(default=None, description="The place in the evidence.")
    remedy: str | None = strawberry.field(default=None, description="What to do about it.")


@strawberry.input(description="What to send back, and why.")
class RequirementRequestChangesInput(RequirementInput):
    """The errors."""

    errors: list[RequirementErrorInput] = strawberry.field(
        description="What is wrong; at least one."
    )


@strawberry.type(description="The requirement that was sent back.")
class RequirementRequestChangesPayload(Payload):
    """What requirementRequestChanges answers."""

    requirement: Requirement | None = _requirement()


async def requirement_request_changes(
    info: Info,
    input: Annotated[
        RequirementRequestChangesInput, strawberry.argument(description="What is wrong.")
    ],
) -> Result:
    """Send back what was submitted."""

    def build() -> operations.RequestChanges:
        errors = tuple(operations.Error(e.code, e.message, e.field, e.remedy) for e in input.errors)
        return operations.RequestChanges(errors=errors, **_named(input))

    return await mutate(info, operations.request_changes, build)


@strawberry.input(description="A statement of reasons.")
class StatementInput:
    """The facts, the ground and the way to object."""

    facts: str | None = strawberry.field(
        default=None, description="The facts; at most 5,000 characters. A rejection needs them."
    )
    ground: str | None = strawberry.field(
        default=None,
        description="The legal or contractual ground; the program's if left out.",
    )
    redress: str | None = strawberry.field(
        default=None, description="What the account can do against it."
    )
    automated_detection: bool = strawberry.field(
        default=False, description="Whether a machine found what led to the decision."
    )
    automated_decision: AutomatedDecision = strawberry.field(
        default=AutomatedDecision.NONE,
        description="How far the decision was taken without a person.",
    )


def _statement(given: StatementInput | None) -> Statement:
    if given is None:
        return Statement()
    return Statement(
        facts=given.facts,
        ground=given.ground,
        redress=given.redress,
        automated_detection=given.automated_detection,
        automated_decision=plain(given.automated_decision),
    )


@strawberry.input(description="What to accept, and why.")
class RequirementApproveInput(RequirementInput):
    """A reason and a statement."""

    reason_code: str = strawberry.field(
        default=EVIDENCE_ACCEPTED, description="The reason, one of the program's registry."
    )
    statement: StatementInput | None = strawberry.field(
        default=None, description="The statement of reasons."
    )


@strawberry.input(description="What to refuse, and why.")
class RequirementRejectInput(RequirementInput):
    """A reason and a statement."""

    reason_code: str = strawberry.field(description="The reason, one of the program's registry.")
    statement: StatementInput = strawberry.field(
        description="The statement of reasons, with the facts."
    )


@strawberry.input(description="What to do without, and why.")
class RequirementWaiveInput(RequirementInput):
    """A reason and a statement."""

    reason_code: str = strawberry.field(description="The reason, one of the program's registry.")
    statement: StatementInput | None = strawberry.field(
        default=None, description="The statement of reasons."
    )


Decision = RequirementApproveInput | RequirementRejectInput | RequirementWaiveInput


def _decide(given: Decision) -> decisions.Decide:
    return decisions.Decide(
        reason_code=given.reason_code, statement=_statement(given.statement), **_named(given)
    )


@strawberry.type(description="The accepted requirement, or the proposal to accept it.")
class RequirementApprovePayload(Payload):
    """What requirementApprove answers."""

    requirement: Requirement | None = requirement_of_resolution()
    resolution: Resolution | None = resolution_of_payload()


async def requirement_approve(
    info: Info,
    input: Annotated[RequirementApproveInput, strawberry.argument(description="What to accept.")],
) -> Result:
    """Accept what was submitted."""
    return await mutate(info, decisions.approve, lambda: _decide(input))


@strawberry.type(description="The refused requirement, or the proposal to refuse it.")
class RequirementRejectPayload(Payload):
    """What requirementReject answers."""

    requirement: Requirement | None = requirement_of_resolution()
    resolution: Resolution | None = resolution_of_payload()


async def requirement_reject(
    info: Info,
    input: Annotated[RequirementRejectInput, strawberry.argument(description="What to refuse.")],
) -> Result:
    """Refuse what was submitted."""
    return await mutate(info, decisions.reject, lambda: _decide(input))


@strawberry.type(description="The proposal to do without the requirement.")
class RequirementWaivePayload(Payload):
    """What requirementWaive answers."""

    requirement: Requirement | None = requirement_of_resolution()
    resolution: Resolution | None = resolution_of_payload()


async def requirement_waive(
    info: Info,
    input: Annotated[RequirementWaiveInput, strawberry.argument(description="What to waive.")],
) -> Result:
    """Propose to do without."""
    return await mutate(info, decisions.waive, lambda: _decide(input))


@strawberry.input(description="What to cancel, and why.")
class RequirementCancelInput(RequirementInput):
    """A reason."""

    reason: str = strawberry.field(
        description="Why, in words for the account's user; at most 2,000 characters."
    )


@strawberry.type(description="The canceled requirement.")
class RequirementCancelPayload(Payload):
    """What requirementCancel answers."""

    requirement: Requirement | None = _requirement()


async def requirement_cancel(
    info: Info,
    input: Annotated[RequirementCancelInput, strawberry.argument(description="What to cancel.")],
) -> Result:
    """End a requirement without a decision."""
    return await mutate(
        info,
        operations.cancel,
        lambda: operations.Cancel(reason=input.reason, **_named(input)),
    )


@strawberry.input(description="What to give more time.")
class RequirementExtendInput(RequirementInput):
    """A new deadline."""

    deadline: datetime = strawberry.field(description="The new deadline, later than the present.")


@strawberry.type(description="The extended requirement.")
class RequirementExtendPayload(Payload):
    """What requirementExtend answers."""

    requirement: Requirement | None = _requirement()


async def requirement_extend(
    info: Info,
    input: Annotated[RequirementExtendInput, strawberry.argument(description="What to extend.")],
) -> Result:
    """Give a requirement a later deadline."""
    return await mutate(
        info,
        operations.extend,
        lambda: operations.Extend(deadline=input.deadline, **_named(input)),
    )


@strawberry.input(description="What to hand to whom.")
class RequirementAssignInput(RequirementInput):
    """A reviewer."""

    assignee_id: str | None = strawberry.field(
        description="The reviewer's id, as their token has it; null for nobody."
    )
    assignee_name: str | None = strawberry.field(default=None, description="The reviewer's name.")


@strawberry.type(description="The assigned requirement.")
class RequirementAssignPayload(Payload):
    """What requirementAssign answers."""

    requirement: Requirement | None = _requirement()


async def requirement_assign(
    info: Info,
    input: Annotated[RequirementAssignInput, strawberry.argument(description="Whom to.")],
) -> Result:
    """Hand a requirement to a reviewer, or back to nobody."""
    return await mutate(
        info,
        operations.assign,
        lambda: operations.Assign(
            assignee_id=input.assignee_id, assignee_name=input.assignee_name, **_named(input)
        ),
    )


@strawberry.input(description="What to ask again, and why.")
class RequirementReopenInput(RequirementInput):
    """A reason and a deadline."""

    reason: str = strawberry.field(
        description="Why, in words for the account's user; at most 2,000 characters."
    )
    deadline: datetime | None = strawberry.field(
        default=None, description="The new deadline; as the program says if left out."
    )


@strawberry.type(description="The reopened requirement.")
class RequirementReopenPayload(Payload):
    """What requirementReopen answers."""

    requirement: Requirement | None = _requirement()


async def requirement_reopen(
    info: Info,
    input: Annotated[RequirementReopenInput, strawberry.argument(description="What to reopen.")],
) -> Result:
    """Ask again for what was satisfied or waived."""
    return await mutate(
        info,
        operations.reopen,
        lambda: operations.Reopen(reason=input.reason, deadline=input.deadline, **_named(input)),
    )


ROLES = operations.ROLES


@strawberry.type(description="Mutations of requirements.")
class RequirementMutations:
    """The fields of the root type Mutation that concern requirements."""

    requirement_open: RequirementOpenPayload = mutation(
        requirement_open,
        "Ask something of an account.",
        operations.OPENERS,
        (EventType.REQUIREMENT_OPENED, *DERIVED),
    )
    requirement_submit: RequirementSubmitPayload = mutation(
        requirement_submit,
        "Hand in evidence.",
        ROLES[RequirementAction.SUBMIT],
        (EventType.REQUIREMENT_SUBMITTED, *DERIVED),
    )
    requirement_start_review: RequirementStartReviewPayload = mutation(
        requirement_start_review,
        "Take what was submitted into review.",
        ROLES[RequirementAction.START_REVIEW],
        (EventType.REQUIREMENT_REVIEW_STARTED,),
    )
    requirement_approve: RequirementApprovePayload = mutation(
        requirement_approve,
        "Accept what was submitted; where the program asks for four eyes, propose to.",
        ROLES[RequirementAction.APPROVE],
        (EventType.REQUIREMENT_APPROVED, EventType.RESOLUTION_PROPOSED, *DECIDED),
    )
    requirement_request_changes: RequirementRequestChangesPayload = mutation(
        requirement_request_changes,
        "Send back what was submitted, with what is wrong.",
        ROLES[RequirementAction.REQUEST_CHANGES],
        (EventType.REQUIREMENT_CHANGES_REQUESTED, EventType.RESOLUTION_DECLINED, *DERIVED),
    )
    requirement_reject: RequirementRejectPayload = mutation(
        requirement_reject,
        "Refuse what was submitted; where the program asks for four eyes, propose to.",
        ROLES[RequirementAction.REJECT],
        (EventType.REQUIREMENT_REJECTED, EventType.RESOLUTION_PROPOSED, *DECIDED),
    )
    requirement_waive: RequirementWaivePayload = mutation(
        requirement_waive,
        "Propose to do without; it always takes a second pair of eyes.",
        ROLES[RequirementAction.WAIVE],
        (EventType.RESOLUTION_PROPOSED,),
        (Scope.REQUIREMENT_WAIVE,),
    )
    requirement_cancel: RequirementCancelPayload = mutation(
        requirement_cancel,
        "End a requirement without a decision; an integrator only what it opened itself.",
        ROLES[RequirementAction.CANCEL],
        (EventType.REQUIREMENT_CANCELED, EventType.RESOLUTION_DECLINED, *DERIVED),
    )
    requirement_extend: RequirementExtendPayload = mutation(
        requirement_extend,
        "Give a requirement a later deadline.",
        ROLES[RequirementAction.EXTEND],
        (EventType.REQUIREMENT_EXTENDED, *DERIVED),
    )
    requirement_assign: RequirementAssignPayload = mutation(
        requirement_assign,
        "Hand a requirement to a reviewer, or back to nobody.",
        ROLES[RequirementAction.ASSIGN],
        (EventType.REQUIREMENT_ASSIGNED,),
    )
    requirement_reopen: RequirementReopenPayload = mutation(
        requirement_reopen,
        "Ask again for what was satisfied or waived.",
        ROLES[RequirementAction.REOPEN],
        (EventType.REQUIREMENT_REOPENED, *DERIVED),
    )
