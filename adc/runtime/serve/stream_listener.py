"""Common part of all listeners of connections: accepting, TLS, the PROXY protocol, limits, timeouts, metrics."""

from __future__ import annotations

import asyncio
import socket
import ssl
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from math import inf

from adc.config.model import listeners as model
from adc.http.networks import Networks
from adc.l4.alpn import agreement
from adc.net.accept import BeforeTls
from adc.net.handshake import Handshake
from adc.net.listener_state import ListenerState
from adc.net.sources import SourceLimit
from adc.net.tls import ServerTls
from adc.runtime.assembly.identity import trusted_proxies
from adc.runtime.assembly.runtime import Runtime, worker_count
from adc.runtime.serve.accepting import Accepting
from adc.runtime.serve.certificate_watch import CertificateWatch
from adc.runtime.serve.listener import Listener, ListenerContext
from adc.runtime.serve.logs import Logs
from adc.telemetry.samples import Sample


class StreamListener(Listener):
    """A listener of TCP or Unix sockets. A subclass makes the protocol of each accepted connection, which reports to
    `state` when it opens and closes.
    """

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        super().__init__(name, context, runtime, logs)
        self.state = ListenerState()
        self.tls: ServerTls | None = None
        self.refusals: dict[str, int] = {}
        self._accepting = Accepting(
            context.batch.loop, self.state, self._not_accepted, context.share, context.spare
        )
        self._accepting.accept_context.protocol = self.protocol
        self._firewall = context.firewall
        self._datagrams = context.udp_descriptors
        self._shared_sources = context.sources
        self._watch = CertificateWatch(name, self._reloaded)
        self._logs = logs

    @abstractmethod
    def protocol(self, handshake: Handshake, alpn: str) -> asyncio.Protocol:
        """Return the protocol of a connection whose handshake is complete and agreed on `alpn` ("" for none)."""

    def configure(self, runtime: Runtime, settings: model.Listener, logs: Logs) -> None:
        self._logs = logs
        self.state.max_connections = settings.limits.connections
        trusted = trusted_proxies(runtime.config, settings)
        self._secure(runtime.server_tls.get(self.name))
        self._accepting.accept_context.before_tls = _agreement(settings)
        self._shared_sources.follow(worker_count(runtime.config))
        self._limit_sources(settings.limits.connections_per_source, trusted)
        context = self._accepting.accept_context
        context.handshake_timeout = settings.timeouts.tls_handshake
        context.max_handshakes = settings.limits.handshakes
        context.proxies = None
        if settings.proxy_protocol is not None:
            senders = settings.proxy_protocol.from_
            context.proxies = (Networks(map(str, senders)) if senders else trusted).contains
        context.admit = self._firewall.admission(self.name, "tcp", context.proxies)
        context.admit_client = self._firewall.admission(self.name, "tcp")

    def _limit_sources(self, limit: int, trusted: Networks) -> None:
        """Admit up to `limit` connections a source from now on, 0: any number."""
        state, before = self.state, self.state.sources
        if before is not None and limit:  # which has counted all connections already
            before.follow(limit, trusted.contains)
        elif before is not None:
            before.close()
            state.sources = None
        elif limit:
            present = [connection.peer for connection in state.connections]
            shared = self._shared_sources.of(self.name)
            state.sources = SourceLimit(limit, trusted.contains, present, shared)

    def accept(self, sockets: Sequence[socket.socket]) -> None:
        self._accepting.follow(sockets)

    def _secure(self, tls: ServerTls | None) -> None:
        """Use `tls` for handshakes from now on; keep what serves, and its session tickets, if nothing changed."""
        before = self.tls
        if (
            before is not None
            and tls is not None
            and (before.options, before.signature) == (tls.options, tls.signature)
        ):
            return
        if (before is None) != (tls is None):
            self.state.scheme = "http" if tls is None else "https"
            for connection in list(self.state.connections):
                connection.drain()
        self.tls = tls
        self._accepting.accept_context.context = self.handshake_context(tls)

    def handshake_context(self, tls: ServerTls | None) -> ssl.SSLContext | None:
        """Return the context for the handshakes of new connections, None for connections that begin without TLS."""
        return None if tls is None else tls.context

    def _reloaded(self, tls: ServerTls) -> None:
        """Use certificates whose files changed."""
        if self.tls is not None and self.tls.options == tls.options:
            self._secure(tls)
            self.certificates_changed()

    def certificates_changed(self) -> None:
        """Called when `tls` was replaced without a new configuration. No-op by default."""

    def _not_accepted(self, reason: str, detail: str, address: str) -> None:
        self.refusals[reason] = self.refusals.get(reason, 0) + 1
        self._logs.error_log.info(
            "connection_refused", reason=reason, detail=detail, client=address, listener=self.name
        )

    @property
    def open_connections(self) -> int:
        return len(self.state.connections) + self._accepting.accept_context.arriving

    @property
    def accepts(self) -> bool:
        state = self.state
        return not (
            state.draining or self._accepting.paused or self.open_connections >= state.max_connections
        )

    def retire(self, count: int) -> None:
        """Move up to `count` clients to other workers, busy ones first: each closes after its next request."""
        connections = self.state.connections
        count -= sum([connection.retiring for connection in connections])
        if count > 0:
            staying = [connection for connection in connections if not connection.retiring]
            busy = [connection for connection in staying if connection.deadline == inf]
            for connection in (busy or staying)[:count]:
                connection.retire()

    def drain(self) -> None:
        self.state.draining = True
        self._accepting.close()
        for connection in list(self.state.connections):
            connection.drain()

    def tick(self, now: float) -> None:
        for connection in [each for each in self.state.connections if each.deadline <= now]:
            connection.timed_out()
        self.tick_accepting(now)

    def tick_accepting(self, now: float) -> None:
        """Accept again after a pause, and look for changed certificates."""
        error_log = self._logs.error_log
        self._accepting.leave_to_datagrams(self._datagrams.used)
        self._accepting.tick(now, error_log)
        if self.tls is not None:
            self._watch.tick(now, self.tls, error_log)

    def drop_all(self, reason: str) -> None:
        """End the handshakes in progress; a subclass ends its connections."""
        self._accepting.accept_context.drop_all()

    def samples(self) -> Iterator[Sample]:
        state, name = self.state, self.name
        yield Sample("adc_connections_total", (name,), state.accepted)
        yield Sample("adc_connections_active", (name,), len(state.connections))
        yield Sample("adc_refused_total", (name, "limit_connections"), state.rejected)
        for facts in self.tls.facts if self.tls is not None else ():
            yield Sample("adc_tls_certificate_expiry_seconds", (name, facts.name), facts.expires)
        for reason, count in self.refusals.items():
            yield Sample("adc_refused_total", (name, reason), count)


def _agreement(settings: model.Listener) -> BeforeTls | None:
    """Return what rejects clients that support no protocol of the listener's `alpn`; None if there is no list."""
    alpn = () if settings.tls is None else settings.tls.alpn
    return agreement(alpn) if alpn else None
