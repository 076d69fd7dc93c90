"""All HTTP/1.1 connections to one member: idle ones, ones being opened, and how to open more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import Final

from adc.codecs.http1.client import ClientConnection
from adc.codecs.http1.linked import LinkedConnection, Owner
from adc.codecs.interface import MemberConnection, ResponseReceiver
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.connect_failure import failure_of
from adc.pools.errors import Failure

Connect = Callable[[Callable[[], asyncio.BaseProtocol]], Awaitable[object]]
"""Opens a transport for the protocol that the factory makes; raises OSError (`socket.gaierror` for names)."""

_MOST_STALE: Final = 5
"""Stale connections in a row after which connections are not used again for a while."""
_REST: Final = 60.0
"""Seconds of that."""
_MARGIN: Final = 1.0
"""Seconds before the member's announced idle close at which a connection is not used any more."""


class HttpLink(Owner):
    """`Member.link` for HTTP/1.1.

    Idle connections are used last in, first out, so that surplus ones age and are reaped; `idle_timeout` (seconds)
    shrinks to what the member announces in `Keep-Alive: timeout=N`. `max_idle` bounds the idle ones.
    `connections` are open, `opening` are to be. `stale_row` counts connections that broke when they were used again,
    since the last that did not.
    """

    __slots__ = (
        "_announced",
        "_announced_timeout",
        "_clock",
        "_connect",
        "_idle",
        "_opening",
        "_rests_until",
        "connections",
        "idle_timeout",
        "max_idle",
        "opened",
        "opening",
        "predecessor",
    )

    def __init__(
        self,
        batch: Batch,
        clock: Clock,
        connect: Connect,
        idle_timeout: float = 50.0,
        max_idle: int = 256,
    ) -> None:
        super().__init__(batch)
        self._clock = clock
        self._connect = connect
        self.idle_timeout = idle_timeout
        self.max_idle = max_idle
        self._idle: list[ClientConnection] = []
        self._opening: dict[ResponseReceiver, asyncio.Task[None]] = {}
        self._announced = b""
        self._announced_timeout = inf
        self._rests_until = -inf
        self.connections = 0
        self.opening = 0
        self.opened = 0
        self.predecessor: HttpLink | None = None

    def acquire(self, receiver: ResponseReceiver) -> ClientConnection | None:
        if self._idle:
            connection = self._idle.pop()
            connection.receiver = receiver
            return connection
        self._begin(receiver)
        return None

    def dial(self, receiver: ResponseReceiver) -> None:
        self._begin(receiver)

    @property
    def idle(self) -> int:
        """Return the number of idle connections."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """Return the number of connections that have a request, or are being opened for one."""
        return self.opening + self.connections - len(self._idle)

    @property
    def streams(self) -> int:
        """Return the number of requests on connections, or waiting for one: one a connection."""
        return self.busy

    def _begin(self, receiver: ResponseReceiver) -> None:
        self.opening += 1
        connection = self._make(receiver)
        task = self._opening[receiver] = self.batch.loop.create_task(self._open(receiver, connection))
        task.add_done_callback(lambda _: self._opened(connection))

    def _opened(self, connection: ClientConnection) -> None:
        if not connection.made:
            self.opening -= 1

    def _make(self, receiver: ResponseReceiver) -> ClientConnection:
        return ClientConnection(self)

    def _dial(self, receiver: ResponseReceiver, connection: ClientConnection) -> Awaitable[object]:
        return self._connect(lambda: connection)

    def forget(self, receiver: ResponseReceiver) -> None:
        task = self._opening.pop(receiver, None)
        if task is not None:
            task.cancel()
        elif self.predecessor is not None:
            self.predecessor.forget(receiver)

    async def _open(self, receiver: ResponseReceiver, connection: ClientConnection) -> None:
        try:
            await self._dial(receiver, connection)
        except asyncio.CancelledError:
            connection.drop()
            raise
        except OSError as error:
            if self._opening.pop(receiver, None) is not None:
                receiver.failed(failure_of(error), str(error))
            return
        waited = self._opening.pop(receiver, None) is not None
        if connection.closed:
            if waited:
                receiver.failed(Failure.RESET, "the member closed the connection at once")
        elif waited:
            connection.receiver = receiver
            receiver.connected(connection)
        else:
            self.release(connection)

    def made(self, connection: LinkedConnection) -> None:
        self.opening -= 1
        self.connections += 1
        connection.counted = True
        self.opened += 1

    def release(self, connection: LinkedConnection) -> None:
        assert isinstance(connection, ClientConnection)
        if len(self._idle) >= self.max_idle or self._clock.now < self._rests_until:
            connection.close()
            return
        connection.deadline = self._clock.now + self.idle_timeout
        self._idle.append(connection)

    def lost(self, connection: LinkedConnection) -> None:
        self.uncount(connection)
        self.discard(connection)

    def uncount(self, connection: LinkedConnection) -> None:
        if connection.counted:
            connection.counted = False
            self.connections -= 1

    def discard(self, connection: LinkedConnection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def drop_older(self, connection: MemberConnection) -> None:
        if isinstance(connection, LinkedConnection):
            self._close_until(connection.deadline)

    def _close_until(self, deadline: float) -> None:
        """Close the connections that have been idle too long at `deadline`."""
        for connection in [connection for connection in self._idle if connection.deadline <= deadline]:
            self._idle.remove(connection)
            connection.close()

    def stale(self, connection: LinkedConnection) -> str:
        # whatever broke it, a firewall or the member, has most likely broken those that have been idle as long
        self._close_until(connection.deadline)
        self.stale_row += 1
        if self.stale_row < _MOST_STALE:
            return ""
        self._rests_until = self._clock.now + _REST
        return f"; {self.stale_row} in a row: connections are not used again for {_REST:.0f} s"

    def announced(self, value: bytes) -> None:
        if value != self._announced:
            self._announced = value
            self._announced_timeout = inf
            for parameter in value.replace(b";", b",").split(b","):
                name, _, number = parameter.partition(b"=")
                number = number.strip(b' \t"')
                if name.strip(b" \t").lower() == b"timeout" and number.isdigit() and len(number) < 7:
                    self._announced_timeout = max(int(number) - _MARGIN, 0.0)
        self.idle_timeout = min(self.idle_timeout, self._announced_timeout)

    def reap(self, now: float) -> None:
        """Close the connections that were idle too long."""
        self._close_until(now)

    def close_idle(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self.close_oldest()

    def close_oldest(self) -> None:
        """Close the connection that has been idle longest."""
        self._idle.pop(0).close()

    def retire(self) -> None:
        """Stop using the member: close idle connections, and the others when their response is complete."""
        self.max_idle = 0
        self.retired = True
        self.predecessor = None
        self.close_idle()
