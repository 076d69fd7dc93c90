"""The error log: what went wrong, a line each, with a ceiling for each kind of message."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Literal

from adc.telemetry.escape import escape_text, json_text
from adc.telemetry.log_file import LogFile
from adc.telemetry.rate_gate import RateGate
from adc.telemetry.timestamps import iso_time

Level = Literal["debug", "info", "warn", "error"]
Style = Literal["text", "json"]

LEVELS: Mapping[str, int] = MappingProxyType({"debug": 0, "info": 1, "warn": 2, "error": 3})
BURST = 20
PER_SECOND = 5.0
UNSENT_LENGTH = 1 << 16
"""Bytes kept for a reader that is slow; lines beyond are dropped and counted."""
VALUE_LENGTH = 2000
"""Characters of a field's value, escaped; more are cut."""

_BARE = re.compile(r"[!#-<>-\[\]-~]+")


class ErrorLog:
    """Writes at once, one line a message: `log.warn("request_refused", reason="bad_host", client=address)`.

    The message is a fixed word, what varies goes into the fields. Of one message BURST lines are written,
    then PER_SECOND; the next line that gets through, or `flush`, says how many were held back. Messages below
    `level` are ignored. `path` is as in LogFile.

    Raises OSError if the file cannot be opened.
    """

    def __init__(
        self, path: str, style: Style = "text", level: Level = "info", clock: Callable[[], float] = time.time
    ) -> None:
        self.suppressed = 0
        self.dropped = 0
        self._unsent = b""
        self._file = LogFile(path)
        self._compose = _json_entry if style == "json" else _text_entry
        self._least = LEVELS[level]
        self._clock = clock
        self._gate = RateGate(BURST, PER_SECOND)

    def debug(self, message: str, /, **fields: object) -> None:
        """Log details that help to find a defect."""
        self._log("debug", message, fields)

    def info(self, message: str, /, **fields: object) -> None:
        """Log an operator's action, or something that an operator should know."""
        self._log("info", message, fields)

    def warn(self, message: str, /, **fields: object) -> None:
        """Log a failure outside adc: bad input, a failing member."""
        self._log("warn", message, fields)

    def error(self, message: str, /, **fields: object) -> None:
        """Log a failure of adc itself that needs someone."""
        self._log("error", message, fields)

    def flush(self) -> None:
        """Say how many lines were held back and write what a slow reader left; called from a tick."""
        now = self._clock()
        for message, held_back in self._gate.settle(now):
            self._put(now, "warn", message, {"suppressed": held_back})
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

    def _log(self, level: Level, message: str, fields: dict[str, object]) -> None:
        if LEVELS[level] < self._least:
            return
        now = self._clock()
        held_back = self._gate.admit(message, now)
        if held_back is None:
            self.suppressed += 1
            return
        if held_back:
            fields["suppressed"] = held_back
        self._put(now, level, message, fields)

    def _put(self, now: float, level: Level, message: str, fields: Mapping[str, object]) -> None:
        if len(self._unsent) >= UNSENT_LENGTH:
            self.dropped += 1
            return
        line = self._compose(now, level, message, fields) + "\n"
        self._unsent, lost = self._file.write(self._unsent + line.encode())
        self.dropped += lost


def _text_entry(now: float, level: Level, message: str, fields: Mapping[str, object]) -> str:
    parts = [iso_time(now), level, escape_text(message)]
    for name, value in fields.items():
        text = _text_of(value)
        bare = len(text) <= VALUE_LENGTH and _BARE.fullmatch(text)
        parts.append(f"{name}={text}" if bare else f'{name}="{escape_text(text, VALUE_LENGTH)}"')
    return " ".join(parts)


def _json_entry(now: float, level: Level, message: str, fields: Mapping[str, object]) -> str:
    parts = [f'"time":"{iso_time(now)}","level":"{level}","message":{json_text(message)}']
    for name, value in fields.items():
        if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
            parts.append(f"{json_text(name)}:{json.dumps(value)}")
        else:
            parts.append(f"{json_text(name)}:{json_text(_text_of(value), VALUE_LENGTH)}")
    return "{" + ",".join(parts) + "}"


def _text_of(value: object) -> str:
    if isinstance(value, bytes):
        value = value[: VALUE_LENGTH + 1].decode("utf-8", "backslashreplace")
    return str(value)[: VALUE_LENGTH + 1]
