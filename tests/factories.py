"""What tests begin with: actors, accounts, programs and requirements in any state.

Everything is made by the real operations, on the real store. A `Runner` carries what they need: the
database, the clock and the platform of the test.
"""

import itertools
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from app.database import Database
from models import account as accounts
from models import api_key, appeal, correspondence, decision, delivery, hold, note, referral
from models import requirement_operations as requirements
from models.account import CreateAccount
from models.actor import Actor, Role, Scope, system
from models.aggregate import Account
from models.api_key import ApiKey, CreateApiKey, Issued, RevokeApiKey, RotateApiKey
from models.appeal import Appeal, DecideAppeal
from models.base import Base
from models.clock import Clock, ManualClock
from models.correspondence import DraftInteraction, ReceiveInteraction
from models.decision import ApproveResolution, Decide, DeclineResolution
from models.delivery import (
    CancelInteraction,
    ReportInteraction,
    ScheduleInteraction,
    SendInteraction,
)
from models.hold import Hold, PlaceHold
from models.ids import platform_id_for
from models.interaction import Interaction, InteractionChannel, InteractionState
from models.interaction_steps import Failure
from models.note import AddNote, Note
from models.operation import rederive
from models.outcome import Outcome
from models.platform import ensure_platform
from models.program import CodeText, GroundKind, Program, Publish, publish
from models.referral import Recall, Refer
from models.requirement import Error, Requirement
from models.requirement_operations import (
    Cancel,
    OpenRequirement,
    RequestChanges,
    StartReview,
    Submit,
)
from models.resolution import Resolution, ResolutionOutcome, ResolutionState
from models.statement import InformationSource, Statement
from models.status import CapabilityKind, HoldReason, RequirementState

C = TypeVar("C")
T = TypeVar("T")
Row = TypeVar("Row", bound=Base)
Operation = Callable[[AsyncSession, Actor, Clock, C], Awaitable[Outcome[T]]]

PAYLOAD = {"name": "Ada Lovelace", "born": "1815-12-10"}
FAILURE = Failure("mailbox_unavailable", "There is no such mailbox.")
EVIDENCE_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "born": {"type": "string", "format": "date"},
        "owners": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"share": {"type": "number", "maximum": 100}},
            },
        },
    },
    "required": ["name"],
}
REJECTION = Statement(
    facts="The document shows another person.",
    ground="Terms of service, 5.2",
    ground_kind=GroundKind.CONTRACTUAL,
    source=InformationSource.OWN_INVESTIGATION,
    cited_fact="The name on the passport is not the one of the account.",
)
ERROR = Error(code="blurred", message="The photo is blurred.", field="document")

OF_APPEAL = (ResolutionState.APPEALED, ResolutionState.UPHELD, ResolutionState.OVERTURNED)

_numbers = itertools.count(1)


def unique(word: str) -> str:
    """`word` with a number that no other of this process has."""
    return f"{word}-{next(_numbers)}"


@dataclass(frozen=True)
class Runner:
    """Runs operations on one platform: `await run(operation, actor, command)`."""

    database: Database
    clock: ManualClock
    platform_id: uuid.UUID

    async def __call__(
        self, operation: Operation[C, T], actor: Actor, command: C, clock: Clock | None = None
    ) -> Outcome[T]:
        """Run one operation in a session of the actor's own, thus on a connection of its own."""
        async with self.database.session_for(actor) as session:
            return await operation(session, actor, clock or self.clock, command)

    async def fetch(self, kind: type[Row], *key: Any) -> Row:
        """The row as it stands in the store, with its staff-only columns."""
        async with self.database.session_for(self.system) as session:
            row = await session.get(kind, key, options=[undefer("*")])
            assert row is not None
            return row

    async def rederive(self, account_id: uuid.UUID) -> bool:
        """Let the clock catch up with one account, as the worker does."""
        async with self.database.session_for(self.system) as session:
            return await rederive(session, self.system, self.clock, account_id)

    def staff(self, role: Role, name: str) -> Actor:
        """Somebody of the platform, with all scopes."""
        return Actor(role, name, self.platform_id, name=name.title(), scopes=frozenset(Scope))

    def account_user(self, account: Account, name: str = "uma") -> Actor:
        """Somebody of the account."""
        return Actor(Role.ACCOUNT_USER, name, self.platform_id, account.account_id)

    @property
    def admin(self) -> Actor:
        return self.staff(Role.ADMIN, "ada")

    @property
    def reviewer(self) -> Actor:
        return self.staff(Role.REVIEWER, "rita")

    @property
    def second_reviewer(self) -> Actor:
        return self.staff(Role.REVIEWER, "sam")

    @property
    def integrator(self) -> Actor:
        return self.staff(Role.INTEGRATOR, "risk-engine")

    @property
    def system(self) -> Actor:
        return system(self.platform_id)


