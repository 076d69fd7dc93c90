"""The connection to Redis or Valkey: one server, a master that Sentinels know, or a cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

Client = Redis | RedisCluster

log = logging.getLogger("adc.state")


class RedisAddress(NamedTuple):
    """Where the tables live. `urls`: redis://, rediss:// or unix:// (several for the nodes of a cluster).
    `sentinels` and `master` instead of them: ask those for the master's address."""

    urls: tuple[str, ...] = ()
    cluster: bool = False
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""
    database: int = 0


def connect(address: RedisAddress, limit: float) -> Client:
    """A client that connects on first use; each of its operations may take `limit` seconds and is not
    retried, for the breaker decides when to try again. Raises ValueError for an address that makes no
    sense."""
    if address.sentinels:
        return _from_sentinels(address, limit)
    if not address.urls or (len(address.urls) > 1 and not address.cluster):
        raise ValueError("give one redis address, or several of a cluster, or Sentinels")
    if address.cluster:
        return _from_cluster(address.urls, limit)
    return Redis.from_url(
        address.urls[0],
        retry=Retry(NoBackoff(), 0),
        socket_timeout=limit,
        socket_connect_timeout=limit,
    )


def _from_sentinels(address: RedisAddress, limit: float) -> Redis:
    limits = {"socket_timeout": limit, "socket_connect_timeout": limit, "retry": Retry(NoBackoff(), 0)}
    sentinel = cast("Callable[..., Sentinel]", Sentinel)(
        address.sentinels, sentinel_kwargs=limits, db=address.database, **limits
    )
    return cast("Redis", sentinel.master_for(address.master))


def _from_cluster(urls: tuple[str, ...], limit: float) -> RedisCluster:
    nodes = [
        ClusterNode(part.get("host", "localhost"), part.get("port", 6379)) for part in map(parse_url, urls)
    ]
    return RedisCluster.from_url(
        urls[0],
        startup_nodes=nodes,
        retry=Retry(NoBackoff(), 1),
        socket_timeout=limit,
        socket_connect_timeout=limit,
    )


async def disconnect(client: Client) -> None:
    """Close the client's connections, whatever state they are in. Raises nothing of what that meets."""
    closing = asyncio.ensure_future(_close(client))
    await asyncio.wait([closing])
    if not closing.cancelled() and closing.exception() is not None:
        log.info("redis: a connection was not closed in order: %s", closing.exception())


async def _close(client: Client) -> None:
    """Those to the Sentinels too, which the client leaves open itself."""
    if isinstance(client, RedisCluster):
        await client.aclose()
        return
    pool = client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose(close_connection_pool=True)
    await client.aclose(close_connection_pool=True)
