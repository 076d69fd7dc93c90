"""Pools of the configuration as pools that serve, with a link to each member."""

from __future__ import annotations

from random import Random

from adc.config.model import pools as model
from adc.config.model.health import Health
from adc.pools.adaptive import AdaptiveLimit
from adc.pools.balancers.registry import make_balancer
from adc.pools.balancers.turns import Turns
from adc.pools.limits import Limits
from adc.pools.member import Member
from adc.pools.outlier import Outlier
from adc.pools.pool import Pool
from adc.pools.shared_load import SharedLoads
from adc.runtime.errors import BuildError

_BY_LOAD = ("least_connections", "power_of_two")
"""Algorithms that compare the members' attempts in flight, which workers share for them."""


def build_pool(
    name: str,
    pool: model.Pool,
    rng: Random,
    workers: int = 1,
    turns: Turns | None = None,
    loads: SharedLoads | None = None,
) -> Pool:
    """Return a pool without links yet; each of `workers` processes has its part of the pool's limits, and all share
    `turns` and `loads`.

    Raises BuildError.
    """
    members = [
        Member(name, member.address.text, name=member.name or "", weight=member.weight, backup=member.backup)
        for member in pool.members
    ]
    options = dict(pool.balance)
    algorithm = options.pop("algorithm")
    if loads is not None and algorithm in _BY_LOAD:
        shared = loads.of(name, [member.address for member in members], workers)
        for member in members:
            member.shared = shared.get(member.address)
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
        outlier=_outlier(pool.health),
        panic=pool.panic,
        adaptive=_adaptive(pool.adaptive, workers),
    )


_UNREACHABLE = 10.0
"""Seconds that a member which cannot be connected to is out, without active checks: as long as in nginx."""


def _outlier(health: Health) -> Outlier | None:
    passive, active = health.passive, health.active
    if passive is None:
        return None
    if active is not None:
        unreachable: float | None = active.rise * active.interval
    else:
        unreachable = None if "eject" in passive.model_fields_set else _UNREACHABLE
    statuses = (range(low, high + 1) for low, high in passive.statuses)
    return Outlier(
        failures=passive.failures,
        window=passive.window,
        eject=passive.eject,
        max_ejected=passive.max_ejected,
        statuses=frozenset(status for each in statuses for status in each),
        unreachable=None if unreachable is None else min(passive.eject, unreachable),
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
    """Return one worker's part of a limit: together they stay within it, but each has at least one."""
    return limit and max(1, limit // workers)