async def create_runner(database: Database, clock: ManualClock, slug: str | None = None) -> Runner:
    """A platform of its own, and what runs operations on it."""
    slug = slug or unique("platform")
    async with database.session_for(system(platform_id_for(slug))) as session:
        platform = await ensure_platform(session, clock, slug)
    return Runner(database, clock, platform.id)


async def create_account(run: Runner, **values: Any) -> Account:
    """An account; `values` override the command's."""
    given = {"external_id": unique("acct"), "business_name": "Acme Ltd", "country": "DE", **values}
    return (await run(accounts.create, run.integrator, CreateAccount(**given))).value


def program_values(**values: Any) -> Publish:
    """The command that publishes a program; `values` override its fields."""
    return Publish(
        **{
            "code": unique("program"),
            "name": "Identity",
            "owner": "identity-team",
            "category": "IDENTITY",
            "title": "Confirm who you are",
            "description": "Send a photo of your passport.",
            "evidence_schema": EVIDENCE_SCHEMA,
            "due_after": "P7D",
            "deadline_after": "P14D",
            "notice_period": "P3D",
            "restricts": (CapabilityKind.PAYOUTS,),
            "gates": (CapabilityKind.TRANSFERS,),
            "error_codes": (CodeText("blurred", "It can't be read."),),
            **values,
        }
    )


async def create_api_key(run: Runner, **values: Any) -> Issued:
    """An API key of a service, with its secret; `values` override the command's."""
    given = {"name": "Monitoring", "role": Role.INTEGRATOR, **values}
    return (await run(api_key.create, run.admin, CreateApiKey(**given))).value


async def rotate_api_key(run: Runner, key: ApiKey, **values: Any) -> Issued:
    """The key that takes the place of this one."""
    return (await run(api_key.rotate, run.admin, RotateApiKey(key.id, **values))).value


async def revoke_api_key(run: Runner, key: ApiKey, **values: Any) -> Issued:
    """The key, revoked."""
    return (await run(api_key.revoke, run.admin, RevokeApiKey(key.id, **values))).value


async def publish_program(run: Runner, **values: Any) -> Program:
    """A published program; `values` override the command's."""
    return (await run(publish, run.integrator, program_values(**values))).value


async def open_requirement(
    run: Runner,
    account: Account | None = None,
    program: Program | None = None,
    actor: Actor | None = None,
    **values: Any,
) -> Requirement:
    """An open requirement, on an account and under a program that are made unless given."""
    account = account or await create_account(run)
    program = program or await publish_program(run)
    command = OpenRequirement(account_id=account.account_id, program=program.code, **values)
    return (await run(requirements.open_requirement, actor or run.integrator, command)).value


async def submit(run: Runner, row: Requirement, payload: Any = PAYLOAD) -> Requirement:
    """Hand in evidence, as the account's user."""
    user = Actor(Role.ACCOUNT_USER, "uma", run.platform_id, row.account_id)
    return (await run(requirements.submit, user, Submit(**key_of(row), payload=payload))).value


