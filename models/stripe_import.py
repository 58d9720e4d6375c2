"""Importing Stripe's account objects: accounts, capabilities and requirements made of them.

One object is one transaction under its account's lock, and the same object again changes nothing.
Of what the last import said of each field, the account keeps a note: only what Stripe says anew is
acted on, so that what reviewers and users did here since then stands until Stripe contradicts it:

- A field that is new, has become more pressing, or has new errors opens a requirement, or reopens
  the one that was satisfied or waived; in place of a rejected or canceled one, a new one opens.
- A deadline is taken over when Stripe moves it, so that an extension of our own stands.
- A field that Stripe no longer lists satisfies its open requirement. A rejection stays, and so does
  its appeal.

The name, the country, the email address and the capabilities are Stripe's.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer_group

from models.account import CreateAccount, change_profile, fill_new_account, insert_blank
from models.account_rejection import end_rejection, set_rejection
from models.actor import Actor, system
from models.aggregate import Account, Unit
from models.base import STAFF_ONLY
from models.catching_up import catch_up
from models.clock import Clock
from models.deadlines import set_deadline
from models.events import EventType
from models.hold import Hold, add_hold, end_hold
from models.ids import account_id_for
from models.operation import lock, read_locked, write
from models.program import Program, ProgramNotPublished, all_published, publish_missing
from models.requirement import Error, Priority, Reason, Requirement, RequirementAction, is_open
from models.requirement_steps import (
    drop_proposal,
    end,
    hand_in,
    note_update,
    open_again,
    open_under,
    program_of,
    send_back,
)
from models.resolution import ResolutionOutcome
from models.resolution_steps import new_resolution
from models.session import transaction
from models.statement import AutomatedDecision, InformationSource, Statement
from models.status import (
    AWAITING_ACCOUNT,
    AWAITING_RISK,
    CapabilityKind,
    RequirementState,
)
from models.stripe.programs import program_of as program_code
from models.stripe.programs import programs as stripe_programs
from models.stripe.programs import title_of
from models.stripe.snapshot import Ask, Due, Snapshot, parse

IMPORTER = "stripe-import"
ORIGIN = "stripe:"
PROVIDED_ELSEWHERE = "provided_elsewhere"
NOT_VERIFIED = Error(
    code="verification_failed_other", message="What was provided could not be verified."
)
WORDS = {
    Due.PAST: "Stripe lists this as past due.",
    Due.CURRENTLY: "Stripe lists this as currently due.",
    Due.FUTURE: "Stripe will ask for this from a date on.",
    Due.EVENTUALLY: "Stripe will ask for this sooner or later.",
    Due.PENDING: "Stripe is verifying this.",
}


class Effect(StrEnum):
    """What the import of one object did."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"


@dataclass(frozen=True)
class Imported:
    """What one object came to. `ignored` names its capabilities that are not ours."""

    effect: Effect
    account_id: uuid.UUID
    ignored: tuple[str, ...]


def importer(platform_id: uuid.UUID) -> Actor:
    """Who imports, on one platform."""
    return system(platform_id, IMPORTER)


async def prepare(session: AsyncSession, actor: Actor, clock: Clock) -> dict[str, Program]:
    """Publish the import's programs where the platform has none; the published ones by code."""
    await publish_missing(session, actor, clock, stripe_programs())
    async with transaction(session, actor):
        return await all_published(session, actor.platform_id)


async def import_account(
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    programs: Mapping[str, Program],
    value: Any,
) -> Imported:
    """Make what one account object says so; `programs` is what `prepare` gave.

    Raises `InvalidInput` for an object that can't be used, `ProgramNotPublished` where the platform
    has retired a program that is needed; then nothing is written.
    """
    snapshot = parse(value)
    account_id = account_id_for(actor.platform_id, snapshot.external_id)
    async with transaction(session, actor):
        effect = Effect.UNCHANGED
        # Read before the lock: most objects of an import that is run again say nothing new.
        if (await _note(session, account_id)).get("digest") != snapshot.digest:
            await insert_blank(session, actor, account_id, _command(snapshot), clock.now())
            await lock(session, actor, account_id)
            unit = await read_locked(session, actor, clock, account_id, {"terms": True})
            before = await _note(session, account_id)
            effect = await _Import(unit, snapshot, before, programs).run()
            await write(unit)
        return Imported(effect, account_id, snapshot.ignored)


async def _note(session: AsyncSession, account_id: uuid.UUID) -> dict[str, Any]:
    """What the last import said of the account."""
    where = Account.account_id == account_id
    return await session.scalar(select(Account.import_state).where(where)) or {}


def _command(snapshot: Snapshot) -> CreateAccount:
    return CreateAccount(
        external_id=snapshot.external_id,
        business_name=snapshot.business_name,
        country=snapshot.country,
        email=snapshot.email,
        capabilities=snapshot.capabilities,
    )


