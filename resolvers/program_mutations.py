"""Mutations of programs."""

from typing import cast

import strawberry

from models import program as operations
from models.ids import hex_id
from models.notice_texts import NoticeKind, NoticeText
from models.program import GroundKind, RequirementCategory
from models.program_reads import programs_by_id
from models.status import CapabilityKind
from resolvers.mutation import Payload, VersionedInput, loaded_field, mutation, version_of
from resolvers.program import Program
from resolvers.scalars import Duration, Json, plain


@strawberry.type(description="What mutations of a program answer.")
class ProgramPayload(Payload):
    """The program version."""

    program: Program | None = loaded_field(
        "Program", "The program version.", lambda changed: hex_id(changed.id), programs_by_id
    )


@strawberry.input(description="One entry of a program's registry of codes.")
class CodeInput:
    """A code and what it means."""

    code: str = strawberry.field(description="The code; at most 100 characters.")
    description: str = strawberry.field(description="What it means.")


@strawberry.input(
    description=(
        "Where working time is counted: a working day is a whole day of the place's clock that is "
        "neither on its weekend nor one of its public holidays."
    )
)
class BusinessCalendarInput:
    """A place and its clock."""

    region: str = strawberry.field(
        description="Whose weekends and public holidays don't count, as ISO 3166 has it: DE, DE-BY."
    )
    time_zone: str = strawberry.field(
        description="By whose clock days begin, as IANA has it: Europe/Berlin."
    )


@strawberry.input(
    description="The texts of one kind of notice, as Jinja templates of plain text. They show "
    "fields: account.businessName, account.externalId; requirement.title, .description, "
    ".currentlyDueAt, .deadline, .restricts (in words, the capabilities asked for that it "
    "restricts by now or will if nobody acts), .appealDeadline (while its rejection may be "
    "appealed); in RESTRICTED restriction.reason (PAST_DUE or REJECTED); in DECIDED and those of "
    "appeals decision.outcome, .reasonCode, .facts, .ground, .redress; in APPEAL_DECIDED "
    "appeal.outcome (UPHELD or OVERTURNED), .reasons. What does not apply is empty. They ask (if), "
    "and go through requirement.requestedReasons (code, message) or requirement.errors (code, "
    "message, remedy). They call and compute nothing, have at most 20 filters, and parts within "
    "parts at most 20 deep."
)
class ProgramNoticeInput:
    """Templates."""

    kind: NoticeKind = strawberry.field(description="What it tells.")
    subject: str = strawberry.field(
        description="The template of the subject, 500 characters at most, 300 when filled in."
    )
    body: str = strawberry.field(
        description=(
            "The template of the text, 5,000 characters at most, 110,000 when filled in: what is "
            "longer is cut, and says so."
        )
    )