async def decide(
    run: Runner, row: Requirement, outcome: ResolutionOutcome, actor: Actor | None = None
) -> Resolution:
    """Approve, reject or waive; a proposal where the program or the waiver asks for four eyes."""
    operation = {
        ResolutionOutcome.SATISFIED: decision.approve,
        ResolutionOutcome.REJECTED: decision.reject,
        ResolutionOutcome.WAIVED: decision.waive,
    }[outcome]
    statement = REJECTION if outcome is ResolutionOutcome.REJECTED else Statement()
    command = Decide(**key_of(row), reason_code="checked", statement=statement)
    return (await run(operation, actor or run.reviewer, command)).value


async def settle(run: Runner, proposal: Resolution, approve: bool = True) -> Resolution:
    """Approve or decline a proposal, as the second reviewer."""
    key: dict[str, Any] = {"account_id": proposal.account_id, "resolution_id": proposal.id}
    if approve:
        command = ApproveResolution(**key)
        return (await run(decision.approve_resolution, run.second_reviewer, command)).value
    declined = DeclineResolution(**key, reason="Ask them again.")
    return (await run(decision.decline_resolution, run.second_reviewer, declined)).value


async def object_to(
    run: Runner, row: Requirement, statement: str = "It is me.", actor: Actor | None = None
) -> Resolution:
    """Appeal a rejection, as the account's user."""
    user = Actor(Role.ACCOUNT_USER, "uma", run.platform_id, row.account_id)
    command = Appeal(**key_of(row), statement=statement)
    return (await run(appeal.appeal, actor or user, command)).value


async def judge(
    run: Runner, appealed: Resolution, uphold: bool = True, actor: Actor | None = None
) -> Resolution:
    """Uphold or overturn an appealed rejection, as the second reviewer."""
    key: dict[str, Any] = {"account_id": appealed.account_id, "resolution_id": appealed.id}
    operation = appeal.uphold if uphold else appeal.overturn
    command = DecideAppeal(**key, reasons="We have looked at it again.")
    return (await run(operation, actor or run.second_reviewer, command)).value


async def create_requirement(
    run: Runner,
    state: str = RequirementState.OPEN,
    account: Account | None = None,
    program: Program | None = None,
    **values: Any,
) -> Requirement:
    """A requirement in any state, brought there by the operations that lead to it."""
    row = await open_requirement(run, account, program, **values)
    await _bring_to(run, row, RequirementState(state))
    return await run.fetch(Requirement, row.account_id, row.id)


async def create_resolution(
    run: Runner,
    state: str = ResolutionState.PROPOSED,
    row: Requirement | None = None,
) -> Resolution:
    """A waiver in any state of a resolution; a rejection in those of an appeal."""
    row = row or await open_requirement(run)
    if state in OF_APPEAL:
        return await _create_appealed(run, row, state)
    proposal = await decide(run, row, ResolutionOutcome.WAIVED)
    if state == ResolutionState.PROPOSED:
        return proposal
    return await settle(run, proposal, approve=state == ResolutionState.FINAL)


async def _create_appealed(run: Runner, row: Requirement, state: str) -> Resolution:
    await submit(run, row)
    await decide(run, row, ResolutionOutcome.REJECTED)
    appealed = await object_to(run, row)
    if state == ResolutionState.APPEALED:
        return appealed
    return await judge(run, appealed, uphold=state == ResolutionState.UPHELD)


async def draft_interaction(
    run: Runner, row: Requirement | None = None, by: Actor | None = None, **values: Any
) -> Interaction:
    """A draft about a requirement that is made unless given; `values` override the command's."""
    row = row or await open_requirement(run)
    given = {
        "account_id": row.account_id,
        "requirement_ids": (row.id,),
        "channel": InteractionChannel.EMAIL,
        "subject": "Your documents",
        "body": "Please send them.",
        **values,
    }
    return (await run(correspondence.draft, by or run.reviewer, DraftInteraction(**given))).value


