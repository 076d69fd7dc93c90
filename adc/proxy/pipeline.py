"""A compiled route: its action and only the stages that its policies need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from adc.http.message import Response
from adc.http.upgrade import WEBSOCKET
from adc.proxy.body_filter import BodyFilter
from adc.proxy.replies import Replies
from adc.proxy.timeouts import Timeouts
from adc.routing.settle import OFF, PathPolicy
from adc.telemetry.histogram import Histogram

X = TypeVar("X")
"""The kind of request that an action carries out: an exchange, or any request to a member."""

Action = Callable[[X], None]
"""Carries out a request, from its head to a response, now or later."""

ResponseStage = Callable[[X, Response], BodyFilter | None]
"""Reads or changes the response head, and may return a filter for the content."""


class Tally:
    """The number of responses of one listener and status."""

    __slots__ = ("count", "listener", "status")

    def __init__(self, listener: str, status: int) -> None:
        self.listener = listener
        self.status = status
        self.count = 0


class RouteCounters:
    """Counters of a route. Plain integers; carried over by name when a reload builds the route again."""

    __slots__ = ("_last", "bytes_in", "bytes_out", "durations", "mirrored", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[tuple[str, int], Tally] = {}
        self._last = Tally("", 0)
        self.durations = Histogram()
        self.mirrored: dict[str, int] = {}
        self.bytes_in = 0
        self.bytes_out = 0

    def responded(self, listener: str, status: int) -> None:
        """Count a response; most have the same listener and status as the one before."""
        tally = self._last
        if tally.status != status or tally.listener is not listener:
            tally = self._last = self.statuses.setdefault((listener, status), Tally(listener, status))
        tally.count += 1


class Pipeline(Generic[X]):
    """One route, compiled. `start` is its first stage; a phase that nothing uses is not in it. `upgrades` are the
    protocols, in lower case, that clients may offer to its members, `replies` its own error pages, if it has any."""

    __slots__ = (
        "body_limit",
        "counters",
        "name",
        "paths",
        "replies",
        "response_stages",
        "start",
        "timeouts",
        "upgrades",
    )

    def __init__(
        self,
        name: str,
        start: Action[X],
        *,
        timeouts: Timeouts,
        response_stages: tuple[ResponseStage[X], ...] = (),
        body_limit: int | None = None,
        counters: RouteCounters | None = None,
        upgrades: frozenset[bytes] = WEBSOCKET,
        paths: PathPolicy | None = None,
        replies: Replies | None = None,
    ) -> None:
        self.name = name
        self.paths = paths or PathPolicy(name, OFF, False)
        self.replies = replies
        self.start = start
        self.timeouts = timeouts
        self.response_stages = response_stages
        self.body_limit = body_limit
        self.counters = counters or RouteCounters()
        self.upgrades = upgrades
