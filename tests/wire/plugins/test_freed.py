"""Exchanges that went through plugins are freed at their end, by reference counting alone."""

import pytest

from tests.kit.client import get, post
from tests.kit.proxy import config, serving
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually
from tests.wire.plugins.plugged import route

RUNS = {
    "head phases": (("tag",), get()),
    "a plugin answers": (({"tag": {"answer": True}},), get()),
    "awaited phases": (("slow",), post(b"abc")),
    "content in pieces": (("pieces",), post(b"abc" * 50_000)),
    "content in whole": (("whole",), post(b"abc")),
    "content is blocked": (("whole",), post(b"attack")),
    "content over the limit": (({"whole": {"limit": 2}},), post(b"abc")),
    "a phase fails": (({"bad": {"phase": "request_head"}},), get()),
    "a later phase fails": (({"bad": {"phase": "response_head"}},), get()),
    "the log phase fails": (({"bad": {"phase": "log"}},), get()),
    "a phase is over its time": (({"never": {"timeout": "10ms"}},), get()),
    "several": (("slow", "pieces", "whole", "counts"), post(b"abc")),
}


@pytest.mark.parametrize("run", RUNS)
async def test_a_plugin_run_is_freed_at_its_end(folder, member, run):
    plugins, data = RUNS[run]

    async def once():
        async with proxy.client() as client:
            assert (await client.ask(data)).status
        await eventually(lambda: not proxy.connections)

    async with serving(folder, config(member.address, **route(*plugins, folder=folder))) as proxy:
        await nothing_survives(once)


async def test_a_plugin_run_that_its_client_left_is_freed(folder, member):
    async def once():
        async with proxy.client() as client:
            await client.send(get())
            await eventually(lambda: proxy.listener.service.active)
        await eventually(lambda: not (proxy.connections or proxy.listener.service.active))

    async with serving(folder, config(member.address, **route("never", folder=folder))) as proxy:
        await nothing_survives(once)