async def create_interaction(
    run: Runner, state: str = "DRAFT", row: Requirement | None = None, **values: Any
) -> Interaction:
    """A contact in any state, brought there by the operations that lead to it."""
    contact = await draft_interaction(run, row, **values)
    key = contact_key(contact)
    if state == "SCHEDULED":
        later = ScheduleInteraction(**key, at=run.clock.now() + timedelta(days=1))
        await run(delivery.schedule, run.reviewer, later)
    elif state == "CANCELED":
        await run(delivery.cancel, run.reviewer, CancelInteraction(**key))
    elif state != "DRAFT":
        await run(delivery.send, run.reviewer, SendInteraction(**key))
        if state != "SENT":
            failure = FAILURE if state == "FAILED" else None
            seen = ReportInteraction(**key, report=state, failure=failure)
            await run(delivery.report, run.integrator, seen)
    return await run.fetch(Interaction, contact.account_id, contact.id)


async def receive_message(
    run: Runner, row: Requirement | None = None, **values: Any
) -> Interaction:
    """A message of the account's user about a requirement, written in the dashboard."""
    row = row or await open_requirement(run)
    user = Actor(Role.ACCOUNT_USER, "uma", run.platform_id, row.account_id)
    given = {
        "account_id": row.account_id,
        "requirement_ids": (row.id,),
        "body": "Which ones?",
        **values,
    }
    return (await run(correspondence.receive, user, ReceiveInteraction(**given))).value


async def cancel_notices(run: Runner, row: Requirement) -> None:
    """Let nothing go out that the requirement's operations have scheduled."""
    async with run.database.session_for(run.system) as session:
        waiting = await session.scalars(
            select(Interaction).where(
                Interaction.account_id == row.account_id,
                Interaction.state == InteractionState.SCHEDULED,
            )
        )
        keys = [contact_key(one) for one in waiting]
    for key in keys:
        await run(delivery.cancel, run.reviewer, CancelInteraction(**key))


def contact_key(row: Interaction) -> dict[str, Any]:
    """The fields with which a command names an interaction."""
    return {"account_id": row.account_id, "interaction_id": row.id}


async def place_hold(run: Runner, account: Account, **values: Any) -> Hold:
    """A hold on payouts; `values` override the command's."""
    given = {
        "account_id": account.account_id,
        "capabilities": (CapabilityKind.PAYOUTS,),
        "reason": HoldReason.UNDER_REVIEW,
        **values,
    }
    return (await run(hold.place, run.reviewer, PlaceHold(**given))).value


async def add_note(run: Runner, row: Requirement, text: str = "Seen before.") -> Note:
    """An internal note."""
    return (await run(note.add, run.reviewer, AddNote(**key_of(row), text=text))).value


async def refer(run: Runner, row: Requirement, to: str = "Commerzbank") -> Requirement:
    """Say that somebody else is waited for."""
    return (await run(referral.refer, run.reviewer, Refer(**key_of(row), to=to))).value


async def recall(run: Runner, row: Requirement) -> Requirement:
    """Say that nobody else is waited for any more."""
    return (await run(referral.recall, run.reviewer, Recall(**key_of(row)))).value


def key_of(row: Requirement) -> dict[str, Any]:
    """The fields with which a command names a requirement."""
    return {"account_id": row.account_id, "requirement_id": row.id}


async def _bring_to(run: Runner, row: Requirement, state: RequirementState) -> None:
    if state is RequirementState.CANCELED:
        await run(
            requirements.cancel,
            run.admin,
            Cancel(**key_of(row), reason="Opened in error."),
        )
    elif state is RequirementState.WAIVED:
        await settle(run, await decide(run, row, ResolutionOutcome.WAIVED))
    elif state is not RequirementState.OPEN:
        await submit(run, row)
        await _bring_on(run, row, state)


async def _bring_on(run: Runner, row: Requirement, state: RequirementState) -> None:
    if state is RequirementState.ACTION_REQUIRED:
        back = RequestChanges(**key_of(row), errors=(ERROR,))
        await run(requirements.request_changes, run.reviewer, back)
    elif state is RequirementState.IN_REVIEW:
        await run(requirements.start_review, run.reviewer, StartReview(**key_of(row)))
    elif state is not RequirementState.SUBMITTED:
        made = await decide(run, row, ResolutionOutcome(state))
        if made.state == ResolutionState.PROPOSED:
            await settle(run, made)
