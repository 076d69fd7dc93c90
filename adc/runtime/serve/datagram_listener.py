"""The listener for datagrams of other nodes: its socket is one end of the channel that all UDP listeners share."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from adc.config.model import listeners as model
from adc.l4.udp.steering import steer_by_first_byte
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.drop_report import DropReport
from adc.runtime.serve.listener import Listener, ListenerContext
from adc.runtime.serve.logs import Logs
from adc.telemetry.samples import Sample


class DatagramListener(Listener):
    """Reads the frames of other nodes while this one takes part; it has no sessions of its own."""

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        super().__init__(name, context, runtime, logs)
        self._reactor = context.reactor
        self._datagrams = context.datagrams
        self._hub = context.datagrams.hub
        self._logs = logs
        self._report = DropReport(name, self._hub.drops)
        self._sockets: dict[socket.socket, socket.socket] = {}

    def configure(self, runtime: Runtime, settings: model.Listener, logs: Logs) -> None:
        self._logs = logs  # the channel follows the configuration of the cluster

    def accept(self, sockets: Sequence[socket.socket]) -> None:
        for sock in [sock for sock in self._sockets if sock not in sockets]:
            copy = self._sockets.pop(sock)
            self._reactor.remove(copy.fileno())
            copy.close()
        for sock in sockets:
            if sock not in self._sockets:
                copy = self._sockets[sock] = sock.dup()
                copy.setblocking(False)
                steer_by_first_byte(copy)
                self._reactor.add(copy.fileno(), self._hub.reader(copy))
        self._hub.sock = next(iter(self._sockets.values()), None)

    def tick(self, now: float) -> None:
        self._datagrams.look_up_nodes()
        self._report.tick(self._sockets.values(), self._logs.error_log, now)

    def retire(self, count: int) -> None:
        """No-op: there are no clients."""

    def drain(self) -> None:
        """No-op: replies of sessions that go on need the channel."""

    def drop_all(self, reason: str) -> None:
        self.accept(())

    @property
    def open_connections(self) -> int:
        return 0

    @property
    def accepts(self) -> bool:
        return True

    def samples(self) -> Iterator[Sample]:
        for reason, count in self._hub.drops.items():
            yield Sample("adc_datagrams_dropped_total", (self.name, reason), count)
