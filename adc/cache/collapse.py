"""Request collapsing inside a worker: one fetch for simultaneous misses of one key.

The first request of a key leads; requests that arrive during its fetch follow. When the leader's response cannot be
shared, or the fetch fails, followers are released a few at a time: each that finishes releases two more, so that an
origin in trouble sees a ramp instead of a burst.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from cachetools import TTLCache

W = TypeVar("W")

HIT_FOR_MISS_SECONDS = 10.0
"""Time for which requests of a key do not wait for each other after a response that could not be shared."""

_MOST_PASSES = 4096
_FIRST = 1
_STEP = 2


class Role(Enum):
    """The role of a request: fetch for others too, wait, or fetch alone."""

    LEAD = "lead"
    FOLLOW = "follow"
    ALONE = "alone"


class Outcome(Enum):
    """The outcome of a leader's fetch."""

    FILLED = "filled"
    """Stored, or being stored: every follower looks again."""
    UNCACHEABLE = "uncacheable"
    """A response that only its own client may have."""
    FAILED = "failed"
    """No response, or one that says nothing about the next one."""


@dataclass(slots=True)
class _Flight(Generic[W]):
    waiting: deque[W] = field(default_factory=deque)
    led: bool = True
    alone: int = 0


class Flights(Generic[W]):
    """Flights by key. `W` is the type of a waiting request. At most `most` requests wait for one key."""

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._flights: dict[bytes, _Flight[W]] = {}
        self._now = 0.0
        self._passes: TTLCache[int, bool] = TTLCache(
            _MOST_PASSES, HIT_FOR_MISS_SECONDS, timer=lambda: self._now
        )

    def __len__(self) -> int:
        """Keys under way."""
        return len(self._flights)

    def waiting(self, key: bytes) -> int:
        """Return the number of requests that wait for `key`."""
        flight = self._flights.get(key)
        return 0 if flight is None else len(flight.waiting)

    def join(self, key: bytes, waiter: W, now: float) -> Role:
        """Take a part in fetching `key`. Only FOLLOW keeps `waiter`. `now` is monotonic seconds."""
        if self._passing(key, now):
            return Role.ALONE
        flight = self._flights.get(key)
        if flight is None:
            self._flights[key] = _Flight()
            return Role.LEAD
        if len(flight.waiting) >= self.most:
            return Role.ALONE
        flight.waiting.append(waiter)
        return Role.FOLLOW

    def leave(self, key: bytes, waiter: W) -> None:
        """Remove a follower whose client left or whose time is up."""
        flight = self._flights.get(key)
        if flight is not None and waiter in flight.waiting:
            flight.waiting.remove(waiter)
            self._settle(key, flight)

    def take(self, key: bytes, fits: Callable[[W], bool]) -> list[W]:
        """Remove and return the followers for which `fits` is true: the response in progress answers them."""
        flight = self._flights.get(key)
        if flight is None:
            return []
        served: list[W] = []
        rest: deque[W] = deque()
        for waiter in flight.waiting:
            (served if fits(waiter) else rest).append(waiter)
        flight.waiting = rest
        return served

    def finished(self, key: bytes, outcome: Outcome, now: float) -> list[tuple[W, Role]]:
        """End the leader's flight. Return the followers to wake, each with its role; FOLLOW means: look in the store
        again.

        After FAILED the first follower leads. After UNCACHEABLE the followers fetch ALONE, and each calls `passed`.
        """
        flight = self._flights.get(key)
        if flight is None or not flight.led:
            return []
        if outcome is Outcome.FILLED:
            del self._flights[key]
            return [(waiter, Role.FOLLOW) for waiter in flight.waiting]
        if outcome is Outcome.FAILED and flight.waiting:
            return [(flight.waiting.popleft(), Role.LEAD)]
        flight.led = False
        if outcome is Outcome.UNCACHEABLE:
            self._pass(key, now)
        return self._release(key, flight, _FIRST)

    def passed(self, key: bytes) -> list[tuple[W, Role]]:
        """End a request that was released alone (`finished` or `passed` woke it). Return the next ones to wake."""
        flight = self._flights.get(key)
        if flight is None or not flight.alone:
            return []
        flight.alone -= 1
        return self._release(key, flight, _STEP)

    def _release(self, key: bytes, flight: _Flight[W], most: int) -> list[tuple[W, Role]]:
        count = min(most, len(flight.waiting))
        flight.alone += count
        woken = [(flight.waiting.popleft(), Role.ALONE) for _ in range(count)]
        self._settle(key, flight)
        return woken

    def _settle(self, key: bytes, flight: _Flight[W]) -> None:
        if not flight.led and not flight.waiting:
            self._flights.pop(key, None)

    def _passing(self, key: bytes, now: float) -> bool:
        self._now = now
        return hash(key) in self._passes

    def _pass(self, key: bytes, now: float) -> None:
        """Remember by hash: a long URL costs no more, and two keys of one hash only fetch apart."""
        self._now = now
        self._passes[hash(key)] = True
