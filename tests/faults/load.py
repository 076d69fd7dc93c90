"""Steady traffic from many clients, and what became of each request."""

import asyncio
import contextlib
import ssl as tls
import time
from dataclasses import dataclass, field

PATIENCE = 15.0
SLOW = 0.8
"""Seconds from which on a request counts as disturbed, however it ended."""

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"


@dataclass
class Outcome:
    """One request. `begun`: a 200 was under way when it broke off; `repeated`: the client had to send it twice."""

    method: str
    sent: float
    took: float = 0.0
    status: int = 0
    begun: bool = False
    repeated: bool = False

    @property
    def failed(self):
        return self.status != 200

    @property
    def lost(self):
        return self.failed and not self.begun and self.method == "GET"

    @property
    def disturbed(self):
        return self.failed or self.repeated or self.took > SLOW


@dataclass
class Traffic:
    """`clients` keep-alive connections that send a request every `pause` seconds each; every tenth is a POST.
    With `newcomers` each request is that of another client, as a trusted proxy would name it.

    A client repeats a GET once on a new connection if its connection broke before any byte of a response (RFC 9110
    section 9.2.2): that is what clients do, and all that helps when a worker dies.
    """

    port: int
    clients: int = 16
    pause: float = 0.06
    context: tls.SSLContext | None = None
    fresh: bool = False
    newcomers: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    async def __aenter__(self):
        self._over = asyncio.Event()
        self._tasks = [asyncio.create_task(self._client(number)) for number in range(self.clients)]
        return self

    async def __aexit__(self, *error):
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def _client(self, number):
        await asyncio.sleep(self.pause * number / self.clients)
        connection = None
        count = number
        while not self._over.is_set():
            count += 1
            data = POST if count % 10 == 0 else GET
            if self.newcomers:
                data = data.replace(b"\r\n", b"\r\nX-Forwarded-For: 2001:db8:%x::%x\r\n" % (number, count), 1)
            outcome = Outcome(data.split(b" ")[0].decode(), time.monotonic())
            connection = await self._ask(connection, data, outcome)
            if outcome.failed and not outcome.status and not outcome.begun and outcome.method == "GET":
                outcome.repeated = True
                connection = await self._ask(None, data, outcome)
            outcome.took = time.monotonic() - outcome.sent
            self.outcomes.append(outcome)
            if self.fresh and connection is not None:
                connection[1].close()
                connection = None
            await asyncio.sleep(max(0.0, outcome.sent + self.pause - time.monotonic()))
        if connection is not None:
            connection[1].close()

    async def _ask(self, connection, data, outcome):
        """Send and read; the connection if it can be used again."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # TimeoutError among them
            async with asyncio.timeout(PATIENCE):
                if connection is None:
                    connection = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context)
                reader, writer = connection
                writer.write(data)
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head.split(b" ", 2)[1])
                outcome.begun = status == 200
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                outcome.status = status
                if b"connection: close" not in head.lower():
                    return connection
        if connection is not None:
            connection[1].transport.abort()
        return None


def percentile(outcomes, share):
    """Seconds that `share` of the outcomes took at the most."""
    taken = sorted(outcome.took for outcome in outcomes)
    return taken[min(int(len(taken) * share), len(taken) - 1)] if taken else 0.0
