"""Idle connections to one member: which is used, how long each is kept."""

import asyncio

import pytest

from adc.codecs.http1.link import HttpLink
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.pools.errors import Failure


class Transport:
    def __init__(self):
        self.closed = False

    def is_closing(self):
        return self.closed

    def abort(self):
        self.closed = True

    close = abort


class Receiver:
    def __init__(self):
        self.connection = None
        self.failure = None

    def connected(self, connection):
        self.connection = connection

    def failed(self, failure, detail):
        self.failure = failure


@pytest.fixture
def transports():
    return []


@pytest.fixture
async def link(transports):
    async def connect(factory):
        transports.append(Transport())
        factory().connection_made(transports[-1])

    return HttpLink(Batch(asyncio.get_running_loop()), Clock(), connect, idle_timeout=50.0, max_idle=2)


async def opened(link, count):
    receivers = [Receiver() for _ in range(count)]
    assert [link.acquire(receiver) for receiver in receivers] == [None] * count
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return [receiver.connection for receiver in receivers]


async def test_the_connection_used_last_is_used_first(link):
    first, second = await opened(link, 2)
    link.release(first)
    link.release(second)
    assert link.acquire(Receiver()) is second
    assert link.acquire(Receiver()) is first


async def test_no_more_idle_connections_are_kept_than_allowed(link, transports):
    for connection in await opened(link, 3):
        link.release(connection)
    assert [transport.closed for transport in transports] == [False, False, True]


async def test_a_connection_is_reaped_after_its_idle_time(link, transports):
    (connection,) = await opened(link, 1)
    link.release(connection)
    link.reap(connection.deadline - 1)
    assert not transports[0].closed
    link.reap(connection.deadline)
    assert transports[0].closed
    assert link.acquire(Receiver()) is None
    await asyncio.sleep(0)


async def test_the_members_word_shortens_the_idle_time_and_never_lengthens_it(link):
    link.announced(b"timeout=5, max=100")
    assert link.idle_timeout == 4.0
    link.announced(b"max=10, TIMEOUT=900")
    assert link.idle_timeout == 4.0
    link.announced(b"timeout=1")
    assert link.idle_timeout == 0.0


@pytest.mark.parametrize(
    "value", [b"", b"timeout", b"timeout=", b"timeout=x", b"timeout=-1", b"timeout=99999999999"]
)
async def test_a_word_that_says_nothing_changes_nothing(link, value):
    link.announced(value)
    assert link.idle_timeout == 50.0


async def test_the_members_word_outlives_a_change_of_settings(link):
    link.announced(b"timeout=5")
    link.idle_timeout = 50.0
    link.announced(b"timeout=5")
    assert link.idle_timeout == 4.0


async def test_a_connection_that_ended_while_idle_is_not_handed_out(link):
    (connection,) = await opened(link, 1)
    connection.receiver = None
    link.release(connection)
    connection.data_received(b"HTTP/1.1 408 Timeout\r\n\r\n")
    assert link.acquire(Receiver()) is None
    await asyncio.sleep(0)


async def test_a_receiver_that_no_longer_waits_is_not_called(transports):
    reached, go = asyncio.Event(), asyncio.Event()

    async def connect(factory):
        transports.append(Transport())
        factory().connection_made(transports[-1])
        reached.set()
        await go.wait()

    link = HttpLink(Batch(asyncio.get_running_loop()), Clock(), connect)
    receiver = Receiver()
    link.acquire(receiver)
    await reached.wait()
    link.forget(receiver)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (receiver.connection, receiver.failure) == (None, None)
    assert transports[0].closed


async def test_a_connection_that_cannot_be_opened_fails_the_try():
    async def connect(factory):
        raise ConnectionRefusedError

    link = HttpLink(Batch(asyncio.get_running_loop()), Clock(), connect)
    receiver = Receiver()
    link.acquire(receiver)
    for _ in range(3):
        await asyncio.sleep(0)
    assert receiver.failure is Failure.CONNECTION_REFUSED
    assert (link.busy, link.opening) == (0, 0)


async def test_a_connection_that_is_closing_is_not_busy_however_long_that_takes(link, transports):
    first, second, third = await opened(link, 3)
    assert (link.busy, link.idle, link.connections) == (3, 0, 3)
    for connection in (first, second, third):  # the third is one too many
        link.release(connection)
    assert (link.busy, link.idle, link.connections) == (0, 2, 2)
    link.reap(first.deadline)
    assert (link.busy, link.idle, link.connections) == (0, 0, 0)
    for connection in (first, second, third):
        connection.connection_lost(None)
    assert (link.busy, link.connections, link.opening) == (0, 0, 0)


@pytest.mark.parametrize("begun", [False, True])
async def test_cancelled_wait_for_a_connection_leaves_no_count(begun):
    async def connect(factory):
        await asyncio.Event().wait()

    link = HttpLink(Batch(asyncio.get_running_loop()), Clock(), connect)
    receiver = Receiver()
    link.acquire(receiver)
    assert link.busy == 1
    if begun:
        await asyncio.sleep(0)
    link.forget(receiver)
    await asyncio.sleep(0.001)
    assert (link.busy, link.opening) == (0, 0)


@pytest.mark.parametrize(
    "value", [b"timeout=5", b"max=9 ,\tTimeout = 5", b'timeout="5"', b"timeout=5; max=9", b", timeout=5,"]
)
async def test_an_announced_timeout_is_read_with_blanks_quotes_and_semicolons(link, value):
    link.announced(value)
    assert link.idle_timeout == 4
