"""Failures between adc and a member: one table from kind to source, status, token and retry word."""

from __future__ import annotations

from enum import Enum, StrEnum


class FailureSource(StrEnum):
    """The side that caused a failure. Only the member's failures count against its health."""

    MEMBER = "member"
    PROXY = "proxy"
    CLIENT = "client"


class Failure(Enum):
    """One kind of failed attempt.

    `value` is the word of logs and metrics, `status` the response to the client (0: no response is possible), `token`
    the error type of `Proxy-Status` (RFC 9209 section 2.3), `retry_on` the word of `retries.on` that covers it ("" if
    no word does). `unsent` is True if the member cannot have processed any of the request, which makes another attempt
    safe for every method (RFC 9110 section 9.2.2).
    """

    DNS_ERROR = "dns_error", FailureSource.MEMBER, 502, "dns_error", "connect_failure", True
    DNS_TIMEOUT = "dns_timeout", FailureSource.MEMBER, 504, "dns_timeout", "connect_failure", True
    CONNECTION_REFUSED = (
        "connection_refused",
        FailureSource.MEMBER,
        502,
        "connection_refused",
        "connect_failure",
        True,
    )
    CONNECTION_TIMEOUT = (
        "connection_timeout",
        FailureSource.MEMBER,
        504,
        "connection_timeout",
        "connect_failure",
        True,
    )
    UNROUTABLE = "unroutable", FailureSource.MEMBER, 502, "destination_ip_unroutable", "connect_failure", True
    TLS_ERROR = "tls_error", FailureSource.MEMBER, 502, "tls_protocol_error", "connect_failure", True
    TLS_CERTIFICATE = (
        "tls_certificate",
        FailureSource.MEMBER,
        502,
        "tls_certificate_error",
        "connect_failure",
        True,
    )
    TLS_ALERT = "tls_alert", FailureSource.MEMBER, 502, "tls_alert_received", "connect_failure", True

    STALE_CONNECTION = (
        "stale_connection",
        FailureSource.PROXY,
        502,
        "connection_terminated",
        "stale_connection",
        False,
    )
    UNPROCESSED = "unprocessed", FailureSource.PROXY, 503, "destination_unavailable", "unprocessed", True
    """The member announced that it did not process the request: it refused a stream, or closes the connection."""
    RESET = "reset", FailureSource.MEMBER, 502, "connection_terminated", "reset_before_response", False
    UPLOAD_RESET = (
        "upload_reset",
        FailureSource.PROXY,
        502,
        "connection_terminated",
        "reset_before_response",
        False,
    )
    HEAD_INCOMPLETE = (
        "head_incomplete",
        FailureSource.MEMBER,
        502,
        "http_response_incomplete",
        "reset_before_response",
        False,
    )
    BODY_INCOMPLETE = "body_incomplete", FailureSource.MEMBER, 502, "http_response_incomplete", "", False
    PROTOCOL_ERROR = (
        "protocol_error",
        FailureSource.MEMBER,
        502,
        "http_protocol_error",
        "invalid_response",
        False,
    )
    HEAD_TOO_LARGE = (
        "head_too_large", FailureSource.MEMBER, 502, "http_response_header_section_size", "invalid_response", False,
    )  # fmt: skip
    UPGRADE_FAILED = "upgrade_failed", FailureSource.MEMBER, 502, "http_upgrade_failed", "", False

    RESPONSE_TIMEOUT = (
        "response_timeout",
        FailureSource.MEMBER,
        504,
        "http_response_timeout",
        "timeout",
        False,
    )
    READ_TIMEOUT = "read_timeout", FailureSource.MEMBER, 504, "connection_read_timeout", "timeout", False
    WRITE_TIMEOUT = "write_timeout", FailureSource.MEMBER, 504, "connection_write_timeout", "timeout", False
    TOTAL_TIMEOUT = "total_timeout", FailureSource.PROXY, 504, "http_response_timeout", "", False

    NO_MEMBER = "no_member", FailureSource.PROXY, 503, "destination_unavailable", "", True
    CONNECTION_LIMIT = "connection_limit", FailureSource.PROXY, 503, "connection_limit_reached", "", True
    QUEUE_FULL = "queue_full", FailureSource.PROXY, 503, "connection_limit_reached", "", True
    QUEUE_TIMEOUT = "queue_timeout", FailureSource.PROXY, 503, "connection_limit_reached", "", True
    OVERLOAD = "overload", FailureSource.PROXY, 503, "connection_limit_reached", "", True
    INTERNAL = "internal", FailureSource.PROXY, 502, "proxy_internal_error", "", False

    CLIENT_GONE = "client_gone", FailureSource.CLIENT, 0, "", "", False

    source: FailureSource
    status: int
    token: str
    retry_on: str
    unsent: bool

    def __new__(
        cls, word: str, source: FailureSource, status: int, token: str, retry_on: str, unsent: bool
    ) -> Failure:
        failure = object.__new__(cls)
        failure._value_ = word
        failure.source = source
        failure.status = status
        failure.token = token
        failure.retry_on = retry_on
        failure.unsent = unsent
        return failure


Outcome = int | Failure
"""The outcome of an attempt: the member's status, or the kind of failure."""

RETRY_WORDS = frozenset(failure.retry_on for failure in Failure if failure.retry_on)
"""Every word that `retries.on` knows, beside status codes and `5xx`."""
