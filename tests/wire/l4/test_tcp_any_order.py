"""Both ends of many flows read, write, close and reset in any order: no byte is lost, changed or in another flow."""

import asyncio
import random
import socket

import pytest

from tests.kit.proxy import serving
from tests.kit.streams import RESET, mapping
from tests.kit.waiting import eventually

PERIOD = 251
SIZES = (1, 100, 5000, 9000, 70_000, 400_000)
AT_ONCE = 10


def pattern(mark, start, size):
    """`size` bytes of an endless stream that only flow `mark` has."""
    period = bytes((byte + mark) % 256 for byte in range(PERIOD))
    first = start % PERIOD
    return (period * (size // PERIOD + 2))[first : first + size]


class Peer:
    """One end of a flow: `sent` counts what it has sent, `got` is what came. `is_cut`: the flow may lose bytes."""

    def __init__(self, sock, mark, chance):
        self.sock, self.mark, self.chance = sock, mark, chance
        self.sent, self.got = 0, bytearray()
        self.is_shut = self.has_ended = self.is_cut = False

    async def write(self, size):
        """Send up to `size` bytes, until the socket is full."""
        try:
            while size and not self.is_shut:
                count = self.sock.send(pattern(self.mark, self.sent, size))
                self.sent += count
                size -= count
        except BlockingIOError:
            await asyncio.sleep(0.001)
        except OSError:
            self.is_shut = self.is_cut = True

    async def read(self, size):
        """Receive up to `size` bytes, or what comes in a moment."""
        for _ in range(10):
            try:
                while size and not self.has_ended:
                    data = self.sock.recv(min(size, 1 << 16))
                    self.got += data
                    size -= len(data)
                    self.has_ended = not data
            except BlockingIOError:
                await asyncio.sleep(0.001)
            except OSError:
                self.has_ended = self.is_cut = True
            if self.has_ended or not size:
                return

    def shut(self):
        if not self.is_shut:
            self.is_shut = True
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                self.is_cut = True

    async def live(self):
        chance = self.chance
        for _ in range(chance.randint(1, 8)):
            act = chance.choice((self.write, self.write, self.read, self.read, None))
            if act is not None:
                await act(chance.choice(SIZES))
            elif chance.random() < 0.5:
                self.shut()
        if chance.random() < 0.5:
            self.is_cut = True
            if chance.random() < 0.5:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        else:
            self.shut()
            while not self.has_ended:
                await self.read(1 << 20)
        self.sock.close()


@pytest.mark.parametrize("seed", range(3))
async def test_bytes_arrive_whatever_both_ends_do(tmp_path, seed):
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        address = "127.0.0.1:{}".format(*listening.getsockname()[1:])

        async def flow(proxy, number):
            chance = random.Random(f"{seed} {number}")
            client = socket.socket()
            client.setblocking(False)
            async with proxy.opening:
                await loop.sock_connect(client, ("127.0.0.1", proxy.port))
                member, _ = await loop.sock_accept(listening)
            ends = Peer(client, 2 * number, chance), Peer(member, 2 * number + 1, chance)
            async with asyncio.TaskGroup() as tasks:
                for end in ends:
                    tasks.create_task(end.live())
            is_cut = any(end.is_cut for end in ends)
            for end, other in (ends, reversed(ends)):
                assert end.got == pattern(other.mark, 0, len(end.got))
                assert len(end.got) == other.sent or (is_cut and len(end.got) < other.sent)

        async with serving(tmp_path, mapping(address)) as proxy:
            service = proxy.listener._service
            service.splice_after, service.read_bytes = 8192, 4096
            proxy.worker.pipes._most = 3  # some flows get none
            proxy.opening = asyncio.Lock()
            for first in range(0, 5 * AT_ONCE, AT_ONCE):
                await asyncio.gather(*(flow(proxy, first + place) for place in range(AT_ONCE)))
            await eventually(lambda: not proxy.connections)
            assert (proxy.worker.pipes.used, proxy.worker.runtime.pools["app"].active) == (0, 0)
