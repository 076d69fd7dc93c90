"""Files to a connection by the kernel."""

import asyncio
import os
import socket

import pytest

from adc.net.file_output import open_output

SIZE = 4 << 20


class Client:
    """A connection: `transport` is our side, `sock` the client's, which reads only when told."""

    def __init__(self, transport, sock):
        self.transport = transport
        self.sock = sock
        self.writable = asyncio.Event()
        self.output = open_output(asyncio.get_running_loop(), transport, self.writable.set)

    async def read(self, count):
        data = b""
        while len(data) < count:
            data += await asyncio.get_running_loop().sock_recv(self.sock, count - len(data))
        return data


@pytest.fixture
async def client():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    client = Client(transport, theirs)
    yield client
    client.output.close()
    transport.abort()
    theirs.close()
    await asyncio.sleep(0)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "f").write_bytes(bytes(range(256)) * (SIZE >> 8))
    descriptor = os.open(tmp_path / "f", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


async def test_a_part_of_a_file_is_sent(client, file):
    assert client.output.send(file, 3, 5) == 5
    assert await client.read(5) == bytes([3, 4, 5, 6, 7])


async def test_a_client_that_takes_no_more_is_told_of_when_it_does(client, file):
    sent = client.output.send(file, 0, SIZE)
    assert 0 < sent < SIZE
    assert client.output.send(file, sent, SIZE) == 0
    client.output.wait()
    await asyncio.sleep(0)
    assert not client.writable.is_set()
    await client.read(sent)
    await asyncio.wait_for(client.writable.wait(), 5)
    assert client.output.send(file, sent, 10) == 10


async def test_earlier_writes_come_first(client, file):
    client.transport.write(b"x" * SIZE)
    taken = len(client.sock.recv(1 << 20))  # now there is room, but what waits comes first
    assert client.transport.get_write_buffer_size()
    assert client.output.send(file, 0, 1) == 0
    client.output.wait()
    assert await client.read(SIZE - taken) == b"x" * (SIZE - taken)
    await asyncio.wait_for(client.writable.wait(), 5)
    assert client.output.send(file, 0, 1) == 1


async def test_a_file_that_ends_early_is_an_error(client, file):
    with pytest.raises(OSError, match="shorter"):
        client.output.send(file, SIZE, 1)


async def test_a_client_that_is_gone_ends_the_connection_and_is_no_error_of_the_file(client, file):
    client.sock.close()
    assert client.output.send(file, 0, 10) == 0
    assert client.transport.is_closing()
    assert client.output.send(file, 0, 10) == 0


async def test_no_callback_runs_after_the_end(client):
    client.output.wait()
    client.output.close()
    client.output.close()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not client.writable.is_set()


async def test_the_copy_of_the_descriptor_is_closed_and_the_connection_stays_open(client):
    before = len(os.listdir("/proc/self/fd"))
    client.output.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1
    client.transport.write(b"more")
    assert await client.read(4) == b"more"


async def test_a_connection_that_is_closing_has_none(client):
    client.transport.abort()
    assert open_output(asyncio.get_running_loop(), client.transport, client.writable.set) is None
