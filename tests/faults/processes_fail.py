"""Faults on our own side: workers die, the configuration is reloaded, names move, certificates and descriptors."""

import asyncio
import contextlib
import json
import os
import re
import signal
import ssl
import time

import yaml

from tests.faults.load import Traffic
from tests.faults.setting import configuration, members, report, running
from tests.kit.authority import Authority
from tests.wire.service import http, until

JSON = {"Content-Type": "application/json"}


async def worker_killed(folder):
    async with (
        members() as pool,
        running(folder, configuration([member.address for member in pool])) as service,
        Traffic(service.port) as traffic,
    ):
        await asyncio.sleep(2)
        victim = (await service.status())["workers"][0]["pid"]
        struck = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        await until(lambda: _replaced(service, victim))
        back = time.monotonic() - struck
        await asyncio.sleep(2)
    return report(traffic, struck, note=f"a new worker served after {back:.2f} s")


async def _replaced(service, victim):
    workers = (await service.status())["workers"]
    return len(workers) == 2 and victim not in [worker["pid"] for worker in workers]


async def too_large(folder):
    """Every worker is over `worker_memory` at every look: they are replaced again and again."""
    async with members() as pool:
        config = configuration([member.address for member in pool], worker_memory="10MB")
        async with running(folder, config) as service:
            first = await _pids(service)
            async with Traffic(service.port) as traffic:
                struck = time.monotonic()
                await until(lambda: _none_left(service, first))
                replaced = time.monotonic() - struck
                await asyncio.sleep(1)
    found = report(traffic, struck, note=f"both were replaced within {replaced:.1f} s")
    if found.failed:
        found.wrong = "requests failed"
    return found


async def _pids(service):
    return {worker["pid"] for worker in (await service.status())["workers"]}


async def _none_left(service, before):
    now = await _pids(service)
    return len(now) == 2 and not now & before


async def reloaded(folder):
    """50 reloads under the load of wrk, which tells of every answer that is not 200 and every broken connection."""
    async with (
        members() as pool,
        running(folder, configuration([member.address for member in pool])) as service,
        Traffic(service.port) as traffic,
    ):
        await asyncio.sleep(1)
        wrk = await asyncio.create_subprocess_exec(
            "wrk", "-t1", "-c32", "-d60s", f"http://127.0.0.1:{service.port}/", stdout=asyncio.subprocess.PIPE
        )
        await asyncio.sleep(0.5)
        struck = time.monotonic()
        failed = 0
        for _ in range(50):
            status, told = await http(service.admin, "/api/v1/reload", method="POST", fields=JSON)
            failed += status != 200 or json.loads(told)["result"] != "ok"
        took = time.monotonic() - struck
        wrk.send_signal(signal.SIGINT)
        told = (await wrk.communicate())[0].decode()
    count = int(re.search(r"(\d+) requests in", told)[1])
    errors = re.findall(r"Socket errors.*|Non-2xx.*", told)
    found = report(traffic, struck, note=f"{count} more by wrk, 50 reloads in {took:.1f} s")
    found.recovered = 0.0
    if errors or failed or found.failed:
        found.wrong = f"{failed} reloads failed; {'; '.join(errors)}"
    return found


async def reloaded_while_draining(folder):
    """The number of workers goes down and up again and again: those taken away drain while the next reload comes."""
    async with members() as pool:
        config = configuration([member.address for member in pool])
        async with running(folder, config) as service, Traffic(service.port) as traffic:
            await asyncio.sleep(1)
            downloads = [await _slow_reader(service.port) for _ in range(8)]
            struck = time.monotonic()
            failed = []
            for number in range(20):
                service.write(yaml.safe_dump({**config, "workers": 1 + number % 3}))
                status, told = await http(service.admin, "/api/v1/reload", method="POST", fields=JSON)
                failed += [] if status == 200 else [told.decode()]
            drained = len((await service.status())["draining"])
            for writer in downloads:
                writer.close()
            await asyncio.sleep(1)
    found = report(
        traffic, struck, note=f"20 reloads, after which {drained} of the workers taken away still drained"
    )
    if failed:
        found.wrong = f"{len(failed)} reloads failed: {failed[0]}"
    return found


async def _slow_reader(port):
    """A client whose request is never whole, so that its worker cannot end."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")
    return writer


async def renamed(folder):
    """The name of a member moves from one address to another. `adc run` sees a hosts file of its own."""
    if os.geteuid() != 0:
        return None
    folder.mkdir(parents=True)
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.2 member.test\n")
    from tests.faults.setting import Member

    old = Member(0, "127.0.0.2")
    new = Member(1, "127.0.0.3", port=old.port)
    await asyncio.gather(old.start(), new.start())
    prefix = ("unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")
    try:
        config = configuration([f"member.test:{old.port}"], pool={"dns": {"interval": "1s"}})
        async with running(folder, config, prefix) as service, Traffic(service.port) as traffic:
            await asyncio.sleep(1.5)
            struck = time.monotonic()
            hosts.write_text("127.0.0.1 localhost\n127.0.0.3 member.test\n")
            await until(lambda: _served_by(service, b"m1"))
            moved = time.monotonic() - struck
            await asyncio.sleep(1.5)
            await old.kill()
            await asyncio.sleep(1)
    finally:
        await asyncio.gather(old.kill(), new.kill())
    return report(traffic, struck, note=f"the new address served after {moved:.2f} s")


async def _served_by(service, name):
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return b"X-Member: " + name in answer


async def certificate_replaced(folder):
    folder.mkdir(parents=True)
    authority = Authority(folder / "ca")
    context = authority.context()
    context.check_hostname = False
    issued = authority.issue("a.test")
    async with members() as pool:
        config = configuration(
            [member.address for member in pool], listener={"tls": {"certificates": [issued]}}
        )
        async with (
            running(folder / "run", config) as service,
            Traffic(service.port, clients=8, pause=0.1, context=context, fresh=True) as traffic,
        ):
            await asyncio.sleep(2)
            before = await _certificate(service.port)
            struck = time.monotonic()
            authority.issue("a.test")
            await until(lambda: _other_certificate(service.port, before))
            changed = time.monotonic() - struck
            await asyncio.sleep(2)
    return report(traffic, struck, note=f"the new certificate served after {changed:.2f} s")


async def _certificate(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="a.test")
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


async def _other_certificate(port, before):
    return await _certificate(port) != before


async def descriptors_run_out(folder):
    """More idle clients than descriptors: those that are served stay served, and newcomers wait for their turn."""
    async with members() as pool:
        config = configuration([member.address for member in pool], workers=1)
        async with (
            running(folder, config, ("prlimit", "--nofile=256:256")) as service,
            Traffic(service.port) as traffic,
        ):
            await asyncio.sleep(2)
            struck = time.monotonic()
            idle = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(400)]
            await asyncio.sleep(2)
            for _, writer in idle:
                writer.close()
            over = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    assert await service.get() is not None
            again = time.monotonic() - over
            await asyncio.sleep(1)
    note = f"a new client served {again:.2f} s after the others had gone"
    return report(traffic, struck, over, note=note)


SCENARIOS = {
    "worker killed": worker_killed,
    "workers over worker_memory": too_large,
    "reloaded 50 times under wrk": reloaded,
    "reloaded while workers drain": reloaded_while_draining,
    "DNS name moves": renamed,
    "certificate replaced": certificate_replaced,
    "descriptors run out": descriptors_run_out,
}
