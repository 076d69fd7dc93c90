"""Balancers by the names that the configuration uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from adc.pools.balancers.base import Balancer
from adc.pools.balancers.consistent_hash import ConsistentHash
from adc.pools.balancers.first import First
from adc.pools.balancers.keys import compile_key
from adc.pools.balancers.least_connections import LeastConnections
from adc.pools.balancers.least_response_time import LeastResponseTime
from adc.pools.balancers.power_of_two import PowerOfTwo
from adc.pools.balancers.random import RandomChoice
from adc.pools.balancers.round_robin import RoundRobin, Turns
from adc.pools.balancers.source_hash import SourceHash

Options = Mapping[str, Any]


def _consistent_hash(options: Options, rng: Random, turns: Turns | None) -> Balancer:
    return ConsistentHash(compile_key(options.get("key", "source")), options.get("load"))


BALANCERS: dict[str, Callable[[Options, Random, Turns | None], Balancer]] = {
    "consistent_hash": _consistent_hash,
    "first": lambda options, rng, turns: First(),
    "least_connections": lambda options, rng, turns: LeastConnections(),
    "least_response_time": lambda options, rng, turns: LeastResponseTime(),
    "power_of_two": lambda options, rng, turns: PowerOfTwo(rng),
    "random": lambda options, rng, turns: RandomChoice(rng),
    "round_robin": lambda options, rng, turns: RoundRobin(turns),
    "source_hash": lambda options, rng, turns: SourceHash(),
}


def make_balancer(name: str, options: Options, rng: Random, turns: Turns | None = None) -> Balancer:
    """Return the balancer called `name`. Only `consistent_hash` has options: `key` (see `compile_key`) and `load`.

    `turns` is the counter of a round robin, a separate one by default. Raises ValueError for an unknown name or option
    value.
    """
    if name not in BALANCERS:
        raise ValueError(f"unknown balancer {name!r}; use {', '.join(BALANCERS)}")
    return BALANCERS[name](options, rng, turns)
