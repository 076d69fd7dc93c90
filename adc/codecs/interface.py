"""Interfaces between a codec and its user; nothing here knows a version of HTTP.

Downstream, a codec makes one exchange per request and is its `Stream`. Upstream, a `Link` gives streams to one member,
and their user is a `ResponseReceiver`. Data and the end of a message come together, so that the data of one read is
delivered in one call. After a 101 both sides carry raw bytes through the same calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from adc.codecs.refused import Refused
from adc.http.client import Client
from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.net.file_output import FileOutput
from adc.net.proxy_protocol import Endpoints
from adc.pools.errors import Failure
from adc.pools.member import Member


class Stream(Protocol):
    """The client's side of one exchange."""

    @property
    def client(self) -> Client:
        """Facts of the client's connection."""

    def send_informational(self, response: Response) -> None:
        """Send an interim response (1xx except 101)."""

    def send_head(self, response: Response, body: bytes, end: bool) -> None:
        """Send the head and the first part of the body; `end` if that is all."""

    def send_body(self, data: bytes, end: bool) -> None:
        """Send more of the body. `send_head` came before."""

    def send_trailers(self, fields: list[Pair]) -> bool:
        """End the response with trailers, in place of `send_body(b"", True)`. Return False if the framing carries none:
        the response then ends without them."""

    def file_output(self, writable: Callable[[], None]) -> FileOutput | None:
        """Return a way to send body past `send_body`, straight from files, which must end in `send_body(b"", True)`.
        None if bytes cannot go to this client as they are (TLS, another framing), or for want of descriptors.
        """

    def keep(self, member: Member, connection: KeptConnection) -> bool:
        """Keep `connection`, on which the client has authenticated, for requests of this client connection, and close
        it at the end. Return False if that is not possible: then no request may use it."""

    def kept(self, pool: str) -> tuple[Member, KeptConnection] | None:
        """Return the connection to a member of `pool` that was kept last."""

    def abort(self) -> None:
        """Abort the response, and drop what the client has not read."""

    def cut_off(self) -> None:
        """End a response that will not be whole: the client gets what was sent, and sees that more is missing."""

    def pause_reading(self) -> None:
        """Stop delivering request content until `resume_reading`."""

    def resume_reading(self) -> None:
        """Deliver request content again."""

    @property
    def is_slow(self) -> bool:
        """True if the kernel has much data that the client has not taken: what is read for it now waits in memory."""


class RequestReceiver(Protocol):
    """The exchange as a downstream codec sees it."""

    def start(self, body: bytes, end: bool) -> None:
        """Begin, with the request content that arrived with the head; `end` if that is all."""

    def request_body(self, data: bytes, end: bool) -> None:
        """Called for further request content."""

    def request_trailers(self, fields: list[Pair]) -> None:
        """Called at the end of the request content, with trailers: in place of `request_body(b"", True)`.

        All of them may be passed on (`adc.http.trailers`): a codec rejects requests with others.
        """

    def stream_blocked(self) -> None:
        """Called when the codec's buffer is above its high-water mark, because the client reads slowly."""

    def stream_writable(self) -> None:
        """Called when the codec's buffer has drained."""

    def stream_lost(self) -> None:
        """Called when the client is gone; nothing can be sent any more."""

    def bad_body(self, refused: Refused) -> None:
        """Called when the framing of the request content is invalid, or its trailers are over a limit."""


class ResponseReceiver(Protocol):
    """One attempt at a member, as an upstream codec sees it."""

    @property
    def endpoints(self) -> Endpoints | None:
        """Return both addresses of the client's connection; None if they are not a pair of addresses."""

    def connected(self, connection: MemberConnection) -> None:
        """Called when `connection` is ready to send on."""

    def keep(self, connection: KeptConnection) -> bool:
        """Keep `connection`, on which the client has authenticated, for its next request; False if that is not
        possible."""

    def response_informational(self, response: Response) -> None:
        """Called for an interim response (1xx except 101)."""

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        """Called for the final response head (or a 101) and the part of its body that arrived with it."""

    def response_body(self, data: bytes, end: bool) -> None:
        """Called for a further part of the body."""

    def response_trailers(self, fields: list[Pair]) -> None:
        """Called at the end of the body, with trailers: in place of `response_body(b"", True)`.

        The receiver drops those that may not be passed on (`adc.http.trailers`), and all of them for a client that
        takes none (`Request.takes_trailers`).
        """

    def failed(self, failure: Failure, detail: str) -> None:
        """Called when the attempt ends without a whole response; `detail` is for logs."""

    def member_blocked(self) -> None:
        """Called when the member reads slowly: stop sending request content."""

    def member_writable(self) -> None:
        """Called when the member's buffer has drained."""


class MemberConnection(Protocol):
    """A stream of a connection to a member, which belongs to one attempt. HTTP/1.1 has one stream on a connection."""

    reused: bool
    """True if an earlier response came on its connection, so that a failure may only mean a stale connection."""

    def send(
        self, request: Request, target: str, lines: list[tuple[bytes, bytes]], body: bytes, end: bool
    ) -> None:
        """Send a request head (`target` and `lines` instead of the request's own) and the first of its body."""

    def send_body(self, data: bytes, end: bool) -> None:
        """Send more of the body."""

    def send_trailers(self, fields: list[Pair]) -> bool:
        """End the request with trailers, in place of `send_body(b"", True)`. Return False if the framing carries none:
        the request then ends without them."""

    def pause_reading(self) -> None:
        """Stop delivering the response until `resume_reading`."""

    def resume_reading(self) -> None:
        """Deliver the response again."""

    def resume_slowly(self) -> None:
        """Deliver the response a little at a time until `resume_reading`."""

    def abort(self) -> None:
        """End the stream, and its connection if that carries no other; the receiver is not called any more."""


class KeptConnection(MemberConnection, Protocol):
    """A connection to a member that belongs to one client connection."""

    def reacquire(self, receiver: ResponseReceiver) -> bool:
        """Belong to `receiver` from now on; False if nothing can be sent any more."""

    def close(self) -> None:
        """Close in order: no client needs it any more."""


class Link(Protocol):
    """All connections to one member (`Member.link`).

    A connection may carry many streams, and one that is being opened may serve many receivers. A stream that the member
    did not process fails with `Failure.UNPROCESSED`.
    """

    @property
    def idle(self) -> int:
        """Return the number of connections without a stream."""

    @property
    def busy(self) -> int:
        """Return the number of connections that carry streams, or are being opened for some."""

    @property
    def streams(self) -> int:
        """Return the number of receivers that have a stream, or wait for one."""

    def acquire(self, receiver: ResponseReceiver) -> MemberConnection | None:
        """Return a stream of an open connection; None if `receiver` waits for a connection that is being opened, so
        that `connected` or `failed` will be called."""

    def dial(self, receiver: ResponseReceiver) -> None:
        """Have `receiver` wait for a new connection, whatever is idle: `connected` or `failed` will be called."""

    def drop_older(self, connection: MemberConnection) -> None:
        """Close the connections that have been idle at least as long as `connection` had been, which was of no use."""

    def forget(self, receiver: ResponseReceiver) -> None:
        """Stop waiting for a connection for `receiver`. A dial that no receiver waits for is cancelled."""

    def close_oldest(self) -> None:
        """Close the connection that has been idle longest; there is one."""


__all__ = [
    "Headers",
    "KeptConnection",
    "Link",
    "MemberConnection",
    "RequestReceiver",
    "ResponseReceiver",
    "Stream",
]
