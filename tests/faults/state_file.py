"""Faults of the file that sticky clients are kept in: full, and deleted."""

import asyncio
import shutil
import time

from adc.persistence.pin import Pin, merge_pins
from adc.state.local import LocalStore
from tests.faults.load import Traffic
from tests.faults.setting import configuration, members, report, running

SIZE = 16 << 20
FILLED = 60_000
CLIENTS = 30


def _configuration(pool, folder):
    return configuration(
        [member.address for member in pool],
        pool={"persistence": {"source": {"timeout": "10m", "size": 10_000_000}}},
        trusted_proxies=["127.0.0.1"],
        state={"backend": "local", "path": str(folder / "state"), "size": "16MB"},
    )


async def full(folder):
    """A table that is larger than `state.size` fills the file, under the load of new clients."""
    async with members() as pool, running(folder, _configuration(pool, folder)) as service:
        async with Traffic(service.port, newcomers=True) as traffic:
            await asyncio.sleep(1)
            struck = time.monotonic()
            await asyncio.to_thread(_fill, folder / "state")
            await asyncio.sleep(1)
        return await _judged(service, report(traffic, struck, note=f"{FILLED} clients before them"))


async def deleted(folder):
    """The folder goes away under the load of new clients."""
    async with members() as pool, running(folder, _configuration(pool, folder)) as service:
        async with Traffic(service.port, newcomers=True) as traffic:
            await asyncio.sleep(1)
            struck = time.monotonic()
            shutil.rmtree(folder / "state")
            await asyncio.sleep(3)
        return await _judged(service, report(traffic, struck))


def _fill(folder):
    """Write more pins than the file holds, as another worker would."""
    store = LocalStore(folder, SIZE)
    table = store.table("persistence.app", 10_000_000, merge_pins)
    now = time.time()
    value = Pin(b"nobody..", now, now, node="n" * 64).pack()
    for number in range(FILLED):
        table.set(b"client-%057d" % (number * 7919 % FILLED), value, 600.0, time.time())
    asyncio.run(store.close())


async def _judged(service, found):
    """Ask for new clients, each several times at both workers: they must stay on their members."""
    split = 0
    for number in range(CLIENTS):
        split += len({await _member_of(service.port, f"203.0.113.{number}") for _ in range(4)}) != 1
    state = (await service.status())["state"]
    found.note = f"{found.note}; {split} of {CLIENTS} new clients split afterwards".removeprefix("; ")
    if split or state["degraded"]:
        found.wrong = found.wrong or f"{split} new clients did not stick; state: {state}"
    return found


async def _member_of(port, client):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = f"Host: a\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n"
    writer.write(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
    head = (await asyncio.wait_for(reader.read(), 15)).lower()
    writer.close()
    assert b"x-member: " in head
    return head.partition(b"x-member: ")[2].partition(b"\r\n")[0]


SCENARIOS = {"state file full": full, "state folder deleted": deleted}
