"""Sending: what is due goes out when it is due, once, whoever is killed on the way."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.channels import Channel, Dashboard
from app.database import Database
from app.sending_loop import MAILS_AT_ONCE, SendingLoop
from app.settings import Settings
from app.smtp import Smtp
from models import account as accounts
from models import correspondence, delivery
from models import requirement_operations as requirements
from models.account import UpdateAccount
from models.aggregate import Account
from models.clock import ManualClock
from models.correspondence import DraftInteraction
from models.delivery import (
    ReportInteraction,
    ScheduleInteraction,
    SendInteraction,
)
from models.events import Event
from models.evidence import DocumentReference
from models.interaction import Interaction, InteractionPurpose
from models.interaction_steps import NOT_DELIVERED
from models.requirement import Requirement
from models.requirement_operations import Cancel
from models.sending import LEASE, MAX_ATTEMPTS, RETRIES, Letter, Mailed, Result
from models.verify import verify_account
from tests.app.mail_server import ADDRESS, MailServer, mail_server
from tests.factories import (
    FAILURE,
    Runner,
    cancel_notices,
    contact_key,
    create_account,
    create_interaction,
    draft_interaction,
    key_of,
    open_requirement,
    receive_message,
)

TO = "owner@cafe.example"
DAY = timedelta(days=1)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as found:
        yield found


@pytest.fixture
def smtp(server: MailServer, clock: ManualClock) -> Smtp:
    return Smtp(Settings(**server.settings), clock)


@pytest.fixture
def loop(database: Database, clock: ManualClock, smtp: Smtp) -> SendingLoop:
    return SendingLoop(database, clock, smtp, 0.02)


@pytest.fixture(autouse=True)
async def nothing_is_due(owner_engine: AsyncEngine) -> AsyncIterator[None]:
    """Leave nothing behind that another test's loop would find."""
    yield
    async with owner_engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE interactions SET attempt_at = NULL, "
                "state = CASE state WHEN 'SCHEDULED' THEN 'DRAFT' ELSE state END"
            )
        )


async def scheduled(run: Runner, email: str | None = TO, **values: Any) -> Interaction:
    """A contact that goes out in a day, to an account with this address."""
    account = await create_account(run, email=email)
    row = await open_requirement(run, account)
    await cancel_notices(run, row)
    return await create_interaction(run, "SCHEDULED", row, **values)


async def sent(run: Runner, **values: Any) -> Interaction:
    """An e-mail that has been let go, and that no mail server has seen."""
    row = await scheduled(run, **values)
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(row)))
    return await again(run, row)


async def again(run: Runner, row: Interaction) -> Interaction:
    """The interaction as it is by now."""
    return await run.fetch(Interaction, row.account_id, row.id)


async def told(run: Runner, row: Interaction) -> list[str]:
    """The types of the events about it after it was scheduled."""
    async with run.database.worker.connect() as connection:
        types = await connection.scalars(
            select(Event.type)
            .where(Event.account_id == row.account_id, Event.subject_id == row.id)
            .order_by(Event.sequence)
        )
        return [kind.removeprefix("INTERACTION_") for kind in types][2:]


