"""Histories of demo accounts, built in memory: who did what to an account, and when.

A `History` takes its steps in the order of time, by the pieces that the operations are made of, and
lets the clock catch up in between as the worker would. Nothing here reads or writes the store.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from models.actor import Actor, Role, Scope
from models.aggregate import Unit
from models.alternatives import tell_overtaken
from models.appeal import end_overturned, end_upheld, open_appeal
from models.catching_up import begun, pass_time, restrictions, tell_restrictions
from models.deadlines import extend_deadline
from models.decision import confirm, take_effect
from models.demo.names import Business
from models.demo.paths import Act, Path, Window
from models.demo.programs import REASONS, WAIVING, example_payload
from models.demo.words import Words, words_for
from models.events import EventType
from models.evidence import DocumentReference, Evidence
from models.interaction import InteractionPurpose
from models.note import write_note
from models.notice_texts import AccountNotice, NoticeKind
from models.notices import PURPOSES, house_words, words_of
from models.program import GroundKind, Program
from models.requirement import Error, Priority, Reason, Requirement, RequirementAction
from models.requirement_steps import end, move, open_again, open_under, send_back, submit_evidence
from models.resolution import (
    Resolution,
    ResolutionOutcome,
    ResolutionState,
)
from models.resolution_steps import decline, new_resolution, propose
from models.statement import InformationSource, Statement, complete
from models.status import LIVE_STATES

Step = Callable[[], Awaitable[None]]
Columns = Mapping[str, Any]
REVIEWERS = ("Amara Okafor", "Jonas Weber", "Mei Tanaka", "Luca Moretti", "Sofia Lindgren")
SERVICES = ("identity-service", "credit-risk", "supportability", "onboarding")
OPENING_REASONS = (
    Reason("onboarding", "Every new business is asked for this."),
    Reason("volume_threshold", "You have taken more in payments than last year."),
    Reason("periodic_review", "What we have is more than two years old."),
    Reason("details_changed", "You changed the details of your business."),
)
# Whom reviewers wait for, by program: so does each review that is still going on.
THIRD_PARTIES = {
    "bank_account.ownership": "Your bank",
    "business.registration": "The commercial register",
    "sanctions.name_match": "The authority that keeps the list",
}
INCOMPLETE = {"code": "incomplete", "description": "Something is missing"}
# What staff tell each other: never shown to the business.
NOTES = (
    "They called: the document is on its way, their accountant is away this week.",
    "Same owner as an account that we closed last year. Look at the dates of birth.",
    "The volume of the last month is well above what they had told us.",
    "The address is that of a forwarding service; ask for the lease if nothing else fits.",
)
WAIVED = Statement(facts="The exposure is too small to ask for this now.")


@dataclass
class Draft(Unit):
    """An account in memory that no session will write."""

    contacts: list[Columns] = field(default_factory=list)
    links: list[Columns] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """A notice that the account's user got; about the account itself where there is no `row`."""

    at: datetime
    purpose: InteractionPurpose
    subject: str
    body: str
    row: Requirement | None = None


@dataclass
class History:
    """One account's steps, and the people who take them."""

    unit: Draft
    rng: Random
    business: Business
    now: datetime
    cases: list["Case"] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    _people: dict[str, Actor] = field(default_factory=dict)
    _steps: list[tuple[datetime, int, Actor, Step]] = field(default_factory=list)

    def plan(self, at: datetime, actor: Actor, step: Step) -> None:
        """Let `actor` take `step` at that instant."""
        self._steps.append((at, len(self._steps), actor, step))

    async def play(self) -> None:
        """Take all steps, and bring the account to the present."""
        unit = self.unit
        for at, _, actor, step in sorted(self._steps, key=lambda entry: entry[:2]):
            await self._pass_time(at)
            unit.now, unit.actor = at, actor
            before = restrictions(unit, at)
            await step()
            unit.derive()
            await tell_restrictions(unit, begun(unit, before), self.tell)
            unit.requirements = [row for row in unit.requirements if row.state in LIVE_STATES]
        await self._pass_time(self.now)

    async def _pass_time(self, until: datetime) -> None:
        unit = self.unit
        while (due := unit.account.next_change_at) is not None and due <= until:
            # What was kept while an alternative stood for it may have been due for long.
            unit.now = max(due, unit.account.derived_at)
            await pass_time(unit, self.tell)

    def tell(
        self,
        unit: Unit,
        kind: NoticeKind,
        row: Requirement,
        program: Program,
        decision: Resolution | None = None,
    ) -> None:
        """Note that the account's user is told, in the program's words, where `notify` writes."""
        subject, body = words_of(unit, kind, row, program, decision)
        self.told.append(Told(unit.now, PURPOSES[kind], subject, body, row))

    def tell_of_account(
        self,
        kind: AccountNotice,
        words: str,
        kinds: Sequence[str],
        until: datetime | None = None,
    ) -> None:
        """The same of what concerns the account itself, in the words of the house."""
        subject, body = house_words(self.unit, kind, words, kinds, until)
        self.told.append(Told(self.unit.now, PURPOSES[kind], subject, body))

    def staff(self, role: Role, name: str) -> Actor:
        """Somebody of the platform."""
        if name not in self._people:
            platform_id = self.unit.account.platform_id
            self._people[name] = Actor(
                role, _id_of(name), platform_id, name=name, scopes=frozenset(Scope)
            )
        return self._people[name]

    @property
    def user(self) -> Actor:
        """The person who acts for the business."""
        account, name = self.unit.account, self.business.person
        return Actor(Role.ACCOUNT_USER, _id_of(name), account.platform_id, account.account_id, name)

    def days(self, least: float, most: float) -> timedelta:
        """A stretch of time, to the second."""
        return timedelta(seconds=int(self.rng.uniform(least, most) * 86_400))


