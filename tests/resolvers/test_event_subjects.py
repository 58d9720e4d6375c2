"""What happened, of every type: its subject is there for whoever sees it, and its ids are global.

What is hidden from account users has no event that they see; what was shown once never is hidden.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from models import account as accounts
from models import account_rejection as rejection
from models import delivery
from models import requirement_operations as requirements
from models.account import UpdateAccount
from models.account_rejection import ReinstateAccount, RejectAccount, RejectionReason
from models.aggregate import Account, AccountCommand, Unit
from models.delivery import (
    CancelInteraction,
    ScheduleInteraction,
    SendInteraction,
    UpdateInteraction,
)
from models.events import EventType, SubjectType
from models.interaction import Interaction, InteractionState
from models.operation import operate
from models.requirement import Requirement
from models.requirement_operations import Assign, Cancel, Extend, RequestChanges
from models.resolution import ResolutionOutcome
from models.sending import DueInteraction, settle, take
from models.sending import Mailed as MailedResult
from resolvers import ids
from tests.factories import (
    ERROR,
    Runner,
    contact_key,
    create_interaction,
    create_requirement,
    decide,
    draft_interaction,
    judge,
    key_of,
    object_to,
    open_requirement,
    place_hold,
    recall,
    receive_message,
    refer,
    submit,
)
from tests.resolvers.api import Api, Caller, Platform
from tests.resolvers.inputs import interaction_id
from tests.resolvers.scene import create_full_account

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
GLOBAL_ID = re.compile("[a-z]{3}_[0-9a-f]{32}(?:[0-9a-f]{32})?")
BETWEEN_STAFF = {
    *("REQUIREMENT_ASSIGNED", "RESOLUTION_PROPOSED", "RESOLUTION_DECLINED", "NOTE_ADDED"),
    *("INTERACTION_DRAFTED", "INTERACTION_UPDATED", "INTERACTION_SCHEDULED"),
    "INTERACTION_CANCELED",
}
EVENTS = """query($after: String) { events(first: 100, after: $after) {
  nodes { type changes subject { id
    ... on Account { is: status externalId }
    ... on Hold { reason capabilities }
    ... on Interaction { contact: state body purpose version author { id } requirements { id } }
    ... on Requirement { stands: state title version }
    ... on Resolution { decided: state outcome version }
  } }
  pageInfo { hasNextPage endCursor } } }"""
THREAD = """query($id: ID!) {
  node(id: $id) { ... on Interaction { body inReplyTo { id body } } } }"""


@dataclass(frozen=True)
class Scene:
    """A platform, and an account there to which everything has happened."""

    platform: Platform
    account: Account

    @property
    def user(self) -> Caller:
        """Somebody of the account."""
        return self.platform.user(self.account)


@pytest.fixture(scope="module")
async def scene(api: Api) -> Scene:
    platform = await api.platform()
    account = await create_full_account(platform.run)
    await let_everything_happen(platform.run, account)
    return Scene(platform, account)


async def let_everything_happen(run: Runner, account: Account) -> None:
    """What the scene of the other tests has not seen."""
    key: dict[str, Any] = {"account_id": account.account_id}
    await run(accounts.update, run.admin, UpdateAccount(**key, changes={"business_name": "New"}))
    rejected = RejectAccount(**key, reason=RejectionReason.OTHER, statement="It is.")
    await run(rejection.reject, run.reviewer, rejected)
    await run(rejection.reinstate, run.reviewer, ReinstateAccount(**key, reason="It is not."))
    row = await create_requirement(run, "REJECTED", account)
    await judge(run, await object_to(run, row), uphold=False)
    other = await create_requirement(run, "OPEN", account)
    who = Assign(**key_of(other), assignee_id="rita")
    await run(requirements.assign, run.reviewer, who)
    longer = Extend(**key_of(other), deadline=run.clock.now() + timedelta(days=60))
    await run(requirements.extend, run.reviewer, longer)
    await change_as_imports_do(run, other)
    held = await create_requirement(run, "SUBMITTED", account)
    await refer(run, held)
    await recall(run, held)
    await place_hold(run, account, expires_at=run.clock.now() + timedelta(hours=1))
    run.clock.advance(timedelta(hours=2))
    back = RequestChanges(**key_of(held), errors=(ERROR,))
    await run(requirements.request_changes, run.reviewer, back)
    await write_in_every_way(run, row)
    await meet_an_alternative(run, account)
    await run(requirements.cancel, run.admin, Cancel(**key_of(other), reason="Not needed."))


async def meet_an_alternative(run: Runner, account: Account) -> None:
    """A rejection restricts no more, since another of its group is accepted."""
    refused, chosen = [
        await open_requirement(run, account, alternative_group="address") for _ in range(2)
    ]
    for row, outcome in (
        (refused, ResolutionOutcome.REJECTED),
        (chosen, ResolutionOutcome.SATISFIED),
    ):
        await submit(run, row)
        await decide(run, row, outcome)


async def change_as_imports_do(run: Runner, row: Requirement) -> None:
    """What nothing else records."""

    async def step(unit: Unit) -> Account:
        subject = (SubjectType.REQUIREMENT, row.id)
        unit.record(EventType.REQUIREMENT_UPDATED, subject, {"deadline": row.deadline})
        return unit.account

    command = AccountCommand(account_id=row.account_id)
    async with run.database.session_for(run.system) as session:
        await operate(session, run.system, run.clock, "accountUpdate", command, Account, step)


async def write_in_every_way(run: Runner, row: Requirement) -> None:
    """Contacts in every state that one can come to, those that were shown before included."""
    for state in InteractionState:
        contact = await create_interaction(run, state, row)
        if state == "SENT":
            await mail(run, contact)
    waiting, canceled = [await create_interaction(run, "FAILED", row) for _ in range(2)]
    for contact in (waiting, canceled):
        await schedule_again(run, contact)
    await run(delivery.cancel, run.reviewer, CancelInteraction(**contact_key(canceled)))
    draft = await draft_interaction(run, row)
    update = UpdateInteraction(**contact_key(draft), changes={"body": "Other words."})
    await run(delivery.update, run.reviewer, update)
    question = await receive_message(run, row)
    answer = await draft_interaction(run, row, in_reply_to_id=question.id)
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(answer)))
    await receive_message(run, row, in_reply_to_id=answer.id)


async def schedule_again(run: Runner, contact: Interaction) -> None:
    at = run.clock.now() + timedelta(days=365)
    again = ScheduleInteraction(**contact_key(contact), at=at)
    await run(delivery.schedule, run.reviewer, again)


async def mail(run: Runner, contact: Interaction) -> None:
    """Let a mail server take it."""
    due = DueInteraction(contact.account_id, contact.platform_id, contact.id)
    async with run.database.session_for(run.system) as session:
        letter = await take(session, run.clock, due)
        assert letter is not None
        await settle(session, run.clock, letter, MailedResult())


async def events_seen(scene: Scene, caller: Caller) -> list[dict[str, Any]]:
    """All events that a caller sees, with their subjects."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        answer = await scene.platform.api.call(caller, EVENTS, {"after": after})
        assert answer.errors == []
        page = answer.data["events"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def strings(value: Any) -> Sequence[str]:
    """All texts within a JSON value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


async def test_staff_see_every_type_of_event_with_its_subject_and_global_ids(scene: Scene) -> None:
    seen = await events_seen(scene, scene.platform.admin)
    assert {event["type"] for event in seen} == set(EventType)
    for event in seen:
        assert len(event["subject"]) > 1, event
        raw = [text for text in strings(event["changes"]) if UUID.search(text)]
        assert raw == [], event
    shown = {text[:3] for e in seen for text in strings(e["changes"]) if GLOBAL_ID.fullmatch(text)}
    assert shown >= {ids.EVIDENCE, ids.INTERACTION, ids.NOTE, ids.REQUIREMENT, ids.RESOLUTION}


async def test_account_users_see_the_subject_of_every_event_that_they_see(scene: Scene) -> None:
    seen = await events_seen(scene, scene.user)
    assert {event["type"] for event in seen} == set(EventType) - BETWEEN_STAFF
    for event in seen:
        assert len(event["subject"]) > 1, event
        raw = [text for text in strings(event["changes"]) if UUID.search(text)]
        assert raw == [], event
    states = {
        event["subject"]["contact"] for event in seen if event["type"].startswith("INTERACTION")
    }
    assert states == set(InteractionState) - {"DRAFT"}


async def test_ids_in_changes_lead_to_what_they_name(scene: Scene) -> None:
    api, caller = scene.platform.api, scene.platform.admin
    named = {
        text
        for event in await events_seen(scene, caller)
        for text in strings(event["changes"])
        if GLOBAL_ID.fullmatch(text)
    }
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    listed = sorted(named)
    for start in range(0, len(listed), 100):
        some = listed[start : start + 100]
        answer = await api.call(caller, query, {"ids": some})
        assert [node["id"] for node in answer.data["nodes"]] == some


async def test_what_was_shown_and_answered_stays_for_the_account_user(scene: Scene) -> None:
    run = scene.platform.run
    row = await create_requirement(run, "OPEN", scene.account)
    contact = await create_interaction(run, "FAILED", row, body="The words that were read.")
    reply = await receive_message(run, row, in_reply_to_id=contact.id)
    named = [interaction_id(one) for one in (contact, reply)]
    for cancel in (False, True):
        if cancel:
            await run(delivery.cancel, run.reviewer, CancelInteraction(**contact_key(contact)))
        else:
            await schedule_again(run, contact)
        for own, answers in zip(named, (None, named[0]), strict=True):
            answer = await scene.platform.api.call(scene.user, THREAD, {"id": own})
            assert answer.errors == []
            found = answer.data["node"]["inReplyTo"]
            assert (found and found["id"]) == answers
    assert found["body"] == "The words that were read."
