"""What pydantic finds wrong with a setting or an option, in the words of the house."""

import re

from pydantic_core import ErrorDetails

# By the type of the problem; filled in with its limits.
_WORDS = {
    "int_parsing": "This takes a whole number.",
    "int_from_float": "This takes a whole number.",
    "float_parsing": "This takes a number.",
    "finite_number": "This takes a number.",
    "bool_parsing": "This takes true or false.",
    "greater_than": "This takes more than {gt}.",
    "greater_than_equal": "This takes {ge} at least.",
    "less_than_equal": "This takes {le} at most.",
    "string_too_short": "This takes no fewer characters than {min_length}.",
    "enum": "This takes {expected}.",
}
_ALTERNATIVES = re.compile(r"\^\(([\w|]+)\)\$")


def plainly(problem: ErrorDetails) -> str:
    """What is wrong, for whoever has typed it; pydantic's own message where there is no better."""
    values = problem.get("ctx", {})
    match problem["type"]:
        case "value_error":
            return str(values["error"])
        case "string_pattern_mismatch" if found := _ALTERNATIVES.fullmatch(values["pattern"]):
            *others, last = found[1].split("|")
            return f"This takes {', '.join(others)} or {last}."
        case known if known in _WORDS:
            return _WORDS[known].format(**values)
        case _:
            return problem["msg"]
