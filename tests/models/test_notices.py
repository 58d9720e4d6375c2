"""Notices: what an account's user is told of a requirement, in the operation's transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import decision, delivery
from models import requirement_operations as requirements
from models.decision import Decide
from models.delivery import UpdateInteraction
from models.errors import IllegalTransition
from models.events import Event
from models.interaction import Interaction, InteractionRequirement
from models.notice_texts import (
    CUT,
    DEFAULTS,
    MAX_NOTICE_LENGTH,
    MAX_NOTICE_SUBJECT_LENGTH,
    NoticeKind,
    NoticeText,
)
from models.notices import MAX_ALTERNATIVES, OVERTAKEN
from models.program import CodeText, publish
from models.requirement import Reason, Requirement
from models.requirement_operations import Cancel, Extend, OpenRequirement, Reopen, RequestChanges
from models.resolution import ResolutionOutcome
from models.templates import FIELDS, render
from models.verify import verify_account
from tests.factories import (
    ERROR,
    REJECTION,
    Runner,
    contact_key,
    create_account,
    create_requirement,
    decide,
    key_of,
    open_requirement,
    program_values,
    publish_program,
    settle,
)


async def told(run: Runner, row: Requirement) -> list[Interaction]:
    """The contacts about a requirement, the oldest first."""
    async with run.database.session_for(run.system) as session:
        found = await session.scalars(
            select(Interaction)
            .join(
                InteractionRequirement,
                (InteractionRequirement.interaction_id == Interaction.id)
                & (InteractionRequirement.account_id == Interaction.account_id),
            )
            .join(Event, Event.subject_id == Interaction.id)
            .where(
                InteractionRequirement.requirement_id == row.id,
                Event.type == "INTERACTION_DRAFTED",
            )
            .order_by(Event.sequence)
        )
        return list(found)


async def latest(run: Runner, row: Requirement) -> Interaction:
    return (await told(run, row))[-1]


async def test_opening_asks_the_accounts_user(run: Runner) -> None:
    account = await create_account(run, email="owner@cafe.example")
    row = await open_requirement(run, account)
    [request] = await told(run, row)
    assert (request.purpose, request.state, request.channel) == ("REQUEST", "SCHEDULED", "EMAIL")
    assert (request.scheduled_for, request.version) == (run.clock.now(), 2)
    assert (request.author_kind, request.author_id) == ("SYSTEM", "notices")
    assert request.subject == row.title
    assert request.body == (
        f"{row.description}\n\nPlease send it by 16 March 2026, 09:30 UTC. After that, payouts "
        "will be restricted for your account.\n\nUntil we have accepted it, transfers can't begin."
    )
    async with run.database.worker.connect() as connection:
        events = await connection.execute(
            select(Event.type, Event.actor_id)
            .where(Event.account_id == row.account_id, Event.subject_id == request.id)
            .order_by(Event.sequence)
        )
        assert [tuple(event) for event in events] == [
            ("INTERACTION_DRAFTED", run.integrator.id),
            ("INTERACTION_SCHEDULED", run.integrator.id),
        ]
    assert await verify_account(run.database.worker, row.account_id) == []


@pytest.mark.parametrize("email", [None, "jörg@b.example", "<a>@b.example"])
async def test_who_has_no_address_is_told_in_the_dashboard(run: Runner, email: str | None) -> None:
    row = await open_requirement(run, await create_account(run, email=email))
    assert (await latest(run, row)).channel == "DASHBOARD"


async def test_sending_back_says_what_is_wrong(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    errors = (ERROR, replace(ERROR, message="Too dark.", remedy="Use more light."))
    back = RequestChanges(**key_of(row), errors=errors)
    await run(requirements.request_changes, run.reviewer, back)
    notice = await latest(run, row)
    assert notice.purpose == "REQUEST"
    assert f"- {ERROR.message}" in notice.body
    assert "- Too dark. Use more light." in notice.body


async def test_extending_says_until_when(run: Runner) -> None:
    row = await open_requirement(run)
    assert row.deadline is not None
    later = Extend(**key_of(row), deadline=row.deadline + timedelta(days=20))
    await run(requirements.extend, run.reviewer, later)
    notice = await latest(run, row)
    assert (notice.purpose, notice.body) == (
        "NOTICE",
        "The deadline has moved to 5 April 2026, 09:30 UTC.",
    )


async def test_reopening_asks_again(run: Runner) -> None:
    row = await create_requirement(run, "SATISFIED")
    before = len(await told(run, row))
    await run(requirements.reopen, run.reviewer, Reopen(**key_of(row), reason="It expired."))
    notices = await told(run, row)
    assert len(notices) == before + 1
    assert notices[-1].purpose == "REQUEST"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (ResolutionOutcome.SATISFIED, "Thank you."),
        (ResolutionOutcome.REJECTED, REJECTION.facts),
    ],
)
async def test_a_decision_is_told_with_its_reasons(
    run: Runner, outcome: ResolutionOutcome, said: str
) -> None:
    row = await create_requirement(run, "SUBMITTED")
    await decide(run, row, outcome)
    notice = await latest(run, row)
    assert notice.purpose == "DECISION"
    assert said in notice.body


async def test_a_rejection_tells_what_it_restricts_and_until_when_it_may_be_appealed(
    run: Runner,
) -> None:
    row = await create_requirement(run, "SUBMITTED")
    until = run.clock.now() + timedelta(days=30)
    statement = replace(REJECTION, restricts_until=until)
    await run(
        decision.reject,
        run.reviewer,
        Decide(**key_of(row), reason_code="checked", statement=statement),
    )
    notice = await latest(run, row)
    assert notice.subject == f"{row.title}: refused"
    assert "From now on, payouts and transfers are restricted for your account, until " in (
        notice.body
    )
    assert "\n\nYou may appeal until " in notice.body


async def test_a_request_says_why_and_what_may_be_sent_instead(run: Runner) -> None:
    account, why = await create_account(run), (Reason("moved", "You have moved."),)
    titles = ["Your lease", "A bill"]
    for title in titles:
        program = await publish_program(run, title=title)
        row = await open_requirement(
            run, account, program, alternative_group="g", requested_reasons=why
        )
    body = (await latest(run, row)).body
    assert "Why we ask:\n\n- You have moved." in body
    assert "One of these is enough. Instead of this you may send:\n\n- Your lease\n\n" in body
    assert "A bill" not in body


async def test_what_is_no_longer_asked_for_is_told(run: Runner) -> None:
    row = await open_requirement(run)
    await run(requirements.cancel, run.integrator, Cancel(**key_of(row), reason="We know by now."))
    notice = await latest(run, row)
    assert (notice.purpose, notice.subject) == ("NOTICE", f"{row.title}: no longer needed")
    assert notice.body == "You need not send this any more.\n\nWe know by now."


async def test_who_sent_one_alternative_is_told_that_it_is_enough(run: Runner) -> None:
    account = await create_account(run)
    one = await create_requirement(run, "SUBMITTED", account=account, alternative_group="g")
    other = await open_requirement(run, account, alternative_group="g")
    await decide(run, one, ResolutionOutcome.SATISFIED)
    notice = await latest(run, other)
    assert notice.subject == f"{other.title}: no longer needed"
    assert OVERTAKEN in notice.body


async def test_a_proposal_is_told_once_it_is_final_and_not_when_it_is_declined(
    run: Runner,
) -> None:
    row = await open_requirement(run)
    for approve in (False, True):
        proposal = await decide(run, row, ResolutionOutcome.WAIVED)
        assert len(await told(run, row)) == 1
        await settle(run, proposal, approve=approve)
        assert len(await told(run, row)) == (2 if approve else 1)
    assert (await latest(run, row)).body == "You need not send it any more."


async def test_what_is_refused_tells_nobody(run: Runner) -> None:
    row = await create_requirement(run, "SATISFIED")
    before = len(await told(run, row))
    command = Decide(**key_of(row), reason_code="no", statement=REJECTION)
    with pytest.raises(IllegalTransition):
        await run(decision.reject, run.reviewer, command)
    assert len(await told(run, row)) == before


async def test_a_request_that_is_sent_again_tells_once(run: Runner) -> None:
    account, program = await create_account(run), await publish_program(run)
    command = OpenRequirement(
        account_id=account.account_id, program=program.code, idempotency_key="k"
    )
    first, second = [
        (await run(requirements.open_requirement, run.integrator, command)).value for _ in range(2)
    ]
    assert first.id == second.id
    assert len(await told(run, first)) == 1


async def test_a_program_says_it_in_its_own_words(run: Runner) -> None:
    texts = (
        NoticeText(
            "REQUESTED",
            "For {{ account.businessName }}\n{{ requirement.title | upper }}",
            "{% for reason in requirement.requestedReasons %}{{ reason.message }} {% endfor %}"
            "Of {{ account.externalId }}, due {{ requirement.currentlyDueAt }}.",
        ),
        NoticeText("DECIDED", "{% if decision.ground %}x{% endif %}", "{{ decision.redress }}"),
    )
    program = await publish_program(run, notices=texts)
    account = await create_account(run)
    reasons = (Reason("a", "It is new."), Reason("b", "And large."))
    row = await open_requirement(run, account, program, requested_reasons=reasons)
    request = await latest(run, row)
    # A line break in a subject is a space.
    assert request.subject == f"For {account.business_name} {row.title.upper()}"
    assert request.body == (
        f"It is new. And large. Of {account.external_id}, due 9 March 2026, 09:30 UTC."
    )
    await settle(run, await decide(run, row, ResolutionOutcome.WAIVED))
    # Texts that come to nothing give way to the title.
    decided = await latest(run, row)
    assert (decided.subject, decided.body) == (row.title, row.title)


async def test_a_requirement_speaks_as_the_version_it_was_opened_under(run: Runner) -> None:
    first = await publish_program(run, notices=(NoticeText("EXTENDED", "Old", "Old words."),))
    row = await open_requirement(run, None, first)
    again: Any = program_values(
        code=first.code, notices=(NoticeText("EXTENDED", "New", "New words."),)
    )
    await run(publish, run.integrator, again)
    assert row.deadline is not None
    later = Extend(**key_of(row), deadline=row.deadline + timedelta(days=1))
    await run(requirements.extend, run.reviewer, later)
    assert (await latest(run, row)).body == "Old words."


async def test_a_long_text_of_a_program_is_cut_and_says_so(run: Runner) -> None:
    program = await publish_program(
        run,
        description="d" * 5_000,
        notices=(
            NoticeText(
                "REQUESTED", "{{ requirement.description }}", "{{ requirement.description }}" * 30
            ),
        ),
        reason_codes=(CodeText("a", "b"),),
    )
    request = await latest(run, await open_requirement(run, None, program))
    assert request.subject is not None
    assert (len(request.subject), len(request.body)) == (300, 110_000)
    assert request.body.endswith(f"d{CUT}")


ENTRY = {"code": "c" * 99 + ".", "message": "m" * 999 + ".", "remedy": "r" * 999 + "."}
# The longest that each field can be; what is not here is shorter.
LONGEST: dict[str, Any] = {
    "businessName": "b" * 299 + ".",
    "title": "t" * 199 + ".",
    **dict.fromkeys(("description", "facts", "ground", "redress"), "x" * 4_999 + "."),
    **dict.fromkeys(("requestedReasons", "errors"), [ENTRY] * 50),
    "alternatives": [{"title": "t" * 199 + "."}] * MAX_ALTERNATIVES,
}


@pytest.mark.parametrize("outcome", list(ResolutionOutcome))
@pytest.mark.parametrize("kind", list(NoticeKind))
def test_no_default_text_is_ever_cut(kind: NoticeKind, outcome: str) -> None:
    values = {
        noun: {name: LONGEST.get(name, "x" * 200) for name in fields}
        for noun, fields in FIELDS.items()
        if isinstance(fields, Mapping)
    }
    values["decision"]["outcome"] = outcome
    text = DEFAULTS[kind]
    for template, longest in (
        (text.subject, MAX_NOTICE_SUBJECT_LENGTH),
        (text.body, MAX_NOTICE_LENGTH),
    ):
        assert render(template, values, longest, CUT) == render(template, values, 10**9)


async def test_a_decision_says_how_to_object_however_long_its_reasons_are(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    long: dict[str, Any] = {name: name[0] * 4_999 + "." for name in ("facts", "ground", "redress")}
    command = Decide(**key_of(row), reason_code="checked", statement=replace(REJECTION, **long))
    await run(decision.reject, run.reviewer, command)
    notice = await latest(run, row)
    assert [name for name, text in long.items() if text not in notice.body] == []
    assert notice.body.partition(long["redress"])[2].startswith("\n\nYou may appeal until ")


async def test_a_notice_that_is_longer_than_people_write_can_be_put_off(run: Runner) -> None:
    row = await create_requirement(run, "SUBMITTED")
    errors = (replace(ERROR, message="m" * 1_000, remedy="r" * 1_000),) * 50
    back = RequestChanges(**key_of(row), errors=errors)
    await run(requirements.request_changes, run.reviewer, back)
    notice = await latest(run, row)
    assert len(notice.body) > 100_000
    later = {"scheduled_for": run.clock.now() + timedelta(days=1)}
    command = UpdateInteraction(**contact_key(notice), changes=later)
    now = (await run(delivery.update, run.reviewer, command)).value
    assert (now.scheduled_for, now.body) == (later["scheduled_for"], notice.body)


@pytest.mark.parametrize("nothing", ["", " ", "\u200b", "\u2800\u3164", "\ufeff\n"])
async def test_a_text_that_shows_nothing_gives_way_to_the_title(run: Runner, nothing: str) -> None:
    shown = "{% if not requirement.title %}x{% endif %}" + nothing
    text = NoticeText("REQUESTED", shown, shown)
    request = await latest(
        run, await open_requirement(run, program=await publish_program(run, notices=(text,)))
    )
    assert request.subject == request.body == "Confirm who you are"
