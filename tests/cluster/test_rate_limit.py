"""One rate limit over two nodes of several workers each, under more load than it admits."""

import asyncio
import contextlib
import os
import time

import pytest

from tests.kit.client import Client, get
from tests.wire.redis_server import RedisServer, needs_redis, started
from tests.wire.service import Service, until

pytestmark = needs_redis

SECONDS = float(os.environ.get("ADC_RATE_SECONDS", "2"))
"""10 for the figure of the documentation."""
CONFIG = """
workers: 4
state: {backend: redis, url: "@redis", path: "@state"}
listeners: [{name: web, bind: "@web"}]
access_log: off
routes:
  - {name: all, respond: {status: 204}, plugins: [rate_limit: {@limit}]}
admin: {bind: "@admin"}
"""
FAILURES = 'adc_plugin_counter_total{counter="store_failures"'
LIMITS = {
    "rate: 40/s, burst: 40": lambda seconds: 40 + 40 * seconds,
    "rate: 40/s, algorithm: sliding_window": lambda seconds: 40 * (1 + int(seconds - 0.1)),
}
"""What is admitted in the seconds after the first request."""


@pytest.fixture
def redis(tmp_path):
    with started(RedisServer(tmp_path)) as server:
        yield server


@contextlib.asynccontextmanager
async def nodes(folder, redis, limit):
    services = []
    with contextlib.ExitStack() as stack:
        for name in ("a", "b"):
            (folder / name).mkdir()
            service = Service(folder / name)
            stack.callback(service.close)
            state = str(service.folder / "state")
            text = CONFIG.replace("@redis", redis.url).replace("@state", state).replace("@limit", limit)
            service.write(text)
            services.append(service)
        await asyncio.gather(*(service.started() for service in services))
        for service in services:
            await until(lambda service=service: in_step(service))
        yield services


async def in_step(service):
    return not (await service.status())["state"]["degraded"]


PAUSE = 0.005
"""Seconds between two requests of a connection: 16 connections ask for many times what is admitted."""


async def flood(port, until_then):
    """The number of admitted requests of one connection that asks again and again, and when it began and ended."""
    client, admitted = await Client.connect(port), 0
    began = time.monotonic()
    try:
        while time.monotonic() < until_then:
            reply = await client.ask_on(get())
            assert reply.status in (204, 429)
            admitted += reply.status == 204
            await asyncio.sleep(PAUSE)
    finally:
        client.close()
    return admitted, began, time.monotonic()


@pytest.mark.parametrize(("limit", "expected"), LIMITS.items(), ids=["bucket", "window"])
@pytest.mark.parametrize("shares", [(8, 8), (15, 1)], ids=["even", "uneven"])
async def test_all_nodes_together_admit_the_limit(tmp_path, redis, limit, expected, shares):
    async with nodes(tmp_path, redis, limit) as services:
        end = time.monotonic() + SECONDS
        load = [
            flood(service.port, end)
            for service, share in zip(services, shares, strict=True)
            for _ in range(share)
        ]
        counts, begins, ends = zip(*await asyncio.gather(*load), strict=True)
        failures = [line for service in services for line in await service.metrics() if FAILURES in line]
    assert {line.rpartition(" ")[2] for line in failures} == {"0.0"}
    seconds = max(ends) - min(begins)
    limit = expected(seconds)
    assert 0.98 * limit - 8 <= sum(counts) <= 1.02 * limit + 1, (
        counts,
        seconds,
    )  # the last units may be due too late
