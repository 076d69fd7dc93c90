"""The listeners of a worker: made, reconfigured and drained as the configuration changes."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pkgutil import resolve_name

from adc.config import Config
from adc.config.model import listeners as model
from adc.config.model.protocols import PROTOCOLS
from adc.runtime.assembly.cluster import CLUSTER, DATAGRAMS, listener_of
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve import descriptors
from adc.runtime.serve.listener import Listener, ListenerContext
from adc.runtime.serve.logs import Logs
from adc.telemetry.samples import Sample

Sockets = Mapping[str, list[socket.socket]]

OF_CLUSTER = {
    CLUSTER: "adc.runtime.serve.cluster_listener:ClusterListener",
    DATAGRAMS: "adc.runtime.serve.datagram_listener:DatagramListener",
}
"""`module:class` of the listeners for other nodes, which no configuration names."""

_AT_ONCE = 4
"""Of the connections above the worker's share, one in so many is moved away at a time."""


class Listeners(Mapping[str, Listener]):
    """The listeners of the configuration by name. Removed ones finish their work behind them."""

    def __init__(self, context: ListenerContext) -> None:
        self._context = context
        self._serving: dict[str, Listener] = {}
        self._leaving: list[Listener] = []

    def __getitem__(self, name: str) -> Listener:
        return self._serving[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._serving)

    def __len__(self) -> int:
        return len(self._serving)

    def prepare(self, config: Config) -> None:
        """Import the classes of the listeners of `config`."""
        for settings in _wanted(config):
            _class_of(settings)

    def follow(self, runtime: Runtime, logs: Logs, sockets: Sockets) -> None:
        """Serve exactly the listeners of `runtime` on `sockets`; drain the others."""
        wanted = _wanted(runtime.config)
        self._limit_datagrams(wanted)
        for settings in wanted:
            name = settings.name
            if name not in self._serving:
                self._serving[name] = _class_of(settings)(name, self._context, runtime, logs)
            self._serving[name].configure(runtime, settings, logs)
            self._serving[name].accept(sockets.get(name, []))
        names = {settings.name for settings in wanted}
        for name in [name for name in self._serving if name not in names]:
            removed = self._serving.pop(name)
            removed.drain()
            self._leaving.append(removed)

    def _limit_datagrams(self, wanted: list[model.Listener]) -> None:
        """Share the descriptors between UDP sessions and connections."""
        limits = self._context.udp_descriptors
        limits.last = descriptors.last_for_datagrams()
        limits.most = descriptors.most_for_datagrams(all(each.protocol == "udp" for each in wanted))

    def accept(self, sockets: Sockets) -> None:
        """Accept on `sockets`."""
        for name, listener in self._serving.items():
            listener.accept(sockets.get(name, []))

    def open_connections(self) -> int:
        """Return the number of client connections that workers share evenly, without those of removed listeners."""
        total = 0
        for listener in self._serving.values():
            if listener.shares_accepting:
                total += listener.open_connections
        return total

    @property
    def accepts(self) -> bool:
        """True if every listener would serve another connection."""
        return all(listener.accepts for listener in self._serving.values())

    @property
    def busy(self) -> bool:
        """True if any listener has connections, removed ones included."""
        return any(listener.open_connections for listener in self._all)

    @property
    def _all(self) -> list[Listener]:
        return [*self._serving.values(), *self._leaving]

    def tick(self, now: float) -> None:
        """Apply timeouts; forget removed listeners that have no connection left.

        A defect of one listener costs no other its timeouts.
        """
        for listener in self._all:
            try:
                listener.tick(now)
            except Exception as error:
                context = {"message": f"unhandled exception in listener {listener.name}", "exception": error}
                self._context.batch.loop.call_exception_handler(context)
        self._leaving = [listener for listener in self._leaving if listener.open_connections]

    def retire(self, surplus: int) -> None:
        """Move a part of `surplus` clients to other workers, from each listener in proportion."""
        total = self.open_connections()
        for listener in self._serving.values():
            listener.retire(-(-surplus * listener.open_connections // (total * _AT_ONCE)))

    def drain(self, last: bool) -> None:
        """Stop accepting; let connections finish. `last`: no other process reads the sockets."""
        for listener in self._all:
            if last:
                listener.drain_last()
            else:
                listener.drain()

    def drop_all(self, reason: str) -> None:
        """End all work at once."""
        for listener in self._all:
            listener.drop_all(reason)

    def samples(self) -> Iterator[Sample]:
        """Return the metrics of the configuration's listeners."""
        for listener in self._serving.values():
            yield from listener.samples()


def _wanted(config: Config) -> list[model.Listener]:
    """Return the listeners that workers serve."""
    served = (listener for listener in config.listeners if listener.datapath.engine == "userspace")
    return [*served, *listener_of(config)]


def _class_of(settings: model.Listener) -> type[Listener]:
    """Import the class of a listener when a configuration uses it."""
    place = OF_CLUSTER.get(settings.name) or PROTOCOLS[settings.protocol]
    found: type[Listener] = resolve_name(place)
    return found