class _Import:
    """One object on its way into one account under its lock."""

    def __init__(
        self,
        unit: Unit,
        snapshot: Snapshot,
        before: Mapping[str, Any],
        programs: Mapping[str, Program],
    ) -> None:
        self.unit = unit
        self.snapshot = snapshot
        self.before = before
        self.programs = programs

    async def run(self) -> Effect:
        """Bring the account to what the object says."""
        unit, snapshot = self.unit, self.snapshot
        await catch_up(unit)
        effect = Effect.UPDATED if unit.account.event_sequence else Effect.CREATED
        if effect is Effect.CREATED:
            fill_new_account(unit, _command(snapshot))
        await self._change_profile()
        self._hold()
        rows = await self._rows()
        for row in [row for row in unit.requirements if self._is_gone(row)]:
            await self._satisfy(row)
        known = self.before.get("fields", {})
        for ask in snapshot.asks:
            await self._ask(ask, rows.get(ORIGIN + ask.field), known.get(ask.field))
        unit.account.import_state = {
            "digest": snapshot.digest,
            "fields": {ask.field: _said(ask) for ask in snapshot.asks},
            "rejected": snapshot.rejected_reason,
            "hold": snapshot.hold,
        }
        unit.derive()
        return effect

    async def _change_profile(self) -> None:
        snapshot, account = self.snapshot, self.unit.account
        changes: dict[str, Any] = {
            "business_name": snapshot.business_name,
            "country": snapshot.country,
            "email": snapshot.email,
            "capabilities": snapshot.capabilities,
        }
        await change_profile(self.unit, changes)
        # A rejection of our own is not Stripe's to take back.
        ours = account.rejected_reason not in (None, self.before.get("rejected"))
        if not ours and account.rejected_reason != snapshot.rejected_reason:
            self._follow_rejection(snapshot.rejected_reason)

    def _follow_rejection(self, reason: str | None) -> None:
        if reason is None:
            end_rejection(self.unit, "Stripe no longer says that it has rejected the account.")
        else:
            set_rejection(self.unit, reason, f"Stripe has rejected the account ({reason}).")

    def _hold(self) -> None:
        """Hold everything while Stripe says so. What a reviewer has released stays released."""
        wanted = self.snapshot.hold
        for hold in [hold for hold in self.unit.holds if _is_ours(hold)]:
            if hold.reason != wanted:
                end_hold(self.unit, hold)
        if wanted is not None and wanted != self.before.get("hold"):
            kinds = [kind.value for kind in CapabilityKind]
            add_hold(self.unit, kinds, wanted, "Stripe has disabled the account.")

    async def _rows(self) -> dict[str, Requirement]:
        """The last requirement of each origin that the object names."""
        unit = self.unit
        origins = [ORIGIN + ask.field for ask in self.snapshot.asks]
        found = await unit.store.scalars(
            select(Requirement)
            .where(
                Requirement.account_id == unit.account.account_id,
                Requirement.origin.in_(origins),
            )
            # Of two made at one instant, the open one is the last, and not the one in appeal.
            .order_by(
                Requirement.created_at,
                Requirement.appealed_at.nulls_last(),
                Requirement.closed_at.nulls_last(),
            )
            .options(undefer_group(STAFF_ONLY))
        )
        return {str(row.origin): row for row in found}

    def _is_gone(self, row: Requirement) -> bool:
        listed = {ORIGIN + ask.field for ask in self.snapshot.asks}
        ours = row.origin is not None and row.origin.startswith(ORIGIN)
        return ours and is_open(row) and row.origin not in listed

    async def _satisfy(self, row: Requirement) -> None:
        unit = self.unit
        if row.state in AWAITING_ACCOUNT:
            self._submit(row, await program_of(unit, row))
        statement = Statement(
            facts=f"Stripe no longer lists {str(row.origin).removeprefix(ORIGIN)}.",
            source=InformationSource.THIRD_PARTY,
            automated_decision=AutomatedDecision.FULL,
        )
        outcome = ResolutionOutcome.SATISFIED
        new_resolution(unit, row, outcome, PROVIDED_ELSEWHERE, statement, four_eyes=False)
        end(
            unit,
            row,
            RequirementAction.APPROVE,
            EventType.REQUIREMENT_APPROVED,
            PROVIDED_ELSEWHERE,
        )
        await drop_proposal(unit, row)

    async def _ask(
        self, ask: Ask, row: Requirement | None, known: Mapping[str, Any] | None
    ) -> None:
        if row is None:
            self._open(ask)
        elif is_open(row):
            await self._update(ask, row, known or {})
        elif not _says_more(ask, known):
            return
        elif row.state in (RequirementState.SATISFIED, RequirementState.WAIVED):
            await self._reopen(ask, row)
        else:
            self._open(ask)

    def _open(self, ask: Ask) -> None:
        unit, program = self.unit, self._program(ask)
        currently_due_at, deadline = _times(ask, None, unit.now)
        row = open_under(
            unit,
            program,
            currently_due_at=currently_due_at,
            deadline=deadline,
            requested_reasons=[Reason(f"stripe.{ask.due.lower()}", WORDS[ask.due])],
            alternative_group=ask.group,
            alternative_option=ask.option,
            priority=Priority.HIGH if ask.due is Due.PAST else Priority.NORMAL,
            title=title_of(ask.field),
            origin=ORIGIN + ask.field,
        )
        if ask.due is Due.PENDING or ask.errors:
            self._submit(row, program)
        if ask.errors:
            send_back(unit, row, program, ask.errors)

    async def _reopen(self, ask: Ask, row: Requirement) -> None:
        unit = self.unit
        program = await program_of(unit, row)
        currently_due_at, deadline = _times(ask, row, unit.now)
        open_again(unit, row, program, currently_due_at, deadline, WORDS[ask.due])
        if row not in unit.requirements:
            unit.requirements.append(row)
        changes = _set_group(row, ask) | _set_errors(row, ask.errors)
        if changes:
            note_update(self.unit, row, changes)

    async def _update(self, ask: Ask, row: Requirement, known: Mapping[str, Any]) -> None:
        """Take over what Stripe says anew of a requirement that is open."""
        said, unit = _said(ask), self.unit
        program = await program_of(unit, row)
        changes = _set_group(row, ask)
        if (said["due"], said["deadline"]) != (known.get("due"), known.get("deadline")):
            changes |= self._set_times(row, ask, program)
        if said["errors"] != known.get("errors", []):
            changes |= self._judge(row, program, ask.errors)
        elif said["due"] != known.get("due"):
            self._hand_over(row, program, ask, known)
        if changes:
            note_update(self.unit, row, changes)
        await drop_proposal(unit, row)

    def _judge(
        self, row: Requirement, program: Program, errors: tuple[Error, ...]
    ) -> dict[str, Any]:
        """Send back what Stripe finds wrong, or say what is wrong now."""
        if errors and row.state == RequirementState.OPEN:
            self._submit(row, program)
        if errors and row.state in AWAITING_RISK:
            send_back(self.unit, row, program, errors)
            return {}
        return _set_errors(row, errors)

    def _hand_over(
        self, row: Requirement, program: Program, ask: Ask, known: Mapping[str, Any]
    ) -> None:
        """Follow Stripe's verification as it begins, and as it ends without success."""
        if ask.due is Due.PENDING and row.state in AWAITING_ACCOUNT:
            self._submit(row, program)
        elif known.get("due") == Due.PENDING and row.state in AWAITING_RISK:
            send_back(self.unit, row, program, ask.errors or (NOT_VERIFIED,))

    def _set_times(self, row: Requirement, ask: Ask, program: Program) -> dict[str, Any]:
        before = (row.currently_due_at, row.deadline)
        row.currently_due_at, deadline = _times(ask, row, self.unit.now)
        set_deadline(row, deadline, program, self.unit.now)
        if before == (row.currently_due_at, row.deadline):
            return {}
        return {"currentlyDueAt": row.currently_due_at, "deadline": row.deadline}

    def _submit(self, row: Requirement, program: Program) -> None:
        """Move it to risk; the evidence is Stripe's, and stays there."""
        hand_in(self.unit, row, program)

    def _program(self, ask: Ask) -> Program:
        code = program_code(ask.field)
        if code not in self.programs:
            raise ProgramNotPublished(code)
        return self.programs[code]


