"""The outcome of an exchange with a plugin, and its log record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adc.http.message import Request
from adc.http.message import Response as Head
from adc.telemetry.record import COMPLETE

Message = Mapping[str, object]


@dataclass
class Outcome:
    """The outcome of an exchange. `request_body` is the content that the member received, None if it received no
    request; `stopped` is True if the plugin answered by itself; `cache_mark` is what
    `Context.vary_cache` was given; `messages` are the lines for the error log.
    """

    request: Request
    response: Head
    body: bytes
    request_body: bytes | None = None
    stopped: bool = False
    cache_mark: bytes = b""
    messages: list[Message] = field(default_factory=list)


class Record:
    """The `LogRecord` of an outcome."""

    attempts = 1
    bytes_in = 0
    cache = ""
    elapsed = 0.001
    listener = "test"
    member = ""
    pool = ""
    request_id = "test"
    route = "test"
    started = 0.0
    upstream_elapsed = 0.001

    def __init__(self, outcome: Outcome) -> None:
        self.request = outcome.request
        self.client = outcome.request.source
        self.status = outcome.response.status
        self.bytes_out = len(outcome.body)
        self.end_reason = COMPLETE


class Messages:
    """An error log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[Message] = []

    def warn(self, message: str, /, **fields: object) -> None:
        """Keep one line."""
        self.lines.append(fields)
