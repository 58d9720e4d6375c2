"""The templates of notices: what may be one, and that it always ends."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput
from models.notice_texts import DEFAULTS, NoticeKind, NoticeText, check_notices
from models.templates import FIELDS, _compiled, check_template, render

LONG = "x" * 5_000
ENTRIES = [{"code": "blurred", "message": LONG, "remedy": ""} for _ in range(50)]


def values(text: str = "It", entries: Any = ENTRIES) -> dict[str, Any]:
    """All fields, each with this text or these entries."""
    return {
        noun: {name: text if kind is None else entries for name, kind in fields.items()}
        for noun, fields in FIELDS.items()
        if isinstance(fields, Mapping)
    }


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("Plain text.", "Plain text."),
        ("{{ requirement.title }}!", "It!"),
        ("{{ requirement.title | upper }}", "IT"),
        ("{{ '<b>' }}{{ account.businessName }}", "<b>It"),
        ("{% if requirement.deadline %}Soon{% else %}Some day{% endif %}", "Soon"),
        ("{% if not requirement.deadline %}x{% elif decision.facts == 'It' %}y{% endif %}", "y"),
        ("{% if requirement.errors %}wrong{% endif %}", "wrong"),
        ("{% if not requirement.errors %}right{% else %}wrong{% endif %}", "wrong"),
        (
            "{% if not requirement.errors and account.externalId or requirement.errors %}"
            "x{% elif not requirement.requestedReasons %}y{% endif %}",
            "x",
        ),
        ("{{ 'right' if not requirement.errors else 'wrong' }}", "wrong"),
        ("{% for e in requirement.errors %}{{ e.code }}{{ e.remedy }} {% endfor %}", "a b"),
        ("{# nothing #}{{ 'a' if requirement.title else 'b' }}", "a"),
    ],
)
def test_a_template_shows_what_it_names(template: str, shown: str) -> None:
    check_template(template, FIELDS, "body")
    entries = [{"code": c, "message": "m", "remedy": ""} for c in "ab"]
    assert render(template, values(entries=entries), 1_000) == shown


@pytest.mark.parametrize(
    "template",
    [
        *(
            "{{ requirement.colour }}",
            "{{ requirement }}",
            "{{ nothing }}",
            "{{ requirement.a.b }}",
        ),
        *("{{ requirement.title.upper() }}", "{{ requirement['title'] }}", "{{ range(9) }}"),
        *("{{ requirement.__class__ }}", "{{ ''.__class__.__mro__ }}", "{{ self }}", "{{ loop }}"),
        *("{{ requirement.title | attr('x') }}", "{{ requirement.title | replace('a', 'b') }}"),
        *(
            "{{ requirement.errors }}",
            "{{ requirement.errors | upper }}",
            "{{ requirement.title ~ 1 }}",
        ),
        *("{{ 'x' * 1000000000 }}", "{{ 2 ** 99999 }}", "{{ requirement.title % 1 }}", "{{ -1 }}"),
        *("{% for i in range(99999) %}{% endfor %}", "{% for e in 'abc' %}{% endfor %}"),
        "{% for e in requirement.errors recursive %}{{ loop(e) }}{% endfor %}",
        "{% for e in requirement.errors %}"
        "{% for f in requirement.errors %}{% endfor %}{% endfor %}",
        "{% for e in requirement.errors %}{{ e.colour }}{% endfor %}",
        "{% for e in requirement.errors %}{{ e }}{% endfor %}",
        "{% for account in requirement.errors %}{% endfor %}",
        "{% for e in requirement.errors if e.code %}{% endfor %}",
        "{% for e in requirement.requestedReasons %}{{ e.remedy }}{% endfor %}",
        *("{% set x = 1 %}", "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}"),
        *(
            "{% macro m() %}{% endmacro %}",
            "{% block b %}{% endblock %}",
            "{{",
            "{% if %}",
        ),
        *(
            "{% if requirement.errors == 'x' %}{% endif %}",
            "{{ requirement.errors or 'x' }}",
            "{% if not requirement.nothing %}{% endif %}",
        ),
        *(
            "{% if requirement.errors < 3 %}{% endif %}",
            "{% if 'x' in requirement.title %}{% endif %}",
        ),
        "{% if requirement.title is defined %}{% endif %}",
        *(
            r"{{ '\x00' }}",
            r"{{ '\ud800' }}",
            r"{% if account.externalId == '\udfff' %}{% endif %}",
        ),
        "{{ " + "9" * 4_990 + " }}",
        "{% if requirement.title %}" * 180 + "{% endif %}" * 0,
        "{% if account.externalId %}" * 110 + "{% endif %}" * 110,
        "{{ " + "(" * 2_000 + "1" + ")" * 2_000 + " }}",
        "{{ " + "not " * 1_200 + "1 }}",
        # Deep enough to be taken where the stack is short, and to fail where it is long.
        "{{ " + "(" * 66 + "1" + " == 1)" * 66 + " }}",
        "{{ " + "(" * 21 + "1" + ")" * 21 + " }}",
        "{{ " + "1 == (" * 66 + "1" + ")" * 66 + " }}",
        "{{ " + "not " * 60 + "1 }}",
        "{{ " + "1 if 1 else " * 60 + "1 }}",
        "{{ " + " and ".join(["1"] * 60) + " }}",
        "{% if account.externalId %}" * 21 + "{% endif %}" * 21,
        "{{ requirement.title" + "|title" * 18 + " }}",
        # A filter of a long text in each entry of a list, many times.
        "{% for e in requirement.errors %}" + "{{ e.message|title }}" * 21 + "{% endfor %}",
    ],
)
def test_a_template_that_goes_beyond_is_refused_at_its_place(template: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_notices(
            [NoticeText("REQUESTED", "x", "y"), NoticeText("EXTENDED", "x", template)], "notices"
        )
    assert caught.value.field == ("notices", "1", "body")
    assert len(caught.value.message) <= 500


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ requirement.errors }}", "requirement.errors is a list"),
        ("{% if requirement.errors == 'x' %}{% endif %}", "requirement.errors is a list"),
        ("{{ requirement.colour }}", "There is no field requirement.colour."),
    ],
)
def test_the_reason_is_the_right_one(template: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_template(template, FIELDS, "body")
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        ("REQUESTED", "decision.outcome"),
        ("DECIDED", "appeal.reasons"),
        ("EXTENDED", "cancellation.reason"),
    ],
)
@pytest.mark.parametrize("place", ["subject", "body"])
def test_a_notice_names_nothing_that_there_is_none_of(kind: str, noun: str, place: str) -> None:
    texts = {"subject": "x", "body": "y", place: f"{{{{ {noun} }}}}"}
    with pytest.raises(InvalidInput, match="A notice of this kind knows no") as caught:
        check_notices([NoticeText(kind, **texts)], "notices")
    assert caught.value.field == ("notices", "0", place)


def test_each_kind_stands_there_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_notices([NoticeText("EXTENDED", "x", "y")] * 2, "notices")
    assert caught.value.field == ("notices",)


def test_the_default_texts_are_templates_of_every_kind() -> None:
    assert set(DEFAULTS) == set(NoticeKind)
    check_notices(list(DEFAULTS.values()), "notices")


@pytest.mark.parametrize(
    "template",
    [
        "{{ requirement.description }}" * 170,
        "{% for e in requirement.errors %}" + "{{ e.message }}" * 300 + "{% endfor %}",
        (
            "{% for e in requirement.errors %}"
            + "{% if e.remedy == e.code %}{% endif %}" * 20
            + "{% endfor %}"
        )
        * 5,
        (
            "{% for e in requirement.errors %}"
            + "{% if e.message|title == 'x' %}{% endif %}" * 20
            + "{% endfor %}"
        ),
    ],
)
def test_what_comes_out_is_bounded_in_length_and_time(template: str) -> None:
    check_template(template, FIELDS, "body")
    began = time.process_time()
    assert len(render(template, values(LONG), 10_000)) <= 10_000
    assert time.process_time() - began < 1


DEEPEST = [
    "{{ " + "(" * 20 + "1" + ")" * 20 + " }}",
    "{{ " + "(" * 16 + "1" + " == 1)" * 16 + " }}",
    "{% if requirement.errors %}" * 15 + f"{{{{ {'(' * 20}1{')' * 20} }}}}" + "{% endif %}" * 15,
    "{{ " + "1 if 1 else (" * 16 + "1" + ")" * 16 + " }}",
    "{{ " + "not " * 17 + "1 }}",
    "{{ requirement.title" + "|title" * 16 + " }}",
]


@pytest.mark.parametrize("template", DEEPEST)
def test_what_is_taken_can_be_shown_deep_in_the_stack(template: str) -> None:
    """A notice is due where more has been called than when its program was published."""
    check_template(template, FIELDS, "body")

    def down(levels: int) -> str:
        return down(levels - 1) if levels else render(template, values(), 100)

    _compiled.cache_clear()
    assert down(400)


PIECES = st.sampled_from(
    [
        *("{{", "}}", "{%", "%}", "{#", "#}", "if", "else", "elif", "endif", "for", "in", "endfor"),
        *("requirement", "account", "decision", "errors", "title", "deadline", ".", "|", "upper"),
        *("==", "!=", "<", "and", "or", "not", "(", ")", "[", "]", "'", '"', "1", "x", "\n", "-"),
        *("{{ requirement.title }}", "{% if requirement.errors %}", "{% endif %}", "~", "**", ","),
        *("{% for e in requirement.errors %}", "{{ e.message }}", "{% endfor %}", "self", "loop"),
    ]
)


@settings(max_examples=1_500, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join))
def test_what_is_taken_can_be_shown(template: str) -> None:
    """Whatever a team writes: it is refused as theirs, or any requirement can be told of by it."""
    try:
        check_template(template, FIELDS, "body")
    except InvalidInput:
        return
    for text, entries in (("It", ENTRIES), ("", [])):
        assert len(render(template, values(text, entries), 10_000)) <= 10_000
