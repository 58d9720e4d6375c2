"""Logs: JSON lines with the request's id, and nothing of what users wrote."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.logs import configure

SECRET = "Wilhelmina Geheim"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What has been written since the last call, as JSON."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    configure("INFO")

    def taken() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in written.getvalue().splitlines()]
        written.seek(0)
        written.truncate()
        return found

    yield taken
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def test_a_line_is_json_with_level_and_time(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("request", status=200)
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "request", "level": "info", "status": 200, "request_id": "r1"}


def test_libraries_write_the_same_way(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        logging.getLogger("some.library").warning("it is %s", "late")
    [line] = lines()
    assert (line["event"], line["level"], line["request_id"]) == ("it is late", "warning", "r1")


def test_what_is_less_severe_is_left_out(lines: Lines) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("some.library").debug("detail")
    assert lines() == []


def test_an_exception_is_shown_by_type_message_and_place(lines: Lines) -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        structlog.get_logger().exception("it failed")
    [line] = lines()
    shown = line["exception"]
    assert [(one["type"], one["message"]) for one in shown] == [
        ("RuntimeError", "outer"),
        ("KeyError", "'inner'"),
    ]
    assert all("test_logs.py" in one["frames"][-1] for one in shown)
    assert "exc_info" not in line


async def failed(owner: AsyncEngine, statement: str, value: Any = SECRET) -> Exception:
    """The error of a statement that PostgreSQL, or the driver before it, refuses."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        async with owner.connect() as connection:
            await connection.execute(text(statement), {"value": value})
    return raised.value


@pytest.mark.parametrize(
    "statement",
    [
        # The server repeats the value, SQLAlchemy the parameters, the driver what it can't send.
        "SELECT CAST(CAST(:value AS text) AS integer)",
        "SELECT :value FROM nowhere",
        "SELECT CAST(:value AS integer)",
    ],
)
async def test_no_value_of_a_row_is_logged(
    lines: Lines, owner_engine: AsyncEngine, statement: str
) -> None:
    error = await failed(owner_engine, statement)
    assert SECRET in str(error)
    try:
        raise RuntimeError(f"while reading {SECRET}") from error
    except RuntimeError:
        structlog.get_logger().exception("by us")
        logging.getLogger("some.library").exception("by another")
    try:
        try:
            raise error
        except Exception:
            raise ValueError(f"no {SECRET}") from None
    except ValueError:
        structlog.get_logger().exception("context hidden")
    written = lines()
    assert len(written) == 3
    assert SECRET not in json.dumps(written)
    assert all(line["exception"] for line in written)


def test_local_variables_are_not_logged(lines: Lines) -> None:
    name = SECRET
    try:
        raise RuntimeError("no")
    except RuntimeError:
        structlog.get_logger().exception("it failed")
    assert name not in json.dumps(lines())
