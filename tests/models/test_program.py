"""Programs: what may be published, and how versions follow one another."""

from typing import Any

import pytest

from models import program
from models import requirement_operations as requirements
from models.errors import ErrorCode, Forbidden, InvalidInput, NotFound, RecourseError, StaleVersion
from models.evidence_findings import MAX_FAILURES
from models.evidence_schema import check_schema, evidence_failures
from models.program import CodeText, Program, ProgramNotPublished, Retire
from models.requirement_operations import OpenRequirement
from tests.factories import (
    Runner,
    create_account,
    create_runner,
    open_requirement,
    program_values,
    publish_program,
)

LONG = "x" * 5_001


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"code": ""}, "code"),
        ({"code": "Has Capitals"}, "code"),
        ({"code": "../x"}, "code"),
        ({"code": "a\n"}, "code"),
        ({"code": "x" * 101}, "code"),
        ({"code": "a\x00"}, "code"),
        ({"name": " "}, "name"),
        ({"owner": "\ud800"}, "owner"),
        ({"title": "x" * 201}, "title"),
        ({"description": LONG}, "description"),
        ({"legal_ground": LONG}, "legalGround"),
        ({"due_after": "7 days"}, "dueAfter"),
        ({"deadline_after": "P0D"}, "deadlineAfter"),
        ({"notice_period": "-P1D"}, "noticePeriod"),
        ({"review_within": ""}, "reviewWithin"),
        ({"appeal_within": "P99Y"}, "appealWithin"),
        ({"termination_notice": "30 days"}, "terminationNotice"),
        # Absurdly short: nobody could appeal, review, or take notice of it.
        ({"appeal_within": "PT0.000001S"}, "appealWithin"),
        ({"appeal_within": "PT23H"}, "appealWithin"),
        ({"termination_notice": "PT23H"}, "terminationNotice"),
        ({"review_within": "PT59S"}, "reviewWithin"),
        ({"reminders": ("P1D", "PT59S")}, "reminders/1"),
        ({"reminders": ("PT0S",)}, "reminders/0"),
        *(
            ({name: "PT0.000001S"}, place)
            for name, place in (
                ("due_after", "dueAfter"),
                ("deadline_after", "deadlineAfter"),
                ("notice_period", "noticePeriod"),
                ("max_extension", "maxExtension"),
            )
        ),
        ({"reminders": ("P1D", "x")}, "reminders/1"),
        ({"proves": ("address", "")}, "proves/1"),
        ({"proves": ("a",) * 101}, "proves"),
        ({"reason_codes": (CodeText("a", "A"), CodeText("a", "B"))}, "reasonCodes"),
        ({"reason_codes": (CodeText("a", "A"), CodeText("b", ""))}, "reasonCodes/1/description"),
        ({"error_codes": (CodeText("\x00", "A"),)}, "errorCodes/0/code"),
        ({"evidence_schema": True}, "evidenceSchema"),
        ({"evidence_schema": None}, "evidenceSchema"),
        ({"evidence_schema": []}, "evidenceSchema"),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_what_can_not_be_published_is_refused_at_its_place(
    run: Runner, values: dict[str, Any], place: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await publish_program(run, **values)
    assert "/".join(caught.value.field) == place


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "strin"}, "strin"),
        ({"type": 7}, "7"),
        ({"maxLength": -1}, "-1"),
        ({"multipleOf": 0}, "0"),
        ({"required": "name"}, "name"),
        ({"properties": {"a": {"pattern": "("}}}, "regex"),
        ({"pattern": "^(?=a)a$"}, "regex"),
        ({"pattern": "^(a{1000}){1000}$"}, "regex"),
        ({"$ref": "#/$defs/missing"}, "missing"),
        ({"$ref": "https://example.com/schema.json"}, "can't refer to https://example.com"),
        ({"$ref": "http://127.0.0.1:9/x"}, "can't refer to http://127.0.0.1:9/x"),
        ({"$ref": "file:///etc/passwd"}, "can't refer to file:///etc/passwd"),
        ({"properties": {"a": {"items": {"$ref": "file:///etc/passwd"}}}}, "can't refer to file"),
        ({"$id": "https://example.com/a", "$ref": "b"}, "can't refer to b"),
        ({"$dynamicRef": "https://example.com/x"}, "dynamically"),
        ({"$ref": "other.json"}, "other.json"),
        (deep(40), "32 levels"),
        ({"const": 2**60}, "2\\^53"),
        ({"const": float("inf")}, "finite"),
        ({"title": "\x00"}, "NUL"),
        ({"properties": {"\ud800": {}}}, "surrogate"),
        ({"enum": ["x" * 100] * 600}, "at most 50000 bytes"),
    ],
    ids=lambda value: ascii(value)[:50],
)
async def test_a_schema_that_is_none_or_reaches_outside_is_refused(
    run: Runner, schema: Any, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        await publish_program(run, evidence_schema=schema)
    assert caught.value.field[0] == "evidenceSchema"
    assert "ValueError" not in caught.value.message
    assert len(caught.value.message) <= 500


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$dynamicRef": "#"},
        {"$ref": "#anchor", "$defs": {"a": {"$anchor": "anchor"}}},
        {"$ref": "#/$defs/none"},
        {"type": "object", "properties": {"child": {"$ref": "#"}}},
        {"properties": {"$defs": {"properties": {"child": {"$ref": "#"}}}}},
    ],
    ids=str,
)
def test_a_schema_that_refers_to_itself_or_to_nothing_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        check_schema(schema)


