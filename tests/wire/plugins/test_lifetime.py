"""From the start of a plugin to its end: reload, counters, nothing left behind."""

import asyncio
import gc

import pytest

from adc.runtime.errors import BuildError
from tests.kit.client import get, post
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.plugins.plugged import PLUGINS, module_of, route


async def test_counters_are_metrics_of_the_route(folder, member):
    async with (
        serving(folder, config(member.address, **route("counts", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        samples = {(name, labels): value for name, labels, value in proxy.worker.samples()}
        assert samples["adc_plugin_counter_total", ("all", "counts", "seen")] == 1


async def test_start_comes_first_and_close_after_the_last_exchange(folder, member):
    async with serving(folder, config(member.address, **route("counts", folder=folder))) as proxy:
        life = module_of(proxy).life
        async with proxy.client() as client:
            await client.ask(get())
    assert life == ["start", (200, "-"), "close"]


async def test_a_reload_brings_the_new_text_and_lets_the_old_finish(folder, member):
    async with serving(folder, config(member.address, **route("counts", folder=folder))) as proxy:
        old, life = module_of(proxy), module_of(proxy).life
        file = folder / "plugins" / "several.py"
        file.write_text(PLUGINS.replace('"start"', '"START"'))
        await proxy.prepare()
        proxy.worker.commit()
        assert module_of(proxy) is not old
        assert module_of(proxy).life == ["START"]
        await asyncio.sleep(0.01)
        assert life == ["start", "close"]
        async with proxy.client() as client:
            assert (await client.ask(get())).status == 200


async def test_an_old_plugin_is_closed_only_after_its_exchanges(folder):
    go = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await go.wait()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        Member(script) as member,
        serving(folder, config(member.address, **route("counts", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        life = module_of(proxy).life
        await client.send(get())
        while not member.requests:
            await asyncio.sleep(0.01)
        await proxy.prepare()
        proxy.worker.commit()
        await asyncio.sleep(0.01)
        assert life == ["start"]
        go.set()
        await client.reply()
        await asyncio.sleep(0.01)
        assert life == ["start", (200, "-"), "close"]


async def test_exchange_that_ends_after_a_reload_is_counted(folder):
    go = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await go.wait()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        Member(script) as member,
        serving(folder, config(member.address, **route("counts", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        await client.send(get())
        await eventually(lambda: member.requests)
        for _ in range(2):
            await proxy.prepare()
            proxy.worker.commit()
        go.set()
        await client.reply()
        key = ("adc_plugin_counter_total", ("all", "counts", "seen"))
        await eventually(lambda: {(n, labels): v for n, labels, v in proxy.worker.samples()}[key] == 1)


async def test_a_plugin_that_cannot_be_built_leaves_the_old_configuration(folder, member):
    async with serving(folder, config(member.address, **route("counts", folder=folder))) as proxy:
        before = proxy.worker.runtime
        (folder / "plugins" / "several.py").write_text("this is no python")
        with pytest.raises(BuildError, match=r"several\.py"):
            await proxy.prepare()
        assert proxy.worker.runtime is before


@pytest.mark.parametrize("plugins", [["tag", "whole", "pieces"], ["slow"], [{"tag": {"answer": True}}]])
async def test_exchanges_leave_no_reference_cycle_behind(folder, member, plugins):
    async with (
        serving(folder, config(member.address, **route(*plugins, folder=folder))) as proxy,
        proxy.client() as client,
    ):
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                await client.ask(post(b"content"))
            left = [each for each in gc.get_objects() if type(each).__name__ in ("PluginRun", "Exchange")]
        finally:
            gc.enable()
        assert left == []
