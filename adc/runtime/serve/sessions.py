"""The session table of a worker, and what the configuration says about the sessions of each listener."""

from __future__ import annotations

from adc.config import Config
from adc.config.model import listeners as model
from adc.config.model.sessions import SessionKeepAlive, Sessions
from adc.runtime.build.runtime import worker_count
from adc.sessions.session import Timeouts
from adc.sessions.table import SessionTable


class WorkerSessions:
    """This worker's part of the node's sessions. A listener asks for its settings whenever it is configured."""

    def __init__(self) -> None:
        self.table = SessionTable()
        self._timeouts: dict[str, Timeouts] = {}
        self._settings = Sessions.defaults()

    def follow(self, config: Config) -> None:
        """Follow a configuration from now on; listeners follow it after this."""
        self._settings = config.sessions
        self.table.size = max(1, config.sessions.size // worker_count(config))

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
