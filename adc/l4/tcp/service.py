"""What all TCP flows of one listener share; a reload changes it in place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING, Final, cast

from adc.l4.tcp.deadlines import Deadlines
from adc.l4.tcp.routes import TlsRoutes
from adc.l4.tcp.upstream import Upstream
from adc.net.clock import Clock
from adc.net.listener_state import ListenerState
from adc.net.reactor import Reactor
from adc.sessions.session import NEW, Timeouts
from adc.sessions.table import SessionTable

if TYPE_CHECKING:
    from adc.l4.tcp.flow import TcpFlow
    from adc.l4.tcp.pipes import PipePool

READ: Final = 32 << 10
"""Bytes that one call reads while they are copied."""

SPLICE_AFTER: Final = 128 << 10
"""Bytes in one direction after which they are spliced: before, two more system calls and a pipe do not pay."""

Report = Callable[[str, str, str], None]
"""Counts and logs a refused flow: reason, detail, the client's address."""


class TcpService:
    """The settings and counters of one listener's flows.

    `upstream` serves the flows that `routes` does not send elsewhere; None refuses them. Times are in seconds, `inf`
    for no limit; `flow_bytes` limits the bytes of a flow in both directions together. `expiry` is `reset`, `close` or
    `silent`. `follow_port`: members are connected to at the port that the client connected to.
    A direction is copied in reads of `read_bytes`, and spliced after `splice_after` bytes. `names_both`: members get
    both addresses of a connection in a PROXY protocol header.
    `abort_on_close`: a client that closes its half before a member accepted the flow is gone.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        reactor: Reactor,
        table: SessionTable,
        state: ListenerState,
        timeouts: Timeouts,
        report: Report,
        pipes: PipePool,
    ) -> None:
        self.name = name
        self.clock = clock
        self.reactor = reactor
        self.table = table
        self.state = state
        self.timeouts = timeouts
        self.report = report
        self.pipes = pipes
        self.upstream: Upstream | None = None
        self.routes: TlsRoutes[Upstream] | None = None
        self.connect_timeout: float = 5.0
        self.attempts: int = 3
        self.hello_timeout: float = 10.0
        self.hello_bytes: int = 16 << 10
        self.flow_bytes: float = inf
        self.flow_seconds: float = inf
        self.follow_port = False
        self.abort_on_close = False
        self.expiry = "reset"
        self.keep_alive_client: int = 0
        self.keep_alive_member: int = 0
        self.read_bytes: int = READ
        self.splice_after: int = SPLICE_AFTER
        self.names_both = False

        self.connecting: Deadlines[TcpFlow] = Deadlines()
        """Flows whose ClientHello or connection is incomplete."""
        self.begun: list[TcpFlow] = []
        """Flows that entered `connecting` since the last tick."""
        self.by_age: dict[TcpFlow, None] = {}
        """Open flows, oldest first; empty without a limit of their age."""
        self.bytes_in: int = 0
        self.bytes_out: int = 0
        self.flows: int = 0
        self.ends: dict[str, int] = {}
        self.errors: dict[tuple[str, str, str], int] = {}

    def tick(self, now: float) -> None:
        """End attempts and ClientHellos that take too long, and flows older than allowed."""
        for flow in self.connecting.due(now):
            flow.too_late(now)
        begun, self.begun = self.begun, []
        for flow in begun:  # most connections stand before the first tick, and cost nothing
            if flow.state == NEW and not flow.over:
                flow.watch_client()
        oldest = now - self.flow_seconds
        for flow in list(takewhile(lambda flow: flow.created <= oldest, self.by_age)):
            flow.end("time_limit")

    def limit_age(self, seconds: float) -> None:
        """Limit the age of flows, also of open ones; `inf` for no limit."""
        if seconds == inf:
            self.by_age = {}
        elif self.flow_seconds == inf:
            self.by_age = dict.fromkeys(sorted(self.open_flows(), key=lambda flow: flow.created))
        self.flow_seconds = seconds

    def open_flows(self) -> list[TcpFlow]:
        """Return all open flows."""
        return cast("list[TcpFlow]", list(self.state.connections))

    def failed(self, pool: str, member: str, reason: str) -> None:
        """Count a failed attempt at a member."""
        key = (pool, member, reason)
        self.errors[key] = self.errors.get(key, 0) + 1

    def drop_all(self, reason: str) -> None:
        """End all flows at once."""
        for flow in self.open_flows():
            flow.end(reason)
