"""Keys of pools that have no effect on the traffic that the pool gets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from adc.config.errors import Path
from adc.config.model import effects
from adc.config.model.balance import ConsistentHash
from adc.config.model.base import Part
from adc.config.model.config import Config
from adc.config.model.effects import FOR_EACH_USER, HTTP, KERNEL, POOL
from adc.config.model.pools import Pool
from adc.config.pool_users import PoolUser, pool_users
from adc.config.units import quote

Finding = tuple[Path, str]

_OF_CHECKS: Final = ("tls", "proxy_protocol")
"""Keys that active checks of the pool use too."""


def ineffective(config: Config) -> Iterator[Finding]:
    """Yield what pools say that their users do not follow, and routes for listeners that have none."""
    for name, users in pool_users(config).items():
        pool = config.pools.get(name)
        if pool is not None and users:
            yield from _of_pool(("pools", name), pool, users)
    protocols = {listener.name: listener.protocol for listener in config.listeners}
    for place, route in enumerate(config.routes):
        for number, listener in enumerate(route.listeners):
            if protocols.get(listener, HTTP) != HTTP:
                yield (
                    ("routes", place, "listeners", number),
                    f"listener {quote(listener)} has protocol: {protocols[listener]}; routes are for protocol: http",
                )


def _of_pool(at: Path, pool: Pool, users: Collection[PoolUser]) -> Iterator[Finding]:
    reported = "-"
    for key in effects.written(_as_written(pool), POOL):
        message = "" if key.startswith(f"{reported}.") else _without_effect(key, pool, users)
        if message:
            reported = key
            yield (*at, *key.split(".")), message
    yield from _hash_key(at, pool, users)


def _as_written(part: Part) -> dict[str, Any]:
    """Return the keys of a part that the file names, and those of the parts below it."""
    values = {name: getattr(part, name) for name in type(part).model_fields if name in part.model_fields_set}
    return {name: _as_written(value) if isinstance(value, Part) else value for name, value in values.items()}


def _without_effect(key: str, pool: Pool, users: Collection[PoolUser]) -> str:
    """Return why `key` of the pool has no effect, "" if it has one."""
    allowed = effects.effect(POOL, key)
    if key == "persistence.tls" and pool.persistence is not None and pool.persistence.tls is not None:
        allowed = allowed if pool.persistence.tls.by == "sni" else (HTTP,)
    others = [user for user in users if user.kind not in allowed]
    if not others:
        return ""
    user = next((each for each in others if each.kind == KERNEL), None)
    if user is not None:
        return f"has no effect with datapath: kernel of {user}; it belongs to datapath: userspace"
    active = pool.health.active
    checked = key.partition(".")[0] in _OF_CHECKS and active is not None and active.udp is None
    for_each = any(key == each or key.startswith(f"{each}.") for each in FOR_EACH_USER)
    if not for_each and (checked or len(others) < len(users)):
        return ""
    pins = (
        "; clients of other listeners are pinned by persistence: source"
        if key.startswith("persistence.")
        else ""
    )
    return (
        f"has no effect on the traffic of {others[0]} ({others[0].kind}); it is for "
        f"{effects.words(kind for kind in allowed if kind != KERNEL)}{pins}"
    )


def _hash_key(at: Path, pool: Pool, users: Collection[PoolUser]) -> Iterator[Finding]:
    """Yield a key of consistent hashing that only requests have."""
    balance = pool.balance
    if not isinstance(balance, ConsistentHash) or balance.key == "source":
        return
    for user in users:
        if user.kind not in (HTTP, KERNEL):
            yield (
                (*at, "balance", "consistent_hash", "key"),
                f"{balance.key} is a part of HTTP requests, and {user} ({user.kind}) has none; write key: source",
            )
            return
