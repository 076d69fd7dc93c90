"""Sockets to members: what strangers send to a port before it is connected is no reply."""

import os
import socket

import pytest

from adc.l4.udp import member_sockets
from adc.l4.udp.member_sockets import MemberSockets
from adc.l4.udp.no_port import NoPort
from adc.pools.member import Member


@pytest.fixture
def server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture
def connect(server, monkeypatch):
    """Connect to the server; `count` datagrams of a stranger arrive before."""

    def connected(count):
        class Raced(socket.SocketType):
            def connect(self, address):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    for _ in range(count):
                        stranger.sendto(b"forged", self.getsockname())
                super().connect(address)

        monkeypatch.setattr(member_sockets.socket, "SocketType", Raced)
        target = type("Target", (), {"address": lambda self: (socket.AF_INET, server.getsockname())})()
        sockets = MemberSockets(type("Targets", (), {"find": lambda self, text: target})())
        sockets.follow(("127.0.0.1",))
        try:
            return sockets.connect(Member("app", "127.0.0.1:53"))
        finally:
            monkeypatch.undo()

    return connected


def test_datagrams_before_the_connection_are_discarded(server, connect):
    fd = connect(3)
    try:
        os.write(fd, b"query")
        _, client = server.recvfrom(100)
        server.sendto(b"reply", client)
        assert os.read(fd, 100) == b"reply"
    finally:
        os.close(fd)


def test_port_that_a_stranger_floods_is_not_used(connect):
    with pytest.raises(NoPort):
        connect(member_sockets._MOST_STRANGE + 1)
