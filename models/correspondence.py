"""What both sides write: drafts to the account's user, and messages from them.

How a contact goes on from there is in `delivery.py`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor, ActorKind
from models.aggregate import AccountCommand, Unit
from models.base import stamp
from models.clock import Clock
from models.errors import InvalidInput, NotFound
from models.events import EventType
from models.evidence import DocumentReference
from models.ids import hex_id, id_array
from models.interaction import (
    Interaction,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionState,
    check_content,
    was_shown,
)
from models.interaction_steps import (
    links_of,
    new_interaction,
    read_interaction,
    record_new,
    requirements_named,
    take_reply,
)
from models.operation import operate
from models.outcome import Outcome
from models.text import check_line
from models.unanswered import note_message

MAX_SENDER_LENGTH = 320


@dataclass(frozen=True, kw_only=True)
class WriteInteraction(AccountCommand):
    """What a new contact is made of, whichever way. `expected_version` is the account's.

    Without requirements it is about the account itself.
    """

    body: str
    requirement_ids: tuple[uuid.UUID, ...] = ()
    channel: str = InteractionChannel.DASHBOARD
    subject: str | None = None
    in_reply_to_id: uuid.UUID | None = None
    attachments: tuple[DocumentReference, ...] = ()

    def objects(self) -> Mapping[str, Any]:
        """What it is about, and what it answers."""
        found: dict[str, Any] = {"about": id_array(map(hex_id, self.requirement_ids))}
        if self.in_reply_to_id is not None:
            found["answered"] = self.in_reply_to_id
        return found


@dataclass(frozen=True, kw_only=True)
class DraftInteraction(WriteInteraction):
    """What `draft` takes."""

    purpose: str = InteractionPurpose.MESSAGE


@dataclass(frozen=True, kw_only=True)
class ReceiveInteraction(WriteInteraction):
    """What `receive` takes. Without requirements, it is about what that is about which it answers.

    `sender` is who wrote it, as the channel names them; only staff say so.
    """

    sender: str | None = None


async def draft(
    session: AsyncSession, actor: Actor, clock: Clock, command: DraftInteraction
) -> Outcome[Interaction]:
    """Write to an account's user; nothing goes out yet.

    Raises `Forbidden`, `NotFound` for what it is about or answers, `InvalidInput`.
    """
    check_content(command.channel, command.subject, command.body, command.attachments)

    async def step(unit: Unit) -> Interaction:
        unit.expect_version(command.expected_version)
        answered = _answered(unit, command)
        about = _about(unit, command)
        row = new_interaction(unit, about, purpose=command.purpose, **_written(command, answered))
        stamp(row, "author", unit.actor)
        record_new(unit, row, EventType.INTERACTION_DRAFTED, about)
        return row

    return await operate(session, actor, clock, "interactionDraft", command, Interaction, step)


async def receive(
    session: AsyncSession, actor: Actor, clock: Clock, command: ReceiveInteraction
) -> Outcome[Interaction]:
    """Take a message from the account's user; what it answers of the platform's is RESPONDED.

    What it is about and is open waits for an answer from then on; its state, its deadline and its
    clock stay as they are. Raises `NotFound` for what it is about or answers, `InvalidInput`.
    """
    _check_sender(actor, command)
    check_content(command.channel, command.subject, command.body, command.attachments)

    async def step(unit: Unit) -> Interaction:
        unit.expect_version(command.expected_version)
        answered = _answered(unit, command)
        about = _about(unit, command)
        row = new_interaction(
            unit,
            about,
            **_written(command, answered),
            direction=InteractionDirection.INBOUND.value,
            state=InteractionState.DELIVERED.value,
            sent_at=unit.now,
            first_sent_at=unit.now,
            delivered_at=unit.now,
        )
        _stamp_sender(unit, row, command.sender)
        record_new(unit, row, EventType.INTERACTION_RECEIVED, about)
        note_message(unit, about)
        if answered is not None:
            take_reply(unit, answered, row)
        return row

    return await operate(session, actor, clock, "interactionReceive", command, Interaction, step)


def _written(command: WriteInteraction, answered: Interaction | None) -> dict[str, Any]:
    """The columns that the command fills."""
    return {
        "channel": InteractionChannel(command.channel).value,
        "subject": command.subject,
        "body": command.body,
        "attachments": [asdict(document) for document in command.attachments],
        "in_reply_to_id": None if answered is None else answered.id,
    }


def _stamp_sender(unit: Unit, row: Interaction, sender: str | None) -> None:
    """Write who wrote it: the user who sends it in, or whoever it was that staff pass on."""
    if unit.actor.kind is ActorKind.ACCOUNT_USER:
        stamp(row, "author", unit.actor)
        return
    row.author_kind = ActorKind.ACCOUNT_USER.value
    row.author_id, row.author_name = sender or unit.account.external_id, None


def _answered(unit: Unit, command: WriteInteraction) -> Interaction | None:
    """What the command answers: something that its reader can have seen."""
    if command.in_reply_to_id is None:
        return None
    row = read_interaction(unit, command.in_reply_to_id)
    if row is None:
        raise NotFound("interaction", ("inReplyTo",))
    if not was_shown(row):
        raise InvalidInput(f"What is {row.state} can't be answered.", ("inReplyTo",))
    return row


def _about(unit: Unit, command: WriteInteraction) -> list[uuid.UUID]:
    """The requirements that the command names, else those of what a received one answers."""
    if command.requirement_ids or not isinstance(command, ReceiveInteraction):
        return requirements_named(unit, command.requirement_ids)
    return [link.requirement_id for link in links_of(unit, command.in_reply_to_id)]


def _check_sender(actor: Actor, command: ReceiveInteraction) -> None:
    if command.sender is not None:
        check_line(command.sender, MAX_SENDER_LENGTH, "sender")
    if actor.is_staff:
        return
    if command.sender is not None:
        raise InvalidInput("Who writes is who is logged in.", ("sender",))
    if command.channel != InteractionChannel.DASHBOARD:
        raise InvalidInput("Account users write in the dashboard.", ("channel",))
