"""Requests and responses as every room sees them, whatever codec carried them."""

from __future__ import annotations

from adc.http.headers import Headers

NO_BODY = 0
UNKNOWN_LENGTH = -1
"""`body_length` of a message whose end is told by the framing only (chunked, a closed stream)."""


class Request:
    """A request head (RFC 9110 section 6).

    `target` is what goes on the wire in origin-form, exactly as received; `path` is the same path in the
    normalised form that rules are matched against and `query` what follows the first `?` (both without it).
    `host` is lower-case without the port; `authority` is host and port as received. `client` is the address
    that the trusted-proxy rules derived, `peer` the address of the socket.
    """

    __slots__ = (
        "authority",
        "body_length",
        "client",
        "headers",
        "host",
        "method",
        "path",
        "peer",
        "query",
        "scheme",
        "sni",
        "target",
        "version",
    )

    def __init__(
        self,
        method: str,
        target: str,
        path: str,
        query: str,
        authority: str,
        host: str,
        headers: Headers,
        *,
        version: str = "1.1",
        scheme: str = "http",
        body_length: int = NO_BODY,
        client: str = "",
        peer: str = "",
        sni: str = "",
    ) -> None:
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.authority = authority
        self.host = host
        self.headers = headers
        self.version = version
        self.scheme = scheme
        self.body_length = body_length
        self.client = client
        self.peer = peer
        self.sni = sni


class Response:
    """A response head. `body_length` counts bytes of content as it will be sent, or UNKNOWN_LENGTH."""

    __slots__ = ("body_length", "headers", "reason", "status")

    def __init__(
        self, status: int, headers: Headers, *, reason: bytes = b"", body_length: int = UNKNOWN_LENGTH
    ) -> None:
        self.status = status
        self.headers = headers
        self.reason = reason
        self.body_length = body_length
