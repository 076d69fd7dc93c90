"""Words for a failed attempt in the log's end reason, and for overdue phases."""

from __future__ import annotations

from adc.pools.errors import Failure

_END_REASONS = {
    Failure.DNS_ERROR: "connect_failed",
    Failure.DNS_TIMEOUT: "connect_failed",
    Failure.CONNECTION_REFUSED: "connect_failed",
    Failure.CONNECTION_TIMEOUT: "connect_timeout",
    Failure.UNROUTABLE: "connect_failed",
    Failure.TLS_ERROR: "tls_failed",
    Failure.TLS_CERTIFICATE: "tls_failed",
    Failure.TLS_ALERT: "tls_failed",
    Failure.STALE_CONNECTION: "member_closed",
    Failure.UNPROCESSED: "member_closed",
    Failure.RESET: "member_reset",
    Failure.UPLOAD_RESET: "member_reset",
    Failure.HEAD_INCOMPLETE: "member_closed",
    Failure.BODY_INCOMPLETE: "member_closed",
    Failure.PROTOCOL_ERROR: "bad_response",
    Failure.HEAD_TOO_LARGE: "bad_response",
    Failure.UPGRADE_FAILED: "bad_response",
    Failure.RESPONSE_TIMEOUT: "response_head_timeout",
    Failure.READ_TIMEOUT: "idle_timeout",
    Failure.WRITE_TIMEOUT: "idle_timeout",
    Failure.TOTAL_TIMEOUT: "total_timeout",
    Failure.NO_MEMBER: "no_member",
    Failure.CONNECTION_LIMIT: "connection_limit",
    Failure.QUEUE_FULL: "queue_full",
    Failure.QUEUE_TIMEOUT: "queue_timeout",
    Failure.OVERLOAD: "overload",
    Failure.INTERNAL: "internal_error",
    Failure.CLIENT_GONE: "client_gone",
}

CLIENT_CLOSED = 499
"""Status in logs when the client left before a response was sent, like in nginx."""

_UNTOLD = frozenset(
    {
        "connection_limit",
        "limit_body",
        "limit_head",
        "limit_target",
        "loop",
        "overload",
        "queue_full",
        "queue_timeout",
        "request_body_timeout",
        "request_head_timeout",
        "total_timeout",
    }
)
"""End reasons without a distinct error type in RFC 9209."""


def proxy_status(token: str, status: int, reason: str) -> str:
    """Return the `error` of `Proxy-Status` with parameters (RFC 9209 section 2.3); "" for nothing to say."""
    if not token and status in (408, 413, 414, 431):
        token = "http_request_error"
    return f'{token}; details="{reason}"' if token and reason in _UNTOLD else token


def end_reason(failure: Failure) -> str:
    """Return the word of the access log for an exchange that ended in `failure`."""
    return _END_REASONS[failure]
