"""Mutations of interactions."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from models import correspondence, delivery
from models.events import EventType
from models.interaction import Interaction as InteractionRow
from models.interaction import InteractionChannel, InteractionPurpose
from models.interaction_steps import Failure, Report
from resolvers import ids
from resolvers.evidence import DocumentInput, references
from resolvers.interaction import Interaction
from resolvers.mutation import (
    ObjectInput,
    OnAccountInput,
    Payload,
    changed_field,
    changes_in,
    mutation,
    version_of,
)
from resolvers.scalars import plain

# What every contact has: null in an update is no value of it.
NEVER_NULL = ("purpose", "channel", "body", "attachments", "requirement_ids", "scheduled_for")
ANSWERED = EventType.INTERACTION_RESPONDED


def _requirements(texts: Sequence[str] | None, account_id: uuid.UUID) -> tuple[uuid.UUID, ...]:
    return tuple(
        ids.decode_of(account_id, text, ids.REQUIREMENT, "requirementIds", str(index))
        for index, text in enumerate(texts or ())
    )


@strawberry.input(description="What every new contact takes; `expectedVersion` is the account's.")
class NewInteractionInput(OnAccountInput):
    """Which account, whose version is the expected one, and what is written."""

    body: str = strawberry.field(description="The text; at most 10,000 characters.")
    subject: str | None = strawberry.field(
        default=None,
        description="The subject, one line of at most 200 characters; an e-mail has one.",
    )
    in_reply_to: strawberry.ID | None = strawberry.field(
        default=None, description="The contact of the account that it answers."
    )
    attachments: list[DocumentInput] | None = strawberry.field(
        default=None, description="References to documents that go with it; at most 20."
    )

    def written(self, requirement_ids: Sequence[str] | None) -> dict[str, Any]:
        """What is shared with others, as the command has it."""
        shared, answered = self.shared(), None
        account_id = shared["account_id"]
        if self.in_reply_to is not None:
            answered = ids.decode_of(account_id, self.in_reply_to, ids.INTERACTION, "inReplyTo")
        return {
            **shared,
            "body": self.body,
            "subject": self.subject,
            "requirement_ids": _requirements(requirement_ids, account_id),
            "in_reply_to_id": answered,
            "attachments": references(self.attachments),
        }


@strawberry.type(description="What mutations of an interaction answer.")
class InteractionPayload(Payload):
    """The interaction."""

    interaction: Interaction | None = changed_field(
        "Interaction", InteractionRow, "The interaction, as it is now."
    )


@strawberry.input(description="A contact to an account's user; `expectedVersion` is the account's.")
class InteractionDraftInput(NewInteractionInput):
    """What it is about and how it travels."""

    requirement_ids: list[strawberry.ID] = strawberry.field(
        description=(
            "The requirements of the account that it is about, at most 20; none for a contact "
            "about the account itself."
        )
    )
    purpose: InteractionPurpose = strawberry.field(description="What it is for.")
    channel: InteractionChannel = strawberry.field(description="How it travels.")

    def command(self) -> correspondence.DraftInteraction:
        return correspondence.DraftInteraction(
            purpose=plain(self.purpose),
            channel=plain(self.channel),
            **self.written(self.requirement_ids),
        )


@strawberry.type(description="The draft.")
class InteractionDraftPayload(InteractionPayload):
    """What interactionDraft answers."""


@strawberry.input(
    description="A message from an account's user; `expectedVersion` is the account's."
)
class InteractionReceiveInput(NewInteractionInput):
    """What it is about, how it came and from whom."""

    requirement_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "The requirements of the account that it is about, at most 20. If left out, those of "
            "what it answers; none where that is about the account itself, or it answers nothing."
        ),
    )
    channel: InteractionChannel = strawberry.field(
        default=InteractionChannel.DASHBOARD,
        description="How it came; account users write in the dashboard.",
    )
    sender: str | None = strawberry.field(
        default=None,
        description=(
            "Who wrote it, as the channel names them, such as an e-mail address; at most 320 "
            "characters. Only staff say so; the account's external id if left out."
        ),
    )

    def command(self) -> correspondence.ReceiveInteraction:
        return correspondence.ReceiveInteraction(
            channel=plain(self.channel),
            sender=self.sender,
            **self.written(self.requirement_ids),
        )


@strawberry.type(description="The message.")
class InteractionReceivePayload(InteractionPayload):
    """What interactionReceive answers."""


@strawberry.input(description="What every mutation of an interaction takes.")
class InteractionInput(ObjectInput):
    """Which interaction."""

    prefix = ids.INTERACTION

    expected_version: int | None = version_of("the interaction")
    id: strawberry.ID = strawberry.field(description="The interaction.")


@strawberry.input(description="Changes of a contact; what is left out stays as it is.")
class InteractionUpdateInput(InteractionInput):
    """New values."""

    purpose: InteractionPurpose | None = strawberry.field(
        default=strawberry.UNSET, description="What it is for from now on."
    )
    channel: InteractionChannel | None = strawberry.field(
        default=strawberry.UNSET, description="How it will travel."
    )
    subject: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The new subject, at most 200 characters; null for none.",
    )
    body: str | None = strawberry.field(
        default=strawberry.UNSET, description="The new text; at most 10,000 characters."
    )
    attachments: list[DocumentInput] | None = strawberry.field(
        default=strawberry.UNSET, description="The documents that go with it instead; at most 20."
    )
    requirement_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The requirements of the account that it is about instead, at most 20; none for the "
            "account itself."
        ),
    )
    scheduled_for: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When it goes out instead, now or later; only of what is SCHEDULED.",
    )

    def command(self) -> delivery.UpdateInteraction:
        given = {
            "purpose": plain(self.purpose),
            "channel": plain(self.channel),
            "subject": self.subject,
            "body": self.body,
            "attachments": self.attachments,
            "requirement_ids": self.requirement_ids,
            "scheduled_for": self.scheduled_for,
        }
        changes = changes_in(given, NEVER_NULL)
        if self.attachments:
            changes["attachments"] = references(self.attachments)
        shared = self.shared()
        if "requirement_ids" in changes:
            about = _requirements(self.requirement_ids, shared["account_id"])
            changes["requirement_ids"] = about
        return delivery.UpdateInteraction(changes=changes, **shared)


@strawberry.type(description="The changed contact.")
class InteractionUpdatePayload(InteractionPayload):
    """What interactionUpdate answers."""


@strawberry.input(description="What to send, and when.")
class InteractionScheduleInput(InteractionInput):
    """An instant."""

    at: datetime | None = strawberry.field(
        default=None, description="When it goes out, now or later; now if left out."
    )

    def command(self) -> delivery.ScheduleInteraction:
        return delivery.ScheduleInteraction(at=self.at, **self.shared())


@strawberry.type(description="The scheduled contact.")
class InteractionSchedulePayload(InteractionPayload):
    """What interactionSchedule answers."""


@strawberry.input(description="What to send.")
class InteractionSendInput(InteractionInput):
    """Which interaction."""

    def command(self) -> delivery.SendInteraction:
        return delivery.SendInteraction(**self.shared())


@strawberry.type(description="The contact, which is out.")
class InteractionSendPayload(InteractionPayload):
    """What interactionSend answers."""


@strawberry.input(description="Why a contact could not be sent.")
class InteractionFailureInput:
    """A code and words."""

    code: str = strawberry.field(
        description=(
            "The provider's or channel's code, of A-Z, a-z, 0-9 and _ . : -, at most 100 "
            "characters. The account's user may read it."
        )
    )
    message: str = strawberry.field(
        description="What went wrong, in words for staff; at most 1,000 characters."
    )


@strawberry.input(description="What was seen happen to a contact.")
class InteractionReportInput(InteractionInput):
    """A report, with its failure."""

    report: Report = strawberry.field(description="What has happened.")
    failure: InteractionFailureInput | None = strawberry.field(
        default=None, description="Why it could not be sent; with FAILED, and only with it."
    )

    def command(self) -> delivery.ReportInteraction:
        failure = None
        if self.failure is not None:
            failure = Failure(self.failure.code, self.failure.message)
        return delivery.ReportInteraction(
            report=plain(self.report), failure=failure, **self.shared()
        )


@strawberry.type(description="The contact that was reported on.")
class InteractionReportPayload(InteractionPayload):
    """What interactionReport answers."""


@strawberry.input(description="What not to send.")
class InteractionCancelInput(InteractionInput):
    """Which interaction."""

    def command(self) -> delivery.CancelInteraction:
        return delivery.CancelInteraction(**self.shared())


@strawberry.type(description="The contact that won't go out.")
class InteractionCancelPayload(InteractionPayload):
    """What interactionCancel answers."""


@strawberry.type(description="Mutations of interactions.")
class InteractionMutations:
    """The fields of the root type Mutation that concern interactions."""

    interaction_draft: InteractionDraftPayload = mutation(
        "interactionDraft",
        correspondence.draft,
        InteractionDraftInput,
        "Write to an account's user; nothing goes out yet.",
        (EventType.INTERACTION_DRAFTED,),
        argument="What to write.",
    )
    interaction_update: InteractionUpdatePayload = mutation(
        "interactionUpdate",
        delivery.update,
        InteractionUpdateInput,
        "Change a contact that has not gone out yet. Of one that has gone out before, and is to "
        "again, only the instant changes: its content stays as it was read (ALREADY_SENT).",
        (EventType.INTERACTION_UPDATED,),
        argument="The changes.",
    )
    interaction_schedule: InteractionSchedulePayload = mutation(
        "interactionSchedule",
        delivery.schedule,
        InteractionScheduleInput,
        "Let a contact go out at an instant, or one that failed again, as it is.",
        (EventType.INTERACTION_SCHEDULED,),
        argument="What and when.",
    )
    interaction_send: InteractionSendPayload = mutation(
        "interactionSend",
        delivery.send,
        InteractionSendInput,
        "Let a contact go out at once: its user sees it, and an e-mail is given to the mail "
        "server right after.",
        (EventType.INTERACTION_SENT, ANSWERED),
        argument="What to send.",
    )
    interaction_report: InteractionReportPayload = mutation(
        "interactionReport",
        delivery.report,
        InteractionReportInput,
        "Report what has happened to a contact. Steps may be left out, but there is none back; "
        "the same report again changes nothing.",
        (
            EventType.INTERACTION_SENT,
            EventType.INTERACTION_DELIVERED,
            EventType.INTERACTION_VIEWED,
            EventType.INTERACTION_RESPONDED,
            EventType.INTERACTION_FAILED,
        ),
        argument="What was seen.",
    )
    interaction_receive: InteractionReceivePayload = mutation(
        "interactionReceive",
        correspondence.receive,
        InteractionReceiveInput,
        "Take a message from the account's user. What it answers of the platform's is RESPONDED; "
        "requirements stay as they are, since a message is no evidence.",
        (EventType.INTERACTION_RECEIVED, ANSWERED),
        argument="The message.",
    )
    interaction_cancel: InteractionCancelPayload = mutation(
        "interactionCancel",
        delivery.cancel,
        InteractionCancelInput,
        "Don't let a contact go out, or not again. What has gone out before stays visible.",
        (EventType.INTERACTION_CANCELED,),
        argument="What not to send.",
    )
