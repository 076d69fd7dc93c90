"""Slow start: a recovered member gets its full weight back in steps, so that cold caches are not overrun."""

from __future__ import annotations

from math import inf

from adc.pools.member import Member

STEPS = 20
FLOOR = 0.1
"""The least part of its weight that a recovering member has; with none it would never warm up."""


class SlowStart:
    """A linear ramp over `duration` seconds from `member.recovered_at` on, in STEPS steps."""

    __slots__ = ("_step",)

    def __init__(self, duration: float) -> None:
        self._step = duration / STEPS

    def share(self, member: Member, now: float) -> float:
        """Return the weight of `member` at `now`."""
        if member.recovered_at is None:
            return member.weight
        part = int((now - member.recovered_at) / self._step) / STEPS
        return member.weight if part >= 1 else member.weight * max(part, FLOOR)

    def next_step(self, member: Member, now: float) -> float:
        """Return the time of the next change of the share; infinity when the ramp is over."""
        if member.recovered_at is None:
            return inf
        steps = int((now - member.recovered_at) / self._step)
        return member.recovered_at + (steps + 1) * self._step if steps < STEPS else inf
