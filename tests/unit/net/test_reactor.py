"""One epoll object for many sockets."""

import asyncio
import os
import socket

import pytest

from adc.net.reactor import EDGE, IN, Reactor


class Reader:
    """Reads `most` bytes at each call; `seen` is what it has read."""

    def __init__(self, sock, reactor, most=100):
        self.sock, self.reactor, self.most = sock, reactor, most
        self.seen = b""
        self.calls = 0

    def ready(self, events):
        self.calls += 1
        try:
            data = self.sock.recv(self.most)
        except BlockingIOError:
            return
        self.seen += data
        if data:
            self.reactor.again(self.sock.fileno(), self, events)


@pytest.fixture
async def reactor():
    reactor = Reactor(asyncio.get_running_loop())
    yield reactor
    reactor.close()


@pytest.fixture
def pair():
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    yield ends
    for end in ends:
        end.close()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_edge_triggered_owner_reads_the_rest_in_later_iterations(reactor, pair):
    reader = Reader(pair[0], reactor, most=3)
    reactor.add(pair[0].fileno(), reader, IN | EDGE)
    pair[1].send(b"0123456789")
    await until(lambda: reader.seen == b"0123456789")


async def test_removed_socket_is_not_reported(reactor, pair):
    reader = Reader(pair[0], reactor)
    reactor.add(pair[0].fileno(), reader)
    reactor.remove(pair[0].fileno())
    reactor.remove(pair[0].fileno())
    pair[1].send(b"x")
    for _ in range(20):
        await asyncio.sleep(0)
    assert reader.calls == 0


async def test_socket_closed_with_bytes_left_is_not_called_again(reactor, pair):
    reader = Reader(pair[0], reactor, most=1)
    number = os.dup(pair[0].fileno())
    reactor.add(number, reader, IN | EDGE)
    pair[1].send(b"xyz")
    await until(lambda: reader.calls == 1)
    reactor.again(number, reader, IN)
    reactor.closing(number)
    os.close(number)
    for _ in range(20):
        await asyncio.sleep(0)
    assert reader.calls == 1
