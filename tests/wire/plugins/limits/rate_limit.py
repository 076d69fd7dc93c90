"""Rate limits: a client gets 429 after `most` requests in a window that begins with its first one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from adc.plugin import Context, Count, Duration, Host, Plugin, Response, StateUnavailable


@dataclass(frozen=True)
class RateLimitOptions:
    """`clients`: the number of clients that are counted at a time."""

    most: int
    window: Duration = 60.0
    clients: int = 10_000


class RateLimit(Plugin[RateLimitOptions]):
    """Exact among the workers of this machine."""

    name = "rate_limit"

    async def start(self, host: Host) -> None:
        self._host = host
        self._hits = host.table("hits", self.options.clients)
        self._limited = host.counter("limited", "Requests over the limit.")

    def request_head(self, context: Context) -> Response | None:
        return self._verdict(self._hits.add(context.client.encode(), 1, self.options.window))

    def _verdict(self, count: Count) -> Response | None:
        if count.total <= self.options.most:
            return None
        self._limited.add()
        wait = max(1, math.ceil(count.expires - self._host.wall()))
        return Response(429, {"Retry-After": str(wait)}, "Too many requests.\n")


class ClusterRateLimit(RateLimit):
    """Exact among all machines; while Redis is away, among the workers of each machine."""

    name = "cluster_rate_limit"

    async def start(self, host: Host) -> None:
        await super().start(host)
        self._shared = host.table("shared_hits", self.options.clients, "cluster")

    async def request_head(self, context: Context) -> Response | None:  # type: ignore[override]
        key = context.client.encode()
        try:
            return self._verdict(await self._shared.add_exactly(key, 1, self.options.window))
        except StateUnavailable:
            return self._verdict(self._hits.add(key, 1, self.options.window))
