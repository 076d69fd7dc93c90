"""The protocol of a connection is chosen by what its TLS handshake agreed on."""

import asyncio

import pytest

from tests.kit.client import get
from tests.wire.tls.terminating import client_of, terminating


class Echo(asyncio.Protocol):
    """Sends back what comes; it counts as an open connection of the listener."""

    deadline = float("inf")
    retiring = False

    def __init__(self, state, handshake):
        self._state = state
        self._handshake = handshake
        self.peer = handshake.peer

    def connection_made(self, transport):
        self._handshake.release()
        self._transport = transport
        self._state.opened(self)

    def data_received(self, data):
        self._transport.write(data)

    def connection_lost(self, exc):
        self._state.closed(self)


@pytest.fixture
async def proxy(tmp_path, authority, member):
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy:
        listener = proxy.listener
        accept_context = listener._accepting.accept_context
        agreed = []

        def choose(handshake, alpn):
            agreed.append(alpn)
            return Echo(listener.state, handshake) if alpn == "echo" else listener.protocol(handshake, alpn)

        listener.tls.context.set_alpn_protocols(["echo", "http/1.1"])
        accept_context.protocol = choose
        proxy.agreed = agreed
        yield proxy


async def test_connection_speaks_the_protocol_that_alpn_agreed_on(proxy, authority):
    context = authority.context()
    context.set_alpn_protocols(["http/1.1", "echo"])
    async with client_of(proxy, context) as client:
        await client.send(b"hello")
        assert await client.exactly(5) == b"hello"
        assert len(proxy.connections) == 1
    assert proxy.agreed == ["echo"]


@pytest.mark.parametrize(("offered", "agreed"), [(["http/1.1"], "http/1.1"), ([], "")])
async def test_connection_without_the_other_protocol_speaks_http_1(proxy, authority, offered, agreed):
    context = authority.context()
    if offered:
        context.set_alpn_protocols(offered)
    async with client_of(proxy, context) as client:
        assert (await client.ask(get(host="a.test"))).status == 200
    assert proxy.agreed == [agreed]
