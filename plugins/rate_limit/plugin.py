"""Limits the rate of requests, over all workers and nodes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

from adc_plugins.rate_limit.fields import Fields, lines
from adc_plugins.rate_limit.keys import key_of, source_of
from adc_plugins.rate_limit.meter import Meter
from adc_plugins.rate_limit.options import Limit, RateLimitOptions

from adc.plugin import (
    Admission,
    Context,
    Grant,
    Host,
    Lease,
    NoClusterState,
    Plugin,
    Response,
    StateUnavailable,
    Table,
)

_AWAY_SECONDS = 0.5
"""Seconds for which Redis is not asked again after it did not answer."""

Verdict = Response | None
Counted = list[tuple[Fields, Lease]]


class _Rule:
    """One limit with its tables: `shared` is None if the workers of this node are the only sharers."""

    def __init__(self, limit: Limit, number: int, options: RateLimitOptions, host: Host) -> None:
        self.name = limit.name
        self.meter = Meter(limit.allowance())
        self.fields = Fields(limit.name, limit.allowance(), options.headers)
        source = source_of(options.source_prefix4, options.source_prefix6)
        self.key = key_of(limit.key, source, options.missing, host.route)
        self.by_source = limit.key == ("source",)
        """The key is the network of the client: one whose address is that of its network needs no look at it."""
        self.leases = self.meter.leases
        self.delays = limit.delay > 0
        self.local: Table = host.table(f"limit_{number}", options.keys)
        self.shared: Table | None = None
        if options.scope == "cluster" or (options.scope == "auto" and host.shares_rates):
            try:
                self.shared = host.table(f"shared_{number}", options.keys, "cluster")
            except NoClusterState:
                if options.scope == "cluster":
                    raise

    def admission(self, cost: int, host: Host) -> Admission | None:
        """Return what decides by the units that this worker has; None if that takes more than the client's address."""
        if not self.by_source or self.fields.legacy:
            return None
        fields = self.fields
        prefix = fields.prefix if fields.draft else b""
        return Admission(self.leases, host.now, cost, prefix, fields.policy_line)


