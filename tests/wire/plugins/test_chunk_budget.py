"""How many Python calls a chunk costs on its way through a streaming plugin."""

from itertools import pairwise
from statistics import median

import pytest

from adc.compilation import compiled
from tests.kit.client import get
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving
from tests.wire.plugins.plugged import route
from tests.wire.plugins.plugged_transforms import transform_folder
from tests.wire.test_call_budget import Calls

BUDGET = 14
"""Calls for a chunk above those of a route without plugins."""
CHUNK = b"x" * 1000
CHUNKS = 21


async def calls(folder, plugins):
    async def script(conversation):
        await conversation.request()
        await conversation.send(
            response(b"", "Content-Type: text/plain", "Content-Length: 21000", length=False)
        )
        for _ in range(CHUNKS):
            await conversation.exactly(1)
            await conversation.send(CHUNK)

    async with Member(script) as member:
        settings = config(member.address, **route(*plugins, folder=folder))
        async with serving(folder / f"run{len(plugins)}", settings) as proxy, proxy.client() as client:
            return await _counted(member, client)


async def _counted(member, client):
    """Return the median of the calls for a chunk: some chunks have a tick of the clock in them, on a busy machine
    several."""
    await client.send(get())
    head = b""
    while b"\r\n\r\n" not in head:
        head += await client.some()
    with Calls() as counted:
        ends = [0]
        for _ in range(CHUNKS):
            await _next(member, client)
            ends.append(len(counted.names))
    return median(after - before for before, after in pairwise(ends))


async def _next(member, client):
    """Have the member send one chunk, and read it."""
    (conversation,) = member.connections
    conversation.reader.feed_data(b".")
    got = b""
    while got.count(b"x") + got.count(b"X") < len(CHUNK):
        got += await client.some()


@pytest.mark.skipif(compiled(), reason="calls of compiled functions cannot be counted; see ADC_COMPILED=0")
async def test_chunk_through_a_plugin_stays_within_its_budget_of_calls(tmp_path):
    folder = transform_folder(tmp_path)
    plain, changed = await calls(folder, ()), await calls(folder, ("upper",))
    assert changed - plain <= BUDGET
