"""The fields of one finished exchange for the access log, and the words for how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from adc.http.message import Request

COMPLETE = "-"

END_REASONS: Mapping[str, str] = MappingProxyType(
    {
        COMPLETE: "the exchange ran to its end",
        # The client ended it, or adc did because of the client.
        "client_gone": "the client closed or reset the connection before the response was sent",
        "ambiguous_path": "the path can be read in ways that lead to different routes",
        "bad_request": "the request was malformed or its framing ambiguous",
        "request_head_timeout": "the request head was not complete in time",
        "request_body_timeout": "the client stopped sending the request body",
        "client_write_timeout": "the client stopped reading the response",
        "limit_head": "the header block was over its limit",
        "limit_target": "the request target was over its limit",
        "limit_body": "the request body was over its limit",
        # We ended it by ourselves.
        "no_route": "no route matched",
        "loop": "the request had come through here too often",
        "denied": "a rule or a plugin refused the request",
        "rate_limited": "a rate or connection limit refused the request",
        "no_member": "no member of the pool may take the request",
        "queue_full": "the queue of the pool was full",
        "queue_timeout": "the request waited too long in the queue of the pool",
        "connection_limit": "the members or the connections of the pool were at their limit",
        "overload": "the circuit breaker or the adaptive limit of the pool refused the request",
        "total_timeout": "the whole exchange took too long",
        "plugin_error": "a plugin raised or overran its budget and fails closed",
        "internal_error": "a defect of ours",
        "shutdown": "the grace time of a shutdown or a replaced worker was over",
        "file_failed": "a file could not be read to its end",
        # The member ended it, or adc did because of the member.
        "connect_timeout": "the member did not accept the connection in time",
        "connect_failed": "the member refused the connection, was unreachable, or its name did not resolve",
        "tls_failed": "the TLS handshake with the member failed",
        "response_head_timeout": "the member did not begin its response in time",
        "idle_timeout": "neither side moved a byte in time after the response had begun",
        "member_closed": "the member closed the connection before its response was complete",
        "member_reset": "the member reset the connection",
        "bad_response": "the response of the member was malformed or its framing ambiguous",
    }
)
"""Termination states: the word in the log -> the side that ended the exchange, and the phase."""


class LogRecord(Protocol):
    """One finished exchange. Text that does not apply is empty; the log prints it as `-`."""

    @property
    def request(self) -> Request | None:
        """The request head; None if the exchange ended before it was complete."""

    @property
    def client(self) -> str:
        """Address of the client as the trusted-proxy rules derived it; known without a request, too."""

    @property
    def status(self) -> int:
        """Status code sent to the client, 0 if none was."""

    @property
    def bytes_in(self) -> int:
        """Bytes of request content received."""

    @property
    def bytes_out(self) -> int:
        """Bytes of response content sent."""

    @property
    def started(self) -> float:
        """Wall-clock time of the first byte of the request, seconds since the epoch."""

    @property
    def elapsed(self) -> float:
        """Seconds from the first byte received to the last byte sent."""

    @property
    def upstream_elapsed(self) -> float:
        """Seconds from choosing the member to the end of its response, 0 without a member."""

    @property
    def route(self) -> str:
        """Name of the route that matched."""

    @property
    def pool(self) -> str:
        """Name of the pool that the route chose."""

    @property
    def member(self) -> str:
        """Address of the last member chosen."""

    @property
    def attempts(self) -> int:
        """The number of members tried, 0 if none."""

    @property
    def request_id(self) -> str:
        """The value of X-Request-Id that the member saw."""

    @property
    def end_reason(self) -> str:
        """A word of END_REASONS."""

    @property
    def cache(self) -> str:
        """The cache's decision about the request (`hit`, `miss`, `stale`, ...), empty without a cache."""

    @property
    def listener(self) -> str:
        """Name of the listener that accepted the connection."""


class RecordLog(Protocol):
    """The receiver of records."""

    def write(self, record: LogRecord) -> None:
        """Take `record` in."""
