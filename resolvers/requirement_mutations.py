"""Mutations of requirements."""

from datetime import datetime

import strawberry

from models import decision as decisions
from models import requirement_operations as operations
from models.events import DERIVED, TOLD, EventType
from models.requirement import Error, Priority, Reason
from models.requirement import Requirement as RequirementRow
from models.resolution import EVIDENCE_ACCEPTED
from resolvers import ids
from resolvers.evidence import DocumentInput, references
from resolvers.mutation import (
    ObjectInput,
    OnAccountInput,
    Payload,
    changed_field,
    mutation,
    version_of,
)
from resolvers.requirement import Requirement
from resolvers.resolution_mutations import DECIDED, DecisionPayload
from resolvers.scalars import Json, plain
from resolvers.statement import StatementInput, statement_of


@strawberry.type(description="What mutations of a requirement answer.")
class RequirementPayload(Payload):
    """The requirement."""

    requirement: Requirement | None = changed_field(
        "Requirement", RequirementRow, "The requirement, as it is now."
    )


@strawberry.input(description="What every mutation of a requirement takes.")
class RequirementInput(ObjectInput):
    """Which requirement."""

    prefix = ids.REQUIREMENT

    expected_version: int | None = version_of("the requirement")
    id: strawberry.ID = strawberry.field(description="The requirement.")


@strawberry.input(description="Why a requirement is opened.")
class RequestedReasonInput:
    """A code and words."""

    code: str = strawberry.field(description="The code; at most 100 characters.")
    message: str = strawberry.field(
        description="The reason, in words for the account's user; at most 1,000 characters."
    )


@strawberry.input(description="What to ask of whom.")
class RequirementOpenInput(OnAccountInput):
    """An account and a program."""

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

    def command(self) -> operations.OpenRequirement:
        reasons = self.requested_reasons or ()
        return operations.OpenRequirement(
            program=self.program,
            requested_reasons=tuple(Reason(r.code, r.message) for r in reasons),
            currently_due_at=self.currently_due_at,
            deadline=self.deadline,
            alternative_group=self.alternative_group,
            priority=plain(self.priority),
            **self.shared(),
        )


@strawberry.type(description="The opened requirement.")
class RequirementOpenPayload(RequirementPayload):
    """What requirementOpen answers."""


@strawberry.input(description="Evidence.")
class RequirementSubmitInput(RequirementInput):
    """A payload, documents, or both."""

    payload: Json | None = strawberry.field(
        default=None, description="What the program's JSON Schema asks for."
    )
    documents: list[DocumentInput] | None = strawberry.field(
        default=None, description="References to documents; at most 20."
    )

    def command(self) -> operations.Submit:
        return operations.Submit(
            payload=self.payload,
            documents=references(self.documents),
            **self.shared(),
        )


@strawberry.type(description="The requirement that was submitted to.")
class RequirementSubmitPayload(RequirementPayload):
    """What requirementSubmit answers."""


@strawberry.input(description="What to take into review.")
class RequirementStartReviewInput(RequirementInput):
    """Which requirement."""

    def command(self) -> operations.StartReview:
        return operations.StartReview(**self.shared())


@strawberry.type(description="The requirement in review.")
class RequirementStartReviewPayload(RequirementPayload):
    """What requirementStartReview answers."""


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

    def command(self) -> operations.RequestChanges:
        errors = tuple(Error(e.code, e.message, e.field, e.remedy) for e in self.errors)
        return operations.RequestChanges(errors=errors, **self.shared())


@strawberry.type(description="The requirement that was sent back.")
class RequirementRequestChangesPayload(RequirementPayload):
    """What requirementRequestChanges answers."""


@strawberry.input(description="What every decision on a requirement takes.")
class DecisionInput(RequirementInput):
    """A reason and a statement."""

    reason_code: str = strawberry.field(
        description=(
            "The reason, one of the program's registry; any code of at most 100 characters if the "
            "registry is empty."
        )
    )
    statement: StatementInput | None = strawberry.field(
        default=None, description="The statement of reasons."
    )

    def command(self) -> decisions.Decide:
        shared = self.shared()
        stated = statement_of(self.statement, shared["account_id"])
        return decisions.Decide(reason_code=self.reason_code, statement=stated, **shared)


