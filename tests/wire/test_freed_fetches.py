"""Fetches of the cache, and all that waited for them, are freed at their end by reference counting alone."""

import asyncio
import contextlib
import gc
import os

import pytest

from adc.cache.purge import Purge, Scope, finish
from tests.kit.client import get
from tests.kit.member import response
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually
from tests.wire.cached import caching

FRESH = "Cache-Control: max-age=100"
LARGE = os.urandom(1 << 20)


async def forget(cached):
    """Empty the store: what stays in it stays in memory on purpose."""
    await eventually(lambda: not cached.store.users)
    tiers = cached.store.tiers
    tiers.memory.purge(Purge(Scope.ALL))
    if tiers.disk is not None:
        finish(tiers.disk.purging(Purge(Scope.ALL)))
    cached.store.flights._passes.clear()


async def ask(cached, *fields, method="GET", reply=True):
    async with cached.proxy.client() as client:
        await client.send(get("/", *fields, method=method))
        found = await client.reply(method) if reply else await client.some()
    await eventually(lambda: len(cached.proxy.connections) == 1)
    return found


async def stored(cached):
    await ask(cached)
    await ask(cached)


async def revalidated(cached):
    await ask(cached)
    assert (await ask(cached, "Cache-Control: no-cache")).status == 200


async def abandoned(cached):
    """The client leaves before anything has come."""
    async with cached.proxy.client() as client:
        await client.send(get())
        await eventually(lambda: cached.store.users)
    await eventually(lambda: not cached.store.users)


async def finished_alone(cached):
    """The client leaves while the content comes, and the fetch goes on for the store."""
    async with cached.proxy.client(receive_buffer=1 << 14) as client:
        await client.send(get())
        await client.some()


async def broken_off(cached):
    async with cached.proxy.client() as client:
        await client.send(get())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await client.rest()


