"""An account that has something of everything, and more of it where that is asked for."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from models import decision, hold
from models import requirement_operations as requirements
from models.actor import system
from models.aggregate import Account
from models.decision import Decide
from models.evidence import DocumentReference, Evidence
from models.hold import ReleaseHold
from models.ids import uuid7
from models.interaction import (
    Interaction,
    InteractionChannel,
    InteractionDirection,
    InteractionPurpose,
    InteractionRequirement,
    InteractionState,
)
from models.notice_texts import NoticeText
from models.program import CodeText, GroundKind, Program
from models.requirement import Error, Reason, Requirement
from models.requirement_operations import Reopen, RequestChanges, Submit
from models.resolution import ResolutionOutcome
from models.session import transaction
from models.status import CapabilityKind, RequirementState
from tests.factories import (
    ERROR,
    PAYLOAD,
    REJECTION,
    Runner,
    add_note,
    create_account,
    create_requirement,
    decide,
    judge,
    key_of,
    object_to,
    open_requirement,
    place_hold,
    publish_program,
    settle,
    submit,
)

EVERY_STATE = tuple(RequirementState)


async def create_full_account(run: Runner, more_requirements: int = 0) -> Account:
    """An account for which no list, and no field that can be missing, is empty everywhere.

    The clock moves on past the deadline of one of its requirements.
    """
    account = await create_account(run, email="owner@acme.example")
    await _place_holds(run, account)
    # Ids of one millisecond come in any order: some of each kind are among the first of all.
    run.clock.advance(timedelta(milliseconds=1))
    program = await publish_full_program(run)
    group = [await _open_alternative(run, account, program) for _ in range(3)]
    await _settle_with_history(run, group[0])
    run.clock.advance(timedelta(milliseconds=1))
    lost = await _lose_appeal(run, account, program)
    cards = await _gate_cards(run, account)
    # All of this comes first in every order.
    run.clock.advance(timedelta(minutes=1))
    states: list[str] = [
        state for state in EVERY_STATE if state is not RequirementState.ACTION_REQUIRED
    ]
    states += EVERY_STATE * (more_requirements // len(EVERY_STATE))
    rows = [
        await create_requirement(run, state, account, program, requested_reasons=REASONS)
        for state in states
    ]
    rows.append(await _send_back(run, account, program))
    rows.append(lost)
    await decide(run, rows[states.index(RequirementState.IN_REVIEW)], ResolutionOutcome.WAIVED)
    await write_contacts(run, [*group, *rows, *cards])
    for row in (*group, *rows, *cards):
        for text in ("Seen before.", "See the alert of the monitoring."):
            await add_note(run, row, text)
    run.clock.advance(timedelta(days=15))
    await run.rederive(account.account_id)
    return account


CARDS = (CapabilityKind.CARD_PAYMENTS,)
BOTH = (CapabilityKind.PAYOUTS, CapabilityKind.TRANSFERS)
REASONS = (Reason("ownership_changed", "It has a new owner."), Reason("other", "And more."))
DOCUMENTS = tuple(
    DocumentReference(f"https://files.example/{n}", str(n) * 64, "application/pdf", 1_000, f"{n}")
    for n in range(2)
)


async def publish_full_program(run: Runner, **terms: Any) -> Program:
    """A program none of whose lists is empty, unless `terms` say so."""
    terms = {"restricts": BOTH, "gates": BOTH, **terms}
    return await publish_program(
        run,
        **terms,
        proves=("address", "name"),
        reminders=("P3D", "P1D"),
        review_within="P2D",
        legal_ground="Terms of service, 5.2",
        legal_ground_kind=GroundKind.CONTRACTUAL,
        reason_codes=(CodeText("checked", "It is so."), CodeText("other", "Something else.")),
        notices=(
            NoticeText("REQUESTED", "{{ requirement.title }}", "Dear {{ account.businessName }}!"),
            NoticeText("EXTENDED", "More time", "Until {{ requirement.deadline }}."),
        ),
        error_codes=(CodeText("blurred", "It can't be read."), CodeText("old", "It has expired.")),
    )


async def write_contacts(run: Runner, rows: list[Requirement]) -> list[Interaction]:
    """One contact about each row and about the first one; each but the last has two answers.

    They come first in every order, also before all notices, what is answered before its answers.
    """
    account_id, first = rows[0].account_id, rows[0].created_at - timedelta(minutes=1)
    contacts: list[Interaction] = []
    for n in range(len(rows)):
        failed, answer = n % 3 == 2, n % 3 == 1
        now = first + timedelta(milliseconds=n)
        contact = Interaction(
            account_id=account_id,
            platform_id=run.platform_id,
            id=uuid7(now),
            version=1,
            created_at=now,
            updated_at=now,
            purpose=InteractionPurpose.MESSAGE if answer else InteractionPurpose.REQUEST,
            channel=list(InteractionChannel)[n % len(InteractionChannel)],
            direction=InteractionDirection.INBOUND if answer else InteractionDirection.OUTBOUND,
            state=InteractionState.FAILED if failed else InteractionState.SENT,
            subject="Your documents",
            body="Please send it.",
            author_kind="REVIEWER",
            author_id="rita",
            sent_at=now,
            first_sent_at=now,
            attachments=[asdict(document) for document in DOCUMENTS],
            in_reply_to_id=contacts[(n - 1) // 2].id if contacts else None,
            failure={"code": "refused", "message": "Nobody there."} if failed else None,
        )
        contacts.append(contact)
    actor = system(run.platform_id)
    async with run.database.session_for(actor) as session, transaction(session, actor):
        session.add_all(contacts)
        await session.flush()
        session.add_all(
            InteractionRequirement(
                account_id=account_id,
                platform_id=run.platform_id,
                interaction_id=contact.id,
                requirement_id=about.id,
                interaction_created_at=contact.created_at,
            )
            for contact, row in zip(contacts, rows, strict=True)
            for about in {row.id: row, rows[0].id: rows[0]}.values()
        )
    return contacts


async def _open_alternative(
    run: Runner, account: Account, program: Program, group: str = "address"
) -> Requirement:
    """One of several, due before all others."""
    return await open_requirement(
        run,
        account,
        program,
        alternative_group=group,
        deadline=run.clock.now() + timedelta(days=10),
        requested_reasons=REASONS,
    )


async def _send_back(run: Runner, account: Account, program: Program) -> Requirement:
    """One that has several errors."""
    row = await create_requirement(run, RequirementState.SUBMITTED, account, program)
    errors = (ERROR, Error(code="old", message="It has expired."))
    back = RequestChanges(**key_of(row), errors=errors)
    return (await run(requirements.request_changes, run.reviewer, back)).value


async def _lose_appeal(run: Runner, account: Account, program: Program) -> Requirement:
    """One that was rejected for two submissions in two countries; the appeal changed nothing."""
    row = await _send_back(run, account, program)
    await submit(run, row)
    async with run.database.session_for(run.system) as session:
        query = select(Evidence.id).where(Evidence.requirement_id == row.id)
        cited = tuple(await session.scalars(query))
    statement = replace(REJECTION, cited_evidence=cited, territories=("DE", "FR"))
    rejection = Decide(**key_of(row), reason_code="other", statement=statement)
    await run(decision.reject, run.reviewer, rejection)
    await judge(run, await object_to(run, row))
    return row


async def _gate_cards(run: Runner, account: Account) -> list[Requirement]:
    """Two that gate card payments and will restrict them at one far instant, and an alternative."""
    program = await publish_full_program(run, restricts=CARDS, gates=CARDS)
    rows = [await _open_alternative(run, account, program, "cards") for _ in range(3)]
    await _settle_with_history(run, rows[0])
    others = [await _open_alternative(run, account, program, "cards") for _ in range(2)]
    await _settle_with_history(run, others[0])
    deadline = run.clock.now() + timedelta(days=9_000)
    for row in (rows[0], others[0]):
        again = Reopen(**key_of(row), reason="It expired once more.", deadline=deadline)
        await run(requirements.reopen, run.reviewer, again)
    return [*rows, *others]


async def _settle_with_history(run: Runner, row: Requirement) -> None:
    """Declined once, approved, reopened, submitted again, approved again."""
    await settle(run, await decide(run, row, ResolutionOutcome.WAIVED), approve=False)
    for again in (True, False):
        submitted = Submit(**key_of(row), payload=PAYLOAD, documents=DOCUMENTS)
        await run(requirements.submit, run.reviewer, submitted)
        await decide(run, row, ResolutionOutcome.SATISFIED)
        if again:
            again_by = Reopen(**key_of(row), reason="It expired.", deadline=row.deadline)
            await run(requirements.reopen, run.reviewer, again_by)


async def _place_holds(run: Runner, account: Account) -> None:
    for released in (True, False, False):
        placed = await place_hold(run, account, note="Seen.", capabilities=BOTH)
        if released:
            release = ReleaseHold(account_id=account.account_id, hold_id=placed.id)
            await run(hold.release, run.reviewer, release)