@strawberry.input(description="What to accept, and why.")
class RequirementApproveInput(DecisionInput):
    """The reason may be left out."""

    reason_code: str = strawberry.field(
        default=EVIDENCE_ACCEPTED,
        description=(
            "The reason, one of the program's registry (any code of at most 100 characters if that "
            "is empty) or evidence_accepted, which approvals under every program may give."
        ),
    )


@strawberry.type(description="The accepted requirement, or the proposal to accept it.")
class RequirementApprovePayload(DecisionPayload):
    """What requirementApprove answers."""


@strawberry.input(description="What to refuse, and why.")
class RequirementRejectInput(DecisionInput):
    """The statement may not be left out."""

    statement: StatementInput = strawberry.field(description="The statement of reasons, complete.")


@strawberry.type(description="The refused requirement, or the proposal to refuse it.")
class RequirementRejectPayload(DecisionPayload):
    """What requirementReject answers."""


@strawberry.input(description="What to do without, and why.")
class RequirementWaiveInput(DecisionInput):
    """A reason and a statement."""


@strawberry.type(description="The proposal to do without the requirement.")
class RequirementWaivePayload(DecisionPayload):
    """What requirementWaive answers."""


@strawberry.input(description="What to cancel, and why.")
class RequirementCancelInput(RequirementInput):
    """A reason."""

    reason: str = strawberry.field(
        description="Why, in words for the account's user; at most 2,000 characters. Not the code "
        "`ALTERNATIVE_SATISFIED`."
    )

    def command(self) -> operations.Cancel:
        return operations.Cancel(reason=self.reason, **self.shared())


@strawberry.type(description="The canceled requirement.")
class RequirementCancelPayload(RequirementPayload):
    """What requirementCancel answers."""


@strawberry.input(description="What to give more time.")
class RequirementExtendInput(RequirementInput):
    """A new deadline."""

    deadline: datetime = strawberry.field(description="The new deadline, later than the present.")

    def command(self) -> operations.Extend:
        return operations.Extend(deadline=self.deadline, **self.shared())


@strawberry.type(description="The extended requirement.")
class RequirementExtendPayload(RequirementPayload):
    """What requirementExtend answers."""


@strawberry.input(description="What to hand to whom.")
class RequirementAssignInput(RequirementInput):
    """A reviewer."""

    assignee_id: str | None = strawberry.field(
        description="The reviewer's id, as their token has it; null for nobody."
    )
    assignee_name: str | None = strawberry.field(default=None, description="The reviewer's name.")

    def command(self) -> operations.Assign:
        return operations.Assign(
            assignee_id=self.assignee_id, assignee_name=self.assignee_name, **self.shared()
        )


@strawberry.type(description="The assigned requirement.")
class RequirementAssignPayload(RequirementPayload):
    """What requirementAssign answers."""


@strawberry.input(description="What to look at how soon.")
class RequirementPrioritizeInput(RequirementInput):
    """A priority."""

    priority: Priority = strawberry.field(description="How soon risk should look at it.")

    def command(self) -> operations.Prioritize:
        return operations.Prioritize(priority=plain(self.priority), **self.shared())


@strawberry.type(description="The requirement with its priority.")
class RequirementPrioritizePayload(RequirementPayload):
    """What requirementPrioritize answers."""


@strawberry.input(description="What to ask again, and why.")
class RequirementReopenInput(RequirementInput):
    """A reason and a deadline."""

    reason: str = strawberry.field(
        description="Why, in words for the account's user; at most 2,000 characters."
    )
    deadline: datetime | None = strawberry.field(
        default=None, description="The new deadline; as the program says if left out."
    )

    def command(self) -> operations.Reopen:
        return operations.Reopen(reason=self.reason, deadline=self.deadline, **self.shared())


@strawberry.type(description="The reopened requirement.")
class RequirementReopenPayload(RequirementPayload):
    """What requirementReopen answers."""


