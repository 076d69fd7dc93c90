"""A rate limit on a shared table, counted by several workers and by several machines."""

import asyncio
import contextlib
import signal
from pathlib import Path

import pytest

from tests.kit.client import Client, get
from tests.wire.redis_server import RedisServer, needs_redis, started
from tests.wire.service import Service, until

LIMITS = Path(__file__).with_name("limits")
CONFIG = """
workers: @workers
state: {@backend, path: "@folder"}
plugin_paths: ["@plugins"]
listeners: [{name: web, bind: "@web"}]
routes:
  - {name: worker, match: {path: /worker}, respond: {status: 204}, plugins: [served_by]}
  - {name: all, respond: {status: 204}, plugins: [@name: {most: 50, window: 1h}]}
admin: {bind: "@admin"}
"""
ASKED = get()


def write(service, *, name="rate_limit", workers=1, backend="backend: local"):
    text = CONFIG.replace("@workers", str(workers)).replace("@backend", backend).replace("@name", name)
    text = text.replace("@folder", str(service.folder / "state")).replace("@plugins", str(LIMITS))
    service.write(text)


@contextlib.asynccontextmanager
async def connections(port, number, *, workers=1):
    """So many connections to a service, at least one of them to each of its workers."""
    with contextlib.ExitStack() as stack:
        served = {}
        while len(set(served.values())) < workers:
            for client in [await Client.connect(port) for _ in range(number)]:
                stack.callback(client.close)
                served[client] = (await client.ask(get("/worker")))[b"x-worker"]
        one_each = {worker: client for client, worker in served.items()}.values()
        others = [client for client in served if client not in one_each]
        yield [*one_each, *others][:number]


async def asked(clients, times):
    """The replies to `times` requests on each connection, sent on all connections at once."""
    rounds = [await asyncio.gather(*(client.ask_on(ASKED) for client in clients)) for _ in range(times)]
    return [reply for replies in rounds for reply in replies]


def passed(replies):
    statuses = [reply.status for reply in replies]
    assert set(statuses) <= {204, 429}
    return statuses.count(204)


async def test_rate_limit_is_exact_over_four_workers_and_outlives_a_reload(service):
    write(service, workers=4)
    await service.started()
    async with connections(service.port, 40, workers=4) as clients:
        replies = await asked(clients, 5)
    assert passed(replies) == 50
    (wait,) = {len(reply[b"retry-after"]) for reply in replies if reply.status == 429}
    assert wait == 4  # nearly the 3600 seconds of the window
    metrics = await service.metrics()
    assert 'adc_plugin_counter_total{counter="limited",plugin="rate_limit",route="all"} 150.0' in metrics
    assert 'adc_plugin_table_entries{plugin="rate_limit",route="all",table="hits"} 1.0' in metrics

    service.signal(signal.SIGHUP)
    await service.told("READY=1")
    async with connections(service.port, 4) as clients:
        assert passed(await asked(clients, 1)) == 0


@pytest.fixture
def redis(tmp_path):
    with started(RedisServer(tmp_path)) as server:
        yield server


@needs_redis
async def test_rate_limit_is_exact_over_two_machines_and_goes_on_without_redis(tmp_path, redis):
    services = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        services.append(Service(tmp_path / name))
        backend = f'backend: redis, url: "{redis.url}", timeout: 10s'
        write(services[-1], name="cluster_rate_limit", workers=2, backend=backend)
    with contextlib.ExitStack() as stack:
        for service in services:
            stack.callback(service.close)
        await asyncio.gather(*(service.started() for service in services))
        for service in services:
            await until(lambda service=service: in_step(service))
        async with (
            connections(services[0].port, 10, workers=2) as ours,
            connections(services[1].port, 10, workers=2) as theirs,
        ):
            assert passed(await asked([*ours, *theirs], 5)) == 50
            redis.kill()
            await until(lambda: out_of_step(services[0]))
            assert passed(await asked(ours, 6)) == 50  # of 60, counted by the two workers of this machine


async def in_step(service):
    return not (await service.status())["state"]["degraded"]


async def out_of_step(service):
    return (await service.status())["state"]["degraded"]