def _is_ours(hold: Hold) -> bool:
    return hold.released_at is None and hold.placed_by_id == IMPORTER


def _said(ask: Ask) -> dict[str, Any]:
    """What the account keeps of what Stripe said of a field."""
    errors = [[error.code, error.message] for error in ask.errors]
    return {"due": ask.due.value, "deadline": ask.deadline, "errors": errors}


def _set_group(row: Requirement, ask: Ask) -> dict[str, Any]:
    before = (row.alternative_group, row.alternative_option)
    row.alternative_group, row.alternative_option = ask.group, ask.option
    if before == (ask.group, ask.option):
        return {}
    return {"alternativeGroup": ask.group, "alternativeOption": ask.option}


def _set_errors(row: Requirement, errors: Iterable[Error]) -> dict[str, Any]:
    wanted = [asdict(error) for error in errors]
    if row.errors == wanted:
        return {}
    row.errors = wanted
    return {"errors": [{"code": error["code"], "field": error["field"]} for error in wanted]}


def _says_more(ask: Ask, known: Mapping[str, Any] | None) -> bool:
    """Whether Stripe asks anew, or more than before, for what has ended here."""
    if ask.due is Due.PENDING:
        return False
    if known is None:
        return True
    order = [due.value for due in Due]
    worse = order.index(ask.due) > order.index(known["due"])
    return worse or (bool(ask.errors) and _said(ask)["errors"] != known["errors"])


def _times(
    ask: Ask, row: Requirement | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """When it is currently due, and its deadline."""
    stated = None if ask.deadline is None else datetime.fromtimestamp(ask.deadline, UTC)
    if ask.due is Due.FUTURE:
        return stated, stated
    if ask.due not in (Due.CURRENTLY, Due.PAST):
        return None, None
    since = row.currently_due_at if row is not None else None
    if since is None or since > now:
        since = now
    if ask.due is Due.PAST:
        earlier = (stated, row.deadline if row is not None else None, now)
        stated = next(instant for instant in earlier if instant is not None and instant <= now)
    return (since if stated is None else min(since, stated)), stated
