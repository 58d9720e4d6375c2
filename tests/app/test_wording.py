"""What is wrong with a setting is said in plain words, never in the library's."""

import os

import pytest

from app.settings import PREFIX, look_at_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment in which the tests run."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("PORT", "abc", "This takes a whole number."),
        ("PORT", "-1", "This takes 0 at least."),
        ("PORT", "65536", "This takes 65535 at most."),
        ("MAX_NODES", "3.5", "This takes a whole number."),
        ("CLOCK_INTERVAL_SECONDS", "soon", "This takes a number."),
        ("CLOCK_INTERVAL_SECONDS", "0", "This takes more than 0.0."),
        ("SMTP_HOST", "", "This takes no fewer characters than 1."),
        ("EXECUTOR", "x", "This takes 'breadth-first' or 'graphql-core'."),
        ("LOG_LEVEL", "LOUD", "This takes DEBUG, INFO, WARNING or ERROR."),
        ("TOKEN_SECRET", "short", "at least 32 characters"),
        ("SMTP_FROM", "nobody", "one e-mail address, such as risk@example.com"),
    ],
)
def test_it_is_said_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, words: str
) -> None:
    monkeypatch.setenv(PREFIX + name, given)
    _, problems = look_at_settings()
    assert problems == [f"{PREFIX}{name}: {words}"]