def test_a_schema_that_doubles_at_every_level_is_refused() -> None:
    definitions: dict[str, Any] = {"level0": {"type": "object"}}
    for level in range(1, 21):
        below = {"$ref": f"#/$defs/level{level - 1}"}
        definitions[f"level{level}"] = {"allOf": [below, below]}
    with pytest.raises(InvalidInput, match="too large"):
        check_schema({"$defs": definitions, "$ref": "#/$defs/level20"})


def test_a_schema_may_refer_to_its_parts() -> None:
    address = {"type": "object", "required": ["city"]}
    schema = {"$defs": {"a/b": address}, "properties": {"home": {"$ref": "#/$defs/a~1b"}}}
    check_schema(schema)
    assert len(evidence_failures(schema, {"home": {}})) == 1


def test_a_pattern_takes_no_longer_for_what_is_made_to_last() -> None:
    schema = {"type": "string", "pattern": "^(a+)+$"}
    assert len(evidence_failures(schema, "a" * 50_000 + "!")) == 1


def test_failures_are_bounded_in_number_and_length() -> None:
    found = evidence_failures({"items": {"type": "integer"}}, ["x" * 1_000] * 5_000)
    assert len(found) == MAX_FAILURES
    assert max(len(message) for message, _ in found) <= 500


@pytest.mark.parametrize("payload", [1e300, [1.5, True, None], {"a": {"b": [{}]}}, "x"], ids=str)
def test_any_json_is_held_against_the_schema(payload: Any) -> None:
    assert evidence_failures({}, payload) == []
    assert len(evidence_failures({"not": {}}, payload)) == 1


async def test_versions_are_counted_and_the_expected_one_is_the_latest(run: Runner) -> None:
    first = await publish_program(run, expected_version=0)
    for expected in (0, 2, 7):
        with pytest.raises(StaleVersion) as caught:
            await publish_program(run, code=first.code, expected_version=expected)
        assert caught.value.current_version == 1
        with pytest.raises(StaleVersion):
            await run(program.retire, run.admin, Retire(first.code, expected_version=expected))
    second = await publish_program(run, code=first.code, expected_version=1)
    assert (first.version, second.version) == (1, 2)
    assert first.id != second.id


async def test_a_requirement_keeps_the_version_that_it_was_opened_under(run: Runner) -> None:
    first = await publish_program(run, title="Old")
    row = await open_requirement(run, program=first)
    account = await create_account(run)
    await publish_program(run, code=first.code, title="New")
    later = await open_requirement(run, account, first)
    await run(program.retire, run.admin, Retire(first.code))
    kept = await run.fetch(type(row), row.account_id, row.id)
    assert (kept.program_version, kept.title) == (1, "Old")
    assert (later.program_version, later.title) == (2, "New")


@pytest.mark.parametrize("code", ["unheard-of", "\x00", "\ud800", "", "x" * 101], ids=ascii)
async def test_nothing_opens_under_a_program_that_is_not_there(run: Runner, code: str) -> None:
    account = await create_account(run)
    command = OpenRequirement(account_id=account.account_id, program=code)
    with pytest.raises(InvalidInput) as caught:
        await run(requirements.open_requirement, run.admin, command)
    assert caught.value.field == ("program",)


async def test_nothing_opens_under_a_retired_program_or_one_of_another_platform(
    run: Runner,
) -> None:
    account, made = await create_account(run), await publish_program(run)
    elsewhere = await create_runner(run.database, run.clock)
    theirs = await publish_program(elsewhere)
    await run(program.retire, run.admin, Retire(made.code))
    for code in (made.code, theirs.code):
        command = OpenRequirement(account_id=account.account_id, program=code)
        with pytest.raises(ProgramNotPublished):
            await run(requirements.open_requirement, run.admin, command)
    with pytest.raises(NotFound):
        await run(program.retire, run.admin, Retire(theirs.code))


async def test_only_those_who_integrate_publish_and_retire(run: Runner) -> None:
    account = await create_account(run)
    for actor in (run.reviewer, run.account_user(account)):
        with pytest.raises(Forbidden):
            await run(program.publish, actor, program_values())
        with pytest.raises(Forbidden):
            await run(program.retire, actor, Retire("any"))


async def test_a_failed_publication_leaves_the_published_version_as_it_was(run: Runner) -> None:
    made = await publish_program(run)
    with pytest.raises(RecourseError) as caught:
        await publish_program(run, code=made.code, expected_version=9)
    assert caught.value.code is ErrorCode.STALE_VERSION
    now = await run.fetch(Program, run.platform_id, made.code, 1)
    assert now.state == "PUBLISHED"


def test_a_version_stores_every_field_of_its_declaration() -> None:
    of_the_version = {
        *("platform_id", "version", "id", "state", "retired_at"),
        *("calendar_region", "calendar_time_zone"),
        *("published_at", "published_by_kind", "published_by_id", "published_by_name"),
    }
    columns = set(Program.__table__.columns.keys())
    assert {*program.DECLARED} == columns - of_the_version
    assert program.NOT_COLUMNS.isdisjoint(columns)
