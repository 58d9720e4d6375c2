"""Evidence is held against the program's JSON Schema; what fails is named with its place."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from models import requirement_operations as requirements
from models.errors import ErrorCode, EvidenceInvalid, InvalidInput, RecourseError
from models.events import Event
from models.evidence import DocumentReference, Evidence, payload_hash
from models.requirement import Error, Requirement
from models.requirement_operations import Submit
from tests.factories import PAYLOAD, Runner, key_of, open_requirement, publish_program

DOCUMENT = DocumentReference(
    uri="https://files.example.com/passport.pdf?v=1",
    sha256="ab" * 32,
    media_type="application/pdf",
    bytes=12_345,
    name="Reisepaß.pdf",
)


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.fixture
async def row(run: Runner) -> Requirement:
    return await open_requirement(run)


async def send(run: Runner, row: Requirement, payload: Any = None, *documents: Any) -> Any:
    command = Submit(**key_of(row), payload=payload, documents=documents)
    return await run(requirements.submit, run.reviewer, command)


async def assert_nothing_written(run: Runner, row: Requirement) -> None:
    now = await run.fetch(Requirement, row.account_id, row.id)
    assert (now.state, now.version) == ("OPEN", row.version)
    async with run.database.worker.connect() as connection:
        table = Evidence.__table__
        found = await connection.execute(select(table.c.id).where(table.c.requirement_id == row.id))
        assert found.all() == []


@pytest.mark.parametrize(
    ("payload", "places"),
    [
        ({}, {"name"}),
        ({"name": 7}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": "Ada", "born": "yesterday"}, {"born"}),
        ({"name": "Ada", "owners": [{"share": 50}, {"share": 101}]}, {"owners/1/share"}),
        ({"name": "Ada", "owners": {"0": 1}}, {"owners"}),
        ({"name": None, "born": 1815, "owners": [7]}, {"name", "born", "owners/0"}),
        ("Ada", {""}),
        ([], {""}),
        (0, {""}),
        (False, {""}),
    ],
    ids=lambda value: "places" if isinstance(value, set) else str(value),
)
async def test_what_does_not_fit_is_named_with_its_place(
    run: Runner, row: Requirement, payload: Any, places: set[str]
) -> None:
    with pytest.raises(EvidenceInvalid) as caught:
        await send(run, row, payload)
    problems = caught.value.problems
    assert {problem.code for problem in problems} == {ErrorCode.EVIDENCE_INVALID}
    assert all(problem.field[0] == "payload" for problem in problems)
    assert {"/".join(problem.field[1:]) for problem in problems} == places
    assert all(problem.message for problem in problems)
    await assert_nothing_written(run, row)


@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
async def test_each_property_that_the_schema_does_not_know_is_pointed_at(
    run: Runner, keyword: str
) -> None:
    part = {"type": "object", "properties": {"b": {}}, keyword: False}
    schema = {"type": "object", "properties": {"a": part}, keyword: False}
    row = await open_requirement(run, program=await publish_program(run, evidence_schema=schema))
    with pytest.raises(EvidenceInvalid) as caught:
        await send(run, row, {"foo": 1, "a": {"b": 1, "c/d": 2}, "": 3})
    assert {problem.field for problem in caught.value.problems} == {
        ("payload", "foo"),
        ("payload", "a", "c/d"),
        ("payload", ""),
    }
    with pytest.raises(EvidenceInvalid) as caught:
        await send(run, row, {f"n{n}": n for n in range(150)})
    assert len(caught.value.problems) == 100


async def test_a_property_whose_name_may_not_be_is_pointed_at(run: Runner) -> None:
    schema = {"type": "object", "propertyNames": {"maxLength": 3}}
    row = await open_requirement(run, program=await publish_program(run, evidence_schema=schema))
    with pytest.raises(EvidenceInvalid) as caught:
        await send(run, row, {"abc": 1, "abcd": 2})
    assert [problem.field for problem in caught.value.problems] == [("payload", "abcd")]


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"name": "a\x00b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "x", "n": [2**60]}, "n/0"),
        ({"name": "x", "n": float("inf")}, "n"),
        ({"name": "x", "n": 1e22}, "n"),
        ({"name": "x", "\udfff": 1}, ""),
        ({"name": "x" * 100_001}, "name"),
        (deep(40), None),
        (deep(20_000), None),
    ],
    ids=lambda value: ascii(value)[:30] if not isinstance(value, dict) else "payload",
)
async def test_what_can_not_be_kept_is_refused_at_its_place(
    run: Runner, row: Requirement, payload: Any, place: str | None
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await send(run, row, payload)
    assert caught.value.field[0] == "payload"
    if place is not None:
        assert "/".join(caught.value.field[1:]) == place
    await assert_nothing_written(run, row)


async def test_a_payload_is_bounded_as_a_whole(run: Runner, row: Requirement) -> None:
    with pytest.raises(InvalidInput, match="100000 bytes"):
        await send(run, row, {"name": "x", "parts": ["y" * 1_000] * 100})


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"uri": ""}, "uri"),
        ({"uri": "passport.pdf"}, "uri"),
        ({"uri": "file:///etc/passwd"}, "uri"),
        ({"uri": "javascript:alert(1)"}, "uri"),
        ({"uri": "https://"}, "uri"),
        ({"uri": "https://a b/c"}, "uri"),
        ({"uri": "https://a.b/c d"}, "uri"),
        ({"uri": "https://x/\r\nhttps://evil.example/"}, "uri"),
        *(({"uri": f"https://a.b/{bad}c"}, "uri") for bad in "\r\n\t\x01\x7f\x85\u2028\u200b"),
        *(
            ({"uri": f"https://a.b/{bad}"}, "uri")
            for bad in ("ö", "🗝", "\\", "<b>", '"', "%zz", "%")
        ),
        ({"uri": "https://a.b\\@evil.example/"}, "uri"),
        ({"uri": "https://bücher.example/"}, "uri"),
        ({"uri": "https://platform.example@evil.example/"}, "uri"),
        ({"uri": "https://user:secret@a.b/"}, "uri"),
        ({"uri": "\nhttps://a.b/"}, "uri"),
        ({"uri": "java\nscript:alert(1)"}, "uri"),
        ({"uri": "data:text/html,x"}, "uri"),
        ({"uri": "https://[::1"}, "uri"),
        ({"uri": "https://a.b/\x00"}, "uri"),
        ({"uri": "https://a.b/" + "x" * 2_000}, "uri"),
        ({"sha256": "ab" * 31}, "sha256"),
        ({"sha256": "AB" * 32}, "sha256"),
        ({"sha256": "zz" * 32}, "sha256"),
        ({"sha256": "ab" * 32 + "\n"}, "sha256"),
        ({"media_type": "pdf"}, "mediaType"),
        ({"media_type": "application/pdf; charset=x"}, "mediaType"),
        ({"media_type": "a/" + "b" * 200}, "mediaType"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": 2**31}, "bytes"),
        ({"name": " "}, "name"),
        ({"name": "\u200b\u2800"}, "name"),
        *(({"name": f"a{bad}b"}, "name") for bad in ("\r\n", "\n", "\t", "\x1b", "\x85", "\u2029")),
        ({"name": "\ud800"}, "name"),
        ({"name": "x" * 256}, "name"),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_a_document_that_can_not_be_is_refused_at_its_place(
    run: Runner, row: Requirement, change: dict[str, Any], place: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await send(run, row, PAYLOAD, DOCUMENT, replace(DOCUMENT, **change))
    assert caught.value.field == ("documents", "1", place)
    await assert_nothing_written(run, row)


@pytest.mark.parametrize(
    "uri", ["https://a.b", "s3://bucket/key", "gs://b/%C3%B6?x=1&y=a@b#z", "https://[::1]:8/x"]
)
async def test_documents_lie_in_known_places(run: Runner, row: Requirement, uri: str) -> None:
    done = await send(run, row, PAYLOAD, replace(DOCUMENT, uri=uri))
    assert done.value.state == "SUBMITTED"


async def test_nothing_at_all_and_too_many_documents_are_refused(
    run: Runner, row: Requirement
) -> None:
    with pytest.raises(InvalidInput, match="payload, documents, or both"):
        await send(run, row)
    with pytest.raises(InvalidInput, match="At most 20 documents"):
        await send(run, row, PAYLOAD, *[DOCUMENT] * 21)
    await assert_nothing_written(run, row)


async def test_documents_alone_are_held_against_the_schema_as_an_empty_object(run: Runner) -> None:
    strict = await open_requirement(run)
    with pytest.raises(EvidenceInvalid):
        await send(run, strict, None, DOCUMENT)
    program = await publish_program(run, evidence_schema={"type": "object"})
    row = await open_requirement(run, program=program)
    assert (await send(run, row, None, DOCUMENT)).value.state == "SUBMITTED"


async def test_what_was_sent_is_kept_and_its_hash_is_in_the_event(
    run: Runner, row: Requirement
) -> None:
    payload = {**PAYLOAD, "ü": ["🗝", 1.5, -0.0, True, None, {"z": 1, "a": 2}]}
    await send(run, row, payload, DOCUMENT)
    async with run.database.session_for(run.system) as session:
        kept = (
            await session.scalars(select(Evidence).where(Evidence.requirement_id == row.id))
        ).one()
        event = (
            await session.scalars(
                select(Event).where(
                    Event.account_id == row.account_id, Event.type == "REQUIREMENT_SUBMITTED"
                )
            )
        ).one()
    assert kept.payload == payload
    assert kept.documents[0]["name"] == DOCUMENT.name
    assert (kept.submitted_by_id, kept.submitted_at) == (run.reviewer.id, run.clock.now())
    # Whoever has the payload can prove it; the event itself holds nothing personal.
    assert event.changes["payloadSha256"] == payload_hash(payload) == payload_hash(kept.payload)
    assert event.changes["documentSha256"] == [DOCUMENT.sha256]
    assert "Ada" not in str(event.changes)


async def test_each_submission_stands_beside_the_ones_before(run: Runner, row: Requirement) -> None:
    await send(run, row, PAYLOAD)
    back = requirements.RequestChanges(**key_of(row), errors=(Error("blurred", "Blurred."),))
    await run(requirements.request_changes, run.reviewer, back)
    await send(run, row, {"name": "Ada"})
    async with run.database.session_for(run.system) as session:
        kept = await session.scalars(select(Evidence).where(Evidence.requirement_id == row.id))
        assert sorted(sorted(each.payload or {}) for each in kept) == [["born", "name"], ["name"]]


async def test_evidence_is_refused_for_its_state_before_its_content(
    run: Runner, row: Requirement
) -> None:
    await send(run, row, PAYLOAD)
    with pytest.raises(RecourseError) as caught:
        await send(run, row, {"name": 7})
    assert caught.value.code is ErrorCode.ILLEGAL_TRANSITION
