"""Accepting: what is given up on its way in, and what is said of errors."""

import errno
import os
import socket

import pytest

from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import PATIENCE, eventually


@pytest.fixture
async def proxy(tmp_path):
    async with Member() as member, serving(tmp_path, config(member.address)) as proxy:
        yield proxy


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(PATIENCE)
    yield ours, theirs
    ours.close()
    theirs.close()


def accept_context_of(proxy):
    return proxy.listener._accepting.accept_context


@pytest.mark.parametrize("turns", [0, 1])
async def test_connection_rejected_in_its_handshake_is_closed(proxy, pair, turns):
    """After `turns` turns of the loop: its task has not begun, or waits to hear that the protocol was told."""
    ours, theirs = pair
    context = accept_context_of(proxy)
    context.take(ours, ("127.0.0.1", 1))
    for _ in range(turns):
        await _turn(context.loop)
    context.drop_all()
    await eventually(lambda: not (context.arriving or context._tasks))
    assert not proxy.connections
    assert ours.fileno() == -1
    assert theirs.recv(1) == b""


async def _turn(loop):
    turned = loop.create_future()
    loop.call_soon(turned.set_result, None)
    await turned


class FailingSocket:
    """A listening socket whose accept fails once."""

    def __init__(self, sock, number):
        self._sock = sock
        self._number = number

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def _accept(self):
        number, self._number = self._number, 0
        if number:
            raise OSError(number, os.strerror(number))
        return self._sock._accept()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EPROTO])
async def test_an_error_of_accept_is_told_in_its_own_words(proxy, number):
    (acceptor,) = proxy.listener._accepting._acceptors.values()
    acceptor._sock = FailingSocket(acceptor._sock, number)
    async with proxy.client() as client:
        assert (await client.ask(get())).status == 200
    proxy.worker.logs.error_log.flush()
    assert "accept_paused" in proxy.error_log()
    assert os.strerror(number) in proxy.error_log()


async def test_a_pause_gives_up_idle_connections_to_members(proxy):
    async with proxy.client() as client:
        assert (await client.ask(get())).status == 200
        link = proxy.member().link
        await eventually(lambda: link.idle == 1)
        accept_context_of(proxy).exhausted("short")
        assert link.idle == 0
        async with proxy.client() as other:
            assert (await other.ask(get())).status == 200
