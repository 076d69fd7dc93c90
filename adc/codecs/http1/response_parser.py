"""Responses of a member: the events of httptools' parser, and what frames the content."""

from __future__ import annotations

from typing import Any, Final

import httptools

from adc.codecs.http1.chunk_place import ChunkPlace
from adc.codecs.http1.linked import LinkedConnection, Owner
from adc.codecs.http1.response_head import printable
from adc.codecs.http1.states import (
    COMPLETE,
    IDLE,
    ODD_RESPONSE_HEAD,
    RESPONSE_BODY,
    RESPONSE_CHUNKS,
    RESPONSE_HEAD,
    RESPONSE_TUNNEL,
    UNTIL_CLOSE,
)
from adc.codecs.interface import ResponseReceiver
from adc.http.fields import divide, elements
from adc.http.headers import Headers, Pair
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.http.tied import offers_connection
from adc.http.trailers import announceable
from adc.http.upgrade import offers

MAX_FIELDS: Final = 1000
_MAX_LENGTH: Final = (1 << 63) - 1
"""The largest length that fits into a signed number of a client."""
_MAX_REASON: Final = 512
_UNAUTHORIZED: Final = 401
_UPGRADE_REQUIRED: Final = 426
_NO_CONTENT: Final = frozenset({204, 304})
_VERSIONS: Final = ("1.0", "1.1")
_HTTP_1_1: Final = b"HTTP/1.1"


class ResponseParser(LinkedConnection):
    """Collects what the parser makes of one read of `receiver`'s response: `_head`, the parts of `_body`, `_trailers`.

    `_state` says how the response is read (`states`). `_content` is false if the response has none whatever its head
    says, `_upgrade` what the request offered to switch to. `_left` counts the missing bytes of long content. `_keep`:
    the connection can be used again; `_private`: only for requests of the same client. `_connection`: the `Connection`
    field of a chunked response. `_interim_heads` counts interim responses before the head.
    """

    __slots__ = (
        "_arrived",
        "_body",
        "_connection",
        "_content",
        "_head",
        "_interim_heads",
        "_keep",
        "_left",
        "_link",
        "_overhead",
        "_pairs",
        "_parser",
        "_place",
        "_private",
        "_reason",
        "_state",
        "_trailers",
        "_upgrade",
        "receiver",
    )

    def __init__(self, link: Owner) -> None:
        super().__init__()
        self._link = link
        self._state = IDLE
        self.receiver: ResponseReceiver | None = None
        self._parser: Any = None
        self._place = ChunkPlace()
        self._pairs: list[Pair] = []
        self._arrived = b""
        self._head: Response | None = None
        self._body: list[bytes] = []
        self._left = 0
        self._connection = b""
        self._trailers: list[Pair] = []
        self._interim_heads = 0
        self._overhead = 0
        self._reason = b""
        self._content = True
        self._keep = False
        self._upgrade = b""
        self._private = False

    def _new_parser(self) -> None:
        parser = self._parser = httptools.HttpResponseParser(self)
        parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)

    # Events of the parser.

    def on_message_begin(self) -> None:
        if self._state == COMPLETE:
            self._keep = False
        else:
            self._pairs = []
            self._reason = b""

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._state in (RESPONSE_HEAD, ODD_RESPONSE_HEAD):
            self._pairs.append((name, value))
        elif self._state == RESPONSE_CHUNKS and len(self._trailers) <= MAX_FIELDS:
            self._trailers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if self._state not in (RESPONSE_HEAD, ODD_RESPONSE_HEAD):
            return
        status = self._parser.get_status_code()
        lines, proxy_fields, _ = divide(self._pairs)
        reason = self._reason
        if reason and not reason.isalnum():
            reason = printable(reason)
        if len(reason) > _MAX_REASON:
            reason = b""
        response = Response(status, Headers(lines), reason, UNKNOWN_LENGTH, b"date" in proxy_fields)
        if status < 200:
            self._interim(response, proxy_fields)
            return
        if not self._arrived.startswith(_HTTP_1_1):  # of several reads, or behind an interim response
            response.version = self._parser.get_http_version()
        self._state = self._frame(response, proxy_fields)
        self._head = response

    def on_body(self, body: bytes) -> None:
        if self._state == COMPLETE:
            self._keep = False
        else:
            self._body.append(body)

    def on_chunk_header(self) -> None:
        self._place.chunk_begun()

    def on_chunk_complete(self) -> None:
        self._place.chunk_complete(len(self._body))

    def on_message_complete(self) -> None:
        if self._state in (RESPONSE_BODY, RESPONSE_CHUNKS, UNTIL_CLOSE):
            self._state = COMPLETE

    # The response.

    def _frame(self, response: Response, proxy_fields: dict[bytes, bytes]) -> int:
        """Note what the head says of the connection; return the state in which the body is read (RFC 9112 section 6.3).

        Raises ValueError for ambiguous framing.
        """
        parser = self._parser
        state = RESPONSE_BODY
        self._keep = parser.should_keep_alive()
        if not self._keep and parser.get_http_version() not in _VERSIONS:
            raise ValueError("neither HTTP/1.0 nor HTTP/1.1")
        if b"transfer-encoding" in proxy_fields and self._is_chunked(proxy_fields[b"transfer-encoding"]):
            self._keep = self._keep and parser.get_http_version() == "1.1"  # RFC 9112 section 6.1
            state = RESPONSE_CHUNKS
            self._overhead = 0
            self._place.begin()
            self._connection = proxy_fields.get(b"connection", b"")
            if b"trailer" in proxy_fields:
                response.trailer = announceable(proxy_fields[b"trailer"])
        elif b"content-length" in proxy_fields:
            length = response.body_length = int(proxy_fields[b"content-length"])
            if length > _MAX_LENGTH:
                raise ValueError("Content-Length is too large")
        elif self._content and response.status not in _NO_CONTENT:
            state = UNTIL_CLOSE
            self._keep = False
        if response.status == _UNAUTHORIZED and offers_connection(
            response.headers.get_all(b"www-authenticate")
        ):
            self._private = True
        elif response.status == _UPGRADE_REQUIRED:
            response.upgrade = proxy_fields.get(b"upgrade", b"")
        if b"keep-alive" in proxy_fields:
            self._link.announced(proxy_fields[b"keep-alive"])
        if not self._content:
            self._new_parser()
            return COMPLETE
        return state

    def _is_chunked(self, value: bytes) -> bool:
        """True if the value of Transfer-Encoding is `chunked`, False if it is empty. Raises ValueError for others."""
        coding = elements(value.lower())
        if coding and coding != [b"chunked"]:
            raise ValueError("only the transfer coding `chunked` is understood")
        return bool(coding)

    def _interim(self, response: Response, proxy_fields: dict[bytes, bytes]) -> None:
        if response.status < 100:
            raise ValueError("a status below 100")
        if response.status == 101:
            if (
                not offers(self._upgrade, proxy_fields.get(b"upgrade", b""))
                or not self._parser.should_upgrade()
            ):
                raise ValueError("an unsolicited switch of protocols")
            response.upgrade = proxy_fields[b"upgrade"]
            self._state = RESPONSE_TUNNEL
            self._head = response
        elif self.receiver is not None:
            self._interim_heads += 1
            self.receiver.response_informational(response)
