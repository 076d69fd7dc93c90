"""Pools of the configuration as pools that serve, with a link to each member."""

from __future__ import annotations

import ssl
from random import Random

from adc.codecs.http1.link import HttpLink
from adc.codecs.http1.proxied_link import ProxiedLink
from adc.config.model import pools as model
from adc.config.model.address import Address
from adc.config.model.health import PassiveHealth
from adc.config.model.tls import MemberTls
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.dial import Dialer
from adc.pools.adaptive import AdaptiveLimit
from adc.pools.balancers.registry import make_balancer
from adc.pools.balancers.round_robin import Turns
from adc.pools.limits import Limits
from adc.pools.member import Member
from adc.pools.outlier import Outlier
from adc.pools.pool import Pool
from adc.runtime.errors import BuildError


def build_pool(
    name: str, pool: model.Pool, rng: Random, workers: int = 1, turns: Turns | None = None
) -> Pool:
    """A pool without links yet; each of `workers` processes takes its part of the pool's limits and its `turns`.

    Raises BuildError.
    """
    members = [
        Member(name, member.address.text, name=member.name or "", weight=member.weight, backup=member.backup)
        for member in pool.members
    ]
    options = pool.balance.model_dump(exclude={"algorithm"})
    algorithm = pool.balance.algorithm
    if "bounded_load" in options:
        former = options.pop("bound")
        options["load"] = options.pop("bounded_load") or former
    try:
        balancer = make_balancer(algorithm, options, rng, turns)
    except ValueError as error:
        raise BuildError(f"pools.{name}.balance: {error}") from None
    return Pool(
        name,
        members,
        balancer,
        limits=_limits(pool, workers),
        slow_start=pool.slow_start,
        outlier=_outlier(pool.health.passive),
        panic=pool.panic,
        adaptive=_adaptive(pool.adaptive, workers),
    )


def _outlier(passive: PassiveHealth | None) -> Outlier | None:
    if passive is None:
        return None
    statuses = (range(low, high + 1) for low, high in passive.statuses)
    return Outlier(
        failures=passive.failures,
        window=passive.window,
        eject=passive.eject,
        max_ejected=passive.max_ejected,
        statuses=frozenset(status for each in statuses for status in each),
    )


def _limits(pool: model.Pool, workers: int) -> Limits:
    limits, breaker = pool.limits, pool.breaker
    return Limits(
        connections_per_member=_part(limits.connections_per_member, workers),
        requests=_part(breaker.requests, workers),
        pending=_part(breaker.pending, workers),
        connections=_part(breaker.connections, workers),
        queue=_part(limits.queue, workers) if limits.connections_per_member else 0,
        queue_timeout=limits.queue_timeout,
        newest_first=limits.queue_order == "newest",
    )


def _adaptive(adaptive: model.Adaptive | None, workers: int) -> AdaptiveLimit | None:
    if adaptive is None:
        return None
    return AdaptiveLimit(
        initial=_part(adaptive.initial, workers),
        least=_part(adaptive.min, workers),
        most=_part(adaptive.max, workers),
        tolerance=adaptive.tolerance,
    )


def _part(limit: int, workers: int) -> int:
    """One worker's part of a limit: together they stay within it, except that each may take one."""
    return limit and max(1, limit // workers)


class Links:
    """Gives each member of a pool its link, and keeps the settings of links that are carried over current."""

    def __init__(self, batch: Batch, clock: Clock) -> None:
        self._batch = batch
        self._clock = clock
        self._dialers: dict[Member, Dialer] = {}
        self._spoken: dict[Member, tuple[MemberTls | None, str | None]] = {}

    def attach(self, pool: Pool, settings: model.Pool, tls: ssl.SSLContext | None = None) -> None:
        """Give every member a link if it has none or is to be spoken to in another way (TLS, PROXY protocol) from now
        on; bring the others' settings up to date.
        """
        addresses = {member.address.text: member.address for member in settings.members}
        keep_alive = settings.keep_alive
        spoken = (settings.tls, settings.proxy_protocol)
        for member in pool.members:
            if member.link is None or self._spoken.get(member) != spoken:
                self._spoken[member] = spoken
                self._attach(member, addresses[member.address], settings)
            self._dialers[member].secure(tls, settings.tls.sni if settings.tls is not None else None)
            member.link.idle_timeout = keep_alive.idle
            member.link.max_idle = keep_alive.max_idle if keep_alive.idle else 0

    def _attach(self, member: Member, address: Address, settings: model.Pool) -> None:
        interval = settings.dns.interval
        dialer = Dialer(self._batch.loop, address.host, address.port, address.path, interval=interval)
        link: HttpLink
        if settings.proxy_protocol is None:
            link = HttpLink(self._batch, self._clock, dialer)
        else:
            link = ProxiedLink(self._batch, self._clock, dialer)
            link.announce(dialer, settings.proxy_protocol)
        dialer.moved = link.close_idle
        if member.link is not None:
            member.link.retire()
            link.predecessor = member.link
        member.link = link
        self._dialers[member] = dialer

    def retire(self, member: Member) -> None:
        """A member is gone from the configuration."""
        member.link.retire()
        self._dialers.pop(member, None)
        self._spoken.pop(member, None)

    @property
    def idle(self) -> int:
        """Return the number of idle connections."""
        return sum(member.link.idle for member in self._dialers)

    def close_idle(self) -> None:
        """Close those."""
        for member in self._dialers:
            member.link.close_idle()

    def tick(self, now: float) -> None:
        """Reap idle connections and look names up again."""
        for member, dialer in self._dialers.items():
            member.link.reap(now)
            dialer.refresh(now)
