"""What GraphQL says of variables, without their values: those may be nobody's to read."""

import re
from collections.abc import Iterator
from typing import Any

# The messages that repeat what was given, and what stays of them. The first that fits is taken:
# a value may look like any of them.
_REPEATING = (
    (
        re.compile(r"Value '.*' does not exist in '(\w+)' enum\..*", re.DOTALL),
        r"No such value in the enum '\1'.",
    ),
    (re.compile(r"(\w+ (?:'\w+' )?cannot represent .*?value): .*", re.DOTALL), r"\1."),
    (re.compile(r"(Expected value of type .*?)[,;.]? [Ff]ound: .*", re.DOTALL), r"\1."),
)


def without_values(message: str, given: Any) -> str:
    """What is wrong with a variable, and why; nothing in it is one of the values given."""
    what, _, why = message.partition(": ")
    for repeating, rest in _REPEATING:
        if found := repeating.fullmatch(why):
            why = found.expand(rest)
            break
    # Whatever else may be said some day.
    is_told = any(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", why) for text in _texts(given))
    return what if is_told or not why else f"{what}: {why}"


def _texts(given: Any) -> Iterator[str]:
    """What is given as text, however deep; but for what is empty."""
    if isinstance(given, str) and given:
        yield given
    elif isinstance(given, dict | list):
        for item in given.values() if isinstance(given, dict) else given:
            yield from _texts(item)