@strawberry.input(description="A new version of a program.")
class ProgramPublishInput(VersionedInput):
    """All that a version declares."""

    expected_version: int | None = version_of("the program (the published one, 0 if it is new)")

    code: str = strawberry.field(
        description="The code of the program, of a-z, 0-9 and _ . : -; a new one makes a program."
    )
    name: str = strawberry.field(description="The name, for staff.")
    owner: str = strawberry.field(
        description=(
            "The team that owns it. The integrator of this id may open requirements under it, "
            "publish its next version and retire it; so may the one that publishes this version."
        )
    )
    category: RequirementCategory = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="The title of its requirements, for the account.")
    description: str = strawberry.field(
        description="The description of its requirements, for the account."
    )
    evidence_schema: Json = strawberry.field(
        description="The JSON Schema (Draft 2020-12) of the evidence. A $ref refers to a part of "
        "it by a JSON pointer, without recursion; parts have no $id, $anchor or $dynamicRef. It "
        "has at most 50,000 bytes, and with its references written out 2,000 schemas, 100,000 "
        "bytes and 200 patterns, which are regular expressions without look-around and "
        "back-references."
    )
    proves: list[str] | None = strawberry.field(
        default=None, description="What its evidence proves, such as address."
    )
    due_after: Duration | None = strawberry.field(
        default=None, description="How long after opening a requirement becomes due."
    )
    deadline_after: Duration | None = strawberry.field(
        default=None, description="How long after opening its deadline is."
    )
    notice_period: Duration | None = strawberry.field(
        default=None,
        description="How long before the deadline the account counts as restricted soon.",
    )
    max_extension: Duration | None = strawberry.field(
        default=None,
        description=(
            "How much later than at first a deadline may become by extensions; any if left out."
        ),
    )
    reminders: list[Duration] | None = strawberry.field(
        default=None,
        description=(
            "How long before the deadline the account's user is reminded, each at least PT1M, "
            "while the requirement awaits the account; what is missed is made up for once."
        ),
    )
    restricts: list[CapabilityKind] | None = strawberry.field(
        default=None, description="The capabilities that it restricts when past due or rejected."
    )
    gates: list[CapabilityKind] | None = strawberry.field(
        default=None, description="The capabilities that are pending until it is satisfied."
    )
    four_eyes: bool = strawberry.field(
        default=False, description="Whether decisions take a second pair of eyes."
    )
    pauses_deadline: bool = strawberry.field(
        default=True,
        description="Whether the time that the platform takes moves the account's deadline on.",
    )
    review_within: Duration | None = strawberry.field(
        default=None,
        description=(
            "How soon the platform promises to review, at least PT1M: in working time, thus "
            "without months and years, where there is a business calendar."
        ),
    )
    business_calendar: BusinessCalendarInput | None = strawberry.field(
        default=None, description="Where working time is counted; all time counts if left out."
    )
    appeal_within: Duration | None = strawberry.field(
        default=cast(Duration, operations.DEFAULT_APPEAL_WITHIN),
        description=(
            "How long after a rejection the account may appeal, at least P1D (six months under "
            "Regulation (EU) 2022/2065, article 20); null means P6M, too."
        ),
    )
    termination_notice: Duration | None = strawberry.field(
        default=None,
        description=(
            "How long after a rejection it restricts, at least P1D, as where law asks for notice "
            "(30 days under Regulation (EU) 2019/1150); at once if left out."
        ),
    )
    legal_ground: str | None = strawberry.field(
        default=None, description="The legal or contractual ground of its decisions."
    )
    legal_ground_kind: GroundKind | None = strawberry.field(
        default=None,
        description=(
            "Whether that ground is a law or the contract with the account; where it is missing, "
            "each rejection says so itself."
        ),
    )
    reason_codes: list[CodeInput] | None = strawberry.field(
        default=None, description="The reasons that its decisions may give."
    )
    error_codes: list[CodeInput] | None = strawberry.field(
        default=None, description="The errors that its reviewers may point out."
    )
    notices: list[ProgramNoticeInput] | None = strawberry.field(
        default=None, description="The texts of its notices, one of a kind at most."
    )

    def command(self) -> operations.Publish:
        return operations.Publish(
            code=self.code,
            name=self.name,
            owner=self.owner,
            category=plain(self.category),
            title=self.title,
            description=self.description,
            evidence_schema=self.evidence_schema,
            proves=tuple(self.proves or ()),
            due_after=self.due_after,
            deadline_after=self.deadline_after,
            notice_period=self.notice_period,
            max_extension=self.max_extension,
            reminders=tuple(self.reminders or ()),
            restricts=tuple(plain(kind) for kind in self.restricts or ()),
            gates=tuple(plain(kind) for kind in self.gates or ()),
            four_eyes=self.four_eyes,
            pauses_deadline=self.pauses_deadline,
            review_within=self.review_within,
            business_calendar=_calendar(self.business_calendar),
            appeal_within=self.appeal_within,
            termination_notice=self.termination_notice,
            legal_ground=self.legal_ground,
            legal_ground_kind=plain(self.legal_ground_kind),
            reason_codes=_codes(self.reason_codes),
            error_codes=_codes(self.error_codes),
            notices=tuple(
                NoticeText(plain(one.kind), one.subject, one.body) for one in self.notices or ()
            ),
            **self.shared(),
        )


@strawberry.type(description="The published version.")
class ProgramPublishPayload(ProgramPayload):
    """What programPublish answers."""


def _codes(given: list[CodeInput] | None) -> tuple[operations.CodeText, ...]:
    return tuple(operations.CodeText(entry.code, entry.description) for entry in given or ())


def _calendar(given: BusinessCalendarInput | None) -> operations.BusinessCalendar | None:
    return None if given is None else operations.BusinessCalendar(given.region, given.time_zone)


@strawberry.input(description="The program to retire.")
class ProgramRetireInput(VersionedInput):
    """Which program."""

    expected_version: int | None = version_of("the program (the published one)")
    code: str = strawberry.field(description="The code of the program.")

    def command(self) -> operations.Retire:
        return operations.Retire(code=self.code, **self.shared())


@strawberry.type(description="The retired version.")
class ProgramRetirePayload(ProgramPayload):
    """What programRetire answers."""


@strawberry.type(description="Mutations of programs.")
class ProgramMutations:
    """The fields of the root type Mutation that concern programs."""

    program_publish: ProgramPublishPayload = mutation(
        "programPublish",
        operations.publish,
        ProgramPublishInput,
        "Publish the next version of a program; `expectedVersion` is the published one's, 0 for a "
        "new program.",
        argument="The new version.",
    )
    program_retire: ProgramRetirePayload = mutation(
        "programRetire",
        operations.retire,
        ProgramRetireInput,
        "Retire the published version of a program: nothing new opens under it, what is open goes "
        "on.",
        argument="Which program.",
    )
