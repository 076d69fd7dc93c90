"""Accepting on the sockets of a listener, and the pause while descriptors are short."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from adc.codecs.http1.server import ServerConnection
from adc.codecs.http1.settings import Http1Settings
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.listener_state import ListenerState
from adc.net.share import Share
from adc.runtime.serve.accepting import Accepting
from tests.kit.descriptors import descriptor_limit
from tests.kit.waiting import eventually, settled

ANY = 1 << 30
NOW = 50.0


def never(*arguments: Any) -> Any:
    raise AssertionError(arguments)


class Spare:
    """Nothing to give up."""

    idle = 0

    def close_idle(self) -> None:
        """There is nothing."""


@pytest.fixture
async def state() -> AsyncIterator[ListenerState]:
    state = ListenerState()
    yield state
    for connection in list(state.connections):
        connection.abort()
    await asyncio.sleep(0)


@pytest.fixture
async def accepting(state: ListenerState) -> AsyncIterator[Accepting]:
    loop = asyncio.get_running_loop()
    settings = Http1Settings(state, Batch(loop), Clock(), never, never)
    accepting = Accepting(loop, state, never, Share(), Spare())
    accepting.accept_context.protocol = lambda handshake, alpn: ServerConnection(settings, handshake)
    yield accepting
    accepting.close()


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Two that listen."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        yield [one, other]


class Log:
    """The error log: `pauses` are the numbers of those that it was told."""

    def __init__(self) -> None:
        self.pauses: list[int] = []

    def error(self, message: str, *, detail: str, pauses: int) -> None:
        assert message == "accept_paused"
        self.pauses.append(pauses)


@pytest.fixture
def log() -> Log:
    return Log()


def client_of(sock: socket.socket) -> socket.socket:
    """A connection that has come as far as the kernel's queue."""
    return socket.create_connection(sock.getsockname())


async def test_client_waits_in_the_queue_until_descriptors_are_free(
    accepting: Accepting, state: ListenerState, sockets: list[socket.socket], log: Log
) -> None:
    """Without the pause the loop would find the same client in the queue in every turn."""
    accepting.follow(sockets)
    with client_of(sockets[0]):
        with descriptor_limit(0):
            await eventually(lambda: accepting.pauses)
            await settled()
            assert (accepting.pauses, state.accepted) == (1, 0)
        accepting.tick(NOW, log)
        await eventually(lambda: state.accepted == 1)
    assert accepting.pauses == 1


async def test_a_socket_that_a_reload_brings_during_a_pause_is_accepted_on_after_it(
    accepting: Accepting, state: ListenerState, sockets: list[socket.socket], log: Log
) -> None:
    accepting.accept_context.max_descriptor = 0
    accepting.follow(sockets[:1])
    with client_of(sockets[0]), client_of(sockets[1]):
        await eventually(lambda: state.accepted == 1)
        accepting.follow(sockets)
        accepting.tick(NOW, log)
        await settled()
        assert (accepting.pauses, state.accepted) == (1, 1)
        accepting.accept_context.max_descriptor = ANY
        accepting.tick(NOW, log)
        await eventually(lambda: state.accepted == 2)


async def test_pauses_are_told_once_in_ten_seconds_at_the_most(
    accepting: Accepting, state: ListenerState, sockets: list[socket.socket], log: Log
) -> None:
    accepting.follow(sockets)
    for number, now in enumerate((100.0, 101.0, 111.0)):
        accepting.accept_context.max_descriptor = 0
        with client_of(sockets[0]):
            await eventually(lambda number=number: state.accepted > number)
            accepting.tick(now, log)
            accepting.tick(now, log)
        accepting.accept_context.max_descriptor = ANY
        accepting.tick(now, log)
    assert log.pauses == [1, 3]
