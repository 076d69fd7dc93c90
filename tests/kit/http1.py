"""HTTP/1.1 connections without sockets: a transport and a loop that do nothing by themselves.

    side = ClientSide()
    feed(side, get("/x"))                         # or `byte_by_byte`, or `with_trailing`
    assert side.requests[0].target == "/x"        # what the exchange was told
    assert side.sent.startswith(b"HTTP/1.1 200")  # it answers by itself when its request is complete

`MemberSide` is the same for a connection to a member: it sends a request and keeps what its receiver was told.
"""

import pytest

from adc.codecs.http1.link import HttpLink
from adc.codecs.http1.server import ServerConnection
from adc.codecs.http1.settings import Http1Settings
from adc.http.headers import Headers
from adc.http.message import NO_BODY, UNKNOWN_LENGTH, Request, Response
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.handshake import Handshake
from adc.net.listener_state import ListenerState
from tests.kit.client import get
from tests.kit.states import check_transitions

check_transitions()

NEXT = get("/trailing")


class Loop:
    """Runs what was scheduled when it is told to."""

    def __init__(self):
        self._due = []
        self.errors = []

    def call_soon(self, call, *arguments):
        self._due.append((call, arguments))

    def call_exception_handler(self, context):
        self.errors.append(context)

    def run(self):
        while self._due:
            due, self._due = self._due, []
            for call, arguments in due:
                call(*arguments)
        assert not self.errors, self.errors


class Transport:
    """Keeps what is written, and the number of `writes`. `ended` is "" until the connection is told to `close`, `abort`
    or end its half."""

    def __init__(self):
        self.sent = b""
        self.writes = 0
        self.ended = ""
        self.reading = True

    def write(self, data):
        self.sent += data
        self.writes += 1

    def writelines(self, parts):
        self.write(b"".join(parts))

    def can_write_eof(self):
        return True

    def write_eof(self):
        self.ended = self.ended or "eof"

    def close(self):
        self.ended = "close"

    def abort(self):
        self.ended = "abort"

    def is_closing(self):
        return self.ended in ("close", "abort")

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def get_write_buffer_size(self):
        return 0

    def get_extra_info(self, name):
        return self if name == "socket" else None

    def fileno(self):
        raise OSError("there is no socket")

    def setsockopt(self, *arguments):
        pass


class Exchange:
    """The `RequestReceiver` of one request, which it answers with 200 as soon as it is complete (`answers`)."""

    def __init__(self, stream, request, answers):
        self.stream = stream
        self.request = request
        self.target = request.target
        self.answers = answers
        self.body = b""
        self.trailers = []
        self.complete = False
        self.switched = False
        self.refused = None
        self.lost = False

    def start(self, body, end):
        self.request_body(body, end)

    def request_body(self, data, end):
        assert not self.complete or self.switched
        self.body += data
        self.complete = end
        if end and self.answers:
            self.answer()

    def request_trailers(self, fields):
        assert fields
        self.trailers = fields
        self.request_body(b"", True)

    def answer(self, status=200, body=b""):
        self.stream.send_head(Response(status, Headers(), b"", len(body)), body, True)

    def bad_body(self, refused):
        self.refused = refused
        self.answer(refused.status)

    def stream_blocked(self):
        pass

    def stream_writable(self):
        pass

    def stream_lost(self):
        self.lost = True


class ClientSide:
    """An accepted connection. `requests` are its exchanges, `refused` the requests that became none."""

    def __init__(self, answers=True, **limits):
        self.loop = Loop()
        self.transport = Transport()
        self.requests = []
        self.refused = []
        self._answers = answers
        settings = Http1Settings(ListenerState(), Batch(self.loop), Clock(), self._begin, self._refuse)
        for name, value in limits.items():
            setattr(settings, name, value)
        self.connection = ServerConnection(settings, Handshake(("192.0.2.1", 1), lambda: None))
        self.connection.connection_made(self.transport)

    def _begin(self, stream, request):
        self.requests.append(Exchange(stream, request, self._answers))
        return self.requests[-1]

    def _refuse(self, client, refused):
        self.refused.append(refused)
        return Response(refused.status, Headers(), b"", 0), b""

    def receive(self, data):
        if self.transport.ended not in ("close", "abort"):
            self.connection.data_received(data)
            self.loop.run()

    @property
    def sent(self):
        return self.transport.sent


