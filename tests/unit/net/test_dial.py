"""Names of members: looked up when needed, again and again, and never a reason not to start."""

import asyncio
import socket

import pytest

from adc.net.dial import Dialer
from adc.net.names import Names
from tests.kit.waiting import eventually


class Loop:
    """Answers look-ups with `addresses`, refuses connections to those in `dead`."""

    def __init__(self):
        self.addresses = []
        self.dead = set()
        self.error = None
        self.lookups = 0
        self.opened = []
        self.now = 0.0

    def time(self):
        return self.now

    def create_task(self, coroutine):
        return asyncio.get_running_loop().create_task(coroutine)

    async def getaddrinfo(self, host, port, type):
        self.lookups += 1
        if self.error is not None:
            raise self.error
        return [(2, 1, 6, "", (address, 0)) for address in self.addresses]

    async def create_connection(self, factory, host, port, **options):
        if host in self.dead:
            raise ConnectionRefusedError
        self.opened.append(host)
        return asyncio.Transport(), None  # it has no socket


@pytest.fixture
def loop():
    return Loop()


async def test_an_address_is_never_looked_up(loop):
    for host in ("192.0.2.1", "2001:db8::1"):
        dial = Dialer(loop, host, 80)
        await dial(None)
        dial.refresh(1e9)
    assert (loop.opened, loop.lookups) == (["192.0.2.1", "2001:db8::1"], 0)


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long")])
async def test_a_name_that_does_not_resolve_fails_the_try_and_may_come_later(loop, error):
    dial = Dialer(loop, "app", 80)
    loop.error = error
    with pytest.raises(socket.gaierror):
        await dial(None)
    loop.error, loop.addresses = None, ["192.0.2.1"]
    await dial(None)
    assert loop.opened == ["192.0.2.1"]


async def test_several_addresses_are_used_in_turn_and_a_dead_one_passed_over(loop):
    loop.addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    dial = Dialer(loop, "app", 80)
    for _ in range(3):
        await dial(None)
    assert sorted(loop.opened) == loop.addresses
    loop.dead = {"192.0.2.1", "192.0.2.2"}
    for _ in range(3):
        await dial(None)
    assert loop.opened[3:] == ["192.0.2.3"] * 3
    loop.dead.add("192.0.2.3")
    with pytest.raises(ConnectionRefusedError):
        await dial(None)


async def test_an_old_answer_is_renewed_and_a_move_is_told(loop):
    loop.addresses = ["192.0.2.1"]
    dial = Dialer(loop, "app", 80, interval=30.0)
    moves = []
    dial.moved = lambda: moves.append(loop.now)
    await dial(None)
    dial.refresh(29.0)
    assert loop.lookups == 1
    loop.now, loop.addresses = 31.0, ["192.0.2.9"]
    dial.refresh(31.0)
    await eventually(lambda: moves)
    assert (loop.lookups, moves) == (2, [31.0])
    await dial(None)
    assert loop.opened[-1] == "192.0.2.9"


async def test_a_failed_renewal_keeps_the_old_answer(loop):
    loop.addresses = ["192.0.2.1"]
    dial = Dialer(loop, "app", 80, interval=30.0)
    await dial(None)
    loop.error = OSError("server down")
    dial.refresh(31.0)
    await eventually(lambda: loop.lookups == 2)
    await dial(None)
    assert loop.opened == ["192.0.2.1"] * 2


async def test_members_of_one_name_share_a_lookup_whatever_their_port(loop):
    loop.addresses = ["192.0.2.1"]
    names = Names(loop, 0.5)
    await asyncio.gather(*(Dialer(loop, "app", port, names=names)(None) for port in (80, 81, 82)))
    assert (loop.opened, loop.lookups) == (["192.0.2.1"] * 3, 1)
