"""The page says what the code does: lifecycles in models/README.md are those of the tables."""

from pathlib import Path

from models import interaction, program, requirement, resolution, review_target
from models.lifecycle import Lifecycle

PAGE = Path(__file__).parents[2] / "models" / "README.md"
BEGIN, END = "<!-- lifecycles:", "<!-- /lifecycles -->"
LIFECYCLES = (
    requirement.LIFECYCLE,
    resolution.LIFECYCLE,
    interaction.LIFECYCLE,
    program.LIFECYCLE,
)


def section(lifecycle: Lifecycle) -> str:
    """What the page shows of one lifecycle: a picture, then the table."""
    title = lifecycle.noun.title()
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
