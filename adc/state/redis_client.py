"""The connection to Redis or Valkey: one server, a master that Sentinels know, or a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import RedisSSLContext, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException

from adc.telemetry.event_log import EventLog

Client = Redis | RedisCluster

log = EventLog("adc.state")


class RedisAddress(NamedTuple):
    """Address of the tables. `urls`: redis://, rediss:// or unix:// (several for the nodes of a cluster). With
    `sentinels` and `master` instead, the Sentinels name the master's address; `username` and `password` are for the
    master, urls carry theirs."""

    urls: tuple[str, ...] = ()
    cluster: bool = False
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""
    database: int = 0
    username: str = ""
    password: str = ""


def connect(address: RedisAddress, limit: float) -> Client:
    """Return a client that connects on first use; each operation may take `limit` seconds and is not retried, because
    the breaker decides when to retry. Raises ValueError for an invalid address."""
    if address.sentinels:
        return _from_sentinels(address, limit)
    if not address.urls or (len(address.urls) > 1 and not address.cluster):
        raise ValueError("give one redis address, or several of a cluster, or Sentinels")
    if address.cluster:
        return _from_cluster(address.urls, limit)
    client = Redis.from_url(
        address.urls[0],
        retry=Retry(NoBackoff(), 0),
        socket_timeout=limit,
        socket_connect_timeout=limit,
    )
    pool = client.connection_pool
    if pool.connection_class is SSLConnection:
        pool.connection_class = _TlsConnection
        pool.connection_kwargs["context"] = _context(pool.connection_kwargs)
    return client


def _from_sentinels(address: RedisAddress, limit: float) -> Redis:
    limits = {"socket_timeout": limit, "socket_connect_timeout": limit, "retry": Retry(NoBackoff(), 0)}
    sentinel = cast("Callable[..., Sentinel]", Sentinel)(
        address.sentinels,
        sentinel_kwargs=limits,
        db=address.database,
        username=address.username or None,
        password=address.password or None,
        **limits,
    )
    return cast("Redis", sentinel.master_for(address.master))


def _from_cluster(urls: tuple[str, ...], limit: float) -> RedisCluster:
    nodes = [
        ClusterNode(part.get("host", "localhost"), part.get("port", 6379)) for part in map(parse_url, urls)
    ]
    try:
        client = RedisCluster.from_url(
            urls[0],
            startup_nodes=nodes,
            retry=Retry(NoBackoff(), 1),
            socket_timeout=limit,
            socket_connect_timeout=limit,
        )
    except RedisClusterException as error:
        raise ValueError(f"not for a cluster: {error}") from None
    cast("Any", client).commands_parser = _KeyPlaces()
    if client.connection_kwargs["connection_class"] is SSLConnection:
        first, *_ = started = list(client.nodes_manager.startup_nodes.values())
        shared = {"context": _context(first.connection_kwargs)}
        client.nodes_manager.connection_kwargs.update(shared, connection_class=_TlsConnection)
        for node in started:
            node.connection_class = _TlsConnection
            node.connection_kwargs.update(shared)
    return client


class _TlsConnection(SSLConnection):
    """A connection that shares the TLS context with others: to make one takes 50 ms, for the certificates that a
    machine trusts."""

    def __init__(self, context: RedisSSLContext, **settings: Any) -> None:
        super().__init__(**settings)
        self.ssl_context = context


def _context(settings: Mapping[str, Any]) -> RedisSSLContext:
    """Return the context of a client's connections, with the certificates read."""
    shared = SSLConnection(**settings).ssl_context
    shared.get()
    return shared


class _KeyPlaces:
    """Names the keys of a command. Without it, the client would request the list of all commands from each cluster
    that it connects to, which blocks the loop for 50 ms, and ask about XREAD at each call."""

    async def initialize(self, node: object = None) -> None:
        """Everything is known."""

    async def get_keys(self, command: str, *words: Any) -> tuple[Any, ...]:
        """Return the keys of one of adc's commands: its first word, or for XREAD the word behind STREAMS."""
        return (words[words.index(b"STREAMS") + 1 if command == "XREAD" else 0],)


async def disconnect(client: Client) -> None:
    """Close the client's connections in any state. Never raises."""
    closing = asyncio.ensure_future(_close(client))
    await asyncio.wait([closing])
    if not closing.cancelled() and closing.exception() is not None:
        log.info("redis_close_failed", detail=closing.exception())


async def _close(client: Client) -> None:
    """Close the connections to the Sentinels too, which the client leaves open."""
    if isinstance(client, RedisCluster):
        await client.aclose()
        return
    pool = client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose(close_connection_pool=True)
    await client.aclose(close_connection_pool=True)
