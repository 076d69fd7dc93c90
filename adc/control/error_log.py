"""The error log of this process: where `logging`, and with it every room without a log at hand, writes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from adc.runtime.assembly.logs import open_error_log
from adc.telemetry.event_log import EventHandler

if TYPE_CHECKING:
    from adc.config import Config
    from adc.telemetry.error_log import ErrorLog

BURST = 500
"""Lines of one event at once: a reload may find many mistakes, and a network failure takes many members down."""

FLUSH_SECONDS = 1.0

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


def configure(config: Config) -> None:
    """Send events where `error_log` says, and close the log in use before. Raises OSError."""
    before = use(open_error_log(config, BURST))
    if before is not None:
        before.close()


def use(log: ErrorLog) -> ErrorLog | None:
    """Send events to `log` from now on. Return the log in use before, to which others may still write."""
    before: ErrorLog | None = None
    root = logging.getLogger()
    handler = _installed()
    if handler is None:
        root.addHandler(EventHandler(log))
    else:
        before, handler.log = handler.log, log
    root.setLevel(_LEVELS[log.level])
    return before


def reopen() -> None:
    """Go on in a new file after a rotation. Raises OSError."""
    handler = _installed()
    if handler is not None:
        handler.log.reopen()


def keep_flushed(loop: asyncio.AbstractEventLoop) -> None:
    """Write once a second what is outstanding."""
    handler = _installed()
    if handler is not None:
        handler.log.flush()
    loop.call_later(FLUSH_SECONDS, keep_flushed, loop)


def _installed() -> EventHandler | None:
    return next((each for each in logging.getLogger().handlers if isinstance(each, EventHandler)), None)
