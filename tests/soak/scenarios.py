"""What the memory suite does to a service.

Each scenario is called twice, with a small share of its load to warm up and then with all of it, and returns a remark
for the table.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.soak import load
from tests.soak.load import request
from tests.soak.setting import WORKERS, Setting

MIXED = 200_000


@dataclass
class Scenario:
    """`most`: megabytes that the workers together may hold at any time beyond what they began with.

    `warm_up`: the share of the load that comes first, enough of it to fill what stays in use.
    """

    name: str
    run: Callable[[Setting, float], Awaitable[str]]
    most: float
    warm_up: float = 0.2


async def left_downloads(setting, share):
    """60 downloads of 30 MB, each with a URL of its own, whose clients leave at once; the store holds 64 MB."""
    number = int(60 * share)
    asked = (request(f"/large?{random.random()}") for _ in range(number))
    await asyncio.gather(*(load.leave_at_once(setting.port, each) for each in asked))
    await asyncio.sleep(2)
    return f"{number} x 30 MB"


async def whole_downloads(setting, share):
    """Ordinary large downloads for the store."""
    number = int(60 * share)
    failed = await load.many(setting.port, [request(f"/large?{random.random()}") for _ in range(number)], 8)
    return f"{number} x 30 MB, {failed} failed"


async def varying(setting, share):
    """Responses that vary by 30 KB of User-Agent, in a store of 16 MB memory and 8 MB disk."""
    number = int(8000 * share)
    await load.many(
        setting.port,
        (request(f"/vary/{n}", f"User-Agent: {n:08}{'a' * 30_000}") for n in range(number)),
    )
    stored = setting.stored
    if stored > 8 + 16:
        raise AssertionError(f"{stored:.0f} MB on disk, of which 8 are allowed")
    return f"{number} x 30 KB; {stored:.0f} MB on disk"


async def pipelined(setting, share):
    """250 KB of small requests on each of 200 connections, to a member that does not answer."""
    one = request("/silent")
    data = one * (250_000 // len(one))
    async with load.held(setting.port, int(200 * share), data):
        await asyncio.sleep(1)
    return f"{int(200 * share)} x 250 KB"


async def chunked(setting, share):
    """Chunks of one byte on 150 connections."""
    data = request("/drip", "Transfer-Encoding: chunked", method="POST") + b"1\r\nx\r\n" * 300_000
    async with load.held(setting.port, int(150 * share), data):
        await asyncio.sleep(1)
    return f"{int(150 * share)} connections"


async def trailers(setting, share):
    """2.9 MB of trailers on 150 connections."""
    head = request("/drip", "Transfer-Encoding: chunked", method="POST")
    data = head + b"1\r\nx\r\n0\r\n" + b"X-Trailer: value\r\n" * 161_000
    async with load.held(setting.port, int(150 * share), data):
        await asyncio.sleep(1)
    return f"{int(150 * share)} x 2.9 MB"


def coded(coding):
    async def run(setting, share):
        """Responses that the client does not take as they are coded."""
        number = int(4000 * share)
        failed = await load.many(setting.port, [request(f"/coded/{coding}")] * number)
        return f"{number} responses, {failed} failed"

    return run


async def hollow(setting, share):
    """240 KB of empty gzip members in each response."""
    number = int(100 * share)
    failed = await load.many(setting.port, [request("/hollow")] * number, 4)
    return f"{number} responses, {failed} failed"


async def slow_readers(setting, share):
    """200 clients that take nothing of a download of 30 MB."""
    number = int(200 * share)
    before = setting.resident
    async with load.held(setting.port, number, request("/download"), receive_buffer=4096):
        await asyncio.sleep(2)
        each = (setting.resident - before) * 1024 / number
    return f"{each:.0f} KB for each of {number}"


KINDS = (
    ("/page/1",),
    ("/page/2",),
    ("/cached/{n}",),
    ("/cached/{n}", "Accept-Encoding: gzip"),
    ("/cached/{n}", "Accept-Encoding: br, zstd"),
    ("/cached/{n}", "Cache-Control: no-cache"),
    ("/coded/gzip",),
    ("/coded/zstd", "Accept-Encoding: zstd"),
)


def _mixed(count):
    chosen = random.Random(1)
    for number in range(count):
        path, *lines = chosen.choice(KINDS)
        if number % 10 == 9:
            yield request("/upload", "Content-Length: 1000", method="POST") + bytes(1000)
        else:
            yield request(path.format(n=chosen.randrange(3000)), *lines)


async def mixed(setting, share):
    """All kinds of ordinary requests."""
    number = int(MIXED * share)
    failed = await load.many(setting.port, _mixed(number), 32)
    if failed:
        raise AssertionError(f"{failed} of {number} requests failed")
    return f"{number} requests"


SCENARIOS = [
    Scenario("downloads left at once", left_downloads, 100 * WORKERS),
    Scenario("whole downloads", whole_downloads, 100 * WORKERS),
    Scenario("Vary on 30 KB", varying, 40 * WORKERS, 0.6),
    Scenario("pipelined to a silent member", pipelined, 150),
    Scenario("chunks of one byte", chunked, 150, 0.6),
    Scenario("long trailers", trailers, 150),
    Scenario("zstd decoded", coded("zstd"), 30),
    Scenario("gzip decoded", coded("gzip"), 30),
    Scenario("br decoded", coded("br"), 30),
    Scenario("empty gzip members", hollow, 30),
    Scenario("slow readers", slow_readers, 80),
    Scenario("mixed requests", mixed, 60 * WORKERS),
]
