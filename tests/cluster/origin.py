"""Members that say who they are, and set the session cookie of an application."""

import asyncio
import contextlib


class Origin:
    """Answers every request with `name`; a request without the cookie `APPSESSION` is given one.

    `requests` counts them; `strangers` counts sessions that another origin began.
    """

    def __init__(self, name, port=0):
        self.name = name
        self.port = port
        self.requests = 0
        self.strangers = 0
        self.issued = 0
        self.open = set()

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self._server.close()
        for connection in list(self.open):
            connection.abort()
        await asyncio.sleep(0.01)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def answer(self, head):
        self.requests += 1
        name = self.name.encode()
        session = b""
        if b"APPSESSION=" not in head and b";appsession=" not in head:
            self.issued += 1
            session = b"Set-Cookie: APPSESSION=%b.%d; Path=/\r\n" % (name, self.issued)
        elif b"APPSESSION=%b." % name not in head and b"APPSESSION=" in head and b"~" not in head:
            self.strangers += 1
        return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (session, len(name), name)


class Mute(Origin):
    """Does not respond while it is `silent`."""

    silent = False

    def answer(self, head):
        reply = super().answer(head)
        return b"" if self.silent else reply


class Recorder(Origin):
    """Keeps the heads of all requests; answers `status`, with `fields`."""

    def __init__(self, name, port=0):
        super().__init__(name, port)
        self.forget()

    def forget(self):
        """Be as at the start."""
        self.heads = []
        self.status = b"200 OK"
        self.fields = b""

    def answer(self, head):
        self.heads.append(head)
        name = self.name.encode()
        form = b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b"
        return form % (self.status, self.fields, len(name), name)


class _Connection(asyncio.Protocol):
    def __init__(self, origin):
        self._origin = origin
        self._data = b""

    def connection_made(self, transport):
        self._transport = transport
        self._origin.open.add(transport)

    def connection_lost(self, error):
        self._origin.open.discard(self._transport)

    def data_received(self, data):
        *heads, self._data = (self._data + data).split(b"\r\n\r\n")
        for head in heads:
            self._transport.write(self._origin.answer(head + b"\r\n\r\n"))


@contextlib.asynccontextmanager
async def origins(count, kind=Origin):
    """`count` origins named m0, m1 and so on."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(kind(f"m{number}")) for number in range(count)]
