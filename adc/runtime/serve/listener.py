"""A listener as the worker, the metrics and the operations know it, whatever protocol it carries."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adc.config.model import listeners as model
from adc.l4.tcp.pipes import PipePool
from adc.l4.udp.descriptors import UdpDescriptors
from adc.l4.udp.id_memory import IdMemory
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.reactor import Reactor
from adc.net.share import Share
from adc.net.shared_sources import SharedSources
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.cluster import ClusterNode
from adc.runtime.serve.datagrams import Datagrams
from adc.runtime.serve.descriptors import Spare
from adc.runtime.serve.firewall import WorkerFirewall
from adc.runtime.serve.logs import Logs
from adc.runtime.serve.sessions import WorkerSessions
from adc.telemetry.samples import Sample


@dataclass(frozen=True, slots=True)
class ListenerContext:
    """What all listeners of a worker share.

    `spare` are descriptors to close when descriptors are short; `challenges` maps the token of each http-01 challenge
    in progress to its key authorization (RFC 8555 section 8.3).
    """

    batch: Batch
    clock: Clock
    share: Share
    spare: Spare
    challenges: Mapping[str, str]
    cluster: ClusterNode
    sessions: WorkerSessions
    reactor: Reactor
    datagrams: Datagrams
    firewall: WorkerFirewall
    pipes: PipePool
    udp_descriptors: UdpDescriptors
    quic_ids: IdMemory
    sources: SharedSources


class Listener(ABC):
    """A bound socket with a protocol: one class for each protocol of `adc.config.model.protocols`.

    It is made with the first runtime that serves it; `configure` follows at once and at each reload.
    """

    shares_accepting = True
    """True if workers accept from one queue, so that the one with fewer connections accepts more."""

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        self.name = name

    @abstractmethod
    def configure(self, runtime: Runtime, settings: model.Listener, logs: Logs) -> None:
        """Follow a configuration from now on, open connections included."""

    @abstractmethod
    def accept(self, sockets: Sequence[socket.socket]) -> None:
        """Accept on exactly these sockets, which stay the caller's."""

    @abstractmethod
    def tick(self, now: float) -> None:
        """Apply the timeouts that have passed at `now` (monotonic seconds)."""

    @abstractmethod
    def retire(self, count: int) -> None:
        """Move up to `count` clients to other workers without failing a request."""

    @abstractmethod
    def drain(self) -> None:
        """Stop accepting; close idle connections now and the others when their work is complete."""

    def drain_last(self) -> None:
        """Drain, when no other process reads the sockets from now on."""
        self.drain()

    @abstractmethod
    def drop_all(self, reason: str) -> None:
        """End all work at once."""

    @property
    @abstractmethod
    def open_connections(self) -> int:
        """The number of connections, handshakes in progress included."""

    @property
    @abstractmethod
    def accepts(self) -> bool:
        """True if another connection would be served."""

    @abstractmethod
    def samples(self) -> Iterator[Sample]:
        """Return this listener's metrics."""