async def crowd(cached, leaving=False):
    """Three clients that wait for one fetch; the first may leave."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(cached.proxy.client()) for _ in range(3)]
        for client in clients:
            await client.send(get())
            await eventually(lambda: cached.store.users)
        await eventually(lambda: cached.store.flights.waiting(b"http://a/") == 2)
        if leaving:
            clients[0].close()
            await eventually(lambda: len(cached.proxy.connections) == 3)
        cached.gate.set()
        for client in clients[leaving:]:
            await client.reply()
    await eventually(lambda: len(cached.proxy.connections) == 1)
    cached.gate.clear()


def cut_off(request):
    return response(b"", FRESH, "Content-Length: 100", length=False) + b"some"


def replying(reply, *, pause=False, close=False):
    """A script: the reply, in two halves that the loop sees apart if `pause`."""

    async def script(conversation):
        while True:
            request = await conversation.request()
            if b"if-none-match" in request:
                await conversation.send(
                    b'HTTP/1.1 304 Same\r\nCache-Control: max-age=100\r\nETag: "a"\r\n\r\n'
                )
                continue
            data = reply(request) if callable(reply) else reply
            half = len(data) // 2 if pause else len(data)
            await conversation.send(data[:half])
            await asyncio.sleep(0.02 if pause else 0)
            await conversation.send(data[half:])
            if close:
                return

    return script


KINDS = {
    "committed": (stored, replying(response(b"x", FRESH)), {}),
    "committed, large": (stored, replying(response(LARGE, FRESH)), {}),
    "committed, of unknown length": (
        stored,
        replying(response(LARGE, FRESH, "Connection: close", length=False), close=True),
        {},
    ),
    "not storable": (stored, replying(response(b"x", "Cache-Control: private")), {}),
    "not storable, large": (stored, replying(response(LARGE, "Cache-Control: no-store")), {}),
    "too large": (stored, replying(response(LARGE, FRESH)), {"store": {"max_object": "100KB"}}),
    "too large, as it turns out": (
        stored,
        replying(response(LARGE, FRESH, "Connection: close", length=False), close=True),
        {"store": {"max_object": "100KB"}},
    ),
    "client gone": (finished_alone, replying(response(LARGE * 4, FRESH)), {}),
    "member resets": (broken_off, replying(cut_off, close=True), {}),
    "revalidated": (revalidated, replying(response(b"x", "Cache-Control: max-age=100", 'ETag: "a"')), {}),
    "head": (lambda cached: ask(cached, method="HEAD"), replying(response(b"", FRESH)), {}),
    "range": (
        lambda cached: ask(cached, "Range: bytes=0-3"),
        replying(response(b"part", FRESH, 'ETag: "a"', "Content-Range: bytes 0-3/100", status=206)),
        {},
    ),
    "range of a stored response": (
        lambda cached: both(cached, "Range: bytes=0-3,8-9"),
        replying(response(b"0123456789", FRESH, 'ETag: "a"')),
        {},
    ),
    "only-if-cached": (lambda cached: ask(cached, "Cache-Control: only-if-cached"), replying(b""), {}),
}


async def both(cached, *fields):
    await ask(cached)
    return await ask(cached, *fields)


@pytest.mark.parametrize("disk", [False, True], ids=["memory", "disk"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_fetch_is_freed_at_its_end(tmp_path, kind, disk):
    run, script, options = KINDS[kind]

    async def once():
        await run(cached)
        await forget(cached)

    async with caching(tmp_path, script=script, disk=disk, **options) as cached:
        await nothing_survives(once)


async def gated(conversation):
    while True:
        await conversation.request()
        await conversation.member.gate.wait()
        await conversation.send(response(b"x", FRESH))


@pytest.mark.parametrize("leaving", [False, True])
async def test_followers_of_a_fetch_are_freed(tmp_path, leaving):
    gate = asyncio.Event()

    async def script(conversation):
        while True:
            await conversation.request()
            await gate.wait()
            await conversation.send(response(LARGE, FRESH))

    async def once():
        await crowd(cached, leaving)
        await forget(cached)

    async with caching(tmp_path, script=script, disk=False) as cached:
        cached.gate = gate
        await nothing_survives(once)


async def test_a_fetch_that_nobody_waits_for_is_freed(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.rest()

    async with caching(tmp_path, script=script) as cached:
        await nothing_survives(lambda: abandoned(cached))


async def test_a_fetch_that_a_purge_overtakes_is_freed(tmp_path):
    async def once():
        async with cached.proxy.client() as client:
            await client.send(get())
            await client.some()
            cached.store.tiers.purge(Purge(Scope.URL, b"http://a/"))
            await eventually(lambda: not cached.store.users)
        await eventually(lambda: len(cached.proxy.connections) == 1)
        assert not len(cached.store.tiers.memory)

    script = replying(response(LARGE, FRESH), pause=True)
    async with caching(tmp_path, script=script) as cached:
        await nothing_survives(once)


async def test_a_fetch_that_fails_and_is_answered_from_the_store_is_freed(tmp_path):
    async def script(conversation):
        request = await conversation.request()
        lines = () if b"x-fail" in request else ("Cache-Control: max-age=0, stale-if-error=100", 'ETag: "a"')
        status = 503 if b"x-fail" in request else 200
        await conversation.send(response(b"x", *lines, "Connection: close", status=status))

    async def once():
        await ask(cached)
        assert "stale-if-error" in (await ask(cached, "X-Fail: 1"))[b"cache-status"].decode()
        await forget(cached)

    async with caching(tmp_path, script=script) as cached:
        await nothing_survives(once)


async def test_a_purge_by_a_client_is_freed(tmp_path):
    async def once():
        await ask(cached)
        assert (await ask(cached, method="PURGE")).status == 200
        await forget(cached)

    async with caching(tmp_path, script=replying(response(b"x", FRESH)), purge="127.0.0.1") as cached:
        await nothing_survives(once)


async def test_a_background_validation_is_freed(tmp_path):
    async def once():
        await ask(cached)
        await ask(cached)
        await eventually(lambda: not (cached.store.users or cached.store.refreshing))
        await forget(cached)

    script = replying(response(b"x", "Cache-Control: max-age=0, stale-while-revalidate=100", 'ETag: "a"'))
    async with caching(tmp_path, script=script) as cached:
        await nothing_survives(once)


async def test_a_stored_response_is_held_once(tmp_path):
    """The buffer that it was collected in is gone with the fetch, and no copy of it is left."""
    async with caching(tmp_path, response(LARGE, FRESH), disk=False) as cached:
        await cached.get()
        gc.collect()
        copies = [
            each for each in gc.get_objects() if isinstance(each, bytearray) and len(each) == len(LARGE)
        ]
        assert not copies
