"""The parts that a balancer may be made of."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from adc.pools.balancers.turns import Turns


class Parts(NamedTuple):
    """The options of the configuration, a random source, and what a plain rotation counts with (None: its own).
    `requests`: the flows that it balances are HTTP requests."""

    options: Mapping[str, Any]
    rng: Random
    turns: Turns | None = None
    requests: bool = True
