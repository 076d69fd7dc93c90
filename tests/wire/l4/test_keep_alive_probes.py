"""Keep-alive probes of idle TCP sessions, as captured between both ends and the node."""

import asyncio
import contextlib
import socket
import threading

import pytest
import uvloop

from tests.kit import netns
from tests.kit.authority import Authority
from tests.kit.proxy import serving
from tests.kit.streams import mapping

pytestmark = netns.required

PORT = 5432


class Probe:
    """Recognises a probe from the node: an empty segment in front of the next byte (RFC 9293 section 3.8.4)."""

    def __init__(self):
        self._next = 0

    def __call__(self, packet):
        if packet.outgoing or packet.protocol != "tcp":
            return False
        if packet.length == 0 and packet.flags == "A" and packet.seq == self._next - 1:
            return True
        self._next = packet.seq + packet.length + packet.has("S") + packet.has("F")
        return False


@contextlib.contextmanager
def served(net, folder, found):
    """Serve `found` in the namespace of the node, in a thread of its own."""
    ready, done = threading.Event(), threading.Event()

    async def main():
        sock = socket.create_server((net.address("adc"), PORT))
        async with serving(folder, found, sock=sock):
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=net.adc.call, args=(uvloop.run, main()))
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("secure", [False, True])
def test_silent_ends_are_probed(tmp_path, secure):
    with netns.one_device() as net, netns.capture(net.client) as near, netns.capture(net["m1"]) as far:
        member = net["m1"].call(socket.create_server, (net.address("m1"), PORT))
        found = mapping(
            f"{net.address('m1')}:{PORT}", sessions={"keep_alive": {"client": "1s", "member": "1s"}}
        )
        authority = Authority(tmp_path / "ca")
        if secure:
            found["listeners"][0]["tls"] = {"certificates": [authority.issue("a.test")]}
        with served(net, tmp_path / "logs", found), net.client.connect(net.address("adc"), PORT) as client:
            if secure:
                client = authority.context().wrap_socket(client, server_hostname="a.test")
            client.sendall(b"x")
            accepted, _ = member.accept()
            assert accepted.recv(1) == b"x"
            for captured in (near, far):
                captured.wait(Probe())
            client.close()
            accepted.close()
        member.close()