@pytest.mark.parametrize("channel", ["DASHBOARD", "SMS", "PHONE", "API"])
async def test_what_is_due_goes_out_once_and_not_before(
    run: Runner, loop: SendingLoop, clock: ManualClock, server: MailServer, channel: str
) -> None:
    row = await scheduled(run, channel=channel)
    clock.advance(DAY - timedelta(microseconds=1))
    assert await loop.send_due() == 0
    clock.advance(timedelta(microseconds=1))
    loops = [SendingLoop(run.database, clock, Dashboard(), 1) for _ in range(4)]
    await asyncio.gather(*(one.send_due() for one in loops))
    assert await loop.send_due() == 0
    now = await again(run, row)
    assert (now.state, now.sent_at, now.version) == ("SENT", clock.now(), row.version + 1)
    assert await told(run, row) == ["SENT"]
    assert server.mails == []
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_an_e_mail_is_mailed_as_it_was_written(
    run: Runner, loop: SendingLoop, clock: ManualClock, server: MailServer
) -> None:
    document = DocumentReference("https://f.example/1", "a" * 64, "application/pdf", 9, "one.pdf")
    row = await scheduled(
        run, subject="Größe: 5 €", body="Guten Tag.\n.\nWir prüfen.", attachments=(document,)
    )
    clock.advance(DAY)
    assert await loop.mail_due() == 0
    assert await loop.send_due() == 1
    assert await loop.mail_due() == 1
    [mail] = server.mails
    assert server.recipients == [[TO]]
    assert (mail["From"], mail["To"], mail["Subject"]) == (ADDRESS, TO, "Größe: 5 €")
    assert mail["Date"].datetime == clock.now()
    assert mail["Message-ID"] == f"<{row.account_id.hex}.{row.id.hex}@platform.example>"
    text_sent = mail.get_content().replace("\r\n", "\n")
    assert text_sent == "Guten Tag.\n.\nWir prüfen.\n\none.pdf: https://f.example/1\n"
    now = await again(run, row)
    assert (now.state, now.mailed_at, now.dashboard_only) == ("SENT", clock.now(), None)
    assert await told(run, row) == ["SENT", "MAILED"]
    clock.advance(DAY)
    assert await loop.mail_due() == 0
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_what_is_sent_at_once_is_seen_at_once_and_mailed_after(
    run: Runner, loop: SendingLoop, server: MailServer
) -> None:
    row = await sent(run)
    assert (row.state, row.mailed_at) == ("SENT", None)
    assert await loop.mail_due() == 1
    assert (await again(run, row)).mailed_at is not None
    assert len(server.mails) == 1


async def test_many_loops_mail_each_letter_once(
    run: Runner, database: Database, clock: ManualClock, smtp: Smtp, server: MailServer
) -> None:
    rows = [await sent(run) for _ in range(12)]
    loops = [SendingLoop(database, clock, smtp, 1) for _ in range(4)]
    await asyncio.gather(*(one.mail_due() for one in loops))
    assert len(server.ids) == len(set(server.ids)) == len(rows)
    assert {(await again(run, row)).mailed_at for row in rows} == {clock.now()}


async def test_without_a_mail_server_the_dashboard_shows_it_and_says_why(
    run: Runner, database: Database, clock: ManualClock
) -> None:
    row = await sent(run)
    loop = SendingLoop(database, clock, Dashboard(), 1)
    assert await loop.mail_due() == 1
    now = await again(run, row)
    assert (now.state, now.mailed_at, now.dashboard_only) == ("SENT", None, "NO_MAIL_SERVER")
    assert await told(run, row) == ["SENT", "MAILED"]
    assert await loop.mail_due() == 0


@pytest.mark.parametrize(
    "email",
    [
        None,
        "<a>@b.example",
        "a@b.example,",
        "a;b@c.example",
        "ä@b.example",
        '"ab"@c.example',
    ],
)
async def test_mail_goes_to_one_plain_address_or_to_none(
    run: Runner, loop: SendingLoop, server: MailServer, email: str | None
) -> None:
    row = await sent(run, email=email)
    assert await loop.mail_due() == 1
    now = await again(run, row)
    assert (now.state, now.dashboard_only, now.mailed_at) == ("SENT", "NO_ADDRESS", None)
    assert server.recipients == []


async def test_a_refusal_for_good_is_not_tried_again_until_somebody_asks(
    run: Runner, loop: SendingLoop, clock: ManualClock, server: MailServer
) -> None:
    row = await sent(run)
    server.recipient_replies = ["550 5.1.1 No such mailbox"]
    await loop.mail_due()
    now = await again(run, row)
    assert now.state == "FAILED"
    assert now.failure == {"code": "smtp_550", "message": NOT_DELIVERED}
    assert now.failure_said == "5.1.1 No such mailbox"
    clock.advance(DAY)
    assert await loop.mail_due() == 0
    await run(delivery.schedule, run.reviewer, ScheduleInteraction(**contact_key(row)))
    assert await loop.send_due() == 1
    assert await loop.mail_due() == 1
    assert (await again(run, row)).mailed_at == clock.now()
    assert await told(run, row) == ["SENT", "FAILED", "SCHEDULED", "SENT", "MAILED"]
    assert (await again(run, row)).failure_said is None
    # Both sides read events: what the server said is in none.
    async with run.database.worker.connect() as connection:
        query = select(Event.changes).where(Event.subject_id == row.id)
        assert "No such mailbox" not in str(list(await connection.scalars(query)))
    assert len(server.mails) == 1


