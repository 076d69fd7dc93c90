"""The timeouts of a route."""

from __future__ import annotations

from math import inf
from typing import Final


class Timeouts:
    """Seconds; `inf` is no limit."""

    __slots__ = ("connect", "idle", "response_head", "total", "tunnel")

    def __init__(
        self,
        connect: float = 5.0,
        response_head: float = 60.0,
        idle: float = 60.0,
        total: float = inf,
        tunnel: float = 3600.0,
    ) -> None:
        self.connect = connect or inf
        self.response_head = response_head or inf
        self.idle = idle or inf
        self.total = total or inf
        self.tunnel = tunnel or inf


NO_TIMEOUTS: Final = Timeouts(inf, inf, inf, inf, inf)
"""The timeouts of a request that no route has matched."""
