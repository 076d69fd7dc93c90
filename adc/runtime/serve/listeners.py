"""HTTP listeners of a worker: accepting on the sockets it was given, with settings that a reload changes."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import partial
from math import inf

from adc.codecs.http1.secure import SecureConnection, StrictConnection
from adc.codecs.http1.server import ServerConnection
from adc.codecs.http1.settings import Http1Settings
from adc.codecs.http1.shed import ShedConnection
from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.networks import Networks
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.handshake import Handshake
from adc.net.listener_state import ListenerState
from adc.net.share import Share
from adc.net.sources import SourceLimit
from adc.net.tls import ServerTls
from adc.proxy.exchange import Exchange
from adc.proxy.forwarding import lines_with
from adc.proxy.replies import Replies
from adc.proxy.service import Service
from adc.runtime.build.identity import identification
from adc.runtime.build.preroutes import Challenges, Preroutes
from adc.runtime.build.runtime import Find
from adc.runtime.build.tls import CertificateWatch
from adc.runtime.serve.accepting import Accepting
from adc.runtime.serve.descriptors import Spare
from adc.telemetry.access_log import AccessLog
from adc.telemetry.error_log import ErrorLog


class HttpListener:
    """One listener: its service, its settings and its accepting."""

    def __init__(
        self, batch: Batch, clock: Clock, service: Service, challenges: Challenges, share: Share, spare: Spare
    ) -> None:
        self._loop = batch.loop
        self.service = service
        self.state = ListenerState()
        self.settings = Http1Settings(
            self.state, batch, clock, partial(Exchange, service), service.refuse_message
        )
        self.tls: ServerTls | None = None
        self.preroutes = Preroutes(service.name, challenges)
        self._accepting = Accepting(batch.loop, self.state, self._not_arrived, share, spare)
        self._accepting.accept_context.protocol = self._arrived
        self._accepting.accept_context.shed = partial(ShedConnection, self.settings)
        self._watch = CertificateWatch(service.name, self._reloaded)
        self._told: tuple[Config, Networks]

    def configure(
        self,
        config: Config,
        listener: Listener,
        find: Find,
        replies: Replies,
        access_log: AccessLog | None,
        error_log: ErrorLog,
        tls: ServerTls | None = None,
    ) -> None:
        """Follow a configuration from now on; open connections do, too."""
        service, settings = self.service, self.settings
        service.replies, service.access_log, service.error_log, service.find = (
            replies,
            access_log,
            error_log,
            self.preroutes.before(find, config, listener),
        )
        timeouts, limits = listener.timeouts, listener.limits
        service.body_limit = limits.body
        service.request_body_timeout = timeouts.request_body or inf
        service.request_body_rate = limits.body_rate
        service.client_write_timeout = timeouts.write or inf
        settings.head_timeout = timeouts.request_head or inf
        settings.keep_alive = timeouts.keep_alive or inf
        settings.half_closed = timeouts.half_closed or inf
        settings.header_bytes = limits.header_bytes
        settings.header_count = limits.headers
        settings.target_bytes = limits.target
        self.state.max_connections = limits.connections
        settings.max_requests = limits.requests_per_connection
        settings.strict_transport = _strict_transport(listener)
        trusted = config.trusted_proxies if listener.trusted_proxies is None else listener.trusted_proxies
        networks = Networks([str(network) for network in trusted])
        service.trusts = networks.contains
        service.member_lines = lines_with(forwarded=listener.forwarded, real_ip=listener.real_ip)
        self._told = config, networks
        self._secure(tls)
        self._identify()
        self._accept_as(listener, networks)

    def _accept_as(self, listener: Listener, trusted: Networks) -> None:
        context = self._accepting.accept_context
        self.state.sources = _sources(listener, trusted, self.state)
        context.handshake_timeout = listener.timeouts.tls_handshake
        context.proxies = None
        if listener.proxy_protocol is not None:
            senders = listener.proxy_protocol.from_
            context.proxies = (Networks(map(str, senders)) if senders else trusted).contains

    def accept(self, sockets: Sequence[socket.socket]) -> None:
        """Accept on exactly these sockets. The sockets stay the caller's."""
        self._accepting.follow(sockets)

    def _secure(self, tls: ServerTls | None) -> None:
        """Handshakes use `tls` from now on; what serves stays if nothing changed, and so do its session tickets."""
        held = self.tls
        if (
            held is not None
            and tls is not None
            and (held.options, held.signature) == (tls.options, tls.signature)
        ):
            return
        if (held is None) != (tls is None):
            self.state.scheme = "http" if tls is None else "https"
            for connection in list(self.state.connections):
                connection.drain()
        self.tls = tls
        self._accepting.accept_context.context = None if tls is None else tls.context

    def _reloaded(self, tls: ServerTls) -> None:
        """The files of the certificates changed."""
        if self.tls is not None and self.tls.options == tls.options:
            self._secure(tls)
            self._identify()

    def _identify(self) -> None:
        config, trusted = self._told
        self.settings.identify = identification(config, trusted, self.tls)

    def _arrived(self, handshake: Handshake) -> ServerConnection:
        if self.tls is None:
            return ServerConnection(self.settings, handshake)
        secure = StrictConnection if self.settings.strict_transport else SecureConnection
        return secure(self.settings, handshake)

    def _not_arrived(self, reason: str, detail: str, address: str) -> None:
        service = self.service
        service.refusals[reason] = service.refusals.get(reason, 0) + 1
        service.error_log.info(
            "connection_refused", reason=reason, detail=detail, client=address, listener=service.name
        )

    @property
    def busy(self) -> bool:
        """True if there are connections, or some in their handshake."""
        return bool(self.held)

    @property
    def held(self) -> int:
        """Return the number of connections, those in their handshake included."""
        return len(self.state.connections) + self._accepting.accept_context.arriving

    @property
    def accepts(self) -> bool:
        """True if another connection would be served."""
        state = self.state
        return not (state.draining or self._accepting.paused or self.held >= state.max_connections)

    def retire(self, count: int) -> None:
        """Send up to `count` clients to other workers, busy ones first: each with the response to its next request."""
        connections = self.state.connections
        count -= sum([connection.retiring for connection in connections])
        if count > 0:
            staying = [connection for connection in connections if not connection.retiring]
            busy = [connection for connection in staying if connection.deadline == inf]
            for connection in (busy or staying)[:count]:
                connection.retire()

    def drain(self) -> None:
        """Accept no more; close idle connections now and the others after their response."""
        self.state.draining = True
        self._accepting.close()
        for connection in list(self.state.connections):
            connection.drain()

    def tick(self, now: float) -> None:
        """Tell connections and exchanges whose time is up."""
        for connection in [each for each in self.state.connections if each.deadline <= now]:
            connection.timed_out()
        self.service.tick(now)
        self._accepting.tick(now, self.service.error_log)
        if self.tls is not None:
            self._watch.tick(now, self.tls, self.service.error_log)

    def drop_all(self, reason: str) -> None:
        """End every exchange, and what is on its way in, at once."""
        self.service.drop_all(reason)
        self._accepting.accept_context.drop_all()


def _sources(listener: Listener, trusted: Networks, state: ListenerState) -> SourceLimit | None:
    limit = listener.limits.connections_per_source
    if not limit:
        return None
    return SourceLimit(limit, trusted.contains, [connection.peer for connection in state.connections])


def _strict_transport(listener: Listener) -> bytes:
    """The value of Strict-Transport-Security (RFC 6797 section 6.1)."""
    hsts = listener.hsts
    if hsts is None:
        return b""
    value = f"max-age={int(hsts.max_age)}"
    value += "; includeSubDomains" * hsts.include_subdomains + "; preload" * hsts.preload
    return value.encode()
