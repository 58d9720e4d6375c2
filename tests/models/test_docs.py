"""The page says what the code does: lifecycles in models/README.md are those of the tables."""

from collections.abc import Iterator
from pathlib import Path

from models import api_key, hold, interaction, program, requirement, resolution, review_target
from models.lifecycle import Lifecycle
from models.notice_texts import NoticeKind
from models.notices import PURPOSES
from models.templates import FIELDS, Fields

PAGE = Path(__file__).parents[2] / "models" / "README.md"
BEGIN, END = "<!-- lifecycles:", "<!-- /lifecycles -->"
LIFECYCLES = (
    requirement.LIFECYCLE,
    resolution.LIFECYCLE,
    interaction.LIFECYCLE,
    program.LIFECYCLE,
    hold.LIFECYCLE,
    api_key.LIFECYCLE,
)


def section(lifecycle: Lifecycle) -> str:
    """What the page shows of one lifecycle: a picture, then the table."""
    title = lifecycle.noun[0].upper() + lifecycle.noun[1:]
    picture = f"```mermaid\n{lifecycle.mermaid()}\n```"
    return f"### {title}\n\n{picture}\n\n{lifecycle.markdown()}"


def expected() -> str:
    """The generated part of the page."""
    return "\n\n".join(section(lifecycle) for lifecycle in LIFECYCLES)


def test_the_page_shows_the_lifecycles_of_the_code() -> None:
    text = PAGE.read_text()
    between = text.partition(BEGIN)[2].partition("-->\n")[2].partition(END)[0]
    assert between.strip() == expected(), f"put this between the marks of {PAGE}:\n{expected()}"


def test_the_page_shows_the_conditions_of_review_targets() -> None:
    table = review_target.markdown()
    between = PAGE.read_text().partition("<!-- review targets:")[2].partition("-->\n")[2]
    shown = between.partition("<!-- /review targets -->")[0]
    assert shown.strip() == table, f"put this between the marks of {PAGE}:\n{table}"


def notices() -> str:
    """The page's section of notices."""
    return PAGE.read_text().partition("## Notices")[2].partition("\n## ")[0]


def test_the_page_shows_every_notice_with_its_purpose() -> None:
    rows = [row.split(" | ") for row in notices().splitlines() if row.startswith("| `")]
    shown = {row[0].strip("| `"): row[-1].strip("| `") for row in rows if len(row) == 3}
    assert shown == {kind: PURPOSES[kind] for kind in NoticeKind}


def paths(fields: Fields, before: str = "") -> Iterator[str]:
    """The fields of templates, as they are named; of a list, itself."""
    for name, within in fields.items():
        if isinstance(within, dict):
            yield from paths(within, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def test_the_page_shows_every_field_of_templates() -> None:
    rows = [
        row for row in notices().splitlines() if row.startswith("| `") and row.count(" | ") == 1
    ]
    named = [
        part.strip(" `") for row in rows for part in row.strip("| ").split(" | ")[0].split(",")
    ]
    assert sorted(named) == sorted(paths(FIELDS))