@strawberry.type(description="Mutations of requirements.")
class RequirementMutations:
    """The fields of the root type Mutation that concern requirements."""

    requirement_open: RequirementOpenPayload = mutation(
        "requirementOpen",
        operations.open_requirement,
        RequirementOpenInput,
        "Ask something of an account.",
        (EventType.REQUIREMENT_OPENED, *TOLD, *DERIVED),
        argument="What to ask.",
    )
    requirement_submit: RequirementSubmitPayload = mutation(
        "requirementSubmit",
        operations.submit,
        RequirementSubmitInput,
        "Hand in evidence: the contacts that asked for it are answered.",
        (EventType.REQUIREMENT_SUBMITTED, EventType.INTERACTION_RESPONDED, *DERIVED),
        argument="The evidence.",
    )
    requirement_start_review: RequirementStartReviewPayload = mutation(
        "requirementStartReview",
        operations.start_review,
        RequirementStartReviewInput,
        "Take what was submitted into review.",
        (EventType.REQUIREMENT_REVIEW_STARTED,),
        argument="Which requirement.",
    )
    requirement_approve: RequirementApprovePayload = mutation(
        "requirementApprove",
        decisions.approve,
        RequirementApproveInput,
        "Accept what was submitted; where the program asks for four eyes, propose to.",
        (EventType.REQUIREMENT_APPROVED, EventType.RESOLUTION_PROPOSED, *DECIDED),
        argument="What to accept.",
    )
    requirement_request_changes: RequirementRequestChangesPayload = mutation(
        "requirementRequestChanges",
        operations.request_changes,
        RequirementRequestChangesInput,
        "Send back what was submitted, with what is wrong.",
        (
            EventType.REQUIREMENT_CHANGES_REQUESTED,
            EventType.REQUIREMENT_DEADLINE_MOVED,
            EventType.RESOLUTION_DECLINED,
            *TOLD,
            *DERIVED,
        ),
        argument="What is wrong.",
    )
    requirement_reject: RequirementRejectPayload = mutation(
        "requirementReject",
        decisions.reject,
        RequirementRejectInput,
        "Refuse what was submitted; where the program asks for four eyes, propose to.",
        (EventType.REQUIREMENT_REJECTED, EventType.RESOLUTION_PROPOSED, *DECIDED),
        argument="What to refuse.",
    )
    requirement_waive: RequirementWaivePayload = mutation(
        "requirementWaive",
        decisions.waive,
        RequirementWaiveInput,
        "Propose to do without; it always takes a second pair of eyes.",
        (EventType.RESOLUTION_PROPOSED,),
        argument="What to waive.",
    )
    requirement_cancel: RequirementCancelPayload = mutation(
        "requirementCancel",
        operations.cancel,
        RequirementCancelInput,
        "End a requirement without a decision.",
        (
            EventType.REQUIREMENT_CANCELED,
            EventType.REQUIREMENT_DEADLINE_MOVED,
            EventType.RESOLUTION_DECLINED,
            *TOLD,
            *DERIVED,
        ),
        argument="What to cancel.",
    )
    requirement_extend: RequirementExtendPayload = mutation(
        "requirementExtend",
        operations.extend,
        RequirementExtendInput,
        "Give a requirement a later deadline.",
        (EventType.REQUIREMENT_EXTENDED, *TOLD, *DERIVED),
        argument="What to extend.",
    )
    requirement_assign: RequirementAssignPayload = mutation(
        "requirementAssign",
        operations.assign,
        RequirementAssignInput,
        "Hand a requirement to a reviewer, or back to nobody.",
        (EventType.REQUIREMENT_ASSIGNED,),
        argument="Whom to.",
    )
    requirement_prioritize: RequirementPrioritizePayload = mutation(
        "requirementPrioritize",
        operations.prioritize,
        RequirementPrioritizeInput,
        "Say how soon risk should look at a requirement.",
        (EventType.REQUIREMENT_UPDATED,),
        argument="What to look at how soon.",
    )
    requirement_reopen: RequirementReopenPayload = mutation(
        "requirementReopen",
        operations.reopen,
        RequirementReopenInput,
        "Ask again for what was satisfied or waived.",
        (EventType.REQUIREMENT_REOPENED, *TOLD, *DERIVED),
        argument="What to reopen.",
    )
