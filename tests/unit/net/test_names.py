"""Names that several ask for at about the same time are looked up once."""

import asyncio
import socket

import pytest

from adc.net.names import Names


class Resolver:
    """A loop whose lookups wait until `answer` is set, and fail with `error`."""

    def __init__(self):
        self.now = 0.0
        self.asked = []
        self.error = None
        self.answer = asyncio.Event()
        self.answer.set()

    def time(self):
        return self.now

    def create_task(self, coroutine):
        return asyncio.get_running_loop().create_task(coroutine)

    async def getaddrinfo(self, host, port, type):
        self.asked.append(host)
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        return [(2, 1, 6, "", (f"192.0.2.{len(self.asked)}", 0))] * 2


@pytest.fixture
async def resolver():
    return Resolver()


async def test_name_is_asked_for_once_while_fresh_and_again_after(resolver):
    names = Names(resolver, 1.0)
    assert await names.addresses("app") == await names.addresses("app") == ("192.0.2.1",)
    assert await names.addresses("other") == ("192.0.2.2",)
    resolver.now = 1.0
    assert await names.addresses("app") == ("192.0.2.3",)
    assert resolver.asked == ["app", "other", "app"]


async def test_lookup_under_way_is_shared_and_outlives_one_that_stops_waiting(resolver):
    names = Names(resolver, 1.0)
    resolver.answer.clear()
    impatient, patient = (asyncio.ensure_future(names.addresses("app")) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    resolver.answer.set()
    assert await patient == ("192.0.2.1",)
    assert resolver.asked == ["app"]
    assert impatient.cancelled()


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long")])
async def test_failure_is_not_kept(resolver, error):
    names = Names(resolver, 1.0)
    resolver.error = error
    with pytest.raises(socket.gaierror, match="app does not resolve"):
        await names.addresses("app")
    resolver.error = None
    assert await names.addresses("app") == ("192.0.2.2",)