@pytest.mark.parametrize("refusal", ["451 4.3.0 Try again later", "421 4.7.0 Too busy"])
async def test_what_may_pass_is_tried_again_later_and_later_and_at_last_no_more(
    run: Runner, loop: SendingLoop, clock: ManualClock, server: MailServer, refusal: str
) -> None:
    row = await sent(run)
    server.replies = [refusal] * 100
    for wait in RETRIES:
        assert await loop.mail_due() == 1
        assert (await again(run, row)).state == "FAILED"
        clock.advance(wait - timedelta(microseconds=1))
        assert await loop.mail_due() == 0
        clock.advance(timedelta(microseconds=1))
    assert await loop.mail_due() == 1
    clock.advance(DAY)
    assert await loop.mail_due() == 0
    assert len(server.replies) == 100 - MAX_ATTEMPTS
    again_and_again = ["SENT", *["FAILED", "SCHEDULED", "SENT"] * len(RETRIES), "FAILED"]
    assert await told(run, row) == again_and_again
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_a_retry_that_comes_through_leaves_no_failure(
    run: Runner, loop: SendingLoop, clock: ManualClock, server: MailServer
) -> None:
    row = await sent(run)
    server.replies = ["451 4.3.0 Try again later"]
    await loop.mail_due()
    clock.advance(RETRIES[0])
    await loop.mail_due()
    now = await again(run, row)
    assert (now.state, now.failure, now.mailed_at) == ("SENT", None, clock.now())


async def test_a_server_that_is_not_there_is_tried_again(
    run: Runner, database: Database, clock: ManualClock, server: MailServer
) -> None:
    row = await sent(run)
    nobody = Settings(**{**server.settings, "smtp_port": 1})
    loop = SendingLoop(database, clock, Smtp(nobody, clock), 1)
    await loop.mail_due()
    now = await again(run, row)
    assert now.state == "FAILED"
    assert now.failure is not None
    assert now.failure["code"] == "smtp_unreachable"
    clock.advance(RETRIES[0])
    assert await loop.mail_due() == 1


async def test_a_slow_server_is_waited_for_and_holds_up_nothing_else(
    run: Runner, database: Database, clock: ManualClock, server: MailServer
) -> None:
    mail, other = await sent(run), await scheduled(run, channel="DASHBOARD")
    server.delay_seconds = 5
    settings = Settings(**{**server.settings, "smtp_timeout_seconds": 1})
    loop = SendingLoop(database, clock, Smtp(settings, clock), 0.02)
    clock.advance(DAY)
    async with loop.running():
        async with asyncio.timeout(0.9):
            while (await again(run, other)).state != "SENT":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await again(run, mail)).state == "SENT"
    assert (await again(run, mail)).state == "FAILED"


async def test_all_that_is_due_is_seen_at_once_however_long_each_letter_takes(
    run: Runner, database: Database, clock: ManualClock, server: MailServer
) -> None:
    rows = [await scheduled(run) for _ in range(3 * MAILS_AT_ONCE)]
    server.delay_seconds = 2
    settings = Settings(**{**server.settings, "smtp_timeout_seconds": 10})
    loop = SendingLoop(database, clock, Smtp(settings, clock), 0.02)
    clock.advance(DAY)
    async with loop.running():
        async with asyncio.timeout(1.5):
            while {(await again(run, row)).state for row in rows} != {"SENT"}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert server.mails == []
    # What was in hand at the end was mailed, and the others wait for who comes next.
    assert 0 < len(server.mails) <= MAILS_AT_ONCE
    server.delay_seconds = 0
    async with loop.running():
        async with asyncio.timeout(10):
            while len(server.mails) < len(rows):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert len(set(server.ids)) == len(rows)


@pytest.mark.parametrize(("password", "state"), [("right", "SENT"), ("wrong", "FAILED")])
async def test_it_logs_in_where_it_is_told_to(
    run: Runner,
    database: Database,
    clock: ManualClock,
    server: MailServer,
    password: str,
    state: str,
) -> None:
    row = await sent(run)
    settings = Settings(**server.settings, smtp_user="us", smtp_password=SecretStr(password))
    await SendingLoop(database, clock, Smtp(settings, clock), 1).mail_due()
    assert set(server.logins) == {f"us:{password}"}
    now = await again(run, row)
    assert now.state == state
    # A password can be mended: the letter is tried again.
    assert (now.failure is None) == (state == "SENT")
    clock.advance(RETRIES[0])
    assert await SendingLoop(database, clock, Smtp(settings, clock), 1).mail_due() == (
        0 if state == "SENT" else 1
    )


