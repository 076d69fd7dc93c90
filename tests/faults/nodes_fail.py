"""Faults of a whole node: of two that pass clients to each other, one accepts connections and answers nothing."""

import asyncio
import os
import signal
import time

from tests.faults.load import Traffic, percentile
from tests.faults.setting import configuration, members, report, running
from tests.kit.ports import free_port
from tests.wire.redis_server import BINARY, RedisServer, started
from tests.wire.service import http, until

BEFORE = 2.0
DURING = 4.0
AFTER = 3.0
LONGEST = 1.0
"""Seconds that 99 % of the requests must stay under while the node is frozen."""


def _configuration(node, folder, redis, addresses, advertise):
    state = {"backend": "redis", "url": redis.url, "path": str(folder / "state")}
    cluster = {"name": "faults", "secret": "the secret of these nodes", "on_unknown": "redirect"}
    return configuration(
        addresses,
        pool={"persistence": {"source": {"prefix6": 128}}},
        node=node,
        state=state,
        cluster={**cluster, "advertise": f"127.0.0.1:{advertise}"},
        trusted_proxies=["127.0.0.1"],
    )


async def frozen(folder):
    """All requests are those of new clients, half of which belong to the frozen node."""
    if BINARY is None:
        return None
    folder.mkdir(parents=True)
    async with members() as pool:
        addresses = [member.address for member in pool]
        with started(RedisServer(folder)) as redis:
            configs = [_configuration(name, folder / name, redis, addresses, free_port()) for name in "ab"]
            async with (
                running(folder / "a", configs[0]) as service,
                running(folder / "b", configs[1]) as other,
            ):
                await until(lambda: _knows_another(service))
                pids = [other.process.pid, *(each["pid"] for each in (await other.status())["workers"])]
                async with Traffic(service.port, newcomers=True) as traffic:
                    await asyncio.sleep(BEFORE)
                    struck = time.monotonic()
                    _signal(pids, signal.SIGSTOP)
                    try:
                        await asyncio.sleep(DURING)
                    finally:
                        _signal(pids, signal.SIGCONT)
                    healed = time.monotonic()
                    await until(lambda: _knows_another(service))
                    back = time.monotonic() - healed
                    await asyncio.sleep(AFTER)
    found = report(traffic, struck, healed)
    slow = percentile([each for each in traffic.outcomes if struck <= each.sent < healed], 0.99)
    found.note = f"p99 while it was frozen {slow:.2f} s; it was passed requests again after {back:.1f} s"
    if slow > LONGEST and not found.wrong:
        found.wrong = found.note
    return found


async def _knows_another(service):
    lines = (await http(service.admin, "/metrics"))[1].decode().splitlines()
    return any(line.startswith("adc_cluster_nodes ") and float(line.split()[1]) == 1 for line in lines)


def _signal(pids, number):
    for pid in pids:
        os.kill(pid, number)


SCENARIOS = {"node of a cluster frozen (SIGSTOP)": frozen}
