"""The secret that nodes agree on through a real redis-server."""

from collections.abc import Sequence

from tests.wire.redis_server import RedisServer, needs_redis
from tests.wire.state.shared_stores import connected, node, until

pytestmark = needs_redis


def _ignored(secret: bytes, former: Sequence[bytes]) -> None:
    """No-op."""


async def test_value_that_is_kept_is_stored_again_after_redis_lost_it(server: RedisServer) -> None:
    store = await connected(node(server))
    store.keep("secret", b"ours", _ignored)
    await until(lambda: b"\r\nours\r\n" in server.command("GET", "adc:secret"))
    server.kill()
    await until(lambda: store.status().degraded)
    server.start()  # empty
    await until(lambda: not store.status().degraded, 10.0)
    assert b"\r\nours\r\n" in server.command("GET", "adc:secret")
    await store.close()


async def test_value_that_is_kept_does_not_replace_another(server: RedisServer) -> None:
    server.command("SET", "adc:secret", "theirs")
    store = node(server)
    agreed: list[object] = []
    store.keep("secret", b"ours", lambda *secrets: agreed.append(secrets))
    await connected(store)
    await store.close()
    assert b"\r\ntheirs\r\n" in server.command("GET", "adc:secret")
    assert agreed == [(b"theirs", (b"ours",))]


async def test_former_value_reaches_nodes_that_never_had_it(server: RedisServer) -> None:
    one, other = node(server), node(server)
    agreed: list[object] = []
    one.keep("secret", b"first", lambda *secrets: agreed.append(secrets))
    other.keep("secret", b"second", _ignored)
    await connected(one)
    await connected(other)
    await until(lambda: agreed == [(b"first", (b"second",))], 5.0)
    await one.close()
    await other.close()


async def test_former_values_are_bounded_and_expire(server: RedisServer) -> None:
    server.command("SET", "adc:secret", "theirs")
    for number in range(12):
        store = node(server)
        store.keep("secret", b"own %d" % number, _ignored)
        await connected(store)
        await store.close()
    assert b":8\r\n" in server.command("ZCARD", "adc:secret.former")
    assert b"own 11" in server.command("ZRANGE", "adc:secret.former", "0", "-1")
    assert b":-1" not in server.command("TTL", "adc:secret.former")
