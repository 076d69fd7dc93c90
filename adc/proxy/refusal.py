"""The log record of what never became a request."""

from __future__ import annotations

from adc.http.message import Request


class Refusal:
    """A `LogRecord` for a message that a codec refused."""

    attempts = 0
    bytes_in = 0
    cache = ""
    elapsed = 0.0
    member = ""
    pool = ""
    request: Request | None = None
    route = ""
    upstream_elapsed = 0.0

    def __init__(
        self,
        client: str,
        listener: str,
        status: int,
        bytes_out: int,
        started: float,
        request_id: str,
        reason: str,
    ) -> None:
        self.client = client
        self.listener = listener
        self.status = status
        self.bytes_out = bytes_out
        self.started = started
        self.request_id = request_id
        self.end_reason = reason
