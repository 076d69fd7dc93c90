"""A secret that all nodes come to hold by way of Redis."""

from __future__ import annotations

from adc.state.redis_client import RedisAddress, connect, disconnect


async def shared_secret(address: RedisAddress, name: str, offer: bytes, limit: float) -> bytes:
    """Return the secret called `name`: `offer` if there was none yet.

    Raises redis errors, OSError and TimeoutError, at the latest after about `limit` seconds.
    """
    client = connect(address, limit)
    try:
        await client.set(name, offer, nx=True)
        found = await client.get(name)
    finally:
        await disconnect(client)
    return found.encode() if isinstance(found, str) else found or offer