async def test_nothing_goes_out_in_the_clear_where_that_is_not_meant(
    run: Runner, database: Database, clock: ManualClock, server: MailServer
) -> None:
    await sent(run)
    settings = Settings(**{**server.settings, "smtp_security": "starttls"})
    await SendingLoop(database, clock, Smtp(settings, clock), 1).mail_due()
    assert server.mails == []


@dataclass
class Meanwhile:
    """A channel under which something happens before the letter's outcome is noted."""

    channel: Channel
    happens: Any
    letters: list[Letter] = field(default_factory=list)

    async def carry(self, letter: Letter) -> Result:
        self.letters.append(letter)
        await self.happens()
        return await self.channel.carry(letter)


async def test_what_was_reported_meanwhile_stays(
    run: Runner, database: Database, clock: ManualClock, smtp: Smtp
) -> None:
    row = await sent(run)

    async def delivered() -> None:
        seen = ReportInteraction(**contact_key(row), report="DELIVERED")
        await run(delivery.report, run.integrator, seen)

    await SendingLoop(database, clock, Meanwhile(smtp, delivered), 1).mail_due()
    now = await again(run, row)
    assert (now.state, now.mailed_at) == ("DELIVERED", clock.now())


async def test_what_was_mailed_was_mailed_though_it_was_reported_to_have_failed(
    run: Runner, database: Database, clock: ManualClock, smtp: Smtp
) -> None:
    row = await sent(run)
    key = contact_key(row)

    async def bounced() -> None:
        clock.advance(timedelta(seconds=1))
        failed = ReportInteraction(**key, report="FAILED", failure=FAILURE)
        await run(delivery.report, run.integrator, failed)

    await SendingLoop(database, clock, Meanwhile(smtp, bounced), 1).mail_due()
    now = await again(run, row)
    assert (now.state, now.mailed_at) == ("FAILED", clock.now())
    assert await told(run, row) == ["SENT", "FAILED", "MAILED"]
    clock.advance(DAY)
    assert await SendingLoop(database, clock, smtp, 1).mail_due() == 0


async def test_who_has_answered_in_the_dashboard_gets_no_mail_any_more(
    run: Runner, loop: SendingLoop, server: MailServer, clock: ManualClock
) -> None:
    account = await create_account(run, email=TO)
    about = await open_requirement(run, account)
    await cancel_notices(run, about)
    row = await create_interaction(run, "SENT", about)
    await receive_message(run, about, in_reply_to_id=row.id)
    assert await loop.mail_due() == 1
    assert server.mails == []
    clock.advance(DAY)
    assert await loop.mail_due() == 0


async def test_an_address_of_today_counts_not_that_of_yesterday(
    run: Runner, loop: SendingLoop, server: MailServer
) -> None:
    row = await sent(run)
    moved = UpdateAccount(account_id=row.account_id, changes={"email": "new@cafe.example"})
    await run(accounts.update, run.admin, moved)
    await loop.mail_due()
    assert server.recipients == [["new@cafe.example"]]


async def kill_a_sender(
    database_url: str, server: MailServer, clock: ManualClock, where: str
) -> None:
    """Let a process of its own send what is due, and die by SIGKILL on the way."""
    arguments = (database_url, str(server.port), clock.now().isoformat(), where)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.app.killed_sender", *arguments
    )
    async with asyncio.timeout(30):
        assert await process.wait() == -signal.SIGKILL


