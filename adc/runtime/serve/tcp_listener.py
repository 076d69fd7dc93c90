"""The listener of TCP: its flows, the pools that they go to, and what the configuration says about them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from math import inf

from adc.config.model import listeners as model
from adc.l4.targets import Targets
from adc.l4.tcp.bridge import BridgeFlow
from adc.l4.tcp.raw import begin
from adc.l4.tcp.routes import TlsRoutes
from adc.l4.tcp.service import TcpService
from adc.l4.tcp.upstream import Upstream
from adc.net.handshake import Handshake
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.client_pins import client_pins
from adc.runtime.serve.listener import ListenerContext
from adc.runtime.serve.logs import Logs
from adc.runtime.serve.stream_listener import StreamListener
from adc.telemetry.samples import Sample


class TcpListener(StreamListener):
    """Passes connections to the members of one pool, or of the pool that a ClientHello chooses.

    Flows stay with their members over reloads; a removed member's flows go on until their ends close them.
    """

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        super().__init__(name, context, runtime, logs)
        self.state.scheme = "tcp"
        self._context = context
        self._targets = Targets(context.batch.loop)
        self._upstreams: dict[str, Upstream] = {}
        settings = next(listener for listener in runtime.config.listeners if listener.name == name)
        self._service = TcpService(
            name,
            context.clock,
            context.reactor,
            context.sessions.table,
            self.state,
            context.sessions.timeouts(settings),
            self._refused,
            context.pipes,
        )
        self._begin = partial(begin, self._service)

    def configure(self, runtime: Runtime, settings: model.Listener, logs: Logs) -> None:
        super().configure(runtime, settings, logs)
        service, options = self._service, settings.tcp
        sessions = self._context.sessions
        sessions.timeouts(settings)
        service.expiry = sessions.expiry(settings)
        keep_alive = sessions.keep_alive(settings)
        service.keep_alive_client = _seconds(keep_alive.client)
        service.keep_alive_member = _seconds(keep_alive.member)
        service.connect_timeout = options.connect_timeout
        service.attempts = options.attempts
        service.hello_timeout = options.client_hello.timeout
        service.hello_bytes = options.client_hello.size
        service.flow_bytes = options.bytes or inf
        service.limit_age(options.time or inf)
        service.abort_on_close = options.abort_on_close
        service.follow_port = options.member_port == "listener"
        self._follow_pools(runtime, settings)
        service.names_both = any(each.version for each in self._upstreams.values())

    def _follow_pools(self, runtime: Runtime, settings: model.Listener) -> None:
        names = {*settings.sni.values(), *settings.tcp.alpn.values(), *filter(None, [settings.pool])}
        before = self._upstreams
        self._upstreams = {name: self._upstream(runtime, name) for name in sorted(names)}
        pools = [runtime.config.pools[name] for name in names]
        members = [(member.address, pool.dns.interval) for pool in pools for member in pool.members]
        self._targets.follow(
            {address.text: (address.host, address.port, address.path) for address, _ in members},
            {address.text: interval for address, interval in members},
        )
        service = self._service
        service.upstream = self._upstreams[settings.pool] if settings.pool else None
        service.routes = None
        if settings.sni or settings.tcp.alpn:
            service.routes = TlsRoutes(
                self._by_name(settings.sni), self._by_name(settings.tcp.alpn), service.upstream
            )
        for name in before.keys() - names:
            before[name].dismiss(service.upstream if service.routes is None else None)
        bridges = service.upstream is not None and service.upstream.tls is not None and service.routes is None
        self._accepting.accept_context.plain = None if bridges else self._begin

    def _by_name(self, names: Mapping[str, str]) -> dict[str, Upstream]:
        return {name: self._upstreams[pool] for name, pool in names.items()}

    def _upstream(self, runtime: Runtime, name: str) -> Upstream:
        """Return what serves the flows to one pool; what serves them already stays."""
        pool, settings = runtime.pools[name], runtime.config.pools[name]
        found = self._upstreams.get(name)
        if found is None:
            found = Upstream(self._context.batch.loop, pool, self._targets)
        else:
            found.follow(pool)
        found.version = settings.proxy_protocol or ""
        context = runtime.stream_tls.get(name)
        found.tls = None if context is None or settings.tls is None else (context, settings.tls.sni)
        found.pins = client_pins(runtime, name, self._context.clock)
        return found

    def protocol(self, handshake: Handshake, alpn: str) -> asyncio.Protocol:
        return BridgeFlow(self._service, self._context.batch.loop, handshake).client_end

    def _refused(self, reason: str, detail: str, address: str) -> None:
        self._not_accepted(reason, detail, address)

    def tick(self, now: float) -> None:
        self._targets.refresh(now)
        self._service.tick(now)
        for upstream in self._upstreams.values():
            upstream.tick(now)
        self.tick_accepting(now)

    def retire(self, count: int) -> None:
        """No-op: a flow cannot move to another worker."""

    def drain(self) -> None:
        self.state.draining = True
        self._accepting.close()

    def drop_all(self, reason: str) -> None:
        self._service.drop_all(reason)
        super().drop_all(reason)

    def samples(self) -> Iterator[Sample]:
        yield from super().samples()
        service, name = self._service, self.name
        flows = service.open_flows()
        yield Sample(
            "adc_flow_bytes_total", (name, "client"), service.bytes_in + sum(flow.bytes_in for flow in flows)
        )
        yield Sample(
            "adc_flow_bytes_total",
            (name, "member"),
            service.bytes_out + sum(flow.bytes_out for flow in flows),
        )
        for reason, count in service.ends.items():
            yield Sample("adc_flow_ends_total", (name, reason), count)
        for (pool, member, reason), count in service.errors.items():
            yield Sample("adc_upstream_errors_total", (pool, member, reason), count)


def _seconds(interval: float) -> int:
    """Return an interval for the kernel, which takes whole seconds; 0 for none."""
    return max(1, round(interval)) if interval else 0