class RateLimit(Plugin[RateLimitOptions]):
    """Refuses requests over a rate with 429, counted over all workers and nodes.

    Each worker takes portions from a table that all share, and decides on most requests from what it has taken.
    """

    def __init__(self, options: RateLimitOptions) -> None:
        super().__init__(options)
        self._exempt = options.exempt if options.exempt else None
        self._costs = options.costs or None
        self._cost = options.cost
        self._away_until = 0.0

    async def start(self, host: Host) -> None:
        self._host = host
        self._now = host.now
        self._limited = host.keyed_counter("limited", "Requests over a limit, by its name.", most=100)
        self._delayed = host.counter("delayed", "Requests that waited.")
        self._unavailable = host.counter("store_failures", "Takes that Redis did not confirm.")
        limits = enumerate(self.options.all_limits())
        self._rules = tuple(_Rule(limit, number, self.options, host) for number, limit in limits)
        self._only = self._rules[0] if len(self._rules) == 1 else None
        if self._only is not None and self._exempt is None and self._costs is None:
            self.admission = self._only.admission(self._cost, host)

    def request_head(self, context: Context) -> Verdict | Coroutine[Any, Any, Verdict]:
        """Count the request, and refuse it if it is over a limit."""
        request = context.request
        if self._exempt is not None and self._exempt.contains(request.source):
            return None
        cost = self._cost if self._costs is None else self._costs.get(request.method, self._cost)
        only = self._only
        if only is not None:
            leases = only.leases
            lease = leases.get(request.source) if only.by_source else None
            if lease is None:
                key = only.key(request)
                if key is None:
                    return None
                lease = leases.get(key)
            now = self._now()
            if lease is not None and lease.units >= cost and lease.expires > now:
                lease.units -= cost
                fields = only.fields
                if fields.alone:
                    context.response_lines = ((b"RateLimit", fields.item(lease, now)), fields.policy_line)
                elif fields.legacy:
                    context.response_lines = lines(((fields, lease),), now)
                return None
        return self._count(context, cost) if cost else None

    def _count(self, context: Context, cost: int) -> Verdict | Coroutine[Any, Any, Verdict]:
        """Count in each limit; give back what was counted if one refuses."""
        counted: Counted = []
        for number, rule in enumerate(self._rules):
            key = rule.key(context.request)
            if key is None:
                continue
            now = self._now()
            lease = rule.meter.lease(key)
            spent = rule.meter.spend(lease, cost, now)
            if spent is None:
                if rule.delays or (rule.shared is not None and now >= self._away_until):
                    return self._count_later(context, cost, counted, number)
                spent = self._take_here(rule, lease, key, cost)
            if not spent:
                return self._refuse(context, rule, lease, counted, cost)
            counted.append((rule.fields, lease))
        self._tell(context, counted)
        return None

    def _take_here(self, rule: _Rule, lease: Lease, key: str, cost: int) -> bool:
        """Take from the table of this node, and spend."""
        if rule.shared is not None and self.options.on_store_failure != "local":
            return self.options.on_store_failure == "admit"
        meter = rule.meter
        grant = rule.local.take(_stored(key), meter.allowance, cost, meter.want(lease, cost))
        meter.settle(lease, grant, cost, self._now())
        return bool(meter.spend(lease, cost, self._now()))

    async def _count_later(self, context: Context, cost: int, counted: Counted, first: int) -> Verdict:
        """Count in the limits from `first` on, with takes that have to be awaited."""
        delay = 0.0
        for rule in self._rules[first:]:
            key = rule.key(context.request)
            if key is None:
                continue
            lease = rule.meter.lease(key)
            if rule.delays:
                grant = await self._taken(rule, lease, key, cost)
                spent, delay = bool(grant and grant.granted), max(delay, grant.wait if grant else 0.0)
            else:
                spent = await self._spent(rule, lease, key, cost)
            if not spent:
                return self._refuse(context, rule, lease, counted, cost)
            counted.append((rule.fields, lease))
        if delay:
            self._delayed.add()
            await self._host.sleep(delay)
        self._tell(context, counted)
        return None

    def _tell(self, context: Context, counted: Counted) -> None:
        """Have the response tell the client what is left."""
        if counted:
            context.response_lines = lines(counted, self._now())

    async def _spent(self, rule: _Rule, lease: Lease, key: str, cost: int) -> bool:
        """Spend, after takes as long as they grant something; one take at a time for each key."""
        while (spent := rule.meter.spend(lease, cost, self._now())) is None:
            lease.waiting += 1
            try:
                if lease.taking is not None:
                    await asyncio.shield(lease.taking)
                    continue
                taking = lease.taking = asyncio.get_running_loop().create_future()
                try:
                    grant = await self._taken(rule, lease, key, cost)
                finally:
                    lease.taking = None
                    taking.set_result(None)
                if grant is None:
                    return self.options.on_store_failure == "admit"
            finally:
                lease.waiting -= 1
        return spent

    async def _taken(self, rule: _Rule, lease: Lease, key: str, cost: int) -> Grant | None:
        """Take from the table that all share, or while it is away from that of this node; None if neither may be."""
        meter, stored = rule.meter, _stored(key)
        want = cost if rule.delays else meter.want(lease, cost)
        grant: Grant | None = None
        if rule.shared is not None and self._now() >= self._away_until:
            try:
                grant = await rule.shared.take_exactly(stored, meter.allowance, cost, want)
            except StateUnavailable:
                self._away_until = self._now() + _AWAY_SECONDS
                self._unavailable.add()
        if grant is None:
            if rule.shared is not None and self.options.on_store_failure != "local":
                return None
            grant = rule.local.take(stored, meter.allowance, cost, want)
        meter.settle(lease, grant, cost, self._now())
        if rule.delays:
            lease.units = 0
        return grant

    def _refuse(self, context: Context, rule: _Rule, lease: Lease, counted: Counted, cost: int) -> Verdict:
        for _, other in counted:
            other.units += cost
        self._limited.add(rule.name)
        if self.options.dry_run:
            context.warn("the request would be limited", limit=rule.name, client=context.client)
            return None
        now = self._now()
        wait = max(1, math.ceil(lease.refused_until - now))
        told = lines([(rule.fields, lease)], now)
        fields = {"Retry-After": str(wait)} | {name.decode(): value.decode() for name, value in told}
        if now < self._away_until and self.options.on_store_failure == "reject":
            return Response(503, {"Retry-After": "1"}, error_page=True, reason="rate_limited")
        return Response(self.options.status, fields, error_page=True, reason="rate_limited")


def _stored(key: str) -> bytes:
    """Return the key of a table: never empty."""
    return b"=" + key.encode("utf-8", "surrogatepass")
