"""A secret that all nodes come to hold by way of Redis.

The first offer counts. A node that has signed with another secret, because Redis was away, publishes it among the
former ones, so that every node verifies what that node signed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple, cast

from adc.state.redis_client import Client, RedisAddress, connect, disconnect

FORMER = ".former"
MAX_FORMER = 8
_FORMER_SECONDS = 30 * 86_400
_OFFER_EVERY = 1.0

Agreed = Callable[[bytes, Sequence[bytes]], None]
"""Called with the secret of all nodes, and with the former ones."""


class Found(NamedTuple):
    """What Redis holds: the secret of all nodes, and former ones, the oldest first."""

    secret: bytes
    former: tuple[bytes, ...]


class SharedSecret:
    """Offers a secret to Redis again and again, since Redis may lose everything, and calls `agreed` when Redis has
    other secrets than before."""

    def __init__(self, name: str, secret: bytes, agreed: Agreed) -> None:
        self.name = name
        self._found = Found(secret, ())
        self._agreed = agreed
        self._offer_at = -inf

    def offers(self, name: str, secret: bytes) -> bool:
        """True if this is the offer of `secret` as `name`."""
        return (name, secret) == (self.name, self._found.secret)

    def call(self, agreed: Agreed) -> None:
        """Call `agreed` from now on, and now if the secrets are not those that were offered."""
        self._agreed = agreed
        if self._found.former:
            agreed(*self._found)

    def hurry(self) -> None:
        """Make the next `offer` whenever it is called."""
        self._offer_at = -inf

    async def offer(self, client: Client, prefix: bytes) -> None:
        """Exchange secrets with Redis, once a second. Raises redis errors, OSError and TimeoutError."""
        now = time.monotonic()
        if now < self._offer_at:
            return
        self._offer_at = now + _OFFER_EVERY
        known = self._found
        name = prefix + self.name.encode()
        found = await exchange(client, name, known.secret)
        if found.secret != known.secret and known.secret not in found.former:
            await _publish(client, name, known.secret)
            found = Found(found.secret, (*found.former, known.secret))
        former = dict.fromkeys((*known.former, *found.former))  # a Redis that lost its data has none
        found = Found(found.secret, tuple(former)[-MAX_FORMER:])
        if found != known:
            self._found = found
            self._agreed(*found)


async def exchange(client: Client, name: bytes, offer: bytes) -> Found:
    """Return the secrets called `name`: `offer` if there was none yet."""
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.set(name, offer, nx=True)
        pipeline.get(name)
        pipeline.zrange(name + FORMER.encode(), 0, MAX_FORMER - 1)
        _, secret, former = await pipeline.execute()
    return Found(cast("bytes", secret) or offer, tuple(cast("list[bytes]", former)))


async def _publish(client: Client, name: bytes, secret: bytes) -> None:
    former = name + FORMER.encode()
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.zadd(former, {secret: time.time()}, nx=True)
        pipeline.zremrangebyrank(former, 0, -MAX_FORMER - 1)
        pipeline.expire(former, _FORMER_SECONDS)
        await pipeline.execute()


async def shared_secret(address: RedisAddress, name: str, offer: bytes, limit: float) -> Found:
    """Return the secrets called `name`: `offer` if there was none yet.

    Raises redis errors, OSError and TimeoutError, at the latest after about `limit` seconds.
    """
    client = connect(address, limit)
    try:
        return await exchange(client, name.encode(), offer)
    finally:
        await disconnect(client)
