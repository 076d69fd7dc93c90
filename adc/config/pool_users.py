"""The users of each pool: the kinds of traffic that its members get."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from adc.config.model.config import Config
from adc.config.model.effects import HTTP, KERNEL, PASSED, TCP, TERMINATED
from adc.config.model.listeners import Listener
from adc.config.units import quote


class PoolUser(NamedTuple):
    """A route or listener that sends traffic of one kind (of `adc.config.model.effects`) to a pool."""

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name


def pool_users(config: Config) -> dict[str, tuple[PoolUser, ...]]:
    """Return the users of every pool, in the order of the file; routes come first."""
    found: dict[str, dict[PoolUser, None]] = {name: {} for name in config.pools}
    for pool, user in (*_routes(config), *_listeners(config)):
        found.setdefault(pool, {})[user] = None
    return {name: tuple(users) for name, users in found.items()}


def kinds(users: Collection[PoolUser]) -> frozenset[str]:
    """Return the kinds of traffic of `users`."""
    return frozenset(user.kind for user in users)


def _routes(config: Config) -> Iterator[tuple[str, PoolUser]]:
    for route in config.routes:
        user = PoolUser(HTTP, f"route {quote(route.name)}")
        mirror = [route.mirror.pool] if route.mirror else []
        for pool in (*filter(None, [route.pool]), *(route.split or ()), *mirror):
            yield pool, user


def _listeners(config: Config) -> Iterator[tuple[str, PoolUser]]:
    for listener in config.listeners:
        user = PoolUser(_kind(listener), f"listener {quote(listener.name)}")
        for pool in pools_of(listener):
            yield pool, user


def _kind(listener: Listener) -> str:
    if listener.datapath.engine == KERNEL:
        return KERNEL
    if listener.protocol == TCP and (listener.sni or listener.tcp.alpn):
        return PASSED
    return TERMINATED if listener.protocol == TCP and listener.tls is not None else listener.protocol


def pools_of(listener: Listener) -> Iterator[str]:
    """Yield the pools that a listener names; those of an http listener are its routes'."""
    yield from filter(None, [listener.pool])
    yield from listener.sni.values()
    yield from listener.tcp.alpn.values()
    if listener.smtp is not None:
        yield from (route.pool for route in listener.smtp.routes)
        if listener.smtp.auth is not None and listener.smtp.auth.pool is not None:
            yield listener.smtp.auth.pool