@pytest.mark.parametrize(("where", "copies"), [("BEFORE", 1), ("AFTER", 2)])
async def test_who_is_killed_while_mailing_is_followed_by_another_once_the_lease_is_over(
    run: Runner,
    loop: SendingLoop,
    clock: ManualClock,
    server: MailServer,
    database_url: str,
    where: str,
    copies: int,
) -> None:
    row = await scheduled(run)
    clock.advance(DAY)
    await kill_a_sender(database_url, server, clock, where)
    now = await again(run, row)
    assert (now.state, now.mailed_at) == ("SENT", None)
    assert len(server.mails) == copies - 1
    clock.advance(LEASE - timedelta(microseconds=1))
    assert await loop.mail_due() == 0
    clock.advance(timedelta(microseconds=1))
    assert await loop.mail_due() == 1
    now = await again(run, row)
    assert (now.state, now.mailed_at) == ("SENT", clock.now())
    # At least once; and the second copy is known by its id.
    assert len(server.ids) == copies
    assert len(set(server.ids)) == 1
    assert await told(run, row) == ["SENT", "MAILED"]
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_who_is_killed_between_showing_and_mailing_leaves_the_letter_to_another(
    run: Runner, loop: SendingLoop, clock: ManualClock, server: MailServer, database_url: str
) -> None:
    row = await scheduled(run)
    clock.advance(DAY)
    await kill_a_sender(database_url, server, clock, "BETWEEN")
    now = await again(run, row)
    assert (now.state, now.mailed_at) == ("SENT", None)
    assert await loop.send_due() == 0
    assert await loop.mail_due() == 1
    assert len(server.mails) == 1
    assert await told(run, row) == ["SENT", "MAILED"]


async def test_a_letter_that_kills_whoever_takes_it_is_given_up(
    run: Runner, database: Database, clock: ManualClock
) -> None:
    row = await sent(run)

    class Deadly:
        letters = 0

        async def carry(self, letter: Letter) -> Result:
            self.letters += 1
            raise RuntimeError("as if the process had ended")

    deadly = Deadly()
    for _ in range(MAX_ATTEMPTS + 3):
        await SendingLoop(database, clock, deadly, 1).mail_due()
        clock.advance(LEASE)
    assert deadly.letters == MAX_ATTEMPTS
    now = await again(run, row)
    assert now.state == "FAILED"
    assert now.failure is not None
    assert now.failure["code"] == "gave_up"


async def test_one_contacts_trouble_holds_up_no_other(
    run: Runner, database: Database, clock: ManualClock, smtp: Smtp, server: MailServer
) -> None:
    rows = [await sent(run) for _ in range(6)]

    class Picky:
        async def carry(self, letter: Letter) -> Result:
            if letter.due.interaction_id == rows[0].id:
                raise RuntimeError("trouble")
            return await smtp.carry(letter)

    assert await SendingLoop(database, clock, Picky(), 1).mail_due() == len(rows)
    assert len(server.mails) == len(rows) - 1


