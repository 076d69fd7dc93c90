"""Connections of an HTTP listener in the session table."""

from adc.runtime.operations import flows
from adc.runtime.operations.flows import UnwantedFlows, WantedFlows
from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


async def rows(proxy, **conditions):
    return (await proxy.worker.call(flows.LIST, WantedFlows(**conditions))).rows


async def test_connections_are_not_in_the_table_unless_asked(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        assert proxy.listener.state.observer is None
        assert await rows(proxy) == []


async def test_connection_is_listed_with_the_counters_of_the_kernel(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address, sessions={"http": True})) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        [row] = await rows(proxy, protocol="http", state="established")
        assert row.bytes_in == len(get())
        assert row.packets_in >= 1
        assert row.client.startswith("127.0.0.1:")


async def test_killed_connection_is_reset_and_leaves_the_table(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address, sessions={"http": True})) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        reply = await proxy.worker.call(flows.KILL, UnwantedFlows(protocol="http"))
        assert reply.killed == 1
        await eventually(lambda: not proxy.connections)
        assert not len(proxy.worker.sessions.table)
        assert proxy.worker.sessions.ended.counts == {("http", "web", "killed"): 1}


async def test_reload_brings_open_connections_in_and_out(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        for wanted in (True, False):
            await proxy.change(lambda mapping, wanted=wanted: mapping.update(sessions={"http": wanted}))
            assert len(await rows(proxy)) == wanted
        await client.ask(get())
