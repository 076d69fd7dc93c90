"""The request side of an exchange: its content on the way to the member, and the limits on what a client sends."""

from __future__ import annotations

import time
from typing import Final

from adc.codecs.interface import KeptConnection, Stream
from adc.codecs.refused import Refused
from adc.http.headers import Headers, Pair
from adc.http.message import Response
from adc.net.proxy_protocol import Endpoints
from adc.pools.member import Member
from adc.proxy.gate import BUFFER, Gate
from adc.proxy.phases import CLIENT_WRITE, EXPECT, REQUEST_BODY, RESPONSE_HEAD, Phase
from adc.proxy.plugins.interception import Intercepted
from adc.proxy.states import ENDED, RESPONDING, SWITCHED
from adc.proxy.trailers import still_true
from adc.proxy.upstream.endpoints import client_endpoints

HOLD_BYTES: Final = 64 << 10
"""Request content buffered for a member that is not connected yet, and for another attempt."""


class RequestSide(Intercepted):
    """Receives a client's request content and passes it on. Content that arrives before a member is connected is
    buffered, up to `HOLD_BYTES`; what was sent stays in `body` while it is that small (`replayable`)."""

    __slots__ = (
        "_content_due",
        "_content_gate",
        "_content_seen",
        "body_limit",
        "bytes_in",
        "started_at",
        "stream",
    )

    _content_due: float
    _content_gate: ContentGate | None
    _content_seen: float
    body_limit: int
    bytes_in: int
    started_at: float
    stream: Stream

    def request_body(self, data: bytes, end: bool) -> None:
        self.bytes_in += len(data)
        if self.bytes_in > self.body_limit and self.state != SWITCHED:
            self._refuse_body()
            return
        plugins = self.plugins
        if plugins is not None and plugins.takes_request_body:
            plugins.request_body(data, end)
        else:
            self.pass_body(data, end)

    def request_trailers(self, fields: list[Pair]) -> None:
        plugins = self.plugins
        self.trailers = fields
        if plugins is not None:
            self._keep_trailers(plugins.passable(fields))
            if plugins.changes_request_body:
                self.drop_digests()
        self.request_body(b"", True)

    def drop_digests(self) -> None:
        """Drop the trailers that do not hold for content that plugins may change."""
        self._keep_trailers(still_true(self.trailers))

    def _keep_trailers(self, kept: list[Pair]) -> None:
        self.context.trailers_dropped["request"] += len(self.trailers) - len(kept)
        self.trailers = kept

    def pass_body(self, data: bytes, end: bool) -> None:
        """Pass request content on to the member, or buffer it until one is connected."""
        self.body_end = self.body_end or end
        attempt = self.attempt
        if attempt is not None and attempt.takes_content:
            if self.replayable:
                self._keep(data)
            if not (end and self.trailers):
                attempt.send_body(data, end)
            else:
                if data:
                    attempt.send_body(data, False)
                attempt.send_trailers(self.trailers)
            self._moved(len(data), end)
        elif self.state != ENDED:
            self.body += data
            if self.buffer_is_full:
                self.hold_content(BUFFER)

    @property
    def buffer_is_full(self) -> bool:
        """True if no more request content may be buffered."""
        return len(self.body) > HOLD_BYTES

    def _refuse_body(self) -> None:
        detail = f"the request content is over {self.body_limit} bytes"
        self.context.refused("limit_body", detail, self.request)
        self.fail(413, "limit_body")

    def _keep(self, data: bytes) -> None:
        if len(self.body) + len(data) <= HOLD_BYTES:
            self.body += data
        else:
            self.replayable = False
            self.body = b""

    def bad_body(self, refused: Refused) -> None:
        self.context.refused(refused.reason, refused.detail, self.request)
        self.fail(refused.status, refused.reason)

    # The client's connection.

    @property
    def endpoints(self) -> Endpoints | None:
        request = self.request
        return client_endpoints(self.stream.client, request.source, request.client.peer)

    def keep(self, member: Member, connection: KeptConnection) -> bool:
        return self.stream.keep(member, connection)

    def kept(self, pool: str) -> tuple[Member, KeptConnection] | None:
        return self.stream.kept(pool)

    # Backpressure toward the client.

    def hold_content(self, reason: int) -> None:
        gate = self._content_gate
        if gate is None:
            gate = self._content_gate = ContentGate(self.stream)
        gate.close(reason)

    def release_content(self, reasons: int) -> None:
        if self._content_gate is not None:
            self._content_gate.open(reasons)

    @property
    def content_holds(self) -> int:
        """The reasons for which the request content is stopped."""
        return 0 if self._content_gate is None else self._content_gate.reasons

    # Timeouts.

    def _moved(self, count: int, end: bool) -> None:
        """Restart the timeout, because `count` bytes went to the member."""
        if self.state >= RESPONDING:
            if self.phase is not CLIENT_WRITE:  # the client has to read, whatever it sends
                self.await_next()
        elif end:
            self.limit(RESPONSE_HEAD, self.timeouts.response_head)
        else:
            self._await_more(count)

    def await_content(self) -> None:
        self._await_more(0)

    def _await_more(self, received: int) -> None:
        """Wait for more request content: a byte within `request_body_timeout`, and on the whole `request_body_rate`
        bytes a second from the first call on; `received` have just come.

        Without the rate, a client could hold a member's connection as long as it likes, a byte now and then.
        """
        context = self.context
        now, patience, rate = context.clock.now, context.request_body_timeout, context.request_body_rate
        self._content_seen = now
        if received and rate and self.phase is REQUEST_BODY:
            self._content_due += received / rate
        else:
            self._content_due = now + patience
        self.limit(REQUEST_BODY, min(patience, self._content_due - now))

    def content_withheld(self, received: int) -> None:
        """Wait for more content, of which a plugin keeps what has come."""
        self._await_more(received)

    def overdue(self, phase: Phase) -> None:
        if phase is EXPECT:
            self.send_continue(Response(100, Headers()))
        elif phase is REQUEST_BODY:
            self.context.refused(phase.reason, self._overdue_content(), self.request)
            self.fail(phase.status, phase.reason)
        elif phase.status:
            self.fail(phase.status, phase.reason)
        else:
            self.break_off(phase.reason)

    def _overdue_content(self) -> str:
        """Name the limit that the request content has not met, and the rate at which it came."""
        context = self.context
        rate = self.bytes_in / max(time.monotonic() - self.started_at, 1)
        came = f"{self.bytes_in} bytes came, {rate:.0f} a second"
        if self._content_due < self._content_seen + context.request_body_timeout:
            limit = context.request_body_rate
            return f"the content is slower than limits.body_rate, {limit} bytes a second: {came}"
        return f"no content for timeouts.request_body, {context.request_body_timeout:g} s: {came}"

    def send_continue(self, response: Response) -> None:
        """Have the client go on with its content: once, and only if it waits for that."""
        if self.phase is EXPECT:
            self.ask_for_content(response)
            self.await_content()

    def ask_for_content(self, response: Response) -> None:
        """Send `response`, a 100 (Continue)."""
        self.request.expect_continue = False
        self.stream.send_informational(response)

    def break_off(self, reason: str) -> None:
        """Abort the response visibly: the client must not take it for complete. One that does not read gets no more."""
        if self.attempt is not None:
            self.attempt.cancel()
        if self.state == RESPONDING and self.phase is not CLIENT_WRITE:
            self.stream.cut_off()
        else:
            self.stream.abort()
        self.end(reason)


class ContentGate(Gate):
    """Stops a client that sends request content."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def _pause(self) -> None:
        self._stream.pause_reading()

    def _resume(self, reasons: int) -> None:
        self._stream.resume_reading()
