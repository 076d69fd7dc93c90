"""The reading half of a connection to a member: bytes in, responses out."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

import httptools

from adc.codecs.http1.chunked import ChunkedContent
from adc.codecs.http1.linked import Owner
from adc.codecs.http1.response_head import Repaired, head_size, repaired
from adc.codecs.http1.response_parser import MAX_FIELDS, ResponseParser
from adc.codecs.http1.states import (
    COMPLETE,
    ODD_CHUNKS,
    ODD_RESPONSE_HEAD,
    RESPONSE_BODY,
    RESPONSE_CHUNKS,
    RESPONSE_HEAD,
    RESPONSE_REST,
    RESPONSE_TUNNEL,
)
from adc.codecs.interface import ResponseReceiver
from adc.codecs.refused import Refused
from adc.http.message import Response
from adc.http.trailers import without_nominated
from adc.pools.errors import Failure

_MAX_HEAD: Final = 256 << 10
_MAX_OVERHEAD: Final = 64 << 10
_OVERHEAD_SHARE: Final = 8
"""Bytes of chunk framing and trailers that are free for each byte of content: a byte a chunk passes, extensions without
end do not."""
_LONG: Final = 64 << 10
"""Bytes of content that are counted without the parser, which copies them: a new parser for the next response costs
less."""


class ResponseReader(ResponseParser):
    """Reads responses. What one read brings of one is collected from the parser's events and delivered in one call.

    A head that the parser rejects is read again in strict form (`response_head`), chunks that it rejects are decoded by
    `_chunks`. `_head_bytes` counts what has come of the head, `_seen` keeps it. A response that breaks the rules of
    framing fails the attempt.
    """

    __slots__ = ("_chunks", "_head_bytes", "_seen")

    def __init__(self, link: Owner) -> None:
        super().__init__(link)
        self._chunks: ChunkedContent | None = None
        self._head_bytes = 0
        self._seen = b""

    @abstractmethod
    def _release(self, receiver: ResponseReceiver) -> None:
        """End a complete response."""

    @abstractmethod
    def _fail(self, failure: Failure, detail: str) -> None:
        """Close; the response is not whole."""

    @property
    def _head_delivered(self) -> bool:
        """True if the receiver has the head of the current response."""
        return self._state > ODD_RESPONSE_HEAD and self._head is None

    def _begin_response(self) -> None:
        """Expect the response to a request that goes out."""
        self._state = RESPONSE_HEAD
        self._head_bytes = 0
        if self._trailers:
            self._trailers = []
        if self._seen:
            self._seen = b""
            self._interim_heads = 0

    def parse_arrived(self) -> None:
        """Parse what came of a response."""
        data, receiver = self._arrived, self.receiver
        if receiver is None or not data:
            self._arrived = b""
            return
        if self._chunks is not None:
            self._decode(self._chunks, data)
            return
        if self._state == ODD_RESPONSE_HEAD:
            self._read_again(receiver, self._seen + data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._arrived = b""
            self._switch(receiver, data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if self._state == COMPLETE:
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
        """Do not wait for the end of the loop iteration."""
        self.parse_arrived()
        self.deliver_arrived()

    # What the parser refuses.

    def _misread(self, receiver: ResponseReceiver, data: bytes, error: Exception) -> None:
        """Read a head or chunks again that the parser refused; `error` stands if that was its meaning."""
        if isinstance(error, httptools.HttpParserCallbackError):
            self._refuse(_cause(error))
        elif self._state == RESPONSE_HEAD:
            data = self._seen + data
            start = head_size(data, self._interim_heads - 1) if self._interim_heads else 0
            self._read_again(receiver, data[start:])
        elif self._state == RESPONSE_CHUNKS and self._head is None:
            self._take_rest(data)
        elif self._state == RESPONSE_CHUNKS:
            data = self._seen + data
            self._take_chunks(data[head_size(data, self._interim_heads) :])
        else:
            self._refuse(_cause(error))

    def _refuse(self, detail: str) -> None:
        self._arrived = b""
        self._fail(Failure.PROTOCOL_ERROR, detail)

    def _read_again(self, receiver: ResponseReceiver, data: bytes) -> None:
        """Read `data`, which begins with an odd head, in strict form."""
        self._state = ODD_RESPONSE_HEAD
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
        if self._head is None:
            self._seen = data
        elif self._state == RESPONSE_CHUNKS:
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
            if self._state == COMPLETE:
                self._keep = False
            else:
                self._refuse(_cause(error))

    def _take_chunks(self, data: bytes) -> None:
        """Decode chunks from the first on without the parser, which rejects some of them (RFC 9112 section 7.1.1)."""
        self._body.clear()
        self._state = ODD_CHUNKS
        self._chunks = ChunkedContent(_MAX_HEAD, MAX_FIELDS, lenient=True)
        self._decode(self._chunks, data)

    def _take_rest(self, data: bytes) -> None:
        """Decode chunks from `data` on, the read that the parser rejected."""
        chunks = ChunkedContent(_MAX_HEAD, MAX_FIELDS, lenient=True)
        data = self._place.resume(chunks, data, self._body)
        self._body.clear()
        self._state = ODD_CHUNKS
        self._chunks = chunks
        self._decode(chunks, data)

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
            self._state = COMPLETE
            self._keep = self._keep and start == len(data)
            self._chunks = None
            self._new_parser()

    # The response.

    def _switch(self, receiver: ResponseReceiver, rest: bytes) -> None:
        head, self._head = self._head, None
        if head is None or self._state != RESPONSE_TUNNEL:
            self._fail(Failure.PROTOCOL_ERROR, "an unsolicited switch of protocols")
        else:
            receiver.response_head(head, rest, False)

    def _deliver(self, receiver: ResponseReceiver, data: bytes) -> None:
        """Pass on what one read brought; an answered connection is given back first."""
        parts = self._body
        if parts:
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
        else:
            body = b""
        head, done = self._head, self._state == COMPLETE
        if self._trailers and done:
            self._end_with_trailers(receiver, head, body)
            return
        if done:
            self._release(receiver)
        if head is not None:
            self._head = None
            self._seen = b""
            self._interim_heads = 0
            if self._state == RESPONSE_BODY and head.body_length - len(body) >= _LONG:
                self._left = head.body_length - len(body)
                self._state = RESPONSE_REST
            receiver.response_head(head, body, done)
        elif body or done:
            receiver.response_body(body, done)
        elif self._state in (RESPONSE_HEAD, ODD_RESPONSE_HEAD):
            self._keep_head(data)
        if not done and self._state in (RESPONSE_CHUNKS, ODD_CHUNKS):
            self._place.next_read(data)
            self._count_overhead(data, len(body), head is not None)

    def _pass_rest(self, receiver: ResponseReceiver, data: bytes) -> None:
        """Pass on more of long content. Bytes behind it keep the connection from being used again."""
        left = self._left = self._left - len(data)
        if left > 0:
            receiver.response_body(data, False)
            return
        if left < 0:
            self._keep = False
            data = data[:left]
        self._state = COMPLETE
        self._new_parser()
        self._release(receiver)
        receiver.response_body(data, True)

    def _end_with_trailers(self, receiver: ResponseReceiver, head: Response | None, body: bytes) -> None:
        """Pass on the end of a response, with its trailers. The connection belongs to the receiver until then."""
        trailers, self._trailers = self._trailers, []
        if len(trailers) > MAX_FIELDS:
            self._fail(Failure.PROTOCOL_ERROR, f"the trailer section has over {MAX_FIELDS} fields")
            return
        self._head = None
        self._interim_heads = 0
        if head is not None:
            receiver.response_head(head, body, False)
        elif body:
            receiver.response_body(body, False)
        if self.receiver is receiver:
            self._release(receiver)
            receiver.response_trailers(without_nominated(trailers, self._connection))

    def _keep_head(self, data: bytes) -> None:
        """Keep an incomplete head."""
        self._head_bytes += len(data)
        if self._state == RESPONSE_HEAD:
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
    """Return the words of a parser's error, or of what a callback raised inside it."""
    return str(error.__context__ or error)
