"""For each mutation an input that it takes, with every field of it given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from models.account_rejection import RejectAccount, RejectionReason, reject
from models.actor import Scope
from models.aggregate import Account
from models.evidence import Evidence
from models.ids import hex_id
from models.interaction import Interaction
from models.program import Program
from models.requirement import Requirement
from models.resolution import Resolution, ResolutionOutcome
from models.status import RequirementState
from resolvers import ids
from resolvers.scalars import write_instant
from tests.factories import (
    EVIDENCE_SCHEMA,
    PAYLOAD,
    create_account,
    create_api_key,
    create_interaction,
    create_requirement,
    decide,
    object_to,
    open_requirement,
    place_hold,
    publish_program,
    receive_message,
    refer,
    unique,
)
from tests.resolvers.api import Caller, Platform
from tests.resolvers.scene import publish_full_program

Input = dict[str, Any]
CODES = [{"code": "checked", "description": "It is so."}]
STATEMENT = {
    "facts": "The document shows another person.",
    "ground": "Terms of service, 5.2",
    "groundKind": "CONTRACTUAL",
    "source": "OWN_INVESTIGATION",
    "citedFact": "The name on the passport is not the one of the account.",
    "territories": ["DE", "FR"],
    "redress": "Send another document.",
    "automatedDetection": True,
    "automatedDecision": "PARTIAL",
}

DOCUMENT = {
    "uri": "https://files.example/passport.pdf",
    "sha256": "a" * 64,
    "mediaType": "application/pdf",
    "bytes": 1_000,
    "name": "passport.pdf",
}


@dataclass(frozen=True)
class Made:
    """A mutation that will succeed: who sends it, and its input."""

    caller: Caller
    input: Input


@dataclass(frozen=True)
class Inputs:
    """Makes what the mutations need on one platform, and their inputs."""

    platform: Platform

    async def make(self, mutation: str) -> Made:
        """A mutation's caller and input, on objects that nothing else uses."""
        made = await MAKERS[mutation](self)
        key = {"idempotencyKey": unique("key")}
        return Made(made.caller, {**key, **made.input})

    def later(self, **by: float) -> str:
        """An instant to come."""
        return write_instant(self.platform.run.clock.now() + timedelta(**by))

    async def account_create(self) -> Made:
        profile = {"externalId": unique("acct"), **self._profile()}
        return Made(self.platform.integrator, profile)

    async def account_update(self) -> Made:
        account = await create_account(self.platform.run)
        given = {"id": account_id(account), "expectedVersion": account.version, **self._profile()}
        return Made(self.platform.reviewer, given)

    async def account_reject(self) -> Made:
        account = await create_account(self.platform.run)
        given = {
            "id": account_id(account),
            "expectedVersion": account.version,
            "reason": "FRAUD",
            "statement": "Payments were taken for goods that were never sent.",
        }
        return Made(self.platform.reviewer, given)

    async def account_reinstate(self) -> Made:
        run = self.platform.run
        account = await create_account(run)
        command = RejectAccount(
            account_id=account.account_id, reason=RejectionReason.FRAUD, statement="It is fraud."
        )
        rejected = (await run(reject, run.reviewer, command)).value
        given = {
            "id": account_id(account),
            "expectedVersion": rejected.version,
            "reason": "They were sent.",
        }
        return Made(self.platform.reviewer, given)

    async def hold_place(self) -> Made:
        account = await create_account(self.platform.run)
        given = {
            "accountId": account_id(account),
            "expectedVersion": account.version,
            "capabilities": ["PAYOUTS", "TRANSFERS"],
            "reason": "UNDER_REVIEW",
            "note": "See the alert of the monitoring.",
            "expiresAt": self.later(days=3),
        }
        return Made(self.platform.reviewer, given)

    async def hold_release(self) -> Made:
        account = await create_account(self.platform.run)
        hold = await place_hold(self.platform.run, account)
        own = ids.encode(ids.HOLD, hex_id(hold.account_id), hex_id(hold.id))
        return Made(self.platform.reviewer, {"id": own, "expectedVersion": hold.version})

    async def note_add(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        return Made(self.platform.reviewer, {**self._named(row), "text": "Seen before."})

    async def api_key_create(self) -> Made:
        given = {
            "name": "Monitoring",
            "role": "INTEGRATOR",
            "scopes": [str(Scope.REQUIREMENT_WAIVE)],
            "expiresAt": self.later(days=90),
        }
        return Made(self.platform.admin, given)

    async def api_key_rotate(self) -> Made:
        given = {"overlap": "PT2H", "expiresAt": self.later(days=90)}
        return Made(self.platform.admin, {**await self._api_key(), **given})

    async def api_key_revoke(self) -> Made:
        return Made(self.platform.admin, await self._api_key())

    async def _api_key(self) -> Input:
        key = (await create_api_key(self.platform.run)).key
        own = ids.encode(ids.API_KEY, hex_id(key.platform_id), hex_id(key.id))
        return {"id": own, "expectedVersion": key.version}

    async def program_publish(self) -> Made:
        given = {
            "code": unique("program"),
            "expectedVersion": 0,
            "name": "Identity",
            "owner": "identity-team",
            "category": "IDENTITY",
            "title": "Confirm who you are",
            "description": "Send a photo of your passport.",
            "evidenceSchema": EVIDENCE_SCHEMA,
            "proves": ["identity"],
            "dueAfter": "P7D",
            "deadlineAfter": "P14D",
            "noticePeriod": "P3D",
            "maxExtension": "P30D",
            "reminders": ["P3D", "P1D"],
            "restricts": ["PAYOUTS"],
            "gates": ["TRANSFERS"],
            "fourEyes": True,
            "pausesDeadline": False,
            "reviewWithin": "P2D",
            "businessCalendar": {"region": "DE-BY", "timeZone": "Europe/Berlin"},
            "appealWithin": "P6M",
            "terminationNotice": "P30D",
            "legalGround": "Terms of service, 5.2",
            "legalGroundKind": "CONTRACTUAL",
            "reasonCodes": CODES,
            "errorCodes": CODES,
            "notices": [
                {
                    "kind": "REQUESTED",
                    "subject": "{{ requirement.title }}",
                    "body": "Dear {{ account.businessName }}, please send it.",
                }
            ],
        }
        return Made(self.platform.integrator, given)

    async def program_retire(self) -> Made:
        program = await publish_program(self.platform.run)
        given = {"code": program.code, "expectedVersion": program.version}
        return Made(self.platform.integrator, given)

    async def requirement_open(self) -> Made:
        account, program = await self._account_and_program()
        given = {
            "accountId": account_id(account),
            "expectedVersion": account.version,
            "program": program.code,
            "requestedReasons": [{"code": "new_owner", "message": "It has a new owner."}],
            "currentlyDueAt": self.later(days=1),
            "deadline": self.later(days=2),
            "alternativeGroup": "address",
            "priority": "HIGH",
        }
        return Made(self.platform.integrator, given)

    async def requirement_submit(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        given = {**self._named(row), "payload": PAYLOAD, "documents": [DOCUMENT]}
        return Made(self.platform.user(row.account_id), given)

    async def requirement_start_review(self) -> Made:
        row = await self._requirement(RequirementState.SUBMITTED)
        return Made(self.platform.reviewer, self._named(row))

    async def requirement_refer(self) -> Made:
        row = await self._requirement(RequirementState.SUBMITTED)
        given = {**self._named(row), "to": "Commerzbank", "note": "They answer within a week."}
        return Made(self.platform.reviewer, given)

    async def requirement_recall(self) -> Made:
        row = await refer(self.platform.run, await self._requirement(RequirementState.IN_REVIEW))
        return Made(self.platform.reviewer, self._named(row))

    async def requirement_approve(self) -> Made:
        row = await self._requirement(RequirementState.SUBMITTED)
        statement = await self._statement(row)
        given = {**self._named(row), "reasonCode": "checked", "statement": statement}
        return Made(self.platform.reviewer, given)

    async def requirement_request_changes(self) -> Made:
        row = await self._requirement(RequirementState.SUBMITTED)
        error = {
            "code": "blurred",
            "message": "It can't be read.",
            "field": "document",
            "remedy": "Send another photo.",
        }
        return Made(self.platform.reviewer, {**self._named(row), "errors": [error]})

    async def requirement_reject(self) -> Made:
        row = await self._requirement(RequirementState.IN_REVIEW)
        until = self.later(days=60)
        statement = {**await self._statement(row), "restrictsUntil": until}
        given = {**self._named(row), "reasonCode": "other", "statement": statement}
        return Made(self.platform.reviewer, given)

    async def requirement_appeal(self) -> Made:
        row = await self._requirement(RequirementState.REJECTED)
        given = {**self._named(row), "statement": "It is me."}
        return Made(self.platform.user(row.account_id), given)

    async def requirement_waive(self) -> Made:
        row = await self._requirement(RequirementState.SUBMITTED)
        statement = await self._statement(row)
        given = {**self._named(row), "reasonCode": "other", "statement": statement}
        return Made(self.platform.reviewer, given)

    async def requirement_cancel(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        given = {**self._named(row), "reason": "Opened in error."}
        return Made(self.platform.integrator, given)

    async def requirement_extend(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        given = {**self._named(row), "deadline": self.later(days=30)}
        return Made(self.platform.reviewer, given)

    async def requirement_assign(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        given = {**self._named(row), "assigneeId": "rita", "assigneeName": "Rita"}
        return Made(self.platform.reviewer, given)

    async def requirement_prioritize(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        return Made(self.platform.reviewer, {**self._named(row), "priority": "URGENT"})

    async def requirement_reopen(self) -> Made:
        row = await self._requirement(RequirementState.SATISFIED)
        given = {**self._named(row), "reason": "It has expired.", "deadline": self.later(days=9)}
        return Made(self.platform.reviewer, given)

    async def interaction_draft(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        answered = await receive_message(self.platform.run, row)
        given = {
            **await self._written(row, answered),
            "purpose": "NOTICE",
            "channel": "EMAIL",
        }
        return Made(self.platform.reviewer, given)

    async def interaction_update(self) -> Made:
        row = await self._interaction("SCHEDULED")
        account = await self.platform.run.fetch(Account, row.account_id)
        other = await open_requirement(self.platform.run, account)
        given = {
            **self._contact(row),
            "purpose": "REMINDER",
            "channel": "EMAIL",
            "subject": "Once more",
            "body": "Please send it this week.",
            "attachments": [DOCUMENT],
            "requirementIds": [requirement_id(other)],
            "scheduledFor": self.later(days=4),
        }
        return Made(self.platform.reviewer, given)

    async def interaction_schedule(self) -> Made:
        row = await self._interaction("DRAFT")
        return Made(self.platform.integrator, {**self._contact(row), "at": self.later(hours=1)})

    async def interaction_send(self) -> Made:
        return Made(self.platform.reviewer, self._contact(await self._interaction("DRAFT")))

    async def interaction_report(self) -> Made:
        row = await self._interaction("SENT")
        failure = {"code": "mailbox_unavailable", "message": "There is no such mailbox."}
        given = {**self._contact(row), "report": "FAILED", "failure": failure}
        return Made(self.platform.integrator, given)

    async def interaction_receive(self) -> Made:
        row = await self._requirement(RequirementState.OPEN)
        answered = await create_interaction(self.platform.run, "SENT", row)
        given = {
            **await self._written(row, answered),
            "channel": "EMAIL",
            "sender": "owner@cafe.example",
        }
        return Made(self.platform.reviewer, given)

    async def interaction_cancel(self) -> Made:
        return Made(self.platform.reviewer, self._contact(await self._interaction("SCHEDULED")))

    async def resolution_approve(self) -> Made:
        return Made(self.platform.second_reviewer, self._decided(await self._proposal()))

    async def resolution_decline(self) -> Made:
        given = {**self._decided(await self._proposal()), "reason": "Ask them again."}
        return Made(self.platform.second_reviewer, given)

    async def resolution_uphold(self) -> Made:
        return Made(self.platform.second_reviewer, await self._appealed())

    async def resolution_overturn(self) -> Made:
        return Made(self.platform.second_reviewer, await self._appealed())

    async def _appealed(self) -> Input:
        row = await self._requirement(RequirementState.REJECTED)
        appealed = await object_to(self.platform.run, row)
        return {**self._decided(appealed), "reasons": "We have looked at it again."}

    async def _statement(self, row: Requirement) -> Input:
        """A statement that cites what was submitted."""
        run = self.platform.run
        async with run.database.session_for(run.system) as session:
            query = select(Evidence).where(Evidence.requirement_id == row.id)
            cited = [evidence_id(each) for each in await session.scalars(query)]
        return {**STATEMENT, "citedEvidence": cited, "restrictsUntil": None}

    def _profile(self) -> Input:
        return {
            "businessName": "Café Zoë GmbH",
            "country": "FR",
            "email": "owner@cafe.example",
            "riskTier": "HIGH",
            "capabilities": ["PAYOUTS"],
        }

    async def _account_and_program(self) -> tuple[Account, Program]:
        run = self.platform.run
        return await create_account(run), await publish_full_program(run)

    async def _requirement(self, state: RequirementState) -> Requirement:
        account, program = await self._account_and_program()
        return await create_requirement(self.platform.run, state, account, program)

    async def _interaction(self, state: str) -> Interaction:
        return await create_interaction(self.platform.run, state)

    async def _written(self, row: Requirement, answered: Interaction) -> Input:
        account = await self.platform.run.fetch(Account, row.account_id)
        return {
            "accountId": ids.encode_one(ids.ACCOUNT, hex_id(row.account_id)),
            "expectedVersion": account.version,
            "requirementIds": [requirement_id(row)],
            "subject": "Your documents",
            "body": "A photo is enough.",
            "inReplyTo": interaction_id(answered),
            "attachments": [DOCUMENT],
        }

    def _contact(self, row: Interaction) -> Input:
        return {"id": interaction_id(row), "expectedVersion": row.version}

    async def _proposal(self) -> Resolution:
        account, program = await self._account_and_program()
        row = await open_requirement(self.platform.run, account, program)
        return await decide(self.platform.run, row, ResolutionOutcome.WAIVED)

    def _named(self, row: Requirement) -> Input:
        return {"id": requirement_id(row), "expectedVersion": row.version}

    def _decided(self, proposal: Resolution) -> Input:
        own = ids.encode(ids.RESOLUTION, hex_id(proposal.account_id), hex_id(proposal.id))
        return {"id": own, "expectedVersion": proposal.version}


def account_id(account: Account) -> str:
    """The global id of an account."""
    return ids.encode_one(ids.ACCOUNT, hex_id(account.account_id))


def requirement_id(row: Requirement) -> str:
    """The global id of a requirement."""
    return ids.encode(ids.REQUIREMENT, hex_id(row.account_id), hex_id(row.id))


def evidence_id(row: Evidence) -> str:
    """The global id of evidence."""
    return ids.encode(ids.EVIDENCE, hex_id(row.account_id), hex_id(row.id))


def interaction_id(row: Interaction) -> str:
    """The global id of an interaction."""
    return ids.encode(ids.INTERACTION, hex_id(row.account_id), hex_id(row.id))


MAKERS: dict[str, Callable[[Inputs], Awaitable[Made]]] = {
    "accountCreate": Inputs.account_create,
    "accountUpdate": Inputs.account_update,
    "accountReject": Inputs.account_reject,
    "accountReinstate": Inputs.account_reinstate,
    "apiKeyCreate": Inputs.api_key_create,
    "apiKeyRotate": Inputs.api_key_rotate,
    "apiKeyRevoke": Inputs.api_key_revoke,
    "holdPlace": Inputs.hold_place,
    "holdRelease": Inputs.hold_release,
    "noteAdd": Inputs.note_add,
    "interactionDraft": Inputs.interaction_draft,
    "interactionUpdate": Inputs.interaction_update,
    "interactionSchedule": Inputs.interaction_schedule,
    "interactionSend": Inputs.interaction_send,
    "interactionReport": Inputs.interaction_report,
    "interactionReceive": Inputs.interaction_receive,
    "interactionCancel": Inputs.interaction_cancel,
    "programPublish": Inputs.program_publish,
    "programRetire": Inputs.program_retire,
    "requirementOpen": Inputs.requirement_open,
    "requirementSubmit": Inputs.requirement_submit,
    "requirementStartReview": Inputs.requirement_start_review,
    "requirementRefer": Inputs.requirement_refer,
    "requirementRecall": Inputs.requirement_recall,
    "requirementApprove": Inputs.requirement_approve,
    "requirementRequestChanges": Inputs.requirement_request_changes,
    "requirementReject": Inputs.requirement_reject,
    "requirementAppeal": Inputs.requirement_appeal,
    "requirementWaive": Inputs.requirement_waive,
    "requirementCancel": Inputs.requirement_cancel,
    "requirementExtend": Inputs.requirement_extend,
    "requirementAssign": Inputs.requirement_assign,
    "requirementPrioritize": Inputs.requirement_prioritize,
    "requirementReopen": Inputs.requirement_reopen,
    "resolutionApprove": Inputs.resolution_approve,
    "resolutionDecline": Inputs.resolution_decline,
    "resolutionUphold": Inputs.resolution_uphold,
    "resolutionOverturn": Inputs.resolution_overturn,
}
