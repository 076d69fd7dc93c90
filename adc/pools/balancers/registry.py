"""All balancers by name: every module of this folder that has a `NAME` and a `make`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from types import MappingProxyType
from typing import Any

from adc.pools import balancers as folder
from adc.pools.balancers.base import Balancer
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.turns import Turns


def _found() -> dict[str, Callable[[Parts], Balancer]]:
    names = [each.name for each in iter_modules(folder.__path__) if each.name != "registry"]
    modules = [import_module(f"{folder.__name__}.{name}") for name in names]
    return {module.NAME: module.make for module in modules if hasattr(module, "NAME")}


BALANCERS: Mapping[str, Callable[[Parts], Balancer]] = MappingProxyType(_found())


def make_balancer(
    name: str, options: Mapping[str, Any], rng: Random, turns: Turns | None = None, *, requests: bool = True
) -> Balancer:
    """Return the balancer called `name`. Only `consistent_hash` has options: `key` (see `compile_key`) and `load`.

    `turns` is the count of a plain round robin, its own by default. `requests`: the flows are HTTP requests. Raises
    ValueError for an unknown name or option value, and for an option that needs HTTP requests where there are none.
    """
    if name not in BALANCERS:
        raise ValueError(f"unknown balancer {name!r}; use {', '.join(BALANCERS)}")
    return BALANCERS[name](Parts(options, rng, turns, requests))
