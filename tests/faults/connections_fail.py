"""Faults of connections to members: all idle ones die at once; a member answers uploads early and closes."""

import asyncio
import contextlib
import time

from tests.faults.load import Traffic
from tests.faults.setting import configuration, members, report, running

BEFORE = 2.0
AFTER = 2.0
BURST = 48
UPLOAD = b"PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000


async def forgotten(folder):
    """A firewall forgets all flows of all members, three times; each time many clients ask at once."""
    async with (
        members() as pool,
        running(
            folder, configuration([member.address for member in pool], route={"retries": False})
        ) as service,
        Traffic(service.port) as traffic,
    ):
        await asyncio.sleep(BEFORE)
        struck = time.monotonic()
        for _ in range(3):
            async with Traffic(service.port, clients=BURST, pause=0.5):  # leaves idle connections behind
                await asyncio.sleep(0.6)
            for member in pool:
                await member.behave("forget")
            burst = Traffic(service.port, clients=BURST, pause=0.5)
            async with burst:
                await asyncio.sleep(0.6)
            traffic.outcomes += burst.outcomes
        healed = time.monotonic()
        await asyncio.sleep(AFTER)
    traffic.outcomes = [each for each in traffic.outcomes if each.method == "GET"]
    return report(traffic, struck, healed)


async def _upload(port):
    """The status of an upload; 0 if no response came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with contextlib.suppress(OSError):
            writer.write(UPLOAD)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        return int(head.split(b" ")[1])
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return 0
    finally:
        writer.close()


async def answered_early(folder):
    """All members answer uploads from the head with 401 and close; other requests go on."""
    async with (
        members() as pool,
        running(folder, configuration([member.address for member in pool])) as service,
        Traffic(service.port) as traffic,
    ):
        await asyncio.sleep(BEFORE)
        for member in pool:
            await member.behave("early")
        struck = time.monotonic()
        statuses = []
        for _ in range(20):
            statuses += await asyncio.gather(*[_upload(service.port) for _ in range(6)])
        healed = time.monotonic()
        await asyncio.sleep(AFTER)
        state = await service.status()
    found = report(traffic, struck, healed, f"{statuses.count(401)} of {len(statuses)} uploads had their 401")
    if statuses.count(401) != len(statuses):
        found.wrong = found.wrong or found.note
    if "ejected" in str(state):
        found.wrong = found.wrong or "a member was ejected"
    return found


SCENARIOS = {
    "idle connections forgotten by a firewall": forgotten,
    "members answer uploads early and close": answered_early,
}
