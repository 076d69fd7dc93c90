"""Windows of the week. No I/O but the time zone's file, read once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60


class TimeWindow:
    """The minutes from `first` up to `end`, counted from midnight, on `days` (0 is Monday).

    A window with `end` at or before `first` passes midnight and belongs to the day on which it begins.
    """

    def __init__(self, days: Collection[int], first: int, end: int, zone: str) -> None:
        self.days = frozenset(days)
        self.first = first
        self.end = end
        self.zone = ZoneInfo(zone)

    def holds(self, wall: float) -> bool:
        """True if `wall` (Unix seconds) is in the window."""
        local = datetime.fromtimestamp(wall, self.zone)
        minute = local.hour * 60 + local.minute
        if self.first < self.end:
            return self.first <= minute < self.end and local.weekday() in self.days
        if minute >= self.first:
            return local.weekday() in self.days
        return minute < self.end and (local.date() - timedelta(days=1)).weekday() in self.days
