"""The listener of UDP: its sockets, and the settings of its sessions."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from adc.config.model import listeners as model
from adc.config.model import pools, udp
from adc.l4.targets import Targets
from adc.l4.udp.client_socket import ClientSocket, client_socket_for
from adc.l4.udp.limits import DatagramRate
from adc.l4.udp.member_sockets import MemberSockets
from adc.l4.udp.owners import SharedOwners
from adc.l4.udp.quic import LearnedIds, ServerIds
from adc.l4.udp.relay import UdpRelay
from adc.l4.udp.session import UNLIMITED
from adc.l4.udp.sources import SessionSources
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.client_pins import client_pins
from adc.runtime.serve.drop_report import DropReport
from adc.runtime.serve.listener import Listener, ListenerContext
from adc.runtime.serve.logs import Logs
from adc.telemetry.samples import Sample

QUIET_SECONDS = 5.0
"""Seconds without a datagram after which a session of a draining listener ends: nothing else says that it is over."""


class UdpListener(Listener):
    """Passes datagrams to the members of one pool. Sessions stay with their members over reloads."""

    shares_accepting = False

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        super().__init__(name, context, runtime, logs)
        settings = _settings(runtime, name)
        self._context = context
        self._logs = logs
        self._targets = Targets(context.batch.loop)
        self._relay = UdpRelay(
            name,
            context.sessions.timeouts(settings),
            context.reactor,
            context.sessions.table,
            MemberSockets(self._targets),
            runtime.pools[settings.pool or ""],
            context.udp_descriptors,
        )
        self._owners: SharedOwners | None = None
        self._members: tuple[Member, ...] = ()
        self._client_sockets: dict[socket.socket, ClientSocket] = {}
        self._former: list[ClientSocket] = []
        self._report = DropReport(name, self._relay.drops)
        self._renewing = False
        self._ending = False

    def configure(self, runtime: Runtime, settings: model.Listener, logs: Logs) -> None:
        self._logs = logs
        relay, options = self._relay, settings.udp
        name = settings.pool or ""
        self._serve(runtime, runtime.pools[name])
        hosts, interval = _hosts(runtime.config.pools[name]), runtime.config.pools[name].dns.interval
        self._targets.follow(hosts, dict.fromkeys(hosts, interval))
        relay.sockets.follow(options.source_addresses)
        self._context.sessions.timeouts(settings)
        relay.responses = -1 if options.responses is None else options.responses
        relay.requests = options.requests or UNLIMITED
        limits = settings.limits
        relay.max_sessions = limits.connections if "connections" in limits.model_fields_set else UNLIMITED
        relay.admission = self._context.firewall.admission(self.name, "udp")
        self._limit(settings)
        self._route(options.quic)
        self._share()

    def _serve(self, runtime: Runtime, pool: Pool) -> None:
        """Open sessions to the members of `pool`; those of removed members move with their clients' next datagrams."""
        if pool.name == self._relay.pool.name:
            for member in set(self._members).difference(pool.members):
                member.pinnable = False
        self._relay.pool = pool
        self._relay.pins = client_pins(runtime, pool.name, self._context.clock)
        self._members = pool.members

    def _limit(self, settings: model.Listener) -> None:
        """Apply the limits of sources; a limit that stays keeps its counts."""
        relay = self._relay
        rate = settings.udp.datagrams_per_source
        if relay.rate is None or relay.rate.rate != rate:
            relay.rate = DatagramRate(rate, self.name, self._context.firewall.buckets) if rate else None
        limit = settings.limits.connections_per_source
        if not limit:
            relay.sources = None
        elif relay.sources is not None:
            relay.sources.limit(limit)
        else:
            relay.sources = SessionSources(limit, self.name, relay.table)
            self._count_sources()

    def _count_sources(self) -> None:
        """Count the sessions that were open before there was a limit, a slice in each loop iteration."""
        if self._relay.sources is not None and self._relay.sources.catch_up():
            self._context.batch.loop.call_soon(self._count_sources)

    def _share(self) -> None:
        """Share the owners of sessions with the other nodes, if the configuration says so."""
        self._owners = self._context.datagrams.share(self._relay, self._owners)
        self._relay.owners = self._owners
        if self._owners is not None:
            self._owners.client_sockets = lambda: list(self._client_sockets.values())

    def _route(self, quic: udp.Quic | None) -> None:
        """Route by QUIC connection ids."""
        relay = self._relay
        relay.learns = quic is not None and quic.connection_ids == "learned"
        if quic is None:
            relay.quic = None
        elif not relay.learns:
            names = {bytes.fromhex(name): address.text for name, address in quic.server_ids.items()}
            relay.quic = ServerIds(names, quic.offset)
        else:
            relay.quic = LearnedIds(self.name, self._context.quic_ids)
            relay.quic.follow(member.address for member in relay.pool.members)

    @property
    def _all(self) -> list[ClientSocket]:
        return [*self._client_sockets.values(), *self._former]

    def accept(self, sockets: Sequence[socket.socket]) -> None:
        for sock in [sock for sock in self._client_sockets if sock not in sockets]:
            self._shut(self._client_sockets.pop(sock))
        for sock in sockets:
            if sock not in self._client_sockets:
                client_socket = self._client_sockets[sock] = client_socket_for(sock.dup(), self._relay)
                self._context.reactor.add(client_socket.sock.fileno(), client_socket)

    def _shut(self, client_socket: ClientSocket) -> None:
        """Read no more from a socket, which its sessions still reply through."""
        self._context.reactor.remove(client_socket.sock.fileno())
        client_socket.shut()
        self._former.append(client_socket)

    def tick(self, now: float) -> None:
        self._targets.refresh(now)
        if not self._renewing:
            self._renew()
        self._former = [client_socket for client_socket in self._former if not client_socket.unused]
        if self._relay.draining and not self._ending:
            self._end_quiet(now)
        if self._owners is not None and self._relay.draining and not self._relay.sessions:
            self._context.datagrams.leave(self.name, self._owners)
        self._report.tick((each.sock for each in self._all if each.reading), self._logs.error_log, now)

    def _end_quiet(self, now: float) -> None:
        """End sessions of which a shutdown need not wait for more, one slice in each loop iteration."""
        self._ending = self._relay.table.end_quiet(self.name, QUIET_SECONDS, "shutdown", now)
        if self._ending:
            self._context.batch.loop.call_soon(lambda: self._end_quiet(self._context.clock.now))

    def _renew(self) -> None:
        """Renew the records of this node's sessions, one slice in each loop iteration until none is due."""
        self._renewing = self._owners is not None and self._owners.tick(self._context.clock.now)
        if self._renewing:
            self._context.batch.loop.call_soon(self._renew)

    def retire(self, count: int) -> None:
        """No-op: the kernel chooses the worker of a client."""

    def drain(self) -> None:
        self._relay.draining = True
        self.accept(())

    def drain_last(self) -> None:
        """Go on reading for the sessions that are open: nobody else would."""
        self._relay.draining = True

    def drop_all(self, reason: str) -> None:
        for client_socket in self._all:
            client_socket.end_all(reason)
        if self._owners is not None:
            self._owners.end_all(reason)
        self.accept(())

    @property
    def open_connections(self) -> int:
        return self._relay.sessions

    @property
    def accepts(self) -> bool:
        return not self._relay.draining

    def samples(self) -> Iterator[Sample]:
        relay, name = self._relay, self.name
        yield Sample("adc_connections_total", (name,), relay.opened)
        yield Sample("adc_connections_active", (name,), relay.sessions)
        yield Sample("adc_datagrams_total", (name, "client"), relay.datagrams_in)
        yield Sample("adc_datagrams_total", (name, "member"), relay.datagrams_out)
        if self._owners is not None:
            yield Sample("adc_datagrams_passed_total", (name,), self._owners.passed)
            yield Sample("adc_sessions_taken_over_total", (name,), self._owners.taken_over)
        for reason, count in relay.drops.items():
            yield Sample("adc_datagrams_dropped_total", (name, reason), count)


def _settings(runtime: Runtime, name: str) -> model.Listener:
    return next(listener for listener in runtime.config.listeners if listener.name == name)


def _hosts(pool: pools.Pool) -> dict[str, tuple[str, int, str]]:
    return {
        member.address.text: (member.address.host, member.address.port, member.address.path)
        for member in pool.members
    }
