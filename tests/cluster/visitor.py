"""A client with cookies that notices when it is sent to another member."""

import asyncio
import contextlib
from typing import ClassVar


class Visitor:
    """Asks `path` of one port after another of `ports`, on a new connection every `per_connection` requests.

    `members` lists who answered, in order; `lost` counts requests that a dying process broke off, which are
    sent again.
    """

    everyone: ClassVar = set()

    def __init__(self, ports, path, fields=(), *, per_connection=10, source="127.0.0.1"):
        self.ports = list(ports)
        self.path = path
        self.fields = list(fields)
        self.cookies = {}
        self.members = []
        self.statuses = []
        self.lost = 0
        self._per_connection = per_connection
        self._source = source
        self._turn = 0
        self._open = {}
        Visitor.everyone.add(self)

    async def ask(self):
        """One request; returns the name of the member that answered."""
        while True:
            port = self.ports[self._turn % len(self.ports)]
            self._turn += 1
            try:
                status, member = await asyncio.wait_for(self._ask(port), 20)
            except (OSError, asyncio.IncompleteReadError):
                self.lost += 1
                self._forget(port)
                await asyncio.sleep(0.02)
                continue
            self.statuses.append(status)
            self.members.append(member)
            return member

    async def ask_often(self, count):
        for _ in range(count):
            await self.ask()
        self.close()

    @property
    def misrouted(self):
        """Requests that another member than the first one answered."""
        return sum(member != self.members[0] for member in self.members)

    def close(self):
        for port in list(self._open):
            self._forget(port)

    def _forget(self, port):
        with contextlib.suppress(KeyError):
            self._open.pop(port)[1].close()

    async def _connection(self, port):
        if port in self._open:
            reader, writer, used = self._open[port]
            if used < self._per_connection:
                self._open[port] = reader, writer, used + 1
                return reader, writer
            self._forget(port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(self._source, 0))
        self._open[port] = reader, writer, 1
        return reader, writer

    async def _ask(self, port):
        reader, writer = await self._connection(port)
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [f"GET {self.path} HTTP/1.1", "Host: app", *self.fields, *([f"Cookie: {jar}"] if jar else [])]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *fields = head.split("\r\n")
        length = 0
        for field in fields:
            name, _, value = field.partition(": ")
            if name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
            elif name.lower() == "connection" and value == "close":
                self._open[port] = reader, writer, self._per_connection
        return int(status.split()[1]), (await reader.readexactly(length)).decode()