@dataclass
class Case:
    """One requirement's course within a history."""

    history: History
    program: Program
    path: Path
    window: Window
    group: str | None = None
    rows: list[Requirement] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    proposal: Resolution | None = None
    happened: dict[Act, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        history, rng = self.history, self.history.rng
        reviewer, second = rng.sample(REVIEWERS, 2)
        service = history.staff(Role.INTEGRATOR, rng.choice(SERVICES))
        self.reviewer = history.staff(Role.REVIEWER, reviewer)
        others = dict.fromkeys((Act.CONFIRM, Act.DECLINE), history.staff(Role.REVIEWER, second))
        third = next(name for name in REVIEWERS if name not in (reviewer, second))
        others |= dict.fromkeys((Act.UPHOLD, Act.OVERTURN), history.staff(Role.REVIEWER, third))
        users = dict.fromkeys((Act.SUBMIT, Act.APPEAL), history.user)
        actors = {**others, **users, Act.CANCEL: service}
        history.plan(self.window.opened, service, self._open)
        span = self.window.until - self.window.opened
        self.remark = NOTES[len(history.cases) % len(NOTES)]
        history.plan(self.window.opened + span * 0.01, self.reviewer, self._note)
        # Most people answer in time, before they are restricted.
        points = sorted(rng.uniform(0.02, 0.6) for _ in self.path.acts)
        for act, point in zip(self.path.acts, points, strict=True):
            at = (self.window.opened + span * point).replace(microsecond=0)
            history.plan(at, actors.get(act, self.reviewer), getattr(self, f"_{act.lower()}"))
            self.happened[act] = at

    @property
    def words(self) -> Words:
        """What both sides say of such a requirement."""
        return words_for(self.program.code)

    @property
    def row(self) -> Requirement:
        """The requirement, once it is open."""
        return self.rows[0]

    async def _open(self) -> None:
        rng = self.history.rng
        row = open_under(
            self.history.unit,
            self.program,
            currently_due_at=self.window.due,
            deadline=self.window.deadline,
            requested_reasons=[rng.choice(OPENING_REASONS)],
            alternative_group=self.group,
            priority=rng.choices(list(Priority), (3, 10, 3, 1))[0],
        )
        self.rows.append(row)
        self._tell(NoticeKind.REQUESTED)

    async def _note(self) -> None:
        write_note(self.history.unit, self.row, self.remark)

    async def _submit(self) -> None:
        history = self.history
        business = history.business
        payload = example_payload(self.program.code, history.rng, business.person, business.name)
        documents = [self._document()] if history.rng.random() < 0.6 else []
        evidence = submit_evidence(history.unit, self.row, self.program, payload, documents)
        self.evidence.append(evidence)

    def _document(self) -> DocumentReference:
        rng, account = self.history.rng, self.history.unit.account
        name = f"{self.program.code}-{rng.randrange(10**6):06}.pdf"
        return DocumentReference(
            uri=f"s3://recourse-demo/{account.external_id}/{name}",
            sha256=f"{rng.getrandbits(256):064x}",
            media_type="application/pdf",
            bytes=rng.randint(20_000, 4_000_000),
            name=name,
        )

    async def _review(self) -> None:
        unit, row = self.history.unit, self.row
        row.assignee_id, row.assignee_name = self.reviewer.id, self.reviewer.name
        move(
            unit,
            row,
            RequirementAction.ASSIGN,
            EventType.REQUIREMENT_ASSIGNED,
            assigneeId={"from": None, "to": row.assignee_id},
        )
        move(unit, row, RequirementAction.START_REVIEW, EventType.REQUIREMENT_REVIEW_STARTED)
        third_party = THIRD_PARTIES.get(self.program.code)
        if third_party is not None and self.path.acts[-1] is Act.REVIEW:
            event = EventType.REQUIREMENT_REFERRED
            move(unit, row, RequirementAction.REFER, event, self.program, third_party)

    async def _send_back(self) -> None:
        # A platform may have published a version of its own, without codes.
        known = self.program.error_codes or [INCOMPLETE]
        entry = self.history.rng.choice(known)
        error = Error(
            code=entry["code"],
            message=f"{entry['description']}.",
            remedy="Please send it again.",
        )
        send_back(self.history.unit, self.row, self.program, [error])
        self._tell(NoticeKind.CHANGES_REQUESTED)

    async def _approve(self) -> None:
        code = self._reason(REASONS[self.program.code][0])
        stated = Statement(facts=self.words.accepted)
        await self._decide(ResolutionOutcome.SATISFIED, code, stated, self.program.four_eyes)

    async def _reject(self) -> None:
        code = self._reason(REASONS[self.program.code][1])
        # A version from before the kind of the ground was asked for says none.
        kind = self.program.legal_ground_kind or GroundKind.CONTRACTUAL
        cited = tuple(each.id for each in self.evidence[-1:])
        statement = Statement(
            facts=self.words.refused,
            source=InformationSource.EVIDENCE,
            redress="You may appeal: somebody who did not take this decision looks at it then.",
            ground_kind=kind,
            cited_evidence=cited,
        )
        await self._decide(ResolutionOutcome.REJECTED, code, statement, self.program.four_eyes)

    async def _waive(self) -> None:
        await self._decide(ResolutionOutcome.WAIVED, self._reason(WAIVING), WAIVED, True)

    def _reason(self, wanted: str) -> str:
        # A platform may have published a version of its own.
        codes = [str(entry["code"]) for entry in self.program.reason_codes] or ["other"]
        return wanted if wanted in codes else codes[0]

    async def _decide(
        self, outcome: ResolutionOutcome, code: str, statement: Statement, four_eyes: bool
    ) -> None:
        unit, row = self.history.unit, self.row
        stated = complete(statement, self.program, outcome is ResolutionOutcome.REJECTED)
        self.proposal = new_resolution(unit, row, outcome, code, stated, four_eyes)
        if four_eyes:
            propose(unit, row, outcome)
        else:
            overtaken = await take_effect(unit, row, self.program, self.proposal)
            self._tell(NoticeKind.DECIDED, self.proposal)
            await tell_overtaken(unit, overtaken, self.history.tell)

    def _tell(self, kind: NoticeKind, decision: Resolution | None = None) -> None:
        self.history.tell(self.history.unit, kind, self.row, self.program, decision)

    async def _confirm(self) -> None:
        assert self.proposal is not None
        if self.proposal.state == ResolutionState.PROPOSED:
            unit = self.history.unit
            overtaken = await confirm(unit, self.proposal, self.row, self.program)
            self._tell(NoticeKind.DECIDED, self.proposal)
            await tell_overtaken(unit, overtaken, self.history.tell)

    async def _decline(self) -> None:
        assert self.proposal is not None
        unit = self.history.unit
        decline(
            unit,
            self.proposal,
            self.row,
            unit.actor,
            "I read it differently: please look at it again.",
        )

    async def _appeal(self) -> None:
        assert self.proposal is not None
        open_appeal(self.history.unit, self.row, self.program, self.proposal, self.words.appeal)
        self._tell(NoticeKind.APPEAL_RECEIVED, self.proposal)

    async def _uphold(self) -> None:
        assert self.proposal is not None
        end_upheld(self.history.unit, self.row, self.proposal, self.words.upheld)
        self._tell(NoticeKind.APPEAL_DECIDED, self.proposal)

    async def _overturn(self) -> None:
        assert self.proposal is not None
        unit, words = self.history.unit, self.words.overturned
        overtaken = await end_overturned(unit, self.row, self.proposal, words)
        self._tell(NoticeKind.APPEAL_DECIDED, self.proposal)
        await tell_overtaken(unit, overtaken, self.history.tell)

    async def _cancel(self) -> None:
        end(
            self.history.unit,
            self.row,
            RequirementAction.CANCEL,
            EventType.REQUIREMENT_CANCELED,
            "Opened by mistake: it belongs to another account.",
        )
        self._tell(NoticeKind.CANCELED)

    async def _extend(self) -> None:
        row = self.row
        assert row.deadline is not None
        deadline = row.deadline + timedelta(days=14)
        extend_deadline(row, deadline, self.program, self.history.unit.now)
        move(
            self.history.unit,
            row,
            RequirementAction.EXTEND,
            EventType.REQUIREMENT_EXTENDED,
            deadline=row.deadline,
        )
        self._tell(NoticeKind.EXTENDED)

    async def _reopen(self) -> None:
        unit, row = self.history.unit, self.row
        unit.requirements.append(row)
        deadline = self.history.now + self.history.days(5, 40)
        reason = "The details have changed since they were accepted."
        open_again(unit, row, self.program, unit.now, deadline, reason)
        self._tell(NoticeKind.REQUESTED)


def _id_of(name: str) -> str:
    return name.lower().replace(" ", ".")
