"""Single requests that are made to cost as much as possible, while others are served."""

import asyncio
import time

from tests.faults.load import Traffic
from tests.faults.setting import configuration, members, report, running

EXPENSIVE = r"^/(a+)+$"
WORST = b"GET /%b! HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 8000)
SENT = 200


async def _regex(folder):
    """Paths on which an engine that backtracks needs longer than the universe is old."""
    async with members() as pool:
        config = configuration([member.address for member in pool])
        config["routes"].insert(0, {"match": {"path": {"regex": EXPENSIVE}}, "respond": 403})
        async with running(folder, config) as service, Traffic(service.port) as traffic:
            await asyncio.sleep(2)
            struck = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            for _ in range(SENT):
                writer.write(WORST)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(
                    int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                )
            over = time.monotonic()
            writer.close()
            await asyncio.sleep(1)
    found = report(traffic, struck, over, note=f"{SENT} such requests in {over - struck:.1f} s")
    if not found.wrong and any(each.disturbed for each in traffic.outcomes):
        found.wrong = "other clients were disturbed"
    return found


SCENARIOS = {"regex that backtracking never ends": _regex}
