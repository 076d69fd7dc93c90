"""A member that does what its script says."""

import asyncio
import contextlib
import socket
import struct

from tests.kit.messages import Source, read_head, read_request
from tests.kit.waiting import PATIENCE, within


class Conversation:
    """One connection as its script sees it. `received` holds every byte that came."""

    def __init__(self, member, reader, writer):
        self.member = member
        self.reader = reader
        self.writer = writer
        self._taken = bytearray()
        self._source = Source(reader, self._taken)

    @property
    def received(self):
        return bytes(self._taken + self.reader._buffer)

    async def request(self):
        """The next request with its content. Raises IncompleteReadError at the end of the connection."""
        request = await read_request(self._source)
        self.member.requests.append(request)
        return request

    async def head(self):
        """The next request head only."""
        request = await read_head(self._source)
        self.member.requests.append(request)
        return request

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def some(self):
        return await within(self._source.some())

    async def exactly(self, count):
        return await within(self._source.exactly(count))

    async def rest(self):
        return await self._source.rest()

    def close(self):
        self.writer.close()

    def reset(self):
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Member:
    """A listening member; `connections` are its conversations, `requests` all requests read.

    A connection is closed when its script returns; `path` makes it listen on a unix socket. Entered again, it
    listens on the port that it had.
    """

    def __init__(self, script=None, path=None, receive_buffer=0, tls=None):
        self._script = script or answering()
        self._path = path
        self._receive_buffer = receive_buffer
        self._tls = tls
        self.port = 0
        self._tasks = set()
        self.connections = []
        self.requests = []
        self.errors = []

    async def __aenter__(self):
        if self._path:
            self._server = await asyncio.start_unix_server(self._serve, self._path)
            self.address = f"unix:{self._path}"
        else:
            sock = socket.socket()
            if self._receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", self.port))
            self._server = await asyncio.start_server(self._serve, sock=sock, limit=1 << 16, ssl=self._tls)
            self.port = sock.getsockname()[1]
            self.address = f"127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *error):
        self._server.close()
        for conversation in self.connections:
            conversation.writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)
        assert not self.errors, self.errors

    @property
    def received(self):
        """Every byte of every connection."""
        return b"".join(conversation.received for conversation in self.connections)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        conversation = Conversation(self, reader, writer)
        self.connections.append(conversation)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                await self._script(conversation)
        except RuntimeError as error:
            if "is closed" not in str(error):  # uvloop's word for writing after a reset
                self.errors.append(error)
        except Exception as error:
            self.errors.append(error)
        finally:
            with contextlib.suppress(RuntimeError):
                writer.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answering(*replies):
    """A script: request after request is answered with the next of `replies`, the last of them ever again.

    A reply is bytes, or a function of the request that gives bytes. None given: 200 with the body `ok`.
    """
    replies = replies or (OK,)

    async def script(conversation):
        while True:
            request = await conversation.request()
            reply = replies[min(len(conversation.member.requests), len(replies)) - 1]
            await conversation.send(reply(request) if callable(reply) else reply)

    return script


def response(body=b"ok", *fields, status=200, length=True):
    """The bytes of a response."""
    lines = [f"HTTP/1.1 {status} Told".encode(), *(line.encode("latin-1") for line in fields)]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def echo(request):
    """Answers with the request's own bytes."""
    return response(request.raw)
