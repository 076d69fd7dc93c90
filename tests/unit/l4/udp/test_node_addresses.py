"""Addresses of other nodes: found at once or looked up, and looked up again."""

import asyncio
import socket

import pytest

from adc.l4.udp import node_addresses
from adc.l4.udp.node_addresses import RENEWAL, RETRY, NodeAddresses
from tests.kit.waiting import eventually


class Loop:
    """The running loop, with a resolver and a time that the test sets."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self.names = {}
        self.now = 1000.0
        self.asked = 0

    def time(self):
        return self.now

    def create_task(self, work):
        return self._loop.create_task(work)

    async def getaddrinfo(self, host, port, *, type):
        self.asked += 1
        if host not in self.names:
            raise socket.gaierror("unknown name")
        return [(0, 0, 0, "", (address, 0)) for address in self.names[host]]


@pytest.fixture
async def loop():
    return Loop()


@pytest.fixture
def addresses(loop):
    return NodeAddresses(loop)


def find(addresses, advertised, family=socket.AF_INET):
    return addresses.find(advertised, family)


async def test_literal_address_is_known_at_once(addresses, loop):
    assert find(addresses, "192.0.2.1:7946") == ("192.0.2.1", 7946)
    assert find(addresses, "[2001:db8::1]:7946", socket.AF_INET6) == ("2001:db8::1", 7946)
    assert find(addresses, "no port") is None
    assert loop.asked == 0


async def test_name_is_looked_up_once_and_has_the_family_of_the_socket(addresses, loop):
    loop.names["b"] = ["2001:db8::2", "192.0.2.2"]
    assert find(addresses, "b:7946") is None
    assert await eventually(lambda: find(addresses, "b:7946")) == ("192.0.2.2", 7946)
    assert loop.asked == 1


async def test_name_is_looked_up_again_and_serves_until_then(addresses, loop):
    loop.names["b"] = ["192.0.2.2"]
    addresses.learn(["b:7946"], socket.AF_INET)
    await eventually(lambda: find(addresses, "b:7946"))
    loop.names["b"] = ["192.0.2.3"]
    assert find(addresses, "b:7946") == ("192.0.2.2", 7946)
    loop.now += RENEWAL
    assert find(addresses, "b:7946") == ("192.0.2.2", 7946)
    await eventually(lambda: find(addresses, "b:7946") == ("192.0.2.3", 7946))
    assert loop.asked == 2


async def test_failed_look_up_keeps_the_last_address_and_is_tried_again(addresses, loop):
    loop.names["b"] = ["192.0.2.2"]
    find(addresses, "b:7946")
    await eventually(lambda: find(addresses, "b:7946"))
    del loop.names["b"]
    loop.now += RENEWAL
    find(addresses, "b:7946")
    await eventually(lambda: not addresses._looking)
    assert find(addresses, "b:7946") == ("192.0.2.2", 7946)
    assert loop.asked == 2
    loop.names["b"] = ["192.0.2.3"]
    loop.now += RETRY
    await eventually(lambda: find(addresses, "b:7946") == ("192.0.2.3", 7946))


async def test_name_without_an_address_of_the_family_is_not_found(addresses, loop):
    loop.names["b"] = ["2001:db8::2"]
    assert find(addresses, "b:7946") is None
    await eventually(lambda: not addresses._looking)
    assert find(addresses, "b:7946") is None
    assert loop.asked == 1


async def test_addresses_are_bounded(addresses, monkeypatch):
    monkeypatch.setattr(node_addresses, "MOST", 3)
    for number in range(10):
        assert find(addresses, f"192.0.2.{number}:1")
    assert len(addresses._fixed) <= 3
