"""A client that sends bytes as they are."""

import asyncio
import socket
import struct

from tests.kit.messages import Source, read_reply
from tests.kit.waiting import within


class Client:
    """One connection. `received` holds every byte that came."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.received = bytearray()
        self._source = Source(reader, self.received)

    @classmethod
    async def connect(cls, port, *, receive_buffer=0):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        limit = receive_buffer or 1 << 16
        return cls(*await asyncio.open_connection(sock=sock, limit=limit))

    async def send(self, data):
        self.writer.write(data)
        await within(self.writer.drain())

    async def dribble(self, data):
        """Send byte by byte, each in a segment of its own."""
        for position in range(len(data)):
            self.writer.write(data[position : position + 1])
            await asyncio.sleep(0)

    async def reply(self, method="GET"):
        """The next response, interim ones included."""
        return await within(read_reply(self._source, method))

    async def some(self):
        """What has come, at least a byte; empty at the end."""
        return await within(self._source.some())

    async def exactly(self, count):
        return await within(self._source.exactly(count))

    async def rest(self):
        """Everything up to the end. Raises ConnectionResetError if the other side broke it off."""
        return await within(self._source.rest())

    async def closed(self):
        """Nothing more comes: True at an orderly end, False after a reset. AssertionError if bytes came."""
        try:
            rest = await self.rest()
        except ConnectionError:
            return False
        assert rest == b"", rest
        return True

    async def ask(self, data, method="GET"):
        await self.send(data)
        return await self.reply(method)

    async def ask_on(self, data, method="GET"):
        """Like `ask`, but if the response ends this connection, go on with a new one to the same port: so a worker that
        has more clients than the others sends some away."""
        reply = await self.ask(data, method)
        if b"connection" in reply and reply[b"connection"] == b"close":
            port = self.writer.get_extra_info("peername")[1]
            self.close()
            other = await Client.connect(port)
            self.reader, self.writer = other.reader, other.writer
            self.received, self._source = other.received, other._source
        return reply

    def finish_sending(self):
        """Half-close."""
        self.writer.write_eof()

    def reset(self):
        if self.writer.transport.is_closing():
            return
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self):
        """Leave, and have that seen at once: after an end that may be half a close the response is still sent."""
        self.reset()


def get(target="/", *fields, version="1.1", host="a", method="GET"):
    """A request head without content."""
    lines = [f"{method} {target} HTTP/{version}", *([f"Host: {host}"] if host is not None else []), *fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def post(body, *fields, target="/", method="POST"):
    return get(target, f"Content-Length: {len(body)}", *fields, method=method) + body


def chunked(*chunks, trailers=(), fields=(), target="/", method="POST"):
    """A request with chunked content."""
    head = get(target, "Transfer-Encoding: chunked", *fields, method=method)
    return head + chunks_of(*chunks, trailers=trailers)


def chunks_of(*chunks, trailers=()):
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return body + b"0\r\n" + b"".join(line.encode() + b"\r\n" for line in trailers) + b"\r\n"
