"""Dropped datagrams: those that the kernel dropped, and log lines, one for each reason and interval."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Final

from adc.l4.udp.kernel_drops import KernelDrops
from adc.telemetry.error_log import ErrorLog

INTERVAL: Final = 10.0
"""Seconds between two log lines of a listener about one reason."""


class DropReport:
    """Follows `drops`, the datagrams that `listener` has dropped, by reason."""

    def __init__(self, listener: str, drops: dict[str, int]) -> None:
        self._listener = listener
        self._drops = drops
        self._kernel = KernelDrops()
        self._reported: dict[str, int] = {}
        self._due = 0.0

    def tick(self, sockets: Iterable[socket.socket], error_log: ErrorLog, now: float) -> None:
        """Add what the kernel dropped at `sockets`, and log what is new if a line is due at `now`."""
        lost = self._kernel.since_last(sockets)
        if lost:
            self._drops["buffer_full"] = self._drops.get("buffer_full", 0) + lost
        if now >= self._due:
            self._due = now + INTERVAL
            self._log(error_log)

    def _log(self, error_log: ErrorLog) -> None:
        for reason, count in self._drops.items():
            dropped = count - self._reported.get(reason, 0)
            if dropped:
                self._reported[reason] = count
                error_log.warn("datagrams_dropped", listener=self._listener, reason=reason, datagrams=dropped)
