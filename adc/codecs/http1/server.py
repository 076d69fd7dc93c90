"""A client's connection: its events, its exchanges and its end."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final

from adc.codecs.http1.parsed_head import ParsedHead
from adc.codecs.http1.request_head import Refused, read_head
from adc.codecs.http1.response_writer import ResponseWriter
from adc.codecs.http1.settings import Http1Settings
from adc.codecs.http1.states import (
    CLIENT_STATES,
    CLOSED,
    CLOSING,
    DISCARD,
    HEAD,
    LINGER,
    ODD_HEAD,
    PIPELINED,
    TUNNEL,
    UPGRADING,
)
from adc.http.client import Client
from adc.http.message import Request
from adc.net.file_output import FileOutput, open_output
from adc.net.tcp_options import close_by_reset

if TYPE_CHECKING:
    from adc.codecs.interface import KeptConnection
    from adc.net.handshake import Handshake
    from adc.pools.member import Member

_LINGER_SECONDS: Final = 5.0
_LINGER_LONGEST: Final = 30.0
_IDLE_LINGER_SECONDS: Final = 1.0
_LINGER_BYTES: Final = 64 << 20
_SLOW_BYTES: Final = 256 << 10
_FLUSH_SECONDS: Final = 60.0
_DRAIN_SECONDS: Final = 1.0
"""Time for which a drain waits for the next request of a client."""


class ServerConnection(ResponseWriter):
    """One client connection, and the `Stream` of its current exchange.

    `deadline` (monotonic seconds) is checked by the worker's tick: it bounds a head that dribbles in, an idle
    keep-alive connection and a lingering close; while an exchange runs, the exchange keeps the time. `_lingering` is
    the number of bytes that the client may still send while the connection lingers.
    """

    __slots__ = (
        "_handshake",
        "_kept",
        "_last_request",
        "_linger_until",
        "_lingering",
        "_paused",
        "client",
        "requests",
        "retiring",
    )

    def __init__(self, settings: Http1Settings, handshake: Handshake) -> None:
        super().__init__(settings)
        self._handshake = handshake
        self._last_request = False
        self._kept: dict[str, tuple[Member, KeptConnection]] | None = None
        self._lingering = 0
        self._linger_until = inf
        self._paused = False
        self.client = Client()
        self.requests = 0
        self.retiring = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.peer or '-'} {CLIENT_STATES[self._state]} {self.requests} requests>"

    # Events of the transport.

    def connection_made(self, transport: Any) -> None:
        self._transport.opened(transport)
        settings, handshake = self._settings, self._handshake
        handshake.release()
        self.client = self._known_client(handshake, transport)
        self.deadline = settings.clock.now + settings.head_timeout
        listener = settings.listener
        if listener.draining or listener.scheme != self.client.scheme:
            self.drain()
        if not listener.opened(self):
            self._state = CLOSING
            transport.abort()

    def _known_client(self, handshake: Handshake, transport: Any) -> Client:
        """Return the facts of the connection that is open now."""
        endpoints = handshake.endpoints
        own_address = transport.get_extra_info("sockname") if endpoints is None else endpoints[1]
        return Client(handshake.peer, address=handshake.address, own_address=own_address)

    @property
    def peer(self) -> str:
        return self.client.peer

    @property
    def socket(self) -> Any:
        """The socket of the open connection."""
        return self._transport.get_extra_info("socket")

    def eof_received(self) -> bool:
        self.read_arrived()
        self._transport.flush()
        if self._state in (UPGRADING, TUNNEL) and self._receiver is not None:
            self._receiver.request_body(b"", True)
            return True
        if self._state >= DISCARD or self._offer is not None or not self._is_due:
            return False
        self._half_closed = True
        self.deadline = self._settings.clock.now + self._settings.half_closed
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._state = CLOSED
        self._arrived = b""
        self._transport.lost()
        self.deadline = inf
        self._unread = b""
        self._settings.listener.closed(self)
        receiver, self._receiver = self._receiver, None
        self._chunks = None
        if receiver is not None:
            receiver.stream_lost()
        if self._kept is not None:
            for _, connection in self._kept.values():
                connection.close()

    def pause_writing(self) -> None:
        self._blocked = True
        if self._receiver is not None:
            self._receiver.stream_blocked()

    def resume_writing(self) -> None:
        self._blocked = False
        if self._receiver is not None:
            self._receiver.stream_writable()
        elif self._unread:
            self._schedule()

    # Requests.

    def _begin(self, head: ParsedHead, data: bytes, start: int, size: int) -> None:
        settings = self._settings
        self.requests += 1
        self._last_request = head.should_close
        self._keep_alive = not self._last_request and self.requests != settings.max_requests
        self._send_content = head.method != "HEAD"
        self._version = "1.1" if head.minor else "1.0"
        try:
            if size > settings.header_bytes:
                settings.check_head(head)
            request = read_head(head, self.client)
            if settings.identify is not None:
                settings.identify(request)
            if self._kept is not None:
                request.tied = True
            self._takes_trailers = request.takes_trailers
            if request.upgrade:
                self._offer = request
            if request.body_length:
                self._begin_with_content(request, self._first_content(request, data, start))
                return
        except Refused as refused:
            self._refuse(refused)
            return
        self.deadline = inf
        self._state = PIPELINED
        exchange = settings.exchange
        receiver = self._receiver = exchange(self, request)
        if start < len(data):
            self._keep(data, start)
        if not settings.batch.begun(receiver, self):
            receiver.start(b"", True)

    def _begin_with_content(self, request: Request, body: bytes) -> None:
        self.deadline = inf
        exchange = self._settings.exchange
        receiver = self._receiver = exchange(self, request)
        trailers = self._trailers
        if trailers:
            receiver.start(body, False)
            self._deliver_trailers(receiver, trailers)
        else:
            receiver.start(body, self._state == PIPELINED)

    def _refuse(self, refused: Refused) -> None:
        self._state = DISCARD
        self._chunks = None
        response, body = self._settings.refused(self.client, refused)
        self.send_head(response, body if self._send_content else b"", True)

    # The stream of the current exchange.

    # The stream of the current exchange, as far as it is no response.

    def keep(self, member: Member, connection: KeptConnection) -> bool:
        if self._state >= DISCARD:
            return False
        kept = self._kept
        if kept is None:
            kept = self._kept = {}
        before = kept.get(member.pool)
        if before is not None and before[1] is not connection:
            before[1].close()
        kept[member.pool] = (member, connection)
        return True

    def kept(self, pool: str) -> tuple[Member, KeptConnection] | None:
        return None if self._kept is None else self._kept.get(pool)

    def file_output(self, writable: Callable[[], None]) -> FileOutput | None:
        if self._respond_chunked or not self._send_content:
            return None
        return open_output(self._settings.loop, self._transport, writable)

    def abort(self) -> None:
        self._receiver = None
        self._end(CLOSING)
        transport = self._transport
        if not transport.is_closing():
            close_by_reset(transport.get_extra_info("socket"))
        transport.abort()

    def cut_off(self) -> None:
        if self._unframed or self._state in (UPGRADING, TUNNEL):
            self.abort()  # an orderly end would be the end of the content (RFC 9112 section 8)
            return
        self._receiver = None
        if self._half_closed:
            self._close()
        else:
            self._linger(_LINGER_SECONDS)

    def drop(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        self._held_up = True
        self._pause()

    def resume_reading(self) -> None:
        if self._held_up:
            self._held_up = False
            if self._unread:
                self._schedule()
            else:
                self._resume()

    @property
    def is_slow(self) -> bool:
        return self._transport.kernel_backlog > _SLOW_BYTES

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not (self._held_up or self._unread or self._transport.is_closing()):
            self._paused = False
            self._transport.resume_reading()

    # The end of a response, of the connection.

    def _finish(self) -> None:
        self._receiver = None
        self._respond_chunked = False
        self._held_up = False
        complete = self._state == PIPELINED
        if complete and self._keep_alive and not self._leaving and (self._unread or not self._half_closed):
            settings = self._settings
            self._state = HEAD
            self._send_content = True
            self.deadline = settings.clock.now + settings.keep_alive
            if self._unread:
                self._schedule()
            elif self._paused:
                self._resume()
        elif self._half_closed or (
            self._last_request and complete and not (self._unread or self._transport.has_input())
        ):
            self._close()
        else:
            self._linger(_LINGER_SECONDS)

    def _end_tunnel(self) -> None:
        self._receiver = None
        self._linger(_LINGER_SECONDS)

    def _end(self, state: int) -> None:
        """Go on to `state`, one in which no more requests are read, unless the end has come further."""
        self._state = max(self._state, state)
        self._chunks = None

    def _linger(self, seconds: float) -> None:
        """Close only after the client had time to read: unread input would turn the close into a reset."""
        self._end(DISCARD)
        self._unread = b""
        self._held_up = False
        transport = self._transport
        if transport.is_closing():
            return
        self._resume()
        if not transport.can_write_eof():
            self._close()  # TLS says that it ends, and drops input until the client has said so too
            return
        transport.write_eof()
        self._end(LINGER)
        self._lingering = _LINGER_BYTES
        now = self._settings.clock.now
        self.deadline = now + seconds
        self._linger_until = now + _LINGER_LONGEST

    def _discard(self, count: int) -> None:
        if self._state != LINGER:
            return
        self._lingering -= count
        if self._lingering < 0:
            self._close()
        elif self.deadline != inf:
            self.deadline = min(self._settings.clock.now + _LINGER_SECONDS, self._linger_until)

    def _close(self) -> None:
        """Close when the client has taken what is left to send, but do not wait for that for ever."""
        self._end(CLOSING)
        self.deadline = self._settings.clock.now + _FLUSH_SECONDS
        self._transport.close()

    def timed_out(self) -> None:
        """Refuse a head that is late, close a connection that is idle or lingers: `deadline` has passed."""
        if self._arrived:
            passed = self.deadline
            self.read_arrived()
            if self.deadline != passed:  # a head was completed or begun: more of the same one changes nothing
                return
        self.deadline = inf
        if self._half_closed and self._receiver is not None:
            if self._transport.kernel_backlog:
                self.deadline = self._settings.clock.now + self._settings.half_closed
            else:
                self._transport.abort()
        elif self._state == LINGER:
            self._close()
        elif self._state >= DISCARD:
            self._transport.abort()
        elif not self._partial_head:
            self._linger(_IDLE_LINGER_SECONDS)
        else:
            self._refuse_head(
                Refused(408, "request_head_timeout", "the request head was not complete in time")
            )

    def retire(self) -> None:
        """Let the next request be the last one: its response says `Connection: close`."""
        if self._state not in (UPGRADING, TUNNEL):
            self.retiring = True
            self.requests = self._settings.max_requests - 1

    def drain(self) -> None:
        """Close after the response that is under way; if idle, soon.

        The next request of a client may be on its way: a close would reset it. What comes in time is answered with
        `Connection: close`.
        """
        self._leaving = True
        if self._state <= ODD_HEAD and not self._unread:
            self.deadline = min(self.deadline, self._settings.clock.now + _DRAIN_SECONDS)
