"""The log of the control side's own messages: the error log of the configuration."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from typing import TYPE_CHECKING

from adc.telemetry.timestamps import iso_time

if TYPE_CHECKING:
    from adc.config import Config

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Line(logging.Formatter):
    """`time level message`, as in the error log of the workers."""

    def format(self, record: logging.LogRecord) -> str:
        level = "warn" if record.levelno == logging.WARNING else record.levelname.lower()
        text = f"{iso_time(record.created)} {level} {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class _File(WatchedFileHandler):
    """A file that others of its group may read, and nobody else, as the logs of the workers."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return open(descriptor, "a", encoding=self.encoding, errors="backslashreplace")


def configure(config: Config) -> None:
    """Send messages where `error_log` says. A file is opened anew when it was rotated. Raises OSError."""
    where = config.error_log
    handler: logging.Handler
    if where.path == "off":
        handler = logging.NullHandler()
    elif where.path == "-":
        handler = logging.StreamHandler(sys.stderr)
    else:
        handler = _File(where.path)
    handler.setFormatter(_Line())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(LEVELS[where.level])
