"""Sockets to members: what strangers send to a port before it is connected is no reply."""

import asyncio
import os
import socket

import pytest

from adc.l4.targets import Targets
from adc.l4.udp.member_sockets import _MOST_STRANGE, MemberSockets
from adc.l4.udp.no_port import NoPort
from adc.pools.member import Member


@pytest.fixture
def server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture
def connect(server):
    """Connect to the server; `count` datagrams of a stranger arrive before."""

    async def connected(count):
        class Raced(socket.SocketType):
            def connect(self, address):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    for _ in range(count):
                        stranger.sendto(b"forged", self.getsockname())
                super().connect(address)

        targets = Targets(asyncio.get_running_loop())
        targets.follow({"server": (*server.getsockname(), "")}, {})
        sockets = MemberSockets(targets, Raced)
        sockets.follow(("127.0.0.1",))
        return sockets.connect(Member("app", "server"))

    return connected


async def test_datagrams_before_the_connection_are_discarded(server, connect):
    fd = await connect(3)
    try:
        os.write(fd, b"query")
        _, client = server.recvfrom(100)
        server.sendto(b"reply", client)
        assert os.read(fd, 100) == b"reply"
    finally:
        os.close(fd)


async def test_port_that_a_stranger_floods_is_not_used(connect):
    with pytest.raises(NoPort):
        await connect(_MOST_STRANGE + 1)
