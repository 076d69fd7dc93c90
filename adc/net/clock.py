"""The worker's coarse clock: one tick serves every time limit."""

from __future__ import annotations

import time

from adc.http.dates import http_date

TICK = 0.1
"""Seconds between ticks: how coarse time limits are."""


class Clock:
    """`now` is monotonic seconds as of the last tick, `wall` the epoch seconds; `date_line` a ready Date field."""

    __slots__ = ("_second", "date_line", "now", "wall")

    def __init__(self) -> None:
        self._second = 0
        self.tick()

    def tick(self) -> None:
        """Look at the real clocks."""
        self.now = time.monotonic()
        self.wall = time.time()
        if int(self.wall) != self._second:
            self._second = int(self.wall)
            self.date_line = b"Date: " + http_date(self._second) + b"\r\n"
