"""A route as it runs: its action and only those stages that its policies ask for."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from adc.http.message import Response
from adc.http.upgrade import WEBSOCKET
from adc.proxy.body_filter import BodyFilter
from adc.routing.settle import OFF, PathPolicy
from adc.telemetry.histogram import Histogram

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange

Action = Callable[["Exchange"], None]
"""Takes an exchange from its request to a response, now or later."""

ResponseStage = Callable[["Exchange", Response], BodyFilter | None]
"""Sees (and may change) the response head, and may leave a filter for the body."""


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


class RouteCounters:
    """Counters of a route. Plain integers; carried over by name when a reload builds the route anew."""

    __slots__ = ("bytes_in", "bytes_out", "durations", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[tuple[str, int], int] = {}
        self.durations = Histogram()
        self.bytes_in = 0
        self.bytes_out = 0


class Pipeline:
    """One route, compiled. `start` is its first stage; a phase that nothing uses is not in it. `upgrades` are the
    protocols, in lower case, that clients may offer to its members."""

    __slots__ = (
        "body_limit",
        "counters",
        "name",
        "paths",
        "response_stages",
        "start",
        "timeouts",
        "upgrades",
    )

    def __init__(
        self,
        name: str,
        start: Action,
        *,
        timeouts: Timeouts,
        response_stages: tuple[ResponseStage, ...] = (),
        body_limit: int | None = None,
        counters: RouteCounters | None = None,
        upgrades: frozenset[bytes] = WEBSOCKET,
        paths: PathPolicy | None = None,
    ) -> None:
        self.name = name
        self.paths = paths or PathPolicy(name, OFF, False)
        self.start = start
        self.timeouts = timeouts
        self.response_stages = response_stages
        self.body_limit = body_limit
        self.counters = counters or RouteCounters()
        self.upgrades = upgrades
