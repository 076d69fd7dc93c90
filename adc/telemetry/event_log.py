"""Events of rooms that have no error log at hand: they travel through `logging` to the error log of the process.

`logging` is also where libraries write; their messages become `library_message` events of the same grammar.
"""

from __future__ import annotations

import logging
import traceback

from adc.telemetry.error_log import ErrorLog
from adc.telemetry.log_line import Level, LoggedEvent

_FRAMES = 8
"""Frames of a traceback that a line names, innermost first."""


class EventLog:
    """Logs events under the name of a room: `log.warn("state_file_replaced", path=path, reason=reason)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, /, **fields: object) -> None:
        """Log details that help to find a defect."""
        self._logger.debug(LoggedEvent(event, fields))

    def info(self, event: str, /, **fields: object) -> None:
        """Log an operator's action, or something that an operator should know."""
        self._logger.info(LoggedEvent(event, fields))

    def warn(self, event: str, /, **fields: object) -> None:
        """Log a failure outside adc: bad input, a failing member."""
        self._logger.warning(LoggedEvent(event, fields))

    def error(self, event: str, /, **fields: object) -> None:
        """Log a failure of adc itself that needs someone."""
        self._logger.error(LoggedEvent(event, fields))


class EventHandler(logging.Handler):
    """Passes the records of `logging` to `log`."""

    def __init__(self, log: ErrorLog) -> None:
        super().__init__()
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; never raises."""
        try:
            entry = record.msg if isinstance(record.msg, LoggedEvent) else _of_library(record)
            self.log.log(_level(record.levelno), entry.event, entry.fields)
        except Exception:
            self.handleError(record)


def trace_of(error: BaseException) -> str:
    """Return `error`'s traceback as one field: `file:line function`, innermost frame first."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _of_library(record: logging.LogRecord) -> LoggedEvent:
    fields: dict[str, object] = {"logger": record.name, "detail": _message_of(record)}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        fields |= {"error": f"{type(error).__name__}: {error}", "trace": trace_of(error)}
    return LoggedEvent("library_message", fields)


def _message_of(record: logging.LogRecord) -> str:
    """Return the message, without its arguments if they do not fit."""
    try:
        return record.getMessage()
    except Exception:
        return str(record.msg)


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"
