"""The session table of a worker, and what the configuration says about the sessions of each listener."""

from __future__ import annotations

import time
from collections.abc import Iterator

from adc.config import Config
from adc.config.model import listeners as model
from adc.config.model.sessions import SessionKeepAlive, Sessions
from adc.runtime.assembly.runtime import worker_count
from adc.sessions.ended import EndedSessions
from adc.sessions.session import STATES, Session, Timeouts
from adc.sessions.session_log import SessionLog
from adc.sessions.shared_total import SharedTotal
from adc.sessions.table import SessionTable
from adc.telemetry.samples import Sample


class WorkerSessions:
    """This worker's part of the node's sessions. A listener asks for its settings whenever it is configured."""

    def __init__(self, total: SharedTotal | None = None) -> None:
        self.table = SessionTable(total=total)
        self.ended = EndedSessions()
        self.table.ended = self.ended.add
        self.http = False
        self._log: SessionLog | None = None
        self._timeouts: dict[str, Timeouts] = {}
        self._settings = Sessions.defaults()

    def follow(self, config: Config, log: SessionLog | None = None) -> None:
        """Follow a configuration from now on, and write ended sessions to `log`; listeners follow it after this."""
        self._settings = config.sessions
        self._log = log
        self.table.ended = self.ended.add if log is None else self._log_ended
        self.http = config.sessions.http
        names = {listener.name for listener in config.listeners}
        self.table.forget_listeners(names)
        kept = names | {ring.listener for ring in self.table.rings()}
        self._timeouts = {name: each for name, each in self._timeouts.items() if name in kept}
        self.table.resize(config.sessions.size, worker_count(config))

    def timeouts(self, listener: model.Listener) -> Timeouts:
        """Return the idle times of a listener's sessions: one object that changes with the configuration."""
        common = self._settings.timeouts
        own = None if listener.sessions is None else listener.sessions.timeouts
        tcp = common.tcp if own is None or own.tcp is None else own.tcp
        half_closed = (
            common.tcp_half_closed if own is None or own.tcp_half_closed is None else own.tcp_half_closed
        )
        udp = common.udp if own is None or own.udp is None else own.udp
        stream = common.udp_stream if own is None or own.udp_stream is None else own.udp_stream
        new, established, closing = (
            (udp, stream, udp) if listener.protocol == "udp" else (tcp, tcp, half_closed)
        )
        known = self._timeouts.setdefault(listener.name, Timeouts(new, established, closing))
        known.new, known.established, known.half_closed = new, established, closing
        return known

    def expiry(self, listener: model.Listener) -> str:
        """Return what both ends are told of an expired session: reset, close or silent."""
        own = listener.sessions
        return self._settings.on_expiry if own is None or own.on_expiry is None else own.on_expiry

    def keep_alive(self, listener: model.Listener) -> SessionKeepAlive:
        """Return the intervals of keep-alive probes."""
        own = listener.sessions
        return self._settings.keep_alive if own is None or own.keep_alive is None else own.keep_alive

    def samples(self) -> Iterator[Sample]:
        """Yield the metrics of this worker's table."""
        yield Sample("adc_sessions_limit", (), self.table.part)
        opened: dict[tuple[str, str], int] = {}
        for (protocol, listener, reason), count in self.ended.counts.items():
            yield Sample("adc_sessions_ended_total", (protocol, listener, reason), count)
            opened[protocol, listener] = opened.get((protocol, listener), 0) + count
        for ring in self.table.rings():
            key = (ring.protocol, ring.listener)
            yield Sample("adc_sessions", (*key, STATES[ring.state]), ring.count)
            opened[key] = opened.get(key, 0) + ring.count
        for key, count in opened.items():
            yield Sample("adc_sessions_opened_total", key, count)

    def _log_ended(self, session: Session, reason: str, now: float) -> None:
        ended = self.ended.add(session, reason, now)
        if self._log is not None:
            self._log.write(ended, time.time())
