"""The error log: one line an event, with a rate limit for each kind of event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from adc.telemetry.log_file import LogFile
from adc.telemetry.log_line import LEVELS, Level, Style, composer
from adc.telemetry.rate_gate import RateGate

BURST = 20
PER_SECOND = 5.0
UNSENT_LENGTH = 1 << 16
"""Bytes buffered for a slow reader; lines beyond are dropped and counted."""


class ErrorLog:
    """Writes at once, one line an event: `log.warn("request_refused", reason="bad_host", client=address)`.

    The event is a fixed name (`adc.telemetry.events`) with variable fields. Of one event `burst` lines are written,
    then PER_SECOND; the next line that passes, or `flush`, has the number of suppressed lines. Events below `level`
    are ignored. `path` is as in LogFile. Any thread may log.

    Raises OSError if the file cannot be opened.
    """

    def __init__(
        self,
        path: str,
        style: Style = "text",
        level: Level = "info",
        clock: Callable[[], float] = time.time,
        burst: int = BURST,
    ) -> None:
        self.suppressed = 0
        self.dropped = 0
        self.level = level
        self._unsent = b""
        self._file = LogFile(path)
        self._compose = composer(style)
        self._least = LEVELS[level]
        self._clock = clock
        self._gate = RateGate(burst, PER_SECOND)
        self._lock = threading.Lock()

    def debug(self, event: str, /, **fields: object) -> None:
        """Log details that help to find a defect."""
        self.log("debug", event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Log an operator's action, or something that an operator should know."""
        self.log("info", event, fields)

    def warn(self, event: str, /, **fields: object) -> None:
        """Log a failure outside adc: bad input, a failing member."""
        self.log("warn", event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Log a failure of adc itself that needs someone."""
        self.log("error", event, fields)

    def log(self, level: Level, event: str, fields: Mapping[str, object]) -> None:
        """Write one line unless it is below the level or over the rate."""
        if LEVELS[level] < self._least:
            return
        now = self._clock()
        with self._lock:
            suppressed = self._gate.admit(event, now)
            if suppressed is None:
                self.suppressed += 1
            else:
                self._put(now, level, event, {**fields, "suppressed": suppressed} if suppressed else fields)

    def flush(self) -> None:
        """Log the numbers of suppressed lines and write the rest that a slow reader left; called from a tick."""
        now = self._clock()
        with self._lock:
            for event, suppressed in self._gate.settle(now):
                self._put(now, "warn", event, {"suppressed": suppressed})
            if self._unsent:
                self._unsent, lost = self._file.write(self._unsent)
                self.dropped += lost

    def reopen(self) -> None:
        """Go on in a new file after a rotation.

        Raises OSError if the new file cannot be opened; the old one then stays in use.
        """
        self._file.reopen()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _put(self, now: float, level: Level, event: str, fields: Mapping[str, object]) -> None:
        if len(self._unsent) >= UNSENT_LENGTH:
            self.dropped += 1
            return
        line = self._compose(now, level, event, fields) + "\n"
        self._unsent, lost = self._file.write(self._unsent + line.encode())
        self.dropped += lost
