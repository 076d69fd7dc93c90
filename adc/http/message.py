"""Requests and responses, independent of the codec that carries them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adc.http.client import Client, Flow
from adc.http.headers import Headers, Pair

NO_BODY = 0
NOBODY: Final = Client()
"""The client of a request that has none."""
_NO_LINES: Final[tuple[Pair, ...]] = ()
UNKNOWN_LENGTH = -1
"""`body_length` of a message whose framing alone shows its end (chunked, a closed stream)."""


class Request(Flow):
    """A request head (RFC 9110 section 6).

    * `target` goes on the wire in origin-form: as received, or with the normalised path where a member could read it
      otherwise (`adc.routing.settle`). `path` is its path in the normalised form that rules match, `query` what
      follows the first `?`. `plain` is True if every member reads the path alike; False requires `settle`.
    * `host` is lower-case without the port; `authority` is host and port as received.
    * `client` holds the facts of the client's connection. `source` and `scheme` are the client's address and scheme
      as the rules for trusted proxies derive them.
    * `headers` holds end-to-end lines only (`Host` among them). `proxy_fields` maps the lower-case names of lines that
      a proxy reads (`adc.http.fields.divide`) to their values.
    * `selecting` is False if the client is known to have sent no `SELECTING` field (`adc.http.fields`).
    * `spoofable` is True if `headers` may hold fields that only a proxy may write (`adc.http.fields`).
    * `upgrade` lists the protocols that the client offers to switch to and that may be forwarded, b"" if none.
    * `takes_trailers` is True if the client sent `TE: trailers` (RFC 9110 section 10.1.4).
    * `cache_mark` names the variant of the URL that caches keep apart, b"" unless plugins decide so.
    * `tied` is True if a member connection belongs to the client's connection alone (`adc.http.tied`).
    * `received_target` and `received_lines` are the target and all field lines as the codec received them, framing and
      hop-by-hop ones among them. Without a codec the lines are empty.
    * `passed_by` names the node of the cluster that passed the request here, "" if it came from a client.
    """

    __slots__ = (
        "authority",
        "body_length",
        "cache_mark",
        "expect_continue",
        "headers",
        "host",
        "method",
        "passed_by",
        "path",
        "plain",
        "proxy_fields",
        "query",
        "received_lines",
        "received_target",
        "scheme",
        "selecting",
        "spoofable",
        "takes_trailers",
        "target",
        "tied",
        "upgrade",
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
        proxy_fields: dict[bytes, bytes] | None = None,
        body_length: int = NO_BODY,
        version: str = "1.1",
        scheme: str = "http",
        client: Client = NOBODY,
        source: str = "",
    ) -> None:
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.authority = authority
        self.host = host
        self.headers = headers
        self.proxy_fields = {} if proxy_fields is None else proxy_fields
        self.body_length = body_length
        self.version = version
        self.scheme = scheme
        self.client = client
        self.source = source or client.peer
        self.plain = True
        self.upgrade = b""
        self.expect_continue = False
        self.takes_trailers = False
        self.selecting = True
        self.spoofable = False
        self.tied = False
        self.passed_by = ""
        self.cache_mark = b""
        self.received_target = target
        self.received_lines: Sequence[Pair] = _NO_LINES

    @property
    def sent_path(self) -> str:
        """Return the path of `target`."""
        return self.path if self.plain else self.target.partition("?")[0]

    def with_headers(self, headers: Headers) -> Request:
        """Return a copy with other field lines; `proxy_fields` is shared."""
        other = Request(
            self.method,
            self.target,
            self.path,
            self.query,
            self.authority,
            self.host,
            headers,
            self.proxy_fields,
            self.body_length,
            self.version,
            self.scheme,
            self.client,
            self.source,
        )
        other.plain = self.plain
        other.upgrade = self.upgrade
        other.expect_continue = self.expect_continue
        other.takes_trailers = self.takes_trailers
        other.selecting = self.selecting
        other.spoofable = self.spoofable
        other.tied = self.tied
        other.passed_by = self.passed_by
        other.cache_mark = self.cache_mark
        other.received_target = self.received_target
        other.received_lines = self.received_lines
        return other


class Response:
    """A response head.

    `headers` holds end-to-end lines without `Content-Length`. `body_length` is that length: bytes of content as sent,
    or as a GET would receive them if this answers HEAD or is a 304; UNKNOWN_LENGTH if only the framing shows the end.
    `dated` is True if `headers` has a Date. `upgrade` is the protocol that a 101 switches to or a 426 requires.
    `trailer` names the announced trailers that may be forwarded (`adc.http.trailers`), b"" if none. `version` is the
    member's. `selected` is the head that a 304 made here stands for: that of the 200 in its place.
    `shared` is True if the head serves many requests, its content of known length: nothing changes it, and the codec
    keeps in `written` what it writes of it each time.
    """

    __slots__ = (
        "body_length",
        "dated",
        "headers",
        "reason",
        "selected",
        "shared",
        "status",
        "trailer",
        "upgrade",
        "version",
        "written",
    )

    def __init__(
        self,
        status: int,
        headers: Headers,
        reason: bytes = b"",
        body_length: int = UNKNOWN_LENGTH,
        dated: bool = False,
    ) -> None:
        self.status = status
        self.headers = headers
        self.reason = reason
        self.body_length = body_length
        self.dated = dated
        self.selected: Response | None = None
        self.shared = False
        self.written = b""
        self.upgrade = b""
        self.trailer = b""
        self.version = "1.1"
