"""TCP listeners that reloads add and remove."""

import asyncio
import os
import socket
from types import SimpleNamespace

import pytest
import yaml

from adc.config.loading import load
from tests.kit.proxy import serving
from tests.kit.streams import LARGE, connected, echo, mapping, member, named
from tests.kit.waiting import eventually, within
from tests.unit.l4.test_client_hello import hello


async def with_listener(proxy, folder, name, use):
    """Reload with a second listener, `use` its port, and remove it."""
    file = folder / "adc.yaml"
    before = file.read_text()
    written = yaml.safe_load(before)
    written["listeners"].append(written["listeners"][0] | {"name": name})
    with socket.create_server(("127.0.0.1", 0)) as sock:
        for text, sockets in (
            (yaml.safe_dump(written), {"web": [proxy.sock], name: [sock]}),
            (before, {"web": [proxy.sock]}),
        ):
            file.write_text(text)
            await proxy.worker.prepare(load(file).config, sockets)
            proxy.worker.commit()
            if name in sockets:
                await use(sock.getsockname()[1])
                await eventually(lambda: not proxy.worker.listeners[name].state.connections)


async def exchange(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(LARGE)
    await within(reader.readexactly(len(LARGE)))
    writer.close()
    await writer.wait_closed()


async def test_removed_listeners_leave_no_descriptor_behind(tmp_path):
    async with member(echo) as address, serving(tmp_path, mapping(address)) as proxy:
        await with_listener(proxy, tmp_path, "x0", exchange)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(1, 4):
            await with_listener(proxy, tmp_path, f"x{number}", exchange)
        await eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)


@pytest.mark.parametrize("routed", [False, True], ids=["plain", "routed"])
async def test_flow_that_waits_for_a_pool_that_a_reload_removes_does_not_wait_on(tmp_path, routed):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        pools = {
            "app": {
                "members": [a],
                "limits": {"connections_per_member": 1, "queue": 5, "queue_timeout": "5m"},
            }
        }
        written = mapping(a) | {"pools": pools}
        if routed:
            del written["listeners"][0]["pool"]
            written["listeners"][0]["sni"] = {"a.example.com": "app"}
        first = hello("a.example.com") if routed else b""

        def edit(mapping):
            mapping["pools"]["other"] = {"members": [b]}
            mapping["listeners"][0] |= {"sni": {"b.example.com": "other"}} if routed else {"pool": "other"}

        async with (
            serving(tmp_path, written) as proxy,
            connected(proxy) as (reader, writer),
            connected(proxy) as (waiting, also),
        ):
            writer.write(first)
            assert await within(reader.readexactly(1)) == b"a"
            also.write(first)
            upstream = proxy.listener._upstreams["app"]
            await eventually(lambda: upstream.queue.waiting)
            await proxy.change(edit)
            if routed:
                with pytest.raises(ConnectionResetError):
                    await within(waiting.read(1))
            else:
                assert await within(waiting.readexactly(1)) == b"b"


async def test_defect_of_a_listener_costs_no_other_its_timeouts(tmp_path, monkeypatch):
    written = mapping("127.0.0.1:1")
    async with serving(tmp_path, written) as proxy:
        worker = proxy.worker
        ticks = []

        def defect(now):
            raise RuntimeError("a defect")

        with monkeypatch.context() as patch:
            patch.setattr(proxy.listener, "tick", defect)
            patch.setitem(worker.listeners._serving, "other", SimpleNamespace(tick=ticks.append))
            worker.listeners.tick(1.0)
        assert ticks == [1.0]
        assert [str(each.pop("exception")) for each in proxy.errors] == ["a defect"]
        proxy.errors.clear()
