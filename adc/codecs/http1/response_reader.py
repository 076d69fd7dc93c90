"""The reading half of a connection to a member: bytes in, responses out of httptools' parser."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

import httptools

from adc.codecs.http1.chunked import ChunkedContent
from adc.codecs.http1.response_head import Repaired, head_size, printable, repaired
from adc.codecs.interface import ResponseReceiver
from adc.codecs.refused import Refused
from adc.http.fields import divide, elements
from adc.http.headers import Headers, Pair
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.http.tied import offers_connection
from adc.http.trailers import announceable
from adc.http.upgrade import offers
from adc.net.batch import BatchedReader
from adc.pools.errors import Failure

if TYPE_CHECKING:
    from adc.codecs.http1.link import HttpLink

_MAX_HEAD: Final = 256 << 10
_MAX_FIELDS: Final = 1000
_MAX_LENGTH: Final = (1 << 63) - 1
"""The largest length that fits into a signed number of a client."""
_MAX_REASON: Final = 512
_MAX_OVERHEAD: Final = 64 << 10
_OVERHEAD_SHARE: Final = 8
"""Bytes of chunk framing and trailers that are free for each byte of content: a byte a chunk passes, extensions without
end do not."""
_UNAUTHORIZED: Final = 401
_UPGRADE_REQUIRED: Final = 426
_NO_CONTENT: Final = frozenset({204, 304})
_VERSIONS: Final = ("1.0", "1.1")
_HTTP_1_1: Final = b"HTTP/1.1"


class ResponseReader(BatchedReader):
    """Reads responses. What one read brings of one is collected from the parser's callbacks and passed on in one call.

    A head that the parser refuses is read again in strict form (`response_head`). `_seen` is what came before the head
    of the response is complete, `_interim_heads` how many interim ones it begins with; `_odd` is true while the heads
    are read again. `_chunked`: request content goes out in chunks, until a switch. Chunks that the parser refuses are
    decoded by `_chunks`; for that it is known whether a read began within a chunk (`_began_in_chunk`), of how many
    pieces of this read the first chunk consists (`_pieces_of_first`, -1 while it has no end) and what has come of a
    size line. A response that breaks the framing rules fails the attempt.
    """

    __slots__ = (
        "_arrived",
        "_began_in_chunk",
        "_body",
        "_chunked",
        "_chunks",
        "_collecting",
        "_content",
        "_done",
        "_framed_by_chunks",
        "_head",
        "_head_bytes",
        "_in_chunk",
        "_interim_heads",
        "_keep",
        "_link",
        "_odd",
        "_overhead",
        "_pairs",
        "_parser",
        "_pieces_of_first",
        "_private",
        "_reason",
        "_seen",
        "_size_line",
        "_switched",
        "_trailers",
        "_until_close",
        "_upgrade",
        "receiver",
    )

    def __init__(self, link: HttpLink) -> None:
        self._link = link
        self.receiver: ResponseReceiver | None = None
        self._parser: Any = None
        self._pairs: list[Pair] = []
        self._collecting = False
        self._arrived = b""
        self._body: list[bytes] = []
        self._head: Response | None = None
        self._head_bytes = 0
        self._seen = b""
        self._interim_heads = 0
        self._odd = False
        self._chunked = False
        self._chunks: ChunkedContent | None = None
        self._framed_by_chunks = False
        self._overhead = 0
        self._in_chunk = False
        self._began_in_chunk = False
        self._pieces_of_first = -1
        self._size_line = b""
        self._reason = b""
        self._content = True
        self._done = False
        self._keep = False
        self._until_close = False
        self._switched = False
        self._trailers: list[Pair] = []
        self._upgrade = b""
        self._private = False

    # What the writing half does.

    @abstractmethod
    def _release(self, receiver: ResponseReceiver) -> None:
        """The response is complete."""

    @abstractmethod
    def _fail(self, failure: Failure, detail: str) -> None:
        """Close; the response is not whole."""

    # Bytes.

    def _new_parser(self) -> None:
        parser = self._parser = httptools.HttpResponseParser(self)
        parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)

    def _begin_response(self) -> None:
        """A request goes out: what comes next is the response to it."""
        self._head_bytes = 0
        self._done = False
        self._framed_by_chunks = False
        self._trailers = []
        if self._seen or self._odd:
            self._seen = b""
            self._interim_heads = 0
            self._odd = False

    def parse_arrived(self) -> None:
        """Parse what came of a response."""
        data, receiver = self._arrived, self.receiver
        if receiver is None or not data:
            self._arrived = b""
            return
        if self._chunks is not None:
            self._decode(self._chunks, data)
            return
        if self._odd:
            self._read_again(receiver, self._seen + data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._arrived = b""
            self._switch(receiver, data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if self._done:
                self._keep = False
            else:
                self._misread(receiver, data, error)

    def deliver_arrived(self) -> None:
        """Pass on what was parsed."""
        count, receiver = len(self._arrived), self.receiver
        if count and receiver is not None:
            data, self._arrived = self._arrived, b""
            self._deliver(receiver, data)

    def read_arrived(self) -> None:
        """Do not wait for the end of the turn."""
        self.parse_arrived()
        self.deliver_arrived()

    # What the parser refuses.

    def _misread(self, receiver: ResponseReceiver, data: bytes, error: Exception) -> None:
        """Read a head or chunks again that the parser refused; `error` stands if that was its meaning."""
        if isinstance(error, httptools.HttpParserCallbackError):
            self._refuse(_cause(error))
        elif self._head is None and not self._head_sent:
            data = self._seen + data
            start = head_size(data, self._interim_heads - 1) if self._interim_heads else 0
            self._read_again(receiver, data[start:])
        elif self._framed_by_chunks and self._head is None:
            self._take_rest(data)
        elif self._framed_by_chunks:
            data = self._seen + data
            self._take_chunks(data[head_size(data, self._interim_heads) :])
        else:
            self._refuse(_cause(error))

    def _refuse(self, detail: str) -> None:
        self._arrived = b""
        self._fail(Failure.PROTOCOL_ERROR, detail)

    def _read_again(self, receiver: ResponseReceiver, data: bytes) -> None:
        """Read `data`, which begins with an odd head, in strict form."""
        self._odd = True
        try:
            while data and self._head is None:
                found = repaired(data)
                if found is None:
                    break
                data = data[found.size :]
                self._read_strictly(found)
        except httptools.HttpParserUpgrade:
            self._arrived = b""
            self._switch(receiver, data)
            return
        except (httptools.HttpParserError, ValueError) as error:
            self._refuse(_cause(error))
            return
        self._interim_heads = 0
        self._odd = self._head is None
        if self._odd:
            self._seen = data
        elif self._framed_by_chunks and not self._done:
            self._take_chunks(data)
        elif data:
            self._read_rest(data)

    def _read_strictly(self, found: Repaired) -> None:
        self._pairs = []
        self._new_parser()
        self._parser.feed_data(found.head)
        if found.close:
            self._keep = False

    def _read_rest(self, data: bytes) -> None:
        """Read the content behind a head that was read again."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if self._done:
                self._keep = False
            else:
                self._refuse(_cause(error))

    def _take_chunks(self, data: bytes) -> None:
        """Decode chunks from the first on without the parser, which refuses some of them (RFC 9112 section 7.1.1)."""
        self._body.clear()
        self._chunks = ChunkedContent(_MAX_HEAD, _MAX_FIELDS, lenient=True)
        self._decode(self._chunks, data)

    def _take_rest(self, data: bytes) -> None:
        """Decode chunks from `data` on, the read that the parser refused: it knows where in them that begins."""
        chunks = self._chunks = ChunkedContent(_MAX_HEAD, _MAX_FIELDS, lenient=True)
        if not self._began_in_chunk:
            data = self._size_line + data
        else:
            pieces = self._pieces_of_first if self._pieces_of_first >= 0 else len(self._body)
            left = len(self._body[0]) if pieces else 0
            chunks.resume(left)
            if not left and data.startswith(b"\n"):
                data = b"\r" + data
        self._body.clear()
        self._decode(chunks, data)

    def _note_place(self, data: bytes) -> None:
        """`data` has been parsed: remember where in the chunks the next read begins."""
        self._began_in_chunk = self._in_chunk
        self._pieces_of_first = -1
        if not self._in_chunk:
            self._size_line = data.rpartition(b"\n")[2] if b"\n" in data else self._size_line + data

    def _decode(self, chunks: ChunkedContent, data: bytes) -> None:
        start = 0
        try:
            while start < len(data) and not chunks.ended:
                start = chunks.read(data, start)
        except Refused as refused:
            self._refuse(refused.detail)
            return
        body = chunks.take()
        if body:
            self._body.append(body)
        self._trailers = chunks.trailers
        if chunks.ended:
            self._done = True
            self._keep = self._keep and start == len(data)
            self._chunks = None
            self._new_parser()

    # Events of the parser.

    def on_message_begin(self) -> None:
        if self._done:
            self._keep = False
        else:
            self._pairs = []
            self._collecting = True
            self._reason = b""

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._collecting:
            self._pairs.append((name, value))
        elif self._framed_by_chunks and not self._done and len(self._trailers) <= _MAX_FIELDS:
            self._trailers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if not self._collecting:
            return
        self._collecting = False
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
        self._frame(response, proxy_fields)
        self._head = response

    def on_body(self, body: bytes) -> None:
        if self._done:
            self._keep = False
        else:
            self._body.append(body)

    def on_chunk_header(self) -> None:
        self._in_chunk = True

    def on_chunk_complete(self) -> None:
        self._in_chunk = False
        if self._pieces_of_first < 0:
            self._pieces_of_first = len(self._body)

    def on_message_complete(self) -> None:
        if self._head is not None or self._head_sent:
            self._done = True

    # The response.

    @property
    def _head_sent(self) -> bool:
        return self._head_bytes < 0

    def _frame(self, response: Response, proxy_fields: dict[bytes, bytes]) -> None:
        """Return how the body ends (RFC 9112 section 6.3). Raises ValueError for ambiguous framing."""
        status = response.status
        parser = self._parser
        self._keep = parser.should_keep_alive()
        if not self._keep and parser.get_http_version() not in _VERSIONS:
            raise ValueError("neither HTTP/1.0 nor HTTP/1.1")
        self._framed_by_chunks = False
        coding = (
            elements(proxy_fields[b"transfer-encoding"].lower())
            if b"transfer-encoding" in proxy_fields
            else None
        )
        if coding:
            if coding != [b"chunked"]:
                raise ValueError("only the transfer coding `chunked` is understood")
            self._keep = self._keep and parser.get_http_version() == "1.1"  # RFC 9112 section 6.1
            self._framed_by_chunks = True
            if b"trailer" in proxy_fields:
                response.trailer = announceable(proxy_fields[b"trailer"])
            self._overhead = 0
            self._in_chunk = self._began_in_chunk = False
            self._pieces_of_first = -1
            self._size_line = b""
        elif b"content-length" in proxy_fields:
            length = response.body_length = int(proxy_fields[b"content-length"])
            if length > _MAX_LENGTH:
                raise ValueError("Content-Length is too large")
        elif self._content and status not in _NO_CONTENT:
            self._until_close = True
            self._keep = False
        if status == _UNAUTHORIZED and offers_connection(response.headers.get_all(b"www-authenticate")):
            self._private = True
        elif status == _UPGRADE_REQUIRED:
            response.upgrade = proxy_fields.get(b"upgrade", b"")
        if b"keep-alive" in proxy_fields:
            self._link.announced(proxy_fields[b"keep-alive"])
        if not self._content:
            self._done = True
            self._new_parser()

    def _interim(self, response: Response, proxy_fields: dict[bytes, bytes]) -> None:
        if response.status < 100:
            raise ValueError("a status below 100")
        if response.status == 101:
            if (
                not offers(self._upgrade, proxy_fields.get(b"upgrade", b""))
                or not self._parser.should_upgrade()
            ):
                raise ValueError("a switch of protocols that nobody asked for")
            response.upgrade = proxy_fields[b"upgrade"]
            self._head = response
        elif self.receiver is not None:
            self._interim_heads += 1
            self.receiver.response_informational(response)

    def _switch(self, receiver: ResponseReceiver, rest: bytes) -> None:
        head, self._head = self._head, None
        if head is None or head.status != 101:
            self._fail(Failure.PROTOCOL_ERROR, "a switch of protocols that nobody asked for")
            return
        self._switched = True
        self._framed_by_chunks = False
        self._head_bytes = -1
        receiver.response_head(head, rest, False)

    def _deliver(self, receiver: ResponseReceiver, data: bytes) -> None:
        """Pass on what one read brought; an answered connection is given back first."""
        parts = self._body
        if parts:
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
        else:
            body = b""
        head, done = self._head, self._done
        if self._trailers and done:
            self._end_with_trailers(receiver, head, body)
            return
        if done:
            self._release(receiver)
        if head is not None:
            self._head = None
            self._seen = b""
            self._interim_heads = 0
            if not done:
                self._head_bytes = -1
            receiver.response_head(head, body, done)
        elif body or done:
            receiver.response_body(body, done)
        elif self._head_bytes >= 0:
            self._keep_head(data)
        if self._framed_by_chunks and not done:
            self._note_place(data)
            self._count_overhead(data, len(body), head is not None)

    def _end_with_trailers(self, receiver: ResponseReceiver, head: Response | None, body: bytes) -> None:
        """Pass on the end of a response, with its trailers. The connection belongs to the receiver until then."""
        trailers, self._trailers = self._trailers, []
        if len(trailers) > _MAX_FIELDS:
            self._fail(Failure.PROTOCOL_ERROR, f"the trailer section has over {_MAX_FIELDS} fields")
            return
        self._head = None
        self._interim_heads = 0
        if head is not None:
            receiver.response_head(head, body, False)
        elif body:
            receiver.response_body(body, False)
        if self.receiver is receiver:
            self._release(receiver)
            receiver.response_trailers(trailers)

    def _keep_head(self, data: bytes) -> None:
        """A head is incomplete."""
        self._head_bytes += len(data)
        if not self._odd:
            self._seen += data
        if self._head_bytes > _MAX_HEAD:
            self._fail(Failure.HEAD_TOO_LARGE, "the response head is too large")

    def _count_overhead(self, data: bytes, content: int, begun: bool) -> None:
        """Of `data` there were `content` bytes of content: bound the rest, except for that of a head."""
        if not begun:
            self._overhead = max(self._overhead + len(data) - content * (1 + _OVERHEAD_SHARE), 0)
            if self._overhead > _MAX_OVERHEAD:
                self._fail(Failure.PROTOCOL_ERROR, "chunk extensions or trailers outweigh the content")


def _cause(error: Exception) -> str:
    """The words of a parser's error, or of what a callback raised inside it."""
    return str(error.__context__ or error)