class Receiver:
    """The `ResponseReceiver` of one request."""

    endpoints = None

    def __init__(self):
        self.connection = None
        self.head = None
        self.interim = []
        self.body = b""
        self.trailers = []
        self.complete = False
        self.failure = None
        self.detail = ""

    def connected(self, connection):
        self.connection = connection

    def keep(self, connection):
        return False

    def response_informational(self, response):
        self.interim.append(response.status)

    def response_head(self, response, body, end):
        assert self.head is None
        self.head = response
        self.response_body(body, end)

    def response_body(self, data, end):
        assert not self.complete
        self.body += data
        self.complete = end

    def response_trailers(self, fields):
        assert fields
        self.trailers = fields
        self.response_body(b"", True)

    def failed(self, failure, detail):
        self.failure = failure
        self.detail = detail

    def member_blocked(self):
        pass

    def member_writable(self):
        pass


def request(method="GET", length=NO_BODY, **attributes):
    """A request as the proxy hands it to a connection."""
    fields = Headers([(b"Host", b"a")])
    made = Request(method, "/", "/", "", "a", "a", fields, {b"host": b"a"}, length)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


class MemberSide:
    """A connection to a member, with a request sent on it. `receiver` has the response."""

    def __init__(self, request=None, body=b"", end=True):
        self.loop = Loop()
        self.transport = Transport()
        self.link = HttpLink(Batch(self.loop), Clock(), self._connect)
        self.connection = self.link._make(None)
        self.link.opening += 1
        self.connection.connection_made(self.transport)
        self.send(request or globals()["request"](), body, end)

    async def _connect(self, factory):
        raise AssertionError("the connection is there")

    def send(self, request, body=b"", end=True):
        """Send another request, on the same connection."""
        self.receiver = Receiver()
        self.connection.receiver = self.receiver
        self.connection.send(request, request.target, request.headers.pairs, body, end)
        self.loop.run()

    def receive(self, data):
        if not self.transport.is_closing():
            self.connection.data_received(data)
            self.loop.run()

    def end(self):
        """The member closes."""
        self.connection.eof_received()
        self.connection.connection_lost(None)
        self.loop.run()

    @property
    def sent(self):
        return self.transport.sent


def whole(side, data):
    side.receive(data)


def byte_by_byte(side, data):
    for position in range(len(data)):
        side.receive(data[position : position + 1])


def with_trailing(side, data):
    """With a further request behind, in the same read: it must change nothing, and is served if the connection goes
    on."""
    before = len(side.requests)
    side.receive(data + NEXT)
    if len(side.requests) > before + 1 or (side.requests and side.requests[-1].target == "/trailing"):
        assert side.requests.pop().target == "/trailing"


def with_unsolicited(side, data):
    """With a further response behind, in the same read, which nothing asked for."""
    side.receive(data + b"HTTP/1.1 500 Unsolicited\r\nContent-Length: 1\r\n\r\nx")


WAYS = pytest.mark.parametrize("feed", [whole, byte_by_byte, with_trailing])
"""How a client's bytes arrive."""
CUTS = pytest.mark.parametrize("feed", [whole, byte_by_byte])
"""How a member's bytes arrive."""
MEMBER_WAYS = pytest.mark.parametrize("feed", [whole, byte_by_byte, with_unsolicited])
"""How the bytes of a response with an end arrive."""

__all__ = ["CUTS", "MEMBER_WAYS", "UNKNOWN_LENGTH", "WAYS", "ClientSide", "MemberSide", "request"]
