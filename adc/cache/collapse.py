"""One fetch for simultaneous misses of one key, inside a worker.

The first request of a key leads, those that come while it is under way follow. When the leader's response
turns out to be one that nobody else may have, or fails, followers are let go a few at a time: each that
finishes lets two more go, so that an origin in trouble meets a slope and not a wall.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

W = TypeVar("W")

HIT_FOR_MISS_SECONDS = 10.0
"""Time for which requests of a key do not wait for each other after a response that could not be shared."""

_MOST_PASSES = 4096
_FIRST = 1
_STEP = 2


class Role(Enum):
    """The part of a request: fetch and let others wait, wait, or fetch for itself alone."""

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
    """No response, or one that says nothing of the next."""


@dataclass(slots=True)
class _Flight(Generic[W]):
    waiting: deque[W] = field(default_factory=deque)
    led: bool = True
    alone: int = 0


class Flights(Generic[W]):
    """Flights by key. `W` is whatever stands for a waiting request. At most `most` wait for one key."""

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._flights: dict[bytes, _Flight[W]] = {}
        self._passes: dict[int, float] = {}

    def __len__(self) -> int:
        """Keys under way."""
        return len(self._flights)

    def waiting(self, key: bytes) -> int:
        """Requests that wait for `key`."""
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
        """A follower has gone: its client left or its time was up."""
        flight = self._flights.get(key)
        if flight is not None and waiter in flight.waiting:
            flight.waiting.remove(waiter)
            self._settle(key, flight)

    def take(self, key: bytes, fits: Callable[[W], bool]) -> list[W]:
        """Followers for whom `fits` is true, taken out: the response under way answers them."""
        flight = self._flights.get(key)
        if flight is None:
            return []
        taken: list[W] = []
        rest: deque[W] = deque()
        for waiter in flight.waiting:
            (taken if fits(waiter) else rest).append(waiter)
        flight.waiting = rest
        return taken

    def finished(self, key: bytes, outcome: Outcome, now: float) -> list[tuple[W, Role]]:
        """The leader is done. Returns whom to wake and as what; FOLLOW means: look in the store again.

        After FAILED the first follower leads. After UNCACHEABLE those woken fetch ALONE and each calls
        `passed`.
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
        """A request let go alone is done (`finished` or `passed` had woken it): the next to wake."""
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
        until = self._passes.get(hash(key))
        if until is None:
            return False
        if now < until:
            return True
        del self._passes[hash(key)]
        return False

    def _pass(self, key: bytes, now: float) -> None:
        """Remember by hash: a long URL costs no more, and two keys of one hash only fetch apart."""
        self._passes.pop(hash(key), None)
        self._passes[hash(key)] = now + HIT_FOR_MISS_SECONDS
        if len(self._passes) > _MOST_PASSES:
            del self._passes[next(iter(self._passes))]