async def test_more_than_a_batch_is_sent_at_once(
    run: Runner, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.loop.BATCH", 2)
    rows = [await scheduled(run, channel="DASHBOARD") for _ in range(7)]
    clock.advance(DAY)
    assert await SendingLoop(database, clock, Dashboard(), 1).send_due() == len(rows)
    assert {(await again(run, row)).state for row in rows} == {"SENT"}


async def test_an_end_lets_the_letter_in_hand_be_noted(
    run: Runner, database: Database, clock: ManualClock
) -> None:
    row, begun = await sent(run), asyncio.Event()

    class Slow:
        async def carry(self, letter: Letter) -> Result:
            begun.set()
            await asyncio.sleep(0.2)
            return Mailed()

    async with SendingLoop(database, clock, Slow(), 0.02).running():
        await begun.wait()
    assert (await again(run, row)).mailed_at == clock.now()


async def test_a_draft_and_what_was_canceled_stay_where_they_are(
    run: Runner, loop: SendingLoop, clock: ManualClock
) -> None:
    about = [await open_requirement(run) for _ in range(2)]
    for one in about:
        await cancel_notices(run, one)
    rows = [
        await draft_interaction(run, about[0]),
        await create_interaction(run, "CANCELED", about[1]),
    ]
    clock.advance(DAY * 30)
    assert await loop.mail_due() == await loop.send_due() == 0
    assert [(await again(run, row)).version for row in rows] == [row.version for row in rows]
    account = await run.fetch(Account, rows[0].account_id)
    assert account.event_sequence > 0


async def cancel(run: Runner, row: Requirement) -> None:
    """End what a contact asks for."""
    await run(requirements.cancel, run.admin, Cancel(**key_of(row), reason="Asked by mistake."))


@pytest.mark.parametrize("purpose", InteractionPurpose)
async def test_nobody_is_asked_for_what_has_ended(
    run: Runner, loop: SendingLoop, clock: ManualClock, purpose: str
) -> None:
    about = await open_requirement(run)
    await cancel_notices(run, about)
    row = await create_interaction(run, "SCHEDULED", about, purpose=purpose)
    await cancel(run, about)
    clock.advance(DAY)
    await loop.send_due()
    asks = purpose in ("REQUEST", "REMINDER")
    now = await again(run, row)
    assert now.state == ("CANCELED" if asks else "SENT")
    assert await told(run, row) == [now.state]
    assert await loop.send_due() == 0
    assert await verify_account(run.database.worker, row.account_id) == []


async def test_what_is_open_still_is_asked_for(
    run: Runner, loop: SendingLoop, clock: ManualClock
) -> None:
    account = await create_account(run)
    ended, still = [await open_requirement(run, account) for _ in range(2)]
    for one in (ended, still):
        await cancel_notices(run, one)
    both = (ended.id, still.id)
    row = await create_interaction(
        run, "SCHEDULED", ended, purpose="REMINDER", requirement_ids=both
    )
    await cancel(run, ended)
    clock.advance(DAY)
    await loop.send_due()
    assert (await again(run, row)).state == "SENT"


async def test_a_request_that_failed_is_not_tried_again_once_what_it_asks_for_has_ended(
    run: Runner, loop: SendingLoop, clock: ManualClock, server: MailServer
) -> None:
    account = await create_account(run, email=TO)
    about = await open_requirement(run, account)
    await cancel_notices(run, about)
    row = await create_interaction(run, "SCHEDULED", about, purpose="REQUEST")
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(row)))
    server.replies = ["451 4.3.0 Try again later"]
    await loop.mail_due()
    await cancel(run, about)
    clock.advance(DAY)
    assert await loop.mail_due() == 1
    assert (await again(run, row)).state == "FAILED"
    assert await loop.mail_due() == 0
    assert server.mails == []


async def test_an_answer_is_in_its_thread(
    run: Runner, loop: SendingLoop, server: MailServer
) -> None:
    account = await create_account(run, email=TO)
    about = await open_requirement(run, account)
    await cancel_notices(run, about)
    first = await create_interaction(run, "SENT", about)
    asked = await receive_message(run, about, in_reply_to_id=first.id)
    answer = await draft_interaction(run, about, in_reply_to_id=asked.id, channel="EMAIL")
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(answer)))
    own = await draft_interaction(run, about, channel="EMAIL")
    await run(delivery.send, run.reviewer, SendInteraction(**contact_key(own)))
    await loop.mail_due()
    ids = {
        row.id: f"<{row.account_id.hex}.{row.id.hex}@platform.example>"
        for row in (first, asked, answer, own)
    }
    mails = {str(mail["Message-ID"]): mail for mail in server.mails}
    assert set(mails) == {ids[answer.id], ids[own.id]}
    threaded, alone = mails[ids[answer.id]], mails[ids[own.id]]
    assert threaded["In-Reply-To"] == ids[asked.id]
    assert str(threaded["References"]).split() == [ids[first.id], ids[asked.id]]
    assert (alone["In-Reply-To"], alone["References"]) == (None, None)


async def test_what_a_person_wrote_does_not_say_that_a_machine_did(
    run: Runner, loop: SendingLoop, server: MailServer
) -> None:
    account = await create_account(run, email=TO)
    # Its notice is Recourse's own, and waits to go out.
    about = await open_requirement(run, account)
    await loop.send_due()
    for writer in (run.reviewer, run.integrator):
        letter = DraftInteraction(
            account_id=account.account_id,
            requirement_ids=(about.id,),
            channel="EMAIL",
            subject=writer.kind,
            body="Hello.",
        )
        row = (await run(correspondence.draft, writer, letter)).value
        await run(delivery.send, run.reviewer, SendInteraction(**contact_key(row)))
    await loop.mail_due()
    marked = {mail["Subject"]: mail["Auto-Submitted"] for mail in server.mails}
    assert marked.pop("REVIEWER") is None
    assert set(marked.values()) == {"auto-generated"}
    assert len(marked) == 2
