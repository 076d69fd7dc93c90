"""The listener of HTTP: its service, and the limits of its codec."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import inf

from adc.codecs.http1.secure import SecureConnection, StrictConnection
from adc.codecs.http1.server import ServerConnection
from adc.codecs.http1.settings import Http1Settings
from adc.codecs.http1.shed import ShedConnection
from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.networks import Networks
from adc.net.handshake import Handshake
from adc.proxy.exchange import Exchange
from adc.proxy.service import Service
from adc.proxy.upstream.forwarding import Forwarding
from adc.runtime.assembly.identity import Identify, identification, trusted_proxies
from adc.runtime.assembly.preroutes import Preroutes
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.http_sessions import HttpSessions
from adc.runtime.serve.listener import ListenerContext
from adc.runtime.serve.logs import Logs
from adc.runtime.serve.route_metrics import route_samples
from adc.runtime.serve.stream_listener import StreamListener
from adc.telemetry.samples import Sample


class HttpListener(StreamListener):
    """Serves requests by the routes of a configuration."""

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        super().__init__(name, context, runtime, logs)
        self.service: Service[Exchange] = Service(
            name, context.clock, runtime.replies, logs.access_log, logs.error_log
        )
        self.service.refusals = self.refusals
        self.settings = Http1Settings(
            self.state,
            context.batch,
            context.clock,
            partial(Exchange, self.service),
            self.service.refuse_message,
        )
        self._preroutes = Preroutes(name, context.challenges)
        self._accepting.accept_context.shed = partial(ShedConnection, self.settings)
        self._identity: tuple[Config, Listener, Networks]
        self._sessions = HttpSessions(name, context.sessions, context.clock)

    def configure(self, runtime: Runtime, settings: Listener, logs: Logs) -> None:
        config = runtime.config
        trusted = trusted_proxies(config, settings)
        service, timeouts, limits = self.service, settings.timeouts, settings.limits
        service.replies = runtime.replies
        service.access_log, service.error_log = logs.access_log, logs.error_log
        service.find = self._preroutes.before(runtime.finders[self.name], config, settings)
        service.forwarding = Forwarding(
            trusted.contains, forwarded=settings.forwarded, real_ip=settings.real_ip
        )
        service.body_limit = limits.body
        service.request_body_timeout = timeouts.request_body or inf
        service.request_body_rate = limits.body_rate
        service.client_write_timeout = timeouts.write or inf
        self._limit(settings)
        super().configure(runtime, settings, logs)
        self.state.observer = self._sessions.follow(settings, self.state.connections)
        self._identity = config, settings, trusted
        self.settings.identify = self.identification(config, settings, trusted)

    def _limit(self, listener: Listener) -> None:
        settings, timeouts, limits = self.settings, listener.timeouts, listener.limits
        settings.head_timeout = timeouts.request_head or inf
        settings.keep_alive = timeouts.keep_alive or inf
        settings.half_closed = timeouts.half_closed or inf
        settings.header_bytes = limits.header_bytes
        settings.header_count = limits.headers
        settings.target_bytes = limits.target
        settings.max_requests = limits.requests_per_connection
        settings.strict_transport = _strict_transport(listener)

    def identification(self, config: Config, listener: Listener, trusted: Networks) -> Identify | None:
        """Return what derives the client's identity from a request, None if there is nothing to derive."""
        return identification(config, listener, trusted, self.tls)

    def certificates_changed(self) -> None:
        self.settings.identify = self.identification(*self._identity)

    def protocol(self, handshake: Handshake, alpn: str) -> ServerConnection:
        if not handshake.secure:
            return ServerConnection(self.settings, handshake)
        secure = StrictConnection if self.settings.strict_transport else SecureConnection
        return secure(self.settings, handshake)

    def tick(self, now: float) -> None:
        super().tick(now)
        self.service.tick(now)

    def drop_all(self, reason: str) -> None:
        self.service.drop_all(reason)
        super().drop_all(reason)

    def samples(self) -> Iterator[Sample]:
        service, name = self.service, self.name
        yield from super().samples()
        for pipeline in self._preroutes.pipelines:
            yield from route_samples(pipeline)
        yield Sample("adc_requests_total", (name, "", "404"), service.unrouted)
        for reason, count in service.ends.items():
            yield Sample("adc_exchange_ends_total", (reason,), count)
        for direction, count in service.trailers_dropped.items():
            yield Sample("adc_trailers_dropped_total", (name, direction), count)
        for (pool, member, reason), count in service.upstream_errors.items():
            yield Sample("adc_upstream_errors_total", (pool, member, reason), count)


def _strict_transport(listener: Listener) -> bytes:
    """Return the value of Strict-Transport-Security (RFC 6797 section 6.1)."""
    hsts = listener.hsts
    if hsts is None:
        return b""
    value = f"max-age={int(hsts.max_age)}"
    value += "; includeSubDomains" * hsts.include_subdomains + "; preload" * hsts.preload
    return value.encode()
