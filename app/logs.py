"""Structured logs: one JSON object a line, with the request's id.

No line holds what users wrote: an exception is shown by its type and place, and by its message only
where that can't hold a row's values.
"""

import logging
import sys
from typing import Any

import structlog
from asyncpg import PostgresError
from sqlalchemy.exc import SQLAlchemyError
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

FROM_THE_STORE = (PostgresError, SQLAlchemyError)
_frames = ExceptionDictTransformer(show_locals=False)


def configure(level: str) -> None:
    """Write logs of Recourse and of its libraries as JSON lines to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        show_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(), foreign_pre_chain=shared
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # Alembic has a line for each migration; that there were some is said in one.
    logging.getLogger("alembic").setLevel(level if level == "DEBUG" else "WARNING")


def show_exception(_logger: Any, _method: str, line: EventDict) -> EventDict:
    """Replace `exc_info` by the types, places and harmless messages of the exception's chain."""
    info = line.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if not isinstance(info, tuple) or info[1] is None:
        return line
    line["exception"] = [
        {
            "type": stack["exc_type"],
            "message": stack["exc_value"],
            "frames": [
                f"{frame['filename']}:{frame['lineno']} {frame['name']}"
                for frame in stack["frames"]
            ],
        }
        for stack in _frames(info)
    ]
    if _touches_the_store(info[1]):
        for shown in line["exception"]:
            shown["message"] = "not shown: it may hold values of rows"
    return line


def _touches_the_store(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, FROM_THE_STORE):
            return True
        error = error.__cause__ or error.__context__
    return False
