"""Letters: a reader of the bytes finds our headers and the texts as written, whatever they hold."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.letters import UnfitLetter, encoded, plain, write_letter
from app.settings import Settings
from app.smtp import UNFIT, Smtp, compose
from models.clock import ManualClock
from models.sending import DueInteraction, Letter, NotMailed
from models.text import is_address, one_line
from tests.app.mail_server import ADDRESS, mail_server

CLOCK = ManualClock(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
DUE = DueInteraction(UUID(int=1), UUID(int=2), UUID(int=3))
TO = "owner@cafe.example"
OURS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
INJECTION = (
    "=?utf-8?q?x=0d=0aReply-To:_evil@evil.example=0d=0aBcc:_v@v.example=0d=0a=0d=0a"
    "See_http://evil.example/?="
)
TRICKS = [
    INJECTION,
    f"{INJECTION}: a question",
    "=?unicode_escape?q?=5cud800?=",
    "=?utf-8?b?DQpCY2M6IHZAdi5leGFtcGxl?=",
    "=?utf-8?q?a?= =?utf-8?q?b?=",
    "x\r\nBcc: v@v.example\r\n\r\nbody",
    "x\nBcc: v@v.example",
    *(f"x{end}Bcc: v@v.example" for end in "\r\x0b\x0c\x1c\x85\u2028\u2029"),
    *("", " ", " a  b ", "\t", "Größe: 5 €", "株式会社" * 50, "🗝" * 200, "x" * 200, "a b " * 50),
    "\ufeff\u200b\u202e",
]


def letter(subject: str = "x", to: str = TO, body: str = "x", **enclosed: str) -> Letter:
    return Letter(DUE, 1, CLOCK.now(), to, subject, body, tuple(enclosed.items()), automatic=True)


def read(written: bytes) -> EmailMessage:
    message = message_from_bytes(written, policy=POLICY)
    assert isinstance(message, EmailMessage)
    return message


def assert_is_ours(written: bytes, subject: str) -> None:
    """The headers are ours and no more, for both of Python's readers; the subject is this."""
    found = read(written)
    assert sorted(found.keys()) == sorted(OURS)
    assert found.defects == []
    assert all(len(line) <= 998 for line in written.split(b"\r\n"))
    raw = message_from_bytes(written)
    assert sorted(raw.keys()) == sorted(OURS)
    assert str(make_header(decode_header(raw["Subject"]))) == subject
    assert (str(found["From"]), str(found["Message-ID"])) == (
        ADDRESS,
        f"<{DUE.account_id.hex}.{DUE.interaction_id.hex}@platform.example>",
    )


TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.lists(
        st.sampled_from(
            [
                *(
                    "=?",
                    "?=",
                    "?q?",
                    "?b?",
                    "utf-8",
                    "=?utf-8?q?",
                    "=0d=0a",
                    "Bcc:",
                    "DQo=",
                    "\r\n",
                ),
                *(" ", "\t", ":", "=", "?", "_", "ö", "🗝", "x", "\u2028", "\x00", '"', "\\", "<"),
            ]
        ),
        max_size=20,
    ).map("".join),
)
LOCAL = st.text("abcXYZ0129!#$%&'*+/=?^_`{|}~.-", min_size=1, max_size=64)


@settings(max_examples=500, deadline=None)
@given(TEXT, TEXT, LOCAL, TEXT, TEXT)
def test_whatever_users_wrote_the_headers_are_ours(
    subject: str, body: str, local: str, name: str, uri: str
) -> None:
    to = f"{local}@cafe.example"
    if not is_address(to):
        to = TO
    made = Letter(DUE, 1, CLOCK.now(), to, subject, body, ((name, uri),), automatic=True)
    written = compose(made, ADDRESS, CLOCK)
    assert_is_ours(written, one_line(subject))
    found = read(written)
    assert str(message_from_bytes(written)["To"]) == to
    lines = f"{body}\n\n{one_line(name)}: {one_line(uri)}\n".replace("\r\n", "\n")
    assert found.get_content().replace("\r\n", "\n") == lines.replace("\r", "\n")


@pytest.mark.parametrize("subject", TRICKS, ids=lambda text: ascii(text)[:30])
async def test_a_mail_server_gets_our_headers_whatever_the_subject(subject: str) -> None:
    async with mail_server() as server:
        smtp = Smtp(Settings(**server.settings), CLOCK)
        await smtp.carry(letter(subject))
    [mail] = server.mails
    assert_is_ours(mail.as_bytes(policy=POLICY.clone(refold_source="none")), one_line(subject))
    assert str(mail["Subject"]) == one_line(subject)
    assert mail.get_content().strip() == "x"


@pytest.mark.parametrize(
    "broken",
    [letter("\ud800"), letter(body="\ud800"), letter(to="a\r\nBcc: v@v.example"), letter(to="ä@b")],
)
async def test_what_can_not_be_a_letter_fails_for_good_in_our_words(broken: Letter) -> None:
    async with mail_server() as server:
        result = await Smtp(Settings(**server.settings), CLOCK).carry(broken)
    assert result == NotMailed(UNFIT, passing=False)
    assert (server.mails, server.recipients) == ([], [])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Show us what you sell", "Show us what you sell"),
        ("a: b", "a: b"),
        ("", ""),
        (" a", "=?utf-8?b?IGE=?="),
        ("=?", "=?utf-8?b?PT8=?="),
        ("ö", "=?utf-8?b?w7Y=?="),
    ],
)
def test_a_text_is_encoded_where_it_could_be_read_otherwise(text: str, written: str) -> None:
    assert encoded(text) == written


@pytest.mark.parametrize("value", ["", "a\r\nb", "a\nb", "=?utf-8?q?x?=@b.example", "ä", "a\x7f"])
def test_what_is_no_text_is_plain_or_nothing(value: str) -> None:
    with pytest.raises(UnfitLetter):
        plain(value)


@pytest.mark.parametrize("value", ["x\r\nBcc: v", "x\r\n\r\nbody", "x\nBcc: v", "ä", "x\rBcc: v"])
def test_headers_are_read_back(value: str) -> None:
    """Should anything ever write a header that is not encoded, no letter comes of it."""
    with pytest.raises((UnfitLetter, ValueError)):
        write_letter({"From": ADDRESS, "Subject": value}, "x")


def test_an_address_that_reads_as_an_encoded_word_is_none() -> None:
    assert not is_address("=?utf-8?q?x=0d=0aBcc:_v?=@b.example")
    assert is_address("a=b?c@b.example")
