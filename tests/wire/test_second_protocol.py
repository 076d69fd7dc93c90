"""A listener of another protocol than HTTP: it is registered, and worker, metrics and operations serve it."""

import asyncio

import pytest

from adc.config.errors import ConfigErrors
from adc.config.loading import load
from adc.config.model.protocols import PROTOCOLS
from adc.runtime.operations.connections import COUNT
from adc.runtime.operations.operation import NOTHING
from tests.kit.authority import Authority, tls_client
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(PROTOCOLS, "echo", "tests.kit.echo_listener:EchoListener")


def echo(**listener):
    return config("127.0.0.1:9", listener={"protocol": "echo", **listener})


async def connect(proxy, **options):
    return await asyncio.open_connection("127.0.0.1", proxy.port, **options)


async def echoed(connection, data=b"hello"):
    reader, writer = connection
    writer.write(data)
    return await asyncio.wait_for(reader.readexactly(len(data)), 5)


async def closed(connection):
    reader, writer = connection
    try:
        end = await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        end = b""
    writer.close()
    return end == b""


def sample(proxy, name, *labels):
    found = [each.value for each in proxy.worker.samples() if (each.name, each.labels) == (name, labels)]
    return sum(found)


async def test_registered_protocol_serves_connections(tmp_path):
    async with serving(tmp_path, echo()) as proxy:
        connection = await connect(proxy)
        assert await echoed(connection) == b"hello"
        connection[1].close()


async def test_connections_are_counted_in_metrics_and_operations(tmp_path):
    async with serving(tmp_path, echo()) as proxy:
        connections = [await connect(proxy) for _ in range(2)]
        for connection in connections:
            await echoed(connection)
        assert sample(proxy, "adc_connections_active", "web") == 2
        assert proxy.worker.call(COUNT, NOTHING) == {"web": 2}
        for _, writer in connections:
            writer.close()
        await eventually(lambda: proxy.worker.call(COUNT, NOTHING) == {"web": 0})
        assert sample(proxy, "adc_connections_total", "web") == 2


async def test_connection_limit_rejects_one_too_many(tmp_path):
    async with serving(tmp_path, echo(limits={"connections": 1})) as proxy:
        first = await connect(proxy)
        await echoed(first)
        assert await closed(await connect(proxy))
        assert await echoed(first) == b"hello"
        assert sample(proxy, "adc_refused_total", "web", "limit_connections") == 1
        first[1].close()


async def test_source_limit_rejects_one_too_many(tmp_path):
    async with serving(tmp_path, echo(limits={"connections_per_source": 1})) as proxy:
        first = await connect(proxy)
        await echoed(first)
        assert await closed(await connect(proxy))
        first[1].close()


async def test_reload_keeps_connections_and_applies_new_limits(tmp_path):
    async with serving(tmp_path, echo()) as proxy:
        connection = await connect(proxy)
        await echoed(connection)
        await proxy.change(lambda mapping: mapping["listeners"][0].update(limits={"connections": 1}))
        assert await echoed(connection) == b"hello"
        assert await closed(await connect(proxy))
        connection[1].close()


async def test_removed_listener_drains_its_connections(tmp_path):
    async with serving(tmp_path, echo()) as proxy:
        connection = await connect(proxy)
        await echoed(connection)
        await proxy.change(lambda mapping: mapping["listeners"][0].update(name="other", protocol="http"))
        assert await closed(connection)
        assert list(proxy.worker.listeners) == ["other"]
        await proxy.change(lambda mapping: mapping["listeners"][0].update(name="web"))


async def test_worker_drain_ends_connections(tmp_path):
    async with serving(tmp_path, echo()) as proxy:
        connection = await connect(proxy)
        await echoed(connection)
        await proxy.worker.drain(5)
        assert await closed(connection)


async def test_idle_connection_times_out(tmp_path):
    async with serving(tmp_path, echo()) as proxy:
        connection = await connect(proxy)
        await echoed(connection)
        proxy.pass_time(31)
        assert await closed(connection)


async def test_tls_and_proxy_protocol_come_before_any_protocol(tmp_path):
    authority = Authority(tmp_path / "ca")
    listener = {"tls": {"certificates": [authority.issue("a.test")]}, "proxy_protocol": ["127.0.0.1"]}
    async with serving(tmp_path, echo(**listener)) as proxy:
        header = b"PROXY TCP4 192.0.2.7 127.0.0.1 1000 443\r\n"
        client = await tls_client(proxy.port, authority.context(), before=header)
        assert await echoed((client.reader, client.writer)) == b"hello"
        assert [each.peer for each in proxy.connections] == ["192.0.2.7"]
        client.close()


def test_unregistered_protocol_is_refused(tmp_path, monkeypatch):
    monkeypatch.delitem(PROTOCOLS, "echo")
    file = tmp_path / "adc.yaml"
    file.write_text(
        "listeners: [{bind: ':1', protocol: echo}]\nroutes: [{name: a, respond: {status: 204}}]\n"
    )
    with pytest.raises(ConfigErrors, match="one of: http"):
        load(file)
