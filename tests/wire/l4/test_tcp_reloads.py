"""TCP listeners that reloads add and remove."""

import asyncio
import os
import socket

import yaml

from adc.config.loading import load
from tests.kit.proxy import serving
from tests.kit.waiting import eventually, within
from tests.wire.l4.test_tcp import LARGE, echo, mapping, member


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
